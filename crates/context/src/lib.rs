//! The files that a build may read: a directory of this machine, or a tarball.
//!
//! Both are seen through one [`Context`]: it is listed once, through a filter; the contents that a
//! build wants are digested, and remembered in a [`StatCache`], so that a second build of the same
//! files opens none of them; and a file is opened again when its bytes are laid into a layer.
//!
//! Nothing outside a context can be reached through it: no symbolic link is ever followed by the
//! kernel, links are resolved by name inside the [`Listing`]. Whoever changes a file while a build
//! reads it gets an error that names the file, not an image that nobody can make again.
//!
//! This crate does not know ignore files (the filter is a closure) nor what `COPY` means.

mod beneath;
mod context;
mod digests;
mod error;
mod git;
mod links;
mod listing;
mod mode;
mod signature;
mod stat_cache;
mod tarball;
mod walk;

pub use context::{Context, ContextFile};
pub use error::{ContextError, LinkError};
pub use git::{GitState, git_state};
pub use links::LastComponent;
pub use listing::{Kind, LinkGroup, Listed, Listing, Special};
pub use mode::portable_mode;
pub use stat_cache::StatCache;
pub use walk::{Filter, Shape, Verdict};
