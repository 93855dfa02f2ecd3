//! `openssl rehash` (openssl-rehash(1)): links to certificates by the digest of their names.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use sha1::{Digest as _, Sha1};
use shell::files::{EXECUTE, FileError, Kind, Last, NewNode, WRITE};
use shell::process::{Run, errno};
use shell::{Process, Reason, Stop};

use crate::native::certificate::{Held, held};

/// Endings of files that are looked into, whatever their case.
const ENDINGS: [&str; 4] = ["pem", "crt", "cer", "crl"];
/// Files of one name at most.
const MOST_COLLISIONS: u32 = 256;
/// Where certificates are if nothing is said.
const DIRECTORY: &str = "/usr/lib/ssl/certs";

/// What a link is to: a certificate, or a revocation list, whose links have an `r`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Certificate,
    Revocations,
}

/// Which numbers links are named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hashes {
    New,
    Old,
    Both,
}

/// What is said, and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Manner {
    hashes: Hashes,
    is_verbose: bool,
    keeps_links: bool,
}

/// A file that links are to, or were.
#[derive(Debug)]
struct Target {
    name: BString,
    /// The number of the link that there was.
    old: Option<u32>,
    /// The digest of what is in it, if it was found to be there.
    digest: Option<[u8; 20]>,
}

type Targets = BTreeMap<(Sort, u32), Vec<Target>>;

pub(super) fn rehash(process: &mut Process<'_, '_>) -> Run {
    let mut manner = Manner { hashes: Hashes::New, is_verbose: false, keeps_links: false };
    let words = process.arguments().to_vec();
    let mut operands = words.as_slice();
    while let Some((option, rest)) = operands.split_first() {
        match option.as_bytes() {
            b"-v" => manner.is_verbose = true,
            b"-n" => manner.keeps_links = true,
            b"-old" => manner.hashes = Hashes::Old,
            b"-compat" => manner.hashes = Hashes::Both,
            word if word.starts_with(b"-") => {
                return Err(process.refuse(Reason::Option(format!("rehash {option}"))));
            }
            _ => break,
        }
        operands = rest;
    }
    let mut directories: Vec<BString> = operands.to_vec();
    if directories.is_empty() {
        let given = process.environment.get(&BString::from("SSL_CERT_DIR")).cloned();
        let given = given.unwrap_or_else(|| DIRECTORY.into());
        directories = given.split_str(":").map(BString::from).collect();
    }
    let mut errors = 0_u32;
    for directory in directories {
        errors = errors.saturating_add(one(process, manner, &directory)?);
    }
    // As many as there were, as far as an exit status can say.
    Ok((errors & 0xff) as u8)
}

/// Links in one directory; gives how many errors there were.
fn one(process: &mut Process<'_, '_>, manner: Manner, written: &BString) -> Result<u32, Stop> {
    let found = errno(process.find(written, Last::Followed))?.ok();
    let found = found.filter(|(_, stat)| process.machine.files.may(stat, WRITE | EXECUTE));
    let Some((path, _)) = found else {
        process.write_to(2, format!("Skipping {written}, can't write\n").as_bytes())?;
        return Ok(1);
    };
    if manner.is_verbose {
        process.write(format!("Doing {written}\n"))?;
    }
    let names = match errno(process.machine.files.read_dir(&path))? {
        Ok(names) => names,
        Err(_) => {
            process.write_to(2, format!("Skipping {written}, can't write\n").as_bytes())?;
            return Ok(1);
        }
    };
    let mut targets = Targets::new();
    let mut errors = 0;
    for (name, stat) in names {
        process.machine.budget.step()?;
        match (&stat.kind, link_name(&name)) {
            (Kind::Symlink(target), Some((hash, number))) => {
                let list = targets.entry(hash).or_default();
                add(list, target.as_bstr(), None, Some(number));
            }
            _ => errors += file(process, manner, written, &name, &mut targets)?,
        }
    }
    for ((sort, hash), list) in targets {
        errors += link(process, manner, &path, (sort, hash), list)?;
    }
    Ok(errors)
}

/// What a link's name says that it is to, and its number: `a94d09e5.0`, `a94d09e5.r0`.
fn link_name(name: &[u8]) -> Option<((Sort, u32), u32)> {
    let (hash, number) = name.split_at_checked(8)?;
    let number = number.strip_prefix(b".")?;
    let (sort, number) = match number {
        [b'r' | b'R', number @ ..] => (Sort::Revocations, number),
        _ => (Sort::Certificate, number),
    };
    if !hash.iter().all(u8::is_ascii_hexdigit) || !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let hash = u32::from_str_radix(hash.to_str().ok()?, 16).ok()?;
    let number = number.to_str().ok()?;
    Some(((sort, hash), if number.is_empty() { 0 } else { number.parse().ok()? }))
}

/// Notes a file's certificate; gives how many errors there were.
fn file(
    process: &mut Process<'_, '_>,
    manner: Manner,
    directory: &BString,
    name: &BString,
    targets: &mut Targets,
) -> Result<u32, Stop> {
    let ending = name.rfind_byte(b'.').map(|dot| &name[dot + 1..]);
    let is_known =
        |ending: &[u8]| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known.as_bytes()));
    if !ending.is_some_and(is_known) {
        return Ok(0);
    }
    let slash: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    let path = [directory.as_slice(), slash, name].concat();
    let text = match errno(process.open_bytes(&path))? {
        Ok(text) => text,
        Err(_) => {
            let message = format!("rehash: error: skipping {name}, cannot open file\n");
            process.write_to(2, message.as_bytes())?;
            return Ok(1);
        }
    };
    let Some(all) = held(&text).filter(|all| !all.is_empty()) else {
        return if text.is_empty() || !text.contains_str("-----BEGIN") {
            one_expected(process, name)
        } else {
            Ok(0)
        };
    };
    let [Held { certificate, revocations, .. }] = all.as_slice() else {
        return one_expected(process, name);
    };
    let (sort, one) = match (certificate, revocations) {
        (Some(certificate), _) => (Sort::Certificate, certificate),
        (None, Some(revocations)) => (Sort::Revocations, revocations),
        (None, None) => return Ok(1),
    };
    let digest: [u8; 20] = Sha1::digest(&one.der).into();
    let hashes = match manner.hashes {
        Hashes::New => vec![one.subject.hash()],
        Hashes::Old => vec![one.subject.old_hash()],
        Hashes::Both => vec![one.subject.hash(), one.subject.old_hash()],
    };
    for hash in hashes {
        let list = targets.entry((sort, hash)).or_default();
        if !add(list, name.as_bstr(), Some(digest), None) {
            let what = match sort {
                Sort::Certificate => "certificate",
                Sort::Revocations => "CRL",
            };
            let message = format!("rehash: warning: skipping duplicate {what} in {name}\n");
            process.write_to(2, message.as_bytes())?;
        }
    }
    Ok(0)
}

fn one_expected(process: &mut Process<'_, '_>, name: &BString) -> Result<u32, Stop> {
    let message = format!(
        "rehash: warning: skipping {name},it does not contain exactly one certificate or CRL\n"
    );
    process.write_to(2, message.as_bytes())?;
    Ok(0)
}

/// Puts a file among those of one digest; `false` if another of them has the same in it.
fn add(list: &mut Vec<Target>, name: &BStr, digest: Option<[u8; 20]>, old: Option<u32>) -> bool {
    if digest.is_some() && list.iter().any(|known| known.digest == digest) {
        return false;
    }
    let known = match list.iter().position(|known| known.name == name) {
        Some(known) => known,
        None => {
            list.push(Target { name: name.to_owned(), old: None, digest: None });
            list.len() - 1
        }
    };
    if let Some(known) = list.get_mut(known) {
        known.old = match (known.old, old) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        known.digest = known.digest.or(digest);
    }
    true
}

/// Makes the links of one digest, and takes those away that lead to nothing now.
fn link(
    process: &mut Process<'_, '_>,
    manner: Manner,
    directory: &oci::ImagePath,
    (sort, hash): (Sort, u32),
    list: Vec<Target>,
) -> Result<u32, Stop> {
    let needed = list.iter().filter(|target| target.digest.is_some()).count();
    let needed = u32::try_from(needed).unwrap_or(u32::MAX).min(MOST_COLLISIONS);
    let is_kept = |target: &Target| target.old.is_some_and(|old| old < needed);
    let kept: Vec<Option<u32>> =
        list.iter().filter(|target| is_kept(target)).map(|target| target.old).collect();
    let mut free = (0..MOST_COLLISIONS).filter(|number| !kept.contains(&Some(*number)));
    let letter = if sort == Sort::Revocations { "r" } else { "" };
    let mut errors = 0;
    for target in &list {
        let (verb, number, action) = match (target.digest, target.old) {
            (_, Some(old)) if old < needed => ("link", old, Action::Nothing),
            (Some(_), _) => match free.next() {
                Some(number) => ("link", number, Action::Make),
                None => continue,
            },
            (None, Some(old)) if !manner.keeps_links => ("unlink", old, Action::Remove),
            (None, _) => continue,
        };
        let name = format!("{hash:08x}.{letter}{number}");
        if manner.is_verbose {
            let line = match action {
                Action::Remove => format!("{verb} {name}\n"),
                _ => format!("{verb} {} -> {name}\n", target.name),
            };
            process.write(line)?;
        }
        if let Err(why) = errno(action.perform(process, directory, &name, &target.name))? {
            process.write_to(2, format!("rehash: Can't {verb} {name}, {why}\n").as_bytes())?;
            errors += 1;
        }
    }
    Ok(errors)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Nothing,
    Make,
    Remove,
}

impl Action {
    fn perform(
        self,
        process: &mut Process<'_, '_>,
        directory: &oci::ImagePath,
        name: &str,
        target: &BString,
    ) -> Result<(), FileError> {
        let path = directory.join(name);
        let files = &mut process.machine.files;
        if self != Action::Nothing && files.stat(&path)?.is_some() {
            files.remove(&path)?;
        }
        if self == Action::Make {
            files.make(&path, NewNode::Symlink(target.to_vec()), 0o777)?;
        }
        Ok(())
    }
}
