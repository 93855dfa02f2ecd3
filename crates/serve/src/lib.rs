//! A registry: answers as the OCI distribution specification 1.1 has it, over memory or over a
//! directory of OCI image layouts that other programs can read.
//!
//! It speaks plain HTTP/1.1 and lets everyone in: it is for tests, and for one machine. All of
//! pulling, pushing, content discovery and content management is there; what is not answers with
//! the specification's `UNSUPPORTED`. Blobs pass in pieces, whatever their size.
//!
//! With the feature `testing` there is `testing::TestRegistry`, which puts the peculiarities of
//! other registries and faults at any byte in between.
//!
//! This crate does not know clients or the local store. It does not read the environment and does
//! not print. Its functions are async and need a tokio runtime with time and network.
//!
//! ```no_run
//! # async fn example() -> serve::Result<()> {
//! let registry = serve::Registry::in_directory("/var/lib/registry".as_ref())?;
//! let listener = serve::listen("127.0.0.1:5000".parse().unwrap()).await?;
//! serve::serve(listener, registry, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

mod answer;
mod blobs;
mod error;
mod lists;
mod manifests;
mod name;
mod range;
mod refusal;
mod registry;
mod relations;
mod request;
mod route;
mod server;
mod sessions;
mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod uploads;

pub use error::{Error, Result};
pub use registry::Registry;
pub use server::{listen, serve};
