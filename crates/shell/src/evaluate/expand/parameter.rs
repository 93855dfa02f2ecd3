//! Parameters and what `${…}` makes of them (POSIX XCU 2.5, 2.6.2).

use bstr::{BString, ByteSlice};

use super::{Context, Kind, Piece, Purpose, Quoting};
use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator, Flow};
use crate::evaluate::syntax::tree::{
    Alternative, Name, Operation, Parameter, Part, Subscript, Test, Word,
};

/// What a parameter stands for.
pub(super) enum Found {
    Unset,
    One(BString),
    Many(Vec<BString>),
}

impl Evaluator<'_, '_> {
    pub(super) fn expand_parameter(
        &mut self,
        parameter: &Parameter,
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        self.machine.budget.step()?;
        if parameter.is_indirect {
            let target = self.indirect(parameter)?;
            return self.expand_parameter(&target, context, pieces);
        }
        if let Operation::Keys = parameter.operation {
            let keys = self.keys(parameter)?;
            return self.emit(parameter, Found::Many(keys), context, pieces);
        }
        let found = self.find(parameter)?;
        let found = match &parameter.operation {
            Operation::Alternative { test, action, word } => {
                return self.alternative(parameter, found, (*test, *action, word), context, pieces);
            }
            operation => {
                self.check_set(parameter, &found)?;
                self.operate(parameter, operation, found)?
            }
        };
        self.emit(parameter, found, context, pieces)
    }

    /// `${!name}`: the parameter that is named by the value.
    fn indirect(&mut self, parameter: &Parameter) -> Eval<Parameter> {
        let plain =
            Parameter { is_indirect: false, operation: Operation::Plain, ..parameter.clone() };
        let Found::One(target) = self.find(&plain)? else {
            return match &parameter.name {
                Name::Variable(name) if parameter.subscript.is_none() => {
                    self.say(format!("{name}: invalid indirect expansion"))?;
                    self.fatal()
                }
                name => self.refuse(format!("${{!{}}}", name.shown()), "an unset name"),
            };
        };
        let name = if crate::evaluate::dialect::is_name(&target) {
            Name::Variable(target)
        } else {
            match target.to_str().ok().and_then(|digits| digits.parse::<usize>().ok()) {
                Some(number) if number > 0 => Name::Positional(number),
                None if target.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ') => {
                    self.say([target.as_bytes(), b": invalid variable name"].concat())?;
                    return self.fatal();
                }
                _ => {
                    return self.refuse(
                        format!("${{!{}}}", parameter.name.shown()),
                        format!("`{target}` as a name"),
                    );
                }
            }
        };
        let operation = parameter.operation.clone();
        Ok(Parameter { name, subscript: None, is_indirect: false, is_braced: true, operation })
    }

    fn check_set(&mut self, parameter: &Parameter, found: &Found) -> Eval<()> {
        if matches!(found, Found::Unset) && self.shell.options.nounset {
            let name = parameter.name.shown();
            let is_bare = matches!(parameter.name, Name::Positional(_)) && !parameter.is_braced;
            return match self.shell.dialect.is_bash() && is_bare {
                true => self.unset_error(&format!("${name}")),
                false => self.unset_error(&name),
            };
        }
        Ok(())
    }

    /// `set -u`: what is not set ends the shell.
    pub(super) fn unset_error(&mut self, name: &str) -> Eval<()> {
        match self.shell.dialect {
            Dialect::Bash => {
                self.say(format!("{name}: unbound variable"))?;
                Err(Flow::Exit(self.unset_status()))
            }
            _ => {
                self.say(format!("{name}: parameter not set"))?;
                Err(Flow::Exit(2))
            }
        }
    }

    /// bash ends with another status if it reads its commands from an argument.
    fn unset_status(&self) -> u8 {
        let options = &self.shell.options;
        let is_abrupt = options.is_command && !options.errexit && self.shell.subshells == 0;
        if is_abrupt { 127 } else { 1 }
    }

    fn alternative(
        &mut self,
        parameter: &Parameter,
        found: Found,
        (test, action, word): (Test, Alternative, &Word),
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        let is_missing = self.is_missing(&found, test);
        match (action, is_missing) {
            (Alternative::UseIfSet, true) => self.emit(parameter, Found::Unset, context, pieces),
            (Alternative::UseIfSet, false) | (Alternative::Use, true) => {
                let quoting = match context.quoting {
                    Quoting::Double => Quoting::Double,
                    _ => Quoting::Operand,
                };
                self.expand_parts(&word.parts, Context { quoting, ..context }, pieces)
            }
            (Alternative::Assign, true) => {
                let value = self.single(word)?;
                let Name::Variable(name) = &parameter.name else {
                    return self.refuse(parameter.name.shown(), "an assignment to this parameter");
                };
                if parameter.subscript.is_some() {
                    return self.refuse(parameter.name.shown(), "an assignment to an element");
                }
                self.assign_scalar(name, value.clone())?;
                self.emit(parameter, Found::One(value), context, pieces)
            }
            (Alternative::Fail, true) => self.missing_error(parameter, test, word),
            (_, false) => self.emit(parameter, found, context, pieces),
        }
    }

    fn is_missing(&self, found: &Found, test: Test) -> bool {
        match (found, test) {
            (Found::Unset, _) => true,
            (Found::One(_), Test::Unset) => false,
            (Found::One(value), Test::UnsetOrEmpty) => value.is_empty(),
            (Found::Many(values), Test::Unset) => values.is_empty(),
            (Found::Many(values), Test::UnsetOrEmpty) => match &values[..] {
                [] => true,
                [only] => only.is_empty(),
                _ => false,
            },
        }
    }

    fn missing_error(&mut self, parameter: &Parameter, test: Test, word: &Word) -> Eval<()> {
        let name = parameter.name.shown();
        let own = self.single(word)?;
        let is_bash = self.shell.dialect.is_bash();
        let is_nothing = |part: &Part| match part {
            Part::Literal(text) => text.is_empty(),
            Part::Double(parts) => parts.is_empty(),
            _ => false,
        };
        let message = match (word.parts.iter().all(is_nothing), test) {
            (false, _) => own,
            (true, Test::Unset) => "parameter not set".into(),
            (true, Test::UnsetOrEmpty) if is_bash => "parameter null or not set".into(),
            (true, Test::UnsetOrEmpty) => "parameter not set or null".into(),
        };
        self.say([name.as_bytes(), b": ", message.as_bytes()].concat())?;
        Err(Flow::Exit(if is_bash { self.unset_status() } else { 2 }))
    }

    /// Puts values where the word is.
    fn emit(
        &mut self,
        parameter: &Parameter,
        found: Found,
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        let kind = context.expanded();
        let values = match found {
            Found::Unset => return Ok(()),
            Found::One(value) => {
                self.machine.budget.hold(value.len())?;
                pieces.push(Piece::Text(value, kind));
                return Ok(());
            }
            Found::Many(values) => values,
        };
        self.machine.budget.hold(held(&values))?;
        let is_joined = parameter.name == Name::Joined
            || matches!(parameter.subscript, Some(Subscript::Joined));
        let joins = is_joined && (kind == Kind::Quoted || context.purpose == Purpose::Single);
        if joins {
            let text = bstr::join(self.joint(), values.iter());
            pieces.push(Piece::Text(text.into(), kind));
            return Ok(());
        }
        if values.is_empty() && kind == Kind::Quoted {
            pieces.push(Piece::Nothing);
        }
        // bash joins the elements before it splits them, so that empty ones may be fields.
        let joint = self.joint();
        let splits = self.shell.dialect.is_bash()
            && kind == Kind::Expanded
            && context.purpose == Purpose::Fields
            && !joint.is_empty();
        let between = if splits { Piece::Text(joint, Kind::Expanded) } else { Piece::Break };
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                pieces.push(between.clone());
            }
            pieces.push(Piece::Text(value, kind));
        }
        Ok(())
    }

    /// What stands between the elements of `"$*"`.
    fn joint(&self) -> BString {
        match self.shell.variables.value(b"IFS") {
            Some(ifs) => ifs.iter().take(1).copied().collect::<Vec<u8>>().into(),
            None => " ".into(),
        }
    }
}

/// What a list of words takes: a word that is short takes more than its letters.
fn held(values: &[BString]) -> usize {
    values.iter().map(|value| value.len() + size_of::<Piece>()).sum()
}
