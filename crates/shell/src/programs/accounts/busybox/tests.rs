//! What BusyBox 1.35 does in the same directories.

use crate::fixture::Image;

fn image() -> Image {
    let mut image = Image::new();
    image.file("usr/bin/busybox", "\u{7f}ELF\0Linux User,,,\0/bin/false\0", 0o755);
    for name in ["adduser", "addgroup", "sh"] {
        image.link(&format!("usr/bin/{name}"), "busybox");
    }
    image
        .file("etc/passwd", "root:x:0:0::/root:/bin/ash\nold:x:100:100::/:/bin/sh\n", 0o644)
        .file("etc/group", "root:x:0:\nold:x:100:\nmany:x:7:root,old\nnogroup:x:99:\n", 0o644)
        .file("etc/shadow", "root:*::0:::::\nnew:!:1::::::\n", 0o640);
    image.file("etc/gshadow", "root:*::\nmany:!::root,old\nnogroup:!::\n", 0o640);
    image.directory("etc/skel", 0o755).file("etc/skel/.profile", "p", 0o640);
    image
}

/// As a build of it does in a chroot with the same files.
#[test]
fn users_and_groups_are_added() {
    let image = image();
    for row in include_str!("transcript.txt").split("\n$ ").skip(1) {
        let (line, expected) = row.split_once('\n').unwrap_or((row, ""));
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(image.show(&words), expected.trim_end(), "{line}");
    }
}

/// Builds have other shells for accounts of systems, and other comments.
#[test]
fn what_nobody_said_is_what_the_program_says() {
    for (program, expected) in [
        ("Linux User,,,\0/sbin/nologin\0", "app:x:101:99:Linux User,,,:/home/app:/sbin/nologin"),
        ("Linux User,,,\0", "`adduser` has something else than /bin/false or /sbin/nologin"),
        ("Linux User,,,\0/sbin/nologin\0/bin/false\0", "has something else than /bin/false or"),
        ("/bin/false\0", "`adduser` has something else than Linux User,,,"),
    ] {
        let mut image = image();
        image.file("usr/bin/busybox", program, 0o755);
        let shown = image.show(&["adduser", "-S", "app"]);
        assert!(shown.contains(expected), "{program:?}: {shown}");
    }
}
