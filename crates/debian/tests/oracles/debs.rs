//! Packages as dpkg-deb has them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use debian::Deb;
use debian::deb::{MemberNode, Sink};
use layer::Content;
use md5::Md5;
use oci::Digest;
use sha2::Digest as _;
use testbed::{output, program, run};

/// Packages with what is rare: many files, hard links, owners that are not root, set-id bits, names
/// that are not ASCII, conffiles, triggers, debconf.
const PACKAGES: [&str; 14] = [
    "adduser",
    "base-files",
    "bash",
    "ca-certificates",
    "cron",
    "libc6",
    "libc-bin",
    "man-db",
    "openssh-client",
    "passwd",
    "perl",
    "perl-base",
    "tzdata",
    "util-linux",
];

#[test]
fn packages_are_what_dpkg_deb_unpacks() {
    let home = tempfile::tempdir().unwrap();
    for deb in debs(home.path()) {
        compare(&deb, home.path());
    }
}

/// Those of `PLYWOOD_DEBS`, a directory, or some that are downloaded.
fn debs(home: &Path) -> Vec<PathBuf> {
    let directory = match std::env::var_os("PLYWOOD_DEBS") {
        Some(directory) => PathBuf::from(directory),
        None => {
            run(program("apt-get").arg("download").args(PACKAGES).current_dir(home)).unwrap();
            home.to_owned()
        }
    };
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "deb")).collect()
}

/// Sees that what passes is what is named.
#[derive(Default)]
struct Checked(Vec<u8>);

impl Sink for Checked {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self, content: Content) -> std::io::Result<()> {
        assert_eq!(Content::of(&self.0), content);
        self.0.clear();
        Ok(())
    }
}

fn compare(path: &Path, home: &Path) {
    let bytes = fs::read(path).unwrap();
    let limits = debian::deb::limits();
    let deb = debian::deb::read(
        &bytes[..],
        Digest::of(&bytes),
        "x.deb",
        &limits,
        &mut Checked::default(),
    );
    let deb = deb.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    assert_eq!(Deb::from_bytes(&deb.to_bytes()).as_ref(), Some(&deb), "{}", path.display());
    let tar = output(program("dpkg-deb").arg("--fsys-tarfile").arg(path)).unwrap();
    assert_eq!(listing(&deb), expected(&tar.stdout), "{}", path.display());
    let control = home.join("control");
    run(program("dpkg-deb").arg("-e").arg(path).arg(&control)).unwrap();
    for entry in fs::read_dir(&control).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let (found, mode) =
            (fs::read(entry.path()).unwrap(), entry.metadata().unwrap().permissions());
        if name == "control" {
            assert_eq!(
                debian::Stanza::parse_all(&found).unwrap(),
                std::slice::from_ref(&deb.control)
            );
            continue;
        }
        let file = deb.control_file(&name).unwrap_or_else(|| panic!("{name} is not there"));
        assert_eq!(file.bytes.as_bstr(), found.as_bstr(), "{name}");
        assert_eq!(file.mode, mode.mode() & 0o7777, "{name}");
    }
    assert_eq!(fs::read_dir(&control).unwrap().count(), deb.control_files.len() + 1);
    fs::remove_dir_all(&control).unwrap();
}

/// A line for each member: what it is, whose it is, when it is of.
type Lines = Vec<String>;

fn listing(deb: &Deb) -> Lines {
    let lines = deb.members.iter().map(|member| {
        let node = match &member.node {
            MemberNode::File { content, md5 } => {
                format!("file {} {}", content.size, hex::encode(md5))
            }
            MemberNode::Directory => "directory".to_owned(),
            MemberNode::Symlink(target) => format!("link to {target}"),
            MemberNode::Hardlink(at) => format!("same as {}", deb.members[*at].name),
            other => format!("{other:?}"),
        };
        let of = &member.attributes;
        let (user, group) = (&member.user, &member.group);
        format!(
            "{} {:o} {user} {group} {} {} {} {node}",
            member.name, of.mode, of.uid, of.gid, of.mtime
        )
    });
    lines.collect()
}

fn plain(name: &[u8]) -> String {
    let name = name.strip_prefix(b"./").unwrap_or(name);
    name.strip_suffix(b"/").unwrap_or(name).as_bstr().to_string()
}

fn expected(bytes: &[u8]) -> Lines {
    let mut lines = Vec::new();
    let mut first_names: BTreeMap<String, String> = BTreeMap::new();
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = plain(&entry.path_bytes());
        let header = entry.header().clone();
        let link = entry.link_name_bytes().map(|link| link.into_owned()).unwrap_or_default();
        let node = match header.entry_type() {
            tar::EntryType::Regular => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                format!("file {} {}", content.len(), hex::encode(Md5::digest(&content)))
            }
            tar::EntryType::Directory => "directory".to_owned(),
            tar::EntryType::Symlink => format!("link to {}", link.as_bstr()),
            tar::EntryType::Link => {
                let target = plain(&link);
                let first = first_names.get(&target).cloned().unwrap_or(target);
                first_names.insert(name.clone(), first.clone());
                format!("same as {first}")
            }
            other => format!("{other:?}"),
        };
        let text = |bytes: Option<&[u8]>| bytes.unwrap_or_default().as_bstr().to_string();
        lines.push(format!(
            "{name} {:o} {} {} {} {} {} {node}",
            header.mode().unwrap() & 0o7777,
            text(header.username_bytes()),
            text(header.groupname_bytes()),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
        ));
    }
    lines
}
