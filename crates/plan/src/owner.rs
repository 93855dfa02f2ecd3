//! `--chown` by name: what `/etc/passwd` and `/etc/group` of the image say.
//!
//! Docker's reference, "COPY --chown": names are looked up in the image; a user name without a
//! group means the user's own group (as BuildKit has it, other than that reference), and a number
//! without a group is its own group.

use std::sync::Arc;

use layer::Content;
use recipe::{Diagnostic, Owner, OwnerName, Severity, Span};

use crate::Need;
use crate::error::{PlanError, Step, Stop};
use crate::facts::FileReference;
use crate::outcome::Source;
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
            let ids = passwd_ids(&passwd, name);
            ids.ok_or_else(|| unknown(planner, "user", name, "/etc/passwd", span))?
        }
    };
    let gid = match &owner.group {
        None => own_group,
        Some(OwnerName::Id(gid)) => *gid,
        Some(OwnerName::Name(name)) => {
            let group = read(planner, "etc/group", name, span)?;
            let id = group_id(&group, name);
            id.ok_or_else(|| unknown(planner, "group", name, "/etc/group", span))?
        }
    };
    Ok(Ids { uid, gid })
}

/// Who runs a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Supplementary groups.
    pub(crate) groups: Vec<u32>,
    pub(crate) home: String,
}

/// The account that a container's runtime starts a command as (runc's `libcontainer/user`,
/// "GetExecUser"): other than for `--chown`, a number that `/etc/passwd` does not have belongs to
/// group 0, and nothing has to be there for numbers.
pub(crate) fn account(
    planner: &mut StagePlanner<'_, '_>,
    owner: &Owner,
    span: &Span,
) -> Step<Account> {
    let passwd = text(planner, "etc/passwd")?;
    let group = text(planner, "etc/group")?;
    let lines = |text: &[u8]| -> Vec<Vec<String>> {
        let text = String::from_utf8_lossy(text);
        text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
    };
    let (users, groups) = (lines(&passwd), lines(&group));
    let number = |fields: &[String], at: usize| fields.get(at)?.parse::<u32>().ok();
    let user = users.iter().find(|fields| match &owner.user {
        OwnerName::Id(uid) => number(fields, 2) == Some(*uid),
        OwnerName::Name(name) => fields.first() == Some(name),
    });
    let ids = user.and_then(|fields| Some((number(fields, 2)?, number(fields, 3)?)));
    let (uid, own_group) = match (&owner.user, ids) {
        (_, Some(ids)) => ids,
        (OwnerName::Id(uid), None) => (*uid, 0),
        (OwnerName::Name(name), None) => {
            return Err(unknown_account(span, "user", name, "/etc/passwd"));
        }
    };
    let mut account = Account { uid, gid: own_group, groups: Vec::new(), home: "/".to_owned() };
    if let Some(home) = user.and_then(|fields| fields.get(5)).filter(|home| !home.is_empty()) {
        account.home.clone_from(home);
    }
    match &owner.group {
        Some(OwnerName::Id(gid)) => account.gid = *gid,
        Some(OwnerName::Name(name)) => {
            let found = groups.iter().find(|fields| fields.first() == Some(name));
            let gid = found.and_then(|fields| number(fields, 2));
            account.gid = gid.ok_or_else(|| unknown_account(span, "group", name, "/etc/group"))?;
        }
        None => {
            let name = user.and_then(|fields| fields.first());
            let has = |fields: &&Vec<String>| match (fields.get(3), name) {
                (Some(members), Some(name)) => members.split(',').any(|member| member == name),
                _ => false,
            };
            account.groups = groups.iter().filter(has).filter_map(|it| number(it, 2)).collect();
        }
    }
    Ok(account)
}

fn unknown_account(span: &Span, what: &str, name: &str, file: &str) -> Stop {
    let message = format!("the image has no {what} `{name}` in {file}");
    let error = PlanError::base(span.clone(), message);
    error.with_hint("use the number instead, as in `USER 1000:1000`").into()
}

/// The stage's `USER`, as the owner of what `WORKDIR` makes: root if the image does not know the
/// user, as BuildKit has it.
pub(crate) fn of_user(planner: &mut StagePlanner<'_, '_>, span: &Span) -> Step<Ids> {
    let Some(user) = planner.state.config.user().map(str::to_owned) else { return Ok(ROOT) };
    let Ok(owner) = Owner::parse(&user) else { return Ok(ROOT) };
    match resolve(planner, &owner, span) {
        Err(Stop::Error(error)) => {
            let message = format!("{error}, and so root owns the directory");
            planner.shared.warnings.push(Diagnostic {
                severity: Severity::Warning,
                rule: None,
                message,
                span: span.clone(),
                hint: Some("use the number instead, as in `USER 1000:1000`".to_owned()),
            });
            Ok(ROOT)
        }
        other => other,
    }
}

fn unknown(
    planner: &StagePlanner<'_, '_>,
    what: &str,
    name: &str,
    file: &str,
    span: &Span,
) -> Stop {
    refuse(planner, span, format!("the image has no {what} `{name}` in {file}"))
}

/// A `RUN` may have made what is missing.
fn refuse(planner: &StagePlanner<'_, '_>, span: &Span, message: String) -> Stop {
    if planner.state.tree.is_executed() {
        return Stop::Execution;
    }
    PlanError::base(span.clone(), message)
        .with_hint("use the number instead, as in --chown=1000:1000")
        .into()
}

/// The text of a file in the stage's tree, following links.
fn read(
    planner: &mut StagePlanner<'_, '_>,
    path: &str,
    name: &str,
    span: &Span,
) -> Step<Arc<[u8]>> {
    let path = oci::ImagePath::lexical(path);
    let tree = &planner.state.tree;
    let Some((_, found)) = tree.follow(&path, planner.needs)? else {
        let message = format!("`{name}` cannot be looked up: the image has no /{path}");
        return Err(refuse(planner, span, message));
    };
    let Some((content, file)) = tree.file(found, planner.needs)? else {
        let message = format!("`{name}` cannot be looked up: /{path} of the image is no file");
        return Err(refuse(planner, span, message));
    };
    bytes(planner, content, tree.source(&content, file, &planner.shared.sources))
}

/// The same where the file need not be there.
fn text(planner: &mut StagePlanner<'_, '_>, path: &str) -> Step<Arc<[u8]>> {
    let tree = &planner.state.tree;
    let nothing = || Arc::from(&b""[..]);
    let found = tree.follow(&oci::ImagePath::lexical(path), planner.needs)?;
    let Some((_, found)) = found else { return Ok(nothing()) };
    let Some((content, file)) = tree.file(found, planner.needs)? else { return Ok(nothing()) };
    bytes(planner, content, tree.source(&content, file, &planner.shared.sources))
}

fn bytes(
    planner: &mut StagePlanner<'_, '_>,
    content: Content,
    source: Option<Source>,
) -> Step<Arc<[u8]>> {
    if let Some(text) = planner.shared.facts.texts.get(&content.digest) {
        return Ok(Arc::clone(text));
    }
    match source {
        // What a `RUN` wrote is at hand.
        Some(Source::Inline(text)) => return Ok(text),
        Some(source) => planner.needs.add(Need::Text(FileReference { content, source })),
        None => {}
    }
    Err(Stop::Needs)
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
