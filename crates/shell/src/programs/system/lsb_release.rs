//! `lsb_release` of Debian and Ubuntu, for one fact at a time.
//!
//! The script is in Python in some releases and in shell in others; what they say of a release is
//! what os-release(5) says.

use bstr::{BString, ByteSlice};

use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run, errno};
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("Codename", 'c', &["codename"]),
    flag("Description", 'd', &["description"]),
    flag("Distributor ID", 'i', &["id"]),
    flag("Release", 'r', &["release"]),
    flag("-s", 's', &["short"]),
];

pub(super) fn lsb_release(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let facts: Vec<&str> =
        options.given.iter().map(|(id, _)| *id).filter(|id| *id != "-s").collect();
    let ([fact], []) = (&facts[..], &options.operands[..]) else {
        return Err(process.refuse(Reason::Use("is asked for several facts".to_owned())));
    };
    let text = match *fact {
        "Codename" => value(process, "VERSION_CODENAME")?,
        "Description" => value(process, "PRETTY_NAME")?,
        "Release" => value(process, "VERSION_ID")?,
        _ => distributor(process)?.into(),
    };
    // Only these two are known to say it so.
    distributor(process)?;
    let line = match options.has("-s") {
        true => [&text[..], b"\n"].concat(),
        false => [fact.as_bytes(), b":\t", &text[..], b"\n"].concat(),
    };
    process.write(line)?;
    Ok(0)
}

fn distributor(process: &mut Process<'_, '_>) -> Result<&'static str, Stop> {
    let id = value(process, "ID")?;
    match id.to_str() {
        Ok("debian") => Ok("Debian"),
        Ok("ubuntu") => Ok("Ubuntu"),
        _ => Err(process.refuse(Reason::Use(format!("is that of {id}")))),
    }
}

/// A value of os-release(5).
fn value(process: &mut Process<'_, '_>, key: &str) -> Result<BString, Stop> {
    let bytes = errno(process.open_bytes(b"/etc/os-release"))?.unwrap_or_else(|_| (&[][..]).into());
    let found = bytes.lines().find_map(|line| {
        let (name, value) = line.split_once_str("=")?;
        (name == key.as_bytes()).then(|| value.trim_with(|letter| matches!(letter, '"' | '\'')))
    });
    match found {
        Some(value) if !value.is_empty() && !value.contains(&b'\\') => Ok(value.into()),
        _ => Err(process.refuse(Reason::Use(format!("finds no {key} in /etc/os-release")))),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    #[test]
    fn releases_are_named() {
        let mut image = Image::new();
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n\
            VERSION_CODENAME=bookworm\nID=debian\n";
        image.file("etc/os-release", text, 0o644);
        for (line, expected) in [
            ("lsb_release -cs", "bookworm"),
            ("lsb_release -sc", "bookworm"),
            ("lsb_release --release --short", "12"),
            ("lsb_release -is", "Debian"),
            ("lsb_release -ds", "Debian GNU/Linux 12 (bookworm)"),
            ("lsb_release -i", "Distributor ID:\tDebian"),
            ("lsb_release -a", "refused: `lsb_release` has the option `-a`, which is not built in"),
            ("lsb_release", "refused: `lsb_release` is asked for several facts"),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(image.show(&words), expected, "{line}");
        }
        image.file("etc/os-release", "ID=alpine\nVERSION_ID=3\n", 0o644);
        assert_eq!(image.show(&["lsb_release", "-rs"]), "refused: `lsb_release` is that of alpine");
    }
}
