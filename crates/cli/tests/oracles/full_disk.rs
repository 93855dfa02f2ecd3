//! A store on a file system that has no room: a real one, which takes root to mount.

use std::fs;
use std::path::Path;
use std::process::Command;

use testbed::Result;
use testbed::debian::{ArchiveKey, Publication, SmallArchive};

use crate::support::plywood;

/// Eight MiB that do not compress, for three MiB of room.
fn noise() -> Vec<u8> {
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let numbers = (0..8 << 17).flat_map(|_| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise.to_le_bytes()
    });
    numbers.collect()
}

/// Builds what is in a directory, with a store on a disk of its own; what was said. No blob is left
/// that is not whole, and no image of the name.
fn refused(context: &Path) -> Result<String> {
    let plywood = plywood()?;
    fs::create_dir_all(plywood.store()).unwrap();
    let build = plywood.command(["build", "--quiet", "--tag", "full:1"]);
    // The mount is this shell's own, and goes with it.
    let script = "store=$1; shift
        mount -t tmpfs -o size=3m none \"$store\" || exit 99
        \"$@\"; code=$?
        find \"$store/blobs\" -type f -printf '%f  %p\\n' | sha256sum --check --quiet 2> /dev/null
        grep -c full \"$store/index.json\"
        exit $code";
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-c", script, "sh"]).arg(plywood.store());
    shell.arg(build.get_program()).args(build.get_args()).arg(context);
    shell.envs(build.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();

    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    assert!(stderr.contains("hint: free some space, or "), "{stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout, "0\n", "no half a blob, and no image of the name");
    Ok(stderr)
}

#[test]
fn a_build_on_a_full_disk_leaves_nothing_behind() -> Result {
    let context = tempfile::tempdir().unwrap();
    fs::write(context.path().join("noise"), noise()).unwrap();
    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPY noise /\n").unwrap();
    refused(context.path())?;
    Ok(())
}

#[test]
fn a_package_on_a_full_disk_leaves_nothing_behind() -> Result {
    let (mut archive, key) = (SmallArchive::start()?, ArchiveKey::of("archive"));
    let control = "Package: large\nVersion: 1.0\nArchitecture: amd64\n\
        Maintainer: Nobody <nobody@example.org>\nDescription: noise\n";
    archive.package(control, &[("./", b'5', "", b""), ("./noise", b'0', "", &noise())]);
    archive.publish(&Publication { fields: &[], key: Some(&key) });
    let context = tempfile::tempdir().unwrap();
    let toml = format!(
        "base = \"scratch\"\nplatforms = [\"linux/amd64\"]\n[debian]\npackages = [\"large\"]\n\
         sources = [\"{}\"]\nsuites = [\"stable\"]\nkeys = [\"key.asc\"]\n",
        archive.address()
    );
    fs::write(context.path().join("plywood.toml"), toml).unwrap();
    fs::write(context.path().join("key.asc"), key.public()).unwrap();
    let said = refused(context.path())?;
    assert!(said.contains("failed to keep large 1.0 amd64 from "), "{said}");
    Ok(())
}
