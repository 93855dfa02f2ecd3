//! pip, which says what an installation is: run inside of a root, and asked of it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::Value;

use crate::program::answer;
use crate::{Chroot, Failure, House, Result, output, run, stdout};

/// Where pip takes distributions from.
pub enum Source<'a> {
    /// A directory of wheels, and no index.
    House(&'a House),
    /// An index, by its URL.
    Index(&'a str),
}

/// Installs a requirements file, without bytecode; `options` are more of `pip install`'s.
pub fn install(chroot: &Chroot, source: &Source, requirements: &str, options: &[&str]) -> Result {
    let mut file = tempfile::NamedTempFile::new().map_err(Failure::doing("make a file"))?;
    file.write_all(requirements.as_bytes()).map_err(Failure::doing("write requirements"))?;
    let mut words = pip("install");
    words.extend(["--no-compile".into(), "--requirement".into(), "/dev/stdin".into()]);
    let mounted = match source {
        Source::House(house) => {
            words.extend(["--no-index", "--find-links", "/mnt"].map(str::to_owned));
            Some(house.path())
        }
        Source::Index(url) => {
            words.extend(["--index-url", url].map(str::to_owned));
            None
        }
    };
    words.extend(options.iter().map(|option| (*option).to_owned()));
    let file = file.reopen().map_err(Failure::doing("open requirements"))?;
    run(chroot.command_seeing(mounted, words).stdin(file))
}

/// Runs `pip check`, which has to find nothing wrong.
pub fn check(chroot: &Chroot) -> Result {
    run(&mut chroot.command(pip("check")))
}

/// What `pip list` lists: names as the distributions write them, and versions.
pub fn list(chroot: &Chroot) -> Result<BTreeMap<String, String>> {
    let mut words = pip("list");
    words.push("--format=json".to_owned());
    let listed = json(&stdout(&mut chroot.command(words))?)?;
    let items = listed.as_array().into_iter().flatten();
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    Ok(items.map(|item| (text(item, "name"), text(item, "version"))).collect())
}

/// Uninstalls distributions, which have to be there.
pub fn uninstall(chroot: &Chroot, names: &[&str]) -> Result {
    let mut words = pip("uninstall");
    words.push("--yes".to_owned());
    words.extend(names.iter().map(|name| (*name).to_owned()));
    let mut command = chroot.command(words);
    let output = output(&mut command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    // It succeeds, too, where it finds nothing to uninstall.
    if output.status.success() && !said.contains("Skipping") && !said.contains("Not uninstalling") {
        return Ok(());
    }
    Err(Failure::new(format!("pip uninstall answered {}\n{said}", output.status)))
}

fn pip(subcommand: &str) -> Vec<String> {
    let options = ["--disable-pip-version-check", "--no-cache-dir"];
    let environment =
        ["PIP_BREAK_SYSTEM_PACKAGES=1", "PIP_NO_INPUT=1", "PIP_ROOT_USER_ACTION=ignore"];
    let program = ["python3", "-m", "pip", subcommand];
    let words = environment.iter().chain(&program).chain(&options);
    words.map(|word| (*word).to_owned()).collect()
}

/// What a root's Python answers when everything installed is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// By distribution, as `importlib.metadata` sees it: the version, how many files it lists, and
    /// which of them are missing or not as its `RECORD` says.
    pub distributions: BTreeMap<String, String>,
    /// By top-level module: `ok`, or the last line of what went wrong.
    pub imports: BTreeMap<String, String>,
    /// By console script: how `--help` ends, as `exit 0`, `exit 2: LAST LINE`, `no end`.
    pub scripts: BTreeMap<String, String>,
}

/// Tries all distributions below `site` (a path without a leading slash).
///
/// Every import and script is a process of its own; two run at a time. What others made and what
/// pip made is to be compared, since not everything that is installed can be imported.
pub fn try_all(chroot: &Chroot, site: &str) -> Result<Trial> {
    let mut probe = chroot.command(["python3", "-", &format!("/{site}")]);
    let answered = answer(&mut probe, include_bytes!("pip/probe.py"))?;
    let answered = json(&String::from_utf8_lossy(&answered))?;
    let map = |name: &str| {
        let items = answered[name].as_object().into_iter().flatten();
        items.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().into())).collect()
    };
    Ok(Trial {
        distributions: map("distributions"),
        imports: map("imports"),
        scripts: map("scripts"),
    })
}

impl Trial {
    /// Everything by what it is, and how it went: `import numpy` → `ok`.
    pub fn all(&self) -> BTreeMap<String, &str> {
        let kinds = [
            ("distribution", &self.distributions),
            ("import", &self.imports),
            ("script", &self.scripts),
        ];
        let each = kinds.into_iter().flat_map(|(kind, outcomes)| {
            outcomes.iter().map(move |(name, how)| (format!("{kind} {name}"), how.as_str()))
        });
        each.collect()
    }

    /// What went otherwise than in `other`, a line each.
    pub fn differences(&self, other: &Trial) -> Vec<String> {
        let (mine, their) = (self.all(), other.all());
        let names: BTreeSet<_> = mine.keys().chain(their.keys()).collect();
        let differing = names.into_iter().filter(|name| mine.get(*name) != their.get(*name));
        let told = differing.map(|name| {
            let [mine, their] = [&mine, &their].map(|all| all.get(name).unwrap_or(&"nothing"));
            format!("{name}: {mine} and {their}")
        });
        told.collect()
    }
}

/// A Python program run inside: what it printed.
pub fn python(chroot: &Chroot, program: &str) -> Result<String> {
    stdout(&mut chroot.command(["python3", "-c", program]))
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(Failure::doing("read pip's JSON"))
}
