//! Which of what an instruction lays shares a layer.
//!
//! A registry and a node keep whole layers, so a layer should change only with what is in it: the
//! large is laid alone, the small together. Who is with whom follows from names and sizes alone, so
//! that it is the same on every machine, and one thing that comes, goes or changes moves few layers.
//! The sizes that count double until the layers are few enough. That moves many layers at once, and
//! happens at few sizes only.

pub(crate) mod files;
pub(crate) mod packages;

use oci::Digest;
use recipe::{Instruction, Spanned, Stage};

use crate::stage::StagePlanner;
use crate::wheels;

/// How many layers an image gets at most, if nothing else is asked for. Docker takes 127, and each
/// costs every node that pulls the image a request and a mount.
const MAX_IMAGE_LAYERS: usize = 60;
/// An instruction gets some layers even on a base that has many.
const LEAST_LAYERS: usize = 4;

/// How many layers an instruction may take, with those in mind that are yet to come.
pub(crate) fn most_layers(planner: &StagePlanner<'_, '_>) -> usize {
    match planner.max_layers {
        Some(most) => most.saturating_sub(taken(planner)).max(1),
        None => MAX_IMAGE_LAYERS.saturating_sub(taken(planner)).max(LEAST_LAYERS),
    }
}

/// How many layers the image has without those of the instruction that is planned.
fn taken(planner: &StagePlanner<'_, '_>) -> usize {
    planner.state.tree.depth() + planner.layers_to_come
}

/// How many layers the image may have at most by what a stage says.
pub(crate) fn max_layers(stage: &Stage) -> Option<usize> {
    let limits = stage.instructions.iter().filter_map(|step| match &step.instruction {
        Instruction::Python(packages) => packages.max_layers.as_ref(),
        Instruction::Debian(packages) => packages.max_layers.as_ref(),
        _ => None,
    });
    limits.map(|limit| limit.node).min()
}

/// Warns if `max-layers` leaves the packages that it is said with no layer.
pub(crate) fn warn_of_limit(planner: &mut StagePlanner<'_, '_>, limit: Option<&Spanned<usize>>) {
    let taken = taken(planner);
    let Some(limit) = limit.filter(|limit| limit.node <= taken) else { return };
    let message = format!(
        "`max-layers` is {}, and without packages the image has {taken} already",
        limit.node
    );
    let hint = "all packages share one layer".to_owned();
    wheels::warn(planner, &limit.span, message, Some(hint));
}

/// The first way to deal things out that makes `most` layers at most, one of them at least, from
/// `large` bytes on; nothing if there is none.
fn few_enough<T>(large: u64, most: usize, deal: impl Fn(u64) -> Vec<T>) -> Option<Vec<T>> {
    let sizes = std::iter::successors(Some(large), |large| large.checked_mul(2));
    sizes.map(deal).find(|groups| groups.len() <= most.max(1))
}

/// What decides where a name goes, and says nothing about it.
fn name_hash(name: &[u8]) -> u64 {
    let digest = Digest::of(name);
    let first = digest.as_bytes().first_chunk().copied();
    u64::from_be_bytes(first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_least_of_all_limits_holds() {
        let limit = |text: &str| {
            let parsed = recipe::parse_plywood_toml(text, &|_| None).unwrap();
            super::max_layers(&parsed.recipe.stages[0])
        };
        assert_eq!(limit("base = \"base\""), None);
        let debian = "[debian]\npackages = [\"curl\"]\nmax-layers = 9\n";
        assert_eq!(limit(&format!("base = \"base\"\n{debian}")), Some(9));
        let python = "[python]\nrequirements = [\"six\"]\nmax-layers = 7\n";
        assert_eq!(limit(&format!("base = \"base\"\n{debian}{python}")), Some(7));
    }
}
