//! `chpasswd` (chpasswd(8)) of passwords that are encrypted already. Encrypting takes a salt that
//! nobody can know before.

use bstr::ByteSlice;

use super::database::{self, Database, File};
use super::{lookup, refused, require_root};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run};

const KNOWN: &[Known] = &[flag("-e", 'e', &["encrypted"])];

pub(super) fn chpasswd(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    if !options.has("-e") {
        return Err(refused(process, "encrypts passwords with a random salt"));
    }
    let input = process.read_input()?;
    let input = process.bytes(&input)?;
    database::lock(process)?;
    let mut shadow = Database::required(process, File::Shadow)?;
    let day = process.machine.files.clock().div_euclid(86_400).to_string();
    let mut is_wrong = false;
    for (at, line) in input.lines().enumerate() {
        let number = at + 1;
        let Some((name, password)) = line.split_once_str(":") else {
            process.complain(format!("line {number}: missing new password"))?;
            is_wrong = true;
            continue;
        };
        let name = name.as_bstr();
        if lookup::user_named(process, name)?.is_none() {
            process.complain(format!("line {number}: user '{name}' does not exist"))?;
            is_wrong = true;
            continue;
        }
        let Some(mut fields) = shadow.find(name).filter(|_| !password.contains(&b':')) else {
            return Err(refused(process, "finds no line of the user in /etc/shadow"));
        };
        fields[1] = password.into();
        fields[2] = day.clone().into();
        shadow.replace(name, &fields);
    }
    if is_wrong {
        process.complain("error detected, changes ignored")?;
        return Ok(1);
    }
    shadow.save(process)?;
    Ok(0)
}
