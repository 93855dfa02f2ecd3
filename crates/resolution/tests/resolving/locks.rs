//! Locks, which say the same as the index.

use oci::{Digest, Platform};
use python::LockKind;

use crate::ask::{Ask, ask, compiled};
use crate::building::build;
use crate::index::{Format, Index};
use crate::wheel::{Wheel, source, wheel};

fn wheels() -> Vec<Wheel> {
    vec![
        wheel("app", "1.0").requires("lib"),
        compiled("lib", "1.2", "cp311-cp311-manylinux_2_28_x86_64"),
        compiled("lib", "1.2", "cp311-cp311-manylinux_2_28_aarch64"),
        wheel("more", "2.0"),
        wheel("tool", "3.0"),
    ]
}

fn files(index: &Index, name: &str) -> String {
    let of_it = wheels().into_iter().filter(|wheel| wheel.name == name);
    let line = |wheel: Wheel| {
        let bytes = wheel.bytes();
        format!(
            "  {{ url = \"{}\", hash = \"sha256:{}\", size = {} }},\n",
            index.file_url(&wheel),
            Digest::of(&bytes).hex(),
            bytes.len(),
        )
    };
    of_it.map(line).collect()
}

/// As `uv lock` writes it.
fn uv_lock(index: &Index) -> String {
    let url = index.url();
    let package = |name: &str, version: &str, more: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
             source = {{ registry = \"{url}\" }}\n{more}wheels = [\n{}]\n\n",
            files(index, name),
        )
    };
    [
        "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n".to_owned(),
        package("app", "1.0", "dependencies = [\n  { name = \"lib\" },\n]\n"),
        package("lib", "1.2", ""),
        package("more", "2.0", ""),
        package("tool", "3.0", ""),
        "[[package]]\nname = \"project\"\nversion = \"0.1\"\nsource = { editable = \".\" }\n\
         dependencies = [\n  { name = \"app\" },\n]\n\n\
         [package.optional-dependencies]\nextra = [\n  { name = \"more\" },\n]\n\n\
         [package.dev-dependencies]\ndev = [\n  { name = \"tool\" },\n]\n\n\
         [package.metadata]\nrequires-dist = [\n  { name = \"app\" },\n  \
         { name = \"more\", marker = \"extra == 'extra'\" },\n]\nprovides-extras = [\"extra\"]\n\n\
         [package.metadata.requires-dev]\ndev = [{ name = \"tool\" }]\n"
            .to_owned(),
    ]
    .concat()
}

/// As PEP 751 has it.
fn pylock(index: &Index) -> String {
    let package = |name: &str, version: &str, marker: &str| {
        let files = files(index, name).replace("hash = \"sha256:", "hashes.sha256 = \"");
        let files = files.replace(" },", ", upload-time = 2024-01-01T00:00:00Z },");
        format!(
            "[[packages]]\nname = \"{name}\"\nversion = \"{version}\"\nmarker = \"{marker}\"\n\
             wheels = [\n{files}]\n\n",
        )
    };
    [
        "lock-version = \"1.0\"\ncreated-by = \"hand\"\nrequires-python = \">=3.9\"\n\
         extras = [\"extra\"]\ndependency-groups = [\"dev\"]\n\n"
            .to_owned(),
        package("app", "1.0", "os_name == 'posix'"),
        package("lib", "1.2", "python_version > '3'"),
        package("more", "2.0", "'extra' in extras"),
        package("tool", "3.0", "'dev' in dependency_groups"),
    ]
    .concat()
}

fn locked(index: &Index, kind: LockKind) -> Ask {
    let text = match kind {
        LockKind::Uv => uv_lock(index),
        LockKind::Pylock => pylock(index),
    };
    ask(index).lock(kind, &text)
}

/// All that decides what is installed.
fn packages(ask: &Ask) -> Vec<python::Package> {
    ask.try_resolve().unwrap().packages
}

#[test]
fn locks_and_the_resolver_agree_and_locks_ask_nobody() {
    let index = Index::new(Format::Json, wheels());
    let hashed = |name: &str| {
        let of_it = wheels().into_iter().filter(|wheel| wheel.name == name);
        let hashes = of_it.clone().map(|wheel| format!(" --hash={}", Digest::of(&wheel.bytes())));
        let version = of_it.clone().next().unwrap().version;
        format!("{name}=={version}{}", hashes.collect::<String>())
    };
    for architecture in ["amd64", "arm64"] {
        let resolved = ask(&index).want(&hashed("app")).want(&hashed("lib"));
        let platform = |request: &mut python::ResolutionRequest| {
            request.target.platform = Platform::linux(architecture)
        };
        let resolved = packages(&resolved.change(platform));
        let asked = index.log().len();
        for kind in [LockKind::Uv, LockKind::Pylock] {
            assert_eq!(packages(&locked(&index, kind).change(platform)), resolved, "{kind:?}");
        }
        assert_eq!(index.log().len(), asked);
    }
}

#[test]
fn extras_groups_and_what_is_installed() {
    let index = Index::new(Format::Json, []);
    for kind in [LockKind::Uv, LockKind::Pylock] {
        let names = |extras: &[&str], groups: &[&str]| {
            let with = locked(&index, kind).change(|request| {
                let lock = request.lock.as_mut().unwrap();
                lock.extras = extras.iter().map(|name| (*name).to_owned()).collect();
                lock.groups = groups.iter().map(|name| (*name).to_owned()).collect();
            });
            match with.try_resolve() {
                Ok(resolution) => {
                    let names = resolution.packages.into_iter().map(|package| package.name);
                    names.collect::<Vec<_>>().join(" ")
                }
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(names(&[], &[]), "app lib");
        assert_eq!(names(&["extra"], &[]), "app lib more");
        assert_eq!(names(&[], &["dev"]), "app lib tool");
        assert!(names(&["extr"], &[]).ends_with("there is no extra `extr`; there are extra"));
        assert!(names(&[], &["de"]).ends_with("there is no group `de`; there are dev"));
        let kept =
            locked(&index, kind).installed(&wheel("app", "1.0")).installed(&wheel("lib", "1"));
        insta::allow_duplicates! {
            insta::assert_snapshot!(kept.text(), @r"
            * lib 1.2 lib-1.2-cp311-cp311-manylinux_2_28_x86_64.whl
            = app 1.0
            ");
        }
    }
}

#[test]
fn locks_that_do_not_fit() {
    let index = Index::new(Format::Json, []);
    let old = |kind| locked(&index, kind).change(|r| r.target.interpreter.version.minor = 8);
    insta::assert_snapshot!(old(LockKind::Uv).text(), @"
    error: uv.lock: the lock is for Python >=3.9
    hint: take a base image that fits the lock, or lock for this one, too
    ");
    insta::assert_snapshot!(old(LockKind::Pylock).text(), @"
    error: pylock.toml: the lock is for Python >=3.9
    hint: take a base image that fits the lock, or lock for this one, too
    ");
    let other =
        |kind| locked(&index, kind).change(|r| r.target.platform = Platform::linux("s390x"));
    insta::assert_snapshot!(other(LockKind::Uv).text(), @"
    error: no wheel fits CPython 3.11 on s390x with glibc 2.36 for lib 1.2 (uv.lock:17): wheels for cp311-cp311-manylinux_2_28_x86_64, cp311-cp311-manylinux_2_28_aarch64
    hint: another Python or base image may have what fits
    ");
    insta::assert_snapshot!(other(LockKind::Pylock).text(), @"
    error: no wheel fits CPython 3.11 on s390x with glibc 2.36 for lib 1.2 (pylock.toml:16): wheels for cp311-cp311-manylinux_2_28_x86_64, cp311-cp311-manylinux_2_28_aarch64
    hint: another Python or base image may have what fits
    ");
    let project = locked(&index, LockKind::Uv)
        .change(|request| request.lock.as_mut().unwrap().project = Some("projekt".into()));
    insta::assert_snapshot!(project.text(), @"error: uv.lock: no project `projekt` is locked; there are project");
    let changed = |kind, from: &str, to: &str| {
        let change = |request: &mut python::ResolutionRequest| {
            let lock = request.lock.as_mut().unwrap();
            assert!(lock.text.contains(from));
            lock.text = lock.text.replacen(from, to, 1).into();
        };
        locked(&index, kind).change(change).text()
    };
    insta::assert_snapshot!(changed(LockKind::Uv, "version = 1\n", "version = 9\n"), @r"
    error: uv.lock: the lock cannot be read: unsupported lockfile schema version (v9, but only v1 is supported)
    hint: lock again
    ");
    insta::assert_snapshot!(changed(LockKind::Uv, "[[package]]", "[[package"), @r"
    error: uv.lock: the lock cannot be read: TOML parse error at line 5, column 10: 5 | [[package: unclosed array table, expected `]]`
    hint: lock again
    ");
    insta::assert_snapshot!(changed(LockKind::Pylock, "lock-version = \"1.0\"", "lock-version = \"2.0\""), @r#"
    error: pylock.toml: the lock cannot be read: TOML parse error at line 1, column 16: 1 | lock-version = "2.0": unsupported lock version (`2.0`, but only major version 1 is supported)
    hint: lock again
    "#);
    // PEP 751, "environments".
    let head = "lock-version = \"1.0\"";
    let for_windows = format!("{head}\nenvironments = [\"sys_platform == 'win32'\"]");
    insta::assert_snapshot!(changed(LockKind::Pylock, head, &for_windows), @"
    error: pylock.toml: the lock is for sys_platform == 'win32'
    hint: take a base image that fits the lock, or lock for this one, too
    ");
    let for_both = for_windows.replace("[", "[\"sys_platform == 'linux'\", ");
    assert!(!changed(LockKind::Pylock, head, &for_both).contains("error"));
    let odd = format!("{head}\nenvironments = [\"linux\"]");
    insta::assert_snapshot!(changed(LockKind::Pylock, head, &odd), @"
    error: pylock.toml: the lock cannot be read: `linux` is no environment: Expected a quoted string or a valid marker name, found `linux`: linux
    hint: lock again
    ");
    let registry = format!("registry = \"{}\"", index.url());
    insta::assert_snapshot!(changed(LockKind::Uv, &registry, "git = \"https://host/app?rev=main#0000000000000000000000000000000000000000\""), @r"
    error: uv.lock: the lock cannot be read: Since the package `app==1.0 @ git+https://host/app?rev=main#0000000000000000000000000000000000000000` comes from a git dependency, a hash was not expected but one was not found for wheel
    hint: lock again
    ");
    insta::assert_snapshot!(changed(LockKind::Uv, &registry, "editable = \"app\""), @r"
    error: uv.lock: the lock cannot be read: Since the package `app==1.0 @ editable+app` comes from a editable dependency, a hash was not expected but one was not found for wheel
    hint: lock again
    ");
}

#[test]
fn what_only_has_a_source() {
    let index = Index::new(Format::Json, []);
    let lib = source("lib", "1");
    let sdist = format!(
        "{{ url = \"{}\", hash = \"sha256:{}\", size = 5 }}",
        index.file_url(&lib),
        Digest::of(b"").hex()
    );
    let text = format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n\
         [[package]]\nname = \"lib\"\nversion = \"1\"\nsource = {{ registry = \"{}\" }}\n\
         sdist = {sdist}\nwheels = [\n  {{ url = \"http://{}/files/lib-1-cp39-cp39-win32.whl\", \
         hash = \"sha256:{}\" }},\n]\n\n\
         [[package]]\nname = \"a\"\nversion = \"0\"\nsource = {{ virtual = \".\" }}\n\
         dependencies = [{{ name = \"lib\" }}]\n",
        index.url(),
        index.host,
        Digest::of(b"").hex(),
    );
    let locked = || ask(&index).lock(LockKind::Uv, &text);
    let (built, asked) = build(locked(), vec![wheel("lib", "1")]);
    assert_eq!((built.as_str(), asked.len()), ("* lib 1 lib-1-py3-none-any.whl (given)", 1));
    let unfit = build(locked(), vec![compiled("lib", "1", "cp39-cp39-linux_x86_64")]).0;
    assert!(unfit.contains("wheels for cp39-cp39-linux_x86_64"), "{unfit}");
    insta::assert_snapshot!(locked().text(), @r#"
    error: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for lib 1: wheels for cp39-cp39-win32, and a source distribution
    hint: `build = "host"` builds with a Python of this machine
    "#);
}

#[test]
fn workspaces() {
    let index = Index::new(Format::Json, []);
    let member = |name: &str, needs: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"0\"\n\
             source = {{ editable = \"packages/{name}\" }}\ndependencies = [{needs}]\n\n"
        )
    };
    let text = [
        "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n\
         [manifest]\nmembers = [\"one\", \"two\"]\n\n",
        &member("one", ""),
        &member("two", "{ name = \"one\" }"),
    ]
    .concat();
    let of = |project: Option<&str>| {
        let project = project.map(str::to_owned);
        ask(&index)
            .lock(LockKind::Uv, &text)
            .change(|request| request.lock.as_mut().unwrap().project = project)
            .text()
    };
    insta::assert_snapshot!(of(None), @r"
    error: uv.lock: the lock has several projects: one, two
    hint: name one of them as the project
    ");
    insta::assert_snapshot!(of(Some("one")), @"");
    insta::assert_snapshot!(of(Some("two")), @r"
    error: uv.lock: `one` comes from a directory, which would have to be built
    hint: build a wheel of `one` and name it as a requirement instead
    ");
}
