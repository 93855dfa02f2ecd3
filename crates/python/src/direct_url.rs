//! `direct_url.json`: where a distribution came from, if from no index (PEP 610).

use serde::Deserialize;

#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    archive_info: Option<ArchiveInfo>,
    dir_info: Option<DirectoryInfo>,
    vcs_info: Option<RepositoryInfo>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct ArchiveInfo {
    hash: Option<String>,
}

#[derive(Deserialize)]
struct DirectoryInfo {
    #[serde(default)]
    editable: bool,
}

#[derive(Deserialize)]
struct RepositoryInfo {
    vcs: String,
    commit_id: String,
}

/// The address that `pip freeze` puts behind `NAME @`; `None` for what is no such file, or is of a
/// project that is developed in its directory.
///
/// ```
/// let text = r#"{"url": "file:///a-1-py3-none-any.whl", "archive_info": {"hash": "sha256=00"}}"#;
/// assert_eq!(python::direct_reference(text).unwrap(), "file:///a-1-py3-none-any.whl#sha256=00");
/// ```
pub fn direct_reference(text: &str) -> Option<String> {
    let found: DirectUrl = serde_json::from_str(text).ok()?;
    let (place, hash) = match (found.archive_info, found.dir_info, found.vcs_info) {
        (Some(archive), None, None) => (found.url, archive.hash),
        (None, Some(DirectoryInfo { editable: false }), None) => (found.url, None),
        (None, None, Some(RepositoryInfo { vcs, commit_id })) => {
            (format!("{vcs}+{}@{commit_id}", found.url), None)
        }
        _ => return None,
    };
    let below = found.subdirectory.map(|below| format!("subdirectory={below}"));
    let fragment: Vec<String> = hash.into_iter().chain(below).collect();
    Some(match fragment.is_empty() {
        true => place,
        false => format!("{place}#{}", fragment.join("&")),
    })
}

#[cfg(test)]
mod tests {
    use super::direct_reference;

    #[test]
    fn references_are_pip_s() {
        let check = |text: &str| direct_reference(text).unwrap_or_else(|| "none".to_owned());
        assert_eq!(check(r#"{"url": "https://h/a.whl", "archive_info": {}}"#), "https://h/a.whl");
        assert_eq!(
            check(
                r#"{"url": "https://h/r", "vcs_info": {"vcs": "git", "commit_id": "01"},
                "subdirectory": "x"}"#
            ),
            "git+https://h/r@01#subdirectory=x"
        );
        assert_eq!(check(r#"{"url": "file:///p", "dir_info": {}}"#), "file:///p");
        assert_eq!(check(r#"{"url": "file:///p", "dir_info": {"editable": true}}"#), "none");
        assert_eq!(check("[]"), "none");
    }
}
