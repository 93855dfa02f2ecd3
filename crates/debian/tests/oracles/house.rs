//! The Debian base in which both sides run a script, and the two sides.

use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::BString;
use debian::native::elf::Elf;
use debian::{Deb, DebSource, Fetch, Installed, PackageIndex};
use layer::{LayerIndex, RootFs, detect_archive, open_archive};
use oci::{Digest, ImagePath, Platform};
use shell::{
    Channel, Command, Fetched, Files, Limits, Origin, Outside, Process, Stop, Stored, User,
};
use testbed::shells::{Script, run_scripts};
use testbed::{Chroot, program, run};

use crate::comparison::{Answer, Base};

/// The environment of a maintainer script, as dpkg makes it, and of a `RUN` line.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/root"),
    ("DPKG_ROOT", ""),
    ("DPKG_ADMINDIR", "/var/lib/dpkg"),
];

const UNPACK: &str = "apt-get -qq update && apt-get -qq --yes --no-install-recommends \
    --option APT::Sandbox::User=root --download-only install";
const AFTERWARDS: &str = "dpkg --force-depends --unpack /var/cache/apt/archives/*.deb \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/log/*";

/// A Debian root directory, as a directory and as a layer.
pub(crate) struct House {
    root: PathBuf,
    index: Arc<LayerIndex>,
    base: Base,
    /// The time of evaluations: now, since real programs write dates, too.
    clock: i64,
    bytes: Mutex<HashMap<Digest, Arc<[u8]>>>,
}

impl House {
    /// The base of the testbed.
    pub(crate) fn base() -> Self {
        let layout = testbed::base::debian().unwrap();
        let layer = fs::read_dir(layout.join("blobs/sha256")).unwrap();
        let paths = layer.map(|entry| entry.unwrap().path());
        let largest = paths.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
        let bytes = fs::read(largest).unwrap();
        let compression = detect_archive(Cursor::new(&bytes)).unwrap().unwrap();
        let tar =
            open_archive(Cursor::new(&bytes), compression, &layer::Limits::default()).unwrap();
        let (index, _) = LayerIndex::read(tar, &layer::Limits::default()).unwrap();
        House::of(testbed::base::debian_root().unwrap(), index)
    }

    /// The base with these packages unpacked, and nothing of them configured.
    pub(crate) fn with(packages: &str) -> Self {
        let base = testbed::base::debian_root().unwrap();
        let key = Digest::of(format!("{} {packages} 1", base.display()).as_bytes());
        let name = format!("debian-unpacked-{}", &key.hex()[..12]);
        let made = testbed::cache::once(&name, |draft| {
            let root = draft.join("root");
            run(program("cp").args(["--archive", "--reflink=auto"]).arg(&base).arg(&root))?;
            for file in ["sources.list", "sources.list.d"] {
                let from = format!("/etc/apt/{file}");
                if Path::new(&from).exists() {
                    run(program("cp").arg("--archive").arg(from).arg(root.join("etc/apt")))?;
                }
            }
            let script = format!("{UNPACK} {packages} && {AFTERWARDS}");
            run(&mut Chroot::new(&root).command(["sh", "-euc", &script]))
        });
        let root = made.unwrap().join("root");
        let mut tar = program("tar");
        tar.args(["--create", "--sort=name", "--numeric-owner", "--directory"]);
        let mut child = tar.arg(&root).arg(".").stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (index, _) = LayerIndex::read(stdout, &layer::Limits::default()).unwrap();
        assert!(child.wait().unwrap().success());
        House::of(root, index)
    }

    pub(crate) fn of(root: PathBuf, index: LayerIndex) -> Self {
        let base = Base::of(&index);
        House { root, base, index: Arc::new(index), clock: now(), bytes: Mutex::default() }
    }

    /// What the real programs say.
    pub(crate) fn real(&self, scripts: &[Script]) -> Vec<Answer> {
        let environment = ENVIRONMENT.map(|(name, value)| format!("{name}={value}"));
        let environment = environment.each_ref().map(String::as_str);
        let began = now();
        let ran = run_scripts(&self.root, &environment, scripts).unwrap();
        ran.into_iter().map(|ran| self.base.real_answer(ran, began)).collect()
    }

    /// What an evaluation comes to.
    pub(crate) fn evaluated(&self, script: &Script) -> Answer {
        let words = [script.shell, "-c", &script.text];
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: ENVIRONMENT.map(|(name, value)| (name.into(), value.into())).into(),
            directory: ImagePath::root(),
            platform: Platform::linux("amd64"),
        };
        let limits = Limits::default();
        let root = RootFs::new(vec![Some(Arc::clone(&self.index))]);
        let files = Files::new(root, User::default(), self.clock, limits);
        match shell::run(command, files, self, limits) {
            Ok(outcome) => Answer::Ran {
                status: outcome.status,
                stdout: outcome.transcript.of(Channel::Output),
                stderr: outcome.transcript.of(Channel::Errors),
                tree: self.base.evaluated_tree(&outcome.files, self.clock, |data| match data {
                    shell::Data::Inline(bytes) => bytes.to_vec(),
                    shell::Data::Stored(stored) => Outside::bytes(self, stored).unwrap().to_vec(),
                }),
            },
            Err(Stop::Refused(refusal)) => Answer::Refused(refusal.to_string()),
            Err(Stop::Limit(limit)) => Answer::Refused(limit.to_string()),
            Err(Stop::Missing(missing)) => Answer::Refused(format!("missing: {missing:?}")),
        }
    }

    /// Both answers to each script: the real one, and the evaluation's.
    pub(crate) fn both(&self, scripts: &[Script]) -> Vec<(Answer, Answer)> {
        std::thread::scope(|scope| {
            let real = scope.spawn(|| self.real(scripts));
            let evaluated: Vec<_> = scripts.iter().map(|script| self.evaluated(script)).collect();
            real.join().unwrap().into_iter().zip(evaluated).collect()
        })
    }
}

impl Outside for House {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        let Origin::Below { path, .. } = &*stored.origin else {
            unreachable!("there are no bytes from {:?}", stored.origin)
        };
        let mut known = self.bytes.lock().unwrap();
        let bytes = known
            .entry(stored.content.digest)
            .or_insert_with(|| fs::read(self.root.join(path.to_string())).unwrap().into());
        Ok(Arc::clone(bytes))
    }

    fn archive(&self, _: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        Ok(None)
    }

    fn download(&self, _: &str) -> Result<Fetched, Stop> {
        Ok(Fetched::Status(404))
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        debian::program(process, self)
    }
}

impl debian::Outside for House {
    fn fetch(&self, fetches: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop> {
        Ok(vec![None; fetches.len()])
    }

    fn indexes(&self, _: &[Stored]) -> Result<Vec<Arc<PackageIndex>>, Stop> {
        unreachable!("nothing of these scripts asks for an index")
    }

    fn debs(&self, _: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop> {
        unreachable!("nothing of these scripts asks for a package")
    }

    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, Stop> {
        Ok(files.iter().map(|_| None).collect())
    }

    fn now(&self) -> i64 {
        self.clock
    }

    fn note_installed(&self, _: Installed) {}
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}
