//! A script at work (GNU sed's manual, "Execution Cycle").

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::script::{Action, Address, Applies, Command, Pattern, Range, Script, Substitution};
use super::streams::{Line, LineEnd, Streams, To};
use super::substitute::{shown, substituted};
use super::{BAD_SCRIPT, End, Settings, complain};
use crate::process::Process;
use crate::regular_expression::{Regex, RegexError};
use crate::stop::{Reason, Stop};

/// The state of a run.
struct Sed<'p, 'm, 'o: 'm> {
    streams: Streams<'p, 'm, 'o>,
    pattern: Line,
    hold: Line,
    queue: Vec<Queued>,
    /// Whether `s` has replaced something since the last line or `t`.
    has_substituted: bool,
    last_regex: Option<Rc<Regex>>,
}

/// What is written once the cycle ends, or the next line is read.
enum Queued {
    Text(BString),
    File(BString),
    Line(Vec<u8>),
}

/// What comes behind a command.
enum Then {
    /// The next one.
    Next,
    /// The one at this place.
    Jump(usize),
    /// The pattern space is printed, and a line is read.
    EndCycle,
    /// A line is read.
    NextCycle,
    /// The script again, without reading.
    Again,
    /// The end of the run, with this status, once the pattern space is printed.
    Quit(u8),
    /// The end of the run.
    QuitSilently(u8),
}

/// Runs a script over files.
pub(super) fn run(
    process: &mut Process<'_, '_>,
    script: &mut Script,
    settings: Settings,
    files: Vec<BString>,
    outputs: &[BString],
) -> Result<u8, End> {
    let streams = Streams::open(process, settings, files, outputs)?;
    let mut sed = Sed {
        streams,
        pattern: Line::default(),
        hold: Line::default(),
        queue: Vec::new(),
        has_substituted: false,
        last_regex: None,
    };
    while let Some(line) = sed.read()? {
        sed.pattern = line;
        loop {
            if std::mem::take(&mut sed.streams.is_new_file) {
                reset(&mut script.commands);
                sed.hold = Line::default();
            }
            let then = sed.cycle(&mut script.commands)?;
            if matches!(then, Then::EndCycle | Then::Quit(_)) && !sed.streams.settings.is_quiet {
                sed.print(To::Main)?;
            }
            match then {
                Then::Quit(status) => {
                    sed.write_queue()?;
                    sed.streams.write_text(To::Main, b"")?;
                    sed.streams.finish_file()?;
                    return Ok(sed.streams.status_or(status));
                }
                Then::QuitSilently(status) => {
                    sed.streams.finish_file()?;
                    return Ok(sed.streams.status_or(status));
                }
                Then::Again => {
                    sed.streams.process.machine.budget.step()?;
                    sed.write_queue()?;
                }
                _ => break,
            }
        }
    }
    Ok(sed.streams.status)
}

/// Ranges begin anew in each file that is edited by itself.
fn reset(commands: &mut [Command]) {
    for command in commands {
        command.range = match command.first {
            Some(Address::Line(0)) => Range::Within(None),
            _ => Range::Before,
        };
    }
}

impl Sed<'_, '_, '_> {
    /// The next line, behind what was to be written before it.
    fn read(&mut self) -> Result<Option<Line>, End> {
        self.write_queue()?;
        self.has_substituted = false;
        self.streams.next_line()
    }

    fn write_queue(&mut self) -> Result<(), Stop> {
        for queued in std::mem::take(&mut self.queue) {
            match queued {
                Queued::Text(text) => self.streams.write_text(To::Main, &text)?,
                Queued::Line(line) => self.streams.write_text(To::Main, &line)?,
                Queued::File(name) => {
                    let bytes = self.streams.whole(&name)?;
                    self.streams.write_text(To::Main, &bytes)?;
                }
            }
        }
        Ok(())
    }

    fn print(&mut self, to: To) -> Result<(), Stop> {
        self.streams.write_line(to, &self.pattern.text, self.pattern.end)
    }

    /// A line of what is not in the input.
    fn write_whole(&mut self, line: &[u8]) -> Result<(), Stop> {
        self.streams.write_line(To::Main, line, LineEnd::There)
    }

    /// The text of `i` and `c`.
    fn write_own(&mut self, text: &[u8]) -> Result<(), Stop> {
        match text.strip_suffix(b"\n") {
            Some(text) => self.write_whole(text),
            None => self.streams.write_text(To::Main, text),
        }
    }

    /// Goes through the script once.
    fn cycle(&mut self, commands: &mut [Command]) -> Result<Then, End> {
        let mut at = 0;
        while at < commands.len() {
            let is_addressed = self.is_addressed(&mut commands[at])?;
            let command = &commands[at];
            if is_addressed == (command.applies == Applies::Others) {
                at = match command.action {
                    Action::Block(end) => end,
                    _ => at + 1,
                };
                continue;
            }
            match self.execute(command)? {
                Then::Next => at += 1,
                Then::Jump(to) => {
                    if to <= at {
                        self.streams.process.machine.budget.step()?;
                    }
                    at = to;
                }
                then => return Ok(then),
            }
        }
        Ok(Then::EndCycle)
    }

    /// Whether a command's addresses have the line.
    fn is_addressed(&mut self, command: &mut Command) -> Result<bool, End> {
        let Some(first) = command.first.clone() else { return Ok(true) };
        let Some(second) = command.second.clone() else { return self.is_at(&first) };
        let line = self.streams.line_number;
        if let Range::Within(end) = command.range {
            let Some(end) = end else {
                if self.is_at(&second)? {
                    command.range = Range::Behind;
                }
                return Ok(true);
            };
            if end <= line {
                command.range = Range::Behind;
            }
            // If the end was passed over, a number of lines has one more, and a line has none.
            return Ok(line <= end || !matches!(second, Address::Line(_)));
        }
        match first {
            // A line that was passed over begins its range later, once.
            Address::Line(first) if command.range == Range::Behind || line < first => {
                return Ok(false);
            }
            Address::Line(_) => {}
            _ if !self.is_at(&first)? => return Ok(false),
            _ => {}
        }
        let end = match second {
            Address::Line(last) if last <= line => {
                command.range = Range::Behind;
                return Ok(match first {
                    Address::Line(first) => first == line || last == line,
                    _ => true,
                });
            }
            Address::Line(last) => Some(last),
            Address::More(more) => Some(line.saturating_add(more)),
            Address::Multiple(of) => Some((line + 1).checked_next_multiple_of(of).unwrap_or(line)),
            Address::Step(..) if self.is_at(&second)? => Some(line),
            _ => None,
        };
        command.range = match end {
            Some(end) if end <= line => Range::Behind,
            end => Range::Within(end),
        };
        Ok(true)
    }

    fn is_at(&mut self, address: &Address) -> Result<bool, End> {
        let line = self.streams.line_number;
        match address {
            Address::Line(number) => Ok(line == *number),
            Address::Step(first, step) => {
                Ok(line >= *first && (line - first).is_multiple_of(*step))
            }
            Address::Last => self.streams.is_last(),
            Address::Match(pattern) => {
                let regex = self.regex(pattern)?;
                let is_match = regex.is_match(&self.pattern.text);
                is_match.map_err(|error| self.refusal(&error))
            }
            Address::More(_) | Address::Multiple(_) => Ok(false),
        }
    }

    fn refusal(&self, error: &RegexError) -> End {
        error.refusal(self.streams.process).into()
    }

    /// The expression, which is the last one from now on.
    fn regex(&mut self, pattern: &Pattern) -> Result<Rc<Regex>, End> {
        if let Pattern::Own(regex) = pattern {
            self.last_regex = Some(Rc::clone(regex));
        }
        match &self.last_regex {
            Some(regex) => Ok(Rc::clone(regex)),
            None => {
                let message = b"-e expression #1, char 0: no previous regular expression";
                complain(self.streams.process, message)?;
                Err(End::Status(BAD_SCRIPT))
            }
        }
    }

    fn execute(&mut self, command: &Command) -> Result<Then, End> {
        match &command.action {
            Action::Block(_) | Action::Nothing => {}
            Action::Number => {
                let number = self.streams.line_number.to_string();
                self.write_whole(number.as_bytes())?;
            }
            Action::Append(text) => self.queue.push(Queued::Text(text.clone())),
            Action::Insert(text) => self.write_own(text)?,
            Action::Change(text) => {
                let is_last =
                    command.second.is_none() || !matches!(command.range, Range::Within(_));
                if is_last {
                    self.write_own(text)?;
                }
                return Ok(Then::NextCycle);
            }
            Action::Branch(to) => return Ok(Then::Jump(*to)),
            Action::BranchIfSubstituted(to) => {
                if std::mem::take(&mut self.has_substituted) {
                    return Ok(Then::Jump(*to));
                }
            }
            Action::BranchUnlessSubstituted(to) => {
                if !std::mem::take(&mut self.has_substituted) {
                    return Ok(Then::Jump(*to));
                }
            }
            Action::Delete => return Ok(Then::NextCycle),
            Action::DeleteFirst => {
                match self.pattern.text.find_byte(self.streams.settings.line_end) {
                    None => return Ok(Then::NextCycle),
                    Some(end) => {
                        self.pattern.text.drain(..=end);
                        return Ok(Then::Again);
                    }
                }
            }
            Action::Name => {
                let name = self.streams.name().to_owned();
                self.write_whole(&name)?;
            }
            Action::Print => self.print(To::Main)?,
            Action::PrintFirst => self.print_first(To::Main)?,
            Action::Write(file) => self.print(To::File(*file))?,
            Action::WriteFirst(file) => self.print_first(To::File(*file))?,
            Action::Show(length) => {
                let length = length.unwrap_or(self.streams.settings.line_length);
                for line in shown(&self.pattern.text, length) {
                    self.write_whole(&line)?;
                }
            }
            Action::Next | Action::NextMore => return self.next(command),
            Action::Quit(status) => return Ok(Then::Quit(*status)),
            Action::QuitSilently(status) => return Ok(Then::QuitSilently(*status)),
            Action::Read(name) => self.queue.push(Queued::File(name.clone())),
            Action::ReadLine(name) => {
                if let Some(line) = self.streams.line_of(name.as_bstr())? {
                    self.queue.push(Queued::Line(line));
                }
            }
            Action::Substitute(substitution) => self.substitute(substitution)?,
            Action::Map(map) => self.map(map)?,
            Action::Get
            | Action::GetMore
            | Action::Hold
            | Action::HoldMore
            | Action::Exchange
            | Action::Empty => self.exchange(&command.action)?,
        }
        Ok(Then::Next)
    }

    fn exchange(&mut self, action: &Action) -> Result<(), Stop> {
        let end = self.streams.settings.line_end;
        match action {
            Action::Get => self.pattern = self.hold.clone(),
            Action::Hold => self.hold = self.pattern.clone(),
            Action::GetMore => {
                self.pattern.text.push(end);
                self.pattern.text.extend_from_slice(&self.hold.text);
                self.pattern.end = self.hold.end;
            }
            Action::HoldMore => {
                self.hold.text.push(end);
                self.hold.text.extend_from_slice(&self.pattern.text);
                self.hold.end = self.pattern.end;
            }
            Action::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
            _ => self.pattern.text.clear(),
        }
        self.streams.process.machine.budget.hold(self.pattern.text.len())
    }

    /// `n` and `N`.
    fn next(&mut self, command: &Command) -> Result<Then, End> {
        let is_more = matches!(command.action, Action::NextMore);
        if self.streams.is_last()? {
            return Ok(Then::EndCycle);
        }
        if !is_more && !self.streams.settings.is_quiet {
            self.print(To::Main)?;
        }
        self.write_queue()?;
        let Some(line) = self.streams.next_line()? else { return Ok(Then::EndCycle) };
        if is_more {
            self.pattern.text.push(self.streams.settings.line_end);
            self.pattern.text.extend_from_slice(&line.text);
            self.pattern.end = line.end;
            self.streams.process.machine.budget.hold(self.pattern.text.len())?;
        } else {
            self.pattern = line;
        }
        Ok(Then::Next)
    }

    fn print_first(&mut self, to: To) -> Result<(), Stop> {
        let text = &self.pattern.text;
        match text.find_byte(self.streams.settings.line_end) {
            Some(end) => self.streams.write_line(to, &text[..end], LineEnd::There),
            None => self.streams.write_line(to, text, self.pattern.end),
        }
    }

    fn substitute(&mut self, substitution: &Substitution) -> Result<(), End> {
        let regex = self.regex(&substitution.pattern)?;
        if substitution.replacement.highest_group() > regex.groups() {
            let reason = "refers to a group that the last expression does not have";
            return Err(self.streams.process.refuse(Reason::Use(reason.to_owned())).into());
        }
        let encoding = self.streams.settings.encoding;
        let result = substituted(&self.pattern.text, &regex, substitution, encoding);
        let Some(text) = result.map_err(|error| self.refusal(&error))? else { return Ok(()) };
        self.streams.process.machine.budget.hold(text.len())?;
        self.pattern.text = text;
        self.has_substituted = true;
        if substitution.prints {
            self.print(To::Main)?;
        }
        if let Some(file) = substitution.output {
            self.print(To::File(file))?;
        }
        Ok(())
    }

    fn map(&mut self, map: &[(BString, BString)]) -> Result<(), Stop> {
        let encoding = self.streams.settings.encoding;
        let mut mapped = Vec::with_capacity(self.pattern.text.len());
        let mut rest = &self.pattern.text[..];
        while !rest.is_empty() {
            let character = encoding.first(rest);
            let to = map.iter().find(|(from, _)| *from == character);
            mapped.extend_from_slice(to.map_or(character, |(_, to)| &to[..]));
            rest = &rest[character.len()..];
        }
        self.pattern.text = mapped;
        Ok(())
    }
}
