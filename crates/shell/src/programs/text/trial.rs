//! How tests run a program, or a shell's builtin of the same name.

use bstr::{BString, ByteSlice};
use oci::{ImagePath, Platform};

use crate::Channel;
use crate::data::Data;
use crate::descriptor::{Descriptors, input};
use crate::evaluate::dialect::Dialect;
use crate::fixture::Image;
use crate::limits::Budget;
use crate::machine::Machine;
use crate::process::Process;
use crate::programs::{Flavour, find};
use crate::stop::Stop;

/// Runs one with this input, and gives what came of it as text: output, errors behind a `!`, and
/// the status if it is not 0. Builtins speak as `sh: 1: NAME`.
pub(super) fn run(image: &Image, shell: Option<Dialect>, words: &[&str], given: &str) -> String {
    let limits = image.limits;
    let mut machine =
        Machine::new(image.files(), image, Budget::new(limits), Platform::linux("amd64"));
    let name = words[0];
    let mut process = Process {
        words: words.iter().map(|word| BString::from(*word)).collect(),
        environment: image.environment.clone(),
        directory: ImagePath::lexical("work"),
        umask: 0o022,
        descriptors: Descriptors::to_transcript().with(0, input(Data::of(given))),
        program: ImagePath::lexical(format!("usr/bin/{name}")),
        is_system: true,
        flavour: Flavour::Gnu,
        speaker: shell.map(|_| format!("sh: 1: {name}").into()),
        machine: &mut machine,
    };
    let status = match (shell, name) {
        (Some(_), "echo") => super::echo::echo(&mut process, shell),
        (Some(_), "printf") => super::printf::printf(&mut process, shell),
        (Some(_), _) => super::test::test(&mut process, shell),
        (None, name) => find(name.as_bytes()).expect("it is built in")(&mut process),
    };
    let status = match status {
        Ok(status) => status,
        Err(Stop::Refused(refusal)) => return format!("refused: {refusal}"),
        Err(stop) => return format!("{stop:?}"),
    };
    let said = |channel| machine.transcript.of(channel).as_bstr().to_string();
    let (mut text, errors) = (said(Channel::Output), said(Channel::Errors));
    if !errors.is_empty() {
        text.push_str(&format!("!{errors}"));
    }
    if status != 0 {
        text.push_str(&format!("={status}"));
    }
    text
}

/// Rows of words, input and what comes of it.
pub(super) type Rows<'a> = &'a [(&'a [&'a str], &'a str, &'a str)];

/// Checks a table of uses of builtins, or of programs, in an image.
pub(super) fn check(image: &Image, shell: Option<Dialect>, rows: Rows<'_>) {
    for (words, given, expected) in rows {
        assert_eq!(run(image, shell, words, given), *expected, "{shell:?} {words:?}");
    }
}
