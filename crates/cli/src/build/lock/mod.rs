//! The lock of a build: what is pinned is not asked for, and what was asked for is pinned.
//!
//! A fact that moves (what a tag names, what a URL gives, which packages answer a question, what an
//! archive has) is taken from the lock where that has it. Everything else follows from digests.

mod abridged;
mod drift;
mod keep;
mod layers;
mod outdated;
mod packages;
mod place;
mod recalled;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use layer::{Content, Packing};
use lock::{Address, Base, File, Lock, Taken};
use oci::{Digest, Platform, Reference};
use plan::{BaseImage, FORMAT_EPOCH, GitSource, Keeping};

use super::base;
use super::error::BuildError;
use crate::error::Error;
use crate::flags::{BasePull, BuildArguments, LockUse, Renewal};
use crate::session::Session;
pub(crate) use drift::Drift;
pub(super) use keep::EmptyLock;
pub(super) use outdated::show as show_outdated;
pub(super) use place::{PLYWOOD_LOCK, of_recipe};
pub(super) use recalled::is_same_answer;

/// What is pinned, and what this build found.
pub(super) struct Pins {
    place: Option<PathBuf>,
    /// What the lock says; nothing if there is none.
    locked: Lock,
    /// Its text, if there is one.
    text: Option<String>,
    manner: Manner,
    is_ci: bool,
    pull: BasePull,
    renewal: Renewal,
    /// How layers are packed, if they are laid at the usual time: those of another are not pinned.
    packing: Option<Packing>,
    now: i64,
    found: Mutex<Found>,
}

/// What is done about what is not pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It is asked for, and pinned.
    Renew,
    /// It is an error.
    Keep,
}

/// What a build found out.
#[derive(Default)]
struct Found {
    lock: Lock,
    /// Questions and their answers.
    answers: BTreeMap<(Platform, Digest), python::Resolution>,
    /// What wheels hash to that nobody vouches for.
    wheels: BTreeMap<Address, Digest>,
    /// Addresses that gave several things, since what tells them apart is secret.
    ambiguous: BTreeSet<Address>,
    asked: outdated::Asked,
    /// Files of archives that are believed as far as the lock says what is in them.
    vouched: BTreeSet<Digest>,
    /// Those for which that was not enough.
    passed: BTreeSet<Digest>,
    /// Why what the lock says of archives is not enough.
    beyond: Option<String>,
}

impl Pins {
    /// Reads the lock at `place`.
    pub(super) fn open(
        session: &Session,
        place: Option<PathBuf>,
        arguments: &BuildArguments,
    ) -> Result<Self, Error> {
        let read = place.as_deref().map(place::read).transpose()?.flatten();
        let (locked, text) = match read {
            Some((locked, text)) => (locked, Some(text)),
            None => (Lock::default(), None),
        };
        let manner = match (arguments.lock, &text) {
            (LockUse::Demanded, _) | (LockUse::Expected, Some(_)) => Manner::Keep,
            (LockUse::Expected, None) | (LockUse::Renewed, _) => Manner::Renew,
        };
        let found = Lock {
            epoch: FORMAT_EPOCH,
            compression: layers::packing_name(arguments.compression),
            ..Lock::default()
        };
        let pins = Pins {
            place,
            locked,
            text,
            manner,
            is_ci: arguments.lock == LockUse::Expected,
            pull: arguments.pull,
            renewal: arguments.renewal.clone(),
            packing: arguments.timestamp.is_none().then_some(arguments.compression),
            now: session.environment.now.as_second(),
            found: Mutex::new(Found { lock: found, ..Found::default() }),
        };
        pins.check()?;
        Ok(pins)
    }

    /// That there is something to keep to, if that is wanted.
    fn check(&self) -> Result<(), Error> {
        let locked = self.locked.epoch;
        match (self.manner, &self.place, &self.text) {
            (Manner::Renew, ..) => self.check_names(),
            (Manner::Keep, None, _) => Err(self.drift(Drift::NoPlace)),
            (Manner::Keep, _, None) => Err(self.drift(Drift::NoLock)),
            (Manner::Keep, ..) if locked != FORMAT_EPOCH => {
                Err(self.drift(Drift::Epoch { locked, own: FORMAT_EPOCH }))
            }
            (Manner::Keep, ..) => Ok(()),
        }
    }

    /// That packages that are to move are pinned.
    fn check_names(&self) -> Result<(), Error> {
        let Renewal::Packages(names) = &self.renewal else { return Ok(()) };
        let wheels = self.locked.resolutions.values().flat_map(|answer| &answer.wheels);
        let pinned: BTreeSet<&str> =
            wheels.map(|wheel| wheel.name.as_str()).chain(self.deb_names()).collect();
        match names.iter().find(|name| !pinned.contains(name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let near = crate::flags::closest(name, pinned.into_iter()).map(str::to_owned);
                let (lock, name) = (self.name(), name.clone());
                Err(BuildError::NotPinned { lock, name, near }.into())
            }
        }
    }

    fn deb_names(&self) -> impl Iterator<Item = &str> {
        self.locked.debs.iter().map(|deb| deb.name.as_str())
    }

    /// What becomes of what this build finds.
    pub(super) fn keeping(&self) -> Keeping {
        match self.place {
            Some(_) => Keeping::Pinned,
            None => Keeping::Forgotten,
        }
    }

    /// The lock's path, for people.
    fn name(&self) -> PathBuf {
        self.place.clone().unwrap_or_else(|| PathBuf::from(PLYWOOD_LOCK))
    }

    fn drift(&self, drift: Drift) -> Error {
        BuildError::Drift { lock: self.name(), drift }.into()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pin; an error if there is none and there has to be one.
    fn pin<T>(&self, pin: Option<T>, what: impl FnOnce() -> String) -> Result<Option<T>, Error> {
        match (pin, self.manner) {
            (None, Manner::Keep) => Err(self.drift(Drift::Missing { what: what() })),
            (pin, _) => Ok(pin),
        }
    }

    /// Whether pins count that are not of bases or packages.
    fn counts(&self) -> bool {
        self.renewal != Renewal::Everything
    }

    /// What a reference to an image is to be read as.
    pub(super) fn base(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Reference, Error> {
        if self.pull == BasePull::Always
            || reference.digest().is_some()
            || base::is_layout_context(reference)
        {
            return Ok(reference.clone());
        }
        let pin = self.locked.bases.get(&(reference.clone(), platform.clone()));
        let what = || base_name(reference, platform);
        let pin = self.pin(pin, what)?;
        Ok(pin.map_or_else(|| reference.clone(), |base| reference.with_digest(base.digest)))
    }

    /// Notes what a reference named, or says that it is gone.
    pub(super) fn found_base(
        &self,
        reference: &Reference,
        platform: &Platform,
        found: Result<BaseImage, Error>,
    ) -> Result<BaseImage, Error> {
        let key = (reference.clone(), platform.clone());
        let is_gone = |error: &Error| {
            matches!(error, Error::Registry(registry::Error::ManifestNotFound { .. }))
                && reference.digest().is_none()
                && self.pull == BasePull::WhenMissing
                && self.locked.bases.contains_key(&key)
        };
        let found = match found {
            Err(error) if is_gone(&error) => {
                let what = base_name(reference, platform);
                return Err(self.drift(Drift::Gone { what }));
            }
            other => other?,
        };
        if !base::is_layout_context(reference) {
            let mut all = self.found();
            all.asked.bases.insert(key.clone());
            let (digest, manifest) = (found.target.digest, found.manifest.digest);
            all.lock.bases.insert(key, Base { digest, manifest });
        }
        Ok(found)
    }

    /// What a URL gave that a recipe names without a digest.
    pub(super) fn download(&self, shown: &str) -> Result<Option<File>, Error> {
        let address = Address::of(shown);
        let pin = self.locked.downloads.get(&address).copied();
        self.pin(pin.filter(|_| self.counts()), || address.to_string())
    }

    /// Notes what it gave.
    pub(super) fn found_download(&self, url: &str, shown: &str, content: Content) {
        let address = Address::of(shown);
        let file = File { digest: content.digest, size: content.size };
        let mut found = self.found();
        let known = found.lock.downloads.get(&address).is_some_and(|known| *known != file);
        if known || found.ambiguous.contains(&address) {
            found.lock.downloads.remove(&address);
            found.ambiguous.insert(address);
            return;
        }
        found.asked.downloads.push((url.to_owned(), shown.to_owned()));
        found.lock.downloads.insert(address, file);
    }

    /// What an archive gave under an address for which it announces nothing.
    pub(super) fn archive(&self, fetch: &debian::Fetch) -> Result<Option<Option<Taken>>, Error> {
        let counts = match &self.renewal {
            Renewal::Nothing => true,
            Renewal::Packages(names) => !self.deb_names().any(|name| names.contains(name)),
            Renewal::Everything => false,
        };
        let pin = self.locked.archives.get(&Address::of(&fetch.url)).copied();
        let passed = self.found().passed.clone();
        let is_passed = |taken: Taken| passed.contains(&taken.file.digest);
        let pin = pin.filter(|pin| counts && !pin.is_some_and(is_passed));
        self.pin(pin, || fetch.title.clone())
    }

    /// Notes what it gave, and says by which time that expires.
    pub(super) fn found_archive(&self, fetch: &debian::Fetch, content: Option<Content>) -> i64 {
        let address = Address::of(&fetch.url);
        let file = content.map(|Content { digest, size }| File { digest, size });
        let known = self.locked.archives.get(&address).copied().flatten();
        let known = known.filter(|known| Some(known.file) == file);
        let at = known.map_or(self.now, |known| known.at);
        let mut found = self.found();
        found.asked.fetches.push(fetch.clone());
        found.lock.archives.insert(address, file.map(|file| Taken { file, at }));
        at
    }

    /// Something that is pinned has moved: an error, or a word about it.
    pub(super) fn moved(
        &self,
        session: &Session,
        what: &str,
        locked: Digest,
        found: Digest,
    ) -> Result<(), Error> {
        if self.manner == Manner::Keep {
            let what = what.to_owned();
            return Err(self.drift(Drift::Moved { what, locked, found }));
        }
        let lock = self.name();
        session.progress.note(&format!(
            "{what} has moved on since `{}` was written: what is there now is taken and pinned",
            lock.display()
        ));
        Ok(())
    }

    /// Something that is pinned is not there: an error, or what there is counts.
    pub(super) fn gone(&self, what: &str) -> Result<(), Error> {
        match self.manner {
            Manner::Keep => Err(self.drift(Drift::Gone { what: what.to_owned() })),
            Manner::Renew => Ok(()),
        }
    }

    /// The commit that a git reference named.
    pub(super) fn commit(&self, source: &GitSource) -> Result<Option<String>, Error> {
        let key = commit_key(source);
        let pin = self.locked.commits.get(&key).cloned();
        self.pin(pin.filter(|_| self.counts()), || format!("{} at `{}`", key.0, key.1))
    }

    /// Notes it.
    pub(super) fn found_commit(&self, source: &GitSource, commit: String) {
        let mut found = self.found();
        found.asked.commits.push(source.clone());
        found.lock.commits.insert(commit_key(source), commit);
    }

    /// Notes a Debian package that is brought.
    pub(super) fn found_deb(&self, fetch: &debian::Fetch) -> Result<(), Error> {
        let mut words = fetch.title.split_whitespace().map(str::to_owned);
        let (Some(name), Some(version), Some(architecture), Some(digest)) =
            (words.next(), words.next(), words.next(), fetch.sha256)
        else {
            return Ok(());
        };
        let file = fetch.url.rsplit('/').next().unwrap_or_default().to_owned();
        let size = fetch.size.unwrap_or(0);
        let deb = lock::Deb { name, version, architecture, file, digest, size };
        if self.manner == Manner::Keep && !self.locked.debs.contains(&deb) {
            let what = format!("the package {}", fetch.title);
            return Err(self.drift(Drift::Missing { what }));
        }
        self.found().lock.debs.insert(deb);
        Ok(())
    }
}

fn base_name(reference: &Reference, platform: &Platform) -> String {
    format!("the image `{}` for {platform}", reference.familiar())
}

fn commit_key(source: &GitSource) -> (Address, String) {
    (Address::of(&source.url), source.reference.clone().unwrap_or_else(|| "HEAD".to_owned()))
}
