//! Hundreds of distributions on two kinds of base: pip's tree, and everything in it at work.

use std::collections::BTreeMap;

use testbed::base::{self, PythonBase};
use testbed::pip::{self, Trial};
use testbed::{Chroot, House, Kind, Result, Tree};

use super::{Bundle, Order, asked, demand_same_as_pip};

/// Builds as plywood and as pip do, and demands the same tree of both.
fn same(order: &Order) -> Result<Bundle> {
    let bundle = order.image()?.unpacked()?;
    demand_same_as_pip(&bundle, &order.installed_by_pip()?)?;
    pip::check(&bundle.chroot())?;
    Ok(bundle)
}

#[test]
fn many_that_were_resolved_on_usr_local() -> Result {
    let base = base::usr_local_python()?;
    let order = Order::resolved(base, House::listed("many")?, &asked("many"));
    let bundle = same(&order)?;
    let trial = tried(&bundle.chroot(), &order.base)?;
    assert!(trial.distributions.len() >= 150, "{} distributions", trial.distributions.len());
    Ok(())
}

#[test]
fn many_that_were_pinned_on_debian() -> Result {
    let order = Order::pinned(base::debian_python()?, House::listed("many")?);
    let bundle = same(&order)?;
    let before = pip::list(&Chroot::new(&order.base.root))?;
    let mut listed = pip::list(&bundle.chroot())?;
    listed.retain(|name, _| !before.contains_key(name));
    assert!(listed.len() >= 150, "{} distributions", listed.len());

    // Whatever was there before is all that is left when everything is uninstalled.
    let names: Vec<_> = listed.keys().map(String::as_str).collect();
    pip::uninstall(&bundle.chroot(), &names)?;
    assert_eq!(pip::list(&bundle.chroot())?, before);
    let left = Tree::read(&bundle.root())?;
    let mut differences =
        Tree::read(&order.base.root)?.differences(&left, "the base", "what is left");
    differences.retain(|path, _| left.at(path).is_none_or(|entry| entry.kind != Kind::Directory));
    assert_eq!(differences, BTreeMap::new());
    Ok(())
}

#[test]
fn beam_with_the_pins_of_its_container_on_debian() -> Result {
    let order = Order::pinned(base::debian_python()?, House::listed("beam")?);
    let bundle = same(&order)?;
    let trial = tried(&bundle.chroot(), &order.base)?;
    assert!(trial.distributions["apache-beam"].starts_with("2.56.0, "), "{trial:?}");
    Ok(())
}

#[test]
fn tensorflow_with_hashes_on_usr_local() -> Result {
    let house = House::listed("tensorflow")?;
    let requirements = house.requirements().to_owned();
    let order = Order::resolved(base::usr_local_python()?, house, &requirements);
    let bundle = same(&order)?;
    let trial = tried(&bundle.chroot(), &order.base)?;
    assert_eq!(trial.imports["tensorflow"], "ok");
    let listed = pip::list(&bundle.chroot())?;
    assert_eq!((listed["setuptools"].as_str(), listed["wheel"].as_str()), ("84.2.1", "0.48.0"));
    Ok(())
}

/// What is not as it should be by its authors' doing: it is the same after `pip install`.
const FLAWED: &[(&str, &str)] = &[];

/// Tries all distributions, which have to work but for those that are known not to.
fn tried(chroot: &Chroot, base: &PythonBase) -> Result<Trial> {
    let trial = pip::try_all(chroot, base.site)?;
    let wrong: Vec<_> = trial.all().into_iter().filter(|(what, how)| !works(what, how)).collect();
    assert_eq!(wrong, []);
    Ok(trial)
}

fn works(what: &str, how: &str) -> bool {
    let known = FLAWED.iter().any(|(flawed, _)| *flawed == what);
    known
        || match what.split_once(' ') {
            Some(("import", _)) => how == "ok",
            Some(("script", _)) => how == "exit 0",
            _ => !how.contains(';'),
        }
}
