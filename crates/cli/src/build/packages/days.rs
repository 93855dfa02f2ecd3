//! What an archive gives does not depend on the day on which it is asked.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use testbed::deb::scripted_deb;
use testbed::debian::{ArchiveKey, Publication, SmallArchive};

use crate::environment::Environment;
use crate::flags::{Command, parse_for_test};
use crate::session::Session;

const CONTROL: &str = "Package: dated\nVersion: 1.0\nArchitecture: amd64\n\
    Maintainer: Nobody <nobody@example.org>\nDescription: asks what time it is\n";
const SCRIPT: &str =
    "#!/bin/sh\nset -e\ndate > /dated\nmkdir -p /tmp\nmktemp /tmp/dated.XXXXXX >> /dated\n";

/// An archive whose package asks for the time, and a context that installs it in both ways.
fn archive(context: &Path) -> SmallArchive {
    let (mut archive, key) = (SmallArchive::start().unwrap(), ArchiveKey::of("archive"));
    let data = [("./", b'5', "", &b""[..]), ("./file", b'0', "", b"file")];
    archive.file(CONTROL, &scripted_deb(CONTROL, &[("./postinst", SCRIPT)], &data));
    archive.publish(&Publication { fields: &[], key: Some(&key) });
    let address = archive.address();
    let toml = format!(
        "base = \"scratch\"\n[debian]\npackages = [\"dated\"]\nsources = [\"{address}\"]\n\
         suites = [\"stable\"]\nkeys = [\"key.asc\"]\n"
    );
    let dockerfile = "FROM scratch\nCOPY --chmod=755 base /\n\
         RUN [\"apt-get\", \"update\"]\nRUN [\"apt-get\", \"install\", \"-y\", \"dated\"]\n";
    let source = format!("deb {address} stable main\n");
    for (path, text) in [
        ("plywood.toml", &*toml),
        ("Dockerfile", dockerfile),
        ("key.asc", &key.public()),
        ("base/etc/apt/sources.list", &source),
        ("base/etc/apt/trusted.gpg.d/key.asc", &key.public()),
        ("base/var/lib/dpkg/status", ""),
        ("base/usr/bin/apt-get", "nothing runs"),
        ("base/usr/bin/date", "nothing runs"),
        ("base/usr/bin/mkdir", "nothing runs"),
        ("base/usr/bin/mktemp", "nothing runs"),
        ("base/bin/dash", "nothing runs"),
        ("base/tmp/none", ""),
    ] {
        let path = context.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    symlink("dash", context.join("base/bin/sh")).unwrap();
    archive
}

/// What becomes of the lock of an earlier day.
#[derive(Debug, Clone, Copy)]
enum Lock {
    Forgotten,
    Kept,
}

/// The image that comes of a recipe on a day, in a store that has nothing yet.
fn built(home: &Path, recipe: &str, day: &str, lock: Lock) -> String {
    let store = home.join(format!("{recipe}-{day}-{lock:?}"));
    let (identifier, context) = (store.join("id"), home.join("context"));
    fs::create_dir_all(&store).unwrap();
    if let Lock::Forgotten = lock {
        let _ = fs::remove_file(crate::build::lock::of_recipe(&context.join(recipe)));
    }
    let (file, text) = (context.join(recipe), |path: &Path| path.display().to_string());
    let output = format!("--iidfile={}", text(&identifier));
    let line = [
        "build",
        "-q",
        "--progress=quiet",
        "--store",
        &text(&store.join("store")),
        "-f",
        &text(&file),
        &output,
        "--platform=linux/amd64",
        &text(&context),
    ];
    let mut environment = Environment::of(&[]);
    environment.now = format!("{day}T00:00:00Z").parse().unwrap();
    let invocation = parse_for_test(&line, &environment).unwrap();
    let Command::Build(arguments) = invocation.command else { panic!("it builds") };
    let session = Session::new(environment, invocation.settings);
    crate::build::build(&arguments, &session).unwrap();
    fs::read_to_string(identifier).unwrap()
}

#[test]
fn builds_of_different_days_are_the_same() {
    let home = tempfile::tempdir().unwrap();
    let _archive = archive(&home.path().join("context"));
    for recipe in ["plywood.toml", "Dockerfile"] {
        let days = ["2026-01-02", "2026-11-26", "2031-07-07"];
        for lock in [Lock::Forgotten, Lock::Kept] {
            let [first, second, third] = days.map(|day| built(home.path(), recipe, day, lock));
            assert_eq!((&first, &first), (&second, &third), "{recipe}: {lock:?}");
        }
    }
}
