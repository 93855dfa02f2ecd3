//! What is pinned, and what is on record of a step: a record holds only if it says what the lock says.
//! What it holds then counts as found, so that the lock keeps it.

use std::collections::BTreeSet;

use layer::Content;
use lock::{Address, Deb};
use oci::{Digest, Platform};
use plan::{DebianPackage, PackageFile, RecalledLayer};
use python::Package;

use super::{File, Manner, Pins, packages};
use crate::flags::Renewal;

impl Pins {
    /// Whether a URL gives this by its pin; nothing if it has none that counts.
    pub(in crate::build) fn holds_download(&self, url: &str, content: Content) -> Option<bool> {
        let pin = self.locked.downloads.get(&Address::of(url)).copied();
        let holds = pin.filter(|_| self.counts())? == file(content);
        if holds {
            self.found_download(url, url, content);
        }
        Some(holds)
    }

    /// The same for an archive.
    pub(in crate::build) fn holds_archive(
        &self,
        fetch: &debian::Fetch,
        content: Option<Content>,
    ) -> Option<bool> {
        let pin = self.archive(fetch).ok()??;
        let holds = pin.map(|taken| taken.file) == content.map(file);
        if holds {
            self.found_archive(fetch, content);
        }
        Some(holds)
    }

    /// Whether a question for Python packages has this answer by its pin; nothing if it has none,
    /// and then the answer is noted.
    pub(in crate::build) fn holds_answer(
        &self,
        platform: &Platform,
        request: &Digest,
        resolution: &python::Resolution,
    ) -> Option<bool> {
        let key = (platform.clone(), *request);
        let pinned = self.locked.resolutions.get(&key).map(packages::answer_of);
        let holds = match (&self.renewal, &pinned) {
            (Renewal::Nothing, Some(pinned)) => Some(is_same_answer(pinned, resolution)),
            (Renewal::Nothing, None) if self.manner == Manner::Keep => Some(false),
            (Renewal::Nothing, None) => None,
            // Whoever wants others wants them asked for.
            (Renewal::Packages(_) | Renewal::Everything, _) => Some(false),
        };
        if holds != Some(false) {
            self.found().answers.insert(key, resolution.clone());
        }
        holds
    }

    /// Whether the Debian packages of a step are pinned, or may be.
    pub(in crate::build) fn hold_packages(&self, packages: &BTreeSet<PackageFile>) -> bool {
        let debs: Vec<Deb> = packages.iter().filter_map(deb).collect();
        if self.manner == Manner::Keep && !debs.iter().all(|deb| self.locked.debs.contains(deb)) {
            return false;
        }
        self.found().lock.debs.extend(debs);
        true
    }

    /// A package with all that is known of its file.
    pub(in crate::build) fn sized(&self, mut package: PackageFile) -> PackageFile {
        if let Some(debian) = &mut package.debian {
            let found = self.found();
            let known = found.lock.debs.iter().find(|deb| deb.digest == package.digest);
            debian.size = known.map(|deb| deb.size);
        }
        package
    }

    /// The title of a layer that is on record and that the lock knows otherwise.
    pub(in crate::build) fn contradicted<'l>(
        &self,
        layers: &'l [RecalledLayer],
    ) -> Option<&'l str> {
        let other = layers.iter().find(|layer| {
            let Some(packed) = &layer.packed else { return false };
            let locked = self.locked.layer(&layer.key.0);
            locked.is_some_and(|locked| {
                locked.descriptor.digest != packed.descriptor.digest
                    || locked.diff_id != packed.diff_id
            })
        });
        other.map(|layer| layer.title.lines().next().unwrap_or_default())
    }
}

/// Whether two answers come to the same wheels. What a wheel hashes to is not always said beforehand.
pub(in crate::build) fn is_same_answer(
    one: &python::Resolution,
    other: &python::Resolution,
) -> bool {
    let is_same = |one: &Package, other: &Package| {
        let digests = one.wheel.sha256.zip(other.wheel.sha256);
        let mut other = other.clone();
        other.wheel.sha256 = one.wheel.sha256;
        *one == other && digests.is_none_or(|(one, other)| one == other)
    };
    one.kept == other.kept
        && one.packages.len() == other.packages.len()
        && one.packages.iter().zip(&other.packages).all(|(one, other)| is_same(one, other))
}

fn file(content: Content) -> File {
    File { digest: content.digest, size: content.size }
}

/// A Debian package as a lock has it; nothing for one that no archive gave.
fn deb(package: &PackageFile) -> Option<Deb> {
    let DebianPackage { name, version, architecture, size } = package.debian.clone()?;
    let (file, digest, size) = (package.filename.clone(), package.digest, size?);
    Some(Deb { name, version, architecture, file, digest, size })
}
