//! Digests that are not those of the files, in requirements, indexes and locks.

use testbed::Fault;

use super::order::{Order, refused};
use super::wheel::{Wheel, wheel};

/// The lock of `app`, which needs `lib`, as uv writes it.
fn uv_lock(lib: &Wheel, hash: &str) -> String {
    format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n\
         [[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = {{ virtual = \".\" }}\n\
         dependencies = [{{ name = \"lib\" }}]\n\n\
         [package.metadata]\nrequires-dist = [{{ name = \"lib\", specifier = \"==1.0\" }}]\n\n\
         [[package]]\nname = \"lib\"\nversion = \"1.0\"\n\
         source = {{ registry = \"http://INDEX/simple/\" }}\n\
         wheels = [{{ url = \"http://INDEX/files/{}\", hash = \"sha256:{hash}\" }}]\n",
        lib.filename()
    )
}

/// The same as PEP 751 has it.
fn pylock(lib: &Wheel, hash: &str) -> String {
    format!(
        "lock-version = \"1.0\"\ncreated-by = \"a test\"\nrequires-python = \">=3.11\"\n\n\
         [[packages]]\nname = \"lib\"\nversion = \"1.0\"\n\
         wheels = [{{ url = \"http://INDEX/files/{}\", hashes = {{ sha256 = \"{hash}\" }} }}]\n",
        lib.filename()
    )
}

fn hex(wheel: &Wheel) -> String {
    oci::Digest::of(&wheel.bytes()).hex().to_owned()
}

fn other() -> String {
    "0123456789abcdef".repeat(4)
}

#[test]
fn indexes_that_name_another_file() {
    let order = Order::of("requirements = [\"lib==1.0\"]", &[wheel("lib", "1.0")]);
    order.index.break_at("/simple/lib/", Fault::WrongHash);
    insta::assert_snapshot!(order.refused(), @"
    exit 9
    error: failed to fetch the Python packages: accept `lib-1.0-py3-none-any.whl`: its SHA-256 is sha256:f5909cd2bf48e8f3ab0511421f80568faf096895a0bf4b72ab0783b95001c32a, and sha256:f41f3fa625ff120ddca7ef456bf66371ecea23c129f4e4c32367101edb516cf8 was expected
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: somebody replaced the file, or the digest in the lock or in the requirements is wrong
    ");
}

#[test]
fn requirements_that_name_another_file() {
    let table = format!("requirements = [\"lib==1.0 --hash=sha256:{}\"]", other());
    insta::assert_snapshot!(refused(&table, &[wheel("lib", "1.0")]), @r#"
    exit 9
    error: failed to resolve the Python packages: `lib==1.0` (context/plywood.toml:6) has other hashes than lib-1.0-py3-none-any.whl, which has sha256:f5909cd2bf48e8f3ab0511421f80568faf096895a0bf4b72ab0783b95001c32a
     --> context/plywood.toml:6:1
      |
    6 | requirements = ["lib==1.0 --hash=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: somebody replaced the file, or the hash is of another version or wheel: list the hashes anew
    "#);
    let url = format!(
        "requirements = [\"lib @ http://INDEX/files/lib-1.0-py3-none-any.whl#sha256={}\"]",
        other()
    );
    insta::assert_snapshot!(Order::on(&super::order::base(), &url, &[wheel("lib", "1.0").served()]).refused(), @"
    exit 9
    error: failed to fetch the Python packages: accept `lib-1.0-py3-none-any.whl`: its SHA-256 is sha256:f5909cd2bf48e8f3ab0511421f80568faf096895a0bf4b72ab0783b95001c32a, and sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef was expected
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: somebody replaced the file, or the digest in the lock or in the requirements is wrong
    ");
}

#[test]
fn requirements_without_a_hash_beside_one() {
    let lib = wheel("lib", "1.0");
    let order = Order::of(
        "requirements-files = [\"requirements.txt\"]",
        &[lib.clone(), wheel("app", "1.0")],
    );
    let order =
        order.file("requirements.txt", &format!("lib==1.0 \\\n    {}\napp==1.0\n", lib.hash()));
    insta::assert_snapshot!(order.refused(), @"
    exit 3
    error: failed to resolve the Python packages: `app==1.0` (requirements.txt:3) has no hash, and all must have one
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: `pip-compile --generate-hashes` or `uv pip compile --generate-hashes` lists all
    ");
}

/// Nothing is written, and no page of the index is asked for.
#[test]
fn locks_that_name_another_file() {
    let lib = wheel("lib", "1.0");
    for (name, text) in
        [("uv.lock", uv_lock(&lib, &other())), ("pylock.toml", pylock(&lib, &other()))]
    {
        let order =
            Order::of(&format!("lock = \"{name}\""), std::slice::from_ref(&lib)).file(name, &text);
        let said = order.refused();
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"
        exit 9
        error: failed to fetch the Python packages: accept `lib-1.0-py3-none-any.whl`: its SHA-256 is sha256:f5909cd2bf48e8f3ab0511421f80568faf096895a0bf4b72ab0783b95001c32a, and sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef was expected
         --> context/plywood.toml:4:1
          |
        4 | [python]
          | ^^^^^^^^
          |
          = hint: somebody replaced the file, or the digest in the lock or in the requirements is wrong
        "); }
        let asked = order.index.requests();
        assert!(asked.iter().all(|fetch| fetch.path.starts_with("/files/")), "{asked:?}");
    }
}

#[test]
fn locks_for_others() {
    let lib = wheel("lib", "1.0");
    let of = |name: &str, text: String| {
        Order::of(&format!("lock = \"{name}\""), std::slice::from_ref(&lib)).file(name, &text)
    };
    let newer = |text: String| text.replace(">=3.11", ">=3.12");
    insta::assert_snapshot!(of("uv.lock", newer(uv_lock(&lib, &hex(&lib)))).refused(), @"
    exit 4
    error: failed to resolve the Python packages: uv.lock: the lock is for Python >=3.12
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: take a base image that fits the lock, or lock for this one, too
    ");
    insta::assert_snapshot!(of("pylock.toml", newer(pylock(&lib, &hex(&lib)))).refused(), @"
    exit 4
    error: failed to resolve the Python packages: pylock.toml: the lock is for Python >=3.12
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: take a base image that fits the lock, or lock for this one, too
    ");
    let elsewhere = wheel("lib", "1.0").tags("cp311-cp311-win_amd64");
    insta::assert_snapshot!(of("uv.lock", uv_lock(&elsewhere, &other())).refused(), @"
    exit 5
    error: failed to resolve the Python packages: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for lib 1.0 (uv.lock:15): wheels for cp311-cp311-win_amd64
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: another Python or base image may have what fits
    ");
    insta::assert_snapshot!(of("pylock.toml", pylock(&elsewhere, &other())).refused(), @"
    exit 5
    error: failed to resolve the Python packages: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for lib 1.0 (pylock.toml:6): wheels for cp311-cp311-win_amd64
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: another Python or base image may have what fits
    ");
    let environments = "lock-version = \"1.0\"\nenvironments = [\"sys_platform == 'win32'\"]";
    let windows = pylock(&lib, &hex(&lib)).replace("lock-version = \"1.0\"", environments);
    insta::assert_snapshot!(of("pylock.toml", windows).refused(), @"
    exit 4
    error: failed to resolve the Python packages: pylock.toml: the lock is for sys_platform == 'win32'
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: take a base image that fits the lock, or lock for this one, too
    ");
}

#[test]
fn locks_that_cannot_be_read() {
    let of = |name: &str, text: &str| {
        Order::of(&format!("lock = \"{name}\""), &[]).file(name, text).refused()
    };
    insta::assert_snapshot!(of("uv.lock", "version = 1\n[[package"), @"
    exit 4
    error: failed to resolve the Python packages: uv.lock: the lock cannot be read: TOML parse error at line 2, column 10: 2 | [[package: unclosed array table, expected `]]`
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: lock again
    ");
    insta::assert_snapshot!(of("uv.lock", "version = 9\nrequires-python = \">=3.11\"\n"), @"
    exit 4
    error: failed to resolve the Python packages: uv.lock: the lock cannot be read: unsupported lockfile schema version (v9, but only v1 is supported)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: lock again
    ");
    insta::assert_snapshot!(of("pylock.toml", "lock-version = \"2.0\"\ncreated-by = \"a\"\npackages = []\n"), @r#"
    exit 4
    error: failed to resolve the Python packages: pylock.toml: the lock cannot be read: TOML parse error at line 1, column 16: 1 | lock-version = "2.0": unsupported lock version (`2.0`, but only major version 1 is supported)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: lock again
    "#);
}

/// The same set makes the same image, however it is written down.
#[test]
fn the_same_set_is_the_same_image() {
    let lib = wheel("lib", "1.0");
    let requirements = format!("lib==1.0 {}\n", lib.hash());
    let files = [
        ("requirements-files = [\"requirements.txt\"]", "requirements.txt", requirements),
        ("lock = \"uv.lock\"", "uv.lock", uv_lock(&lib, &hex(&lib))),
        ("lock = \"pylock.toml\"", "pylock.toml", pylock(&lib, &hex(&lib))),
    ];
    let mut order = Order::of("", std::slice::from_ref(&lib));
    let mut digests = Vec::new();
    for (table, name, text) in files {
        order = order.table(&format!("index-url = \"http://INDEX/simple/\"\n{table}"));
        order = order.file(name, &text);
        order.index.forget();
        digests.push(order.attempt.built(&["--no-cache"]));
        let asked = order.index.requests();
        let pages = asked.iter().filter(|fetch| fetch.path.starts_with("/simple/")).count();
        assert_eq!(pages, usize::from(name == "requirements.txt"), "{name}: {asked:?}");
    }
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
}
