//! `xargs` (findutils manual). Commands run one after the other, however many may run at once.

use bstr::{BString, ByteSlice};

use super::report::{attempt, refuse_option, refuse_use, usage};
use crate::data::Data;
use crate::descriptor::input;
use crate::execute::{Lookup, look_up};
use crate::files::Errno;
use crate::options::{Known, Options, Order, Takes, flag, value};
use crate::process::{Process, Run};
use crate::programs::quoting::{bare, cited};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-0", '0', &["null"]),
    value("-a", 'a', &["arg-file"]),
    value("-d", 'd', &["delimiter"]),
    value("-E", 'E', &[]),
    Known { id: "-i", short: Some('i'), long: &["replace"], value: Takes::MaybeValue },
    value("-I", 'I', &[]),
    value("-L", 'L', &["max-lines"]),
    value("-n", 'n', &["max-args"]),
    value("-P", 'P', &["max-procs"]),
    flag("-r", 'r', &["no-run-if-empty"]),
    flag("-t", 't', &["verbose"]),
    flag("-x", 'x', &["exit"]),
];

/// Bytes of words that one command takes, as GNU counts them by default.
const MOST_WORDS: usize = 128 << 10;

/// An argument that was read, and whether its line ends with it.
struct Item {
    text: BString,
    ends_line: bool,
}

struct Xargs {
    command: Vec<BString>,
    replaced: Option<BString>,
    most_items: usize,
    most_lines: usize,
    runs_if_empty: bool,
    is_told: bool,
    /// What the commands read.
    input: Data,
    status: u8,
}

/// Runs commands with what is read as arguments.
pub(super) fn xargs(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::First)?;
    let mut xargs = match settings(process, &options)? {
        Ok(xargs) => xargs,
        Err(status) => return Ok(status),
    };
    let text = match options.value("-a") {
        None => {
            let data = process.read_input()?;
            process.bytes(&data)?
        }
        Some(path) => {
            let opened = process.open_bytes(path);
            let what = || format!("Cannot open input file {}", cited(path));
            match attempt(process, opened, what)? {
                Some(text) => {
                    xargs.input = process.read_input()?;
                    text
                }
                None => return Ok(1),
            }
        }
    };
    let delimiter = match delimiter(&options) {
        Ok(delimiter) => delimiter,
        Err(value) => return Err(refuse_option(process, format!("-d {value}"))),
    };
    let (items, unmatched) = match (delimiter, &xargs.replaced) {
        (Some(delimiter), _) => (delimited(&text, delimiter), None),
        (None, Some(_)) => quoted_items(&text, Ends::Lines, options.value("-E").map(|end| &**end)),
        (None, None) => quoted_items(&text, Ends::Blanks, options.value("-E").map(|end| &**end)),
    };
    process.machine.budget.hold(items.iter().map(|item| item.text.len() + 16).sum())?;
    let is_over = xargs.run_all(process, &items, unmatched.is_some())?;
    match unmatched {
        Some(quote) if !is_over => {
            process.complain(format!(
                "unmatched {quote} quote; by default quotes are special to xargs unless you use \
                 the -0 option"
            ))?;
            Ok(1)
        }
        _ => Ok(xargs.status),
    }
}

fn settings(process: &mut Process<'_, '_>, options: &Options) -> Result<Result<Xargs, u8>, Stop> {
    let mut numbers = [usize::MAX; 2];
    for (number, id) in numbers.iter_mut().zip(["-n", "-L"]) {
        if let Some(value) = options.value(id) {
            match value.to_str().ok().and_then(|value| value.parse().ok()) {
                Some(0) => {
                    let message = format!("value 0 for {id} option should be >= 1");
                    return usage(process, message).map(Err);
                }
                None => {
                    let message = format!("invalid number \"{value}\" for {id} option");
                    return usage(process, message).map(Err);
                }
                Some(value) => *number = value,
            }
        }
    }
    let [mut most_items, mut most_lines] = numbers;
    let replaced = match options.last_of(&["-I", "-i", "-n", "-L"]) {
        Some("-I") => options.value("-I").map(|text| text.to_owned()),
        Some("-i") => Some(options.value("-i").map_or_else(|| "{}".into(), |text| text.to_owned())),
        // `-n 1` behind `-I` says nothing new.
        Some("-n") if most_items == 1 && options.has("-I") => {
            options.value("-I").map(|text| text.to_owned())
        }
        Some("-n") => {
            most_lines = usize::MAX;
            None
        }
        Some(_) => {
            most_items = usize::MAX;
            None
        }
        None => None,
    };
    let given = ["-I", "-i", "-n", "-L"].iter().filter(|id| options.has(id)).count();
    if given > 1 && !(options.has("-I") && most_items == 1) {
        return Err(refuse_use(process, "has several of -I, -L and -n"));
    }
    let mut command = options.operands.clone();
    if command.is_empty() {
        command.push(BString::from("echo"));
    }
    Ok(Ok(Xargs {
        command,
        replaced,
        most_items,
        most_lines,
        runs_if_empty: !options.has("-r"),
        is_told: options.has("-t"),
        input: Data::empty(),
        status: 0,
    }))
}

/// The byte between arguments, if it is said; the error is one that is not understood.
fn delimiter(options: &Options) -> Result<Option<u8>, BString> {
    if options.last_of(&["-0", "-d"]) == Some("-0") {
        return Ok(Some(0));
    }
    let Some(value) = options.value("-d") else { return Ok(None) };
    match &**value {
        [byte] => Ok(Some(*byte)),
        b"\\n" => Ok(Some(b'\n')),
        b"\\t" => Ok(Some(b'\t')),
        b"\\r" => Ok(Some(b'\r')),
        b"\\0" => Ok(Some(0)),
        b"\\\\" => Ok(Some(b'\\')),
        _ => Err(value.to_owned()),
    }
}

fn delimited(text: &[u8], delimiter: u8) -> Vec<Item> {
    if text.is_empty() {
        return Vec::new();
    }
    let text = text.strip_suffix(&[delimiter]).unwrap_or(text);
    let items = text.split(|byte| *byte == delimiter);
    items.map(|item| Item { text: item.into(), ends_line: true }).collect()
}

/// What arguments end at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Blanks,
    /// Lines, without the blanks before them.
    Lines,
}

/// Arguments with quotes and backslashes; and the quote that does not end, behind them.
fn quoted_items(text: &[u8], ends: Ends, end: Option<&[u8]>) -> (Vec<Item>, Option<&'static str>) {
    let mut items: Vec<Item> = Vec::new();
    let mut item: Option<Vec<u8>> = None;
    let mut bytes = text.iter().copied();
    let mut last_blank = false;
    loop {
        let byte = bytes.next();
        let is_end =
            matches!((byte, ends), (None | Some(b'\n'), _) | (Some(b' ' | b'\t'), Ends::Blanks));
        if is_end {
            let was_blank = std::mem::replace(&mut last_blank, byte != Some(b'\n'));
            let ends_line = byte != Some(b' ') && byte != Some(b'\t');
            if let Some(text) = item.take() {
                if end == Some(&text[..]) {
                    return (items, None);
                }
                // A blank at its end makes a line go on in the next one.
                items.push(Item { text: text.into(), ends_line });
            } else if let (Some(last), Some(b'\n')) = (items.last_mut(), byte) {
                last.ends_line |= !was_blank;
            }
            if byte.is_none() {
                return (items, None);
            }
            continue;
        }
        match byte {
            Some(b' ' | b'\t' | b'\x0b' | b'\x0c' | b'\r')
                if item.is_none() && ends == Ends::Lines => {}
            Some(quote @ (b'\'' | b'"')) => {
                let text = item.get_or_insert_default();
                loop {
                    match bytes.next() {
                        Some(byte) if byte == quote => break,
                        None | Some(b'\n') => {
                            let name = if quote == b'"' { "double" } else { "single" };
                            return (items, Some(name));
                        }
                        Some(byte) => text.push(byte),
                    }
                }
            }
            Some(b'\\') => item.get_or_insert_default().extend(bytes.next()),
            other => item.get_or_insert_default().extend(other),
        }
    }
}

impl Xargs {
    /// Runs all commands; whether one of them ended it.
    fn run_all(
        &mut self,
        process: &mut Process<'_, '_>,
        items: &[Item],
        is_broken: bool,
    ) -> Result<bool, Stop> {
        if let Some(replaced) = self.replaced.clone() {
            for item in items {
                let words = self.command.iter().enumerate().map(|(at, word)| match at {
                    0 => word.clone(),
                    _ => word.replace(&replaced[..], &item.text).into(),
                });
                if self.run(process, words.collect())? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if items.is_empty() {
            return match self.runs_if_empty && !is_broken {
                true => self.run(process, self.command.clone()),
                false => Ok(false),
            };
        }
        let mut left = items;
        while !left.is_empty() {
            let (taken, rest) = left.split_at(self.batch(left));
            let mut words = self.command.clone();
            words.extend(taken.iter().map(|item| item.text.clone()));
            if self.run(process, words)? {
                return Ok(true);
            }
            left = rest;
        }
        Ok(false)
    }

    /// How many arguments the next command takes.
    fn batch(&self, items: &[Item]) -> usize {
        let mut bytes: usize = self.command.iter().map(|word| word.len() + 1).sum();
        let mut lines = 0;
        for (at, item) in items.iter().enumerate() {
            bytes += item.text.len() + 1;
            if at == self.most_items || lines == self.most_lines || (bytes > MOST_WORDS && at > 0) {
                return at;
            }
            lines += usize::from(item.ends_line);
        }
        items.len()
    }

    /// Runs a command; whether all is over.
    fn run(&mut self, process: &mut Process<'_, '_>, words: Vec<BString>) -> Result<bool, Stop> {
        if self.is_told {
            let shown: Vec<String> = words.iter().map(|word| bare_word(word)).collect();
            process.write_to(2, format!("{}\n", shown.join(" ")).as_bytes())?;
        }
        let path = process.environment.get(&BString::from("PATH")).map(|path| &***path);
        let found = look_up(&process.machine.files, &process.directory, path, &words[0])?;
        let (status, error) = match found {
            Lookup::Found { .. } => {
                let descriptors = process.descriptors.with(0, input(self.input.clone()));
                let name = bare(&words[0]);
                return match process.spawn_with(words, descriptors)? {
                    0 => Ok(false),
                    255 => {
                        process.complain(format!("{name}: exited with status 255; aborting"))?;
                        self.status = 124;
                        Ok(true)
                    }
                    _ => {
                        self.status = 123;
                        Ok(false)
                    }
                };
            }
            Lookup::Missing => (127, Errno::NotFound),
            Lookup::NotExecutable(error) => (126, error),
        };
        process.complain(format!("{}: {error}", bare(&words[0])))?;
        self.status = status;
        Ok(true)
    }
}

fn bare_word(word: &[u8]) -> String {
    match word.contains(&b':') && !word.contains(&b' ') {
        true => word.as_bstr().to_string(),
        false => bare(word),
    }
}
