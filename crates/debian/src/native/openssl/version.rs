//! `openssl version` (openssl-version(1)).

use bstr::{BString, ByteSlice};
use shell::files::Last;
use shell::process::{Run, errno};
use shell::{Process, Reason, Stop};

/// The library, in the directory of its architecture.
const LIBRARY: &str = "libcrypto.so.3";

pub(super) fn version(process: &mut Process<'_, '_>) -> Run {
    let arguments = process.arguments().to_vec();
    match arguments.iter().map(|word| word.as_bytes()).collect::<Vec<_>>()[..] {
        [] | [b"-v"] => {}
        [b"-d"] => {
            process.write("OPENSSLDIR: \"/usr/lib/ssl\"\n")?;
            return Ok(0);
        }
        [option, ..] => {
            return Err(process.refuse(Reason::Option(format!("version {}", option.as_bstr()))));
        }
    }
    let program = [b"/", process.program.as_bytes()].concat();
    let library = library(process)?;
    let program = words(process, &program)?;
    let library = words(process, &library)?;
    process.write(format!("{program} (Library: {library})\n"))?;
    Ok(0)
}

/// Where the library is.
fn library(process: &mut Process<'_, '_>) -> Result<Vec<u8>, Stop> {
    let mut places = vec![BString::from("/usr/lib")];
    if let Ok((path, _)) = errno(process.find(b"/usr/lib", Last::Followed))?
        && let Ok(names) = errno(process.machine.files.read_dir(&path))?
    {
        let found = names.into_iter().filter(|(_, stat)| stat.is_directory());
        places.extend(found.map(|(name, _)| [b"/usr/lib/", name.as_slice()].concat().into()));
    }
    for place in places {
        let path = [place.as_slice(), b"/", LIBRARY.as_bytes()].concat();
        if errno(process.find(&path, Last::Followed))?.is_ok() {
            return Ok(path);
        }
    }
    Err(process.refuse(Reason::Use("has no library whose version could be said".to_owned())))
}

/// What a file of OpenSSL's says of its version: `OpenSSL 3.0.19 27 Jan 2026`.
fn words(process: &mut Process<'_, '_>, path: &[u8]) -> Result<String, Stop> {
    let unknown = || Reason::Use("has a version that is not known".to_owned());
    let Ok(bytes) = errno(process.open_bytes(path))? else {
        return Err(process.refuse(unknown()));
    };
    let found = bytes.find_iter("OpenSSL 3.").find_map(|at| {
        let text = &bytes[at..bytes.len().min(at + 64)];
        let text = &text[..text.find_byte(0)?];
        let is_dated = text.split_str(" ").count() == 5;
        text.to_str().ok().filter(|_| is_dated).map(str::to_owned)
    });
    found.ok_or_else(|| process.refuse(unknown()))
}
