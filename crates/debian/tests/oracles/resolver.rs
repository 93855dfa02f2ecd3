//! What is chosen is what `apt-get -s` chooses, in the same order.
//!
//! apt only simulates here, with all its directories moved to a private one.

mod aged;
mod apt;
mod random;

use std::collections::BTreeSet;

use apt::{Apt, Base};
use debian::apt::resolver::{Action, Policy, ResolveError, Rules, Solution};
use random::Random;

/// What is asked of both.
#[derive(Debug, Clone)]
struct Question {
    action: Action,
    words: Vec<String>,
    recommends: bool,
    flags: Vec<&'static str>,
}

impl Question {
    fn of(action: Action, words: &[&str], flags: &[&'static str]) -> Question {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Question { action, words, recommends: true, flags: flags.to_vec() }
    }

    fn command(&self) -> &'static str {
        match self.action {
            Action::Install => "install",
            Action::Remove => "remove",
            Action::Upgrade => "upgrade",
            Action::DistUpgrade => "dist-upgrade",
        }
    }

    fn rules(&self) -> Rules<'static> {
        let (never_removed, bad) = debian::apt::resolver::NamePatterns::new([
            "^firmware-linux.*",
            "^linux-firmware$",
            "^linux-image-[a-z0-9]*$",
            "^linux-image-[a-z0-9]*-[a-z0-9]*$",
        ]);
        assert!(bad.is_empty());
        Rules {
            recommends: self.recommends,
            removes_unused: self.flags.contains(&"--autoremove"),
            purges: self.flags.contains(&"--purge"),
            reinstalls: self.flags.contains(&"--reinstall"),
            upgrades_with_new: self.flags.contains(&"--with-new-pkgs"),
            never_automatic_sections: vec!["metapackages", "tasks"],
            moving_sections: vec!["oldlibs"],
            never_removed,
            ..Rules::default()
        }
    }
}

fn solve(apt: &Apt, base: &Base, question: &Question) -> Result<Solution, ResolveError> {
    let releases = apt.archives.iter().map(|archive| &*archive.release);
    let policy = Policy::by_default(releases);
    let words: Vec<&str> = question.words.iter().map(String::as_str).collect();
    debian::apt::resolver::resolve(&debian::apt::resolver::Request {
        archives: &apt.archives,
        status: &base.status,
        automatic: &base.automatic,
        local: &[],
        architectures: &["amd64"],
        policy: &policy,
        rules: &question.rules(),
        action: question.action,
        words: &words,
    })
}

/// Asks both, and gives what differs.
fn compare(apt: &Apt, base: &Base, question: &Question) -> Option<String> {
    let (real, ours) = match (apt.simulate(base, question), solve(apt, base, question)) {
        (Ok(real), Ok(ours)) => (real, ours),
        (Err(_), Err(_)) => return None,
        (Ok(_), Err(error)) => return Some(format!("only apt finds: {question:?} {error:?}")),
        (Err(error), Ok(_)) => return Some(format!("only we find: {question:?} {error}")),
    };
    let changed = real.iter().filter(|line| !line.starts_with("Conf"));
    let changed: BTreeSet<String> = changed.cloned().collect();
    let ours_changed = apt::changes(&ours);
    if changed != ours_changed {
        let missing: Vec<_> = changed.difference(&ours_changed).take(8).collect();
        let more: Vec<_> = ours_changed.difference(&changed).take(8).collect();
        return Some(format!("choice: {question:?}\n  missing {missing:?}\n  more {more:?}"));
    }
    let ours = apt::lines(&ours);
    if real == ours {
        return None;
    }
    let at = real.iter().zip(&ours).position(|(one, other)| one != other);
    let at = at.unwrap_or(real.len().min(ours.len()));
    let near = |lines: &[String]| -> Vec<String> {
        lines.iter().skip(at.saturating_sub(2)).take(5).cloned().collect()
    };
    let (real, ours) = (near(&real), near(&ours));
    Some(format!("order: {question:?} at {at}\n  apt  {real:?}\n  ours {ours:?}"))
}

fn random_questions(apt: &Apt, seed: u64, count: usize) -> Vec<Question> {
    let mut random = Random(seed);
    let names: Vec<&str> = apt.archives[0].index.offers().map(|offer| offer.name()).collect();
    let question = |_| {
        let count = 1 + random.below(6);
        let words = (0..count).map(|_| names[random.below(names.len())].to_owned()).collect();
        let recommends = random.below(2) == 0;
        Question { action: Action::Install, words, recommends, flags: Vec::new() }
    };
    (0..count).map(question).collect()
}

fn check_all(apt: &Apt, base: &Base, questions: &[Question]) {
    let differences: Vec<String> =
        questions.iter().filter_map(|question| compare(apt, base, question)).collect();
    let choices = differences.iter().filter(|text| !text.starts_with("order")).count();
    assert!(
        differences.is_empty(),
        "{} of {} differ, {choices} in what is chosen:\n{}",
        differences.len(),
        questions.len(),
        differences.join("\n")
    );
}

#[test]
fn random_sets_on_a_fresh_base() {
    let apt = Apt::new();
    let count = std::env::var("SETS").ok().and_then(|sets| sets.parse().ok()).unwrap_or(16);
    check_all(&apt, &apt.fresh(), &random_questions(&apt, 1, count));
}

#[test]
fn random_sets_on_an_aged_base() {
    let apt = Apt::new();
    let count = std::env::var("SETS").ok().and_then(|sets| sets.parse().ok()).unwrap_or(16);
    check_all(&apt, &apt.aged(), &random_questions(&apt, 2, count));
}

#[test]
fn upgrades_of_an_aged_base() {
    let apt = Apt::new();
    let questions = [
        Question::of(Action::Upgrade, &[], &[]),
        Question::of(Action::Upgrade, &[], &["--with-new-pkgs"]),
        Question::of(Action::Upgrade, &["git"], &[]),
        Question::of(Action::DistUpgrade, &[], &[]),
        Question::of(Action::DistUpgrade, &["build-essential"], &[]),
    ];
    check_all(&apt, &apt.aged(), &questions);
}

#[test]
fn removals() {
    let apt = Apt::new();
    let unused =
        ["libgnutls30", "gpgv", "debian-archive-keyring", "adduser", "libapt-pkg6.0", "tzdata"];
    let base = apt.fresh().with_automatic(&unused);
    let questions = [
        Question::of(Action::Remove, &[], &["--autoremove"]),
        Question::of(Action::Remove, &["tzdata"], &[]),
        Question::of(Action::Remove, &["tzdata", "adduser"], &["--purge"]),
        Question::of(Action::Remove, &["libgnutls30"], &[]),
        Question::of(Action::Remove, &["nothing-like-it"], &[]),
        Question::of(Action::Remove, &["curl", "tzdata+"], &[]),
        Question::of(Action::Install, &["curl", "tzdata-"], &[]),
        Question::of(Action::Install, &["tzdata"], &["--reinstall"]),
    ];
    check_all(&apt, &base, &questions);
}

#[test]
fn words_of_all_kinds() {
    let apt = Apt::new();
    let words: [&[&str]; 14] = [
        &["curl:amd64"],
        &["curl=7.88.1-10+deb12u*"],
        &["curl/bookworm-security"],
        &["git/stable"],
        &["g++"],
        &["libc-dev"],
        &["mail-transport-agent"],
        &["^libpq[0-9]$"],
        &["linux-headers-6.1.*-amd64"],
        &["lib?q5"],
        &["curl=1"],
        &["curl/sid"],
        &["curll"],
        &["python3:any"],
    ];
    let questions = words.map(|words| Question::of(Action::Install, words, &[]));
    check_all(&apt, &apt.fresh(), &questions);
}
