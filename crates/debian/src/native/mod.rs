//! What others make by running code of the image, made without: the loader's cache, the links of
//! certificates, keystores.

mod certificate;
pub mod elf;
#[cfg(test)]
pub(crate) mod fixture;
mod java;
mod ldconfig;
mod openssl;

use shell::files::{FileError, Last, NewNode};
use shell::{Data, Process};

use crate::programs::Program;

/// The programs, by name, sorted.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("java", java::java),
    ("ldconfig", ldconfig::ldconfig),
    ("ldconfig.real", ldconfig::ldconfig),
    ("openssl", openssl::openssl),
];

/// Writes a file, which is made if it is not there (open(2) with `O_CREAT | O_TRUNC`).
fn save(process: &mut Process<'_, '_>, path: &[u8], bytes: Vec<u8>) -> Result<(), FileError> {
    let found = process.locate(path, Last::Followed)?;
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    match found.stat {
        Some(_) => files.write(&found.path, Data::of(bytes)),
        None => files.make(&found.path, NewNode::File(Data::of(bytes)), mode),
    }
}
