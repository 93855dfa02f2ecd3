//! Builtins that decide what runs next.

use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator, Flow};
use crate::evaluate::trace::single_quoted;
use crate::files::Last;
use crate::process::errno;

/// Signals by number (signal(7), x86-64's and arm64's).
const SIGNALS: [(&str, u8); 14] = [
    ("EXIT", 0),
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("ABRT", 6),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
];

pub(super) fn succeed(_: &mut Evaluator<'_, '_>, _: &[BString]) -> Eval<u8> {
    Ok(0)
}

pub(super) fn fail(_: &mut Evaluator<'_, '_>, _: &[BString]) -> Eval<u8> {
    Ok(1)
}

/// There is never anything to wait for.
pub(super) fn wait(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    match words.len() {
        1 => Ok(0),
        _ => evaluator.refuse("wait", "processes in the background"),
    }
}

pub(super) fn exit(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    Err(Flow::Exit(evaluator.status_argument(words)?))
}

pub(super) fn return_(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let status = evaluator.status_argument(words)?;
    let shell = &evaluator.shell;
    if shell.functions_entered > 0 || shell.sources > 0 {
        return Err(Flow::Return(status));
    }
    match shell.dialect {
        Dialect::Bash => {
            evaluator.say("return: can only `return' from a function or sourced script")?;
            Ok(2)
        }
        _ => Err(Flow::Exit(status)),
    }
}

pub(super) fn leave_loop(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    evaluator.loop_argument(words, Flow::Break)
}

pub(super) fn continue_loop(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    evaluator.loop_argument(words, Flow::Continue)
}

pub(super) fn eval(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut words = &words[1..];
    if words.first().is_some_and(|word| word == "--") {
        words = &words[1..];
    }
    let text = BString::from(bstr::join(" ", words));
    if text.trim().is_empty() {
        return Ok(0);
    }
    // bash counts the lines on from where it is.
    let line = if evaluator.shell.dialect.is_bash() { evaluator.shell.line } else { 1 };
    let reads = (!evaluator.shell.dialect.is_bash()).then(|| "eval".into());
    let outer = evaluator.shell.reading.clone();
    evaluator.shell.reading = reads.or(outer.clone());
    evaluator.shell.substitutions += 1;
    let result = evaluator.deeper(|evaluator| evaluator.run_text_from(&text, line));
    evaluator.shell.substitutions -= 1;
    evaluator.shell.reading = outer;
    result
}

/// `. file` (POSIX XCU 2.14, "dot").
pub(super) fn source(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut operands = &words[1..];
    if operands.first().is_some_and(|word| word == "--") {
        operands = &operands[1..];
    }
    let Some(name) = operands.first() else {
        return evaluator.refuse(words[0].to_string(), "no file");
    };
    let Some(text) = evaluator.source_text(name)? else {
        return evaluator.source_missing(words, name);
    };
    let outer = Rc::clone(&evaluator.shell.positional);
    let sets = operands.len() > 1 && evaluator.shell.dialect != Dialect::Dash;
    if sets {
        evaluator.shell.positional = Rc::new(operands[1..].iter().cloned().collect());
    }
    let line = evaluator.shell.line;
    let reading = evaluator.shell.reading.replace(name.clone());
    evaluator.shell.sources += 1;
    evaluator.shell.substitutions += 1;
    evaluator.shell.status = 0;
    // A file that reads itself takes more of the stack at each level than a function.
    let result = evaluator.deeper(|evaluator| {
        evaluator.deeper(|evaluator| evaluator.deeper(|evaluator| evaluator.run_text(&text)))
    });
    evaluator.shell.reading = reading;
    evaluator.shell.sources -= 1;
    evaluator.shell.substitutions -= 1;
    evaluator.shell.line = line;
    if sets {
        evaluator.shell.positional = outer;
    }
    match result {
        Err(Flow::Return(status)) => Ok(status),
        result => result,
    }
}

/// Replaces the shell; without a command only its redirections stay.
pub(super) fn exec(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let words = match words.get(1) {
        None => return Ok(0),
        Some(first) if first == "--" => &words[2..],
        Some(first) if first.starts_with(b"-") => return evaluator.refuse_option(words, first),
        Some(_) => &words[1..],
    };
    if words.is_empty() {
        return Ok(0);
    }
    let found = evaluator.find_program(&words[0])?;
    let Some(_) = found else {
        let name = &words[0];
        let message = if name.contains(&b'/') && evaluator.shell.dialect.is_bash() {
            "cannot execute: No such file or directory"
        } else {
            "not found"
        };
        let message = match evaluator.shell.dialect.is_bash() && name.contains(&b'/') {
            true => [name.as_bytes(), b": ", message.as_bytes()].concat(),
            false => [b"exec: ", name.as_bytes(), b": ", message.as_bytes()].concat(),
        };
        evaluator.say(message)?;
        return Err(Flow::Exit(127));
    };
    let status = evaluator.run_program(words)?;
    // Nothing is left that could act on the end of the shell.
    evaluator.shell.traps.clear();
    Err(Flow::Exit(status))
}

pub(super) fn trap(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut operands = &words[1..];
    if operands.first().is_some_and(|word| word == "--") {
        operands = &operands[1..];
    }
    match operands {
        [] => return evaluator.list_traps(),
        [first, ..] if first.len() > 1 && first.starts_with(b"-") => {
            return evaluator.refuse_option(words, first);
        }
        _ => {}
    }
    // A number in front stands for `-` (POSIX XCU 2.14, "trap").
    let is_number = operands[0].iter().all(u8::is_ascii_digit) && !operands[0].is_empty();
    let resets = is_number || operands.len() == 1;
    let (action, signals) = match resets {
        true => (None, operands),
        false => (Some(&operands[0]).filter(|action| *action != "-"), &operands[1..]),
    };
    for signal in signals {
        let Some(name) = signal_name(signal.as_bstr()) else {
            return evaluator.refuse("trap", format!("the condition `{signal}`"));
        };
        if name == "EXIT" && action.is_some() && evaluator.shell.is_piped {
            // Whether bash runs it depends on what the command of the pipeline is.
            return evaluator.refuse("trap", "`EXIT` in a pipeline");
        }
        match action {
            Some(action) => evaluator.shell.traps.insert(name, action.clone()),
            None => evaluator.shell.traps.remove(&name),
        };
    }
    Ok(0)
}

fn signal_name(word: &BStr) -> Option<String> {
    let text = word.to_str().ok()?.to_ascii_uppercase();
    let text = text.strip_prefix("SIG").unwrap_or(&text);
    let number = text.parse::<u8>().ok();
    let mut known = SIGNALS.iter();
    let found = known.find(|(name, own)| *name == text || Some(*own) == number);
    found.map(|(name, _)| (*name).to_owned())
}

impl Evaluator<'_, '_> {
    fn list_traps(&mut self) -> Eval<u8> {
        let prefix = if self.shell.dialect.is_bash() { "SIG" } else { "" };
        for (name, number) in SIGNALS {
            let Some(action) = self.shell.traps.get(name).cloned() else { continue };
            let prefix = if number == 0 { "" } else { prefix };
            let shown = match self.shell.dialect {
                Dialect::Bash => single_quoted(&action, b"'\\''"),
                _ => single_quoted(&action, b"'\"'\"'"),
            };
            let line = [b"trap -- ", &shown[..], b" ", prefix.as_bytes(), name.as_bytes(), b"\n"];
            self.write(1, &line.concat())?;
        }
        Ok(0)
    }

    /// The exit status that is given, or the last one.
    fn status_argument(&mut self, words: &[BString]) -> Eval<u8> {
        let Some(word) = words.get(1) else { return Ok(self.shell.status) };
        let number = word.to_str().ok().and_then(|word| word.trim().parse::<i64>().ok());
        match number {
            Some(number) if number >= 0 || self.shell.dialect.is_bash() => {
                // An exit status is eight bits (exit(3)).
                Ok((number & 0xff) as u8)
            }
            _ if self.shell.dialect.is_bash() => {
                let message = [word.as_bytes(), b": numeric argument required"].concat();
                self.say_of(words[0].as_ref(), message)?;
                Ok(2)
            }
            _ => {
                let message = [b"Illegal number: ", word.as_bytes()].concat();
                self.say_of(words[0].as_ref(), message)?;
                Err(Flow::Exit(2))
            }
        }
    }

    fn loop_argument(&mut self, words: &[BString], flow: fn(usize) -> Flow) -> Eval<u8> {
        let levels = match words.get(1) {
            None => 1,
            Some(word) => {
                let number = word.to_str().ok().and_then(|word| word.parse::<usize>().ok());
                match number.filter(|number| *number > 0) {
                    Some(number) => number,
                    None => return self.refuse(words[0].to_string(), "this number of loops"),
                }
            }
        };
        if self.shell.loops == 0 {
            if self.shell.dialect.is_bash() {
                let message = "only meaningful in a `for', `while', or `until' loop";
                self.say_of(words[0].as_ref(), message)?;
            }
            return Ok(0);
        }
        Err(flow(levels.min(self.shell.loops)))
    }

    /// The text of a file that is looked for in `PATH` if its name has no slash; bash then looks
    /// here, too.
    fn source_text(&mut self, name: &BString) -> Eval<Option<BString>> {
        let mut candidates = Vec::new();
        if name.contains(&b'/') {
            candidates.push(name.clone());
        } else {
            let path = self.shell.variables.value(b"PATH").cloned().unwrap_or_default();
            for place in path.split_str(":") {
                let place = if place.is_empty() { b"." } else { place };
                candidates.push([place, b"/", name].concat().into());
            }
            if self.shell.is_full_bash() {
                candidates.push(name.clone());
            }
        }
        if let Some(number) = crate::process::descriptor_of(name) {
            return self.rest_of(number).map(Some);
        }
        for candidate in candidates {
            let files = &self.machine.files;
            let found = files.find(&self.shell.directory, &candidate, Last::Followed);
            let Ok((path, stat)) = errno(found)? else { continue };
            if candidate == "/dev/stdin" || path.as_bytes().starts_with(b"dev/") {
                return self.refuse(".", "a device as a script");
            }
            if stat.data().is_none() {
                continue;
            }
            let Ok(data) = errno(files.data(&path))? else { continue };
            let bytes = data.bytes(self.machine.outside, &mut self.machine.budget)?;
            return Ok(Some(BString::from(&bytes[..])));
        }
        Ok(None)
    }

    fn source_missing(&mut self, words: &[BString], name: &BString) -> Eval<u8> {
        match self.shell.dialect {
            Dialect::Bash => {
                self.say([name.as_bytes(), b": No such file or directory"].concat())?;
                if self.shell.is_full_bash() { Ok(1) } else { Err(Flow::Exit(1)) }
            }
            _ => {
                let message: Vec<u8> = match name.contains(&b'/') {
                    true => [b"cannot open ", name.as_bytes(), b": No such file"].concat(),
                    false => [name.as_bytes(), b": not found"].concat(),
                };
                self.say_of(words[0].as_ref(), message)?;
                Err(Flow::Exit(2))
            }
        }
    }
}
