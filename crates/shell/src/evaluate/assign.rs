//! Assignments.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::dialect::Dialect;
use super::expand::position;
use super::shell::{Eval, Evaluator, Flow};
use super::syntax::tree::{AssignMode, AssignedValue, Assignment, Word};
use super::variables::{Value, Variable};

impl Evaluator<'_, '_> {
    /// Sets a variable, unless it is read-only, which ends the shell.
    pub(super) fn assign_scalar(&mut self, name: &BString, value: BString) -> Eval<()> {
        self.check_writable(name)?;
        self.machine.budget.hold(value.len())?;
        let value = self.as_declared(name, value)?;
        let exports = self.shell.options.allexport;
        let variable = self.shell.variables.entry(name);
        match &mut variable.value {
            Some(Value::Indexed(elements)) => {
                elements.insert(0, value);
            }
            Some(Value::Associative(elements)) => {
                elements.insert("0".into(), value);
            }
            other => *other = Some(Value::Scalar(value)),
        }
        variable.is_exported |= exports;
        if name == "OPTIND" {
            self.shell.getopts_letter = 0;
        }
        Ok(())
    }

    /// What `declare -i` makes of a value.
    fn as_declared(&mut self, name: &[u8], value: BString) -> Eval<BString> {
        let is_integer = self.shell.variables.get(name).is_some_and(|own| own.is_integer);
        match is_integer {
            true => Ok(self.arithmetic(&value)?.to_string().into()),
            false => Ok(value),
        }
    }

    pub(super) fn check_writable(&mut self, name: &BString) -> Eval<()> {
        if !self.shell.variables.get(name).is_some_and(|variable| variable.is_readonly) {
            return Ok(());
        }
        match self.shell.dialect {
            Dialect::Bash => {
                self.say(format!("{name}: readonly variable"))?;
                Err(if self.shell.is_full_bash() { Flow::Discard(1) } else { Flow::Exit(127) })
            }
            _ => {
                self.say(format!("{name}: is read only"))?;
                Err(Flow::Exit(2))
            }
        }
    }

    pub(super) fn assign(&mut self, assignment: &Assignment) -> Eval<()> {
        let Assignment { name, subscript, mode, value } = assignment;
        match value {
            AssignedValue::Scalar(word) => {
                let value = self.assigned(word)?;
                match subscript {
                    Some(subscript) => self.assign_subscript(name, subscript, *mode, value),
                    None => {
                        let value = self.appended(name, *mode, value)?;
                        self.assign_scalar(name, value)
                    }
                }
            }
            AssignedValue::Array(elements) => self.assign_array(name, *mode, elements),
        }
    }

    /// What `name+=value` sets.
    pub(super) fn appended(
        &mut self,
        name: &BString,
        mode: AssignMode,
        value: BString,
    ) -> Eval<BString> {
        if mode == AssignMode::Replace {
            return Ok(value);
        }
        let is_integer = self.shell.variables.get(name).is_some_and(|own| own.is_integer);
        let before = self.variable_value(name)?.unwrap_or_default();
        Ok(match is_integer {
            true => [before.as_bytes(), b"+", &value].concat().into(),
            false => [before, value].concat().into(),
        })
    }

    fn assign_subscript(
        &mut self,
        name: &BString,
        subscript: &Word,
        mode: AssignMode,
        value: BString,
    ) -> Eval<()> {
        let key = self.single(subscript)?;
        self.assign_key(name, &key, mode, value)
    }

    fn assign_key(
        &mut self,
        name: &BString,
        key: &BString,
        mode: AssignMode,
        value: BString,
    ) -> Eval<()> {
        let variable = self.shell.variables.get(name);
        let is_associative = matches!(
            variable.and_then(|variable| variable.value.as_ref()),
            Some(Value::Associative(_))
        );
        if is_associative {
            self.check_writable(name)?;
            self.machine.budget.hold(value.len() + key.len())?;
            if let Some(Value::Associative(elements)) = &mut self.shell.variables.entry(name).value
            {
                let before = elements.get(key).cloned().unwrap_or_default();
                let value = match mode {
                    AssignMode::Append => [before, value].concat().into(),
                    AssignMode::Replace => value,
                };
                elements.insert(key.clone(), value);
            }
            return Ok(());
        }
        let index = self.arithmetic(key)?;
        let value = match mode {
            AssignMode::Append => {
                let before = self.element_at(name, index)?.unwrap_or_default();
                [before, value].concat().into()
            }
            AssignMode::Replace => value,
        };
        self.assign_element(name, index, value)
    }

    /// Sets an element by its index; a scalar becomes an array.
    pub(super) fn assign_element(
        &mut self,
        name: &BString,
        index: i64,
        value: BString,
    ) -> Eval<()> {
        self.check_writable(name)?;
        self.machine.budget.hold(value.len() + size_of::<Variable>())?;
        let value = self.as_declared(name, value)?;
        let variable = self.shell.variables.entry(name);
        let mut elements = match variable.value.take() {
            Some(Value::Indexed(elements)) => elements,
            Some(Value::Scalar(value)) => BTreeMap::from([(0, value)]),
            _ => BTreeMap::new(),
        };
        let place = position(&elements, index);
        if let Some(place) = place {
            elements.insert(place, value);
        }
        variable.value = Some(Value::Indexed(elements));
        match place {
            Some(_) => Ok(()),
            None => self.refuse(format!("{name}[{index}]"), "an index before the first"),
        }
    }

    pub(super) fn assign_array(
        &mut self,
        name: &BString,
        mode: AssignMode,
        elements: &[(Option<Word>, Word)],
    ) -> Eval<()> {
        self.check_writable(name)?;
        let makes = self.shell.variables.get(name).is_none_or(|own| own.value.is_none());
        if makes && mode == AssignMode::Append {
            self.shell.variables.entry(name).value = Some(Value::Indexed(BTreeMap::new()));
        }
        let mut values: Vec<(Option<BString>, BString)> = Vec::new();
        for (key, word) in elements {
            match key {
                Some(key) => {
                    let key = self.single(key)?;
                    values.push((Some(key), self.assigned(word)?));
                }
                None => {
                    let fields = self.fields(std::slice::from_ref(word))?;
                    values.extend(fields.into_iter().map(|value| (None, value)));
                }
            }
        }
        self.fill(name, mode, values)
    }

    fn fill(
        &mut self,
        name: &BString,
        mode: AssignMode,
        values: Vec<(Option<BString>, BString)>,
    ) -> Eval<()> {
        let variable = self.shell.variables.entry(name);
        let mut next = 0;
        match (&mut variable.value, mode) {
            (Some(Value::Associative(elements)), AssignMode::Replace) => elements.clear(),
            (Some(Value::Associative(_)), AssignMode::Append) => {}
            (Some(Value::Indexed(elements)), AssignMode::Append) => {
                next = elements.last_key_value().map_or(0, |(last, _)| last + 1);
            }
            (Some(Value::Scalar(value)), AssignMode::Append) => {
                variable.value = Some(Value::Indexed(BTreeMap::from([(0, value.clone())])));
                next = 1;
            }
            (value, _) => *value = Some(Value::Indexed(BTreeMap::new())),
        }
        let is_associative = matches!(variable.value, Some(Value::Associative(_)));
        for (key, value) in values {
            match key {
                Some(key) if is_associative => {
                    self.assign_key(name, &key, AssignMode::Replace, value)?;
                }
                None if is_associative => {
                    return self.refuse(name.to_string(), "elements without keys");
                }
                key => {
                    if let Some(key) = key {
                        let index = self.arithmetic(&key)?;
                        let Ok(index) = u64::try_from(index) else {
                            return self.refuse(name.to_string(), "a negative index");
                        };
                        next = index;
                    }
                    let index = i64::try_from(next).unwrap_or(i64::MAX);
                    self.assign_element(name, index, value)?;
                    next = next.saturating_add(1);
                }
            }
        }
        Ok(())
    }
}
