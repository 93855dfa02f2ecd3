//! A line of tmpfiles.d(5).

use bstr::{BString, ByteSlice};
use shell::{Process, Stop};

use crate::programs::accounts::Names;
use crate::programs::configuration;
use crate::programs::failure::refused;

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `f`, `f+`, `F`
    File,
    /// `w`, `w+`
    Write,
    /// `d`, `D`, `v`, `q`, `Q`: where there are no subvolumes, they are directories.
    Directory,
    /// `e`
    ExistingDirectory,
    /// `L`, `L+`
    Link,
    /// `C`
    Copy,
    /// `p`, `p+`
    Fifo,
    /// `z`
    Adjust,
    /// `Z`
    AdjustAll,
}

/// A line that does something when things are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: Kind,
    /// `+`, and `F`.
    pub(super) is_forced: bool,
    /// `-`: nobody cares if it fails.
    pub(super) is_optional: bool,
    pub(super) path: BString,
    pub(super) mode: Option<Mode>,
    pub(super) user: Option<Owner>,
    pub(super) group: Option<Owner>,
    pub(super) argument: Option<BString>,
}

/// A mode, and how it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) bits: u32,
    /// `~`: by what the file allows already.
    pub(super) is_masked: bool,
    /// `:`: to what is new only.
    pub(super) is_for_new: bool,
}

/// An owner, and to what it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) id: u32,
    pub(super) is_for_new: bool,
}

impl Kind {
    /// Whether the path is a pattern, of what is there already.
    pub(super) fn is_pattern(self) -> bool {
        matches!(self, Kind::Write | Kind::ExistingDirectory | Kind::Adjust | Kind::AdjustAll)
    }
}

/// Kinds of lines that have nothing to say when things are made, or nothing that lasts: what is
/// removed or cleaned up, file systems' own attributes, access lists.
const SILENT: &[u8] = b"xXrRhHaA";

/// Reads a line; `None` for one that does nothing here.
pub(super) fn parse(
    process: &Process<'_, '_>,
    file: &BString,
    text: &BString,
    users: &Names,
    groups: &Names,
) -> Result<Option<Line>, Stop> {
    let wrong = || refused(process, format!("does not understand a line of {file}: {text}"));
    let (words, argument) = configuration::words(process, text, 6)?;
    let [action, path, ..] = &words[..] else { return Err(wrong()) };
    let (Some(letter), modifiers) = (action.first(), action.get(1..).unwrap_or_default()) else {
        return Err(wrong());
    };
    if !modifiers.iter().all(|modifier| b"+!-=~^".contains(modifier)) {
        return Err(wrong());
    }
    let has = |modifier: u8| modifiers.contains(&modifier);
    // `!` is for the time of booting, `^` for what a credential says.
    if has(b'!') || has(b'^') || SILENT.contains(letter) {
        return Ok(None);
    }
    let kind = match letter {
        b'f' | b'F' => Kind::File,
        b'w' => Kind::Write,
        b'd' | b'D' | b'v' | b'q' | b'Q' => Kind::Directory,
        b'e' => Kind::ExistingDirectory,
        b'L' => Kind::Link,
        b'C' => Kind::Copy,
        b'p' => Kind::Fifo,
        b'z' | b'm' => Kind::Adjust,
        b'Z' => Kind::AdjustAll,
        _ => return Err(wrong()),
    };
    let argument = Some(argument).filter(|argument| !argument.is_empty() && argument != "-");
    let is_for_machine =
        |text: &BString| ["%m", "%b", "%H", "%v"].iter().any(|s| text.contains_str(s));
    if is_for_machine(path) && kind.is_pattern() {
        return Ok(None);
    }
    if path.contains(&b'%') || argument.as_ref().is_some_and(|text| text.contains(&b'%')) {
        return Err(wrong());
    }
    if !path.starts_with(b"/") || has(b'=') || has(b'~') {
        return Err(wrong());
    }
    let field = |at: usize| configuration::field(&words, at);
    let mode = field(2).map(|text| mode(text).ok_or_else(wrong)).transpose()?;
    let user = field(3).map(|text| owner(users, text).ok_or_else(wrong)).transpose()?;
    let group = field(4).map(|text| owner(groups, text).ok_or_else(wrong)).transpose()?;
    let path = simple(path);
    let is_forced = has(b'+') || *letter == b'F';
    Ok(Some(Line { kind, is_forced, is_optional: has(b'-'), path, mode, user, group, argument }))
}

fn mode(text: &BString) -> Option<Mode> {
    let digits = text.trim_start_with(|c| c == '~' || c == ':');
    let marks = &text[..text.len() - digits.len()];
    let bits = u32::from_str_radix(digits.to_str().ok()?, 8).ok().filter(|bits| *bits <= 0o7777)?;
    Some(Mode { bits, is_masked: marks.contains(&b'~'), is_for_new: marks.contains(&b':') })
}

fn owner(names: &Names, text: &BString) -> Option<Owner> {
    let name = text.strip_prefix(b":").unwrap_or(text);
    let number = name.to_str().ok().and_then(|digits| digits.parse().ok());
    let id = names.number(name.as_bstr()).or(number)?;
    Some(Owner { id, is_for_new: name.len() < text.len() })
}

/// Without slashes that say nothing.
fn simple(path: &BString) -> BString {
    let parts: Vec<&[u8]> =
        path.split_str("/").filter(|part| !part.is_empty() && *part != b".").collect();
    [b"/", &bstr::join("/", parts)[..]].concat().into()
}
