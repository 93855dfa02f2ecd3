//! `date` (GNU manual, "date: Print or set system date and time"), in UTC, where no time passes.

mod format;
mod parse;

use bstr::{BStr, BString, ByteSlice};

use super::calendar::Moment;
use crate::files::{Kind, Last};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::Flavour;
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    value("-d", 'd', &["date"]),
    Known { id: "-I", short: Some('I'), long: &["iso-8601"], value: Takes::MaybeValue },
    flag("-R", 'R', &["rfc-email", "rfc-822", "rfc-2822"]),
    value("-r", 'r', &["reference"]),
    long("--rfc-3339", &["rfc-3339"], Takes::Value),
    flag("-u", 'u', &["utc", "universal"]),
];
/// What BusyBox's has in the same way.
const KNOWN_TO_BUSYBOX: &[Known] = &[flag("-u", 'u', &[])];

/// How the date is written without a format, in the C locale.
const DEFAULT: &str = "%a %b %e %H:%M:%S %Z %Y";

pub(super) fn date(process: &mut Process<'_, '_>) -> Run {
    let known = if process.flavour == Flavour::BusyBox { KNOWN_TO_BUSYBOX } else { KNOWN };
    let options = Options::of(process, known, Order::Anywhere)?;
    if !options.has("-u") {
        require_utc(process)?;
    }
    require_c_locale(process)?;
    let Some(format) = format_of(&options) else {
        return Err(
            process.refuse(Reason::Use("is called in a way that is not built in".to_owned()))
        );
    };
    let clock = process.machine.files.clock();
    let seconds = match (options.value("-d"), options.value("-r")) {
        (None, None) => clock,
        (Some(text), None) => match parse::parse(text, clock) {
            Some(seconds) => seconds,
            None => return Err(process.refuse(Reason::Use(format!("is given the date {text}")))),
        },
        (None, Some(name)) => {
            let name = BString::from(name);
            match errno(process.find(&name, Last::Followed))? {
                Ok((_, stat)) => stat.attributes.mtime,
                Err(errno) => {
                    process.complain(format!("{name}: {errno}"))?;
                    return Ok(1);
                }
            }
        }
        (Some(_), Some(_)) => {
            return Err(process.refuse(Reason::Use("is given two dates".to_owned())));
        }
    };
    let Some(line) = format::format(format.as_bstr(), &Moment::of(seconds)) else {
        return Err(process.refuse(Reason::Use(format!("is given the format {format}"))));
    };
    process.write([&line[..], b"\n"].concat())?;
    Ok(0)
}

/// The format that the options mean; `None` if that is none.
fn format_of(options: &Options) -> Option<BString> {
    let chosen = options.given.iter().filter(|(id, _)| ["-I", "-R", "--rfc-3339"].contains(id));
    let mut chosen: Vec<&(&str, Option<BString>)> = chosen.collect();
    let precise = |value: &BStr| match value.to_str().ok()? {
        "date" => Some(""),
        "hours" => Some("%H"),
        "minutes" => Some("%H:%M"),
        "seconds" => Some("%H:%M:%S"),
        "ns" => Some("%H:%M:%S,%N"),
        _ => None,
    };
    match (&options.operands[..], chosen.pop()) {
        (_, Some(_)) if !chosen.is_empty() || !options.operands.is_empty() => None,
        ([], None) => Some(DEFAULT.into()),
        ([format], None) => format.strip_prefix(b"+").map(BString::from),
        ([], Some(("-R", _))) => Some("%a, %d %b %Y %H:%M:%S %z".into()),
        ([], Some(("-I", None))) => Some("%Y-%m-%d".into()),
        ([], Some(("-I", Some(value)))) => Some(match precise(value.as_bstr())? {
            "" => "%Y-%m-%d".into(),
            time => format!("%Y-%m-%dT{time}%:z").into(),
        }),
        ([], Some((_, Some(value)))) => Some(match precise(value.as_bstr())? {
            "" => "%Y-%m-%d".into(),
            "%H" | "%H:%M" => return None,
            time => format!("%Y-%m-%d {}%:z", time.replace(',', ".")).into(),
        }),
        _ => None,
    }
}

/// The rules of other time zones are in files that change.
fn require_utc(process: &Process<'_, '_>) -> Result<(), Stop> {
    let refused =
        |what: String| Err(process.refuse(Reason::Use(format!("is in the time zone {what}"))));
    match process.environment.get(&BString::from("TZ")).map(|zone| &zone[..]) {
        None => {}
        Some(b"" | b"UTC" | b"UTC0" | b"Etc/UTC") => return Ok(()),
        Some(zone) => return refused(zone.as_bstr().to_string()),
    }
    match errno(process.find(b"/etc/localtime", Last::Kept))? {
        Err(_) => Ok(()),
        Ok((_, stat)) => match &stat.kind {
            Kind::Symlink(target) if target.ends_with(b"/UTC") || target.ends_with(b"/UCT") => {
                Ok(())
            }
            _ => refused("of /etc/localtime".to_owned()),
        },
    }
}

/// Names of days and months are English's.
fn require_c_locale(process: &Process<'_, '_>) -> Result<(), Stop> {
    let set = ["LC_ALL", "LC_TIME", "LANG"].into_iter().find_map(|name| {
        process.environment.get(&BString::from(name)).filter(|value| !value.is_empty())
    });
    match set {
        Some(name) if !(name == "C" || name == "POSIX" || name.starts_with(b"C.")) => {
            Err(process.refuse(Reason::Use(format!("is in the locale {name}"))))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    fn check(words: &[&str], expected: &str) {
        let words: Vec<&str> = std::iter::once("date").chain(words.iter().copied()).collect();
        assert_eq!(Image::new().show(&words), expected, "{words:?}");
    }

    /// What GNU date prints with `-d @1700000000` and `TZ=UTC`.
    #[test]
    fn the_clock_stands_still() {
        check(&[], "Tue Nov 14 22:13:20 UTC 2023");
        check(&["-u"], "Tue Nov 14 22:13:20 UTC 2023");
        check(&["+%s"], "1700000000");
        check(&["-R"], "Tue, 14 Nov 2023 22:13:20 +0000");
        check(&["-I"], "2023-11-14");
        check(&["-Iseconds"], "2023-11-14T22:13:20+00:00");
        check(&["--iso-8601=minutes"], "2023-11-14T22:13+00:00");
        check(&["--rfc-3339=seconds"], "2023-11-14 22:13:20+00:00");
        check(&["-u", "+%Y-%m-%dT%H:%M:%SZ"], "2023-11-14T22:13:20Z");
        check(&["-d", "@0", "+%F %T"], "1970-01-01 00:00:00");
        check(&["-r", "/etc/passwd", "+%s"], "1000");
        check(&["-r", "/nope"], "!date: /nope: No such file or directory\nstatus 1");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        check(&["-s", "now"], "refused: `date` has the option `-s`, which is not built in");
        check(&["-d", "the day after"], "refused: `date` is given the date the day after");
        check(&["01020304"], "refused: `date` is called in a way that is not built in");
        let mut image = Image::new();
        image.environment.insert("TZ".into(), "Europe/Berlin".into());
        assert_eq!(image.show(&["date"]), "refused: `date` is in the time zone Europe/Berlin");
        assert_eq!(image.show(&["date", "-u", "+%Z"]), "UTC");
    }
}
