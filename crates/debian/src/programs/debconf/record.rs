//! Items of debconf's databases as its files hold them: stanzas of fields, one an item
//! (debconf.conf(5), "File": the format is `822`).

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};

use super::words::{is_space, split_list, trim_start};

/// One item: a question, or a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) owners: BTreeSet<BString>,
    pub(super) fields: BTreeMap<BString, BString>,
    /// `true` or anything else; only what is `true` is kept.
    pub(super) flags: BTreeMap<BString, BString>,
    pub(super) variables: BTreeMap<BString, BString>,
}

/// The items of a file. What has no name is none.
pub(super) fn read_all(text: &[u8]) -> BTreeMap<BString, Record> {
    let mut records = BTreeMap::new();
    let mut lines =
        text.lines_with_terminator().map(|line| line.strip_suffix(b"\n").unwrap_or(line).as_bstr());
    loop {
        let stanza: Vec<&BStr> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        if let Some((name, record)) = read(&stanza) {
            records.insert(name, record);
        }
        // The end is known only by there being nothing behind it.
        if stanza.is_empty() && lines.clone().next().is_none() {
            return records;
        }
    }
}

fn read(lines: &[&BStr]) -> Option<(BString, Record)> {
    let mut name = None;
    let mut record = Record::default();
    let mut is_among_variables = false;
    for line in lines {
        if is_among_variables && line.first().is_some_and(|byte| is_space(*byte)) {
            let (variable, value) = variable(trim_start(line));
            record.variables.insert(variable.into(), unfold(value));
            continue;
        }
        is_among_variables = false;
        let (key, value) = field(line);
        match &key.to_ascii_lowercase()[..] {
            b"owners" => record.owners.extend(split_list(value)),
            b"flags" => {
                record.flags.extend(split_list(value).map(|flag| (flag, "true".into())));
            }
            b"variables" => is_among_variables = true,
            b"name" => name = Some(value.into()),
            b"" => {}
            other => {
                record.fields.insert(other.into(), unfold(value));
            }
        }
    }
    Some((name?, record))
}

/// Writes an item, all in the order of its bytes.
pub(super) fn write(name: &BStr, record: &Record, text: &mut Vec<u8>) {
    let mut line = |pieces: &[&[u8]]| text.extend(pieces.concat());
    line(&[b"Name: ", name, b"\n"]);
    for (field, value) in &record.fields {
        let (first, rest) = field.split_at(1.min(field.len()));
        line(&[&first.to_ascii_uppercase(), rest, b": ", &fold(value), b"\n"]);
    }
    let owners: Vec<&BString> = record.owners.iter().collect();
    if !owners.is_empty() {
        line(&[b"Owners: ", &bstr::join(", ", owners), b"\n"]);
    }
    let flags = record.flags.iter().filter(|(_, value)| *value == "true");
    let flags: Vec<&BString> = flags.map(|(flag, _)| flag).collect();
    if !flags.is_empty() {
        line(&[b"Flags: ", &bstr::join(", ", flags), b"\n"]);
    }
    if !record.variables.is_empty() {
        line(&[b"Variables:\n"]);
    }
    for (variable, value) in &record.variables {
        line(&[b" ", variable, b" = ", &fold(value), b"\n"]);
    }
    line(&[b"\n"]);
}

/// A field and its value, without the one blank in front of it.
fn field(line: &BStr) -> (&BStr, &BStr) {
    let Some((key, value)) = line.split_once_str(":") else { return (line, BStr::new("")) };
    let value = match value.first() {
        Some(byte) if is_space(*byte) => &value[1..],
        _ => value,
    };
    (key.as_bstr(), value.as_bstr())
}

/// `name = value`.
fn variable(line: &BStr) -> (&BStr, &BStr) {
    let Some((name, value)) = line.split_once_str("=") else { return (line, BStr::new("")) };
    let value = match value.first() {
        Some(byte) if is_space(*byte) => &value[1..],
        _ => value,
    };
    (
        name.trim_end_with(|letter| u8::try_from(letter).is_ok_and(is_space)).as_bstr(),
        value.as_bstr(),
    )
}

fn fold(value: &BString) -> Vec<u8> {
    value.replace("\n", "\\n")
}

fn unfold(value: &BStr) -> BString {
    value.replace("\\n", "\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written() {
        let text = "Name: a/b\nDescription: one\\ntwo: three\nDescription-de.utf-8: drei\n\
            Template: a/b\nValue: \nOwners: a, b:amd64\nFlags: seen, x\nVariables:\n \
            choices = x = y, z\n empty = \n\nName: c\n\n";
        let records = read_all(text.as_bytes());
        let mut written = Vec::new();
        for (name, record) in &records {
            write(name.as_bstr(), record, &mut written);
        }
        assert_eq!(written.as_bstr(), text);
        assert_eq!(records[BStr::new("a/b")].fields[BStr::new("description")], "one\ntwo: three");
    }

    #[test]
    fn what_is_written_by_others_is_read() {
        let text = b"\n\nvalue:x\n\nNAME: a\nvalue:  y\nvariables:\n\tq=1\nq: 2";
        let records = read_all(text);
        let mut written = Vec::new();
        for (name, record) in &records {
            write(name.as_bstr(), record, &mut written);
        }
        insta::assert_snapshot!(written.as_bstr(), @r"
        Name: a
        Q: 2
        Value:  y
        Variables:
         q = 1
        ");
    }
}
