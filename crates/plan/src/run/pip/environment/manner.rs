//! In what the versions of Python's `venv` differ, read off its source.

use oci::ImagePath;
use shell::Stop as ShellStop;

use super::super::interpreter::Python;
use super::super::misused;
use super::SHOWN;

/// The ignore file of newer environments.
pub(super) const GIT_IGNORE: &str =
    "# Created by venv; see https://docs.python.org/3/library/venv.html\n*\n";

/// What one `venv` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// `include/python3.N`, and not `include` alone.
    pub(super) has_own_headers: bool,
    /// Whether the interpreter gets a name with its series.
    names_series: bool,
    /// The interpreter's further name in Python 3.14.
    has_fourth_name: bool,
    /// Whether `pyvenv.cfg` says how it came about.
    pub(super) tells_command: bool,
    pub(super) ignores_git: bool,
    /// Whether the prompt is put in parentheses here, and not by the scripts.
    wraps_prompt: bool,
    /// Whether values are quoted for the language of each script.
    quotes: bool,
    /// Whether a script without placeholders keeps the time of its template.
    pub(super) copies_times: bool,
}

/// The versions whose `venv` is known.
const FIRST: u32 = 6;
const LAST: u32 = 14;

impl Manner {
    pub(super) fn of(source: &str, python: &Python) -> Result<Manner, ShellStop> {
        let version = &python.interpreter().version;
        if version.patch.is_none() {
            let reason = format!("is of a Python {} whose patch is not known", python.series());
            return Err(misused(SHOWN, reason));
        }
        if version.major != 3 || !(FIRST..=LAST).contains(&u32::from(version.minor)) {
            let reason = format!("of Python {} is not built in", python.series());
            return Err(misused(SHOWN, reason));
        }
        if !source.contains("class EnvBuilder") || !source.contains("ensurepip") {
            return Err(misused(SHOWN, "is not Python's own".to_owned()));
        }
        let has = |part: &str| source.contains(part);
        Ok(Manner {
            has_own_headers: has("_venv_path"),
            names_series: has("f'python3.{sys.version_info[1]}'"),
            has_fourth_name: has("𝜋thon") && version.minor == 14,
            tells_command: has("f.write(f'command = "),
            ignores_git: has("create_git_ignore_file"),
            wraps_prompt: has("context.prompt = '(%s) ' % prompt"),
            quotes: has("shlex.quote"),
            copies_times: has("shutil.copy2(srcfile, dstfile)") && has("new_data == data"),
        })
    }

    /// The names of the interpreter, in order.
    pub(super) fn names(&self, series: &str) -> Vec<String> {
        let mut names = vec!["python".to_owned(), "python3".to_owned()];
        names.extend(self.names_series.then(|| format!("python{series}")));
        names.extend(self.has_fourth_name.then(|| "𝜋thon".to_owned()));
        names
    }

    /// A template with its placeholders filled (`replace_variables`).
    pub(super) fn fill(
        &self,
        template: &str,
        script: &str,
        directory: &ImagePath,
        executable: &str,
    ) -> String {
        let name = String::from_utf8_lossy(directory.file_name().unwrap_or_default()).into_owned();
        let prompt = if self.wraps_prompt { format!("({name}) ") } else { name.clone() };
        let values = [
            ("__VENV_DIR__", format!("/{directory}")),
            ("__VENV_NAME__", name),
            ("__VENV_PROMPT__", prompt),
            ("__VENV_BIN_NAME__", "bin".to_owned()),
            ("__VENV_PYTHON__", executable.to_owned()),
        ];
        let mut text = template.to_owned();
        for (placeholder, value) in values {
            let value = match self.quotes {
                true if script.ends_with(".ps1") => format!("'{}'", value.replace('\'', "''")),
                true => quoted(&value),
                false => value,
            };
            text = text.replace(placeholder, &value);
        }
        text
    }
}

/// Python's `shlex.quote`.
fn quoted(text: &str) -> String {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    match text {
        "" => "''".to_owned(),
        text if text.bytes().all(is_safe) => text.to_owned(),
        text => format!("'{}'", text.replace('\'', "'\"'\"'")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_as_shlex_does() {
        assert_eq!(quoted("/opt/venv"), "/opt/venv");
        assert_eq!(quoted("(venv) "), "'(venv) '");
        assert_eq!(quoted("it's"), "'it'\"'\"'s'");
        assert_eq!(quoted(""), "''");
    }
}
