//! Where a distribution's metadata is, and what it is called by it.

use layer::Node;
use oci::ImagePath;

use crate::View;
use crate::view::Known;

/// Something that makes a distribution count as installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: ImagePath,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A `.dist-info` or an `.egg-info` with files in it.
    Directory,
    /// An `.egg-info` that is the metadata itself, as `distutils` writes it.
    File,
    /// A directory with both the packages and `EGG-INFO`.
    Egg,
    /// A file that names the directory of a project: setuptools' `develop`.
    EggLink,
}

/// The places in one directory of `sys.path`.
pub(super) fn places(view: View<'_>, directory: &ImagePath) -> Known<Vec<Place>> {
    let names = view.names(directory)?;
    let mut all = Vec::new();
    for name in names.into_keys() {
        let ends = |suffix: &str| name.to_ascii_lowercase().ends_with(suffix.as_bytes());
        if !(ends(".dist-info") || ends(".egg-info") || ends(".egg") || ends(".egg-link")) {
            continue;
        }
        let path = directory.join(&name);
        let Some((_, found)) = view.follow(&path)? else { continue };
        let is_directory = found.entry.node == Node::Directory;
        let form = match is_directory {
            true if ends(".egg") => Form::Egg,
            true if ends("-info") => Form::Directory,
            false if ends(".egg-info") => Form::File,
            false if ends(".egg-link") => Form::EggLink,
            _ => continue,
        };
        all.push(Place { path, form });
    }
    Ok(all)
}

/// Where the metadata of a project is that an `.egg-link` names in its first line; every other
/// place as it is.
pub(super) fn follow_egg_link(view: View<'_>, place: &Place) -> Known<Option<Place>> {
    if place.form != Form::EggLink {
        return Ok(Some(place.clone()));
    }
    let text = view.text(&place.path)?.unwrap_or_default();
    let Some(project) = text.lines().next().map(str::trim).filter(|line| line.starts_with('/'))
    else {
        return Ok(None);
    };
    let stem = stem(&place.path);
    let there = places(view, &ImagePath::lexical(project))?;
    let is_it = |found: &&Place| {
        found.form == Form::Directory && normalize(&self::stem(&found.path)) == normalize(&stem)
    };
    let found = there.iter().find(is_it);
    Ok(found.map(|found| Place { path: found.path.clone(), form: Form::EggLink }))
}

/// The text of the metadata; empty if it cannot be had.
pub(super) fn text(view: View<'_>, place: &Place) -> Known<String> {
    let candidates: &[&str] = match place.form {
        Form::File => &[""],
        Form::Egg => &["EGG-INFO/PKG-INFO"],
        Form::Directory | Form::EggLink => &["METADATA", "PKG-INFO"],
    };
    for candidate in candidates {
        if let Some(text) = view.text(&place.path.join(candidate))? {
            return Ok(text);
        }
    }
    Ok(String::new())
}

/// The normalized name and the version: what the metadata says, else what its path does. `None`
/// for what pip calls an invalid distribution, such as the `~ip-23.0.dist-info` that is left of an
/// interrupted uninstallation.
pub(super) fn identity(place: &Place, text: &str) -> Option<(String, String)> {
    let stem = match place.form {
        Form::Egg => file_name(&place.path).trim_end_matches(".egg").to_owned(),
        _ => stem(&place.path),
    };
    let mut parts = stem.split('-');
    let from_path = (parts.next(), parts.next());
    let name = field(text, "Name").or(from_path.0).filter(|name| is_name(name))?;
    let version = field(text, "Version").or(from_path.1)?;
    // The name of the directory is what pip goes by when it skips one.
    from_path.0.filter(|name| is_name(name))?;
    Some((normalize(name), version.to_owned()))
}

/// A field of the metadata's header (core metadata specifications), which ends at a blank line.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let header = text.lines().take_while(|line| !line.trim_end().is_empty());
    let mut fields = header.filter_map(|line| line.split_once(':'));
    let value = fields.find(|(name, _)| name.eq_ignore_ascii_case(key))?.1.trim();
    (!value.is_empty()).then_some(value)
}

/// Whether this can be a distribution's name ("Names and normalization").
fn is_name(name: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(is_inner)
}

/// PEP 503: lower case, and one `-` for each run of `-`, `_` and `.`.
fn normalize(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            c => normalized.push(c.to_ascii_lowercase()),
        }
    }
    normalized
}

fn file_name(path: &ImagePath) -> String {
    String::from_utf8_lossy(path.file_name().unwrap_or_default()).into_owned()
}

/// A file's name without what comes behind its last dot.
fn stem(path: &ImagePath) -> String {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_called_by_its_metadata_or_its_path() {
        let check = |path: &str, text: &str, expected: Option<&str>| {
            let place = Place { path: ImagePath::lexical(path), form: Form::Directory };
            let found = identity(&place, text).map(|(name, version)| format!("{name} {version}"));
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        let text = "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\n\nVersion: 9\n";
        check("Foo_Bar-1.0.dist-info", text, Some("foo-bar 1.0"));
        check("Foo_Bar-1.0.dist-info", "", Some("foo-bar 1.0"));
        check("six-1.16.0-py3.11.egg-info", "", Some("six 1.16.0"));
        check("demo.egg-info", "Name: demo\r\nVersion: 2\r\n\r\nbody", Some("demo 2"));
        check("demo.egg-info", "", None);
        check("demo.dist-info", "Name: demo\n\nVersion: 3\n", None);
        check("~ip-23.0.dist-info", "Name: pip\nVersion: 23.0\n", None);
        check("x-1.dist-info", "Name: ../x\nVersion: 1\n", None);
    }

    #[test]
    fn names_are_normalized() {
        assert_eq!(normalize("Zope.-_interface"), "zope-interface");
        assert!(!is_name(""));
        assert!(!is_name("-a"));
        assert!(!is_name("a b"));
    }
}
