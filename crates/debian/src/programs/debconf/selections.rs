//! `debconf-set-selections`: answers that are given before anybody asks (debconf-set-selections(1)).

use bstr::{BStr, BString, ByteSlice};
use shell::options::{Options, Order, flag};
use shell::process::{Run, errno};
use shell::{Process, Stop};

use super::database::Access;
use super::session::Session;
use super::words::{is_space, trim_start};
use crate::outside::Outside;

const TYPES: [&str; 8] =
    ["select", "boolean", "string", "multiselect", "note", "password", "text", "title"];
const FLAG: &str = "seen";

/// What stands for a template that is not there yet.
const DESCRIPTION: &str = "Dummy template";
const EXTENDED_DESCRIPTION: &str = "This is a fake template used to pre-seed the debconf database. \
    If you are seeing this, something is probably wrong.";

/// One line.
#[derive(Debug, PartialEq, Eq)]
struct Selection<'a> {
    owner: &'a BStr,
    question: &'a BStr,
    kind: &'a BStr,
    value: &'a BStr,
}

pub(super) fn debconf_set_selections(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let known = [
        flag("-v", 'v', &["verbose"]),
        flag("-c", 'c', &["checkonly"]),
        flag("-u", 'u', &["unseen"]),
    ];
    let options = Options::of(process, &known, Order::Anywhere)?;
    let mut session = match Session::open(process, Access::Write)? {
        Ok(session) => session,
        Err(status) => return Ok(status),
    };
    let (text, complaints) = input(process, &options)?;
    let mut has_failed = false;
    for (number, line) in logical_lines(&text) {
        has_failed |= !take(&mut session, &options, number, line.as_bstr())?;
    }
    session.errors.extend(complaints);
    session.flush(process)?;
    match options.has("-c") {
        true => session.close(process.machine),
        false => session.save(process.machine)?,
    }
    Ok(u8::from(has_failed))
}

/// What is read, files one behind the other, or else the standard input; and what is said of files
/// that cannot be.
fn input(process: &mut Process<'_, '_>, options: &Options) -> Result<(Vec<u8>, Vec<u8>), Stop> {
    if options.operands.is_empty() {
        let input = process.read_input()?;
        return Ok((process.bytes(&input)?.to_vec(), Vec::new()));
    }
    let (mut text, mut complaints) = (Vec::new(), Vec::new());
    for path in &options.operands {
        let bytes = match path == "-" {
            true => {
                let input = process.read_input()?;
                Ok(process.bytes(&input)?)
            }
            false => errno(process.open_bytes(path))?,
        };
        match bytes {
            Ok(bytes) => text.extend_from_slice(&bytes),
            Err(error) => {
                let mut place = "/usr/bin/debconf-set-selections line 128".to_owned();
                if !text.is_empty() {
                    place += &format!(", <> line {}", text.lines().count());
                }
                let message = format!("Can't open {path}: {error} at {place}.\n");
                complaints.extend_from_slice(message.as_bytes());
            }
        }
    }
    Ok((text, complaints))
}

/// Lines, each with the number of the last one that it is made of: a backslash at the end goes on.
fn logical_lines(text: &[u8]) -> Vec<(usize, BString)> {
    let mut lines = text.split_str("\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut all = Vec::new();
    let mut number = 0;
    let most = text.split_str("\n").count() - usize::from(text.is_empty() || text.ends_with(b"\n"));
    while number < most {
        let mut whole = BString::from(lines.next().unwrap_or_default());
        number += 1;
        while whole.ends_with(b"\\") && number < most {
            whole.pop();
            whole.extend_from_slice(lines.next().unwrap_or_default());
            number += 1;
        }
        all.push((number, whole));
    }
    all
}

/// Takes up one line, and says whether it is right.
fn take(
    session: &mut Session,
    options: &Options,
    number: usize,
    line: &BStr,
) -> Result<bool, Stop> {
    let text = trim_start(line);
    if text.is_empty() || text.starts_with(b"#") {
        return Ok(true);
    }
    let Some(Selection { owner, question, kind, value }) = parse(text) else {
        say(session, &format!("error: parse error on line {number}: '{line}'"));
        return Ok(false);
    };
    let info = |session: &mut Session, message: String| {
        if options.has("-v") {
            say(session, &format!("info: {message}"));
        }
    };
    if kind == FLAG {
        info(session, format!("Trying to set '{kind}' flag to '{value}'"));
        info(session, format!("Setting {kind} flag"));
    } else if TYPES.iter().any(|known| *known == kind) {
        info(session, format!("Trying to set '{question}' [{kind}] to '{value}'"));
        info(session, format!("Loading answer for '{question}'"));
        prepare(session, owner, question, kind)?;
    } else {
        say(session, &format!("warning: Unknown type {kind}, skipping line {number}"));
        return Ok(true);
    }
    if !session.has_question(question) {
        say(session, &format!("error: Cannot find a question for {question}"));
        return Ok(false);
    }
    if kind == FLAG {
        session.set_flag(question, kind, value);
        return Ok(true);
    }
    session.add_question_owner(question, owner, kind);
    session.set_value(question, value.into());
    if !options.has("-u") {
        session.set_flag(question, BStr::new(FLAG), BStr::new("true"));
    }
    Ok(true)
}

/// Makes a template of this type, if there is none.
fn prepare(session: &mut Session, owner: &BStr, question: &BStr, kind: &BStr) -> Result<(), Stop> {
    if !session.has_template(question) {
        session.new_template(question, owner, kind)?;
        if let Some(record) = session.templates.change(question) {
            record.fields.insert("description".into(), DESCRIPTION.into());
            record.fields.insert("extended_description".into(), EXTENDED_DESCRIPTION.into());
        }
    }
    if let Some(record) = session.templates.change(question) {
        record.fields.insert("type".into(), kind.into());
    }
    Ok(())
}

fn say(session: &mut Session, message: &str) {
    session.errors.extend([message.as_bytes(), b"\n"].concat());
}

/// `owner question type value`: one blank parts the value from the type, further ones are its own.
fn parse(line: &BStr) -> Option<Selection<'_>> {
    let (owner, rest) = word(line);
    let (question, rest) = word(rest);
    let (kind, rest) = word(rest);
    let value = rest.get(1..).unwrap_or_default().as_bstr();
    (!kind.is_empty()).then_some(Selection { owner, question, kind, value })
}

fn word(text: &BStr) -> (&BStr, &BStr) {
    let text = trim_start(text);
    let end = text.iter().position(|byte| is_space(*byte)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word.as_bstr(), rest.as_bstr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_and_are_parted() {
        let text = b"a b/c string x \\\n  y\\\r\n# z\n\nlast\\";
        let lines = logical_lines(text);
        let shown: Vec<String> = lines.iter().map(|(at, line)| format!("{at}:{line}")).collect();
        assert_eq!(shown, ["3:a b/c string x   y# z", "4:", "5:last\\"]);
        let selection = parse(BStr::new("\ta  b/c string  x ")).unwrap();
        assert_eq!((selection.question, selection.value), (BStr::new("b/c"), BStr::new(" x ")));
        assert_eq!(parse(BStr::new("a b")), None);
        assert_eq!(logical_lines(b""), []);
    }
}
