//! What Linux would do.

use bstr::ByteSlice;

use super::*;
use crate::fixture::Image;
use crate::stop::Stop;

fn path(text: &str) -> ImagePath {
    ImagePath::lexical(text)
}

/// An image with a tree of links below `/work`.
fn image() -> Image {
    let mut image = Image::new();
    image.directory("work/d", 0o755).directory("work/d/sub", 0o755);
    image.file("work/d/f", "text", 0o644).file("work/d/sub/g", "more", 0o600);
    image.link("work/to-d", "d").link("work/loop", "loop").link("work/dangling", "d/new");
    image.link("work/up", "d/sub/../..").link("work/absolute", "/work/d/f");
    image
}

fn shown(files: &Files) -> String {
    let line = |changed: Changed| match changed.node {
        ChangedNode::Gone => format!("- {}", changed.path),
        ChangedNode::Directory { below } => {
            format!("+ {}/ {:o} {below:?}", changed.path, changed.attributes.mode)
        }
        ChangedNode::Hardlink(target) => format!("+ {} = {target}", changed.path),
        _ => format!("+ {} {:o}", changed.path, changed.attributes.mode),
    };
    files.changes().unwrap().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn paths_lead_where_linux_leads_them() {
    let files = image().files();
    let work = path("work");
    let check = |written: &str, last: Last, expected: &str| {
        let found = match files.locate(&work, written.as_bytes(), last) {
            Ok(Located { path, stat: Some(_) }) => path.to_string(),
            Ok(Located { path, stat: None }) => format!("{path}?"),
            Err(FileError::Errno(errno)) => errno.to_string(),
            Err(FileError::Stop(stop)) => format!("{stop:?}"),
        };
        assert_eq!(found, expected, "{written}");
    };
    check("to-d/f", Last::Followed, "work/d/f");
    check("to-d", Last::Kept, "work/to-d");
    check("to-d/", Last::Kept, "work/d");
    check("to-d/../x", Last::Followed, "work/x?");
    check("up/d", Last::Followed, "work/d");
    check("../bin/sh", Last::Followed, "usr/bin/dash");
    check("absolute", Last::Followed, "work/d/f");
    check("dangling", Last::Followed, "work/d/new?");
    check("loop", Last::Followed, "Too many levels of symbolic links");
    check("d/f/x", Last::Followed, "Not a directory");
    check("d/f/", Last::Followed, "Not a directory");
    check("d/gone/x", Last::Followed, "No such file or directory");
    check("", Last::Followed, "No such file or directory");
    check("new/", Last::Followed, "work/new?");
    check("///", Last::Followed, "");
    check("/../../etc/passwd", Last::Followed, "etc/passwd");
    check("/dev/null", Last::Followed, "dev/null");
    let name = "x".repeat(256);
    check(&name, Last::Followed, "File name too long");
}

#[test]
fn directories_are_not_too_deep_and_devices_not_read() {
    let mut files = image().files();
    let mut at = path("work");
    let stop = loop {
        match files.locate(&at, b"x", Last::Followed) {
            Ok(located) => at = located.path,
            Err(FileError::Stop(stop)) => break stop,
            Err(FileError::Errno(errno)) => panic!("{errno}"),
        }
        files.make(&at, NewNode::Directory, 0o755).unwrap();
    };
    assert_eq!(at.components().count(), 128);
    let Stop::Limit(limit) = stop else { panic!("{stop:?}") };
    assert_eq!(limit.to_string(), "the depth of directories reached the limit of 128");

    assert_eq!(files.data(&path("dev/null")), Ok(Data::empty()));
    let Err(FileError::Stop(Stop::Refused(refusal))) = files.data(&path("dev/zero")) else {
        panic!("a device is read");
    };
    assert_eq!(refusal.to_string(), "`/dev/zero` is a device or a pipe to be read");
}

#[test]
fn changes_are_what_differs_at_the_end() {
    let mut files = image().files();
    files.make(&path("work/new"), NewNode::Directory, 0o755).unwrap();
    files.make(&path("work/new/a"), NewNode::File(Data::of("x")), 0o644).unwrap();
    files.link(&path("work/new/a"), &path("work/new/b")).unwrap();
    files.set_mode(&path("work/d/f"), 0o600).unwrap();
    files.rename(&path("work/d/sub"), &path("work/moved")).unwrap();
    files.remove(&path("work/loop")).unwrap();
    files.make(&path("work/passing"), NewNode::Directory, 0o755).unwrap();
    files.remove(&path("work/passing")).unwrap();
    insta::assert_snapshot!(shown(&files), @r"
    + work/d/f 600
    - work/d/sub
    - work/loop
    + work/moved/ 755 Shown
    + work/moved/g 600
    + work/new/ 755 Shown
    + work/new/a 644
    + work/new/b = work/new/a
    ");
    files.set_mode(&path("work/d/f"), 0o644).unwrap();
    files.remove_all(&path("work/d")).unwrap();
    files.make(&path("work/d"), NewNode::Directory, 0o700).unwrap();
    files.make(&path("work/d/f"), NewNode::Fifo, 0o600).unwrap();
    files.remove_all(&path("work/new")).unwrap();
    insta::assert_snapshot!(shown(&files), @r"
    + work/d/ 700 Hidden
    + work/d/f 600
    - work/loop
    + work/moved/ 755 Shown
    + work/moved/g 600
    ");
}

#[test]
fn what_comes_back_is_no_change() {
    let mut files = image().files();
    files.rename(&path("work/d"), &path("work/e")).unwrap();
    files.rename(&path("work/e"), &path("work/d")).unwrap();
    // The directory is a new one, with the same things in it.
    insta::assert_snapshot!(shown(&files), @r"
    + work/d/ 755 Hidden
    + work/d/f 644
    + work/d/sub/ 755 Shown
    + work/d/sub/g 600
    ");
    let mut files = image().files();
    files.set_mode(&path("work/d"), 0o700).unwrap();
    files.set_mode(&path("work/d"), 0o755).unwrap();
    assert_eq!(shown(&files), "");
}

#[test]
fn directories_list_both_sides() {
    let mut files = image().files();
    files.make(&path("work/d/new"), NewNode::File(Data::empty()), 0o644).unwrap();
    files.make(&path("work/d/sub/deep"), NewNode::File(Data::empty()), 0o644).unwrap();
    files.remove(&path("work/d/f")).unwrap();
    let names = |at: &str| {
        let names = files.read_dir(&path(at)).unwrap().into_keys();
        names.map(|name| name.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("work/d"), "new sub");
    assert_eq!(names("work/d/sub"), "deep g");
    assert_eq!(names(""), "bin dev etc home proc root sys tmp usr work");
}

#[test]
fn others_may_not_what_root_may() {
    let mut image = image();
    image.user = User { uid: 1000, gid: 1000, groups: vec![33] };
    image.directory("work/open", 0o777).file("tmp/of-root", "", 0o644);
    let mut files = image.files();
    let denied = FileError::Errno(Errno::PermissionDenied);
    let not_permitted = FileError::Errno(Errno::NotPermitted);
    let make = |files: &mut Files, at: &str| files.make(&path(at), NewNode::Directory, 0o755);
    assert_eq!(make(&mut files, "work/x"), Err(denied.clone()));
    assert_eq!(make(&mut files, "work/open/x"), Ok(()));
    assert_eq!(make(&mut files, "tmp/x"), Ok(()));
    assert_eq!(files.remove(&path("tmp/of-root")), Err(not_permitted.clone()));
    assert_eq!(files.remove(&path("work/open/x")), Ok(()));
    assert_eq!(files.data(&path("work/d/sub/g")), Err(denied.clone()));
    assert_eq!(files.set_mode(&path("work/d/f"), 0o777), Err(not_permitted.clone()));
    assert_eq!(files.set_owner(&path("tmp/x"), Some(0), None), Err(not_permitted));
    assert_eq!(files.set_owner(&path("tmp/x"), None, Some(33)), Ok(()));
    let into_root = files.locate(&path("work"), b"/root/x", Last::Followed);
    assert_eq!(into_root, Err(denied));
}

#[test]
fn the_machine_is_not_looked_at() {
    let mut files = image().files();
    let refused = |result: FileResult<()>| match result {
        Err(FileError::Stop(crate::Stop::Refused(refusal))) => refusal.to_string(),
        other => format!("{other:?}"),
    };
    insta::assert_snapshot!(
        refused(files.stat(&path("proc/cpuinfo")).map(drop)),
        @"`/proc/cpuinfo` depends on the machine that runs it: the container's runtime makes it"
    );
    assert!(refused(files.read_dir(&path("sys")).map(drop)).starts_with("`/sys` depends"));
    assert!(refused(files.walk(&path("")).map(drop)).starts_with("`/dev` depends"));
    let made = files.make(&path("dev/sda"), NewNode::Fifo, 0o600);
    assert!(refused(made).starts_with("`/dev/sda` depends"));
    let made = files.make(&path("etc/hosts"), NewNode::Fifo, 0o600);
    assert!(refused(made).starts_with("`/etc/hosts` depends"));
    assert_eq!(files.remove(&path("dev")), Err(Errno::Busy.into()));
    assert_eq!(shown(&files), "");
}

#[test]
fn mounts_leave_no_trace() {
    let mut files = image().files();
    let secret = Attributes::root(0o400, 0);
    files.mount_file(&path("run/secrets/token"), Data::of("a SECRET"), secret).unwrap();
    files.mount_empty(&path("work/cache/deep"), Attributes::root(0o755, 0)).unwrap();
    assert_eq!(files.data(&path("run/secrets/token")), Ok(Data::of("a SECRET")));
    let names = files.read_dir(&path("run/secrets")).unwrap();
    assert_eq!(names.keys().next().map(|name| name.as_bytes()), Some(&b"token"[..]));
    let file = NewNode::File(Data::of("kept?"));
    files.make(&path("work/cache/deep/x"), file, 0o644).unwrap();
    assert_eq!(files.write(&path("run/secrets/token"), Data::empty()), Err(Errno::ReadOnly.into()));
    assert_eq!(files.remove(&path("run/secrets/token")), Err(Errno::Busy.into()));
    let moved = files.rename(&path("work/cache/deep/x"), &path("work/x"));
    assert_eq!(moved, Err(Errno::OtherDevice.into()));
    assert_eq!(shown(&files), "");
    files.make(&path("work/cache/own"), NewNode::File(Data::empty()), 0o644).unwrap();
    insta::assert_snapshot!(shown(&files), @r"
    + work/cache/ 755 Shown
    + work/cache/own 644
    ");
}

#[test]
fn changes_are_bounded() {
    let mut image = image();
    image.limits.files = 3;
    let mut files = image.files();
    let mut made =
        (0..4).map(|at| files.make(&path(&format!("work/{at}")), NewNode::Directory, 0o755));
    assert!(made.by_ref().take(3).all(|made| made.is_ok()));
    let Some(Err(FileError::Stop(crate::Stop::Limit(limit)))) = made.next() else { panic!() };
    assert_eq!(limit.to_string(), "the number of changed files reached the limit of 3");
}

#[test]
fn names_are_counted() {
    let mut image = image();
    image.entry("work/d/other", 0o644, layer::Node::Hardlink(path("work/d/f")));
    let mut files = image.files();
    let names = |files: &Files, at: &str| {
        let stat = files.stat(&path(at)).unwrap().unwrap();
        files.links(&stat).unwrap()
    };
    assert_eq!((names(&files, "work/d/f"), names(&files, "work/d/other")), (2, 2));
    files.make(&path("work/a"), NewNode::File(Data::empty()), 0o644).unwrap();
    files.link(&path("work/a"), &path("work/b")).unwrap();
    files.link(&path("work/a"), &path("work/d/c")).unwrap();
    assert_eq!((names(&files, "work/a"), names(&files, "work/d/c")), (3, 3));
    files.rename(&path("work/b"), &path("work/e")).unwrap();
    assert_eq!(names(&files, "work/e"), 3);
    files.remove_all(&path("work/d")).unwrap();
    files.put_whole(&path("work/e"), Attributes::root(0o644, 0), NewNode::Fifo).unwrap();
    assert_eq!((names(&files, "work/a"), names(&files, "work/e")), (1, 1));
}
