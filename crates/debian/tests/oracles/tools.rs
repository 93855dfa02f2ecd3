//! Scripts of calls to the programs that maintainer scripts call: output, status and the tree
//! afterwards are those of the real programs.
//!
//! A file of scripts has one after the other, each begun by a line `$ ` with its title; lines before
//! the first are what is done before each.

use std::fs;
use std::path::Path;

use testbed::shells::Script;

use crate::comparison::Answer;
use crate::house::House;

fn scripts(name: &str) -> Vec<(String, Script)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/scripts").join(name);
    let text = fs::read_to_string(path).unwrap();
    let text = format!("\n{text}");
    let mut parts = text.split("\n$ ");
    let before = parts.next().unwrap_or_default().to_owned();
    let script = |part: &str| {
        let (title, text) = part.split_once('\n').unwrap();
        let text = format!("{before}\n{text}").trim_end_matches('\n').to_owned();
        (title.to_owned(), Script { shell: "/bin/sh", text })
    };
    parts.map(script).collect()
}

/// The lines that only one of the two has.
fn difference(real: &Answer, evaluated: &Answer) -> String {
    let (real, evaluated) = (lines(real), lines(evaluated));
    let only = |mark: &str, of: &[String], other: &[String]| -> Vec<String> {
        let lines = of.iter().filter(|line| !other.contains(line));
        lines.take(40).map(|line| format!("{mark} {line}")).collect()
    };
    let mut lines = only("real     ", &real, &evaluated);
    lines.extend(only("evaluated", &evaluated, &real));
    if lines.is_empty() {
        lines.push("the same lines in another order".to_owned());
    }
    lines.join("\n")
}

fn lines(answer: &Answer) -> Vec<String> {
    let Answer::Ran { status, stdout, stderr, tree } = answer else { return vec![answer.shown()] };
    let text = |mark: &str, bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.lines().map(|line| format!("{mark} {line}")).collect()
    };
    let mut lines = vec![format!("status {status}")];
    lines.extend(text("1>", stdout));
    lines.extend(text("2>", stderr));
    lines.extend(tree.iter().map(|(path, state)| format!("/{path} {}", state.shown())));
    lines
}

fn check(house: &House, name: &str) {
    let (titles, scripts): (Vec<String>, Vec<Script>) = scripts(name).into_iter().unzip();
    let answers = house.both(&scripts);
    let differs = |(_, (real, evaluated)): &(&String, &(Answer, Answer))| real != evaluated;
    let wrong: Vec<String> = titles
        .iter()
        .zip(&answers)
        .filter(differs)
        .map(|(title, (real, evaluated))| format!("$ {title}\n{}", difference(real, evaluated)))
        .collect();
    assert!(wrong.is_empty(), "{}\n{} of {} differ", wrong.join("\n"), wrong.len(), titles.len());
}

#[test]
fn alternatives_are_as_dpkg_has_them() {
    check(&House::base(), "alternatives.sh");
}

#[test]
fn files_are_diverted_as_dpkg_does() {
    check(&House::base(), "divert.sh");
}

#[test]
fn owners_are_overridden_as_dpkg_does() {
    check(&House::base(), "statoverride.sh");
}

#[test]
fn questions_are_answered_as_dpkg_does() {
    check(&House::base(), "query.sh");
}

#[test]
fn runlevels_are_linked_as_in_debian() {
    check(&House::base(), "rc.sh");
}

/// Units of systemd, and the programs that belong to it.
const SYSTEMD: &str = "systemd dbus-daemon man-db libcap2-bin";

#[test]
fn units_are_enabled_as_without_systemd() {
    check(&House::base(), "units.sh");
}

#[test]
fn units_are_enabled_as_with_systemd() {
    check(&House::with(SYSTEMD), "units.sh");
}

#[test]
fn units_are_changed_as_systemctl_does() {
    check(&House::with(SYSTEMD), "systemctl.sh");
}

#[test]
fn users_of_the_system_are_made_as_systemd_does() {
    check(&House::with(SYSTEMD), "sysusers.sh");
}

#[test]
fn files_of_the_system_are_made_as_systemd_does() {
    check(&House::with(SYSTEMD), "tmpfiles.sh");
}

#[test]
fn small_programs_do_as_the_real_ones() {
    check(&House::with(SYSTEMD), "small.sh");
}
