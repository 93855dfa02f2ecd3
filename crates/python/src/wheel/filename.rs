//! What the name of a wheel's file says (PEP 427, "File name convention").

use super::error::WheelFault;

/// The name and the version in a file name; its tags are for whoever chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName {
    /// The distribution's name, normalized (PEP 503).
    pub(super) name: String,
    /// The version, with the hyphens that stand as underscores in the file name.
    pub(super) version: String,
}

impl FileName {
    pub(super) fn parse(filename: &str) -> Result<FileName, WheelFault> {
        let stem = filename.strip_suffix(".whl").ok_or(WheelFault::FileName)?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build) = match parts[..] {
            [name, version, _, _, _] => (name, version, None),
            [name, version, build, _, _, _] => (name, version, Some(build)),
            _ => return Err(WheelFault::FileName),
        };
        // "Must start with a digit."
        let numbered = build.is_none_or(|build| build.starts_with(|c: char| c.is_ascii_digit()));
        let whole = parts.iter().all(|part| !part.is_empty());
        let plain = name.chars().all(|c| c.is_alphanumeric() || "._".contains(c));
        if !numbered || !whole || !plain {
            return Err(WheelFault::FileName);
        }
        Ok(FileName { name: normalized(name), version: version.replace('_', "-") })
    }
}

/// A distribution's name as PEP 503 compares it.
pub(super) fn normalized(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normalized.is_empty() {
            normalized.push('-');
        }
        normalized.push_str(&part.to_lowercase());
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        let check = |filename: &str, name: &str, version: &str| {
            let parsed = FileName::parse(filename).unwrap();
            assert_eq!((&parsed.name[..], &parsed.version[..]), (name, version));
        };
        check("six-1.16.0-py2.py3-none-any.whl", "six", "1.16.0");
        check("Zope.Interface__x-5.0-1b-py3-none-any.whl", "zope-interface-x", "5.0");
        check("torch-2.0.1+cu118-cp311-cp311-linux_x86_64.whl", "torch", "2.0.1+cu118");
        check("x-1.0_1-py3-none-any.whl", "x", "1.0-1");
    }

    #[test]
    fn no_names_of_wheels() {
        let refused = [
            "six.whl",
            "six-1.16.0-py3-none-any.zip",
            "six-1.16.0-py3-none.whl",
            "six-1.16.0-b1-py3-none-any.whl",
            "six--py3-none-any.whl",
            "a/b-1-py3-none-any.whl",
            "a-1-1-py3-none-any-x.whl",
        ];
        for filename in refused {
            assert!(matches!(FileName::parse(filename), Err(WheelFault::FileName)), "{filename}");
        }
    }
}
