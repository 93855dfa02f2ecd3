//! Where an image is: a registry, the store, a layout or an archive, as `copy` writes it.

use std::path::PathBuf;

use oci::{Digest, Reference};

use super::{UsageError, meaning};

/// Where an image is or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// `REFERENCE` or `docker://REFERENCE`
    Registry(Reference),
    /// `store:REFERENCE`
    Store(Reference),
    /// `oci:DIRECTORY[:TAG][@DIGEST]`
    Layout(LayoutName),
    /// `docker-archive:FILE[:REFERENCE]`
    DockerArchive {
        /// The file.
        file: PathBuf,
        /// Which of its images, or what to call the one that is written.
        name: Option<Reference>,
    },
}

/// An image in an OCI layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayoutName {
    /// The layout's directory.
    pub(crate) directory: PathBuf,
    /// The value of `org.opencontainers.image.ref.name` (image-spec `annotations.md`).
    pub(crate) tag: Option<String>,
    /// The image's digest.
    pub(crate) digest: Option<Digest>,
}

/// Reads a location.
pub(super) fn location(argument: &'static str, text: &str) -> Result<Location, UsageError> {
    if let Some(name) = text.strip_prefix("docker://") {
        return Ok(Location::Registry(meaning::reference(argument, name)?.or_latest()));
    }
    if let Some(name) = text.strip_prefix("store:") {
        return Ok(Location::Store(meaning::reference(argument, name)?.or_latest()));
    }
    if let Some(rest) = text.strip_prefix("oci:") {
        return Ok(Location::Layout(layout_name(argument, rest)?));
    }
    if let Some(rest) = text.strip_prefix("docker-archive:") {
        let (file, name) = match rest.split_once(':') {
            Some((file, name)) => (file, Some(meaning::reference(argument, name)?.or_latest())),
            None => (rest, None),
        };
        if file.is_empty() {
            return Err(UsageError::form(argument, text, "it is docker-archive:FILE[:REFERENCE]"));
        }
        return Ok(Location::DockerArchive { file: file.into(), name });
    }
    let known = ["oci-archive:", "containers-storage:", "docker-daemon:", "dir:"];
    if known.iter().any(|scheme| text.starts_with(scheme)) {
        let wanted = "it is REFERENCE, store:REFERENCE, oci:DIR[:TAG] or docker-archive:FILE";
        return Err(UsageError::form(argument, text, wanted));
    }
    Ok(Location::Registry(meaning::reference(argument, text)?.or_latest()))
}

/// Reads `DIRECTORY[:TAG][@DIGEST]`. A colon before the last slash belongs to the directory.
pub(super) fn layout_name(argument: &'static str, text: &str) -> Result<LayoutName, UsageError> {
    let (rest, digest) = match text.rsplit_once('@') {
        // Without a colon, the `@` is part of the directory's name.
        Some((rest, digest)) if digest.contains(':') => {
            let fail = |source| UsageError::Digest { argument, source };
            (rest, Some(digest.parse().map_err(fail)?))
        }
        _ => (text, None),
    };
    let (directory, tag) = match rest.rsplit_once(':') {
        Some((directory, tag)) if !tag.contains('/') => (directory, Some(tag.to_owned())),
        _ => (rest, None),
    };
    if directory.is_empty() || tag.as_deref() == Some("") {
        return Err(UsageError::form(argument, text, "it is DIRECTORY[:TAG][@DIGEST]"));
    }
    Ok(LayoutName { directory: directory.into(), tag, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match location("SOURCE", text) {
            Ok(Location::Registry(name)) => format!("registry {name}"),
            Ok(Location::Store(name)) => format!("store {name}"),
            Ok(Location::Layout(LayoutName { directory, tag, digest })) => {
                let digest = digest.map(|digest| digest.short());
                format!("layout {} {tag:?} {digest:?}", directory.display())
            }
            Ok(Location::DockerArchive { file, name }) => {
                let name = name.map(|name| name.to_string());
                format!("archive {} {name:?}", file.display())
            }
            Err(error) => format!("{error} | {}", error.hint().unwrap_or_default()),
        }
    }

    #[test]
    fn locations() {
        let check = |text: &str, expected: &str| assert_eq!(show(text), expected);
        check("app", "registry docker.io/library/app:latest");
        check("localhost:5000/app:1", "registry localhost:5000/app:1");
        check("docker://oci:1", "registry docker.io/library/oci:1");
        check("store:app:1", "store docker.io/library/app:1");
        check("oci:out", "layout out None None");
        check("oci:/a/b:1.0", "layout /a/b Some(\"1.0\") None");
        check("oci:/a:b/c", "layout /a:b/c None None");
        let digest = oci::Digest::of(b"");
        check(&format!("oci:x@{digest}"), "layout x None Some(\"e3b0c44298fc\")");
        check(&format!("oci:x:t@{digest}"), "layout x Some(\"t\") Some(\"e3b0c44298fc\")");
        check("docker-archive:a.tar", "archive a.tar None");
        check("docker-archive:a.tar:app", "archive a.tar Some(\"docker.io/library/app:latest\")");
        check("oci:", "`` is not a value of `SOURCE` | it is DIRECTORY[:TAG][@DIGEST]");
        check(
            "docker-archive:",
            "`docker-archive:` is not a value of `SOURCE` | it is docker-archive:FILE[:REFERENCE]",
        );
        check(
            "oci-archive:a.tar",
            "`oci-archive:a.tar` is not a value of `SOURCE` | it is REFERENCE, store:REFERENCE, \
             oci:DIR[:TAG] or docker-archive:FILE",
        );
        check(
            "App",
            "`SOURCE`: `App` is not an image reference: repository names are lower-case | write `app`",
        );
    }
}
