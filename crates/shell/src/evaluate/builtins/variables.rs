//! Builtins about variables and positional parameters.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use crate::evaluate::dialect::{Dialect, is_name};
use crate::evaluate::shell::{Eval, Evaluator, Flow};
use crate::evaluate::syntax::tree::{AssignMode, AssignedValue, Assignment};
use crate::evaluate::trace::single_quoted;
use crate::evaluate::variables::{Value, Variable};

/// What a declaration sets.
#[derive(Debug, Clone, Copy, Default)]
struct Attributes {
    exports: Option<bool>,
    is_readonly: bool,
    is_integer: Option<bool>,
    is_indexed: bool,
    is_associative: bool,
    /// `declare -g`
    is_global: bool,
    /// `-p`
    lists: bool,
    /// `-f`
    is_function: bool,
}

pub(super) fn export(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let (attributes, operands) = evaluator.attributes(words, "pn")?;
    let exports = attributes.exports.unwrap_or(true);
    let attributes = Attributes { exports: Some(exports), ..attributes };
    evaluator.declare_all(words, operands, attributes, Scope::Here)
}

pub(super) fn readonly(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let (attributes, operands) = evaluator.attributes(words, "paA")?;
    let attributes = Attributes { is_readonly: true, ..attributes };
    evaluator.declare_all(words, operands, attributes, Scope::Here)
}

pub(super) fn local(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    if evaluator.shell.functions_entered == 0 {
        return match evaluator.shell.dialect {
            Dialect::Bash => evaluator.builtin_error(words, "can only be used in a function"),
            _ => {
                evaluator.say_of(words[0].as_ref(), "not in a function")?;
                Err(Flow::Exit(2))
            }
        };
    }
    let (attributes, operands) = evaluator.attributes(words, "rixaA")?;
    evaluator.declare_all(words, operands, attributes, Scope::Function)
}

pub(super) fn declare(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let (attributes, operands) = evaluator.attributes(words, "rixaAgpfF")?;
    let is_local = evaluator.shell.functions_entered > 0 && !attributes.is_global;
    let scope = if is_local { Scope::Function } else { Scope::Here };
    evaluator.declare_all(words, operands, attributes, scope)
}

/// Where a declared variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Where it already is.
    Here,
    /// Until the function ends.
    Function,
}

impl Evaluator<'_, '_> {
    /// Reads options of these letters.
    fn attributes<'w>(
        &mut self,
        words: &'w [BString],
        known: &str,
    ) -> Eval<(Attributes, &'w [BString])> {
        let mut attributes = Attributes::default();
        let mut operands = &words[1..];
        while let Some(word) = operands.first() {
            let sign = word.first().copied();
            if word == "--" {
                operands = &operands[1..];
                break;
            }
            if word.len() < 2 || !matches!(sign, Some(b'-' | b'+')) {
                break;
            }
            let is_bash = self.shell.dialect.is_bash();
            let gives = sign == Some(b'-');
            for letter in word[1..].iter().map(|byte| char::from(*byte)) {
                let is_known = known.contains(letter)
                    && (is_bash || letter == 'p')
                    && (gives || letter == 'x');
                match letter {
                    _ if !is_known => return self.refuse_option(words, word),
                    'p' => attributes.lists = true,
                    'n' => attributes.exports = Some(false),
                    'x' => attributes.exports = Some(gives),
                    'r' => attributes.is_readonly = true,
                    'i' => attributes.is_integer = Some(true),
                    'a' => attributes.is_indexed = true,
                    'A' => attributes.is_associative = true,
                    'g' => attributes.is_global = true,
                    _ => attributes.is_function = true,
                }
            }
            operands = &operands[1..];
        }
        Ok((attributes, operands))
    }

    fn declare_all(
        &mut self,
        words: &[BString],
        operands: &[BString],
        attributes: Attributes,
        scope: Scope,
    ) -> Eval<u8> {
        if attributes.is_function {
            return self.declared_functions(operands);
        }
        if operands.is_empty() || attributes.lists {
            return self.list_variables(words, operands, attributes);
        }
        let mut status = 0;
        for operand in operands {
            let (name, value) = match operand.split_once_str("=") {
                Some((name, value)) => (name, Some(BString::from(value))),
                None => (operand.as_bytes(), None),
            };
            let (name, mode) = match name.strip_suffix(b"+") {
                Some(name) if self.shell.dialect.is_bash() => (name, AssignMode::Append),
                _ => (name, AssignMode::Replace),
            };
            if !is_name(name) {
                status = self.bad_name(words, operand, name)?;
                continue;
            }
            let name = BString::from(name);
            if scope == Scope::Function {
                self.make_local(&name, attributes)?;
            }
            self.prepare(&name, attributes)?;
            if let Some(value) = value {
                let value = self.appended(&name, mode, value)?;
                self.assign_scalar(&name, value)?;
            }
            self.mark(&name, attributes);
        }
        Ok(status)
    }

    fn bad_name(&mut self, words: &[BString], operand: &BString, name: &[u8]) -> Eval<u8> {
        match self.shell.dialect {
            Dialect::Bash => {
                let message = [b"`", operand.as_bytes(), b"': not a valid identifier"].concat();
                self.builtin_error(words, message)
            }
            _ => {
                self.say_of(words[0].as_ref(), [name, b": bad variable name"].concat())?;
                Err(Flow::Exit(2))
            }
        }
    }

    /// `declare -f name` tells whether there is a function; showing it is not done.
    fn declared_functions(&mut self, operands: &[BString]) -> Eval<u8> {
        let has_all = operands.iter().all(|name| self.shell.functions.contains_key(name));
        match has_all {
            true => self.refuse("declare -f", "the text of a function"),
            false => Ok(1),
        }
    }

    fn make_local(&mut self, name: &BString, attributes: Attributes) -> Eval<()> {
        self.check_writable(name)?;
        if self.shell.variables.hide(name) && self.shell.dialect != Dialect::Dash {
            // In bash a local variable begins without a value; in dash it keeps the outer one.
            let is_exported =
                self.shell.variables.get(name).is_some_and(|variable| variable.is_exported);
            let is_local_export = is_exported || attributes.exports == Some(true);
            *self.shell.variables.entry(name) =
                Variable { is_exported: is_local_export, ..Variable::default() };
        }
        Ok(())
    }

    /// Makes an array of it.
    fn prepare(&mut self, name: &BString, attributes: Attributes) -> Eval<()> {
        let variable = self.shell.variables.entry(name);
        if let Some(is_integer) = attributes.is_integer {
            variable.is_integer = is_integer;
        }
        let empty = match (attributes.is_associative, attributes.is_indexed) {
            (true, _) => Value::Associative(BTreeMap::new()),
            (_, true) => Value::Indexed(BTreeMap::new()),
            _ => return Ok(()),
        };
        match (&variable.value, &empty) {
            (None, _) => variable.value = Some(empty),
            (Some(Value::Associative(_)), Value::Associative(_))
            | (Some(Value::Indexed(_)), Value::Indexed(_)) => {}
            (Some(Value::Scalar(value)), Value::Indexed(_)) => {
                variable.value = Some(Value::Indexed(BTreeMap::from([(0, value.clone())])));
            }
            _ => return self.refuse(name.to_string(), "another kind of array"),
        }
        Ok(())
    }

    fn mark(&mut self, name: &BString, attributes: Attributes) {
        let variable = self.shell.variables.entry(name);
        if let Some(exports) = attributes.exports {
            variable.is_exported = exports;
        }
        variable.is_readonly |= attributes.is_readonly;
    }

    /// In bash: an assignment among the arguments of a builtin that declares. An array is filled
    /// at once; what the builtin gets is its name.
    pub(in crate::evaluate) fn declared(&mut self, assignment: &Assignment) -> Eval<BString> {
        let Assignment { name, subscript, mode, value } = assignment;
        let AssignedValue::Scalar(word) = value else {
            return self.refuse(name.to_string(), "an array in a declaration");
        };
        if subscript.is_some() {
            return self.refuse(name.to_string(), "an element in a declaration");
        }
        let value = self.assigned(word)?;
        let sign: &[u8] = if *mode == AssignMode::Append { b"+=" } else { b"=" };
        Ok([name.as_bytes(), sign, &value].concat().into())
    }

    fn list_variables(
        &mut self,
        words: &[BString],
        operands: &[BString],
        attributes: Attributes,
    ) -> Eval<u8> {
        let command = words[0].clone();
        let is_listing = attributes.exports.is_some() || attributes.is_readonly;
        if !is_listing || !operands.is_empty() || self.shell.dialect.is_bash() {
            return self.refuse(command.to_string(), "a list of variables");
        }
        let all: Vec<(BString, Variable)> = self
            .shell
            .variables
            .iter()
            .filter(|(_, own)| match attributes.is_readonly {
                true => own.is_readonly,
                false => own.is_exported,
            })
            .map(|(name, own)| (name.clone(), own.clone()))
            .collect();
        for (name, variable) in all {
            let mut line = [command.as_bytes(), b" ", &name].concat();
            if let Some(value) = variable.value.as_ref().and_then(Value::scalar) {
                line.push(b'=');
                line.extend(single_quoted(value, b"'\"'\"'"));
            }
            line.push(b'\n');
            self.write(1, &line)?;
        }
        Ok(0)
    }
}

pub(super) fn unset(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut operands = &words[1..];
    let mut is_function = false;
    let mut is_variable = false;
    while let Some(word) = operands.first() {
        match word.as_bytes() {
            b"-f" => is_function = true,
            b"-v" => is_variable = true,
            b"--" => {}
            option if option.starts_with(b"-") => return evaluator.refuse_option(words, word),
            _ => break,
        }
        operands = &operands[1..];
    }
    let mut status = 0;
    for name in operands {
        if is_function {
            Rc::make_mut(&mut evaluator.shell.functions).remove(name);
            continue;
        }
        if !is_name(name) {
            if name.contains(&b'[') && evaluator.shell.dialect.is_bash() {
                evaluator.unset_element(name)?;
                continue;
            }
            if evaluator.shell.dialect.is_bash() {
                Rc::make_mut(&mut evaluator.shell.functions).remove(name);
                continue;
            }
            evaluator
                .say_of(words[0].as_ref(), [name.as_bytes(), b": bad variable name"].concat())?;
            return Err(Flow::Exit(2));
        }
        let known = evaluator.shell.variables.get(name);
        if known.is_some_and(|variable| variable.is_readonly) {
            status = evaluator.cannot_unset(words, name)?;
            continue;
        }
        let removed = evaluator.shell.variables.remove(name);
        let falls_back = removed.is_none() && !is_variable && evaluator.shell.dialect.is_bash();
        if falls_back {
            Rc::make_mut(&mut evaluator.shell.functions).remove(name);
        }
    }
    Ok(status)
}

impl Evaluator<'_, '_> {
    fn cannot_unset(&mut self, words: &[BString], name: &BString) -> Eval<u8> {
        match self.shell.dialect {
            Dialect::Bash => {
                let message = [name.as_bytes(), b": cannot unset: readonly variable"].concat();
                self.builtin_error(words, message)
            }
            _ => {
                self.say_of(words[0].as_ref(), [name.as_bytes(), b": is read only"].concat())?;
                Err(Flow::Exit(2))
            }
        }
    }

    /// `unset 'name[index]'`
    fn unset_element(&mut self, operand: &BString) -> Eval<()> {
        let inner = operand.strip_suffix(b"]").and_then(|inner| inner.split_once_str("["));
        let Some((name, key)) = inner.filter(|(name, _)| is_name(name)) else {
            return self.refuse("unset", format!("`{operand}`"));
        };
        self.check_writable(&name.into())?;
        let is_associative = matches!(
            self.shell.variables.get(name).and_then(|own| own.value.as_ref()),
            Some(Value::Associative(_))
        );
        let index = if is_associative { 0 } else { self.arithmetic(key)? };
        match &mut self.shell.variables.entry(name).value {
            Some(Value::Associative(elements)) => {
                elements.remove(key.as_bstr());
            }
            Some(Value::Indexed(elements)) => {
                if let Some(index) = crate::evaluate::expand::position(elements, index) {
                    elements.remove(&index);
                }
            }
            _ => return self.refuse("unset", format!("`{operand}`")),
        }
        Ok(())
    }
}

pub(super) fn shift(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let count = match words.get(1) {
        None => 1,
        Some(word) => match word.to_str().ok().and_then(|word| word.parse::<usize>().ok()) {
            Some(count) => count,
            None => return evaluator.refuse("shift", format!("`{word}`")),
        },
    };
    let positional = &evaluator.shell.positional;
    if count > positional.len() {
        return match evaluator.shell.dialect {
            Dialect::Dash => evaluator.builtin_error(words, "can't shift that many"),
            _ => Ok(1),
        };
    }
    Rc::make_mut(&mut evaluator.shell.positional).drain(..count);
    Ok(0)
}

/// `let expression…`
pub(super) fn let_(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    if words.len() < 2 {
        return evaluator.refuse("let", "no expression");
    }
    let mut value = 0;
    for word in &words[1..] {
        let Some(next) = evaluator.arithmetic_of(word, "let")? else { return Ok(1) };
        value = next;
    }
    Ok(u8::from(value == 0))
}
