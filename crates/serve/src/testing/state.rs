//! What the test registry remembers beside what it keeps.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::behaviour::Behaviour;
use super::fault::Fault;
use super::log::Entry;

#[derive(Default)]
pub(super) struct State {
    pub(super) behaviour: Behaviour,
    pub(super) faults: Vec<Fault>,
    pub(super) tokens: HashMap<String, Granted>,
    pub(super) log: Vec<Entry>,
    /// How many PATCHes each session has seen.
    pub(super) patches: HashMap<String, u32>,
    /// The sessions that no client was told of, because the answer was lost.
    pub(super) untold: HashSet<String>,
    /// The sessions whose last chunk was shorter than chunks have to be.
    pub(super) short: HashSet<String>,
    /// How many manifests were pulled.
    pub(super) pulls: u32,
    /// How many requests there were of those of which some are dropped.
    pub(super) droppable: u32,
    serial: u64,
}

/// A token that was given out.
pub(super) struct Granted {
    /// `repository:a:pull` and the like, one action each.
    pub(super) scopes: Vec<String>,
    pub(super) good_until: Option<Instant>,
    pub(super) uses_left: Option<u32>,
}

impl State {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        State { behaviour, ..State::default() }
    }

    /// A token that was not given out before.
    pub(super) fn fresh_token(&mut self) -> String {
        self.serial += 1;
        format!("SECRET-TOKEN-{}", self.serial)
    }

    /// The fault that this request meets, which is then spent by one.
    pub(super) fn fault(&mut self, method: &str, target: &str) -> Option<Fault> {
        for fault in &mut self.faults {
            let meant = (fault.method.is_empty() || fault.method == method)
                && target.contains(&fault.path)
                && fault.times > 0;
            if !meant {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times -= 1;
            return Some(fault.clone());
        }
        None
    }

    /// Whether this request is one of those that are dropped.
    pub(super) fn is_dropped(&mut self, method: &str) -> bool {
        let Some(drops) = self.behaviour.drops.filter(|drops| drops.methods.contains(&method))
        else {
            return false;
        };
        self.droppable += 1;
        drops.every > 0 && self.droppable.is_multiple_of(drops.every)
    }
}
