//! A dialogue: what a command writes goes, line by line, to somebody who answers at once.
//!
//! Commands run one after the other here, so two of them cannot talk with each other over pipes.
//! Where one of the two is a program that is built in, it need not run to be asked.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::{Handle, Input, OpenFile, Output, output};
use crate::data::Data;
use crate::machine::Machine;
use crate::stop::{Reason, Stop};

/// Whoever answers in a [`Dialogue`].
pub trait Partner {
    /// The bytes that a line, without its end, is answered with. It may run no command of its own
    /// that takes part in the same dialogue.
    fn answer(&mut self, machine: &mut Machine<'_>, line: &[u8]) -> Result<Vec<u8>, Stop>;
}

/// What two ends share.
pub struct Dialogue {
    /// Not there while it answers.
    partner: Option<Box<dyn Partner>>,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
    /// What is not read yet.
    answers: Vec<u8>,
}

/// A dialogue that several open files lead to.
pub type SharedDialogue = Rc<RefCell<Dialogue>>;

/// The two ends that a command has of a dialogue: to be written, and to be read.
pub fn dialogue(partner: Box<dyn Partner>) -> (SharedDialogue, Handle, Handle) {
    let partner = Some(partner);
    let dialogue = Dialogue { partner, begun: Vec::new(), answers: Vec::new() };
    let dialogue = Rc::new(RefCell::new(dialogue));
    let input = Input { dialogue: Some(Rc::clone(&dialogue)), ..Input::default() };
    let read = Rc::new(RefCell::new(OpenFile::Input(input)));
    let written = output(Output::Dialogue(Rc::clone(&dialogue)));
    (dialogue, written, read)
}

impl Dialogue {
    /// What was written behind the last end of a line.
    pub fn unfinished_line(&self) -> Option<&[u8]> {
        (!self.begun.is_empty()).then_some(&self.begun[..])
    }
}

impl fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogue").field("answers", &self.answers.len()).finish_non_exhaustive()
    }
}

impl Input {
    /// Takes up what was answered meanwhile.
    ///
    /// # Errors
    /// Nothing is there, and nothing comes: the real program would wait for ever.
    pub(super) fn listen(&mut self) -> Result<(), Stop> {
        let Some(dialogue) = &self.dialogue else { return Ok(()) };
        if self.pieces.last().is_some_and(|piece| piece.size() == self.taken as u64) {
            self.pieces.pop();
            self.taken = 0;
        }
        let answers = std::mem::take(&mut dialogue.borrow_mut().answers);
        if !answers.is_empty() {
            self.pieces.insert(0, Data::of(answers));
        }
        if self.pieces.is_empty() { Err(waits_forever()) } else { Ok(()) }
    }
}

/// The dialogue that writing to a handle belongs to.
pub(super) fn behind(handle: &Handle) -> Option<SharedDialogue> {
    match &*handle.borrow() {
        OpenFile::Output(Output::Dialogue(dialogue)) => Some(Rc::clone(dialogue)),
        _ => None,
    }
}

/// Has each line answered that is whole by now.
pub(super) fn say(
    dialogue: &SharedDialogue,
    machine: &mut Machine<'_>,
    bytes: &[u8],
) -> Result<(), Stop> {
    dialogue.borrow_mut().begun.extend_from_slice(bytes);
    loop {
        let (line, mut partner) = {
            let mut dialogue = dialogue.borrow_mut();
            let Some(end) = dialogue.begun.iter().position(|byte| *byte == b'\n') else {
                return Ok(());
            };
            let mut line: Vec<u8> = dialogue.begun.drain(..=end).collect();
            line.pop();
            let Some(partner) = dialogue.partner.take() else { return Ok(()) };
            (line, partner)
        };
        machine.budget.step()?;
        let answer = partner.answer(machine, &line);
        let mut dialogue = dialogue.borrow_mut();
        dialogue.partner = Some(partner);
        dialogue.answers.extend_from_slice(&answer?);
    }
}

pub(super) fn waits_forever() -> Stop {
    let why = "waits for an answer that nobody gives".to_owned();
    Stop::refuse("read", Reason::Use(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::Closed;
    use crate::fixture::Image;
    use crate::limits::{Budget, Limits};

    struct Echo(usize);

    impl Partner for Echo {
        fn answer(&mut self, _: &mut Machine<'_>, line: &[u8]) -> Result<Vec<u8>, Stop> {
            self.0 += 1;
            Ok([self.0.to_string().as_bytes(), b" ", line, b"\n"].concat())
        }
    }

    #[test]
    fn lines_are_answered_as_they_end() {
        let image = Image::new();
        let budget = Budget::new(Limits::default());
        let platform = oci::Platform::linux("amd64");
        let mut machine = Machine::new(image.files(), &image, budget, platform);
        let (shared, written, read) = dialogue(Box::new(Echo(0)));
        let next = |machine: &mut Machine<'_>| {
            let line = machine.read_until(&read, b'\n');
            line.map(|line| String::from_utf8(line.unwrap()).unwrap())
        };
        machine.write(&written, b"GET a\nGE").unwrap();
        assert_eq!(next(&mut machine).unwrap(), "1 GET a\n");
        assert!(matches!(next(&mut machine), Err(Closed::Stop(Stop::Refused(_)))));
        machine.write(&written, b"T b\nGET c\nrest").unwrap();
        assert_eq!(next(&mut machine).unwrap(), "2 GET b\n");
        assert_eq!(next(&mut machine).unwrap(), "3 GET c\n");
        assert_eq!(shared.borrow().unfinished_line(), Some(&b"rest"[..]));
    }
}
