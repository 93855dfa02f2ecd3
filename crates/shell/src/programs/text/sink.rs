//! Files that a program writes to by name.

use bstr::ByteSlice;

use crate::descriptor::{Closed, Handle, Output, Position, output};
use crate::files::{FileResult, Last, NewNode};
use crate::process::Process;
use crate::stop::Stop;
use crate::{Data, files::Errno};

/// What becomes of the bytes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Emptied,
    Kept,
}

/// Opens a file for writing, as fopen(3) does; `/dev/stdout` and `/dev/stderr` are the process's.
pub(super) fn open(
    process: &mut Process<'_, '_>,
    name: &[u8],
    existing: Existing,
) -> FileResult<Handle> {
    let number = match name {
        b"/dev/stdout" => Some(1),
        b"/dev/stderr" => Some(2),
        b"/dev/null" => return Ok(output(Output::Nowhere)),
        b"/dev/full" => return Ok(output(Output::Full)),
        _ => None,
    };
    if let Some(number) = number {
        return Ok(process.descriptor(number).ok_or(Errno::NotFound)?);
    }
    let located = process.locate(name, Last::Followed)?;
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    if located.stat.is_none() {
        if name.as_bytes().ends_with(b"/") {
            return Err(Errno::IsADirectory.into());
        }
        files.make(&located.path, NewNode::File(Data::empty()), mode)?;
    }
    let inode = files.open_to_write(&located.path)?;
    let position = match existing {
        Existing::Emptied => {
            files.write_inode(inode, Data::empty());
            Position::At(0)
        }
        Existing::Kept => Position::End,
    };
    Ok(output(Output::File { inode, position }))
}

/// Writes. What cannot be written is lost, as for a closed descriptor.
pub(super) fn write(
    process: &mut Process<'_, '_>,
    handle: &Handle,
    bytes: &[u8],
) -> Result<(), Stop> {
    match process.machine.write(handle, bytes) {
        Ok(()) | Err(Closed::Errno(_)) => Ok(()),
        Err(Closed::Stop(stop)) => Err(stop),
    }
}
