//! The language, by tables of scripts and what they print.

use crate::fixture::Image;

#[test]
fn first() {
    let image = Image::new();
    for script in std::env::var("SCRIPTS").unwrap_or_default().split("\u{1}") {
        println!("--- {script}\n{}", image.sh(script));
        println!("--- bash\n{}", image.bash(script));
    }
}
