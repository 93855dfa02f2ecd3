//! Wheels that chance made: whatever they are, there is an answer.

use std::io::Read;

use proptest::prelude::*;

use super::installed::{INTERPRETER, interpreter};
use super::zip::{FILENAME, Zip, info};
use crate::wheel::{FileOrigin, InstallOptions, Wheel};

/// Reads, installs and unpacks, as far as that goes.
fn go_through(bytes: &[u8], filename: &str) {
    let Ok(wheel) = Wheel::read(&bytes, bytes.len() as u64, filename) else { return };
    for index in 0..wheel.members().len() {
        let _ = wheel.open(index, &bytes).read_to_end(&mut Vec::new());
    }
    let options = InstallOptions { requested: true, ..InstallOptions::default() };
    let Ok(installation) = wheel.install(&bytes, &interpreter(INTERPRETER), &options) else {
        return;
    };
    assert!(installation.files.is_sorted_by(|a, b| a.path < b.path));
    for file in &installation.files {
        assert!(file.path.to_string().starts_with("usr/local/"), "{}", file.path);
        if let FileOrigin::Member(index) = file.origin {
            assert_eq!(wheel.member(index).size, file.content.size);
        }
    }
}

fn sample() -> Vec<u8> {
    let entry_points = "[console_scripts]\nsample = sample:main [x]\npip = sample:pip\n";
    let mut zip = Zip::wheel(&[
        ("sample/__init__.py", "def main(): pass\n"),
        ("sample-1.0.data/scripts/run", "#!python\nimport sample\n"),
        ("sample-1.0.data/data/share/x", "x"),
        (&info("entry_points.txt"), entry_points),
    ]);
    zip.zip64 = true;
    zip.bytes()
}

proptest! {
    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), name in ".*") {
        go_through(&bytes, FILENAME);
        go_through(&bytes, &name);
    }

    #[test]
    fn mutated_wheels(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = sample();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        go_through(&bytes, FILENAME);
    }

    #[test]
    fn mutated_metadata(
        record in "[a-z/.,\"=\r\n]{0,60}",
        entry_points in "(\\[(console|gui)_scripts\\]\n)?([a-z./]{0,4}[ =:\\[\\]a-z.]{0,8}\n){0,3}",
        name in "(sample-1.0.data/(scripts|data|headers|x)/)?[a-z./]{1,12}",
    ) {
        let zip = Zip::wheel(&[
            (&info("RECORD"), &record),
            (&info("entry_points.txt"), &entry_points),
            (&name, "#!python"),
        ]);
        go_through(&zip.bytes(), FILENAME);
    }
}
