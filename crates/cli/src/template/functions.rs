//! What templates can call, and how values print.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::TemplateError;

/// Every function, for suggestions.
pub(super) const NAMES: &[&str] = &[
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "eq", "ne", "lt",
    "le", "gt", "ge", "json", "join", "split", "lower", "upper", "title", "pad", "truncate",
];

/// Calls a function.
pub(super) fn call(name: &str, values: &[Value]) -> Result<Value, TemplateError> {
    let fail = |problem: &str| {
        Err(TemplateError::Argument { name: name.to_owned(), problem: problem.to_owned() })
    };
    match (name, values) {
        ("not", [value]) => Ok(Value::Bool(!is_true(value))),
        ("len", [value]) => length(name, value),
        ("index", [value, keys @ ..]) => index(value, keys),
        ("slice", [value, bounds @ ..]) => slice(value, bounds),
        ("print", values) => Ok(Value::String(print_all(values))),
        ("println", values) => Ok(Value::String(print_line(values))),
        ("printf", [Value::String(format), values @ ..]) => printf(format, values),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            Ok(Value::Bool(others.iter().any(|other| same(first, other))))
        }
        ("ne", [one, other]) => Ok(Value::Bool(!same(one, other))),
        ("lt", [one, other]) => compare(name, one, other).map(|o| Value::Bool(o.is_lt())),
        ("le", [one, other]) => compare(name, one, other).map(|o| Value::Bool(o.is_le())),
        ("gt", [one, other]) => compare(name, one, other).map(|o| Value::Bool(o.is_gt())),
        ("ge", [one, other]) => compare(name, one, other).map(|o| Value::Bool(o.is_ge())),
        ("json", [value]) => Ok(Value::String(value.to_string())),
        ("join", [Value::Array(list), Value::String(separator)]) => {
            let texts: Vec<String> = list.iter().map(printed).collect();
            Ok(Value::String(texts.join(separator)))
        }
        ("join", [Value::Null, Value::String(_)]) => Ok(Value::String(String::new())),
        ("split", [Value::String(text), Value::String(separator)]) => {
            Ok(text.split(separator.as_str()).map(Value::from).collect())
        }
        ("lower", [Value::String(text)]) => Ok(Value::String(text.to_lowercase())),
        ("upper", [Value::String(text)]) => Ok(Value::String(text.to_uppercase())),
        ("title", [Value::String(text)]) => Ok(Value::String(title(text))),
        ("pad", [Value::String(text), Value::Number(left), Value::Number(right)]) => {
            match (width(left), width(right)) {
                (Some(left), Some(right)) => {
                    let (left, right) = (" ".repeat(left), " ".repeat(right));
                    Ok(Value::String(format!("{left}{text}{right}")))
                }
                _ => fail("is given a width that is not 0 to 1000"),
            }
        }
        ("truncate", [Value::String(text), Value::Number(length)]) => {
            let length = length.as_u64().and_then(|length| usize::try_from(length).ok());
            Ok(Value::String(text.chars().take(length.unwrap_or(usize::MAX)).collect()))
        }
        (known, values) if NAMES.contains(&known) => fail(&format!("is given {}", kinds(values))),
        _ => Err(TemplateError::UnknownFunction { name: name.to_owned() }),
    }
}

/// How many columns a value may be made wide: more than a screen, less than memory.
const MAX_WIDTH: u64 = 1000;

fn width(number: &Number) -> Option<usize> {
    number
        .as_u64()
        .filter(|width| *width <= MAX_WIDTH)
        .and_then(|width| usize::try_from(width).ok())
}

/// Go's truth: not false, zero, empty or nil.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn kinds(values: &[Value]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [one] => kind(one).to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(kind).collect();
            format!("{} and {}", first.join(", "), kind(last))
        }
    }
}

/// Prints as Go's `%v` does.
pub(super) fn print(value: &Value, output: &mut String) {
    match value {
        Value::Null => output.push_str("<nil>"),
        Value::String(text) => output.push_str(text),
        Value::Bool(_) | Value::Number(_) => output.push_str(&value.to_string()),
        Value::Array(list) => {
            output.push('[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    output.push(' ');
                }
                print(item, output);
            }
            output.push(']');
        }
        Value::Object(map) => {
            let mut items: Vec<_> = map.iter().collect();
            items.sort_by_key(|(key, _)| *key);
            output.push_str("map[");
            for (at, (key, item)) in items.into_iter().enumerate() {
                if at > 0 {
                    output.push(' ');
                }
                output.push_str(key);
                output.push(':');
                print(item, output);
            }
            output.push(']');
        }
    }
}

fn printed(value: &Value) -> String {
    let mut text = String::new();
    print(value, &mut text);
    text
}

/// Go's `Sprint`: "Spaces are added between operands when neither is a string."
fn print_all(values: &[Value]) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        let space = at > 0 && !value.is_string() && !values[at - 1].is_string();
        if space {
            text.push(' ');
        }
        print(value, &mut text);
    }
    text
}

fn print_line(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(printed).collect();
    format!("{}\n", texts.join(" "))
}

fn length(name: &str, value: &Value) -> Result<Value, TemplateError> {
    let length = match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => {
            let problem = format!("is given {}", kind(value));
            return Err(TemplateError::Argument { name: name.to_owned(), problem });
        }
    };
    Ok(Value::from(length))
}

fn index(value: &Value, keys: &[Value]) -> Result<Value, TemplateError> {
    let fail = |problem: String| Err(TemplateError::Argument { name: "index".into(), problem });
    let Some((key, deeper)) = keys.split_first() else { return Ok(value.clone()) };
    let inner = match (value, key) {
        (Value::Array(list), Value::Number(number)) => {
            let at = number.as_u64().and_then(|at| usize::try_from(at).ok());
            match at.and_then(|at| list.get(at)) {
                Some(inner) => inner.clone(),
                None => {
                    return fail(format!("is given {number}, and the list has {}", list.len()));
                }
            }
        }
        (Value::Object(map), Value::String(key)) => match map.get(key) {
            Some(inner) => inner.clone(),
            // Go gives the zero value of what the map holds: texts, in every map of Docker's
            // documents that is asked this way.
            None => Value::String(String::new()),
        },
        (Value::Null, Value::String(_)) => Value::String(String::new()),
        (value, key) => {
            return fail(format!("looks for {} in {}", kind(key), kind(value)));
        }
    };
    index(&inner, deeper)
}

fn slice(value: &Value, bounds: &[Value]) -> Result<Value, TemplateError> {
    let fail = |problem: String| TemplateError::Argument { name: "slice".into(), problem };
    let size = match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.len(),
        other => return Err(fail(format!("is given {}", kind(other)))),
    };
    let bound = |value: Option<&Value>, default: usize| match value {
        None => Ok(default),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            let outside = || fail(format!("is given {}, and there are {size}", printed(value)));
            number.filter(|number| *number <= size).ok_or_else(outside)
        }
    };
    let start = bound(bounds.first(), 0)?;
    let end = bound(bounds.get(1), size)?;
    match value {
        Value::String(text) => match text.get(start..end) {
            Some(part) => Ok(Value::from(part)),
            None => Err(fail("cuts through a character".into())),
        },
        Value::Array(list) => match list.get(start..end) {
            Some(part) => Ok(Value::from(part)),
            None => Err(fail(format!("is given {start} and {end}"))),
        },
        _ => Ok(Value::Null),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => numbers(a, b) == Some(Ordering::Equal),
        _ => one == other,
    }
}

fn compare(name: &str, one: &Value, other: &Value) -> Result<Ordering, TemplateError> {
    let order = match (one, other) {
        (Value::Number(a), Value::Number(b)) => numbers(a, b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    };
    order.ok_or_else(|| TemplateError::Argument {
        name: name.to_owned(),
        problem: format!("compares {} and {}", kind(one), kind(other)),
    })
}

fn numbers(one: &Number, other: &Number) -> Option<Ordering> {
    match (one.as_i128(), other.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn title(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// One `%` of a format: flags, width, precision and verb.
struct Verb {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

/// Go's `Sprintf`, for the verbs that values from JSON have.
fn printf(format: &str, values: &[Value]) -> Result<Value, TemplateError> {
    let fail = |problem: String| TemplateError::Argument { name: "printf".into(), problem };
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some(percent) = rest.find('%') {
        text.push_str(&rest[..percent]);
        let (verb, after) = verb(&rest[percent + 1..])
            .ok_or_else(|| fail("has a % that is not followed by a verb".into()))?;
        rest = after;
        if verb.letter == '%' {
            text.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| fail("has more verbs than values".into()))?;
        let shown = verb
            .show(value)
            .ok_or_else(|| fail(format!("has a %{} for {}", verb.letter, kind(value))))?;
        text.push_str(&shown);
    }
    text.push_str(rest);
    match values.next() {
        None => Ok(Value::String(text)),
        Some(_) => Err(fail("has fewer verbs than values".into())),
    }
}

fn verb(text: &str) -> Option<(Verb, &str)> {
    let flags = text.find(|c| !"-+# 0".contains(c))?;
    let (flags, rest) = text.split_at(flags);
    let (width, rest) = digits(rest)?;
    let (precision, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest).map(|(number, rest)| (Some(number), rest))?,
        None => (None, rest),
    };
    let letter = rest.chars().next()?;
    let verb =
        Verb { left: flags.contains('-'), zeros: flags.contains('0'), width, precision, letter };
    Some((verb, &rest[letter.len_utf8()..]))
}

fn digits(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Some((0, rest));
    }
    let number = digits.parse::<u64>().ok().filter(|number| *number <= MAX_WIDTH)?;
    Some((usize::try_from(number).ok()?, rest))
}

impl Verb {
    fn show(&self, value: &Value) -> Option<String> {
        let mut shown = match (self.letter, value) {
            ('v' | 's', value) => printed(value),
            ('q', Value::String(text)) => Value::from(text.as_str()).to_string(),
            ('t', Value::Bool(value)) => value.to_string(),
            ('d', Value::Number(number)) if number.is_i64() || number.is_u64() => {
                number.to_string()
            }
            ('x', Value::Number(number)) => format!("{:x}", number.as_u64()?),
            ('X', Value::Number(number)) => format!("{:X}", number.as_u64()?),
            ('x', Value::String(text)) => text.bytes().map(|b| format!("{b:02x}")).collect(),
            ('f', Value::Number(number)) => {
                format!("{:.*}", self.precision.unwrap_or(6), number.as_f64()?)
            }
            _ => return None,
        };
        if let (Some(precision), 's' | 'v') = (self.precision, self.letter) {
            shown = shown.chars().take(precision).collect();
        }
        let width = self.width;
        Some(match (self.left, self.zeros) {
            (true, _) => format!("{shown:<width$}"),
            (false, true) if value.is_number() => format!("{shown:0>width$}"),
            (false, _) => format!("{shown:>width$}"),
        })
    }
}
