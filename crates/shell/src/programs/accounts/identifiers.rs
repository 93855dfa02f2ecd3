//! Numbers for new users and groups (shadow's `find_new_uid`, `find_new_gid`, `find_new_sub_uids`).

use std::collections::BTreeSet;

use bstr::ByteSlice;

use super::database::Database;
use super::lookup::number;
use super::settings::Settings;

/// Whose numbers, in the names of login.defs(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    User,
    Group,
}

/// Whether an account is for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Person,
    System,
}

/// The numbers that an account may get.
pub(super) fn range(settings: &Settings, id: Id, purpose: Purpose) -> (u32, u32) {
    let keys = match id {
        Id::User => ["UID_MIN", "UID_MAX", "SYS_UID_MIN", "SYS_UID_MAX"],
        Id::Group => ["GID_MIN", "GID_MAX", "SYS_GID_MIN", "SYS_GID_MAX"],
    };
    let least = settings.number(keys[0], 1000);
    match purpose {
        Purpose::Person => (least, settings.number(keys[1], 60000)),
        Purpose::System => {
            let most = settings.number(keys[3], least.saturating_sub(1));
            (settings.number(keys[2], 101), most)
        }
    }
}

/// A number that is not used: for people above the highest one, for programs below the lowest, and
/// anywhere in the range if that is full. `None` if all are used.
pub(super) fn free(
    used: &BTreeSet<u32>,
    (least, most): (u32, u32),
    purpose: Purpose,
) -> Option<u32> {
    if least > most {
        return None;
    }
    let is_free = |id: &u32| !used.contains(id);
    match purpose {
        Purpose::Person => {
            let highest = used.range(least..=most).next_back();
            let start = highest.map_or(least, |highest| highest.saturating_add(1));
            (start..=most).find(is_free).or_else(|| (least..=most).find(is_free))
        }
        Purpose::System => {
            let lowest = used.range(least..=most).next();
            let start = lowest.map_or(Some(most), |lowest| lowest.checked_sub(1));
            let below = start.and_then(|start| (least..=start).rev().find(is_free));
            below.or_else(|| (least..=most).rev().find(is_free))
        }
    }
}

/// The first numbers of a range of subordinate ones that nobody has; `None` if there is no room.
pub(super) fn free_subordinate(
    database: &Database,
    settings: &Settings,
    id: Id,
) -> Option<(u32, u32)> {
    let keys = match id {
        Id::User => ["SUB_UID_MIN", "SUB_UID_MAX", "SUB_UID_COUNT"],
        Id::Group => ["SUB_GID_MIN", "SUB_GID_MAX", "SUB_GID_COUNT"],
    };
    let (least, most) = (settings.number(keys[0], 100_000), settings.number(keys[1], 600_100_000));
    let count = settings.number(keys[2], 65_536);
    let mut taken: Vec<(u32, u32)> = database
        .records()
        .filter_map(|(_, fields)| {
            Some((number(fields[1].as_bstr())?, number(fields[2].as_bstr())?))
        })
        .collect();
    taken.sort_unstable();
    let mut low = least;
    for (start, length) in taken {
        if start > low && start - low >= count {
            break;
        }
        low = low.max(start.saturating_add(length));
    }
    (most.checked_sub(low)?.saturating_add(1) >= count).then_some((low, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_counted_up_and_programs_down() {
        let used = |ids: &[u32]| ids.iter().copied().collect::<BTreeSet<u32>>();
        for (ids, purpose, expected) in [
            (&[][..], Purpose::Person, Some(10)),
            (&[10, 12], Purpose::Person, Some(13)),
            (&[10, 19], Purpose::Person, Some(11)),
            (&[5, 30], Purpose::Person, Some(10)),
            (&[], Purpose::System, Some(19)),
            (&[19, 15], Purpose::System, Some(14)),
            (&[10, 19], Purpose::System, Some(18)),
            (&[10, 11, 12, 13, 14, 15, 16, 17, 18, 19], Purpose::System, None),
        ] {
            assert_eq!(free(&used(ids), (10, 19), purpose), expected, "{ids:?} {purpose:?}");
        }
    }
}
