//! Where packages go: `--user`, `--target`, `--prefix`, or where the interpreter has its own.

use oci::ImagePath;
use python::{InstalledFile, Layout};
use shell::files::{FileError, WRITE};
use shell::{Process, Stop as ShellStop};

use super::asked::Destination;
use super::interpreter::Python;
use super::misused;

/// Where an installation puts files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) layout: Layout,
    pub(super) kind: PlacementKind,
}

/// Whose directories those are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlacementKind {
    /// The interpreter's, or those of a prefix.
    System,
    /// The user's own.
    User,
    /// One directory for all. pip makes a home of its own elsewhere and moves what is in it here,
    /// so that what `RECORD` says fits the place where it was.
    Target(ImagePath),
}

/// What is above the packages in the home that is made for a target (Python's scheme
/// `posix_home`).
const HOME_LIBRARY: &str = "lib/python";

impl Placement {
    pub(super) fn of(
        process: &mut Process<'_, '_>,
        python: &Python,
        destination: &Destination,
        verbosity: i64,
    ) -> Result<Placement, ShellStop> {
        let layout = python.interpreter().layout.clone();
        match destination {
            Destination::System => Ok(Placement { layout, kind: PlacementKind::System }),
            Destination::User => Placement::of_user(python),
            Destination::Target(target) => Ok(Placement::of_target(absolute(process, target))),
            Destination::Prefix(prefix) => {
                let prefix = absolute(process, prefix);
                let layout = under_prefix(&layout, python, &prefix)?;
                Ok(Placement { layout, kind: PlacementKind::System })
            }
            Destination::Usual => {
                let is_user = python.user_base.is_some()
                    && !(is_writable(process, &layout.purelib)?
                        && is_writable(process, &layout.platlib)?);
                if !is_user {
                    return Ok(Placement { layout, kind: PlacementKind::System });
                }
                if verbosity >= 0 {
                    let line = "Defaulting to user installation because normal site-packages is \
                                not writeable\n";
                    process.write(line)?;
                }
                Placement::of_user(python)
            }
        }
    }

    /// Python's scheme `posix_user`.
    fn of_user(python: &Python) -> Result<Placement, ShellStop> {
        let (Some(base), Some(packages)) = (&python.user_base, python.user_site()) else {
            let reason = "installs for a user, and this Python does not look there".to_owned();
            return Err(misused("pip install", reason));
        };
        let layout = Layout {
            purelib: packages.clone(),
            platlib: packages,
            scripts: base.join("bin"),
            headers: base.join("include").join(format!("python{}", python.series())),
            data: base.clone(),
        };
        Ok(Placement { layout, kind: PlacementKind::User })
    }

    fn of_target(target: ImagePath) -> Placement {
        let layout = Layout {
            purelib: target.join(HOME_LIBRARY),
            platlib: target.join(HOME_LIBRARY),
            scripts: target.join("bin"),
            headers: target.join("include/python"),
            data: target.clone(),
        };
        Placement { layout, kind: PlacementKind::Target(target) }
    }

    /// Where a file of a wheel is in the end.
    pub(super) fn path_of(&self, file: &InstalledFile) -> ImagePath {
        match &self.kind {
            PlacementKind::Target(target) => match file.path.strip_prefix(&self.layout.purelib) {
                Some(rest) => target.join(rest),
                None => file.path.clone(),
            },
            PlacementKind::System | PlacementKind::User => file.path.clone(),
        }
    }
}

fn absolute(process: &Process<'_, '_>, written: &str) -> ImagePath {
    match written.strip_prefix("~/") {
        // As pip expands it (`os.path.expanduser`).
        Some(rest) => ImagePath::lexical(format!("{}/{rest}", super::configuration::home(process))),
        None if written.starts_with('/') => ImagePath::lexical(written),
        None => process.directory.join(written),
    }
}

/// The same layout with another prefix (`get_scheme` with `prefix`).
fn under_prefix(layout: &Layout, python: &Python, prefix: &ImagePath) -> Result<Layout, ShellStop> {
    // What is the base of a scheme is not where its data goes for Debian's `posix_local`, which
    // has a `local` of its own in each path.
    let is_debian = layout.purelib.file_name() == Some(b"dist-packages");
    let version = &python.interpreter().version;
    if is_debian && (version.major, version.minor) < (3, 10) {
        let reason =
            "has `--prefix`, which Debian's older versions understand in ways of their own";
        return Err(misused("pip install", reason.to_owned()));
    }
    let system = ImagePath::lexical("usr");
    let base = if is_debian { &system } else { &layout.data };
    let moved = |path: &ImagePath| {
        let rest = path.strip_prefix(base).or_else(|| path.strip_prefix(&system));
        prefix.join(rest.unwrap_or(path.as_bytes()))
    };
    Ok(Layout {
        purelib: moved(&layout.purelib),
        platlib: moved(&layout.platlib),
        scripts: moved(&layout.scripts),
        headers: moved(&layout.headers),
        data: moved(&layout.data),
    })
}

/// Whether files can be made in a directory, or in the nearest that there is above it
/// (`test_writable_dir`).
fn is_writable(process: &Process<'_, '_>, directory: &ImagePath) -> Result<bool, ShellStop> {
    let files = &process.machine.files;
    let root = ImagePath::root();
    let candidates = std::iter::once(directory.clone()).chain(directory.ancestors());
    for candidate in candidates {
        let path = [b"/", candidate.as_bytes()].concat();
        match files.find(&root, &path, shell::files::Last::Followed) {
            Ok((_, stat)) => return Ok(files.may(&stat, WRITE)),
            Err(FileError::Errno(shell::files::Errno::PermissionDenied)) => return Ok(false),
            Err(FileError::Errno(_)) => {}
            Err(FileError::Stop(stop)) => return Err(stop),
        }
    }
    Ok(files.user().uid == 0)
}
