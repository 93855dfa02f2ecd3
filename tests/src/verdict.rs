//! What another program makes of the same input is the same every time: it runs once for each input,
//! and what it made is remembered, by one digest over all paths.

use std::fs;

use oci::Digest;

use crate::{Chroot, Comparison, Failure, Result, Side, Tree, cache};

/// Raised when trees are read otherwise.
const REVISION: u32 = 1;

/// Demands that `ours` is the tree that `judge` makes of `input`.
///
/// `input` says everything that the judge's tree depends on. The judge runs if nobody has asked
/// before, or if the trees differ: then for the differences, which are what counts.
pub fn demand_same(
    ours: &Side,
    name: &'static str,
    input: &str,
    judge: impl Fn() -> Result<Chroot>,
) -> Result {
    let key = Digest::of(format!("{REVISION}\n{input}").as_bytes());
    let remembered = cache::once(&format!("tree-{name}-{}", &key.hex()[..16]), |directory| {
        let chroot = judge()?;
        let digest = digest_of(&Tree::read(chroot.root())?);
        fs::write(directory.join("digest"), digest).map_err(Failure::doing("remember a tree"))
    })?;
    let digest = fs::read_to_string(remembered.join("digest"))
        .map_err(Failure::doing(format!("read what {name} made")))?;
    if digest == digest_of(ours.tree()) {
        return Ok(());
    }
    let chroot = judge()?;
    Comparison::of(ours, &Side::read(name, chroot.root())?).demand_equal()
}

fn digest_of(tree: &Tree) -> String {
    let lines = tree.0.iter().map(|(path, entry)| format!("{path:?} {entry:?}\n"));
    Digest::of(lines.collect::<String>().as_bytes()).to_string()
}
