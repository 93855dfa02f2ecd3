//! Packages through all that can become of them.

use std::sync::Arc;

use shell::{Process, Stop};

use super::engine::{Engine, Options, Removal, SkippedScript};
use super::status::PackageId;
use crate::deb::Deb;
use crate::fixture::{Image, NewDeb};

/// A step of a test.
enum Do<'a> {
    Install(&'a [&'a NewDeb]),
    Unpack(&'a [&'a NewDeb]),
    ConfigurePending,
    Remove(&'a [&'a str]),
    Purge(&'a [&'a str]),
    /// A line of the shell's.
    Line(&'a str),
}

fn ids(names: &[&str]) -> Vec<PackageId> {
    let id = |name: &&str| PackageId { name: (*name).into(), architecture: "amd64".into() };
    names.iter().map(id).collect()
}

/// What some steps come to; each but the last has to succeed.
fn after(image: &mut Image, steps: &[Do<'_>]) -> String {
    let debs: Vec<Vec<Arc<Deb>>> = steps
        .iter()
        .map(|step| match step {
            Do::Install(debs) | Do::Unpack(debs) => {
                debs.iter().map(|deb| image.package(deb)).collect()
            }
            _ => Vec::new(),
        })
        .collect();
    let image: &Image = image;
    image.shown_of(|process| {
        let mut status = 0;
        for (step, debs) in steps.iter().zip(&debs) {
            status = run(process, image, step, debs)?;
        }
        Ok(status)
    })
}

fn run(
    process: &mut Process<'_, '_>,
    image: &Image,
    step: &Do<'_>,
    debs: &[Arc<Deb>],
) -> Result<u8, Stop> {
    if let Do::Line(line) = step {
        return process.spawn(vec!["sh".into(), "-c".into(), (*line).into()]);
    }
    let mut engine = Engine::new(process, image, Options::default());
    match step {
        Do::Install(_) => engine.install(debs),
        Do::Unpack(_) => engine.unpack(debs),
        Do::ConfigurePending => engine.configure_pending(),
        Do::Remove(names) => engine.remove(&ids(names), Removal::Remove),
        Do::Purge(names) => engine.remove(&ids(names), Removal::Purge),
        Do::Line(_) => Ok(0),
    }
}

#[test]
fn a_package_is_installed() {
    let deb = NewDeb::new("a", "1.0-1")
        .field("Depends", "b|c")
        .script("postinst", "echo \"$0 $*.\"; grep -h ^Status /var/lib/dpkg/updates/*5")
        .file("bin/a", 0o755, "program")
        .hardlink("bin/again", "bin/a")
        .file("usr/share/m", 0o644, "m")
        .owned(("man", 99), ("unknown", 77))
        .link("usr/share/a", "../bin/a")
        .conffile("etc/a.conf", "setting");
    let b = NewDeb::new("b", "2").control_file("md5sums", 0o644, "");
    insta::assert_snapshot!(after(&mut Image::new(), &[Do::Install(&[&deb, &b])]), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_1.0-1_amd64.deb ...
    Unpacking a (1.0-1) ...
    Selecting previously unselected package b.
    Preparing to unpack .../apt/archives/b_2_amd64.deb ...
    Unpacking b (2) ...
    Setting up b (2) ...
    Setting up a (1.0-1) ...
    /var/lib/dpkg/info/a.postinst configure .
    Status: install ok unpacked
    + /etc/a.conf 644 "setting"
    + /usr/bin/a 755 "program"
    + /usr/bin/again = /usr/bin/a
    + /usr/share/a -> ../bin/a
    + /usr/share/m 644 6:77 "m"
    + /var/lib/dpkg/info/a.conffiles 644 "/etc/a.conf\n"
    + /var/lib/dpkg/info/a.list 644 "/.\n/bin\n/bin/a\n/bin/again\n/usr\n/usr/share\n/usr/share/m\n/etc\n/etc/a.conf\n/usr/share/a\n"
    + /var/lib/dpkg/info/a.md5sums 644 "a9c449d4fa44e9e5a41c574ae55ce4d9  bin/a\na9c449d4fa44e9e5a41c574ae55ce4d9  bin/again\n6f8f57715090da2632453988d9a1501b  usr/share/m\n7dc22b2c6a992f0232345df41303f5ea  etc/a.conf\n"
    + /var/lib/dpkg/info/a.postinst 755 "#!/bin/sh\nset -e\necho \"$0 $*.\"; grep -h ^Status /var/lib/dpkg/updates/*5\n"
    + /var/lib/dpkg/info/b.list 644 "/.\n"
    + /var/lib/dpkg/info/b.md5sums 644 ""
    + /var/lib/dpkg/status 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1.0-1\nDepends: b | c\nConffiles:\n /etc/a.conf 7dc22b2c6a992f0232345df41303f5ea\nDescription: a\n\nPackage: b\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 2\nDescription: b\n\n"
    + /var/lib/dpkg/status-old 644 ""
    "##);
}

#[test]
fn a_package_is_upgraded_and_goes() {
    let one = NewDeb::new("a", "1").file("usr/share/a/old", 0o644, "1").conffile("etc/a", "1");
    let two = NewDeb::new("a", "2").file("usr/share/new", 0o644, "2").conffile("etc/a", "2");
    let steps = [Do::Install(&[&one]), Do::Install(&[&two])];
    insta::assert_snapshot!(after(&mut Image::new(), &steps), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_1_amd64.deb ...
    Unpacking a (1) ...
    Setting up a (1) ...
    (Reading database ... 7 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_2_amd64.deb ...
    Unpacking a (2) over (1) ...
    Setting up a (2) ...
    Installing new version of config file /etc/a ...
    + /etc/a 644 "2"
    + /usr/share/new 644 "2"
    + /var/lib/dpkg/info/a.conffiles 644 "/etc/a\n"
    + /var/lib/dpkg/info/a.list 644 "/.\n/usr\n/usr/share\n/usr/share/new\n/etc\n/etc/a\n"
    + /var/lib/dpkg/info/a.md5sums 644 "c81e728d9d4c2f636f067f89cc14862c  usr/share/new\nc81e728d9d4c2f636f067f89cc14862c  etc/a\n"
    + /var/lib/dpkg/status 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 2\nConffiles:\n /etc/a c81e728d9d4c2f636f067f89cc14862c\nDescription: a\n\n"
    + /var/lib/dpkg/status-old 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nConffiles:\n /etc/a c4ca4238a0b923820dcc509a6f75849b\nDescription: a\n\n"
    "##);
    let steps = [Do::Install(&[&two]), Do::Remove(&["a"])];
    insta::assert_snapshot!(after(&mut Image::new(), &steps), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_2_amd64.deb ...
    Unpacking a (2) ...
    Setting up a (2) ...
    (Reading database ... 6 files and directories currently installed.)
    Removing a (2) ...
    + /etc/a 644 "2"
    - /usr/share
    + /var/lib/dpkg/info/a.list 644 "/.\n/usr\n/etc\n/etc/a\n"
    + /var/lib/dpkg/status 644 "Package: a\nStatus: deinstall ok config-files\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 2\nConfig-Version: 2\nConffiles:\n /etc/a c81e728d9d4c2f636f067f89cc14862c\nDescription: a\n\n"
    + /var/lib/dpkg/status-old 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 2\nConffiles:\n /etc/a c81e728d9d4c2f636f067f89cc14862c\nDescription: a\n\n"
    "##);
    let steps = [Do::Unpack(&[&two]), Do::ConfigurePending, Do::Purge(&["a"])];
    insta::assert_snapshot!(after(&mut Image::new(), &steps), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_2_amd64.deb ...
    Unpacking a (2) ...
    Setting up a (2) ...
    (Reading database ... 6 files and directories currently installed.)
    Removing a (2) ...
    Purging configuration files for a (2) ...
    !dpkg: warning: while removing a, directory '/etc' not empty so not removed
    !dpkg: warning: while removing a, directory '/usr' not empty so not removed
    - /usr/share
    + /var/lib/dpkg/status 644 ""
    + /var/lib/dpkg/status-old 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 2\nConffiles:\n /etc/a c81e728d9d4c2f636f067f89cc14862c\nDescription: a\n\n"
    "##);
}

#[test]
fn what_somebody_has_changed_stays() {
    let one = NewDeb::new("a", "1").conffile("etc/a", "1");
    let two = NewDeb::new("a", "2").conffile("etc/a", "2");
    let edit = Do::Line("echo mine > /etc/a");
    let steps = [Do::Install(&[&one]), edit, Do::Install(&[&two])];
    insta::assert_snapshot!(after(&mut Image::new(), &steps), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_1_amd64.deb ...
    Unpacking a (1) ...
    Setting up a (1) ...
    (Reading database ... 3 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_2_amd64.deb ...
    Unpacking a (2) over (1) ...
    Setting up a (2) ...
    !
    !Configuration file '/etc/a'
    ! ==> Modified (by you or by a script) since installation.
    ! ==> Package distributor has shipped an updated version.
    !   What would you like to do about it ?  Your options are:
    !    Y or I  : install the package maintainer's version
    !    N or O  : keep your currently-installed version
    !      D     : show the differences between the versions
    !      Z     : start a shell to examine the situation
    ! The default action is to keep your current version.
    !*** a (Y/I/N/O/D/Z) [default=N] ? dpkg: error processing package a (--install):
    ! end of file on stdin at conffile prompt
    !Errors were encountered while processing:
    ! a
    status 1
    + /etc/a 644 "mine\n"
    + /etc/a.dpkg-new 644 "2"
    + /var/lib/dpkg/info/a.conffiles 644 "/etc/a\n"
    + /var/lib/dpkg/info/a.list 644 "/.\n/etc\n/etc/a\n"
    + /var/lib/dpkg/info/a.md5sums 644 "c81e728d9d4c2f636f067f89cc14862c  etc/a\n"
    + /var/lib/dpkg/status 644 "Package: a\nStatus: install ok unpacked\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 2\nConfig-Version: 1\nConffiles:\n /etc/a c4ca4238a0b923820dcc509a6f75849b\nDescription: a\n\n"
    + /var/lib/dpkg/status-old 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nConffiles:\n /etc/a c4ca4238a0b923820dcc509a6f75849b\nDescription: a\n\n"
    "##);
    let mut image = Image::new();
    image.file("etc/dpkg/dpkg.cfg.d/old", "force-confold\n", 0o644);
    insta::assert_snapshot!(after(&mut image, &steps), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_1_amd64.deb ...
    Unpacking a (1) ...
    Setting up a (1) ...
    (Reading database ... 3 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_2_amd64.deb ...
    Unpacking a (2) over (1) ...
    Setting up a (2) ...
    !
    !Configuration file '/etc/a'
    ! ==> Modified (by you or by a script) since installation.
    ! ==> Package distributor has shipped an updated version.
    ! ==> Using current old file as you requested.
    + /etc/a 644 "mine\n"
    + /etc/a.dpkg-dist 644 "2"
    + /var/lib/dpkg/info/a.conffiles 644 "/etc/a\n"
    + /var/lib/dpkg/info/a.list 644 "/.\n/etc\n/etc/a\n"
    + /var/lib/dpkg/info/a.md5sums 644 "c81e728d9d4c2f636f067f89cc14862c  etc/a\n"
    + /var/lib/dpkg/status 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 2\nConffiles:\n /etc/a c81e728d9d4c2f636f067f89cc14862c\nDescription: a\n\n"
    + /var/lib/dpkg/status-old 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nConffiles:\n /etc/a c4ca4238a0b923820dcc509a6f75849b\nDescription: a\n\n"
    "##);
}

#[test]
fn a_script_that_fails_leaves_its_package_half_configured() {
    let deb = NewDeb::new("a", "1").script("postinst", "exit 3");
    insta::assert_snapshot!(after(&mut Image::new(), &[Do::Install(&[&deb])]), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_1_amd64.deb ...
    Unpacking a (1) ...
    Setting up a (1) ...
    !dpkg: error processing package a (--install):
    ! installed a package post-installation script subprocess returned error exit status 3
    !Errors were encountered while processing:
    ! a
    status 1
    + /var/lib/dpkg/info/a.list 644 "/.\n"
    + /var/lib/dpkg/info/a.md5sums 644 ""
    + /var/lib/dpkg/info/a.postinst 755 "#!/bin/sh\nset -e\nexit 3\n"
    + /var/lib/dpkg/status 644 "Package: a\nStatus: install ok half-configured\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: a\n\n"
    + /var/lib/dpkg/status-old 644 ""
    "##);
}

#[test]
fn a_script_that_cannot_be_evaluated_is_named() {
    let mut image = Image::new();
    image.file("usr/bin/frobnicate", "\u{7f}ELF", 0o755);
    let deb = NewDeb::new("foo", "1").script("postinst", "frobnicate --quiet");
    let refused = after(&mut image, &[Do::Install(&[&deb])]);
    assert_eq!(refused, "refused: postinst of `foo`: `frobnicate` is not built in");
}

#[test]
fn scripts_are_left_out_where_the_caller_says_so() {
    let mut image = Image::new();
    let deb = image.package(&NewDeb::new("foo", "1").script("postinst", "mandb --quiet"));
    let image: &Image = &image;
    image.with_process(|process| {
        let options = Options { skipped_scripts: ["foo".to_owned()].into(), ..Options::default() };
        let mut engine = Engine::new(process, image, options);
        assert_eq!(engine.install(&[deb]), Ok(0));
        let skipped = engine.skipped;
        let script = SkippedScript {
            package: "foo".to_owned(),
            script: "postinst",
            arguments: vec!["configure".to_owned(), String::new()],
        };
        assert_eq!(skipped, [script]);
    });
}

#[test]
fn two_packages_cannot_have_a_file() {
    let one = NewDeb::new("a", "1").file("usr/share/x", 0o644, "a");
    let other = NewDeb::new("b", "1").file("usr/share/x", 0o644, "b");
    let steps = [Do::Install(&[&one, &other])];
    insta::assert_snapshot!(after(&mut Image::new(), &steps), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_1_amd64.deb ...
    Unpacking a (1) ...
    Selecting previously unselected package b.
    Preparing to unpack .../apt/archives/b_1_amd64.deb ...
    Unpacking b (1) ...
    !dpkg: error processing archive /var/cache/apt/archives/b_1_amd64.deb (--install):
    ! trying to overwrite '/usr/share/x', which is also in package a 1
    Setting up a (1) ...
    !Errors were encountered while processing:
    ! /var/cache/apt/archives/b_1_amd64.deb
    status 1
    + /usr/share/x 644 "a"
    + /var/lib/dpkg/info/a.list 644 "/.\n/usr\n/usr/share\n/usr/share/x\n"
    + /var/lib/dpkg/info/a.md5sums 644 "0cc175b9c0f1b6a831c399e269772661  usr/share/x\n"
    + /var/lib/dpkg/status 644 "Package: a\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: a\n\nPackage: b\nStatus: install ok not-installed\nArchitecture: amd64\n\n"
    + /var/lib/dpkg/status-old 644 ""
    "##);
    let replacing = other.field("Replaces", "a (<< 2)");
    let steps = [Do::Install(&[&one, &replacing])];
    insta::assert_snapshot!(after(&mut Image::new(), &steps), @r##"
    Selecting previously unselected package a.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/a_1_amd64.deb ...
    Unpacking a (1) ...
    Selecting previously unselected package b.
    Preparing to unpack .../apt/archives/b_1_amd64.deb ...
    Unpacking b (1) ...
    Replacing files in old package a (1) ...
    (Noting disappearance of a, which has been completely replaced.)
    Setting up b (1) ...
    + /usr/share/x 644 "b"
    + /var/lib/dpkg/info/b.list 644 "/.\n/usr\n/usr/share\n/usr/share/x\n"
    + /var/lib/dpkg/info/b.md5sums 644 "92eb5ffee6ae2fec3ad71c777531578f  usr/share/x\n"
    + /var/lib/dpkg/status 644 "Package: b\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nReplaces: a (<< 2)\nDescription: b\n\n"
    + /var/lib/dpkg/status-old 644 ""
    "##);
}

#[test]
fn triggers_run_in_the_end() {
    let watching = NewDeb::new("w", "1")
        .control_file("triggers", 0o644, "interest-noawait /usr/share/w\ninterest named\n")
        .script("postinst", "echo \"$*.\"");
    let touching = NewDeb::new("t", "1")
        .file("usr/share/w/file", 0o644, "t")
        .script("postinst", "dpkg-trigger named");
    let steps = [Do::Install(&[&watching]), Do::Install(&[&touching])];
    insta::assert_snapshot!(after(&mut Image::new(), &steps), @r##"
    Selecting previously unselected package w.
    (Reading database ... 0 files and directories currently installed.)
    Preparing to unpack .../apt/archives/w_1_amd64.deb ...
    Unpacking w (1) ...
    Setting up w (1) ...
    configure .
    Selecting previously unselected package t.
    (Reading database ... 2 files and directories currently installed.)
    Preparing to unpack .../apt/archives/t_1_amd64.deb ...
    Unpacking t (1) ...
    Setting up t (1) ...
    Processing triggers for w (1) ...
    triggered named /usr/share/w.
    + /usr/share/w/ 755
    + /usr/share/w/file 644 "t"
    + /var/lib/dpkg/info/t.list 644 "/.\n/usr\n/usr/share\n/usr/share/w\n/usr/share/w/file\n"
    + /var/lib/dpkg/info/t.md5sums 644 "e358efa489f58062f10dd7316b65649e  usr/share/w/file\n"
    + /var/lib/dpkg/info/t.postinst 755 "#!/bin/sh\nset -e\ndpkg-trigger named\n"
    + /var/lib/dpkg/info/w.list 644 "/.\n"
    + /var/lib/dpkg/info/w.md5sums 644 ""
    + /var/lib/dpkg/info/w.postinst 755 "#!/bin/sh\nset -e\necho \"$*.\"\n"
    + /var/lib/dpkg/info/w.triggers 644 "interest-noawait /usr/share/w\ninterest named\n"
    + /var/lib/dpkg/status 644 "Package: t\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: t\n\nPackage: w\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: w\n\n"
    + /var/lib/dpkg/status-old 644 "Package: w\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: w\n\n"
    + /var/lib/dpkg/triggers/File 644 "/usr/share/w w/noawait\n"
    + /var/lib/dpkg/triggers/Unincorp 644 ""
    + /var/lib/dpkg/triggers/named 644 "w\n"
    "##);
}

#[test]
fn what_was_unpacked_is_told() {
    let mut image = Image::new();
    let deb = NewDeb::new("a", "1").file("bin/a", 0o755, "a").conffile("etc/a", "a");
    let deb = image.package(&deb);
    let image: &Image = &image;
    image.with_process(|process| {
        let mut engine = Engine::new(process, image, Options::default());
        assert_eq!(engine.unpack(&[Arc::clone(&deb)]), Ok(0));
    });
    let told = image.installed.borrow();
    let files: Vec<String> = told[0]
        .files
        .iter()
        .map(|(at, path)| format!("{} {path}", deb.members[*at].name))
        .collect();
    assert_eq!(files, ["bin/a usr/bin/a"]);
}

#[test]
fn nothing_hostile_gets_further() {
    let newline = NewDeb::new("a", "1").file("usr/share/a\nb", 0o644, "");
    let relative = NewDeb::new("a", "1").control_file("conffiles", 0o644, "etc/a\n");
    let nonsense = NewDeb::new("a", "1").control_file("triggers", 0o644, "listen x\n");
    let escaping =
        NewDeb::new("a", "1").control_file("triggers", 0o644, "interest ../../x\ninterest File\n");
    let foreign = NewDeb::new("a", "1").field("Architecture", "i386");
    let nameless = NewDeb::new("../a", "1");
    for deb in [&newline, &relative, &nonsense, &escaping, &foreign, &nameless] {
        let ended = after(&mut Image::new(), &[Do::Install(&[deb])]);
        assert!(ended.contains("error processing archive"), "{ended}");
    }
}
