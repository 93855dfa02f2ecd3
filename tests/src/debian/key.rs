//! Keys of archives that tests make, and what is signed with them: the same in every run.

use oci::Digest;
use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, SignedKeyDetails, SignedPublicKey,
};
use pgp::crypto::ed25519::{Mode, SecretKey as Ed25519};
use pgp::crypto::eddsa_legacy;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, SecretKey, SignatureConfig, SignatureType, Subpacket,
    SubpacketData, UserId,
};
use pgp::types::{
    EddsaLegacyPublicParams, KeyDetails, KeyVersion, PacketHeaderVersion, Password,
    PlainSecretParams, PublicParams, SecretParams, Tag, Timestamp,
};

/// 2026-01-01: when every key and every signature was made.
const MADE: u32 = 1_767_225_600;

/// A key for signing archives, as old GnuPG understands it.
pub struct ArchiveKey {
    secret: SecretKey,
    user: String,
}

impl ArchiveKey {
    /// The key of this name; nothing about it is a secret.
    pub fn of(name: &str) -> Self {
        let seed = Digest::of(format!("no SECRET: the key of {name}").as_bytes());
        let seed = *seed.as_bytes().first_chunk().expect("a digest has 32 bytes");
        let key = Ed25519::try_from_bytes(seed, Mode::EdDSALegacy).expect("any bytes are a key");
        let public = EddsaLegacyPublicParams::from(&key);
        let public = PubKeyInner::new(
            KeyVersion::V4,
            PublicKeyAlgorithm::EdDSALegacy,
            Timestamp::from_secs(MADE),
            None,
            PublicParams::EdDSALegacy(public),
        );
        let public = public.and_then(PublicKey::from_inner).expect("the parts fit");
        let secret = eddsa_legacy::SecretKey::Ed25519(key);
        let secret = SecretParams::Plain(PlainSecretParams::EdDSALegacy(secret));
        let secret = SecretKey::new(public, secret).expect("the parts fit");
        ArchiveKey { secret, user: format!("{name} <{name}@example.org>") }
    }

    /// The public key, in armor.
    pub fn public(&self) -> String {
        let mut config = self.config(SignatureType::CertPositive);
        let mut flags = KeyFlags::default();
        flags.set_certify(true);
        flags.set_sign(true);
        config.hashed_subpackets.push(part(SubpacketData::KeyFlags(flags)));
        let user = UserId::from_str(PacketHeaderVersion::New, &self.user).expect("it is text");
        let public = self.secret.public_key();
        let signature = config
            .sign_certification(&self.secret, public, &Password::empty(), Tag::UserId, &user)
            .expect("the key signs itself");
        let details =
            SignedKeyDetails::new(vec![], vec![], vec![user.into_signed(signature)], vec![]);
        SignedPublicKey::new(public.clone(), details, vec![])
            .to_armored_string(ArmorOptions::default())
            .expect("memory takes it")
    }

    /// A text as an `InRelease` has it.
    pub fn sign(&self, text: &str) -> String {
        let config = self.config(SignatureType::Text);
        CleartextSignedMessage::new(text, config, &self.secret, &Password::empty())
            .and_then(|signed| signed.to_armored_string(ArmorOptions::default()))
            .expect("the key signs")
    }

    /// A signature of a text by itself, as a `Release.gpg` has it.
    pub fn sign_apart(&self, text: &str) -> String {
        let config = self.config(SignatureType::Binary);
        config
            .sign(&self.secret, &Password::empty(), text.as_bytes())
            .and_then(|signature| {
                DetachedSignature::new(signature).to_armored_string(ArmorOptions::default())
            })
            .expect("the key signs")
    }

    fn config(&self, kind: SignatureType) -> SignatureConfig {
        let mut config =
            SignatureConfig::v4(kind, PublicKeyAlgorithm::EdDSALegacy, HashAlgorithm::Sha256);
        config.hashed_subpackets = vec![
            part(SubpacketData::SignatureCreationTime(Timestamp::from_secs(MADE))),
            part(SubpacketData::IssuerFingerprint(self.secret.fingerprint())),
        ];
        config.unhashed_subpackets =
            vec![part(SubpacketData::IssuerKeyId(self.secret.legacy_key_id()))];
        config
    }
}

fn part(data: SubpacketData) -> Subpacket {
    Subpacket::regular(data).expect("it is short")
}
