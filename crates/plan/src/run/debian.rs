//! What Debian's programs ask, answered from the facts; and what they lack, asked for.

use std::sync::Arc;

use ::debian::deb::{Member, MemberNode};
use ::debian::native::elf::Elf;
use ::debian::{Deb, DebSource, Fetch, Installed, ListFile, Memory, Outside, PackageIndex};
use layer::{Content, Deflater, Packing};
use oci::{Digest, ImagePath};
use shell::{Missing, Origin, Reason, Stop as ShellStop, Stored};

use super::installed::{Installed as Laid, InstalledFile, InstalledNode};
use super::outside::{Network, RunOutside, source};
use crate::facts::{FetchKey, FileReference, Need};
use crate::outcome::{Source, Stream};
use crate::record::Read;

impl RunOutside<'_, '_, '_> {
    /// All answers, or word that some are missing; of those each is told.
    fn all<Q, A>(
        &self,
        questions: &[Q],
        known: impl Fn(&Self, &Q) -> Option<A>,
        need: impl Fn(&Self, &Q) -> Option<Need>,
    ) -> Result<Vec<A>, ShellStop> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            match known(self, question) {
                Some(answer) => answers.push(answer),
                None => {
                    if let Some(need) = need(self, question) {
                        self.planner.borrow_mut().needs.add(need);
                    }
                }
            }
        }
        match answers.len() == questions.len() {
            true => Ok(answers),
            false => Err(ShellStop::Missing(Missing::Told)),
        }
    }

    fn file(&self, stored: &Stored) -> Option<FileReference> {
        let (content, planner) = (stored.content, self.planner.borrow());
        let source = source(&planner, self.trees, self.redaction, content, &stored.origin)?;
        Some(FileReference { content, source })
    }

    fn source_of(&self, deb: &DebSource) -> Option<Source> {
        match deb {
            DebSource::Archive(_) => None,
            DebSource::File { stored, .. } => Some(self.file(stored)?.source),
        }
    }
}

/// What a package is for whoever lays it. Only those of its files have a place in its layer that have
/// what the package says of them.
pub(super) fn laid(installed: &Installed, packing: Packing) -> Laid<'_> {
    let Installed { deb, files } = installed;
    let files = files.iter().filter_map(|(at, path)| {
        let Member { attributes, node, .. } = deb.members.get(*at)?;
        let node = match node {
            MemberNode::File { content, .. } => {
                let (package, filename) = (deb.digest, Arc::clone(&deb.filename));
                let stream = Stream::Package { package, filename };
                let stream = is_kept(*content, packing).then_some(stream);
                InstalledNode::File { content: *content, stream }
            }
            MemberNode::Symlink(target) => InstalledNode::Symlink(target),
            _ => return None,
        };
        Some(InstalledFile { path, attributes: attributes.clone(), node })
    });
    let directories = deb.members.iter().filter(|member| member.node == MemberNode::Directory);
    let directory =
        |member: &Member| (ImagePath::lexical(member.name.as_slice()), member.attributes.clone());
    let sizes = deb.members.iter().map(|member| match member.node {
        MemberNode::File { content, .. } => content.size,
        _ => 0,
    });
    let (name, version) = (deb.control.text("Package"), deb.control.text("Version"));
    Laid {
        name: name.unwrap_or_default(),
        pin: format!("{}={}", name.unwrap_or_default(), version.unwrap_or_default()),
        size: sizes.fold(0, u64::saturating_add),
        files: files.collect(),
        directories: directories.map(directory).collect(),
    }
}

/// Whether a file stays as the store has deflated it, if that makes it smaller: unless a greater
/// effort is asked for.
fn is_kept(content: Content, packing: Packing) -> bool {
    matches!(packing, Packing::Gzip(level) if level <= Deflater::level())
        && layer::keeps_deflated(content.size, 0)
}

/// The digest of a package's file.
fn digest(deb: &DebSource) -> Option<Digest> {
    match deb {
        DebSource::Archive(fetch) => fetch.sha256,
        DebSource::File { stored, .. } => Some(stored.content.digest),
    }
}

impl Outside for RunOutside<'_, '_, '_> {
    fn fetch(&self, fetches: &[Fetch]) -> Result<Vec<Option<Stored>>, ShellStop> {
        if self.network == Network::None
            && let Some(fetch) = fetches.first()
        {
            let reason = "is fetched, and the line says --network=none".to_owned();
            return Err(ShellStop::refuse(&fetch.url, Reason::Use(reason)));
        }
        self.all(
            fetches,
            |run, fetch| {
                let mut planner = run.planner.borrow_mut();
                let content = *planner.shared.facts.fetches.get(&FetchKey::of(fetch))?;
                planner.reads.note_fetch(fetch, content);
                let origin = || Arc::new(Origin::Download { url: fetch.url.clone() });
                Some(content.map(|content| Stored { content, origin: origin() }))
            },
            |run, fetch| Some(Need::Fetch(Box::new(fetch.clone()), run.span.clone())),
        )
    }

    fn indexes(
        &self,
        question: &Digest,
        lists: &[ListFile],
    ) -> Result<Vec<Arc<PackageIndex>>, ShellStop> {
        self.all(
            lists,
            |run, list| {
                let digest = list.stored.content.digest;
                let mut planner = run.planner.borrow_mut();
                let facts = planner.shared.facts;
                let left = facts.vouched.get(&digest);
                if left.is_some_and(|left| !left.questions.contains(question)) {
                    return None;
                }
                let index = facts.package_indexes.get(&digest).cloned()?;
                planner.reads.note(Read::List { list: digest, question: *question });
                Some(index)
            },
            |run, list| {
                let (file, title) = (run.file(&list.stored)?, list.title.clone());
                let (question, span) = (*question, run.span.clone());
                Some(Need::PackageIndex { file, title, question, span })
            },
        )
    }

    fn vouched(&self, file: &Stored) -> Option<Arc<[u8]>> {
        let planner = self.planner.borrow();
        planner.shared.facts.vouched.get(&file.content.digest)?.text.clone()
    }

    fn debs(&self, debs: &[DebSource]) -> Result<Vec<Arc<Deb>>, ShellStop> {
        self.all(
            debs,
            |run, deb| {
                let planner = run.planner.borrow();
                planner.shared.facts.debs.get(&digest(deb)?).cloned()
            },
            |run, deb| {
                let (source, span) = (run.source_of(deb), run.span.clone());
                Some(Need::Deb { deb: Box::new(deb.clone()), source, span })
            },
        )
    }

    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, ShellStop> {
        self.all(
            files,
            |run, file| {
                let planner = run.planner.borrow();
                planner.shared.facts.elf.get(&file.content.digest).cloned()
            },
            |run, file| Some(Need::Elf(run.file(file)?)),
        )
    }

    fn now(&self) -> i64 {
        self.planner.borrow().shared.facts.now
    }

    fn time_of(&self, file: &Stored) -> i64 {
        let planner = self.planner.borrow();
        let facts = planner.shared.facts;
        facts.taken.get(&file.content.digest).copied().unwrap_or(facts.now)
    }

    fn memory(&self) -> Memory {
        self.planner.borrow().shared.facts.memory.clone()
    }

    fn note_installed(&self, installed: Installed) {
        self.debs.borrow_mut().push(installed);
    }
}
