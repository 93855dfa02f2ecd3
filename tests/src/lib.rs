//! The testbed: everything outside plywood that its end-to-end tests and its benchmark stand on.
//!
//! It starts a real registry ([`Registry`]) and a package index ([`Index`] over [`House`]s of wheels),
//! makes base images once ([`base`]), drives the programs that judge what plywood made ([`Buildah`],
//! [`Skopeo`], [`umoci`], [`crun`], [`pip`], [`shells`], apt in [`debian`]) and turns a directory into something that can be compared
//! ([`Tree`], [`Comparison`]). It knows nothing of plywood's crates but the
//! vocabulary of `oci`; the program under test is run as a user would run it ([`Plywood`]).

pub mod base;
pub mod buildah;
pub mod cache;
mod certificates;
mod chroot;
mod comparison;
mod context;
mod cpython;
pub mod crun;
pub mod deb;
pub mod debian;
mod house;
mod http;
mod index;
pub mod leak;
mod listener;
pub mod oracle;
pub mod pip;
pub mod plywood;
mod program;
pub mod record;
mod registry;
mod server;
pub mod shells;
mod skopeo;
mod tree;
pub mod umoci;
pub mod uv;
mod verdict;

pub use buildah::Buildah;
pub use chroot::Chroot;
pub use comparison::{Comparison, Side};
pub use context::Context;
pub use cpython::Cpython;
pub use house::{Architecture, House, HouseFile, Made, Offer};
pub use index::{Fault, Fetch, Form, Index, IndexRules};
pub use oracle::Oracle;
pub use plywood::Plywood;
pub use program::{Failure, Result, output, output_on, program, run, stdout};
pub use registry::{
    Grant, Guise, Login, Registry, Request, Rights, TokenRequest, TokenRules, User,
};
pub use skopeo::{Skopeo, Visit};
pub use tree::{Entry, Kind, Tree, files};
pub use verdict::demand_same;
