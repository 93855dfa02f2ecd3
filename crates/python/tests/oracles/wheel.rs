//! Wheels of the default index: installed by pip into a virtual environment, and by us.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use oci::{Digest, ImagePath};
use python::{
    FileOrigin, InstallOptions, Installation, InstalledFile, Interpreter, Layout, ScriptTemplate,
    Version, Wheel, collisions,
};
use testbed::{Failure, Kind, Result, Tree, cache, files, program, run, stdout};

/// Each for something that it has.
const WHEELS: &[&str] = &[
    "PyYAML==6.0.3",               // another spelling, a C extension
    "awscli==1.42.70",             // scripts with a placeholder
    "black==25.9.0",               // a compiled module at the top
    "docutils==0.22.2",            // many entry points
    "flask==3.1.2",                // one that flit packed
    "google-api-core==2.26.0",     // a part of a namespace
    "greenlet==3.2.4",             // headers
    "httpie==3.2.4",               // data
    "jupyterlab_pygments==0.3.0",  // data that hatch packed
    "mypy==1.18.2",                // 1,500 files
    "numpy==2.3.4",                // libraries beside the package
    "pip==25.2",                   // scripts with versions in their names
    "protobuf==6.33.0",            // the stable ABI
    "ruff==0.14.1",                // a program as a script
    "setuptools==80.9.0",          // a .pth, programs for Windows
    "sphinxcontrib-jsmath==1.0.1", // -nspkg.pth
    "zope.event==6.0",             // a dot in the name
    "gunicorn==23.0.0",            // installed by its path: see below
];

/// What a file is: mode and digest.
type Files = BTreeMap<String, (u32, Digest)>;

#[test]
fn as_pip_installs() -> Result {
    let compared = compare("venv", &downloaded()?)?;
    assert!(compared > 10_000, "only {compared} files");
    Ok(())
}

/// The interpreter cannot be named in the first line of a script there.
#[test]
fn as_pip_installs_at_odd_places() -> Result {
    let mut wheels = downloaded()?;
    let few = ["gunicorn", "httpie", "awscli"];
    wheels.retain(|wheel| few.iter().any(|name| wheel.to_string_lossy().contains(name)));
    compare("a b", &wheels)?;
    compare(&"long".repeat(40), &wheels)?;
    Ok(())
}

/// Has pip install wheels into an environment of that name, compares that with what is made of
/// them, and says how many files these were.
fn compare(name: &str, wheels: &[PathBuf]) -> Result<usize> {
    let scratch = tempfile::tempdir().map_err(Failure::doing("make a directory"))?;
    let venv = scratch.path().join(name);
    run(program("python3").args(["-m", "venv", "--without-pip"]).arg(&venv))?;
    let before = installed_below(&venv)?;
    install_by_pip(&venv, wheels)?;
    let mut theirs = installed_below(&venv)?;
    theirs.retain(|path, _| !before.contains_key(path));

    let interpreter = interpreter(&venv)?;
    let direct_url = theirs.keys().find(|path| path.ends_with("direct_url.json")).unwrap();
    let direct_url = fs::read_to_string(venv.join(direct_url)).unwrap();
    let pip = stdout(program("python3").args(["-c", "import pip; print(pip.__version__)"]))?;
    let mut ours = Files::new();
    let mut installations = Vec::new();
    for wheel in wheels {
        let options = InstallOptions {
            requested: true,
            direct_url: is_given(wheel).then_some(direct_url.as_str()),
            script_template: ScriptTemplate::of_pip(&pip),
            spelling: None,
        };
        installations.push(install(wheel, &interpreter, &options, &venv, &mut ours));
    }
    assert_eq!(differences(&ours, &theirs), Vec::<String>::new());
    assert_eq!(collisions(&installations.iter().collect::<Vec<_>>()), []);
    Ok(ours.len())
}

/// Whether pip is given its path, and not its name.
fn is_given(wheel: &Path) -> bool {
    wheel.to_string_lossy().contains("gunicorn")
}

fn install_by_pip(venv: &Path, wheels: &[PathBuf]) -> Result {
    let named = wheels.iter().filter(|wheel| !is_given(wheel)).map(|wheel| {
        let filename = wheel.file_name().unwrap().to_str().unwrap();
        let (name, rest) = filename.split_once('-').unwrap();
        format!("{name}=={}", rest.split('-').next().unwrap())
    });
    run(program("python3")
        .args(["-m", "pip", "-q", "--isolated", "--disable-pip-version-check", "--python"])
        .arg(venv.join("bin/python3"))
        .args(["install", "--no-compile", "--no-deps", "--no-index", "--find-links"])
        .arg(wheels[0].parent().unwrap())
        .args(named)
        .args(wheels.iter().filter(|wheel| is_given(wheel))))
}

/// The wheels, in a directory that holds nothing else.
fn downloaded() -> Result<Vec<PathBuf>> {
    let version = "import sys; print('%d.%d' % sys.version_info[:2], end='')";
    let version = stdout(program("python3").args(["-c", version]))?;
    let key = Digest::of(WHEELS.join(" ").as_bytes()).short();
    let directory = cache::once(&format!("wheels-{version}-{key}"), |directory| {
        let pip = ["-m", "pip", "-q", "--disable-pip-version-check", "download", "--no-deps"];
        run(program("python3")
            .args(pip)
            .args(["--only-binary", ":all:", "--dest"])
            .arg(directory)
            .args(WHEELS))
    })?;
    Ok(files(&directory).into_iter().map(|name| directory.join(name)).collect())
}

/// What `venv` makes, told by hand.
fn interpreter(venv: &Path) -> Result<Interpreter> {
    let version = "import sys; print(*sys.version_info[:3], end='')";
    let version = stdout(program("python3").args(["-c", version]))?;
    let numbers: Vec<u8> = version.split(' ').map(|number| number.parse().unwrap()).collect();
    let below = |path: &str| ImagePath::lexical(venv.join(path).to_str().unwrap());
    let python = format!("python{}.{}", numbers[0], numbers[1]);
    let packages = below(&format!("lib/{python}/site-packages"));
    Ok(Interpreter {
        executable: venv.join("bin/python3").to_str().unwrap().to_owned(),
        version: Version {
            major: numbers[0],
            minor: numbers[1],
            patch: Some(numbers[2]),
            suffix: String::new(),
        },
        free_threaded: false,
        layout: Layout {
            purelib: packages.clone(),
            platlib: packages.clone(),
            scripts: below("bin"),
            headers: below(&format!("include/site/{python}")),
            data: below(""),
        },
        search_path: vec![packages],
        foreign: Vec::new(),
        externally_managed: false,
    })
}

/// The files that are there; links, which `venv` makes, left out.
fn installed_below(venv: &Path) -> Result<Files> {
    let tree = Tree::read(venv)?;
    let described = tree.0.into_iter().filter_map(|(path, entry)| match entry.kind {
        Kind::File { digest, .. } => Some((path, (entry.mode, digest))),
        _ => None,
    });
    Ok(described.collect())
}

/// Installs, compares each file's bytes with the digest that is said of them, and lists them.
fn install(
    path: &Path,
    interpreter: &Interpreter,
    options: &InstallOptions<'_>,
    venv: &Path,
    list: &mut Files,
) -> Installation {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let filename = path.file_name().unwrap().to_str().unwrap();
    let wheel = Wheel::read(&file, size, filename).unwrap();
    let installation = wheel.install(&file, interpreter, options).unwrap();
    let prefix = ImagePath::lexical(venv.to_str().unwrap());
    for InstalledFile { path, mode, content, origin } in &installation.files {
        let bytes = match origin {
            FileOrigin::Inline(bytes) => bytes.to_vec(),
            FileOrigin::Member(index) => {
                let mut bytes = Vec::new();
                wheel.open(*index, &file).read_to_end(&mut bytes).unwrap();
                bytes
            }
        };
        assert_eq!(layer::Content::of(&bytes), *content, "{path}");
        let below = String::from_utf8(path.strip_prefix(&prefix).unwrap().to_vec()).unwrap();
        list.insert(below, (*mode, content.digest));
    }
    installation
}

fn differences(ours: &Files, theirs: &Files) -> Vec<String> {
    let mine = ours.iter().filter(|(path, file)| theirs.get(*path) != Some(file));
    let ours_alone = mine.map(|(path, file)| format!("{path}: ours is {file:?}"));
    let others = theirs.iter().filter(|(path, file)| ours.get(*path) != Some(file));
    let theirs_alone = others.map(|(path, file)| format!("{path}: theirs is {file:?}"));
    // Where one is, there may be ten thousand.
    ours_alone.chain(theirs_alone).take(20).collect()
}
