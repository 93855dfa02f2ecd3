//! Bases with Python, houses of wheels, the index that serves them, and pip.

use std::path::Path;

use serde_json::json;
use testbed::pip::{self, Source};
use testbed::{
    Chroot, Comparison, Fault, Form, House, Index, IndexRules, Kind, Login, Made, Result, Side,
    Skopeo, Tree, base, program, stdout, uv,
};

/// pip in this root, from a house of its own wheels only.
fn installs(base: &base::PythonBase) -> Result<(Chroot, Tree)> {
    let house = House::listed("benchmark")?;
    let chroot = Chroot::copy_of(&base.root)?;
    pip::install(&chroot, &Source::House(&house), &house.pins(), &[])?;
    let tree = Tree::read(chroot.root())?;
    Ok((chroot, tree))
}

#[test]
fn both_bases_run_python() -> Result {
    let version = "import sys; print(sys.version.split()[0], sys.prefix, sys.executable)";
    let debian = base::debian_python()?;
    let answer = pip::python(&Chroot::new(&debian.root), version)?;
    assert_eq!(answer, "3.11.2 /usr /usr/bin/python3\n");
    let local = base::usr_local_python()?;
    let answer = pip::python(&Chroot::new(&local.root), version)?;
    assert!(answer.ends_with(" /usr/local /usr/local/bin/python3\n"), "{answer}");
    let modules = "import bz2, ctypes, lzma, readline, sqlite3, ssl, uuid, zlib, curses, pyexpat";
    pip::python(&Chroot::new(&local.root), modules)?;
    let listed = pip::list(&Chroot::new(&local.root))?;
    assert_eq!(listed.keys().collect::<Vec<_>>(), ["pip", "setuptools", "wheel"]);
    assert_eq!(listed["setuptools"], "65.5.1");
    Ok(())
}

#[test]
fn layouts_hold_what_the_roots_hold() -> Result {
    let config = Skopeo::config(&base::usr_local_python()?.place())?;
    assert_eq!(config["config"]["Cmd"], json!(["python3"]));
    let config = Skopeo::config(&base::debian_python_arm64()?.place())?;
    assert_eq!(config["architecture"], "arm64");
    let both = base::of_both_platforms()?;
    let index = Skopeo::manifest(&format!("oci:{}:{}", both.display(), base::TAG))?;
    assert!(index.contains(r#""architecture":"arm64""#), "{index}");
    Ok(())
}

#[test]
fn arm_base_is_what_dpkg_would_make() -> Result {
    let arm = base::debian_python_arm64()?;
    let database = format!("--admindir={}", arm.root.join("var/lib/dpkg").display());
    let version = |package| {
        let mut query = program("dpkg-query");
        query.arg(&database).args(["--show", "--showformat=${db:Status-Status} ${Version}"]);
        stdout(query.arg(package))
    };
    assert!(version("libc6:arm64")?.starts_with("installed 2.36-"));
    assert!(version("python3.11-minimal:arm64")?.starts_with("installed 3.11.2-"));
    let mut owner = program("dpkg-query");
    let owner = stdout(owner.arg(&database).args(["--search", "/usr/bin/python3.11"]))?;
    assert_eq!(owner, "python3.11-minimal:arm64: /usr/bin/python3.11\n");

    let (arm, amd) = (Tree::read(&arm.root)?, Tree::read(&base::debian_python()?.root)?);
    assert_eq!(arm.at("bin").unwrap().kind, Kind::Link("usr/bin".into()));
    let pure = |path: &&String| path.starts_with("usr/lib/python3") && path.ends_with(".py");
    let differing = arm.differences(&amd, "arm64", "amd64");
    let differing: Vec<_> = differing.keys().filter(pure).collect();
    assert!(differing.iter().all(|path| path.contains("sysconfigdata")), "{differing:?}");
    Ok(())
}

#[test]
fn pip_installs_on_both_bases() -> Result {
    for base in [base::debian_python()?, base::usr_local_python()?] {
        let (chroot, tree) = installs(&base)?;
        let before = Tree::read(&base.root)?;
        let changed = before.differences(&tree, "before", "after");
        let outside = |path: &&String| !path.starts_with("usr/local/");
        assert_eq!(changed.keys().filter(outside).collect::<Vec<_>>(), [""; 0]);
        assert!(tree.at(&format!("{}/numpy/__init__.py", base.site)).is_some());
        assert!(!changed.keys().any(|path| path.ends_with(".pyc")), "bytecode was written");

        pip::check(&chroot)?;
        let listed = pip::list(&chroot)?;
        assert_eq!(listed["numpy"], "2.4.6");
        let trial = pip::try_all(&chroot, base.site)?;
        assert_eq!(trial.imports["pandas"], "ok");
        assert_eq!(trial.scripts["flask"], "exit 0");
        assert!(trial.distributions["requests"].starts_with("2.34.2, "), "{trial:?}");
        let bad = trial.distributions.iter().find(|(_, how)| how.contains(';'));
        assert_eq!(bad, None);

        pip::uninstall(&chroot, &["flask"])?;
        assert!(!pip::list(&chroot)?.contains_key("Flask"));
        let failure = pip::uninstall(&chroot, &["flask"]).unwrap_err();
        assert!(failure.to_string().contains("not installed"), "{failure}");
    }
    Ok(())
}

#[test]
fn index_serves_what_pip_installs() -> Result {
    let base = base::usr_local_python()?;
    let (from_house, _) = installs(&base)?;
    let house = House::listed("benchmark")?;
    for form in [Form::Html, Form::Json] {
        let index = Index::with_rules(&[&house], IndexRules { form, ..IndexRules::default() })?;
        let chroot = Chroot::copy_of(&base.root)?;
        pip::install(&chroot, &Source::Index(&index.url()), house.requirements(), &[])?;
        let trees = [("house", &from_house), ("index", &chroot)]
            .map(|(name, chroot)| Side::read(name, chroot.root()));
        let [from_house, from_index] = trees;
        Comparison::of(&from_house?, &from_index?).demand_equal()?;
        let wheels = index.requests().into_iter().filter(|it| it.path.ends_with(".whl")).count();
        assert_eq!(wheels, 18, "{form:?}");
        let size: u64 = house.offers()?.iter().map(|offer| offer.size).sum();
        assert!(index.bytes() > size);
    }
    Ok(())
}

const SOMEBODY: Login = Login { user: "somebody", password: "SECRET-known" };

fn small_house() -> Result<House> {
    House::of(&[
        Made::wheel("top", "1.0").requires("below>=1").info("entry_points.txt", TOP),
        Made::wheel("below", "1.0"),
        Made::wheel("below", "2.0").python(">=3.12"),
        Made::source("only-source", "1.0"),
    ])
}

const TOP: &str = "[console_scripts]\ntop = os:getcwd\n";

#[test]
fn made_wheels_are_wheels() -> Result {
    let chroot = Chroot::copy_of(&base::usr_local_python()?.root)?;
    let house = small_house()?;
    pip::install(&chroot, &Source::House(&house), "top\n", &[])?;
    pip::check(&chroot)?;
    let listed = pip::list(&chroot)?;
    assert_eq!((listed["top"].as_str(), listed["below"].as_str()), ("1.0", "1.0"));
    let trial = pip::try_all(&chroot, base::usr_local_python()?.site)?;
    assert!(trial.distributions["top"].starts_with("1.0, 8 files, 1 requirements"), "{trial:?}");
    assert!(!trial.distributions["top"].contains(';'), "{trial:?}");
    assert_eq!((trial.imports["top"].as_str(), trial.imports["below"].as_str()), ("ok", "ok"));
    Ok(())
}

/// pip's complaint when it installs `top` from this index.
fn complaint(index: &Index) -> Result<String> {
    let chroot = Chroot::new(&base::usr_local_python()?.root);
    let options = ["--target", "/tmp/target", "--retries", "0", "--timeout", "2"];
    let outcome = pip::install(&chroot, &Source::Index(&index.url()), "top\n", &options);
    Ok(outcome.unwrap_err().to_string())
}

#[test]
fn index_can_be_out_of_order() -> Result {
    let house = small_house()?;
    let index = Index::of(&[&house])?;
    for (path, fault, expected) in [
        ("/simple/top/", Fault::Status(500), "No matching distribution found for top"),
        ("/simple/top/", Fault::WebPage, "No matching distribution found for top"),
        ("/simple/top/", Fault::WrongHash, "DO NOT MATCH THE HASHES"),
        ("/simple/top/", Fault::Hang, "No matching distribution found for top"),
        ("/files/top-1.0", Fault::Status(503), "503"),
    ] {
        index.break_at(path, fault);
        let said = complaint(&index)?;
        assert!(said.contains(expected), "{fault:?}: {said}");
        index.heal();
    }
    index.break_at("any.whl", Fault::Cut(100));
    complaint(&index)?;
    let cut = index.requests().into_iter().rfind(|it| it.path.ends_with("any.whl")).unwrap();
    assert_eq!((cut.status, cut.bytes), (200, 100));
    Ok(())
}

#[test]
fn index_asks_for_a_password() -> Result {
    let rules = IndexRules { login: Some(SOMEBODY), ..IndexRules::default() };
    let index = Index::with_rules(&[&small_house()?], rules)?;
    let said = complaint(&index)?;
    assert!(said.contains("No matching distribution found for top"), "{said}");
    assert_eq!(index.requests()[0].status, 401);
    index.forget();
    let chroot = Chroot::new(&base::usr_local_python()?.root);
    let url = index.url_of(SOMEBODY)?;
    pip::install(&chroot, &Source::Index(&url), "top\n", &["--target", "/tmp/target"])?;
    let user = index.requests().into_iter().find_map(|request| request.user);
    assert_eq!(user.as_deref(), Some("somebody"));
    Ok(())
}

#[test]
fn uv_reads_the_index() -> Result {
    let rules = IndexRules {
        form: Form::Json,
        uploaded: vec![("below-1.0", "2020-01-01T00:00:00Z"), ("top", "2020-01-01T00:00:00Z")],
        ..IndexRules::default()
    };
    let house = House::of(&[
        Made::wheel("top", "1.0").requires("below"),
        Made::wheel("below", "1.0"),
        Made::wheel("below", "1.1"),
    ])?;
    let index = Index::with_rules(&[&house], rules)?;
    let directory = tempfile::tempdir().unwrap();
    let compiled = |before: &[&str]| {
        let mut compile = program(uv::path()?);
        compile.args(["pip", "compile", "--no-cache", "--quiet", "--no-header", "--no-annotate"]);
        compile.args(["--python-version", "3.11", "--default-index", &index.url()]).args(before);
        std::fs::write(directory.path().join("r.in"), "top\n").unwrap();
        stdout(compile.arg(Path::new("r.in")).current_dir(directory.path()))
    };
    assert_eq!(compiled(&[])?, "below==1.1\ntop==1.0\n");
    assert_eq!(compiled(&["--exclude-newer", "2021-01-01"])?, "below==1.0\ntop==1.0\n");
    Ok(())
}
