//! The Debian base in which both sides run a script, and the two sides.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::BString;
use layer::{LayerIndex, RootFs, TarError, detect_archive, open_archive};
use oci::{Digest, ImagePath, Platform};
use shell::{
    Channel, Command, Fetched, Files, Limits, Origin, Outside, Process, Stop, Stored, User,
};
use testbed::shells::{Script, run_scripts};

use crate::comparison::{Answer, Base};

/// The environment of a `RUN` line.
const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/root")];
/// A Debian root directory, as a directory and as a layer.
pub(crate) struct Debian {
    root: PathBuf,
    index: Arc<LayerIndex>,
    base: Base,
    /// The time of evaluations: now, since real programs write dates, too.
    clock: i64,
    /// Archives that were looked into, for their members.
    archives: Mutex<HashMap<Digest, Arc<[u8]>>>,
}

impl Debian {
    pub(crate) fn new() -> Self {
        let layout = testbed::base::debian().unwrap();
        let layer = fs::read_dir(layout.join("blobs/sha256")).unwrap();
        let paths = layer.map(|entry| entry.unwrap().path());
        let largest = paths.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
        let (index, _) = read_archive(&fs::read(largest).unwrap()).expect("a layer is an archive");
        Debian {
            root: testbed::base::debian_root().unwrap(),
            base: Base::of(&index),
            index: Arc::new(index),
            clock: now(),
            archives: Mutex::default(),
        }
    }

    /// What the real shells say.
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
                    shell::Data::Stored(stored) => self.bytes(stored).unwrap().to_vec(),
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

impl Outside for Debian {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        Ok(match &*stored.origin {
            Origin::Below { path, .. } => {
                fs::read(self.root.join(path.to_string())).unwrap().into()
            }
            Origin::Member { archive, path } => {
                let bytes = self.archives.lock().unwrap()[archive].clone();
                member(&bytes, path).into()
            }
            origin => unreachable!("there are no bytes from {origin:?}"),
        })
    }

    fn archive(&self, stored: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        let bytes = self.bytes(stored)?;
        let read = read_archive(&bytes);
        self.archives.lock().unwrap().insert(stored.content.digest, bytes);
        Ok(read.map(|(index, _)| Arc::new(index)))
    }

    fn download(&self, _: &str) -> Result<Fetched, Stop> {
        Ok(Fetched::Status(404))
    }

    fn program(&self, _: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        None
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn tar_of(bytes: &[u8]) -> Option<Box<dyn Read + Send + '_>> {
    let compression = detect_archive(Cursor::new(bytes)).unwrap()?;
    Some(open_archive(Cursor::new(bytes), compression, &layer::Limits::default()).unwrap())
}

fn read_archive(bytes: &[u8]) -> Option<(LayerIndex, oci::DiffId)> {
    let tar = tar_of(bytes)?;
    Some(LayerIndex::read(tar, &layer::Limits::default()).unwrap())
}

fn member(archive: &[u8], path: &ImagePath) -> Vec<u8> {
    let (index, _) = read_archive(archive).unwrap();
    let mut found = Vec::new();
    let tar = tar_of(archive).unwrap();
    layer::extract::<TarError>(
        tar,
        &index,
        |at| at == path,
        |_, content| {
            content.read_to_end(&mut found).unwrap();
            Ok(())
        },
    )
    .unwrap();
    found
}

/// Scripts by shell.
pub(crate) fn script(shell: &str, text: &str) -> Script {
    let shell = BTreeMap::from([("sh", "/bin/sh"), ("bash", "/bin/bash")])[shell];
    Script { shell, text: text.trim_end_matches('\n').to_owned() }
}
