//! Directories as contexts: what is listed, what is remembered, and what is noticed.

#![allow(clippy::unwrap_used, reason = "the functions that tests share are tests, too")]

use std::fs::{self, Permissions};
use std::io::Read;
use std::num::NonZeroUsize;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use context::{Context, ContextError, Kind, Listed, Listing, Shape, StatCache, Verdict};
use layer::Content;
use oci::ImagePath;
use tempfile::TempDir;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// A directory that this test, and whoever else must read it, can read.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    directory
}

/// Writes a file with permissions, and the directories above it.
fn write(root: &TempDir, path: &str, mode: u32, bytes: &[u8]) -> PathBuf {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn list(root: &TempDir) -> (Context, Listing) {
    let context = Context::directory(root.path()).unwrap();
    let listing = context.list(&|_, _| Verdict::Keep, TWO).unwrap();
    (context, listing)
}

/// A line for each path, as `ls -l` would have it.
fn show(listing: &Listing) -> String {
    let line = |listed: &Listed| {
        let what = match &listed.kind {
            Kind::File { size, link: None, .. } => format!("{size} bytes"),
            Kind::File { size, link: Some(group), .. } => {
                format!("{size} bytes, links {}", group.0)
            }
            Kind::Directory => "directory".to_owned(),
            Kind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
            Kind::Special(special) => special.to_string(),
        };
        format!("{:o} {} {what}\n", listed.mode, listed.path)
    };
    listing.iter().map(line).collect()
}

fn content(context: &Context, listed: &Listed) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut file = context.open(listed).map_err(|error| error.to_string())?;
    file.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn at<'a>(listing: &'a Listing, path: &str) -> &'a Listed {
    listing.get(&ImagePath::lexical(path)).unwrap()
}

/// A minute from now, when what was written a moment ago can be trusted.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

#[test]
fn everything_in_order() {
    let root = directory();
    write(&root, "src/main.rs", 0o664, b"fn main() {}");
    write(&root, "src-old/x", 0o600, b"x");
    write(&root, "bin/run", 0o775, b"#!/bin/sh\n");
    fs::hard_link(root.path().join("bin/run"), root.path().join("bin/again")).unwrap();
    fs::hard_link(root.path().join("src/main.rs"), root.path().join("a-link")).unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    symlink("../bin/run", root.path().join("src/run")).unwrap();
    symlink("/nowhere", root.path().join("broken")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    for directory in ["src", "src-old", "bin", "empty"] {
        let mode = Permissions::from_mode(if directory == "bin" { 0o775 } else { 0o755 });
        fs::set_permissions(root.path().join(directory), mode).unwrap();
    }
    fs::set_permissions(root.path().join("socket"), Permissions::from_mode(0o755)).unwrap();
    let (context, listing) = list(&root);
    insta::assert_snapshot!(show(&listing), @r"
    644 a-link 12 bytes, links 0
    755 bin directory
    755 bin/again 10 bytes, links 1
    755 bin/run 10 bytes, links 1
    777 broken -> /nowhere
    755 empty directory
    755 socket socket
    755 src directory
    644 src/main.rs 12 bytes, links 0
    777 src/run -> ../bin/run
    755 src-old directory
    600 src-old/x 1 bytes
    ");
    assert_eq!(content(&context, at(&listing, "bin/again")).unwrap(), b"#!/bin/sh\n");
    let error = context.open(at(&listing, "socket")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"copy `socket`: it is a socket");
    insta::assert_snapshot!(error.hint().unwrap(), @"a layer cannot hold a socket of this machine: add it to .dockerignore");
    let error = context.open(at(&listing, "broken")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"read `broken`: it is not a file");
}

#[test]
fn names_are_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let root = directory();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::write(root.path().join(name), "latin 1").unwrap();
    let (context, listing) = list(&root);
    let listed = listing.get(&ImagePath::lexical(b"caf\xe9")).unwrap();
    assert_eq!(content(&context, listed).unwrap(), b"latin 1");
}

#[test]
fn any_number_of_threads_lists_the_same() {
    let root = directory();
    for number in 0..3000 {
        write(&root, &format!("wide/{number}"), 0o644, b"");
    }
    for number in 0..200 {
        write(&root, &format!("d{}/e{}/f{number}", number % 7, number % 11), 0o644, b"x");
    }
    write(&root, &format!("{}end", "deep/".repeat(600)), 0o644, b"bottom");
    let context = Context::directory(root.path()).unwrap();
    let shown = [1, 2, 5].map(|threads| {
        let threads = NonZeroUsize::new(threads).unwrap();
        show(&context.list(&|_, _| Verdict::Keep, threads).unwrap())
    });
    assert_eq!(shown[0].lines().count(), 3000 + 1 + 200 + 7 + 77 + 601);
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[0], shown[2]);
}

#[test]
fn the_filter_prunes_and_descends() {
    let root = directory();
    for path in ["keep/a", "node_modules/b/c", "out/x", "out/deep/good", "out/deep/bad", "none/y"] {
        write(&root, path, 0o644, b"");
    }
    let context = Context::directory(root.path()).unwrap();
    let filter = |path: &ImagePath, shape: Shape| {
        let path = path.to_str().unwrap();
        assert!(!path.starts_with("node_modules/"), "looked at what is below a pruned directory");
        match (path, shape) {
            ("node_modules", _) | ("none/y", _) => Verdict::Prune,
            ("out/deep/good", _) => Verdict::Keep,
            (path, _) if path.starts_with("out") || path == "none" => Verdict::Descend,
            _ => Verdict::Keep,
        }
    };
    let listing = context.list(&filter, TWO).unwrap();
    let paths: Vec<String> = listing.iter().map(|listed| listed.path.to_string()).collect();
    assert_eq!(paths, ["keep", "keep/a", "out", "out/deep", "out/deep/good"]);
}

#[test]
fn capabilities_of_executables() {
    let root = directory();
    let tool = write(&root, "tool", 0o755, b"");
    let data = write(&root, "data", 0o644, b"");
    // VFS_CAP_REVISION_2, cap_net_bind_service=ep (linux/capability.h).
    let value = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let flags = rustix::fs::XattrFlags::empty();
    let set = rustix::fs::setxattr(&tool, "security.capability", &value, flags);
    // Only root may set it, and not every file system can.
    let expected = set.is_ok().then(|| value.to_vec());
    let _ = rustix::fs::setxattr(&data, "user.comment", b"mine", flags);
    let (_, listing) = list(&root);
    let xattrs = at(&listing, "tool").xattrs();
    assert_eq!(xattrs.get(&b"security.capability"[..]), expected.as_ref());
    assert!(at(&listing, "data").xattrs().is_empty());
}

#[test]
fn a_second_build_opens_no_file() {
    let root = directory();
    write(&root, "a", 0o644, b"one");
    write(&root, "b/c", 0o644, b"two");
    let kept = directory();
    let file = kept.path().join("stat-cache");
    let (context, listing) = list(&root);
    let wanted = [at(&listing, "b/c"), at(&listing, "a")];
    let expected = vec![Content::of(b"two"), Content::of(b"one")];
    let mut cache = StatCache::load(&file, later());
    assert_eq!(context.digest(&wanted, &mut cache, TWO).unwrap(), expected);
    cache.save().unwrap();
    let written = fs::metadata(&file).unwrap().modified().unwrap();

    // Whoever opened the files now would see that they are gone.
    fs::rename(root.path().join("a"), kept.path().join("a")).unwrap();
    fs::rename(root.path().join("b"), kept.path().join("b")).unwrap();
    let mut cache = StatCache::load(&file, later());
    assert_eq!(context.digest(&wanted, &mut cache, TWO).unwrap(), expected);
    cache.save().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written, "nothing was learnt");

    // A cache from before the files were changed for the last time was not to be trusted.
    let file = kept.path().join("racy");
    fs::rename(kept.path().join("a"), root.path().join("a")).unwrap();
    fs::rename(kept.path().join("b"), root.path().join("b")).unwrap();
    let (context, listing) = list(&root);
    let wanted = [at(&listing, "a")];
    let mut cache = StatCache::load(&file, SystemTime::now());
    context.digest(&wanted, &mut cache, TWO).unwrap();
    cache.save().unwrap();
    assert!(!file.exists(), "the file was changed a moment ago");
}

#[test]
fn a_change_of_the_same_size_is_seen() {
    let root = directory();
    let path = write(&root, "a", 0o644, b"one");
    let mut cache = StatCache::in_memory(later());
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let (context, listing) = list(&root);
    let first = context.digest(&[at(&listing, "a")], &mut cache, TWO).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&path, b"two").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    let (context, listing) = list(&root);
    let second = context.digest(&[at(&listing, "a")], &mut cache, TWO).unwrap();
    assert_eq!((first, second), (vec![Content::of(b"one")], vec![Content::of(b"two")]));
}

#[test]
fn changes_are_named() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("grown", |path| fs::write(path, vec![b'x'; 200_000]).unwrap()),
        ("shrunk", |path| fs::write(path, b"x").unwrap()),
        ("deleted", |path| fs::remove_file(path).unwrap()),
        ("replaced by a link", |path| {
            fs::remove_file(path).unwrap();
            symlink("/etc/passwd", path).unwrap();
        }),
        ("replaced by a pipe", |path| {
            fs::remove_file(path).unwrap();
            rustix::fs::mknodat(
                rustix::fs::CWD,
                path,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RUSR,
                0,
            )
            .unwrap();
        }),
        ("directory replaced by a link", |path| {
            let above = path.parent().unwrap();
            fs::rename(above, above.with_extension("moved")).unwrap();
            symlink(above.with_extension("moved"), above).unwrap();
        }),
    ];
    for (name, change) in changes {
        let root = directory();
        let path = write(&root, "below/file", 0o644, &[b'a'; 100_000]);
        let (context, listing) = list(&root);
        let expected = format!("read `{}`: it changed while it was read", path.display());
        let mut open = context.open(at(&listing, "below/file")).unwrap();
        let mut half = [0; 50_000];
        open.read_exact(&mut half).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        change(&path);
        let mut cache = StatCache::in_memory(later());
        let error = context.digest(&[at(&listing, "below/file")], &mut cache, TWO).unwrap_err();
        assert_eq!(error.to_string(), expected, "{name}");
        assert!(matches!(error, ContextError::Changed { .. }) && error.hint().is_some());
        // One that is already open is only told from the listed one when its inode changed.
        if matches!(name, "grown" | "shrunk") {
            let error = std::io::copy(&mut open, &mut std::io::sink()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{name}");
        }
    }
}

#[test]
fn links_lead_nowhere_outside() {
    let secret = directory();
    write(&secret, "key", 0o644, b"secret");
    let root = directory();
    write(&root, "app/file", 0o644, b"");
    symlink(secret.path(), root.path().join("app/out")).unwrap();
    let (_, listing) = list(&root);
    let path = ImagePath::lexical("app/out/key");
    let error = listing.resolve(&path, context::LastComponent::Follow).unwrap_err();
    let first = ImagePath::lexical(secret.path().as_os_str().as_encoded_bytes());
    let first = first.components().next().unwrap();
    let expected = format!(
        "find `app/out/key` in the build context: a link leads to `{}`, which is not in it",
        String::from_utf8_lossy(first)
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().is_some());
    assert!(listing.get(&path).is_none());
}

/// A directory that becomes a link to elsewhere, and back, at the worst moments.
#[test]
fn races_lead_nowhere_outside() {
    let outside = directory();
    write(&outside, "secret", 0o644, b"secret");
    write(&outside, "file", 0o644, b"secret");
    let root = directory();
    write(&root, "target/file", 0o644, b"mine");
    let [target, aside, link] = ["target", "aside", "link"].map(|name| root.path().join(name));
    symlink(outside.path(), &link).unwrap();
    let done = AtomicBool::new(false);
    let mut listings = Vec::new();
    let mut reads = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                fs::rename(&target, &aside).unwrap();
                fs::rename(&link, &target).unwrap();
                fs::rename(&target, &link).unwrap();
                fs::rename(&aside, &target).unwrap();
            }
        });
        // Nothing is asserted here, for the other thread would go on for ever.
        for _ in 0..500 {
            let context = Context::directory(root.path());
            let Ok(context) = context else { continue };
            let listing = context.list(&|_, _| Verdict::Keep, TWO);
            for listed in listing.iter().flatten() {
                if matches!(listed.kind, Kind::File { .. }) {
                    let mut cache = StatCache::in_memory(SystemTime::now());
                    reads.push(context.digest(&[listed], &mut cache, TWO));
                }
            }
            listings.push(listing);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(listings.len(), 500);
    for listing in listings {
        match listing {
            Ok(listing) => assert!(!show(&listing).contains("secret")),
            Err(error) => assert!(matches!(error, ContextError::Changed { .. }), "{error:?}"),
        }
    }
    assert!(reads.iter().any(Result::is_ok));
    for read in reads {
        match read {
            Ok(contents) => assert_eq!(contents, [Content::of(b"mine")]),
            Err(error) => assert!(matches!(error, ContextError::Changed { .. }), "{error:?}"),
        }
    }
}

#[test]
fn permission_denied_names_the_path() {
    let root = directory();
    write(&root, "open/file", 0o644, b"");
    let file = write(&root, "secret.key", 0o000, b"");
    let closed = root.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    let errors = as_nobody({
        let root = root.path().to_owned();
        move || {
            let context = Context::directory(&root).unwrap();
            let all = context.list(&|_, _| Verdict::Keep, TWO).unwrap_err();
            let without = |path: &ImagePath, _: Shape| match path.to_str() {
                Some("closed") => Verdict::Prune,
                _ => Verdict::Keep,
            };
            let listing = context.list(&without, TWO).unwrap();
            let mut cache = StatCache::in_memory(later());
            let wanted = [at(&listing, "secret.key")];
            let read = context.digest(&wanted, &mut cache, TWO).unwrap_err();
            [all, read].map(|error| (error.to_string(), error.hint().unwrap()))
        }
    });
    let way_out = "make it readable, or leave it out of the build: add";
    let expected = [(&closed, "closed"), (&file, "secret.key")].map(|(path, name)| {
        let message = format!("read `{}`: permission denied", path.display());
        (message, format!("{way_out} `{name}` to .dockerignore"))
    });
    assert_eq!(errors, expected);
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
}

/// Runs `test` on a thread that is not root's, for root may read everything.
fn as_nobody<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let run = || {
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::process::Uid::from_raw(65534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        test()
    };
    std::thread::spawn(run).join().unwrap()
}

#[test]
fn what_is_no_context() {
    let root = directory();
    let file = write(&root, "file", 0o644, b"");
    let message = |path: &Path| Context::directory(path).unwrap_err().to_string();
    let shown = file.display();
    assert_eq!(
        message(&file),
        format!("use `{shown}` as the build context: it is not a directory")
    );
    let missing = root.path().join("missing");
    assert_eq!(message(&missing), format!("find the build context `{}`", missing.display()));
}
