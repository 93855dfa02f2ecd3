//! Archives of Debian packages that have moved on, on a machine that has nothing of what they were:
//! the packages are still there, and the files that announced them are not.

use std::fs;

use testbed::debian::{ArchiveKey, Publication, SmallArchive};

use crate::debian::{add_package, key, publish, scene, shown};
use crate::setting::Setting;

/// Writes a recipe with this line on the base.
fn recipe(setting: &Setting, line: &str) {
    setting.file("Dockerfile", &format!("FROM scratch\nCOPY --chmod=755 base /\nRUN {line}\n"));
}

/// Installs packages, and leaves no lists.
fn installing(packages: &str) -> String {
    format!("apt-get update && apt-get install -y {packages} && rm -rf /var/lib/apt/lists/*")
}

/// A recipe that installs `hello 1.0` from an archive, and leaves no lists.
fn one_package() -> (Setting, SmallArchive) {
    let (setting, archive) = scene();
    recipe(&setting, &installing("hello"));
    (setting, archive)
}

/// From now on the archive has `hello 2.0` and lists no other.
fn move_on(archive: &mut SmallArchive) {
    archive.withdraw("hello", "1.0");
    add_package(archive, "hello", "2.0", "");
    publish(archive, &[]);
}

/// What is said on the way about archives that have moved on.
fn notes(setting: &Setting, archive: &SmallArchive, more: &[&str]) -> (String, String) {
    let words = [&["build", "context"], more].concat();
    let ended = setting.ended(&mut setting.command_telling(&words));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told = ended.stderr.lines().filter(|line| line.contains("moved on"));
    let told: Vec<&str> = told.filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    (ended.stdout.trim_end().to_owned(), shown(archive, &told.join("\n")))
}

#[test]
fn the_lock_has_what_is_needed_of_lists() {
    let (setting, archive) = one_package();
    setting.build(&[]);
    let lock = setting.lock();
    let (_, tables) = lock.split_once("[[archive]]\n").unwrap();
    let (tables, _) = tables.split_once("\n[[layer]]").unwrap();
    let is_stable = |line: &&str| {
        let changes = ["taken", "digest", "size", "    \"sha256"];
        !changes.iter().any(|change| line.starts_with(change))
    };
    let stable: Vec<&str> = tables.lines().filter(is_stable).collect();
    insta::assert_snapshot!(shown(&archive, &stable.join("\n")), @r#"
    url = "http://127.0.0.1:00000/debian/dists/stable/InRelease"
    says = [
        "Origin: Test",
        "Label: Test",
        "Suite: stable",
        "Codename: test",
        "Date: Thu, 01 Jan 2026 00:00:00 UTC",
        "Acquire-By-Hash: yes",
        "Architectures: amd64 arm64",
        "Components: main",
    ]

    [[archive.list]]
    name = "main/binary-amd64/Packages"
    questions = [
    ]
    packages = [
        "hello 1.0 amd64",
    ]

    [[deb]]
    name = "hello"
    version = "1.0"
    architecture = "amd64"
    file = "hello_1.0_amd64.deb"
    says = [
        "Filename: pool/main/hello_1.0_amd64.deb",
    ]
    "#);
}

#[test]
fn a_lock_outlives_the_lists() {
    let (setting, mut archive) = one_package();
    let digest = setting.build(&[]);
    let lock = setting.lock();
    move_on(&mut archive);
    assert_eq!(setting.build_elsewhere("two", &["--locked"]), digest);
    // Nothing in the question changed, so it is honoured without a word.
    let (built, told) = notes(&setting, &archive, &[&setting.elsewhere("three")]);
    assert_eq!((built, told.as_str()), (digest.clone(), ""));
    assert_eq!(setting.lock(), lock);
    // Nor does it matter on the way to a lock, or if the lists are there no more at all.
    setting.answer(&["lock", "context", &setting.elsewhere("four")]);
    assert_eq!(setting.lock(), lock);
    fs::remove_dir_all(archive.path("")).unwrap();
    assert_eq!(setting.build_elsewhere("five", &["--locked"]), digest);
    // What is built there is as good as the first.
    assert_eq!(setting.build(&["--locked"]), digest);
}

#[test]
fn a_package_that_is_gone_is_named() {
    let (setting, mut archive) = one_package();
    setting.build(&[]);
    let lock = setting.lock();
    move_on(&mut archive);
    fs::remove_file(archive.path("../../pool/main/hello_1.0_amd64.deb")).unwrap();
    let words = ["build", "--locked", "context", &setting.elsewhere("two")];
    insta::assert_snapshot!(shown(&archive, &setting.refused(&words)), @r"
    exit 12
    error: failed to keep to `context/plywood.lock`: the package hello 1.0 amd64 from http://127.0.0.1:00000/debian/pool/main/hello_1.0_amd64.deb, which it pins, is not there any more
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello && rm -rf /var/lib/apt/lists/*
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: have a source that keeps what it had, such as a mirror or a snapshot; or take what is there now: `plywood lock --upgrade`, for bases only `--upgrade-base`
    ");
    assert_eq!(setting.lock(), lock);
    // Without a lock to keep to, what is there now is taken.
    let (_, told) = notes(&setting, &archive, &[&setting.elsewhere("three")]);
    insta::assert_snapshot!(told, @"http://127.0.0.1:00000/debian/dists/stable/InRelease has moved on since `context/plywood.lock` was written: the package hello 1.0 amd64 from http://127.0.0.1:00000/debian/pool/main/hello_1.0_amd64.deb, which it pins, is not there any more; what is there now is taken and pinned");
    assert!(setting.versions().contains("hello_2.0_amd64.deb"), "{}", setting.versions());
    setting.build_elsewhere("four", &["--locked"]);
}

#[test]
fn another_question_is_asked_of_the_archive_as_it_is() {
    let (setting, mut archive) = one_package();
    setting.build(&[]);
    move_on(&mut archive);
    add_package(&mut archive, "more", "1", "");
    publish(&archive, &[]);
    recipe(&setting, &installing("hello more"));
    let words = ["build", "--locked", "context", &setting.elsewhere("two")];
    insta::assert_snapshot!(shown(&archive, &setting.refused(&words)), @r"
    exit 12
    error: failed to keep to `context/plywood.lock`: it has no answer to what is asked of http://127.0.0.1:00000/debian stable/main amd64 Packages now, which cannot be had any more as it was: packages, settings, or the packages below are others
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y hello more && rm -rf /var/lib/apt/lists/*
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: `plywood lock --upgrade`, or a build without `--locked`, takes the archive as it is now; or have a source that keeps what it had, such as a mirror or a snapshot
    ");
    let (_, told) = notes(&setting, &archive, &[&setting.elsewhere("three")]);
    insta::assert_snapshot!(told, @"http://127.0.0.1:00000/debian/dists/stable/InRelease has moved on since `context/plywood.lock` was written: it has no answer to what is asked of http://127.0.0.1:00000/debian stable/main amd64 Packages now, which cannot be had any more as it was: packages, settings, or the packages below are others; what is there now is taken and pinned");
    let versions = setting.versions();
    assert!(versions.contains("hello_2.0") && versions.contains("more_1"), "{versions}");
    assert!(!versions.contains("hello_1.0"), "{versions}");
    setting.build_elsewhere("four", &["--locked"]);
}

#[test]
fn what_was_left_out_before_is_not_left_out_now() {
    let (setting, mut archive) = one_package();
    archive.withdraw("hello", "1.0");
    add_package(&mut archive, "hello", "1.0", "Recommends: extra\n");
    add_package(&mut archive, "extra", "1", "");
    publish(&archive, &[]);
    recipe(&setting, &installing("--no-install-recommends hello"));
    setting.build(&[]);
    assert!(!setting.versions().contains("extra"));
    move_on(&mut archive);
    recipe(&setting, &installing("hello"));
    let refused = setting.refused(&["build", "--locked", "context", &setting.elsewhere("two")]);
    assert!(refused.contains("no answer"), "{refused}");
}

#[test]
fn choices_are_made_as_they_were() {
    let (setting, mut archive) = scene();
    let add = |archive: &mut SmallArchive, name: &str, version: &str, fields: &str| {
        add_package(archive, name, version, fields);
    };
    for (name, version, fields) in [
        ("aaa", "1", "Depends: zzz\n"),
        ("app", "1", "Depends: daemon | other, mail, libapp (>= 2)\nRecommends: docs\n"),
        ("daemon", "1", "Conflicts: hello\n"),
        ("docs", "1", "Depends: missing\n"),
        ("exim", "1", "Provides: mail\nPriority: extra\n"),
        ("libapp", "2", "Depends: zzz, base-files (>= 1)\n"),
        ("mailer", "1", "Provides: mail\nPriority: important\n"),
        ("other", "1", "Depends: libapp\n"),
        ("base-files", "9", "Essential: yes\n"),
        ("zzz", "1", ""),
    ] {
        add(&mut archive, name, version, fields);
    }
    publish(&archive, &[]);
    // The archive has a later version of something that is there.
    let status = "Package: base-files\nStatus: install ok installed\nVersion: 1\n\
        Architecture: amd64\nMaintainer: Nobody <nobody@example.org>\nDescription: base\n";
    setting.file("base/var/lib/dpkg/status", status);
    recipe(&setting, &installing("app hello"));
    let digest = setting.build(&[]);
    for (name, version) in
        [("app", "1"), ("libapp", "2"), ("exim", "1"), ("hello", "1.0"), ("base-files", "9")]
    {
        archive.withdraw(name, version);
        add(&mut archive, name, "10", "");
    }
    publish(&archive, &[]);
    assert_eq!(setting.build_elsewhere("two", &["--locked"]), digest);
    let (built, told) = notes(&setting, &archive, &[&setting.elsewhere("three")]);
    assert_eq!((built, told.as_str()), (digest, ""));
}

#[test]
fn several_archives_and_several_installations_are_the_same() {
    let (setting, mut archive) = one_package();
    let mut second = SmallArchive::start().unwrap();
    add_package(&mut second, "other", "1", "Depends: hello\n");
    publish(&second, &[]);
    let more = "apt-get update && apt-get install -y other && rm -rf /var/lib/apt/lists/*";
    recipe(&setting, &format!("{}\nRUN {more}", installing("hello")));
    let sources = [archive.address(), second.address()];
    let sources = sources.map(|address| format!("deb {address} stable main\n")).concat();
    setting.file("base/etc/apt/sources.list", &sources);
    let digest = setting.build(&[]);
    move_on(&mut archive);
    assert_eq!(setting.build_elsewhere("two", &["--locked"]), digest);
    second.withdraw("other", "1");
    publish(&second, &[]);
    assert_eq!(setting.build_elsewhere("three", &["--locked"]), digest);
}

#[test]
fn a_table_of_packages_is_the_same() {
    let (setting, mut archive) = one_package();
    fs::remove_file(setting.path("Dockerfile")).unwrap();
    setting.file("key.asc", &key().public());
    setting.file(
        "plywood.toml",
        &format!(
            "base = \"scratch\"\nplatforms = [\"linux/amd64\"]\n\n[debian]\npackages = [\"hello\"]\n\
             sources = [\"{}\"]\nsuites = [\"stable\"]\nkeys = [\"key.asc\"]\n",
            archive.address()
        ),
    );
    let digest = setting.build(&[]);
    move_on(&mut archive);
    assert_eq!(setting.build_elsewhere("two", &["--locked"]), digest);
    let (built, told) = notes(&setting, &archive, &[&setting.elsewhere("three")]);
    assert_eq!((built, told.as_str()), (digest, ""));
}

/// What a build keeping to this lock is refused with.
fn refused_with(setting: &Setting, archive: &SmallArchive, lock: &str) -> String {
    setting.file("plywood.lock", lock);
    let words = ["build", "--locked", "context", &setting.elsewhere("two")];
    let refused = shown(archive, &setting.refused(&words));
    let lines = refused.lines().filter(|line| line.starts_with("error") || line.contains("exit"));
    lines.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_lock_that_says_odd_things_is_refused() {
    let (setting, mut archive) = one_package();
    setting.build(&[]);
    move_on(&mut archive);
    let lock = setting.lock();
    let (before, list) = lock.split_once("[[archive.list]]").unwrap();
    let line = |text: &str, key: &str| {
        let mut lines = text.lines();
        lines.find(|line| line.starts_with(key)).unwrap().to_owned()
    };
    let size = line(list, "size = ");
    let (_, deb) = lock.split_once("[[deb]]").unwrap();
    let digest = line(deb, "digest = ");
    let other = format!("digest = \"{}\"", oci::Digest::of(b"another"));
    let in_list =
        |from: &str, to: &str| format!("{before}[[archive.list]]{}", list.replacen(from, to, 1));
    let changed = [
        in_list(&size, "size = 99999999999999"),
        in_list(&size, "size = -1"),
        in_list("hello 1.0 amd64", "hello"),
        in_list("\"Filename: ", "\"Filename\\n\\nPackage: "),
        in_list("main/binary", "main\\nbinary"),
        lock.replacen(&digest, &other, 1),
        lock.replacen("\"Filename: ", "\"Depends: other\",\n    \"Filename: ", 1),
    ];
    let mut said = String::new();
    for changed in &changed {
        assert_ne!(*changed, lock);
        said.push_str(&refused_with(&setting, &archive, changed));
        said.push('\n');
    }
    insta::assert_snapshot!(said, @r"
    exit 4 error: failed to read `context/plywood.lock`: the list `main/binary-amd64/Packages` has to have at most 1 GiB
    exit 4 error: failed to read `context/plywood.lock`: line 26: invalid value: integer `-1`, expected u64
    exit 4 error: failed to read `context/plywood.lock`: line 30: `hello` is not NAME VERSION ARCHITECTURE
    exit 4 error: failed to read `context/plywood.lock`: what the package hello_1.0_amd64.deb says is none of an archive's: `Filename  Package: pool/main/hello_1.0_amd64.deb` has a name that is none
    exit 4 error: failed to read `context/plywood.lock`: the list `main\nbinary-amd64/Packages` has to have a name without blanks
    exit 9 error: failed to accept hello 1.0 amd64 from http://127.0.0.1:00000/debian/pool/main/hello_1.0_amd64.deb: it has the digest sha256:f54c30b3258948db00e1788c772b424f3ecaab60f50ce96a550b1234f00684b6, and the archive's lists say sha256:ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5
    exit 11 error: the command fails with exit status 100:
    ");
}

#[test]
fn what_is_there_is_believed_before_the_lock() {
    let (setting, mut archive) = one_package();
    let digest = setting.build(&[]);
    let lock = setting.lock();
    let other = lock.replacen("\"Suite: stable\"", "\"Suite: other\"", 1);
    let other = other.replacen("\"Filename: ", "\"Depends: other\",\n    \"Filename: ", 1);
    setting.file("plywood.lock", &other);
    assert_eq!(setting.build_elsewhere("two", &["--locked"]), digest);
    // It is set right on the way.
    assert_eq!(setting.build_elsewhere("three", &[]), digest);
    assert_eq!(setting.lock(), lock);
    // A signature that nobody knows is no reason to believe it.
    setting.file("base/etc/apt/trusted.gpg.d/archive.asc", &ArchiveKey::of("other").public());
    add_package(&mut archive, "more", "1", "");
    let refused = setting.refused(&["build", "--locked", "context", &setting.elsewhere("four")]);
    assert!(refused.contains("is not signed"), "{refused}");
}

#[test]
fn a_suite_with_its_signature_apart_is_the_same() {
    let (setting, mut archive) = one_package();
    sign_apart(&archive);
    let digest = setting.build(&[]);
    archive.withdraw("hello", "1.0");
    add_package(&mut archive, "hello", "2.0", "");
    sign_apart(&archive);
    assert_eq!(setting.build_elsewhere("two", &["--locked"]), digest);
}

/// Publishes the suite's `Release` and `Release.gpg` in the place of its `InRelease`.
fn sign_apart(archive: &SmallArchive) {
    archive.publish(&Publication::default());
    let release = fs::read_to_string(archive.path("Release")).unwrap();
    fs::write(archive.path("Release.gpg"), key().sign_apart(&release)).unwrap();
}
