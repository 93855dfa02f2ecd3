//! A store on a file system that has no room: a real one, which takes root to mount.

use std::fs;
use std::process::Command;

use testbed::Result;

use crate::support::plywood;

#[test]
fn a_build_on_a_full_disk_leaves_nothing_behind() -> Result {
    let plywood = plywood()?;
    let context = tempfile::tempdir().unwrap();
    // Eight MiB that do not compress, for three MiB of room.
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes = (0..8 << 17).flat_map(|_| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise.to_le_bytes()
    });
    fs::write(context.path().join("noise"), bytes.collect::<Vec<u8>>()).unwrap();
    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPY noise /\n").unwrap();
    fs::create_dir_all(plywood.store()).unwrap();

    let build = plywood.command(["build", "--quiet", "--tag", "full:1"]);
    // The mount is this shell's own, and goes with it.
    let script = "store=$1; shift
        mount -t tmpfs -o size=3m none \"$store\" || exit 99
        \"$@\"; code=$?
        find \"$store/blobs\" -type f; grep -c full \"$store/index.json\"
        exit $code";
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-c", script, "sh"]).arg(plywood.store());
    shell.arg(build.get_program()).args(build.get_args()).arg(context.path());
    shell.envs(build.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();

    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(8), "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    assert!(stderr.contains("hint: free some space, or put the store on another disk"), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n", "no blob, and no image of the name");
    Ok(())
}
