//! Where an installer puts files, and where Python looks for what is installed.

use std::collections::{BTreeMap, HashSet};

use oci::ImagePath;

use super::databases::Databases;
use super::executables::{Executable, standard_library};
use super::version::Series;
use crate::View;
use crate::view::Known;

/// The paths of an install scheme (Python's documentation, `sysconfig`, "Installation paths").
///
/// They are as Python itself sees them. A directory above may be a symbolic link in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `purelib`: where packages in plain Python go.
    pub purelib: ImagePath,
    /// `platlib`: where packages with compiled parts go.
    pub platlib: ImagePath,
    /// `scripts`
    pub scripts: ImagePath,
    /// Above the headers of each distribution: pip's `headers` without the name.
    pub headers: ImagePath,
    /// `data`: the prefix.
    pub data: ImagePath,
}

/// A layout and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) layout: Layout,
    pub(super) search_path: Vec<ImagePath>,
    pub(super) foreign: Vec<ImagePath>,
    pub(super) externally_managed: bool,
}

/// Who arranged the directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    /// As Python's own `make install` has it.
    Upstream,
    /// Debian and what comes of it: `dist-packages`, and an installer's below `/usr/local`.
    Debian,
    /// Fedora and what comes of it: an installer's below `/usr/local`, compiled parts in `lib64`.
    RedHat,
}

/// The layout of an interpreter outside of a virtual environment.
pub(super) fn of_system(
    view: View<'_>,
    prefix: &ImagePath,
    series: Series,
    databases: &Databases,
) -> Known<Placement> {
    let marker =
        standard_library(view, prefix, series)?.map(|library| library.join("EXTERNALLY-MANAGED"));
    let externally_managed = match marker {
        Some(marker) => view.file(&marker)?.is_some(),
        None => false,
    };
    let (layout, foreign) = match vendor(view, prefix, series, databases)? {
        Vendor::Upstream => (upstream(view, prefix, series)?, Vec::new()),
        Vendor::Debian => (debian(series), debians_own(series)),
        Vendor::RedHat => (red_hat(series), red_hats_own(series)),
    };
    // `site` has `lib64` before `lib` where both are.
    let mut search_path = vec![layout.platlib.clone(), layout.purelib.clone()];
    search_path.extend(foreign.iter().cloned());
    search_path.dedup();
    Ok(Placement { layout, search_path, foreign, externally_managed })
}

/// The layout of a virtual environment at `root` (PEP 405), which is Python's own wherever the
/// interpreter is from; `system` is what can be imported beside.
pub(super) fn of_environment(
    root: &ImagePath,
    series: Series,
    system: Option<Placement>,
) -> Placement {
    let packages = root.join("lib").join(series.directory()).join("site-packages");
    let layout = Layout {
        purelib: packages.clone(),
        platlib: packages.clone(),
        scripts: root.join("bin"),
        // pip's own rule (`locations/_sysconfig.py`), so that nothing is written to the
        // interpreter's headers, which a virtual environment has a link to.
        headers: root.join("include/site").join(series.directory_without_flags()),
        data: root.clone(),
    };
    let foreign = system.map(|system| system.search_path).unwrap_or_default();
    let search_path = std::iter::once(packages).chain(foreign.iter().cloned()).collect();
    Placement { layout, search_path, foreign, externally_managed: false }
}

/// Puts in front what the environment adds to `sys.path`.
///
/// - `PYTHONPATH`: its absolute directories. What a relative one is depends on where the program
///   is started.
/// - `PYTHONUSERBASE`: the directory of packages below it, unless `PYTHONNOUSERSITE` is set. If it
///   is not set itself the user's home would count, and that depends on who runs the program.
///
/// (`PYTHONHOME` moves the prefix; see [`home`].)
pub(super) fn add_environment(
    placement: &mut Placement,
    executable: &Executable,
    variables: &BTreeMap<String, String>,
) {
    let set = |name: &str| variables.get(name).map(String::as_str).filter(|set| !set.is_empty());
    let mut before: Vec<ImagePath> = set("PYTHONPATH")
        .into_iter()
        .flat_map(|path| path.split(':'))
        .filter(|directory| directory.starts_with('/'))
        .map(ImagePath::lexical)
        .collect();
    if let Some(base) = set("PYTHONUSERBASE").filter(|base| base.starts_with('/'))
        && set("PYTHONNOUSERSITE").is_none()
        && executable.environment.is_none()
    {
        let library = ImagePath::lexical(base).join("lib");
        before.push(library.join(executable.series.directory()).join("site-packages"));
    }
    if executable.environment.is_some() {
        // In a virtual environment an installer leaves alone what is outside.
        let outside = before.iter().filter(|at| !at.starts_with(&placement.layout.data));
        placement.foreign.extend(outside.cloned());
    }
    let mut seen = HashSet::new();
    before.append(&mut placement.search_path);
    before.retain(|directory| seen.insert(directory.clone()));
    placement.search_path = before;
}

/// `PYTHONHOME`: the prefix of the standard library, whatever the executable's place says, also in
/// what would be a virtual environment. What comes behind a colon is where compiled modules of the
/// standard library are.
pub(super) fn home(variables: &BTreeMap<String, String>) -> Option<ImagePath> {
    let home = variables.get("PYTHONHOME")?.split(':').next()?;
    home.starts_with('/').then(|| ImagePath::lexical(home))
}

/// The vendors' ways hold for what is installed in `/usr`; what somebody built elsewhere on their
/// systems has Python's own layout.
fn vendor(
    view: View<'_>,
    prefix: &ImagePath,
    series: Series,
    databases: &Databases,
) -> Known<Vendor> {
    if *prefix != ImagePath::lexical("usr") {
        return Ok(Vendor::Upstream);
    }
    let packages = ImagePath::lexical("usr/lib/python3/dist-packages");
    if databases.is_debian || view.is_directory(&packages)? {
        return Ok(Vendor::Debian);
    }
    let library = ImagePath::lexical("usr/lib64").join(series.directory());
    if databases.has_rpm && view.file(&library.join("os.py"))?.is_some() {
        return Ok(Vendor::RedHat);
    }
    Ok(Vendor::Upstream)
}

fn upstream(view: View<'_>, prefix: &ImagePath, series: Series) -> Known<Layout> {
    let packages =
        |library: &str| prefix.join(library).join(series.directory()).join("site-packages");
    let (purelib, mut platlib) = (packages("lib"), packages("lib64"));
    // Python is configured with `--with-platlibdir=lib64` where there is such a directory, unless
    // it is a link.
    let real = |path: &ImagePath| view.follow(path).map(|found| found.map(|(path, _)| path));
    let (real_purelib, real_platlib) = (real(&purelib)?, real(&platlib)?);
    if real_platlib.is_none() || real_platlib == real_purelib {
        platlib = purelib.clone();
    }
    Ok(Layout {
        purelib,
        platlib,
        scripts: prefix.join("bin"),
        headers: prefix.join("include").join(headers_directory(series)),
        data: prefix.clone(),
    })
}

/// Up to 3.7 the name has the flag for pymalloc (PEP 3149).
fn headers_directory(series: Series) -> String {
    let flag = if (series.major, series.minor) <= (3, 7) { "m" } else { "" };
    format!("{}{flag}", series.directory())
}

/// Debian's scheme `posix_local`, which its pip takes (`/usr/lib/python3.N/sysconfig.py`).
fn debian(series: Series) -> Layout {
    let local = ImagePath::lexical("usr/local");
    let packages = local.join("lib").join(series.directory()).join("dist-packages");
    // pip asks `sysconfig` from 3.10 on, whose Debian scheme has the headers in `/usr`; before, it
    // asked `distutils`, in which they were moved with all the rest.
    let headers =
        if (series.major, series.minor) >= (3, 10) { "usr/include" } else { "usr/local/include" };
    Layout {
        purelib: packages.clone(),
        platlib: packages,
        scripts: local.join("bin"),
        headers: ImagePath::lexical(headers).join(headers_directory(series)),
        data: local,
    }
}

/// The directories for Debian's own packages. pip sees what is in them and does not remove it.
fn debians_own(series: Series) -> Vec<ImagePath> {
    let library = ImagePath::lexical("usr/lib");
    let own = library.join(series.directory());
    vec![library.join("python3/dist-packages"), own.join("dist-packages")]
}

/// Fedora's change of `sysconfig` ("Making sudo pip safe"): everything but headers moves.
fn red_hat(series: Series) -> Layout {
    let local = ImagePath::lexical("usr/local");
    let packages =
        |library: &str| local.join(library).join(series.directory()).join("site-packages");
    Layout {
        purelib: packages("lib"),
        platlib: packages("lib64"),
        scripts: local.join("bin"),
        headers: ImagePath::lexical("usr/include").join(headers_directory(series)),
        data: local.clone(),
    }
}

fn red_hats_own(series: Series) -> Vec<ImagePath> {
    let packages =
        |library: &str| ImagePath::lexical(library).join(series.directory()).join("site-packages");
    vec![packages("usr/lib64"), packages("usr/lib")]
}
