//! Templates: what questions are made of, and the files that they come in (debconf-devel(7), "THE
//! TEMPLATES FILE").

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use shell::Stop;

use super::language::Wording;
use super::session::Session;
use super::words::{is_space, trim_end};

/// Fields that a template may have, each perhaps with a language behind it.
const FIELDS: [&[u8]; 5] = [b"template", b"description", b"choices", b"default", b"type"];

/// The fields of one template, in small letters.
type Fields = BTreeMap<BString, BString>;

impl Session {
    /// Whether there is a template of this name.
    pub(super) fn has_template(&mut self, name: &BStr) -> bool {
        if !self.known_templates.contains(name) && self.templates.has(name) {
            self.known_templates.insert(name.into());
        }
        self.known_templates.contains(name)
    }

    /// Makes a template, and the question of the same name; or a further owner of both.
    pub(super) fn new_template(
        &mut self,
        name: &BStr,
        owner: &BStr,
        kind: &BStr,
    ) -> Result<(), Stop> {
        let owner = if owner.is_empty() { BStr::new("unknown") } else { owner };
        let is_known = self.templates.record(name).is_some_and(|known| !known.owners.is_empty());
        if self.config.has(name) {
            self.add_question_owner(name, owner, kind);
        } else {
            self.new_question(name, owner, kind)?;
            self.set_template(name, name);
        }
        if is_known {
            self.repair_questions(name, owner, kind)?;
        } else {
            let _ = self.templates.add_owner(name, name, kind);
            if let Some(record) = self.templates.change(name) {
                record.fields.insert("type".into(), kind.into());
            }
        }
        self.known_templates.insert(name.into());
        Ok(())
    }

    /// Questions that own a template and are not there are made again.
    fn repair_questions(&mut self, template: &BStr, owner: &BStr, kind: &BStr) -> Result<(), Stop> {
        let owners = self.templates.record(template).map(|known| known.owners.clone());
        for question in owners.unwrap_or_default() {
            if !self.has_question(question.as_bstr()) {
                let what = "warning: possible database corruption. Will attempt to repair by \
                    adding back missing question ";
                self.warn(&[what.as_bytes(), &question, b"."].concat());
                self.new_question(question.as_bstr(), owner, kind)?;
                self.set_template(question.as_bstr(), template);
            }
        }
        Ok(())
    }

    /// A text of a template; empty if it has none.
    pub(super) fn template_text(&self, name: &BStr, field: &str, wording: Wording) -> BString {
        let own = |field: &str| self.templates.field(name, field).map(BString::from);
        let is_untranslated = wording == Wording::Plain
            || self
                .settings
                .preferred("DEBCONF_C_VALUES", "c_values")
                .is_some_and(|it| it == "true");
        let found = match is_untranslated {
            true => own(&format!("{field}-c")),
            false => self.translated(name, field),
        };
        let found = found.or_else(|| own(field));
        let plain = || field.split_once('-').and_then(|(plain, _)| own(plain));
        found.or_else(plain).unwrap_or_default()
    }

    fn translated(&self, name: &BStr, field: &str) -> Option<BString> {
        let record = self.templates.record(name)?;
        for language in &self.languages.names {
            let language = if *language == "c" { BStr::new("en") } else { language.as_bstr() };
            let full = [field.as_bytes(), b"-", language].concat();
            if let Some(text) = record.fields.get(full.as_bstr()) {
                return Some(text.clone());
            }
            let converted = record.fields.iter().find_map(|(key, text)| {
                let charset = key.strip_prefix(&full[..])?.strip_prefix(b".")?;
                self.languages.converted(charset, text.as_bstr())
            });
            if converted.is_some() || language == "en" {
                return converted;
            }
        }
        None
    }

    /// Takes up the templates of a file. The inner error is what is wrong with the file, which ends
    /// the run of whoever reads it.
    pub(super) fn load_templates(
        &mut self,
        file: &str,
        text: &[u8],
        owner: &BStr,
    ) -> Result<Result<(), String>, Stop> {
        for (at, text) in paragraphs(text).into_iter().enumerate() {
            let mut unknown = Vec::new();
            let fields = match read(text, &mut unknown) {
                Ok(fields) => fields,
                Err(error) => return Ok(Err(error.message(at + 1, file))),
            };
            for field in unknown {
                let place = format!("in stanza #{} of {file}\n", at + 1);
                self.warn(format!("Unknown template field '{field}', {place}").as_bytes());
            }
            let Some(name) = fields.get(BStr::new("template")).filter(|name| !name.is_empty())
            else {
                let what =
                    format!("Template #{} in {file} does not contain a 'Template:' line\n", at + 1);
                return Ok(Err(what));
            };
            let Some(kind) = fields.get(BStr::new("type")).filter(|kind| !kind.is_empty()) else {
                return Ok(Err("no template type specified".to_owned()));
            };
            self.new_template(name.as_bstr(), owner, kind.as_bstr())?;
            if let Some(record) = self.templates.change(name.as_bstr()) {
                record.fields.clone_from(&fields);
                record.fields.remove(BStr::new("template"));
            }
        }
        Ok(Ok(()))
    }
}

/// What is wrong with a stanza.
enum Wrong {
    Duplicate(BString, BString),
    Line(BString),
}

impl Wrong {
    fn message(&self, stanza: usize, file: &str) -> String {
        match self {
            Wrong::Duplicate(field, value) => format!(
                "Template #{stanza} in {file} has a duplicate field \"{field}\" with new value \
                 \"{value}\". Probably two templates are not properly separated by a lone newline.\n"
            ),
            Wrong::Line(line) => {
                format!("Template parse error near `{line}', in stanza #{stanza} of {file}\n")
            }
        }
    }
}

/// Stanzas: each ends with the first two newlines that follow each other.
fn paragraphs(text: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find("\n\n").map_or(rest.len(), |at| at + 2);
        all.push(rest[..end].trim_with(|letter| letter == '\n'));
        rest = &rest[end..];
    }
    all
}

/// The field that is read just now.
#[derive(Default)]
struct Current {
    field: BString,
    value: BString,
    extended: BString,
}

fn read(text: &[u8], unknown: &mut Vec<BString>) -> Result<Fields, Wrong> {
    let mut fields = Fields::new();
    let mut current = Current::default();
    let lines = text.split_str("\n").filter(|_| !text.is_empty());
    for line in lines {
        if let Some((field, value)) = field(line) {
            std::mem::take(&mut current).put(&mut fields)?;
            let base = field.find_byte(b'-').filter(|at| at + 1 < field.len());
            if !FIELDS.contains(&&field[..base.unwrap_or(field.len())]) {
                unknown.push(field.clone());
            }
            current.field = field;
            current.value = value;
        } else if !current.continues(line) {
            return Err(Wrong::Line(line.into()));
        }
    }
    current.put(&mut fields)?;
    Ok(fields)
}

/// `Name: value`.
fn field(line: &[u8]) -> Option<(BString, BString)> {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_@.".contains(byte);
    let (name, value) = line.split_once_str(":")?;
    let value = match value.first() {
        Some(byte) if is_space(*byte) => &value[1..],
        _ => value,
    };
    let is_name = name.iter().all(is_of_name);
    is_name.then(|| (name.to_ascii_lowercase().into(), trim_end(value).into()))
}

impl Current {
    /// Adds a line of the extended description: paragraphs flow, lines that are indented do not.
    fn continues(&mut self, line: &[u8]) -> bool {
        let Some((first, rest)) = line.split_first() else { return false };
        if !is_space(*first) {
            return false;
        }
        let flows = matches!(self.extended.last(), Some(b'\n' | b' ') | None);
        if rest == b"." {
            self.extended.extend_from_slice(b"\n\n");
        } else if rest.first().is_some_and(|byte| is_space(*byte)) {
            if !flows {
                self.extended.push(b'\n');
            }
            self.extended.extend_from_slice(trim_end(rest));
            self.extended.push(b'\n');
        } else {
            if !flows {
                self.extended.push(b' ');
            }
            self.extended.extend_from_slice(trim_end(rest));
        }
        true
    }

    fn put(self, fields: &mut Fields) -> Result<(), Wrong> {
        let Current { field, value, extended } = self;
        if field.is_empty() {
            return Ok(());
        }
        if fields.contains_key(&field) {
            return Err(Wrong::Duplicate(field, value));
        }
        let extended = extended.trim_end_with(|letter| letter == '\n');
        if !extended.is_empty() {
            fields.insert([b"extended_", &field[..]].concat().into(), extended.into());
        }
        fields.insert(field, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_is_read() {
        let text = b"Template: a/b\nType: select \nChoices: x, y\nDescription: Which?\n One\n two \
            \n .\n  indented\n   more\n behind\n .\nDescription-de.UTF-8:Was?\n\tx\nOther: 1";
        let mut unknown = Vec::new();
        let fields = read(text, &mut unknown).ok().unwrap();
        let shown: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        choices="x, y"
        description="Which?"
        description-de.utf-8="Was?"
        extended_description="One two\n\n indented\n  more\nbehind"
        extended_description-de.utf-8="x"
        other="1"
        template="a/b"
        type="select"
        "#);
        assert_eq!(unknown, ["other"]);
        for broken in [&b"Template: a\nTemplate: b"[..], b"Template: a\nx y: z"] {
            assert!(read(broken, &mut Vec::new()).is_err());
        }
        assert_eq!(paragraphs(b"a\n\n\nb\n\n\n\nc"), [&b"a"[..], b"b", b"", b"c"]);
    }
}
