//! What evaluation asks of whoever calls it.

use std::sync::Arc;

use layer::{Content, LayerIndex};

use crate::data::Stored;
use crate::process::Process;
use crate::stop::Stop;

/// The facts that are outside of the shell: bytes, archives, downloads, and further programs.
///
/// Shared, since a program of the caller's may itself run others. Nothing here does anything.
/// What is not known yet is [`Stop::Missing`]; the caller finds it out and evaluates again, from the
/// beginning.
pub trait Outside {
    /// The bytes of a file.
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop>;

    /// The entries of a tar archive, compressed or not; `None` if the file is none.
    fn archive(&self, stored: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop>;

    /// What a URL gives.
    fn download(&self, url: &str) -> Result<Fetched, Stop>;

    /// Says that the bytes of all of these will be asked for, so that what is missing of them is
    /// found out at once. The default is that each is found out when it is asked for.
    fn expect(&self, _files: &[Stored]) -> Result<(), Stop> {
        Ok(())
    }

    /// Runs a program that the shell itself does not know, such as pip, and gives its exit status;
    /// `None` if the caller does not know it either.
    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>>;
}

/// What a URL gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Bytes, by name.
    Content(Content),
    /// An HTTP status that is no success.
    Status(u16),
}
