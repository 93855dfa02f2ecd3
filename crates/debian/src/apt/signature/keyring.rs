//! Keyrings: files of keys.

use pgp::packet::{Packet, PacketParser};

use super::certificate::{Certificate, Key};
use super::{ArmorError, blocks, is_armoured};

/// Keys that signatures are verified with.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    certificates: Vec<Certificate>,
}

/// Why a file is no keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The block cannot be read.
    #[error("{0}")]
    Armor(ArmorError),
    /// GnuPG's own format.
    #[error("is a keybox, which apt does not read: write the keys with `gpg --export`")]
    Keybox,
    /// There is nothing in it that is a key.
    #[error("holds no key")]
    Empty,
    /// Its name promises another format, by which apt goes.
    #[error(
        "is armoured, and apt reads such a file only if its name ends with .asc: name it so, or use `gpg --dearmor`"
    )]
    Armoured,
    /// As above.
    #[error(
        "is not armoured, and apt reads such a file only if its name ends with .gpg: name it so"
    )]
    NotArmoured,
}

/// So many packets of one file are looked at: Debian's own keyring has 200.
const MOST_PACKETS: usize = 50_000;

impl Keyring {
    /// Adds the keys of a file, armoured or not. How many there were is of no matter, as long as
    /// there was one.
    ///
    /// # Errors
    /// [`KeyringError`]; the keyring is as it was.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), KeyringError> {
        // Where GnuPG's keyboxes have their mark.
        if bytes.get(8..12) == Some(b"KBXf") {
            return Err(KeyringError::Keybox);
        }
        let found = match is_armoured(bytes) {
            true => {
                let mut found = Vec::new();
                for block in blocks(bytes).map_err(KeyringError::Armor)? {
                    if block.kind == b"PGP PUBLIC KEY BLOCK" {
                        found.extend(Certificate::all_of(packets(&block.bytes)));
                    }
                }
                found
            }
            false => Certificate::all_of(packets(bytes)),
        };
        if found.is_empty() {
            return Err(KeyringError::Empty);
        }
        self.certificates.extend(found);
        Ok(())
    }

    /// The same for a file of this name, by which apt goes: `.asc` is armoured, all else is not.
    ///
    /// # Errors
    /// [`KeyringError`]
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), KeyringError> {
        match (name.ends_with(".asc"), is_armoured(bytes)) {
            (true, false) => Err(KeyringError::NotArmoured),
            (false, true) => Err(KeyringError::Armoured),
            _ => self.add(bytes),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        self.certificates.iter().flat_map(Certificate::keys)
    }

    /// The fingerprints of its primary keys.
    pub fn fingerprints(&self) -> Vec<String> {
        let all = self.certificates.iter().map(Certificate::fingerprint);
        all.map(|fingerprint| hex::encode_upper(fingerprint.as_bytes())).collect()
    }
}

/// The packets that are understood. One that is not stands for itself as one that says nothing.
fn packets(bytes: &[u8]) -> impl Iterator<Item = Packet> {
    PacketParser::new(bytes).take(MOST_PACKETS).filter_map(Result::ok)
}
