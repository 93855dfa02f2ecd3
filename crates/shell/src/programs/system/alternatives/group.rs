//! Groups of links, as dpkg keeps them in `/var/lib/dpkg/alternatives`: a mode, the link, the links
//! that go with it, and the files that all of them can lead to.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;

use crate::data::Data;
use crate::files::{FileResult, NewNode};
use crate::process::{Process, errno};
use crate::stop::{Reason, Stop};

pub(super) const DATABASE: &str = "/var/lib/dpkg/alternatives";

/// Who decides where links lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The highest priority.
    Automatic,
    /// Somebody did.
    Manual,
}

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Automatic => "auto",
            Mode::Manual => "manual",
        }
    }
}

/// A file that the link can lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) priority: i32,
    /// Where the links lead that go with it, by their names.
    pub(super) slaves: BTreeMap<BString, BString>,
}

/// A group of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: BString,
    pub(super) mode: Mode,
    pub(super) link: BString,
    /// The links that go with it, by their names.
    pub(super) slaves: BTreeMap<BString, BString>,
    /// By path.
    pub(super) choices: BTreeMap<BString, Choice>,
}

impl Group {
    /// One without choices.
    pub(super) fn new(name: &BStr, link: &BStr) -> Self {
        Group {
            name: name.into(),
            mode: Mode::Automatic,
            link: link.into(),
            slaves: BTreeMap::new(),
            choices: BTreeMap::new(),
        }
    }

    /// The choice of the highest priority; among equals the first by path, and the newest, which
    /// was not there before, last.
    pub(super) fn best(&self, newest: Option<&BString>) -> Option<&BString> {
        let is_new = |path: &&BString| Some(*path) == newest;
        let old = self.choices.keys().filter(|path| !is_new(path));
        let mut best: Option<&BString> = None;
        for path in old.chain(self.choices.keys().filter(is_new)) {
            if best.is_none_or(|best| self.choices[path].priority > self.choices[best].priority) {
                best = Some(path);
            }
        }
        best
    }

    /// Reads a group; `None` if there is none of the name.
    pub(super) fn load(process: &mut Process<'_, '_>, name: &BStr) -> Result<Option<Self>, Stop> {
        let path = format!("{DATABASE}/{name}");
        let Ok(bytes) = errno(process.open_bytes(path.as_bytes()))? else { return Ok(None) };
        match Group::parse(name, &bytes) {
            Some(group) => Ok(Some(group)),
            None => Err(process.refuse(Reason::Use(format!("does not understand {path}")))),
        }
    }

    fn parse(name: &BStr, bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.lines().map(BString::from);
        let mode = match &lines.next()?[..] {
            b"auto" => Mode::Automatic,
            b"manual" => Mode::Manual,
            _ => return None,
        };
        let mut group = Group { mode, ..Group::new(name, lines.next()?.as_bstr()) };
        let mut order = Vec::new();
        loop {
            let slave = lines.next()?;
            if slave.is_empty() {
                break;
            }
            order.push(slave.clone());
            group.slaves.insert(slave, lines.next()?);
        }
        loop {
            let path = lines.next()?;
            if path.is_empty() {
                return Some(group);
            }
            let priority = lines.next()?.to_str().ok()?.parse().ok()?;
            let mut slaves = BTreeMap::new();
            for slave in &order {
                let file = lines.next()?;
                if !file.is_empty() {
                    slaves.insert(slave.clone(), file);
                }
            }
            group.choices.insert(path, Choice { priority, slaves });
        }
    }

    /// The file's text. Links that no choice has are left out.
    pub(super) fn text(&self) -> Vec<u8> {
        let is_used =
            |name: &&BString| self.choices.values().any(|choice| choice.slaves.contains_key(*name));
        let slaves: Vec<&BString> = self.slaves.keys().filter(is_used).collect();
        let mut lines: Vec<BString> = vec![self.mode.name().into(), self.link.clone()];
        for slave in &slaves {
            lines.push((*slave).clone());
            lines.extend(self.slaves.get(*slave).cloned());
        }
        lines.push(BString::default());
        for (path, choice) in &self.choices {
            lines.push(path.clone());
            lines.push(choice.priority.to_string().into());
            lines.extend(
                slaves.iter().map(|slave| choice.slaves.get(*slave).cloned().unwrap_or_default()),
            );
        }
        lines.push(BString::default());
        lines.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect()
    }

    /// Writes the group.
    pub(super) fn save(&self, process: &mut Process<'_, '_>) -> FileResult<()> {
        let path = self.path();
        let data = Data::of(self.text());
        if process.machine.files.stat(&path)?.is_some() {
            process.machine.files.remove(&path)?;
        }
        process.machine.files.make(&path, NewNode::File(data), 0o666 & !process.umask)
    }

    /// Where it is kept.
    pub(super) fn path(&self) -> ImagePath {
        ImagePath::lexical(DATABASE).join(&self.name)
    }
}
