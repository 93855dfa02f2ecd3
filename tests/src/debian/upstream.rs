//! Debian's archive as this machine's apt reaches it, so that no host is named here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, Result, program, run, stdout};

/// Debian 12.
pub(crate) const SUITE: &str = "bookworm";

/// The mirror that this machine's own apt uses for `suite`.
pub(crate) fn mirror_of(suite: &str) -> Option<String> {
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
pub(crate) fn apt_proxy() -> Option<String> {
    let assignment =
        stdout(program("apt-config").args(["shell", "PROXY", "Acquire::http::Proxy"])).ok()?;
    let proxy = assignment.trim().strip_prefix("PROXY='")?.strip_suffix('\'')?;
    (!proxy.is_empty() && proxy != "DIRECT").then(|| proxy.to_owned())
}

/// Downloads what is at `url` to `target`, by apt itself, so by its proxies and credentials, and
/// gives it its name when it is whole. The time of the file is what the server says.
pub(crate) fn download(url: &str, target: &Path) -> Result {
    let directory = target.parent().unwrap_or(Path::new("."));
    let doing = format!("make {}", directory.display());
    fs::create_dir_all(directory).map_err(Failure::doing(&doing))?;
    let draft = tempfile::Builder::new()
        .prefix(".draft-")
        .tempdir_in(directory)
        .map_err(Failure::doing(&doing))?;
    let file = draft.path().join("file");
    let mut helper = program("/usr/lib/apt/apt-helper");
    helper.args(["--option", "APT::Sandbox::User=root", "download-file", url]);
    run(helper.arg(&file))?;
    fs::rename(&file, target).map_err(Failure::doing(format!("name {}", target.display())))
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
