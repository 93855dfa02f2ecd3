//! Lists, pipelines and compound commands (POSIX XCU 2.9).

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::expand::pattern::Pattern;
use super::shell::{Eval, Evaluator, Flow};
use super::syntax::tree::{
    Arm, ArmEnd, Command, CommandKind, Connector, Item, List, Pipeline, Until, Waits, Word, Written,
};
use crate::data::Stream;
use crate::descriptor::{Output, input_stream, output, take_stream};

/// Whether a failure is looked at, so that `set -e` lets it pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tested {
    Yes,
    No,
}

impl Evaluator<'_, '_> {
    /// Runs commands one after the other, and gives the exit status of the last.
    pub(super) fn run_list(&mut self, list: &List) -> Eval<u8> {
        if list.is_empty() {
            self.shell.status = 0;
        }
        for item in list {
            self.run_item(item)?;
        }
        Ok(self.shell.status)
    }

    fn run_item(&mut self, item: &Item) -> Eval<()> {
        if !self.shell.dialect.is_bash() || item.waits == Waits::No {
            self.shell.line = item.line;
        }
        if item.waits == Waits::No {
            return self.refuse("&", "commands in the background");
        }
        let mut status = self.run_pipeline(&item.first, tested(item, 0))?;
        for (index, (connector, pipeline)) in item.rest.iter().enumerate() {
            if (status == 0) == (*connector == Connector::And) {
                status = self.run_pipeline(pipeline, tested(item, index + 1))?;
            }
        }
        Ok(())
    }

    fn run_pipeline(&mut self, pipeline: &Pipeline, tested: Tested) -> Eval<u8> {
        let outer = self.shell.tested;
        if pipeline.is_negated || tested == Tested::Yes {
            self.shell.tested += 1;
        }
        let status = match &pipeline.commands[..] {
            [command] => self.run_command(command),
            commands => self.run_pipes(commands),
        };
        self.shell.tested = outer;
        let status = status?;
        if let [command] = &pipeline.commands[..]
            && is_one(&command.kind)
        {
            self.shell.pipe_statuses.clear();
            self.shell.pipe_statuses.push(status);
        }
        self.shell.status = if pipeline.is_negated { u8::from(status == 0) } else { status };
        Ok(self.shell.status)
    }

    /// Runs each command to its end, and gives what it wrote to the next.
    fn run_pipes(&mut self, commands: &[Command]) -> Eval<u8> {
        let mut flows: Option<Stream> = None;
        let mut statuses = Vec::new();
        let mut failed = 0;
        let mut status = 0;
        for (index, command) in commands.iter().enumerate() {
            let outer = self.shell.descriptors.clone();
            if let Some(stream) = flows.take() {
                self.shell.descriptors.set(0, input_stream(stream));
            }
            let writes =
                (index + 1 < commands.len()).then(|| output(Output::Stream(Stream::default())));
            if let Some(handle) = &writes {
                self.shell.descriptors.set(1, Rc::clone(handle));
            }
            let ran = self.in_subshell(|evaluator| {
                let is_subshell = matches!(command.kind, CommandKind::Subshell(_));
                evaluator.shell.is_piped = evaluator.shell.dialect.is_bash() && !is_subshell;
                evaluator.run_command(command)
            });
            self.shell.descriptors = outer;
            status = ran?;
            statuses.push(status);
            failed = if status == 0 { failed } else { status };
            flows = writes.map(|handle| take_stream(&handle));
        }
        self.shell.pipe_statuses = statuses;
        let status = if self.shell.options.pipefail { failed } else { status };
        self.shell.status = status;
        self.check_failure(status)?;
        Ok(status)
    }

    /// Runs something with a state of its own, and gives its exit status.
    pub(super) fn in_subshell(&mut self, run: impl FnOnce(&mut Self) -> Eval<u8>) -> Eval<u8> {
        let outer = self.shell.clone();
        self.shell.subshells += 1;
        self.shell.is_piped = false;
        self.shell.traps.retain(|_, action| action.is_empty());
        let result = self.deeper(run);
        let status = self.finish(result);
        let substituted = self.shell.substituted;
        self.shell = outer;
        self.shell.substituted = substituted;
        let status = status?;
        self.shell.status = status;
        Ok(status)
    }

    /// The end of a shell: its exit status, and what it wants done on exit.
    pub(super) fn finish(&mut self, result: Eval<u8>) -> Eval<u8> {
        let status = match result {
            Ok(status) | Err(Flow::Exit(status) | Flow::Return(status) | Flow::Discard(status)) => {
                status
            }
            Err(Flow::Break(_) | Flow::Continue(_)) => self.shell.status,
            Err(Flow::Stop(stop)) => return Err(Flow::Stop(stop)),
        };
        let action = self.shell.traps.remove("EXIT").filter(|action| !action.is_empty());
        let Some(action) = action else { return Ok(status) };
        self.shell.status = status;
        match self.run_text(&action) {
            Ok(_) | Err(Flow::Break(_) | Flow::Continue(_)) => Ok(status),
            Err(Flow::Exit(other)) => Ok(other),
            Err(Flow::Return(other) | Flow::Discard(other)) => Ok(other),
            Err(Flow::Stop(stop)) => Err(Flow::Stop(stop)),
        }
    }

    /// `set -e`: the shell ends with a command that failed and whose failure nobody looks at.
    pub(super) fn check_failure(&mut self, status: u8) -> Eval<()> {
        if status != 0 && self.shell.options.errexit && self.shell.tested == 0 {
            return Err(Flow::Exit(status));
        }
        Ok(())
    }

    pub(super) fn run_command(&mut self, command: &Command) -> Eval<u8> {
        self.machine.budget.step().map_err(|stop| stop.at_line(command.line))?;
        let outer = self.shell.line;
        if !self.shell.dialect.is_bash() || has_line_before_redirections(&command.kind) {
            self.shell.line = command.line;
        }
        let result = match &command.kind {
            CommandKind::Simple(simple) => self.run_simple(simple, &command.redirects),
            CommandKind::Function { name, body } => self.define(name, body),
            _ => self.run_compound(command),
        };
        if self.shell.dialect.is_bash() {
            self.shell.line = outer;
        }
        result.map_err(|flow| match flow {
            Flow::Stop(stop) => Flow::Stop(stop.at_line(command.line)),
            flow => flow,
        })
    }

    fn define(&mut self, name: &BString, body: &Rc<Command>) -> Eval<u8> {
        Rc::make_mut(&mut self.shell.functions).insert(name.clone(), Rc::clone(body));
        self.shell.status = 0;
        Ok(0)
    }

    fn run_compound(&mut self, command: &Command) -> Eval<u8> {
        let Command { line, kind, redirects } = command;
        let outer = self.shell.descriptors.clone();
        if !redirects.is_empty() && !self.redirect(redirects)? {
            self.shell.descriptors = outer;
            let status = self.error_status();
            self.shell.status = status;
            self.check_failure(status)?;
            return Ok(status);
        }
        if has_line(kind) {
            self.shell.line = *line;
        }
        let result = self.deeper(|evaluator| evaluator.run_kind(kind));
        if !redirects.is_empty() {
            self.shell.descriptors = outer;
        }
        let status = result?;
        self.shell.status = status;
        let is_checked = matches!(
            kind,
            CommandKind::Subshell(_) | CommandKind::Arithmetic(_) | CommandKind::Conditional(_)
        );
        if is_checked {
            self.check_failure(status)?;
        }
        Ok(status)
    }

    fn run_kind(&mut self, kind: &CommandKind) -> Eval<u8> {
        match kind {
            CommandKind::Group(list) => self.run_list(list),
            CommandKind::Subshell(list) => self.in_subshell(|evaluator| evaluator.run_list(list)),
            CommandKind::If { branches, otherwise } => self.run_if(branches, otherwise.as_ref()),
            CommandKind::Loop { until, condition, body } => self.run_loop(*until, condition, body),
            CommandKind::For { name, words, body } => self.run_for(name, words.as_ref(), body),
            CommandKind::ArithmeticFor(clause) => self.run_arithmetic_for(clause),
            CommandKind::Case { word, written, arms } => {
                let value = self.single(word)?;
                self.trace_case(written)?;
                self.run_case(&value, arms)
            }
            CommandKind::Arithmetic(word) => self.run_arithmetic(word),
            CommandKind::Conditional(condition) => self.run_conditional(condition),
            CommandKind::Simple(_) | CommandKind::Function { .. } => Ok(self.shell.status),
        }
    }

    /// Runs a condition, whose failure is no failure.
    fn run_condition(&mut self, list: &List) -> Eval<u8> {
        self.shell.tested += 1;
        let result = self.run_list(list);
        self.shell.tested -= 1;
        result
    }

    fn run_if(&mut self, branches: &[(List, List)], otherwise: Option<&List>) -> Eval<u8> {
        for (condition, body) in branches {
            if self.run_condition(condition)? == 0 {
                return self.run_list(body);
            }
        }
        match otherwise {
            Some(body) => self.run_list(body),
            None => Ok(0),
        }
    }

    fn run_loop(&mut self, until: Until, condition: &List, body: &List) -> Eval<u8> {
        let goes_on = |status: u8| (status == 0) == (until == Until::Failure);
        let mut status = 0;
        self.shell.loops += 1;
        let result = loop {
            if let Err(stop) = self.machine.budget.step() {
                break Err(stop.into());
            }
            let condition = match self.run_condition(condition) {
                Ok(status) if !goes_on(status) => break Ok(status),
                result => result,
            };
            match condition.and_then(|_| self.run_list(body)).map_or_else(turn, go_on) {
                Ok(Turn::Next(Some(last))) => status = last,
                Ok(Turn::Next(None)) => status = 0,
                Ok(Turn::Over) => {
                    status = 0;
                    break Ok(0);
                }
                Err(flow) => break Err(flow),
            }
        };
        self.shell.loops -= 1;
        result.map(|_| status)
    }

    /// Runs a loop's body once.
    pub(super) fn run_body(&mut self, body: &List) -> Eval<Turn> {
        self.machine.budget.step()?;
        self.run_list(body).map_or_else(turn, go_on)
    }

    fn run_for(&mut self, name: &BString, words: Option<&Written>, body: &List) -> Eval<u8> {
        let values = match words {
            Some(written) => self.fields(&written.words)?,
            None => self.shell.positional.iter().cloned().collect(),
        };
        let shown = words.map_or_else(|| "\"$@\"".into(), |written| written.text.clone());
        self.shell.loops += 1;
        let mut status = 0;
        let mut result = Ok(());
        for value in values {
            self.trace_for(name, &shown)?;
            let turn = match self.assign_scalar(name, value) {
                Ok(()) => self.run_body(body),
                Err(flow) => Err(flow),
            };
            match turn {
                Ok(Turn::Next(last)) => status = last.unwrap_or(0),
                Ok(Turn::Over) => {
                    status = 0;
                    break;
                }
                Err(flow) => {
                    result = Err(flow);
                    break;
                }
            }
        }
        self.shell.loops -= 1;
        result.map(|()| status)
    }

    fn run_case(&mut self, value: &BString, arms: &[Arm]) -> Eval<u8> {
        let mut arms = arms.iter();
        let mut status = 0;
        while let Some(arm) = arms.next() {
            if !self.matches_any(&arm.patterns, value)? {
                continue;
            }
            status = self.run_list(&arm.body)?;
            let mut end = arm.then;
            while end == ArmEnd::RunNext {
                let Some(next) = arms.next() else { return Ok(status) };
                status = self.run_list(&next.body)?;
                end = next.then;
            }
            if end == ArmEnd::Leave {
                break;
            }
        }
        Ok(status)
    }

    fn matches_any(&mut self, patterns: &[Word], value: &BString) -> Eval<bool> {
        for word in patterns {
            let pattern: Pattern = self.pattern(word)?;
            if pattern.matches(value.as_bytes(), &mut self.machine.budget)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether bash says its line, and not that of the command around it, where what is wrong is not in
/// a command of its own. Where nothing is around it, the line is the one that was read last.
fn has_line(kind: &CommandKind) -> bool {
    match kind {
        CommandKind::Group(_) | CommandKind::If { .. } | CommandKind::Loop { .. } => false,
        CommandKind::Simple(_) | CommandKind::Subshell(_) | CommandKind::Function { .. } => true,
        CommandKind::For { .. } | CommandKind::ArithmeticFor(_) | CommandKind::Case { .. } => true,
        CommandKind::Arithmetic(_) | CommandKind::Conditional(_) => true,
    }
}

/// Whether this is so while its files are opened.
fn has_line_before_redirections(kind: &CommandKind) -> bool {
    matches!(kind, CommandKind::Simple(_) | CommandKind::Subshell(_) | CommandKind::Function { .. })
}

/// What a loop does after its body.
pub(super) enum Turn {
    /// It goes on; the body's exit status, unless it was left by `continue`.
    Next(Option<u8>),
    /// It ends.
    Over,
}

fn go_on(status: u8) -> Eval<Turn> {
    Ok(Turn::Next(Some(status)))
}

fn turn(flow: Flow) -> Eval<Turn> {
    match flow {
        Flow::Break(0 | 1) => Ok(Turn::Over),
        Flow::Break(more) => Err(Flow::Break(more - 1)),
        Flow::Continue(0 | 1) => Ok(Turn::Next(None)),
        Flow::Continue(more) => Err(Flow::Continue(more - 1)),
        flow => Err(flow),
    }
}

/// Whether a command is a pipeline of its own for `PIPESTATUS`; what others are made of sets it.
fn is_one(kind: &CommandKind) -> bool {
    match kind {
        CommandKind::Simple(_)
        | CommandKind::Subshell(_)
        | CommandKind::Arithmetic(_)
        | CommandKind::Conditional(_)
        | CommandKind::Function { .. } => true,
        CommandKind::Group(_)
        | CommandKind::If { .. }
        | CommandKind::Loop { .. }
        | CommandKind::For { .. }
        | CommandKind::ArithmeticFor(_)
        | CommandKind::Case { .. } => false,
    }
}

/// Whether something follows the pipeline at `index` that depends on its exit status.
fn tested(item: &Item, index: usize) -> Tested {
    if index < item.rest.len() { Tested::Yes } else { Tested::No }
}
