//! Wheels that are broken or hostile.

use super::order::{Order, refused};
use super::wheel::{Wheel, wheel};

#[track_caller]
fn refused_wheel(wheel: Wheel) -> String {
    refused("requirements = [\"lib==1.0\"]", &[wheel])
}

fn lib() -> Wheel {
    wheel("lib", "1.0")
}

/// Text that deflate makes smaller, and that is large enough to keep its stream.
fn large() -> Vec<u8> {
    (0..20_000).flat_map(|number: u32| format!("{number}\n").into_bytes()).collect()
}

#[test]
fn wheels_that_are_cut_off() {
    insta::assert_snapshot!(refused_wheel(lib().cut_by(30)), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: it is not a whole zip archive (no end of central directory)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    let given = lib().cut_by(30);
    let order = Order::of("requirements = [\"./lib-1.0-py3-none-any.whl\"]", &[]);
    let order = order.bytes("lib-1.0-py3-none-any.whl", &given.bytes());
    insta::assert_snapshot!(order.refused(), @"
    exit 9
    error: failed to resolve the Python packages: the metadata of `lib-1.0-py3-none-any.whl` (context/plywood.toml:6) cannot be read: it is not a whole zip archive (no end of central directory)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the file is incomplete or damaged: fetch or build it again
    ");
}

#[test]
fn records_that_lie() {
    let small = lib().file("lib/data.txt", "mine").recorded_as(b"yours");
    insta::assert_snapshot!(refused_wheel(small), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its RECORD has another hash for `lib/data.txt` than the file
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is hostile or broken: do not use it
    ");
    let mut yours = large();
    yours[0] ^= 1;
    let kept = lib().file("lib/data.txt", large()).recorded_as(&yours);
    insta::assert_snapshot!(refused_wheel(kept), @"
    exit 9
    error: failed to lay `PYTHON lib==1.0`: install `lib-1.0-py3-none-any.whl`: `lib/data.txt` is not what the wheel's RECORD says
    hint: the wheel is damaged, or was made so: take another version or another index
    ");
}

#[test]
fn members_that_are_encrypted() {
    insta::assert_snapshot!(refused_wheel(lib().file("lib/key.txt", "hidden").encrypted()), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `lib/key.txt` is encrypted
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: unpack it and pack it again with `wheel pack`, which deflates
    ");
}

#[test]
fn names_that_lead_out() {
    let names = ["../../etc/passwd", "/etc/passwd", "lib/../../x", "lib/a\u{0}b"];
    let said = names.map(|name| refused_wheel(lib().file(name, "x")));
    insta::assert_snapshot!(said.join("\n"), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `../../etc/passwd` has a `..` in its path
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is hostile or broken: do not use it


    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `/etc/passwd` has an absolute path
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is hostile or broken: do not use it


    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `lib/../../x` has a `..` in its path
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is hostile or broken: do not use it


    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `lib/a�b` has a control character in its name
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(refused_wheel(lib().file("lib-1.0.data/data/../../../etc/passwd", "x")), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `lib-1.0.data/data/../../../etc/passwd` has a `..` in its path
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(refused_wheel(lib().file("lib-1.0.data/system/etc/passwd", "x")), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `lib-1.0.data/system/etc/passwd` is in none of `.data`'s directories (purelib, platlib, headers, scripts, data)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    insta::assert_snapshot!(refused_wheel(lib().file("lib-1.0.data/scripts/python3.11", "x")), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: it has a file `/usr/local/bin/python3.11`, where the interpreter is
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is hostile or broken: do not use it
    ");
}

#[test]
fn members_that_explode() {
    insta::assert_snapshot!(refused_wheel(lib().file("lib/bomb", "x").claiming(3 << 30)), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `lib/bomb` is damaged (no compressed bytes can become so many)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is incomplete or damaged: fetch or build it again
    ");
    insta::assert_snapshot!(refused_wheel(lib().file("lib/bomb", large()).claiming(200_000)), @"
    exit 9
    error: failed to install the wheel `lib-1.0-py3-none-any.whl`: its member `lib/bomb` is damaged (there are fewer bytes than announced)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the wheel is incomplete or damaged: fetch or build it again
    ");
}

#[test]
fn wheels_of_something_else() {
    let renamed = lib().bytes();
    let order = Order::of("requirements = [\"./lib-2.0-py3-none-any.whl\"]", &[]);
    insta::assert_snapshot!(order.bytes("lib-2.0-py3-none-any.whl", &renamed).refused(), @"
    exit 9
    error: failed to install the wheel `lib-2.0-py3-none-any.whl`: its METADATA says Version `1.0`, where the file name says `2.0`
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: a wheel cannot be renamed to another version: build it anew
    ");
}

#[test]
fn wheels_with_the_same_path() {
    let first = lib().file("tests/__init__.py", "# of lib\n").file("tests/a.py", "1\n");
    let second =
        wheel("tool", "1.0").file("tests/__init__.py", "# of tool\n").file("tests/a.py", "2\n");
    let order = Order::of("requirements = [\"lib==1.0\", \"tool==1.0\"]", &[first, second]);
    insta::assert_snapshot!(order.built(), @"
    exit 0
    warning: `lib` and `tool` both have `/usr/local/lib/python3.11/site-packages/tests/__init__.py` and 1 more; that of `tool` stays
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^

    ");
    let file = lib().file("tests", "a file\n");
    let below = wheel("tool", "1.0").file("tests/__init__.py", "# of tool\n");
    insta::assert_snapshot!(refused("requirements = [\"lib==1.0\", \"tool==1.0\"]", &[file, below]), @"
    exit 4
    error: `lib` has a file `/usr/local/lib/python3.11/site-packages/tests`, where `tool` needs a directory for `/usr/local/lib/python3.11/site-packages/tests/__init__.py`
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: they cannot be installed together
    ");
}
