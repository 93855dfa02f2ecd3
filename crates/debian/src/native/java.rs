//! `java`, for the one program of Java that packages run: Debian's `ca-certificates-java`, which
//! keeps the keystore of certificates. Everything else is refused.
//!
//! The keystore is what Java would write, entry by entry in the order of its hash table; only the
//! times in it are the image's clock.

mod keystore;
mod table;
#[cfg(test)]
mod tests;

use bstr::{BString, ByteSlice};
use shell::files::Errno;
use shell::process::{Run, errno};
use shell::{Process, Reason, Stop};

use crate::native::certificate::{Certificate, held};
use crate::outside::Outside;
use keystore::{Entry, Keystore};

/// The program that is known.
const PROGRAM: &str = "/usr/share/ca-certificates-java/ca-certificates-java.jar";
/// The keystore that it keeps.
const KEYSTORE: &str = "/etc/ssl/certs/java/cacerts";
const PASSWORD: &str = "changeit";

pub(super) fn java(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let words = process.arguments().to_vec();
    // How much memory it may have does not matter.
    let words: Vec<&[u8]> =
        words.iter().map(|word| word.as_bytes()).filter(|word| !word.starts_with(b"-X")).collect();
    let password = match words[..] {
        [b"-jar", program] if program == PROGRAM.as_bytes() => PASSWORD.as_bytes(),
        [b"-jar", program, b"-storepass", password] if program == PROGRAM.as_bytes() => password,
        [b"-jar", program, ..] => {
            let program = program.as_bstr();
            return Err(process.refuse(Reason::Use(format!("runs {program}"))));
        }
        [first, ..] => {
            return Err(process.refuse(Reason::Option(first.as_bstr().to_string())));
        }
        [] => return Err(process.refuse(Reason::Use("is given no program".to_owned()))),
    };
    let password = password.to_str_lossy().into_owned();
    update(process, &password)
}

/// Adds and removes the certificates that the input lists: `+/etc/ssl/certs/a.pem`.
fn update(process: &mut Process<'_, '_>, password: &str) -> Run {
    let mut keystore = load(process, password)?;
    let input = process.read_input()?;
    let input = process.bytes(&input)?;
    for line in input.lines() {
        process.machine.budget.step()?;
        let Some((sign, path)) = line.split_first() else { continue };
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let alias = format!("debian:{}", name.to_str_lossy());
        match sign {
            b'+' => add(process, &mut keystore, &alias, path)?,
            b'-' => {
                if keystore.remove(&alias) {
                    process.write(format!("Removing {alias}\n"))?;
                }
            }
            _ => {
                let message = format!("Unknown input: {}\n", line.as_bstr());
                process.write_to(2, message.as_bytes())?;
            }
        }
    }
    let bytes = keystore.bytes(password);
    process.machine.budget.hold(bytes.len())?;
    match errno(super::save(process, KEYSTORE.as_bytes(), bytes))? {
        Ok(()) => Ok(0),
        Err(why) => Err(process.refuse(Reason::Use(format!("cannot write {KEYSTORE}: {why}")))),
    }
}

fn load(process: &mut Process<'_, '_>, password: &str) -> Result<Keystore, Stop> {
    let bytes = match errno(process.open_bytes(KEYSTORE.as_bytes()))? {
        Ok(bytes) => bytes,
        Err(Errno::NotFound) => return Ok(Keystore::default()),
        Err(why) => {
            return Err(process.refuse(Reason::Use(format!("cannot read {KEYSTORE}: {why}"))));
        }
    };
    Keystore::read(&bytes, password).map_err(|problem| {
        process.refuse(Reason::Use(format!("cannot read {KEYSTORE}, which {problem}")))
    })
}

fn add(
    process: &mut Process<'_, '_>,
    keystore: &mut Keystore,
    alias: &str,
    path: &[u8],
) -> Result<(), Stop> {
    let text = match errno(process.open_bytes(path))? {
        Ok(text) => text,
        Err(why) => {
            let path = BString::from(path);
            let warning = "Warning: there was a problem reading the certificate file";
            let message = format!("{warning} {path}. Message:\n  {path} ({why})\n");
            return process.write_to(2, message.as_bytes());
        }
    };
    let first = held(&text).and_then(|all| all.into_iter().find_map(|held| held.certificate));
    let Some(certificate) = first.or_else(|| Certificate::read(&text)) else {
        let what = format!("reads {}, which is no certificate", path.as_bstr());
        return Err(process.refuse(Reason::Use(what)));
    };
    let is_known = keystore.remove(alias);
    let verb = if is_known { "Replacing" } else { "Adding" };
    process.write(format!("{verb} {alias}\n"))?;
    let milliseconds = process.machine.files.clock().saturating_mul(1000);
    keystore.put(alias, Entry::trusted(milliseconds, &certificate.der));
    Ok(())
}
