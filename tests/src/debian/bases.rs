//! Bases made of the archive: what an official image of Debian 12 has in it, by debootstrap.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::upstream::SUITE;
use super::{Archive, Workshop};
use crate::base::{TAG, debootstrap, python};
use crate::{Cpython, Failure, Result, cache, program, run, umoci};

/// A base as an image and as a tree.
#[derive(Debug, Clone)]
pub struct Base {
    /// What tells it from every other.
    pub name: String,
    /// The OCI layout, whose image has the tag [`TAG`].
    pub layout: PathBuf,
    /// The tree that it unpacks to. It is to be copied and never changed.
    pub root: PathBuf,
}

/// Raised when bases are made otherwise.
const REVISION: &str = "1";

/// What debootstrap makes, and nothing more: as old as the last point release.
pub fn minbase(archive: &Archive) -> Result<PathBuf> {
    let name = format!("debian-minbase-{}-{REVISION}", archive.identity());
    let made = cache::once(&name, |directory| {
        let mut command = program(debootstrap::installed());
        command.envs(archive.environment()).args(["--variant=minbase", SUITE]);
        run(command.arg(directory.join("root")).arg(format!("http://{}/debian", Archive::HOST)))
    })?;
    Ok(made.join("root"))
}

/// Up to date, with the configuration that official images have.
pub fn fresh(archive: &Archive) -> Result<Base> {
    make("fresh", archive, |workshop| {
        configure(workshop.root(), &[])?;
        workshop.run("apt-get update && apt-get -y dist-upgrade").map(drop)
    })
}

/// As [`fresh`], and without documentation and translations, whose places dpkg leaves out.
pub fn slim(archive: &Archive) -> Result<Base> {
    make("slim", archive, |workshop| {
        configure(workshop.root(), &[SLIM])?;
        workshop.run("apt-get update && apt-get -y dist-upgrade")?;
        workshop.run(SLIMMING).map(drop)
    })
}

/// As [`fresh`], with a CPython of its own in `/usr/local`, as the official images of Python have it.
pub fn with_python(archive: &Archive) -> Result<Base> {
    let cpython = Cpython::required()?;
    make(&format!("python-{}", cpython.version), archive, |workshop| {
        configure(workshop.root(), &[])?;
        let libraries = python::LIBRARIES.replace(',', " ");
        workshop.run(&format!(
            "apt-get update && apt-get -y dist-upgrade && \
             apt-get install -y --no-install-recommends {libraries}"
        ))?;
        python::lay_python(&cpython, workshop.root())?;
        python::install_pip(workshop.root())
    })
}

/// An image that somebody made a while ago: the archive has newer versions of much in it.
pub fn aged(archive: &Archive) -> Result<Base> {
    make("aged", archive, |workshop| {
        configure(workshop.root(), &[])?;
        workshop.run(&format!("PACKAGES='{}'\n{AGING}", AGED.join(" "))).map(drop)
    })
}

/// Packages that are older in the aged base: some that other packages force to be upgraded, and
/// some that nothing does.
const AGED: &[&str] = &[
    "libc6",
    "libc-bin",
    "libgnutls30",
    "liblzma5",
    "libsystemd0",
    "libudev1",
    "perl-base",
    "zlib1g",
];

/// Packs packages' files anew under a lower version number, and installs them. (The bytes of what
/// was really released before would differ more, but no archive keeps it.)
const AGING: &str = r#"
set -eu
mkdir /tmp/aging
cd /tmp/aging
apt-get update
for name in $PACKAGES; do
    apt-get download "$name"
    dpkg-deb --raw-extract "$name"_*.deb unpacked
    # Versions are followed by a tilde, which is less than nothing, as those of rebuilds are.
    sed -i 's/^Version: .*/&~aged/' unpacked/DEBIAN/control
    # Packages of one source want each other's exact version.
    sed -i '/^\(Pre-\)\?Depends:/s/(= [^)]*/&~aged/g' unpacked/DEBIAN/control
    dpkg-deb --root-owner-group --build unpacked "aged-$name.deb"
    rm -r unpacked "$name"_*.deb
done
dpkg --force-downgrade --install aged-*.deb
cd /
rm -r /tmp/aging
"#;

/// Copies the minbase, lets `change` work in it, and packs it.
fn make(kind: &str, archive: &Archive, change: impl FnOnce(&Workshop) -> Result) -> Result<Base> {
    let minbase = minbase(archive)?;
    let name = format!("debian-{kind}-{}-{REVISION}", archive.identity());
    let made = cache::once(&name, |directory| {
        let root = directory.join("root");
        run(program("cp").arg("--archive").arg(&minbase).arg(&root))?;
        let workshop = Workshop::within(&root, archive);
        change(&workshop)?;
        workshop.run(TIDYING)?;
        empty(&root.join("dev"))?;
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let config = [("--config.env", path), ("--config.cmd", "bash")];
        let layout = directory.join("layout");
        umoci::create(&layout, TAG, &root, &config)?;
        as_unpacked(&layout, &root)
    })?;
    Ok(Base { name, layout: made.join("layout"), root: made.join("root") })
}

/// Puts what the image unpacks to in the place of the tree that it was made of: umoci rounds times
/// to seconds, and a file system cuts them off.
fn as_unpacked(layout: &Path, root: &Path) -> Result {
    let bundle = root.with_file_name("bundle");
    umoci::unpack(layout, TAG, &bundle)?;
    let doing = format!("replace {}", root.display());
    fs::remove_dir_all(root).map_err(Failure::doing(&doing))?;
    fs::rename(bundle.join("rootfs"), root).map_err(Failure::doing(&doing))?;
    fs::remove_dir_all(&bundle).map_err(Failure::doing(&doing))
}

/// What images do not have: downloads, logs, and what debootstrap takes over from the machine.
const TIDYING: &str = "apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
    /etc/resolv.conf /etc/hostname /tmp/* /run/mount && \
    find /var/log -type f -delete && rm -f /var/cache/ldconfig/aux-cache";

fn empty(directory: &Path) -> Result {
    let doing = format!("empty {}", directory.display());
    fs::remove_dir_all(directory).map_err(Failure::doing(&doing))?;
    fs::create_dir(directory).map_err(Failure::doing(&doing))
}

/// A file of the configuration, its mode and its text.
type Setting = (&'static str, u32, &'static str);

/// Writes the sources and the settings of official images, and `more`.
fn configure(root: &Path, more: &[Setting]) -> Result {
    let old = root.join("etc/apt/sources.list");
    fs::remove_file(&old).map_err(Failure::doing(format!("remove {}", old.display())))?;
    for (path, mode, text) in SETTINGS.iter().chain(more) {
        let path = root.join(path);
        let doing = format!("write {}", path.display());
        fs::write(&path, text).map_err(Failure::doing(&doing))?;
        let permissions = fs::Permissions::from_mode(*mode);
        fs::set_permissions(&path, permissions).map_err(Failure::doing(&doing))?;
    }
    Ok(())
}

/// The security suite says until when its list holds: one week. The recording is older than that
/// most of the time, so its source says, as `sources.list(5)` has it for archives that are kept,
/// that the date is not to be looked at; it says so there and not in apt's configuration, so that
/// the others are looked at.
const SETTINGS: &[Setting] = &[
    (
        "etc/apt/sources.list.d/debian.sources",
        0o644,
        "Types: deb\nURIs: http://debian.test/debian\nSuites: bookworm bookworm-updates\n\
         Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\
         Types: deb\nURIs: http://debian.test/debian-security\nSuites: bookworm-security\n\
         Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\
         Check-Valid-Until: no\n",
    ),
    (
        "etc/apt/apt.conf.d/docker-autoremove-suggests",
        0o644,
        "Apt::AutoRemove::SuggestsImportant \"false\";\n",
    ),
    (
        "etc/apt/apt.conf.d/docker-clean",
        0o644,
        "DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb \
         /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true\"; };\n\
         APT::Update::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb \
         /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true\"; };\n\n\
         Dir::Cache::pkgcache \"\";\nDir::Cache::srcpkgcache \"\";\n",
    ),
    (
        "etc/apt/apt.conf.d/docker-gzip-indexes",
        0o644,
        "Acquire::GzipIndexes \"true\";\nAcquire::CompressionTypes::Order:: \"gz\";\n",
    ),
    ("etc/apt/apt.conf.d/docker-no-languages", 0o644, "Acquire::Languages \"none\";\n"),
    ("etc/dpkg/dpkg.cfg.d/docker-apt-speedup", 0o644, "force-unsafe-io\n"),
    ("usr/sbin/policy-rc.d", 0o755, "#!/bin/sh\n\nexit 101\n"),
];

/// What dpkg leaves out of packages in slim images.
const SLIM: Setting = (
    "etc/dpkg/dpkg.cfg.d/docker",
    0o644,
    "path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n\
     path-exclude /usr/share/info/*\npath-exclude /usr/share/linda/*\n\
     path-exclude /usr/share/lintian/overrides/*\npath-exclude /usr/share/locale/*\n\
     path-exclude /usr/share/man/*\n",
);

/// The same for what was there before.
const SLIMMING: &str = "find /usr/share/doc -type f ! -name copyright -delete && \
    find /usr/share/doc -type l ! -name copyright -delete && \
    find /usr/share/doc -mindepth 1 -type d -empty -delete && \
    for of in info linda lintian/overrides locale man; do \
        [ ! -d /usr/share/$of ] || find /usr/share/$of -mindepth 1 -delete; done";
