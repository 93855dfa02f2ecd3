//! Which packages share a layer.
//!
//! A large package has a layer of its own, and small ones share, by a tree over the hashes of their
//! names: a package that comes, goes or changes its size moves the layer that it is in, and at worst
//! splits it or joins it with its neighbour's.

use super::{few_enough, name_hash};

/// From how many bytes on a package has a layer of its own, and as many make a shared one split.
const LARGE: u64 = 8 << 20;
/// Hashes of names have so many bits to be told apart by.
const MAX_DEPTH: u32 = 64;

/// A package, as far as grouping goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sized<'a> {
    pub(crate) name: &'a str,
    /// Bytes when installed.
    pub(crate) size: u64,
}

/// Deals packages out to layers, `most` at most and one at least: positions in `packages`, each
/// once. Layers of one package come first, by name, then shared ones; the order within one is that
/// of `packages`.
pub(crate) fn group(packages: &[Sized<'_>], most: usize) -> Vec<Vec<usize>> {
    few_enough(LARGE, most, |large| group_by(packages, large))
        .unwrap_or_else(|| vec![(0..packages.len()).collect()])
}

fn group_by(packages: &[Sized<'_>], large: u64) -> Vec<Vec<usize>> {
    let (mut alone, small): (Vec<usize>, Vec<usize>) =
        (0..packages.len()).partition(|at| packages[*at].size >= large);
    alone.sort_by_key(|at| packages[*at].name);
    let mut groups: Vec<Vec<usize>> = alone.into_iter().map(|at| vec![at]).collect();
    let small = small.into_iter().map(|at| (name_hash(packages[at].name.as_bytes()), at)).collect();
    split(packages, small, large, 0, &mut groups);
    groups
}

/// Splits what is too large by the next bit of the names' hashes.
fn split(
    packages: &[Sized<'_>],
    group: Vec<(u64, usize)>,
    large: u64,
    depth: u32,
    groups: &mut Vec<Vec<usize>>,
) {
    let size = group.iter().fold(0, |sum: u64, (_, at)| sum.saturating_add(packages[*at].size));
    if size < large || group.len() < 2 || depth == MAX_DEPTH {
        if !group.is_empty() {
            groups.push(group.into_iter().map(|(_, at)| at).collect());
        }
        return;
    }
    let (ones, zeros): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|(hash, _)| hash.rotate_left(depth + 1) & 1 == 1);
    split(packages, zeros, large, depth + 1, groups);
    split(packages, ones, large, depth + 1, groups);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn named(groups: &[Vec<usize>], packages: &[Sized<'_>]) -> BTreeSet<BTreeSet<String>> {
        let name = |at: &usize| packages[*at].name.to_owned();
        groups.iter().map(|group| group.iter().map(name).collect()).collect()
    }

    fn sixty() -> Vec<(String, u64)> {
        (0..60).map(|n| (format!("package-{n}"), (n * n * 37 % 41) * MIB / 3 + 1000)).collect()
    }

    fn sized(packages: &[(String, u64)]) -> Vec<Sized<'_>> {
        packages.iter().map(|(name, size)| Sized { name, size: *size }).collect()
    }

    #[test]
    fn a_few_small_packages_share_one_layer() {
        let packages = [Sized { name: "a", size: MIB }, Sized { name: "b", size: 2 * MIB }];
        assert_eq!(group(&packages, 10), [[0, 1]]);
        assert_eq!(group(&[], 10), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn large_packages_have_layers_of_their_own() {
        let packages = [
            Sized { name: "torch", size: 900 * MIB },
            Sized { name: "six", size: 1000 },
            Sized { name: "numpy", size: 60 * MIB },
            Sized { name: "idna", size: 1000 },
        ];
        assert_eq!(group(&packages, 10), [vec![2], vec![0], vec![1, 3]]);
        // Too few layers for that: the smaller ones move together.
        assert_eq!(group(&packages, 2), [vec![0], vec![1, 2, 3]]);
        assert_eq!(group(&packages, 1), [[0, 1, 2, 3]]);
        assert_eq!(group(&packages, 0), [[0, 1, 2, 3]]);
    }

    #[test]
    fn sizes_that_cannot_be_come_to_an_end() {
        let packages = [Sized { name: "a", size: u64::MAX }, Sized { name: "b", size: u64::MAX }];
        assert_eq!(group(&packages, 1), [[0, 1]]);
        assert_eq!(group(&packages, 2), [[0], [1]]);
    }

    #[test]
    fn every_package_is_in_one_layer_and_layers_are_few_enough() {
        let packages = sixty();
        let packages = sized(&packages);
        for most in 1..80 {
            let groups = group(&packages, most);
            assert!(groups.len() <= most);
            let mut all: Vec<usize> = groups.concat();
            all.sort_unstable();
            assert_eq!(all, (0..60).collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_package_more_moves_one_layer() {
        let packages = sixty();
        for left_out in 0..60 {
            let mut fewer = packages.clone();
            fewer.remove(left_out);
            let (before, after) = (sized(&fewer), sized(&packages));
            let before = named(&group(&before, 60), &before);
            let after = named(&group(&after, 60), &after);
            // What it joins is another set now, or two.
            assert!(before.difference(&after).count() <= 1, "without package-{left_out}");
        }
    }

    #[test]
    fn the_order_of_packages_does_not_matter() {
        let mut packages = sixty();
        let before = { named(&group(&sized(&packages), 30), &sized(&packages)) };
        packages.reverse();
        assert_eq!(named(&group(&sized(&packages), 30), &sized(&packages)), before);
    }
}
