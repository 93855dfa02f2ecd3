//! `cargo xtask archive`: records Debian's archive for the tests, ahead of those that want it.

use testbed::Failure;
use testbed::debian::Archive;

use crate::Outcome;

pub fn run(arguments: &[String]) -> Outcome {
    match arguments {
        [] => {}
        [option] if option == "--renew" => Archive::renew()?,
        _ => return Err(Failure::new("archive takes nothing but --renew")),
    }
    let archive = Archive::start()?;
    println!("recording {}", archive.identity());
    for (suite, date) in archive.dates()? {
        println!("{suite}: {date}");
    }
    Ok(())
}
