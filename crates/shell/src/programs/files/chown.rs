//! `chown` and `chgrp` (coreutils manual, "chown invocation", "chgrp invocation").

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;

use super::destination::inside;
use super::owners::{BadOwner, Owners, Ownership};
use super::report::{Talk, attempt, fail, usage};
use crate::files::{Kind, Last, Stat};
use crate::options::{Known, Options, Order, Takes, flag, long};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{cited, quoted};
use crate::stop::Stop;

const CHOWN: &[Known] = &[
    flag("-R", 'R', &["recursive"]),
    flag("-h", 'h', &["no-dereference"]),
    long("--dereference", &["dereference"], Takes::Nothing),
    flag("-H", 'H', &[]),
    flag("-L", 'L', &[]),
    flag("-P", 'P', &[]),
    flag("-c", 'c', &["changes"]),
    flag("-f", 'f', &["silent", "quiet"]),
    flag("-v", 'v', &["verbose"]),
    long("--from", &["from"], Takes::Value),
    long("--reference", &["reference"], Takes::Value),
    long("--preserve-root", &["preserve-root"], Takes::Nothing),
    long("--no-preserve-root", &["no-preserve-root"], Takes::Nothing),
];

struct Chown {
    /// What to set.
    to: Ownership,
    /// The owner and group that it is called by.
    named: (Option<String>, Option<String>),
    /// Only what has this owner and this group is changed.
    from: Ownership,
    owners: Owners,
    walking: Walking,
    talk: Talk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walking {
    /// What links lead to.
    Followed,
    /// The links themselves.
    Kept,
    /// Trees, by the links in them and above them that are followed.
    Trees { operand: Last, inner: Inner },
}

/// What becomes of links in trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inner {
    /// They are changed.
    Links,
    /// What they lead to is changed.
    Targets,
    /// Everything below what they lead to is changed.
    Trees,
}

/// Changes owners and groups.
pub(super) fn chown(process: &mut Process<'_, '_>) -> Run {
    let parse = |owners: &Owners, spec: &BStr| {
        if let Some(parsed) = owners.parse_with_dot(spec) {
            let warning = format!("warning: '.' should be ':': {}", cited(spec));
            return Ok((parsed, Some(warning)));
        }
        owners.parse(spec).map(|parsed| (parsed, None)).map_err(|bad| match bad {
            BadOwner::User => format!("invalid user: {}", cited(spec)),
            BadOwner::Group => format!("invalid group: {}", cited(spec)),
            BadOwner::Spec => format!("invalid spec: {}", cited(spec)),
        })
    };
    change(process, parse)
}

/// Changes groups.
pub(super) fn chgrp(process: &mut Process<'_, '_>) -> Run {
    let parse = |owners: &Owners, group: &BStr| {
        if group.is_empty() {
            return Ok((Ownership::default(), None));
        }
        match owners.parse_group(group) {
            Some(gid) => Ok((Ownership { uid: None, gid: Some(gid) }, None)),
            None => Err(format!("invalid group: {}", cited(group))),
        }
    };
    change(process, parse)
}

fn change(
    process: &mut Process<'_, '_>,
    parse: impl Fn(&Owners, &BStr) -> Result<(Ownership, Option<String>), String>,
) -> Run {
    let mut options = Options::of(process, CHOWN, Order::Anywhere)?;
    let owners = Owners::read(process)?;
    let (to, named) = if let Some(reference) = options.value("--reference") {
        let found = process.find(reference, Last::Followed);
        let what = || format!("failed to get attributes of {}", quoted(reference));
        let Some((_, stat)) = attempt(process, found, what)? else { return Ok(1) };
        let uid = (process.name() == "chown").then_some(stat.attributes.uid);
        let to = Ownership { uid, gid: Some(stat.attributes.gid) };
        (to, names(&owners, to, b""))
    } else {
        if options.operands.is_empty() {
            return usage(process, "missing operand");
        }
        let spec = options.operands.remove(0);
        if options.operands.is_empty() {
            return usage(process, format!("missing operand after {}", cited(&spec)));
        }
        match parse(&owners, spec.as_bstr()) {
            Ok((to, warning)) => {
                if let Some(warning) = warning {
                    process.complain(warning)?;
                }
                (to, names(&owners, to, &spec))
            }
            Err(message) => return fail(process, message),
        }
    };
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let from = match options.value("--from").map(|from| (from, owners.parse(from))) {
        None => Ownership::default(),
        Some((_, Ok(from))) => from,
        Some((from, Err(BadOwner::Group))) => {
            return fail(process, format!("invalid group: {}", cited(from)));
        }
        Some((from, Err(_))) => {
            return fail(process, format!("invalid user: {}", cited(from)));
        }
    };
    let walking = match walking(&options) {
        Ok(walking) => walking,
        Err(message) => return fail(process, message),
    };
    let chown = Chown { to, named, from, owners, walking, talk: Talk::of(&options) };
    let mut status = 0;
    for path in &options.operands {
        status |= chown.change_operand(process, path)?;
    }
    Ok(status)
}

/// What `-v` calls the new owner and group: names where they were written as names.
fn names(owners: &Owners, to: Ownership, spec: &[u8]) -> (Option<String>, Option<String>) {
    let separator = if spec.contains(&b':') { ":" } else { "." };
    let (user, group) = match spec.split_once_str(separator) {
        _ if owners.named_user(spec).is_some() => (spec, spec),
        Some((user, group)) => (user, group),
        None => (spec, spec),
    };
    let user = to.uid.map(|uid| match owners.named_user(user) {
        Some(_) => user.as_bstr().to_string(),
        None if spec.is_empty() => owners.user(uid),
        None => uid.to_string(),
    });
    // An owner that is written as nothing is still written.
    let user = user.or_else(|| (spec.len() > 1 && spec.starts_with(b":")).then(String::new));
    let group = to.gid.map(|gid| match owners.named_group(group) {
        Some(_) => group.as_bstr().to_string(),
        None if group.is_empty() => owners.group(gid),
        None => gid.to_string(),
    });
    (user, group)
}

fn walking(options: &Options) -> Result<Walking, &'static str> {
    let is_kept = options.last_of(&["-h", "--dereference"]);
    if !options.has("-R") {
        return Ok(if is_kept == Some("-h") { Walking::Kept } else { Walking::Followed });
    }
    let (operand, inner) = match options.last_of(&["-H", "-L", "-P"]) {
        Some("-H") if is_kept == Some("-h") => (Last::Followed, Inner::Links),
        Some("-H") => (Last::Followed, Inner::Targets),
        Some("-L") => (Last::Followed, Inner::Trees),
        _ if is_kept == Some("--dereference") => {
            return Err("-R --dereference requires either -H or -L");
        }
        _ => (Last::Kept, Inner::Links),
    };
    Ok(Walking::Trees { operand, inner })
}

/// A file of a tree.
struct Place {
    path: BString,
    real: ImagePath,
    stat: Stat,
    /// The directories that it was reached by.
    above: Vec<ImagePath>,
}

impl Chown {
    fn change_operand(&self, process: &mut Process<'_, '_>, path: &[u8]) -> Run {
        let last = match self.walking {
            Walking::Followed => Last::Followed,
            Walking::Kept => Last::Kept,
            Walking::Trees { operand, .. } => operand,
        };
        match errno(process.find(path, last))? {
            Ok((real, stat)) => self.change_tree(process, path, &real, &stat),
            Err(error) => {
                let is_link = errno(process.find(path, Last::Kept))?.is_ok();
                let what = if is_link { "dereference" } else { "access" };
                self.talk.complain(process, format!("cannot {what} {}: {error}", quoted(path)))
            }
        }
    }

    /// Changes what a directory holds, and then the directory.
    fn change_tree(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        real: &ImagePath,
        stat: &Stat,
    ) -> Run {
        let Walking::Trees { inner, .. } = self.walking else {
            return self.change(process, path, real, stat);
        };
        let mut status = 0;
        let mut below: Vec<Place> = Vec::new();
        let mut next = vec![Place {
            path: path.into(),
            real: real.clone(),
            stat: stat.clone(),
            above: vec![],
        }];
        while let Some(place) = next.pop() {
            process.machine.budget.step()?;
            let is_entered = place.stat.is_directory() && !place.above.contains(&place.real);
            if is_entered {
                status |= self.enter(process, inner, &place, &mut next)?;
            }
            below.push(place);
        }
        for Place { path, real, stat, .. } in below.into_iter().rev() {
            status |= match &stat.kind {
                Kind::Symlink(_) if inner != Inner::Links => {
                    let found = errno(process.find(&path, Last::Followed))?;
                    match found {
                        Ok((real, stat)) => self.change(process, &path, &real, &stat)?,
                        Err(error) => {
                            let path = quoted(&path);
                            self.talk
                                .complain(process, format!("cannot dereference {path}: {error}"))?
                        }
                    }
                }
                _ => self.change(process, &path, &real, &stat)?,
            };
        }
        Ok(status)
    }

    /// Adds what a directory holds.
    fn enter(
        &self,
        process: &mut Process<'_, '_>,
        inner: Inner,
        place: &Place,
        next: &mut Vec<Place>,
    ) -> Run {
        let children = match errno(process.machine.files.read_dir(&place.real))? {
            Ok(children) => children,
            Err(error) => {
                let message = format!("cannot read directory {}: {error}", quoted(&place.path));
                return self.talk.complain(process, message);
            }
        };
        for (name, child) in children {
            let path = inside(&place.path, &name);
            let (mut real, mut stat) = (place.real.join(&name), child);
            let mut above = Vec::new();
            if matches!(stat.kind, Kind::Symlink(_))
                && inner == Inner::Trees
                && let Ok(found) = errno(process.find(&path, Last::Followed))?
            {
                (real, stat) = found;
            }
            if stat.is_directory() && inner == Inner::Trees {
                // Only where links are followed can a directory be inside of itself.
                above.clone_from(&place.above);
                above.push(place.real.clone());
            }
            next.push(Place { path, real, stat, above });
        }
        Ok(0)
    }

    fn change(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        real: &ImagePath,
        stat: &Stat,
    ) -> Run {
        let old = (stat.attributes.uid, stat.attributes.gid);
        let is_wanted = self.from.uid.is_none_or(|uid| uid == old.0)
            && self.from.gid.is_none_or(|gid| gid == old.1);
        if is_wanted && (self.to.uid.is_some() || self.to.gid.is_some()) {
            let set = process.machine.files.set_owner(real, self.to.uid, self.to.gid);
            if let Err(error) = errno(set)? {
                let what = if self.is_of_group() { "group" } else { "ownership" };
                let message = format!("changing {what} of {}: {error}", quoted(path));
                return self.talk.complain(process, message);
            }
        }
        let new = (self.to.uid.unwrap_or(old.0), self.to.gid.unwrap_or(old.1));
        self.tell(process, path, old, is_wanted && new != old)?;
        Ok(0)
    }

    fn is_of_group(&self) -> bool {
        self.to.uid.is_none() && self.to.gid.is_some()
    }

    fn tell(
        &self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        old: (u32, u32),
        is_changed: bool,
    ) -> Result<(), Stop> {
        if !self.talk.tells(is_changed) {
            return Ok(());
        }
        let joined = |user: Option<String>, group: Option<String>| match (user, group) {
            (Some(user), Some(group)) => format!("{user}:{group}"),
            (user, group) => user.or(group).unwrap_or_default(),
        };
        let (named_user, named_group) = &self.named;
        let user = named_user.as_ref().map(|_| self.owners.user(old.0));
        let group = named_group.as_ref().map(|_| self.owners.group(old.1));
        let is_of_group = named_user.is_none() && named_group.is_some();
        let (what, path) = (if is_of_group { "group" } else { "ownership" }, quoted(path));
        let before = joined(user, group);
        let after = joined(self.named.0.clone(), self.named.1.clone());
        process.write(match (is_changed, before.is_empty()) {
            (true, _) => format!("changed {what} of {path} from {before} to {after}\n"),
            (false, false) => format!("{what} of {path} retained as {before}\n"),
            (false, true) => format!("{what} of {path} retained\n"),
        })
    }
}
