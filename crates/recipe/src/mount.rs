//! `RUN --mount=type=cache,target=/x`: comma-separated fields, checked as far as they are plain.
//!
//! What holds a variable is left to `plan`.

use std::ops::Range;

use crate::directive::boolean;
use crate::suggest::did_you_mean;
use crate::{Diagnostic, Mount, MountKind, Span, Word};

const KINDS: [(&str, MountKind); 5] = [
    ("bind", MountKind::Bind),
    ("cache", MountKind::Cache),
    ("tmpfs", MountKind::Tmpfs),
    ("secret", MountKind::Secret),
    ("ssh", MountKind::Ssh),
];
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "required",
    "size",
    "id",
    "sharing",
    "mode",
    "uid",
    "gid",
    "env",
];

/// A field and where it stands.
struct Field {
    key: String,
    value: Option<String>,
    span: Span,
    key_span: Span,
    value_span: Span,
}

/// Reads a mount.
pub(crate) fn parse(word: &Word) -> Result<Mount, Diagnostic> {
    let fields = fields(word)?;
    let mut kind = MountKind::Bind;
    for field in &fields {
        check_key(field)?;
        if field.key == "type" {
            kind = mount_kind(field)?;
        }
    }
    for field in &fields {
        check_value(field)?;
        check_use(field, kind)?;
    }
    let has = |key: &str| fields.iter().any(|field| field.key == key);
    let source = has("source") || has("src");
    let target = has("target") || has("dst") || has("destination");
    if kind == MountKind::Secret && !(source || target || has("id")) {
        let error = Diagnostic::error(word.span.clone(), "a secret's mount names no secret");
        return Err(error.with_hint("say which with `id=NAME`"));
    }
    if kind == MountKind::Secret && source && has("id") {
        let message = "a secret's mount has a source and an id, which mean the same";
        return Err(Diagnostic::error(word.span.clone(), message).with_hint("keep the id"));
    }
    let options = fields
        .into_iter()
        .filter(|field| field.key != "type")
        .map(|field| (field.key, field.value))
        .collect();
    Ok(Mount { kind, options, span: word.span.clone() })
}

fn fields(word: &Word) -> Result<Vec<Field>, Diagnostic> {
    let mut fields = Vec::new();
    for (text, range) in comma_separated(word)? {
        let verbatim = text.len() == range.len();
        let part = |part: Range<usize>| match verbatim {
            true => word.part(range.start + part.start..range.start + part.end),
            false => word.part(range.clone()),
        };
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (text.as_str(), None),
        };
        fields.push(Field {
            key: key.to_ascii_lowercase(),
            span: part(0..text.len()),
            key_span: part(0..key.len()),
            value_span: part((key.len() + 1).min(text.len())..text.len()),
            value: value.map(str::to_owned),
        });
    }
    Ok(fields)
}

/// One line of comma-separated values (RFC 4180): a field in double quotes may hold commas, and
/// two double quotes for one.
pub(crate) fn comma_separated(word: &Word) -> Result<Vec<(String, Range<usize>)>, Diagnostic> {
    let text = &word.text;
    let bad = |range: Range<usize>| {
        let message = "a quote in a comma-separated list does not enclose a whole field";
        Err(Diagnostic::error(word.part(range), message))
    };
    let mut fields = Vec::new();
    let mut start = 0;
    loop {
        let rest = &text[start..];
        let (field, length) = match rest.strip_prefix('"') {
            None => {
                let length = rest.find(',').unwrap_or(rest.len());
                if let Some(quote) = rest[..length].find('"') {
                    return bad(start + quote..start + quote + 1);
                }
                (rest[..length].to_owned(), length)
            }
            Some(quoted) => match closing_quote(quoted) {
                Some(end) if matches!(quoted.as_bytes().get(end + 1), None | Some(b',')) => {
                    (quoted[..end].replace("\"\"", "\""), end + 2)
                }
                _ => return bad(start..start + 1),
            },
        };
        fields.push((field, start..start + length));
        start += length;
        if start >= text.len() {
            return Ok(fields);
        }
        start += 1;
    }
}

/// The first `"` that is not one of two.
fn closing_quote(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find('"')?;
        if !text[at + 1..].starts_with('"') {
            return Some(at);
        }
        from = at + 2;
    }
}

fn check_key(field: &Field) -> Result<(), Diagnostic> {
    if !KEYS.contains(&field.key.as_str()) {
        let message = format!("a mount has no option `{}`", field.key);
        let hint = did_you_mean(&field.key, KEYS)
            .unwrap_or_else(|| format!("options are {}", KEYS.join(", ")));
        return Err(Diagnostic::error(field.key_span.clone(), message).with_hint(hint));
    }
    let alone = ["readonly", "ro", "readwrite", "rw", "required"].contains(&field.key.as_str());
    if field.value.is_none() && !alone {
        let message = format!("the mount's option `{}` has no value", field.key);
        let error = Diagnostic::error(field.span.clone(), message);
        return Err(error.with_hint(format!("write `{}=VALUE`", field.key)));
    }
    Ok(())
}

fn mount_kind(field: &Field) -> Result<MountKind, Diagnostic> {
    let value = field.value.as_deref().unwrap_or_default();
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| value.eq_ignore_ascii_case(name)) {
        return Ok(*kind);
    }
    let names = KINDS.map(|(name, _)| name);
    let message = format!("there is no type of mount called `{value}`");
    let hint =
        did_you_mean(value, names).unwrap_or_else(|| format!("types are {}", names.join(", ")));
    Err(Diagnostic::error(field.value_span.clone(), message).with_hint(hint))
}

/// Whether a plain value has the form that its key wants.
fn check_value(field: &Field) -> Result<(), Diagnostic> {
    let Some(value) = field.value.as_deref() else { return Ok(()) };
    if field.key == "from" && value.find('$').is_some_and(|at| at + 1 < value.len()) {
        let message = "variables are not expanded in a mount's `from`";
        let error = Diagnostic::error(field.value_span.clone(), message);
        return Err(error.with_hint("name a stage for it with FROM, where they are, and take that"));
    }
    if value.contains('$') {
        return Ok(());
    }
    let wanted = match field.key.as_str() {
        "readonly" | "ro" | "readwrite" | "rw" | "required" if boolean(value).is_none() => {
            "`true` or `false`"
        }
        "sharing"
            if !["shared", "private", "locked"].contains(&value.to_ascii_lowercase().as_str()) =>
        {
            "`shared`, `private` or `locked`"
        }
        "mode" if u32::from_str_radix(value, 8).is_err() => "an octal number, such as 0755",
        "uid" | "gid" if value.parse::<u32>().is_err() => "a number",
        "size" if !is_size(value) => "a size in bytes, such as 67108864, 64m or 1g",
        _ => return Ok(()),
    };
    let message = format!("`{value}` is no value for the mount's option `{}`", field.key);
    Err(Diagnostic::error(field.value_span.clone(), message).with_hint(format!("it is {wanted}")))
}

/// A number with a unit, as `docker run --shm-size` takes it: `64m`, `1.5 GiB`.
fn is_size(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end_matches(' ');
    let unit = text[number.len()..].trim_start().to_ascii_lowercase();
    let unit = unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(&unit);
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.parse::<f64>().is_ok()
        && matches!(unit, "" | "k" | "m" | "g" | "t" | "p")
}

/// Whether the option means something for this kind of mount.
fn check_use(field: &Field, kind: MountKind) -> Result<(), Diagnostic> {
    use MountKind::{Bind, Cache, Secret, Ssh, Tmpfs};
    let fits = match field.key.as_str() {
        "size" => kind == Tmpfs,
        "required" => matches!(kind, Secret | Ssh),
        "sharing" => kind == Cache,
        "mode" | "uid" | "gid" => !matches!(kind, Bind | Tmpfs),
        "from" => kind != Secret,
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let name = KINDS.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| *name);
    let message = format!("a mount of type `{name}` has no option `{}`", field.key);
    Err(Diagnostic::error(field.key_span.clone(), message))
}
