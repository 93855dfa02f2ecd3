//! The order in which apt walks packages: that of its hash table.

use std::cmp::Ordering;

use super::{Catalog, PackageId};

/// How many places the table has, unless it is set otherwise.
const PLACES: u32 = 196_613;

/// The place of a name.
fn place(name: &str) -> u32 {
    let step = |hash: u32, byte: u8| {
        hash.wrapping_mul(33).wrapping_add(u32::from(byte.to_ascii_lowercase()))
    };
    name.bytes().fold(5381, step) % PLACES
}

/// All packages in that order.
pub(super) fn walk(catalog: &Catalog<'_>) -> Vec<PackageId> {
    let mut groups: Vec<(u32, usize)> = Vec::with_capacity(catalog.groups.len());
    for (at, group) in catalog.groups.iter().enumerate() {
        groups.push((place(&group.name), at));
    }
    groups.sort_unstable_by(|(one, one_at), (other, other_at)| {
        one.cmp(other).then_with(|| by_length(catalog, *one_at, *other_at))
    });
    groups.into_iter().flat_map(|(_, at)| catalog.groups[at].packages.iter().copied()).collect()
}

fn by_length(catalog: &Catalog<'_>, one: usize, other: usize) -> Ordering {
    let (one, other) = (&catalog.groups[one].name, &catalog.groups[other].name);
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_places_whatever_their_case() {
        assert_eq!(place("bash"), place("BASH"));
        assert_ne!(place("bash"), place("dash"));
    }
}
