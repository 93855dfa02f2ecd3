//! debootstrap: Debian's root file systems, from the mirror that this machine's apt uses.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, Oracle, Result, program, run, stdout};

/// Debian 12.
pub(super) const SUITE: &str = "bookworm";

/// Makes a minimal Debian with these packages, separated by commas, at `root`; `options` go before.
pub(super) fn make(root: &Path, include: &str, options: &[&str]) -> Result {
    let debootstrap = Oracle::named("debootstrap").and_then(Oracle::path);
    let mut command = program(debootstrap.unwrap_or_else(|| "debootstrap".into()));
    command.args(options);
    command.args(["--variant=minbase", &format!("--include={include}"), SUITE]).arg(root);
    command.args(debian_mirror(SUITE));
    if let Some(proxy) = apt_proxy() {
        command.env("http_proxy", proxy);
    }
    run(&mut command)
}

/// Takes out what no image has: devices, downloads, logs.
pub(super) fn tidy(root: &Path) -> Result {
    let emptied = ["dev", "var/cache/apt", "var/lib/apt/lists", "var/log", "tmp", "run"];
    emptied.iter().try_for_each(|directory| empty(&root.join(directory)))
}

fn empty(directory: &Path) -> Result {
    let doing = format!("empty {}", directory.display());
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.map_err(Failure::doing(&doing))?;
    }
    Ok(())
}

/// The mirror that this machine's own apt uses for `suite`, so that no host is named here.
///
/// Without one, debootstrap takes its own default.
fn debian_mirror(suite: &str) -> Option<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find_map(|text| mirror_in(&text, suite))
}

/// Reads both forms of `sources.list(5)`: one line a source, and deb822 stanzas.
fn mirror_in(sources: &str, suite: &str) -> Option<String> {
    let uncommented = || sources.lines().filter(|line| !line.trim_start().starts_with('#'));
    for line in uncommented().filter_map(|line| line.strip_prefix("deb ")) {
        let mut words = line.split_whitespace().skip_while(|word| !word.contains("://"));
        if let (Some(uri), Some(of)) = (words.next(), words.next())
            && of == suite
        {
            return Some(uri.to_owned());
        }
    }
    let text = uncommented().collect::<Vec<_>>().join("\n");
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name));
        let has_suite = field("Suites:")?.split_whitespace().any(|word| word == suite);
        let uri = field("URIs:")?.split_whitespace().next()?;
        has_suite.then(|| uri.to_owned())
    })
}

/// The proxy in apt's configuration, which debootstrap does not read by itself.
fn apt_proxy() -> Option<String> {
    let assignment =
        stdout(program("apt-config").args(["shell", "PROXY", "Acquire::http::Proxy"])).ok()?;
    let proxy = assignment.trim().strip_prefix("PROXY='")?.strip_suffix('\'')?;
    (!proxy.is_empty() && proxy != "DIRECT").then(|| proxy.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirror_of_one_line_sources() {
        let sources = "# deb http://no.example/debian bookworm main\n\
            deb https://other.example/sdk sdk-bookworm main\n\
            deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main\n";
        assert_eq!(mirror_in(sources, "bookworm").as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(mirror_in(sources, "trixie"), None);
    }

    #[test]
    fn mirror_of_stanzas() {
        let sources = "Types: deb\n# URIs: http://no.example\nURIs: http://security.example/debian\n\
            Suites: bookworm-security\n\nTypes: deb\nURIs: http://mirror.example/debian\n\
            Suites: bookworm bookworm-updates\nComponents: main\n";
        assert_eq!(mirror_in(sources, "bookworm").as_deref(), Some("http://mirror.example/debian"));
    }
}
