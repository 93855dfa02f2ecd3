//! What useradd writes into the files of users and groups.

use bstr::{BStr, BString, ByteSlice};

use super::{Wanted, home_of, supplementary};
use crate::files::Last;
use crate::process::{Process, errno};
use crate::programs::accounts::database::{self, Database, File};
use crate::programs::accounts::home::Owner;
use crate::programs::accounts::identifiers::{self, Id, Purpose};
use crate::programs::accounts::{lookup, refused};
use crate::programs::system::calendar::days_since_epoch;
use crate::programs::system::packages;
use crate::stop::Stop;

/// The files that a new user is written into.
struct Files {
    passwd: Database,
    group: Database,
    shadow: Option<Database>,
    gshadow: Option<Database>,
}

/// Adds to all files.
pub(super) fn write(
    process: &mut Process<'_, '_>,
    wanted: &Wanted,
    owner: Owner,
    has_own_group: bool,
) -> Result<(), Stop> {
    let mut files = Files {
        passwd: Database::required(process, File::Passwd)?,
        group: Database::required(process, File::Group)?,
        shadow: Database::open(process, File::Shadow)?,
        gshadow: Database::open(process, File::Gshadow)?,
    };
    add_user(process, wanted, owner, &mut files)?;
    join_groups(wanted, &mut files);
    if has_own_group {
        add_group(wanted.name.as_bstr(), owner.gid, &mut files.group, files.gshadow.as_mut());
    }
    let (least, most) = identifiers::range(&wanted.settings, Id::User, wanted.purpose);
    let is_usual = owner.uid == 0 || (least..=most).contains(&owner.uid);
    if wanted.purpose == Purpose::Person && is_usual {
        add_subordinates(process, wanted, File::Subuid, Id::User)?;
        add_subordinates(process, wanted, File::Subgid, Id::Group)?;
    }
    if !wanted.options.has("-l") && lookup::user_numbered(process, owner.uid)?.is_none() {
        require_no_log(process)?;
    }
    files.passwd.save(process)?;
    files.group.save(process)?;
    for file in [files.shadow, files.gshadow].into_iter().flatten() {
        file.save(process)?;
    }
    Ok(())
}

fn add_user(
    process: &Process<'_, '_>,
    wanted: &Wanted,
    owner: Owner,
    files: &mut Files,
) -> Result<(), Stop> {
    let Wanted { name, options, settings, defaults, .. } = wanted;
    let password = BString::from(options.value("-p").unwrap_or(b"!".as_bstr()));
    let default_shell = defaults.text("SHELL").unwrap_or_default();
    let shell = BString::from(options.value("-s").unwrap_or(default_shell));
    let shown = if files.shadow.is_some() { "x".into() } else { password.clone() };
    let comment = BString::from(options.value("-c").unwrap_or_default());
    let (uid, gid) = (owner.uid.to_string().into(), owner.gid.to_string().into());
    let home = home_of(wanted);
    files.passwd.add(&[name.clone(), shown, uid, gid, comment, home, shell]);
    let inactive = options.value("-f").or(defaults.text("INACTIVE")).unwrap_or_default();
    let expires = options.value("-e").or(defaults.text("EXPIRE")).unwrap_or_default();
    let (Some(inactive), Some(expires)) = (days(inactive), date(expires)) else {
        return Err(refused(process, "is given days that are not plain"));
    };
    let day = process.machine.files.clock().div_euclid(86_400).to_string();
    let aging = match wanted.purpose {
        Purpose::System => Default::default(),
        Purpose::Person => [
            settings.number("PASS_MIN_DAYS", 0).to_string(),
            settings.number("PASS_MAX_DAYS", 99_999).to_string(),
            settings.number("PASS_WARN_AGE", 7).to_string(),
        ],
    };
    let [least, most, warning] = aging.map(BString::from);
    if let Some(shadow) = &mut files.shadow {
        let none = BString::default();
        let fields =
            [name.clone(), password, day.into(), least, most, warning, inactive, expires, none];
        shadow.add(&fields);
    }
    Ok(())
}

/// Days; none if there is no number, or -1.
fn days(text: &BStr) -> Option<BString> {
    match lookup::number(text) {
        Some(days) => Some(days.to_string().into()),
        None => (text.is_empty() || text == "-1").then(BString::default),
    }
}

/// Days since the epoch to a date, `2030-01-01`.
fn date(text: &BStr) -> Option<BString> {
    if text.is_empty() || text == "-1" {
        return Some(BString::default());
    }
    let mut numbers = text.split_str("-").map(|part| lookup::number(part.as_bstr()));
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let is_plain = text.len() == 10 && (1970..=9999).contains(&year) && numbers.next().is_none();
    if !is_plain || !(1..=12).contains(&month) || !(1..=28).contains(&day) {
        return None;
    }
    Some(days_since_epoch(i64::from(year), i64::from(month), i64::from(day)).to_string().into())
}

fn join_groups(wanted: &Wanted, files: &mut Files) {
    let mut joined = Vec::new();
    let groups = supplementary(&wanted.options);
    let is_meant = |fields: &[BString]| {
        groups.iter().any(|group| match lookup::number(group.as_bstr()) {
            Some(gid) => lookup::number(fields[2].as_bstr()) == Some(gid),
            None => fields[0] == *group,
        })
    };
    files.group.change(|fields| {
        if !is_meant(fields) {
            return false;
        }
        joined.push(fields[0].clone());
        fields[3] = database::with_member(fields[3].as_bstr(), wanted.name.as_bstr());
        true
    });
    if let Some(gshadow) = &mut files.gshadow {
        gshadow.change(|fields| {
            if !joined.contains(&fields[0]) {
                return false;
            }
            fields[3] = database::with_member(fields[3].as_bstr(), wanted.name.as_bstr());
            true
        });
    }
}

/// A new group.
pub(in crate::programs::accounts) fn add_group(
    name: &BStr,
    gid: u32,
    group: &mut Database,
    gshadow: Option<&mut Database>,
) {
    let name = BString::from(name);
    let (lock, none) = (BString::from("!"), BString::default());
    let shown = if gshadow.is_some() { BString::from("x") } else { lock.clone() };
    group.add(&[name.clone(), shown, gid.to_string().into(), none.clone()]);
    if let Some(gshadow) = gshadow {
        gshadow.add(&[name, lock, none.clone(), none]);
    }
}

fn add_subordinates(
    process: &mut Process<'_, '_>,
    wanted: &Wanted,
    file: File,
    id: Id,
) -> Result<(), Stop> {
    let Some(mut database) = Database::open(process, file)? else { return Ok(()) };
    if database.find(wanted.name.as_bstr()).is_some() {
        return Ok(());
    }
    let Some((start, count)) = identifiers::free_subordinate(&database, &wanted.settings, id)
    else {
        return Err(refused(process, "finds no subordinate numbers that are free"));
    };
    let (start, count) = (start.to_string().into(), count.to_string().into());
    database.add(&[wanted.name.clone(), start, count]);
    database.save(process)
}

/// Logs of logins are records by number, in the machine's own layout. While they are empty, shadow
/// 4.13 writes nothing into them; older versions do.
pub(in crate::programs::accounts) fn require_no_log(
    process: &mut Process<'_, '_>,
) -> Result<(), Stop> {
    for path in ["/var/log/lastlog", "/var/log/faillog", "/var/log/tallylog"] {
        let Ok((_, stat)) = errno(process.find(path.as_bytes(), Last::Followed))? else { continue };
        let packages = packages::named(process, "passwd".into())?;
        let version = packages.first().and_then(|package| package.field("Version"));
        if stat.size() > 0 || version.is_none_or(|version| !version.starts_with(b"1:4.13")) {
            return Err(refused(process, format!("writes into {path}")));
        }
    }
    Ok(())
}
