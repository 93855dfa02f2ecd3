//! Finds out what a plan still needs to know.
//!
//! Planning and gathering take turns: the planner says what it lacks, this module reads it from the
//! context, the store or a registry, and the planner goes on. What was read once is remembered in
//! the store under its digest, so that a base is read once in its life and a file once a change.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use context::{Listed, StatCache};
use layer::{Content, LayerIndex, LayerReading, Limits};
use oci::{Descriptor, DiffId, ImagePath, Platform, Reference};
use plan::{
    BaseImage, ContextName, Facts, FileReference, Holder, Need, Outcome, Plan, Request, Source,
    Span,
};

use super::base;
use super::cache::RegistryCache;
use super::contents::Contents;
use super::download;
use super::error::BuildError;
use super::inputs::Inputs;
use super::lock::{Drift, Pins};
use super::texts::{self, Texts};
use super::{hints, machine_sources, packages, recall, threads, wheels};
use crate::error::{Doing, Error};
use crate::flags::{BasePull, BuildArguments, CacheUse, NamedContext, SecretPlace, SecretSource};
use crate::session::Session;

/// The largest secret, as for BuildKit.
const MAX_SECRET_BYTES: usize = 500 << 10;

/// Facts, and where more of them come from.
pub(super) struct Gatherer<'a> {
    pub(super) session: &'a Session,
    pub(super) inputs: Inputs,
    pub(super) facts: Facts,
    pub(super) pull: BasePull,
    pub(super) cache: CacheUse,
    pub(super) clients: download::Clients,
    pub(super) registry_cache: RegistryCache,
    pub(super) pins: Pins,
    pub(super) texts: Texts,
    stat_cache: StatCache,
}

impl<'a> Gatherer<'a> {
    /// Starts with what the command line says.
    pub(super) fn new(
        session: &'a Session,
        inputs: Inputs,
        arguments: &BuildArguments,
        cache_names: &recipe::CacheNames,
    ) -> Result<Self, Error> {
        let mut facts = Facts {
            ignore: inputs.ignore.clone(),
            environment: session.environment.texts(),
            now: session.environment.now.as_second(),
            today: Some(session.environment.now.strftime("%F").to_string()),
            secrets: secrets(session, &arguments.secrets)?,
            recall: recall::of(arguments),
            ..Facts::default()
        };
        for (name, source) in &arguments.build_contexts {
            match source {
                NamedContext::Path(_) => {
                    facts.file_contexts.insert(name.clone());
                }
                NamedContext::Image(reference) => {
                    facts.image_contexts.insert(name.clone(), reference.clone());
                }
                NamedContext::Layout(layout) => {
                    let reference = base::import_layout(session, name, layout)?;
                    facts.image_contexts.insert(name.clone(), reference);
                }
            }
        }
        let file = session.store()?.root().join("plywood/stat-cache");
        let stat_cache = StatCache::load(&file, session.environment.now.into());
        let (pull, cache) = (arguments.pull, arguments.cache);
        let clients = download::Clients::default();
        let registry_cache = RegistryCache::of(session, arguments, cache_names);
        let pins = Pins::open(session, inputs.lock.clone(), arguments)?;
        facts.keeping = pins.keeping();
        Ok(Gatherer {
            session,
            inputs,
            facts,
            pull,
            cache,
            clients,
            registry_cache,
            pins,
            texts: Texts::default(),
            stat_cache,
        })
    }

    /// Plans for all platforms, finding out all that it takes, what several ask for once.
    pub(super) fn plans(&mut self, requests: &[Request<'_>]) -> Result<Vec<Plan>, Error> {
        let mut plans: Vec<Option<Plan>> = requests.iter().map(|_| None).collect();
        loop {
            let mut needs: Vec<Need> = Vec::new();
            for (request, plan) in requests.iter().zip(&mut plans) {
                if plan.is_some() {
                    continue;
                }
                match plan::plan(request, &self.facts) {
                    Ok(Outcome::Ready(ready)) => *plan = Some(*ready),
                    Ok(Outcome::Needs(more)) => {
                        needs.extend(
                            more.into_iter()
                                .filter(|need| !needs.contains(need))
                                .collect::<Vec<_>>(),
                        );
                    }
                    Err(error) => return Err(self.plan_error(error)),
                }
            }
            if needs.is_empty() {
                return Ok(plans.into_iter().flatten().collect());
            }
            self.satisfy_all(needs)?;
        }
    }

    /// Finds out what is needed. What waits for an index is asked for side by side.
    fn satisfy_all(&mut self, needs: Vec<Need>) -> Result<(), Error> {
        let mut questions = Vec::new();
        let mut texts = Vec::new();
        let (mut fetches, mut debs, mut elf) = (Vec::new(), Vec::new(), Vec::new());
        for need in needs {
            match need {
                Need::Resolution { request, given, span } => {
                    questions.push(wheels::Question { request, given, span });
                }
                Need::Text(file) => texts.push(file),
                Need::Fetch(fetch, span) => fetches.push((fetch, span)),
                Need::Deb { deb, source, span } => {
                    debs.push(packages::WantedDeb { deb, source, span });
                }
                Need::Elf(file) => elf.push(file),
                need => self.satisfy(need)?,
            }
        }
        self.read_texts(texts)?;
        self.fetch_all(fetches)?;
        let debs = self.placed(packages::bring(self, debs))?;
        self.facts.debs.extend(debs);
        let elf = packages::read_elf(self, &elf)?;
        self.facts.elf.extend(elf);
        for (question, resolution) in wheels::resolve_all(self, questions) {
            let noted = resolution.and_then(|resolution| {
                self.pins.found_answer(&question, &resolution).map(|()| resolution)
            });
            let resolution = self.at(&question.span, noted)?;
            self.facts.resolutions.insert(question.request.fingerprint(), Arc::new(resolution));
        }
        Ok(())
    }

    /// Fetches what archives have. What none of them announces is pinned.
    pub(super) fn fetch_all(
        &mut self,
        wanted: Vec<(Box<debian::Fetch>, Span)>,
    ) -> Result<(), Error> {
        let fetched = self.placed(packages::fetch_all(self, &wanted))?;
        for ((fetch, _), (_, content)) in wanted.iter().zip(&fetched) {
            if fetch.sha256.is_none() {
                let at = self.pins.found_archive(fetch, *content);
                self.facts.taken.extend(content.map(|content| (content.digest, at)));
            }
        }
        self.facts.fetches.extend(fetched);
        for (digest, vouched) in self.pins.vouched() {
            // A list that was read here before is known whole.
            if !packages::is_index_known(self.session.store()?, &digest)? {
                self.facts.vouched.insert(digest, vouched);
            }
        }
        Ok(())
    }

    /// That what the lock says of archives is enough for these plans.
    pub(super) fn check_abridged(&self, plans: &[Plan]) -> Result<(), Error> {
        self.placed(self.pins.check_bytes(plans))?;
        self.pins.check_abridged(plans)
    }

    /// Whether archives are taken as they are now, where what the lock says of them is not enough.
    pub(super) fn moves_on(&mut self) -> bool {
        if !self.pins.moves_on(self.session) {
            return false;
        }
        let facts = &mut self.facts;
        facts.package_indexes.retain(|digest, _| !facts.vouched.contains_key(digest));
        facts.vouched.clear();
        facts.fetches.clear();
        facts.taken.clear();
        facts.steps.clear();
        true
    }

    /// Finds a base, as it is pinned.
    fn base(&mut self, reference: &Reference, platform: &Platform) -> Result<BaseImage, Error> {
        let pinned = self.pins.base(reference, platform)?;
        let cache = &mut self.registry_cache;
        let found = base::find(self.session, cache, &pinned, platform, self.pull);
        self.pins.found_base(reference, platform, found)
    }

    /// Keeps what was learned about files for the next build.
    pub(super) fn finish(&self) -> Result<(), Error> {
        Ok(self.stat_cache.save().map_err(BuildError::from)?)
    }

    pub(super) fn plan_error(&self, error: plan::PlanError) -> Error {
        Error::Plan(Box::new(self.findings(vec![error.diagnostic])), error.kind)
    }

    /// Diagnostics of this recipe.
    pub(super) fn findings(
        &self,
        diagnostics: Vec<recipe::Diagnostic>,
    ) -> crate::diagnostics::Findings {
        crate::diagnostics::Findings {
            name: self.inputs.recipe_name.clone(),
            text: self.inputs.recipe_text.clone(),
            diagnostics,
        }
    }

    /// An error at a place of the recipe: its own, if it is of a line there.
    fn at<T>(&self, span: &recipe::Span, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|source| {
            let message = crate::report::chain(&source);
            let own = source.origin().filter(|(file, _)| *file == self.inputs.recipe_name);
            let own = own.and_then(|(_, line)| line_span(&self.inputs.recipe_text, line));
            let span = own.unwrap_or_else(|| span.clone());
            let mut diagnostic = recipe::Diagnostic::error(span, message);
            diagnostic.hint = source.hint();
            Error::At {
                findings: Box::new(self.findings(vec![diagnostic])),
                source: Box::new(source),
            }
        })
    }

    /// What was found out, or an error at its own place of the recipe.
    fn placed<T>(&self, result: packages::At<T>) -> Result<T, Error> {
        result.or_else(|(span, error)| self.at(&span, Err(error)))
    }

    fn satisfy(&mut self, need: Need) -> Result<(), Error> {
        match need {
            Need::Base { reference, platform, stage, span } => {
                let found = self.base(&reference, &platform);
                let found = self.at(&span, found).map_err(|error| suggest(stage, error))?;
                self.facts.bases.insert((reference, platform), found);
            }
            Need::Listing(name, span) => {
                let listed = self.list(&name);
                let listing = self.at(&span, listed)?;
                self.facts.listings.insert(name, listing);
            }
            Need::Contents(name, paths) => self.digest(name, &paths)?,
            Need::Step { key, kind } => {
                let record = recall::find(self, &key)?;
                if let (None, Some(kind)) = (&record, kind) {
                    hints::take(self, &kind)?;
                    self.registry_cache.last(self.session, &self.pins, &kind)?;
                }
                self.facts.steps.insert(key, record);
            }
            Need::Evaluation(key) => drop(self.facts.steps.insert(key, None)),
            Need::LayerIndex { diff_id, descriptor, holder } => {
                let index = self.index(diff_id, &descriptor, &holder)?;
                self.facts.indexes.insert(diff_id, index);
            }
            Need::Download { url, shown, checksum, span } => {
                let fetched = download::fetch(self, &url, &shown, checksum);
                let download = self.at(&span, fetched)?;
                self.facts.downloads.insert(url, download);
            }
            Need::PackageIndex { file, title, question, span } => {
                let index = packages::index(self, &file, &title, &question);
                let index = self.at(&span, index)?;
                self.facts.package_indexes.insert(file.content.digest, index);
            }
            Need::Resolution { .. }
            | Need::Text(_)
            | Need::Fetch(..)
            | Need::Deb { .. }
            | Need::Elf(_) => {
                unreachable!("what is found out together comes to `satisfy_all` only")
            }
            Need::Wheels { packages, request, scripts, span } => {
                let installed = wheels::install_all(self, packages, &request, scripts);
                self.facts.installations.extend(self.at(&span, installed)?);
            }
            Need::MachineSources => {
                let sources = machine_sources::read(Path::new("/"))?;
                self.facts.machine_sources = Some(sources);
            }
            Need::Archive(file, span) => {
                let digest = file.content.digest;
                let index = self.archive(&file);
                let index = self.at(&span, index)?;
                self.facts.archives.insert(digest, index);
            }
        }
        Ok(())
    }

    fn list(&mut self, name: &ContextName) -> Result<Arc<context::Listing>, Error> {
        if let ContextName::Git(source) = name
            && self.inputs.context(name).is_none()
        {
            let pinned = self.pins.commit(source)?;
            let (checkout, commit) =
                super::git::check_out(self.session, source, pinned.as_deref())?;
            self.pins.found_commit(source, commit);
            self.inputs.insert(name.clone(), checkout);
        }
        match self.inputs.list(name, self.session)? {
            Some(listing) => Ok(Arc::new(listing)),
            None => Err(BuildError::NamedContext {
                name: name.to_string(),
                problem: "it was not given".to_owned(),
            }
            .into()),
        }
    }

    fn digest(&mut self, name: ContextName, paths: &[ImagePath]) -> Result<(), Error> {
        let (Some(context), Some(listing)) =
            (self.inputs.context(&name), self.facts.listings.get(&name))
        else {
            return Ok(());
        };
        let wanted: Vec<&Listed> = paths.iter().filter_map(|path| listing.get(path)).collect();
        let threads = threads(self.session);
        let contents = context
            .digest(&wanted, &mut self.stat_cache, threads)
            .map_err(BuildError::from)
            .doing(|| "read the build context".to_owned())?;
        let known = self.facts.contents.entry(name).or_default();
        known.extend(wanted.iter().map(|listed| listed.path.clone()).zip(contents));
        Ok(())
    }

    fn index(
        &mut self,
        diff_id: DiffId,
        descriptor: &Descriptor,
        holder: &Holder,
    ) -> Result<Arc<LayerIndex>, Error> {
        let store = self.session.store()?;
        if !store.has_layer_index(&diff_id) && store.contains(&descriptor.digest)?.is_none() {
            self.registry_cache.facts(self.session, &diff_id)?;
        }
        // A record from another version, or a damaged one, is read again from the layer.
        if let Some(bytes) = store.layer_index(&diff_id)?
            && let Ok(index) = LayerIndex::from_bytes(&bytes)
        {
            return Ok(Arc::new(index));
        }
        base::bring_layer(self.session, descriptor, holder)?;
        let short = descriptor.digest.short();
        let step = self.session.progress.step(format!("read layer {short}"), None);
        let what = || format!("layer {} of {holder}", descriptor.digest);
        let tar = base::open_layer(self.session, descriptor)?;
        let LayerReading { index, diff_id: found, kept } =
            LayerIndex::read_keeping(tar, &Limits::default(), texts::is_asked_for)
                .map_err(|source| BuildError::Tar { what: what(), source })?;
        if found != diff_id {
            let (holder, blob) = (holder.clone(), descriptor.digest);
            return Err(BuildError::DiffId { holder, blob, wanted: diff_id, found }.into());
        }
        texts::record_all(store, &diff_id, kept)?;
        store.record_layer_index(&diff_id, &index.to_bytes())?;
        step.finish(crate::progress::Outcome::Done);
        Ok(Arc::new(index))
    }

    /// Reads files for their texts: each layer that has some of them once, and once in its life.
    fn read_texts(&mut self, files: Vec<FileReference>) -> Result<(), Error> {
        let store = self.session.store()?;
        let mut wanted = Vec::new();
        for file in files {
            let Content { digest, size } = file.content;
            if self.pins.is_vouched(&digest) {
                let what = super::contents::describe(&file.source);
                return Err(self.pins.beyond(Drift::NoBytes { what }));
            }
            if size > plan::LARGEST_TEXT {
                let source = std::io::Error::other(format!("{size} bytes are too many"));
                return Err(BuildError::Read { what: digest.to_string(), source }.into());
            }
            // What a context holds is read as quickly as a record of it.
            let layer = match &file.source {
                Source::Layer { diff_id, .. } => Some(diff_id),
                _ => None,
            };
            let known = layer.map(|layer| self.texts.find(store, layer, &digest)).transpose()?;
            match known.flatten() {
                Some(text) => drop(self.facts.texts.insert(digest, text)),
                None => wanted.push((digest, layer.is_some(), file.source)),
            }
        }
        let mut contents = Contents::new(self.session, &self.inputs, &self.facts);
        let sources: Vec<_> = wanted.iter().map(|(digest, _, source)| (*digest, source)).collect();
        contents.prepare(&sources)?;
        let mut found = Vec::new();
        for (digest, is_packed, source) in &wanted {
            let mut bytes = Vec::new();
            let mut reader = contents.open(digest, source)?;
            reader
                .read_to_end(&mut bytes)
                .map_err(|source| BuildError::Read { what: digest.to_string(), source })?;
            if *is_packed {
                texts::record(store, digest, &bytes)?;
            }
            found.push((*digest, Arc::from(bytes)));
        }
        self.facts.texts.extend(found);
        Ok(())
    }

    fn archive(&self, file: &FileReference) -> Result<Option<Arc<LayerIndex>>, Error> {
        let digest = file.content.digest;
        let store = self.session.store()?;
        let mut contents = Contents::new(self.session, &self.inputs, &self.facts);
        contents.prepare(&[(digest, &file.source)])?;
        let what = || format!("archive {}", super::contents::describe(&file.source));
        let read = |source| BuildError::Read { what: what(), source };
        let first = contents.open(&digest, &file.source)?;
        let Some(compression) = layer::detect_archive(first).map_err(read)? else {
            return Ok(None);
        };
        if let Some(bytes) = store.fact("archive", &digest)?
            && let Ok(index) = LayerIndex::from_bytes(&bytes)
        {
            return Ok(Some(Arc::new(index)));
        }
        let limits = Limits::default();
        let whole = contents.open(&digest, &file.source)?;
        let tar = layer::open_archive(whole, compression, &limits).map_err(read)?;
        let (index, _) = LayerIndex::read(tar, &limits)
            .map_err(|source| BuildError::Tar { what: what(), source })?;
        store.record_fact("archive", &digest, &index.to_bytes())?;
        Ok(Some(Arc::new(index)))
    }
}

/// The secrets of the command line, read.
fn secrets(
    session: &Session,
    sources: &[SecretSource],
) -> Result<BTreeMap<String, plan::Secret>, Error> {
    let mut secrets = BTreeMap::new();
    for SecretSource { id, place } in sources {
        let problem = |problem: &str| {
            let (id, problem) = (id.clone(), problem.to_owned());
            BuildError::Secret { id, problem }
        };
        let bytes = match place {
            SecretPlace::File(path) => {
                crate::error::read(path).doing(|| format!("read the secret `{id}`"))?
            }
            SecretPlace::Variable(name) => match session.environment.build_argument(name) {
                Some(value) => value.as_bytes().to_vec(),
                None => return Err(problem(&format!("there is no variable `{name}`")).into()),
            },
        };
        if bytes.len() > MAX_SECRET_BYTES {
            return Err(problem("it is larger than 500 KiB").into());
        }
        secrets.insert(id.clone(), plan::Secret(bytes.into()));
    }
    Ok(secrets)
}

/// Adds to the hint that a stage may have been meant where no image was found.
fn suggest(stage: Option<String>, mut error: Error) -> Error {
    if let (Some(stage), Error::At { findings, .. }) = (stage, &mut error) {
        for diagnostic in &mut findings.diagnostics {
            let meant = format!("did you mean the stage `{stage}`?");
            diagnostic.hint = Some(match diagnostic.hint.take() {
                Some(hint) => format!("{meant} If not, {hint}"),
                None => meant,
            });
        }
    }
    error
}

/// Where a line is, counted from 1, without white space around it.
fn line_span(text: &str, line: usize) -> Option<recipe::Span> {
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(line.checked_sub(1)?).map(str::len).sum();
    let found = lines.next()?;
    let start = before + found.len() - found.trim_start().len();
    Some(start..start + found.trim().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_numbers() {
        let text = "[python]\r\n  a = \"é\"  \n\nb";
        let line = |number| line_span(text, number).map(|span| &text[span]);
        assert_eq!(line(1), Some("[python]"));
        assert_eq!(line(2), Some("a = \"é\""));
        assert_eq!(line(3), Some(""));
        assert_eq!(line(4), Some("b"));
        assert_eq!((line(0), line(5)), (None, None));
    }
}
