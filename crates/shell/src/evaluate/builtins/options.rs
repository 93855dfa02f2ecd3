//! `set` and `shopt`.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator, Flow, Options, ShellOptions};
use crate::evaluate::trace::single_quoted;
use crate::evaluate::variables::Value;

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum Switch {
    On,
    Off,
}

pub(super) fn set(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut operands = &words[1..];
    if operands.is_empty() {
        return evaluator.list_all_variables();
    }
    let mut sets = false;
    while let Some(word) = operands.first() {
        if word == "--" {
            operands = &operands[1..];
            sets = true;
            break;
        }
        if word == "-" {
            evaluator.shell.options.xtrace = false;
            operands = &operands[1..];
            sets = !operands.is_empty();
            break;
        }
        let switch = match word.first() {
            Some(b'-') => Switch::On,
            Some(b'+') if word.len() > 1 => Switch::Off,
            _ => break,
        };
        operands = &operands[1..];
        for letter in word[1..].iter().copied() {
            if letter == b'o' {
                let Some(name) = operands.first() else {
                    return evaluator.refuse("set -o", "a list of options");
                };
                operands = &operands[1..];
                let status = evaluator.switch_long(name, switch)?;
                if status != 0 {
                    return Ok(status);
                }
            } else {
                evaluator.switch_letter(letter, switch)?;
            }
        }
    }
    if sets || !operands.is_empty() {
        evaluator.shell.positional = Rc::new(operands.iter().cloned().collect());
    }
    Ok(0)
}

impl Evaluator<'_, '_> {
    /// Sets an option by its letter.
    pub(in crate::evaluate) fn switch_letter(&mut self, letter: u8, switch: Switch) -> Eval<()> {
        let is_on = switch == Switch::On;
        let dialect = self.shell.dialect;
        match option_of(&mut self.shell.options, letter, dialect) {
            Some(option) => {
                *option = is_on;
                Ok(())
            }
            None => match letter {
                // bash remembers where programs are, and expands braces, anyway.
                b'h' if self.shell.dialect.is_bash() && is_on => Ok(()),
                b'B' if self.shell.dialect.is_bash() && is_on => Ok(()),
                b'm' | b'b' | b'i' | b'H' if !is_on => Ok(()),
                _ => {
                    let sign = if is_on { "-" } else { "+" };
                    self.refuse("set", format!("the option `{sign}{}`", char::from(letter)))
                }
            },
        }
    }

    /// Sets an option by its name; the exit status.
    pub(in crate::evaluate) fn switch_long(&mut self, name: &BString, switch: Switch) -> Eval<u8> {
        let letter = match name.as_bytes() {
            b"allexport" => b'a',
            b"errexit" => b'e',
            b"noglob" => b'f',
            b"noclobber" => b'C',
            b"nounset" => b'u',
            b"xtrace" => b'x',
            b"errtrace" if self.shell.dialect.is_bash() => b'E',
            b"functrace" if self.shell.dialect.is_bash() => b'T',
            b"pipefail" if self.shell.dialect != Dialect::Dash => {
                self.shell.options.pipefail = switch == Switch::On;
                return Ok(0);
            }
            b"hashall" | b"braceexpand" | b"interactive-comments"
                if self.shell.dialect.is_bash() && switch == Switch::On =>
            {
                return Ok(0);
            }
            b"pipefail" => {
                self.say(format!("set: Illegal option -o {name}"))?;
                return Err(Flow::Exit(2));
            }
            _ => return self.refuse("set -o", format!("the option `{name}`")),
        };
        self.switch_letter(letter, switch)?;
        Ok(0)
    }

    /// `$-`
    pub(in crate::evaluate) fn option_letters(&self) -> String {
        let options = &self.shell.options;
        let all: &[(char, bool)] = match self.shell.dialect {
            Dialect::Bash => &[
                ('a', options.allexport),
                ('e', options.errexit),
                ('f', options.noglob),
                ('h', true),
                ('u', options.nounset),
                ('x', options.xtrace),
                ('B', true),
                ('C', options.noclobber),
                ('E', options.errtrace),
                ('T', options.functrace),
                ('c', options.is_command),
                ('s', options.reads_input),
            ],
            _ => &[
                ('e', options.errexit),
                ('f', options.noglob),
                ('s', options.reads_input),
                ('x', options.xtrace),
                ('C', options.noclobber),
                ('a', options.allexport),
                ('u', options.nounset),
            ],
        };
        all.iter().filter(|(_, is_on)| *is_on).map(|(letter, _)| *letter).collect()
    }

    /// `set` without arguments, as dash shows it.
    fn list_all_variables(&mut self) -> Eval<u8> {
        if self.shell.dialect != Dialect::Dash {
            return self.refuse("set", "a list of all variables");
        }
        let all: Vec<(BString, BString)> = self
            .shell
            .variables
            .iter()
            .filter_map(|(name, own)| Some((name.clone(), own.value.as_ref()?)))
            .filter_map(|(name, value)| Some((name, Value::scalar(value)?.clone())))
            .collect();
        for (name, value) in all {
            let shown = single_quoted(&value, b"'\"'\"'");
            self.write(1, &[name.as_bytes(), b"=", &shown, b"\n"].concat())?;
        }
        Ok(0)
    }
}

fn option_of(options: &mut Options, letter: u8, dialect: Dialect) -> Option<&mut bool> {
    Some(match letter {
        b'a' => &mut options.allexport,
        b'e' => &mut options.errexit,
        b'f' => &mut options.noglob,
        b'C' => &mut options.noclobber,
        b'u' => &mut options.nounset,
        b'x' => &mut options.xtrace,
        b'E' if dialect.is_bash() => &mut options.errtrace,
        b'T' if dialect.is_bash() => &mut options.functrace,
        _ => return None,
    })
}

/// bash's own options.
pub(super) fn shopt(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut switch = None;
    let mut is_quiet = false;
    let mut operands = &words[1..];
    while let Some(word) = operands.first().filter(|word| word.starts_with(b"-")) {
        match word.as_bytes() {
            b"-s" => switch = Some(Switch::On),
            b"-u" => switch = Some(Switch::Off),
            b"-q" => is_quiet = true,
            _ => return evaluator.refuse_option(words, word),
        }
        operands = &operands[1..];
    }
    if operands.is_empty() {
        return evaluator.refuse("shopt", "a list of options");
    }
    let mut status = 0;
    for name in operands {
        let Some(option) = shell_option(&mut evaluator.shell.shopt, name) else {
            return evaluator.refuse("shopt", format!("the option `{name}`"));
        };
        match switch {
            Some(switch) => *option = switch == Switch::On,
            None => {
                let is_on = *option;
                status |= u8::from(!is_on);
                if !is_quiet {
                    let state = if is_on { "on" } else { "off" };
                    evaluator.write(1, format!("{name:<15}\t{state}\n").as_bytes())?;
                }
            }
        }
    }
    Ok(status)
}

fn shell_option<'o>(options: &'o mut ShellOptions, name: &[u8]) -> Option<&'o mut bool> {
    Some(match name {
        b"dotglob" => &mut options.dotglob,
        b"extglob" => &mut options.extglob,
        b"failglob" => &mut options.failglob,
        b"globstar" => &mut options.globstar,
        b"inherit_errexit" => &mut options.inherit_errexit,
        b"nocasematch" => &mut options.nocasematch,
        b"nullglob" => &mut options.nullglob,
        _ => return None,
    })
}
