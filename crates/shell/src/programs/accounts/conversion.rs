//! `pwconv` and `grpconv` (pwconv(8)): passwords move into files that not everybody reads.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use super::database::{self, Database, File, Record};
use super::settings::Settings;
use super::{refused, require_root};
use crate::options::{Options, Order};
use crate::process::{Process, Run, errno};
use crate::stop::Stop;

/// What stands for a password that is elsewhere.
const ELSEWHERE: &str = "x";

/// Passwords of users.
pub(super) fn pwconv(process: &mut Process<'_, '_>) -> Run {
    begin(process)?;
    let settings = Settings::of_login(process)?;
    let aging = ["PASS_MIN_DAYS", "PASS_MAX_DAYS", "PASS_WARN_AGE"]
        .map(|key| settings.text(key).map(BString::from).unwrap_or_default());
    let day = BString::from(process.machine.files.clock().div_euclid(86_400).to_string());
    let convert = |user: &Record, old: Option<Record>| {
        let mut fields = old.unwrap_or_else(|| {
            let [least, most, warning] = aging.clone();
            let none = BString::default();
            vec![
                user[0].clone(),
                none.clone(),
                none.clone(),
                least,
                most,
                warning,
                none.clone(),
                none.clone(),
                none,
            ]
        });
        fields[1].clone_from(&user[1]);
        fields[2].clone_from(&day);
        fields
    };
    move_passwords(process, [File::Passwd, File::Shadow], convert)?;
    // Alone of all backups, that of users is closed afterwards.
    let backup = ImagePath::lexical([File::Passwd.path().as_bytes(), b"-"].concat());
    let closed = process.machine.files.set_mode(&backup, 0o600);
    errno(closed)?.map_err(|errno| refused(process, format!("cannot close /{backup}: {errno}")))?;
    Ok(0)
}

/// Passwords of groups, with their members.
pub(super) fn grpconv(process: &mut Process<'_, '_>) -> Run {
    begin(process)?;
    let convert = |group: &Record, old: Option<Record>| {
        let none = BString::default();
        let mut fields =
            old.unwrap_or_else(|| vec![group[0].clone(), none.clone(), none, "".into()]);
        if group[1] != ELSEWHERE {
            fields[1].clone_from(&group[1]);
        }
        fields[3].clone_from(&group[3]);
        fields
    };
    move_passwords(process, [File::Group, File::Gshadow], convert)?;
    Ok(0)
}

fn begin(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    require_root(process)?;
    let options = Options::of(process, &[], Order::Anywhere)?;
    if !options.operands.is_empty() {
        return Err(refused(process, "is called in a way that it explains"));
    }
    database::lock(process)
}

/// Lines of the second file without one in the first go; `convert` makes those whose password is
/// still in the first file, and those that are not there.
fn move_passwords(
    process: &mut Process<'_, '_>,
    [open, closed]: [File; 2],
    convert: impl Fn(&Record, Option<Record>) -> Record,
) -> Result<(), Stop> {
    let mut open = Database::required(process, open)?;
    let mut closed = Database::open_or_new(process, closed)?;
    let records: Vec<Record> = open.records().map(|(_, fields)| fields).collect();
    let names: BTreeSet<&BString> = records.iter().map(|fields| &fields[0]).collect();
    let old: Vec<BString> = closed.records().map(|(_, fields)| fields[0].clone()).collect();
    for name in old.iter().filter(|name| !names.contains(name)) {
        closed.remove(name.as_bstr());
    }
    for record in &records {
        let name = record[0].as_bstr();
        let found = closed.find(name);
        if found.is_some() && record[1] == ELSEWHERE {
            continue;
        }
        let is_new = found.is_none();
        let fields = convert(record, found);
        match is_new {
            true => closed.add(&fields),
            false => closed.replace(name, &fields),
        }
    }
    open.change(|fields| {
        fields[1] = ELSEWHERE.into();
        true
    });
    closed.save(process)?;
    open.save(process)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    fn image() -> Image {
        let mut image = Image::new();
        image.file("etc/passwd", "root:*:0:0:root:/root:/bin/sh\nbin:y:2:2::/bin:/bin/sh\n", 0o644);
        image.file("etc/group", "root:*:0:\nadm:*:4:root,bin\nshadow:*:42:\n", 0o644);
        image.file("etc/login.defs", "PASS_MAX_DAYS 99999\nPASS_WARN_AGE\t7\n", 0o644);
        image
    }

    /// What shadow 4.13 does to these files in a chroot.
    #[test]
    fn passwords_move() {
        let mut image = image();
        let check = |image: &Image, script: &str, expected: &[&str]| {
            let shown = image.sh(script);
            assert_eq!(shown.lines().take(expected.len()).collect::<Vec<_>>(), expected);
        };
        check(
            &image,
            "rm /etc/shadow /etc/gshadow; grpconv && pwconv && cat /etc/gshadow /etc/group && \
             stat -c '%n %a %g' /etc/gshadow /etc/shadow; ls /etc/shadow-",
            &[
                "root:*::",
                "adm:*::root,bin",
                "shadow:*::",
                "root:x:0:",
                "adm:x:4:root,bin",
                "shadow:x:42:",
                "/etc/gshadow 440 42",
                "/etc/shadow 440 42",
                "!ls: cannot access '/etc/shadow-': No such file or directory",
            ],
        );
        image.file("etc/shadow", "bin:old:1:2:3:4:::\n\nadm:!:1:2:3:4:::\n", 0o640);
        check(
            &image,
            "pwconv && cat /etc/shadow /etc/passwd && \
             stat -c '%n %a' /etc/passwd /etc/passwd- /etc/shadow /etc/shadow-",
            &[
                "bin:y:19675:2:3:4:::",
                "",
                "root:*:19675::99999:7:::",
                "root:x:0:0:root:/root:/bin/sh",
                "bin:x:2:2::/bin:/bin/sh",
                "/etc/passwd 644",
                "/etc/passwd- 600",
                "/etc/shadow 640",
                "/etc/shadow- 640",
            ],
        );
        let refused = "refused: `pwconv` is called in a way that it explains";
        assert_eq!(image.sh("pwconv app"), refused);
    }
}
