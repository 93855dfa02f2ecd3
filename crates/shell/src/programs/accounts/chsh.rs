//! `chsh` (chsh(1)).

use bstr::ByteSlice;

use super::database::{self, Database, File};
use super::lookup;
use super::{fail, refused, require_root};
use crate::files::{EXECUTE, Last};
use crate::options::{Known, Options, Order, value};
use crate::process::{Process, Run, errno};

const KNOWN: &[Known] = &[value("-s", 's', &["shell"])];

pub(super) fn chsh(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let ([name], Some(shell)) = (&options.operands[..], options.value("-s")) else {
        return Err(refused(process, "asks for a shell"));
    };
    let name = name.as_bstr();
    let Some(user) = lookup::user_named(process, name)? else {
        return fail(process, 1, format!("user '{name}' does not exist"));
    };
    if shell.iter().any(|byte| matches!(byte, b':' | b',' | b'=' | b'\n'))
        || !shell.starts_with(b"/")
    {
        return Err(refused(process, format!("is given the shell {shell}")));
    }
    match errno(process.find(shell, Last::Followed))? {
        Err(_) => process.complain(format!("Warning: {shell} does not exist"))?,
        Ok((_, stat)) if !process.machine.files.may(&stat, EXECUTE) => {
            process.complain(format!("Warning: {shell} is not executable"))?;
        }
        Ok(_) => {}
    }
    database::lock(process)?;
    let mut passwd = Database::required(process, File::Passwd)?;
    let mut fields = user.fields;
    fields[6] = shell.into();
    passwd.replace(name, &fields);
    passwd.save(process)?;
    Ok(0)
}
