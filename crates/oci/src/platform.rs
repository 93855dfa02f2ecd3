//! Operating system and processor (image-spec `image-index.md`, "platform").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an image runs on.
///
/// Written `os/architecture[/variant]`. Values are Go's `GOOS` and `GOARCH`; the aliases that
/// containerd accepts (`x86_64`, `aarch64`, `armhf`, …) are normalised when a text is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// The processor, as `GOARCH` names it.
    pub architecture: String,
    /// The operating system, as `GOOS` names it.
    pub os: String,
    /// Windows' build number.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Features of the system that the image needs.
    #[serde(rename = "os.features", default, skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// The processor's variant, such as `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// Why a text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a platform: {problem}")]
pub struct PlatformError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Platform {
    /// `linux` on `architecture`, no variant.
    pub fn linux(architecture: &str) -> Self {
        Platform {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            os_version: None,
            os_features: Vec::new(),
            variant: None,
        }
    }

    /// The same platform with aliases resolved and a default variant taken out or put in, so that
    /// platforms that mean the same compare equal.
    pub fn normalized(&self) -> Platform {
        let os = match self.os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let variant = self.variant.as_deref().map(str::to_ascii_lowercase);
        let (architecture, variant) =
            normalize_architecture(&self.architecture.to_ascii_lowercase(), variant);
        Platform { architecture, os, variant, ..self.clone() }
    }

    /// Whether an image for `self` is what someone asking for `wanted` means.
    ///
    /// `linux/arm64` is `linux/arm64/v8`; asking for no variant of `arm` means `v7`, as containerd
    /// has it.
    pub fn satisfies(&self, wanted: &Platform) -> bool {
        let (have, wanted) = (self.normalized(), wanted.normalized());
        have.os == wanted.os
            && have.architecture == wanted.architecture
            && have.variant == wanted.variant
            && (wanted.os_version.is_none() || have.os_version == wanted.os_version)
    }
}

/// containerd's `platforms/database.go`: which names mean the same processor.
fn normalize_architecture(name: &str, variant: Option<String>) -> (String, Option<String>) {
    let variant = variant.filter(|v| !v.is_empty());
    let (name, variant) = match name {
        "i386" => ("386", None),
        "x86_64" | "x86-64" | "amd64" => ("amd64", variant.filter(|v| v != "v1")),
        "aarch64" | "arm64" => ("arm64", variant.filter(|v| v != "8" && v != "v8")),
        "armhf" => ("arm", Some("v7".to_owned())),
        "armel" => ("arm", Some("v6".to_owned())),
        "arm" => {
            let variant = match variant.as_deref() {
                None | Some("7") => "v7".to_owned(),
                Some("5" | "6" | "8") => format!("v{}", variant.unwrap_or_default()),
                Some(other) => other.to_owned(),
            };
            ("arm", Some(variant))
        }
        other => (other, variant),
    };
    (name.to_owned(), variant)
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) if !variant.is_empty() => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let fail = |problem| Err(PlatformError { text: text.to_owned(), problem });
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| {
            part.is_empty()
                || !part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        }) {
            return fail("it is written os/architecture[/variant], such as linux/amd64");
        }
        let platform = |os: &str, architecture: &str, variant: Option<&str>| Platform {
            os: os.to_owned(),
            variant: variant.map(str::to_owned),
            ..Platform::linux(architecture)
        };
        Ok(match parts.as_slice() {
            // One word is a processor or a system; containerd decides by its list of systems.
            [one] => match one.to_ascii_lowercase().as_str() {
                "linux" | "windows" | "darwin" | "freebsd" => {
                    return fail("the architecture is missing, as in linux/amd64");
                }
                _ => platform("linux", one, None),
            },
            [os, architecture] => platform(os, architecture, None),
            [os, architecture, variant] => platform(os, architecture, Some(variant)),
            _ => return fail("it is written os/architecture[/variant], and has more parts"),
        }
        .normalized())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Platform>().map(|p| p.to_string()).as_deref(), Ok(expected));
    }

    #[test]
    fn parses_and_normalises() {
        check("linux/amd64", "linux/amd64");
        check("linux/x86_64", "linux/amd64");
        check("linux/amd64/v1", "linux/amd64");
        check("linux/amd64/v3", "linux/amd64/v3");
        check("aarch64", "linux/arm64");
        check("linux/arm64/v8", "linux/arm64");
        check("linux/arm", "linux/arm/v7");
        check("linux/arm/6", "linux/arm/v6");
        check("linux/armhf", "linux/arm/v7");
        check("windows/amd64", "windows/amd64");
    }

    #[test]
    fn refused() {
        let message = |text: &str| text.parse::<Platform>().unwrap_err().to_string();
        insta::assert_snapshot!(message("linux"), @"`linux` is not a platform: the architecture is missing, as in linux/amd64");
        insta::assert_snapshot!(message("linux/"), @"`linux/` is not a platform: it is written os/architecture[/variant], such as linux/amd64");
        insta::assert_snapshot!(message("a/b/c/d"), @"`a/b/c/d` is not a platform: it is written os/architecture[/variant], and has more parts");
    }

    #[test]
    fn satisfies_by_meaning() {
        let parse = |text: &str| text.parse::<Platform>().unwrap();
        assert!(parse("linux/arm64/v8").satisfies(&parse("linux/arm64")));
        assert!(!parse("linux/arm/v6").satisfies(&parse("linux/arm")));
        assert!(!parse("linux/amd64").satisfies(&parse("linux/arm64")));
    }
}
