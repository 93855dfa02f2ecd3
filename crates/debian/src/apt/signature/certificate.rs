//! A key with all that it says of itself: names, subkeys, times, revocations (RFC 9580, section
//! 10.1). What it says counts only as far as it is signed by the key.

use pgp::packet::{
    Packet, PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData, UserId,
};
use pgp::types::{Fingerprint, KeyDetails, Tag, VerifyingKey};

use super::policy::{self, Times};

/// A primary key and what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    primary: PublicKey,
    signatures: Vec<Signature>,
    users: Vec<(UserId, Vec<Signature>)>,
    subkeys: Vec<(PublicSubkey, Vec<Signature>)>,
}

/// One of the keys of a certificate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key<'c> {
    Primary(&'c Certificate),
    Sub(&'c Certificate, &'c (PublicSubkey, Vec<Signature>)),
}

/// Why a key signs nothing that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyFlaw {
    Weak(String),
    Revoked,
    Expired(i64),
    Future(i64),
    /// Nothing that it says of itself is signed by it.
    Unbound,
    /// It is for something else.
    NotForSigning,
}

impl Certificate {
    /// The certificates that packets make; what is not understood is passed over.
    pub(super) fn all_of(packets: impl Iterator<Item = Packet>) -> Vec<Certificate> {
        let mut all: Vec<Certificate> = Vec::new();
        // Whether signatures belong to something that is kept.
        let mut part = Part::Other;
        for packet in packets {
            part = match (packet, all.last_mut()) {
                (Packet::PublicKey(primary), _) => {
                    let (signatures, users, subkeys) = (Vec::new(), Vec::new(), Vec::new());
                    all.push(Certificate { primary, signatures, users, subkeys });
                    Part::Primary
                }
                (Packet::UserId(user), Some(last)) => {
                    last.users.push((user, Vec::new()));
                    Part::User
                }
                (Packet::PublicSubkey(subkey), Some(last)) => {
                    last.subkeys.push((subkey, Vec::new()));
                    Part::Subkey
                }
                (Packet::Signature(signature), Some(last)) => {
                    last.take(part, signature);
                    part
                }
                (Packet::Trust(_) | Packet::Marker(_), _) => part,
                _ => Part::Other,
            };
        }
        all
    }

    fn take(&mut self, part: Part, signature: Signature) {
        let signatures = match part {
            Part::Primary => Some(&mut self.signatures),
            Part::User => self.users.last_mut().map(|(_, signatures)| signatures),
            Part::Subkey => self.subkeys.last_mut().map(|(_, signatures)| signatures),
            Part::Other => None,
        };
        if let Some(signatures) = signatures {
            signatures.push(signature);
        }
    }

    /// Its keys, the primary one first.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        let subkeys = self.subkeys.iter().map(|subkey| Key::Sub(self, subkey));
        std::iter::once(Key::Primary(self)).chain(subkeys)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.primary.fingerprint()
    }

    /// The name that it gives first.
    pub(super) fn user(&self) -> String {
        let first = self.users.first().map(|(user, _)| user.id().to_vec());
        String::from_utf8_lossy(&first.unwrap_or_default()).into_owned()
    }

    /// What counts of the primary key, if it is valid.
    fn primary_state(&self, now: i64) -> Result<&Signature, KeyFlaw> {
        check_key(&self.primary, now)?;
        let revokes = |signature: &&Signature| {
            signature.typ() == Some(SignatureType::KeyRevocation)
                && signature.verify_key(&self.primary).is_ok()
        };
        if self.signatures.iter().any(|signature| revokes(&signature)) {
            return Err(KeyFlaw::Revoked);
        }
        let own = self.own_signature(now).ok_or(KeyFlaw::Unbound)?;
        check_expiry(&self.primary, own, now)?;
        Ok(own)
    }

    /// The newest signature by which the key speaks of itself: directly, or by a name that it has
    /// not taken back.
    fn own_signature(&self, now: i64) -> Option<&Signature> {
        let direct = self.signatures.iter().filter(|signature| {
            signature.typ() == Some(SignatureType::Key)
                && counts(signature, now)
                && signature.verify_key(&self.primary).is_ok()
        });
        if let Some(newest) = newest(direct) {
            return Some(newest);
        }
        let mut all = Vec::new();
        for (user, signatures) in &self.users {
            let certifies = |signature: &&Signature| {
                signature.verify_certification(&self.primary, Tag::UserId, user).is_ok()
            };
            let certified = signatures.iter().filter(|signature| {
                signature.is_certification() && counts(signature, now) && certifies(signature)
            });
            let Some(own) = newest(certified) else { continue };
            let is_taken_back = signatures.iter().any(|signature| {
                signature.typ() == Some(SignatureType::CertRevocation)
                    && signature.created() >= own.created()
                    && certifies(&signature)
            });
            all.extend((!is_taken_back).then_some(own));
        }
        newest(all.into_iter())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Primary,
    User,
    Subkey,
    Other,
}

impl<'c> Key<'c> {
    pub(super) fn certificate(self) -> &'c Certificate {
        match self {
            Key::Primary(certificate) | Key::Sub(certificate, _) => certificate,
        }
    }

    pub(super) fn fingerprint(self) -> Fingerprint {
        match self {
            Key::Primary(certificate) => certificate.primary.fingerprint(),
            Key::Sub(_, (subkey, _)) => subkey.fingerprint(),
        }
    }

    /// Whether a signature says that it is this key's.
    pub(super) fn made(self, signature: &Signature) -> bool {
        let fingerprints = signature.issuer_fingerprint();
        if !fingerprints.is_empty() {
            return fingerprints.contains(&&self.fingerprint());
        }
        let id = match self {
            Key::Primary(certificate) => certificate.primary.legacy_key_id(),
            Key::Sub(_, (subkey, _)) => subkey.legacy_key_id(),
        };
        signature.issuer_key_id().contains(&&id)
    }

    /// Whether a signature of data is this key's.
    pub(super) fn verifies(self, signature: &Signature, data: &[u8]) -> bool {
        match self {
            Key::Primary(certificate) => signature.verify(&certificate.primary, data).is_ok(),
            Key::Sub(_, (subkey, _)) => signature.verify(subkey, data).is_ok(),
        }
    }

    /// Whether it may sign at this time.
    pub(super) fn check(self, now: i64) -> Result<(), KeyFlaw> {
        match self {
            Key::Primary(certificate) => {
                let own = certificate.primary_state(now)?;
                // A key that does not say what it is for is for all that it can do.
                if says_use(own) && !own.key_flags().sign() {
                    return Err(KeyFlaw::NotForSigning);
                }
                Ok(())
            }
            Key::Sub(certificate, (subkey, signatures)) => {
                certificate.primary_state(now)?;
                check_subkey(&certificate.primary, subkey, signatures, now)
            }
        }
    }
}

fn check_subkey(
    primary: &PublicKey,
    subkey: &PublicSubkey,
    signatures: &[Signature],
    now: i64,
) -> Result<(), KeyFlaw> {
    check_key(subkey, now)?;
    let is_bound_by = |signature: &&Signature, kind| {
        signature.typ() == Some(kind) && signature.verify_subkey_binding(primary, subkey).is_ok()
    };
    if signatures.iter().any(|one| is_bound_by(&one, SignatureType::SubkeyRevocation)) {
        return Err(KeyFlaw::Revoked);
    }
    let bindings = signatures.iter().filter(|signature| {
        counts(signature, now) && is_bound_by(signature, SignatureType::SubkeyBinding)
    });
    let binding = newest(bindings).ok_or(KeyFlaw::Unbound)?;
    check_expiry(subkey, binding, now)?;
    if !binding.key_flags().sign() {
        return Err(KeyFlaw::NotForSigning);
    }
    // A key that signs has to say itself that it belongs there (RFC 9580, section 5.2.1.9).
    let is_willing = binding.embedded_signature().is_some_and(|back| {
        counts(back, now) && back.verify_primary_key_binding(subkey, primary).is_ok()
    });
    if is_willing { Ok(()) } else { Err(KeyFlaw::Unbound) }
}

fn check_key(key: &impl VerifyingKey, now: i64) -> Result<(), KeyFlaw> {
    if let Some(weak) = policy::weak_key(key.version(), key.public_params()) {
        return Err(KeyFlaw::Weak(weak));
    }
    let created = i64::from(key.created_at().as_secs());
    if created > now.saturating_add(policy::CLOCKS_DIFFER) {
        return Err(KeyFlaw::Future(created));
    }
    Ok(())
}

fn check_expiry(key: &impl KeyDetails, own: &Signature, now: i64) -> Result<(), KeyFlaw> {
    let after = own.key_expiration_time().map_or(0, |after| i64::from(after.as_secs()));
    let expires = i64::from(key.created_at().as_secs()) + after;
    if after > 0 && expires <= now { Err(KeyFlaw::Expired(expires)) } else { Ok(()) }
}

/// Whether a signature by which a key speaks of itself counts at all, if it is the key's.
fn counts(signature: &Signature, now: i64) -> bool {
    policy::is_understood(signature)
        && policy::is_fit_for_self(signature)
        && policy::times(signature, now) == Times::Valid
}

fn says_use(signature: &Signature) -> bool {
    let mut parts = signature.config().into_iter().flat_map(|config| config.hashed_subpackets());
    parts.any(|part| matches!(part.data, SubpacketData::KeyFlags(_)))
}

fn newest<'s>(signatures: impl Iterator<Item = &'s Signature>) -> Option<&'s Signature> {
    signatures.max_by_key(|signature| signature.created())
}
