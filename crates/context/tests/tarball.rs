//! Tarballs as contexts: the same as the directory they were made of, and hostile ones refused.

#![allow(clippy::unwrap_used, reason = "the functions that tests share are tests, too")]

use std::error::Error;
use std::fs::{self, Permissions};
use std::io::Read;
use std::num::NonZeroUsize;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use context::{Context, ContextError, Kind, Listed, Listing, Shape, StatCache, Verdict};
use layer::Content;
use oci::ImagePath;
use proptest::prelude::*;
use tar::{EntryType, Header};
use tempfile::TempDir;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// A directory as GNU tar packs it.
fn packed(root: &Path, flags: &[&str]) -> Vec<u8> {
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(root).args(flags).args(["-cf", "-", "."]);
    let output = tar.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn stream(bytes: &[u8]) -> Result<Context, ContextError> {
    Context::stream(bytes, &std::env::temp_dir())
}

fn everything(context: &Context) -> Listing {
    context.list(&|_, _| Verdict::Keep, TWO).unwrap()
}

/// All of a path that two equal contexts have in common.
#[derive(Debug, PartialEq)]
struct Fact {
    path: ImagePath,
    mode: u32,
    kind: Kind,
    content: Option<(Content, Vec<u8>)>,
}

fn facts(context: &Context, filter: context::Filter<'_>) -> Vec<Fact> {
    let listing = context.list(filter, TWO).unwrap();
    let mut cache = StatCache::in_memory(SystemTime::now());
    let fact = |listed: &Listed| {
        let content = matches!(listed.kind, Kind::File { .. }).then(|| {
            let contents = context.digest(&[listed], &mut cache, TWO).unwrap();
            let mut bytes = Vec::new();
            context.open(listed).unwrap().read_to_end(&mut bytes).unwrap();
            (contents[0], bytes)
        });
        Fact { path: listed.path.clone(), mode: listed.mode, kind: listed.kind.clone(), content }
    };
    listing.iter().map(fact).collect()
}

fn sample() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = |path: &str| directory.path().join(path);
    fs::create_dir_all(at("src/deep")).unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("src/main.rs"), "fn main() {}").unwrap();
    fs::write(at("src/large"), vec![7; 300_000]).unwrap();
    fs::write(at("src-old"), "").unwrap();
    fs::write(at(&format!("src/deep/{}", "long".repeat(50))), "a name that ustar cannot say")
        .unwrap();
    fs::set_permissions(at("src/main.rs"), Permissions::from_mode(0o4775)).unwrap();
    fs::set_permissions(at("empty"), Permissions::from_mode(0o1777)).unwrap();
    fs::hard_link(at("src/main.rs"), at("again")).unwrap();
    fs::hard_link(at("src/main.rs"), at("src/deep/again")).unwrap();
    symlink("../src/main.rs", at("src/link")).unwrap();
    symlink("/nowhere", at("broken")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    directory
}

#[test]
fn a_tarball_is_the_directory_that_it_was_made_of() {
    let root = sample();
    let keep = |_: &ImagePath, _: Shape| Verdict::Keep;
    let expected = facts(&Context::directory(root.path()).unwrap(), &keep);
    assert_eq!(expected.len(), 12);
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("context.tar");
    for flags in
        [&["--format=gnu"][..], &["--format=posix"], &["-z"], &["-j"], &["-J"], &["--zstd"]]
    {
        let bytes = packed(root.path(), flags);
        assert_eq!(facts(&stream(&bytes).unwrap(), &keep), expected, "{flags:?}");
        fs::write(&path, &bytes).unwrap();
        let context = Context::tarball(&path, scratch.path()).unwrap();
        assert_eq!(facts(&context, &keep), expected, "{flags:?}");
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing was left behind");
}

/// What an ignore file, or a recipe in the context, is read with.
#[test]
fn single_files_are_read_from_both() {
    let root = sample();
    symlink("/src/../src/link", root.path().join(".dockerignore")).unwrap();
    symlink("/etc/passwd", root.path().join("outside")).unwrap();
    symlink("circle", root.path().join("circle")).unwrap();
    let directory = Context::directory(root.path()).unwrap();
    let tarball = stream(&packed(root.path(), &[])).unwrap();
    for context in [directory, tarball] {
        let read = |path: &str, allowed: u64| match context.read(&ImagePath::lexical(path), allowed)
        {
            Ok(Some(bytes)) => String::from_utf8(bytes).unwrap(),
            Ok(None) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(read("src/main.rs", 12), "fn main() {}");
        assert_eq!(read(".dockerignore", 100), "fn main() {}");
        assert_eq!(read("outside", 100), "nothing");
        assert_eq!(read("missing/file", 100), "nothing");
        insta::allow_duplicates! {
            insta::assert_snapshot!(read("src/main.rs", 11), @"read `src/main.rs`: it has more than 11 bytes");
            insta::assert_snapshot!(read("circle", 100), @"follow `circle` in the build context: too many symbolic links");
            insta::assert_snapshot!(read("src/main.rs/x", 100), @"find `src/main.rs/x` in the build context: `src/main.rs` is not a directory");
            insta::assert_snapshot!(read("src", 100), @"read `src`: it is not a file");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever a filter says, it says it of both.
    #[test]
    fn filters_agree(
        files in prop::collection::vec("[a-c]{1,2}(/[a-c.-]{1,2}x){0,3}", 1..20),
        seed in any::<u64>(),
    ) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            // Some are a file in one and a directory in another: the first one wins.
            if fs::create_dir_all(path.parent().unwrap()).is_ok() {
                let _ = fs::write(path, "x");
            }
        }
        let filter = |path: &ImagePath, _: Shape| {
            let digest = oci::Digest::of(&[path.as_bytes(), &seed.to_le_bytes()].concat());
            [Verdict::Keep, Verdict::Descend, Verdict::Descend, Verdict::Prune]
                [usize::from(digest.as_bytes()[0] & 3)]
        };
        let directory = Context::directory(root.path()).unwrap();
        let tarball = stream(&packed(root.path(), &[])).unwrap();
        prop_assert_eq!(facts(&directory, &filter), facts(&tarball, &filter));
    }
}

/// One member of a tar that no honest program writes.
struct Member<'a> {
    name: &'a str,
    kind: EntryType,
    link: &'a str,
    content: &'a [u8],
    /// What the header says, whatever the content is.
    size: u64,
}

fn file<'a>(name: &'a str, content: &'a str) -> Member<'a> {
    let (content, size) = (content.as_bytes(), content.len() as u64);
    Member { name, kind: EntryType::Regular, link: "", content, size }
}

fn other<'a>(name: &'a str, kind: EntryType, link: &'a str) -> Member<'a> {
    Member { name, kind, link, content: b"", size: 0 }
}

fn forged(members: &[Member<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let mut header = Header::new_ustar();
        let raw = header.as_ustar_mut().unwrap();
        raw.name[..member.name.len()].copy_from_slice(member.name.as_bytes());
        raw.linkname[..member.link.len()].copy_from_slice(member.link.as_bytes());
        header.set_entry_type(member.kind);
        header.set_mode(0o644);
        header.set_size(member.size);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(member.content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// The paths of a tar, or the error and its causes.
fn outcome(members: &[Member<'_>]) -> String {
    match stream(&forged(members)) {
        Ok(context) => {
            let listing = everything(&context);
            let paths: Vec<String> = listing.iter().map(|l| l.path.to_string()).collect();
            paths.join(" ")
        }
        Err(error) => {
            let mut message = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                message = format!("{message}: {error}");
                cause = error.source();
            }
            message
        }
    }
}

#[test]
fn hostile_names() {
    use EntryType::{Link, Symlink};
    insta::assert_snapshot!(outcome(&[file("../x", "")]), @"read the build context `-`: accept an entry of the archive: path `../x` has a `..` in it");
    insta::assert_snapshot!(outcome(&[file("/etc/passwd", "")]), @"etc etc/passwd");
    insta::assert_snapshot!(outcome(&[other("a", Symlink, "/etc"), file("a/passwd", "")]), @"a etc etc/passwd");
    insta::assert_snapshot!(outcome(&[file("a", ""), file("a/b", "")]), @"a");
    insta::assert_snapshot!(outcome(&[other("a", Link, "../../etc/passwd")]), @"read the build context `-`: accept the link `/a`: its target `../../etc/passwd` is outside the image or malformed");
    insta::assert_snapshot!(outcome(&[other("a", Link, "missing")]), @"accept the hard link `a` in `-`: no file in it is its target");
    insta::assert_snapshot!(outcome(&[other("a", Link, "b"), other("b", Link, "a")]), @"accept the hard link `a` in `-`: no file in it is its target");
    insta::assert_snapshot!(outcome(&[file("d/x", ""), other("a", Link, "d")]), @"accept the hard link `a` in `-`: no file in it is its target");
}

#[test]
fn lies_about_size() {
    let long = Member { size: 1 << 40, ..file("long", "short") };
    insta::assert_snapshot!(outcome(&[long]), @"read the build context `-`: read the archive: it is cut off after 2048 bytes, in `long`");
    let header = Member { size: 1 << 40, ..other("x", EntryType::XHeader, "") };
    insta::assert_snapshot!(outcome(&[header]), @"read the build context `-`: read the archive: more than 1048576 bytes in one extended header");
}

#[test]
fn the_last_of_two_counts() {
    let bytes = forged(&[file("a", "first"), file("./a", "second"), file("b", "")]);
    let keep = |_: &ImagePath, _: Shape| Verdict::Keep;
    let facts = facts(&stream(&bytes).unwrap(), &keep);
    let contents: Vec<_> = facts.into_iter().map(|fact| (fact.path, fact.content)).collect();
    let expected = [("a", &b"second"[..]), ("b", b"")].map(|(path, bytes)| {
        (ImagePath::lexical(path), Some((Content::of(bytes), bytes.to_vec())))
    });
    assert_eq!(contents, expected);
}

#[test]
fn devices_and_whiteouts_hurt_only_who_copies_them() {
    let mut device = other("dev/null", EntryType::Char, "");
    device.size = 0;
    let context = stream(&forged(&[device, file("x/.wh.gone", ""), file("y", "")])).unwrap();
    let listing = everything(&context);
    let message = |path: &str| {
        let listed = listing.get(&ImagePath::lexical(path)).unwrap();
        context.open(listed).err().map_or_else(String::new, |error| error.to_string())
    };
    assert_eq!(message("y"), "");
    insta::assert_snapshot!(message("dev/null"), @"copy `dev/null`: it is a character device");
    insta::assert_snapshot!(message("x/.wh.gone"), @"copy `x/.wh.gone`: it is a whiteout");
}

#[test]
fn what_is_no_tarball() {
    let scratch = tempfile::tempdir().unwrap();
    let open = |bytes: &[u8]| {
        let path = scratch.path().join("context");
        fs::write(&path, bytes).unwrap();
        let error = Context::tarball(&path, scratch.path()).unwrap_err().to_string();
        error.replace(&scratch.path().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(open(b""), @"use `DIR/context` as the build context: it is not a tar archive");
    insta::assert_snapshot!(open(b"FROM scratch\n"), @"use `DIR/context` as the build context: it is not a tar archive");
    let directory = Context::tarball(scratch.path(), scratch.path()).unwrap_err();
    assert!(matches!(directory, ContextError::NotArchive { .. }));
    let missing = Context::tarball(&scratch.path().join("missing"), scratch.path()).unwrap_err();
    assert!(matches!(missing, ContextError::NoContext { .. }));
    let nowhere = Context::stream(&b""[..], &scratch.path().join("missing")).unwrap_err();
    assert!(matches!(nowhere, ContextError::Io { action: "write a file in", .. }));
}

#[test]
fn a_tarball_that_changes_is_noticed() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("context.tar");
    fs::write(&path, forged(&[file("a", "one")])).unwrap();
    let context = Context::tarball(&path, scratch.path()).unwrap();
    let listing = everything(&context);
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&path, forged(&[file("a", "two")])).unwrap();
    let listed = listing.iter().next().unwrap();
    let error = context.open(listed).unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("read `{}`: it changed while it was read", path.display())
    );
}
