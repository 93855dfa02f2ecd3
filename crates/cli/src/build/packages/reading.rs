//! Packages on all threads: some read, which is decompression for the most part, and others deflate
//! what they read, so that one large package keeps several of them busy.

use std::collections::VecDeque;
use std::io::{self, Write};

use crossbeam_channel::{Receiver, Sender, bounded};
use debian::Deb;
use debian::deb::{DebError, Sink};
use layer::{Content, DeflatedPart, Deflater};
use oci::{Digest, Digester};
use store::{Scratch, Store};

use super::fragment::Fragment;
use crate::build::error::BuildError;
use crate::error::Error;

/// What is smaller is deflated by whoever reads it: handing it over would take longer.
const LEAST_HANDED_OVER: usize = 32 << 10;
/// How many parts of one package are under way at most.
const UNDER_WAY: usize = 8;

/// A part that is to be deflated, and where it goes then.
pub(super) struct Job {
    part: Vec<u8>,
    done: Sender<Done>,
}

type Done = io::Result<(DeflatedPart, Vec<u8>)>;

/// Deflates what comes until nobody is left to send.
pub(super) fn deflate(jobs: &Receiver<Job>) {
    let mut deflater = Deflater::new();
    for Job { part, done } in jobs {
        let mut stream = Vec::new();
        let made = deflater.deflate(&part, &mut stream).map(|part| (part, stream));
        // Nobody wants it any more if reading failed.
        let _ = done.send(made);
    }
}

/// Reads a package, and has the store keep its files. Only [`super::fragment::record`] makes them known.
pub(super) fn read(
    store: &Store,
    file: impl io::Read + Send,
    digest: Digest,
    filename: &str,
    jobs: &Sender<Job>,
) -> Result<(Deb, Fragment), Error> {
    let mut keeping = Keeping {
        jobs,
        deflater: Deflater::new(),
        buffer: Vec::new(),
        parts: 0,
        pending: VecDeque::new(),
        made: VecDeque::new(),
        contents: VecDeque::new(),
        fragment: Fragment::default(),
        digester: Digester::sha256(),
        size: 0,
        scratch: store.scratch()?,
    };
    let limits = debian::deb::limits();
    let deb = debian::deb::read(file, digest, filename, &limits, &mut keeping);
    let deb = deb.map_err(|error| refused(filename, error))?;
    let fragment = keeping.finish().map_err(|source| unwritable(filename, source))?;
    Ok((deb, fragment))
}

fn refused(filename: &str, error: DebError) -> Error {
    match error {
        DebError::Sink(source) => unwritable(filename, source),
        source => BuildError::Deb { package: filename.to_owned(), source }.into(),
    }
}

fn unwritable(filename: &str, source: io::Error) -> Error {
    BuildError::Keep { what: format!("the files of {filename}"), source }.into()
}

/// A fragment that is being written.
struct Keeping<'a> {
    jobs: &'a Sender<Job>,
    deflater: Deflater,
    /// The part that is being read.
    buffer: Vec<u8>,
    /// How many parts the current file has so far.
    parts: usize,
    /// Parts that are not written yet, in order.
    pending: VecDeque<Pending>,
    /// Parts that are written, of the first of the contents.
    made: VecDeque<DeflatedPart>,
    /// Files, each with the number of its parts, of which some are not written yet.
    contents: VecDeque<(Content, usize)>,
    fragment: Fragment,
    digester: Digester,
    size: u64,
    scratch: Scratch,
}

enum Pending {
    Deflated(DeflatedPart, Vec<u8>),
    Elsewhere(Receiver<Done>),
}

impl Keeping<'_> {
    /// Has the part deflated that is in the buffer.
    fn submit(&mut self) -> io::Result<()> {
        self.parts += 1;
        let pending = if self.buffer.len() < LEAST_HANDED_OVER {
            let mut stream = Vec::new();
            let part = self.deflater.deflate(&self.buffer, &mut stream)?;
            self.buffer.clear();
            Pending::Deflated(part, stream)
        } else {
            let (done, made) = bounded(1);
            let part = std::mem::take(&mut self.buffer);
            let handed_over = self.jobs.send(Job { part, done });
            handed_over.map_err(|_| io::Error::other("no thread deflates"))?;
            Pending::Elsewhere(made)
        };
        self.pending.push_back(pending);
        while self.pending.len() > UNDER_WAY {
            self.write_first()?;
        }
        Ok(())
    }

    /// Writes the part that was first submitted.
    fn write_first(&mut self) -> io::Result<()> {
        let Some(first) = self.pending.pop_front() else { return Ok(()) };
        let (part, stream) = match first {
            Pending::Deflated(part, stream) => (part, stream),
            Pending::Elsewhere(made) => {
                made.recv().map_err(|_| io::Error::other("no thread deflates"))??
            }
        };
        self.digester.update(&stream);
        self.size += stream.len() as u64;
        self.scratch.write_all(&stream)?;
        self.made.push_back(part);
        self.settle();
        Ok(())
    }

    /// Notes where files are that are written whole.
    fn settle(&mut self) {
        while let Some((content, parts)) = self.contents.front().copied()
            && parts <= self.made.len()
        {
            self.fragment.add(content, self.made.drain(..parts).collect());
            self.contents.pop_front();
        }
    }

    fn finish(mut self) -> io::Result<Fragment> {
        while !self.pending.is_empty() {
            self.write_first()?;
        }
        let (digest, size) = (self.digester.finish(), self.size);
        self.fragment.set_blob(digest, size);
        self.scratch.commit_derived(digest, size).map_err(io::Error::other)?;
        Ok(self.fragment)
    }
}

impl Sink for Keeping<'_> {
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.buffer.len() == Deflater::PART {
                self.submit()?;
            }
            let room = (Deflater::PART - self.buffer.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn end(&mut self, content: Content) -> io::Result<()> {
        self.submit()?;
        self.contents.push_back((content, std::mem::take(&mut self.parts)));
        self.settle();
        Ok(())
    }
}
