//! What is built.

use std::error::Error;
use std::sync::Mutex;

use oci::Digest;
use python::SourceBuilds;
use resolution::{Builder, Built, Source};

use crate::ask::{Ask, ask};
use crate::index::{Format, Index};
use crate::wheel::{Wheel, source, wheel};

/// Has everything ready.
struct Ready {
    wheels: Vec<Wheel>,
    directory: tempfile::TempDir,
    asked: Mutex<Vec<String>>,
}

impl Builder for Ready {
    fn build(&self, source: &Source) -> Result<Built, Box<dyn Error + Send + Sync>> {
        self.asked.lock().unwrap().push(format!("{} {}", source.name, source.version));
        let mut wheels = self.wheels.iter();
        let wheel = wheels.find(|wheel| wheel.name == source.name).ok_or("no compiler")?;
        let path = self.directory.path().join("blob");
        std::fs::write(&path, wheel.bytes())?;
        let path_of_it = self.directory.path().join(Digest::of(&wheel.bytes()).hex());
        std::fs::rename(&path, &path_of_it)?;
        let digest = Digest::of(&wheel.bytes());
        Ok(Built { filename: wheel.filename(), path: path_of_it, digest })
    }
}

pub(crate) fn build(ask: Ask, wheels: Vec<Wheel>) -> (String, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let ready = Ready { wheels, directory, asked: Mutex::default() };
    let text = ask.change(|request| request.builds = SourceBuilds::Host).text_with(&ready);
    (text, ready.asked.into_inner().unwrap())
}

#[test]
fn what_is_chosen_is_built_and_then_looked_at() {
    let index = Index::new(
        Format::Json,
        [
            wheel("app", "1").requires("pure"),
            source("pure", "2"),
            wheel("pure", "1"),
            source("deep", "3"),
        ],
    );
    let built = || vec![wheel("pure", "2").requires("deep"), wheel("deep", "3")];
    let (text, asked) = build(ask(&index).want("app"), built());
    insta::assert_snapshot!(text, @r"
    * app 1 app-1-py3-none-any.whl
      deep 3 deep-3-py3-none-any.whl (given)
      pure 2 pure-2-py3-none-any.whl (given)
    ");
    assert_eq!(asked, ["pure 2", "deep 3"]);
    let only = ask(&index).want("app").change(|r| r.only_binary = vec!["pure".into()]);
    insta::assert_snapshot!(build(only, built()).0, @r"
    * app 1 app-1-py3-none-any.whl
      pure 1 pure-1-py3-none-any.whl
    ");
}

#[test]
fn what_is_not_to_come_as_a_wheel_is_built() {
    let offers = [source("fast", "2"), wheel("fast", "2"), wheel("deep", "1")];
    let index = Index::new(Format::Json, offers);
    let built = vec![wheel("fast", "2").requires("deep")];
    let no_wheel = ask(&index).want("fast").change(|r| r.no_binary = vec!["fast".into()]);
    let (text, asked) = build(no_wheel, built);
    insta::assert_snapshot!(text, @r"
      deep 1 deep-1-py3-none-any.whl
    * fast 2 fast-2-py3-none-any.whl (given)
    ");
    assert_eq!(asked, ["fast 2"]);
}

#[test]
fn what_cannot_be_built() {
    let index = Index::new(Format::Json, [source("pure", "2")]);
    insta::assert_snapshot!(build(ask(&index).want("pure"), Vec::new()).0, @"error: pure 2 cannot be built: no compiler");
    let other = wheel("pure", "2").tags("cp311-cp311-linux_aarch64");
    insta::assert_snapshot!(build(ask(&index).want("pure"), vec![other]).0, @r#"
    error: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for pure 2 (requirements.txt:1): wheels for cp311-cp311-linux_aarch64, and a source distribution
    hint: `build = "host"` builds with a Python of this machine
    "#);
}
