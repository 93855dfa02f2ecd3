//! What the variables of environment markers are for a target (dependency specifiers, "Environment
//! Markers", formerly PEP 508).

use oci::Platform;

use super::Target;

/// The variables, but `extra`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markers {
    /// `os.name`
    pub os_name: &'static str,
    /// `sys.platform`
    pub sys_platform: &'static str,
    /// `platform.machine()`: what `uname -m` says on the platform.
    pub platform_machine: String,
    /// `platform.python_implementation()`
    pub platform_python_implementation: &'static str,
    /// `platform.release()`: always empty. It would be the kernel's of whatever machine runs the
    /// image, which a build cannot know and must not depend on.
    pub platform_release: &'static str,
    /// `platform.system()`
    pub platform_system: &'static str,
    /// `platform.version()`: always empty, for the same reason.
    pub platform_version: &'static str,
    /// Such as `3.12`.
    pub python_version: String,
    /// Such as `3.12.4`; `3.12.0` if the patch is not known.
    pub python_full_version: String,
    /// `sys.implementation.name`
    pub implementation_name: &'static str,
    /// `sys.implementation.version`, which for CPython is Python's.
    pub implementation_version: String,
}

impl Target {
    /// The variables of environment markers.
    pub fn markers(&self) -> Markers {
        let version = &self.interpreter.version;
        Markers {
            os_name: "posix",
            sys_platform: "linux",
            platform_machine: machine(&self.platform),
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_version: format!("{}.{}", version.major, version.minor),
            python_full_version: version.full(),
            implementation_name: "cpython",
            implementation_version: version.full(),
        }
    }
}

impl Markers {
    /// The variables by their names, in the order of the specification.
    pub fn named(&self) -> [(&'static str, &str); 11] {
        [
            ("os_name", self.os_name),
            ("sys_platform", self.sys_platform),
            ("platform_machine", &self.platform_machine),
            ("platform_python_implementation", self.platform_python_implementation),
            ("platform_release", self.platform_release),
            ("platform_system", self.platform_system),
            ("platform_version", self.platform_version),
            ("python_version", &self.python_version),
            ("python_full_version", &self.python_full_version),
            ("implementation_name", self.implementation_name),
            ("implementation_version", &self.implementation_version),
        ]
    }
}

/// What `uname -m` says of a processor that Go calls otherwise.
fn machine(platform: &Platform) -> String {
    let platform = platform.normalized();
    let name = match (platform.architecture.as_str(), platform.variant.as_deref()) {
        ("amd64", _) => "x86_64",
        ("arm64", _) => "aarch64",
        ("arm", Some("v5")) => "armv5tel",
        ("arm", Some("v6")) => "armv6l",
        // A processor of ARMv8 that runs 32-bit programs calls itself this for a 32-bit personality.
        ("arm", Some("v8")) => "armv8l",
        ("arm", _) => "armv7l",
        ("386", _) => "i686",
        ("loong64", _) => "loongarch64",
        (other, _) => other,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_have_the_kernel_s_names() {
        let check = |platform: &str, expected: &str| {
            assert_eq!(machine(&platform.parse().unwrap()), expected, "{platform}");
        };
        check("linux/amd64", "x86_64");
        check("linux/amd64/v3", "x86_64");
        check("linux/arm64", "aarch64");
        check("linux/arm64/v8", "aarch64");
        check("linux/arm", "armv7l");
        check("linux/arm/v6", "armv6l");
        check("linux/386", "i686");
        check("linux/riscv64", "riscv64");
        check("linux/s390x", "s390x");
        check("linux/ppc64le", "ppc64le");
    }
}
