//! Scripts at random: each answer is the real shell's, or a refusal.

use testbed::shells::Script;

use crate::grammar::{Dialect, Grammar};
use sides::{Answer, House, script};

const SEED: u64 = 20_250_101;
const SCRIPTS: usize = 1_000;
/// More are not told at once.
const MOST_TOLD: usize = 12;

/// Of scripts of `dialect`: how many agree, how many are refused, and those that differ.
pub(crate) struct Found {
    pub(crate) agreed: usize,
    pub(crate) refused: Vec<(String, String)>,
    pub(crate) differences: Vec<String>,
}

pub(crate) fn compare(dialect: Dialect, seed: u64, number: usize) -> Found {
    let house = House::base();
    let mut grammar = Grammar::new(dialect, seed);
    let written: Vec<_> = (0..number).map(|_| grammar.script()).collect();
    let scripts: Vec<_> = written.iter().map(|lines| joined(dialect, lines)).collect();
    let mut found = Found { agreed: 0, refused: Vec::new(), differences: Vec::new() };
    for (lines, (real, evaluated)) in written.iter().zip(house.both(&scripts)) {
        match evaluated {
            Answer::Refused(why) => found.refused.push((why, lines.join("\n"))),
            evaluated if evaluated == real => found.agreed += 1,
            _ if found.differences.len() < MOST_TOLD => {
                found.differences.push(told(&house, dialect, lines));
            }
            _ => found.differences.push(lines.join("\n")),
        }
    }
    found
}

pub(crate) fn joined(dialect: Dialect, lines: &[String]) -> Script {
    let shell = match dialect {
        Dialect::Posix => "sh",
        Dialect::Bash => "bash",
    };
    script(shell, &lines.join("\n"))
}

fn differs((real, evaluated): &(Answer, Answer)) -> bool {
    !matches!(evaluated, Answer::Refused(_)) && real != evaluated
}

/// The difference in words, of as few statements as still show one.
fn told(house: &House, dialect: Dialect, lines: &[String]) -> String {
    let mut lines = lines.to_vec();
    let (real, evaluated) = loop {
        let without = |left_out: usize| {
            let mut fewer = lines.clone();
            fewer.remove(left_out);
            fewer
        };
        let mut fewer: Vec<_> = (1..lines.len()).map(without).collect();
        fewer.push(lines.clone());
        let scripts: Vec<_> = fewer.iter().map(|lines| joined(dialect, lines)).collect();
        let answers = house.both(&scripts);
        let smallest = answers.iter().position(differs).unwrap_or(fewer.len() - 1);
        if smallest == fewer.len() - 1 {
            break answers[smallest].clone();
        }
        lines = fewer.swap_remove(smallest);
    };
    let text = lines[1..].join("\n");
    format!("--- {dialect:?}\n{text}\nreal:\n{}evaluated:\n{}", real.shown(), evaluated.shown())
}

fn check(dialect: Dialect) {
    let found = compare(dialect, SEED, SCRIPTS);
    let Found { agreed, refused, differences } = &found;
    let counts =
        format!("{agreed} agree, {} are refused, {} differ", refused.len(), differences.len());
    let told = differences.iter().take(MOST_TOLD).map(String::as_str).collect::<Vec<_>>();
    assert!(differences.is_empty(), "{}\n{counts}", told.join("\n"));
    assert!(agreed * 10 >= SCRIPTS * 9, "too few were evaluated: {counts}");
}

#[test]
fn evaluated_as_dash_does() {
    check(Dialect::Posix);
}

#[test]
fn evaluated_as_bash_does() {
    check(Dialect::Bash);
}
