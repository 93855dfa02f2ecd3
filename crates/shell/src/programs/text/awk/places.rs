//! Variables, array elements and fields.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::interpret::{Awk, Halt, special};
use super::lexer;
use super::syntax::{Expression, Place, Variable};
use super::value::Value;

/// An array; functions get it by reference.
pub(super) type Array = Rc<RefCell<BTreeMap<BString, Value>>>;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Unset,
    Scalar(Value),
    Array(Array),
}

/// The highest number of a field.
const MOST_FIELDS: usize = 100_000;

impl Awk<'_, '_, '_, '_> {
    fn cell(&mut self, variable: Variable) -> Option<&mut Cell> {
        match variable {
            Variable::Global(index) => self.globals.get_mut(index),
            Variable::Local(index) => self.frames.last_mut()?.get_mut(index),
        }
    }

    /// The array of this name, made if there is none.
    pub(super) fn array(&mut self, variable: Variable) -> Result<Array, Halt> {
        match self.cell(variable) {
            Some(Cell::Array(array)) => Ok(Rc::clone(array)),
            Some(cell @ Cell::Unset) => {
                let array = Array::default();
                *cell = Cell::Array(Rc::clone(&array));
                Ok(array)
            }
            _ => Err(self.refused("uses a variable as an array").into()),
        }
    }

    pub(super) fn is_array(&mut self, variable: Variable) -> bool {
        matches!(self.cell(variable), Some(Cell::Array(_)))
    }

    /// The key of an array's element.
    pub(super) fn key(&mut self, subscript: &[Expression]) -> Result<BString, Halt> {
        let mut key = BString::default();
        for (at, part) in subscript.iter().enumerate() {
            if at > 0 {
                key.extend_from_slice(&self.text_of(special::SUBSEP)?);
            }
            let value = self.evaluate(part)?;
            key.extend_from_slice(&self.text(&value)?);
        }
        Ok(key)
    }

    /// What is at a place. An element that is asked for is there from then on.
    pub(super) fn read(&mut self, place: &Place) -> Result<Value, Halt> {
        match place {
            Place::Variable(Variable::Global(special::NF)) => {
                self.split_record()?;
                Ok(Value::Number(self.record.fields.len() as f64))
            }
            Place::Variable(variable) => match self.cell(*variable) {
                Some(Cell::Scalar(value)) => Ok(value.clone()),
                Some(Cell::Unset) => Ok(Value::Unset),
                _ => Err(self.refused("uses an array as a variable").into()),
            },
            Place::Element(array, subscript) => {
                let key = self.key(subscript)?;
                let array = self.array(*array)?;
                self.process.machine.budget.hold(key.len())?;
                Ok(array.borrow_mut().entry(key).or_insert(Value::Unset).clone())
            }
            Place::Field(number) => {
                let number = self.field_number(number)?;
                self.field(number)
            }
        }
    }

    /// Puts a value at a place.
    pub(super) fn assign(&mut self, place: &Place, value: Value) -> Result<(), Halt> {
        match place {
            Place::Variable(Variable::Global(special::NF)) => {
                let wanted = self.whole(&value)?;
                self.resize_record(wanted)
            }
            Place::Variable(variable) => match self.cell(*variable) {
                Some(Cell::Array(_)) | None => {
                    Err(self.refused("uses an array as a variable").into())
                }
                Some(cell) => {
                    *cell = Cell::Scalar(value);
                    Ok(())
                }
            },
            Place::Element(array, subscript) => {
                let key = self.key(subscript)?;
                let array = self.array(*array)?;
                self.process.machine.budget.hold(key.len())?;
                array.borrow_mut().insert(key, value);
                Ok(())
            }
            Place::Field(number) => {
                let number = self.field_number(number)?;
                self.set_field(number, value)
            }
        }
    }

    fn field_number(&mut self, number: &Expression) -> Result<usize, Halt> {
        let value = self.evaluate(number)?;
        self.whole(&value)
    }

    fn whole(&mut self, value: &Value) -> Result<usize, Halt> {
        let number = value.number();
        let number = self.known(number)?.trunc();
        if !(0.0..=MOST_FIELDS as f64).contains(&number) {
            return Err(self.refused("has a field of a number that cannot be").into());
        }
        Ok(number as usize)
    }

    fn field(&mut self, number: usize) -> Result<Value, Halt> {
        if number == 0 {
            return Ok(Value::input(self.record.text.clone()));
        }
        self.split_record()?;
        Ok(self.record.fields.get(number - 1).cloned().unwrap_or(Value::text("")))
    }

    /// A new record.
    pub(super) fn set_record(&mut self, text: BString) {
        self.record.text = text;
        self.record.is_split = false;
        self.record.fields.clear();
    }

    pub(super) fn set_field(&mut self, number: usize, value: Value) -> Result<(), Halt> {
        if number == 0 {
            let text = self.text(&value)?;
            self.set_record(text);
            return Ok(());
        }
        self.split_record()?;
        if self.record.fields.len() < number {
            self.record.fields.resize(number, Value::text(""));
        }
        self.record.fields[number - 1] = value;
        self.join_record()
    }

    fn resize_record(&mut self, number: usize) -> Result<(), Halt> {
        self.split_record()?;
        self.record.fields.resize(number, Value::text(""));
        self.join_record()
    }

    /// The record anew from its fields.
    fn join_record(&mut self) -> Result<(), Halt> {
        let separator = self.text_of(special::OFS)?;
        let mut text = BString::default();
        for at in 0..self.record.fields.len() {
            if at > 0 {
                text.extend_from_slice(&separator);
            }
            let field = self.record.fields[at].clone();
            text.extend_from_slice(&self.text(&field)?);
        }
        self.process.machine.budget.hold(text.len())?;
        self.record.text = text;
        Ok(())
    }

    pub(super) fn set_special(&mut self, index: usize, value: Value) {
        if let Some(cell) = self.globals.get_mut(index) {
            *cell = Cell::Scalar(value);
        }
    }

    fn special(&self, index: usize) -> Value {
        match self.globals.get(index) {
            Some(Cell::Scalar(value)) => value.clone(),
            _ => Value::Unset,
        }
    }

    pub(super) fn number_of(&mut self, index: usize) -> Result<f64, Halt> {
        let number = self.special(index).number();
        self.known(number)
    }

    pub(super) fn text_of(&mut self, index: usize) -> Result<BString, Halt> {
        let text = self.special(index).string(b"%.6g");
        self.known(text)
    }

    /// An element of `ARGV`.
    pub(super) fn argument(&mut self, number: usize) -> Result<BString, Halt> {
        let array = self.array(Variable::Global(special::ARGV))?;
        let value = array.borrow().get(&BString::from(number.to_string())).cloned();
        self.text(&value.unwrap_or(Value::Unset))
    }

    /// `-F`.
    pub(super) fn set_separator(&mut self, text: &[u8]) -> Result<(), Halt> {
        self.set_special(special::FS, Value::Text(lexer::unescaped(text)));
        Ok(())
    }

    /// `NAME=VALUE` among the operands, or of `-v`; `false` if it is none.
    pub(super) fn assign_argument(&mut self, text: &[u8]) -> Result<bool, Halt> {
        let Some((name, value)) = text.split_once_str("=") else { return Ok(false) };
        let is_name = name.first().is_some_and(|byte| !byte.is_ascii_digit())
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if !is_name {
            return Ok(false);
        }
        // A name that the program does not have is seen by nobody.
        if let Some(index) = self.program.globals.iter().position(|known| known == name) {
            let value = Value::input(lexer::unescaped(value));
            self.assign(&Place::Variable(Variable::Global(index)), value)?;
        }
        Ok(true)
    }
}
