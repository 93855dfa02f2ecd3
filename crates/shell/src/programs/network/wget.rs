//! `wget` (GNU Wget 1.21), as far as it fetches single files.
//!
//! Real files get the time that the server says, or keep the clock's if it says none; here all have
//! the clock's. The list of hosts that are to be asked by HTTPS (`~/.wget-hsts`) is not written.

use bstr::{BStr, BString, ByteSlice};

use super::fetch::{self, Answer, Target};
use crate::data::Data;
use crate::files::Last;
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::Flavour;
use crate::stop::{Reason, Stop};

/// What is understood. Most of the lower part says how to get at the bytes, and not which.
const KNOWN: &[Known] = &[
    value("-n", 'n', &[]),
    long("-nc", &["no-clobber"], Takes::Nothing),
    value("-O", 'O', &["output-document"]),
    value("-P", 'P', &["directory-prefix"]),
    flag("-q", 'q', &["quiet"]),
    long("-nv", &["no-verbose"], Takes::Nothing),
    flag("how", 'v', &["verbose"]),
    flag("how", '4', &["inet4-only"]),
    flag("how", '6', &["inet6-only"]),
    long("how", &["https-only", "retry-connrefused", "show-progress"], Takes::Nothing),
    long("how", &["no-hsts", "no-dns-cache", "no-proxy", "no-cache"], Takes::Nothing),
    // What is fetched is checked, and recorded by its digest, in any case.
    long("how", &["no-check-certificate"], Takes::Nothing),
    value("how-long", 't', &["tries"]),
    value("how-long", 'T', &["timeout"]),
    value("how-long", 'w', &["wait"]),
    long("how-long", &["connect-timeout", "dns-timeout", "read-timeout"], Takes::Value),
    long("how-long", &["limit-rate", "progress", "secure-protocol", "waitretry"], Takes::Value),
    long("how-long", &["retry-on-http-error"], Takes::Value),
];
/// BusyBox's.
const KNOWN_TO_BUSYBOX: &[Known] = &[
    long("how", &["no-check-certificate"], Takes::Nothing),
    value("-O", 'O', &["output-document"]),
    value("-P", 'P', &["directory-prefix"]),
    flag("-q", 'q', &["quiet"]),
    value("how-long", 'T', &["timeout"]),
];

/// Exit statuses (Wget manual, "Exit Status").
const GENERIC_ERROR: u8 = 1;
const FILE_ERROR: u8 = 3;
const SERVER_ERROR: u8 = 8;

pub(super) fn wget(process: &mut Process<'_, '_>) -> Run {
    let is_busybox = process.flavour == Flavour::BusyBox;
    let known = if is_busybox { KNOWN_TO_BUSYBOX } else { KNOWN };
    let options = Options::of(process, known, Order::Anywhere)?;
    let negated = options.values("-n").find(|letters| *letters != "v" && *letters != "c");
    if let Some(letters) = negated {
        return Err(process.refuse(Reason::Option(format!("-n{letters}"))));
    }
    if options.operands.is_empty() {
        return Err(process.refuse(Reason::Use("is given no URL".to_owned())));
    }
    check_settings(process)?;
    if !options.has("-q") && fetch::is_report_seen(process) {
        return Err(process.refuse(Reason::Use("reports how fast it was".to_owned())));
    }
    let mut status = 0;
    match options.value("-O") {
        Some(name) if name == "-" => {
            for url in &options.operands {
                let own = transfer(process, &options, url.as_bstr(), &Target::Output)?;
                status = worst(status, own);
            }
        }
        Some(name) => return to_document(process, &options, name),
        None => {
            for url in &options.operands {
                let own = to_own_file(process, &options, url.as_bstr())?;
                status = worst(status, own);
            }
        }
    }
    Ok(status)
}

/// Of several statuses, the lowest that is none of success is kept.
fn worst(status: u8, other: u8) -> u8 {
    match (status, other) {
        (0, other) => other,
        (status, 0) => status,
        (status, other) => status.min(other),
    }
}

/// Files that change what options mean; the one in `/etc` is full of comments.
fn check_settings(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    if process.environment.contains_key(&BString::from("WGETRC")) {
        return Err(process.refuse(Reason::Use("reads $WGETRC".to_owned())));
    }
    let own: Vec<BString> = fetch::in_home(process, ".wgetrc").into_iter().collect();
    fetch::refuse_settings(process, &own)?;
    let Ok(bytes) = errno(process.open_bytes(b"/etc/wgetrc"))? else { return Ok(()) };
    let is_setting = |line: &[u8]| !line.is_empty() && !line.starts_with(b"#");
    let is_harmless = |line: &[u8]| line.starts_with(b"passive_ftp") || line.starts_with(b"ca_");
    match bytes.lines().map(ByteSlice::trim).any(|line| is_setting(line) && !is_harmless(line)) {
        true => Err(process.refuse(Reason::Use("reads /etc/wgetrc".to_owned()))),
        false => Ok(()),
    }
}

/// `-O FILE`: the file is made, or emptied, before anything is fetched.
fn to_document(process: &mut Process<'_, '_>, options: &Options, name: &BStr) -> Run {
    let [url] = &options.operands[..] else {
        return Err(process.refuse(Reason::Use("puts several URLs into one file".to_owned())));
    };
    if options.values("-n").any(|letters| letters == "c") || options.has("-nc") {
        return Err(process.refuse(Reason::Option("-nc".to_owned())));
    }
    let opened = match fetch::target(process, name) {
        Ok(target) => fetch::save(process, &target, Data::empty()).map(|()| target),
        Err(error) => Err(error),
    };
    let target = match errno(opened)? {
        Ok(target) => target,
        Err(errno) => {
            let line = match process.flavour {
                Flavour::Gnu => format!("{name}: {errno}\n"),
                Flavour::BusyBox => format!("wget: can't open '{name}': {errno}\n"),
            };
            process.write_to(2, line.as_bytes())?;
            return Ok(GENERIC_ERROR);
        }
    };
    transfer(process, options, url.as_bstr(), &target)
}

/// Into a file that is called as the URL says.
fn to_own_file(process: &mut Process<'_, '_>, options: &Options, url: &BStr) -> Run {
    let address = fetch::address(process, url)?;
    let name = own_name(process, &address)?;
    let directory = options.value("-P").filter(|directory| !directory.is_empty());
    let name: BString = match directory {
        Some(directory) => {
            format!("{}/{name}", directory.trim_end_with(|end| end == '/').as_bstr()).into()
        }
        None => name,
    };
    let is_there = errno(process.find(&name, Last::Kept))?.is_ok();
    let is_kept = options.has("-nc") || options.values("-n").any(|letters| letters == "c");
    let name = match is_there {
        true if process.flavour == Flavour::BusyBox => {
            let line = format!("wget: can't open '{name}': File exists\n");
            process.write_to(2, line.as_bytes())?;
            return Ok(GENERIC_ERROR);
        }
        true if is_kept => return Ok(0),
        true => numbered(process, &name)?,
        false => name,
    };
    let (data, status) = answer(process, options, url)?;
    let Some(data) = data else { return Ok(status) };
    let saved = fetch::make_directories(process, name.as_bstr(), 0o777)
        .and_then(|()| fetch::target(process, name.as_bstr()))
        .and_then(|target| fetch::save(process, &target, data));
    match errno(saved)? {
        Ok(()) => Ok(0),
        Err(errno) => {
            process.write_to(2, format!("{name}: {errno}\n").as_bytes())?;
            Ok(FILE_ERROR)
        }
    }
}

/// The first of `NAME.1`, `NAME.2`, … that is not there.
fn numbered(process: &Process<'_, '_>, name: &BString) -> Result<BString, Stop> {
    for number in 1..1000 {
        let other: BString = format!("{name}.{number}").into();
        if errno(process.find(&other, Last::Kept))?.is_err() {
            return Ok(other);
        }
    }
    Err(process.refuse(Reason::Use(format!("finds {name} a thousand times"))))
}

/// The last part of the path, and the query; `index.html` if there is none.
fn own_name(process: &Process<'_, '_>, url: &str) -> Result<BString, Stop> {
    let refused = || Err(process.refuse(Reason::Use(format!("names a file after {url}"))));
    let url = url.split('#').next().unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let last = path.rsplit_once('/').map_or("", |(_, last)| last);
    let last = if last.is_empty() { "index.html" } else { last };
    if query.is_some_and(|query| query.contains(['%', '/'])) || [".", ".."].contains(&last) {
        return refused();
    }
    let Some(mut name) = decoded(last) else { return refused() };
    if let Some(query) = query.filter(|_| process.flavour == Flavour::Gnu) {
        name.extend_from_slice(b"?");
        name.extend_from_slice(query.as_bytes());
    }
    Ok(name)
}

/// With `%20` as what it stands for, if that is harmless in a name.
fn decoded(text: &str) -> Option<BString> {
    let mut parts = text.split('%');
    let mut name = BString::from(parts.next()?);
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        if !(b' '..=b'~').contains(&byte) || byte == b'/' {
            return None;
        }
        name.push(byte);
        name.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(name)
}

fn transfer(process: &mut Process<'_, '_>, options: &Options, url: &BStr, target: &Target) -> Run {
    let (data, status) = answer(process, options, url)?;
    let Some(data) = data else { return Ok(status) };
    match errno(fetch::save(process, target, data))? {
        Ok(()) => Ok(0),
        Err(errno) => {
            process.write_to(2, format!("wget: {errno}\n").as_bytes())?;
            Ok(FILE_ERROR)
        }
    }
}

/// The bytes, or else the exit status.
fn answer(
    process: &mut Process<'_, '_>,
    options: &Options,
    url: &BStr,
) -> Result<(Option<Data>, u8), Stop> {
    let address = fetch::address(process, url)?;
    let code = match fetch::fetch(process, &address)? {
        Answer::Data(data) => return Ok((Some(data), 0)),
        Answer::Status(code) => code,
    };
    if process.flavour == Flavour::BusyBox || code < 400 {
        let why = format!("fetches {url}, which is answered by the HTTP status {code}");
        return Err(process.refuse(Reason::Use(why)));
    }
    if !options.has("-q") {
        // The server's own words for it are not known.
        process.write_to(2, format!("{address}:\nERROR {code}.\n").as_bytes())?;
    }
    Ok((None, SERVER_ERROR))
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::outside::Fetched;

    fn image() -> Image {
        let mut image = Image::new();
        let content = Fetched::Content(image.known(b"hello\n"));
        for path in [
            "https://example.test/f.txt",
            "https://example.test/f.txt?a=b",
            "https://example.test/a%20b",
            "https://example.test/",
            "http://example.test/f.txt",
        ] {
            image.downloads.insert(path.to_owned(), content.clone());
        }
        image.downloads.insert("https://example.test/gone".to_owned(), Fetched::Status(404));
        image
    }

    fn check(line: &str, expected: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(image().show(&words), expected, "{line}");
    }

    /// What wget 1.21 does with a server that has these files.
    #[test]
    fn bytes_go_where_they_are_to_go() {
        let made = "+ /work/f.txt 644 \"hello\\n\"";
        check("wget -q https://example.test/f.txt", made);
        check("wget https://example.test/f.txt", made);
        check("wget -q --no-check-certificate https://example.test/f.txt", made);
        check("wget -nv --tries=3 example.test/f.txt", made);
        check("wget -qO- https://example.test/f.txt", "hello");
        check("wget -q -O - https://example.test/f.txt", "hello");
        check("wget -q -O /tmp/x https://example.test/f.txt", "+ /tmp/x 644 \"hello\\n\"");
        check(
            "wget -q -P sub/d https://example.test/f.txt",
            "+ /work/sub/ 755\n+ /work/sub/d/ 755\n+ /work/sub/d/f.txt 644 \"hello\\n\"",
        );
        check("wget -q https://example.test/f.txt?a=b", "+ /work/f.txt?a=b 644 \"hello\\n\"");
        check("wget -q https://example.test/a%20b", "+ /work/a b 644 \"hello\\n\"");
        check("wget -q https://example.test/", "+ /work/index.html 644 \"hello\\n\"");
    }

    #[test]
    fn a_file_that_is_there_stays() {
        let mut image = image();
        image.file("work/f.txt", "mine", 0o644);
        let words = ["wget", "-q", "https://example.test/f.txt"];
        assert_eq!(image.show(&words), "+ /work/f.txt.1 644 \"hello\\n\"");
        assert_eq!(image.show(&["wget", "-nc", "-q", "https://example.test/f.txt"]), "");
    }

    #[test]
    fn what_fails_fails_as_with_wget() {
        check("wget -q https://example.test/gone", "status 8");
        check("wget -q -O x https://example.test/gone", "status 8\n+ /work/x 644 \"\"");
        check(
            "wget -q -O d/x https://example.test/f.txt",
            "!d/x: No such file or directory\nstatus 1",
        );
        check(
            "wget -q https://example.test/f.txt https://example.test/gone",
            "status 8\n+ /work/f.txt 644 \"hello\\n\"",
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        check(
            "wget -nH https://example.test/f.txt",
            "refused: `wget` has the option `-nH`, which is not built in",
        );
        check(
            "wget -c https://example.test/f.txt",
            "refused: `wget` has the option `-c`, which is not built in",
        );
        check("wget ftp://example.test/f.txt", "refused: `wget` fetches ftp://example.test/f.txt");
        check(
            "wget -q -O x https://example.test/f.txt https://example.test/",
            "refused: `wget` puts several URLs into one file",
        );
    }
}
