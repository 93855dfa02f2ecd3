//! The project's own chores: `cargo xtask COMMAND`. What CI runs is here and nowhere else.

mod archive;
mod base;
mod bench;
mod cargo;
mod ci;
mod fuzz;
mod house;
mod oracles;
mod survey;
mod test;
mod tidy;

use std::process::ExitCode;

/// A chore: its name, what may follow it, what it does, and the function that does it.
struct Chore {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Outcome,
}

/// Success, or in words what is wrong.
type Outcome = testbed::Result;

const CHORES: &[Chore] = &[
    Chore {
        name: "ci",
        arguments: "",
        summary: "formatting, lints, tidy, documentation and all tests",
        run: ci::run,
    },
    Chore {
        name: "test",
        arguments: "",
        summary: "the tests that need nothing but Rust, then those that other programs judge",
        run: test::run,
    },
    Chore {
        name: "tidy",
        arguments: "",
        summary: "the rules of this code base that no compiler knows",
        run: tidy::run,
    },
    Chore {
        name: "oracles",
        arguments: "",
        summary: "installs the programs that judge plywood's output (Debian, Ubuntu)",
        run: oracles::run,
    },
    Chore {
        name: "base",
        arguments: "[BASE]…",
        summary: "makes the base images of the tests and prints where they are",
        run: base::run,
    },
    Chore {
        name: "house",
        arguments: "[LIST]…",
        summary: "downloads the wheels of the tests' lists (tests/python) and prints their sizes",
        run: house::run,
    },
    Chore {
        name: "archive",
        arguments: "[--renew]",
        summary: "records Debian's archive for the tests, if there is no recording or with --renew",
        run: archive::run,
    },
    Chore {
        name: "bench",
        arguments: "[PART]… [--large] [--rounds N] [--plywood BINARY]",
        summary: "side by side with other tools; parts are big, many, rebuild, copy, small, run, \
                  python, debian and, if asked for, torch",
        run: bench::run,
    },
    Chore {
        name: "survey",
        arguments: "DIRECTORY [--partial | --obstacles]",
        summary: "looks at public Dockerfiles (fixtures/survey) and writes docs/run-lines.md",
        run: survey::run,
    },
    Chore {
        name: "fuzz",
        arguments: "[SECONDS] [TARGET]",
        summary: "runs each fuzz target for a while (60 s) with a nightly compiler",
        run: fuzz::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = arguments.first().and_then(|name| CHORES.iter().find(|chore| chore.name == name));
    let Some(chore) = named else {
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    match (chore.run)(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut usage = String::from("usage: cargo xtask COMMAND\n\n");
    for Chore { name, arguments, summary, .. } in CHORES {
        usage.push_str(&format!("  {name} {arguments}\n      {summary}\n"));
    }
    usage
}
