//! The loader's cache and its links, against the C library's own `ldconfig`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use shell::{ChangedNode, Data};
use testbed::{Result, program, run};

use super::{evaluated, packages};

/// Package sets that bring directories, alternatives or machines of their own. The caches of sets
/// that Dockerfiles ask for are compared where they are installed, in plywood's own oracles.
const SETS: &[&[&str]] = &[
    &["libblas3", "liblapack3", "libopenblas0-pthread"],
    &["libfftw3-bin", "libfftw3-dev"],
    &["libc6-i386", "lib32stdc++6", "libc6-x32"],
    &["fakeroot", "libfakechroot"],
    &["libwebkit2gtk-4.1-0", "libgtk-3-dev"],
];

/// What becomes of links: their new target, or nothing.
type Links = BTreeMap<String, Option<String>>;

/// Compares cache and links. The tree is changed by the real program.
fn compare(name: &str, root: &Path, real: &[&str]) {
    let before = links(root);
    let ours = evaluated(root, &["ldconfig"]);
    let mut changed = Links::new();
    let mut cache = Vec::new();
    for change in ours.files.changes().unwrap() {
        let path = change.path.to_string();
        match change.node {
            ChangedNode::File(Data::Inline(bytes)) if path == "etc/ld.so.cache" => {
                cache = bytes.to_vec();
            }
            ChangedNode::Symlink(target) => {
                changed.insert(path, Some(String::from_utf8(target).unwrap()));
            }
            ChangedNode::Gone => {
                changed.insert(path, None);
            }
            ChangedNode::Directory { .. } => {}
            other => panic!("{name}: {path} {other:?}"),
        }
    }
    let (command, arguments) = real.split_first().unwrap();
    run(program(command).args(arguments).arg("-r").arg(root)).unwrap();
    let expected = fs::read(root.join("etc/ld.so.cache")).unwrap();
    let after = links(root);
    let mut real_changes = Links::new();
    for (path, target) in &after {
        if before.get(path) != Some(target) {
            real_changes.insert(path.clone(), Some(target.clone()));
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        real_changes.insert(path.clone(), None);
    }
    assert_eq!(changed, real_changes, "{name}: links");
    if cache != expected {
        let shown = |bytes: &[u8]| {
            fs::write(root.join("etc/shown"), bytes).unwrap();
            let mut print = program("/sbin/ldconfig");
            print.args(["-p", "-C"]).arg(root.join("etc/shown"));
            testbed::stdout(&mut print).unwrap_or_default()
        };
        let (ours, theirs) = (shown(&cache), shown(&expected));
        let differing: Vec<_> = ours.lines().zip(theirs.lines()).filter(|(a, b)| a != b).collect();
        panic!(
            "{name}: {} and {} bytes: {:#?}",
            cache.len(),
            expected.len(),
            &differing[..differing.len().min(10)]
        );
    }
    let printed = evaluated(root, &["ldconfig", "-p"]).transcript.of(shell::Channel::Output);
    let mut print = program(command);
    let path = root.join("etc/ld.so.cache");
    let real = testbed::stdout(print.args(arguments).args(["-p", "-C"]).arg(&path));
    let real = real.unwrap().replace(path.to_str().unwrap(), "/etc/ld.so.cache");
    assert_eq!(String::from_utf8(printed).unwrap(), real, "{name}: -p");
}

/// All symbolic links below a root.
fn links(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut next = vec![root.to_owned()];
    while let Some(directory) = next.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(path, target.to_str().unwrap().to_owned());
            } else if path.is_dir() {
                next.push(path);
            }
        }
    }
    found
}

fn tree() -> Result<tempfile::TempDir> {
    let directory = tempfile::Builder::new().prefix("plywood-ldconfig-").tempdir().unwrap();
    packages::base_libraries(directory.path())?;
    Ok(directory)
}

#[test]
fn caches_of_package_sets_are_the_same() -> Result {
    let base = tree()?;
    compare("base", base.path(), &["/sbin/ldconfig"]);
    for set in SETS {
        let tree = tree()?;
        for deb in packages::fetched(set)? {
            packages::unpack(&deb, tree.path())?;
        }
        compare(&set.join(" "), tree.path(), &["/sbin/ldconfig"]);
    }
    Ok(())
}

/// Everything that a configuration and a directory can have.
#[test]
fn a_cache_of_made_up_directories_is_the_same() -> Result {
    let tree = tree()?;
    let root = tree.path();
    let make = |path: &str| fs::create_dir_all(root.join(path)).unwrap();
    let lib = "usr/lib/x86_64-linux-gnu";
    let copy = |from: &str, to: &str| {
        fs::copy(root.join(lib).join(from), root.join(to)).unwrap();
    };
    for path in [
        "opt/a/glibc-hwcaps/x86-64-v3",
        "opt/a/glibc-hwcaps/x86-64-v2",
        "opt/a/glibc-hwcaps/x86-64-v4",
        "opt/a/glibc-hwcaps/.hidden",
        "opt/a/glibc-hwcaps/with:colon",
        "opt/a/tls/haswell/avx512_1",
        "opt/b/i686",
        "opt/b/sse2/xeon_phi",
        "opt/c",
        "opt/d/lib.so.d",
        "etc/more",
    ] {
        make(path);
    }
    let z = fs::read_dir(root.join(lib)).unwrap().flatten().find_map(|entry| {
        let name = entry.file_name().to_str()?.to_owned();
        (name.starts_with("libz.so.1.") && !entry.path().is_symlink()).then_some(name)
    });
    let z = z.unwrap();
    for to in [
        "opt/a/libz.so.1.2",
        "opt/a/libz.so.1.10",
        "opt/a/glibc-hwcaps/x86-64-v3/libz.so.1.9",
        "opt/a/glibc-hwcaps/x86-64-v2/libz.so.1.9",
        "opt/a/glibc-hwcaps/with:colon/libz.so.1.9",
        "opt/a/tls/libz.so.1",
        "opt/a/tls/haswell/libz.so.1",
        "opt/a/tls/haswell/avx512_1/libz.so.1",
        "opt/b/i686/libz.so.1",
        "opt/b/sse2/libz.so.1",
        "opt/b/sse2/xeon_phi/libz.so.1",
        "opt/c/libother.so",
        "opt/c/libz.so.1.3.#prelink#",
        "opt/c/libz.so.1.3.#prelink#.abcdef",
        "opt/c/libz.so.1.3.dpkg-new",
        "opt/c/plugin.so",
        "opt/c/ld-own.so",
        "opt/d/lib\u{e9}.so.1",
        "opt/d/liba01.so.1",
        "opt/d/liba1.so.2",
    ] {
        copy(&z, to);
    }
    for (target, path) in [
        ("libz.so.1.2", "opt/a/libz.so"),
        ("libgone.so.1.2", "opt/a/libgone.so.1"),
        ("libgone.so.1.2", "opt/a/libgone.so"),
        ("libz.so.1", "opt/a/libloop.so.1"),
        ("a", "opt/link"),
        ("../../a/libz.so.1.2", "opt/b/sse2/libzz.so.3"),
        ("../i686", "opt/b/sse2/haswell"),
        ("../../usr/lib", "opt/c/libdirectory.so.1"),
        ("libz.so.1.9", "opt/a/glibc-hwcaps/x86-64-v3/plain"),
    ] {
        symlink(target, root.join(path)).unwrap();
    }
    fs::write(root.join("opt/c/libscript.so"), "/* GNU ld script */\nGROUP ( libz.so.1 )\n")
        .unwrap();
    fs::write(root.join("opt/c/libempty.so.1"), "").unwrap();
    let whole = fs::read(root.join(lib).join(&z)).unwrap();
    fs::write(root.join("opt/c/libcut.so.1"), &whole[..whole.len() / 2]).unwrap();
    fs::write(
        root.join("etc/ld.so.conf"),
        "  /opt/link/ \t# first\n/opt/a\nhwcap 0 nosegneg\ninclude /etc/more/*.conf /etc/none\n\
         include /etc/ld.so.conf.d/[a-z]*.con?\n/opt/d=libc6\n/opt/none\n/opt/c = libc5\n",
    )
    .unwrap();
    fs::write(root.join("etc/more/b.conf"), "/opt/b\n").unwrap();
    fs::write(root.join("etc/more/.hidden.conf"), "/opt/d\n").unwrap();
    fs::write(root.join("etc/more/a.conf"), "/opt/c").unwrap();
    compare("made up", root, &["/sbin/ldconfig"]);
    Ok(())
}

/// The programs of other architectures, each over libraries of its own and of all others.
#[test]
fn caches_of_other_architectures_are_the_same() -> Result {
    for (architecture, emulator) in [
        ("arm64", "aarch64"),
        ("armhf", "arm"),
        ("i386", "i386"),
        ("mips64el", "mips64el"),
        ("ppc64el", "ppc64le"),
        ("s390x", "s390x"),
    ] {
        let tree = tempfile::Builder::new().prefix("plywood-ldconfig-").tempdir().unwrap();
        packages::merged_usr(tree.path());
        for deb in packages::foreign(architecture)? {
            packages::unpack(&deb, tree.path())?;
        }
        let other = if architecture == "arm64" { "s390x" } else { "arm64" };
        let mixed = packages::foreign(other)?;
        for deb in mixed.iter().filter(|deb| !deb.to_str().unwrap().contains("libc-bin")) {
            packages::unpack(deb, tree.path())?;
        }
        let conf = "/usr/lib/aarch64-linux-gnu\n/usr/lib/s390x-linux-gnu\n";
        fs::write(tree.path().join("etc/ld.so.conf"), conf).unwrap();
        let emulator = packages::emulator(emulator)?;
        let program = tree.path().join("sbin/ldconfig");
        let real = [emulator.to_str().unwrap(), program.to_str().unwrap()];
        compare(architecture, tree.path(), &real);
    }
    Ok(())
}
