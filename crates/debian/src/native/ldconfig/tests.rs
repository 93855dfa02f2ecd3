//! Caches and links of small images.

use insta::assert_snapshot;

use crate::native::elf::made::MadeElf;
use crate::native::fixture::Image;

/// A program that has what is read of it.
fn program(generator: &str, directories: &[&str]) -> Vec<u8> {
    let mut bytes = MadeElf::amd64("ldconfig").bytes();
    let list: Vec<String> = directories.iter().map(|directory| format!("{directory}\0")).collect();
    bytes.extend_from_slice(format!("\0%s: hello\0\0{}\0{generator}\0", list.concat()).as_bytes());
    bytes
}

const DIRECTORIES: &[&str] =
    &["/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/", "/lib/", "/usr/lib/"];
const BOOKWORM: &str = "ldconfig (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36";

fn image() -> Image {
    let mut image = Image::new();
    image
        .file("usr/sbin/ldconfig", program(BOOKWORM, DIRECTORIES))
        .directory("usr/lib/x86_64-linux-gnu")
        .directory("etc/ld.so.conf.d")
        .file("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n\n")
        .file("etc/ld.so.conf.d/libc.conf", "# comment\n/usr/local/lib\n");
    image
}

fn library(soname: &'static str) -> Vec<u8> {
    MadeElf::amd64(soname).bytes()
}

#[test]
fn links_are_made_and_taken_away() {
    let mut image = image();
    image
        .file("usr/lib/x86_64-linux-gnu/libz.so.1.2.13", library("libz.so.1"))
        .file("usr/lib/x86_64-linux-gnu/libz.so.1.3", library("libz.so.1"))
        .link("usr/lib/x86_64-linux-gnu/libz.so", "libz.so.1.3")
        .link("usr/lib/x86_64-linux-gnu/libgone.so.1", "libgone.so.1.2")
        .link("usr/lib/x86_64-linux-gnu/libdev.so", "libdev.so.1.2")
        .file("usr/lib/x86_64-linux-gnu/liba.so.1", library("liba.so.1"))
        .file("usr/lib/x86_64-linux-gnu/libb.so.1", library("libc.so.9"))
        .file("usr/lib/x86_64-linux-gnu/libscript.so", "/* GNU ld script */ GROUP ( libz.so.1 )\n")
        .file("usr/lib/x86_64-linux-gnu/libempty.so", "")
        .file("usr/lib/x86_64-linux-gnu/plugin.so", library("plugin.so"));
    assert_snapshot!(image.show(&["ldconfig", "-v"]), @"");
    assert_snapshot!(image.show(&["ldconfig", "-X", "-N"]), @"");
    assert_snapshot!(image.show(&["sh", "-c", "ldconfig && ldconfig -p"]), @"");
}

#[test]
fn directories_come_from_the_configuration() {
    let mut image = image();
    image
        .directory("usr/local")
        .directory("usr/local/lib")
        .file("usr/local/lib/libown.so.2", library("libown.so.2"))
        .directory("opt")
        .directory("opt/one")
        .link("opt/two", "one")
        .file("opt/one/libopt.so.1", library("libopt.so.1"))
        .file("etc/ld.so.conf.d/own.conf", "/opt/two/ # here\n/opt/one\n/opt/none\nhwcap 1 x\n")
        .file("etc/ld.so.conf.d/own.conf.dpkg-old", "/usr\n")
        .directory("opt/one/glibc-hwcaps")
        .directory("opt/one/glibc-hwcaps/x86-64-v2")
        .directory("opt/one/glibc-hwcaps/x86-64-v3")
        .directory("opt/one/glibc-hwcaps/x86-64-v4")
        .directory("opt/one/tls")
        .file("opt/one/tls/libopt.so.1", library("libopt.so.1"))
        .file(
            "opt/one/glibc-hwcaps/x86-64-v3/libopt.so.1.5",
            MadeElf { isa_needed: Some(4), ..MadeElf::amd64("libopt.so.1") }.bytes(),
        )
        .file("opt/one/glibc-hwcaps/x86-64-v2/libopt.so.1.4", library("libopt.so.1"));
    assert_snapshot!(image.show(&["sh", "-c", "ldconfig -v && ldconfig -p"]), @"");
}

#[test]
fn a_cache_is_laid_out_as_the_loader_reads_it() {
    let mut image = image();
    image.file("usr/lib/x86_64-linux-gnu/libz.so.1", library("libz.so.1"));
    let bytes = image.written(&["ldconfig"], "etc/ld.so.cache");
    assert_snapshot!(bytes.escape_ascii().to_string(), @"");
}

#[test]
fn what_is_not_known_is_refused() {
    let mut image = image();
    assert_snapshot!(image.show(&["ldconfig", "-l", "x"]), @"");
    assert_snapshot!(image.show(&["ldconfig", "-r", "/mnt"]), @"");
    assert_snapshot!(image.show(&["ldconfig", "lib"]), @"");
    let old = "ldconfig (Debian GLIBC 2.31-13) stable release version 2.31";
    image.file("usr/sbin/ldconfig", program(old, DIRECTORIES));
    assert_snapshot!(image.show(&["ldconfig"]), @"");
    image.file("usr/sbin/ldconfig", "\x7fELF");
    assert_snapshot!(image.show(&["ldconfig"]), @"");
    image.file("usr/sbin/ldconfig", "#!/bin/sh\necho script \"$@\"\n");
    assert_snapshot!(image.show(&["ldconfig", "-x"]), @"");
}
