//! Rules that one file's text keeps or breaks.

use super::SourceFile;

/// Crates that compute: they take values and know no files, network, environment or clock.
const PURE: &[&str] = &["oci", "recipe", "plan", "layer", "image", "difference"];

/// Names that mean input or output. (`std::net` has plain values too, such as addresses.)
const EFFECTS: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "SystemTime::now",
    "Instant::now",
];

/// What only the binary does, and the test harness, and this.
const ONLY_AT_THE_EDGE: &[&str] =
    &["std::env::", "env::var", "println!", "eprintln!", "print!(", "eprint!("];

const EDGES: &[&str] = &["crates/cli/", "tests/", "xtask/"];

/// Words that mean that something is not done. They are put together here, so that this file does
/// not hold them.
const UNFINISHED: &[&str] =
    &[concat!("to", "do!"), concat!("unimple", "mented!"), concat!("FIX", "ME")];

/// Hosts of package registries. Tools find them through their own configuration.
const PACKAGE_HOSTS: &[&str] = &[
    concat!("deb.debian", ".org"),
    concat!("security.debian", ".org"),
    concat!("snapshot.debian", ".org"),
    concat!("archive.ubuntu", ".com"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("proxy.golang", ".org"),
];

const LONGEST_FILE: usize = 700;

/// Complains of each rule that the file breaks, with the place.
pub fn check(file: &SourceFile) -> Vec<String> {
    let mut complaints = Vec::new();
    if !is_written_here(&file.path) {
        return complaints;
    }
    let mut complain = |line: usize, what: &str| {
        complaints.push(format!("{}:{line}: {what}", file.path));
    };
    for (number, line) in numbered(&file.text) {
        if line.ends_with([' ', '\t']) {
            complain(number, "ends in white space");
        }
        for host in PACKAGE_HOSTS.iter().filter(|host| line.contains(*host)) {
            complain(number, &format!("names the package host {host}"));
        }
        for word in UNFINISHED.iter().filter(|word| line.contains(*word)) {
            complain(number, &format!("says {word}"));
        }
    }
    if file.path.ends_with(".rs") {
        check_rust(file, &mut complain);
    }
    complaints
}

/// Whether people of this project write the file: cargo and the fuzzer write some, and the inputs
/// of tests stay as they were found.
fn is_written_here(path: &str) -> bool {
    !path.ends_with("Cargo.lock")
        && !path.starts_with("fuzz/corpus/")
        && !path.contains("fixtures/")
}

fn check_rust(file: &SourceFile, complain: &mut impl FnMut(usize, &str)) {
    // A file of `include!` or of attributes for the whole crate may have them in front.
    let first = file.text.lines().find(|line| !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//!")) {
        complain(1, "does not say what it is for (`//!`)");
    }
    let length = file.text.lines().count();
    if length > LONGEST_FILE {
        complain(length, &format!("is longer than {LONGEST_FILE} lines"));
    }
    let code = || numbered(&file.text).take_while(|(_, line)| *line != "#[cfg(test)]");
    let code = || code().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let is_test = ["/tests/", "/tests.rs", "/examples/", "/benches/"]
        .iter()
        .any(|place| file.path.contains(place));
    let crate_name = file.path.strip_prefix("crates/").and_then(|path| path.split('/').next());
    if !is_test && crate_name.is_some_and(|name| PURE.contains(&name)) {
        for (number, line) in code() {
            for effect in EFFECTS.iter().filter(|effect| line.contains(*effect)) {
                complain(number, &format!("uses {effect}; this crate is pure"));
            }
        }
    }
    if !is_test && !EDGES.iter().any(|edge| file.path.starts_with(edge)) {
        for (number, line) in code() {
            for edge in ONLY_AT_THE_EDGE.iter().filter(|edge| line.contains(*edge)) {
                complain(number, &format!("uses {edge}, which only the command line may"));
            }
        }
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        check(&SourceFile { path: path.into(), text: text.into() })
    }

    #[test]
    fn text_rules() {
        assert_eq!(
            complaints("README.md", "a \nb\t\nc\n"),
            ["README.md:1: ends in white space", "README.md:2: ends in white space"]
        );
        let host = concat!("http://deb.debian", ".org/debian\n");
        assert_eq!(complaints(".ci/run", host).len(), 1);
        assert_eq!(complaints("Cargo.lock", host), [""; 0]);
        assert_eq!(complaints("fixtures/a/sources.list", host), [""; 0]);
        let unfinished = concat!("//! A file.\nfn f() { to", "do!() }\n");
        assert_eq!(complaints("crates/cli/src/main.rs", unfinished).len(), 1);
    }

    #[test]
    fn files_say_what_they_are_for() {
        let complaint = "crates/cli/src/a.rs:1: does not say what it is for (`//!`)";
        assert_eq!(complaints("crates/cli/src/a.rs", "fn a() {}\n"), [complaint]);
        assert!(complaints("crates/cli/src/a.rs", "#![no_main]\n//! A.\n").is_empty());
    }

    #[test]
    fn files_stay_short() {
        let text = format!("//! Long.\n{}", "const A: u8 = 0;\n".repeat(700));
        assert_eq!(
            complaints("xtask/src/a.rs", &text),
            ["xtask/src/a.rs:701: is longer than 700 lines"]
        );
    }

    #[test]
    fn pure_crates_do_no_input_or_output() {
        let text = "//! A.\nuse std::fs;\n// std::env\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(
            complaints("crates/plan/src/a.rs", text),
            ["crates/plan/src/a.rs:2: uses std::fs; this crate is pure"]
        );
        assert!(complaints("crates/store/src/a.rs", text).is_empty());
        assert!(complaints("crates/plan/tests/a.rs", text).is_empty());
    }

    #[test]
    fn only_the_edge_prints_and_reads_the_environment() {
        let text = "//! A.\nfn a() { println!(); std::env::var(\"A\"); }\n";
        assert_eq!(complaints("crates/store/src/a.rs", text).len(), 3);
        assert!(complaints("crates/cli/src/a.rs", text).is_empty());
    }
}
