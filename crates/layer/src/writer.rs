//! Entries to a blob: a tar, cut in blocks, compressed and hashed while it is written.
//!
//! # How the tar is cut
//!
//! A block ends when it holds [`BLOCK`] bytes, or before an entry, if
//! - the entry has half a block of content or more, and the block holds at least [`LEAST_BEFORE_LARGE`];
//! - or the block holds at least a quarter of [`BLOCK`] and the CRC-32 of the entry's path is a
//!   multiple of 64, or at least half of it and the CRC-32 is a multiple of 8.
//!
//! So the cuts depend on the entries alone, and they fall into step again soon after an entry that
//! was added, removed or changed its size: the blocks behind it are the same as before, and what
//! they compress to can be had from an earlier layer. Each block is compressed on its own. The
//! golden digests in this crate's tests guard the rule: another cut is another digest for everyone.

use std::io::{Read, Write};
use std::num::NonZeroUsize;

use oci::{Descriptor, DiffId, Digest, Digester};

use crate::blocks::{Blocks, Buffers};
use crate::deflated::{
    Claim, Deflated, DeflatedPart, Inflated, Place, WholeInflater, keeps_deflated,
};
use crate::header::{self, RECORD};
use crate::pack::Packing;
use crate::parts::InflatedParts;
use crate::reuse::{BlockKey, BlockList, EarlierBlob};
use crate::{Content, Entry, LayerError, Node};

/// The most bytes of tar that are compressed at once.
const BLOCK: usize = 1 << 20;
/// A large file has blocks of its own unless the one before it would stay smaller than this.
const LEAST_BEFORE_LARGE: usize = 64 << 10;

/// Writes a layer: its entries in order, each with its content.
///
/// ```
/// use std::num::NonZeroUsize;
/// use layer::{Attributes, Content, Entry, LayerWriter, Node, Packing};
///
/// let hello = Entry {
///     path: oci::ImagePath::lexical("etc/motd"),
///     attributes: Attributes::root(0o644, 0),
///     node: Node::File(Content::of(b"hello\n")),
/// };
/// let mut writer = LayerWriter::new(Vec::new(), Packing::default(), NonZeroUsize::MIN)?;
/// writer.append(&hello, Some(&mut &b"hello\n"[..]))?;
/// let (packed, blob) = writer.finish()?;
/// assert_eq!(packed.descriptor.digest, oci::Digest::of(&blob));
/// assert_eq!(packed.uncompressed_size, 4 * 512);
/// # Ok::<(), layer::LayerError>(())
/// ```
pub struct LayerWriter<W> {
    blocks: Blocks<W>,
    packing: Packing,
    block: Vec<u8>,
    /// Takes in what the block consists of, with contents by their names.
    key: Digester,
    previous: Option<Entry>,
    size: u64,
    inflater: WholeInflater,
    /// For files that are inflated here.
    buffers: Buffers,
}

/// What a finished layer is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The blob: media type, digest, size.
    pub descriptor: Descriptor,
    /// The digest of the tar.
    pub diff_id: DiffId,
    /// The size of the tar.
    pub uncompressed_size: u64,
    /// What the blob consists of, for [`LayerWriter::reusing`] it.
    pub blocks: BlockList,
}

impl<W: Write + Send + 'static> LayerWriter<W> {
    /// A writer to `sink` that compresses on `threads` threads. Their number does not influence
    /// the bytes; with one, all work is done in the caller's.
    pub fn new(sink: W, packing: Packing, threads: NonZeroUsize) -> Result<Self, LayerError> {
        Self::with(sink, packing, threads, None)
    }

    /// A writer that takes what it can from a blob that was written before. The bytes are those
    /// that [`LayerWriter::new`] would write; only less is compressed.
    pub fn reusing(
        earlier: EarlierBlob,
        sink: W,
        packing: Packing,
        threads: NonZeroUsize,
    ) -> Result<Self, LayerError> {
        Self::with(sink, packing, threads, Some(earlier))
    }

    fn with(
        sink: W,
        packing: Packing,
        threads: NonZeroUsize,
        earlier: Option<EarlierBlob>,
    ) -> Result<Self, LayerError> {
        Ok(LayerWriter {
            blocks: Blocks::new(sink, packing, threads, earlier)?,
            packing,
            block: Vec::new(),
            key: Digester::sha256(),
            previous: None,
            size: 0,
            inflater: WholeInflater::new(),
            buffers: Buffers::default(),
        })
    }

    /// Adds an entry, and from `content` the bytes of a file.
    ///
    /// Entries come in [`Entry::layer_order`], so of several names of one file the first is the
    /// file, and the others are links to it. A file's content must have exactly the size that its
    /// entry says; that it has the digest, too, is not checked here. `content` is read for files
    /// only; an empty file may come without.
    pub fn append(
        &mut self,
        entry: &Entry,
        content: Option<&mut dyn Read>,
    ) -> Result<(), LayerError> {
        self.expect_order(entry)?;
        let head = header::encode(entry)?;
        let file = match entry.node {
            Node::File(content) => Some(content),
            _ => None,
        };
        let size = file.map_or(0, |file| file.size);
        if self.cuts_before(entry, size) {
            self.push_block()?;
        }
        self.put(&head)?;
        if let Some(file) = file {
            match content {
                Some(content) => self.put_content(entry, content, file)?,
                None if size == 0 => {}
                None => return Err(LayerError::NoContent(entry.path.clone())),
            }
            self.put_padding(size)?;
        }
        self.previous = Some(entry.clone());
        Ok(())
    }

    /// Adds a file whose content comes as raw deflate streams, as a zip holds it.
    ///
    /// A gzip layer takes the streams as they are, if [`keeps_deflated`] says so; else the content
    /// is compressed as any other. The bytes of the tar are the same in any case. Everything that is
    /// known is verified: sizes, the CRC-32, the digest, and that each stream ends with its last
    /// byte; no more is inflated than the entry says. A stream that fails may be noticed later,
    /// while other entries are added, at the latest by [`LayerWriter::finish`].
    ///
    /// For an entry that is no file, nothing is read.
    pub fn append_deflated(
        &mut self,
        entry: &Entry,
        deflated: Deflated<'_>,
    ) -> Result<(), LayerError> {
        let Node::File(content) = entry.node else {
            return self.append(entry, None);
        };
        let Deflated { stream, parts } = deflated;
        let claims = claims(entry, content, parts)?;
        let keeps = matches!(self.packing, Packing::Gzip(_));
        let packed_size = parts.iter().map(|part| part.packed_size).sum();
        if !(keeps && keeps_deflated(content.size, packed_size)) {
            return self.append_inflated(entry, claims, stream);
        }
        self.expect_order(entry)?;
        self.put(&header::encode(entry)?)?;
        self.push_block()?;
        let last = claims.len() - 1;
        for (at, claim) in claims.into_iter().enumerate() {
            let place = match at {
                0 if last == 0 => Place::Whole,
                at if at == last => Place::End,
                _ => Place::Inside,
            };
            self.blocks.keep(claim, place, stream)?;
        }
        self.size += content.size;
        self.put_padding(content.size)?;
        self.previous = Some(entry.clone());
        Ok(())
    }

    fn append_inflated(
        &mut self,
        entry: &Entry,
        claims: Vec<Claim>,
        stream: &mut dyn Read,
    ) -> Result<(), LayerError> {
        let [claim] = &claims[..] else { return self.append_parts(entry, &claims, stream) };
        if claim.fits_whole() {
            let mut buffers = std::mem::take(&mut self.buffers);
            claim.read_member(stream, &mut buffers.packed)?;
            self.inflater.inflate(claim, &buffers.packed, &mut buffers.raw)?;
            claim.verify_digest(Digest::of(&buffers.raw))?;
            let appended = self.append(entry, Some(&mut &buffers.raw[..]));
            self.buffers = buffers;
            return appended;
        }
        let mut inflated = Inflated::new(claim.clone(), stream);
        let appended = self.append(entry, Some(&mut inflated));
        match inflated.failure() {
            Some(failure) => Err(failure),
            None => appended,
        }
    }

    fn append_parts(
        &mut self,
        entry: &Entry,
        claims: &[Claim],
        stream: &mut dyn Read,
    ) -> Result<(), LayerError> {
        let parts = claims.iter().map(|claim| claim.part).collect();
        let mut inflated = InflatedParts::new(stream, parts);
        self.append(entry, Some(&mut inflated))?;
        match claims.last() {
            Some(claim) => claim.verify_digest(inflated.digest()),
            None => Ok(()),
        }
    }

    /// Whether `entry` may follow what was written.
    fn expect_order(&self, entry: &Entry) -> Result<(), LayerError> {
        if let Some(previous) = &self.previous
            && previous.layer_order(entry).is_ge()
        {
            return Err(LayerError::OutOfOrder {
                path: entry.path.clone(),
                previous: previous.path.clone(),
            });
        }
        if let Node::Hardlink(target) = &entry.node
            && *target >= entry.path
        {
            let (path, target) = (entry.path.clone(), target.clone());
            return Err(LayerError::LinkBeforeTarget { path, target });
        }
        Ok(())
    }

    /// Ends the tar, waits for all that is under way, and gives the sink back, not flushed.
    pub fn finish(mut self) -> Result<(Packed, W), LayerError> {
        // "Two 512-octet logical records filled with binary zeros", and no padding to a tape's
        // block behind them.
        self.put_zeros(2 * RECORD as u64)?;
        self.push_block()?;
        let blob = self.blocks.finish()?;
        let blocks = BlockList::new(self.packing, blob.blocks);
        let descriptor = Descriptor::new(self.packing.media_type(), blob.digest, blob.size);
        let packed =
            Packed { descriptor, diff_id: blob.diff_id, uncompressed_size: self.size, blocks };
        Ok((packed, blob.sink))
    }

    fn cuts_before(&self, entry: &Entry, size: u64) -> bool {
        let held = self.block.len();
        if held >= LEAST_BEFORE_LARGE && size >= BLOCK as u64 / 2 {
            return true;
        }
        let every = if held >= BLOCK / 2 {
            8
        } else if held >= BLOCK / 4 {
            64
        } else {
            return false;
        };
        libdeflater::crc32(entry.path.as_bytes()).is_multiple_of(every)
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), LayerError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.make_room();
            self.block.extend_from_slice(now);
            self.key.update(now);
            self.push_full_block()?;
            bytes = later;
        }
        Ok(())
    }

    fn put_zeros(&mut self, count: u64) -> Result<(), LayerError> {
        const ZEROS: [u8; 2 * RECORD] = [0; 2 * RECORD];
        self.put(&ZEROS[..(count as usize).min(ZEROS.len())])
    }

    /// What makes a content's last record whole.
    fn put_padding(&mut self, size: u64) -> Result<(), LayerError> {
        self.put_zeros(size.next_multiple_of(RECORD as u64) - size)
    }

    fn put_content(
        &mut self,
        entry: &Entry,
        content: &mut dyn Read,
        file: Content,
    ) -> Result<(), LayerError> {
        let mut offset = 0;
        while offset < file.size {
            self.make_room();
            let start = self.block.len();
            let wanted = (file.size - offset).min((BLOCK - start) as u64);
            content
                .take(wanted)
                .read_to_end(&mut self.block)
                .map_err(|source| LayerError::Content { path: entry.path.clone(), source })?;
            let read = (self.block.len() - start) as u64;
            if read < wanted {
                return Err(changed(entry, file.size, offset + read));
            }
            self.key.update(file.digest.as_bytes());
            self.key.update(&offset.to_le_bytes());
            self.key.update(&read.to_le_bytes());
            offset += read;
            self.push_full_block()?;
        }
        expect_end(entry, content, file.size)
    }

    /// A buffer that came back has its room already.
    fn make_room(&mut self) {
        self.block.reserve_exact(BLOCK - self.block.len());
    }

    fn push_full_block(&mut self) -> Result<(), LayerError> {
        if self.block.len() == BLOCK { self.push_block() } else { Ok(()) }
    }

    fn push_block(&mut self) -> Result<(), LayerError> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.size += self.block.len() as u64;
        let key = std::mem::replace(&mut self.key, Digester::sha256()).finish();
        let key = BlockKey(key.as_bytes().first_chunk().copied().unwrap_or_default());
        self.blocks.push(key, &mut self.block)
    }
}

/// What must hold for each part of a file, which together are as large as it is.
fn claims(
    entry: &Entry,
    content: Content,
    parts: &[DeflatedPart],
) -> Result<Vec<Claim>, LayerError> {
    let found = parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.size));
    if found != content.size || parts.is_empty() {
        return Err(changed(entry, content.size, found));
    }
    let claim = |part: &DeflatedPart| Claim {
        path: entry.path.clone(),
        part: *part,
        digest: content.digest,
    };
    Ok(parts.iter().map(claim).collect())
}

fn changed(entry: &Entry, expected: u64, found: u64) -> LayerError {
    LayerError::Changed { path: entry.path.clone(), expected, found }
}

/// A file that grew gives a byte more than it should.
fn expect_end(entry: &Entry, content: &mut dyn Read, size: u64) -> Result<(), LayerError> {
    let mut more = Vec::new();
    content
        .take(1)
        .read_to_end(&mut more)
        .map_err(|source| LayerError::Content { path: entry.path.clone(), source })?;
    if more.is_empty() { Ok(()) } else { Err(changed(entry, size, size + 1)) }
}
