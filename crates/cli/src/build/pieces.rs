//! Many small things in one: each is a letter for its kind, the digest that it is about, its length,
//! and its bytes.

use std::io::Read;

use oci::Digest;

/// A digest as text.
const DIGEST_LENGTH: usize = "sha256:".len() + 64;

/// Adds a piece.
pub(super) fn put(plain: &mut Vec<u8>, kind: u8, about: &Digest, bytes: &[u8]) {
    plain.push(kind);
    plain.extend_from_slice(about.to_string().as_bytes());
    plain.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    plain.extend_from_slice(bytes);
}

/// Takes the first piece: its kind, what it is about, and its bytes; `None` if it is none.
pub(super) fn take<'a>(rest: &mut &'a [u8]) -> Option<(u8, Digest, &'a [u8])> {
    let kind = *rest.split_off_first()?;
    let about = std::str::from_utf8(rest.split_off(..DIGEST_LENGTH)?).ok()?;
    let about: Digest = about.parse().ok()?;
    let length = u64::from_le_bytes(rest.split_off(..8)?.try_into().ok()?);
    let bytes = rest.split_off(..usize::try_from(length).ok()?)?;
    Some((kind, about, bytes))
}

/// What was compressed with zstd; `None` if it was not, or is more than `most` bytes.
pub(super) fn decompress(packed: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    zstd::Decoder::new(packed).ok()?.take(most + 1).read_to_end(&mut plain).ok()?;
    (plain.len() as u64 <= most).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken() {
        let mut plain = Vec::new();
        put(&mut plain, b'a', &Digest::of(b"one"), b"one");
        put(&mut plain, b'b', &Digest::of(b""), b"");
        let mut rest = plain.as_slice();
        assert_eq!(take(&mut rest), Some((b'a', Digest::of(b"one"), &b"one"[..])));
        assert_eq!(take(&mut rest), Some((b'b', Digest::of(b""), &b""[..])));
        assert_eq!((rest.len(), take(&mut rest)), (0, None));
        for cut in 0..plain.len() {
            let mut rest = &plain[..cut];
            let whole = std::iter::from_fn(|| take(&mut rest)).count();
            assert_eq!(whole, usize::from(cut >= 1 + DIGEST_LENGTH + 8 + 3), "cut to {cut}");
        }
    }

    #[test]
    fn no_more_is_decompressed_than_may_be() {
        let packed = zstd::encode_all(&[7; 1000][..], 3).unwrap();
        assert_eq!(decompress(&packed, 1000), Some(vec![7; 1000]));
        assert_eq!(decompress(&packed, 999), None);
        assert_eq!(decompress(&packed[..packed.len() - 1], 1000), None);
        assert_eq!(decompress(b"no frame", 1000), None);
    }
}
