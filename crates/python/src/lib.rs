//! Wheels to files in an image, as `pip install --no-compile` leaves them.
//!
//! - [`find_interpreters`] looks into a root file system for the Pythons that it holds, and says
//!   what a wheel must be to fit and where its files go. Nothing of the image is run.
//! - [`find_distributions`] lists what is installed already.
//! - [`gather_requirements`] and [`parse_project`] read what people write as requirements.
//! - [`Wheel`] reads a wheel, and says which files it becomes; [`collisions`] says which of those
//!   are in each other's way.
//!
//! This crate takes values and bytes. It knows no images, registries or package indexes, and it
//! does not resolve: that is `resolution`'s.

mod direct_url;
mod fingerprint;
#[cfg(test)]
mod fixture;
mod installed;
mod interpreter;
mod packages;
mod problem;
mod project;
mod request;
mod requirements;
mod view;
mod wheel;

pub use direct_url::direct_reference;
pub use installed::{Distribution, find_distributions};
pub use interpreter::{
    Candidate, Discovery, EndOfLife, Interpreter, InterpreterError, Layout, Libc, Markers, Target,
    Version, find_interpreters,
};
pub use packages::{Location, Package, Resolution, WheelFile};
pub use problem::{Problem, Span};
pub use project::{
    DependencyGroup, ElsewhereSource, GroupEntry, Project, ProjectDependencies, ProjectIndex,
    ProjectSource, Written, parse_project,
};
pub use request::{
    Dependencies, GivenFile, IndexUrl, Indexes, Lock, LockKind, Origin, Prereleases, Requirement,
    ResolutionRequest, SourceBuilds, Upgrade,
};
pub use requirements::{
    FileProblem, Gathered, Gathering, Item, LinkDirectory, Reading, RequirementLine,
    RequirementsFile, Role, Setting, Settings, Shape, Statement, Wanted, check_requirement,
    decode_requirements, gather_requirements, is_harmless_feature, normalized_name,
    parse_requirements, suspect_pin,
};
pub use view::{Missing, View, is_asked_for};
pub use wheel::{
    Collision, EntryPoints, FileOrigin, InstallOptions, Installation, InstalledFile, Member,
    MemberReader, Method, ReadAt, ScriptTemplate, Wheel, WheelError, WheelFault, WheelLimit,
    collisions, is_same_version,
};
