//! What real apt makes of a line on a base, kept in the cache: it takes minutes, and twice the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use oci::Digest;

use super::comparison::Half;
use super::{Archive, Base, Listing, What, Workshop};
use crate::{Failure, Result, cache, program, run};

/// A tree that the real programs made, as a listing.
#[derive(Debug, Clone)]
pub struct Original {
    /// All of it.
    pub listing: Listing,
    /// When the line began to run, in seconds since the epoch.
    pub began: i64,
    directory: PathBuf,
}

/// Raised when lines are run otherwise, or more is kept of what they made.
const REVISION: &str = "1";

/// The longest file that is kept, so that its lines can be shown.
const LONGEST_KEPT: u64 = 2 << 20;

impl Original {
    /// Runs the line by `/bin/sh -c` in a copy of the base, unless that was done before.
    pub fn of(line: &str, base: &Base, archive: &Archive) -> Result<Self> {
        let key = Digest::of(format!("{} {line}", base.name).as_bytes());
        let name = format!("debian-original-{}-{REVISION}", &key.hex()[..12]);
        let directory = cache::once(&name, |directory| {
            let workshop = Workshop::copy_of(&base.root, archive)?;
            let began = seconds()?;
            let said = workshop.run(line)?;
            let listing = Listing::read(workshop.root())?;
            write(&directory.join("line"), line)?;
            write(&directory.join("said"), &said)?;
            write(&directory.join("began"), &began.to_string())?;
            write(&directory.join("listing"), &listing.to_text())?;
            keep_made(&listing, began, workshop.root(), &directory.join("made"))
        })?;
        let read = |name: &str| {
            let path = directory.join(name);
            fs::read_to_string(&path).map_err(Failure::doing(format!("read {}", path.display())))
        };
        let listing = Listing::parse(&read("listing")?);
        let listing = listing.ok_or_else(|| Failure::new("the listing in the cache is none"))?;
        let began = read("began")?.parse().map_err(Failure::doing("read when it began"))?;
        Ok(Original { listing, began, directory })
    }

    /// It as the half of a comparison.
    pub fn half(&self) -> Half<'_> {
        Half { listing: &self.listing, files: self.directory.join("made") }
    }
}

/// Copies the files that the line itself wrote: what packages brought has older times.
fn keep_made(listing: &Listing, began: i64, root: &Path, target: &Path) -> Result {
    let is_kept = |path: &str, size: u64| size <= LONGEST_KEPT && !path.ends_with(".pyc");
    let made = listing.items.iter().filter(|(path, item)| match item.what {
        What::File(size, _) => item.mtime >= began && is_kept(path, size),
        _ => false,
    });
    let list: String = made.map(|(path, _)| format!("{path}\0")).collect();
    fs::create_dir(target).map_err(Failure::doing(format!("make {}", target.display())))?;
    let names = tempfile::NamedTempFile::new().map_err(Failure::doing("make a list"))?;
    write(names.path(), &list)?;
    let script = "tar --create --directory \"$1\" --null --files-from \"$3\" | \
        tar --extract --directory \"$2\"";
    let mut tar = program("sh");
    run(tar.args(["-euc", script, "sh"]).arg(root).arg(target).arg(names.path()))
}

fn seconds() -> Result<i64> {
    let since =
        SystemTime::now().duration_since(UNIX_EPOCH).map_err(Failure::doing("tell the time"))?;
    i64::try_from(since.as_secs()).map_err(Failure::doing("tell the time"))
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).map_err(Failure::doing(format!("write {}", path.display())))
}
