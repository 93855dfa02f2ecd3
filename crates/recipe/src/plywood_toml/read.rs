//! The document against the table of keys: names and types, each wrong one a finding of its own.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned as TomlSpanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};
use toml::value::Datetime;

use super::environment::{self, Part};
use super::key::{Key, Kind};
use super::keys::DOCUMENT;
use super::template::{self, Piece, TemplateProblem};
use super::value::{Named, Table, Value};
use crate::suggest::did_you_mean;
use crate::{Diagnostic, Span, Spanned};

/// The most bytes that templates may add to a file, so that a few lines cannot ask for more than
/// any machine has.
const MAX_TEMPLATE_BYTES: usize = 4 << 20;

/// After so many errors no more are looked for. The first of them in the file are shown.
const MANY_ERRORS: usize = 1000;

/// A document being read.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) values: &'a dyn Fn(&str) -> Option<String>,
    pub(super) errors: Vec<Diagnostic>,
    /// The build arguments that templates name.
    pub(super) arguments: BTreeSet<String>,
    added: usize,
}

/// A table's name for messages, and what may stand in it.
#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    keys: &'static [Key],
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, values: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Reader { text, values, errors: Vec::new(), arguments: BTreeSet::new(), added: 0 }
    }

    /// Reads the whole document.
    pub(super) fn document(&mut self, document: &TomlSpanned<DeTable<'_>>) -> Table {
        let place = Place { name: "", keys: DOCUMENT };
        self.table(document.get_ref(), document.span(), place)
    }

    pub(super) fn error(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.errors.push(Diagnostic::error(span, message).with_hint(hint));
    }

    fn table(&mut self, table: &DeTable<'_>, span: Span, place: Place) -> Table {
        let mut read = Table::new(span);
        for (name, value) in table {
            // A header's brackets are the table's, and around its name.
            let (key, item) = (name.span(), value.span());
            let span = key.start.min(item.start)..key.end.max(item.end);
            match place.keys.iter().find(|key| key.name == name.get_ref()) {
                None => {
                    read.has_unknown = true;
                    self.unknown(name, place);
                }
                Some(key) => {
                    let value = self.value(key, value, place).unwrap_or(Value::Wrong);
                    read.insert(key.name, span, value);
                }
            }
        }
        read
    }

    fn unknown(&mut self, name: &TomlSpanned<DeString<'_>>, place: Place) {
        if self.errors.len() >= MANY_ERRORS {
            return;
        }
        let written = name.get_ref();
        let known = || place.keys.iter().map(|key| key.name);
        let message = match place.name {
            "" => format!("there is no key `{written}`"),
            table => format!("there is no key `{written}` in `{table}`"),
        };
        let list = format!("the keys are {}", known().collect::<Vec<_>>().join(", "));
        let hint = match (did_you_mean(written, known()), elsewhere(written, place)) {
            (Some(meant), _) => format!("{meant} {list}"),
            (None, Some(elsewhere)) => elsewhere,
            (None, None) => list,
        };
        self.error(name.span(), message, hint);
    }

    fn value(
        &mut self,
        key: &Key,
        value: &TomlSpanned<DeValue<'_>>,
        place: Place,
    ) -> Option<Value> {
        let span = value.span();
        match (&key.kind, value.get_ref()) {
            (Kind::Text | Kind::TextOrTexts | Kind::Command, DeValue::String(text)) => {
                self.string(text, span).map(Value::Text)
            }
            (Kind::Flag, DeValue::Boolean(flag)) => Some(Value::Flag(*flag)),
            (Kind::Choice(choices), DeValue::String(text)) if choices.contains(&&**text) => {
                Some(Value::Text(Spanned { node: text.to_string(), span }))
            }
            (Kind::Choice(choices), DeValue::String(text)) => {
                let message = format!("`{}` cannot be `{text}`", key.name);
                let hint = did_you_mean(text, choices.iter().copied());
                let list = format!("it is {}", key.kind.words());
                self.error(span, message, hint.unwrap_or(list));
                None
            }
            (Kind::Count(most), DeValue::Integer(number)) => {
                let count = usize::from_str_radix(number.as_str(), number.radix());
                match count.ok().filter(|count| (1..=*most).contains(count)) {
                    Some(node) => Some(Value::Count(Spanned { node, span })),
                    None => self.wrong_type(key, value, place),
                }
            }
            (Kind::Moment, DeValue::String(_) | DeValue::Datetime(_)) => {
                self.moment(key, value, place)
            }
            (Kind::Texts | Kind::TextOrTexts | Kind::Command | Kind::Ports, DeValue::Array(it)) => {
                self.texts(key, it, place).map(Value::Texts)
            }
            (Kind::Names, DeValue::Table(table)) => {
                Some(Value::Names(self.names(key, table, place)))
            }
            (Kind::Table(keys), DeValue::Table(table)) => {
                Some(Value::Table(self.table(table, span, Place { name: bracketed(key), keys })))
            }
            (Kind::Tables(keys), DeValue::Array(array)) => {
                Some(Value::Tables(self.tables(key, array, Place { name: bracketed(key), keys })))
            }
            _ => self.wrong_type(key, value, place),
        }
    }

    /// The value is not of the key's kind. Gives `None`, for callers to pass on.
    fn wrong_type<T>(
        &mut self,
        key: &Key,
        value: &TomlSpanned<DeValue<'_>>,
        place: Place,
    ) -> Option<T> {
        let name = match place.name {
            "" => format!("`{}`", key.name),
            table => format!("`{}` in `{table}`", key.name),
        };
        let found = found(value.get_ref());
        let message = format!("{name} must be {}, and is {found}", key.kind.words());
        let line = key.example.lines().find(|line| line.starts_with(key.name));
        let example = line.or(key.example.lines().next()).unwrap_or_default();
        self.error(value.span(), message, format!("such as `{example}`"));
        None
    }

    fn moment(
        &mut self,
        key: &Key,
        value: &TomlSpanned<DeValue<'_>>,
        place: Place,
    ) -> Option<Value> {
        let text = match value.get_ref() {
            DeValue::String(text) => self.string(text, value.span())?.node,
            DeValue::Datetime(moment) => moment.to_string(),
            _ => return self.wrong_type(key, value, place),
        };
        let moment = text.parse::<Datetime>().ok().filter(|moment| {
            moment.date.is_some() && moment.time.is_some() == moment.offset.is_some()
        });
        match moment {
            Some(_) => Some(Value::Text(Spanned { node: text, span: value.span() })),
            None => {
                let message = format!("`{text}` is not {}", key.kind.words());
                self.error(value.span(), message, format!("such as `{}`", key.example));
                None
            }
        }
    }

    fn texts(
        &mut self,
        key: &Key,
        array: &DeArray<'_>,
        place: Place,
    ) -> Option<Vec<Spanned<String>>> {
        let mut texts = Vec::new();
        let mut is_right = true;
        for item in array.iter() {
            let span = item.span();
            let text = match (item.get_ref(), &key.kind) {
                (DeValue::String(text), _) => self.string(text, span),
                (DeValue::Integer(number), Kind::Ports) if number.radix() == 10 => {
                    Some(Spanned { node: number.as_str().to_owned(), span })
                }
                (_, Kind::Ports) => self.wrong_type(key, item, place),
                (other, _) => {
                    let found = found(other);
                    let message = format!("`{}` holds {found} among its strings", key.name);
                    self.error(span, message, "put it in quotes");
                    None
                }
            };
            is_right &= text.is_some();
            texts.extend(text);
        }
        // Those that are right may have something wrong in them, too.
        (is_right || !texts.is_empty()).then_some(texts)
    }

    fn names(&mut self, key: &Key, table: &DeTable<'_>, place: Place) -> Vec<Named> {
        let mut names = Vec::new();
        for (name, value) in table {
            let written = name.get_ref();
            if written.is_empty() || written.contains('\0') {
                let hint = format!("such as `{}`", key.example);
                self.error(name.span(), format!("a name in `{}` is empty", key.name), hint);
                continue;
            }
            let DeValue::String(text) = value.get_ref() else {
                self.not_a_name(key, name, value, place);
                continue;
            };
            if let Some(parts) = self.parts(text, value.span()) {
                let name = Spanned { node: written.to_string(), span: name.span() };
                names.push(Named { name, value: Spanned { node: parts, span: value.span() } });
            }
        }
        names
    }

    /// A name of the user's whose value is no string; often it is not meant as a name at all.
    fn not_a_name(
        &mut self,
        key: &Key,
        name: &TomlSpanned<DeString<'_>>,
        value: &TomlSpanned<DeValue<'_>>,
        place: Place,
    ) {
        let written = name.get_ref();
        let message = format!("`{written}` in `[{}]` is {}", key.name, found(value.get_ref()));
        let hint = match value.get_ref() {
            DeValue::Table(_) => {
                format!("put a name with dots in quotes, such as `\"{written}.name\" = \"value\"`")
            }
            _ if place.keys.iter().any(|key| key.name == written) => above_tables(written),
            _ => format!("its values are strings: write `{written} = \"…\"`"),
        };
        self.error(value.span(), message, hint);
    }

    fn tables(&mut self, key: &Key, array: &DeArray<'_>, place: Place) -> Vec<Table> {
        let mut tables = Vec::new();
        for item in array.iter() {
            match item.get_ref() {
                DeValue::Table(table) => tables.push(self.table(table, item.span(), place)),
                other => {
                    let message = format!("`{}` holds {}, and not a table", key.name, found(other));
                    self.error(item.span(), message, format!("begin each with `[[{}]]`", key.name));
                }
            }
        }
        tables
    }

    /// A string with its templates replaced.
    fn string(&mut self, text: &str, span: Span) -> Option<Spanned<String>> {
        let node = environment::plain(&self.parts(text, span.clone())?);
        Some(Spanned { node, span })
    }

    /// A string taken apart, with the values of its templates.
    fn parts(&mut self, text: &str, span: Span) -> Option<Vec<Part>> {
        if let Some(at) = text.find('\0') {
            let at = self.part(text, &span, at..at + 1);
            self.error(at, "a string holds a NUL character", "there can be none in an image");
            return None;
        }
        let parts = match template::pieces(text) {
            Ok(pieces) => pieces.into_iter().map(|piece| self.replace(piece)).collect(),
            Err(problem) => Err(problem),
        };
        match parts {
            Ok(parts) => Some(parts),
            Err(TemplateProblem { at, message, hint }) => {
                let at = self.part(text, &span, at);
                self.error(at, message, hint);
                None
            }
        }
    }

    fn replace(&mut self, piece: Piece<'_>) -> Result<Part, TemplateProblem> {
        match piece {
            Piece::Text(text, at) => Ok(Part::Written(text.to_owned(), at)),
            Piece::Template(name, at) => {
                if let Some(argument) = name.strip_prefix("arg.") {
                    self.arguments.insert(argument.to_owned());
                }
                let value = template::value(name, &at, self.values)?;
                self.added = self.added.saturating_add(value.len());
                if self.added <= MAX_TEMPLATE_BYTES {
                    return Ok(Part::Value(value.replace('\0', "")));
                }
                let message = "the values of the templates are more than 4 MiB".to_owned();
                let hint = "keep large content in files of the context".to_owned();
                Err(TemplateProblem { at, message, hint })
            }
        }
    }

    /// Where a part of a string stands in the file; the whole string if it is not written there
    /// as it is.
    pub(super) fn part(&self, text: &str, span: &Span, range: Range<usize>) -> Span {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let quotes = ["\"\"\"\n", "'''\n", "\"\"\"", "'''", "\"", "'"];
        let begin = quotes.iter().find(|quote| written.starts_with(**quote));
        match begin {
            Some(quote) if written[quote.len()..].starts_with(text) => {
                let start = span.start + quote.len();
                start + range.start..start + range.end
            }
            _ => span.clone(),
        }
    }
}

/// A key's table as it is written.
fn bracketed(key: &Key) -> &'static str {
    match key.name {
        "debian" => "[debian]",
        "python" => "[python]",
        _ => "[[files]]",
    }
}

/// A key that there is in another table.
fn elsewhere(written: &str, place: Place) -> Option<String> {
    if !place.name.is_empty() && DOCUMENT.iter().any(|key| key.name == written) {
        return Some(above_tables(written));
    }
    let table = DOCUMENT.iter().find(|table| match table.kind {
        Kind::Table(keys) | Kind::Tables(keys) => keys.iter().any(|key| key.name == written),
        _ => false,
    })?;
    Some(format!("it belongs into `{}`", bracketed(table)))
}

fn above_tables(written: &str) -> String {
    format!("`{written}` is a key of the document: write it above the first `[table]`")
}

/// What a value is, in words.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => "a string".to_owned(),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => format!("`{flag}`"),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
