//! What another version of one package moves, and what two images share.

use std::collections::BTreeSet;

use testbed::base::debian_python;
use testbed::{House, Registry, Request, Result, program, stdout};

use super::setting::{Layer, Made, Setting};
use crate::support::push_base;

/// The layers of one list that another does not have.
fn others(of: &[Layer], without: &[Layer]) -> Vec<Layer> {
    let known: BTreeSet<&str> = without.iter().map(|layer| layer.digest.as_str()).collect();
    of.iter().filter(|layer| !known.contains(layer.digest.as_str())).cloned().collect()
}

fn digests(layers: &[Layer]) -> BTreeSet<String> {
    layers.iter().map(|layer| layer.digest.clone()).collect()
}

/// A registry with a base, and an index.
struct Shop {
    registry: Registry,
    base: String,
    setting: Setting,
}

impl Shop {
    fn of(houses: &[&House]) -> Result<Self> {
        let registry = Registry::start()?;
        let base = push_base(&registry, debian_python()?.layout, "base/python:1")?;
        Ok(Shop { registry, base, setting: Setting::of(houses)? })
    }

    /// Builds and pushes: the image, and what the registry was asked meanwhile.
    fn push(&self, name: &str, requirements: &str) -> Result<(Made, Vec<Request>)> {
        let table = "requirements-files = [\"requirements.txt\"]";
        let context = self.setting.context(&self.base, table)?;
        let context = context.file("requirements.txt", requirements)?;
        self.registry.forget()?;
        let mut build = self.setting.plywood.command(["build", "--push", "--tag"]);
        build.arg(self.registry.reference(name)).arg(context.path());
        let made = self.setting.made(&mut build)?;
        Ok((made, self.registry.requests()?))
    }
}

#[test]
fn another_version_moves_the_group_of_its_package() -> Result {
    let (sixty, bumped) = (House::listed("sixty")?, House::listed("bumped")?);
    let shop = Shop::of(&[&sixty, &bumped])?;
    let (image, _) = shop.push("team/app:1", &sixty.pins())?;
    let before = image.packages();
    let bump = bumped.pins();
    let (name, version) = bump.trim().split_once("==").unwrap();
    let of_name = |pin: &&str| pin.starts_with(&format!("{name}=="));
    let old = sixty.pins().lines().find(of_name).unwrap().to_owned();
    let (image, requests) = shop.push("team/app:2", &sixty.pins().replace(&old, bump.trim()))?;

    let after = image.packages();
    let moved = others(&after, &before);
    assert_eq!(before.len(), after.len());
    assert_eq!(moved.len(), 1, "{moved:#?}");
    let mut list = program("tar");
    list.args(["--list", "--gzip", "--file"]).arg(image.blob(&moved[0].digest));
    assert!(stdout(&mut list)?.contains(&format!("/{name}-{version}.dist-info/")), "{moved:#?}");
    let uploaded: BTreeSet<_> = requests.iter().filter_map(Request::uploaded).collect();
    assert!(uploaded.is_superset(&digests(&moved)), "{requests:#?}");
    assert!(uploaded.is_disjoint(&digests(&before)), "{requests:#?}");
    Ok(())
}

/// Both ask for it by its name: that it was asked for is in its layer, as pip has it beside it.
#[test]
fn two_images_share_the_layer_of_a_wheel() -> Result {
    let house = House::listed("benchmark")?;
    let shop = Shop::of(&[&house])?;
    let (first, _) = shop.push("team/data:1", "numpy\npandas\npyarrow\n")?;
    let (second, requests) = shop.push("other/numbers:1", "numpy\nflask\n")?;

    let own =
        |layers: &[Layer]| layers.iter().find(|layer| layer.title.contains("numpy==")).cloned();
    let (first, second) = (first.packages(), second.packages());
    let (numpy, shared) = (own(&first).unwrap(), own(&second).unwrap());
    assert_eq!(numpy, shared, "{first:#?}\n{second:#?}");
    let mounted: BTreeSet<_> = requests.iter().filter_map(Request::mounted).collect();
    let uploaded: BTreeSet<_> = requests.iter().filter_map(Request::uploaded).collect();
    assert!(mounted.contains(&numpy.digest), "{requests:#?}");
    assert!(!uploaded.contains(&numpy.digest), "{requests:#?}");
    Ok(())
}
