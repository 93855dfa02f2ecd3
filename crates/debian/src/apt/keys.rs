//! Programs that put keys into keyrings: `gpg`, as far as it changes the form of a key, and
//! `apt-key`, which is not built in.

use bstr::{BString, ByteSlice};
use oci::ImagePath;
use shell::files::{Errno, FileError, Last, NewNode};
use shell::options::{Known, Options, Order, Takes, flag, long, value};
use shell::process::{Run, errno};
use shell::{Data, Process, Reason, Stop};

use super::signature::{ArmorError, blocks};
use crate::outside::Outside;
use crate::programs::Program;

/// The programs, by name.
pub const PROGRAMS: &[(&str, Program)] = &[("apt-key", apt_key), ("gpg", gpg)];

const KNOWN: &[Known] = &[
    long("--dearmor", &["dearmor", "dearmour"], Takes::Nothing),
    value("-o", 'o', &["output"]),
    long("--batch", &["batch"], Takes::Nothing),
    long("--yes", &["yes"], Takes::Nothing),
    long("--no-tty", &["no-tty"], Takes::Nothing),
    flag("-q", 'q', &["quiet"]),
];

/// What takes a key from a server, and what would make a keyring of GnuPG's own.
const ELSEWHERE: [(&str, &str); 6] = [
    ("--recv-keys", "asks a key server"),
    ("--recv-key", "asks a key server"),
    ("--receive-keys", "asks a key server"),
    ("--keyserver", "asks a key server"),
    ("--import", "keeps keys in a keybox"),
    ("--export", "keeps keys in a keybox"),
];

/// `gpg --dearmor` (gpg(1)).
fn gpg(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let given = |name: &str| process.arguments().iter().any(|word| word == name);
    if let Some((option, what)) = ELSEWHERE.iter().find(|(option, _)| given(option)) {
        let way = "put the archive's key into /etc/apt/keyrings with COPY, ADD or curl, and name it in signed-by";
        return Err(
            process.refuse(Reason::Use(format!("has the option `{option}`, which {what}: {way}")))
        );
    }
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    if !options.has("--dearmor") {
        return Err(
            process.refuse(Reason::Use("is called in a way that is not built in".to_owned()))
        );
    }
    let file = match &options.operands[..] {
        [] => None,
        [file] if file != "-" => Some(file.clone()),
        [_] => None,
        _ => {
            return Err(process.refuse(Reason::Use("has several files to dearmor".to_owned())));
        }
    };
    dearmor(process, &options, file)
}

fn dearmor(process: &mut Process<'_, '_>, options: &Options, file: Option<BString>) -> Run {
    let text = match &file {
        None => {
            let input = process.read_input()?;
            process.bytes(&input)?
        }
        Some(name) => match errno(process.open_bytes(name))? {
            Ok(text) => text,
            Err(error) => {
                process.complain(format!("can't open '{name}': {error}"))?;
                process.complain(format!("dearmoring failed: {error}"))?;
                return Ok(2);
            }
        },
    };
    // What is no text of letters goes through as it is.
    let is_binary = text.first().is_some_and(|byte| byte & 0x80 != 0);
    let (bytes, status) = match blocks(&text) {
        _ if is_binary => (text.to_vec(), 0),
        Ok(blocks) if !blocks.is_empty() => {
            (blocks.into_iter().flat_map(|block| block.bytes).collect(), 0)
        }
        Ok(_) => (Vec::new(), 2),
        Err(ArmorError::Checksum | ArmorError::Letters | ArmorError::Truncated) => {
            let what = "reads a damaged armoured block".to_owned();
            return Err(process.refuse(Reason::Use(what)));
        }
    };
    let output = match (options.value("-o"), &file) {
        (Some(output), _) if output == "-" => None,
        (Some(output), _) => Some(output.to_owned()),
        (None, Some(file)) => Some(BString::from([file.as_bytes(), b".gpg"].concat())),
        (None, None) => None,
    };
    match output {
        None => process.write(&bytes)?,
        Some(path) => {
            if let Some(status) = put(process, options, &path, bytes)? {
                return Ok(status);
            }
        }
    }
    if status != 0 {
        process.complain("no valid OpenPGP data found.")?;
    }
    Ok(status)
}

/// Writes the output; an exit status if it cannot be.
fn put(
    process: &mut Process<'_, '_>,
    options: &Options,
    path: &BString,
    bytes: Vec<u8>,
) -> Result<Option<u8>, Stop> {
    let located = match errno(process.locate(path, Last::Followed))? {
        Ok(located) => located,
        Err(error) => return cannot_create(process, path, error).map(Some),
    };
    let is_there = located.stat.is_some();
    if is_there && !options.has("--yes") {
        return exists(process, options).map(Some);
    }
    let umask = process.umask;
    match errno(write(process, &located.path, bytes, 0o666 & !umask))? {
        Ok(()) => Ok(None),
        Err(error) => cannot_create(process, path, error).map(Some),
    }
}

fn write(
    process: &mut Process<'_, '_>,
    path: &ImagePath,
    bytes: Vec<u8>,
    mode: u32,
) -> Result<(), FileError> {
    let files = &mut process.machine.files;
    match files.stat(path)? {
        Some(_) => files.write(path, Data::of(bytes)),
        None => files.make(path, NewNode::File(Data::of(bytes)), mode),
    }
}

fn cannot_create(process: &mut Process<'_, '_>, path: &BString, error: Errno) -> Run {
    process.complain(format!("can't create '{path}': {error}"))?;
    process.complain(format!("dearmoring failed: {error}"))?;
    Ok(2)
}

/// It would ask, and there is nobody.
fn exists(process: &mut Process<'_, '_>, options: &Options) -> Run {
    if options.has("--batch") {
        process.complain("dearmoring failed: File exists")?;
    } else if options.has("--no-tty") {
        process.complain("Sorry, no terminal at all requested - can't get input")?;
    } else {
        process.complain("cannot open '/dev/tty': No such device or address")?;
    }
    Ok(2)
}

/// `apt-key` (apt-key(8)) is deprecated, and keeps keys that sign for every archive.
fn apt_key(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let what = "is not built in: write the key to /etc/apt/keyrings/NAME.asc and name it in the source, `[signed-by=/etc/apt/keyrings/NAME.asc]`";
    Err(process.refuse(Reason::Use(what.to_owned())))
}

#[cfg(test)]
mod tests {
    use crate::apt::trial::Trial;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/signatures/", $name))
        };
    }

    #[test]
    fn keys_change_their_form() {
        let mut trial = Trial::new(|_, _| Ok(0));
        trial
            .file("root/a.asc", fixture!("good.asc"))
            .file("root/a.gpg", fixture!("good.gpg"))
            .file("root/two", [&fixture!("good.asc")[..], fixture!("good.asc")].concat())
            .file("root/cut", &fixture!("good.asc")[..200])
            .file("root/html", "<html>");
        let size = fixture!("good.gpg").len();
        for (line, expected) in [
            ("--dearmor -o k a.asc", format!("/root/k: 644 {size} bytes")),
            ("--dearmor a.asc", format!("/root/a.asc.gpg: 644 {size} bytes")),
            ("--batch --yes --dearmor --output k a.gpg", format!("/root/k: 644 {size} bytes")),
            ("--dearmor -o k two", format!("/root/k: 644 {} bytes", 2 * size)),
            ("--dearmor -o k html", "!gpg: no valid OpenPGP data found.\nstatus 2\n/root/k: 644 0 bytes".to_owned()),
            ("--dearmor -o a.gpg a.asc", "!gpg: cannot open '/dev/tty': No such device or address\nstatus 2".to_owned()),
            ("--batch --dearmor -o a.gpg a.asc", "!gpg: dearmoring failed: File exists\nstatus 2".to_owned()),
            ("--dearmor no", "!gpg: can't open 'no': No such file or directory\n!gpg: dearmoring failed: No such file or directory\nstatus 2".to_owned()),
            ("--dearmor cut", "refused: `gpg` reads a damaged armoured block".to_owned()),
            ("--version", "refused: `gpg` has the option `--version`, which is not built in".to_owned()),
        ] {
            let words: Vec<&str> = std::iter::once("gpg").chain(line.split(' ')).collect();
            assert_eq!(trial.show(&words), expected, "{line}");
        }
        // With the bytes that the real one writes.
        let outcome = trial.run(&["gpg", "--dearmor", "-o", "-", "a.asc"]).unwrap();
        assert_eq!(outcome.transcript.of(shell::Channel::Output), fixture!("good.gpg"));
    }

    #[test]
    fn what_asks_servers_is_refused_with_a_way_out() {
        let trial = Trial::new(|_, _| Ok(0));
        let said = [
            trial.show(&["gpg", "--keyserver", "k", "--recv-keys", "ABCD"]),
            trial.show(&["gpg", "--import", "a.asc"]),
            trial.show(&["apt-key", "add", "-"]),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        refused: `gpg` has the option `--recv-keys`, which asks a key server: put the archive's key into /etc/apt/keyrings with COPY, ADD or curl, and name it in signed-by
        refused: `gpg` has the option `--import`, which keeps keys in a keybox: put the archive's key into /etc/apt/keyrings with COPY, ADD or curl, and name it in signed-by
        refused: `apt-key` is not built in: write the key to /etc/apt/keyrings/NAME.asc and name it in the source, `[signed-by=/etc/apt/keyrings/NAME.asc]`
        "#);
    }
}
