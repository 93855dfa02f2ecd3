//! What is made natively, against the programs that make it.

mod certificates;
mod ldconfig;
mod packages;

use std::path::Path;

use shell::Outcome;
use sides::House;

/// What a command comes to over a tree as it is now.
fn evaluated(root: &Path, words: &[&str]) -> Outcome {
    House::of(root).evaluate(words).unwrap()
}
