//! The first `plywood.toml` of a project.

use super::documents::document;
use crate::{ProjectFiles, initial_toml};

#[test]
fn placeholder() {
    let text = initial_toml(&ProjectFiles::default());
    document(&text);
    println!("{text}");
}
