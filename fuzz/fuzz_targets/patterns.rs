#![no_main]
//! Ignore files and wildcards, and a path to match: what is before the first NUL is the path.
//!
//! A path's verdict is the same asked at once and directory by directory, and a directory that
//! may not be entered again holds nothing that is not left out.

use libfuzzer_sys::{Corpus, fuzz_target};
use recipe::{IgnorePatterns, IgnoreVerdict, Wildcard};

/// Compiling expressions takes nearly all of the time, and many patterns find no more than a few.
const MAX_LINES: usize = 8;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    let Some((path, patterns)) = text.split_once('\0') else { return Corpus::Reject };
    if patterns.lines().count() > MAX_LINES {
        return Corpus::Reject;
    }
    let path = clean(path);
    wildcard(patterns.lines().next().unwrap_or_default(), &path);
    match IgnorePatterns::parse(patterns) {
        Ok(ignore) => ignored(&ignore, &path),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(ignore) = IgnorePatterns::new(patterns.lines()) {
        ignored(&ignore, &path);
    }
    if patterns.contains("#!include:") {
        included(patterns);
    }
    Corpus::Keep
});

/// The file includes itself, which is refused, or a file without a name, which cannot be had.
fn included(patterns: &str) {
    let include = |name: &str| match name {
        "" => Err("it has no name"),
        _ => Ok(patterns.to_owned()),
    };
    if let Err(error) = IgnorePatterns::parse_with_includes(patterns, &include) {
        let _ = (error.to_string(), error.hint());
    }
}

/// Relative to a root, as the matchers want paths.
fn clean(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    parts.collect::<Vec<_>>().join("/")
}

fn wildcard(pattern: &str, path: &str) {
    match (Wildcard::new(pattern), Wildcard::recursive(pattern)) {
        (Ok(one), Ok(_)) => {
            if one.pattern() != pattern {
                let again = Wildcard::new(one.pattern()).expect("a cleaned pattern");
                assert_eq!(again.pattern(), one.pattern());
                assert_eq!(again.matches(path), one.matches(path));
            }
            if !Wildcard::has_meta(pattern) && !pattern.contains('\\') && !path.is_empty() {
                assert_eq!(one.matches(path), one.pattern() == path);
            }
        }
        (Err(error), _) => assert!(error.hint().is_some()),
        (Ok(_), Err(error)) => assert!(pattern.contains("**"), "{error}"),
    }
}

fn ignored(ignore: &IgnorePatterns, path: &str) {
    let mut verdict: Option<IgnoreVerdict> = None;
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for end in ends {
        let here = ignore.verdict(verdict.as_ref(), &path[..end]);
        assert_eq!(here.is_excluded(), ignore.matches(&path[..end]));
        if let Some(above) = verdict
            && let Some(directory) = path[..end].rfind('/').map(|at| &path[..at])
            && above.is_excluded()
            && !ignore.may_reenter(directory)
        {
            assert!(here.is_excluded(), "{path:?} in {directory:?}");
        }
        verdict = Some(here);
    }
}
