//! Answers about Python packages, as builds and as locks have them.

use std::collections::{BTreeMap, BTreeSet};

use lock::{Address, Wheel};
use oci::{Digest, Platform};
use python::{Location, Package, ResolutionRequest, WheelFile};
use resolution::Preferred;

use super::{Drift, Manner, Pins};
use crate::build::wheels::Question;
use crate::error::Error;
use crate::flags::{Renewal, normalized};

impl Pins {
    /// The answer to a question for Python packages.
    pub(in crate::build) fn answer(
        &self,
        request: &ResolutionRequest,
    ) -> Option<python::Resolution> {
        let key = (request.target.platform.clone(), request.fingerprint());
        let pinned = self.locked.resolutions.get(&key)?;
        let moves = match &self.renewal {
            Renewal::Nothing => false,
            Renewal::Everything => true,
            Renewal::Packages(names) => {
                pinned.wheels.iter().any(|wheel| names.contains(&wheel.name))
            }
        };
        (!moves).then(|| answer_of(pinned))
    }

    /// Whether a question is new: an error where there must be none.
    pub(in crate::build) fn question(&self, request: &ResolutionRequest) -> Result<(), Error> {
        let platform = request.target.platform.clone();
        let key = (platform.clone(), request.fingerprint());
        match self.manner {
            Manner::Keep if !self.locked.resolutions.contains_key(&key) => {
                Err(self.drift(self.question_drift(request, platform)))
            }
            Manner::Keep | Manner::Renew => Ok(()),
        }
    }

    /// In which names a question differs from those that are pinned.
    fn question_drift(&self, request: &ResolutionRequest, platform: Platform) -> Drift {
        let asked =
            request.requirements.iter().filter_map(|requirement| name_in(&requirement.text));
        let asked: BTreeSet<String> = asked.collect();
        let own = self.locked.resolutions.iter().filter(|((of, _), _)| *of == platform);
        let wheels = own.flat_map(|(_, answer)| &answer.wheels).filter(|wheel| wheel.requested);
        let pinned: BTreeSet<String> = wheels.map(|wheel| wheel.name.clone()).collect();
        // What a lock of Python's own or a direct reference asks for is not seen here.
        let is_seen = request.lock.is_none() && !asked.is_empty();
        let other = |these: &BTreeSet<String>, those: &BTreeSet<String>| match is_seen {
            true => these.difference(those).map(|name| format!("`{name}`")).collect(),
            false => Vec::new(),
        };
        Drift::Question { platform, new: other(&asked, &pinned), gone: other(&pinned, &asked) }
    }

    /// What a new answer keeps to where it can.
    pub(in crate::build) fn preferred(&self, request: &ResolutionRequest) -> Vec<Preferred> {
        let moves = |name: &str| match &self.renewal {
            Renewal::Nothing => false,
            Renewal::Packages(names) => names.contains(name),
            Renewal::Everything => true,
        };
        let versions = self.locked.versions(&request.target.platform).into_iter();
        let kept = versions.filter(|(name, _)| !moves(name));
        let preferred = kept.map(|(name, version)| Preferred {
            name: name.to_owned(),
            version: version.to_owned(),
        });
        preferred.collect()
    }

    /// Whether an answer that the store remembers counts.
    pub(in crate::build) fn takes_remembered(&self) -> bool {
        self.renewal == Renewal::Nothing
    }

    /// Notes an answer; an error if it differs from the pinned one and must not.
    pub(in crate::build) fn found_answer(
        &self,
        question: &Question,
        resolution: &python::Resolution,
    ) -> Result<(), Error> {
        let request = &question.request;
        let key = (request.target.platform.clone(), request.fingerprint());
        if self.manner == Manner::Keep
            && let Some(pinned) = self.locked.resolutions.get(&key).map(answer_of)
            && let Some(other) = other_wheel(&pinned.packages, &resolution.packages)
        {
            return Err(self.drift(Drift::Built { file: other.to_owned() }));
        }
        let mut found = self.found();
        found.asked.questions.push((request.clone(), question.given.clone()));
        found.answers.insert(key, resolution.clone());
        Ok(())
    }

    /// Notes what wheels hash to.
    pub(in crate::build) fn found_wheels<'p>(
        &self,
        wheels: impl Iterator<Item = (&'p Package, Digest)>,
    ) {
        let mut found = self.found();
        for (package, digest) in wheels {
            if let python::Location::Url(url) = &package.wheel.location {
                found.wheels.insert(Address::of(url), digest);
            }
        }
    }
}

/// The first wheel that is not among those that are pinned.
fn other_wheel<'p>(pinned: &[Package], found: &'p [Package]) -> Option<&'p str> {
    let is_pinned = |package: &Package| {
        let mut same = pinned.iter().filter(|pinned| pinned.name == package.name);
        same.any(|pinned| pinned.wheel.location == package.wheel.location)
    };
    let other = found.iter().find(|package| !is_pinned(package));
    other.map(|package| package.wheel.filename.as_str())
}

/// The name that a requirement begins with (PEP 508), normalized.
fn name_in(requirement: &str) -> Option<String> {
    let text = requirement.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let is_address = rest.starts_with([':', '/']) || name.starts_with('.') || name.is_empty();
    (!is_address).then(|| normalized(name))
}

/// An answer as a lock has it. `known` says what wheels hash to, by address, that nobody vouches for.
pub(super) fn pinned(
    resolution: &python::Resolution,
    known: &BTreeMap<Address, Digest>,
) -> lock::Resolution {
    let python::Resolution { packages, kept, warnings } = resolution;
    let wheels = packages.iter().map(|package| wheel(package, known)).collect();
    lock::Resolution { wheels, kept: kept.clone(), warnings: warnings.clone() }
}

fn wheel(package: &Package, known: &BTreeMap<Address, Digest>) -> Wheel {
    let Package { name, version, wheel, requested, direct_url } = package;
    let WheelFile { filename, location, sha256, hashes, size } = wheel;
    let (url, digest) = match location {
        Location::Url(url) => {
            let address = Address::of(url);
            let digest = sha256.or_else(|| known.get(&address).copied());
            (Some(address), digest)
        }
        Location::Given(digest) => (None, Some(*digest)),
    };
    Wheel {
        name: name.clone(),
        version: version.clone(),
        file: filename.clone(),
        url,
        digest,
        hashes: hashes.clone(),
        size: *size,
        requested: *requested,
        direct_url: direct_url.clone(),
    }
}

/// The answer that a lock has.
pub(super) fn answer_of(pinned: &lock::Resolution) -> python::Resolution {
    let lock::Resolution { wheels, kept, warnings } = pinned;
    let packages = wheels.iter().filter_map(package).collect();
    python::Resolution { packages, kept: kept.clone(), warnings: warnings.clone() }
}

fn package(wheel: &Wheel) -> Option<Package> {
    let Wheel { name, version, file, url, digest, hashes, size, requested, direct_url } = wheel;
    let location = match url {
        Some(url) => Location::Url(url.as_str().to_owned()),
        // A lock that is read has one of the two.
        None => Location::Given((*digest)?),
    };
    let wheel = WheelFile {
        filename: file.clone(),
        location,
        sha256: *digest,
        hashes: hashes.clone(),
        size: *size,
    };
    Some(Package {
        name: name.clone(),
        version: version.clone(),
        wheel,
        requested: *requested,
        direct_url: direct_url.clone(),
    })
}
