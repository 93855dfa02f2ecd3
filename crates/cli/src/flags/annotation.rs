//! `--annotation`: a key, a value, and what it is said of.

use oci::Platform;

use super::{UsageError, meaning};

/// An annotation and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// What it is of, at least one.
    pub(crate) scopes: Vec<AnnotationScope>,
    /// The key.
    pub(crate) key: String,
    /// The value.
    pub(crate) value: String,
}

/// What an annotation is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnnotationScope {
    /// The manifest, of one platform or of all.
    Manifest(Option<Platform>),
    /// The index.
    Index,
    /// The manifest's descriptor in the index, of one platform or of all.
    ManifestDescriptor(Option<Platform>),
    /// The index's descriptor, in a layout.
    IndexDescriptor,
}

/// Reads `[TYPE[,TYPE]…:]KEY=VALUE`, a TYPE being as in `manifest[linux/amd64]`.
pub(super) fn annotation(argument: &'static str, text: &str) -> Result<Annotation, UsageError> {
    let form = || UsageError::form(argument, text, "it is KEY=VALUE or TYPE:KEY=VALUE");
    let (left, value) = text.split_once('=').ok_or_else(form)?;
    // Keys are reverse domain names and hold no colon, so the first one ends the types.
    let (scopes, key) = match left.split_once(':') {
        Some((types, key)) => {
            let scopes = types.split(',').map(|name| annotation_scope(argument, name));
            (scopes.collect::<Result<_, _>>()?, key)
        }
        None => (vec![AnnotationScope::Manifest(None)], left),
    };
    if key.is_empty() {
        return Err(form());
    }
    Ok(Annotation { scopes, key: key.to_owned(), value: value.to_owned() })
}

fn annotation_scope(argument: &'static str, text: &str) -> Result<AnnotationScope, UsageError> {
    const TYPES: &[&str] = &["manifest", "index", "manifest-descriptor", "index-descriptor"];
    let (name, platform) = match text.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        Some((name, platform)) => (name, Some(meaning::platform(argument, platform)?.normalized())),
        None => (text, None),
    };
    match (name, platform) {
        ("manifest", platform) => Ok(AnnotationScope::Manifest(platform)),
        ("manifest-descriptor", platform) => Ok(AnnotationScope::ManifestDescriptor(platform)),
        ("index", None) => Ok(AnnotationScope::Index),
        ("index-descriptor", None) => Ok(AnnotationScope::IndexDescriptor),
        ("index" | "index-descriptor", Some(_)) => {
            Err(UsageError::form(argument, text, "an index is of every platform"))
        }
        _ => Err(UsageError::unknown(argument, name, TYPES)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_say_what_they_are_of() {
        let read = |text: &str| annotation("--annotation", text).unwrap();
        let of = |scopes, key: &str, value: &str| Annotation {
            scopes,
            key: key.to_owned(),
            value: value.to_owned(),
        };
        assert_eq!(read("a.b=c:d"), of(vec![AnnotationScope::Manifest(None)], "a.b", "c:d"));
        assert_eq!(
            read("index,manifest[linux/x86_64]:a=b"),
            of(
                vec![
                    AnnotationScope::Index,
                    AnnotationScope::Manifest(Some(Platform::linux("amd64")))
                ],
                "a",
                "b"
            )
        );
        let refuse = |text: &str, expected: &str| {
            assert_eq!(annotation("--annotation", text).unwrap_err().to_string(), expected);
        };
        refuse("a", "`a` is not a value of `--annotation`");
        refuse(
            "idx:a=b",
            "`idx` is not a value of `--annotation` (manifest, index, manifest-descriptor, index-descriptor are)",
        );
        refuse("index[linux/arm64]:a=b", "`index[linux/arm64]` is not a value of `--annotation`");
    }
}
