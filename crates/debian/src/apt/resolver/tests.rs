//! What is chosen in small worlds, each for one rule.

use std::sync::Arc;

use super::*;
use crate::apt::archive::Release;
use crate::index::PackageIndex;
use crate::outside::Proxy;

/// A world: what archives have, and what is installed.
#[derive(Default)]
struct World {
    archives: Vec<Archive>,
    status: String,
    automatic: BTreeSet<status::PackageId>,
}

/// `name version; field: value; …`, one package a line.
fn stanzas(lines: &str, installed: bool) -> String {
    let mut text = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut parts = line.split(';').map(str::trim);
        let (name, version) = parts.next().unwrap().split_once(' ').unwrap();
        text += &format!("Package: {name}\nVersion: {version}\n");
        if !line.contains("Architecture:") {
            text += "Architecture: amd64\n";
        }
        if installed && !line.contains("Status:") {
            text += "Status: install ok installed\n";
        }
        parts.for_each(|field| text += &format!("{field}\n"));
        text.push('\n');
    }
    text
}

impl World {
    fn installed(mut self, lines: &str) -> World {
        self.status += &stanzas(lines, true);
        self
    }

    fn offered(self, lines: &str) -> World {
        self.offered_in(lines, Release { suite: "stable".to_owned(), ..Release::default() })
    }

    fn offered_in(mut self, lines: &str, release: Release) -> World {
        self.archives.push(Archive {
            base: String::new(),
            login: None,
            proxy: Proxy::Direct,
            release: Arc::new(release),
            component: "main".to_owned(),
            list: None,
            index: Arc::new(PackageIndex::read(stanzas(lines, false).as_bytes()).unwrap()),
        });
        self
    }

    fn automatic(mut self, name: &str) -> World {
        self.automatic
            .insert(status::PackageId { name: name.into(), architecture: "amd64".into() });
        self
    }

    /// What is done, in order; or the error, with what is unmet.
    fn does(&self, action: Action, words: &[&str], rules: &Rules<'_>) -> String {
        let status = Status::parse(self.status.as_bytes()).unwrap();
        let policy = Policy::by_default(self.archives.iter().map(|archive| &*archive.release));
        let request = Request {
            archives: &self.archives,
            status: &status,
            automatic: &self.automatic,
            local: &[],
            architectures: &["amd64", "i386"],
            policy: &policy,
            rules,
            action,
            words,
        };
        match resolve(&request) {
            Ok(solution) => told(&solution),
            Err(ResolveError::Unsatisfiable { unmets, .. }) => unmets.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn installs(&self, words: &[&str]) -> String {
        self.does(Action::Install, words, &Rules::default())
    }
}

fn told(solution: &Solution) -> String {
    let step = |step: &Step| {
        let verb = match step.work {
            Work::Unpack => "+",
            Work::Configure => "!",
            Work::ConfigureLast => return None,
            Work::Remove => "-",
            Work::Purge => "--",
        };
        let same = |change: &&Change| change.package == step.package;
        let change = solution.changes.iter().find(same);
        let to = change.filter(|_| verb == "+").and_then(|change| change.to.as_deref());
        let automatic = match change {
            Some(change) if verb == "+" && change.is_automatic => "*",
            _ => "",
        };
        let to = to.map(|to| format!("={to}")).unwrap_or_default();
        Some(format!("{verb}{}{to}{automatic}", step.package.name))
    };
    let steps: Vec<String> = solution.steps.iter().filter_map(step).collect();
    steps.join(" ")
}

#[test]
fn dependencies_come_along_and_the_first_way_is_taken() {
    let world = World::default().offered(
        "a 1; Depends: b | c, v
         b 1
         c 1
         p 1; Provides: v; Priority: optional
         q 1; Provides: v; Priority: important
         r 1; Recommends: b, lost
         w 1; Depends: b (>= 2) | c",
    );
    assert_eq!(world.installs(&["a"]), "+q=1* +b=1* +a=1");
    assert_eq!(world.installs(&["a", "p"]), "+p=1 +b=1* +a=1");
    assert_eq!(world.installs(&["r"]), "+b=1* +r=1");
    let rules = Rules { recommends: false, ..Rules::default() };
    assert_eq!(world.does(Action::Install, &["r"], &rules), "+r=1");
    assert_eq!(world.installs(&["w"]), "+c=1* +w=1");
}

#[test]
fn what_is_built_from_one_source_moves_together() {
    let world = World::default()
        .installed("libc6 1; Source: glibc\nlibc-bin 1; Source: glibc\nother 1; Source: other")
        .offered(
            "libc6 2; Source: glibc
             libc-bin 2; Source: glibc
             other 2; Source: other
             libc6-dev 2; Source: glibc; Depends: libc6 (= 2)",
        );
    assert_eq!(world.installs(&["libc6-dev"]), "+libc-bin=2 +libc6=2 +libc6-dev=2");
    let rules = Rules { upgrades_by_source: false, ..Rules::default() };
    assert_eq!(world.does(Action::Install, &["libc6-dev"], &rules), "+libc6=2 +libc6-dev=2");
}

#[test]
fn conflicts_are_upgraded_or_go() {
    let world = World::default().installed("old 1\nbroken 1\nessential 1; Essential: yes").offered(
        "new 1; Conflicts: old
             newer 1; Breaks: broken (<< 2)
             broken 2
             worst 1; Conflicts: essential
             essential 1; Essential: yes",
    );
    assert_eq!(world.installs(&["new"]), "-old +new=1");
    assert_eq!(world.installs(&["newer"]), "+broken=2 +newer=1");
    insta::assert_snapshot!(world.installs(&["worst"]), @r"
    The following packages have unmet dependencies:
     worst : Conflicts: essential but 1 is to be installed
    ");
}

#[test]
fn what_cannot_be_is_explained() {
    let world = World::default().offered(
        "a 1; Depends: b (>= 2), gone
         b 1
         long-name 1; Depends: x | b (<< 1)
         one 1; Depends: b; Conflicts: two
         two 1; Depends: b",
    );
    insta::assert_snapshot!(world.installs(&["a"]), @r"
    The following packages have unmet dependencies:
     a : Depends: b (>= 2) but it is not going to be installed
         Depends: gone but it is not installable
    ");
    insta::assert_snapshot!(world.installs(&["long-name"]), @r"
    The following packages have unmet dependencies:
     long-name : Depends: x but it is not installable or
                          b (< 1) but it is not going to be installed
    ");
    insta::assert_snapshot!(world.installs(&["one", "two"]), @r"
    The following packages have unmet dependencies:
     one : Conflicts: two but 1 is to be installed
    ");
    insta::assert_snapshot!(world.installs(&["long-nam"]), @"Unable to locate package long-nam");
    insta::assert_snapshot!(world.installs(&["a=3", "a/sid", "b.*x"]), @"Version '3' for 'a' was not found; Release 'sid' for 'a' was not found; Unable to locate package b.*x; Couldn't find any package by glob 'b.*x'; Couldn't find any package by regex 'b.*x'");
}

#[test]
fn suites_and_pins_decide_which_version() {
    let release = |suite: &str, is_not_automatic| Release {
        suite: suite.to_owned(),
        is_not_automatic,
        ..Release::default()
    };
    let world = World::default()
        .offered("a 1; Depends: b\nb 1")
        .offered_in("a 2; Depends: b (>= 2)\nb 2", release("backports", true));
    assert_eq!(world.installs(&["a"]), "+b=1* +a=1");
    assert_eq!(world.installs(&["a/backports"]), "+b=2* +a=2");
    assert_eq!(world.installs(&["a=2", "b=2"]), "+b=2 +a=2");
    let later = World::default()
        .installed("a 1")
        .offered("a 2")
        .offered_in("a 3", release("experimental", true));
    assert_eq!(later.does(Action::Upgrade, &[], &Rules::default()), "+a=2");
    assert_eq!(later.installs(&["a=1"]), "");
}

#[test]
fn holds_and_removals() {
    let world = World::default()
        .installed("held 1; Status: hold ok installed\nfree 1\nuser 1; Depends: lib\nlib 1")
        .offered("held 2\nfree 2; Depends: fresh\nfresh 1\nuser 1; Depends: lib\nlib 1")
        .automatic("lib");
    let rules = Rules::default();
    assert_eq!(world.does(Action::Upgrade, &[], &rules), "");
    assert_eq!(world.does(Action::DistUpgrade, &[], &rules), "+fresh=1* +free=2");
    assert_eq!(world.does(Action::Remove, &["lib"], &rules), "-user -lib");
    let unused = Rules { removes_unused: true, purges: true, ..Rules::default() };
    assert_eq!(world.does(Action::Remove, &["user"], &unused), "--user --lib");
    assert_eq!(world.installs(&["free-"]), "-free");
}

#[test]
fn other_architectures_stand_beside() {
    let world = World::default().installed("same 1; Multi-Arch: same").offered(
        "same 1; Multi-Arch: same
         same 1; Multi-Arch: same; Architecture: i386
         tool 1; Multi-Arch: foreign
         app 1; Architecture: i386; Depends: tool, same
         script 1; Depends: python:any
         python 1; Multi-Arch: allowed
         alone 1; Architecture: i386; Depends: python",
    );
    assert_eq!(world.installs(&["app:i386"]), "+tool=1* +same=1* +app=1");
    assert_eq!(world.installs(&["script"]), "+python=1* +script=1");
    insta::assert_snapshot!(world.installs(&["alone:i386"]), @r"
    The following packages have unmet dependencies:
     alone:i386 : Depends: python:i386 but it is not installable
    ");
}
