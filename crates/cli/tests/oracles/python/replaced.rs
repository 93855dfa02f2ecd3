//! Packages that the base has in another version: what pip uninstalls is not in the image.

use testbed::base::{self, PythonBase};
use testbed::pip::{self, Source};
use testbed::{Chroot, House, Made, Result, program, run, umoci};

use super::{Order, demand_same_as_pip};

const TOOL: &str = "[console_scripts]\ntool = replaced:main\n";
const RENAMED: &str = "[console_scripts]\ntool-2 = replaced:main\n";

fn older() -> Result<House> {
    House::of(&[
        Made::wheel("replaced", "1.0")
            .file("replaced/gone.py", "")
            .file("replaced/below/deep.py", "")
            .file("replaced-1.0.data/data/share/replaced/manual", "1")
            .file("replaced-1.0.data/data/share/replaced/old/manual", "1")
            .info("entry_points.txt", TOOL),
        Made::wheel("module", "1.0").file("turned.py", "").file("folded/__init__.py", ""),
        Made::wheel("part-one", "1.0").file("shared/one.py", ""),
        Made::wheel("part-two", "1.0").file("shared/two.py", ""),
        Made::wheel("newer", "3.0").file("newer/added.py", ""),
        Made::wheel("kept", "1.0"),
    ])
}

fn newer() -> Result<House> {
    House::of(&[
        Made::wheel("replaced", "2.0")
            .file("replaced/come.py", "")
            .file("replaced-2.0.data/data/share/replaced/manual", "2")
            .info("entry_points.txt", RENAMED),
        Made::wheel("module", "2.0").file("turned/__init__.py", "").file("folded.py", ""),
        Made::wheel("part-one", "2.0").file("shared/uno.py", ""),
        Made::wheel("newer", "2.0"),
        Made::wheel("kept", "2.0"),
    ])
}

const WANTED: &str = "replaced>=2\nmodule>=2\npart-one==2.0\nnewer<3\nkept\n";

/// The base with these packages in a layer of its own, as a `RUN pip install` leaves it.
fn with_installed(base: &PythonBase, house: &House) -> Result<(PythonBase, Chroot)> {
    let chroot = Chroot::copy_of(&base.root)?;
    // With bytecode, which the installed packages' lists have.
    pip::install(&chroot, &Source::House(house), &house.pins(), &["--compile"])?;
    let layout = chroot.root().with_file_name("layout");
    run(program("cp").arg("--archive").arg(&base.layout).arg(&layout))?;
    for directory in [base.site, "usr/local/bin", "usr/local/share"] {
        umoci::insert(
            &layout,
            base::TAG,
            &chroot.root().join(directory),
            &format!("/{directory}"),
        )?;
    }
    let root = chroot.root().to_owned();
    Ok((PythonBase { layout, root, site: base.site }, chroot))
}

#[test]
fn replaced_versions_disappear_as_with_pip() -> Result {
    for base in [base::usr_local_python()?, base::debian_python()?] {
        let (base, _kept) = with_installed(&base, &older()?)?;
        let order = Order::resolved(base, newer()?, WANTED);
        let bundle = order.image()?.unpacked()?;
        demand_same_as_pip(&bundle, &order.installed_by_pip()?)?;
        let listed = pip::list(&bundle.chroot())?;
        let version = |name: &str| listed[name].as_str();
        assert_eq!([version("replaced"), version("newer"), version("kept")], ["2.0", "2.0", "1.0"]);
        pip::uninstall(&bundle.chroot(), &["replaced", "module", "part-one"])?;
    }
    Ok(())
}

/// What Debian's packages brought, pip leaves alone and installs another beside it.
#[test]
fn packages_of_debian_stay() -> Result {
    let house = House::listed("tensorflow")?;
    let order = Order::resolved(base::debian_python()?, house, "setuptools>=80\nwheel>=0.45\n");
    let bundle = order.image()?.unpacked()?;
    order.demand_same_as_pip(&bundle)?;
    assert!(bundle.root().join("usr/lib/python3/dist-packages/setuptools").is_dir());
    assert_eq!(pip::list(&bundle.chroot())?["setuptools"], "84.2.1");
    Ok(())
}
