//! What another version of one package moves, and what two images share.

use std::collections::BTreeSet;

use testbed::base::debian_python;
use testbed::{House, Registry, Request, Result};

use super::setting::{Layer, Setting};
use crate::support::push_base;

/// The layers of one list that another does not have.
fn others(of: &[Layer], without: &[Layer]) -> Vec<Layer> {
    let known: BTreeSet<&str> = without.iter().map(|layer| layer.digest.as_str()).collect();
    of.iter().filter(|layer| !known.contains(layer.digest.as_str())).cloned().collect()
}

fn digests(layers: &[Layer]) -> BTreeSet<String> {
    layers.iter().map(|layer| layer.digest.clone()).collect()
}

const TABLE: &str = "requirements-files = [\"requirements.txt\"]";

#[test]
fn another_version_moves_the_group_of_its_package() -> Result {
    let (sixty, bumped) = (House::listed("sixty")?, House::listed("bumped")?);
    let registry = Registry::start()?;
    let base = push_base(&registry, debian_python()?.layout, "base/python:1")?;
    let setting = Setting::of(&[&sixty, &bumped])?;
    let push = |name: &str, pins: &str| {
        let context = setting.context(&base, TABLE)?.file("requirements.txt", pins)?;
        registry.forget()?;
        let mut build = setting.plywood.command(["build", "--push", "--tag"]);
        build.arg(registry.reference(name)).arg(context.path());
        let made = setting.made(&mut build)?;
        Ok::<_, testbed::Failure>((made.packages(), registry.requests()?))
    };
    let (before, _) = push("team/app:1", &sixty.pins())?;
    let bump = bumped.pins();
    let name = bump.split_once("==").unwrap().0;
    let old =
        sixty.pins().lines().find(|pin| pin.starts_with(&format!("{name}=="))).unwrap().to_owned();
    let (after, requests) = push("team/app:2", &sixty.pins().replace(&old, bump.trim()))?;

    let moved = others(&after, &before);
    assert_eq!(before.len(), after.len());
    assert_eq!(moved.len(), 1, "{moved:#?}");
    assert!(moved[0].title.contains(bump.trim()), "{moved:#?}");
    let uploaded: BTreeSet<_> = requests.iter().filter_map(Request::uploaded).collect();
    assert!(uploaded.is_superset(&digests(&moved)), "{requests:#?}");
    assert!(uploaded.is_disjoint(&digests(&before)), "{requests:#?}");
    Ok(())
}

/// Both ask for it by its name: that it was asked for is in its layer, as pip has it beside it.
#[test]
fn two_images_share_the_layer_of_a_wheel() -> Result {
    let house = House::listed("benchmark")?;
    let registry = Registry::start()?;
    let base = push_base(&registry, debian_python()?.layout, "base/python:1")?;
    let setting = Setting::of(&[&house])?;
    let push = |name: &str, requirements: &str| {
        let context = setting.context(&base, TABLE)?.file("requirements.txt", requirements)?;
        registry.forget()?;
        let mut build = setting.plywood.command(["build", "--push", "--tag"]);
        build.arg(registry.reference(name)).arg(context.path());
        let made = setting.made(&mut build)?;
        Ok::<_, testbed::Failure>((made.packages(), registry.requests()?))
    };
    let (first, _) = push("team/data:1", "numpy\npandas\npyarrow\n")?;
    let (second, requests) = push("other/numbers:1", "numpy\nflask\n")?;

    let own =
        |layers: &[Layer]| layers.iter().find(|layer| layer.title.contains("numpy==")).cloned();
    let (numpy, shared) = (own(&first).unwrap(), own(&second).unwrap());
    assert_eq!(numpy, shared, "{first:#?}\n{second:#?}");
    let mounted: BTreeSet<_> = requests.iter().filter_map(Request::mounted).collect();
    let uploaded: BTreeSet<_> = requests.iter().filter_map(Request::uploaded).collect();
    assert!(mounted.contains(&numpy.digest), "{requests:#?}");
    assert!(!uploaded.contains(&numpy.digest), "{requests:#?}");
    Ok(())
}
