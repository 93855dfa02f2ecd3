//! `touch` (coreutils manual, "touch invocation").

use super::report::{attempt, fail, refuse_use, usage};
use super::times;
use crate::data::Data;
use crate::files::{Errno, Last, Located, NewNode};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{cited, quoted};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-a", 'a', &[]),
    flag("-c", 'c', &["no-create"]),
    value("-d", 'd', &["date"]),
    flag("-f", 'f', &[]),
    flag("-h", 'h', &["no-dereference"]),
    flag("-m", 'm', &[]),
    value("-r", 'r', &["reference"]),
    value("-t", 't', &[]),
    long("--time", &["time"], Takes::Value),
];

/// Makes files that are not there, and sets the time of the last change.
pub(super) fn touch(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let (mut access, mut change) = (options.has("-a"), options.has("-m"));
    for time in options.values("--time") {
        match &**time {
            b"atime" | b"access" | b"use" => access = true,
            b"mtime" | b"modify" => change = true,
            _ => return Err(super::report::refuse_option(process, format!("--time={time}"))),
        }
    }
    let time = match time(process, &options)? {
        Ok(time) => time,
        Err(status) => return Ok(status),
    };
    if options.operands.is_empty() {
        return usage(process, "missing file operand");
    }
    let touching = Touching {
        makes: !options.has("-c") && !options.has("-h"),
        // The time of the last access is in no layer.
        sets: change || !access,
        last: if options.has("-h") { Last::Kept } else { Last::Followed },
        time,
    };
    let mut status = 0;
    for path in &options.operands {
        status |= touching.touch(process, path)?;
    }
    Ok(status)
}

/// The time to set; an exit status if it cannot be had.
fn time(process: &mut Process<'_, '_>, options: &Options) -> Result<Result<i64, u8>, Stop> {
    let clock = process.machine.files.clock();
    let sources = ["-d", "-r", "-t"].iter().filter(|id| options.has(id)).count();
    if sources > 1 {
        return Err(refuse_use(process, "has several sources of a time"));
    }
    if let Some(reference) = options.value("-r") {
        let last = if options.has("-h") { Last::Kept } else { Last::Followed };
        let found = process.find(reference, last);
        let what = || format!("failed to get attributes of {}", quoted(reference));
        let found = attempt(process, found, what)?;
        return Ok(found.map(|(_, stat)| stat.attributes.mtime).ok_or(1));
    }
    if let Some(stamp) = options.value("-t") {
        times::expect_utc(process)?;
        return Ok(match times::parse_stamp(stamp, clock) {
            Some(time) => Ok(time),
            None => Err(fail(process, format!("invalid date format {}", cited(stamp)))?),
        });
    }
    let Some(date) = options.value("-d") else { return Ok(Ok(clock)) };
    if !date.starts_with(b"@") && date != "now" {
        times::expect_utc(process)?;
    }
    match times::parse(date, clock) {
        Some(time) => Ok(Ok(time)),
        None => Err(refuse_use(process, format!("has a date that is not understood: {date}"))),
    }
}

struct Touching {
    makes: bool,
    sets: bool,
    last: Last,
    time: i64,
}

impl Touching {
    fn touch(&self, process: &mut Process<'_, '_>, path: &[u8]) -> Run {
        if path == b"-" {
            return Err(refuse_use(process, "touches its standard output"));
        }
        let shown = quoted(path);
        match errno(process.locate(path, self.last))? {
            Ok(Located { path: real, stat: Some(_) }) => {
                if !self.sets || real.as_bytes() == b"dev/null" {
                    return Ok(0);
                }
                let set = process.machine.files.set_time(&real, self.time);
                let what = || match self.makes {
                    true => format!("cannot touch {shown}"),
                    false => format!("setting times of {shown}"),
                };
                Ok(u8::from(attempt(process, set, what)?.is_none()))
            }
            Ok(Located { stat: None, .. }) if !self.makes => match self.last {
                Last::Followed => Ok(0),
                Last::Kept => {
                    fail(process, format!("setting times of {shown}: {}", Errno::NotFound))
                }
            },
            Ok(Located { path: real, stat: None }) => {
                if path.ends_with(b"/") {
                    let error = Errno::NotFound;
                    return fail(process, format!("setting times of {shown}: {error}"));
                }
                let mode = 0o666 & !process.umask;
                let files = &mut process.machine.files;
                let made = files.make(&real, NewNode::File(Data::empty()), mode);
                let made = made.and_then(|()| match self.sets {
                    true => files.set_time(&real, self.time),
                    false => Ok(()),
                });
                let what = || format!("cannot touch {shown}");
                Ok(u8::from(attempt(process, made, what)?.is_none()))
            }
            Err(Errno::NotFound) if !self.makes && self.last == Last::Followed => Ok(0),
            Err(error) if !self.makes || path.ends_with(b"/") => {
                fail(process, format!("setting times of {shown}: {error}"))
            }
            Err(error) => fail(process, format!("cannot touch {shown}: {error}")),
        }
    }
}
