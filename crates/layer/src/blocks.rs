//! Blocks of a tar in, a compressed and hashed blob out: in parallel, in order, in bounded memory.
//!
//! Each block is compressed on its own, and so is each deflated file kept as it came, so the bytes
//! do not depend on how many threads there are. With one thread all happens in the caller's; with
//! more, [`Threaded`] does the same work elsewhere.

use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use oci::{DiffId, Digest, Digester};

use crate::LayerError;
use crate::deflated::{Claim, Inflation, Place, WholeInflater};
use crate::pack::{Packer, Packing, begin_member};
use crate::reuse::{Block, BlockKey, EarlierBlob};
use crate::threaded::Threaded;

/// How much is inflated at once of a file that is too large to be inflated whole.
const PIECE: usize = 1 << 20;

/// Where the bytes of a layer go, block by block.
pub(crate) enum Blocks<W> {
    Inline(Box<Inline<W>>),
    Threaded(Threaded<W>),
}

/// What came of all blocks.
pub(crate) struct Blob<W> {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) diff_id: DiffId,
    pub(crate) blocks: Vec<Block>,
    pub(crate) sink: W,
}

/// Bytes of the tar, and those of the blob that stand for them: buffers that are used again.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) raw: Vec<u8>,
    pub(crate) packed: Vec<u8>,
}

/// How one of the buffers comes from the other.
pub(crate) enum Task {
    /// `raw` is a block of the tar, to be compressed.
    Pack(BlockKey),
    /// `packed` is a gzip member, to be inflated and compared with what was said of it.
    Inflate(Claim, Place),
}

/// Both buffers are filled.
pub(crate) struct Piece {
    pub(crate) buffers: Buffers,
    pub(crate) block: Block,
    pub(crate) role: Role,
}

/// What is still to be verified of a piece.
pub(crate) enum Role {
    /// Nothing.
    Settled,
    /// It is the next part of a content whose digest is not known yet.
    Part,
    /// It is the last one.
    LastPart(Claim),
}

impl<W: Write + Send + 'static> Blocks<W> {
    pub(crate) fn new(
        sink: W,
        packing: Packing,
        threads: NonZeroUsize,
        earlier: Option<EarlierBlob>,
    ) -> Result<Self, LayerError> {
        let earlier = earlier.filter(|earlier| earlier.serves(packing)).map(Arc::new);
        let work = || BlockWork::new(packing, earlier.clone());
        if threads.get() == 1 {
            Ok(Blocks::Inline(Box::new(Inline::new(sink, work()?))))
        } else {
            let works = (0..threads.get()).map(|_| work()).collect::<Result<_, _>>()?;
            Threaded::new(sink, works).map(Blocks::Threaded)
        }
    }

    /// Takes the block in `raw`, and leaves an empty buffer there.
    pub(crate) fn push(&mut self, key: BlockKey, raw: &mut Vec<u8>) -> Result<(), LayerError> {
        let mut buffers = self.buffers()?;
        std::mem::swap(&mut buffers.raw, raw);
        self.submit(buffers, Task::Pack(key))
    }

    /// Takes a part of a deflated file as a gzip member of its own. That it is as claimed may turn out later,
    /// up to [`Blocks::finish`].
    ///
    /// What is small enough is inflated whole by a worker. What is larger is inflated by the
    /// piece in the caller's thread: the inflater that can do this is slower, but its pieces stay in
    /// the processor's cache until they are hashed, and it comes to the same.
    pub(crate) fn keep(
        &mut self,
        claim: Claim,
        place: Place,
        stream: &mut dyn Read,
    ) -> Result<(), LayerError> {
        if !claim.fits_whole() {
            return self.keep_by_the_piece(claim, place, stream);
        }
        let mut buffers = self.buffers()?;
        claim.read_member(stream, &mut buffers.packed)?;
        self.submit(buffers, Task::Inflate(claim, place))
    }

    fn keep_by_the_piece(
        &mut self,
        claim: Claim,
        place: Place,
        stream: &mut dyn Read,
    ) -> Result<(), LayerError> {
        let mut inflation = Inflation::new(claim.clone(), stream);
        let mut buffers = self.buffers()?;
        begin_member(&mut buffers.packed);
        while !inflation.has_ended() {
            inflation.read_piece(&mut buffers.raw, &mut buffers.packed, PIECE)?;
            if !inflation.has_ended() {
                self.emit(Piece::kept(buffers, Role::Part))?;
                buffers = self.buffers()?;
            }
        }
        claim.end_member(&mut buffers.packed);
        let role = if place == Place::Inside { Role::Part } else { Role::LastPart(claim) };
        self.emit(Piece::kept(buffers, role))
    }

    /// Empty buffers. This waits while too much is under way.
    fn buffers(&mut self) -> Result<Buffers, LayerError> {
        match self {
            Blocks::Inline(inline) => Ok(std::mem::take(&mut inline.buffers)),
            Blocks::Threaded(threaded) => threaded.buffers(),
        }
    }

    fn submit(&mut self, buffers: Buffers, task: Task) -> Result<(), LayerError> {
        match self {
            Blocks::Inline(inline) => {
                let piece = inline.work.fill(buffers, task)?;
                inline.take(piece)
            }
            Blocks::Threaded(threaded) => threaded.submit(buffers, task),
        }
    }

    fn emit(&mut self, piece: Piece) -> Result<(), LayerError> {
        match self {
            Blocks::Inline(inline) => inline.take(piece),
            Blocks::Threaded(threaded) => threaded.emit(piece),
        }
    }

    pub(crate) fn finish(self) -> Result<Blob<W>, LayerError> {
        match self {
            Blocks::Inline(inline) => Ok(inline.blob.finish(inline.tar.finish())),
            Blocks::Threaded(threaded) => threaded.finish(),
        }
    }
}

impl Buffers {
    pub(crate) fn clear(&mut self) {
        self.raw.clear();
        self.packed.clear();
    }
}

impl Piece {
    fn kept(buffers: Buffers, role: Role) -> Self {
        Piece { block: Block::kept(&buffers.packed), buffers, role }
    }
}

/// Fills one buffer from the other.
pub(crate) struct BlockWork {
    packer: Packer,
    inflater: WholeInflater,
    earlier: Option<Arc<EarlierBlob>>,
}

impl BlockWork {
    fn new(packing: Packing, earlier: Option<Arc<EarlierBlob>>) -> Result<Self, LayerError> {
        let packer = Packer::new(packing).map_err(LayerError::Compress)?;
        Ok(BlockWork { packer, inflater: WholeInflater::new(), earlier })
    }

    pub(crate) fn fill(&mut self, mut buffers: Buffers, task: Task) -> Result<Piece, LayerError> {
        match task {
            Task::Pack(key) => {
                let block = self.pack(key, &buffers.raw, &mut buffers.packed)?;
                Ok(Piece { buffers, block, role: Role::Settled })
            }
            Task::Inflate(claim, place) => {
                self.inflater.inflate(&claim, &buffers.packed, &mut buffers.raw)?;
                let role = match place {
                    Place::Whole => {
                        claim.verify_digest(Digest::of(&buffers.raw))?;
                        Role::Settled
                    }
                    Place::Inside => Role::Part,
                    Place::End => Role::LastPart(claim),
                };
                Ok(Piece::kept(buffers, role))
            }
        }
    }

    /// Packs a block, or copies what it was packed to before.
    fn pack(
        &mut self,
        key: BlockKey,
        raw: &[u8],
        packed: &mut Vec<u8>,
    ) -> Result<Block, LayerError> {
        let checksum = libdeflater::crc32(raw);
        let known = |earlier: &Arc<EarlierBlob>| earlier.copy(key, checksum, packed);
        if !self.earlier.as_ref().is_some_and(known) {
            self.packer.pack(raw, packed).map_err(LayerError::Compress)?;
        }
        Ok(Block {
            key,
            checksum,
            packed_length: packed.len() as u32,
            packed_checksum: libdeflater::crc32(packed),
        })
    }
}

/// Hashes the tar, and in it the contents that come in parts.
pub(crate) struct HashedTar {
    diff_id: Digester,
    content: Digester,
}

impl HashedTar {
    pub(crate) fn new() -> Self {
        HashedTar { diff_id: Digester::sha256(), content: Digester::sha256() }
    }

    pub(crate) fn update(&mut self, raw: &[u8], role: &Role) -> Result<(), LayerError> {
        self.diff_id.update(raw);
        if matches!(role, Role::Settled) {
            return Ok(());
        }
        self.content.update(raw);
        match role {
            Role::LastPart(claim) => {
                let content = std::mem::replace(&mut self.content, Digester::sha256());
                claim.verify_digest(content.finish())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn finish(self) -> DiffId {
        DiffId(self.diff_id.finish())
    }
}

/// A sink that hashes and counts.
pub(crate) struct HashedSink<W> {
    sink: W,
    digester: Digester,
    size: u64,
    blocks: Vec<Block>,
}

impl<W: Write> HashedSink<W> {
    pub(crate) fn new(sink: W) -> Self {
        HashedSink { sink, digester: Digester::sha256(), size: 0, blocks: Vec::new() }
    }

    pub(crate) fn write(&mut self, block: Block, bytes: &[u8]) -> Result<(), LayerError> {
        self.blocks.push(block);
        self.digester.update(bytes);
        self.size += bytes.len() as u64;
        self.sink.write_all(bytes).map_err(LayerError::Sink)
    }

    pub(crate) fn finish(self, diff_id: DiffId) -> Blob<W> {
        Blob {
            digest: self.digester.finish(),
            size: self.size,
            diff_id,
            blocks: self.blocks,
            sink: self.sink,
        }
    }
}

/// Everything in the caller's thread.
pub(crate) struct Inline<W> {
    work: BlockWork,
    buffers: Buffers,
    tar: HashedTar,
    blob: HashedSink<W>,
}

impl<W: Write> Inline<W> {
    fn new(sink: W, work: BlockWork) -> Self {
        let (tar, blob) = (HashedTar::new(), HashedSink::new(sink));
        Inline { work, buffers: Buffers::default(), tar, blob }
    }

    fn take(&mut self, mut piece: Piece) -> Result<(), LayerError> {
        self.blob.write(piece.block, &piece.buffers.packed)?;
        self.tar.update(&piece.buffers.raw, &piece.role)?;
        piece.buffers.clear();
        self.buffers = piece.buffers;
        Ok(())
    }
}
