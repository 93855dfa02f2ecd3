//! What can go wrong with a layer: while it is written, and while one is read.

use std::io;

use oci::{Digest, ImagePath, PathError};

/// Why a layer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// An entry came at the wrong place, or twice.
    #[error("write `/{path}` after `/{previous}`: a layer's entries are in order, each once")]
    OutOfOrder {
        /// The entry that came too late.
        path: ImagePath,
        /// The entry before it.
        previous: ImagePath,
    },
    /// A hard link to something that is not written yet, which nothing could unpack.
    #[error("write `/{path}`: it links to `/{target}`, which comes after it")]
    LinkBeforeTarget {
        /// The link.
        path: ImagePath,
        /// Where it points.
        target: ImagePath,
    },
    /// The content had another size than its entry says.
    #[error("read `/{path}`: it changed while it was read ({expected} bytes became {found})")]
    Changed {
        /// The file in the image.
        path: ImagePath,
        /// The size that was planned.
        expected: u64,
        /// How many bytes came; one more than `expected` stands for any larger number.
        found: u64,
    },
    /// A file's entry came without its bytes.
    #[error("write `/{0}`: it is a file, and came without its content")]
    NoContent(ImagePath),
    /// The content of a file could not be read.
    #[error("read the content of `/{path}`")]
    Content {
        /// The file in the image.
        path: ImagePath,
        /// What the reader said.
        source: io::Error,
    },
    /// A file that came deflated is not what was said of it.
    #[error("inflate `/{path}`: {mismatch}")]
    Deflated {
        /// The file in the image.
        path: ImagePath,
        /// What differs.
        mismatch: Mismatch,
    },
    /// A name that every reader would take for a whiteout.
    #[error("write `/{0}`: names that start with `.wh.` mean deletion in a layer")]
    ReservedName(ImagePath),
    /// A name, a link target or an attribute's name that a tar cannot hold.
    #[error("write `/{path}`: its {what} cannot stand in a tar")]
    Unwritable {
        /// The entry.
        path: ImagePath,
        /// Which part of it.
        what: &'static str,
    },
    /// The blob could not be written.
    #[error("write the layer's blob")]
    Sink(#[source] io::Error),
    /// The compressor refused to work.
    #[error("compress the layer")]
    Compress(#[source] io::Error),
    /// The system gave no thread.
    #[error("start a thread")]
    Thread(#[source] io::Error),
}

/// What differs between a deflate stream and what was said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The reader has less than it should.
    #[error("{found} of {expected} compressed bytes are there")]
    Short {
        /// The size of the stream that was named.
        expected: u64,
        /// How many bytes came.
        found: u64,
    },
    /// No deflate stream.
    #[error("its compressed bytes are damaged near byte {at}")]
    Damaged {
        /// Compressed bytes before the place.
        at: u64,
    },
    /// The stream does not end where it should.
    #[error("its {packed} compressed bytes end in the middle")]
    Unfinished {
        /// The size of the stream that was named.
        packed: u64,
    },
    /// The stream ends before it should.
    #[error("{bytes} bytes stand behind the end of its compressed bytes")]
    Trailing {
        /// How many bytes are behind its end.
        bytes: u64,
    },
    /// The content is smaller than its entry says.
    #[error("it has {found} bytes instead of {expected}")]
    Smaller {
        /// The size that the entry names.
        expected: u64,
        /// The size of the content.
        found: u64,
    },
    /// The content is larger than its entry says. How large is not found out.
    #[error("it has more than {expected} bytes")]
    Larger {
        /// The size that the entry names.
        expected: u64,
    },
    /// The content has another checksum.
    #[error("its CRC-32 is {found:08x} instead of {expected:08x}")]
    Checksum {
        /// The checksum that was named.
        expected: u32,
        /// The content's own.
        found: u32,
    },
    /// The content is another one.
    #[error("its digest is {found} instead of {expected}")]
    Digest {
        /// The digest that the entry names.
        expected: Digest,
        /// The content's own.
        found: Digest,
    },
}

impl LayerError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            LayerError::Changed { .. } => {
                Some("build again once nothing writes to the file any more".to_owned())
            }
            LayerError::Deflated { .. } => {
                Some("the archive that it came in is damaged or hostile: fetch it again".to_owned())
            }
            LayerError::ReservedName(_) => {
                Some("rename the file, or exclude it with `.dockerignore`".to_owned())
            }
            LayerError::Sink(source) => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Some("free some space, or put the store on another disk".to_owned())
                }
                io::ErrorKind::FileTooLarge => {
                    Some("raise the limit on the size of files (`ulimit -f`)".to_owned())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// Why a tar, or an index of one, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The stream failed, or its compression is broken.
    #[error("read the archive after {offset} bytes")]
    Read {
        /// Uncompressed bytes that were read before.
        offset: u64,
        /// What the reader said.
        source: io::Error,
    },
    /// The archive ends in the middle of an entry.
    #[error("read the archive: it is cut off after {offset} bytes, in `{path}`")]
    Truncated {
        /// Uncompressed bytes that were there.
        offset: u64,
        /// The entry that is cut, or what stood there instead of one.
        path: String,
    },
    /// No header where one must be.
    #[error("read the archive: no tar header at {offset} ({why})")]
    BadHeader {
        /// Uncompressed bytes before it.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An extended header that does not follow POSIX.1-2024 `pax`, "pax Extended Header".
    #[error("read the archive: the extended header at {offset} is malformed ({why})")]
    BadExtendedHeader {
        /// Uncompressed bytes before it.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A path that leads out of the image, or is none.
    #[error("accept an entry of the archive")]
    Path(#[from] PathError),
    /// A hard link to something outside the image, or to nothing.
    #[error("accept the link `/{path}`: its target `{target}` is outside the image or malformed")]
    LinkTarget {
        /// The link.
        path: ImagePath,
        /// Where it points.
        target: String,
    },
    /// A whiteout of nothing, `.` or `..`.
    #[error("accept the whiteout `{0}`: it names nothing that could be deleted")]
    BadWhiteout(String),
    /// An entry of a kind that no layer has.
    #[error("accept `{path}`: entries of type `{kind}` are not supported in layers")]
    UnsupportedType {
        /// The entry.
        path: String,
        /// The type flag, or the name of the extension.
        kind: String,
    },
    /// More of something than the limits allow.
    #[error("read the archive: more than {allowed} {what}")]
    LimitExceeded {
        /// What there is too much of.
        what: Limit,
        /// How much is allowed.
        allowed: u64,
    },
    /// A file's bytes are not the ones that the index names.
    #[error("read `/{0}` from the layer: its content is not what the index says")]
    ContentMismatch(ImagePath),
    /// Bytes that are not an index, or not all of it.
    #[error("read the layer's index: {0}")]
    BadIndex(&'static str),
    /// An index in a format that this version does not know.
    #[error("read the layer's index: format {found} is not known (up to {known} is)")]
    IndexVersion {
        /// The format found.
        found: u8,
        /// The newest that is known.
        known: u8,
    },
}

/// What [`crate::Limits`] bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Uncompressed bytes.
    Uncompressed,
    /// Uncompressed bytes for each compressed one.
    Ratio,
    /// Entries.
    Entries,
    /// Bytes of names, link targets and extended attributes together.
    Names,
    /// Bytes in one extended header.
    ExtendedHeader,
    /// Directories above one path.
    Depth,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Limit::Uncompressed => "uncompressed bytes",
            Limit::Ratio => "bytes from each compressed byte",
            Limit::Entries => "entries",
            Limit::Names => "bytes of names and attributes",
            Limit::ExtendedHeader => "bytes in one extended header",
            Limit::Depth => "directories in one path",
        })
    }
}

impl TarError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            TarError::Path(PathError::Parent(_)) | TarError::LinkTarget { .. } => {
                Some("the archive is hostile or broken: do not use it".to_owned())
            }
            TarError::LimitExceeded { .. } => {
                Some("the archive is hostile or broken: do not use it".to_owned())
            }
            TarError::Truncated { .. } | TarError::BadHeader { .. } => {
                Some("the archive is incomplete or damaged: make or fetch it again".to_owned())
            }
            TarError::UnsupportedType { kind, .. } if kind.contains("sparse") => {
                Some("pack it again without `--sparse`".to_owned())
            }
            _ => None,
        }
    }

    /// Takes back an error that [`crate::decompress()`] sent through `io::Error`.
    pub(crate) fn from_io(offset: u64, source: io::Error) -> TarError {
        match source.downcast::<TarError>() {
            Ok(error) => error,
            Err(source) => TarError::Read { offset, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_say_the_way_out() {
        let path = ImagePath::lexical("a/.wh.b");
        let changed = LayerError::Changed { path: path.clone(), expected: 1, found: 2 };
        let full = LayerError::Sink(io::ErrorKind::StorageFull.into());
        let write = |error: LayerError| error.hint().unwrap_or_default();
        insta::assert_snapshot!(write(changed), @"build again once nothing writes to the file any more");
        insta::assert_snapshot!(write(LayerError::ReservedName(path.clone())), @"rename the file, or exclude it with `.dockerignore`");
        insta::assert_snapshot!(write(full), @"free some space, or put the store on another disk");
        let deflated =
            LayerError::Deflated { path: path.clone(), mismatch: Mismatch::Trailing { bytes: 1 } };
        insta::assert_snapshot!(write(deflated), @"the archive that it came in is damaged or hostile: fetch it again");
        assert_eq!(write(LayerError::NoContent(path.clone())), "");

        let climbing = TarError::Path(PathError::Parent("../x".into()));
        let escaping = TarError::LinkTarget { path, target: "../x".into() };
        let sparse = |kind: &str| TarError::UnsupportedType { path: "a".into(), kind: kind.into() };
        let read = |error: TarError| error.hint().unwrap_or_default();
        insta::assert_snapshot!(read(climbing), @"the archive is hostile or broken: do not use it");
        insta::assert_snapshot!(read(escaping), @"the archive is hostile or broken: do not use it");
        insta::assert_snapshot!(read(sparse("GNU sparse file")), @"pack it again without `--sparse`");
        assert_eq!(read(sparse("V")), "");
    }
}
