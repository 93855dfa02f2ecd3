//! Whether a text is signed by a key that is believed (OpenPGP, RFC 9580), as gpgv would say, with
//! a policy that is apt's of today: what is weak, expired or revoked is no signature.

mod armor;
mod certificate;
mod cleartext;
mod keyring;
mod policy;
#[cfg(test)]
mod tests;

use bstr::ByteSlice;
use pgp::packet::{Packet, PacketParser, Signature, SignatureType};

pub use armor::ArmorError;
pub(super) use armor::blocks;
pub use keyring::{Keyring, KeyringError};

use certificate::{Key, KeyFlaw};
use policy::Times;

/// So many signatures of one text are looked at.
const MOST_SIGNATURES: usize = 32;

/// A text that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The text, and nothing that stood around it.
    pub text: Vec<u8>,
    /// The fingerprint of the key that signed it.
    pub signer: String,
}

/// Why a text is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is no signed text.
    #[error("it is not signed")]
    Unsigned,
    /// It looks like one, and is not as it has to be.
    #[error("it is no well-formed signed text: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The signature cannot be read.
    #[error("its signature cannot be read: {0}")]
    Armor(ArmorError),
    /// It is signed, and no signature counts.
    #[error("{}", shown(.0))]
    Flawed(Vec<Flaw>),
}

/// Why a signature does not count. A key is named by its fingerprint, or by what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The key is not in the keyrings.
    #[error("the key {key} is in none of the keyrings")]
    NoKey {
        /// The key.
        key: String,
    },
    /// The key is known, and not among those that may sign this.
    #[error("the key {key} is not one of those that may sign this")]
    NotAllowed {
        /// The key.
        key: String,
    },
    /// The text is not what was signed.
    #[error("the text is not what the key {key} has signed")]
    Bad {
        /// The key.
        key: String,
    },
    /// The signature was made by a weak digest.
    #[error("the signature of the key {key} is made with {digest}, which is too weak")]
    WeakDigest {
        /// The key.
        key: String,
        /// The digest.
        digest: String,
    },
    /// The signature has expired.
    #[error("the signature of the key {key} expired on {}", day(*.expired))]
    Expired {
        /// The key.
        key: String,
        /// When, in seconds since the epoch.
        expired: i64,
    },
    /// The signature is of a time to come.
    #[error("the signature of the key {key} was made on {}, which is to come", day(*.created))]
    Future {
        /// The key.
        key: String,
        /// When, in seconds since the epoch.
        created: i64,
    },
    /// The signature says what is not understood.
    #[error("the signature of the key {key} is of a kind that is not understood")]
    NotUnderstood {
        /// The key.
        key: String,
    },
    /// The key has expired.
    #[error("the key {key} ({user}) expired on {}", day(*.expired))]
    KeyExpired {
        /// The key.
        key: String,
        /// Whose it is.
        user: String,
        /// When, in seconds since the epoch.
        expired: i64,
    },
    /// The key is revoked.
    #[error("the key {key} ({user}) is revoked")]
    KeyRevoked {
        /// The key.
        key: String,
        /// Whose it is.
        user: String,
    },
    /// The key is weak.
    #[error("the key {key} ({user}) is too weak: {what}")]
    KeyWeak {
        /// The key.
        key: String,
        /// Whose it is.
        user: String,
        /// What it is.
        what: String,
    },
    /// The key may not sign at all.
    #[error("the key {key} ({user}) {what}")]
    KeyUnfit {
        /// The key.
        key: String,
        /// Whose it is.
        user: String,
        /// Why not.
        what: &'static str,
    },
}

impl Flaw {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            Flaw::NoKey { .. } => {
                "put the archive's key into a keyring, and name that in signed-by"
            }
            Flaw::NotAllowed { .. } => "name the key's fingerprint in signed-by, if it is right",
            Flaw::Bad { .. } => {
                "the file was changed on its way, or a mirror is in the middle of an update"
            }
            Flaw::KeyExpired { .. } | Flaw::KeyRevoked { .. } => {
                "get the archive's key as it is now; the archive's owners say where"
            }
            Flaw::WeakDigest { .. } | Flaw::KeyWeak { .. } | Flaw::KeyUnfit { .. } => {
                "the archive's owners have to sign it with another key or digest"
            }
            Flaw::Expired { .. } => "the archive is not kept up; take a mirror that is",
            Flaw::Future { .. } => "the clock of this machine may be wrong",
            Flaw::NotUnderstood { .. } => "the archive's owners have to sign it in another way",
        }
    }

    /// The key.
    pub fn key(&self) -> &str {
        match self {
            Flaw::NoKey { key }
            | Flaw::NotAllowed { key }
            | Flaw::Bad { key }
            | Flaw::WeakDigest { key, .. }
            | Flaw::Expired { key, .. }
            | Flaw::Future { key, .. }
            | Flaw::NotUnderstood { key }
            | Flaw::KeyExpired { key, .. }
            | Flaw::KeyRevoked { key, .. }
            | Flaw::KeyWeak { key, .. }
            | Flaw::KeyUnfit { key, .. } => key,
        }
    }

    /// As apt says it, in gpgv's status words: `NO_PUBKEY 0E98404D386FA1D9`.
    pub fn status_line(&self) -> String {
        let status = match self {
            Flaw::NoKey { .. } => "NO_PUBKEY",
            Flaw::Bad { .. } => "BADSIG",
            Flaw::Expired { .. } => "EXPSIG",
            Flaw::KeyExpired { .. } => "EXPKEYSIG",
            Flaw::KeyRevoked { .. } => "REVKEYSIG",
            _ => "ERRSIG",
        };
        let key = self.key();
        // A key's short name is the end of its fingerprint.
        let short = key.get(key.len().saturating_sub(16)..).unwrap_or(key);
        match self {
            Flaw::KeyExpired { user, .. } | Flaw::KeyRevoked { user, .. } => {
                format!("{status} {short} {user}")
            }
            _ => format!("{status} {short}"),
        }
    }
}

/// Who may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signers<'a> {
    /// Every key of the keyrings.
    All,
    /// Keys with these fingerprints and their subkeys; with a `!` at its end, that very key
    /// (sources.list(5), `signed-by`).
    Only(&'a [String]),
}

impl Signers<'_> {
    fn include(&self, key: Key<'_>) -> bool {
        let Signers::Only(fingerprints) = self else { return true };
        let is = |fingerprint: &str, key: pgp::types::Fingerprint| {
            fingerprint.eq_ignore_ascii_case(&hex::encode(key.as_bytes()))
        };
        fingerprints.iter().any(|wanted| match wanted.strip_suffix('!') {
            Some(wanted) => is(wanted, key.fingerprint()),
            None => is(wanted, key.fingerprint()) || is(wanted, key.certificate().fingerprint()),
        })
    }
}

/// The text of a file that is signed where it stands, if one good signature of a key that may sign
/// is there.
///
/// # Errors
/// [`SignatureError`]; nothing of the file may be believed then.
pub fn verify_cleartext(
    file: &[u8],
    keyring: &Keyring,
    signers: Signers<'_>,
    now: i64,
) -> Result<Signed, SignatureError> {
    let cleartext = cleartext::split(file)?;
    let signatures = signatures_of(&cleartext.signatures)?;
    let kinds = [SignatureType::Text];
    let check = Check { keyring, signers, now, kinds: &kinds, data: &cleartext.signed };
    let signer = check.one_of(&signatures)?;
    Ok(Signed { text: cleartext.text, signer })
}

/// The same for a text whose signature is a file of its own, armoured or not.
///
/// # Errors
/// [`SignatureError`]
pub fn verify_detached(
    text: &[u8],
    signature: &[u8],
    keyring: &Keyring,
    signers: Signers<'_>,
    now: i64,
) -> Result<Signed, SignatureError> {
    let signatures = if signature.first().is_some_and(|byte| byte & 0x80 != 0) {
        signatures_of(signature)?
    } else {
        let mut all = Vec::new();
        for block in blocks(signature).map_err(SignatureError::Armor)? {
            if block.kind == b"PGP SIGNATURE" {
                all.extend(signatures_of(&block.bytes)?);
            }
        }
        all
    };
    let kinds = [SignatureType::Binary, SignatureType::Text];
    let check = Check { keyring, signers, now, kinds: &kinds, data: text };
    let signer = check.one_of(&signatures)?;
    Ok(Signed { text: text.to_vec(), signer })
}

/// The text of a signed file, whoever has signed it; for what was verified before.
pub(super) fn text_of(file: &[u8]) -> Option<Vec<u8>> {
    cleartext::split(file).ok().map(|cleartext| cleartext.text)
}

fn signatures_of(packets: &[u8]) -> Result<Vec<Signature>, SignatureError> {
    let mut signatures = Vec::new();
    for packet in PacketParser::new(packets).take(MOST_SIGNATURES) {
        // What is not understood is no signature; what is cut off ends the list.
        if let Ok(Packet::Signature(signature)) = packet {
            signatures.push(signature);
        }
    }
    match signatures.is_empty() {
        true => Err(SignatureError::Malformed { what: "its signature is empty or cut off" }),
        false => Ok(signatures),
    }
}

struct Check<'a> {
    keyring: &'a Keyring,
    signers: Signers<'a>,
    now: i64,
    /// What a signature of this may be.
    kinds: &'a [SignatureType],
    data: &'a [u8],
}

impl Check<'_> {
    /// The first good signature's key.
    fn one_of(&self, signatures: &[Signature]) -> Result<String, SignatureError> {
        if signatures.is_empty() {
            return Err(SignatureError::Unsigned);
        }
        let mut flaws = Vec::new();
        for signature in signatures {
            match self.signer(signature) {
                Ok(signer) => return Ok(signer),
                Err(flaw) => flaws.push(flaw),
            }
        }
        Err(SignatureError::Flawed(flaws))
    }

    fn signer(&self, signature: &Signature) -> Result<String, Flaw> {
        // A key may be in several keyrings, and two keys may have one short name. One that is revoked
        // anywhere is revoked.
        let mut found = Err(Flaw::NoKey { key: issuer(signature) });
        for key in self.keyring.keys().filter(|key| key.made(signature)) {
            match self.check(signature, key) {
                Err(revoked @ Flaw::KeyRevoked { .. }) => return Err(revoked),
                Err(_) if found.is_ok() => {}
                Err(flaw) => found = Err(flaw),
                Ok(()) => found = Ok(shown_fingerprint(key)),
            }
        }
        found
    }

    fn check(&self, signature: &Signature, key: Key<'_>) -> Result<(), Flaw> {
        let name = || shown_fingerprint(key);
        let is_of_kind = signature.typ().is_some_and(|kind| self.kinds.contains(&kind));
        if !policy::is_understood(signature) || !is_of_kind {
            return Err(Flaw::NotUnderstood { key: name() });
        }
        if let Some(digest) = policy::weak_digest(signature) {
            return Err(Flaw::WeakDigest { key: name(), digest });
        }
        // What it costs to verify comes last but for the key's own signatures.
        if !self.signers.include(key) {
            return Err(Flaw::NotAllowed { key: name() });
        }
        if !key.verifies(signature, self.data) {
            return Err(Flaw::Bad { key: name() });
        }
        match policy::times(signature, self.now) {
            Times::Valid => {}
            Times::Expired { expired } => return Err(Flaw::Expired { key: name(), expired }),
            Times::Future { created } => return Err(Flaw::Future { key: name(), created }),
            Times::Unknown => return Err(Flaw::NotUnderstood { key: name() }),
        }
        key.check(self.now).map_err(|flaw| of_key(key, flaw))
    }
}

fn of_key(key: Key<'_>, flaw: KeyFlaw) -> Flaw {
    let (user, key) = (key.certificate().user(), shown_fingerprint(key));
    match flaw {
        KeyFlaw::Weak(what) => Flaw::KeyWeak { key, user, what },
        KeyFlaw::Revoked => Flaw::KeyRevoked { key, user },
        KeyFlaw::Expired(expired) => Flaw::KeyExpired { key, user, expired },
        KeyFlaw::Future(_) => Flaw::KeyUnfit { key, user, what: "is made in a time to come" },
        KeyFlaw::Unbound => Flaw::KeyUnfit { key, user, what: "says nothing valid of itself" },
        KeyFlaw::NotForSigning => Flaw::KeyUnfit { key, user, what: "is not for signing" },
    }
}

fn shown_fingerprint(key: Key<'_>) -> String {
    hex::encode_upper(key.fingerprint().as_bytes())
}

/// The longest name that a signature has for its key.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|key| key.as_bytes().to_vec());
    let id = || signature.issuer_key_id().first().map(|id| id.as_ref().to_vec());
    match fingerprint.or_else(id) {
        Some(bytes) => hex::encode_upper(bytes),
        None => "without a name".to_owned(),
    }
}

fn shown(flaws: &[Flaw]) -> String {
    let all: Vec<String> = flaws.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// A day as people write it.
pub(super) fn day(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y-%m-%d").to_string()
}

/// Whether bytes begin as a text with armour does.
pub(super) fn is_armoured(bytes: &[u8]) -> bool {
    bytes.trim_start().starts_with(b"-----BEGIN ") || bytes.find(b"\n-----BEGIN PGP ").is_some()
}
