//! Builtins that read: `read`, `getopts`, `mapfile`.

use bstr::{BString, ByteSlice};

use crate::descriptor::Closed;
use crate::evaluate::dialect::{Dialect, is_name};
use crate::evaluate::expand::pattern::Marked;
use crate::evaluate::expand::words_of_line;
use crate::evaluate::shell::{Eval, Evaluator};

/// Options of `read`.
struct Reading {
    /// Whether a backslash is an escape.
    has_escapes: bool,
    delimiter: u8,
    array: Option<BString>,
    descriptor: u32,
}

pub(super) fn read(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let (reading, names) = evaluator.read_options(words)?;
    for name in names {
        if !is_name(name) {
            return evaluator.refuse("read", format!("the variable `{name}`"));
        }
    }
    if !evaluator.is_readable(reading.descriptor) {
        return evaluator.refuse("read", "an input that is not open");
    }
    let (line, is_whole) = evaluator.logical_line(&reading)?;
    let separators = evaluator.separators();
    let status = u8::from(!is_whole);
    if let Some(array) = &reading.array {
        let values = words_of_line(&line, &separators, usize::MAX);
        evaluator.set_array(array, values)?;
        return Ok(status);
    }
    if names.is_empty() {
        if evaluator.shell.dialect != Dialect::Bash {
            return evaluator.refuse("read", "no variable");
        }
        let value: Vec<u8> = line.iter().map(|(byte, _)| *byte).collect();
        evaluator.assign_scalar(&"REPLY".into(), value.into())?;
        return Ok(status);
    }
    let mut values = words_of_line(&line, &separators, names.len()).into_iter();
    for name in names {
        let value = values.next().unwrap_or_default();
        evaluator.assign_scalar(name, value.into())?;
    }
    Ok(status)
}

impl Evaluator<'_, '_> {
    fn read_options<'w>(&mut self, words: &'w [BString]) -> Eval<(Reading, &'w [BString])> {
        let mut reading =
            Reading { has_escapes: true, delimiter: b'\n', array: None, descriptor: 0 };
        let mut operands = &words[1..];
        while let Some(word) = operands.first().filter(|word| word.starts_with(b"-")) {
            operands = &operands[1..];
            if word == "--" {
                break;
            }
            let mut letters = &word[1..];
            while let Some((letter, rest)) = letters.split_first() {
                letters = rest;
                if *letter == b'r' {
                    reading.has_escapes = false;
                    continue;
                }
                let has_value =
                    b"pdau".contains(letter) && (self.shell.dialect.is_bash() || *letter == b'p');
                if !has_value {
                    return self.refuse_option(words, word);
                }
                let value = match (rest.is_empty(), operands.split_first()) {
                    (false, _) => BString::from(rest),
                    (true, Some((value, more))) => {
                        operands = more;
                        value.clone()
                    }
                    (true, None) => return self.refuse_option(words, word),
                };
                match letter {
                    b'd' => reading.delimiter = value.first().copied().unwrap_or(0),
                    b'a' => reading.array = Some(value),
                    b'u' => match value.to_str().ok().and_then(|value| value.parse().ok()) {
                        Some(number) => reading.descriptor = number,
                        None => return self.refuse_option(words, word),
                    },
                    // A prompt, which only a terminal gets.
                    _ => {}
                }
                break;
            }
        }
        Ok((reading, operands))
    }

    /// A line, without its end; escaped line ends are gone. Whether it has an end.
    fn logical_line(&mut self, reading: &Reading) -> Eval<(Vec<Marked>, bool)> {
        let mut line = Vec::new();
        loop {
            let Some(bytes) = self.line_of(reading.descriptor, reading.delimiter)? else {
                return Ok((line, false));
            };
            let (text, is_whole) = match bytes.strip_suffix(&[reading.delimiter]) {
                Some(text) => (text, true),
                None => (&bytes[..], false),
            };
            let mut bytes = text.iter().copied().filter(|byte| *byte != 0);
            let mut goes_on = false;
            while let Some(byte) = bytes.next() {
                if byte != b'\\' || !reading.has_escapes {
                    line.push((byte, false));
                    continue;
                }
                match bytes.next() {
                    Some(escaped) => line.push((escaped, true)),
                    None => goes_on = is_whole,
                }
            }
            if !goes_on {
                return Ok((line, is_whole));
            }
        }
    }

    fn line_of(&mut self, descriptor: u32, delimiter: u8) -> Eval<Option<Vec<u8>>> {
        let Some(handle) = self.shell.descriptors.get(descriptor).cloned() else {
            return Ok(None);
        };
        match self.machine.read_until(&handle, delimiter) {
            Ok(line) => Ok(line),
            Err(Closed::Errno(_)) => Ok(None),
            Err(Closed::Stop(stop)) => Err(stop.into()),
        }
    }

    fn set_array(&mut self, name: &BString, values: Vec<Vec<u8>>) -> Eval<()> {
        self.check_writable(name)?;
        self.shell.variables.entry(name).value =
            Some(crate::evaluate::variables::Value::Indexed(Default::default()));
        for (index, value) in (0..).zip(values) {
            self.assign_element(name, index, value.into())?;
        }
        Ok(())
    }
}

/// bash: lines into an array.
pub(super) fn mapfile(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut operands = &words[1..];
    let mut keeps_ends = true;
    while let Some(word) = operands.first().filter(|word| word.starts_with(b"-")) {
        if word != "-t" {
            return evaluator.refuse_option(words, word);
        }
        keeps_ends = false;
        operands = &operands[1..];
    }
    let name = operands.first().cloned().unwrap_or_else(|| "MAPFILE".into());
    let mut values = Vec::new();
    while let Some(mut line) = evaluator.line_of(0, b'\n')? {
        if !keeps_ends && line.last() == Some(&b'\n') {
            line.pop();
        }
        evaluator.machine.budget.step()?;
        values.push(line);
    }
    evaluator.set_array(&name, values)?;
    Ok(0)
}

/// What is wrong with an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Unknown,
    NoArgument,
}

/// POSIX XCU getopts.
pub(super) fn getopts(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let [_, known, name, given @ ..] = words else {
        return evaluator.refuse("getopts", "no options or no variable");
    };
    let arguments = match given {
        [] => evaluator.shell.positional.iter().cloned().collect(),
        given => given.to_vec(),
    };
    let is_silent = known.starts_with(b":");
    let index = evaluator.shell.variables.value(b"OPTIND").cloned().unwrap_or_else(|| "1".into());
    let index = index.to_str().ok().and_then(|index| index.parse::<usize>().ok());
    let Some(mut index) = index.filter(|index| *index > 0) else {
        return evaluator.refuse("getopts", "this `OPTIND`");
    };
    let mut at = evaluator.shell.getopts_letter.max(1);
    let word = arguments.get(index - 1).cloned().unwrap_or_default();
    let ends = at == 1 && (word.len() < 2 || !word.starts_with(b"-") || word == "--");
    if ends {
        let index = if word == "--" { index + 1 } else { index };
        evaluator.assign_scalar(&"OPTIND".into(), index.to_string().into())?;
        evaluator.assign_scalar(name, "?".into())?;
        return Ok(1);
    }
    let Some(letter) = word.get(at).copied() else {
        return evaluator.refuse("getopts", "arguments that have changed");
    };
    at += 1;
    let place = known.iter().position(|own| *own == letter && letter != b':');
    let takes = place.is_some_and(|place| known.get(place + 1) == Some(&b':'));
    let mut value = None;
    let mut chosen = BString::from(vec![letter]);
    let mut argument_missing = false;
    if takes {
        let rest = BString::from(&word[at..]);
        index += 1;
        if rest.is_empty() {
            value = arguments.get(index - 1).cloned();
            argument_missing = value.is_none();
            index += usize::from(value.is_some());
        } else {
            value = Some(rest);
        }
        at = 1;
    } else if at >= word.len() {
        index += 1;
        at = 1;
    }
    if place.is_none() || argument_missing {
        chosen = if argument_missing && is_silent { ":".into() } else { "?".into() };
        if is_silent {
            value = Some(vec![letter].into());
        } else {
            let wrong = if argument_missing { Wrong::NoArgument } else { Wrong::Unknown };
            evaluator.getopts_complain(letter, wrong)?;
        }
    }
    evaluator.assign_scalar(&"OPTIND".into(), index.to_string().into())?;
    evaluator.shell.getopts_letter = at;
    match value {
        Some(value) => evaluator.assign_scalar(&"OPTARG".into(), value)?,
        None => {
            evaluator.shell.variables.remove(b"OPTARG");
        }
    }
    evaluator.assign_scalar(name, chosen)?;
    Ok(0)
}

impl Evaluator<'_, '_> {
    fn getopts_complain(&mut self, letter: u8, wrong: Wrong) -> Eval<()> {
        let letter = char::from(letter);
        let name = self.shell.name.clone();
        match (self.shell.dialect.is_bash(), wrong) {
            (true, Wrong::NoArgument) => self
                .write(2, format!("{name}: option requires an argument -- {letter}\n").as_bytes()),
            (true, Wrong::Unknown) => {
                self.write(2, format!("{name}: illegal option -- {letter}\n").as_bytes())
            }
            (false, Wrong::NoArgument) => {
                self.write(2, format!("No arg for -{letter} option\n").as_bytes())
            }
            (false, Wrong::Unknown) => {
                self.write(2, format!("Illegal option -{letter}\n").as_bytes())
            }
        }
    }
}
