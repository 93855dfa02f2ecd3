//! What the programs do with a few files, as `transcripts/*.txt` have it.
//!
//! There, a line of `sh` stands behind a `$`, and below it what came of it, as [`Image::sh`] shows
//! it, but for white space at the ends of lines. What real programs say to the same lines is asked
//! by the target `oracles`.

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

fn check(image: &Image, transcript: &str) {
    // What is in front of the first line is about the file.
    for row in transcript.split("\n$ ").skip(1) {
        let (line, expected) = row.split_once('\n').unwrap_or((row, ""));
        let shown: Vec<String> =
            image.sh(line).lines().map(|line| line.trim_end().to_owned()).collect();
        assert_eq!(shown.join("\n").trim_end(), expected.trim_end(), "{line}");
    }
}

#[test]
fn files_are_copied_and_moved() {
    check(&image(), include_str!("transcripts/copying.txt"));
}

#[test]
fn files_are_made_and_removed() {
    check(&image(), include_str!("transcripts/removing.txt"));
}

#[test]
fn modes_and_owners_are_changed() {
    check(&image(), include_str!("transcripts/modes.txt"));
}

#[test]
fn files_are_shown() {
    check(&image(), include_str!("transcripts/names.txt"));
}

#[test]
fn files_are_found() {
    check(&image(), include_str!("transcripts/finding.txt"));
}

#[test]
fn archives_are_made_and_unpacked() {
    check(&image(), include_str!("transcripts/archives.txt"));
}

/// Compared with Info-ZIP's in a directory with the same archive.
#[test]
fn zip_archives_are_unpacked() {
    let mut image = image();
    image.file("work/small.zip", include_bytes!("transcripts/small.zip"), 0o644);
    check(&image, include_str!("transcripts/unzip.txt"));
}
