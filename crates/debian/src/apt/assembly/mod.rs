//! Packages put into an image without a command line: what `[debian]` asks for.
//!
//! On an image that has dpkg's database it is as `apt-get update` and `apt-get install` would have
//! it. `nothing` is for an image that begins with nothing, and `distroless`
//! for one that has packages and no dpkg.

mod distroless;
mod nothing;
mod tools;

use std::collections::BTreeSet;
use std::sync::Arc;

use oci::ImagePath;
use shell::Process;
use shell::process::Run;

use super::commands::change::{Goal, change};
use super::commands::session::{Done, Session, settle};
use crate::apt::lists;
use crate::apt::problem::Problem;
use crate::dpkg::database::Database;
use crate::outside::Outside;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembly {
    /// Packages, as `apt-get install` takes them.
    pub packages: Vec<String>,
    /// What an image that begins with nothing has beside them.
    pub variant: Variant,
    /// Whether what they recommend is installed, too.
    pub recommends: Recommends,
    /// Packages whose maintainer scripts are not evaluated.
    pub skipped_scripts: BTreeSet<String>,
    /// What the image begins with.
    pub ground: Ground,
    /// Files that say where packages come from, for an image that began with nothing and has apt.
    pub sources: Vec<(ImagePath, Arc<[u8]>)>,
}

/// What an image begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// With files of its own.
    Image,
    /// With nothing at all.
    Nothing,
}

/// What an image that begins with nothing has beside the packages that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// What they need.
    Custom,
    /// What is essential, and what that needs.
    Essential,
    /// The same, and apt.
    Minbase,
}

/// Whether packages that others recommend are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recommends {
    /// As apt does by default.
    Installed,
    /// `--no-install-recommends`.
    LeftOut,
}

/// The exit status if the lists of packages cannot be had.
pub const NO_LISTS: u8 = 101;

/// Installs what is asked for, and gives apt's exit status, or [`NO_LISTS`].
pub fn assemble(process: &mut Process<'_, '_>, outside: &dyn Outside, asked: &Assembly) -> Run {
    let done = match asked.ground {
        Ground::Image => on_image(process, outside, asked),
        Ground::Nothing => nothing::assemble(process, outside, asked),
    };
    settle(process, done)
}

fn on_image(process: &mut Process<'_, '_>, outside: &dyn Outside, asked: &Assembly) -> Done {
    if !Database::is_there(process)? {
        if distroless::is(process).map_err(nothing::unexpected)? {
            return distroless::assemble(process, outside, asked);
        }
        return Err(Problem::NoDatabase.into());
    }
    let mut session = begin(process, outside, asked)?;
    let status = lists::update(session.process, session.outside, &session.configuration)?;
    if status != 0 {
        return Ok(NO_LISTS);
    }
    change(&mut session, Goal::Install)
}

/// A run of apt's with the settings that are asked for.
fn begin<'p, 'm, 'o>(
    process: &'p mut Process<'m, 'o>,
    outside: &'p dyn Outside,
    asked: &Assembly,
) -> Result<Session<'p, 'm, 'o>, super::problem::Failure> {
    let (mut session, _) = Session::begin(process, outside, "apt-get")?;
    let recommends = match asked.recommends {
        Recommends::Installed => "true",
        Recommends::LeftOut => "false",
    };
    session.configuration.set("APT::Install-Recommends", recommends);
    session.configuration.set("APT::Get::Assume-Yes", "true");
    for package in &asked.skipped_scripts {
        session.configuration.set("Plywood::Skip-Scripts::", package);
    }
    session.operands.clone_from(&asked.packages);
    Ok(session)
}
