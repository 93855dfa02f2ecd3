//! Functions that the language has (POSIX XCU awk, "Functions").

use bstr::{BString, ByteSlice};

use super::input::{Reader, Separator};
use super::interpret::{Awk, Halt, special};
use super::lexer::Builtin;
use super::syntax::{Expression, Place};
use super::value::Value;
use crate::process::errno;

impl Awk<'_, '_, '_, '_> {
    pub(super) fn builtin(
        &mut self,
        builtin: Builtin,
        arguments: &[Expression],
    ) -> Result<Value, Halt> {
        let number = |number: f64| Ok(Value::Number(number));
        match builtin {
            Builtin::Length => self.length(arguments.first()),
            Builtin::Substr => self.substring(arguments),
            Builtin::Index => {
                let (text, part) = (self.string(&arguments[0])?, self.string(&arguments[1])?);
                number(text.find(&part).map_or(0, |at| at + 1) as f64)
            }
            Builtin::Split => self.split_into(arguments),
            Builtin::Sub | Builtin::Gsub => self.substitute(builtin, arguments),
            Builtin::Match => self.match_in(arguments),
            Builtin::Tolower => Ok(Value::text(self.string(&arguments[0])?.to_ascii_lowercase())),
            Builtin::Toupper => Ok(Value::text(self.string(&arguments[0])?.to_ascii_uppercase())),
            Builtin::Sprintf => Ok(Value::Text(self.formatted(arguments)?)),
            Builtin::Int => number(self.number(&arguments[0])?.trunc()),
            Builtin::Sqrt => number(self.number(&arguments[0])?.sqrt()),
            Builtin::Exp => number(self.number(&arguments[0])?.exp()),
            Builtin::Log => number(self.number(&arguments[0])?.ln()),
            Builtin::Sin => number(self.number(&arguments[0])?.sin()),
            Builtin::Cos => number(self.number(&arguments[0])?.cos()),
            Builtin::Atan2 => {
                let (y, x) = (self.number(&arguments[0])?, self.number(&arguments[1])?);
                number(y.atan2(x))
            }
            Builtin::Close => self.close(&arguments[0]),
            Builtin::Fflush => {
                for argument in arguments {
                    self.evaluate(argument)?;
                }
                number(0.0)
            }
            Builtin::Rand | Builtin::Srand => Err(self.refused("takes random numbers").into()),
            Builtin::System => Err(self.refused("runs other programs").into()),
            Builtin::Time | Builtin::Strftime | Builtin::Mktime => {
                Err(self.refused("asks for the time").into())
            }
        }
    }

    fn string(&mut self, expression: &Expression) -> Result<BString, Halt> {
        let value = self.evaluate(expression)?;
        self.text(&value)
    }

    fn length(&mut self, of: Option<&Expression>) -> Result<Value, Halt> {
        let length = match of {
            None => self.record.text.len(),
            Some(Expression::Place(place)) => match **place {
                Place::Variable(variable) if self.is_array(variable) => {
                    self.array(variable)?.borrow().len()
                }
                _ => {
                    let value = self.read(place)?;
                    self.text(&value)?.len()
                }
            },
            Some(expression) => self.string(expression)?.len(),
        };
        Ok(Value::Number(length as f64))
    }

    /// mawk cuts both numbers to integers; what is in front of the text makes the length longer.
    fn substring(&mut self, arguments: &[Expression]) -> Result<Value, Halt> {
        let text = self.string(&arguments[0])?;
        let mut start = self.number(&arguments[1])?.trunc();
        let mut length = match arguments.get(2) {
            Some(length) => self.number(length)?.trunc(),
            None => f64::from(i32::MAX),
        };
        if start.is_nan() || length.is_nan() {
            return Err(self.refused("takes a part of no number").into());
        }
        if start < 1.0 {
            length -= start;
            start = 1.0;
        }
        let start = start as usize - 1;
        let part = text.get(start..).unwrap_or_default();
        let length = (length.max(0.0) as usize).min(part.len());
        Ok(Value::text(&part[..length]))
    }

    fn split_into(&mut self, arguments: &[Expression]) -> Result<Value, Halt> {
        let text = self.string(&arguments[0])?;
        let array = match &arguments[1] {
            Expression::Place(place) => match **place {
                Place::Variable(variable) => self.array(variable)?,
                _ => return Err(self.refused("splits into what is no array").into()),
            },
            _ => return Err(self.refused("splits into what is no array").into()),
        };
        let parts = match arguments.get(2) {
            Some(Expression::Pattern(regex)) => {
                let regex = std::rc::Rc::clone(regex);
                self.split(&text, &Separator::Regex(regex))?
            }
            separator => {
                let separator = match separator {
                    Some(separator) => self.string(separator)?,
                    None => self.text_of(special::FS)?,
                };
                self.split(&text, &Separator::of(&separator))?
            }
        };
        let count = parts.len();
        let mut array = array.borrow_mut();
        array.clear();
        for (at, part) in parts.into_iter().enumerate() {
            array.insert((at + 1).to_string().into(), Value::input(part));
        }
        Ok(Value::Number(count as f64))
    }

    fn match_in(&mut self, arguments: &[Expression]) -> Result<Value, Halt> {
        let text = self.string(&arguments[0])?;
        let regex = self.pattern(&arguments[1])?;
        let span = regex.span_at(&text, 0).map_err(|error| error.refusal(self.process))?;
        let (start, length) = match span {
            Some(span) => ((span.start + 1) as f64, span.len() as f64),
            None => (0.0, -1.0),
        };
        self.set_special(special::RSTART, Value::Number(start));
        self.set_special(special::RLENGTH, Value::Number(length));
        Ok(Value::Number(start))
    }

    fn substitute(&mut self, builtin: Builtin, arguments: &[Expression]) -> Result<Value, Halt> {
        let regex = self.pattern(&arguments[0])?;
        let replacement = self.string(&arguments[1])?;
        let record = Place::Field(Expression::Number(0.0));
        let place = match arguments.get(2) {
            None => &record,
            Some(Expression::Place(place)) => place,
            Some(_) => return Err(self.refused("substitutes in what is no variable").into()),
        };
        let value = self.read(place)?;
        let text = self.text(&value)?;
        let mut result = Vec::new();
        let (mut at, mut count) = (0, 0u32);
        let mut last_end = None;
        while at <= text.len() {
            let span = regex.span_at(&text, at).map_err(|error| error.refusal(self.process))?;
            let Some(span) = span else { break };
            result.extend_from_slice(&text[at..span.start]);
            if !(span.is_empty() && last_end == Some(span.start)) {
                append_replacement(&mut result, &replacement, &text[span.clone()]);
                count += 1;
            }
            at = span.end;
            last_end = Some(at);
            if builtin == Builtin::Sub {
                break;
            }
            if span.is_empty() {
                result.extend(text.get(at).copied());
                at += 1;
            }
        }
        if count > 0 {
            result.extend_from_slice(text.get(at..).unwrap_or_default());
            self.process.machine.budget.hold(result.len())?;
            self.assign(place, Value::text(result))?;
        }
        Ok(Value::Number(f64::from(count)))
    }

    fn close(&mut self, name: &Expression) -> Result<Value, Halt> {
        let name = self.string(name)?;
        let was_open = self.readers.remove(&name).is_some() | self.outputs.remove(&name).is_some();
        Ok(Value::Number(if was_open { 0.0 } else { -1.0 }))
    }

    pub(super) fn getline(
        &mut self,
        target: Option<&Place>,
        file: Option<&Expression>,
    ) -> Result<Value, Halt> {
        let record = match file {
            None => self.next_record()?,
            Some(file) => {
                let name = self.string(file)?;
                if !self.readers.contains_key(&name) {
                    let path = if name == "-" { b"/dev/stdin" } else { &name[..] };
                    match errno(self.process.open_bytes(path))? {
                        Ok(bytes) => {
                            self.readers.insert(name.clone(), Reader::new(bytes));
                        }
                        Err(_) => return Ok(Value::Number(-1.0)),
                    }
                }
                let Some(mut reader) = self.readers.remove(&name) else {
                    return Ok(Value::Number(-1.0));
                };
                let record = self.record(&mut reader)?;
                self.readers.insert(name, reader);
                record
            }
        };
        let Some(record) = record else { return Ok(Value::Number(0.0)) };
        match target {
            None => self.set_record(record),
            Some(place) => self.assign(place, Value::input(record))?,
        }
        Ok(Value::Number(1.0))
    }
}

/// `&` is what matched; `\&` is an ampersand, `\\` a backslash.
fn append_replacement(to: &mut Vec<u8>, replacement: &[u8], matched: &[u8]) {
    let mut rest = replacement;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind.first()) {
            (b'&', _) => to.extend_from_slice(matched),
            (b'\\', Some(escaped @ (b'&' | b'\\'))) => {
                to.push(*escaped);
                rest = &behind[1..];
            }
            _ => to.push(*first),
        }
    }
}
