#![no_main]
//! Wheels, whoever packed them.
//!
//! What is installed stays below the prefix, comes in order, each path once; and what a member says
//! of itself is what its bytes turn out to be, or an error.

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use oci::ImagePath;
use python::{FileOrigin, InstallOptions, Interpreter, Layout, Version, Wheel, collisions};

const FILENAME: &str = "sample-1.0-py3-none-any.whl";
/// More would be slow, and says no more.
const LONGEST: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(wheel) = Wheel::read(&bytes, bytes.len() as u64, FILENAME) else { return };
    if wheel.members().iter().map(|member| member.size).sum::<u64>() > LONGEST {
        return;
    }
    for (index, member) in wheel.members().iter().enumerate() {
        let mut content = Vec::new();
        if wheel.open(index, &bytes).read_to_end(&mut content).is_ok() {
            assert_eq!(content.len() as u64, member.size);
        }
        assert!(member.raw_range().end <= bytes.len() as u64);
    }
    let direct_url = Some("{}");
    let options = InstallOptions { requested: true, direct_url, ..InstallOptions::default() };
    let Ok(installation) = wheel.install(&bytes, &interpreter(), &options) else { return };
    assert!(installation.files.is_sorted_by(|a, b| a.path < b.path && !b.path.starts_with(&a.path)));
    let prefix = ImagePath::lexical("usr/local");
    for file in &installation.files {
        assert!(file.path != prefix && file.path.starts_with(&prefix));
        match &file.origin {
            FileOrigin::Member(index) => assert_eq!(wheel.member(*index).size, file.content.size),
            FileOrigin::Inline(bytes) => assert_eq!(layer::Content::of(bytes), file.content),
        }
    }
    assert_eq!(collisions(&[&installation, &installation]), []);
});

fn interpreter() -> Interpreter {
    let packages = ImagePath::lexical("usr/local/lib/python3.11/site-packages");
    Interpreter {
        executable: "/usr/local/bin/python3.11".to_owned(),
        version: Version { major: 3, minor: 11, patch: 7, suffix: String::new() },
        free_threaded: false,
        layout: Layout {
            purelib: packages.clone(),
            platlib: packages.clone(),
            scripts: ImagePath::lexical("usr/local/bin"),
            headers: ImagePath::lexical("usr/local/include/python3.11"),
            data: ImagePath::lexical("usr/local"),
        },
        search_path: vec![packages],
        externally_managed: false,
    }
}
