//! `--chown` by name: what `/etc/passwd` and `/etc/group` of the image say.
//!
//! Docker's reference, "COPY --chown": names are looked up in the image; a user name without a
//! group means the user's own group, and a number without a group is its own group.

use recipe::{Owner, OwnerName, Span};

use crate::Need;
use crate::error::{PlanError, Step, Stop};
use crate::facts::FileReference;
use crate::stage::StagePlanner;

/// Numeric owner and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Root and its group.
pub(crate) const ROOT: Ids = Ids { uid: 0, gid: 0 };

/// Resolves an owner against the stage's files.
pub(crate) fn resolve(planner: &mut StagePlanner<'_, '_>, owner: &Owner, span: &Span) -> Step<Ids> {
    let (uid, own_group) = match &owner.user {
        OwnerName::Id(uid) => (*uid, *uid),
        OwnerName::Name(name) => {
            let passwd = read(planner, "etc/passwd", name, span)?;
            passwd_ids(&passwd, name).ok_or_else(|| unknown("user", name, "/etc/passwd", span))?
        }
    };
    let gid = match &owner.group {
        None => own_group,
        Some(OwnerName::Id(gid)) => *gid,
        Some(OwnerName::Name(name)) => {
            let group = read(planner, "etc/group", name, span)?;
            group_id(&group, name).ok_or_else(|| unknown("group", name, "/etc/group", span))?
        }
    };
    Ok(Ids { uid, gid })
}

fn unknown(what: &str, name: &str, file: &str, span: &Span) -> PlanError {
    let message = format!("the image has no {what} `{name}` in {file}");
    PlanError::base(span.clone(), message)
        .with_hint("use the number instead, as in --chown=1000:1000")
}

/// The text of a file in the stage's tree, following links.
fn read(planner: &mut StagePlanner<'_, '_>, path: &str, name: &str, span: &Span) -> Step<Vec<u8>> {
    let path = oci::ImagePath::lexical(path);
    let Some(found) = planner.state.tree.find(&path, planner.needs)? else {
        let message = format!("`{name}` cannot be looked up: the image has no /{path}");
        return Err(PlanError::base(span.clone(), message)
            .with_hint("use the number instead, as in --chown=1000:1000")
            .into());
    };
    let Some((content, source)) =
        planner.state.tree.content(&found, planner.shared, planner.needs)?
    else {
        let message = format!("`{name}` cannot be looked up: /{path} of the image is no file");
        return Err(PlanError::base(span.clone(), message).into());
    };
    match planner.shared.facts.texts.get(&content.digest) {
        Some(text) => Ok(text.to_vec()),
        None => {
            planner.needs.add(Need::Text(FileReference { content, source }));
            Err(Stop::Needs)
        }
    }
}

/// passwd(5): `name:password:uid:gid:…`
fn passwd_ids(passwd: &[u8], name: &str) -> Option<(u32, u32)> {
    let passwd = String::from_utf8_lossy(passwd);
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        Some((uid.parse().ok()?, gid.parse().ok()?))
    })
}

/// group(5): `name:password:gid:…`
fn group_id(group: &[u8], name: &str) -> Option<u32> {
    let group = String::from_utf8_lossy(group);
    group.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        fields.nth(1)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_fields() {
        let passwd = b"root:x:0:0::/:/bin/sh\nbroken\napp:x:1000:1001:App:/app:/bin/sh\n";
        assert_eq!(passwd_ids(passwd, "app"), Some((1000, 1001)));
        assert_eq!(passwd_ids(passwd, "ap"), None);
        assert_eq!(passwd_ids(passwd, "broken"), None);
        assert_eq!(group_id(b"root:x:0:\nstaff:x:50:app\n", "staff"), Some(50));
    }
}
