//! Variables and their attributes.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

/// All variables of a shell.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    all: Rc<BTreeMap<BString, Variable>>,
    /// What `local` hides, for each function that is entered.
    hidden: Vec<BTreeMap<BString, Option<Variable>>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) value: Option<Value>,
    pub(super) is_exported: bool,
    pub(super) is_readonly: bool,
    /// `declare -i`
    pub(super) is_integer: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(BString),
    Indexed(BTreeMap<u64, BString>),
    Associative(BTreeMap<BString, BString>),
}

impl Value {
    /// What `$name` means.
    pub(super) fn scalar(&self) -> Option<&BString> {
        match self {
            Value::Scalar(value) => Some(value),
            Value::Indexed(elements) => elements.get(&0),
            Value::Associative(elements) => elements.get(BStr::new("0")),
        }
    }
}

impl Variables {
    pub(super) fn get(&self, name: &[u8]) -> Option<&Variable> {
        self.all.get(name.as_bstr())
    }

    /// The value of a variable; an array's first element.
    pub(super) fn value(&self, name: &[u8]) -> Option<&BString> {
        self.get(name)?.value.as_ref()?.scalar()
    }

    pub(super) fn is_set(&self, name: &[u8]) -> bool {
        self.value(name).is_some()
    }

    /// The variable, made if there is none.
    pub(super) fn entry(&mut self, name: &[u8]) -> &mut Variable {
        Rc::make_mut(&mut self.all).entry(name.into()).or_default()
    }

    /// Sets a value, whatever the attributes are.
    pub(super) fn set(&mut self, name: &[u8], value: impl Into<BString>) {
        self.entry(name).value = Some(Value::Scalar(value.into()));
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<Variable> {
        Rc::make_mut(&mut self.all).remove(name.as_bstr())
    }

    /// Puts a variable back as it was.
    pub(super) fn restore(&mut self, name: &[u8], variable: Option<Variable>) {
        match variable {
            Some(variable) => *self.entry(name) = variable,
            None => {
                self.remove(name);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&BString, &Variable)> {
        self.all.iter()
    }

    /// What programs get.
    pub(super) fn environment(&self) -> BTreeMap<BString, BString> {
        let exported = self.all.iter().filter(|(_, variable)| variable.is_exported);
        let values = exported.filter_map(|(name, variable)| match &variable.value {
            Some(Value::Scalar(value)) => Some((name.clone(), value.clone())),
            _ => None,
        });
        values.collect()
    }

    /// A function begins.
    pub(super) fn enter_function(&mut self) {
        self.hidden.push(BTreeMap::new());
    }

    /// A function ends: what was local is gone.
    pub(super) fn leave_function(&mut self) {
        for (name, variable) in self.hidden.pop().unwrap_or_default() {
            self.restore(&name, variable);
        }
    }

    /// Whether a function that is entered has a variable of this name of its own.
    pub(super) fn is_local(&self, name: &[u8]) -> bool {
        self.hidden.iter().any(|hidden| hidden.contains_key(name.as_bstr()))
    }

    /// Remembers a variable until the function ends; says whether it is the first time.
    pub(super) fn hide(&mut self, name: &[u8]) -> bool {
        let variable = self.get(name).cloned();
        let Some(hidden) = self.hidden.last_mut() else { return false };
        if hidden.contains_key(name.as_bstr()) {
            return false;
        }
        hidden.insert(name.into(), variable);
        true
    }
}
