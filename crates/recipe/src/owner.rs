//! `--chown`: a user and perhaps a group, by name or by number. Who they are, `plan` looks up.

use crate::{Diagnostic, Word};

/// `user[:group]`
///
/// ```
/// use recipe::{Owner, OwnerName};
/// let owner = Owner::parse("app:0").unwrap();
/// assert_eq!(owner.user, OwnerName::Name("app".to_owned()));
/// assert_eq!(owner.group, Some(OwnerName::Id(0)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: OwnerName,
    /// The group. Without one it is the number of the user, or a named user's own group.
    pub group: Option<OwnerName>,
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerName {
    /// By number.
    Id(u32),
    /// As the image's `/etc/passwd` or `/etc/group` has it.
    Name(String),
}

/// Why a text does not name an owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not name an owner")]
pub struct OwnerError {
    /// What was written.
    pub text: String,
}

impl OwnerError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some("an owner is written USER or USER:GROUP, each a name or a number".to_owned())
    }

    /// The error at its place in the file.
    pub fn diagnostic(&self, word: &Word) -> Diagnostic {
        let error = Diagnostic::error(word.span.clone(), self.to_string());
        error.with_hint(self.hint().unwrap_or_default())
    }
}

impl Owner {
    /// Parses `user[:group]`.
    pub fn parse(text: &str) -> Result<Self, OwnerError> {
        let error = || OwnerError { text: text.to_owned() };
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let user = OwnerName::parse(user).ok_or_else(error)?;
        let group = group.map(|group| OwnerName::parse(group).ok_or_else(error)).transpose()?;
        Ok(Owner { user, group })
    }
}

impl OwnerName {
    /// A number, or a name that `/etc/passwd` could hold: without colon or line break.
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.contains([':', '\n', '\r', '\0']) {
            return None;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(OwnerName::Id);
        }
        Some(OwnerName::Name(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Owner;

    #[test]
    fn owners() {
        let check = |text, expected: &str| {
            let shown = match Owner::parse(text) {
                Ok(owner) => format!("{:?} {:?}", owner.user, owner.group),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown, expected);
        };
        check("0", "Id(0) None");
        check("1000:1000", "Id(1000) Some(Id(1000))");
        check("app:staff", "Name(\"app\") Some(Name(\"staff\"))");
        check("-1", "Name(\"-1\") None");
        check("", "`` does not name an owner");
        check(":0", "`:0` does not name an owner");
        check("app:", "`app:` does not name an owner");
        check("a:b:c", "`a:b:c` does not name an owner");
        check("4294967296", "`4294967296` does not name an owner");
    }
}
