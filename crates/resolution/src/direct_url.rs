//! `direct_url.json`: where a distribution came from, if from no index (PEP 610).

use oci::Digest;
use serde_json::json;

/// The text as pip writes it: keys in order, blanks behind `:` and `,`.
///
/// `url` is without credentials and fragment. pip puts in the digest of what it downloaded, where
/// none was written, so the text may have to be made again when the file is there. A file of the
/// context is `file:///` and its path in the context: where the context lies on the machine that
/// builds is nothing that an image should tell.
pub fn direct_url(url: &str, sha256: Option<&Digest>) -> String {
    let url = json!(url);
    match sha256.map(Digest::hex) {
        Some(hex) => format!(
            r#"{{"archive_info": {{"hash": "sha256={hex}", "hashes": {{"sha256": "{hex}"}}}}, "url": {url}}}"#
        ),
        None => format!(r#"{{"archive_info": {{}}, "url": {url}}}"#),
    }
}

/// The URL of a file of the context.
pub(crate) fn of_given(path: &str) -> String {
    // A base that has nothing but a path; joining escapes what has to be.
    let mut url = match url::Url::parse("file:///") {
        Ok(url) => url,
        Err(_) => return format!("file:///{path}"),
    };
    url.set_path(path);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_pip_writes_them() {
        let digest = Digest::of(b"");
        insta::assert_snapshot!(direct_url("https://host/a-1-py3-none-any.whl", Some(&digest)), @r#"{"archive_info": {"hash": "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "hashes": {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}, "url": "https://host/a-1-py3-none-any.whl"}"#);
        insta::assert_snapshot!(direct_url(&of_given("my wheels/a.whl"), None), @r#"{"archive_info": {}, "url": "file:///my%20wheels/a.whl"}"#);
    }
}
