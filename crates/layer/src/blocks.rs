//! Blocks of a tar in, a compressed and hashed blob out: in parallel, in order, in bounded memory.
//!
//! Each block is compressed on its own, so the bytes do not depend on how many threads there are.
//! With one thread all happens in the caller's; with more, workers compress, one thread hashes
//! the tar (the diff id), and one puts the blob in order, hashes and writes it. A fixed number of
//! blocks is under way at any time, each with its two buffers, which are used again.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};
use oci::{DiffId, Digest, Digester};

use crate::LayerError;
use crate::pack::{Packer, Packing};
use crate::reuse::{Block, BlockKey, EarlierBlob};

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

impl<W: Write + Send + 'static> Blocks<W> {
    pub(crate) fn new(
        sink: W,
        packing: Packing,
        threads: NonZeroUsize,
        earlier: Option<EarlierBlob>,
    ) -> Result<Self, LayerError> {
        let earlier = earlier.filter(|earlier| earlier.serves(packing)).map(Arc::new);
        let work = || BlockWork::new(packing, earlier.clone()).map_err(LayerError::Compress);
        if threads.get() == 1 {
            Ok(Blocks::Inline(Box::new(Inline::new(sink, work()?))))
        } else {
            let works = (0..threads.get()).map(|_| work()).collect::<Result<_, _>>()?;
            Threaded::new(sink, works).map(Blocks::Threaded)
        }
    }

    /// Takes the block in `raw`, and leaves an empty buffer there.
    pub(crate) fn push(&mut self, key: BlockKey, raw: &mut Vec<u8>) -> Result<(), LayerError> {
        match self {
            Blocks::Inline(inline) => inline.push(key, raw),
            Blocks::Threaded(threaded) => threaded.push(key, raw),
        }
    }

    pub(crate) fn finish(self) -> Result<Blob<W>, LayerError> {
        match self {
            Blocks::Inline(inline) => Ok(inline.blob.finish(DiffId(inline.diff_id.finish()))),
            Blocks::Threaded(threaded) => threaded.finish(),
        }
    }
}

/// Packs one block, or copies what it was packed to before.
struct BlockWork {
    packer: Packer,
    earlier: Option<Arc<EarlierBlob>>,
}

impl BlockWork {
    fn new(packing: Packing, earlier: Option<Arc<EarlierBlob>>) -> io::Result<Self> {
        Ok(BlockWork { packer: Packer::new(packing)?, earlier })
    }

    fn pack(&mut self, key: BlockKey, raw: &[u8], packed: &mut Vec<u8>) -> io::Result<Block> {
        let checksum = libdeflater::crc32(raw);
        let known = |earlier: &Arc<EarlierBlob>| earlier.copy(key, checksum, packed);
        if !self.earlier.as_ref().is_some_and(known) {
            self.packer.pack(raw, packed)?;
        }
        Ok(Block {
            key,
            checksum,
            packed_length: packed.len() as u32,
            packed_checksum: libdeflater::crc32(packed),
        })
    }
}

/// A sink that hashes and counts.
struct HashedSink<W> {
    sink: W,
    digester: Digester,
    size: u64,
    blocks: Vec<Block>,
}

impl<W: Write> HashedSink<W> {
    fn new(sink: W) -> Self {
        HashedSink { sink, digester: Digester::sha256(), size: 0, blocks: Vec::new() }
    }

    fn write(&mut self, block: Block, bytes: &[u8]) -> Result<(), LayerError> {
        self.blocks.push(block);
        self.digester.update(bytes);
        self.size += bytes.len() as u64;
        self.sink.write_all(bytes).map_err(LayerError::Sink)
    }

    fn finish(self, diff_id: DiffId) -> Blob<W> {
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
    packed: Vec<u8>,
    diff_id: Digester,
    blob: HashedSink<W>,
}

impl<W: Write> Inline<W> {
    fn new(sink: W, work: BlockWork) -> Self {
        Inline {
            work,
            packed: Vec::new(),
            diff_id: Digester::sha256(),
            blob: HashedSink::new(sink),
        }
    }

    fn push(&mut self, key: BlockKey, raw: &mut Vec<u8>) -> Result<(), LayerError> {
        self.diff_id.update(raw);
        let block = self.work.pack(key, raw, &mut self.packed).map_err(LayerError::Compress)?;
        self.blob.write(block, &self.packed)?;
        raw.clear();
        Ok(())
    }
}

/// A block on its way to a worker, with the buffer for its compressed form.
struct Job {
    number: u64,
    key: BlockKey,
    raw: Arc<Vec<u8>>,
    packed: Vec<u8>,
}

/// A block on its way from a worker to the ordered writer.
struct Done {
    number: u64,
    packed: io::Result<(Block, Vec<u8>)>,
}

/// Workers, a hasher and an ordered writer.
pub(crate) struct Threaded<W> {
    next: u64,
    // Dropped to say that no more blocks come.
    jobs: Option<Sender<Job>>,
    to_hash: Option<Sender<Arc<Vec<u8>>>>,
    free_raw: Receiver<Vec<u8>>,
    free_packed: Receiver<Vec<u8>>,
    workers: Vec<JoinHandle<()>>,
    hasher: Option<JoinHandle<Digest>>,
    writer: Option<JoinHandle<Result<HashedSink<W>, LayerError>>>,
}

impl<W: Write + Send + 'static> Threaded<W> {
    fn new(sink: W, works: Vec<BlockWork>) -> Result<Self, LayerError> {
        let (jobs, jobs_in) = unbounded::<Job>();
        let (to_hash, hash_in) = unbounded();
        let (done, done_in) = unbounded();
        let (raw_back, free_raw) = unbounded();
        let (packed_back, free_packed) = unbounded();
        // One for each worker, one being filled, one being written, two waiting.
        let under_way = works.len() + 4;
        for _ in 0..under_way {
            // The receivers are right here.
            let _ = raw_back.send(Vec::new());
            let _ = packed_back.send(Vec::new());
        }
        let mut workers = Vec::with_capacity(works.len());
        for work in works {
            let (jobs, done, raw_back) = (jobs_in.clone(), done.clone(), raw_back.clone());
            workers.push(spawn("layer-compress", || compress(work, jobs, done, raw_back))?);
        }
        let hasher = spawn("layer-diff-id", || hash(hash_in, raw_back))?;
        let sink = HashedSink::new(sink);
        let writer = spawn("layer-write", || write_in_order(sink, done_in, packed_back))?;
        Ok(Threaded {
            next: 0,
            jobs: Some(jobs),
            to_hash: Some(to_hash),
            free_raw,
            free_packed,
            workers,
            hasher: Some(hasher),
            writer: Some(writer),
        })
    }

    fn push(&mut self, key: BlockKey, raw: &mut Vec<u8>) -> Result<(), LayerError> {
        // A buffer for the compressed bytes comes back once the writer is done with it, so this
        // also waits while too many blocks are under way. It fails only if the writer did.
        let (Ok(packed), Ok(empty)) = (self.free_packed.recv(), self.free_raw.recv()) else {
            return Err(self.failure());
        };
        let block = Arc::new(std::mem::replace(raw, empty));
        raw.clear();
        let job = Job { number: self.next, key, raw: Arc::clone(&block), packed };
        self.next += 1;
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
            && self.to_hash.as_ref().is_some_and(|hash| hash.send(block).is_ok());
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    fn finish(mut self) -> Result<Blob<W>, LayerError> {
        let (sink, digest) = self.join();
        Ok(sink?.finish(DiffId(digest)))
    }

    /// Why the writer stopped early.
    fn failure(&mut self) -> LayerError {
        match self.join().0 {
            Err(error) => error,
            Ok(_) => LayerError::Sink(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl<W> Threaded<W> {
    /// Lets all threads run out and waits for them. A panic in one goes on in the caller.
    fn join(&mut self) -> (Result<HashedSink<W>, LayerError>, Digest) {
        self.jobs = None;
        self.to_hash = None;
        let resume = |panic| -> ! { std::panic::resume_unwind(panic) };
        for worker in self.workers.drain(..) {
            worker.join().unwrap_or_else(|panic| resume(panic));
        }
        let gone = || Err(LayerError::Sink(io::ErrorKind::BrokenPipe.into()));
        let digest = self.hasher.take().map(|thread| thread.join().unwrap_or_else(|p| resume(p)));
        let sink = self.writer.take().map(|thread| thread.join().unwrap_or_else(|p| resume(p)));
        (sink.unwrap_or_else(gone), digest.unwrap_or_else(|| Digest::of(b"")))
    }
}

impl<W> Drop for Threaded<W> {
    /// No thread outlives the writer: who gave up on it may delete the file it wrote to.
    fn drop(&mut self) {
        self.jobs = None;
        self.to_hash = None;
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
        self.hasher.take().map(JoinHandle::join);
        self.writer.take().map(JoinHandle::join);
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, LayerError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(LayerError::Thread)
}

fn compress(
    mut work: BlockWork,
    jobs: Receiver<Job>,
    done: Sender<Done>,
    raw_back: Sender<Vec<u8>>,
) {
    for Job { number, key, raw, mut packed } in jobs {
        let packed = work.pack(key, &raw, &mut packed).map(|block| (block, packed));
        give_back(raw, &raw_back);
        if done.send(Done { number, packed }).is_err() {
            return;
        }
    }
}

fn hash(blocks: Receiver<Arc<Vec<u8>>>, raw_back: Sender<Vec<u8>>) -> Digest {
    let mut digester = Digester::sha256();
    for raw in blocks {
        digester.update(&raw);
        give_back(raw, &raw_back);
    }
    digester.finish()
}

/// The last one to be done with a buffer returns it.
fn give_back(raw: Arc<Vec<u8>>, raw_back: &Sender<Vec<u8>>) {
    if let Some(buffer) = Arc::into_inner(raw) {
        // Nobody waits for buffers once the last block has been pushed.
        let _ = raw_back.send(buffer);
    }
}

fn write_in_order<W: Write>(
    mut sink: HashedSink<W>,
    done: Receiver<Done>,
    packed_back: Sender<Vec<u8>>,
) -> Result<HashedSink<W>, LayerError> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for Done { number, packed } in done {
        waiting.insert(number, packed.map_err(LayerError::Compress)?);
        while let Some((block, packed)) = waiting.remove(&next) {
            sink.write(block, &packed)?;
            let _ = packed_back.send(packed);
            next += 1;
        }
    }
    Ok(sink)
}
