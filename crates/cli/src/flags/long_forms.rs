//! Docker's long forms, `docker image ls` and `docker buildx build`, as the short ones that they
//! mean, so that scripts that use them need no change.

use std::ffi::{OsStr, OsString};

/// A group, a word of it, and what they mean together.
const LONG_FORMS: &[(&str, &str, &str)] = &[
    ("builder", "build", "build"),
    ("builder", "prune", "prune"),
    ("buildx", "build", "build"),
    ("buildx", "b", "build"),
    ("buildx", "prune", "prune"),
    ("image", "build", "build"),
    ("image", "history", "history"),
    ("image", "inspect", "inspect"),
    ("image", "list", "images"),
    ("image", "load", "load"),
    ("image", "ls", "images"),
    ("image", "prune", "prune"),
    ("image", "pull", "pull"),
    ("image", "push", "push"),
    ("image", "remove", "rmi"),
    ("image", "rm", "rmi"),
    ("image", "save", "save"),
    ("image", "tag", "tag"),
];

/// The same command line with a long form made short. It is one only at the beginning, where no
/// flag's value can be taken for it.
pub(super) fn shortened(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut line: Vec<OsString> = line.into_iter().collect();
    let word = |at: usize| line.get(at).map(OsString::as_os_str);
    let form = LONG_FORMS.iter().find(|(group, name, _)| {
        word(1) == Some(OsStr::new(group)) && word(2) == Some(OsStr::new(name))
    });
    if let Some((_, _, short)) = form {
        line.splice(1..3, [OsString::from(short)]);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_forms_mean_short_ones() {
        let check = |line: &[&str], expected: &[&str]| {
            assert_eq!(shortened(line.iter().map(OsString::from)), expected);
        };
        check(
            &["plywood", "buildx", "build", "-t", "a", "."],
            &["plywood", "build", "-t", "a", "."],
        );
        check(&["plywood", "image", "ls"], &["plywood", "images"]);
        check(&["plywood", "image", "rm", "image"], &["plywood", "rmi", "image"]);
        check(&["plywood", "tag", "image", "ls"], &["plywood", "tag", "image", "ls"]);
        check(&["plywood", "image"], &["plywood", "image"]);
        check(&[], &[]);
    }
}
