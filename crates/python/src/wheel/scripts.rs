//! Scripts: those that entry points ask for, and the first line of those that a wheel brings.

use super::entry_points::{Callable, EntryPoints};
use crate::interpreter::Version;

/// Linux cut a script's first line there until 5.1; `distlib` still heeds it.
const LONGEST_FIRST_LINE: usize = 127;

/// The texts that pip made scripts of, over the years. What they do is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScriptTemplate {
    /// Up to pip 25.1, which is that of Debian 12 and 13 and of most `python` images.
    #[default]
    Substitute,
    /// In pip 25.2 and 25.3.
    EndsWith,
    /// From pip 26.0 on.
    RemoveSuffix,
}

impl ScriptTemplate {
    /// The template of a release of pip, such as the one in the image.
    pub fn of_pip(version: &str) -> ScriptTemplate {
        let mut numbers = version.split('.').map(|part| part.parse().ok());
        let number = |part: Option<Option<u32>>| part.flatten().unwrap_or(0);
        match (number(numbers.next()), number(numbers.next())) {
            (26.., _) => ScriptTemplate::RemoveSuffix,
            (25, 2..) => ScriptTemplate::EndsWith,
            _ => ScriptTemplate::Substitute,
        }
    }

    /// The whole script.
    pub(super) fn script(self, executable: &str, callable: &Callable<'_>) -> String {
        let Callable { module, attribute } = callable;
        let imported = attribute.split('.').next().unwrap_or(attribute);
        let (imports, strip) = match self {
            ScriptTemplate::Substitute => (
                "# -*- coding: utf-8 -*-\nimport re\nimport sys\n",
                r"sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])",
            ),
            ScriptTemplate::EndsWith => (
                "import sys\n",
                "if sys.argv[0].endswith('.exe'):\n        sys.argv[0] = sys.argv[0][:-4]",
            ),
            ScriptTemplate::RemoveSuffix => {
                ("import sys\n", "sys.argv[0] = sys.argv[0].removesuffix('.exe')")
            }
        };
        let first_line = first_line(executable);
        format!(
            "{first_line}{imports}from {module} import {imported}\n\
             if __name__ == '__main__':\n    {strip}\n    sys.exit({attribute}())\n"
        )
    }
}

/// `#!` and the interpreter; where that is too long or has a blank, what both a shell and Python
/// read, each in its own way.
fn first_line(executable: &str) -> String {
    let spaced = executable.contains(' ');
    if !spaced && executable.len() + "#!\n".len() <= LONGEST_FIRST_LINE {
        return format!("#!{executable}\n");
    }
    let quote = if spaced { "\"" } else { "" };
    format!("#!/bin/sh\n'''exec' {quote}{executable}{quote} \"$0\" \"$@\"\n' '''\n")
}

/// What the first line of a script must start with to be replaced: `pythonw` is one of those, too.
pub(super) const PLACEHOLDER: &[u8] = b"#!python";

/// A script of a wheel whose first line was a placeholder (PEP 427, "Recommended installer
/// features"). Its arguments go with it, and neither length nor blanks matter: as pip does it.
pub(super) fn with_interpreter(script: &[u8], executable: &str) -> Vec<u8> {
    let end = script.iter().position(|byte| *byte == b'\n').map_or(script.len(), |end| end + 1);
    [b"#!", executable.as_bytes(), b"\n", &script[end..]].concat()
}

/// The scripts to make, each a name and a value.
///
/// pip and easy_install are called by their versions as well, and the wheel's own entry points for
/// that may be for another Python: so pip (`get_console_script_specs`) makes its own.
pub(super) fn to_make(entry_points: &EntryPoints, python: &Version) -> Vec<(String, String)> {
    let Version { major, minor, .. } = python;
    let mut console = entry_points.console_scripts.clone();
    let mut scripts = Vec::new();
    if let Some(value) = take(&mut console, "pip") {
        for name in ["pip".to_owned(), format!("pip{major}"), format!("pip{major}.{minor}")] {
            scripts.push((name, value.clone()));
        }
        console.retain(|(name, _)| !name.strip_prefix("pip").is_some_and(is_short_version));
    }
    if let Some(value) = take(&mut console, "easy_install") {
        for name in ["easy_install".to_owned(), format!("easy_install-{major}.{minor}")] {
            scripts.push((name, value.clone()));
        }
        console.retain(|(name, _)| {
            let version = name.strip_prefix("easy_install-");
            !version.is_some_and(|version| version.contains('.') && is_short_version(version))
        });
    }
    scripts.extend(console);
    scripts.extend(entry_points.gui_scripts.iter().cloned());
    scripts
}

fn take(scripts: &mut Vec<(String, String)>, name: &str) -> Option<String> {
    let at = scripts.iter().position(|(known, value)| known == name && !value.is_empty())?;
    Some(scripts.remove(at).1)
}

/// `3` or `3.11`.
fn is_short_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() <= 2 && parts.iter().all(digits)
}

/// Whether this file in `.data/scripts` is what setuptools makes for an entry point, instead of
/// which a script of our own is made.
pub(super) fn is_wrapper(file_name: &str, entry_points: &EntryPoints) -> bool {
    let lower = file_name.to_ascii_lowercase();
    let suffix = [".exe", "-script.py", ".pya"].into_iter().find(|suffix| lower.ends_with(suffix));
    let stem = &file_name[..file_name.len() - suffix.map_or(0, str::len)];
    entry_points.has(stem)
}

/// Whether a script of that name would be found instead of the interpreter.
pub(super) fn is_interpreter(file_name: &str) -> bool {
    file_name.strip_prefix("python").is_some_and(|version| {
        let version = version.strip_suffix('t').unwrap_or(version);
        version.is_empty() || is_short_version(version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLABLE: Callable<'_> = Callable { module: "a.b", attribute: "c.d" };

    #[test]
    fn templates() {
        let check = |pip: &str| ScriptTemplate::of_pip(pip).script("/usr/bin/python3", &CALLABLE);
        insta::assert_snapshot!(check("23.0.1"), @r#"
        #!/usr/bin/python3
        # -*- coding: utf-8 -*-
        import re
        import sys
        from a.b import c
        if __name__ == '__main__':
            sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
            sys.exit(c.d())
        "#);
        insta::assert_snapshot!(check("25.2"), @r#"
        #!/usr/bin/python3
        import sys
        from a.b import c
        if __name__ == '__main__':
            if sys.argv[0].endswith('.exe'):
                sys.argv[0] = sys.argv[0][:-4]
            sys.exit(c.d())
        "#);
        insta::assert_snapshot!(check("26.0.dev0"), @r#"
        #!/usr/bin/python3
        import sys
        from a.b import c
        if __name__ == '__main__':
            sys.argv[0] = sys.argv[0].removesuffix('.exe')
            sys.exit(c.d())
        "#);
        assert_eq!(check("25.1.1"), check("9"));
        assert_eq!(check("25.3"), check("25.2"));
    }

    #[test]
    fn long_and_spaced_interpreters() {
        assert_eq!(first_line(&"x".repeat(124)).len(), 127);
        let long = first_line(&"x".repeat(125)).replace(&"x".repeat(125), "LONG");
        insta::assert_snapshot!(long, @r#"
        #!/bin/sh
        '''exec' LONG "$0" "$@"
        ' '''
        "#);
        insta::assert_snapshot!(first_line("/a b/python"), @r#"
        #!/bin/sh
        '''exec' "/a b/python" "$0" "$@"
        ' '''
        "#);
    }

    #[test]
    fn placeholders() {
        let check =
            |script: &str| String::from_utf8(with_interpreter(script.as_bytes(), "/p")).unwrap();
        assert_eq!(check("#!python -x\r\nrest\n"), "#!/p\nrest\n");
        assert_eq!(check("#!pythonw"), "#!/p\n");
    }

    #[test]
    fn pip_is_called_by_its_versions() {
        let text = "[console_scripts]\npip = p:m\npip3 = p:m\npip3.8 = p:m\npipx = p:x\n\
                    easy_install = e:m\neasy_install-3.8 = e:m\neasy_install3 = e:x\n[gui_scripts]\ng = g:m";
        let python = Version { major: 3, minor: 12, patch: Some(1), suffix: String::new() };
        let made = to_make(&EntryPoints::parse(text).unwrap(), &python);
        let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "pip",
            "pip3",
            "pip3.12",
            "easy_install",
            "easy_install-3.12",
            "pipx",
            "easy_install3",
            "g",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn names_of_interpreters() {
        for name in ["python", "python3", "python3.11", "python3.13t"] {
            assert!(is_interpreter(name), "{name}");
        }
        for name in ["python-config", "python3.11-config", "pythonx", "python3.11.1", "py"] {
            assert!(!is_interpreter(name), "{name}");
        }
    }
}
