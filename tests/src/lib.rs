//! The testbed: everything outside plywood that its end-to-end tests and its benchmark stand on.
//!
//! It starts a real registry ([`Registry`]), makes base images once ([`base`]), drives the programs
//! that judge what plywood made ([`Buildah`], [`Skopeo`], [`umoci`], [`crun`]) and turns a directory
//! into something that can be compared ([`Tree`]). It knows nothing of plywood's crates but the
//! vocabulary of `oci`; the program under test is run as a user would run it ([`Plywood`]).

pub mod base;
pub mod buildah;
pub mod cache;
mod certificates;
mod context;
pub mod crun;
pub mod leak;
pub mod oracle;
pub mod plywood;
mod program;
pub mod record;
mod registry;
mod server;
mod skopeo;
mod tree;
pub mod umoci;

pub use buildah::Buildah;
pub use context::Context;
pub use oracle::Oracle;
pub use plywood::Plywood;
pub use program::{Failure, Result, output, output_on, program, run, stdout};
pub use registry::{
    Grant, Guise, Login, Registry, Request, Rights, TokenRequest, TokenRules, User,
};
pub use skopeo::{Skopeo, Visit};
pub use tree::{Entry, Kind, Tree, files};
