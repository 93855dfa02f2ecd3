//! Differences between evaluations and the real shells, as root on a machine that can run the
//! target `oracles`: of one script, of the snippets in `tests/shell`, or of scripts at random by
//! another seed.
//!
//! `cargo run -p shell --example differences -- random bash 7 1000`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of tests")]
#![allow(dead_code, unused_imports, reason = "the tests use more of it")]

#[path = "../tests/oracles/grammar.rs"]
mod grammar;
#[path = "../tests/oracles/random.rs"]
mod random;
#[path = "../tests/oracles/snippets.rs"]
mod snippets;

use grammar::{Dialect, Grammar};
use sides::{Answer, House, script};

const USAGE: &str = "differences script sh|bash TEXT\n\
    differences snippets\n\
    differences random sh|bash SEED COUNT\n\
    differences steady sh|bash SEED COUNT";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["script", shell, text] => {
            let (real, evaluated) = House::base().both(&[script(shell, text)]).remove(0);
            println!("real:\n{}evaluated:\n{}", real.shown(), evaluated.shown());
        }
        ["snippets"] => of_snippets(),
        ["random", shell, seed, count] => {
            of_random(dialect(shell), seed.parse().unwrap(), count.parse().unwrap());
        }
        ["steady", shell, seed, count] => {
            steady(dialect(shell), seed.parse().unwrap(), count.parse().unwrap());
        }
        _ => println!("{USAGE}"),
    }
}

fn dialect(shell: &str) -> Dialect {
    if shell == "bash" { Dialect::Bash } else { Dialect::Posix }
}

/// Whether the real shell itself says the same twice.
fn steady(dialect: Dialect, seed: u64, count: usize) {
    let mut grammar = Grammar::new(dialect, seed);
    let script = |_| random::joined(dialect, &grammar.script());
    let scripts: Vec<_> = (0..count).map(script).collect();
    let house = House::base();
    let answers = house.real(&scripts).into_iter().zip(house.real(&scripts));
    for (script, (once, again)) in scripts.iter().zip(answers).filter(|(_, (a, b))| a != b) {
        println!("--- {}\nonce:\n{}again:\n{}", script.text, once.shown(), again.shown());
    }
}

/// What is refused, in the form that the snippets' files have, and what differs.
fn of_snippets() {
    let all = snippets::snippets();
    let scripts: Vec<_> = all.iter().map(|snippet| snippet.script.clone()).collect();
    let (mut agree, mut refused, mut differ) = (0, 0, 0);
    for (snippet, (real, evaluated)) in all.iter().zip(House::base().both(&scripts)) {
        match evaluated {
            Answer::Refused(why) => {
                refused += 1;
                println!("=== {}\n=!= {why}", snippet.name);
            }
            evaluated if evaluated == real => agree += 1,
            evaluated => {
                differ += 1;
                let (text, real) = (&snippet.script.text, real.shown());
                println!(
                    "--- {}\n{text}\nreal:\n{real}evaluated:\n{}",
                    snippet.name,
                    evaluated.shown()
                );
            }
        }
    }
    println!("{agree} agree, {refused} are refused, {differ} differ");
}

fn of_random(dialect: Dialect, seed: u64, count: usize) {
    let found = random::compare(dialect, seed, count);
    for (why, script) in &found.refused {
        println!("--- refused: {why}\n{script}");
    }
    for difference in &found.differences {
        println!("{difference}");
    }
    let (agree, refused, differ) = (found.agreed, found.refused.len(), found.differences.len());
    println!("{agree} agree, {refused} are refused, {differ} differ");
}
