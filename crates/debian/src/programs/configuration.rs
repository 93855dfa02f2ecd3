//! Configuration files of systemd's tools: where they are, and how their lines are split
//! (sysusers.d(5), tmpfiles.d(5), "Configuration Directories and Precedence").

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use shell::{Process, Stop};

use super::failure::refused;
use super::place;

/// The directories, the most important first; `kind` is `sysusers.d` or `tmpfiles.d`.
fn directories(kind: &str) -> [BString; 4] {
    ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map(|above| format!("{above}/{kind}").into())
}

/// The file of a name, or at a path.
pub(super) fn find(
    process: &Process<'_, '_>,
    kind: &str,
    name: &BString,
) -> Result<Option<BString>, Stop> {
    if name.contains(&b'/') {
        return Ok(place::exists(process, name)?.then(|| name.clone()));
    }
    for directory in directories(kind) {
        let path = place::within(&directory, name);
        if place::exists(process, &path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// All files, by name; of several of one name, the most important.
pub(super) fn all(process: &Process<'_, '_>, kind: &str) -> Result<Vec<BString>, Stop> {
    let mut files: BTreeMap<BString, BString> = BTreeMap::new();
    for directory in directories(kind) {
        for name in place::names(process, &directory)? {
            if name.ends_with(b".conf") {
                let path = place::within(&directory, &name);
                files.entry(name).or_insert(path);
            }
        }
    }
    Ok(files.into_values().collect())
}

/// The lines that say something.
pub(super) fn lines(process: &mut Process<'_, '_>, path: &BString) -> Result<Vec<BString>, Stop> {
    let bytes = place::read(process, path)?.unwrap_or_default();
    let lines = bytes.lines().map(|line| line.trim());
    let says = |line: &&[u8]| !line.is_empty() && !line.starts_with(b"#");
    Ok(lines.filter(says).map(BString::from).collect())
}

/// The first `most` words of a line, and what is left of it.
pub(super) fn words(
    process: &Process<'_, '_>,
    line: &BString,
    most: usize,
) -> Result<(Vec<BString>, BString), Stop> {
    let mut words = Vec::new();
    let mut left = line.trim_start();
    while words.len() < most && !left.is_empty() {
        let Some((word, rest)) = word(left) else {
            return Err(refused(process, format!("does not understand the line {line}")));
        };
        words.push(word);
        left = rest.trim_start();
    }
    Ok((words, left.into()))
}

/// One word, with quotes and backslashes taken away; `None` if a quote is not closed.
fn word(text: &[u8]) -> Option<(BString, &[u8])> {
    let mut word = BString::default();
    let mut quote = None;
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        at += 1;
        match (byte, quote) {
            (b'\\', _) => {
                word.push(*text.get(at)?);
                at += 1;
            }
            (byte, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, None) if byte.is_ascii_whitespace() => return Some((word, &text[at..])),
            (byte, _) => word.push(byte),
        }
    }
    quote.is_none().then_some((word, b""))
}

/// A field that says something: not nothing, and no dash.
pub(super) fn field(words: &[BString], at: usize) -> Option<&BString> {
    words.get(at).filter(|word| !word.is_empty() && *word != "-")
}
