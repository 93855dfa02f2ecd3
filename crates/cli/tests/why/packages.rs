//! Packages that moved: wheels, what asks for them, Debian packages, and what URLs gave.

use std::fs;

use testbed::debian::{ArchiveKey, Publication, SmallArchive};
use testbed::{House, HouseFile, Index};

use crate::wheel::{Wheel, wheel};
use crate::world::{World, told};

/// A world whose base has a Python.
fn with_python() -> World {
    let world = World::new();
    let directory = world.scene.path("python");
    let files = [
        ("usr/local/bin/python3.11", "a program"),
        ("usr/local/include/python3.11/patchlevel.h", "#define PY_VERSION \"3.11.7\"\n"),
        ("usr/local/lib/python3.11/os.py", "# os\n"),
        ("usr/local/lib/python3.11/site-packages/README.txt", "packages\n"),
        (
            "var/lib/dpkg/status",
            "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u10\n",
        ),
    ];
    for (path, text) in files {
        let path = directory.join("files").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    std::os::unix::fs::symlink("python3.11", directory.join("files/usr/local/bin/python3"))
        .unwrap();
    let dockerfile =
        "FROM scratch\nCOPY --chmod=755 files /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n";
    fs::write(directory.join("Dockerfile"), dockerfile).unwrap();
    let flags = ["--platform=linux/amd64", "--push", "-t", "REGISTRY/base:python"];
    world.scene.answer(&[&["build"], flags.as_slice(), &["python"]].concat());
    world.remove("Dockerfile");
    world
}

/// Builds with requirements and an index of wheels, and again with others: what is said.
#[track_caller]
fn moved(old: (&str, &[Wheel]), new: (&str, &[Wheel])) -> Vec<String> {
    let world = with_python();
    let mut digests = Vec::new();
    for (requirements, wheels) in [old, new] {
        let files: Vec<HouseFile> = wheels.iter().map(Wheel::served).collect();
        let index = Index::of(&[&House::of_files(&files).unwrap()]).unwrap();
        world.forget_pins();
        world.file("requirements.txt", requirements);
        let table = format!(
            "base = \"REGISTRY/base:python\"\nplatforms = [\"linux/amd64\"]\n\n[python]\n\
             index-url = \"{}\"\nrequirements-files = [\"requirements.txt\"]\n",
            index.url()
        );
        world.file("plywood.toml", &table);
        digests.push(world.build(&[]));
    }
    told(&world.why(&[&digests[0], &digests[1]]))
}

#[test]
fn a_wheel_of_another_version() {
    let said = moved(
        ("lib\n", &[wheel("lib", "1.0")]),
        ("lib\n", &[wheel("lib", "1.0"), wheel("lib", "1.1")]),
    );
    assert_eq!(said, ["certain package changed lib: [PYTHON lib==1.1] changed, history"]);
}

#[test]
fn a_wheel_that_is_new_and_one_that_is_gone() {
    let wheels = [wheel("lib", "1.0"), wheel("more", "2.0")];
    assert_eq!(
        moved(("lib\n", &wheels), ("lib\nmore\n", &wheels)),
        [
            "certain package added more: [PYTHON lib==1.0] changed, history",
            "possible file changed requirements.txt: [PYTHON lib==1.0] changed?"
        ]
    );
    assert_eq!(
        moved(("lib\nmore\n", &wheels), ("lib\n", &wheels)),
        [
            "certain package removed more: [PYTHON lib==1.0] changed, history",
            "possible file changed requirements.txt: [PYTHON lib==1.0] changed?"
        ]
    );
}

#[test]
fn a_requirement_that_asks_otherwise_for_the_same() {
    let wheels = [wheel("lib", "1.0")];
    assert_eq!(moved(("lib\n", &wheels), ("lib>=1.0\n", &wheels)), ["equal"]);
}

#[test]
fn a_wheel_of_the_same_version_with_other_bytes() {
    let rebuilt = wheel("lib", "1.0").file("lib/more.py", "more\n");
    let said = moved(("lib\n", &[wheel("lib", "1.0")]), ("lib\n", &[rebuilt]));
    assert_eq!(
        said,
        ["certain package rebuilt lib-1.0-py3-none-any.whl: [PYTHON lib==1.0] changed"]
    );
}

/// A world whose base is a small Debian that knows this archive.
fn with_debian(archive: &SmallArchive) -> World {
    let world = World::new();
    let programs = ["apt-get", "cat", "dash", "dpkg", "rm", "true"];
    for name in programs {
        world.file(&format!("base/usr/bin/{name}"), "nothing runs\n");
    }
    let source = format!("deb {} stable main\n", archive.address());
    let files = [
        ("usr/lib/none", ""),
        ("usr/sbin/none", ""),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/:/bin/false\n"),
        ("etc/group", "root:x:0:\n"),
        ("etc/apt/sources.list", &source),
        ("etc/apt/trusted.gpg.d/archive.asc", &key().public()),
        ("var/lib/dpkg/status", ""),
        ("var/lib/dpkg/info/format", "1\n"),
        ("tmp/none", ""),
    ];
    for (path, text) in files {
        world.file(&format!("base/{path}"), text);
    }
    for (name, target) in
        [("bin", "usr/bin"), ("lib", "usr/lib"), ("sbin", "usr/sbin"), ("usr/bin/sh", "dash")]
    {
        std::os::unix::fs::symlink(target, world.path(&format!("base/{name}"))).unwrap();
    }
    world
}

fn key() -> ArchiveKey {
    ArchiveKey::of("archive")
}

fn add(archive: &mut SmallArchive, name: &str, version: &str) {
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\n\
         Maintainer: Nobody <nobody@example.org>\nDescription: a test\n"
    );
    let (directory, file) = (format!("./usr/share/{name}/"), format!("./usr/share/{name}/text"));
    archive.package(
        &control,
        &[
            ("./", b'5', "", b""),
            ("./usr/", b'5', "", b""),
            ("./usr/share/", b'5', "", b""),
            (&directory, b'5', "", b""),
            (&file, b'0', "", version.as_bytes()),
        ],
    );
}

fn publish(archive: &SmallArchive) {
    archive.publish(&Publication { fields: &[], key: Some(&key()) });
}

#[test]
fn a_debian_package_of_another_version() {
    let mut archive = SmallArchive::start().unwrap();
    add(&mut archive, "hello", "1.0");
    publish(&archive);
    let world = with_debian(&archive);
    let run = "RUN apt-get update && apt-get install -y hello && rm -rf /var/lib/apt/lists/*";
    world.file("Dockerfile", &format!("FROM scratch\nCOPY --chmod=755 base /\n{run}\n"));
    let flags = ["--platform=linux/amd64", "--no-cache"];
    let old = world.build(&flags);
    add(&mut archive, "hello", "1.1");
    publish(&archive);
    let new = world.build(&flags);
    assert_eq!(
        told(&world.why(&[&old, &new])),
        ["certain package changed hello: [RUN apt-get] changed, [RUN apt-get] changed, history"]
    );
    // The lists that stay in the image moved, and no package that is in it.
    let run = "RUN apt-get update && apt-get install -y hello";
    world.file("Dockerfile", &format!("FROM scratch\nCOPY --chmod=755 base /\n{run}\n"));
    let old = world.build(&flags);
    add(&mut archive, "other", "1.0");
    publish(&archive);
    let new = world.build(&flags);
    assert_eq!(
        told(&world.why(&[&old, &new])),
        ["certain package-archive changed apt: [RUN apt-get] changed"]
    );
}

#[test]
fn what_a_url_gives() {
    let archive = SmallArchive::start().unwrap();
    publish(&archive);
    fs::write(archive.path("tool"), "one\n").unwrap();
    let world = World::new();
    let url = format!("{}/dists/stable/tool", archive.address());
    world.file("Dockerfile", &format!("FROM scratch\nADD {url} /tool\nCOPY app /app\n"));
    let old = world.build(&[]);
    fs::write(archive.path("tool"), "two\n").unwrap();
    let new = world.build(&["--no-cache"]);
    let said = told(&world.why(&[&old, &new]));
    assert_eq!(said, [format!("certain download changed {url}: [ADD {url}] changed")]);
}
