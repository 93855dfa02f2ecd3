//! The arguments of `grep`.

use bstr::{BString, ByteSlice};

use super::{Names, complain};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, errno};
use crate::programs::Flavour;
use crate::regular_expression::{
    Case, Dialect, Encoding, Extent, Options as Meaning, Regex, RegexError,
};
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("-E", 'E', &["extended-regexp"]),
    flag("-F", 'F', &["fixed-strings"]),
    flag("-G", 'G', &["basic-regexp"]),
    value("-e", 'e', &["regexp"]),
    value("-f", 'f', &["file"]),
    flag("-i", 'i', &["ignore-case"]),
    flag("-i", 'y', &[]),
    long("--no-ignore-case", &["no-ignore-case"], Takes::Nothing),
    flag("-v", 'v', &["invert-match"]),
    flag("-w", 'w', &["word-regexp"]),
    flag("-x", 'x', &["line-regexp"]),
    flag("-c", 'c', &["count"]),
    flag("-l", 'l', &["files-with-matches"]),
    flag("-L", 'L', &["files-without-match"]),
    value("-m", 'm', &["max-count"]),
    flag("-o", 'o', &["only-matching"]),
    flag("-q", 'q', &["quiet", "silent"]),
    flag("-s", 's', &["no-messages"]),
    flag("-b", 'b', &["byte-offset"]),
    flag("-n", 'n', &["line-number"]),
    flag("-H", 'H', &["with-filename"]),
    flag("-h", 'h', &["no-filename"]),
    flag("-r", 'r', &["recursive"]),
    flag("-R", 'R', &["dereference-recursive"]),
    long("--include", &["include"], Takes::Value),
    long("--exclude", &["exclude"], Takes::Value),
    long("--exclude-dir", &["exclude-dir"], Takes::Value),
    long("--label", &["label"], Takes::Value),
    long("--color", &["color", "colour"], Takes::MaybeValue),
    long("--line-buffered", &["line-buffered"], Takes::Nothing),
    value("-A", 'A', &["after-context"]),
    value("-B", 'B', &["before-context"]),
    value("-C", 'C', &["context"]),
    flag("-a", 'a', &["text"]),
    flag("-I", 'I', &[]),
    flag("-z", 'z', &["null-data"]),
    flag("-Z", 'Z', &["null"]),
    flag("0", '0', &[]),
    flag("1", '1', &[]),
    flag("2", '2', &[]),
    flag("3", '3', &[]),
    flag("4", '4', &[]),
    flag("5", '5', &[]),
    flag("6", '6', &[]),
    flag("7", '7', &[]),
    flag("8", '8', &[]),
    flag("9", '9', &[]),
];
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// What patterns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    Fixed,
    Expression(Dialect),
}

/// What is printed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// Its lines.
    Lines,
    /// What matches in its lines.
    Matches,
    /// The number of its lines.
    Count,
    /// Its name, if lines are selected.
    NameIfSelected,
    /// Its name, if none is.
    NameIfNone,
}

/// How directories are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recursion {
    /// They are not.
    None,
    /// All that is in them; links only if they are operands.
    Kept,
    /// All that is in them, and where links lead.
    Followed,
}

/// What of a file that is not text is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    /// That it matches.
    Named,
    /// As of text.
    Text,
    /// Nothing: such files are passed over.
    Skipped,
}

/// What a command line asks for.
#[derive(Debug)]
pub(super) struct Settings {
    notation: Notation,
    meaning: Meaning,
    texts: Vec<BString>,
    pub(super) files: Vec<BString>,
    pub(super) report: Report,
    pub(super) recursion: Recursion,
    pub(super) binary: Binary,
    pub(super) selects_others: bool,
    pub(super) is_quiet: bool,
    pub(super) has_no_messages: bool,
    pub(super) shows_offsets: bool,
    pub(super) shows_lines: bool,
    pub(super) most: Option<u64>,
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
    pub(super) line_end: u8,
    pub(super) name_end: Option<u8>,
    pub(super) label: Option<BString>,
    pub(super) include: Vec<Regex>,
    pub(super) exclude: Vec<Regex>,
    pub(super) exclude_directories: Vec<Regex>,
    name_option: Option<&'static str>,
}

/// Reads the arguments; `None` if they are wrong, and it is said.
pub(super) fn read(process: &mut Process<'_, '_>) -> Result<Option<Settings>, Stop> {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    refuse_colours(process, &options)?;
    let Some(notation) = notation(process, &options) else {
        complain(process, b"conflicting matchers specified")?;
        return Ok(None);
    };
    let mut files = options.operands.clone();
    let Some(texts) = texts(process, &options, &mut files)? else { return Ok(None) };
    let Some([before, after]) = context(process, &options)? else { return Ok(None) };
    let most = match options.value("-m").map(|value| count(value)) {
        None => None,
        Some(Ok(most)) => most,
        Some(Err(())) => {
            complain(process, b"invalid max count")?;
            return Ok(None);
        }
    };
    let recursion = match options.last_of(&["-r", "-R"]) {
        None => Recursion::None,
        Some("-r") => Recursion::Kept,
        Some(_) => Recursion::Followed,
    };
    let is_folded = options.last_of(&["-i", "--no-ignore-case"]) == Some("-i");
    let meaning = Meaning {
        encoding: Encoding::of(process)?,
        case: if is_folded { Case::Folded } else { Case::Exact },
        extent: match (options.has("-x"), options.has("-w")) {
            (true, _) => Extent::Whole,
            (false, true) => Extent::Word,
            (false, false) => Extent::Anywhere,
        },
        ..Meaning::default()
    };
    let globs = |id: &'static str| -> Result<Vec<Regex>, Stop> {
        options.values(id).map(|text| glob(process, text)).collect()
    };
    let [include, exclude] = [globs("--include")?, globs("--exclude")?];
    let exclude_directories = globs("--exclude-dir")?;
    Ok(Some(Settings {
        notation,
        meaning,
        texts,
        files,
        report: report(&options),
        recursion,
        binary: match options.last_of(&["-a", "-I"]) {
            None => Binary::Named,
            Some("-a") => Binary::Text,
            Some(_) => Binary::Skipped,
        },
        selects_others: options.has("-v"),
        is_quiet: options.has("-q"),
        has_no_messages: options.has("-s"),
        shows_offsets: options.has("-b"),
        shows_lines: options.has("-n"),
        most,
        before,
        after,
        line_end: if options.has("-z") { 0 } else { b'\n' },
        name_end: options.has("-Z").then_some(0),
        label: options.value("--label").map(BString::from),
        include,
        exclude,
        exclude_directories,
        name_option: options.last_of(&["-H", "-h"]),
    }))
}

impl Settings {
    /// The patterns, ready to be searched for.
    pub(super) fn patterns(&self) -> Result<Vec<Regex>, RegexError> {
        match self.notation {
            Notation::Fixed if self.texts.is_empty() => Ok(Vec::new()),
            Notation::Fixed => Ok(vec![Regex::literals(&self.texts, self.meaning)?]),
            Notation::Expression(dialect) => {
                let texts = self.texts.iter();
                texts.map(|text| Regex::new(text, dialect, self.meaning)).collect()
            }
        }
    }

    /// Whether names of files are printed.
    pub(super) fn names(&self) -> Names {
        match self.name_option {
            Some("-H") => Names::Shown,
            Some(_) => Names::Hidden,
            None if self.files.len() > 1 => Names::Shown,
            None if self.recursion == Recursion::None => Names::Hidden,
            None => Names::ShownBelow,
        }
    }

    /// Whether no line can be selected, and no file is looked at.
    pub(super) fn selects_none(&self) -> bool {
        self.most == Some(0) && self.report != Report::NameIfNone
    }

    /// What bytes stand for.
    pub(super) fn encoding(&self) -> Encoding {
        self.meaning.encoding
    }
}

fn refuse_colours(process: &Process<'_, '_>, options: &Options) -> Result<(), Stop> {
    for given in options.given.iter().filter(|(id, _)| *id == "--color") {
        let is_plain =
            matches!(given.1.as_deref().map(|value| &value[..]), None | Some(b"auto" | b"never"));
        if !is_plain {
            return Err(process.refuse(Reason::Option("--color=always".to_owned())));
        }
    }
    Ok(())
}

/// The notation of the patterns; `None` if several are asked for.
fn notation(process: &Process<'_, '_>, options: &Options) -> Option<Notation> {
    let preset = match process.name().as_bytes() {
        b"egrep" => Some("-E"),
        b"fgrep" => Some("-F"),
        _ => None,
    };
    let given = options.given.iter().map(|(id, _)| *id);
    let mut asked = given.filter(|id| ["-E", "-F", "-G"].contains(id)).chain(preset);
    let first = asked.next().unwrap_or("-G");
    if asked.any(|other| other != first) {
        return None;
    }
    Some(match first {
        "-E" => Notation::Expression(Dialect::GrepExtended),
        "-F" => Notation::Fixed,
        _ => Notation::Expression(Dialect::GrepBasic),
    })
}

fn report(options: &Options) -> Report {
    match options.last_of(&["-l", "-L"]) {
        Some("-l") => Report::NameIfSelected,
        Some(_) => Report::NameIfNone,
        None if options.has("-c") => Report::Count,
        None if options.has("-o") => Report::Matches,
        None => Report::Lines,
    }
}

/// The patterns: each line of `-e`, `-f` or, without these, the first operand.
fn texts(
    process: &mut Process<'_, '_>,
    options: &Options,
    files: &mut Vec<BString>,
) -> Result<Option<Vec<BString>>, Stop> {
    let mut texts = Vec::new();
    let mut add =
        |lines: &[u8]| texts.extend(lines.split(|byte| *byte == b'\n').map(BString::from));
    let given: Vec<_> = options.given.iter().filter(|(id, _)| ["-e", "-f"].contains(id)).collect();
    for (id, value) in &given {
        let Some(value) = value else { continue };
        if *id == "-e" {
            add(value);
            continue;
        }
        let path = if value == "-" { b"/dev/stdin" } else { &value[..] };
        match errno(process.open_bytes(path))? {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => add(bytes.strip_suffix(b"\n").unwrap_or(&bytes)),
            Err(error) => {
                let message = error.to_string();
                complain(process, &[value.as_bytes(), b": ", message.as_bytes()].concat())?;
                return Ok(None);
            }
        }
    }
    if given.is_empty() {
        if files.is_empty() {
            return usage(process).map(|()| None);
        }
        add(&files.remove(0));
    }
    Ok(Some(texts))
}

fn usage(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    if process.flavour == Flavour::BusyBox {
        return complain(process, b"");
    }
    let text = "Usage: grep [OPTION]... PATTERNS [FILE]...\n\
        Try 'grep --help' for more information.\n";
    process.write_to(2, text.as_bytes())
}

/// How many lines before and after are printed, too.
fn context(
    process: &mut Process<'_, '_>,
    options: &Options,
) -> Result<Option<[Option<usize>; 2]>, Stop> {
    let mut around = None;
    let digits: Vec<&str> =
        options.given.iter().map(|(id, _)| *id).filter(|id| DIGITS.contains(id)).collect();
    if !digits.is_empty() {
        around = digits.concat().parse().ok();
    }
    let mut found = [None, None, None];
    for (at, id) in ["-B", "-A", "-C"].into_iter().enumerate() {
        let Some(value) = options.value(id) else { continue };
        match count(value) {
            Ok(number) => {
                let lines = number.and_then(|number| usize::try_from(number).ok());
                found[at] = Some(lines.unwrap_or(usize::MAX));
            }
            Err(()) => {
                let message = [value.as_bytes(), b": invalid context length argument"].concat();
                complain(process, &message)?;
                return Ok(None);
            }
        }
    }
    let [before, after, both] = found;
    let around = both.or(around);
    Ok(Some([before.or(around), after.or(around)]))
}

/// A number of lines; `None` for one without end.
fn count(text: &[u8]) -> Result<Option<u64>, ()> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    match (is_number, text.to_str().ok().map(str::parse)) {
        (true, Some(Ok(number))) => Ok(Some(number)),
        (true, _) => Ok(None),
        (false, _) => Err(()),
    }
}

/// A pattern for names of files, as in `--include='*.py'`.
fn glob(process: &Process<'_, '_>, text: &[u8]) -> Result<Regex, Stop> {
    let mut pattern = Vec::new();
    for byte in text {
        match byte {
            b'*' => pattern.extend_from_slice(b".*"),
            b'?' => pattern.push(b'.'),
            b'[' | b'\\' | b'/' => {
                let reason = format!("has the pattern `{}` for names of files", text.as_bstr());
                return Err(process.refuse(Reason::Use(reason)));
            }
            b'.' | b'$' | b'+' | b'(' | b')' | b'|' | b'^' | b'{' | b'}' => {
                pattern.extend_from_slice(&[b'\\', *byte]);
            }
            _ => pattern.push(*byte),
        }
    }
    let meaning = Meaning { extent: Extent::Whole, ..Meaning::default() };
    Regex::extended(&pattern, meaning).map_err(|error| error.refusal(process))
}
