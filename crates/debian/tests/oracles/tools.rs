//! Scripts of calls to the programs that maintainer scripts call: output, status and the tree
//! afterwards are those of the real programs.
//!
//! A file of scripts has one after the other, each begun by a line `$ ` with its title; lines before
//! the first are what is done before each.

use std::fs;
use std::path::Path;

use testbed::shells::Script;

use sides::{Answer, House, difference};

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
    check(&House::base().of_a_maintainer_script(), "alternatives.sh");
}

#[test]
fn files_are_diverted_as_dpkg_does() {
    check(&House::base().of_a_maintainer_script(), "divert.sh");
}

#[test]
fn owners_are_overridden_as_dpkg_does() {
    check(&House::base().of_a_maintainer_script(), "statoverride.sh");
}

#[test]
fn questions_are_answered_as_dpkg_does() {
    check(&House::base().of_a_maintainer_script(), "query.sh");
}

#[test]
fn runlevels_are_linked_as_in_debian() {
    check(&House::base().of_a_maintainer_script(), "rc.sh");
}

/// Units of systemd, and the programs that belong to it.
const SYSTEMD: &str = "systemd dbus-daemon man-db libcap2-bin";

#[test]
fn units_are_enabled_as_without_systemd() {
    check(&House::base().of_a_maintainer_script(), "units.sh");
}

#[test]
fn units_are_enabled_as_with_systemd() {
    check(&House::unpacked(SYSTEMD).of_a_maintainer_script(), "units.sh");
}

#[test]
fn units_are_changed_as_systemctl_does() {
    check(&House::unpacked(SYSTEMD).of_a_maintainer_script(), "systemctl.sh");
}

#[test]
fn users_of_the_system_are_made_as_systemd_does() {
    check(&House::unpacked(SYSTEMD).of_a_maintainer_script(), "sysusers.sh");
}

#[test]
fn files_of_the_system_are_made_as_systemd_does() {
    check(&House::unpacked(SYSTEMD).of_a_maintainer_script(), "tmpfiles.sh");
}

#[test]
fn small_programs_do_as_the_real_ones() {
    check(&House::unpacked(SYSTEMD).of_a_maintainer_script(), "small.sh");
}
