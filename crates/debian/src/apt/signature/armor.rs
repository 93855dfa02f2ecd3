//! Bytes in letters, between lines that say what they are (RFC 9580, section 6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::ByteSlice;

/// One block of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::apt) struct Block<'t> {
    /// What its first line says: `PGP PUBLIC KEY BLOCK`.
    pub kind: &'t [u8],
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// The last line is missing.
    #[error("an armoured block has no end")]
    Truncated,
    /// Letters that are none of the 64.
    #[error("an armoured block has letters that do not belong there")]
    Letters,
    /// The checksum is another.
    #[error("an armoured block is damaged: its checksum is wrong")]
    Checksum,
}

/// All blocks of a text; what stands between them does not count.
pub(in crate::apt) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, ArmorError> {
    let mut lines = text.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(kind) = marked(line, b"-----BEGIN ") else { continue };
        // Headers, up to an empty line; none of them counts.
        let mut letters = Vec::new();
        let mut checksum = None;
        let mut in_headers = true;
        let mut is_whole = false;
        for line in lines.by_ref() {
            let line = line.trim();
            if marked(line, b"-----END ") == Some(kind) {
                is_whole = true;
                break;
            }
            if in_headers && line.contains(&b':') {
                continue;
            }
            in_headers &= !line.is_empty();
            match line.strip_prefix(b"=") {
                Some(rest) if rest.len() == 4 => checksum = Some(rest),
                _ => letters.extend_from_slice(line),
            }
        }
        if !is_whole {
            return Err(ArmorError::Truncated);
        }
        let bytes = STANDARD.decode(&letters).map_err(|_| ArmorError::Letters)?;
        if let Some(checksum) = checksum {
            let expected = STANDARD.decode(checksum).map_err(|_| ArmorError::Letters)?;
            if expected != crc24(&bytes).to_be_bytes()[1..] {
                return Err(ArmorError::Checksum);
            }
        }
        blocks.push(Block { kind, bytes });
    }
    Ok(blocks)
}

fn marked<'t>(line: &'t [u8], mark: &[u8]) -> Option<&'t [u8]> {
    line.trim_end().strip_prefix(mark)?.strip_suffix(b"-----")
}

/// RFC 9580, section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc: u32 = 0xb7_04ce;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x100_0000 != 0 {
                crc ^= 0x186_4cfb;
            }
        }
    }
    crc & 0xff_ffff
}
