//! Requirements and a target to a set of pinned wheels.
//!
//! The resolver and the client of package indexes are uv's crates, which have no stable interface.
//! They are used in this crate and nowhere else, and none of their types comes out of it.
//!
//! - [`resolve`] answers a [`ResolutionRequest`](python::ResolutionRequest), out of indexes or out
//!   of a lock.
//! - [`resolve_and_build`] does so with the help of a [`Builder`], for what has no wheel; a
//!   [`HostBuilder`] is one.
//! - [`Fetcher`] downloads the wheels.
//!
//! All are for threads that may wait: they have a runtime of their own inside. No Python runs,
//! but for a [`HostBuilder`].

mod answer;
mod build;
mod context;
mod credentials;
mod diagnosis;
mod direct_url;
mod elf;
mod error;
mod fetch;
mod hashes;
mod host;
mod installed;
mod lock;
mod network;
mod problem;
mod provider;
mod requirement;
mod resolve;
mod session;
mod staging;
mod target;

pub use answer::{Kept, Resolution, Warning};
pub use build::{BuildFailure, Builder, Built, Source};
pub use direct_url::direct_url;
pub use elf::{Misfit, check_compiled};
pub use error::{NoWheel, ResolutionError, Unsupported};
pub use fetch::{FetchError, Fetcher, Sink};
pub use host::{HostBuildError, HostBuilder, Members, Tool};
pub use network::{Network, Proxies, Secret};
pub use problem::{HashProblem, IndexProblem, LockProblem};
pub use resolve::{Preferred, resolve, resolve_and_build};
