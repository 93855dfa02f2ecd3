//! Debian packages made in memory, well-formed or not: `ar` and tar as they are written here say
//! exactly what a test says.

use std::io::Write;

/// A member of a tar: its name, its type flag, what it links to, its content.
pub type Member<'a> = (&'a str, u8, &'a str, &'a [u8]);

/// A tar of these members, of root and of group `man` (12), at the seventh second of the epoch.
///
/// # Panics
/// If a name is longer than a header has room for.
pub fn tar(members: &[Member<'_>]) -> Vec<u8> {
    tar_of(members.iter().map(|(name, kind, link, content)| (*name, *kind, *link, 0o644, *content)))
}

fn tar_of<'m>(members: impl Iterator<Item = (&'m str, u8, &'m str, u32, &'m [u8])>) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, link, mode, content) in members {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000014\0");
        let size = format!("{:011o}\0", content.len());
        header[124..136].copy_from_slice(size.as_bytes());
        header[136..148].copy_from_slice(b"00000000007\0");
        header[148..156].fill(b' ');
        header[156] = kind;
        header[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header[257..265].copy_from_slice(b"ustar  \0");
        header[265..269].copy_from_slice(b"root");
        header[297..300].copy_from_slice(b"man");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// An archive of these members (deb(5)).
pub fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut ar = b"!<arch>\n".to_vec();
    for (name, content) in members {
        let size = content.len();
        let written = writeln!(ar, "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`", 0, 0, 0, 100_644);
        written.expect("memory takes it");
        ar.extend_from_slice(content);
        ar.resize(ar.len().next_multiple_of(2), b'\n');
    }
    ar
}

/// A package that is not compressed.
pub fn deb(control: &str, data: &[Member<'_>]) -> Vec<u8> {
    scripted_deb(control, &[], data)
}

/// The same with maintainer scripts, each a name and a text.
pub fn scripted_deb(control: &str, scripts: &[(&str, &str)], data: &[Member<'_>]) -> Vec<u8> {
    let files =
        [("./", b'5', "", 0o755, &b""[..]), ("./control", b'0', "", 0o644, control.as_bytes())];
    let scripts = scripts.iter().map(|(name, text)| (*name, b'0', "", 0o755, text.as_bytes()));
    let control = tar_of(files.into_iter().chain(scripts));
    ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar", &tar(data))])
}
