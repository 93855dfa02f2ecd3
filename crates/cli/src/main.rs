//! `plywood`: builds OCI images from Dockerfiles and moves them, without a container engine.
//!
//! This file reads the command line, runs the command and says how it ended. Standard output
//! carries what was asked for and nothing else; everything else goes to standard error.

mod build;
mod commands;
mod diagnostics;
mod environment;
mod error;
mod exit;
mod flags;
mod interruption;
mod progress;
mod report;
mod session;
mod template;
mod transfer;
mod units;

use std::io::Write;
use std::process::ExitCode;

use environment::Environment;
use error::Error;
use exit::Exit;
use flags::Stop;
use session::Session;

fn main() -> ExitCode {
    let environment = Environment::read();
    let colors = environment.colors(environment.stderr);
    let exit = match flags::parse(std::env::args_os(), &environment) {
        Ok(invocation) => {
            let session = Session::new(environment, invocation.settings);
            ended(commands::run(&invocation.command, &session), &session)
        }
        Err(Stop::Clap(error)) => {
            // clap knows which of its texts are answers; a reader that left is no failure.
            let _ = error.print();
            if error.exit_code() == 0 { Exit::Success } else { Exit::Usage }
        }
        Err(Stop::Usage(error)) => {
            tell(&report::error(&Error::from(error), colors));
            Exit::Usage
        }
    };
    exit.into()
}

fn ended(result: Result<(), Error>, session: &Session) -> Exit {
    match result {
        Ok(()) => Exit::Success,
        Err(error) if error.is_broken_pipe() => Exit::Success,
        Err(error) => {
            session.progress.failed(&error);
            error.exit()
        }
    }
}

/// Writes a line to standard error; if even that fails, there is nobody left to tell.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
