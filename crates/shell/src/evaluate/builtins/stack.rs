//! bash: `pushd`, `popd`, `dirs` (the GNU manual, "Directory Stack Builtins"), without options.

use bstr::BString;

use super::directory::{Links, Notice};
use crate::evaluate::shell::{Eval, Evaluator};

pub(super) fn pushd(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let target = match evaluator.stack_operands(words)? {
        [] => match evaluator.shell.directories.last().cloned() {
            Some(next) => next,
            None => return evaluator.builtin_error(words, "no other directory"),
        },
        [target] => target.clone(),
        _ => return evaluator.builtin_error(words, "too many arguments"),
    };
    let swaps = words.len() == 1;
    let old = evaluator.shell.shown_directory();
    let status = evaluator.change_directory(words, &target, Links::Shown, Notice::None)?;
    if status != 0 {
        return Ok(status);
    }
    if swaps {
        evaluator.shell.directories.pop();
    }
    evaluator.machine.budget.hold(old.len() + size_of::<BString>())?;
    evaluator.shell.directories.push(old);
    evaluator.show_directories()
}

pub(super) fn popd(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    if !evaluator.stack_operands(words)?.is_empty() {
        return evaluator.refuse_option(words, &words[1]);
    }
    let Some(next) = evaluator.shell.directories.last().cloned() else {
        return evaluator.builtin_error(words, "directory stack empty");
    };
    let status = evaluator.change_directory(words, &next, Links::Shown, Notice::None)?;
    if status != 0 {
        return Ok(status);
    }
    evaluator.shell.directories.pop();
    evaluator.show_directories()
}

pub(super) fn dirs(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    match words {
        [_] => evaluator.show_directories(),
        [_, option] if option == "-c" => {
            evaluator.shell.directories.clear();
            Ok(0)
        }
        [_, option, ..] => evaluator.refuse_option(words, option),
        [] => Ok(0),
    }
}

impl Evaluator<'_, '_> {
    /// Operands that are directories, and no places in the stack.
    fn stack_operands<'w>(&mut self, words: &'w [BString]) -> Eval<&'w [BString]> {
        let operands = words.get(1..).unwrap_or_default();
        match operands.iter().find(|word| word.starts_with(b"-") || word.starts_with(b"+")) {
            Some(option) => self.refuse_option(words, option),
            None => Ok(operands),
        }
    }

    fn show_directories(&mut self) -> Eval<u8> {
        let home = self.shell.variables.value(b"HOME").cloned().unwrap_or_default();
        let below = self.shell.directories.iter().rev();
        let all: Vec<BString> = std::iter::once(self.shell.shown_directory())
            .chain(below.cloned())
            .map(|directory| abbreviated(directory, &home))
            .collect();
        let line = [&bstr::join(" ", all)[..], b"\n"].concat();
        self.write(1, &line)?;
        Ok(0)
    }
}

/// `~` stands for the home directory.
fn abbreviated(directory: BString, home: &[u8]) -> BString {
    match directory.strip_prefix(home) {
        Some(rest) if home.len() > 1 && (rest.is_empty() || rest.starts_with(b"/")) => {
            [b"~", rest].concat().into()
        }
        _ => directory,
    }
}
