//! `awk` and `mawk` (mawk 1.3.4-20200120, as Debian 12 has it).
//!
//! Text is bytes, whatever the locale, as it is for mawk. Not built in: what runs other programs
//! (`system`, pipes), what is different each time (`rand`, `srand`, the time), and what a program
//! prints whose loop over an array of several elements depends on their order, which is mawk's own.
//! A program that is wrong is refused, without mawk's words for it.

mod builtins;
mod format;
mod input;
mod interpret;
mod lexer;
mod parser;
mod places;
mod syntax;
#[cfg(test)]
mod tests;
mod value;

use bstr::BString;

use self::interpret::{Awk, Halt};
use crate::options::{Known, Options, Order, value};
use crate::process::{Process, Run, errno};
use crate::programs::Flavour;
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[value("-F", 'F', &[]), value("-v", 'v', &[]), value("-f", 'f', &[])];

/// Something is wrong that mawk itself notices.
const TROUBLE: u8 = 2;

/// `awk`.
pub(super) fn awk(process: &mut Process<'_, '_>) -> Run {
    if process.flavour == Flavour::BusyBox {
        return Err(process.refuse(Reason::Use("is BusyBox's".to_owned())));
    }
    // Which awk it is says the file that the alternatives' links lead to.
    if !matches!(process.program.file_name(), Some(b"mawk" | b"awk")) {
        return Err(process.refuse(Reason::Use("is another one than mawk".to_owned())));
    }
    match run(process) {
        Ok(status) | Err(Halt::Status(status)) => Ok(status),
        Err(Halt::Stop(stop)) => Err(stop),
    }
}

fn run(process: &mut Process<'_, '_>) -> Result<u8, Halt> {
    let options = Options::of(process, KNOWN, Order::First)?;
    let mut operands = options.operands.clone();
    let text = match text(process, &options)? {
        Some(text) => text,
        None if operands.is_empty() => {
            return Err(process.refuse(Reason::Use("has no program".to_owned())).into());
        }
        None => operands.remove(0),
    };
    let program = match parser::parse(&text) {
        Ok(program) => program,
        Err(parser::Failure::NotUnderstood(what)) => return Err(refused(process, what).into()),
        Err(parser::Failure::Pattern(error)) => return Err(error.refusal(process).into()),
    };
    let mut awk = Awk::new(process, &program, operands);
    if let Some(separator) = options.value("-F") {
        awk.set_separator(separator)?;
    }
    for assignment in options.values("-v") {
        if !awk.assign_argument(assignment)? {
            return Err(refused(awk.process, "has a value without a name").into());
        }
    }
    awk.run()
}

fn text(process: &mut Process<'_, '_>, options: &Options) -> Result<Option<BString>, Halt> {
    let mut text: Option<BString> = None;
    let names: Vec<BString> = options.values("-f").map(BString::from).collect();
    for name in names {
        let path = if name == "-" { b"/dev/stdin" } else { &name[..] };
        match errno(process.open_bytes(path))? {
            Ok(bytes) => {
                let text = text.get_or_insert_default();
                text.extend_from_slice(&bytes);
                text.push(b'\n');
            }
            Err(_) => return Err(refused(process, "has a program file that is not there").into()),
        }
    }
    Ok(text)
}

fn refused(process: &Process<'_, '_>, what: &str) -> Stop {
    process.refuse(Reason::Use(what.to_owned()))
}
