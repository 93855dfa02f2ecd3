//! Resolves requirements against the default index:
//! `resolve CACHE PROCESSOR PYTHON GLIBC [REQUIREMENT|override:REQUIREMENT]…`, such as `resolve /tmp/c amd64 3.11 2.36 flask`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use oci::{ImagePath, Platform};
use python::{
    Indexes, Interpreter, Layout, Libc, Location, Origin, Requirement, ResolutionRequest, Target,
    Version,
};
use resolution::{Network, resolve};

const OVERRIDE: &str = "override:";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [cache, processor, python, glibc, requirements @ ..] = arguments.as_slice() else {
        eprintln!("usage: resolve CACHE PROCESSOR PYTHON GLIBC REQUIREMENT…");
        return ExitCode::FAILURE;
    };
    let request = request(target(processor, pair(python), pair(glibc)), requirements);
    let started = Instant::now();
    let nothing = |_: &_| Err(io::Error::from(io::ErrorKind::NotFound));
    let answer = resolve(&request, &[], &Network::default(), Path::new(cache), &nothing);
    let took = started.elapsed();
    match answer {
        Ok(resolution) => {
            for package in &resolution.packages {
                let Location::Url(_) = &package.wheel.location else { continue };
                println!("{} {} {}", package.name, package.version, package.wheel.filename);
            }
            for warning in &resolution.warnings {
                eprintln!("warning: {warning}");
            }
            eprintln!("{} packages in {took:.2?}", resolution.packages.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            eprintln!("after {took:.2?}");
            ExitCode::FAILURE
        }
    }
}

fn pair(text: &str) -> (u8, u8) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn target(processor: &str, python: (u8, u8), glibc: (u8, u8)) -> Target {
    let root = ImagePath::root();
    Target {
        interpreter: Interpreter {
            executable: String::new(),
            version: Version {
                major: python.0,
                minor: python.1,
                patch: Some(0),
                suffix: String::new(),
            },
            free_threaded: false,
            layout: Layout {
                purelib: root.clone(),
                platlib: root.clone(),
                scripts: root.clone(),
                headers: root.clone(),
                data: root,
            },
            search_path: Vec::new(),
            foreign: Vec::new(),
            externally_managed: false,
        },
        libc: Libc::Glibc { major: glibc.0.into(), minor: glibc.1.into() },
        platform: Platform::linux(processor),
    }
}

fn request(target: Target, requirements: &[String]) -> ResolutionRequest {
    let requirement = |(index, text): (usize, &String)| Requirement {
        text: text.trim_start_matches(OVERRIDE).to_owned(),
        hashes: Vec::new(),
        origin: Origin { file: "arguments".to_owned(), line: index + 1 },
    };
    let numbered = requirements.iter().enumerate();
    let (overrides, requirements) =
        numbered.partition::<Vec<_>, _>(|(_, text)| text.starts_with(OVERRIDE));
    ResolutionRequest {
        target,
        requirements: requirements.into_iter().map(requirement).collect(),
        constraints: Vec::new(),
        overrides: overrides.into_iter().map(requirement).collect(),
        lock: None,
        indexes: Indexes::default(),
        given: Vec::new(),
        exclude_newer: None,
        prereleases: Default::default(),
        no_binary: Vec::new(),
        only_binary: Vec::new(),
        installed: Vec::new(),
        upgrade: Default::default(),
        dependencies: Default::default(),
        require_hashes: false,
        builds: Default::default(),
    }
}
