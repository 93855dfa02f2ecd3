//! A line of sysusers.d(5).

use bstr::{BStr, BString, ByteSlice};
use shell::{Process, Stop};

use crate::programs::configuration;
use crate::programs::failure::refused;

/// A user or a group that shall be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Item {
    pub(super) name: BString,
    /// The group that a user shall have, by name.
    pub(super) group: Option<BString>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    /// Whether the group's number is not to be doubted.
    pub(super) is_strict: bool,
    /// A file whose owner gives the number.
    pub(super) path: Option<BString>,
    pub(super) description: Option<BString>,
    pub(super) home: Option<BString>,
    pub(super) shell: Option<BString>,
    /// Whether a user of this name has to be written.
    pub(super) makes_user: bool,
    /// Whether a group of this name has to be written.
    pub(super) makes_group: bool,
}

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    User(Item),
    Group(Item),
    Member { user: BString, group: BString },
}

impl Item {
    pub(super) fn named(name: &BStr) -> Self {
        Item { name: name.into(), ..Item::default() }
    }
}

/// Reads a line. What systemd would complain of is refused.
pub(super) fn parse(
    process: &Process<'_, '_>,
    path: &BString,
    line: &BString,
) -> Result<Line, Stop> {
    let wrong = || refused(process, format!("does not understand a line of {path}: {line}"));
    let (words, left) = configuration::words(process, line, 6)?;
    if !left.is_empty() || words.iter().any(|word| word.contains(&b'%')) {
        return Err(wrong());
    }
    let field = |at: usize| configuration::field(&words, at);
    let (Some(kind), Some(name)) = (words.first(), field(1)) else { return Err(wrong()) };
    if !is_name(name) {
        return Err(wrong());
    }
    let [id, description, home, shell] = [2, 3, 4, 5].map(|at| field(at).cloned());
    let is_plain = description.is_none() && home.is_none() && shell.is_none();
    let mut item = Item { description, home, shell, ..Item::named(name.as_bstr()) };
    match &kind[..] {
        b"u" => {
            let is_path = |value: &Option<BString>| {
                value.as_ref().is_none_or(|value| value.starts_with(b"/") && !value.contains(&b':'))
            };
            let is_text = |value: &BString| !value.iter().any(|byte| b":\n".contains(byte));
            let is_sound = is_path(&item.home)
                && is_path(&item.shell)
                && item.description.as_ref().is_none_or(is_text);
            if !is_sound {
                return Err(wrong());
            }
            number_user(&mut item, id).ok_or_else(wrong)?;
            Ok(Line::User(item))
        }
        b"g" if is_plain => {
            match id {
                Some(id) if id.starts_with(b"/") => item.path = Some(id),
                Some(id) => item.gid = Some(number(&id).ok_or_else(wrong)?),
                None => {}
            }
            Ok(Line::Group(item))
        }
        b"m" if is_plain => match id {
            Some(group) if is_name(&group) => Ok(Line::Member { user: name.clone(), group }),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// `UID`, `UID:GID`, `UID:GROUP` or a path.
fn number_user(item: &mut Item, id: Option<BString>) -> Option<()> {
    let Some(id) = id else { return Some(()) };
    if id.starts_with(b"/") {
        item.path = Some(id);
        return Some(());
    }
    let mut uid = &id[..];
    if let Some((before, group)) = id.split_once_str(":") {
        uid = before;
        match number(group) {
            Some(gid) => {
                item.gid = Some(gid);
                item.is_strict = true;
            }
            None if is_name(group) => item.group = Some(group.into()),
            None => return None,
        }
    }
    if uid != b"-" {
        item.uid = Some(number(uid)?);
    }
    Some(())
}

fn number(text: &[u8]) -> Option<u32> {
    let is_number = text.iter().all(u8::is_ascii_digit);
    let number = text.to_str().ok().filter(|_| is_number)?.parse().ok()?;
    // These mean "nobody" to system calls.
    (number != u32::MAX && number != 0xffff).then_some(number)
}

/// Whether systemd takes this for the name of a user or group, however it is called.
fn is_name(text: &[u8]) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    text.len() <= 31
        && text.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
        && text.iter().all(is_inner)
}
