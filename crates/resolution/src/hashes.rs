//! Which digests a file must have.
//!
//! As in pip: if one requirement has a hash, all must be pinned and have one, those of dependencies
//! included. A file must have one of the hashes of its requirement; what the index says of a file is
//! compared before anything is downloaded, and what it does not say is left to the downloader.

use std::str::FromStr;
use std::sync::Arc;

use oci::Digest;
use uv_distribution_types::{File, Requirement as Parsed, RequirementSource, VersionId};
use uv_pep440::{Operator, Version};
use uv_pypi_types::{HashAlgorithm, HashDigest};
use uv_types::HashStrategy;

use crate::requirement::Asked;
use crate::{HashProblem, ResolutionError};

/// pip, "Hash-checking Mode": the strong ones. `blake2b` is uv's.
const STRONG: &[&str] = &["sha256", "sha384", "sha512", "blake2b"];

/// Whether a URL's fragment means a hash.
pub(crate) fn is_algorithm(name: &str) -> bool {
    STRONG.contains(&name) || name == "md5"
}

/// The rules for the resolver.
pub(crate) fn strategy(
    required: bool,
    requirements: &[Asked],
    constraints: &[Asked],
) -> Result<HashStrategy, ResolutionError> {
    let required = required || requirements.iter().any(|asked| !asked.hashes.is_empty());
    let mut known = Default::default();
    for asked in requirements.iter().chain(constraints) {
        let hashes = parse(asked)?;
        let id = match version_id(&asked.parsed) {
            Some(id) => id,
            None if required => return Err(problem(asked, HashProblem::Unpinned)),
            None => continue,
        };
        if !hashes.is_empty() {
            merge(&mut known, id, hashes);
        }
    }
    if !required {
        return Ok(HashStrategy::Verify(Arc::new(known)));
    }
    // A constraint may have the hashes of a requirement.
    let lacks =
        |asked: &&Asked| version_id(&asked.parsed).is_none_or(|id| !known.contains_key(&id));
    match requirements.iter().find(lacks) {
        Some(asked) => Err(problem(asked, HashProblem::Missing)),
        None => Ok(HashStrategy::Require(Arc::new(known))),
    }
}

fn merge<S: std::hash::BuildHasher>(
    known: &mut std::collections::HashMap<VersionId, Vec<HashDigest>, S>,
    id: VersionId,
    hashes: Vec<HashDigest>,
) {
    let of_it = known.entry(id).or_default();
    for hash in hashes {
        if !of_it.contains(&hash) {
            of_it.push(hash);
        }
    }
}

/// The hashes of a requirement, all of them good ones.
pub(crate) fn parse(asked: &Asked) -> Result<Vec<HashDigest>, ResolutionError> {
    let parse = |text: &String| {
        let is_strong = text.split(':').next().is_some_and(|name| STRONG.contains(&name));
        let digest = HashDigest::from_str(text).ok().filter(|_| is_strong);
        digest.ok_or_else(|| problem(asked, HashProblem::Unknown { hash: text.clone() }))
    };
    asked.hashes.iter().map(parse).collect()
}

pub(crate) fn problem(asked: &Asked, problem: HashProblem) -> ResolutionError {
    let origin = Some(asked.origin.clone());
    ResolutionError::Hash { requirement: asked.text.clone(), origin, problem }
}

/// What a requirement's hashes are of: a pinned version, or one file.
fn version_id(requirement: &Parsed) -> Option<VersionId> {
    match &requirement.source {
        RequirementSource::Registry { specifier, .. } => {
            let version = pinned(specifier)?;
            Some(VersionId::from_registry(requirement.name.clone(), version.clone()))
        }
        RequirementSource::Url { location, .. } => Some(VersionId::from_url(location)),
        RequirementSource::Path { install_path, .. } => Some(VersionId::from_path(install_path)),
        _ => None,
    }
}

/// The version of `==1.0`.
pub(crate) fn pinned(specifiers: &uv_pep440::VersionSpecifiers) -> Option<&Version> {
    let mut all = specifiers.iter();
    let (only, None) = (all.next()?, all.next()) else { return None };
    let is_exact = matches!(only.operator(), Operator::Equal | Operator::ExactEqual);
    is_exact.then_some(only.version())
}

/// What is known of a file's digests.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) sha256: Option<Digest>,
    /// One of these, where `sha256` does not say it.
    pub(crate) hashes: Vec<String>,
}

/// Puts together what is wanted and what an index says of a file.
pub(crate) fn of_file(file: &File, wanted: &[HashDigest]) -> Result<Wanted, HashProblem> {
    let has = file.hashes.as_slice();
    let is_wanted = has.iter().any(|hash| wanted.contains(hash));
    let comparable = |hash: &HashDigest| wanted.iter().any(|w| w.algorithm == hash.algorithm);
    if !wanted.is_empty() && !is_wanted && has.iter().any(comparable) {
        let has = has.iter().map(ToString::to_string).collect();
        return Err(HashProblem::Mismatch { filename: file.filename.to_string(), has });
    }
    // The index's word counts where it agrees with the requirement, or nothing else is known.
    if wanted.is_empty() || is_wanted {
        return Ok(of_digests(has));
    }
    Ok(of_digests(wanted))
}

/// What digests say of a file that must have one of them.
pub(crate) fn of_digests(digests: &[HashDigest]) -> Wanted {
    let mut sha256 = digests.iter().filter(|hash| hash.algorithm == HashAlgorithm::Sha256);
    let only = match (sha256.next(), sha256.next()) {
        (Some(only), None) => digest(only),
        _ => None,
    };
    if only.is_some() {
        return Wanted { sha256: only, hashes: Vec::new() };
    }
    Wanted { sha256: None, hashes: digests.iter().map(ToString::to_string).collect() }
}

fn digest(hash: &HashDigest) -> Option<Digest> {
    format!("sha256:{}", hash.digest.to_ascii_lowercase()).parse().ok()
}

/// Whether a given file, whose digest is known, is what is wanted.
pub(crate) fn check_given(
    path: &str,
    has: &Digest,
    wanted: &[HashDigest],
) -> Result<(), HashProblem> {
    let comparable: Vec<_> = wanted.iter().filter_map(digest_if_sha256).collect();
    if comparable.len() < wanted.len() || wanted.is_empty() || comparable.contains(has) {
        return Ok(());
    }
    Err(HashProblem::Mismatch { filename: path.to_owned(), has: vec![has.to_string()] })
}

fn digest_if_sha256(hash: &HashDigest) -> Option<Digest> {
    if hash.algorithm == HashAlgorithm::Sha256 { digest(hash) } else { None }
}
