//! In which languages templates are looked at.

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::{Process, Stop};

/// The languages, the most wanted first.
#[derive(Debug, Clone, Default)]
pub(super) struct Languages {
    /// As templates name them behind a field, in small letters.
    pub(super) names: Vec<BString>,
    /// The character set, if debconf can convert between such: Text::Iconv is there.
    pub(super) charset: Option<BString>,
}

/// Which text of a template is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wording {
    /// What people read.
    Shown,
    /// What programs read.
    Plain,
}

/// Where Debian has Perl's modules that are made of C.
const MODULES: &[u8] = b"/usr/lib";

impl Languages {
    /// The process's. A locale that is not built into the C library counts as not there; Perl then
    /// falls back to the language C, too.
    pub(super) fn of(process: &mut Process<'_, '_>) -> Result<Languages, Stop> {
        let variable = |name: &str| {
            let value = process.environment.get(BStr::new(name));
            value.map(|value| value.as_bstr()).filter(|value| !value.is_empty())
        };
        let locale = variable("LC_ALL").or(variable("LC_MESSAGES")).or(variable("LANG"));
        let locale = locale.filter(|locale| is_built_in(locale)).unwrap_or(BStr::new("C"));
        let mut names = Vec::new();
        for language in variable("LANGUAGE").unwrap_or_default().split_str(":") {
            names.extend(variants(language));
        }
        names.extend(variants(locale));
        let is_utf8 = locale != "C" && locale != "POSIX";
        let charset = if is_utf8 { "UTF-8" } else { "ANSI_X3.4-1968" };
        let charset = has_conversion(process)?.then(|| charset.into());
        Ok(Languages { names, charset })
    }

    /// A text in the character set that is wanted; `None` if it cannot be said in it.
    pub(super) fn converted(&self, charset: &[u8], text: &BStr) -> Option<BString> {
        let wanted = self.charset.as_ref()?;
        let is_same = charset.eq_ignore_ascii_case(b"utf-8") && *wanted == "UTF-8";
        (is_same || text.is_ascii()).then(|| text.into())
    }
}

fn is_built_in(locale: &BStr) -> bool {
    ["C", "POSIX", "C.UTF-8", "C.utf8"].iter().any(|known| *known == locale)
}

/// `de_AT.UTF-8@x`, and all that it is a case of.
fn variants(locale: &[u8]) -> Vec<BString> {
    if locale.is_empty() {
        return Vec::new();
    }
    let (locale, modifier) = match locale.find_byte(b'@') {
        Some(at) => locale.split_at(at),
        None => (locale, &b""[..]),
    };
    let (locale, charset) = locale.split_at(locale.find_byte(b'.').unwrap_or(locale.len()));
    let (language, territory) = locale.split_at(locale.find_byte(b'_').unwrap_or(locale.len()));
    let mut all: Vec<(&[u8], &[u8], &[u8])> = vec![(b"", b"", b"")];
    let with = |part: &[u8]| !part.is_empty();
    if with(modifier) {
        all = vec![(b"", b"", modifier), (b"", b"", b"")];
    }
    if with(territory) {
        all = all.iter().flat_map(|(_, c, m)| [(territory, *c, *m), (&b""[..], *c, *m)]).collect();
    }
    if with(charset) {
        all = all.iter().flat_map(|(t, _, m)| [(*t, charset, *m), (*t, &b""[..], *m)]).collect();
    }
    let name = |(t, c, m): &(&[u8], &[u8], &[u8])| {
        BString::from([language, t, c, m].concat().to_ascii_lowercase())
    };
    all.iter().map(name).collect()
}

/// Whether debconf converts between character sets here.
fn has_conversion(process: &mut Process<'_, '_>) -> Result<bool, Stop> {
    let Ok((above, _)) = errno(process.find(MODULES, Last::Followed))? else { return Ok(false) };
    let Ok(entries) = errno(process.machine.files.read_dir(&above))? else { return Ok(false) };
    let places = entries.into_iter().filter(|(_, stat)| stat.is_directory());
    for (name, _) in places.filter(|(name, _)| name.contains_str("-linux-gnu")) {
        let perl = [MODULES, b"/", &name, b"/perl5"].concat();
        let Ok((perl, _)) = errno(process.find(&perl, Last::Followed))? else { continue };
        let Ok(versions) = errno(process.machine.files.read_dir(&perl))? else { continue };
        for version in versions.keys() {
            let module = [b"/", perl.as_bytes(), b"/", version, b"/Text/Iconv.pm"].concat();
            if errno(process.find(&module, Last::Followed))?.is_ok() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_a_case_of_others() {
        let shown = |locale: &str| bstr::join(" ", variants(locale.as_bytes()));
        for (locale, expected) in [
            ("C", "c"),
            ("C.UTF-8", "c.utf-8 c"),
            ("pt_BR.UTF-8", "pt_br.utf-8 pt_br pt.utf-8 pt"),
            ("ca@valencia", "ca@valencia ca"),
            ("", ""),
        ] {
            assert_eq!(shown(locale).as_bstr(), expected);
        }
    }
}
