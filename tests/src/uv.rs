//! uv, the rival of the benchmark: the program out of its wheel.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use oci::Digest;

use crate::{Failure, House, Result, cache, program, run};

/// Where uv is, of the version that the list `uv` names.
pub fn path() -> Result<PathBuf> {
    let house = House::listed("uv")?;
    let key = Digest::of(house.requirements().as_bytes());
    let directory = cache::once(&format!("uv-{}", &key.hex()[..12]), |directory| {
        let draft = directory.join("wheel");
        let mut unpack = program("python3");
        unpack.args(["-m", "zipfile", "--extract"]).arg(house.file_of("uv")?).arg(&draft);
        run(&mut unpack)?;
        let listed = fs::read_dir(&draft).map_err(Failure::doing("list uv's wheel"))?;
        let mut found = listed.flatten().map(|entry| entry.path().join("scripts/uv"));
        let found = found.find(|path| path.is_file());
        let found = found.ok_or_else(|| Failure::new("uv's wheel has no scripts/uv"))?;
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&found, executable).map_err(Failure::doing("make uv executable"))?;
        fs::rename(&found, directory.join("uv")).map_err(Failure::doing("move uv"))?;
        fs::remove_dir_all(&draft).map_err(Failure::doing("remove uv's wheel"))
    })?;
    Ok(directory.join("uv"))
}
