//! Which Python a project is for.

/// The newest Python for which about everything has wheels.
const USUAL: u32 = 13;
/// Minor versions, the best first.
const CANDIDATES: [u32; 8] = [USUAL, 12, 11, 10, 14, 15, 9, 8];

/// The minor version of Python 3 to take: what `.python-version` says, else the best that
/// `requires-python` allows.
pub(super) fn minor(requires: Option<&str>, version_file: Option<&str>) -> u32 {
    let pinned = version_file.and_then(|text| {
        let lines = text.lines().map(str::trim);
        let line = lines.into_iter().find(|line| !line.is_empty() && !line.starts_with('#'))?;
        Release::parse(line.strip_prefix("cpython-").unwrap_or(line))?.minor_of(3)
    });
    let allowed = |minor: &u32| requires.is_none_or(|requires| allows(requires, *minor));
    pinned.or_else(|| CANDIDATES.into_iter().find(allowed)).unwrap_or(USUAL)
}

/// The beginning of a version.
struct Release {
    major: u32,
    minor: Option<u32>,
    has_patch: bool,
}

impl Release {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().and_then(|part| part.parse().ok());
        let has_patch = parts.next().is_some_and(|part| part != "*");
        Some(Release { major, minor, has_patch })
    }

    /// The minor version, if it is one of this major one, and one that there may be.
    fn minor_of(&self, major: u32) -> Option<u32> {
        self.minor.filter(|minor| self.major == major && *minor < 100)
    }
}

/// Whether the releases of Python 3.`minor` satisfy a list of specifiers (PEP 440, "Version
/// specifiers"). What is not understood excludes nothing.
fn allows(specifiers: &str, minor: u32) -> bool {
    specifiers.split(',').all(|specifier| {
        let specifier = specifier.trim();
        let length = specifier.find(|c: char| !"<>=!~".contains(c)).unwrap_or(specifier.len());
        let (operator, version) = specifier.split_at(length);
        let Some(release) = Release::parse(version) else { return true };
        let this = (3, minor);
        let that = (release.major, release.minor.unwrap_or(0));
        match operator {
            ">=" | ">" => this >= that,
            // The latest patch release is meant, which is above `3.12`.
            "<" | "<=" => this < that,
            "==" | "===" => release.major == 3 && release.minor.is_none_or(|it| it == minor),
            "!=" => release.has_patch || this != that,
            "~=" if release.has_patch => this == that,
            "~=" => this >= that && release.major == 3,
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn versions() {
        let check = |requires: &str, expected: u32| {
            assert_eq!(minor(Some(requires), None), expected, "{requires}");
        };
        check(">=3.9", 13);
        check(">=3.9,<3.13", 12);
        check(">= 3.14", 14);
        check("==3.11.*", 11);
        check("~=3.10", 13);
        check("~=3.10.2", 10);
        check(">=3.8, !=3.13.*, <4", 12);
        check("<=3.12", 11);
        check("nonsense", 13);
        check(">=4", 13);
        assert_eq!(minor(Some(">=3.9"), Some("# ours\n3.10.4\n")), 10);
        assert_eq!(minor(None, Some("cpython-3.12")), 12);
        assert_eq!(minor(None, Some("pypy3.10")), 13);
    }
}
