//! `echo`, `printf`, `test`, which are programs, too.

use bstr::BString;

use crate::evaluate::shell::{Eval, Evaluator};
use crate::process::Process;
use crate::programs::{self, Flavour};

pub(super) fn echo(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    evaluator.run_as_program("echo", words)
}

pub(super) fn printf(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    evaluator.run_as_program("printf", words)
}

pub(super) fn test(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    evaluator.run_as_program("test", words)
}

impl Evaluator<'_, '_> {
    fn run_as_program(&mut self, name: &str, words: &[BString]) -> Eval<u8> {
        let Some(program) = programs::find(name.as_bytes()) else {
            return self.refuse(name, "not there yet");
        };
        let mut process = Process {
            words: words.to_vec(),
            environment: self.shell.variables.environment(),
            directory: self.shell.directory.clone(),
            umask: self.shell.umask,
            descriptors: self.shell.descriptors.clone(),
            program: oci::ImagePath::lexical("bin").join(name),
            flavour: Flavour::Gnu,
            machine: &mut *self.machine,
        };
        Ok(program(&mut process)?)
    }
}
