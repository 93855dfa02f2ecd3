//! What is said of builds that succeed.

use super::order::{Order, base, glibc, python};
use super::wheel::{Wheel, wheel};
use crate::layers::{Member, file, program};

/// What is said of a build on this base.
#[track_caller]
fn said(base: &[Member], table: &str, wheels: &[Wheel]) -> String {
    let files: Vec<_> = wheels.iter().map(Wheel::served).collect();
    Order::on(base, &format!("index-url = \"http://INDEX/simple/\"\n{table}"), &files).built()
}

/// A distribution as pip leaves it.
fn installed(name: &str, version: &str) -> Vec<Member> {
    let site = "usr/local/lib/python3.11/site-packages";
    let info = format!("{name}-{version}.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let record = format!("{name}/__init__.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n");
    vec![
        file(&format!("{site}/{name}/__init__.py"), b"# of the base\n"),
        file(&format!("{site}/{info}/METADATA"), metadata.as_bytes()),
        file(&format!("{site}/{info}/RECORD"), record.as_bytes()),
        file(&format!("{site}/{info}/INSTALLER"), b"pip\n"),
    ]
}

#[test]
fn nothing_where_all_is_well() {
    let said = said(&base(), "requirements = [\"lib==1.0\"]", &[wheel("lib", "1.0")]);
    assert_eq!(said, "exit 0\n");
}

#[test]
fn other_versions_in_the_base() {
    let mut members = base();
    members.extend(installed("lib", "0.9"));
    members.extend(installed("tool", "0.9"));
    let wheels = [wheel("lib", "1.0"), wheel("tool", "1.0")];
    let table = "requirements = [\"lib==1.0\", \"tool==1.0\"]";
    insta::assert_snapshot!(said(&members, table, &wheels), @"
    exit 0
    warning: installed versions are replaced: `lib 0.9 → 1.0`, `tool 0.9 → 1.0`
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
}

#[test]
fn musl() {
    let mut members = python("3.12", "11");
    let database = b"P:musl\nV:1.2.5-r9\n\n";
    members.push(file("lib/apk/db/installed", database));
    members.push(file("lib/ld-musl-x86_64.so.1", b"musl"));
    let table = "requirements = [\"lib==1.0\"]";
    insta::assert_snapshot!(said(&members, table, &[wheel("lib", "1.0")]), @"
    exit 0
    warning: the image has musl for its C library, for which many packages have no wheels; and results of floating-point functions can differ from glibc's
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: a base on Debian, such as a `-slim` one, has glibc

    ");
}

#[test]
fn a_python_past_its_end() {
    let mut members = python("3.8", "20");
    members.push(glibc());
    let table = "requirements = [\"lib==1.0\"]";
    insta::assert_snapshot!(said(&members, table, &[wheel("lib", "1.0")]), @"
    exit 0
    warning: Python 3.8 gets no security fixes since 2024-10-07 (PEP 569)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: take a base image with a newer Python
    ");
}

#[test]
fn what_is_not_pinned_is_pinned_by_the_lock() {
    let names = ["a", "b"].map(|name| wheel(name, "1.0"));
    insta::assert_snapshot!(said(&base(), "requirements = [\"a\", \"b>=1\"]", &names), @"exit 0");
    let address = "requirements = [\"lib @ http://INDEX/files/lib-1.0-py3-none-any.whl\"]";
    insta::assert_snapshot!(said(&base(), address, &[wheel("lib", "1.0")]), @"exit 0");
}

#[test]
fn wheels_for_another_platform_in_a_directory() {
    let mut order = Order::of(
        "requirements = [\"lib==1.0\"]\nfind-links = [\"wheels\"]",
        &[wheel("lib", "1.0")],
    );
    for tags in ["cp311-cp311-win_amd64", "cp311-cp311-macosx_11_0_arm64", "cp39-cp39-linux_x86_64"]
    {
        let other = wheel("lib", "1.0").tags(tags);
        order = order.bytes(&format!("wheels/{}", other.filename()), &other.bytes());
    }
    insta::assert_snapshot!(order.built(), @"
    exit 0
    warning: no wheel of lib in the given directories is for CPython 3.11 on x86_64 with glibc 2.36: wheels/lib-1.0-cp311-cp311-macosx_11_0_arm64.whl, wheels/lib-1.0-cp311-cp311-win_amd64.whl, wheels/lib-1.0-cp39-cp39-linux_x86_64.whl
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
}

#[test]
fn several_pythons() {
    let mut members = base();
    members.push(program("usr/bin/python3.9", b"a program"));
    members.push(file("usr/lib/python3.9/os.py", b"# os\n"));
    let table = "requirements = [\"lib==1.0\"]";
    insta::assert_snapshot!(said(&members, table, &[wheel("lib", "1.0")]), @r#"
    exit 0
    warning: packages are installed for `/usr/local/bin/python3.11`, and the image also has `/usr/bin/python3.9`
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: to choose, set `interpreter = "/usr/bin/python3.9"`
    "#);
}
