//! Paths in the context, as tables of packages name them.

use super::read::Reader;
use crate::Spanned;

/// Complains of what is no path inside of the context.
pub(super) fn check_path(path: &Spanned<String>, reader: &mut Reader<'_>) {
    let text = &path.node;
    let span = path.span.clone();
    let hint = "paths begin at the root of the context, such as `requirements/web.txt`";
    if text.trim().is_empty() {
        reader.error(span, "a path is empty", hint);
    } else if text.starts_with('/') || is_url(text) {
        reader.error(span, format!("`{text}` is no path in the context"), hint);
    } else {
        let mut depth = 0_usize;
        for component in text.split('/') {
            depth = match component {
                "" | "." => depth,
                ".." => match depth.checked_sub(1) {
                    Some(depth) => depth,
                    None => {
                        let message = format!("`{text}` leads out of the context");
                        return reader.error(span, message, hint);
                    }
                },
                _ => depth + 1,
            };
        }
    }
}

/// Whether a text is an address, and no path.
pub(super) fn is_url(text: &str) -> bool {
    text.contains("://")
}
