//! From a URL to a file.

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;

use crate::data::{Data, Origin, Stored};
use crate::descriptor::{OpenFile, Output};
use crate::files::{Errno, FileResult, Kind, Last, NewNode};
use crate::machine::Fetch;
use crate::outside::Fetched;
use crate::process::{Process, errno};
use crate::stop::{Reason, Stop};

/// What came of a URL.
pub(super) enum Answer {
    /// Its bytes.
    Data(Data),
    /// An HTTP status that is no success.
    Status(u16),
}

/// Asks for what a URL gives.
pub(super) fn fetch(process: &mut Process<'_, '_>, url: &str) -> Result<Answer, Stop> {
    process.machine.budget.step()?;
    let content = match process.machine.outside.download(url)? {
        Fetched::Status(status) => return Ok(Answer::Status(status)),
        Fetched::Content(content) => content,
    };
    let (url, digest) = (url.to_owned(), content.digest);
    process.machine.fetches.push(Fetch { url: url.clone(), digest, is_verified: false });
    if content.size == 0 {
        return Ok(Answer::Data(Data::empty()));
    }
    let origin = Arc::new(Origin::Download { url });
    Ok(Answer::Data(Data::Stored(Stored { content, origin })))
}

/// The address, if it is one of HTTP's and needs no guessing. A name without a scheme is HTTP's,
/// as both programs take it.
pub(super) fn address(process: &Process<'_, '_>, text: &BStr) -> Result<String, Stop> {
    let refused = || process.refuse(Reason::Use(format!("fetches {text}")));
    let url = text.to_str().map_err(|_| refused())?;
    if url.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused());
    }
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("http".to_owned(), url),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Hosts that are called by the name of another protocol are asked in that one.
    let first = authority.split('.').next().unwrap_or_default();
    let is_other = ["dict", "ftp", "imap", "ldap", "pop3", "smtp"].contains(&first);
    let is_web = scheme == "https" || scheme == "http";
    if !is_web
        || authority.is_empty()
        || authority.contains('@')
        || (is_other && !url.contains("://"))
    {
        return Err(refused());
    }
    Ok(format!("{scheme}://{rest}"))
}

/// Where bytes are to be put.
pub(super) enum Target {
    /// The standard output.
    Output,
    /// Nowhere.
    Nowhere,
    /// A file, which may be there.
    File(ImagePath),
}

/// What a name means.
pub(super) fn target(process: &Process<'_, '_>, name: &BStr) -> FileResult<Target> {
    if name == "/dev/stdout" {
        return Ok(Target::Output);
    }
    let located = process.locate(name, Last::Followed)?;
    match located.stat.map(|stat| stat.kind) {
        None | Some(Kind::File(_)) => Ok(Target::File(located.path)),
        Some(Kind::Directory) => Err(Errno::IsADirectory.into()),
        Some(_) if located.path.as_bytes() == b"dev/null" => Ok(Target::Nowhere),
        Some(_) => Err(process.refuse(Reason::Use(format!("writes to {name}"))).into()),
    }
}

/// Makes the directories above a name, with the process's mask taken from the mode.
pub(super) fn make_directories(
    process: &mut Process<'_, '_>,
    name: &BStr,
    mode: u32,
) -> FileResult<()> {
    let mode = mode & !process.umask;
    for (at, _) in name.iter().enumerate().filter(|(at, byte)| *at > 0 && **byte == b'/') {
        let located = process.locate(&name[..at], Last::Followed)?;
        match located.stat {
            Some(stat) if !stat.is_directory() => return Err(Errno::NotADirectory.into()),
            Some(_) => {}
            None => process.machine.files.make(&located.path, NewNode::Directory, mode)?,
        }
    }
    Ok(())
}

/// Puts bytes where they are to be, in the place of those that are there.
pub(super) fn save(process: &mut Process<'_, '_>, target: &Target, data: Data) -> FileResult<()> {
    match target {
        Target::Nowhere => Ok(()),
        Target::Output => Ok(process.write_data(&data)?),
        Target::File(path) if process.machine.files.stat(path)?.is_some() => {
            process.machine.files.write(path, data)
        }
        Target::File(path) => {
            let mode = 0o666 & !process.umask;
            process.machine.files.make(path, NewNode::File(data), mode)
        }
    }
}

/// Whether reports go to whoever called, or nowhere: then it does not matter that they are left
/// out.
pub(super) fn is_report_seen(process: &Process<'_, '_>) -> bool {
    process.descriptor(2).is_some_and(|handle| {
        !matches!(
            &*handle.borrow(),
            OpenFile::Output(Output::Transcript(_) | Output::Nowhere | Output::Full)
        )
    })
}

/// Refuses if there is one of the files that change what the options mean.
pub(super) fn refuse_settings(process: &Process<'_, '_>, names: &[BString]) -> Result<(), Stop> {
    for name in names {
        if errno(process.find(name, Last::Followed))?.is_ok() {
            return Err(process.refuse(Reason::Use(format!("reads {name}"))));
        }
    }
    Ok(())
}

/// A file in the home directory that the environment names.
pub(super) fn in_home(process: &Process<'_, '_>, name: &str) -> Option<BString> {
    let home = process.environment.get(&BString::from("HOME"))?;
    Some(format!("{home}/{name}").into())
}
