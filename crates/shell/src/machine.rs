//! All that an evaluation has: files, facts, bounds, and what was said and done so far.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use bstr::BString;
use oci::{Digest, Platform};

use crate::data::Stored;
use crate::descriptor::Channel;
use crate::files::Files;
use crate::limits::Budget;
use crate::outside::Outside;

/// The state that all commands of one evaluation share.
pub struct Machine<'a> {
    /// The file system.
    pub files: Files,
    /// What is outside.
    pub outside: &'a dyn Outside,
    /// What is left of the bounds.
    pub budget: Budget,
    /// What commands said.
    pub transcript: Transcript,
    /// What was done, command by command.
    pub trace: Vec<Event>,
    /// What the image runs on: what `uname -m` answers.
    pub platform: Platform,
    /// What was fetched.
    pub fetches: Vec<Fetch>,
    /// Archives whose members are in the file system.
    pub archives: Vec<Stored>,
    memories: HashMap<TypeId, Box<dyn Any>>,
    random: u64,
}

/// What commands said, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    pieces: Vec<(Channel, Vec<u8>)>,
}

/// A command that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// How many commands it is inside of.
    pub depth: usize,
    /// The line of the script, counted from 1.
    pub line: Option<usize>,
    /// The command's words, expanded.
    pub words: Vec<BString>,
    /// Its exit status; `None` while it goes on.
    pub status: Option<u8>,
    /// What it changed: a part of [`Files::journal`].
    pub changes: std::ops::Range<usize>,
    /// What the program says of itself to whoever wants to know what was done.
    pub remark: Option<String>,
}

/// Something that a URL gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// The address.
    pub url: String,
    /// The bytes, by name.
    pub digest: Digest,
    /// Whether the command line itself said which bytes it wants.
    pub is_verified: bool,
}

impl<'a> Machine<'a> {
    /// Nothing done yet.
    pub fn new(files: Files, outside: &'a dyn Outside, budget: Budget, platform: Platform) -> Self {
        Machine {
            files,
            outside,
            budget,
            transcript: Transcript::default(),
            trace: Vec::new(),
            platform,
            fetches: Vec::new(),
            archives: Vec::new(),
            memories: HashMap::new(),
            random: 0,
        }
    }

    /// What programs remember from one run to the next of one evaluation, such as a file that was
    /// parsed: one value of each type. What has an effect belongs into [`Machine::files`].
    pub fn memory<T: Any + Default>(&mut self) -> &mut T {
        let memory = self.memories.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        memory.downcast_mut().expect("a type's memory is of that type")
    }

    /// The next of numbers that look like chance, and are the same in each evaluation (Vigna's
    /// SplitMix64).
    pub fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Notes something about the command of these words, which is being evaluated.
    pub fn remark(&mut self, words: &[BString], remark: impl Into<String>) {
        let current = self.trace.iter_mut().rev().find(|event| event.status.is_none());
        if let Some(event) = current.filter(|event| event.words == words) {
            event.remark = Some(remark.into());
        }
    }

    /// Notes that a command has compared bytes with a digest.
    pub fn verified(&mut self, digest: &Digest) {
        for fetch in self.fetches.iter_mut().filter(|fetch| fetch.digest == *digest) {
            fetch.is_verified = true;
        }
    }
}

impl Transcript {
    /// More of it.
    pub fn write(&mut self, channel: Channel, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some((last, held)) if *last == channel => held.extend_from_slice(bytes),
            _ => self.pieces.push((channel, bytes.to_vec())),
        }
    }

    /// What went to output and to errors, in the order in which it was written.
    pub fn pieces(&self) -> &[(Channel, Vec<u8>)] {
        &self.pieces
    }

    /// All of one channel.
    pub fn of(&self, channel: Channel) -> Vec<u8> {
        let own = self.pieces.iter().filter(|(of, _)| *of == channel);
        own.flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    }
}
