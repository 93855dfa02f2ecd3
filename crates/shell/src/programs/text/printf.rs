//! `printf`: as a program, and as each shell has it.

use bstr::{BString, ByteSlice};

use super::conversion::{Decimal, Inexact, Specification, Width};
use super::echo;
use super::escape::{Next, Place, escape, expand};
use super::numeral::{Numeral, numeral};
use super::quote::reusable;
use crate::evaluate::dialect::Dialect;
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::programs::quoting::cited;
use crate::stop::{Reason, Stop};

/// The widest that a conversion may be.
const MOST_WIDTH: usize = 4096;
/// So much is written at once.
const PIECE: usize = 1 << 20;

/// The program.
pub(super) fn program(process: &mut Process<'_, '_>) -> Run {
    match (process.flavour, process.arguments()) {
        (Flavour::BusyBox, _) => printf(process, Some(Dialect::Ash)),
        (Flavour::Gnu, [word]) if word == "--help" || word == "--version" => {
            Err(process.refuse(Reason::Option(word.to_string())))
        }
        (Flavour::Gnu, _) => printf(process, None),
    }
}

/// Writes its arguments as a format says (POSIX XCU, `printf`). What bash's `-v` does is the
/// shell's: it takes the option away, and what is written.
pub(crate) fn printf(process: &mut Process<'_, '_>, dialect: Option<Dialect>) -> Run {
    let mut words = process.arguments().to_vec();
    match words.first() {
        Some(first) if first == "--" => {
            words.remove(0);
        }
        // Only shells have options.
        Some(first) if first.len() > 1 && first.starts_with(b"-") && has_options(dialect) => {
            return Err(process.refuse(Reason::Option(first.to_string())));
        }
        _ => {}
    }
    if words.is_empty() {
        return usage(process, dialect);
    }
    let format = words.remove(0);
    let mut printer =
        Printer { process, dialect, arguments: &words, used: 0, output: Vec::new(), status: 0 };
    match printer.run(&format) {
        Ok(()) | Err(End::Told) => {}
        // GNU's program is done with success, whatever was wrong before.
        Err(End::Asked) if dialect.is_none() => printer.status = 0,
        Err(End::Asked) => {}
        Err(End::Stop(stop)) => return Err(stop),
    }
    let Printer { output, status, .. } = printer;
    match process.try_write(output)? {
        Ok(()) => Ok(status),
        Err(errno) => echo::cannot_write(process, dialect, "printf", errno),
    }
}

fn has_options(dialect: Option<Dialect>) -> bool {
    matches!(dialect, Some(Dialect::Dash | Dialect::Bash))
}

fn usage(process: &mut Process<'_, '_>, dialect: Option<Dialect>) -> Run {
    match dialect {
        Some(Dialect::Dash) => process.complain("usage: printf format [arg ...]")?,
        Some(Dialect::Ash) => process.complain("usage: printf FORMAT [ARGUMENT...]")?,
        Some(Dialect::Bash) => {
            process.write_to(2, b"printf: usage: printf [-v var] format [arguments]\n")?;
        }
        None => {
            process.complain("missing operand")?;
            process.write_to(2, b"Try 'printf --help' for more information.\n")?;
            return Ok(1);
        }
    }
    Ok(2)
}

/// A use of a format.
struct Printer<'p, 'm, 'o: 'm> {
    process: &'p mut Process<'m, 'o>,
    dialect: Option<Dialect>,
    arguments: &'p [BString],
    used: usize,
    output: Vec<u8>,
    status: u8,
}

/// Why a format is not gone through to its end.
enum End {
    /// A `\c`.
    Asked,
    /// An error that has been told.
    Told,
    /// The evaluation ends.
    Stop(Stop),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        End::Stop(stop)
    }
}

impl Printer<'_, '_, '_> {
    /// Uses the format once, and again while there are arguments left.
    fn run(&mut self, format: &[u8]) -> Result<(), End> {
        loop {
            let before = self.used;
            self.pass(format)?;
            if self.used >= self.arguments.len() {
                return Ok(());
            }
            if self.used == before {
                if self.dialect.is_none() {
                    let first = cited(&self.arguments[before]);
                    self.say(format!("warning: ignoring excess arguments, starting with {first}"))?;
                }
                return Ok(());
            }
            self.process.machine.budget.step()?;
            if self.output.len() > PIECE {
                self.flush()?;
            }
        }
    }

    fn pass(&mut self, format: &[u8]) -> Result<(), End> {
        let mut rest = format;
        while let Some((first, behind)) = rest.split_first() {
            match first {
                b'\\' => {
                    let place = Place::Format;
                    let length =
                        escape(self.process, self.dialect, place, behind, &mut self.output)?;
                    rest = &behind[length.ok_or(End::Asked)?..];
                }
                b'%' if behind.starts_with(b"%") => {
                    self.output.push(b'%');
                    rest = &behind[1..];
                }
                b'%' => rest = self.conversion(rest)?,
                byte => {
                    self.output.push(*byte);
                    rest = behind;
                }
            }
        }
        Ok(())
    }

    /// Does one conversion, and gives what is behind it.
    fn conversion<'f>(&mut self, text: &'f [u8]) -> Result<&'f [u8], End> {
        let (specification, length) = self.specification(text)?;
        let Some(letter) = text.get(length) else {
            return Err(self.lacks_letter(text));
        };
        let whole = &text[..=length];
        if !self.allows(&specification, whole, *letter) {
            // BusyBox shows the rest of the format, too.
            let shown = if self.dialect == Some(Dialect::Ash) { text } else { whole };
            return Err(self.invalid(shown, *letter));
        }
        match letter {
            b's' => {
                let argument = self.next().unwrap_or_default();
                specification.text(&argument, &mut self.output);
            }
            b'c' => {
                let argument = self.next();
                let is_odd = argument.is_none() || specification.precision.is_some();
                if is_odd && self.dialect == Some(Dialect::Ash) {
                    return Err(self.refuse("has a conversion %c that C leaves open"));
                }
                let first = argument.unwrap_or_default().first().copied().unwrap_or(0);
                let specification = Specification { precision: None, ..specification };
                specification.text(&[first], &mut self.output);
            }
            b'b' => self.with_escapes(&specification)?,
            b'q' => {
                let argument = self.next();
                if argument.is_some() || self.dialect.is_some() {
                    let argument = argument.unwrap_or_default();
                    let text = reusable(self.process, self.dialect, &argument)?;
                    specification.text(&text, &mut self.output);
                }
            }
            b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => self.integer(&specification, *letter)?,
            _ => self.float(&specification, *letter)?,
        }
        Ok(&text[length + 1..])
    }

    /// Reads flags, width and precision, and tells where the letter is.
    fn specification(&mut self, text: &[u8]) -> Result<(Specification, usize), End> {
        let mut at = 1;
        let mut specification = Specification::default();
        let known: &[u8] = if self.dialect == Some(Dialect::Dash) { b"#-+ 0" } else { b"#-+ 0'" };
        while let Some(flag) = text.get(at).filter(|flag| known.contains(flag)) {
            specification.flags.push(*flag);
            at += 1;
        }
        if let Some(width) = self.number(text, &mut at)? {
            if width < 0 {
                specification.flags.push(b'-');
            }
            specification.width = width.unsigned_abs();
        }
        if text.get(at) == Some(&b'.') {
            at += 1;
            // A negative precision is none.
            let precision = self.number(text, &mut at)?.unwrap_or(0);
            specification.precision = usize::try_from(precision).ok();
        }
        while self.dialect != Some(Dialect::Dash)
            && text.get(at).is_some_and(|byte| b"hlLjzt".contains(byte))
        {
            at += 1;
        }
        if specification.width.max(specification.precision.unwrap_or(0)) > MOST_WIDTH {
            return Err(self.refuse("has a conversion that is very wide"));
        }
        Ok((specification, at))
    }

    /// Digits, or a `*`, which stands for an argument.
    fn number(&mut self, text: &[u8], at: &mut usize) -> Result<Option<isize>, End> {
        if text.get(*at) == Some(&b'*') {
            *at += 1;
            let Some(argument) = self.next() else { return Ok(Some(0)) };
            let is_plain = argument.iter().all(u8::is_ascii_digit) && !argument.starts_with(b"0");
            if self.dialect == Some(Dialect::Ash) && (!is_plain || argument.is_empty()) {
                return Err(self.refuse("has a width that BusyBox reads in its own way"));
            }
            let value = self.signed(&argument)?;
            let wide = || self.refuse("has a conversion that is very wide");
            return isize::try_from(value).map(Some).map_err(|_| wide());
        }
        let digits = text[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let written = &text[*at..*at + digits];
        *at += digits;
        if written.is_empty() {
            return Ok(None);
        }
        let value = written.to_str().ok().and_then(|digits| digits.parse().ok());
        value.map(Some).ok_or_else(|| self.refuse("has a conversion that is very wide"))
    }

    /// Whether this combination is known; what is undefined in C is refused elsewhere.
    fn allows(&self, specification: &Specification, whole: &[u8], letter: u8) -> bool {
        let is_bare = whole.len() == 2;
        let is_known = b"diouxXeEfFgGaAcsb".contains(&letter);
        match (self.dialect, letter) {
            (Some(Dialect::Bash), b'q') => true,
            (None, b'q') | (None | Some(Dialect::Ash), b'b') => is_bare,
            (Some(_), _) => is_known,
            _ => {
                let refused: &[u8] = match letter {
                    b'c' => b"#0'",
                    b's' => b"#0'",
                    b'd' | b'i' | b'u' => b"#",
                    b'o' | b'x' | b'X' | b'a' | b'A' | b'e' | b'E' => b"'",
                    _ => b"",
                };
                let has_precision = whole.contains(&b'.');
                let flags = &specification.flags;
                is_known
                    && !flags.iter().any(|flag| refused.contains(flag))
                    && !(letter == b'c' && has_precision)
            }
        }
    }

    fn with_escapes(&mut self, specification: &Specification) -> Result<(), End> {
        let argument = self.next().unwrap_or_default();
        let mut text = Vec::new();
        let next = expand(self.process, self.dialect, Place::Argument, &argument, &mut text)?;
        specification.text(&text, &mut self.output);
        match next {
            Next::Goes => Ok(()),
            Next::Ends => Err(End::Asked),
        }
    }

    fn integer(&mut self, specification: &Specification, letter: u8) -> Result<(), End> {
        let argument = match (self.next(), self.dialect) {
            // BusyBox takes no number for an empty one.
            (None, Some(Dialect::Ash)) => Some(BString::default()),
            (argument, _) => argument,
        };
        if matches!(letter, b'd' | b'i') {
            let value = match argument {
                Some(argument) => self.signed(&argument)?,
                None => 0,
            };
            specification.signed(value, &mut self.output);
            return Ok(());
        }
        let value = match argument {
            Some(argument) => self.numeral(&argument, Numeral::unsigned)?,
            None => 0,
        };
        specification.unsigned(letter, value, &mut self.output);
        Ok(())
    }

    fn signed(&mut self, argument: &[u8]) -> Result<i64, End> {
        self.numeral(argument, Numeral::signed)
    }

    /// Reads an argument as a number, and tells what is wrong with it.
    fn numeral<T: Default>(
        &mut self,
        argument: &[u8],
        value: fn(&Numeral) -> (T, bool),
    ) -> Result<T, End> {
        if let Some(character) = argument.strip_prefix(b"'").or(argument.strip_prefix(b"\"")) {
            let code = Numeral::whole(self.character(character)?);
            return Ok(value(&code).0);
        }
        let read = numeral(argument);
        let (number, fits) = value(&read);
        let is_whole = read.length == argument.len() && (read.length > 0 || argument.is_empty());
        match self.dialect {
            Some(Dialect::Ash) if !is_whole || !fits || argument.is_empty() => {
                self.fail(format!("invalid number '{}'", argument.as_bstr()))?;
                return Ok(T::default());
            }
            _ if !fits => self.out_of_range(argument)?,
            _ if !is_whole => self.not_a_number(argument, read.length)?,
            _ => {}
        }
        Ok(number)
    }

    /// `'c` stands for the character's code.
    fn character(&mut self, text: &[u8]) -> Result<u64, End> {
        match text {
            [code, ..] if !code.is_ascii() => {
                Err(self.refuse("asks for the code of a character beyond ASCII"))
            }
            [code] => Ok(u64::from(*code)),
            [code, rest @ ..] => {
                if self.dialect.is_none() {
                    let rest = rest.as_bstr();
                    self.say(format!(
                        "warning: {rest}: character(s) following character constant have been ignored"
                    ))?;
                }
                Ok(u64::from(*code))
            }
            [] => Err(self.refuse("asks for the code of no character")),
        }
    }

    fn float(&mut self, specification: &Specification, letter: u8) -> Result<(), End> {
        if letter.eq_ignore_ascii_case(&b'a') {
            return Err(self.refuse("has the conversion %a, which is not built in"));
        }
        let value = match self.next() {
            Some(argument) => self.decimal(&argument)?,
            None => Decimal::whole(false, 0),
        };
        let written = specification.float(letter, &value, &mut self.output);
        written.map_err(|Inexact| self.refuse("depends on the machine's arithmetic"))
    }

    fn decimal(&mut self, argument: &[u8]) -> Result<Decimal, End> {
        if let Some(character) = argument.strip_prefix(b"'").or(argument.strip_prefix(b"\"")) {
            return Ok(Decimal::whole(false, self.character(character)?));
        }
        let text = argument.trim_start();
        let unsigned = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
        let starts = |word: &str| {
            let start = unsigned.get(..word.len()).unwrap_or_default();
            start.eq_ignore_ascii_case(word.as_bytes())
        };
        if starts("0x") || starts("inf") || starts("nan") {
            return Err(self.refuse("has a number that is not in decimal digits"));
        }
        let length = text.len() - unsigned.len() + decimal_length(unsigned);
        let number = text[..length].to_str().unwrap_or_default();
        let digits = number.trim_start_matches(['-', '+']);
        if digits.is_empty() {
            if !argument.is_empty() {
                self.not_a_number(argument, 0)?;
            }
            return Ok(Decimal::whole(false, 0));
        }
        if length < text.len() {
            self.not_a_number(argument, length)?;
            if self.dialect == Some(Dialect::Ash) {
                return Ok(Decimal::whole(false, 0));
            }
        }
        let width = match self.dialect {
            Some(Dialect::Dash | Dialect::Ash) => Width::Double,
            Some(Dialect::Bash) | None => Width::LongDouble,
        };
        Decimal::parse(number, width).ok_or_else(|| self.refuse("has a number that is very long"))
    }

    fn not_a_number(&mut self, argument: &[u8], converted: usize) -> Result<(), End> {
        let given = argument.as_bstr();
        let message = match self.dialect {
            Some(Dialect::Dash) if converted == 0 => format!("{given}: expected numeric value"),
            Some(Dialect::Dash) => format!("{given}: not completely converted"),
            Some(Dialect::Bash) => match argument {
                [b'0', b'x', ..] => format!("{given}: invalid hex number"),
                [b'0', b'0'..=b'9', ..] => format!("{given}: invalid octal number"),
                _ => format!("{given}: invalid number"),
            },
            Some(Dialect::Ash) => format!("invalid number '{given}'"),
            None if converted == 0 => format!("{}: expected a numeric value", cited(argument)),
            None => format!("{}: value not completely converted", cited(argument)),
        };
        self.fail(message)
    }

    fn out_of_range(&mut self, argument: &[u8]) -> Result<(), End> {
        let given = argument.as_bstr();
        let words = "Numerical result out of range";
        match self.dialect {
            // Bash warns, and its status stays as it is.
            Some(Dialect::Bash) => Ok(self.say(format!("warning: {given}: {words}"))?),
            None => self.fail(format!("{}: {words}", cited(argument))),
            _ => self.fail(format!("{given}: {words}")),
        }
    }

    fn lacks_letter(&mut self, text: &[u8]) -> End {
        let given = text.as_bstr();
        let (message, status) = match self.dialect {
            Some(Dialect::Dash) => ("missing format character".to_owned(), 2),
            Some(Dialect::Bash) => (format!("`{given}': missing format character"), 1),
            Some(Dialect::Ash) => (format!("{given}: invalid format"), 1),
            None => (format!("{given}: invalid conversion specification"), 1),
        };
        self.end(message, status)
    }

    fn invalid(&mut self, whole: &[u8], letter: u8) -> End {
        let given = whole.as_bstr();
        if self.dialect == Some(Dialect::Bash) && b"(nQ".contains(&letter) {
            let letter = char::from(letter);
            return self.refuse(&format!("has the conversion %{letter}, which is not built in"));
        }
        let (message, status) = match self.dialect {
            Some(Dialect::Dash) => (format!("{given}: invalid directive"), 2),
            Some(Dialect::Bash) => {
                (format!("`{}': invalid format character", [letter].as_bstr()), 1)
            }
            Some(Dialect::Ash) => (format!("{given}: invalid format"), 1),
            None => (format!("{given}: invalid conversion specification"), 1),
        };
        self.end(message, status)
    }

    fn next(&mut self) -> Option<BString> {
        let argument = self.arguments.get(self.used).cloned();
        self.used += usize::from(argument.is_some());
        argument
    }

    fn refuse(&self, why: &str) -> End {
        End::Stop(self.process.refuse(Reason::Use(why.to_owned())))
    }

    fn end(&mut self, message: String, status: u8) -> End {
        self.status = status;
        match self.say(message) {
            Ok(()) => End::Told,
            Err(stop) => End::Stop(stop),
        }
    }

    fn fail(&mut self, message: String) -> Result<(), End> {
        self.status = 1;
        Ok(self.say(message)?)
    }

    /// Programs write what they have before they complain; dash writes when it is done, and bash
    /// line by line.
    fn say(&mut self, message: String) -> Result<(), Stop> {
        let ready = match self.dialect {
            Some(Dialect::Dash) => 0,
            Some(Dialect::Bash) => self.output.rfind_byte(b'\n').map_or(0, |at| at + 1),
            Some(Dialect::Ash) | None => self.output.len(),
        };
        let rest = self.output.split_off(ready);
        self.flush()?;
        self.output = rest;
        self.process.complain(message)
    }

    fn flush(&mut self) -> Result<(), Stop> {
        self.process.write(std::mem::take(&mut self.output))
    }
}

/// How much of a text is a number in decimal digits, without a sign (C's `strtod`).
fn decimal_length(text: &[u8]) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let whole = digits(0);
    let mut end = whole;
    if text.get(end) == Some(&b'.') && (whole > 0 || digits(end + 1) > 0) {
        end += 1 + digits(end + 1);
    }
    if end > 0 && matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'-' | b'+')));
        let power = digits(end + 1 + sign);
        if power > 0 {
            end += 1 + sign + power;
        }
    }
    end
}

#[cfg(test)]
mod tests;
