//! What is installed, for the tools that ask.

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::{Data, Process, Stop};

use super::failure::{Failure, Step};
use super::place;
use crate::dpkg::status::{Package, Status};

/// The packages that dpkg knows of, whose files are below this directory.
pub(super) struct Packages {
    pub(super) status: Status,
    directory: BString,
}

impl Packages {
    /// Reads `status`, and the journal of what has changed since.
    pub(super) fn read(process: &mut Process<'_, '_>, directory: &BString) -> Step<Self> {
        let path = place::within(directory, b"status");
        let text = place::read(process, &path)?.unwrap_or_default();
        let parsed = Status::parse(&text);
        let mut status = parsed
            .or_else(|error| Failure::error(format_args!("parsing file '{path}' near {error}")))?;
        let updates = place::within(directory, b"updates");
        for name in place::names(process, &updates)? {
            if !name.iter().all(u8::is_ascii_digit) {
                continue;
            }
            let path = place::within(&updates, &name);
            let text = place::read(process, &path)?.unwrap_or_default();
            let update = Status::parse(&text).or_else(|error| {
                Failure::error(format_args!("parsing file '{path}' near {error}"))
            })?;
            for (_, package) in update.packages() {
                status.insert(package.clone());
            }
        }
        Ok(Packages { status, directory: directory.clone() })
    }

    /// All of them, by name and architecture.
    pub(super) fn all(&self) -> impl Iterator<Item = &Package> {
        self.status.packages().map(|(_, package)| package)
    }

    /// The path of one of a package's own files: `info/NAME.postinst`.
    pub(super) fn info(&self, package: &Package, kind: &str) -> BString {
        let id = package.id();
        let qualifier = match package.stanza.text("Multi-Arch") {
            Some("same") => format!(":{}", id.architecture),
            _ => String::new(),
        };
        format!("{}/info/{}{qualifier}.{kind}", self.directory, id.name).into()
    }

    /// Says that the lists of all these packages will be looked at.
    pub(super) fn expect_lists<'a>(
        &self,
        process: &Process<'_, '_>,
        packages: impl Iterator<Item = &'a Package>,
    ) -> Result<(), Stop> {
        let mut wanted = Vec::new();
        for package in packages {
            let found = process.find(&self.info(package, "list"), Last::Followed);
            if let Ok((_, stat)) = errno(found)?
                && let Some(Data::Stored(stored)) = stat.data()
            {
                wanted.push(stored.clone());
            }
        }
        process.machine.outside.expect(&wanted)
    }

    /// The files of a package, as its list has them; none if there is no list.
    pub(super) fn list(
        &self,
        process: &mut Process<'_, '_>,
        package: &Package,
    ) -> Result<Option<Arc<[u8]>>, Stop> {
        place::read(process, &self.info(package, "list"))
    }

    /// Whether a package has this file.
    pub(super) fn owns(
        &self,
        process: &mut Process<'_, '_>,
        package: &Package,
        path: &BStr,
    ) -> Result<bool, Stop> {
        let list = self.list(process, package)?.unwrap_or_default();
        Ok(list.lines().any(|line| line == path))
    }
}
