//! Differences between an evaluation and the real shells: `differences random sh SEED COUNT`,
//! or `differences script sh TEXT`, as root on a machine that can run the target `oracles`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of tests")]
#![allow(dead_code, reason = "the tests use more of it")]

#[path = "../tests/oracles/comparison.rs"]
mod comparison;
#[path = "../tests/oracles/debian.rs"]
mod debian;
#[path = "../tests/oracles/grammar.rs"]
mod grammar;
#[path = "../tests/oracles/random.rs"]
mod random;
#[path = "../tests/oracles/snippets.rs"]
mod snippets;

use grammar::Dialect;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["random", shell, seed, count] => {
            let dialect = if shell == "bash" { Dialect::Bash } else { Dialect::Posix };
            random(dialect, seed.parse().unwrap(), count.parse().unwrap());
        }
        ["steady", shell, seed, count] => {
            let dialect = if shell == "bash" { Dialect::Bash } else { Dialect::Posix };
            let debian = debian::Debian::new();
            let mut grammar = grammar::Grammar::new(dialect, seed.parse().unwrap());
            let scripts: Vec<_> = (0..count.parse().unwrap())
                .map(|_| random::joined(dialect, &grammar.script()))
                .collect();
            let began = std::time::Instant::now();
            let (one, two) = (debian.real(&scripts), debian.real(&scripts));
            println!("{:?}", began.elapsed());
            for ((script, one), two) in scripts.iter().zip(&one).zip(&two) {
                if one != two {
                    println!(
                        "--- unsteady\n{}\none:\n{}two:\n{}",
                        script.text,
                        one.shown(),
                        two.shown()
                    );
                }
            }
            for i in 0..8 {
                println!("--- sample\n{}\none:\n{}", scripts[i].text, one[i].shown());
            }
            let mut st = std::collections::BTreeMap::new();
            for a in &one {
                if let comparison::Answer::Ran { status, .. } = a {
                    *st.entry(*status).or_insert(0) += 1;
                }
            }
            println!("{st:?}");
        }
        ["snippets"] => {
            let all = snippets::snippets();
            let scripts: Vec<_> = all.iter().map(|s| s.script.clone()).collect();
            let debian = debian::Debian::new();
            let (one, two) = (debian.real(&scripts), debian.real(&scripts));
            for ((s, one), two) in all.iter().zip(&one).zip(&two) {
                println!("=== {}\n{}\nreal:\n{}", s.name, s.script.text, one.shown());
                if one != two {
                    println!("UNSTEADY\n{}", two.shown());
                }
            }
        }
        ["script", shell, text] => {
            let scripts = [debian::script(shell, text)];
            let (real, evaluated) = debian::Debian::new().both(&scripts).remove(0);
            println!("real:\n{}evaluated:\n{}", real.shown(), evaluated.shown());
        }
        _ => println!("differences random sh|bash SEED COUNT\ndifferences script sh|bash TEXT"),
    }
}

fn random(dialect: Dialect, seed: u64, count: usize) {
    let found = random::compare(dialect, seed, count);
    for (why, script) in &found.refused {
        println!("--- refused: {why}\n{script}");
    }
    for difference in &found.differences {
        println!("{difference}");
    }
    let (agreed, refused, differ) = (found.agreed, found.refused.len(), found.differences.len());
    println!("{agreed} agree, {refused} are refused, {differ} differ");
}
