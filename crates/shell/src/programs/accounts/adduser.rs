//! Debian's `adduser` (adduser(8) 3.134): a script around shadow's programs, which it calls.
//!
//! Other versions create homes with other modes and have other words, so the script itself is asked
//! which one it is. Whatever asks for a password or a comment is not built in.

mod configuration;
mod people;
mod system;

use bstr::{BStr, BString, ByteSlice};

use super::addgroup::{self, Of};
use super::busybox;
use super::home::{self, Owner, Times};
use super::lookup;
use super::{database, fail, refused, require_root};
use crate::files::{EXECUTE, Last};
use crate::options::{Known, Options, Order, Takes, flag, long};
use crate::process::{Process, Run, errno};
use crate::programs::Flavour;
use crate::stop::{Reason, Stop};

pub(super) use configuration::Configuration;

const KNOWN: &[Known] = &[
    long("--add-extra-groups", &["add-extra-groups", "add_extra_groups"], Takes::Nothing),
    long("--badname", &["allow-badname", "allow-bad-names", "force-badname"], Takes::Nothing),
    long("--comment", &["comment", "gecos"], Takes::Value),
    long("--disabled-login", &["disabled-login"], Takes::Nothing),
    long("--disabled-password", &["disabled-password"], Takes::Nothing),
    long("--firstgid", &["firstgid"], Takes::Value),
    long("--firstuid", &["firstuid"], Takes::Value),
    long("--gid", &["gid"], Takes::Value),
    long("--group", &["group"], Takes::Nothing),
    long("--home", &["home"], Takes::Value),
    long("--ingroup", &["ingroup"], Takes::Value),
    long("--lastgid", &["lastgid"], Takes::Value),
    long("--lastuid", &["lastuid"], Takes::Value),
    long("--no-create-home", &["no-create-home"], Takes::Nothing),
    flag("-q", 'q', &["quiet"]),
    long("--shell", &["shell"], Takes::Value),
    long("--system", &["system"], Takes::Nothing),
    long("--uid", &["uid"], Takes::Value),
];

/// Under which name it was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    User,
    Group,
}

/// Whether it says what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Talk {
    Aloud,
    Quiet,
}

impl Talk {
    pub(super) fn of(is_quiet: bool) -> Self {
        if is_quiet { Talk::Quiet } else { Talk::Aloud }
    }

    pub(super) fn say(self, process: &mut Process<'_, '_>, line: String) -> Result<(), Stop> {
        match self {
            Talk::Aloud => process.write(line),
            Talk::Quiet => Ok(()),
        }
    }

    fn warn(self, process: &mut Process<'_, '_>, line: String) -> Result<(), Stop> {
        match self {
            Talk::Aloud => process.complain(line),
            Talk::Quiet => Ok(()),
        }
    }
}

pub(super) fn adduser(process: &mut Process<'_, '_>) -> Run {
    match process.flavour {
        Flavour::Gnu => run(process, Mode::User),
        Flavour::BusyBox => busybox::adduser(process),
    }
}

/// `adduser` and `addgroup` are one program.
pub(super) fn run(process: &mut Process<'_, '_>, mode: Mode) -> Run {
    require_debian(process)?;
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let is_group = mode == Mode::Group || (options.has("--group") && !options.has("--system"));
    let name = match &options.operands[..] {
        [user, group] if mode == Mode::User && !options.has("--system") && !is_group => {
            return join(process, user.as_bstr(), group.as_bstr(), Talk::of(options.has("-q")));
        }
        [_, _] if mode == Mode::Group => {
            return fail(process, 1, "addgroup with two arguments is an unspecified operation.");
        }
        [_, _] => return fail(process, 1, "Specify only one name in this mode."),
        [name] if !name.is_empty() => name.clone(),
        _ => return fail(process, 1, "Only one or two names allowed."),
    };
    let membership = ["--group", "--ingroup", "--gid"].iter().filter(|id| options.has(id)).count();
    if mode == Mode::User && membership > 1 {
        let message = "The --group, --ingroup, and --gid options are mutually exclusive.";
        return fail(process, 1, message);
    }
    if let Some(status) = check_home(process, &options)? {
        return Ok(status);
    }
    let configuration = Configuration::read(process, Talk::of(options.has("-q")))?;
    if let Some(status) = check_name(process, name.as_bstr(), &options)? {
        return Ok(status);
    }
    let name = name.as_bstr();
    match (is_group, options.has("--system")) {
        (true, true) => addgroup::add(process, name, &options, &configuration, Of::System),
        (true, false) => addgroup::add(process, name, &options, &configuration, Of::People),
        (false, true) => system::add(process, name, &options, &configuration),
        (false, false) => people::add(process, name, &options, &configuration),
    }
}

/// Refuses all versions but the one whose ways are known.
pub(super) fn require_debian(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    const VERSION: &[u8] = b"\nmy $version = \"3.134\";";
    if process.flavour == Flavour::BusyBox {
        return Err(process.refuse(Reason::Program));
    }
    let program = process.machine.files.data(&process.program.clone());
    let data = match errno(program)? {
        Ok(data) if data.size() < 1 << 20 => data,
        _ => return Err(process.refuse(Reason::Program)),
    };
    match process.bytes(&data)?.contains_str(VERSION) {
        true => Ok(()),
        false => Err(refused(process, "is not adduser 3.134, the version that is built in")),
    }
}

/// The file that it locks.
pub(super) fn take_lock(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    database::leave_file(process, b"/run/adduser", 0o666 & !process.umask)
}

/// A program in the directories that the script sets as its `PATH`.
pub(super) fn find_program(process: &mut Process<'_, '_>, name: &str) -> Result<BString, Stop> {
    for directory in ["/bin", "/usr/bin", "/sbin", "/usr/sbin"] {
        let path = format!("{directory}/{name}");
        if let Ok((_, stat)) = errno(process.find(path.as_bytes(), Last::Followed))?
            && process.machine.files.may(&stat, EXECUTE)
        {
            return Ok(path.into());
        }
    }
    Err(refused(process, format!("finds no program named {name}")))
}

/// Runs one of shadow's programs; if it fails, so does the script, which says so.
pub(super) fn call(process: &mut Process<'_, '_>, words: Vec<BString>) -> Run {
    let line = bstr::join(" ", &words);
    match process.spawn(words)? {
        0 => Ok(0),
        status => {
            let line = line.as_bstr();
            fail(process, 1, format!("`{line}' returned error code {status}. Exiting."))
        }
    }
}

/// The number that an option gives; or the exit status, if there is none in it.
pub(super) fn number_of(
    process: &mut Process<'_, '_>,
    options: &Options,
    id: &str,
) -> Result<Result<Option<u32>, u8>, Stop> {
    match options.value(id).map(|text| (text, lookup::number(text))) {
        None => Ok(Ok(None)),
        Some((_, Some(number))) => Ok(Ok(Some(number))),
        Some((text, None)) => Err(refused(process, format!("is given {id} {text}"))),
    }
}

/// The first number that is free.
pub(super) fn first_free((least, most): (u32, u32), is_used: impl Fn(u32) -> bool) -> Option<u32> {
    (least..=most).find(|id| !is_used(*id))
}

/// `adduser USER GROUP`
fn join(process: &mut Process<'_, '_>, user: &BStr, group: &BStr, talk: Talk) -> Run {
    Configuration::read(process, talk)?;
    if lookup::user_named(process, user)?.is_none() {
        return fail(process, 1, format!("The user `{user}' does not exist."));
    }
    let Some(found) = lookup::group_named(process, group)? else {
        return fail(process, 1, format!("The group `{group}' does not exist."));
    };
    if found.members.iter().any(|member| member == user) {
        let message = format!("The user `{user}' is already a member of `{group}'.");
        return talk.warn(process, message).map(|()| 0);
    }
    talk.say(process, format!("Adding user `{user}' to group `{group}' ...\n"))?;
    take_lock(process)?;
    let words = ["/usr/sbin/usermod", "-a", "-G"].map(BString::from).into_iter();
    let words = words.chain([group.into(), user.into()]).collect();
    match call(process, words)? {
        0 => talk.say(process, "Done.\n".to_owned()).map(|()| 0),
        status => Ok(status),
    }
}

fn check_home(process: &mut Process<'_, '_>, options: &Options) -> Result<Option<u8>, Stop> {
    let Some(home) = options.value("--home") else { return Ok(None) };
    if !home.starts_with(b"/") {
        return fail(process, 1, "The home dir must be an absolute path.").map(Some);
    }
    let talk = Talk::of(options.has("-q"));
    let found = errno(process.find(home, Last::Followed))?;
    match (found, options.has("--no-create-home")) {
        (Ok((_, stat)), false) if stat.is_directory() => {
            let message = format!("Warning: The home dir {home} you specified already exists.");
            talk.warn(process, message)?;
        }
        (Err(errno), true) => {
            let message =
                format!("Warning: The home dir {home} you specified can't be accessed: {errno}");
            talk.warn(process, message)?;
        }
        _ => {}
    }
    Ok(None)
}

fn check_name(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
) -> Result<Option<u8>, Stop> {
    let is_system = options.has("--system");
    let stem = name.strip_suffix(b"$").unwrap_or(name);
    let is_start = |byte: &u8| byte.is_ascii_lowercase() || (is_system && *byte == b'_');
    let is_inner =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(byte);
    if name.len() <= lookup::LONGEST_NAME
        && stem.first().is_some_and(is_start)
        && stem.iter().all(is_inner)
    {
        return Ok(None);
    }
    // IEEE Std 1003.1-2001 has these in its portable names.
    let is_portable = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte);
    let is_portable_inner = |byte: &u8| is_portable(byte) || b"-@".contains(byte);
    if name.len() > lookup::LONGEST_NAME
        || stem.is_empty()
        || stem.iter().all(u8::is_ascii_digit)
        || !stem.first().is_some_and(is_portable)
        || !stem.iter().all(is_portable_inner)
    {
        return Err(refused(process, format!("is given the name {name}")));
    }
    if options.has("--badname") {
        let talk = Talk::of(options.has("-q"));
        talk.say(process, "Allowing use of questionable username.\n".to_owned())?;
        return Ok(None);
    }
    let variable = if is_system { "SYS_NAME_REGEX" } else { "NAME_REGEX" };
    let indent = " ".repeat(12);
    let message = format!(
        "Please enter a username matching the regular expression\n\
         {indent}configured via the {variable} configuration variable.  Use the\n\
         {indent}`--allow-bad-names' option to relax this check or reconfigure\n\
         {indent}{variable} in configuration."
    );
    fail(process, 1, message).map(Some)
}

/// Sets the comment by chfn, part by part; gives an exit status.
fn set_comment(process: &mut Process<'_, '_>, name: &BStr, comment: &BStr) -> Run {
    let chfn = find_program(process, "chfn")?;
    let parts: Vec<&[u8]> = comment.split_str(",").collect();
    let letters = ["-f", "-r", "-w", "-h", "-o"];
    let given: Vec<(&str, &[u8])> = letters.into_iter().zip(parts).collect();
    let (first, others) = given.split_at(given.len().min(2));
    let option = |(option, part): &(&str, &[u8])| [BString::from(*option), BString::from(*part)];
    let calls = std::iter::once(first).chain(others.chunks(1));
    for options in calls {
        let mut words = vec![chfn.clone()];
        words.extend(options.iter().flat_map(option));
        words.push(name.into());
        match call(process, words)? {
            0 => {}
            status => return Ok(status),
        }
    }
    Ok(0)
}

/// What a home is made of.
struct Home<'a> {
    path: &'a BStr,
    owner: Owner,
    mode: u32,
    skeleton: Option<&'a BStr>,
    is_wanted: bool,
}

fn make_home(process: &mut Process<'_, '_>, home: &Home<'_>, talk: Talk) -> Result<(), Stop> {
    let path = home.path;
    if is_nonexistent(path) {
        return talk.say(process, format!("Not creating `{path}'.\n"));
    }
    if !home.is_wanted {
        return talk.say(process, format!("Not creating home directory `{path}'.\n"));
    }
    if let Some((_, stat)) = home::look(process, path)? {
        let message = "already exists.  Not touching this directory.";
        talk.warn(process, format!("The home directory `{path}' {message}"))?;
        let attributes = stat.attributes;
        if (attributes.uid, attributes.gid) != (home.owner.uid, home.owner.gid) {
            let message = "does not belong to the user you are currently creating.";
            process.complain(format!("Warning: The home directory `{path}' {message}"))?;
        }
        return Ok(());
    }
    talk.say(process, format!("Creating home directory `{path}' ...\n"))?;
    let made = home::make(process, path, home.mode, home.owner)?;
    if let Some(skeleton) = home.skeleton {
        talk.say(process, format!("Copying files from `{skeleton}' ...\n"))?;
        home::fill(process, skeleton, &made, home.owner, Times::New)?;
    }
    Ok(())
}

/// The home of those who have none.
fn is_nonexistent(path: &BStr) -> bool {
    let rest = path.trim_start_with(|letter| letter == '/');
    path.starts_with(b"/") && (rest == b"nonexistent" || rest.starts_with(b"nonexistent/"))
}
