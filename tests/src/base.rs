//! Base images for tests, each made once as an OCI layout in the cache directory.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use oci::Digest;

use crate::{Failure, Oracle, Result, cache, oracle, program, run, stdout, umoci};

/// The tag under which each layout here holds its image.
pub const TAG: &str = "base";

/// Debian 12 with python3 and ca-certificates, by debootstrap: a real base, about 50 MB compressed.
pub fn debian() -> Result<PathBuf> {
    const SUITE: &str = "bookworm";
    const INCLUDE: &str = "python3,ca-certificates";
    const REVISION: &str = "1";
    let key = Digest::of(format!("{SUITE} {INCLUDE} {REVISION}").as_bytes());
    cache::once(&format!("debian-{}", &key.hex()[..12]), |directory| {
        let root = directory.join("root");
        let debootstrap = Oracle::named("debootstrap").and_then(Oracle::path);
        let mut command = program(debootstrap.unwrap_or_else(|| "debootstrap".into()));
        command.args(["--variant=minbase", &format!("--include={INCLUDE}"), SUITE]).arg(&root);
        command.args(debian_mirror(SUITE));
        if let Some(proxy) = apt_proxy() {
            command.env("http_proxy", proxy);
        }
        run(&mut command)?;
        for emptied in ["dev", "var/cache/apt", "var/lib/apt/lists", "var/log", "tmp", "run"] {
            empty(&root.join(emptied))?;
        }
        pack(directory, &root, "python3")
    })
}

/// A root file system of a few files that has the corners of a real one: merged `/usr`, users and
/// groups, a directory that belongs to somebody, absolute and relative links, a sticky `/tmp`.
pub fn tiny() -> Result<PathBuf> {
    let key = Digest::of(format!("{TINY:?}").as_bytes());
    cache::once(&format!("tiny-{}", &key.hex()[..12]), |directory| {
        let root = directory.join("root");
        fs::create_dir(&root).map_err(Failure::doing(format!("make {}", root.display())))?;
        for (path, mode, owner, node) in TINY {
            write_node(&root.join(path), *mode, *owner, node)?;
        }
        pack(directory, &root, "sh")
    })
}

#[derive(Debug)]
enum Node {
    Directory,
    File(&'static str),
    Link(&'static str),
}

/// Path, mode, owner (user and group alike) and what is there, parents first.
const TINY: &[(&str, u32, u32, Node)] = &[
    ("etc", 0o755, 0, Node::Directory),
    ("etc/passwd", 0o644, 0, Node::File(PASSWD)),
    ("etc/group", 0o644, 0, Node::File(GROUP)),
    ("etc/os-release", 0o644, 0, Node::File("NAME=tiny\nID=tiny\n")),
    ("etc/secret", 0o600, 0, Node::File("kept to its owner\n")),
    ("usr", 0o755, 0, Node::Directory),
    ("usr/bin", 0o755, 0, Node::Directory),
    ("usr/bin/tool", 0o755, 0, Node::File("#!/bin/sh\necho tool\n")),
    ("usr/lib", 0o755, 0, Node::Directory),
    ("usr/lib/libtiny.so.1", 0o644, 0, Node::File("not really a library\n")),
    ("usr/lib/libtiny.so", 0o777, 0, Node::Link("libtiny.so.1")),
    ("usr/sbin", 0o755, 0, Node::Directory),
    ("bin", 0o777, 0, Node::Link("usr/bin")),
    ("lib", 0o777, 0, Node::Link("usr/lib")),
    ("sbin", 0o777, 0, Node::Link("/usr/sbin")),
    ("home", 0o755, 0, Node::Directory),
    ("home/app", 0o750, 1000, Node::Directory),
    ("home/app/.profile", 0o640, 1000, Node::File("umask 077\n")),
    ("opt", 0o755, 0, Node::Directory),
    ("opt/shared", 0o2775, 33, Node::Directory),
    ("opt/current", 0o777, 0, Node::Link("releases/1")),
    ("opt/releases", 0o755, 0, Node::Directory),
    ("opt/releases/1", 0o755, 0, Node::Directory),
    ("opt/releases/1/version", 0o644, 0, Node::File("1\n")),
    ("run", 0o755, 0, Node::Directory),
    ("tmp", 0o1777, 0, Node::Directory),
    ("var", 0o755, 0, Node::Directory),
    ("var/run", 0o777, 0, Node::Link("/run")),
    ("var/lib", 0o755, 0, Node::Directory),
    ("var/lib/data", 0o755, 33, Node::Directory),
    ("var/lib/data/seed", 0o644, 33, Node::File("seed\n")),
];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
    app:x:1000:1000:app:/home/app:/bin/sh\n\
    reader:x:1001:50:reader:/nonexistent:/bin/sh\n";

const GROUP: &str = "root:x:0:\nwww-data:x:33:\nstaff:x:50:reader\napp:x:1000:\n";

fn write_node(path: &Path, mode: u32, owner: u32, node: &Node) -> Result {
    let doing = format!("make {}", path.display());
    match node {
        Node::Directory => fs::create_dir(path),
        Node::File(content) => fs::write(path, content),
        Node::Link(target) => symlink(target, path),
    }
    .map_err(Failure::doing(&doing))?;
    if oracle::is_root() {
        lchown(path, Some(owner), Some(owner)).map_err(Failure::doing(&doing))?;
    }
    if !matches!(node, Node::Link(_)) {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, permissions).map_err(Failure::doing(&doing))?;
    }
    Ok(())
}

/// Puts `root` as the only layer of an image into `directory`, an OCI layout afterwards.
fn pack(directory: &Path, root: &Path, command: &str) -> Result {
    let layout = directory.join("layout");
    umoci::create(
        &layout,
        TAG,
        root,
        &[
            ("--config.env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("--config.cmd", command),
        ],
    )?;
    fs::remove_dir_all(root).map_err(Failure::doing(format!("remove {}", root.display())))?;
    for entry in fs::read_dir(&layout).map_err(Failure::doing("read the layout"))?.flatten() {
        let name = entry.file_name();
        fs::rename(entry.path(), directory.join(&name))
            .map_err(Failure::doing("move the layout"))?;
    }
    fs::remove_dir(&layout).map_err(Failure::doing("remove the draft of the layout"))
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
