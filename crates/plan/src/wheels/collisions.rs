//! Wheels that are in each other's way.

use std::collections::{BTreeMap, HashMap, HashSet};

use oci::ImagePath;
use python::{Collision, Installation};
use recipe::Span;

use super::warn;
use crate::error::{PlanError, Step};
use crate::stage::StagePlanner;

/// Of each wheel, by its position, the paths at which another one's file stays.
pub(super) type Lost = HashMap<usize, HashSet<ImagePath>>;

/// Compares wheels in the order in which they are installed: of two files at a path the later one
/// stays, as pip's does. What is the same in both is in both, so that neither wheel's layer changes
/// with the other.
pub(super) fn settle(
    planner: &mut StagePlanner<'_, '_>,
    wheels: &[Installation],
    span: &Span,
) -> Step<Lost> {
    let position: HashMap<&str, usize> =
        wheels.iter().enumerate().map(|(at, wheel)| (wheel.wheel.as_str(), at)).collect();
    let mut lost = Lost::new();
    let mut pairs: BTreeMap<(String, String), (ImagePath, usize)> = BTreeMap::new();
    for collision in python::collisions(&wheels.iter().collect::<Vec<_>>()) {
        let (path, loser, winner) = match collision {
            Collision::Overwritten { path, loser, winner } => (path, loser, winner),
            Collision::InTheWay { .. } => {
                let error = PlanError::files(span.clone(), collision.to_string());
                return Err(error.with_hint("they cannot be installed together").into());
            }
        };
        if let Some(at) = position.get(loser.as_str()) {
            lost.entry(*at).or_default().insert(path.clone());
        }
        pairs.entry((loser, winner)).or_insert((path, 0)).1 += 1;
    }
    for ((loser, winner), (path, count)) in pairs {
        let more = match count {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message =
            format!("`{loser}` and `{winner}` both have `/{path}`{more}; that of `{winner}` stays");
        warn(planner, span, message, None);
    }
    Ok(lost)
}
