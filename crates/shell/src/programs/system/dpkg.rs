//! `dpkg-query` (dpkg-query(1)).

use bstr::{BStr, BString, ByteSlice};

use super::packages::{self, Package};
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run, errno};
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    value("-f", 'f', &["showformat"]),
    flag("-L", 'L', &["listfiles"]),
    flag("-s", 's', &["status"]),
    flag("-W", 'W', &["show"]),
];

pub(super) fn dpkg_query(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let actions: Vec<&str> =
        options.given.iter().map(|(id, _)| *id).filter(|id| *id != "-f").collect();
    match (&actions[..], &options.operands[..]) {
        (["-s"], [name]) => status(process, name.as_bstr()),
        (["-L"], [name]) => list_files(process, name.as_bstr()),
        (["-W"], [_, ..]) => show(process, &options),
        _ => Err(process.refuse(Reason::Use("is called in a way that is not built in".to_owned()))),
    }
}

/// The one package of a name; refused if there are several.
fn find(process: &mut Process<'_, '_>, name: &BStr) -> Result<Option<Package>, Stop> {
    if name.is_empty() || name.iter().any(|byte| b"*?[".contains(byte)) {
        return Err(process.refuse(Reason::Use(format!("is given the pattern {name}"))));
    }
    let mut packages = packages::named(process, name)?;
    packages.retain(Package::is_present);
    match packages.len() {
        0 | 1 => Ok(packages.pop()),
        _ => Err(process.refuse(Reason::Use(format!("finds {name} for several architectures")))),
    }
}

/// Says that there is none.
fn missing(process: &mut Process<'_, '_>, message: &str) -> Run {
    process.write_to(2, format!("dpkg-query: {message}\n").as_bytes())?;
    Ok(1)
}

fn status(process: &mut Process<'_, '_>, name: &BStr) -> Run {
    match find(process, name)? {
        Some(package) => {
            process.write([&package.text[..], b"\n"].concat())?;
            Ok(0)
        }
        None => missing(
            process,
            &format!(
                "package '{name}' is not installed and no information is available\n\
                 Use dpkg --info (= dpkg-deb --info) to examine archive files."
            ),
        ),
    }
}

fn list_files(process: &mut Process<'_, '_>, name: &BStr) -> Run {
    let Some(package) = find(process, name)? else {
        return missing(
            process,
            &format!(
                "package '{name}' is not installed\n\
                 Use dpkg --contents (= dpkg-deb --contents) to list archive files contents."
            ),
        );
    };
    if let Ok(diverted) = errno(process.open_bytes(b"/var/lib/dpkg/diversions"))?
        && !diverted.is_empty()
    {
        return Err(process.refuse(Reason::Use("lists files where some are diverted".to_owned())));
    }
    let list = format!("/var/lib/dpkg/info/{}.list", package.binary_name());
    match errno(process.open_bytes(list.as_bytes()))? {
        Ok(bytes) if !bytes.is_empty() => {
            process.write(&bytes)?;
            Ok(0)
        }
        _ => Err(process.refuse(Reason::Use(format!("finds nothing in {list}")))),
    }
}

fn show(process: &mut Process<'_, '_>, options: &Options) -> Run {
    let format = options.value("-f").unwrap_or(b"${binary:Package}\\t${Version}\\n".as_bstr());
    let format = BString::from(format);
    let mut names = options.operands.clone();
    let mut status = 0;
    let mut found = Vec::new();
    names.dedup();
    for name in &names {
        match find(process, name.as_bstr())? {
            Some(package) => found.push(package),
            None => {
                status = missing(process, &format!("no packages found matching {name}"))?;
            }
        }
    }
    // They come sorted by name, each once.
    found.sort_by_key(Package::binary_name);
    found.dedup();
    for package in &found {
        let line = formatted(process, format.as_bstr(), package)?;
        process.write(line)?;
    }
    Ok(status)
}

/// One package by `--showformat`.
fn formatted(process: &Process<'_, '_>, format: &BStr, package: &Package) -> Result<BString, Stop> {
    let refused = || process.refuse(Reason::Option(format!("-f {format}")));
    let mut written = BString::default();
    let mut rest: &[u8] = format;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind.first()) {
            (b'\\', Some(escape)) => {
                written.push(match escape {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'\\' => b'\\',
                    _ => return Err(refused()),
                });
                rest = &behind[1..];
            }
            (b'$', Some(b'{')) => {
                let end = behind.find_byte(b'}').ok_or_else(refused)?;
                let value = field(package, behind[1..end].as_bstr()).ok_or_else(refused)?;
                written.extend_from_slice(value.as_bytes());
                rest = &behind[end + 1..];
            }
            (b'\\' | b'$', _) => return Err(refused()),
            _ => written.push(*byte),
        }
    }
    Ok(written)
}

/// The fields of one line that dpkg writes as they are; `None` for others.
fn field(package: &Package, name: &BStr) -> Option<String> {
    const PLAIN: &[&str] = &[
        "Architecture",
        "Installed-Size",
        "Maintainer",
        "Package",
        "Priority",
        "Section",
        "Status",
        "Version",
    ];
    let text = |name: &str| package.field(name).map(ToString::to_string).unwrap_or_default();
    match name.to_str().ok()? {
        "binary:Package" => Some(package.binary_name()),
        "db:Status-Status" => package.state().map(ToString::to_string),
        name => PLAIN.iter().find(|plain| **plain == name).map(|plain| text(plain)),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    const STATUS: &str = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\n\
        Multi-Arch: same\nVersion: 2.36-9\nDescription: GNU C Library\n long\n\n\
        Package: passwd\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:4.13\n\n\
        Package: gone\nStatus: purge ok not-installed\n\n";

    fn image() -> Image {
        let mut image = Image::new();
        for directory in ["var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/info"] {
            image.directory(directory, 0o755);
        }
        image.file("var/lib/dpkg/status", STATUS, 0o644);
        image.file("var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n", 0o644);
        image
    }

    fn check(line: &str, expected: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(image().show(&words), expected, "{line}");
    }

    #[test]
    fn packages_are_looked_up() {
        check(
            "dpkg-query -s passwd",
            "Package: passwd\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:4.13",
        );
        check("dpkg-query -L libc6", "/.\n/lib");
        check("dpkg-query -W passwd libc6", "libc6:amd64\t2.36-9\npasswd\t1:4.13");
        check("dpkg-query -Wf ${Package}=${Version}\\n libc6:amd64", "libc6=2.36-9");
        check("dpkg-query --show --showformat=${db:Status-Status} passwd", "installed");
        check(
            "dpkg-query -W gone passwd",
            "!dpkg-query: no packages found matching gone\npasswd\t1:4.13\nstatus 1",
        );
        check(
            "dpkg-query -s nope",
            "!dpkg-query: package 'nope' is not installed and no information is available\n\
             !Use dpkg --info (= dpkg-deb --info) to examine archive files.\nstatus 1",
        );
        check(
            "dpkg-query -L nope",
            "!dpkg-query: package 'nope' is not installed\n\
             !Use dpkg --contents (= dpkg-deb --contents) to list archive files contents.\nstatus 1",
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        check("dpkg-query -W pass*", "refused: `dpkg-query` is given the pattern pass*");
        check(
            "dpkg-query -W -f ${Depends} passwd",
            "refused: `dpkg-query` has the option `-f ${Depends}`, which is not built in",
        );
    }
}
