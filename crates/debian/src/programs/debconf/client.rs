//! The other side of the protocol: programs that are built in and speak with debconf themselves.

use bstr::{BStr, BString, ByteSlice};
use shell::process::Run;
use shell::{Process, Reason, Stop};

use super::words::{joined, split_words};

/// Has a program run again with debconf listening, if nobody does; `None` if somebody does.
pub(super) fn begin(process: &mut Process<'_, '_>, path: &str) -> Option<Run> {
    let listens = process.environment.get(BStr::new("DEBIAN_HAS_FRONTEND"));
    if listens.is_some_and(|value| !value.is_empty() && *value != "0") {
        return None;
    }
    process.environment.insert("PERL_DL_NONLAZY".into(), "1".into());
    let mut words: Vec<BString> = vec!["/usr/share/debconf/frontend".into(), path.into()];
    words.extend(process.arguments().iter().cloned());
    Some(process.spawn(words))
}

/// Says a command, and gives what is behind the code of the answer.
pub(super) fn ask(process: &mut Process<'_, '_>, words: &[&[u8]]) -> Result<BString, Stop> {
    // Where the shell's library was used before, output is somewhere else.
    let is_moved = process.environment.get(BStr::new("DEBCONF_REDIR"));
    let output = if is_moved.is_some_and(|value| !value.is_empty()) { 3 } else { 1 };
    process.write_to(output, &[&words.join(&b' ')[..], b"\n"].concat())?;
    let Some(line) = process.read_line()? else {
        return Err(process.refuse(Reason::Use("is not answered by debconf".to_owned())));
    };
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let (code, text) = line.split_once_str(" ").unwrap_or((line, b""));
    match code {
        b"1" => Ok(unescaped(text)),
        _ => Ok(text.into()),
    }
}

fn unescaped(text: &[u8]) -> BString {
    let mut unescaped = BString::default();
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        unescaped.push(match (byte, byte == b'\\') {
            (_, true) => match rest.next() {
                Some(b'n') => b'\n',
                Some(other) => other,
                None => b'\\',
            },
            (other, false) => other,
        });
    }
    unescaped
}

/// The items of a list, parted by a comma and one blank.
pub(super) fn items(list: &BStr) -> Vec<BString> {
    let items = list.split_str(", ").filter(|item| !item.is_empty());
    items.map(BString::from).collect()
}

/// A module of a PAM configuration: what it is called by, and its options.
pub(super) fn parted_at_module(line: &[u8]) -> Option<(BString, Vec<BString>)> {
    let control = match line.first()? {
        b'[' => line.find_byte(b']').filter(|end| *end > 1)? + 1,
        _ => line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count(),
    };
    let (control, rest) = line.split_at(control);
    let module = super::words::trim_start(rest);
    let blanks = &rest[..rest.len() - module.len()];
    if control.is_empty() || blanks.is_empty() || module.is_empty() {
        return None;
    }
    let end = module.iter().position(u8::is_ascii_whitespace).unwrap_or(module.len());
    Some((joined(&[control, blanks, &module[..end]]), split_words(&module[end..])))
}
