//! What a registry says in the body of an error, for programs and for people.

use std::fmt;

use oci::Digest;

/// The `errors` of an error body (distribution-spec 1.1, "Error Codes").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers(pub Vec<Answer>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Such as `MANIFEST_UNKNOWN`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The digest that `detail` names, where it names one.
    pub digest: Option<Digest>,
}

impl Answers {
    /// Whether one of the errors has this code.
    pub fn has(&self, code: &str) -> bool {
        self.0.iter().any(|answer| answer.code == code)
    }

    /// Reads an error body; whatever is not of the specification's form is no answer.
    pub(crate) fn parse(body: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Body {
            #[serde(default)]
            errors: Vec<Entry>,
            // Token services and gateways have forms of their own.
            #[serde(default)]
            code: serde_json::Value,
            #[serde(default, alias = "details", alias = "error_description", alias = "error")]
            message: serde_json::Value,
        }
        #[derive(serde::Deserialize)]
        struct Entry {
            #[serde(default)]
            code: serde_json::Value,
            #[serde(default)]
            message: serde_json::Value,
            #[serde(default)]
            detail: serde_json::Value,
        }
        let Ok(mut body) = serde_json::from_slice::<Body>(body) else { return Answers::default() };
        if body.errors.is_empty() && body.message.is_string() {
            let (code, message) = (body.code, body.message);
            body.errors.push(Entry { code, message, detail: serde_json::Value::Null });
        }
        let entries = body.errors.iter().take(8).map(|entry| Answer {
            code: printable(entry.code.as_str().unwrap_or_default()),
            message: printable(entry.message.as_str().unwrap_or_default()),
            digest: digest_in(&entry.detail),
        });
        Answers(entries.collect())
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, answer) in self.0.iter().enumerate() {
            f.write_str(if position == 0 { ": " } else { "; " })?;
            match (answer.code.as_str(), answer.message.as_str()) {
                ("", message) => f.write_str(message)?,
                (code, "") => f.write_str(code)?,
                (code, message) => write!(f, "{code} ({message})")?,
            }
        }
        Ok(())
    }
}

/// Text from outside, without what could move a terminal's cursor, and not without an end.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Registries say `"detail": "sha256:…"` or `"detail": {"digest": "sha256:…"}`.
fn digest_in(detail: &serde_json::Value) -> Option<Digest> {
    let text = match detail {
        serde_json::Value::String(text) => text,
        serde_json::Value::Object(fields) => {
            let named = ["digest", "Digest", "name"].iter().find_map(|key| fields.get(*key));
            named?.as_str()?
        }
        _ => return None,
    };
    text.parse().ok()
}

/// What a server says in front of any registry of a request that is not as its TLS wants it: Go's
/// in a line, nginx's as the title of a page.
pub(crate) fn tls_answer(body: &[u8]) -> Option<Answers> {
    let text = String::from_utf8_lossy(body);
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let said = title.map_or(&*text, |(title, _)| title).trim();
    let said = printable(said.trim_start_matches("400 "));
    let is_about_tls = said.contains("SSL certificate") || said.contains("HTTPS");
    is_about_tls.then(|| Answers(vec![Answer { code: String::new(), message: said, digest: None }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_of_all_kinds() {
        let show = |body: &str| Answers::parse(body.as_bytes()).to_string();
        insta::assert_snapshot!(show(r#"{"errors":[{"code":"DENIED","message":"no"}]}"#), @": DENIED (no)");
        insta::assert_snapshot!(show(r#"{"errors":[{"code":"A"},{"message":"b\u001b[2J"}]}"#), @": A; b[2J");
        insta::assert_snapshot!(show(r#"{"details":"incorrect username or password"}"#), @": incorrect username or password");
        insta::assert_snapshot!(show("<html>"), @"");
        insta::assert_snapshot!(show(r#"{"errors":[{"code":3,"message":null,"detail":[]}]}"#), @": ");
        let digest = Digest::of(b"x");
        for detail in [format!("\"{digest}\""), format!("{{\"digest\":\"{digest}\"}}")] {
            let body = format!(r#"{{"errors":[{{"code":"X","detail":{detail}}}]}}"#);
            assert_eq!(Answers::parse(body.as_bytes()).0[0].digest, Some(digest));
        }
    }
}
