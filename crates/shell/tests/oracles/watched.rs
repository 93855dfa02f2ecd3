//! strace watches that an evaluation touches no file of the machine, whatever the line is.

use std::fs;
use std::process::Command;

use crate::image::{IMAGE, LIMITS};
use crate::lines::WRITTEN;

/// What is asked for right before the lines are evaluated, and right after. They are not there.
const MARKS: [&str; 2] = ["/plywood/evaluation/begins", "/plywood/evaluation/is/over"];

/// Evaluates all hostile lines between two marks that a watcher sees.
#[test]
fn hostile_lines_between_marks() {
    // The image is made, and what the first line needs of the allocator is there.
    let mut outcomes = vec![IMAGE.outcome("sh", ":", LIMITS)];
    assert!(fs::metadata(MARKS[0]).is_err());
    outcomes.extend(WRITTEN.iter().map(|(shell, script)| IMAGE.outcome(shell, script, LIMITS)));
    assert!(fs::metadata(MARKS[1]).is_err());
    assert_eq!(outcomes.len(), WRITTEN.len() + 1);
}

#[test]
fn no_file_of_the_machine_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--quiet=all", "--trace=%file,%process,%network"]);
    strace.arg("--output").arg(&log).arg(std::env::current_exe().unwrap());
    strace.args(["--exact", "watched::hostile_lines_between_marks", "--test-threads=1"]);
    testbed::run(&mut strace).unwrap();
    let log = fs::read_to_string(&log).unwrap();
    let (_, rest) = log.split_once(MARKS[0]).expect("evaluation begins");
    let (between, _) = rest.split_once(MARKS[1]).expect("evaluation is over");
    // The rest of the first mark's line, and the beginning of the last one's.
    let calls: Vec<_> = between.lines().skip(1).collect();
    let (last, calls) = calls.split_last().expect("the last mark has a line");
    assert!(last.contains("stat"), "{last}");
    assert_eq!(calls, Vec::<&str>::new(), "system calls on files");
}
