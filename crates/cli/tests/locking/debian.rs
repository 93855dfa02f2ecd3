//! Archives of Debian packages: what announces their files is pinned.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use testbed::debian::{ArchiveKey, Publication, SmallArchive};

use crate::setting::Setting;

pub(crate) fn key() -> ArchiveKey {
    ArchiveKey::of("archive")
}

fn add(archive: &mut SmallArchive, version: &str) {
    add_package(archive, "hello", version, "");
}

/// Adds a package with these fields beside the usual; where its file is.
pub(crate) fn add_package(
    archive: &mut SmallArchive,
    name: &str,
    version: &str,
    fields: &str,
) -> PathBuf {
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{fields}\
         Maintainer: Nobody <nobody@example.org>\nDescription: {name}\n"
    );
    let (text, path) = (format!("{name} {version}\n"), format!("./usr/bin/{name}"));
    let members = [
        ("./", b'5', "", &b""[..]),
        ("./usr/", b'5', "", b""),
        ("./usr/bin/", b'5', "", b""),
        (path.as_str(), b'0', "", text.as_bytes()),
    ];
    archive.package(&control, &members)
}

/// A recipe that takes a package from an archive.
pub(crate) fn scene() -> (Setting, SmallArchive) {
    let setting = Setting::new();
    let mut archive = SmallArchive::start().unwrap();
    add(&mut archive, "1.0");
    publish(&archive, &[]);
    fs::remove_file(setting.path("plywood.toml")).unwrap();
    setting.file(
        "Dockerfile",
        "FROM scratch\nCOPY --chmod=755 base /\nRUN apt-get update && apt-get install -y hello\n",
    );
    for name in ["apt-get", "dash", "dpkg", "rm", "true"] {
        setting.file(&format!("base/usr/bin/{name}"), "nothing runs\n");
    }
    let source = format!("deb {} stable main\n", archive.address());
    for (path, text) in [
        ("usr/sbin/none", ""),
        ("usr/lib/none", ""),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/:/bin/false\n"),
        ("etc/group", "root:x:0:\n"),
        ("etc/apt/sources.list", &source),
        ("etc/apt/trusted.gpg.d/archive.asc", &key().public()),
        ("var/lib/dpkg/status", ""),
        ("var/lib/dpkg/info/format", "1\n"),
        ("tmp/none", ""),
    ] {
        setting.file(&format!("base/{path}"), text);
    }
    for (name, target) in
        [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("usr/bin/sh", "dash"), ("lib", "usr/lib")]
    {
        symlink(target, setting.path("base").join(name)).unwrap();
    }
    (setting, archive)
}

pub(crate) fn publish(archive: &SmallArchive, fields: &[(&str, &str)]) {
    let path = archive.path("InRelease");
    let before = fs::metadata(&path).and_then(|file| file.modified());
    archive.publish(&Publication { fields, key: Some(&key()) });
    // Hosts tell by whole seconds whether a file is another.
    if let Ok(before) = before {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(before + Duration::from_secs(2)).unwrap();
    }
}

pub(crate) fn shown(archive: &SmallArchive, text: &str) -> String {
    let host = archive.host();
    text.replace(host.trim_start_matches("http://"), "127.0.0.1:00000")
}

#[test]
fn an_archive_that_moves_on_is_built_as_it_was() {
    let (setting, mut archive) = scene();
    let digest = setting.build(&[]);
    let earlier = setting.lock();
    add(&mut archive, "2.0");
    publish(&archive, &[]);
    let asked = archive.asked().len();
    assert_eq!(setting.build(&[]), digest);
    assert_eq!(setting.build(&["--locked"]), digest);
    assert_eq!(archive.asked().len(), asked, "nobody is asked");
    assert_eq!(setting.lock(), earlier);
    let elsewhere = setting.elsewhere("there");
    let words = ["build", "--locked", "context", &elsewhere];
    insta::assert_snapshot!(shown(&archive, &setting.refused(&words)), @r"
    exit 12
    error: failed to keep to `context/plywood.lock`: /var/lib/apt/lists/127.0.0.1:00000_debian_dists_stable_InRelease is needed whole, and cannot be had any more: of an archive's lists it has what was chosen, and no more
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: end the instruction with `rm -rf /var/lib/apt/lists/*`; or have a source that keeps what it had, such as a mirror or a snapshot; or take what is there now: `plywood lock --upgrade`
    ");
    let outdated = setting.ended(&mut setting.command(&["outdated", "context"]));
    insta::assert_snapshot!(shown(&archive, &outdated.stdout), @"
    KIND     NAME                                                  PLATFORM  LOCKED               NOW
    archive  http://127.0.0.1:00000/debian/dists/stable/InRelease            sha256:dfb185ff98ee  sha256:90bb8df16e60
    ");
    setting.answer(&["lock", "--upgrade-package=hello", "context"]);
    let difference = setting.difference(&earlier);
    let is_stable = |line: &&str| !line.contains("taken") && !line.contains("digest");
    let difference: Vec<&str> = difference.lines().filter(is_stable).collect();
    insta::assert_snapshot!(shown(&archive, &difference.join("\n")), @r#"
    -compression = "gzip:4"
    -size = 232
    -    "hello 1.0 amd64",
    -version = "1.0"
    -file = "hello_1.0_amd64.deb"
    -    "Filename: pool/main/hello_1.0_amd64.deb",
    -[[layer]]
    -platform = "linux/amd64"
    -title = "RUN apt-get install hello=1.0"
    -key = "sha256:57f572717a900fefee12af7407af561d46376211a1c9abcb76ca57874b8613b3"
    -media-type = "application/vnd.oci.image.layer.v1.tar+gzip"
    -size = 109
    -diff-id = "sha256:0df0dfeb2e3b7c0b76ff7243b0507b4509829c4e16cc8533854b9453d0f7555a"
    +size = 464
    +    "hello 2.0 amd64",
    +version = "2.0"
    +file = "hello_2.0_amd64.deb"
    +    "Filename: pool/main/hello_2.0_amd64.deb",
    "#);
}

#[test]
fn an_archive_that_lost_what_is_pinned_is_taken_as_it_is_now() {
    let (setting, mut archive) = scene();
    let digest = setting.build(&[]);
    add(&mut archive, "2.0");
    publish(&archive, &[]);
    let words = ["build", "context", &setting.elsewhere("there")];
    let ended = setting.ended(&mut setting.command_telling(&words));
    let told: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("moved on")).collect();
    let (_, told) = told.first().unwrap().split_once(' ').unwrap();
    insta::assert_snapshot!(shown(&archive, told), @"http://127.0.0.1:00000/debian/dists/stable/InRelease has moved on since `context/plywood.lock` was written: /var/lib/apt/lists/127.0.0.1:00000_debian_dists_stable_InRelease is needed whole, and cannot be had any more: of an archive's lists it has what was chosen, and no more; what is there now is taken and pinned");
    assert_eq!(ended.code, 0);
    assert_ne!(ended.stdout.trim_end(), digest);
    assert!(setting.versions().contains("hello_2.0_amd64.deb"), "{}", setting.versions());
    setting.build(&["--locked"]);
}

#[test]
fn a_lock_of_a_month_ago_has_not_expired() {
    let (setting, archive) = scene();
    publish(&archive, &[("Valid-Until", "Thu, 08 Jan 2026 00:00:00 UTC")]);
    // Everything here is later than that.
    let refused = setting.refused(&["build", "context"]);
    assert!(refused.contains("expired"), "{refused}");
    publish(&archive, &[]);
    setting.build(&[]);
    let (before, after) = (digest_of(&archive), setting.lock());
    publish(&archive, &[("Valid-Until", "Thu, 08 Jan 2026 00:00:00 UTC")]);
    let lock = after.replace(&before, &digest_of(&archive));
    let size = fs::metadata(archive.path("InRelease")).unwrap().len();
    let lock = with_lines(
        &lock,
        &[("taken = ", "\"2026-01-02T00:00:00Z\"".to_owned()), ("size = ", size.to_string())],
    );
    setting.file("plywood.lock", &lock);
    let elsewhere = setting.elsewhere("there");
    setting.build(&["--locked", &elsewhere]);
}

fn digest_of(archive: &SmallArchive) -> String {
    oci::Digest::of(&fs::read(archive.path("InRelease")).unwrap()).to_string()
}

/// The lock with other values in the table of the archive.
fn with_lines(lock: &str, values: &[(&str, String)]) -> String {
    let (before, table) = lock.split_once("[[archive]]").unwrap();
    let (table, after) = table.split_once("\n\n").unwrap();
    let line = |line: &str| {
        let other = values.iter().find(|(key, _)| line.starts_with(key));
        other.map_or_else(|| line.to_owned(), |(key, value)| format!("{key}{value}"))
    };
    let table: Vec<String> = table.lines().map(line).collect();
    format!("{before}[[archive]]{}\n\n{after}", table.join("\n"))
}
