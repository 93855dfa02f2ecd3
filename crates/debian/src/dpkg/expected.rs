//! What is read of an image whichever packages are installed in it, asked for together.

use bstr::BString;
use shell::files::{Last, Stat};
use shell::process::errno;
use shell::{Data, Process, Stop};

use super::{database, paths};
use crate::asked;

/// Files that are read by the time packages are installed, whichever they are: the database, accounts,
/// and what the loader's cache is made of.
const READ: [&[u8]; 8] = [
    paths::STATUS,
    paths::DIVERSIONS,
    paths::OVERRIDES,
    paths::ARCHITECTURES,
    b"/etc/passwd",
    b"/etc/group",
    b"/etc/ld.so.conf",
    b"/usr/sbin/ldconfig",
];

/// Directories all files of which are read, or those with one of the endings.
const READ_IN: [(&[u8], &[&str]); 7] = [
    (paths::INFO, &[".list", ".triggers"]),
    (paths::TRIGGERS, &[]),
    (b"/var/lib/dpkg/alternatives", &[]),
    (b"/var/cache/debconf", &["config.dat", "templates.dat"]),
    (b"/etc/dpkg/dpkg.cfg.d", &[]),
    (b"/etc/ld.so.conf.d", &[".conf"]),
    (b"/usr/share/dpkg/sh", &[]),
];

/// Says what will be read, so that all of it is found out at once: each question costs an evaluation
/// from the beginning.
pub(crate) fn expect_files(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    let mut files = Vec::new();
    let mut expect = |stat: &Stat| {
        if let Some(Data::Stored(stored)) = stat.data() {
            files.push(stored.clone());
        }
    };
    for path in READ {
        database::stat(process, path)?.iter().for_each(&mut expect);
    }
    for script in asked::SCRIPTS {
        let path = [b"/", script].concat();
        database::stat(process, &path)?.iter().for_each(&mut expect);
    }
    for (directory, endings) in READ_IN {
        let Ok((directory, _)) = errno(process.find(directory, Last::Followed))? else { continue };
        let Ok(children) = errno(process.machine.files.read_dir(&directory))? else { continue };
        let ends = |name: &BString| {
            endings.is_empty() || endings.iter().any(|ending| name.ends_with(ending.as_bytes()))
        };
        // Whoever waits for a trigger is configured again by it.
        let is_triggered = |name: &BString| {
            let package = name.strip_suffix(b".postinst");
            let interests = |package: &[u8]| BString::from([package, b".triggers"].concat());
            package.is_some_and(|package| children.contains_key(&interests(package)))
        };
        let wanted = children.iter().filter(|(name, _)| ends(name) || is_triggered(name));
        wanted.for_each(|(_, stat)| expect(stat));
    }
    process.machine.outside.expect(&files)
}
