//! A link group: its file in the database, and what is chosen among.

use bstr::{BStr, BString, ByteSlice};

/// Who decides where a group's links lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The priorities.
    Automatic,
    /// Somebody has said it.
    Manual,
}

/// A link group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: BString,
    pub(super) link: BString,
    pub(super) mode: Mode,
    pub(super) slaves: Vec<Slave>,
    pub(super) choices: Vec<Choice>,
    /// Whether the database says something else.
    pub(super) is_modified: bool,
}

/// A link that goes along with the group's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slave {
    pub(super) name: BString,
    pub(super) link: BString,
    /// Whether this call has brought or moved it.
    pub(super) is_updated: bool,
}

/// Something that the links may lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) path: BString,
    pub(super) priority: i32,
    /// The files of slaves, by their names; an empty one is none.
    pub(super) slaves: Vec<(BString, BString)>,
}

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Automatic => "auto",
            Mode::Manual => "manual",
        }
    }
}

impl Choice {
    /// The file of a slave, if this choice has one.
    pub(super) fn slave(&self, name: &BStr) -> Option<&BString> {
        let own = self.slaves.iter().find(|(known, _)| known == name);
        own.map(|(_, file)| file).filter(|file| !file.is_empty())
    }
}

impl Group {
    pub(super) fn new(name: &BStr, link: &BStr) -> Self {
        Group {
            name: name.into(),
            link: link.into(),
            mode: Mode::Automatic,
            slaves: Vec::new(),
            choices: Vec::new(),
            is_modified: true,
        }
    }

    pub(super) fn choice(&self, path: &BStr) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.path == path)
    }

    pub(super) fn slave(&self, name: &BStr) -> Option<&Slave> {
        self.slaves.iter().find(|slave| slave.name == name)
    }

    pub(super) fn set_mode(&mut self, mode: Mode) {
        self.is_modified |= self.mode != mode;
        self.mode = mode;
    }

    /// Puts a choice in the place of the one of its path, or behind all.
    pub(super) fn add_choice(&mut self, choice: Choice) {
        match self.choices.iter_mut().find(|known| known.path == choice.path) {
            Some(known) => *known = choice,
            None => self.choices.push(choice),
        }
        self.is_modified = true;
    }

    pub(super) fn add_slave(&mut self, slave: Slave) {
        match self.slaves.iter_mut().find(|known| known.name == slave.name) {
            Some(known) => *known = slave,
            None => self.slaves.push(slave),
        }
    }

    /// The choice of the highest priority. Among equals it is the current one, else the first.
    pub(super) fn best(&self, current: Option<&BString>) -> Option<&Choice> {
        let current = current.and_then(|current| self.choice(current.as_bstr()));
        let mut best = current.or(self.choices.first())?;
        for choice in &self.choices {
            if choice.priority > best.priority {
                best = choice;
            }
        }
        Some(best)
    }

    /// Reads a file of the database; the error is what is wrong with it, in the program's words.
    pub(super) fn parse(name: &BStr, bytes: &[u8]) -> Result<Self, String> {
        let mut lines = Lines { left: bytes };
        let mode = match &lines.next("status")?[..] {
            b"auto" => Mode::Automatic,
            b"manual" => Mode::Manual,
            _ => return Err("invalid status".to_owned()),
        };
        let link = lines.next("master link")?;
        let mut group = Group { mode, is_modified: false, ..Group::new(name, link.as_bstr()) };
        while group.parse_slave(&mut lines)? {}
        while group.parse_choice(&mut lines)? {}
        Ok(group)
    }

    fn parse_slave(&mut self, lines: &mut Lines<'_>) -> Result<bool, String> {
        let name = lines.next("slave name")?;
        if name.is_empty() {
            return Ok(false);
        }
        if self.slave(name.as_bstr()).is_some() {
            return Err(format!("duplicate slave name {name}"));
        }
        let link = lines.next("slave link")?;
        if link == self.link {
            return Err(format!("slave link same as main link {link}"));
        }
        if self.slaves.iter().any(|slave| slave.link == link) {
            return Err(format!("duplicate slave link {link}"));
        }
        self.slaves.push(Slave { name, link, is_updated: false });
        Ok(true)
    }

    fn parse_choice(&mut self, lines: &mut Lines<'_>) -> Result<bool, String> {
        let path = lines.next("master file")?;
        if path.is_empty() {
            return Ok(false);
        }
        if self.choice(path.as_bstr()).is_some() {
            return Err(format!("duplicate path {path}"));
        }
        let priority = match parse_priority(&lines.next("priority")?) {
            Ok(priority) => priority,
            Err(Priority::NoNumber(text)) => return Err(format!("priority of {path}: {text}")),
            Err(Priority::OutOfRange(text)) => {
                return Err(format!("priority of {path} is out of range: {text}"));
            }
        };
        let mut slaves = Vec::new();
        for slave in &self.slaves {
            slaves.push((slave.name.clone(), lines.next("slave file")?));
        }
        self.choices.push(Choice { path, priority, slaves });
        Ok(true)
    }

    /// Brings everything into the order of the database; slaves that no choice has are left out.
    pub(super) fn tidy(&mut self) {
        let choices = &self.choices;
        let is_used = |slave: &Slave| {
            choices.iter().any(|choice| choice.slave(slave.name.as_bstr()).is_some())
        };
        self.slaves.retain(is_used);
        self.slaves.sort_by(|one, other| one.name.cmp(&other.name));
        self.choices.sort_by(|one, other| one.path.cmp(&other.path));
    }

    /// The file's text.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut lines: Vec<&[u8]> = vec![self.mode.name().as_bytes(), &self.link];
        for slave in &self.slaves {
            lines.extend([&slave.name[..], &slave.link[..]]);
        }
        lines.push(b"");
        let priorities: Vec<String> =
            self.choices.iter().map(|choice| choice.priority.to_string()).collect();
        for (choice, priority) in self.choices.iter().zip(&priorities) {
            lines.extend([&choice.path[..], priority.as_bytes()]);
            for slave in &self.slaves {
                lines.push(choice.slave(slave.name.as_bstr()).map_or(&b""[..], |file| file));
            }
        }
        lines.push(b"");
        lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect()
    }
}

/// Why a text is no priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Priority {
    NoNumber(BString),
    OutOfRange(BString),
}

/// A number as strtol(3) reads it, which has to be all of the text.
pub(super) fn parse_priority(text: &[u8]) -> Result<i32, Priority> {
    let digits = text.trim_start();
    let unsigned = digits.strip_prefix(b"-").or(digits.strip_prefix(b"+")).unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
        return Err(Priority::NoNumber(text.into()));
    }
    let number = digits.to_str().ok().and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| Priority::OutOfRange(text.into()))
}

/// Lines, each of which has to be there and to end.
struct Lines<'a> {
    left: &'a [u8],
}

impl Lines<'_> {
    fn next(&mut self, name: &str) -> Result<BString, String> {
        if self.left.is_empty() {
            return Err(format!("unexpected end of file while trying to read {name}"));
        }
        let Some((line, rest)) = self.left.split_once_str("\n") else {
            return Err(format!("line not terminated while trying to read {name}"));
        };
        self.left = rest;
        Ok(line.into())
    }
}
