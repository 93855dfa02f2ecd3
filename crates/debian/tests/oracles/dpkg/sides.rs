//! The two sides: dpkg in a chroot over a Debian base, and the evaluation over the same.

use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::BString;
use debian::deb::Deb;
use debian::native::elf::Elf;
use debian::{DebSource, Fetch, Installed, PackageIndex};
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs, detect_archive, open_archive};
use oci::{Digest, ImagePath, Platform};
use shell::{
    Channel, Command, Data, Fetched, Files, Limits, Origin, Outside, Process, Stop, Stored, User,
};
use testbed::shells::{Script, run_scripts};

use super::package::Package;
use crate::comparison::{Answer, Base, Kind, State};

const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/root")];

/// Paths that are not compared, and why.
const LEFT_OUT: [(&str, &str); 8] = [
    ("var/log/", "logs say when somebody ran something"),
    ("var/lib/dpkg/lock", "locks are opened, which changes their time and nothing else"),
    ("var/lib/dpkg/lock-frontend", "the same"),
    ("var/lib/dpkg/triggers/Lock", "the same"),
    ("var/cache/ldconfig/", "it holds inodes and times"),
    ("etc/ld.so.cache", "it is ldconfig's, which is tested by itself"),
    ("var/lib/dpkg/updates", "the journal is empty in the end, and its directory's time is new"),
    ("debs", "the packages themselves"),
];

/// A Debian base and packages over it.
pub(crate) struct Sides {
    root: PathBuf,
    below: PathBuf,
    base: Base,
    layers: Vec<Arc<LayerIndex>>,
    clock: i64,
    debs: HashMap<Digest, Arc<Deb>>,
    bytes: HashMap<Digest, Arc<[u8]>>,
    _work: tempfile::TempDir,
}

impl Sides {
    /// The base with these packages in `/debs`.
    pub(crate) fn new(packages: &[Package]) -> Self {
        let root = testbed::base::debian_root().unwrap();
        let work = tempfile::tempdir().unwrap();
        let below = work.path().join("below");
        fs::create_dir_all(below.join("debs")).unwrap();
        let (mut debs, mut bytes) = (HashMap::new(), HashMap::new());
        let mut entries = vec![entry("debs", 0o755, Node::Directory)];
        for package in packages {
            let (file, deb, contents) = package.build(work.path());
            for content in contents {
                bytes.insert(Digest::of(&content), Arc::from(content));
            }
            debs.insert(deb.digest, deb);
            let path = format!("debs/{}", package.file);
            fs::write(below.join(&path), &file).unwrap();
            entries.push(entry(&path, 0o644, Node::File(Content::of(&file))));
        }
        entries.sort_by(Entry::layer_order);
        let index = base_index();
        Sides {
            below,
            base: Base::of(&index),
            layers: vec![Arc::new(index), Arc::new(LayerIndex::from_entries(entries))],
            root,
            clock: now(),
            debs,
            bytes,
            _work: work,
        }
    }

    /// What both make of some scripts.
    pub(crate) fn both(&self, scripts: &[Script]) -> Vec<(Answer, Answer)> {
        let real = self.real(scripts).into_iter();
        let evaluated = scripts.iter().map(|script| self.evaluated(script));
        real.zip(evaluated).map(|(one, other)| (compared(one), compared(other))).collect()
    }

    fn real(&self, scripts: &[Script]) -> Vec<Answer> {
        let environment = ENVIRONMENT.map(|(name, value)| format!("{name}={value}"));
        let environment = environment.each_ref().map(String::as_str);
        let began = now();
        let layers = format!("{}:{}", self.below.display(), self.root.display());
        let ran = run_scripts(Path::new(&layers), &environment, scripts).unwrap();
        ran.into_iter().map(|ran| self.base.real_answer(ran, began)).collect()
    }

    fn evaluated(&self, script: &Script) -> Answer {
        let words = [script.shell, "-c", &script.text];
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: ENVIRONMENT.map(|(name, value)| (name.into(), value.into())).into(),
            directory: ImagePath::root(),
            platform: Platform::linux("amd64"),
        };
        let limits = Limits::default();
        let root = RootFs::new(self.layers.iter().cloned().map(Some).collect());
        let files = Files::new(root, User::default(), self.clock, limits);
        match shell::run(command, files, self, limits) {
            Ok(outcome) => Answer::Ran {
                status: outcome.status,
                stdout: outcome.transcript.of(Channel::Output),
                stderr: outcome.transcript.of(Channel::Errors),
                tree: self.base.evaluated_tree(&outcome.files, self.clock, |data| match data {
                    Data::Inline(bytes) => bytes.to_vec(),
                    Data::Stored(stored) => self.bytes(stored).unwrap().to_vec(),
                }),
            },
            Err(Stop::Refused(refusal)) => Answer::Refused(refusal.to_string()),
            Err(Stop::Limit(limit)) => Answer::Refused(limit.to_string()),
            Err(Stop::Missing(missing)) => Answer::Refused(format!("missing: {missing:?}")),
        }
    }
}

impl Outside for Sides {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        if let Some(known) = self.bytes.get(&stored.content.digest) {
            return Ok(Arc::clone(known));
        }
        match &*stored.origin {
            Origin::Below { path, .. } => {
                Ok(fs::read(self.root.join(path.to_string())).unwrap().into())
            }
            origin => unreachable!("there are no bytes from {origin:?}"),
        }
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

impl debian::Outside for Sides {
    fn fetch(&self, _: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop> {
        unreachable!("nothing is fetched")
    }

    fn indexes(&self, _: &[Stored]) -> Result<Vec<Arc<PackageIndex>>, Stop> {
        unreachable!("no index is read")
    }

    fn debs(&self, debs: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop> {
        let read = debs.iter().map(|source| match source {
            DebSource::File { stored, .. } => Arc::clone(&self.debs[&stored.content.digest]),
            other => unreachable!("{other:?} is no file"),
        });
        Ok(read.collect())
    }

    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, Stop> {
        Ok(files.iter().map(|_| None).collect())
    }

    fn now(&self) -> i64 {
        self.clock
    }

    fn note_installed(&self, _: Installed) {}
}

/// An answer without what is not compared.
fn compared(mut answer: Answer) -> Answer {
    if let Answer::Ran { tree, .. } = &mut answer {
        tree.retain(|path, _| {
            let is_left_out = |(start, _): &(&str, &str)| match start.ends_with('/') {
                true => path.starts_with(start) || format!("{path}/") == *start,
                false => path == start || path.starts_with(&format!("{start}/")),
            };
            !LEFT_OUT.iter().any(is_left_out)
        });
        for (path, state) in tree {
            let is_info = path.starts_with("var/lib/dpkg/info/");
            if let State::Here { kind, time, .. } = state
                && (*kind == Kind::Directory || is_info)
            {
                // A directory's time is that of the last file that came into it; a control file's
                // is that of the package's archive, which is not kept.
                *time = None;
            }
        }
    }
    answer
}

fn entry(path: &str, mode: u32, node: Node) -> Entry {
    Entry { path: ImagePath::lexical(path), attributes: Attributes::root(mode, 1000), node }
}

fn base_index() -> LayerIndex {
    let layout = testbed::base::debian().unwrap();
    let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap();
    let paths = blobs.map(|entry| entry.unwrap().path());
    let largest = paths.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let bytes = fs::read(largest).unwrap();
    let compression = detect_archive(Cursor::new(&bytes)).unwrap().unwrap();
    let limits = layer::Limits::default();
    let tar: Box<dyn Read + Send> =
        Box::new(open_archive(Cursor::new(bytes), compression, &limits).unwrap());
    LayerIndex::read(tar, &limits).unwrap().0
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}
