//! `[[files]]`: each is a `COPY`.

use std::collections::BTreeSet;

use super::lower::shown;
use super::read::Reader;
use super::value::Table;
use crate::{Copy, FileMode, Heredoc, Owner, Source, Span, Spanned, Word};

/// The copies in their order, each with its text and its place.
pub(super) fn copies(document: &Table, reader: &mut Reader<'_>) -> Vec<(Copy, String, Span)> {
    let mut copies = Vec::new();
    let mut targets = BTreeSet::new();
    for table in document.tables("files") {
        if let Some(to) = table.text("to")
            && !is_directory(&to.node)
            && !targets.insert(to.node.as_str())
        {
            let message = format!("`{}` is the target of two `[[files]]`", to.node);
            let hint = "put `/` at its end if both go into it, or all sources in one `from`";
            reader.error(to.span.clone(), message, hint);
        }
        if let Some(copy) = copy(table, reader) {
            copies.push((copy, copy_text(table), table.span.clone()));
        }
    }
    copies
}

/// A `[[files]]` as a `COPY`.
fn copy(table: &Table, reader: &mut Reader<'_>) -> Option<Copy> {
    let before = reader.errors.len();
    let literal =
        |key: &str| table.text(key).map(|text| Word::literal(&text.node, text.span.clone()));
    let destination = literal("to");
    match table.text("to") {
        None if table.lacks("to") => {
            let hint = "say where to, such as `to = \"/app/\"`";
            reader.error(table.span.clone(), "`[[files]]` has no `to`", hint);
        }
        Some(to) if to.node.is_empty() => {
            let hint = "the working directory is `.`, and the root `/`";
            reader.error(to.span.clone(), "`to` is empty", hint);
        }
        _ => {}
    }
    check_owner_and_mode(table, reader);
    let sources = sources(table, reader);
    let unquoted =
        |text: &Spanned<String>| Word { text: text.node.clone(), span: text.span.clone() };
    (reader.errors.len() == before).then_some(Copy {
        sources,
        destination: destination?,
        // These two are not expanded in a Dockerfile, either.
        from: table.text("context").map(unquoted),
        exclude: table.texts("exclude").iter().map(unquoted).collect(),
        chown: literal("owner"),
        chmod: literal("mode"),
        link: false,
        parents: table.flag("parents").unwrap_or(false),
    })
}

fn check_owner_and_mode(table: &Table, reader: &mut Reader<'_>) {
    let at = |text: &Spanned<String>| Word::literal("", text.span.clone());
    if let Some(owner) = table.text("owner")
        && let Err(error) = Owner::parse(&owner.node)
    {
        reader.errors.push(error.diagnostic(&at(owner)));
    }
    if let Some(mode) = table.text("mode")
        && let Err(error) = FileMode::parse(&mode.node)
    {
        reader.errors.push(error.diagnostic(&at(mode)));
    }
    if let Some(context) = table.text("context")
        && context.node.is_empty()
    {
        reader.error(context.span.clone(), "`context` is empty", "leave it out");
    }
}

fn sources(table: &Table, reader: &mut Reader<'_>) -> Vec<Source> {
    let (from, content, to) = (table.texts("from"), table.text("content"), table.text("to"));
    let mut sources = Vec::new();
    match (table.place("from"), content) {
        (Some(_), Some(content)) => {
            let hint = "the text of a file is all that there is to copy; use two `[[files]]`";
            reader.error(content.span.clone(), "there are both `from` and `content`", hint);
        }
        (Some(span), None) => {
            if from.is_empty() {
                reader.error(span, "`from` is empty", "all of the context is `.`");
            }
            for text in from {
                if text.node.is_empty() {
                    let hint = "all of the context is `.`";
                    reader.error(text.span.clone(), "`from` holds an empty path", hint);
                }
                sources.push(Source::Path(Word::literal(&text.node, text.span.clone())));
            }
            if let Some(to) = to.filter(|to| from.len() > 1 && !is_directory(&to.node)) {
                let message = format!("several sources go to `{}`, which is one name", to.node);
                reader.error(to.span.clone(), message, "put `/` at its end");
            }
        }
        (None, Some(content)) => sources.extend(inline(table, content, to, reader)),
        (None, None) if table.lacks("content") => {
            let hint = "say what to copy, such as `from = \"app\"`";
            reader.error(table.span.clone(), "`[[files]]` has neither `from` nor `content`", hint);
        }
        (None, None) => {}
    }
    sources
}

/// `content` as a here-document.
fn inline(
    table: &Table,
    content: &Spanned<String>,
    to: Option<&Spanned<String>>,
    reader: &mut Reader<'_>,
) -> Option<Source> {
    for key in ["context", "exclude", "parents"] {
        if let Some(span) = table.place(key) {
            let message = format!("`{key}` says nothing about `content`");
            reader.error(span, message, "it is for `from`");
        }
    }
    let to = to?;
    if is_directory(&to.node) {
        let message = format!("`{}` is a directory's name, and `content` is a file", to.node);
        reader.error(to.span.clone(), message, "give the file's whole name");
        return None;
    }
    let name = to.node.rsplit('/').next().unwrap_or_default().to_owned();
    let (content, span) = (content.node.clone(), content.span.clone());
    Some(Source::Heredoc(Heredoc { name, content, expand: false, descriptor: 0, span }))
}

/// Whether a target names a directory, as a `COPY` has it.
fn is_directory(to: &str) -> bool {
    matches!(to.rsplit('/').next(), Some("" | "." | ".."))
}

fn copy_text(table: &Table) -> String {
    let mut line = vec!["COPY".to_owned()];
    for (key, flag) in [("context", "from"), ("owner", "chown"), ("mode", "chmod")] {
        line.extend(table.text(key).map(|text| format!("--{flag}={}", shown(&text.node))));
    }
    line.extend(table.flag("parents").filter(|it| *it).map(|_| "--parents".to_owned()));
    let exclude = table.texts("exclude").iter();
    line.extend(exclude.map(|text| format!("--exclude={}", shown(&text.node))));
    let to = table.text("to").map_or("", |to| to.node.as_str());
    match table.text("content") {
        Some(_) => line.push(format!("<<{}", shown(to.rsplit('/').next().unwrap_or_default()))),
        None => line.extend(table.texts("from").iter().map(|text| shown(&text.node))),
    }
    line.push(shown(to));
    line.join(" ")
}
