//! Bases with a Python, each as a layout and as a root directory for pip to be run in.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use oci::Digest;

use super::{PATH, TAG, debootstrap};
use crate::{Chroot, Cpython, Failure, House, Result, cache, pip, program, run, umoci};

/// A base image with Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonBase {
    /// An OCI layout with the image [`TAG`].
    pub layout: PathBuf,
    /// The image's tree. It is shared by all tests: to be read, or copied by [`Chroot::copy_of`].
    pub root: PathBuf,
    /// Where packages are installed, below the root.
    pub site: &'static str,
}

impl PythonBase {
    /// The image in skopeo's notation.
    pub fn place(&self) -> String {
        format!("oci:{}:{TAG}", self.layout.display())
    }

    /// What tells this image from all others.
    pub fn identity(&self) -> Result<String> {
        let index = self.layout.join("index.json");
        std::fs::read_to_string(&index).map_err(Failure::doing(format!("read {}", index.display())))
    }

    fn at(directory: PathBuf, site: &'static str) -> Self {
        PythonBase { layout: directory.join("layout"), root: directory.join("root"), site }
    }
}

const DEBIAN_SITE: &str = "usr/local/lib/python3.11/dist-packages";

/// Debian's own Python and pip, and what `pip install` needs beside them.
const DEBIAN_PYTHON: &str = "python3,python3-pip,python3-venv,ca-certificates";

/// Debian 12 with Debian's Python 3.11.2 and pip: about 80 MB compressed.
pub fn debian_python() -> Result<PythonBase> {
    let made = once("debian-python", DEBIAN_PYTHON, |directory, root| {
        debootstrap::make(root, DEBIAN_PYTHON, &[])?;
        debootstrap::tidy(root)?;
        pack(directory, root, &[("--config.env", PATH), ("--config.cmd", "python3")])
    })?;
    Ok(PythonBase::at(made, DEBIAN_SITE))
}

/// The same for aarch64, unpacked and not configured: no program of it was run, and none can be.
pub fn debian_python_arm64() -> Result<PythonBase> {
    let made = once("debian-python-arm64", DEBIAN_PYTHON, |directory, root| {
        debootstrap::make(root, DEBIAN_PYTHON, &["--foreign", "--arch=arm64"])?;
        run(program("sh").args(["-euc", UNPACK, "sh"]).arg(root))?;
        debootstrap::tidy(root)?;
        let config =
            [("--config.env", PATH), ("--config.cmd", "python3"), ("--architecture", "arm64")];
        pack(directory, root, &config)
    })?;
    Ok(PythonBase::at(made, DEBIAN_SITE))
}

/// Unpacks the packages that debootstrap only downloads, and writes dpkg's database: `status` out
/// of the packages' control files, and the list of each one's files.
const UNPACK: &str = r#"
cd "$1"
: > var/lib/dpkg/status
for package in var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
        tar --extract --preserve-permissions --keep-directory-symlink
    name=$(dpkg-deb --field "$package" Package)
    if [ "$(dpkg-deb --field "$package" Multi-Arch)" = same ]; then name=$name:arm64; fi
    dpkg-deb --fsys-tarfile "$package" | tar --list |
        sed -e 's,^\.,,' -e 's,/$,,' -e 's,^$,/.,' > "var/lib/dpkg/info/$name.list"
    {
        dpkg-deb --field "$package" | sed '/^Package:/a Status: install ok installed'
        echo
    } >> var/lib/dpkg/status
done
rm -r debootstrap
"#;

/// What the extension modules of a Python link to, and what official images have beside it.
pub(crate) const LIBRARIES: &str = "ca-certificates,netbase,tzdata,libbz2-1.0,libexpat1,libffi8,liblzma5,\
    libncursesw6,libnsl2,libreadline8,libsqlite3-0,libssl3,libtirpc3,libuuid1,zlib1g";

/// Debian 12 with a CPython of its own in `/usr/local`, laid out as the official images have it:
/// this machine's, and pip, setuptools and wheel by pip. About 50 MB compressed.
pub fn usr_local_python() -> Result<PythonBase> {
    let python = Cpython::required()?;
    let key = format!("{LIBRARIES} {} 2", python.build);
    let made = once("usr-local-python", &key, |directory, root| {
        debootstrap::make(root, LIBRARIES, &[])?;
        lay_python(&python, root)?;
        install_pip(root)?;
        debootstrap::tidy(root)?;
        let version = format!("PYTHON_VERSION={}", python.version);
        let path = PATH.replace("PATH=", "PATH=/usr/local/bin:");
        let environment = [&path, "LANG=C.UTF-8", &version];
        let mut config = environment.map(|variable| ("--config.env", variable)).to_vec();
        config.push(("--config.cmd", "python3"));
        pack(directory, root, &config)
    })?;
    Ok(PythonBase::at(made, "usr/local/lib/python3.11/site-packages"))
}

/// Copies the interpreter and its library. What official images delete is left out: tests and
/// bytecode, but not the directories of bytecode.
pub(crate) fn lay_python(python: &Cpython, root: &Path) -> Result {
    let local = root.join("usr/local");
    let library = python.prefix.join("lib");
    let listed = fs::read_dir(&library).map_err(Failure::doing("list the Python's libraries"))?;
    let shared = listed.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let shared = shared.filter(|name| name.starts_with("libpython3") && name.contains(".so"));
    let script = "tar --create --directory \"$1\" --owner=0 --group=0 --numeric-owner \
        --exclude='*.pyc' --exclude=test --exclude=tests --exclude=idle_test \
        --exclude='lib/python3.11/site-packages/*' --exclude='lib/python3.11/config-*' \
        --exclude='_tkinter.*' bin/python3.11 include/python3.11 lib/python3.11 $3 | \
        tar --extract --directory \"$2\" --preserve-permissions";
    let mut copy = program("sh");
    copy.args(["-euc", script, "sh"]).arg(&python.prefix).arg(&local);
    run(copy.arg(shared.map(|name| format!("lib/{name}")).collect::<Vec<_>>().join(" ")))?;
    for (link, target) in [("bin/python3", "python3.11"), ("bin/python", "python3")] {
        symlink(target, local.join(link)).map_err(Failure::doing(format!("link {link}")))?;
    }
    Ok(())
}

/// Adds pip, setuptools and wheel by pip itself, without bytecode.
pub(crate) fn install_pip(root: &Path) -> Result {
    let chroot = Chroot::new(root);
    run(&mut chroot.command(["ldconfig"]))?;
    run(&mut chroot.command(["python3", "-m", "ensurepip", "--default-pip"]))?;
    let house = House::listed("image")?;
    pip::install(&chroot, &pip::Source::House(&house), &house.pins(), &[])?;
    let mut bytecode = program("find");
    bytecode.arg(root.join("usr/local")).args(["-name", "*.pyc", "-delete"]);
    run(&mut bytecode)
}

/// The directory of a base in the cache, which `make` fills: it gets it and the place of the root.
fn once(name: &str, key: &str, make: impl FnOnce(&Path, &Path) -> Result) -> Result<PathBuf> {
    let key = Digest::of(format!("{} {key} 1", debootstrap::SUITE).as_bytes());
    cache::once(&format!("{name}-{}", &key.hex()[..12]), |directory| {
        make(directory, &directory.join("root"))
    })
}

fn pack(directory: &Path, root: &Path, config: &[(&str, &str)]) -> Result {
    umoci::create(&directory.join("layout"), TAG, root, config)
}
