//! Names of users and groups, as the image's `/etc/passwd` and `/etc/group` have them.

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use crate::process::{Process, errno};
use crate::stop::Stop;

/// Users and groups.
#[derive(Debug, Default)]
pub(super) struct Owners {
    users: Vec<User>,
    groups: Vec<(BString, u32)>,
}

#[derive(Debug)]
struct User {
    name: BString,
    uid: u32,
    gid: u32,
}

/// An owner and a group, each if it is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ownership {
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
}

/// What is wrong with `USER:GROUP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadOwner {
    User,
    Group,
    Spec,
}

impl Owners {
    /// Reads both files; one that is missing has no names.
    pub(super) fn read(process: &mut Process<'_, '_>) -> Result<Self, Stop> {
        let passwd = read(process, "etc/passwd")?;
        let users = passwd.lines().filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b':');
            let name = fields.next()?.into();
            let (uid, gid) = (number(fields.nth(1)?)?, number(fields.next()?)?);
            Some(User { name, uid, gid })
        });
        let group = read(process, "etc/group")?;
        let groups = group.lines().filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b':');
            Some((fields.next()?.into(), number(fields.nth(1)?)?))
        });
        Ok(Owners { users: users.collect(), groups: groups.collect() })
    }

    /// The user's name.
    pub(super) fn user_name(&self, uid: u32) -> Option<&BString> {
        self.users.iter().find(|user| user.uid == uid).map(|user| &user.name)
    }

    /// The group's name.
    pub(super) fn group_name(&self, gid: u32) -> Option<&BString> {
        self.groups.iter().find(|(_, known)| *known == gid).map(|(name, _)| name)
    }

    /// The user's name, or the number if there is none.
    pub(super) fn user(&self, uid: u32) -> String {
        self.user_name(uid).map_or_else(|| uid.to_string(), ToString::to_string)
    }

    /// The group's name, or the number if there is none.
    pub(super) fn group(&self, gid: u32) -> String {
        self.group_name(gid).map_or_else(|| gid.to_string(), ToString::to_string)
    }

    /// The user of this name.
    pub(super) fn named_user(&self, name: &[u8]) -> Option<u32> {
        self.users.iter().find(|user| user.name == name).map(|user| user.uid)
    }

    /// The group of this name.
    pub(super) fn named_group(&self, name: &[u8]) -> Option<u32> {
        self.groups.iter().find(|(known, _)| *known == name).map(|(_, gid)| *gid)
    }

    /// A user by name, else by number; `+5` is always a number (coreutils manual, "Disambiguating
    /// names and IDs").
    pub(super) fn parse_user(&self, text: &[u8]) -> Option<u32> {
        match text.strip_prefix(b"+") {
            Some(digits) => number(digits),
            None => self.named_user(text).or_else(|| number(text)),
        }
    }

    /// A group by name, else by number.
    pub(super) fn parse_group(&self, text: &[u8]) -> Option<u32> {
        match text.strip_prefix(b"+") {
            Some(digits) => number(digits),
            None => self.named_group(text).or_else(|| number(text)),
        }
    }

    /// `USER`, `USER:GROUP`, `USER:` (and that user's login group) or `:GROUP`.
    pub(super) fn parse(&self, text: &[u8]) -> Result<Ownership, BadOwner> {
        let Some((user, group)) = text.split_once_str(":") else {
            return self.parse_alone(text);
        };
        let uid = self.parse_alone(user)?.uid;
        let gid = match (user, group) {
            (b"", b"") => None,
            (user, b"") => {
                let user = self.users.iter().find(|known| known.name == user);
                Some(user.ok_or(BadOwner::Spec)?.gid)
            }
            (_, group) => Some(self.parse_group(group).ok_or(BadOwner::Group)?),
        };
        Ok(Ownership { uid, gid })
    }

    fn parse_alone(&self, user: &[u8]) -> Result<Ownership, BadOwner> {
        match user {
            b"" => Ok(Ownership::default()),
            user => {
                let uid = self.parse_user(user).ok_or(BadOwner::User)?;
                Ok(Ownership { uid: Some(uid), gid: None })
            }
        }
    }

    /// `USER.GROUP`, as it was written once, where that is no user's name.
    pub(super) fn parse_with_dot(&self, text: &[u8]) -> Option<Ownership> {
        if self.parse(text) != Err(BadOwner::User) {
            return None;
        }
        let (user, group) = text.split_once_str(".")?;
        self.parse(&[user, b":", group].concat()).ok()
    }
}

fn read(process: &mut Process<'_, '_>, path: &str) -> Result<Vec<u8>, Stop> {
    match errno(process.machine.files.data(&ImagePath::lexical(path)))? {
        Ok(data) => Ok(process.bytes(&data)?.to_vec()),
        Err(_) => match errno(process.open_bytes(format!("/{path}").as_bytes()))? {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(_) => Ok(Vec::new()),
        },
    }
}

/// A decimal id; the largest one means "none" (chown(2)).
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u32 = digits.to_str().ok()?.parse().ok()?;
    (number != u32::MAX).then_some(number)
}
