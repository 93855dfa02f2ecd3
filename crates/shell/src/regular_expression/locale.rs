//! What bytes stand for, by the environment.

use bstr::{BString, ByteSlice};

use super::Encoding;
use crate::files::Last;
use crate::process::{Process, errno};
use crate::stop::Stop;

impl Encoding {
    /// As setlocale(3) has it for `LC_CTYPE`: the first of these variables that is not empty
    /// counts. A locale that the image does not have is the POSIX one.
    pub(crate) fn of(process: &Process<'_, '_>) -> Result<Self, Stop> {
        let value = |name: &str| process.environment.get(&BString::from(name));
        let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(value);
        let Some(name) = set.into_iter().find(|value| !value.is_empty()) else {
            return Ok(Encoding::Bytes);
        };
        let name = name.to_str_lossy();
        let Some((language, codeset)) = name.split_once('.') else { return Ok(Encoding::Bytes) };
        let codeset = codeset.to_ascii_lowercase().replace('-', "");
        if codeset != "utf8" {
            return Ok(Encoding::Bytes);
        }
        let own = format!("/usr/lib/locale/{language}.utf8");
        for place in [own.as_str(), "/usr/lib/locale/locale-archive"] {
            let is_there =
                language == "C" || errno(process.find(place.as_bytes(), Last::Followed))?.is_ok();
            if is_there {
                return Ok(Encoding::Utf8);
            }
        }
        Ok(Encoding::Bytes)
    }

    /// The position of the character behind the one at `at`.
    pub(crate) fn behind(self, text: &[u8], at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        match self {
            Encoding::Bytes => at + 1,
            Encoding::Utf8 => at + self.first(rest).len().max(1),
        }
    }

    /// The bytes of the first character of `text`.
    pub(crate) fn first(self, text: &[u8]) -> &[u8] {
        let length = match self {
            Encoding::Bytes => 1,
            Encoding::Utf8 => match bstr::decode_utf8(text) {
                (Some(_), length) => length,
                (None, _) => 1,
            },
        };
        text.get(..length).unwrap_or(text)
    }
}
