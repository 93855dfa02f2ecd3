//! Packages of Debian's archive, unpacked and not installed.

use std::fs;
use std::path::{Path, PathBuf};

use testbed::{Failure, Result, program, run};
use testbed::{base, cache};

/// The part of the base that holds libraries, copied to where it may be changed.
pub(crate) fn base_libraries(to: &Path) -> Result {
    let root = base::debian_root()?;
    for directory in ["usr/sbin", "etc"] {
        fs::create_dir_all(to.join(directory)).map_err(Failure::doing("make directories"))?;
    }
    let copy = |from: &str, to: &Path| {
        run(program("cp").args(["--archive", "--reflink=auto"]).arg(root.join(from)).arg(to))
    };
    for link in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        if root.join(link).is_symlink() {
            copy(link, to)?;
        }
    }
    for from in ["usr/lib", "usr/lib32", "usr/lib64", "usr/libx32"] {
        if root.join(from).exists() {
            copy(from, &to.join("usr"))?;
        }
    }
    copy("usr/sbin/ldconfig", &to.join("usr/sbin"))?;
    copy("etc/ld.so.conf", &to.join("etc"))?;
    copy("etc/ld.so.conf.d", &to.join("etc"))
}

/// The files of packages and of all that the base lacks for them.
pub(crate) fn fetched(set: &[&str]) -> Result<Vec<PathBuf>> {
    let status = base::debian_root()?.join("var/lib/dpkg/status");
    archives(&set.join("-"), |directory| {
        let archives = format!("Dir::Cache::archives={}", directory.display());
        let status = format!("Dir::State::status={}", status.display());
        let mut apt = program("apt-get");
        apt.args(["-q", "-y", "--no-install-recommends", "--download-only"]);
        apt.args(["-o", &archives, "-o", &status, "-o", "Debug::NoLocking=1"]);
        apt.args(["-o", "APT::Sandbox::User=root", "install"]).args(set);
        fs::create_dir_all(directory.join("partial")).map_err(Failure::doing("make partial"))?;
        run(&mut apt)
    })
}

fn archives(key: &str, fetch: impl FnOnce(&Path) -> Result) -> Result<Vec<PathBuf>> {
    let directory = cache::once(&format!("debian-native-{key}"), fetch)?;
    let found = fs::read_dir(&directory).map_err(Failure::doing("read archives"))?;
    let mut found: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "deb"));
    found.sort();
    Ok(found)
}

/// Puts the files of a package into a tree, through its links.
pub(crate) fn unpack(deb: &Path, root: &Path) -> Result {
    let script = r#"dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2""#;
    run(program("sh").args(["-c", script, "sh"]).arg(deb).arg(root))
}

/// An empty root whose directories are links into `/usr`.
pub(crate) fn merged_usr(root: &Path) {
    fs::create_dir_all(root.join("etc")).expect("a directory can be made");
    for name in ["bin", "lib", "lib64", "sbin"] {
        fs::create_dir_all(root.join("usr").join(name)).expect("a directory can be made");
        std::os::unix::fs::symlink(format!("usr/{name}"), root.join(name)).expect("a link, too");
    }
}

/// `ldconfig` and some libraries of another architecture.
pub(crate) fn foreign(architecture: &str) -> Result<Vec<PathBuf>> {
    const PACKAGES: &[&str] =
        &["libc-bin", "libc6", "libstdc++6", "libgcc-s1", "zlib1g", "libblas3", "libssl3"];
    archives(&format!("foreign-{architecture}"), |directory| {
        let of = |name: &&str| format!("{name}:{architecture}");
        let words: Vec<String> = PACKAGES.iter().map(of).collect();
        download(directory, architecture, &words)
    })
}

/// A program of QEMU's that runs static programs of another architecture.
pub(crate) fn emulator(machine: &str) -> Result<PathBuf> {
    let directory = cache::once("debian-native-qemu", |directory| {
        download(directory, "amd64", &["qemu-user-static".to_owned()])?;
        for deb in fs::read_dir(directory).map_err(Failure::doing("read archives"))?.flatten() {
            let path = deb.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                unpack(&path, directory)?;
            }
        }
        Ok(())
    })?;
    Ok(directory.join(format!("usr/bin/qemu-{machine}-static")))
}

/// Downloads packages by an apt that knows of nothing else but this machine's sources.
fn download(directory: &Path, architecture: &str, packages: &[String]) -> Result {
    let failed = || Failure::doing("make directories for apt");
    let state = directory.join("apt");
    fs::create_dir_all(state.join("lists/partial")).map_err(failed())?;
    fs::write(state.join("status"), "").map_err(failed())?;
    let apt = |words: &[&str]| {
        let mut apt = program("apt-get");
        for (name, value) in [("lists", "lists"), ("status", "status")] {
            apt.arg("-o").arg(format!("Dir::State::{name}={}", state.join(value).display()));
        }
        apt.args(["-o", "APT::Sandbox::User=root", "-o", "Dir::Cache::pkgcache="]);
        apt.args(["-o", "Dir::Cache::srcpkgcache=", "-qq", "-o", "Debug::NoLocking=1"]);
        apt.arg("-o").arg(format!("APT::Architectures={architecture}"));
        run(apt.args(words).current_dir(directory))
    };
    let updated = apt(&["update"]);
    let words: Vec<&str> =
        std::iter::once("download").chain(packages.iter().map(|name| &**name)).collect();
    // A mirror whose lists do not fit together for a while may have the packages all the same.
    apt(&words).or_else(|failure| updated.and(Err(failure)))
}
