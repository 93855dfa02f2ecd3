//! The files as they are at this moment of a line, for questions about Python.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use layer::{Content, LayerIndex, RootFs};
use oci::{Digest, ImagePath};
use python::{Missing, View};
use shell::files::FileError;
use shell::{
    Changed, ChangedNode, Data, Files, Missing as ShellMissing, Stop as ShellStop, Stored,
};

use super::super::lay;
use super::super::outside::RunOutside;
use crate::outcome::Source;

/// The stage's layers, and one more of what the line has changed so far.
pub(super) struct Scene {
    root: RootFs,
    texts: RefCell<HashMap<Digest, Arc<[u8]>>>,
    /// Of the files in the topmost layer, those whose bytes are elsewhere.
    stored: HashMap<ImagePath, Stored>,
}

impl Scene {
    pub(super) fn of(run: &RunOutside<'_, '_, '_>, files: &Files) -> Result<Scene, ShellStop> {
        let changes = files.changes().map_err(|error| match error {
            FileError::Stop(stop) => stop,
            FileError::Errno(errno) => super::misused("pip", format!("finds files odd: {errno}")),
        })?;
        let planner = run.planner.borrow();
        let mut scene = Scene {
            root: planner.state.tree.root().clone(),
            texts: RefCell::new(planner.shared.facts.texts.clone()),
            stored: HashMap::new(),
        };
        changes.iter().for_each(|changed| scene.note(changed));
        let entries = changes.into_iter().flat_map(lay::entries).collect();
        scene.root.push(Some(Arc::new(LayerIndex::from_entries(entries))));
        Ok(scene)
    }

    /// Remembers what a changed file holds.
    fn note(&mut self, changed: &Changed) {
        match &changed.node {
            ChangedNode::File(Data::Inline(bytes)) => {
                self.texts.get_mut().insert(Content::of(bytes).digest, Arc::from(&bytes[..]));
            }
            ChangedNode::File(Data::Stored(stored)) => {
                self.stored.insert(changed.path.clone(), stored.clone());
            }
            _ => {}
        }
    }

    /// Asks a question; what the answer lacks is asked for.
    pub(super) fn ask<T>(
        &self,
        run: &RunOutside<'_, '_, '_>,
        ask: impl Fn(View<'_>) -> Result<T, Vec<Missing>>,
    ) -> Result<T, ShellStop> {
        loop {
            let asked = ask(View { root: &self.root, texts: &self.texts.borrow() });
            let Err(missing) = asked else { return asked.map_err(|_| told()) };
            let missing: Vec<Missing> =
                missing.into_iter().filter(|missing| !self.learn(run, missing)).collect();
            if !missing.is_empty() {
                missing.into_iter().for_each(|missing| self.need(run, missing));
                return Err(told());
            }
        }
    }

    /// Takes a text that an earlier instruction made, and so is at hand; whether it is one.
    fn learn(&self, run: &RunOutside<'_, '_, '_>, missing: &Missing) -> bool {
        let Missing::Text { content, .. } = missing else { return false };
        let planner = run.planner.borrow();
        let Some(Source::Inline(text)) = planner.shared.sources.get(&content.digest) else {
            return false;
        };
        self.texts.borrow_mut().insert(content.digest, Arc::clone(text)).is_none()
    }

    fn need(&self, run: &RunOutside<'_, '_, '_>, missing: Missing) {
        let top = self.root.layers().len() - 1;
        match missing {
            Missing::Text { layer, path, content } if layer == top => {
                // A file with several names is asked for by the one that has the bytes.
                let Some(stored) = self.stored.get(&path) else { return };
                let origin = Arc::clone(&stored.origin);
                run.need(ShellMissing::Bytes { content, origin });
            }
            missing => {
                let mut planner = run.planner.borrow_mut();
                let planner = &mut **planner;
                let sources = &planner.shared.sources;
                planner.state.tree.need_missing(missing, sources, planner.needs);
            }
        }
    }
}

/// What is missing has been asked for.
fn told() -> ShellStop {
    ShellStop::Missing(ShellMissing::Told)
}
