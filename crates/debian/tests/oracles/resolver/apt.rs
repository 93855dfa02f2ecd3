//! `apt-get -s` with directories of its own, and what it reads.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use debian::apt::archive::{Archive, Release};
use debian::apt::resolver::{Change, ChangeKind, Solution, Step, Work};
use debian::control::Stanza;
use debian::dpkg::status::{PackageId, Status};
use debian::index::PackageIndex;
use debian::outside::Proxy;
use testbed::Failure;

use super::{Question, aged};

/// apt and the lists that it has.
pub(super) struct Apt {
    directory: PathBuf,
    pub(super) archives: Vec<Archive>,
}

/// A base: what is installed.
pub(super) struct Base {
    directory: tempfile::TempDir,
    pub(super) status: Status,
    pub(super) automatic: BTreeSet<PackageId>,
}

/// The suites in the order of the machine's sources.
const SUITES: [&str; 3] = ["bookworm", "bookworm-updates", "bookworm-security"];

impl Apt {
    /// apt with the machine's sources; lists are fetched once.
    pub(super) fn new() -> Apt {
        let directory = testbed::cache::once("apt-lists-bookworm-1", fetch).unwrap();
        let lists = directory.join("var/lib/apt/lists");
        let archives = SUITES.iter().map(|suite| archive(&lists, suite)).collect();
        Apt { directory, archives }
    }

    /// The base as debootstrap makes it.
    pub(super) fn fresh(&self) -> Base {
        let root = testbed::base::debian_root().unwrap();
        Base::of(fs::read(root.join("var/lib/dpkg/status")).unwrap())
    }

    /// The same, months before.
    pub(super) fn aged(&self) -> Base {
        let root = testbed::base::debian_root().unwrap();
        let status = fs::read(root.join("var/lib/dpkg/status")).unwrap();
        Base::of(aged::age(&status, 7))
    }

    /// What apt would do, line by line: `Inst a [1] (2)`, `Conf a`, `Remv b [1]`.
    pub(super) fn simulate(&self, base: &Base, question: &Question) -> Result<Vec<String>, String> {
        let mut apt = apt_get(&self.directory);
        apt.arg("-s").arg(question.command());
        let at = |name: &str| base.directory.path().join(name).display().to_string();
        apt.args(["-o", &format!("Dir::State::status={}", at("status"))]);
        apt.args(["-o", &format!("Dir::State::extended_states={}", at("extended_states"))]);
        apt.args(["-o", &format!("Dir::Cache::pkgcache={}", at("pkgcache.bin"))]);
        apt.args(["-o", "Dir::Cache::srcpkgcache="]);
        apt.args(["-o", &format!("APT::Install-Recommends={}", question.recommends)]);
        apt.args(&question.flags).args(&question.words);
        let output = apt.output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        Ok(text.lines().filter_map(line).collect())
    }
}

/// `Inst a [1] (2 Debian:12/stable [amd64]) []` → `Inst a [1] (2)`
fn line(line: &str) -> Option<String> {
    let (verb, rest) = line.split_once(' ')?;
    let mut words = rest.split(' ');
    let name = words.next()?;
    let from = words.clone().next().filter(|word| word.starts_with('[') && word.len() > 2);
    let to = words.find_map(|word| word.strip_prefix('('));
    match verb {
        "Inst" => Some(format!(
            "Inst {name} {}({})",
            from.map(|from| format!("{from} ")).unwrap_or_default(),
            to?
        )),
        "Conf" => Some(format!("Conf {name}")),
        "Remv" | "Purg" => Some(format!("{verb} {name}")),
        _ => None,
    }
}

/// The same of a solution.
pub(super) fn lines(solution: &Solution) -> Vec<String> {
    let step = |step: &Step| {
        let id = &step.package;
        let is_same = |change: &&Change| change.package.name == id.name;
        line_of(solution.changes.iter().find(is_same).unwrap(), step.work)
    };
    solution.steps.iter().map(step).collect()
}

/// What changes, without an order.
pub(super) fn changes(solution: &Solution) -> BTreeSet<String> {
    let change = |change: &Change| {
        let work = match change.kind {
            ChangeKind::Remove => Work::Remove,
            ChangeKind::Purge => Work::Purge,
            _ => Work::Unpack,
        };
        line_of(change, work)
    };
    solution.changes.iter().map(change).collect()
}

fn line_of(change: &Change, work: Work) -> String {
    let name = &change.package.name;
    match work {
        Work::Unpack => {
            let from = change.from.as_ref().map(|from| format!("[{from}] "));
            let to = change.to.as_ref().unwrap();
            format!("Inst {name} {}({to})", from.unwrap_or_default())
        }
        Work::Configure | Work::ConfigureLast => format!("Conf {name}"),
        Work::Remove => format!("Remv {name}"),
        Work::Purge => format!("Purg {name}"),
    }
}

impl Base {
    fn of(status: Vec<u8>) -> Base {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("status"), &status).unwrap();
        let status = Status::parse(&status).unwrap();
        Base { directory, status, automatic: BTreeSet::new() }
    }

    /// Marks packages as automatically installed.
    pub(super) fn with_automatic(mut self, names: &[&str]) -> Base {
        let mut text = String::new();
        for name in names {
            text += &format!("Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n");
            let (name, architecture) = ((*name).into(), "amd64".into());
            self.automatic.insert(PackageId { name, architecture });
        }
        fs::write(self.directory.path().join("extended_states"), text).unwrap();
        self
    }
}

fn apt_get(directory: &Path) -> Command {
    let mut command = Command::new("apt-get");
    command.env_clear().env("PATH", "/usr/bin:/usr/sbin:/bin:/sbin").env("LC_ALL", "C");
    command.args(["-o", &format!("Dir={}", directory.display())]);
    command.args(["-o", &format!("Dir::State::status={}/status", directory.display())]);
    command.args(["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"]);
    command
}

fn fetch(directory: &Path) -> testbed::Result {
    for name in ["etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d"] {
        fs::create_dir_all(directory.join(name)).map_err(Failure::doing("make directories"))?;
    }
    for name in ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial"] {
        fs::create_dir_all(directory.join(name)).map_err(Failure::doing("make directories"))?;
    }
    fs::write(directory.join("status"), "").map_err(Failure::doing("write a status"))?;
    let sources = "etc/apt/sources.list.d/debian.sources";
    fs::copy(Path::new("/").join(sources), directory.join(sources))
        .map_err(Failure::doing("copy the sources"))?;
    let output =
        apt_get(directory).arg("update").output().map_err(Failure::doing("run apt-get"))?;
    if !output.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(())
}

fn archive(lists: &Path, suite: &str) -> Archive {
    let end = format!("_dists_{suite}_InRelease");
    let mut names = fs::read_dir(lists).unwrap().map(|entry| entry.unwrap().file_name());
    let found = names.find_map(|name| Some(name.to_str()?.strip_suffix(&end)?.to_owned()));
    let prefix = format!("{}_dists_{suite}", found.unwrap());
    let release = fs::read_to_string(lists.join(format!("{prefix}_InRelease"))).unwrap();
    let (_, signed) = release.split_once("\n\n").unwrap();
    let (signed, _) = signed.split_once("-----BEGIN PGP SIGNATURE").unwrap();
    let release = Stanza::parse_all(signed.as_bytes()).unwrap().remove(0);
    let text = |name| release.text(name).unwrap_or_default().to_owned();
    let packages = lists.join(format!("{prefix}_main_binary-amd64_Packages"));
    Archive {
        base: String::new(),
        login: None,
        proxy: Proxy::Direct,
        release: Arc::new(Release {
            origin: text("Origin"),
            label: text("Label"),
            suite: text("Suite"),
            codename: text("Codename"),
            version: text("Version"),
            ..Release::default()
        }),
        component: "main".to_owned(),
        list: None,
        index: Arc::new(PackageIndex::read(File::open(packages).unwrap()).unwrap()),
    }
}
