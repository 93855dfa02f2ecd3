//! A compressed layer as the tar that it holds, with a stop for bombs.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use oci::Compression;

use crate::error::Limit;
use crate::{Limits, TarError};

const BUFFER: usize = 64 << 10;

/// Reads the tar out of a blob: gzip of any number of members, zstd of any number of frames, or
/// the tar itself.
///
/// A limit that is exceeded comes as an [`io::Error`] that holds a [`TarError`].
pub fn decompress<'a>(
    blob: impl Read + Send + 'a,
    compression: Compression,
    limits: &Limits,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let (blob, taken) = count(blob);
    let decoder: Box<dyn Read + Send + 'a> = match compression {
        Compression::None => Box::new(blob),
        Compression::Gzip => Box::new(MultiGzDecoder::new(blob)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(blob)?),
    };
    Ok(Box::new(Bounded::new(decoder, taken, limits)))
}

/// A buffered reader that tells how many bytes were taken from it.
pub(crate) fn count<R: Read>(reader: R) -> (BufReader<Counted<R>>, Arc<AtomicU64>) {
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Counted { reader, taken: Arc::clone(&taken) };
    (BufReader::with_capacity(BUFFER, counted), taken)
}

pub(crate) struct Counted<R> {
    reader: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A decoder that stops at the limits.
pub(crate) struct Bounded<R> {
    decoder: R,
    taken: Arc<AtomicU64>,
    given: u64,
    limits: Limits,
}

impl<R> Bounded<R> {
    pub(crate) fn new(decoder: R, taken: Arc<AtomicU64>, limits: &Limits) -> Self {
        Bounded { decoder, taken, given: 0, limits: *limits }
    }

    fn check(&self) -> Result<(), TarError> {
        let exceeded = |what, allowed| Err(TarError::LimitExceeded { what, allowed });
        if self.given > self.limits.uncompressed {
            return exceeded(Limit::Uncompressed, self.limits.uncompressed);
        }
        let by_ratio = self.taken.load(Ordering::Relaxed).saturating_mul(self.limits.ratio);
        if self.given > by_ratio.max(Limits::RATIO_FREE) {
            return exceeded(Limit::Ratio, self.limits.ratio);
        }
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.given += read as u64;
        self.check().map_err(io::Error::other)?;
        Ok(read)
    }
}
