//! `pip config`: pip's own files, read and written.

use oci::ImagePath;
use shell::files::{FileError, Last, NewNode};
use shell::{Data, Process};

use super::configuration::{Configuration, Level, normalized};
use super::gather::{Ended, number};
use super::ini::Ini;
use super::options::Options;
use super::place::make_directory;
use super::{Said, misused};

const SHOWN: &str = "pip config";
const FILE_MODE: u32 = 0o666;

/// `pip config`
pub(super) fn configure(
    process: &mut Process<'_, '_>,
    configuration: &Configuration,
    options: &Options,
) -> Result<u8, Ended> {
    let (action, rest) = match options.operands.split_first() {
        Some((action, rest)) => (action.as_str(), rest),
        None => ("", [].as_slice()),
    };
    match (action, rest) {
        ("list", []) => list(process, configuration, options),
        ("get", [key]) => get(process, configuration, options, key),
        ("set", [key, value]) => change(process, configuration, options, key, Some(value)),
        ("unset", [key]) => change(process, configuration, options, key, None),
        ("list" | "get" | "set" | "unset", _) => {
            let (count, example) = match action {
                "list" => (0, "list"),
                "get" => (1, "get [name]"),
                "set" => (2, "set [name] [value]"),
                _ => (1, "unset [name]"),
            };
            let message = format!(
                "Got unexpected number of arguments, expected {count}. (example: \"pip config \
                 {example}\")"
            );
            Err(Said(process).error(&message))
        }
        ("edit" | "debug", _) => {
            Err(misused(SHOWN, format!("has the action `{action}`, which is not built in")).into())
        }
        _ => {
            let message = "Need an action (debug, edit, get, list, set, unset) to perform.";
            Err(Said(process).error(message))
        }
    }
}

/// Whose files are meant; `None` for all.
fn level(process: &mut Process<'_, '_>, options: &Options) -> Result<Option<Level>, Ended> {
    let named = [("--user", Level::User), ("--global", Level::Global), ("--site", Level::Site)];
    let mut named = named.into_iter().filter(|(id, _)| options.has(id)).map(|(_, level)| level);
    match (named.next(), named.next()) {
        (level, None) => Ok(level),
        _ => {
            let message = "Need exactly one file to operate upon (--user, --site, --global) to \
                           perform.";
            Err(Said(process).error(message))
        }
    }
}

/// The level that is read from or written to: the user's, unless the environment has a file.
fn one_level(
    process: &mut Process<'_, '_>,
    configuration: &Configuration,
    options: &Options,
) -> Result<Level, Ended> {
    let has_site =
        configuration.files.iter().any(|file| file.level == Level::Site && file.ini.is_some());
    let usual = if has_site { Level::Site } else { Level::User };
    Ok(level(process, options)?.unwrap_or(usual))
}

/// Keys with their sections, and values, sorted by key; of two the later counts. What the
/// environment sets is among them, whosever files are looked at.
fn entries(configuration: &Configuration, level: Option<Level>) -> Vec<(String, String)> {
    let files = configuration.files.iter();
    let files = files.filter(|file| level.is_none_or(|level| file.level == level));
    let sections = files.filter_map(|file| file.ini.as_ref()).flat_map(|ini| &ini.sections);
    let mut all = std::collections::BTreeMap::new();
    for section in sections {
        for (key, value) in &section.entries {
            all.insert(format!("{}.{}", section.name, normalized(key)), value.clone());
        }
    }
    let variables = configuration.variables.iter();
    all.extend(variables.map(|(key, value)| (format!(":env:.{key}"), value.clone())));
    all.into_iter().collect()
}

fn list(
    process: &mut Process<'_, '_>,
    configuration: &Configuration,
    options: &Options,
) -> Result<u8, Ended> {
    let level = level(process, options)?;
    for (key, value) in entries(configuration, level) {
        process.write(format!("{key}={}\n", quoted(&value)))?;
    }
    Ok(0)
}

/// A text as Python's `repr` writes it.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            character if character == quote => quoted.extend(['\\', character]),
            character => quoted.push(character),
        }
    }
    quoted.push(quote);
    quoted
}

fn get(
    process: &mut Process<'_, '_>,
    configuration: &Configuration,
    options: &Options,
    key: &str,
) -> Result<u8, Ended> {
    let level = one_level(process, configuration, options)?;
    let key = normalized(key);
    let all = entries(configuration, Some(level));
    match all.into_iter().find(|(known, _)| *known == key) {
        Some((_, value)) => {
            process.write(format!("{value}\n"))?;
            Ok(0)
        }
        None => Err(no_such_key(process, &key)),
    }
}

fn no_such_key(process: &mut Process<'_, '_>, key: &str) -> Ended {
    let message = match key.contains('.') {
        true => format!("No such key - {key}"),
        false => without_section(key),
    };
    Said(process).error(&message)
}

fn without_section(key: &str) -> String {
    format!(
        "Key does not contain dot separated section and key. Perhaps you wanted to use \
         'global.{key}' instead?"
    )
}

/// Sets a key, or takes it away, in the level's last file (`_get_parser_to_modify`).
fn change(
    process: &mut Process<'_, '_>,
    configuration: &Configuration,
    options: &Options,
    key: &str,
    value: Option<&String>,
) -> Result<u8, Ended> {
    let level = one_level(process, configuration, options)?;
    let key = normalized(key);
    let Some((section, name)) = key.split_once('.') else {
        return Err(Said(process).error(&without_section(&key)));
    };
    let file = configuration.files.iter().rev().find(|file| file.level == level);
    let Some(file) = file else {
        let reason = "has no file to write to: `PIP_CONFIG_FILE` is set".to_owned();
        return Err(misused(SHOWN, reason).into());
    };
    let mut ini: Ini = file.ini.clone().unwrap_or_default();
    match value {
        Some(value) => ini.set(section, name, value),
        None if ini.unset(section, name) => {}
        None => return Err(no_such_key(process, &key)),
    }
    write(process, &file.path, &ini.text())?;
    process.write(format!("Writing to {}\n", file.path))?;
    Ok(0)
}

fn write(process: &mut Process<'_, '_>, path: &str, text: &str) -> Result<(), Ended> {
    let written = (|| {
        let target = ImagePath::lexical(path);
        let above = target.parent().unwrap_or_else(ImagePath::root);
        make_directory(process, &above)?;
        let located = process.locate(path.as_bytes(), Last::Followed)?;
        let (mode, data) = (FILE_MODE & !process.umask, Data::of(text));
        match located.stat {
            Some(_) => process.machine.files.write(&located.path, data),
            None => process.machine.files.make(&located.path, NewNode::File(data), mode),
        }
    })();
    match written {
        Ok(()) => Ok(()),
        Err(FileError::Stop(stop)) => Err(stop.into()),
        Err(FileError::Errno(errno)) => {
            let number = number(errno);
            let message = format!(
                "An error occurred while writing to the configuration file {path}: [Errno \
                 {number}] {errno}: '{path}'"
            );
            Err(Said(process).error(&message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn texts_are_quoted_as_python_does() {
        assert_eq!(quoted("https://a"), "'https://a'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("'\"\n\\"), "'\\'\"\\n\\\\'");
    }
}
