//! Looking for secrets in what programs and tests said.
//!
//! Every secret of every test holds the word [`MARKER`], so whoever finds it, in any of the forms
//! in which a secret travels, has found a leak.

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// What every secret of a test has in it.
pub const MARKER: &str = "SECRET";

/// One form of the marker, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Form {
    name: &'static str,
    text: String,
}

/// Names of variables that hold secrets, and are none.
const NAMES: &[&str] = &["AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "CLIENT_SECRET"];

/// The form in which the marker is in `text`, if it is.
pub fn in_text(text: &str) -> Option<&'static str> {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    let forms = FORMS.get_or_init(forms);
    let is_name = NAMES.iter().any(|name| text.contains(name));
    let nameless = is_name.then(|| {
        NAMES.iter().fold(text.to_owned(), |text, name| text.replace(name, "(a variable)"))
    });
    let text = nameless.as_deref().unwrap_or(text);
    forms.iter().find(|form| text.contains(&form.text)).map(|form| form.name)
}

fn forms() -> Vec<Form> {
    let mut forms = vec![Form { name: "plain", text: MARKER.to_owned() }];
    let bytes = MARKER.as_bytes();
    let joined = |form: fn(&u8) -> String, between: &str| {
        bytes.iter().map(form).collect::<Vec<_>>().join(between)
    };
    // No letter has to be escaped in a URL, but every letter may be.
    forms.push(Form { name: "URL-encoded", text: joined(|byte| format!("%{byte:02X}"), "") });
    forms.push(Form { name: "hexadecimal", text: joined(|byte| format!("{byte:02x}"), "") });
    forms.push(Form { name: "a list of bytes", text: joined(|byte| byte.to_string(), ", ") });
    for before in 0..3 {
        for base64 in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
            forms
                .push(Form { name: "base64", text: within_base64(before, |it| base64.encode(it)) });
        }
    }
    forms
}

/// The characters of base64 that the marker decides alone, when so many bytes (and any number of
/// threes) are before it. At the edges a character has bits of a neighbour.
fn within_base64(before: usize, encode: impl Fn(&[u8]) -> String) -> String {
    let bytes = [&vec![0; before], MARKER.as_bytes()].concat();
    let first = (before * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    encode(&bytes)[first..last].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

    #[test]
    fn each_form_is_found() {
        assert_eq!(in_text("password: a SECRET word"), Some("plain"));
        assert_eq!(in_text("AWS_SECRET_ACCESS_KEY=SECRET"), Some("plain"));
        assert_eq!(in_text("?token=%53%45%43%52%45%54"), Some("URL-encoded"));
        assert_eq!(in_text("key: 534543524554ff"), Some("hexadecimal"));
        assert_eq!(in_text(&format!("{:?}", b"my SECRET")), Some("a list of bytes"));
        for user in ["", "a", "ab", "abc", "bob:", "somebody:"] {
            for after in ["", "1", "?>~", "wörd"] {
                let pair = format!("{user}{MARKER}{after}");
                for encoded in [BASE64_STANDARD.encode(&pair), BASE64_URL_SAFE.encode(&pair)] {
                    let header = format!("Authorization: Basic {encoded}");
                    assert_eq!(in_text(&header), Some("base64"), "{pair}: {header}");
                }
            }
        }
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "set AWS_SECRET_ACCESS_KEY",
            "a secret word",
            "Secret(…)",
            "SECRE T",
            "U0VDUk",
            "%53%45%43",
            "83, 69, 67",
        ] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }
}
