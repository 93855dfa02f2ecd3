//! What the shell asks, answered from the facts; and what they lack, asked for.

use std::cell::RefCell;
use std::sync::Arc;

use layer::{Content, LayerIndex};
use oci::ImagePath;
use recipe::{Run, Span};
use shell::{
    Fetched, Missing, Origin, Outcome, Outside, Process, Reason, Stop as ShellStop, Stored,
};

use super::mounts::Trees;
use super::pip;
use super::redaction::Redaction;
use super::report;
use crate::error::{Step, Stop};
use crate::facts::{FileReference, Need};
use crate::outcome::{Execution, Source, Unassembled};
use crate::stage::StagePlanner;

/// The largest file whose bytes a command can look at. Larger ones are moved and unpacked unseen.
pub const LARGEST_TEXT: u64 = 32 << 20;
/// The largest file that is asked for because it is beside another.
const LARGEST_NEIGHBOUR: u64 = 16 << 10;
/// How many are.
const MOST_NEIGHBOURS: usize = 400;

/// Whether a line has a network (Docker's reference, "RUN --network").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Default,
    None,
}

impl Network {
    pub(super) fn of(run: &Run) -> Self {
        match &run.network {
            Some(network) if network.text == "none" => Network::None,
            _ => Network::Default,
        }
    }
}

/// A stage's planning, as the shell sees it.
pub(super) struct RunOutside<'r, 'a, 'b> {
    pub(super) planner: RefCell<&'r mut StagePlanner<'a, 'b>>,
    pub(super) trees: &'r Trees,
    pub(super) redaction: &'r Redaction,
    pub(super) span: &'r Span,
    /// Whether it can fetch.
    pub(super) network: Network,
    /// What packages were installed.
    pub(super) installs: RefCell<Vec<pip::Install>>,
    /// What Debian packages were unpacked.
    pub(super) debs: RefCell<Vec<debian::Installed>>,
    /// What is wrong with the recipe, found by a program of the caller's.
    error: RefCell<Option<Stop>>,
}

/// What was installed.
#[derive(Debug)]
pub(super) struct Installs {
    pub(super) wheels: Vec<pip::Install>,
    pub(super) debs: Vec<debian::Installed>,
}

impl<'r, 'a, 'b> RunOutside<'r, 'a, 'b> {
    pub(super) fn new(
        planner: &'r mut StagePlanner<'a, 'b>,
        network: Network,
        trees: &'r Trees,
        redaction: &'r Redaction,
        span: &'r Span,
    ) -> Self {
        let (planner, error) = (RefCell::new(planner), RefCell::new(None));
        let (installs, debs) = (RefCell::default(), RefCell::default());
        RunOutside { planner, trees, redaction, span, network, installs, debs, error }
    }

    /// Notes what evaluation lacked.
    pub(super) fn need(&self, missing: Missing) {
        let mut planner = self.planner.borrow_mut();
        let planner = &mut **planner;
        match missing {
            Missing::Layer { layer, .. } => {
                let missing = python::Missing::Layer(layer);
                planner.state.tree.need_missing(missing, &planner.shared.sources, planner.needs);
            }
            Missing::Bytes { content, origin } => {
                if let Some(source) = source(planner, self.trees, self.redaction, content, &origin)
                {
                    neighbours(planner, &source);
                    planner.needs.add(Need::Text(FileReference { content, source }));
                }
            }
            Missing::Archive { content, origin } => {
                if let Some(source) = source(planner, self.trees, self.redaction, content, &origin)
                {
                    let file = FileReference { content, source };
                    planner.needs.add(Need::Archive(file, self.span.clone()));
                }
            }
            Missing::Download { url } => {
                let (shown, span) = (self.redaction.text(&url), self.span.clone());
                planner.needs.add(Need::Download { url, shown, checksum: None, span });
            }
            Missing::Told => {}
        }
    }

    /// Notes what is wrong with the recipe, and ends planning.
    pub(super) fn note_error(&self, error: Stop) {
        self.error.borrow_mut().get_or_insert(error);
    }

    /// What an evaluation came to: its end with what was installed, or why it has none. What it
    /// lacked is noted.
    pub(super) fn conclude(
        self,
        ended: Result<u8, ShellStop>,
        outcome: Outcome,
    ) -> Step<Result<(Outcome, Installs), Execution>> {
        let why = match ended {
            Ok(_) => {
                let (wheels, debs) = (self.installs.take(), self.debs.take());
                return Ok(Ok((outcome, Installs { wheels, debs })));
            }
            Err(ShellStop::Missing(missing)) => {
                self.need(missing);
                return Err(self.error.take().unwrap_or(Stop::Needs));
            }
            Err(ShellStop::Refused(refusal)) => {
                Unassembled::Refused(self.redaction.refusal(*refusal))
            }
            Err(ShellStop::Limit(limit)) => Unassembled::Limit(limit),
        };
        let report = report::of(&outcome, self.redaction);
        Ok(Err(Execution { why, report }))
    }
}

/// Whoever reads a small file of a package often reads those beside it next, and each question costs
/// an evaluation; so they are asked for with it.
fn neighbours(planner: &mut StagePlanner<'_, '_>, source: &Source) {
    let Source::Package { package, path } = source else { return };
    let Some(deb) = planner.shared.facts.debs.get(package) else { return };
    let mut left = MOST_NEIGHBOURS;
    for member in &deb.members {
        let debian::deb::MemberNode::File { content, .. } = member.node else { continue };
        let other = ImagePath::lexical(&member.name[..]);
        let is_known = planner.shared.facts.texts.contains_key(&content.digest);
        let is_small = (1..=LARGEST_NEIGHBOUR).contains(&content.size);
        if left > 0 && is_small && !is_known && other.parent() == path.parent() {
            let source = Source::Package { package: *package, path: other };
            planner.needs.add(Need::Text(FileReference { content, source }));
            left -= 1;
        }
    }
}

/// Where bytes can be had.
pub(super) fn source(
    planner: &StagePlanner<'_, '_>,
    trees: &Trees,
    redaction: &Redaction,
    content: Content,
    origin: &Origin,
) -> Option<Source> {
    match origin {
        Origin::Below { volume, layer, path } if volume.0 == 0 => {
            planner.state.tree.source_in(*layer, &content, path.clone(), &planner.shared.sources)
        }
        Origin::Below { volume, path, .. } => trees.source(*volume, path).cloned(),
        Origin::Download { url } => Some(Source::Download { url: redaction.text(url) }),
        Origin::Member { archive, path } => {
            Some(Source::Archive { archive: *archive, path: path.clone() })
        }
        Origin::Package { package, path } => {
            Some(Source::Package { package: *package, path: path.clone() })
        }
        Origin::Given => planner.shared.sources.get(&content.digest).cloned(),
    }
}

impl Outside for RunOutside<'_, '_, '_> {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, ShellStop> {
        let Stored { content, origin } = stored;
        let planner = self.planner.borrow();
        if let Some(text) = planner.shared.facts.texts.get(&content.digest) {
            return Ok(Arc::clone(text));
        }
        if let Some(Source::Inline(text)) =
            source(&planner, self.trees, self.redaction, *content, origin)
        {
            return Ok(text);
        }
        if content.size > LARGEST_TEXT {
            let reason = format!("is read, and has more than {} MiB", LARGEST_TEXT >> 20);
            return Err(ShellStop::refuse(shown(origin), Reason::Use(reason)));
        }
        let origin = Arc::clone(origin);
        Err(ShellStop::Missing(Missing::Bytes { content: *content, origin }))
    }

    fn archive(&self, stored: &Stored) -> Result<Option<Arc<LayerIndex>>, ShellStop> {
        let Stored { content, origin } = stored;
        let planner = self.planner.borrow();
        match planner.shared.facts.archives.get(&content.digest) {
            Some(index) => Ok(index.clone()),
            None => {
                let origin = Arc::clone(origin);
                Err(ShellStop::Missing(Missing::Archive { content: *content, origin }))
            }
        }
    }

    fn download(&self, url: &str) -> Result<Fetched, ShellStop> {
        if self.network == Network::None {
            let reason = Reason::Use("fetches, and the line says --network=none".to_owned());
            return Err(ShellStop::refuse(url, reason));
        }
        let mut planner = self.planner.borrow_mut();
        match planner.shared.facts.downloads.get(url) {
            Some(download) => {
                let content = download.content;
                planner.reads.note_download(url, content);
                Ok(Fetched::Content(content))
            }
            None => Err(ShellStop::Missing(Missing::Download { url: url.to_owned() })),
        }
    }

    fn expect(&self, files: &[Stored]) -> Result<(), ShellStop> {
        let mut missing = false;
        for Stored { content, origin } in files {
            let is_known = {
                let planner = self.planner.borrow();
                let source = || source(&planner, self.trees, self.redaction, *content, origin);
                content.size == 0
                    || content.size > LARGEST_TEXT
                    || planner.shared.facts.texts.contains_key(&content.digest)
                    || matches!(source(), Some(Source::Inline(_)))
            };
            if !is_known {
                missing = true;
                self.need(Missing::Bytes { content: *content, origin: Arc::clone(origin) });
            }
        }
        if missing { Err(ShellStop::Missing(Missing::Told)) } else { Ok(()) }
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, ShellStop>> {
        pip::program(self, process).or_else(|| debian::program(process, self))
    }
}

/// A file in words.
fn shown(origin: &Origin) -> String {
    match origin {
        Origin::Below { path, .. } => format!("/{path}"),
        Origin::Download { url } => url.clone(),
        Origin::Member { path, .. } => path.to_string(),
        Origin::Package { path, .. } => format!("/{path}"),
        Origin::Given => "a file of a package".to_owned(),
    }
}
