//! Archives that `ADD` unpacks: a tar, plain or compressed, told by its bytes and not by its name.

use std::io::{self, BufRead, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use crate::Limits;
use crate::decompress::{Bounded, count};
use crate::header::RECORD;
use crate::members::is_header;

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArchiveCompression {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// bzip2, of any number of streams.
    Bzip2,
    /// xz, of any number of streams.
    Xz,
    /// RFC 8878.
    Zstd,
}

impl ArchiveCompression {
    /// What the first bytes of a file say: six are enough.
    pub fn of_magic(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, 8, ..] => ArchiveCompression::Gzip,
            [b'B', b'Z', b'h', ..] => ArchiveCompression::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ArchiveCompression::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => ArchiveCompression::Zstd,
            _ => ArchiveCompression::None,
        }
    }
}

/// More memory than any preset of xz takes to decompress (xz(1), `-9` takes 65 MiB).
const XZ_MEMORY: u64 = 128 << 20;

/// Whether a file is a tar that `ADD` unpacks, and how it is compressed.
///
/// As Docker does it: what the first bytes say is taken for the compression, and the file is an
/// archive if a tar header comes out. So a compressed file that holds no tar, and a file whose
/// compression is broken, is just a file. An error means that `file` itself could not be read.
pub fn detect_archive(file: impl Read + Send) -> io::Result<Option<ArchiveCompression>> {
    let mut file = io::BufReader::with_capacity(64 << 10, Watched { file, error: None });
    let mut magic = Vec::with_capacity(6);
    let read = (&mut file).take(6).read_to_end(&mut magic);
    let compression = ArchiveCompression::of_magic(&magic);
    let mut first = [0; RECORD];
    let header = read.and_then(|_| {
        open(io::Cursor::new(magic).chain(&mut file), compression)?.read_exact(&mut first)
    });
    match file.into_inner().error {
        Some(error) => Err(error),
        None => Ok((header.is_ok() && is_header(&first)).then_some(compression)),
    }
}

/// Reads the tar out of an archive.
///
/// A limit that is exceeded comes as an [`io::Error`] that holds a [`crate::TarError`].
pub fn open_archive<'a>(
    file: impl Read + Send + 'a,
    compression: ArchiveCompression,
    limits: &Limits,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let (file, taken) = count(file);
    Ok(Box::new(Bounded::new(open(file, compression)?, taken, limits)))
}

/// The same for the format that was before xz (lzma(1)). No bytes tell it, so its name has to.
pub fn open_lzma<'a>(
    file: impl Read + Send + 'a,
    limits: &Limits,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let (file, taken) = count(file);
    let stream = Stream::new_lzma_decoder(XZ_MEMORY)?;
    Ok(Box::new(Bounded::new(XzDecoder::new_stream(file, stream), taken, limits)))
}

fn open<'a>(
    file: impl BufRead + Send + 'a,
    compression: ArchiveCompression,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match compression {
        ArchiveCompression::None => Box::new(file),
        ArchiveCompression::Gzip => Box::new(MultiGzDecoder::new(file)),
        ArchiveCompression::Bzip2 => Box::new(MultiBzDecoder::new(file)),
        ArchiveCompression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?;
            Box::new(XzDecoder::new_stream(file, stream))
        }
        ArchiveCompression::Zstd => Box::new(zstd::Decoder::with_buffer(file)?),
    })
}

/// A file that remembers its own error, as opposed to a decoder's.
struct Watched<R> {
    file: R,
    error: Option<io::Error>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}
