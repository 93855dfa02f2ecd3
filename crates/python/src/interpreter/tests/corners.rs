//! What variables change, what lies, and what is not there.

use super::{BOOKWORM, DEBIAN, OFFICIAL, shown};
use crate::Libc;
use crate::fixture::Image;

#[test]
fn variables_add_directories() {
    let mut image = Image::of(DEBIAN)
        .with_layer(OFFICIAL)
        .with_variable("PYTHONPATH", "/app/lib:relative::/usr/local/lib/python3.12/site-packages")
        .with_variable("PYTHONUSERBASE", "/home/app/.local");
    let search = |image: &mut Image| {
        let paths = image.discover(None).unwrap().target.interpreter.search_path;
        paths.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(search(&mut image), @"
    app/lib
    usr/local/lib/python3.12/site-packages
    home/app/.local/lib/python3.12/site-packages
    ");
    let mut image =
        image.with_variable("PYTHONNOUSERSITE", "1").with_variable("PYTHONHOME", "/opt/python");
    insta::assert_snapshot!(search(&mut image), @"
    app/lib
    usr/local/lib/python3.12/site-packages
    opt/python/lib/python3.12/site-packages
    ");
}

#[test]
fn the_version_is_what_the_files_say() {
    let version = |image: Image| {
        let mut image = image;
        image.discover(None).unwrap().target.interpreter.version.to_string()
    };
    let without_header = || {
        let gone = "-usr/local/include";
        Image::of(DEBIAN).with_layer(OFFICIAL).with_layer(gone)
    };
    assert_eq!(version(without_header()), "3.12");
    assert_eq!(version(without_header().with_variable("PYTHON_VERSION", "3.12.4")), "3.12.4");
    assert_eq!(version(without_header().with_variable("PYTHON_VERSION", "3.11.4")), "3.12");
    assert_eq!(version(without_header().with_variable("PYTHON_VERSION", "3.12")), "3.12");
    let lying = Image::of(DEBIAN).with_layer(OFFICIAL).with_variable("PYTHON_VERSION", "3.12.4");
    assert_eq!(version(lying), "3.12.11");
    let garbled = "#define PY_VERSION\n#define PY_VERSION \"\u{fffd}\"\n\0\0";
    let garbled = without_header().with_file("usr/local/include/python3.12/patchlevel.h", garbled);
    assert_eq!(version(garbled), "3.12");
}

#[test]
fn no_python() {
    insta::assert_snapshot!(shown(&mut Image::of(DEBIAN), None), @"
    the image has no Python
    hint: take a base image with a Python 3, such as `python:3.13-slim`
    ");
    insta::assert_snapshot!(shown(&mut Image::of(""), Some("3.12")), @"
    the image has no Python
    hint: take a base image with a Python 3, such as `python:3.13-slim`
    ");
    let second = "usr/bin/python -> python2.7\n usr/bin/python2.7*";
    insta::assert_snapshot!(shown(&mut Image::of(DEBIAN).with_layer(second), None), @"
    the image has no Python 3, only /usr/bin/python (2.7)
    hint: take a base image with a Python 3, such as `python:3.13-slim`
    ");
    let dangling = "usr/bin/python3 -> python3.11\n usr/bin/python -> python\n usr/bin/python3.12/";
    insta::assert_snapshot!(shown(&mut Image::of(DEBIAN).with_layer(dangling), None), @"
    the image has no Python
    hint: take a base image with a Python 3, such as `python:3.13-slim`
    ");
    let not_executable = "usr/bin/python3.12";
    insta::assert_snapshot!(shown(&mut Image::of(DEBIAN).with_layer(not_executable), None), @"
    the image has no Python
    hint: take a base image with a Python 3, such as `python:3.13-slim`
    ");
}

#[test]
fn off_the_path() {
    let one = "opt/a/bin/python3.12*";
    let two = "opt/b/bin/python3.13*";
    insta::assert_snapshot!(shown(&mut Image::of(DEBIAN).with_layer(one), None), @"
    /opt/a/bin/python3.12 3.12, glibc 2.36
    purelib opt/a/lib/python3.12/site-packages
    scripts opt/a/bin
    headers opt/a/include/python3.12
    data    opt/a
    search  opt/a/lib/python3.12/site-packages
    ");
    let mut image = Image::of(DEBIAN).with_layer(one).with_layer(two);
    insta::assert_snapshot!(shown(&mut image, None), @"
    no Python is on the image's PATH; elsewhere there are /opt/a/bin/python3.12 (3.12), /opt/b/bin/python3.13 (3.13)
    hint: name one of them by its path or its version
    ");
    insta::assert_snapshot!(shown(&mut image, Some("3.14")), @"
    the image has no Python `3.14`; it has /opt/a/bin/python3.12 (3.12), /opt/b/bin/python3.13 (3.13)
    hint: name one of them by its path or its version
    ");
    insta::assert_snapshot!(shown(&mut image, Some("/opt/c/bin/python")), @"
    the image has no Python `/opt/c/bin/python`; it has /opt/a/bin/python3.12 (3.12), /opt/b/bin/python3.13 (3.13)
    hint: name one of them by its path or its version
    ");
}

#[test]
fn without_a_known_c_library() {
    let mut image = Image::of("usr/bin/python3.12*");
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/bin/python3.12 is there, but neither the GNU C library nor musl
    hint: compiled wheels need the system's C library: take a base image that has it with its package database
    ");
    image.platform.os = "windows".to_owned();
    insta::assert_snapshot!(shown(&mut image, None), @"
    packages can be installed into images for linux only, and this one is for windows
    hint: none
    ");
}

#[test]
fn a_huge_database_is_not_read() {
    let huge = vec![b'x'; 5 << 20];
    let mut image = Image::of(DEBIAN).with_layer(OFFICIAL).with_file("var/lib/dpkg/status", huge);
    image = image.with_file(
        "usr/lib/x86_64-linux-gnu/libc.so.6",
        "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.",
    );
    let target = image.discover(None).unwrap().target;
    assert_eq!(target.libc, Libc::Glibc { major: 2, minor: 36 });
}

#[test]
fn markers_of_a_target() {
    let mut image = Image::of(DEBIAN).with_layer(BOOKWORM);
    let markers = image.discover(None).unwrap().target.markers();
    let lines = markers.named().map(|(name, value)| format!("{name}={value}"));
    insta::assert_snapshot!(lines.join("\n"), @"
    os_name=posix
    sys_platform=linux
    platform_machine=x86_64
    platform_python_implementation=CPython
    platform_release=
    platform_system=Linux
    platform_version=
    python_version=3.11
    python_full_version=3.11.2
    implementation_name=cpython
    implementation_version=3.11.2
    ");
}
