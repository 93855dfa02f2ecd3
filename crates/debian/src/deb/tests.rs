//! Packages made in memory, good and hostile.

use layer::Limits;
use testbed::deb::{Member, ar, tar};

use super::*;

const CONTROL: &str = "Package: a-b\nVersion: 1:2.0~rc1-3+b1\nArchitecture: amd64\n";

fn control(text: &str) -> Vec<u8> {
    tar(&[("./", b'5', "", b""), ("./control", b'0', "", text.as_bytes())])
}

fn deb(data: &[Member<'_>]) -> Vec<u8> {
    testbed::deb::deb(CONTROL, data)
}

fn read_with(bytes: &[u8], sink: &mut dyn Sink) -> Result<Deb, DebError> {
    read(bytes, Digest::of(bytes), "a-b.deb", &limits(), sink)
}

fn refused(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut error: Option<&dyn std::error::Error> = None;
    let found = read_with(bytes, &mut ()).expect_err("it is hostile");
    error.replace(&found);
    while let Some(cause) = error {
        text = if text.is_empty() { cause.to_string() } else { format!("{text}: {cause}") };
        error = cause.source();
    }
    text
}

/// What passes: the files, in order.
#[derive(Default)]
struct Kept(Vec<(Content, Vec<u8>)>, Vec<u8>);

impl Sink for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self, content: Content) -> std::io::Result<()> {
        self.0.push((content, std::mem::take(&mut self.1)));
        Ok(())
    }
}

fn ordinary() -> Vec<u8> {
    deb(&[
        ("./", b'5', "", b""),
        ("./usr/", b'5', "", b""),
        ("./usr/bin/", b'5', "", b""),
        ("./usr/bin/a", b'0', "", b"content"),
        ("./usr/bin/b", b'1', "./usr/bin/a", b""),
        ("./usr/bin/c", b'1', "./usr/bin/b", b""),
        ("./usr/bin/d", b'2', "../../etc/passwd", b""),
        ("./usr/empty", b'0', "", b""),
    ])
}

#[test]
fn a_package_is_read_in_one_pass() {
    let mut kept = Kept::default();
    let read = read_with(&ordinary(), &mut kept).unwrap();
    assert_eq!(kept.0, [(Content::of(b"content"), b"content".to_vec())]);
    let names: Vec<String> = read.members.iter().map(|member| member.name.to_string()).collect();
    assert_eq!(names.join(" "), " usr usr/bin usr/bin/a usr/bin/b usr/bin/c usr/bin/d usr/empty");
    let file = &read.members[3];
    assert_eq!((file.user.to_string(), file.group.to_string()), ("root".into(), "man".into()));
    assert_eq!(file.attributes, Attributes { gid: 12, ..Attributes::root(0o644, 7) });
    let MemberNode::File { md5, .. } = file.node else { panic!("it is a file") };
    assert_eq!(hex::encode(md5), "9a0364b9e99bb480dd25e1f0284c8555");
    assert_eq!(read.members[5].node, MemberNode::Hardlink(3));
    assert_eq!(read.control.text("Version"), Some("1:2.0~rc1-3+b1"));
    assert_eq!(Deb::from_bytes(&read.to_bytes()), Some(read));
}

#[test]
fn elf_files_are_known() {
    let elf = crate::native::elf::made::MadeElf::amd64("libz.so.1").bytes();
    let read = read_with(&deb(&[("./libz.so.1", b'0', "", &elf)]), &mut ()).unwrap();
    assert_eq!(read.elf.len(), 1);
    assert_eq!(read.elf.get(&Digest::of(&elf)), Elf::of(&elf).as_ref());
    assert_eq!(Deb::from_bytes(&read.to_bytes()), Some(read));
}

#[test]
fn further_members_are_passed_over_where_they_may_be() {
    let (control, data) = (control(CONTROL), tar(&[("./", b'5', "", b"")]));
    let read = ar(&[
        ("debian-binary/", b"2.7\nmore\n"),
        ("_gpgorigin", b"odd"),
        ("control.tar", &control),
        ("_more", b""),
        ("data.tar", &data),
        ("behind", b"it"),
    ]);
    assert_eq!(read_with(&read, &mut ()).unwrap().members.len(), 1);
}

#[test]
fn archives_that_are_none() {
    let (good, data) = (control(CONTROL), tar(&[]));
    insta::assert_snapshot!(refused(b""), @"the file is no Debian package: it is no `ar` archive");
    insta::assert_snapshot!(refused(b"!<arch>\n"), @"`nothing` stands where a package has debian-binary");
    insta::assert_snapshot!(refused(&ar(&[("control.tar", &good)])), @"`control.tar` stands where a package has debian-binary");
    insta::assert_snapshot!(refused(&ar(&[("debian-binary", b"3.0\n")])), @"the package's format is 3.0, and 2.x is known");
    insta::assert_snapshot!(refused(&ar(&[("debian-binary", b"2.0")])), @"the package's format is 2.0, and 2.x is known");
    let swapped = ar(&[("debian-binary", b"2.0\n"), ("data.tar", &data), ("control.tar", &good)]);
    insta::assert_snapshot!(refused(&swapped), @"`data.tar` stands where a package has control.tar");
    let without = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &good)]);
    insta::assert_snapshot!(refused(&without), @"`nothing` stands where a package has data.tar");
    let odd = ar(&[("debian-binary", b"2.0\n"), ("control.tar.lz4", &good)]);
    insta::assert_snapshot!(refused(&odd), @"`control.tar.lz4` is compressed in a way that no package is");
    let empty = ar(&[("debian-binary", b"2.0\n"), ("control.tar", b"")]);
    insta::assert_snapshot!(refused(&empty), @"the package is cut off after 0 bytes, in `control.tar`");
}

#[test]
fn what_is_cut_off_is_noticed_everywhere() {
    let whole = ordinary();
    for length in 0..whole.len() {
        refused(&whole[..length]);
    }
}

#[test]
fn control_must_say_what_it_is() {
    let refused = |text: &str| {
        let control = control(text);
        refused(&ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control)]))
    };
    insta::assert_snapshot!(refused(""), @"`control` has 0 stanzas instead of one");
    insta::assert_snapshot!(refused("Package: a-b\n\nPackage: c\n"), @"`control` has 2 stanzas instead of one");
    insta::assert_snapshot!(refused("Package: a-b\nVersion: 1\n"), @"`control` has no field `Architecture`");
    insta::assert_snapshot!(refused("Package: a-b\nVersion: 1\nArchitecture: a d\n"), @"`Architecture: a d` of `control` is no architecture");
    insta::assert_snapshot!(refused("Package: ../b\nVersion: 1\n"), @"`Package: ../b` of `control` begins with neither a letter nor a digit");
    insta::assert_snapshot!(refused("Package: a/b\nVersion: 1\n"), @"`Package: a/b` of `control` has characters that no package's name has");
    insta::assert_snapshot!(refused("Package: ab\nVersion: x:1\n"), @"`Version: x:1` of `control` has an epoch that is no number");
    insta::assert_snapshot!(refused("Package: ab\nVersion: 1-\n"), @"`Version: 1-` of `control` has an empty part");
    insta::assert_snapshot!(refused("Package: ab\nVersion: 1/2\n"), @"`Version: 1/2` of `control` has characters that no version has");
    let link = tar(&[("./control", b'2', "/etc/passwd", b"")]);
    let link = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &link)]);
    insta::assert_snapshot!(super::tests::refused(&link), @"`./control` of `control.tar` is no regular file");
    let deep = tar(&[("./a/control", b'0', "", b"")]);
    let deep = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &deep)]);
    insta::assert_snapshot!(super::tests::refused(&deep), @"`./a/control` of `control.tar` has a name that no control file has");
}

#[test]
fn members_that_lead_elsewhere() {
    let refused = |members: &[Member<'_>]| refused(&deb(members));
    insta::assert_snapshot!(refused(&[("/etc/passwd", b'0', "", b"")]), @"`/etc/passwd` of `data.tar` has an absolute name");
    insta::assert_snapshot!(refused(&[("./a/../../b", b'0', "", b"")]), @"`./a/../../b` of `data.tar` leads out of its directory");
    insta::assert_snapshot!(refused(&[("./a//b", b'0', "", b"")]), @"`./a//b` of `data.tar` has a name with an empty part");
    insta::assert_snapshot!(refused(&[("./a", b'2', "/", b""), ("./a/b", b'0', "", b"")]), @"`./a/b` of `data.tar` is below a symbolic link");
    insta::assert_snapshot!(refused(&[("./a", b'0', "", b""), ("./a/b/c", b'0', "", b"")]), @"`./a/b/c` of `data.tar` is below a file");
    insta::assert_snapshot!(refused(&[("./a", b'0', "", b""), ("./a", b'0', "", b"")]), @"`./a` of `data.tar` is there twice");
    insta::assert_snapshot!(refused(&[("./a", b'1', "./b", b"")]), @"`./a` of `data.tar` is a hard link to nothing");
    insta::assert_snapshot!(refused(&[("./a", b'1', "/etc/shadow", b"")]), @"`./a` of `data.tar` is a hard link to nothing");
    insta::assert_snapshot!(refused(&[("./b", b'5', "", b""), ("./a", b'1', "./b", b"")]), @"`./a` of `data.tar` is a hard link to what is no file");
    insta::assert_snapshot!(refused(&[("./a", b'2', "", b"")]), @"`./a` of `data.tar` is a symbolic link to nothing that there can be");
    insta::assert_snapshot!(refused(&[("./a", b'3', "", b"")]), @"`./a` of `data.tar` is a device, which no package may contain");
    insta::assert_snapshot!(refused(&[("./a", b'6', "", b"")]), @"`./a` of `data.tar` is a pipe, which no package may contain");
    insta::assert_snapshot!(refused(&[("./", b'2', "x", b"")]), @"`./` of `data.tar` is the root, and no directory");
    let twice = deb(&[("./a/", b'5', "", b""), ("./a", b'5', "", b"")]);
    assert_eq!(read_with(&twice, &mut ()).unwrap().members.len(), 1);
}

#[test]
fn limits_hold() {
    let many: Vec<String> = (0..20).map(|number| format!("./{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), b'0', "", &b"x"[..])).collect();
    let bytes = deb(&many);
    let read = |limits: Limits| {
        super::read(&bytes[..], Digest::of(b""), "a", &limits, &mut ()).unwrap_err().to_string()
    };
    insta::assert_snapshot!(read(Limits { names: 50, ..limits() }), @"the package has more than 50 bytes of names");
    insta::assert_snapshot!(read(Limits { entries: 10, ..limits() }), @"read `data.tar`");
    insta::assert_snapshot!(read(Limits { uncompressed: 9000, ..limits() }), @"read `data.tar`");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 400, failure_persistence: None, ..Default::default() })]

    /// Bytes that differ from a package's somewhere are read or refused, and nothing else.
    #[test]
    fn damage_is_survived(at in 0usize..6000, byte: u8, cut in 0usize..6000) {
        let mut bytes = ordinary();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read_with(&bytes, &mut ());
        bytes.truncate(cut.min(bytes.len()));
        let _ = read_with(&bytes, &mut ());
        let mut record = read_with(&ordinary(), &mut ()).unwrap().to_bytes();
        let at = at % record.len();
        record[at] = byte;
        let _ = Deb::from_bytes(&record);
        let _ = Deb::from_bytes(&record[..cut.min(record.len())]);
    }
}
