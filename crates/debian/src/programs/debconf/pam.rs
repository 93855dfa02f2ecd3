//! `pam-auth-update`: the files `common-*` below `/etc/pam.d`, made of the profiles that packages
//! bring (pam-auth-update(8)).

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use md5::{Digest as _, Md5};
use shell::files::{FileResult, Last, NewNode};
use shell::process::{Run, errno};
use shell::{Data, Process, Reason, Stop};

use super::client::{self, ask, items, parted_at_module};
use super::words::{joined, trim_end, trim_start};
use crate::outside::Outside;

const PROGRAM: &str = "/usr/sbin/pam-auth-update";
const PROFILES: &str = "/usr/share/pam-configs";
const CONFIGURATION: &str = "/etc/pam.d";
const SAVED: &str = "/var/lib/pam";
const QUESTION: &[u8] = b"libpam-runtime/profiles";
const OVERRIDE: &[u8] = b"libpam-runtime/override";

/// The files, and the MD5 of what stood around their modules in versions whose text may be
/// replaced.
const TYPES: [(&str, &[&str]); 5] = [
    ("auth", &["8d4fe17e66ba25de16a117035d1396aa"]),
    ("account", &["3c0c362eaf3421848b679d63fd48c3fa"]),
    (
        "password",
        &[
            "4d5c92d595a46b69cd61f18feb4c0574",
            "50fce2113dfda83ac8bdd5a6e706caec",
            "4bd7610f2e85f8ddaef79c7db7cb49eb",
            "9ba753d0824276b44bcadfee1f87b6bc",
        ],
    ),
    (
        "session",
        &[
            "f297c731a467822cbd86e1283263e8a3",
            "240fb92986c885b327cdb21dd641da8c",
            "4a25673e8b36f1805219027d3be02cd2",
        ],
    ),
    ("session-noninteractive", &["ad2b78ce1498dd637ef36469430b6ac6"]),
];

/// The lines that part a file: modules stand behind the first and the third.
const MARKS: [&str; 4] = [
    "# here are the per-package modules (the \"Primary\" block)",
    "# here's the fallback if no module succeeds",
    "# and here are more per-package modules (the \"Additional\" block)",
    "# end of pam-auth-update config",
];

/// A profile by its fields.
type Profile = BTreeMap<BString, BString>;

/// What the command line says.
#[derive(Debug, Default)]
struct Request {
    is_forced: bool,
    is_of_package: bool,
    removed: BTreeSet<BString>,
    disabled: BTreeSet<BString>,
    enabled: BTreeSet<BString>,
}

pub(super) fn pam_auth_update(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    if let Some(status) = client::begin(process, PROGRAM) {
        return status;
    }
    let request = request(process)?;
    ask(process, &[b"VERSION", b"2.0"])?;
    ask(process, &[b"CAPB", b"backup escape"])?;
    let profiles = profiles(process)?;
    let templates = b"/var/lib/dpkg/info/libpam-runtime.templates";
    ask(process, &[b"X_LOADTEMPLATEFILE", templates, b"libpam-runtime"])?;
    let mut sorted: Vec<&BString> =
        profiles.keys().filter(|name| !request.removed.contains(*name)).collect();
    sorted.sort_by_key(|name| order(&profiles, name.as_bstr()));
    let titles = sorted.iter().map(|name| text(&profiles[*name], "Name"));
    let titles = bstr::join(", ", titles);
    ask(process, &[b"SUBST", QUESTION, b"profile_names", &bstr::join(", ", &sorted)])?;
    ask(process, &[b"SUBST", QUESTION, b"profiles", &titles])?;
    let current = match current_profiles(process)? {
        Some(current) => Some(current),
        None if request.is_forced => None,
        None => return Err(process.refuse(Reason::Use(CHANGED.to_owned()))),
    };
    let known = seen(process)?;
    let enabled = wanted(process, &request, &profiles, &sorted, current, &known)?;
    let enabled = decide(process, &request, &profiles, &sorted, &known, enabled)?;
    let list: Vec<u8> = sorted.iter().flat_map(|name| [&name[..], b"\n"].concat()).collect();
    put(process, &format!("{SAVED}/seen"), list)?;
    for (kind, sums) in TYPES {
        write(process, &request, &profiles, &enabled, kind, sums)?;
    }
    ask(process, &[b"FSET", OVERRIDE, b"seen", b"false"])?;
    ask(process, &[b"SET", OVERRIDE, b"false"])?;
    Ok(0)
}

const CHANGED: &str = "finds files in /etc/pam.d that were changed by hand";

fn request(process: &Process<'_, '_>) -> Result<Request, Stop> {
    let mut request = Request::default();
    let mut words = process.arguments().iter().peekable();
    while let Some(word) = words.next() {
        let list = match word.to_str() {
            Ok("--force") => {
                request.is_forced = true;
                continue;
            }
            Ok("--package") => {
                request.is_of_package = true;
                continue;
            }
            Ok("--root") if words.next().is_some_and(|root| root.is_empty()) => continue,
            Ok("--remove") => &mut request.removed,
            Ok("--disable") => &mut request.disabled,
            Ok("--enable") => &mut request.enabled,
            _ => return Err(process.refuse(Reason::Option(word.to_string()))),
        };
        while let Some(name) = words.next_if(|word| !word.starts_with(b"--")) {
            list.insert(name.clone());
            request.is_of_package = true;
        }
    }
    Ok(request)
}

/// All profiles that work.
fn profiles(process: &mut Process<'_, '_>) -> Result<BTreeMap<BString, Profile>, Stop> {
    let names = (|| -> FileResult<Vec<BString>> {
        let (path, _) = process.find(PROFILES.as_bytes(), Last::Followed)?;
        Ok(process.machine.files.read_dir(&path)?.into_keys().collect())
    })();
    let names = match errno(names)? {
        Ok(names) => names,
        Err(error) => return Err(process.refuse(Reason::Use(format!("reads {PROFILES}: {error}")))),
    };
    let mut all = BTreeMap::new();
    let is_backup = |name: &BString| {
        name.ends_with(b"~") || name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#")
    };
    for name in names.into_iter().filter(|name| !is_backup(name)) {
        let path = [PROFILES.as_bytes(), b"/", &name].concat();
        if let Ok(text) = errno(process.open_bytes(&path))?
            && let Some(profile) = profile(&text)
        {
            all.insert(name, profile);
        }
    }
    Ok(all)
}

/// A profile; `None` if it names a module that is no more.
fn profile(text: &[u8]) -> Option<Profile> {
    let mut profile = Profile::new();
    let mut field = BString::default();
    for line in text.split_str("\n").filter(|line| !line.is_empty()) {
        let is_name = |name: &[u8]| !name.is_empty() && !name.iter().any(u8::is_ascii_whitespace);
        let named = line.split_once_str(":").filter(|(name, value)| {
            is_name(name) && value.first().is_none_or(u8::is_ascii_whitespace)
        });
        if let Some((name, value)) = named {
            field = name.strip_suffix(b"-Final").unwrap_or(name).into();
            profile.insert(field.clone(), trim_start(value).into());
            continue;
        }
        let line = trim_end(trim_start(line));
        let value = profile.entry(field.clone()).or_default();
        if !line.is_empty() {
            *value = joined(&[value, b"\n", line]);
        }
        if value.contains_str("pam_tally") {
            return None;
        }
        *value = trim_start(value).into();
    }
    if !profile.contains_key(BStr::new("Session-Interactive-Only")) {
        for suffix in ["-Type", "", "-Initial"] {
            let own = profile.get(format!("Session{suffix}").as_bytes().as_bstr()).cloned();
            if let Some(own) = own {
                profile.insert(format!("Session-noninteractive{suffix}").into(), own);
            }
        }
    }
    Some(profile)
}

fn text<'a>(profile: &'a Profile, field: &str) -> &'a BStr {
    profile.get(BStr::new(field)).map(|value| value.as_bstr()).unwrap_or_default()
}

/// The most important first, and of equal ones the last by name.
fn order(profiles: &BTreeMap<BString, Profile>, name: &BStr) -> impl Ord + use<> {
    let priority = profiles.get(name).map(|profile| text(profile, "Priority").to_string());
    let priority: i64 = priority.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    std::cmp::Reverse((priority, BString::from(name)))
}

/// The profiles that the files are made of; `None` if they are not what was written.
fn current_profiles(process: &mut Process<'_, '_>) -> Result<Option<Vec<BString>>, Stop> {
    let mut found = Vec::new();
    for (kind, _) in TYPES {
        let Ok(saved) = errno(process.open_bytes(format!("{SAVED}/{kind}").as_bytes()))? else {
            return Ok(None);
        };
        let path = format!("{CONFIGURATION}/common-{kind}");
        let Ok(current) = errno(process.open_bytes(path.as_bytes()))? else { return Ok(None) };
        let kind = kind.trim_end_matches("-noninteractive");
        match modules_of(&saved, &current, kind) {
            Some(modules) => found.extend(modules),
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// The modules of a file, by what was saved when it was written.
fn modules_of(saved: &[u8], current: &[u8], kind: &str) -> Option<Vec<BString>> {
    let mut name = BStr::new("");
    let mut lines = Vec::new();
    for line in saved.lines() {
        match line.strip_prefix(b"Module: ") {
            Some(module) => name = module.as_bstr(),
            None => lines.push((name, without_jump(&line.replacen("end", "0", 1)))),
        }
    }
    let mut lines = lines.into_iter();
    let mut marks = MARKS.iter().peekable();
    let mut found = Vec::new();
    for line in current.lines() {
        let mark = marks.peek()?;
        if line.starts_with(mark.as_bytes()) {
            marks.next();
            if marks.peek().is_none() {
                break;
            }
        } else if marks.len() == 3 || marks.len() == 1 {
            let line = trim_start(line.strip_prefix(kind.as_bytes())?);
            let (module, options) = parted_at_module(&without_jump(line))?;
            let (name, _) = lines.by_ref().find(|(_, saved)| {
                parted_at_module(saved)
                    .is_some_and(|saved| saved == (module.clone(), options.clone()))
            })?;
            found.push(name.into());
        }
    }
    (marks.len() < 2).then_some(found)
}

/// A line without the number of modules that it jumps over.
fn without_jump(line: &[u8]) -> Vec<u8> {
    let Some(end) = line.find_byte(b']').filter(|_| line.starts_with(b"[")) else {
        return line.to_vec();
    };
    let (control, rest) = line.split_at(end);
    let control = control.iter().filter(|byte| !byte.is_ascii_digit()).copied();
    control.chain(rest.iter().copied()).collect()
}

fn seen(process: &mut Process<'_, '_>) -> Result<BTreeSet<BString>, Stop> {
    let seen = errno(process.open_bytes(format!("{SAVED}/seen").as_bytes()))?;
    Ok(seen.map(|text| text.lines().map(BString::from).collect()).unwrap_or_default())
}

/// The profiles to be: those of now, and new ones that are on by themselves.
fn wanted(
    process: &mut Process<'_, '_>,
    request: &Request,
    profiles: &BTreeMap<BString, Profile>,
    sorted: &[&BString],
    current: Option<Vec<BString>>,
    known: &BTreeSet<BString>,
) -> Result<Vec<BString>, Stop> {
    let mut enabled = match current {
        Some(current) => current,
        None => items(ask(process, &[b"GET", QUESTION])?.as_bstr()),
    };
    enabled.retain(|name| profiles.contains_key(name) && !request.removed.contains(name));
    enabled.extend(
        sorted.iter().filter(|name| request.enabled.contains(**name)).map(|it| (*it).clone()),
    );
    enabled.retain(|name| !request.disabled.contains(name));
    let is_empty = enabled.is_empty();
    let is_new =
        |name: &BString| is_empty || !known.contains(name) && !request.disabled.contains(name);
    let by_default = sorted.iter().filter(|name| text(&profiles[**name], "Default") == "yes");
    enabled.extend(by_default.filter(|name| is_new(name)).map(|name| (*name).clone()));
    enabled.sort_by_key(|name| order(profiles, name.as_bstr()));
    enabled.dedup();
    Ok(enabled)
}

/// Has debconf ask, and takes what it answers.
fn decide(
    process: &mut Process<'_, '_>,
    request: &Request,
    profiles: &BTreeMap<BString, Profile>,
    sorted: &[&BString],
    known: &BTreeSet<BString>,
    enabled: Vec<BString>,
) -> Result<Vec<BString>, Stop> {
    let is_new = sorted.iter().any(|name| !known.contains(*name));
    let priority: &[u8] = if request.is_of_package { b"medium" } else { b"high" };
    ask(process, &[b"SETTITLE", b"libpam-runtime/title"])?;
    if is_new || !request.is_of_package {
        ask(process, &[b"FSET", QUESTION, b"seen", b"false"])?;
    }
    ask(process, &[b"SET", QUESTION, &bstr::join(", ", &enabled)])?;
    ask(process, &[b"INPUT", priority, QUESTION])?;
    ask(process, &[b"GO"])?;
    let enabled = items(ask(process, &[b"GET", QUESTION])?.as_bstr());
    let conflicts = |name: &BString| {
        let own = profiles.get(name).map(|profile| items(text(profile, "Conflicts")));
        own.unwrap_or_default().iter().any(|other| enabled.contains(other))
    };
    if enabled.is_empty() || enabled.iter().any(conflicts) {
        let why = "finds no profiles, or some that exclude each other".to_owned();
        return Err(process.refuse(Reason::Use(why)));
    }
    ask(process, &[b"SET", QUESTION, &bstr::join(", ", &enabled)])?;
    Ok(enabled)
}

/// The lines of each profile for a type and a block.
fn blocks<'a>(
    profiles: &'a BTreeMap<BString, Profile>,
    enabled: &'a [BString],
    kind: &str,
    block: &str,
) -> Vec<(&'a BString, &'a BStr)> {
    let (first, rest) = kind.split_at(1);
    let field = format!("{}{rest}", first.to_uppercase());
    let own = enabled.iter().filter_map(|name| Some((name, profiles.get(name)?)));
    let own = own.filter(|(_, profile)| text(profile, &format!("{field}-Type")) == block);
    let lines = own.enumerate().map(|(at, (name, profile))| {
        let initial = text(profile, &format!("{field}-Initial"));
        let is_initial = at == 0 && !initial.is_empty();
        (name, if is_initial { initial } else { text(profile, &field) })
    });
    lines.collect()
}

/// Writes one file, and what it is made of.
fn write(
    process: &mut Process<'_, '_>,
    request: &Request,
    profiles: &BTreeMap<BString, Profile>,
    enabled: &[BString],
    kind: &str,
    sums: &[&str],
) -> Result<(), Stop> {
    let path = format!("{CONFIGURATION}/common-{kind}");
    let stock = format!("/usr/share/pam/common-{kind}");
    let current = errno(process.open_bytes(path.as_bytes()))?.ok();
    let frame = current.as_ref().map(|text| hex::encode(Md5::digest(frame_of(text))));
    let is_old = frame.is_some_and(|frame| sums.contains(&&frame[..]));
    let primary = blocks(profiles, enabled, kind, "Primary");
    let additional = blocks(profiles, enabled, kind, "Additional");
    let mut filled = match &current {
        Some(current) if !is_old => fill(current, kind, &primary, &additional),
        _ => None,
    };
    if filled.is_none() {
        let stock = errno(process.open_bytes(stock.as_bytes()))?.ok();
        filled = stock.and_then(|stock| fill(&stock, kind, &primary, &additional));
    }
    let Some(filled) = filled else {
        return Err(process.refuse(Reason::Use(format!("finds no frame for {path}"))));
    };
    if let Some(current) = current.filter(|_| request.is_forced) {
        put(process, &format!("{path}.pam-old"), current.to_vec())?;
    }
    put_anew(process, &path, filled)?;
    let mut saved = Vec::new();
    if primary.is_empty() {
        saved.extend_from_slice(b"Module: null\n[default=1]\t\t\tpam_permit.so\n");
    }
    for (name, lines) in primary.iter().chain(&additional).filter(|(_, lines)| !lines.is_empty()) {
        saved.extend([b"Module: ", &name[..], b"\n", lines, b"\n"].concat());
    }
    put_anew(process, &format!("{SAVED}/{kind}"), saved)
}

/// A file without its modules.
fn frame_of(text: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let mut marks = MARKS.iter().peekable();
    for line in text.lines_with_terminator() {
        let is_mark = marks.next_if(|mark| line.starts_with(mark.as_bytes())).is_some();
        if is_mark || marks.len() != 3 && marks.len() != 1 {
            frame.extend_from_slice(line);
        }
    }
    frame
}

/// A file with other modules; `None` if it is not parted by all marks.
fn fill(
    text: &[u8],
    kind: &str,
    primary: &[(&BString, &BStr)],
    additional: &[(&BString, &BStr)],
) -> Option<Vec<u8>> {
    let kind = kind.trim_end_matches("-noninteractive");
    let mut filled = Vec::new();
    let mut marks = MARKS.iter().peekable();
    for line in text.lines_with_terminator() {
        let is_mark = marks.next_if(|mark| line.starts_with(mark.as_bytes())).is_some();
        match (is_mark, marks.len()) {
            (true, 3) => {
                filled.extend_from_slice(line);
                if primary.is_empty() {
                    filled.extend(format!("{kind}\t[default=1]\t\t\tpam_permit.so\n").into_bytes());
                }
                filled.extend(modules(primary, kind, 0)?);
            }
            (true, 1) => {
                filled.extend_from_slice(line);
                filled.extend(modules(additional, kind, 1)?);
            }
            (false, 3 | 1) => {}
            _ => filled.extend_from_slice(line),
        }
    }
    (marks.len() == 0).then_some(filled)
}

/// The lines of modules. `end` is how many are left, less those that a block does not jump over.
fn modules(blocks: &[(&BString, &BStr)], kind: &str, fewer: usize) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = blocks
        .iter()
        .flat_map(|(_, lines)| lines.split_str("\n"))
        .filter(|it| !it.is_empty())
        .collect();
    let mut text = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let (module, options) = parted_at_module(line)?;
        let left = (lines.len() - at).checked_sub(fewer)?;
        let module = module.replace("end", left.to_string());
        let options = bstr::join(" ", options);
        text.extend([kind.as_bytes(), b"\t", &module, b" ", &options, b"\n"].concat());
    }
    Some(text)
}

/// Writes a file as a new one in the place of another.
fn put_anew(process: &mut Process<'_, '_>, path: &str, text: Vec<u8>) -> Result<(), Stop> {
    let removed = process.find(path.as_bytes(), Last::Kept);
    if let Ok((old, _)) = errno(removed)? {
        let _ = errno(process.machine.files.remove(&old))?;
    }
    put(process, path, text)
}

/// Writes a file.
fn put(process: &mut Process<'_, '_>, path: &str, text: Vec<u8>) -> Result<(), Stop> {
    process.machine.budget.hold(text.len())?;
    let written = (|| -> FileResult<()> {
        let located = process.locate(path.as_bytes(), Last::Followed)?;
        match located.stat {
            Some(_) => process.machine.files.write(&located.path, Data::of(text)),
            None => process.machine.files.make(&located.path, NewNode::File(Data::of(text)), 0o644),
        }
    })();
    errno(written)?
        .map_err(|error| process.refuse(Reason::Use(format!("cannot write {path}: {error}"))))
}
