//! Debian's archive, the bases made of it, and apt over them.

use std::io::Write;
use std::net::TcpStream;

use testbed::Result;
use testbed::debian::{self, Archive, Workshop};

#[test]
fn apt_updates_and_installs_by_the_archive() -> Result {
    let archive = Archive::start()?;
    let base = debian::fresh(&archive)?;
    let workshop = Workshop::copy_of(&base.root, &archive)?;
    workshop.run("apt-get update && apt-get install -y --no-install-recommends hello")?;
    assert_eq!(workshop.run("hello")?, "Hello, world!\n");
    assert_eq!(workshop.run("apt-get -s dist-upgrade | grep ^Inst || true")?, "");
    let asked = archive.requests();
    assert!(asked.iter().any(|fetch| fetch.path.contains("/by-hash/SHA256/")), "{asked:?}");
    assert!(asked.iter().all(|fetch| fetch.path.starts_with("http://debian.test/")), "{asked:?}");
    Ok(())
}

#[test]
fn the_aged_base_has_something_to_upgrade() -> Result {
    let archive = Archive::start()?;
    let base = debian::aged(&archive)?;
    let workshop = Workshop::copy_of(&base.root, &archive)?;
    assert_eq!(workshop.run("dpkg --audit")?, "");
    let forced = workshop.run(
        "apt-get update -qq && apt-get -s install --no-install-recommends libc6-dev | grep ^Inst",
    )?;
    for package in ["Inst libc6 [", "Inst libc-bin ["] {
        assert!(forced.contains(package), "{forced}");
    }
    Ok(())
}

#[test]
fn slim_bases_leave_documentation_out() -> Result {
    let archive = Archive::start()?;
    let base = debian::slim(&archive)?;
    let workshop = Workshop::copy_of(&base.root, &archive)?;
    workshop.run("apt-get update && apt-get install -y --no-install-recommends hello")?;
    let listed = workshop.run("cd / && ls usr/share/doc/hello; find usr/share/man -type f")?;
    assert_eq!(listed, "copyright\n");
    Ok(())
}

#[test]
fn nothing_but_the_archive_is_to_be_had() -> Result {
    let archive = Archive::start()?;
    let get = |url: &str| {
        let mut stream = TcpStream::connect(archive.proxy().strip_prefix("http://").unwrap());
        let stream = stream.as_mut().unwrap();
        write!(stream, "HEAD {url} HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
        let answer = std::io::read_to_string(stream).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(get("http://debian.test/debian/dists/bookworm/InRelease"), "200");
    assert_eq!(get("http://debian.test/debian/dists/bookworm/main/source/Sources.xz"), "404");
    assert_eq!(get("http://debian.test/debian/pool/../../x"), "404");
    assert_eq!(get("http://elsewhere.test/debian/dists/bookworm/InRelease"), "502");
    Ok(())
}
