//! Where repositories are kept: in memory, or as OCI image layouts in a directory.
//!
//! Both keep the same two things a repository: blobs by digest, manifests among them, and a list of
//! manifests and their tags. What these mean is said once, elsewhere.

mod directory;
mod index;
mod memory;

use oci::Digest;

pub(crate) use directory::Directory;
pub(crate) use index::Index;
pub(crate) use memory::Memory;

use crate::Result;
use crate::answer::Content;
use crate::name::RepositoryPath;

/// A place for repositories. Calls block, for as long as a disk takes.
pub(crate) trait Storage: Send + Sync {
    /// All repositories, sorted by name.
    fn repositories(&self) -> Result<Vec<RepositoryPath>>;

    /// What a repository lists; `None` if there is no such repository.
    fn index(&self, name: &RepositoryPath) -> Result<Option<Index>>;

    /// Replaces what a repository lists, at once and for all readers. Makes the repository.
    fn set_index(&self, name: &RepositoryPath, index: &Index) -> Result<()>;

    /// The bytes of a blob.
    fn blob(&self, name: &RepositoryPath, digest: &Digest) -> Result<Option<Content>>;

    /// Removes a blob; whether there was one.
    fn remove_blob(&self, name: &RepositoryPath, digest: &Digest) -> Result<bool>;

    /// Lets `to` have a blob of `from`, without another copy of its bytes where that can be had;
    /// whether `from` has it. Makes the repository if it does.
    fn link_blob(
        &self,
        from: &RepositoryPath,
        to: &RepositoryPath,
        digest: &Digest,
    ) -> Result<bool>;

    /// Room for a blob that is to come.
    fn upload(&self) -> Result<Box<dyn Upload>>;
}

/// A blob on its way in. Dropped before its commit, it leaves nothing behind.
pub(crate) trait Upload: Send {
    /// Takes the next bytes.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Shows all bytes so far, in order.
    fn replay(&mut self, see: &mut dyn FnMut(&[u8])) -> Result<()>;

    /// Makes what came a blob of `name`. Whoever calls has found that it has this digest.
    ///
    /// When this returns, the blob is kept. Makes the repository.
    fn commit(self: Box<Self>, name: &RepositoryPath, digest: &Digest) -> Result<()>;
}
