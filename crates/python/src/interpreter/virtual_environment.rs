//! `pyvenv.cfg`: what makes a directory a virtual environment (PEP 405).

use oci::ImagePath;

use super::Version;
use crate::View;
use crate::view::Known;

/// What a `pyvenv.cfg` says, as far as `site` and `getpath` of the standard library read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Configuration {
    /// The directory of the executable that the environment was made with.
    pub(super) home: Option<ImagePath>,
    /// Whether what is installed for that interpreter can be imported, too.
    pub(super) sees_system: bool,
    /// The version at the time that it was made.
    pub(super) version: Option<Version>,
}

/// The virtual environment whose executables are in `directory`, if it is one: `pyvenv.cfg` is
/// beside the executable or one directory above it. Where a link leads that an executable is
/// makes no difference.
pub(super) fn root_of(view: View<'_>, directory: &ImagePath) -> Known<Option<ImagePath>> {
    for root in [Some(directory.clone()), directory.parent()].into_iter().flatten() {
        if view.file(&root.join("pyvenv.cfg"))?.is_some() {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

pub(super) fn configuration(view: View<'_>, root: &ImagePath) -> Known<Configuration> {
    Ok(parse(&view.text(&root.join("pyvenv.cfg"))?.unwrap_or_default()))
}

/// Reads as `site.venv` does: a key, `=`, a value; keys in any case, lines without `=` skipped, and
/// the last of a key counts.
fn parse(text: &str) -> Configuration {
    // `site` takes it that the system's packages are wanted unless the file says otherwise.
    let mut configuration = Configuration { sees_system: true, ..Configuration::default() };
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "include-system-site-packages" => {
                configuration.sees_system = value.eq_ignore_ascii_case("true");
            }
            "home" if value.starts_with('/') => {
                configuration.home = Some(ImagePath::lexical(value));
            }
            // `venv` writes the one, `virtualenv` and uv the other, which may be `3.12.4.final.0`.
            "version" | "version_info" => {
                let short: Vec<&str> = value.split('.').take(3).collect();
                let version = Version::parse(&short.join("."));
                configuration.version = version.or(configuration.version);
            }
            _ => {}
        }
    }
    configuration
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read_as_site_reads_them() {
        let check = |text: &str| {
            let Configuration { home, sees_system, version } = parse(text);
            let home = home.map(|home| home.to_string()).unwrap_or_default();
            let version = version.map(|version| version.to_string()).unwrap_or_default();
            format!("{home} {sees_system} {version}")
        };
        let made_by_venv = "home = /usr/local/bin\ninclude-system-site-packages = false\n\
            version = 3.12.4\nexecutable = /usr/local/bin/python3.12\n";
        assert_eq!(check(made_by_venv), "usr/local/bin false 3.12.4");
        let made_by_virtualenv = "home = /usr/bin\nimplementation = CPython\n\
            version_info = 3.11.2.final.0\nInclude-System-Site-Packages=True\n";
        assert_eq!(check(made_by_virtualenv), "usr/bin true 3.11.2");
        assert_eq!(check(""), " true ");
        assert_eq!(check("home = bin\n\u{fffd}\n=\n= =\nversion = 1e9"), " true ");
    }
}
