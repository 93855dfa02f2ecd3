//! What is meant by the name of a package, with or without an architecture or wildcards.

use bstr::{BString, ByteSlice};
use shell::Process;

use super::{Failure, Query, State, Step, refused};
use crate::dpkg::status::{Package, PackageId};
use shell::wildcard::{self, Case};

/// A name or a pattern.
pub(super) struct Spec {
    name: String,
    architecture: Option<String>,
}

impl Spec {
    /// One that may have wildcards.
    pub(super) fn pattern(process: &Process<'_, '_>, text: &BString) -> Step<Self> {
        let Ok(text) = text.to_str() else {
            return Err(refused(process, format!("is given the name {text}")).into());
        };
        let (name, architecture) = match text.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture.to_owned())),
            None => (text, None),
        };
        Ok(Spec { name: name.to_owned(), architecture })
    }

    pub(super) fn matches(&self, id: &PackageId) -> bool {
        let is_meant = |architecture: &String| {
            wildcard::matches(architecture.as_bytes(), id.architecture.as_bytes(), Case::Counts)
        };
        wildcard::matches(self.name.as_bytes(), id.name.as_bytes(), Case::Counts)
            && self.architecture.as_ref().is_none_or(is_meant)
    }
}

/// Whether a name may be a package's, and if not, why (deb-control(5), "Package").
fn illegal(name: &str) -> Option<&'static str> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte);
    match name.as_bytes() {
        [] => Some("may not be empty string"),
        [first, ..] if !first.is_ascii_alphanumeric() => {
            Some("must start with an alphanumeric character")
        }
        bytes if !bytes.iter().all(|byte| is_inner(*byte)) => Some("of another character"),
        _ => None,
    }
}

/// The package that is meant; `None` if dpkg knows none of this name.
///
/// # Errors
/// A name that no package can have, or that several have.
pub(super) fn one<'a>(
    process: &Process<'_, '_>,
    query: &'a Query,
    action: &str,
    text: &BString,
) -> Step<Option<&'a Package>> {
    let spec = Spec::pattern(process, text)?;
    if let Some(why) = illegal(&spec.name) {
        if why.starts_with("of") {
            return Err(refused(process, format!("is given the name {text}")).into());
        }
        return Failure::usage(format_args!(
            "--{action} needs a valid package name but '{text}' is not: illegal package \
             name in specifier '{text}': {why}"
        ));
    }
    let found: Vec<&Package> = query
        .packages
        .all()
        .filter(|package| {
            let id = package.id();
            *id.name == *spec.name
                && spec.architecture.as_ref().is_none_or(|wanted| **wanted == *id.architecture)
        })
        .collect();
    let installed: Vec<&&Package> =
        found.iter().filter(|package| package.state != State::NotInstalled).collect();
    match (&installed[..], &found[..]) {
        ([_, _, ..], _) => Failure::usage(format_args!(
            "--{action} needs a valid package name but '{text}' is not: ambiguous package name \
             '{text}' with more than one installed instance"
        )),
        ([package], _) => Ok(Some(package)),
        (_, [package, ..]) => Ok(Some(package)),
        _ => Ok(None),
    }
}
