//! Where a recipe's lock is.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lock::Lock;

use crate::build::error::BuildError;
use crate::error::Error;

/// The lock of the recipe that a directory has.
pub(in crate::build) const PLYWOOD_LOCK: &str = "plywood.lock";

/// The most that is read of a lock.
const MOST_BYTES: u64 = 64 << 20;

/// The lock of a recipe that is a file: beside it, and called after it unless it is the one that the
/// directory is built by.
pub(in crate::build) fn of_recipe(recipe: &Path) -> PathBuf {
    let name = recipe.file_name().unwrap_or_default().to_string_lossy();
    let is_main = match &*name {
        "plywood.toml" => true,
        // Where there is a `plywood.toml`, the directory is built by that.
        "Dockerfile" | "dockerfile" => !recipe.with_file_name("plywood.toml").exists(),
        _ => false,
    };
    let own = if is_main { PLYWOOD_LOCK.to_owned() } else { format!("{name}.lock") };
    recipe.with_file_name(own)
}

/// What a lock's file says, and its text with bare line feeds; nothing if there is none.
pub(super) fn read(path: &Path) -> Result<Option<(Lock, String)>, Error> {
    let reading = |error| Error::reading(path)(error);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(there) if there.is_file() => {}
        Ok(_) => return Err(reading(io::Error::other("it is not a regular file"))),
        Err(error) => return Err(reading(error)),
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(reading)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(reading)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(reading(io::ErrorKind::FileTooLarge.into()));
    }
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|_| BuildError::NotText(name))?;
    let locked = Lock::parse(&text);
    let locked = locked.map_err(|source| BuildError::Lock { path: path.to_owned(), source })?;
    Ok(Some((locked, text.replace("\r\n", "\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_lie_beside_their_recipes() {
        let home = tempfile::tempdir().unwrap();
        let of = |name: &str| {
            let lock = of_recipe(&home.path().join(name));
            lock.strip_prefix(home.path()).unwrap().display().to_string()
        };
        assert_eq!(of("Dockerfile"), "plywood.lock");
        assert_eq!(of("dockerfile"), "plywood.lock");
        assert_eq!(of("plywood.toml"), "plywood.lock");
        assert_eq!(of("docker/Dockerfile"), "docker/plywood.lock");
        assert_eq!(of("web.Dockerfile"), "web.Dockerfile.lock");
        assert_eq!(of("web.toml"), "web.toml.lock");
        fs::write(home.path().join("plywood.toml"), "").unwrap();
        assert_eq!(of("plywood.toml"), "plywood.lock");
        assert_eq!(of("Dockerfile"), "Dockerfile.lock");
        assert_eq!(of_recipe(Path::new("Dockerfile")), Path::new("plywood.lock"));
    }
}
