//! A directory outside the checkout for what is expensive to make and always the same.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::{Failure, Result};

/// Gives the directory `name` of the cache, made by `make` if it is not there yet.
///
/// `name` must hold a key of everything that decides the content. Processes that ask at the same
/// time wait for the one that makes it; a make that was cut off leaves nothing under `name`.
pub fn once(name: &str, make: impl FnOnce(&Path) -> Result) -> Result<PathBuf> {
    once_in(&directory()?, name, make)
}

fn once_in(cache: &Path, name: &str, make: impl FnOnce(&Path) -> Result) -> Result<PathBuf> {
    let made = cache.join(name);
    if made.is_dir() {
        return Ok(made);
    }
    let lock_path = cache.join(format!("{name}.lock"));
    let doing = format!("lock {}", lock_path.display());
    let lock = File::create(&lock_path).map_err(Failure::doing(&doing))?;
    lock.lock().map_err(Failure::doing(&doing))?;
    if made.is_dir() {
        return Ok(made);
    }
    let draft = tempfile::Builder::new()
        .prefix(&format!("{name}.draft-"))
        .tempdir_in(cache)
        .map_err(Failure::doing(format!("make a directory in {}", cache.display())))?;
    make(draft.path())?;
    fs::rename(draft.path(), &made).map_err(Failure::doing(format!("name {}", made.display())))?;
    Ok(made)
}

/// `PLYWOOD_TEST_CACHE`, else the user's cache directory, else one in `/var/tmp`: the first that
/// can be written to.
pub fn directory() -> Result<PathBuf> {
    let variable =
        |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = rustix::process::geteuid().as_raw();
    let candidates = [
        variable("PLYWOOD_TEST_CACHE"),
        variable("XDG_CACHE_HOME").map(|cache| cache.join("plywood-testbed")),
        variable("HOME").map(|home| home.join(".cache/plywood-testbed")),
        Some(PathBuf::from(format!("/var/tmp/plywood-testbed-{user}"))),
    ];
    candidates
        .into_iter()
        .flatten()
        .find(|candidate| writable(candidate))
        .ok_or_else(|| Failure::new("no cache directory can be written to: set PLYWOOD_TEST_CACHE"))
}

fn writable(directory: &Path) -> bool {
    fs::create_dir_all(directory).is_ok() && tempfile::tempfile_in(directory).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_once() {
        let cache = tempfile::tempdir().unwrap();
        let write = |text: &'static str| {
            move |path: &Path| fs::write(path.join("f"), text).map_err(Failure::doing("write"))
        };
        let first = once_in(cache.path(), "thing-1", write("first")).unwrap();
        let second = once_in(cache.path(), "thing-1", write("second")).unwrap();
        assert_eq!(first, second);
        assert_eq!(fs::read_to_string(second.join("f")).unwrap(), "first");
    }

    #[test]
    fn failed_make_leaves_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let failed = once_in(cache.path(), "thing", |_| Err(Failure::new("broke")));
        assert_eq!(failed.unwrap_err().to_string(), "broke");
        assert!(!cache.path().join("thing").exists());
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1, "only the lock file stays");
    }
}
