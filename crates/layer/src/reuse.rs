//! Blocks of a layer that was written before, for one that is nearly the same.
//!
//! A block is known by its key: the SHA-256 of the headers in it and of the names of the contents,
//! which costs next to nothing, and by the CRC-32 of its bytes, which notices a file that changed
//! after its digest was taken. Where both are those of an earlier block, what that one compressed
//! to is copied: the bytes are the same as if it were compressed again. A stream that came deflated
//! is on the list for its length only.

use std::collections::HashMap;
use std::io;

use crate::TarError;
use crate::pack::{GzipLevel, Packing, ZstdLevel};

/// To be raised with every change of the golden digests: what a block compresses to has changed.
const VERSION: u8 = 1;
/// Key, CRC-32 of the block, length and CRC-32 of what it compressed to.
const RECORD: usize = 32 + 4 + 4 + 4;

/// Which blocks a blob consists of, for a store to keep beside the blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockList {
    packing: Packing,
    blocks: Vec<Block>,
}

/// What a block is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlockKey(pub(crate) [u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) key: BlockKey,
    pub(crate) checksum: u32,
    pub(crate) packed_length: u32,
    pub(crate) packed_checksum: u32,
}

impl BlockKey {
    /// No block's key: a kept stream is had from where it came from.
    const NONE: BlockKey = BlockKey([0; 32]);
}

impl BlockList {
    pub(crate) fn new(packing: Packing, blocks: Vec<Block>) -> Self {
        BlockList { packing, blocks }
    }

    /// The list as bytes, for [`BlockList::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, level) = match self.packing {
            Packing::Gzip(level) => (1, level.number()),
            Packing::Zstd(level) => (2, level.number()),
            Packing::None => (0, 0),
        };
        let mut out = vec![VERSION, kind, level];
        for block in &self.blocks {
            out.extend_from_slice(&block.key.0);
            for number in [block.checksum, block.packed_length, block.packed_checksum] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        out.extend_from_slice(&libdeflater::crc32(&out).to_le_bytes());
        out
    }

    /// Reads what [`BlockList::to_bytes`] made. A list that another version wrote is an error:
    /// its blocks may compress to other bytes now.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TarError> {
        let bad = || TarError::BadIndex("it is no list of blocks");
        let (body, checksum) = bytes.split_last_chunk::<4>().ok_or_else(bad)?;
        let (&[version, kind, level], records) = body.split_first_chunk().ok_or_else(bad)?;
        if version != VERSION {
            return Err(TarError::IndexVersion { found: version, known: VERSION });
        }
        if libdeflater::crc32(body) != u32::from_le_bytes(*checksum) {
            return Err(TarError::BadIndex("its checksum is wrong"));
        }
        let packing = match kind {
            0 => Packing::None,
            1 => Packing::Gzip(GzipLevel::new(level).ok_or_else(bad)?),
            2 => Packing::Zstd(ZstdLevel::new(level).ok_or_else(bad)?),
            _ => return Err(bad()),
        };
        let (records, []) = records.as_chunks::<RECORD>() else {
            return Err(bad());
        };
        Ok(BlockList { packing, blocks: records.iter().map(Block::from_record).collect() })
    }
}

impl Block {
    /// A piece of the blob that nothing asks for again, and that has its length all the same.
    pub(crate) fn kept(packed: &[u8]) -> Self {
        Block {
            key: BlockKey::NONE,
            checksum: 0,
            packed_length: packed.len() as u32,
            packed_checksum: 0,
        }
    }

    fn from_record(record: &[u8; RECORD]) -> Self {
        let mut key = [0; 32];
        key.copy_from_slice(&record[..32]);
        let number = |at: usize| {
            u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
        };
        Block {
            key: BlockKey(key),
            checksum: number(32),
            packed_length: number(36),
            packed_checksum: number(40),
        }
    }
}

/// A blob that was written before, and what it consists of.
pub struct EarlierBlob {
    packing: Packing,
    places: HashMap<BlockKey, (u64, Block)>,
    read: Box<ReadAt>,
}

/// Fills a buffer from an offset in the blob.
type ReadAt = dyn Fn(&mut [u8], u64) -> io::Result<()> + Send + Sync;

impl EarlierBlob {
    /// `read_exact_at` fills a buffer from an offset in the blob, as a file's
    /// `FileExt::read_exact_at` does. If it fails, blocks are compressed again.
    pub fn new(
        list: BlockList,
        read_exact_at: impl Fn(&mut [u8], u64) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let mut places = HashMap::with_capacity(list.blocks.len());
        let mut offset = 0;
        for block in list.blocks {
            if block.key != BlockKey::NONE {
                places.insert(block.key, (offset, block));
            }
            offset += u64::from(block.packed_length);
        }
        EarlierBlob { packing: list.packing, places, read: Box::new(read_exact_at) }
    }

    /// Whether its blocks are of any use for `packing`.
    pub(crate) fn serves(&self, packing: Packing) -> bool {
        self.packing == packing
    }

    /// Replaces what `packed` holds by what the block compressed to, if it is known.
    pub(crate) fn copy(&self, key: BlockKey, checksum: u32, packed: &mut Vec<u8>) -> bool {
        let Some((offset, block)) = self.places.get(&key) else {
            return false;
        };
        // Blocks have a megabyte: a length far beyond it was never written.
        if block.checksum != checksum || block.packed_length > 4 << 20 {
            return false;
        }
        packed.clear();
        packed.resize(block.packed_length as usize, 0);
        (self.read)(packed, *offset).is_ok() && libdeflater::crc32(packed) == block.packed_checksum
    }
}
