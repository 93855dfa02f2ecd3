//! The tag of a commit.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::{MAX_BYTES, is_reference_name, object_name, read};

/// Directories of tags in directories of tags.
const MAX_DEPTH: usize = 16;
/// No tag's message that matters here is longer: what it points to comes first.
const MAX_OBJECT_BYTES: u64 = 4096;

/// The tag that points at `revision`: annotated ones come before others, as in git-describe(1), and
/// of several the last by name.
pub(super) fn tag_of(common: &Path, revision: &str) -> Option<String> {
    let mut found = packed(common, revision);
    let tags = common.join("refs/tags");
    loose(common, &tags, "", revision, MAX_DEPTH, &mut found);
    found.into_iter().max().map(|tag| tag.name)
}

/// Ordered by what comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tag {
    is_annotated: bool,
    name: String,
}

/// In `packed-refs` an annotated tag has the commit in a line of its own behind it, with a `^`.
fn packed(common: &Path, revision: &str) -> Vec<Tag> {
    let text = read(&common.join("packed-refs")).unwrap_or_default();
    let mut found = Vec::new();
    let mut name = None;
    for line in text.lines() {
        let is_annotated = line.starts_with('^');
        let object = match line.strip_prefix('^') {
            Some(peeled) => peeled,
            None => {
                let (object, reference) = line.split_once(' ').unwrap_or((line, ""));
                name = reference.strip_prefix("refs/tags/");
                object
            }
        };
        if let Some(name) = name.filter(|_| object == revision) {
            found.push(Tag { is_annotated, name: name.to_owned() });
        }
    }
    found
}

fn loose(
    common: &Path,
    directory: &Path,
    above: &str,
    revision: &str,
    depth: usize,
    found: &mut Vec<Tag>,
) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Some(name) = entry.file_name().to_str().map(|name| format!("{above}{name}")) else {
            continue;
        };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => {
                let above = format!("{name}/");
                loose(common, &entry.path(), &above, revision, depth - 1, found);
            }
            Ok(kind) if kind.is_file() && is_reference_name(&format!("refs/tags/{name}")) => {
                let Some(object) = read(&entry.path()).and_then(|text| object_name(text.trim()))
                else {
                    continue;
                };
                let is_annotated = object != revision;
                if !is_annotated || annotated(common, &object).as_deref() == Some(revision) {
                    found.push(Tag { is_annotated, name });
                }
            }
            _ => {}
        }
    }
}

/// What an annotated tag points to, if it is an object of its own file (gitformat-loose): a zlib
/// stream of `tag SIZE`, a zero byte, and `object COMMIT` in the first line.
fn annotated(common: &Path, object: &str) -> Option<String> {
    let (directory, rest) = object.split_at_checked(2)?;
    let file = File::open(common.join("objects").join(directory).join(rest)).ok()?;
    let mut text = Vec::new();
    let unpacked = ZlibDecoder::new(file.take(MAX_BYTES));
    unpacked.take(MAX_OBJECT_BYTES).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (kind, body) = text.split_once('\0')?;
    kind.strip_prefix("tag ")?;
    object_name(body.lines().next()?.strip_prefix("object ")?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    const COMMIT: &str = "1111111111111111111111111111111111111111";
    const TAG: &str = "2222222222222222222222222222222222222222";

    fn check(files: &[(&str, &[u8])], expected: Option<&str>) {
        let directory = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        assert_eq!(tag_of(directory.path(), COMMIT).as_deref(), expected);
    }

    fn object(text: &str) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn tags_are_found_wherever_git_keeps_them() {
        check(&[], None);
        check(&[("refs/tags/v1", COMMIT.as_bytes())], Some("v1"));
        check(&[("refs/tags/release/v1", COMMIT.as_bytes())], Some("release/v1"));
        check(&[("refs/tags/v1", TAG.as_bytes())], None);
        let tag = object(&format!("tag 50\0object {COMMIT}\ntype commit\ntag v2\n"));
        let place = format!("objects/{}/{}", &TAG[..2], &TAG[2..]);
        check(
            &[("refs/tags/v2", TAG.as_bytes()), ("refs/tags/x", COMMIT.as_bytes()), (&place, &tag)],
            Some("v2"),
        );
        let packed = format!("{COMMIT} refs/tags/v1\n{TAG} refs/tags/v3\n^{COMMIT}\n");
        check(&[("packed-refs", packed.as_bytes())], Some("v3"));
        let branch = format!("{TAG} refs/heads/main\n^{COMMIT}\n");
        check(&[("packed-refs", branch.as_bytes())], None);
    }

    #[test]
    fn what_is_no_tag_says_nothing() {
        let place = format!("objects/{}/{}", &TAG[..2], &TAG[2..]);
        for text in ["commit 1\0object x", "tag 1", "tag 1\0", "tag 1\0object nonsense\n"] {
            check(&[("refs/tags/v", TAG.as_bytes()), (&place, &object(text))], None);
        }
        check(&[("refs/tags/v", TAG.as_bytes()), (&place, b"no zlib")], None);
    }
}
