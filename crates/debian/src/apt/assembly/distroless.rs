//! Packages on an image that has no dpkg, and says in `/var/lib/dpkg/status.d` what is installed: a
//! file for each package, as images without a shell have it, for scanners to read.
//!
//! While packages are installed there is a database as dpkg has it, of which nothing stays; what is
//! new has a file in `status.d` afterwards, and another with its digests.

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use oci::ImagePath;
use shell::files::{FileResult, NewNode};
use shell::{Data, Process};

use super::nothing::{failed, sorted, unexpected};
use super::{Assembly, NO_LISTS, begin, tools};
use crate::apt::commands::carry_out::{self, Chosen};
use crate::apt::commands::change::{Decision, Goal, decide};
use crate::apt::commands::session::{Done, FAILED};
use crate::apt::commands::summary;
use crate::apt::lists;
use crate::apt::problem::Failure;
use crate::apt::reading::read;
use crate::control::Stanza;
use crate::deb::Deb;
use crate::dpkg::database::Database;
use crate::dpkg::format;
use crate::dpkg::status::Package;
use crate::outside::Outside;

const DATABASE: &str = "var/lib/dpkg";
const RECORDS: &str = "var/lib/dpkg/status.d";
/// The ending of files with digests, which no package is called by.
const DIGESTS: &str = ".md5sums";

/// What there is of a package.
struct Record {
    stanza: Stanza,
    /// Its files, from its digests.
    files: Vec<BString>,
}

/// Whether an image says so what is installed.
pub(super) fn is(process: &Process<'_, '_>) -> FileResult<bool> {
    let stat = process.machine.files.stat(&ImagePath::lexical(RECORDS))?;
    Ok(stat.is_some_and(|stat| stat.is_directory()))
}

/// Installs packages beside those that are there.
pub(super) fn assemble(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    asked: &Assembly,
) -> Done {
    let records = records(process)?;
    mount(process, &records).map_err(unexpected)?;
    let mut session = begin(process, outside, asked)?;
    let status = lists::update(session.process, session.outside, &session.configuration)?;
    if status != 0 {
        return Ok(NO_LISTS);
    }
    let Decision { archives, files, solution } = match decide(&mut session, Goal::Install)? {
        Ok(decision) => decision,
        Err(status) => return Ok(status),
    };
    summary::say(&mut session, &solution)?;
    if let Some(change) = solution.changes.iter().find(|change| change.from.is_some()) {
        let name = &change.package.name;
        session
            .complain(format!("E: {name} is in the image, and would have to be another version"))?;
        session.complain(
            "N: without dpkg's database nobody knows all that it has put there: take a base with a \
             newer one, or name a version or snapshot that fits it",
        )?;
        return Ok(FAILED);
    }
    let chosen = Chosen { archives: &archives, files: &files, solution: &solution };
    let debs = carry_out::fetch(&mut session, &chosen)?;
    let all = sorted(&debs);
    tools::lend(session.process, &all).map_err(unexpected)?;
    let status = carry_out::run_dpkg(&mut session, &solution, &debs)?;
    if status != 0 {
        return failed(&mut session, status);
    }
    let database = Database::read(session.process)?;
    session.process.machine.files.unmount(&ImagePath::lexical(DATABASE));
    for deb in all {
        record(session.process, &database, &deb).map_err(unexpected)?;
    }
    Ok(0)
}

/// What the image says.
fn records(process: &mut Process<'_, '_>) -> Result<Vec<Record>, Failure> {
    let directory = ImagePath::lexical(RECORDS);
    let failed = |error| Failure::of_file(&directory, error);
    let mut names = Vec::new();
    for (name, stat) in process.machine.files.read_dir(&directory).map_err(failed)? {
        if !stat.is_directory() && !name.ends_with(DIGESTS.as_bytes()) {
            names.push(BString::from(&name[..]));
        }
    }
    let path = |name: &BStr, ending: &str| directory.join([name, ending.as_bytes()].concat());
    let paths =
        names.iter().flat_map(|name| [path(name.as_bstr(), ""), path(name.as_bstr(), DIGESTS)]);
    let texts = read(process, &paths.collect::<Vec<_>>())?;
    let mut records = Vec::new();
    for pair in texts.chunks(2) {
        let [Some(text), digests] = pair else { continue };
        process.machine.budget.hold(text.len())?;
        let digests = digests.as_deref().unwrap_or_default();
        let files = digests.lines().filter_map(|line| line.split_once_str("  ").map(|it| it.1));
        let files: Vec<BString> = files.map(BString::from).collect();
        // What cannot be read is not known to be installed.
        for stanza in Stanza::parse_all(text).unwrap_or_default() {
            records.push(Record { stanza, files: files.clone() });
        }
    }
    Ok(records)
}

/// A database in which the packages that are there are installed.
fn mount(process: &mut Process<'_, '_>, records: &[Record]) -> FileResult<()> {
    let files = &mut process.machine.files;
    let clock = files.clock();
    files.mount_empty(&ImagePath::lexical(DATABASE), Attributes::root(0o755, clock))?;
    let mut status = Vec::new();
    let mut lists = Vec::new();
    for Record { stanza, files } in records {
        let mut stanza = stanza.clone();
        stanza.set("Status", "install ok installed");
        let name = stanza.text("Package").unwrap_or_default().to_owned();
        let list: Vec<u8> =
            files.iter().flat_map(|path| [b"/", path.as_slice(), b"\n"].concat()).collect();
        lists.push((format!("info/{name}.list"), list));
        status.extend(format::stanza(&Package::of(stanza)));
        status.push(b'\n');
    }
    for name in ["info", "updates", "triggers"] {
        let path = ImagePath::lexical(format!("{DATABASE}/{name}"));
        files.put_whole(&path, Attributes::root(0o755, clock), NewNode::Directory)?;
    }
    lists.push(("status".to_owned(), status));
    lists.push(("info/format".to_owned(), b"1\n".to_vec()));
    for (name, text) in lists {
        put(process, &format!("{DATABASE}/{name}"), &text)?;
    }
    Ok(())
}

/// Says that a package is installed.
fn record(process: &mut Process<'_, '_>, database: &Database, deb: &Deb) -> FileResult<()> {
    let (name, architecture) = (deb.control.text("Package"), deb.control.text("Architecture"));
    let found = database
        .status
        .packages()
        .find(|(id, _)| Some(&*id.name) == name && Some(&*id.architecture) == architecture);
    let Some((id, package)) = found else { return Ok(()) };
    let path = format!("{RECORDS}/{}", id.name);
    put(process, &path, &format::stanza(package))?;
    match deb.control_file("md5sums") {
        Some(digests) => put(process, &format!("{path}{DIGESTS}"), &digests.bytes),
        None => Ok(()),
    }
}

fn put(process: &mut Process<'_, '_>, path: &str, text: &[u8]) -> FileResult<()> {
    let files = &mut process.machine.files;
    let attributes = Attributes::root(0o644, files.clock());
    files.put_whole(&ImagePath::lexical(path), attributes, NewNode::File(Data::of(text)))
}
