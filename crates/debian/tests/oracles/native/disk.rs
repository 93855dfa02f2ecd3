//! A directory of this machine as an image.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::BString;
use debian::native::elf::Elf;
use debian::outside::{DebSource, Fetch, Installed};
use debian::{Deb, PackageIndex};
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath, Platform};
use shell::{Command, Fetched, Files, Limits, Outcome, Process, Stop, Stored, User};

/// A tree that a command can be evaluated in. Nothing in it is changed.
pub(crate) struct Disk {
    root: PathBuf,
    index: Arc<LayerIndex>,
    /// Where bytes are. Digests are of paths: nobody compares them with the bytes.
    paths: HashMap<Digest, PathBuf>,
}

impl Disk {
    /// The tree as it is now.
    pub(crate) fn new(root: &Path) -> Disk {
        let mut disk = Disk {
            root: root.to_owned(),
            index: Arc::new(LayerIndex::from_entries(Vec::new())),
            paths: HashMap::new(),
        };
        let mut entries = Vec::new();
        disk.add(root, &mut entries);
        entries.sort_by(Entry::layer_order);
        disk.index = Arc::new(LayerIndex::from_entries(entries));
        disk
    }

    fn add(&mut self, directory: &Path, entries: &mut Vec<Entry>) {
        for found in fs::read_dir(directory).unwrap() {
            let host = found.unwrap().path();
            let metadata = host.symlink_metadata().unwrap();
            let path = host.strip_prefix(&self.root).unwrap().as_os_str().as_bytes();
            let mut attributes = Attributes::root(metadata.mode() & 0o7777, metadata.mtime());
            (attributes.uid, attributes.gid) = (metadata.uid(), metadata.gid());
            let node = if metadata.is_symlink() {
                Node::Symlink(fs::read_link(&host).unwrap().as_os_str().as_bytes().to_vec())
            } else if metadata.is_dir() {
                self.add(&host, entries);
                Node::Directory
            } else if metadata.is_file() {
                let digest = Digest::of(path);
                self.paths.insert(digest, host.clone());
                Node::File(Content { digest, size: metadata.len() })
            } else {
                continue;
            };
            entries.push(Entry { path: ImagePath::lexical(path), attributes, node });
        }
    }

    /// Evaluates a command as root.
    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        let root = RootFs::new(vec![Some(Arc::clone(&self.index))]);
        let limits = Limits::default();
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: BTreeMap::from([("PATH".into(), path.into())]),
            directory: ImagePath::root(),
            platform: Platform::linux("amd64"),
        };
        let files = Files::new(root, User::default(), 1_700_000_000, limits);
        shell::run(command, files, self, limits).unwrap()
    }
}

impl shell::Outside for Disk {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        Ok(fs::read(&self.paths[&stored.content.digest]).unwrap().into())
    }

    fn archive(&self, _: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        Ok(None)
    }

    fn download(&self, url: &str) -> Result<Fetched, Stop> {
        panic!("nothing is downloaded: {url}")
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        debian::program(process, self)
    }
}

impl debian::Outside for Disk {
    fn fetch(&self, _: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop> {
        panic!("nothing is fetched")
    }

    fn indexes(&self, _: &[Stored]) -> Result<Vec<Arc<PackageIndex>>, Stop> {
        panic!("there are no archives")
    }

    fn debs(&self, _: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop> {
        panic!("there are no packages")
    }

    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, Stop> {
        let open = |stored: &Stored| fs::File::open(&self.paths[&stored.content.digest]).unwrap();
        Ok(files.iter().map(|stored| Elf::read(open(stored)).unwrap()).collect())
    }

    fn now(&self) -> i64 {
        0
    }

    fn note_installed(&self, _: Installed) {
        panic!("nothing is installed")
    }
}
