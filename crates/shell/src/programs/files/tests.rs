//! What the programs do with a few files, as `transcripts/*.txt` have it.
//!
//! There, a line of `sh` stands behind a `$`, and below it what came of it, as
//! [`Image::sh`] shows it. What real programs say to the same lines is asked by the target
//! `oracles`.

use crate::fixture::Image;

/// Directories, files and links of all kinds, where lines are run.
fn image() -> Image {
    let mut image = Image::new();
    image
        .directory("work/d", 0o755)
        .file("work/d/a", "one", 0o644)
        .directory("work/d/s", 0o700)
        .file("work/d/s/b", "two", 0o755)
        .link("work/d/l", "a")
        .file("work/f", "text", 0o644)
        .file("work/g", "other", 0o644)
        .link("work/lf", "f")
        .link("work/dl", "nowhere")
        .link("work/ld", "d");
    image
}

fn check(transcript: &str) {
    let image = image();
    // What is in front of the first line is about the file.
    for row in transcript.split("\n$ ").skip(1) {
        let (line, expected) = row.split_once('\n').unwrap_or((row, ""));
        assert_eq!(image.sh(line), expected.trim_end_matches('\n'), "{line}");
    }
}

#[test]
fn files_are_copied_and_moved() {
    check(include_str!("transcripts/copying.txt"));
}

#[test]
fn files_are_made_and_removed() {
    check(include_str!("transcripts/removing.txt"));
}

#[test]
fn modes_and_owners_are_changed() {
    check(include_str!("transcripts/modes.txt"));
}

#[test]
fn files_are_shown() {
    check(include_str!("transcripts/names.txt"));
}

#[test]
fn files_are_found() {
    check(include_str!("transcripts/finding.txt"));
}

#[test]
fn archives_are_made_and_unpacked() {
    check(include_str!("transcripts/archives.txt"));
}
