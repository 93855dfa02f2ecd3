//! `curl` (curl(1) 7.88), as far as it fetches.
//!
//! Times of files are the clock's, as they would be: curl takes no time over from the server.

use std::collections::VecDeque;

use bstr::{BStr, BString, ByteSlice};

use super::fetch::{self, Answer, Target};
use crate::files::FileError;
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::stop::{Reason, Stop};

/// What is understood. Most of the lower part says how to get at the bytes, and not which.
const KNOWN: &[Known] = &[
    long("--create-dirs", &["create-dirs"], Takes::Nothing),
    flag("-f", 'f', &["fail"]),
    flag("-g", 'g', &["globoff"]),
    flag("-L", 'L', &["location"]),
    value("-o", 'o', &["output"]),
    flag("-O", 'O', &["remote-name"]),
    long("--output-dir", &["output-dir"], Takes::Value),
    long("--proto", &["proto", "proto-redir", "proto-default"], Takes::Value),
    flag("-q", 'q', &["disable"]),
    long("--remote-name-all", &["remote-name-all"], Takes::Nothing),
    flag("-s", 's', &["silent"]),
    flag("-S", 'S', &["show-error"]),
    long("--url", &["url"], Takes::Value),
    value("-w", 'w', &["write-out"]),
    value("-X", 'X', &["request"]),
    flag("progress", '#', &["progress-bar", "no-progress-meter"]),
    flag("how", '4', &["ipv4"]),
    // What is fetched is checked, and recorded by its digest, in any case.
    flag("how", 'k', &["insecure"]),
    flag("how", '6', &["ipv6"]),
    flag("how", '0', &["http1.0"]),
    flag("how", '1', &["tlsv1"]),
    flag("how", 'N', &["no-buffer"]),
    long("how", &["compressed", "http1.1", "http2", "tcp-nodelay"], Takes::Nothing),
    long("how", &["tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3", "ssl-reqd"], Takes::Nothing),
    long("how", &["retry-all-errors", "retry-connrefused"], Takes::Nothing),
    value("how-long", 'm', &["max-time"]),
    value("how-long", 'y', &["speed-time"]),
    value("how-long", 'Y', &["speed-limit"]),
    long("how-long", &["connect-timeout", "keepalive-time", "limit-rate"], Takes::Value),
    long("how-long", &["max-redirs", "max-filesize", "tls-max"], Takes::Value),
    long("how-long", &["retry", "retry-delay", "retry-max-time"], Takes::Value),
];

/// `CURLE_WRITE_ERROR` and `CURLE_HTTP_RETURNED_ERROR` (libcurl-errors(3)).
const WRITE_ERROR: u8 = 23;
const HTTP_ERROR: u8 = 22;

/// Where an URL's bytes go.
enum Place {
    Output,
    Named(BString),
    Remote,
}

pub(super) fn curl(process: &mut Process<'_, '_>) -> Run {
    let options = read(process)?;
    let mut urls: Vec<BString> = options.operands.clone();
    if options.has("--url") {
        if !urls.is_empty() {
            return Err(process.refuse(Reason::Use("has URLs with and without `--url`".to_owned())));
        }
        urls = options.values("--url").map(BString::from).collect();
    }
    if urls.is_empty() {
        process
            .write_to(2, b"curl: try 'curl --help' or 'curl --manual' for more information\n")?;
        return Ok(2);
    }
    let mut places: VecDeque<Place> = options
        .given
        .iter()
        .filter_map(|(id, given)| match (*id, given) {
            ("-o", Some(name)) => Some(Place::Named(name.clone())),
            ("-O", _) => Some(Place::Remote),
            _ => None,
        })
        .collect();
    let mut status = 0;
    for url in &urls {
        let otherwise =
            if options.has("--remote-name-all") { Place::Remote } else { Place::Output };
        let place = places.pop_front().unwrap_or(otherwise);
        status = transfer(process, &options, url.as_bstr(), &place)?;
    }
    Ok(status)
}

fn read(process: &mut Process<'_, '_>) -> Result<Options, Stop> {
    // Unlike getopt_long(3), curl takes no `=` behind the name of an option.
    if let Some(word) =
        process.arguments().iter().find(|word| word.starts_with(b"--") && word.contains(&b'='))
    {
        return Err(process.refuse(Reason::Option(word.to_string())));
    }
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    if process.arguments().first().is_none_or(|first| first != "-q" && first != "--disable") {
        let mut names: Vec<BString> = fetch::in_home(process, ".curlrc").into_iter().collect();
        names.extend(fetch::in_home(process, ".config/curlrc"));
        for (variable, name) in [("CURL_HOME", ".curlrc"), ("XDG_CONFIG_HOME", "curlrc")] {
            let directory = process.environment.get(&BString::from(variable));
            names.extend(directory.map(|directory| format!("{directory}/{name}").into()));
        }
        fetch::refuse_settings(process, &names)?;
    }
    if let Some(method) = options.value("-X").filter(|method| *method != "GET") {
        return Err(process.refuse(Reason::Option(format!("-X {method}"))));
    }
    let is_silent = options.has("-s") || options.has("progress");
    if !is_silent && fetch::is_report_seen(process) {
        return Err(process.refuse(Reason::Use("reports how fast it was".to_owned())));
    }
    Ok(options)
}

fn transfer(process: &mut Process<'_, '_>, options: &Options, url: &BStr, place: &Place) -> Run {
    let has_pattern = url.iter().any(|byte| b"{}[]".contains(byte));
    if has_pattern && !options.has("-g") {
        return Err(process.refuse(Reason::Use(format!("fetches {url}, which is a pattern"))));
    }
    let address = fetch::address(process, url)?;
    check_protocols(process, options, &address)?;
    let (data, status) = match fetch::fetch(process, &address)? {
        Answer::Data(data) => (data, 200),
        Answer::Status(status) if options.has("-f") && status >= 400 => {
            fail(
                process,
                options,
                HTTP_ERROR,
                &format!("The requested URL returned error: {status}"),
            )?;
            write_out(process, options, status)?;
            return Ok(HTTP_ERROR);
        }
        Answer::Status(status) => {
            let why = format!("fetches {url}, which is answered by the HTTP status {status}");
            return Err(process.refuse(Reason::Use(why)));
        }
    };
    let saved = match place_of(process, options, &address, place) {
        Ok(target) => fetch::save(process, &target, data),
        Err(error) => Err(error),
    };
    let result = match errno(saved)? {
        Ok(()) => 0,
        Err(_) => {
            fail(process, options, WRITE_ERROR, "Failure writing output to destination")?;
            WRITE_ERROR
        }
    };
    write_out(process, options, status)?;
    Ok(result)
}

/// Only what restricts URLs to HTTPS, and is kept, is understood.
fn check_protocols(process: &Process<'_, '_>, options: &Options, url: &str) -> Result<(), Stop> {
    for given in options.values("--proto") {
        let names = given.trim_start_with(|letter| letter == '=');
        let mut names = names.split_str(",").filter(|name| *name != b"-all");
        let is_allowed = names.any(|name| {
            let name = name.strip_prefix(b"+").unwrap_or(name);
            name == b"https" && url.starts_with("https:")
                || name == b"http" && url.starts_with("http:")
        });
        if !is_allowed {
            return Err(process.refuse(Reason::Option(format!("--proto {given}"))));
        }
    }
    Ok(())
}

fn fail(
    process: &mut Process<'_, '_>,
    options: &Options,
    status: u8,
    message: &str,
) -> Result<(), Stop> {
    if options.has("-s") && !options.has("-S") {
        return Ok(());
    }
    process.write_to(2, format!("curl: ({status}) {message}\n").as_bytes())
}

fn place_of(
    process: &mut Process<'_, '_>,
    options: &Options,
    url: &str,
    place: &Place,
) -> Result<Target, FileError> {
    let name = match place {
        Place::Output => return Ok(Target::Output),
        Place::Named(name) if name == "-" => return Ok(Target::Output),
        Place::Named(name) => name.clone(),
        Place::Remote => remote_name(process, url)?,
    };
    let name = match options.value("--output-dir") {
        Some(directory) => format!("{directory}/{name}").into(),
        None => name,
    };
    if options.has("--create-dirs") {
        // curl's own mode for them.
        fetch::make_directories(process, name.as_bstr(), 0o750)?;
    }
    fetch::target(process, name.as_bstr())
}

/// The last part of the URL's path.
fn remote_name(process: &Process<'_, '_>, url: &str) -> Result<BString, Stop> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    match path.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => Ok(name.into()),
        _ => Err(process.refuse(Reason::Use(format!("finds no name in {url}")))),
    }
}

/// `-w`, with the one variable that does not depend on the network.
fn write_out(process: &mut Process<'_, '_>, options: &Options, status: u16) -> Result<(), Stop> {
    let Some(format) = options.value("-w") else { return Ok(()) };
    let refused = || process.refuse(Reason::Option(format!("-w {format}")));
    let text = format.to_str().map_err(|_| refused())?;
    let shown = text
        .replace("%{http_code}", &format!("{status:03}"))
        .replace("%{response_code}", &format!("{status:03}"))
        .replace("\\n", "\n")
        .replace("\\t", "\t");
    if shown.contains(['%', '\\']) || shown.starts_with('@') {
        return Err(refused());
    }
    process.write(shown)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::outside::Fetched;

    fn image() -> Image {
        let mut image = Image::new();
        let content = Fetched::Content(image.known(b"hello\n"));
        for url in [
            "https://example.test/f.txt",
            "http://example.test/f.txt",
            "https://example.test/d/a%20b?c=d",
        ] {
            image.downloads.insert(url.to_owned(), content.clone());
        }
        image.downloads.insert("https://example.test/gone".to_owned(), Fetched::Status(404));
        image
    }

    fn check(line: &str, expected: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(image().show(&words), expected, "{line}");
    }

    /// What curl 7.88 does with a server that has these files.
    #[test]
    fn bytes_go_where_they_are_to_go() {
        let made = "+ /work/f.txt 644 \"hello\\n\"";
        check("curl -fsSL https://example.test/f.txt", "hello");
        check("curl -fsSL -o - https://example.test/f.txt", "hello");
        check("curl example.test/f.txt", "hello");
        check("curl -ks https://example.test/f.txt", "hello");
        check("curl -fsSLO https://example.test/f.txt", made);
        check("curl -fsSL -o f.txt https://example.test/f.txt", made);
        check("curl https://example.test/f.txt --output f.txt --retry 3 --tlsv1.2", made);
        check("curl -fsSL -o /dev/null https://example.test/f.txt", "");
        check("curl -sO https://example.test/d/a%20b?c=d", "+ /work/a%20b 644 \"hello\\n\"");
        check(
            "curl -s -o f.txt https://example.test/f.txt https://example.test/f.txt",
            &format!("hello\n{made}"),
        );
        check(
            "curl -s --remote-name-all https://example.test/f.txt https://example.test/d/a%20b?c=d",
            "+ /work/a%20b 644 \"hello\\n\"\n+ /work/f.txt 644 \"hello\\n\"",
        );
        check(
            "curl -s -o d/x --create-dirs https://example.test/f.txt",
            "+ /work/d/ 750\n+ /work/d/x 644 \"hello\\n\"",
        );
        check(
            "curl -s --output-dir /tmp -O https://example.test/f.txt",
            "+ /tmp/f.txt 644 \"hello\\n\"",
        );
        check(
            "curl -s -o f.txt -w %{http_code} https://example.test/f.txt",
            &format!("200\n{made}"),
        );
        check("curl --proto =https -s https://example.test/f.txt", "hello");
    }

    #[test]
    fn what_fails_fails_as_with_curl() {
        check(
            "curl -fsSL https://example.test/gone",
            "!curl: (22) The requested URL returned error: 404\nstatus 22",
        );
        check("curl -fs https://example.test/gone", "status 22");
        check(
            "curl -fsSL -o d/x https://example.test/f.txt",
            "!curl: (23) Failure writing output to destination\nstatus 23",
        );
        check("curl -fs https://example.test/gone https://example.test/f.txt", "hello");
        check("curl", "!curl: try 'curl --help' or 'curl --manual' for more information\nstatus 2");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        check(
            "curl -H Accept:text/plain https://example.test/f.txt",
            "refused: `curl` has the option `-H`, which is not built in",
        );
        check(
            "curl -s https://example.test/gone",
            "refused: `curl` fetches https://example.test/gone, which is answered by the HTTP status 404",
        );
        check("curl file:///etc/passwd", "refused: `curl` fetches file:///etc/passwd");
        check("curl ftp.example.test/x", "refused: `curl` fetches ftp.example.test/x");
        check(
            "curl https://me:SECRET@example.test/",
            "refused: `curl` fetches https://me:SECRET@example.test/",
        );
        check(
            "curl https://example.test/{a,b}",
            "refused: `curl` fetches https://example.test/{a,b}, which is a pattern",
        );
        check(
            "curl -X POST https://example.test/f.txt",
            "refused: `curl` has the option `-X POST`, which is not built in",
        );
        check(
            "curl --proto =https http://example.test/f.txt",
            "refused: `curl` has the option `--proto =https`, which is not built in",
        );
        check(
            "curl --output=x https://example.test/f.txt",
            "refused: `curl` has the option `--output=x`, which is not built in",
        );
        check(
            "curl -sO https://example.test/",
            "missing: Download { url: \"https://example.test/\" }",
        );
    }

    #[test]
    fn what_was_fetched_is_recorded() {
        let outcome = image().run(&["curl", "-sO", "https://example.test/f.txt"]).unwrap();
        let [fetch] = &outcome.fetches[..] else { panic!("{:?}", outcome.fetches) };
        assert_eq!(fetch.url, "https://example.test/f.txt");
        assert_eq!(fetch.digest, layer::Content::of(b"hello\n").digest);
        assert!(!fetch.is_verified);
    }
}
