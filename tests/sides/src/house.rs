//! Where scripts are run and evaluated: a root directory of Debian's.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::BString;
use debian::Deb;
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath, Platform};
use shell::{Channel, Command, Data, Files, Limits, Outcome, Outside, Stop, User};
use testbed::shells::{Script, run_scripts};
use testbed::{Chroot, program, run};

use crate::base::Base;
use crate::{Answer, outside};

/// The environment of a `RUN` line; a maintainer script's has the last two besides (dpkg(1)).
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

/// A root directory, as a directory and as a layer. Nothing in it is changed.
pub struct House {
    pub(crate) root: PathBuf,
    /// A directory over it, for the real programs.
    above: Option<PathBuf>,
    layers: Vec<Arc<LayerIndex>>,
    base: Base,
    environment: &'static [(&'static str, &'static str)],
    /// The time of evaluations: now, since real programs write dates, too.
    pub(crate) clock: i64,
    /// Bytes that are not in the root, and archives that were looked into.
    pub(crate) bytes: Mutex<HashMap<Digest, Arc<[u8]>>>,
    pub(crate) debs: HashMap<Digest, Arc<Deb>>,
}

impl House {
    /// The base of the testbed, with the environment of a `RUN` line.
    pub fn base() -> Self {
        let layout = testbed::base::debian().unwrap();
        let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap();
        let paths = blobs.map(|entry| entry.unwrap().path());
        let largest = paths.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
        let index = outside::index(&fs::read(largest).unwrap()).expect("a layer is an archive");
        House::new(testbed::base::debian_root().unwrap(), index)
    }

    /// The base with these packages unpacked, and nothing of them configured.
    pub fn unpacked(packages: &str) -> Self {
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
        House::new(root, index)
    }

    /// A directory as it is now. Its files have the digests of their paths: nobody compares those
    /// with their bytes.
    pub fn of(root: &Path) -> Self {
        let mut entries = Vec::new();
        list(root, root, &mut entries);
        entries.sort_by(Entry::layer_order);
        House::new(root.to_owned(), LayerIndex::from_entries(entries))
    }

    fn new(root: PathBuf, index: LayerIndex) -> Self {
        House {
            root,
            above: None,
            base: Base::of(&index),
            layers: vec![Arc::new(index)],
            environment: &ENVIRONMENT[..2],
            clock: now(),
            bytes: Mutex::default(),
            debs: HashMap::new(),
        }
    }

    /// The same with the environment of a maintainer script.
    #[must_use]
    pub fn of_a_maintainer_script(self) -> Self {
        House { environment: &ENVIRONMENT, ..self }
    }

    /// The same with another directory over it, which has these entries.
    #[must_use]
    pub fn below(mut self, directory: PathBuf, mut entries: Vec<Entry>) -> Self {
        entries.sort_by(Entry::layer_order);
        self.layers.push(Arc::new(LayerIndex::from_entries(entries)));
        House { above: Some(directory), ..self }
    }

    /// The same with a package that may be installed, and the bytes of its files.
    #[must_use]
    pub fn knowing(mut self, deb: Arc<Deb>, files: Vec<Vec<u8>>) -> Self {
        self.debs.insert(deb.digest, deb);
        let bytes = files.into_iter().map(|bytes| (Digest::of(&bytes), Arc::from(bytes)));
        self.bytes.get_mut().unwrap().extend(bytes);
        self
    }

    /// What the real programs say.
    pub fn real(&self, scripts: &[Script]) -> Vec<Answer> {
        let environment: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let environment: Vec<&str> = environment.iter().map(String::as_str).collect();
        let lower = match &self.above {
            Some(above) => PathBuf::from(format!("{}:{}", above.display(), self.root.display())),
            None => self.root.clone(),
        };
        let began = now();
        let ran = run_scripts(&lower, &environment, scripts).unwrap();
        ran.into_iter().map(|ran| self.base.real_answer(ran, began)).collect()
    }

    /// What an evaluation comes to.
    pub fn evaluated(&self, script: &Script) -> Answer {
        match self.evaluate(&[script.shell, "-c", &script.text]) {
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

    /// Both answers to each script: the real one, and the evaluation's.
    pub fn both(&self, scripts: &[Script]) -> Vec<(Answer, Answer)> {
        std::thread::scope(|scope| {
            let real = scope.spawn(|| self.real(scripts));
            let evaluated: Vec<_> = scripts.iter().map(|script| self.evaluated(script)).collect();
            real.join().unwrap().into_iter().zip(evaluated).collect()
        })
    }

    /// What a command comes to when root evaluates it.
    ///
    /// # Errors
    /// What stops the evaluation.
    pub fn evaluate(&self, words: &[&str]) -> Result<Outcome, Stop> {
        let environment = self.environment.iter();
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: environment
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            directory: ImagePath::root(),
            platform: Platform::linux("amd64"),
        };
        let limits = Limits::default();
        let root = RootFs::new(self.layers.iter().cloned().map(Some).collect());
        shell::run(command, Files::new(root, User::default(), self.clock, limits), self, limits)
    }
}

/// A script for `sh` or `bash`.
pub fn script(shell: &str, text: &str) -> Script {
    let shell = match shell {
        "sh" => "/bin/sh",
        "bash" => "/bin/bash",
        other => panic!("there is no shell {other}"),
    };
    Script { shell, text: text.trim_end_matches('\n').to_owned() }
}

/// What is in a directory, devices and sockets left out.
fn list(root: &Path, directory: &Path, entries: &mut Vec<Entry>) {
    for found in fs::read_dir(directory).unwrap() {
        let host = found.unwrap().path();
        let metadata = host.symlink_metadata().unwrap();
        let path = host.strip_prefix(root).unwrap().as_os_str().as_bytes();
        let mut attributes = Attributes::root(metadata.mode() & 0o7777, metadata.mtime());
        (attributes.uid, attributes.gid) = (metadata.uid(), metadata.gid());
        let node = if metadata.is_symlink() {
            Node::Symlink(fs::read_link(&host).unwrap().as_os_str().as_bytes().to_vec())
        } else if metadata.is_dir() {
            list(root, &host, entries);
            Node::Directory
        } else if metadata.is_file() {
            Node::File(Content { digest: Digest::of(path), size: metadata.len() })
        } else {
            continue;
        };
        entries.push(Entry { path: ImagePath::lexical(path), attributes, node });
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}
