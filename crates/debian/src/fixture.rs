//! A small Debian to try programs in, packages made in memory, and what is outside of both.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use md5::{Digest as _, Md5};
use oci::{Digest, ImagePath, Platform};
use shell::descriptor::Descriptors;
use shell::files::{ChangedNode, Files, User};
use shell::limits::Budget;
use shell::machine::Machine;
use shell::{
    Changed, Channel, Command, Data, Fetched, Limits, Missing, Outcome, Process, Stop, Stored,
};

use crate::control::Stanza;
use crate::deb::{ControlFile, Deb, Member, MemberNode};
use crate::index::PackageIndex;
use crate::native::elf::Elf;
use crate::outside::{DebSource, Fetch, Installed, ListFile, Outside};

/// The time that everything new gets.
pub(crate) const CLOCK: i64 = 1_700_000_000;
/// The time of files in packages.
pub(crate) const PACKED: i64 = 1_600_000_000;

/// An image, and what is outside of it.
pub(crate) struct Image {
    entries: Vec<Entry>,
    bytes: RefCell<HashMap<Digest, Arc<[u8]>>>,
    /// Packages by the digest of their file.
    pub(crate) debs: HashMap<Digest, Arc<Deb>>,
    /// What URLs give; those that are not here have nothing.
    pub(crate) downloads: HashMap<String, Stored>,
    /// What was told to be unpacked.
    pub(crate) installed: RefCell<Vec<Installed>>,
    /// The environment.
    pub(crate) environment: BTreeMap<BString, BString>,
    /// What the image runs on.
    pub(crate) platform: Platform,
    /// Bounds.
    pub(crate) limits: Limits,
}

impl Image {
    /// Nothing at all.
    pub(crate) fn empty() -> Self {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        Image {
            entries: Vec::new(),
            bytes: RefCell::default(),
            debs: HashMap::new(),
            downloads: HashMap::new(),
            installed: RefCell::default(),
            environment: BTreeMap::from([("PATH".into(), path.into())]),
            platform: Platform::linux("amd64"),
            limits: Limits::default(),
        }
    }

    /// A merged `/usr`, every program that is built in, dash as `sh`, the usual users, and an empty
    /// database of dpkg's.
    pub(crate) fn new() -> Self {
        let mut image = Image::empty();
        for directory in DIRECTORIES {
            image.directory(directory, 0o755);
        }
        image.directory("tmp", 0o1777);
        for name in ["bin", "sbin", "lib"] {
            image.link(name, &format!("usr/{name}"));
        }
        let programs = shell::programs::names().filter(|name| *name != "sh");
        for name in programs.chain(crate::programs::names()) {
            image.file(&format!("usr/bin/{name}"), "\u{7f}ELF", 0o755);
        }
        image.link("usr/bin/sh", "dash");
        image.file("etc/passwd", PASSWD, 0o644);
        image.file("etc/group", GROUP, 0o644);
        image.file("etc/dpkg/dpkg.cfg", "no-debsig\nlog /var/log/dpkg.log\n", 0o644);
        for name in ["status", "triggers/Unincorp"] {
            image.file(&format!("var/lib/dpkg/{name}"), "", 0o644);
        }
        image.file("var/lib/dpkg/info/format", "1\n", 0o644);
        for name in ["lock", "lock-frontend", "triggers/Lock"] {
            image.file(&format!("var/lib/dpkg/{name}"), "", 0o640);
        }
        image
    }

    /// A directory of root's.
    pub(crate) fn directory(&mut self, path: &str, mode: u32) -> &mut Self {
        self.entry(path, mode, Node::Directory)
    }

    /// A file of root's.
    pub(crate) fn file(&mut self, path: &str, text: impl AsRef<[u8]>, mode: u32) -> &mut Self {
        let content = self.known(text.as_ref());
        self.entry(path, mode, Node::File(content))
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.entry(path, 0o777, Node::Symlink(target.as_bytes().to_vec()))
    }

    /// Anything.
    pub(crate) fn entry(&mut self, path: &str, mode: u32, node: Node) -> &mut Self {
        let path = ImagePath::lexical(path);
        self.entries.retain(|entry| entry.path != path);
        self.entries.push(Entry { path, attributes: Attributes::root(mode, 1000), node });
        self
    }

    /// Bytes that can be had.
    pub(crate) fn known(&self, bytes: &[u8]) -> Content {
        let content = Content::of(bytes);
        self.bytes.borrow_mut().insert(content.digest, Arc::from(bytes));
        content
    }

    /// A package that can be had, and whose files can.
    pub(crate) fn package(&mut self, package: &NewDeb) -> Arc<Deb> {
        for bytes in &package.bytes {
            self.known(bytes);
        }
        let deb = Arc::new(package.deb());
        self.debs.insert(deb.digest, Arc::clone(&deb));
        deb
    }

    /// A package as a file of the image.
    pub(crate) fn package_file(&mut self, path: &str, package: &NewDeb) -> Arc<Deb> {
        let text = package.text();
        let deb = self.package(package);
        self.file(path, text, 0o644);
        deb
    }

    /// The files, before anything runs.
    pub(crate) fn files(&self) -> Files {
        let mut entries = self.entries.clone();
        entries.sort_by(Entry::layer_order);
        let index = Arc::new(LayerIndex::from_entries(entries));
        Files::new(RootFs::new(vec![Some(index)]), User::default(), CLOCK, self.limits)
    }

    /// Runs a program as root in `/`.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Outcome, Stop> {
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: self.environment.clone(),
            directory: ImagePath::root(),
            platform: self.platform.clone(),
        };
        shell::run(command, self.files(), self, self.limits)
    }

    /// What a program does, in words: what it said, its exit status, and what it changed.
    pub(crate) fn show(&self, words: &[&str]) -> String {
        self.show_with(words, |changed| self.shown_change(changed))
    }

    /// The same with other words for what it changed.
    pub(crate) fn show_with(&self, words: &[&str], change: impl Fn(&Changed) -> String) -> String {
        match self.run(words) {
            Ok(outcome) => shown(&outcome, change),
            Err(stop) => stopped(&stop),
        }
    }

    /// The same for a script of `/bin/sh`.
    pub(crate) fn sh(&self, script: &str) -> String {
        self.show(&["/bin/sh", "-c", script])
    }

    /// Gives a process to a function, and what that gives.
    pub(crate) fn with_process<T>(&self, run: impl FnOnce(&mut Process<'_, '_>) -> T) -> T {
        self.on(&mut self.machine(), run)
    }

    /// What a function over a process does, in words as [`Image::show`] has them.
    pub(crate) fn shown_of(
        &self,
        run: impl FnOnce(&mut Process<'_, '_>) -> Result<u8, Stop>,
    ) -> String {
        let mut machine = self.machine();
        let ended = self.on(&mut machine, run);
        let Machine { transcript, trace, files, fetches, archives, .. } = machine;
        match ended {
            Ok(status) => {
                let outcome = Outcome { status, transcript, trace, files, fetches, archives };
                shown(&outcome, |changed| self.shown_change(changed))
            }
            Err(stop) => stopped(&stop),
        }
    }

    fn machine(&self) -> Machine<'_> {
        Machine::new(self.files(), self, Budget::new(self.limits), self.platform.clone())
    }

    fn on<'o, T>(
        &self,
        machine: &mut Machine<'o>,
        run: impl FnOnce(&mut Process<'_, 'o>) -> T,
    ) -> T {
        run(&mut Process {
            words: vec!["test".into()],
            environment: self.environment.clone(),
            directory: ImagePath::root(),
            umask: 0o022,
            descriptors: Descriptors::to_transcript(),
            program: ImagePath::lexical("usr/bin/test"),
            is_system: true,
            flavour: shell::programs::Flavour::Gnu,
            speaker: None,
            machine,
        })
    }

    fn shown_change(&self, changed: &Changed) -> String {
        let Changed { path, attributes, node } = changed;
        let owner = match (attributes.uid, attributes.gid) {
            (0, 0) => String::new(),
            (uid, gid) => format!(" {uid}:{gid}"),
        };
        let mode = attributes.mode;
        match node {
            ChangedNode::Gone => format!("- /{path}"),
            ChangedNode::File(data) => {
                format!("+ /{path} {mode:o}{owner} {:?}", self.text(data).as_bstr())
            }
            ChangedNode::Directory { below } => match below {
                shell::files::Below::Shown => format!("+ /{path}/ {mode:o}{owner}"),
                shell::files::Below::Hidden => format!("+ /{path}/ {mode:o}{owner} (opaque)"),
            },
            ChangedNode::Symlink(target) => format!("+ /{path} -> {}{owner}", target.as_bstr()),
            ChangedNode::Hardlink(target) => format!("+ /{path} = /{target}"),
            other => format!("+ /{path} {mode:o}{owner} {other:?}"),
        }
    }

    /// The bytes of a file.
    pub(crate) fn text(&self, data: &Data) -> Vec<u8> {
        match data {
            Data::Inline(bytes) => bytes.to_vec(),
            Data::Stored(stored) => {
                let bytes = self.bytes.borrow().get(&stored.content.digest).cloned();
                bytes.map_or_else(|| b"(elsewhere)".to_vec(), |bytes| bytes.to_vec())
            }
        }
    }
}

/// An outcome in words, with these for what was changed.
fn shown(outcome: &Outcome, change: impl Fn(&Changed) -> String) -> String {
    let mut lines = Vec::new();
    for (channel, bytes) in outcome.transcript.pieces() {
        let mark = if *channel == Channel::Errors { "!" } else { "" };
        lines.extend(bytes.lines().map(|line| format!("{mark}{}", line.as_bstr())));
    }
    if outcome.status != 0 {
        lines.push(format!("status {}", outcome.status));
    }
    lines.extend(outcome.files.changes().expect("the layer is loaded").iter().map(change));
    lines.join("\n")
}

fn stopped(stop: &Stop) -> String {
    match stop {
        Stop::Refused(refusal) => format!("refused: {refusal}"),
        Stop::Limit(limit) => format!("limit: {limit}"),
        Stop::Missing(missing) => format!("missing: {missing:?}"),
    }
}

impl shell::Outside for Image {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        let Stored { content, origin } = stored;
        let missing = Missing::Bytes { content: *content, origin: Arc::clone(origin) };
        self.bytes.borrow().get(&content.digest).cloned().ok_or(Stop::Missing(missing))
    }

    fn archive(&self, _: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        Ok(None)
    }

    fn download(&self, url: &str) -> Result<Fetched, Stop> {
        let found = self.downloads.get(url).map(|stored| Fetched::Content(stored.content));
        Ok(found.unwrap_or(Fetched::Status(404)))
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        crate::program(process, self)
    }
}

impl Outside for Image {
    fn fetch(&self, fetches: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop> {
        Ok(fetches.iter().map(|fetch| self.downloads.get(&fetch.url).cloned()).collect())
    }

    fn indexes(&self, _: &Digest, _: &[ListFile]) -> Result<Vec<Arc<PackageIndex>>, Stop> {
        Err(Stop::Missing(Missing::Told))
    }

    fn debs(&self, debs: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop> {
        let found = debs.iter().map(|source| {
            let digest = match source {
                DebSource::Archive(fetch) => fetch.sha256,
                DebSource::File { stored, .. } => Some(stored.content.digest),
            };
            digest.and_then(|digest| self.debs.get(&digest).cloned())
        });
        found.collect::<Option<Vec<_>>>().ok_or(Stop::Missing(Missing::Told))
    }

    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, Stop> {
        let known = self.bytes.borrow();
        let elf = |file: &Stored| known.get(&file.content.digest).and_then(|bytes| Elf::of(bytes));
        Ok(files.iter().map(elf).collect())
    }

    fn now(&self) -> i64 {
        CLOCK
    }

    fn note_installed(&self, installed: Installed) {
        self.installed.borrow_mut().push(installed);
    }
}

/// A package to be.
#[derive(Debug, Clone)]
pub(crate) struct NewDeb {
    control: String,
    control_files: Vec<ControlFile>,
    members: Vec<Member>,
    bytes: Vec<Vec<u8>>,
}

impl NewDeb {
    /// A package of this name and version, with nothing in it but the root directory.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n\
            Maintainer: Nobody <nobody@example.org>\nDescription: {name}\n"
        );
        let deb =
            NewDeb { control, control_files: Vec::new(), members: Vec::new(), bytes: Vec::new() };
        deb.directory("")
    }

    /// With a field, in the place of one of that name.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        let own = format!("{name}: ");
        let lines = self.control.lines().filter(|line| !line.starts_with(&own));
        self.control = lines.map(|line| format!("{line}\n")).collect();
        self.control.push_str(&format!("{own}{value}\n"));
        self
    }

    /// With a file of `control.tar`.
    pub(crate) fn control_file(mut self, name: &str, mode: u32, text: &str) -> Self {
        let bytes = Arc::from(text.as_bytes());
        self.control_files.push(ControlFile { name: name.into(), mode, mtime: CLOCK, bytes });
        self
    }

    /// With a script of `/bin/sh`.
    pub(crate) fn script(self, name: &str, text: &str) -> Self {
        self.control_file(name, 0o755, &format!("#!/bin/sh\nset -e\n{text}\n"))
    }

    /// With a directory.
    pub(crate) fn directory(self, name: &str) -> Self {
        self.member(name, 0o755, MemberNode::Directory)
    }

    /// With a file, and the directories above it.
    pub(crate) fn file(mut self, name: &str, mode: u32, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        self.bytes.push(text.to_vec());
        let content = Content::of(text);
        let md5 = Md5::digest(text).into();
        self.with_parents(name).member(name, mode, MemberNode::File { content, md5 })
    }

    /// With a file that is a configuration file.
    pub(crate) fn conffile(mut self, name: &str, text: &str) -> Self {
        let line = format!("/{name}\n");
        match self.control_files.iter_mut().find(|file| file.name == "conffiles") {
            Some(file) => file.bytes = Arc::from([&file.bytes[..], line.as_bytes()].concat()),
            None => self = self.control_file("conffiles", 0o644, &line),
        }
        self.file(name, 0o644, text)
    }

    /// With a symbolic link, and the directories above it.
    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.with_parents(name).member(name, 0o777, MemberNode::Symlink(target.into()))
    }

    /// With another name of a file.
    pub(crate) fn hardlink(self, name: &str, other: &str) -> Self {
        let at = self.members.iter().position(|member| member.name == other);
        let at = at.expect("it was named before");
        let mode = self.members[at].attributes.mode;
        self.member(name, mode, MemberNode::Hardlink(at))
    }

    /// With its last member owned by this user and group.
    pub(crate) fn owned(mut self, (user, uid): (&str, u32), (group, gid): (&str, u32)) -> Self {
        if let Some(member) = self.members.last_mut() {
            (member.user, member.group) = (user.into(), group.into());
            (member.attributes.uid, member.attributes.gid) = (uid, gid);
        }
        self
    }

    /// With anything.
    pub(crate) fn member(mut self, name: &str, mode: u32, node: MemberNode) -> Self {
        self.members.push(Member {
            name: name.into(),
            attributes: Attributes::root(mode, PACKED),
            user: "root".into(),
            group: "root".into(),
            node,
        });
        self
    }

    fn with_parents(mut self, name: &str) -> Self {
        for (at, _) in name.match_indices('/') {
            let parent = BStr::new(&name.as_bytes()[..at]);
            if !self.members.iter().any(|member| member.name == parent) {
                self = self.directory(&name[..at]);
            }
        }
        self
    }

    /// What stands for the bytes of its file.
    pub(crate) fn text(&self) -> Vec<u8> {
        format!("{self:?}").into_bytes()
    }

    /// The package.
    pub(crate) fn deb(&self) -> Deb {
        let mut stanzas = Stanza::parse_all(self.control.as_bytes()).expect("it is a stanza");
        let control = stanzas.remove(0);
        let text = |name| control.text(name).unwrap_or_default();
        let filename =
            format!("{}_{}_{}.deb", text("Package"), text("Version"), text("Architecture"));
        Deb {
            digest: Digest::of(&self.text()),
            filename: filename.into(),
            control,
            control_files: self.control_files.clone(),
            members: self.members.clone(),
            elf: HashMap::new(),
        }
    }
}

const DIRECTORIES: [&str; 20] = [
    "etc",
    "etc/dpkg",
    "etc/dpkg/dpkg.cfg.d",
    "root",
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/local",
    "usr/local/bin",
    "usr/sbin",
    "usr/share",
    "var",
    "var/cache",
    "var/lib",
    "var/lib/dpkg",
    "var/lib/dpkg/alternatives",
    "var/lib/dpkg/info",
    "var/lib/dpkg/triggers",
    "var/lib/dpkg/updates",
    "var/log",
];
const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
    daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
    man:x:6:12:man:/var/cache/man:/usr/sbin/nologin\n\
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nman:x:12:\nstaff:x:50:\nnogroup:x:65534:\n";
