//! `cargo xtask house`: downloads the lists of wheels ahead of the tests that want them.

use testbed::{Architecture, House};

use crate::Outcome;

/// Every list that tests use, and for which machines.
const LISTS: &[(&str, Architecture)] = &[
    ("beam", Architecture::X86_64),
    ("benchmark", Architecture::Aarch64),
    ("benchmark", Architecture::X86_64),
    ("bumped", Architecture::X86_64),
    ("image", Architecture::X86_64),
    ("many", Architecture::X86_64),
    ("sixty", Architecture::X86_64),
    ("tensorflow", Architecture::X86_64),
    ("torch", Architecture::Aarch64),
    ("uv", Architecture::X86_64),
];

pub fn run(arguments: &[String]) -> Outcome {
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|it| it == name);
    for (name, architecture) in LISTS.iter().filter(|(name, _)| wanted(name)) {
        let house = House::listed_for(name, *architecture)?;
        let offers = house.offers()?;
        let megabytes = offers.iter().map(|offer| offer.size).sum::<u64>() / 1_000_000;
        println!("{name} {}: {} files, {megabytes} MB", architecture.name(), offers.len());
    }
    Ok(())
}
