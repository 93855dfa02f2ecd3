//! The shape of a table of keys. The parser, the reference and the schema all read the same one.

/// A key of a `plywood.toml`.
pub(super) struct Key {
    /// As it is written.
    pub(super) name: &'static str,
    /// What its value is.
    pub(super) kind: Kind,
    /// What holds without it, in words or as TOML.
    pub(super) default: &'static str,
    /// What it is for, in Markdown.
    pub(super) description: &'static str,
    /// One or more lines of TOML, as they would stand in the key's table.
    pub(super) example: &'static str,
}

/// What a value can be.
pub(super) enum Kind {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number from 1 to this.
    Count(usize),
    /// One of a few strings.
    Choice(&'static [&'static str]),
    /// A date, or a date and time with an offset; a string or TOML's own.
    Moment,
    /// An array of strings.
    Texts,
    /// A string or an array of strings, which mean the same if there is but one.
    TextOrTexts,
    /// A string for the shell, or an array of strings without one.
    Command,
    /// An array of ports, as numbers or strings.
    Ports,
    /// A table of strings, whose names are the user's.
    Names,
    /// A table with keys of its own.
    Table(&'static [Key]),
    /// An array of such tables.
    Tables(&'static [Key]),
}

impl Kind {
    /// In words, as in "must be …".
    pub(super) fn words(&self) -> String {
        match self {
            Kind::Text => "a string".to_owned(),
            Kind::Flag => "`true` or `false`".to_owned(),
            Kind::Count(most) => format!("a whole number from 1 to {most}"),
            Kind::Choice(choices) => {
                let quoted: Vec<String> = choices.iter().map(|it| format!("`\"{it}\"`")).collect();
                match quoted.split_last() {
                    Some((last, rest)) if !rest.is_empty() => {
                        format!("{} or {last}", rest.join(", "))
                    }
                    _ => quoted.concat(),
                }
            }
            Kind::Moment => "a date, or a date and time with an offset".to_owned(),
            Kind::Texts => "an array of strings".to_owned(),
            Kind::TextOrTexts | Kind::Command => "a string or an array of strings".to_owned(),
            Kind::Ports => "an array of ports".to_owned(),
            Kind::Names => "a table of strings".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
            Kind::Tables(_) => "an array of tables".to_owned(),
        }
    }
}
