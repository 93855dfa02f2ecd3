//! Values that must not be printed: passwords and tokens, and URLs as they may be shown.
//!
//! A [`Secret`] has no `Display` and its `Debug` shows nothing of it, so that no log line, error or
//! derived `Debug` can leak it. Whoever needs the text asks for it by name.

use std::fmt;

use serde::{Deserialize, Deserializer};
use url::Url;

/// A password or a token.
///
/// ```
/// let secret = registry::Secret::new("SECRET hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// assert_eq!(secret.expose(), "SECRET hunter2");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for a header or a file that is meant to hold it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret)
    }
}

/// A URL as people may see it: no user information, no query, no fragment.
///
/// Signed download links and upload sessions carry what grants access in their query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicUrl(Box<str>);

impl PublicUrl {
    /// The URL's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Url> for PublicUrl {
    fn from(url: &Url) -> Self {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        // These fail only for URLs that cannot have user information to begin with.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        PublicUrl(url.as_str().into())
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_loses_what_grants_access() {
        let show = |text: &str| PublicUrl::from(&Url::parse(text).unwrap()).to_string();
        insta::assert_snapshot!(show("https://user:pw@h:5000/v2/?X-Signature=abc#f"), @"https://h:5000/v2/");
        insta::assert_snapshot!(show("http://127.0.0.1:1/v2/a/blobs/uploads/1?_state=s"), @"http://127.0.0.1:1/v2/a/blobs/uploads/1");
    }
}
