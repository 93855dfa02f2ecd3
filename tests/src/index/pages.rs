//! The pages of an index: HTML as PEP 503 has it, JSON as PEP 691 has it.

use serde_json::{Value, json};

use crate::house::Offer;

/// A file, and when it was uploaded as JSON pages tell.
pub(super) struct Listed<'a> {
    pub(super) offer: &'a Offer,
    /// What the page says is the file's SHA-256.
    pub(super) sha256: &'a str,
    pub(super) uploaded: &'a str,
}

/// A project's page in HTML.
///
/// Metadata is advertised as PEP 714 says and not under the older name: Debian's pip 23.0.1 leaves
/// out some wheels that have it.
pub(super) fn project_html(files: &[Listed]) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html><body>\n");
    for Listed { offer, sha256, .. } in files {
        let file = &offer.file;
        page.push_str(&format!("<a href=\"/files/{file}#sha256={sha256}\""));
        if let Some(python) = &offer.requires_python {
            page.push_str(&format!(" data-requires-python=\"{}\"", escaped(python)));
        }
        if let Some(metadata) = &offer.metadata {
            page.push_str(&format!(" data-core-metadata=\"sha256={metadata}\""));
        }
        page.push_str(&format!(">{file}</a><br>\n"));
    }
    page + "</body></html>\n"
}

/// A project's page in JSON, which alone tells sizes and times.
pub(super) fn project_json(name: &str, files: &[Listed]) -> String {
    let file = |Listed { offer, sha256, uploaded }: &Listed| {
        let mut file = json!({
            "filename": offer.file,
            "url": format!("/files/{}", offer.file),
            "hashes": { "sha256": sha256 },
            "size": offer.size,
            "upload-time": uploaded,
        });
        if let Some(python) = &offer.requires_python {
            file["requires-python"] = json!(python);
        }
        if let Some(metadata) = &offer.metadata {
            file["core-metadata"] = json!({ "sha256": metadata });
        }
        file
    };
    let files: Vec<Value> = files.iter().map(file).collect();
    json!({ "meta": { "api-version": "1.1" }, "name": name, "versions": [], "files": files })
        .to_string()
}

/// The list of all projects.
pub(super) fn root(projects: &[&str]) -> String {
    let link = |name: &&str| format!("<a href=\"/simple/{name}/\">{name}</a>\n");
    let links: String = projects.iter().map(link).collect();
    format!("<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
