//! Addresses without credentials.

use std::fmt;

/// A URL that holds no credentials: a lock is there for everybody to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// The address of a URL, without what stands before an `@` in the place of its host (RFC 3986,
    /// section 3.2.1).
    ///
    /// ```
    /// # use lock::Address;
    /// assert_eq!(Address::of("https://me:SECRET@h.example/a@b").as_str(), "https://h.example/a@b");
    /// ```
    pub fn of(url: &str) -> Self {
        Address(without_credentials(url))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text without the credentials of the URLs in it.
pub(crate) fn without_credentials(text: &str) -> String {
    const MARK: &str = "://";
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (before, behind) = rest.split_at(at + MARK.len());
        clean.push_str(before);
        let is_end = |c: char| c.is_whitespace() || "/?#\"'\\".contains(c);
        let (host, behind) = behind.split_at(behind.find(is_end).unwrap_or(behind.len()));
        clean.push_str(host.rsplit_once('@').map_or(host, |(_, host)| host));
        rest = behind;
    }
    clean.push_str(rest);
    clean
}
