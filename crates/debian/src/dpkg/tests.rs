//! Packages through all that can become of them.

use std::sync::Arc;

use shell::{Process, Stop};

use super::engine::{Engine, Options, Removal};
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
        .script(
            "postinst",
            "echo \"$0 $*\" \"$DPKG_MAINTSCRIPT_PACKAGE\"; cat /var/lib/dpkg/updates/*",
        )
        .file("bin/a", 0o755, "program")
        .hardlink("bin/again", "bin/a")
        .link("usr/share/a", "../bin/a")
        .conffile("etc/a.conf", "setting");
    let b = NewDeb::new("b", "2");
    insta::assert_snapshot!(after(&mut Image::new(), &[Do::Install(&[&deb, &b])]), @"");
}
