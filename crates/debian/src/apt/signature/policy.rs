//! Which algorithms are believed in.

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureVersion, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyVersion, PublicParams};

/// RSA keys have so many bits at least, as apt has it since 2.8.
const LEAST_RSA_BITS: u16 = 2048;
/// A clock may be so far behind, in seconds: apt's `Acquire::Max-FutureTime`.
pub(super) const CLOCKS_DIFFER: i64 = 10;

/// Why a digest is not believed in to sign data, or `None` if it is.
pub(super) fn weak_digest(signature: &Signature) -> Option<String> {
    match signature.hash_alg() {
        Some(
            HashAlgorithm::Sha224
            | HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => None,
        Some(other) => Some(format!("{other:?}").to_uppercase()),
        None => Some("of an unknown kind".to_owned()),
    }
}

/// Whether a digest is believed in by which a key speaks of itself. SHA-1 is: whoever could use
/// that it is weak would have to have the owner sign what they made, and gpgv accepts it, too.
pub(super) fn is_fit_for_self(signature: &Signature) -> bool {
    weak_digest(signature).is_none() || signature.hash_alg() == Some(HashAlgorithm::Sha1)
}

/// Whether a signature is of a version that is in use, and says nothing that has to be understood
/// and is not (RFC 9580, section 5.2.3.7).
pub(super) fn is_understood(signature: &Signature) -> bool {
    let is_current = matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6);
    let Some(config) = signature.config() else { return false };
    let is_odd = |data: &SubpacketData| {
        matches!(
            data,
            SubpacketData::Other(..) | SubpacketData::Experimental(..) | SubpacketData::Notation(_)
        )
    };
    is_current && !config.hashed_subpackets().any(|part| part.is_critical && is_odd(&part.data))
}

/// Whether a signature's own times include `now`.
pub(super) fn times(signature: &Signature, now: i64) -> Times {
    let Some(created) = signature.created() else { return Times::Unknown };
    let created = i64::from(created.as_secs());
    if created > now.saturating_add(CLOCKS_DIFFER) {
        return Times::Future { created };
    }
    match signature.signature_expiration_time().map(|after| i64::from(after.as_secs())) {
        Some(after) if after > 0 && created + after <= now => {
            Times::Expired { expired: created + after }
        }
        _ => Times::Valid,
    }
}

/// What a signature's own times come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    Valid,
    Expired { expired: i64 },
    Future { created: i64 },
    Unknown,
}

/// Why a key is too weak, or `None` if it is not.
pub(super) fn weak_key(version: KeyVersion, parameters: &PublicParams) -> Option<String> {
    if !matches!(version, KeyVersion::V4 | KeyVersion::V6) {
        return Some("a key of an outdated version".to_owned());
    }
    match parameters {
        PublicParams::RSA(rsa) => {
            // The modulus comes first, and its length in bits before it (RFC 9580, section 3.2).
            let bytes = rsa.to_bytes().unwrap_or_default();
            let bits = bytes.first_chunk().map_or(0, |bits| u16::from_be_bytes(*bits));
            (bits < LEAST_RSA_BITS).then(|| format!("RSA of {bits} bits"))
        }
        PublicParams::ECDSA(_)
        | PublicParams::EdDSALegacy(_)
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_) => None,
        PublicParams::DSA(_) => Some("DSA".to_owned()),
        _ => Some("no algorithm for signatures".to_owned()),
    }
}
