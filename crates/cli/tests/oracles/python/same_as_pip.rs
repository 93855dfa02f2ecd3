//! Hundreds of distributions on two kinds of base: pip's tree, and everything in it at work.

use testbed::base::{self, PythonBase};
use testbed::pip::{self, Trial};
use testbed::{Chroot, House, Result, Side, demand_same};

use super::{Bundle, Order, asked};

/// A root as plywood makes it, which is as pip does.
struct Installed {
    base: PythonBase,
    ours: Bundle,
}

/// Has plywood install it, and demands pip's tree.
fn same(order: Order) -> Result<Installed> {
    let ours = order.image()?.unpacked()?;
    order.demand_same_as_pip(&ours)?;
    pip::check(&ours.chroot())?;
    Ok(Installed { base: order.base, ours })
}

#[test]
fn many_that_were_resolved_on_usr_local() -> Result {
    let (base, house) = (base::usr_local_python()?, House::listed("many")?);
    let installed = same(Order::resolved(base, house, &asked("many")))?;
    let trial = installed.tried(FLAWS_OF_MANY)?;
    assert!(trial.distributions.len() >= 150, "{} distributions", trial.distributions.len());
    Ok(())
}

#[test]
fn many_that_were_pinned_on_debian() -> Result {
    let order = Order::pinned(base::debian_python()?, House::listed("many")?);
    let ours = order.image()?.unpacked()?;
    order.demand_same_as_pip(&ours)?;
    pip::check(&ours.chroot())?;
    let before = pip::list(&Chroot::new(&order.base.root))?;
    let mut listed = pip::list(&ours.chroot())?;
    listed.retain(|name, _| !before.contains_key(name));
    assert!(listed.len() >= 150, "{} distributions", listed.len());

    let names: Vec<_> = listed.keys().map(String::as_str).collect();
    pip::uninstall(&ours.chroot(), &names)?;
    assert_eq!(pip::list(&ours.chroot())?, before);
    let side = Side::read("plywood", &ours.root())?;
    demand_same(&side, "pip-uninstalled", &order.input()?, || {
        let by_pip = order.installed_by_pip()?;
        pip::uninstall(&by_pip, &names)?;
        Ok(by_pip)
    })
}

#[test]
fn beam_with_the_pins_of_its_container_on_debian() -> Result {
    let installed = same(Order::pinned(base::debian_python()?, House::listed("beam")?))?;
    let trial = installed.tried(FLAWS_OF_BEAM)?;
    assert!(trial.distributions["apache-beam"].starts_with("2.56.0, "), "{trial:?}");
    Ok(())
}

#[test]
fn tensorflow_with_hashes_on_usr_local() -> Result {
    let house = House::listed("tensorflow")?;
    let requirements = house.requirements().to_owned();
    let installed = same(Order::resolved(base::usr_local_python()?, house, &requirements))?;
    let trial = installed.tried(FLAWS_OF_TENSORFLOW)?;
    assert_eq!(trial.imports["tensorflow"], "ok");
    let listed = pip::list(&installed.ours.chroot())?;
    assert_eq!((listed["setuptools"].as_str(), listed["wheel"].as_str()), ("84.2.1", "0.48.0"));
    Ok(())
}

/// What does not work by its authors' doing, where pip installs it, too: and how it ends.
type Flaws = &'static [(&'static str, &'static str)];

const FLAWS_OF_MANY: Flaws = &[
    // They want what is only installed with extras, or not by pip at all.
    ("import vertex_ray", "No module named 'ray'"),
    ("script fastapi", "pip install \"fastapi[standard]\""),
    ("script httpx", "exit 1"),
    ("script jlpm", "Please install Node.js"),
    ("script jupyter-events", "No module named 'rich'"),
    ("script jupyter-labhub", "No module named 'jupyterhub'"),
    ("script tb-gcp-uploader", "No module named 'absl'"),
    // They do not know the option.
    ("script pyftmerge", "Unknown option 'help'"),
    ("script ttx", "option --help not recognized"),
];

const FLAWS_OF_BEAM: Flaws = &[
    ("import vertex_ray", "No module named 'ray'"),
    ("script tb-gcp-uploader", "No module named 'absl'"),
];

// absl ends so when it has shown its help.
const FLAWS_OF_TENSORFLOW: Flaws = &[("script saved_model_cli", "exit 1")];

impl Installed {
    /// Tries all distributions, which have to work but for those that are known not to.
    fn tried(&self, flaws: Flaws) -> Result<Trial> {
        let trial = pip::try_all(&self.ours.chroot(), self.base.site)?;
        let mut wrong = trial.all();
        wrong.retain(|what, how| !works(what, how));
        let same = wrong.len() == flaws.len()
            && flaws
                .iter()
                .all(|(what, how)| wrong.get(*what).is_some_and(|outcome| outcome.contains(how)));
        assert!(same, "{wrong:#?}");
        Ok(trial)
    }
}

fn works(what: &str, how: &str) -> bool {
    match what.split_once(' ') {
        Some(("import", _)) => how == "ok",
        Some(("script", _)) => how == "exit 0",
        // What is said after the summary is wrong.
        _ => !how.contains(';'),
    }
}
