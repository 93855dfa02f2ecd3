//! The work of [`Blocks`](crate::blocks::Blocks) on several threads.
//!
//! Workers fill buffers, one thread puts the pieces in order, hashes and writes the blob, and one
//! behind it hashes the tar and gives the buffers back. So nothing is under way that no buffers were
//! taken for, and whichever thread stops early, the one that waits for buffers learns of it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};
use oci::DiffId;

use crate::LayerError;
use crate::blocks::{Blob, BlockWork, Buffers, HashedSink, HashedTar, Piece, Task};

/// Buffers on their way to a worker.
struct Job {
    number: u64,
    buffers: Buffers,
    task: Task,
}

/// A piece on its way to the ordered writer.
struct Done {
    number: u64,
    piece: Result<Piece, LayerError>,
}

/// Workers, an ordered writer and a hasher.
pub(crate) struct Threaded<W> {
    next: u64,
    // Dropped to say that no more comes.
    ways: Option<(Sender<Job>, Sender<Done>)>,
    given_back: Receiver<Buffers>,
    /// Those that were not used yet.
    spare: Vec<Buffers>,
    workers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<Result<HashedSink<W>, LayerError>>>,
    hasher: Option<JoinHandle<Result<DiffId, LayerError>>>,
}

impl<W: Write + Send + 'static> Threaded<W> {
    pub(crate) fn new(sink: W, works: Vec<BlockWork>) -> Result<Self, LayerError> {
        let (jobs, jobs_in) = unbounded::<Job>();
        let (done, done_in) = unbounded();
        let (to_hash, hash_in) = unbounded();
        let (back, given_back) = unbounded();
        // For each worker, one being filled, one being written, one being hashed, and five waiting,
        // so that workers have some while the caller inflates a large file.
        let spare = (0..works.len() + 8).map(|_| Buffers::default()).collect();
        let mut workers = Vec::with_capacity(works.len());
        for work in works {
            let (jobs, done) = (jobs_in.clone(), done.clone());
            workers.push(spawn("layer-compress", || fill(work, jobs, done))?);
        }
        let sink = HashedSink::new(sink);
        let writer = spawn("layer-write", || write_in_order(sink, done_in, to_hash))?;
        let hasher = spawn("layer-diff-id", || hash(hash_in, back))?;
        Ok(Threaded {
            next: 0,
            ways: Some((jobs, done)),
            given_back,
            spare,
            workers,
            writer: Some(writer),
            hasher: Some(hasher),
        })
    }

    /// Empty buffers. This waits while too much is under way.
    pub(crate) fn buffers(&mut self) -> Result<Buffers, LayerError> {
        if let Some(buffers) = self.spare.pop() {
            return Ok(buffers);
        }
        // Nothing comes back once the writer or the hasher has failed.
        self.given_back.recv().map_err(|_| self.failure())
    }

    pub(crate) fn submit(&mut self, buffers: Buffers, task: Task) -> Result<(), LayerError> {
        let job = Job { number: self.number(), buffers, task };
        let sent = self.ways.as_ref().is_some_and(|(jobs, _)| jobs.send(job).is_ok());
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    /// Takes what needs no worker.
    pub(crate) fn emit(&mut self, piece: Piece) -> Result<(), LayerError> {
        let done = Done { number: self.number(), piece: Ok(piece) };
        let sent = self.ways.as_ref().is_some_and(|(_, to_write)| to_write.send(done).is_ok());
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn finish(mut self) -> Result<Blob<W>, LayerError> {
        let (sink, diff_id) = self.join()?;
        Ok(sink.finish(diff_id))
    }

    /// Why a thread stopped early.
    fn failure(&mut self) -> LayerError {
        self.join().err().unwrap_or_else(gone)
    }
}

impl<W> Threaded<W> {
    /// Lets all threads run out and waits for them. A panic in one goes on in the caller.
    fn join(&mut self) -> Result<(HashedSink<W>, DiffId), LayerError> {
        self.ways = None;
        let resume = |panic| -> ! { std::panic::resume_unwind(panic) };
        for worker in self.workers.drain(..) {
            worker.join().unwrap_or_else(|panic| resume(panic));
        }
        let sink = self.writer.take().map(|thread| thread.join().unwrap_or_else(|p| resume(p)));
        let diff_id = self.hasher.take().map(|thread| thread.join().unwrap_or_else(|p| resume(p)));
        // What the hasher has found came earlier in the tar.
        let diff_id = diff_id.ok_or_else(gone)??;
        Ok((sink.ok_or_else(gone)??, diff_id))
    }
}

impl<W> Drop for Threaded<W> {
    /// No thread outlives the writer: who gave up on it may delete the file it wrote to.
    fn drop(&mut self) {
        self.ways = None;
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
        self.writer.take().map(JoinHandle::join);
        self.hasher.take().map(JoinHandle::join);
    }
}

fn gone() -> LayerError {
    LayerError::Sink(io::ErrorKind::BrokenPipe.into())
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, LayerError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(LayerError::Thread)
}

fn fill(mut work: BlockWork, jobs: Receiver<Job>, done: Sender<Done>) {
    for Job { number, buffers, task } in jobs {
        let piece = work.fill(buffers, task);
        if done.send(Done { number, piece }).is_err() {
            return;
        }
    }
}

fn write_in_order<W: Write>(
    mut sink: HashedSink<W>,
    done: Receiver<Done>,
    to_hash: Sender<Piece>,
) -> Result<HashedSink<W>, LayerError> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for Done { number, piece } in done {
        waiting.insert(number, piece);
        while let Some(piece) = waiting.remove(&next) {
            let piece = piece?;
            sink.write(piece.block, &piece.buffers.packed)?;
            if to_hash.send(piece).is_err() {
                return Err(gone());
            }
            next += 1;
        }
    }
    Ok(sink)
}

fn hash(pieces: Receiver<Piece>, back: Sender<Buffers>) -> Result<DiffId, LayerError> {
    let mut tar = HashedTar::new();
    for Piece { mut buffers, role, .. } in pieces {
        tar.update(&buffers.raw, &role)?;
        buffers.clear();
        // Nobody waits for buffers once the last block has been pushed.
        let _ = back.send(buffers);
    }
    Ok(tar.finish())
}
