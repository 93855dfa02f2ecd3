//! What archives of Debian packages said when they were pinned, for when they have moved on.
//!
//! An archive keeps its packages longer than the files that announce them. So the lock has of these
//! what was read of them, and where the files cannot be had any more, that is believed in their
//! place: for the questions that were asked then, and for no others.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use debian::PackageIndex;
use debian::apt::abridged::{self, Chosen};
use debian::index::IndexError;
use layer::Node;
use lock::{Address, Deb, File, List, Listed, Release};
use oci::Digest;
use plan::{Facts, Plan, Read, Vouched};

use super::{Drift, Found, Manner, Pins};
use crate::build::packages::At;
use crate::error::Error;
use crate::session::Session;

/// What is added to the name of a file for that of its signature.
const SIGNATURE: &str = ".gpg";
/// Where a file is that is asked for by its digest. It has another address, too.
const BY_HASH: &str = "/by-hash/";

impl Pins {
    /// Whether the lock says enough of a file that an archive does not give any more.
    pub(in crate::build) fn has_abridged(&self, fetch: &debian::Fetch, digest: &Digest) -> bool {
        self.locked.releases.contains_key(digest)
            || self.signed(fetch).is_some()
            || (self.locked.list(digest).is_some() && !fetch.url.contains(BY_HASH))
    }

    /// The file that a signature is of, if that is abridged.
    fn signed(&self, fetch: &debian::Fetch) -> Option<Digest> {
        let address = Address::of(fetch.url.strip_suffix(SIGNATURE)?);
        let digest = self.locked.archives.get(&address)?.as_ref()?.file.digest;
        self.locked.releases.contains_key(&digest).then_some(digest)
    }

    /// Notes that a file is to be believed as far as the lock says what is in it.
    pub(in crate::build) fn vouch(&self, fetch: &debian::Fetch, digest: Digest) {
        let mut found = self.found();
        found.vouched.insert(digest);
        // Without its signature it could not be verified.
        found.vouched.extend(self.signed(fetch));
    }

    /// What is believed of files that cannot be had.
    pub(in crate::build) fn vouched(&self) -> Vec<(Digest, Vouched)> {
        let vouched = |digest: &Digest| {
            let text = self.locked.releases.get(digest).map(|said| Arc::from(text(said)));
            let list = self.locked.list(digest);
            let questions = list.map(|list| list.questions.clone()).unwrap_or_default();
            (*digest, Vouched { text, questions })
        };
        self.found().vouched.iter().map(vouched).collect()
    }

    /// What is left of a list that cannot be had; nothing of any other.
    pub(in crate::build) fn abridged_index(
        &self,
        digest: &Digest,
    ) -> Result<Option<PackageIndex>, IndexError> {
        let Some(list) = self.locked.list(digest).filter(|_| self.is_vouched(digest)) else {
            return Ok(None);
        };
        let chosen = self.locked.offers(list).map(|(deb, fields)| {
            let Deb { name, version, architecture, digest, size, .. } = deb;
            let (size, sha256) = (*size, *digest);
            Chosen { name, version, architecture, size, sha256, fields }
        });
        abridged::index(&chosen.collect::<Vec<_>>()).map(Some)
    }

    /// Whether a file is believed in whose bytes cannot be had.
    pub(in crate::build) fn is_vouched(&self, digest: &Digest) -> bool {
        self.found().vouched.contains(digest)
    }

    /// What the lock says of an archive that has moved on is not enough.
    pub(in crate::build) fn beyond(&self, drift: Drift) -> Error {
        self.found().beyond.get_or_insert_with(|| drift.to_string());
        self.drift(drift)
    }

    /// That a package is not in its archive any more, where there has to be this one.
    pub(in crate::build) fn lost_package(&self, fetch: &debian::Fetch) -> Option<Error> {
        let what = format!("the package {} from {}", fetch.title, fetch.url);
        let has_moved_on = !self.found().vouched.is_empty();
        (self.manner == Manner::Keep || has_moved_on).then(|| self.beyond(Drift::Gone { what }))
    }

    /// That no layer has a file in it whose bytes cannot be had.
    pub(in crate::build) fn check_bytes(&self, plans: &[Plan]) -> At<()> {
        let vouched = self.found().vouched.clone();
        let steps = plans.iter().flat_map(|plan| plan.target().steps.iter());
        for step in steps.filter(|_| !vouched.is_empty()) {
            let layers = step.becomes.layers().iter();
            for entry in layers.flat_map(|layer| layer.entries.entries()) {
                if let Node::File(content) = &entry.node
                    && vouched.contains(&content.digest)
                {
                    let what = format!("/{}", entry.path);
                    return Err((step.span.clone(), self.beyond(Drift::NoBytes { what })));
                }
            }
        }
        Ok(())
    }

    /// That plans are what they were, if they rest on what the lock says of an archive.
    pub(in crate::build) fn check_abridged(&self, plans: &[Plan]) -> Result<(), Error> {
        if self.found().vouched.is_empty() {
            return Ok(());
        }
        match self.moved_plans(plans) {
            moved if moved.is_empty() => Ok(()),
            moved => Err(self.beyond(Drift::Layers(moved))),
        }
    }

    /// Whether archives are taken as they are now, since what the lock says of them is not enough.
    /// What was found in them is forgotten then.
    pub(in crate::build) fn moves_on(&self, session: &Session) -> bool {
        let mut found = self.found();
        let Some(why) = found.beyond.take().filter(|_| self.manner == Manner::Renew) else {
            return false;
        };
        let Found { lock, asked, vouched, passed, .. } = &mut *found;
        for (address, taken) in &lock.archives {
            let is_passed = taken.is_some_and(|taken| vouched.contains(&taken.file.digest));
            if is_passed && !address.as_str().ends_with(SIGNATURE) {
                let lock = self.name();
                session.progress.note(&format!(
                    "{address} has moved on since `{}` was written: {why}; what is there now is \
                     taken and pinned",
                    lock.display()
                ));
            }
        }
        passed.append(vouched);
        lock.archives.clear();
        lock.debs.clear();
        asked.fetches.clear();
        true
    }

    /// Notes what archives said, as far as plans took something from it.
    pub(in crate::build) fn found_lists(&self, plans: &[Plan], facts: &Facts) {
        let mut found = self.found();
        let taken = found.lock.archives.values().flatten();
        let announcing: BTreeSet<Digest> = taken.map(|taken| taken.file.digest).collect();
        let asked = questions(plans);
        let fetched: HashSet<Digest> =
            facts.fetches.values().flatten().map(|content| content.digest).collect();
        for digest in announcing {
            let text = facts.texts.get(&digest);
            let read = text.and_then(|text| abridged::release(text, |it| fetched.contains(it)));
            let said = match read.map(release) {
                Some(said) if !said.lists.is_empty() => Some(said),
                _ => self.locked.releases.get(&digest).cloned(),
            };
            let Some(mut said) = said else { continue };
            for list in said.lists.values_mut() {
                let known = self.locked.list(&list.file.digest).map(|known| &known.questions);
                list.questions =
                    asked.get(&list.file.digest).or(known).cloned().unwrap_or_default();
                list.packages = self.packages(&mut found.lock, list, facts);
            }
            found.lock.releases.insert(digest, said);
        }
    }

    /// Which of the packages that were brought are in a list; what it says of them is noted.
    fn packages(&self, found: &mut lock::Lock, list: &List, facts: &Facts) -> Vec<Listed> {
        let digest = list.file.digest;
        let known = self.locked.list(&digest);
        let index = facts.package_indexes.get(&digest);
        let index = index.filter(|_| !facts.vouched.contains_key(&digest));
        let Some(index) = index else {
            let Some(known) = known else { return Vec::new() };
            let offers: Vec<_> = self.locked.offers(known).collect();
            let stay = offers.into_iter().filter(|(deb, _)| found.debs.contains(deb));
            let stay = stay.map(|(deb, fields)| {
                found.stanzas.insert(deb.digest, fields.to_vec());
                Listed::of(deb)
            });
            return stay.collect();
        };
        let mut listed = Vec::new();
        for deb in &found.debs {
            let mut offers = index.named(&deb.name);
            let offer = offers.find(|offer| offer.sha256() == Some(deb.digest));
            let Some(fields) = offer.map(|offer| abridged::fields_of(&offer)) else { continue };
            // Another archive may say something else of the same file.
            if *found.stanzas.entry(deb.digest).or_insert_with(|| fields.clone()) == fields {
                listed.push(Listed::of(deb));
            }
        }
        in_order(listed, known, index)
    }
}

/// Packages in the order in which a list names them.
fn in_order(mut listed: Vec<Listed>, known: Option<&List>, index: &PackageIndex) -> Vec<Listed> {
    let same = |known: &&List| {
        let known: BTreeSet<&Listed> = known.packages.iter().collect();
        known == listed.iter().collect()
    };
    // Looking through a whole list takes its time.
    if let Some(known) = known.filter(same) {
        return known.packages.clone();
    }
    let names = listed.iter().map(|package| package.name.as_str()).collect();
    let order = abridged::order(index, &names);
    let place: BTreeMap<String, usize> =
        order.into_iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
    listed.sort_by_key(|package| (place.get(&package.name).copied(), package.clone()));
    listed
}

/// What plans ask of each list, be it when they were made.
fn questions(plans: &[Plan]) -> BTreeMap<Digest, BTreeSet<Digest>> {
    let steps = plans.iter().flat_map(|plan| &plan.stages).flat_map(|stage| &stage.steps);
    let mut asked: BTreeMap<Digest, BTreeSet<Digest>> = BTreeMap::new();
    for read in steps.flat_map(|step| &step.reads) {
        if let Read::List { list, question } = read {
            asked.entry(*list).or_default().insert(*question);
        }
    }
    asked
}

fn release(abridged: abridged::Abridged) -> Release {
    let lists = abridged.lists.into_iter().map(|(name, (digest, size))| {
        let file = File { digest, size };
        (name, List { file, questions: BTreeSet::new(), packages: Vec::new() })
    });
    Release { fields: abridged.fields, lists: lists.collect() }
}

fn text(said: &Release) -> Vec<u8> {
    let lists = said.lists.iter();
    let lists = lists.map(|(name, List { file, .. })| (name.as_str(), file.digest, file.size));
    abridged::release_text(&said.fields, lists)
}
