//! `echo`, `printf`, `test`, which are programs, too.

use std::rc::Rc;

use bstr::BString;

use crate::data::Stream;
use crate::descriptor::{Output, output, take_stream};
use crate::evaluate::dialect::{Dialect, is_name};
use crate::evaluate::shell::{Eval, Evaluator};
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::programs::text;

/// A program that each shell has its own of.
type Shared = fn(&mut Process<'_, '_>, Option<Dialect>) -> Run;

pub(super) fn echo(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    evaluator.run_shared(text::echo::echo, words)
}

pub(super) fn printf(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    match words {
        [command, option, name, rest @ ..]
            if option == "-v" && evaluator.shell.dialect.is_bash() =>
        {
            evaluator.print_into(command, name, rest)
        }
        _ => evaluator.run_shared(text::printf::printf, words),
    }
}

pub(super) fn test(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    evaluator.run_shared(text::test::test, words)
}

impl Evaluator<'_, '_> {
    fn run_shared(&mut self, run: Shared, words: &[BString]) -> Eval<u8> {
        let name = words.first().cloned().unwrap_or_default();
        let speaker = [self.speaker().as_bytes(), &name].concat().into();
        let mut process = Process {
            words: words.to_vec(),
            environment: self.shell.variables.environment(),
            directory: self.shell.directory.clone(),
            umask: self.shell.umask,
            descriptors: self.shell.descriptors.clone(),
            program: oci::ImagePath::lexical("bin").join(&name),
            is_system: true,
            flavour: Flavour::Gnu,
            speaker: Some(speaker),
            machine: &mut *self.machine,
        };
        Ok(run(&mut process, Some(self.shell.dialect))?)
    }

    /// What `[[` asks of files.
    pub(in crate::evaluate) fn asks_test(&mut self, operands: Vec<BString>) -> Eval<bool> {
        let mut words = vec![BString::from("test")];
        words.extend(operands);
        Ok(self.run_shared(text::test::test, &words)? == 0)
    }

    /// bash: `printf -v name`
    fn print_into(&mut self, command: &BString, name: &BString, rest: &[BString]) -> Eval<u8> {
        if !is_name(name) {
            return self.refuse("printf -v", format!("the variable `{name}`"));
        }
        let handle = output(Output::Stream(Stream::default()));
        let outer = self.shell.descriptors.clone();
        self.shell.descriptors.set(1, Rc::clone(&handle));
        let words: Vec<BString> = std::iter::once(command).chain(rest).cloned().collect();
        let result = self.run_shared(text::printf::printf, &words);
        self.shell.descriptors = outer;
        let status = result?;
        let data =
            take_stream(&handle).into_data(self.machine.outside, &mut self.machine.budget)?;
        let bytes = data.bytes(self.machine.outside, &mut self.machine.budget)?;
        self.assign_scalar(name, BString::from(&bytes[..]))?;
        Ok(status)
    }
}
