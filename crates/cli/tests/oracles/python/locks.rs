//! One set of packages, written down by uv in three ways.

use std::fs;

use testbed::base::debian_python;
use testbed::{Context, Cpython, House, Result, output, program, run};

use super::setting::{Made, Setting, as_base};

/// A project that needs the whole house, locked in its directory.
fn locked(setting: &Setting, house: &House) -> Result<Context> {
    let pins = house.pins();
    let dependencies: Vec<String> = pins.lines().map(|pin| format!("{pin:?}")).collect();
    let project = format!(
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \"==3.11.*\"\n\
         dependencies = [{}]\n\n[tool.uv]\npackage = false\n\
         environments = [\"sys_platform == 'linux' and platform_machine == 'x86_64'\"]\n\n\
         [[tool.uv.index]]\nname = \"house\"\nurl = \"{}\"\ndefault = true\n",
        dependencies.join(", "),
        setting.index.url(),
    );
    let context = Context::new()?.file("pyproject.toml", project)?;
    run_uv(&context, &["lock"])?;
    let export = ["export", "--frozen", "--no-emit-project", "--format"];
    for (format, file) in [("pylock.toml", "pylock.toml"), ("requirements.txt", "requirements.txt")]
    {
        run_uv(&context, &[&export[..], &[format, "--output-file", file]].concat())?;
    }
    Ok(context)
}

/// Runs uv in the context.
fn run_uv(context: &Context, words: &[&str]) -> Result {
    let mut command = program(testbed::uv::path()?);
    command.args(words).args(["--quiet", "--no-config", "--no-cache", "--python"]);
    command.arg(Cpython::required()?.prefix.join("bin/python3.11"));
    run(command.current_dir(context.path()))
}

/// Builds what a table says, and says how many pages of the index were asked for.
fn build(setting: &Setting, context: &Context, table: &str) -> Result<(Made, usize)> {
    let recipe =
        format!("base = \"base\"\n\n[python]\nindex-url = \"{}\"\n{table}\n", setting.index.url());
    fs::write(context.path().join("plywood.toml"), recipe).unwrap();
    setting.index.forget();
    let mut build = setting.build(context);
    let made = setting.made(build.arg("--no-cache").arg(as_base(&debian_python()?.layout)))?;
    let asked = setting.index.requests();
    Ok((made, asked.iter().filter(|fetch| fetch.path.starts_with("/simple/")).count()))
}

#[test]
fn a_set_is_one_image_however_it_is_locked() -> Result {
    let house = House::listed("sixty")?;
    let setting = Setting::of(&[&house])?;
    let context = locked(&setting, &house)?;
    let (by_requirements, pages) =
        build(&setting, &context, "requirements-files = [\"requirements.txt\"]")?;
    assert_eq!(pages, house.offers()?.len());
    for lock in ["uv.lock", "pylock.toml"] {
        let (by_lock, pages) = build(&setting, &context, &format!("lock = \"{lock}\""))?;
        assert_eq!(by_lock.digest, by_requirements.digest, "{lock}");
        assert_eq!(pages, 0, "{lock}");
    }
    Ok(())
}

#[test]
fn a_changed_hash_ends_the_build_before_anything_is_written() -> Result {
    let house = House::listed("benchmark")?;
    let setting = Setting::of(&[&house])?;
    let context = locked(&setting, &house)?;
    let offers = house.offers()?;
    let numpy = offers.iter().find(|offer| offer.project == "numpy").unwrap();
    let other = format!("0000{}", &numpy.sha256[4..]);
    for lock in ["uv.lock", "pylock.toml"] {
        let path = context.path().join(lock);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&numpy.sha256));
        fs::write(&path, text.replace(&numpy.sha256, &other)).unwrap();
        let table = format!("base = \"base\"\n\n[python]\nlock = \"{lock}\"\n");
        fs::write(context.path().join("plywood.toml"), table).unwrap();
        let mut build = setting.build(&context);
        let refused = output(build.arg(as_base(&debian_python()?.layout)))?;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(9), "{said}");
        assert!(said.contains(&numpy.file) && said.contains(&other), "{said}");
        assert!(refused.stdout.is_empty());
        let images = setting.plywood.answer(["images", "--quiet"])?;
        assert!(!images.contains("localhost/app"), "{images}");
    }
    Ok(())
}
