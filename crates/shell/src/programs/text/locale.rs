//! Which characters and which order the environment asks for.

use bstr::{BStr, BString, ByteSlice};

use crate::files::Last;
use crate::process::{Process, errno};
use crate::stop::{Reason, Stop};

/// What bytes stand for. The order is that of the bytes in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// Bytes, of which those of ASCII are characters.
    Bytes,
    /// UTF-8.
    Utf8,
}

/// What the GNU C library comes to for a category such as `LC_CTYPE` (locale(7)): a locale that
/// the image does not have is as none.
pub(super) fn charset(process: &Process<'_, '_>, category: &str) -> Result<Charset, Stop> {
    let set = |name: &str| process.environment.get(&BString::from(name));
    let given = ["LC_ALL", category, "LANG"].into_iter().filter_map(set);
    let name = given.filter(|value| !value.is_empty()).map(|value| value.as_bstr()).next();
    match name.map_or(&b""[..], |name| name.as_bytes()) {
        b"" | b"C" | b"POSIX" => Ok(Charset::Bytes),
        b"C.UTF-8" | b"C.utf8" => Ok(Charset::Utf8),
        other if is_installed(process, other)? => {
            let what = format!("depends on the locale {}", other.as_bstr());
            Err(process.refuse(Reason::Use(what)))
        }
        _ => Ok(Charset::Bytes),
    }
}

/// Refuses an order that is not that of the bytes.
pub(super) fn refuse_collation(process: &Process<'_, '_>) -> Result<(), Stop> {
    charset(process, "LC_COLLATE").map(|_| ())
}

/// Refuses bytes beyond ASCII, where characters count and may be several bytes.
pub(super) fn refuse_wide(process: &Process<'_, '_>, text: &[u8]) -> Result<(), Stop> {
    if text.is_ascii() || charset(process, "LC_CTYPE")? == Charset::Bytes {
        return Ok(());
    }
    Err(process.refuse(Reason::Use("looks at characters beyond ASCII".to_owned())))
}

fn is_installed(process: &Process<'_, '_>, name: &[u8]) -> Result<bool, Stop> {
    if name.contains(&b'/') {
        return Ok(true);
    }
    let base: &BStr = name.split(|byte| *byte == b'.').next().unwrap_or_default().as_bstr();
    let places = ["locale-archive".to_owned(), name.as_bstr().to_string(), format!("{base}.utf8")];
    for place in places {
        let path = format!("/usr/lib/locale/{place}");
        if errno(process.find(path.as_bytes(), Last::Followed))?.is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}
