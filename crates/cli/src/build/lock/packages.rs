//! Answers about Python packages, as builds and as locks have them.

use std::collections::BTreeMap;

use lock::{Address, Wheel};
use oci::Digest;
use python::{Location, Package, WheelFile};

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
pub(super) fn resolution(pinned: &lock::Resolution) -> python::Resolution {
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
