//! What a wheel becomes: the files that `pip install --no-compile` makes of it.
//!
//! This follows pip's `_internal/operations/install/wheel.py`, from 23.0 to 26.3, which do not
//! differ in what they write but for [`ScriptTemplate`]. Where pip would write outside of the
//! interpreter's directories, or over the interpreter, the wheel is refused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use layer::Content;
use oci::ImagePath;

use super::entry_points::callable;
use super::error::{WheelError, WheelFault};
use super::filename::normalized;
use super::record::{self, Row};
use super::scripts::{self, ScriptTemplate};
use super::{ReadAt, Wheel};
use crate::interpreter::{Interpreter, Layout};

/// How a wheel is to be installed.
#[derive(Debug, Clone, Copy, Default)]
pub struct InstallOptions<'a> {
    /// Whether it was asked for by name: there will be an empty `REQUESTED`.
    pub requested: bool,
    /// The text of `direct_url.json` (PEP 610), for what did not come from an index.
    pub direct_url: Option<&'a str>,
    /// Which scripts are made for entry points.
    pub script_template: ScriptTemplate,
    /// How the requirement spells the distribution's name, after which pip calls the directory of
    /// its headers. `METADATA`'s spelling if that is not known.
    pub spelling: Option<&'a str>,
}

/// A wheel as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The wheel's file name.
    pub wheel: String,
    /// The files, sorted by path, each once, none below another.
    pub files: Vec<InstalledFile>,
}

/// A file to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledFile {
    /// Where.
    pub path: ImagePath,
    /// 0755 or 0644.
    pub mode: u32,
    /// What its bytes are. Of a member whose digest `RECORD` gave they were not looked at: who
    /// unpacks them has to compare.
    pub content: Content,
    /// Where its bytes are.
    pub origin: FileOrigin,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOrigin {
    /// They are a member's, counted from 0.
    Member(usize),
    /// Here.
    Inline(Arc<[u8]>),
}

/// What is being done.
struct Installing<'a> {
    wheel: &'a Wheel,
    bytes: &'a dyn ReadAt,
    interpreter: &'a Interpreter,
    options: &'a InstallOptions<'a>,
    /// Where what lies at the wheel's top goes, and what paths in `RECORD` are relative to.
    library: &'a ImagePath,
    files: BTreeMap<ImagePath, InstalledFile>,
    /// The members that were installed, and where.
    placed: HashMap<&'a str, ImagePath>,
    /// Where files are that the installer changed.
    changed: HashSet<ImagePath>,
    /// Where files are that the installer made.
    made: Vec<ImagePath>,
}

/// In which order pip goes through the members: of two at one place the later one stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Library,
    Data,
    Scripts,
}

pub(super) fn install(
    wheel: &Wheel,
    bytes: &dyn ReadAt,
    interpreter: &Interpreter,
    options: &InstallOptions<'_>,
) -> Result<Installation, WheelError> {
    let Layout { purelib, platlib, .. } = &interpreter.layout;
    let mut installing = Installing {
        wheel,
        bytes,
        interpreter,
        options,
        library: if wheel.is_purelib { purelib } else { platlib },
        files: BTreeMap::new(),
        placed: HashMap::new(),
        changed: HashSet::new(),
        made: Vec::new(),
    };
    installing.run().map_err(|fault| fault.of(&wheel.filename))?;
    let files = installing.files.into_values().collect();
    Ok(Installation { wheel: wheel.filename.clone(), files })
}

impl<'a> Installing<'a> {
    fn run(&mut self) -> Result<(), WheelFault> {
        let mut turns: Vec<(Turn, usize)> =
            self.wheel.members.iter().map(|member| turn(&member.name)).zip(0..).collect();
        turns.sort();
        for (turn, index) in turns {
            self.place_member(turn, index)?;
        }
        self.make_scripts()?;
        self.make_metadata();
        self.write_record();
        self.check()
    }

    fn place_member(&mut self, turn: Turn, index: usize) -> Result<(), WheelFault> {
        let member = &self.wheel.members[index];
        let path = match turn {
            Turn::Library => self.library.join(&member.name),
            Turn::Data | Turn::Scripts => self.data_path(&member.name)?,
        };
        let mode = if member.executable { 0o755 } else { 0o644 };
        let mut inline = None;
        if turn == Turn::Scripts {
            let file_name = member.name.rsplit('/').next().unwrap_or_default();
            if scripts::is_wrapper(file_name, &self.wheel.entry_points) {
                return Ok(());
            }
            inline = self.changed_script(index)?;
        }
        if let Some(script) = inline {
            self.changed.insert(path.clone());
            self.put(path.clone(), mode, script);
        } else {
            let content = self.wheel.content(index, self.bytes)?;
            let origin = FileOrigin::Member(index);
            let file = InstalledFile { path: path.clone(), mode, content, origin };
            self.files.insert(path.clone(), file);
        }
        self.placed.insert(&member.name, path);
        Ok(())
    }

    /// `NAME.data/SCHEME/PATH` (PEP 427, "The .data directory").
    fn data_path(&self, name: &str) -> Result<ImagePath, WheelFault> {
        let nowhere = || WheelFault::Scheme(name.to_owned());
        let layout = &self.interpreter.layout;
        let clean = ImagePath::lexical(name);
        let mut parts = clean.to_str().ok_or_else(nowhere)?.splitn(3, '/').skip(1);
        let (scheme, below) = parts.next().zip(parts.next()).ok_or_else(nowhere)?;
        let directory = match scheme {
            "purelib" => &layout.purelib,
            "platlib" => &layout.platlib,
            "scripts" => &layout.scripts,
            "data" => &layout.data,
            "headers" => {
                let same = |spelling: &&str| normalized(spelling) == normalized(&self.wheel.name);
                let spelling = self.options.spelling.filter(same);
                &layout.headers.join(spelling.unwrap_or(&self.wheel.name))
            }
            _ => return Err(nowhere()),
        };
        Ok(directory.join(below))
    }

    /// The script with the interpreter in its first line, if there is a placeholder in it.
    fn changed_script(&self, index: usize) -> Result<Option<Vec<u8>>, WheelFault> {
        let start = self.wheel.start(index, self.bytes, scripts::PLACEHOLDER.len())?;
        if start != scripts::PLACEHOLDER {
            return Ok(None);
        }
        let script = self.wheel.script(index, self.bytes)?;
        Ok(Some(scripts::with_interpreter(&script, &self.interpreter.executable)))
    }

    fn make_scripts(&mut self) -> Result<(), WheelFault> {
        let Interpreter { executable, version, layout, .. } = self.interpreter;
        for (name, value) in scripts::to_make(&self.wheel.entry_points, version) {
            let callable = callable(&name, &value)?;
            let script = self.options.script_template.script(executable, &callable);
            self.make(layout.scripts.join(&name), 0o755, script.into_bytes());
        }
        Ok(())
    }

    fn make_metadata(&mut self) {
        let directory = self.library.join(&self.wheel.info_directory);
        self.make(directory.join("INSTALLER"), 0o644, b"pip\n".to_vec());
        if let Some(direct_url) = self.options.direct_url {
            self.make(directory.join("direct_url.json"), 0o644, direct_url.into());
        }
        if self.options.requested {
            self.make(directory.join("REQUESTED"), 0o644, Vec::new());
        }
    }

    /// The wheel's rows under their new paths, those of what was made, and empty ones for what the
    /// wheel's `RECORD` forgot. Rows of what is not there stay.
    fn write_record(&mut self) {
        let mut placed = std::mem::take(&mut self.placed);
        let mut rows = Vec::new();
        for row in &self.wheel.record {
            rows.push(match placed.remove(row.path.as_str()) {
                Some(path) if self.changed.contains(&path) => self.row(&path),
                Some(path) => Row { path: self.relative(&path), ..row.clone() },
                None => row.clone(),
            });
        }
        rows.extend(self.made.iter().map(|path| self.row(path)));
        let forgotten = placed.values();
        rows.extend(forgotten.map(|path| Row { path: self.relative(path), ..Row::default() }));
        let path = self.library.join(&self.wheel.info_directory).join("RECORD");
        self.put(path, 0o644, record::write(rows).into_bytes());
    }

    fn row(&self, path: &ImagePath) -> Row {
        let content = &self.files[path].content;
        Row::of(self.relative(path), content)
    }

    /// A path as it is in `RECORD`: seen from the library.
    fn relative(&self, path: &ImagePath) -> String {
        let mut from = self.library.components().peekable();
        let mut to = path.components().peekable();
        while from.peek().is_some() && from.peek() == to.peek() {
            from.next();
            to.next();
        }
        let parts: Vec<&[u8]> = from.map(|_| &b".."[..]).chain(to).collect();
        String::from_utf8_lossy(&parts.join(&b'/')).into_owned()
    }

    fn make(&mut self, path: ImagePath, mode: u32, bytes: Vec<u8>) {
        self.made.push(path.clone());
        self.put(path, mode, bytes);
    }

    fn put(&mut self, path: ImagePath, mode: u32, bytes: Vec<u8>) {
        let content = Content::of(&bytes);
        let file = InstalledFile {
            path: path.clone(),
            mode,
            content,
            origin: FileOrigin::Inline(bytes.into()),
        };
        self.files.insert(path, file);
    }

    /// What pip would fail at, or would better have failed at.
    fn check(&self) -> Result<(), WheelFault> {
        let paths: Vec<&ImagePath> = self.files.keys().collect();
        // What is below a path follows it directly.
        if let Some(pair) = paths.windows(2).find(|pair| pair[1].starts_with(pair[0])) {
            return Err(WheelFault::InTheWay { file: pair[0].clone(), below: pair[1].clone() });
        }
        let executable = ImagePath::lexical(&self.interpreter.executable);
        let scripts = &self.interpreter.layout.scripts;
        let is_interpreter = |path: &ImagePath| {
            let name = path.strip_prefix(scripts).and_then(|name| str::from_utf8(name).ok());
            *path == executable || name.is_some_and(scripts::is_interpreter)
        };
        match paths.into_iter().find(|path| is_interpreter(path)) {
            Some(path) => Err(WheelFault::Interpreter(path.clone())),
            None => Ok(()),
        }
    }
}

/// By its first parts as they are written, as pip asks.
fn turn(name: &str) -> Turn {
    let mut parts = name.splitn(3, '/');
    let is_data = parts.next().is_some_and(|root| root.ends_with(".data"));
    let scheme = parts.next();
    match is_data {
        true if scheme == Some("scripts") && parts.next().is_some() => Turn::Scripts,
        true => Turn::Data,
        false => Turn::Library,
    }
}
