//! `tar -t`, and what `-v` writes.

use super::member::{Member, MemberNode};
use super::select::unsafe_prefix;
use crate::options::Options;
use crate::process::{Process, Run};
use crate::programs::files::modes::permissions;
use crate::programs::files::times;
use crate::stop::Stop;

/// GNU tar's first width of owner, group and size together.
const WIDTH: usize = 19;

/// Prefixes that were told to be removed, each once.
#[derive(Debug, Default)]
pub(super) struct Removed {
    names: Vec<Vec<u8>>,
    links: Vec<Vec<u8>>,
}

/// What a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Member,
    HardLink,
}

impl Removed {
    /// A name without what leads out of the directory.
    pub(super) fn safe<'a>(
        &mut self,
        process: &mut Process<'_, '_>,
        name: &'a [u8],
        of: Of,
    ) -> Result<&'a [u8], Stop> {
        let (prefix, rest) = name.split_at(unsafe_prefix(name));
        let (told, what) = match of {
            Of::Member => (&mut self.names, "member names"),
            Of::HardLink => (&mut self.links, "hard link targets"),
        };
        if !prefix.is_empty() && !told.iter().any(|known| known == prefix) {
            told.push(prefix.to_vec());
            let mut message = b"Removing leading `".to_vec();
            message.extend_from_slice(prefix);
            message.extend_from_slice(format!("' from {what}").as_bytes());
            process.complain_bytes(&message)?;
        }
        Ok(if rest.is_empty() { b"." } else { rest })
    }
}

/// Lists members.
pub(super) fn list(process: &mut Process<'_, '_>, options: &Options, members: &[Member]) -> Run {
    let is_long = options.has("-v");
    if is_long {
        times::expect_utc(process)?;
    }
    let mut removed = Removed::default();
    let mut width = WIDTH;
    for member in members {
        removed.safe(process, &member.name, Of::Member)?;
        let mut line = Vec::new();
        if is_long {
            line.extend_from_slice(long(member, &mut width, options).as_bytes());
        }
        line.extend_from_slice(&member.name);
        match &member.node {
            MemberNode::Symlink(target) if is_long => {
                line.extend_from_slice(b" -> ");
                line.extend_from_slice(target);
            }
            MemberNode::Hardlink(target) => {
                let target = removed.safe(process, target, Of::HardLink)?;
                if is_long {
                    line.extend_from_slice(b" link to ");
                    line.extend_from_slice(target);
                }
            }
            _ => {}
        }
        line.push(b'\n');
        process.write(line)?;
    }
    Ok(0)
}

fn long(member: &Member, width: &mut usize, options: &Options) -> String {
    let (letter, size) = match &member.node {
        MemberNode::File(data) => ('-', data.size().to_string()),
        MemberNode::Directory => ('d', "0".to_owned()),
        MemberNode::Symlink(_) => ('l', "0".to_owned()),
        MemberNode::Hardlink(_) => ('h', "0".to_owned()),
        MemberNode::Fifo => ('p', "0".to_owned()),
        MemberNode::CharDevice(major, minor) => ('c', format!("{major},{minor}")),
        MemberNode::BlockDevice(major, minor) => ('b', format!("{major},{minor}")),
    };
    let named =
        |name: &bstr::BString, id: u32| match name.is_empty() || options.has("--numeric-owner") {
            true => id.to_string(),
            false => name.to_string(),
        };
    let user = named(&member.user, member.uid);
    let group = named(&member.group, member.gid);
    *width = (*width).max(user.len() + group.len() + size.len() + 2);
    let padding = *width - user.len() - group.len() - 2;
    let date = times::civil(member.mtime).map(|date| date.strftime("%Y-%m-%d %H:%M").to_string());
    let mode = permissions(member.mode);
    format!("{letter}{mode} {user}/{group} {size:>padding$} {} ", date.unwrap_or_default())
}
