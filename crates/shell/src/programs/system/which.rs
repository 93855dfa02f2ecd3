//! `which` (which(1) of debianutils).

use bstr::{BString, ByteSlice};

use crate::files::{EXECUTE, Kind, Last};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run, errno};
use crate::stop::Stop;

const KNOWN: &[Known] = &[flag("-a", 'a', &[]), flag("-s", 's', &[])];

pub(super) fn which(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, KNOWN, Order::First)?;
    let path = process.environment.get(&BString::from("PATH")).cloned().unwrap_or_default();
    let mut status = u8::from(options.operands.is_empty());
    for name in &options.operands {
        let mut is_found = false;
        for candidate in candidates(&path, name) {
            if !is_program(process, &candidate)? {
                continue;
            }
            is_found = true;
            if !options.has("-s") {
                process.write([&candidate[..], b"\n"].concat())?;
            }
            if !options.has("-a") {
                break;
            }
        }
        if !is_found {
            status = 1;
        }
    }
    Ok(status)
}

fn candidates(path: &BString, name: &BString) -> Vec<BString> {
    if name.contains(&b'/') {
        return vec![name.clone()];
    }
    let places = path.split_str(":").map(|place| if place.is_empty() { b"." } else { place });
    places
        .map(|place| [place.strip_suffix(b"/").unwrap_or(place), b"/", name].concat().into())
        .collect()
}

fn is_program(process: &Process<'_, '_>, path: &BString) -> Result<bool, Stop> {
    let found = errno(process.find(path, Last::Followed))?;
    Ok(found.is_ok_and(|(_, stat)| {
        matches!(stat.kind, Kind::File(_)) && process.machine.files.may(&stat, EXECUTE)
    }))
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    #[test]
    fn programs_are_found_in_the_path() {
        let mut image = Image::new();
        image.file("usr/local/bin/id", "", 0o755).file("work/mine", "", 0o755);
        for (line, expected) in [
            ("which env", "/usr/bin/env"),
            ("which -a env", "/usr/bin/env\n/bin/env"),
            ("which id nope", "/usr/local/bin/id\nstatus 1"),
            ("which /bin/env ./mine", "/bin/env\n./mine"),
            ("which mine /etc/passwd /etc", "status 1"),
            ("which", "status 1"),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(image.show(&words), expected, "{line}");
        }
    }
}
