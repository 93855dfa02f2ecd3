//! Sorting as apt's C++ library does it: quickly, and not keeping the order of equals. Where apt sorts
//! packages of equal rank, what comes first depends on it.

/// Up to this many are sorted by insertion.
const FEW: usize = 16;

/// Sorts by what is less; an order that contradicts itself gives some order.
pub(super) fn sort<T: Copy>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    if items.len() < 2 {
        return;
    }
    let depth = 2 * items.len().ilog2();
    partition_all(items, depth, &less);
    let few = items.len().min(FEW);
    for at in 1..few {
        if less(&items[at], &items[0]) {
            items[..=at].rotate_right(1);
        } else {
            insert(items, at, &less);
        }
    }
    for at in few..items.len() {
        insert(items, at, &less);
    }
}

fn partition_all<T: Copy>(items: &mut [T], depth: u32, less: &impl Fn(&T, &T) -> bool) {
    let (mut end, mut depth) = (items.len(), depth);
    while end > FEW {
        if depth == 0 {
            // C++ has a heap sort here, which no list of packages has come to.
            for at in 1..end {
                insert(&mut items[..end], at, less);
            }
            return;
        }
        depth -= 1;
        let cut = partition(&mut items[..end], less);
        partition_all(&mut items[cut..end], depth, less);
        end = cut;
    }
}

/// Splits by the median of the second, the middle and the last.
fn partition<T: Copy>(items: &mut [T], less: &impl Fn(&T, &T) -> bool) -> usize {
    let (one, two, three) = (1, items.len() / 2, items.len() - 1);
    let is_less = |a: usize, b: usize| less(&items[a], &items[b]);
    let median = match (is_less(one, two), is_less(two, three), is_less(one, three)) {
        (true, true, _) => two,
        (true, false, true) => three,
        (true, false, false) => one,
        (false, _, true) => one,
        (false, true, false) => three,
        (false, false, false) => two,
    };
    items.swap(0, median);
    let pivot = items[0];
    let (mut first, mut last) = (1, items.len());
    loop {
        while first < items.len() && less(&items[first], &pivot) {
            first += 1;
        }
        last -= 1;
        while last > 0 && less(&pivot, &items[last]) {
            last -= 1;
        }
        if first >= last {
            return first.clamp(1, items.len() - 1);
        }
        items.swap(first, last);
        first += 1;
    }
}

/// Moves one to the left, as far as it is less.
fn insert<T: Copy>(items: &mut [T], at: usize, less: &impl Fn(&T, &T) -> bool) {
    let mut place = at;
    while place > 0 && less(&items[at], &items[place - 1]) {
        place -= 1;
    }
    items[place..=at].rotate_right(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_sorted_and_equals_are_not_kept() {
        for length in [0, 1, 2, 15, 16, 17, 100, 1000] {
            let mut items: Vec<u32> =
                (0..length).map(|at: u32| at.wrapping_mul(2_654_435_761) % 97).collect();
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items, |one, other| one < other);
            assert_eq!(items, expected, "{length}");
        }
        // What std::sort of GCC 12 makes of twenty equals.
        let mut equals: Vec<u32> = (0..20).collect();
        sort(&mut equals, |_, _| false);
        insta::assert_compact_debug_snapshot!(equals, @"[10, 19, 18, 17, 16, 15, 14, 13, 12, 11, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1]");
        // An order that contradicts itself is no reason to fail.
        sort(&mut equals, |_, _| true);
    }
}
