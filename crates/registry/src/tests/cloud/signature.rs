//! AWS's side of a signature: from the request as it came, with nothing of the signer's.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::tests::stand_in::Heard;

/// What an `Authorization` of AWS says.
pub(super) struct Signed {
    pub(super) key: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// Checks the signature with the secret that `secret_of` knows for the key's id.
pub(super) fn verify(heard: &Heard, secret_of: impl Fn(&str) -> &'static str) -> Option<Signed> {
    let signed = |name: &str| heard.header(name).to_owned();
    let parts = Parts {
        method: &heard.method,
        path: &heard.path,
        query: &heard.query,
        header: &signed,
        body: heard.body.as_bytes(),
    };
    verify_parts(&parts, secret_of)
}

/// A request that was signed, however it travels.
pub(super) struct Parts<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) header: &'a dyn Fn(&str) -> String,
    pub(super) body: &'a [u8],
}

pub(super) fn verify_parts(
    parts: &Parts<'_>,
    secret_of: impl Fn(&str) -> &'static str,
) -> Option<Signed> {
    let authorization = (parts.header)("authorization");
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let fields: BTreeMap<&str, &str> =
        fields.split(", ").filter_map(|field| field.split_once('=')).collect();
    let scope: Vec<&str> = fields["Credential"].split('/').collect();
    let [key, day, region, service, "aws4_request"] = scope[..] else { return None };
    let names = fields["SignedHeaders"];
    for needed in ["host", "x-amz-date"] {
        assert!(names.split(';').any(|name| name == needed), "{needed} must be signed");
    }
    let mut text = format!("{}\n{}\n{}\n", parts.method, parts.path, parts.query);
    for name in names.split(';') {
        text += &format!("{name}:{}\n", (parts.header)(name));
    }
    text += &format!("\n{names}\n{}", hex(&Sha256::digest(parts.body)));
    let date = (parts.header)("x-amz-date");
    assert!(date.starts_with(day), "{date}");
    let hashed = hex(&Sha256::digest(text.as_bytes()));
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n{hashed}");
    let mut secret = format!("AWS4{}", secret_of(key)).into_bytes();
    for part in [day, region, service, "aws4_request", &to_sign] {
        secret = hmac(&secret, part.as_bytes());
    }
    let (key, region, service) = (key.to_owned(), region.to_owned(), service.to_owned());
    (hex(&secret) == fields["Signature"]).then_some(Signed { key, region, service })
}

/// RFC 2104, for keys of any length.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    match key.len() > 64 {
        true => block[..32].copy_from_slice(&Sha256::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
