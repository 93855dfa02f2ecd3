//! Artifacts about images. docker-registry 2.8 knows nothing of them, so they hang on a tag
//! (distribution-spec 1.1, "Referrers Tag Schema").

use serde_json::Value;
use testbed::{Registry, Result};

use super::layout::artifact;
use super::site::Site;

super::in_each_guise!([referrers_are_listed_and_copied]);

fn referrers_are_listed_and_copied(site: &Site) -> Result {
    let image = site.build_and_push("team/app:1")?;
    let size = site.skopeo().manifest("team/app:1")?.len();
    let mut notes = Vec::new();
    for text in ["first", "second"] {
        let directory = tempfile::tempdir().unwrap();
        notes.push(artifact(directory.path(), (&image, size), text));
        let layout = format!("oci:{}:x", directory.path().display());
        let name = site.reference(&format!("team/app:{text}"));
        site.plywood.answer(["copy", "--quiet", &layout, &name])?;
    }
    notes.sort();
    let tag = image.replace(':', "-");
    assert_eq!(listed(&site.skopeo().manifest(&format!("team/app:{tag}"))?), notes);
    let told = site.plywood.answer(["referrers", &site.reference("team/app:1")])?;
    assert!(notes.iter().all(|note| told.contains(note.as_str())), "{told}");

    let second = Registry::start()?;
    let (from, to) = (site.reference("team/app:1"), second.reference("copied/app:1"));
    site.plywood.answer(["copy", "--quiet", "--referrers", &from, &to])?;
    let copied = second.skopeo().manifest(&format!("copied/app:{tag}"))?;
    assert_eq!(listed(&copied), notes);
    for note in &notes {
        second.skopeo().manifest(&format!("copied/app@{note}"))?;
    }
    Ok(())
}

/// The digests that an index lists, sorted.
fn listed(index: &str) -> Vec<String> {
    let index: Value = serde_json::from_str(index).unwrap();
    let entries = index["manifests"].as_array().unwrap().iter();
    let mut digests: Vec<_> =
        entries.map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect();
    digests.sort();
    digests
}
