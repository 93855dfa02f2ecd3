//! Where programs that read text get it from, and where they put it.

use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::busybox;
use crate::data::Data;
use crate::descriptor::{OpenFile, Output};
use crate::files::{Errno, FileError, FileResult, Last, NewNode};
use crate::process::{Process, Run, errno};
use crate::programs::Flavour;
use crate::programs::quoting::bare;
use crate::stop::{Reason, Stop};

/// What an operand names: a file, or standard input for `-`.
pub(super) fn open(
    process: &mut Process<'_, '_>,
    name: &[u8],
) -> Result<Result<Data, Errno>, Stop> {
    if name == b"-" {
        return Ok(Ok(process.read_input()?));
    }
    let opened = process.open(name);
    match errno(opened)? {
        Err(Errno::IsADirectory) if process.flavour == Flavour::BusyBox => {
            busybox::refuse(process)?;
            Ok(Err(Errno::IsADirectory))
        }
        Err(Errno::Invalid) => {
            let what = format!("reads {}, which is no file", name.as_bstr());
            Err(process.refuse(Reason::Use(what)))
        }
        answer => Ok(answer),
    }
}

/// The bytes of what an operand names.
pub(super) fn read(
    process: &mut Process<'_, '_>,
    name: &[u8],
) -> Result<Result<Arc<[u8]>, Errno>, Stop> {
    Ok(match open(process, name)? {
        Ok(data) => Ok(process.bytes(&data)?),
        Err(errno) => Err(errno),
    })
}

/// Writes what `change` makes of each operand, or of standard input if there are none. What cannot
/// be read is told as `NAME: MESSAGE`, and makes the status 1.
pub(super) fn filter(
    process: &mut Process<'_, '_>,
    operands: &[BString],
    mut change: impl FnMut(&[u8]) -> Vec<u8>,
) -> Run {
    let mut status = 0;
    for name in or_input(operands) {
        match read(process, &name)? {
            Ok(bytes) => process.write(change(&bytes))?,
            Err(errno) => {
                process.complain(format!("{}: {errno}", bare(&name)))?;
                status = 1;
            }
        }
    }
    Ok(status)
}

/// The operands, or `-` for standard input if there are none.
pub(super) fn or_input(operands: &[BString]) -> Vec<BString> {
    if operands.is_empty() { vec!["-".into()] } else { operands.to_vec() }
}

/// Lines without their ends; the last one need not have one.
pub(super) fn lines(text: &[u8], end: u8) -> impl Iterator<Item = &[u8]> {
    let whole = text.strip_suffix(&[end]).unwrap_or(text);
    let count = if text.is_empty() { 0 } else { usize::MAX };
    whole.split(move |byte| *byte == end).take(count)
}

/// What happens to what a file has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It goes.
    Nothing,
    /// It stays in front.
    All,
}

/// Puts bytes into the file that an operand names.
pub(super) fn put(
    process: &mut Process<'_, '_>,
    name: &[u8],
    data: &Data,
    keep: Keep,
) -> FileResult<()> {
    match name {
        b"/dev/null" => return Ok(()),
        b"/dev/stdout" | b"/dev/fd/1" | b"/proc/self/fd/1" => return put_again(process, 1, data),
        b"/dev/stderr" | b"/dev/fd/2" | b"/proc/self/fd/2" => return put_again(process, 2, data),
        _ => {}
    }
    let located = process.locate(name, Last::Followed)?;
    if located.stat.is_none() {
        let mode = 0o666 & !process.umask;
        process.machine.files.make(&located.path, NewNode::File(Data::empty()), mode)?;
    }
    let data = match (keep, &located.stat) {
        (Keep::All, Some(stat)) if data.size() == 0 && !stat.is_directory() => return Ok(()),
        (Keep::All, Some(stat)) if stat.size() > 0 => {
            let before = stat.data().cloned().ok_or(Errno::Invalid)?;
            let mut all = process.bytes(&before)?.to_vec();
            all.extend_from_slice(&process.bytes(data)?);
            process.machine.budget.hold(all.len())?;
            Data::of(all)
        }
        _ => data.clone(),
    };
    process.machine.files.write(&located.path, data)
}

/// Opening a descriptor's name is opening its file anew: for a file, that begins at its start.
fn put_again(process: &mut Process<'_, '_>, number: u32, data: &Data) -> FileResult<()> {
    let Some(handle) = process.descriptor(number) else { return Err(Errno::NotFound.into()) };
    if matches!(&*handle.borrow(), OpenFile::Output(Output::File { .. })) {
        let what = "writes to a descriptor's name where that is a file".to_owned();
        return Err(FileError::Stop(process.refuse(Reason::Use(what))));
    }
    let bytes = process.bytes(data)?;
    Ok(process.write_to(number, &bytes)?)
}
