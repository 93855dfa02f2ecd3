//! Which keys an archive may be signed with, and whether it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use oci::{Digest, ImagePath};
use shell::Process;

use crate::apt::configuration::Configuration;
use crate::apt::problem::Failure;
use crate::apt::reading::{parts, read};
use crate::apt::signature::{
    Keyring, SignatureError, Signed, Signers, verify_cleartext, verify_detached,
};
use crate::apt::sources::{SignedBy, Source};
use crate::memory::Memory;

/// The keyrings of all sources.
#[derive(Debug, Default)]
pub(super) struct Trust {
    files: BTreeMap<ImagePath, Option<Arc<[u8]>>>,
    /// Those that count where a source names none.
    common: Vec<ImagePath>,
}

/// Whose signatures count for one source.
#[derive(Debug, Default)]
pub(super) struct Believed {
    keyring: Keyring,
    /// `None` for all keys of the keyring.
    fingerprints: Option<Vec<String>>,
    /// Files that are no keyrings, and why.
    pub ignored: Vec<String>,
    /// Where the keys came from, for people.
    pub places: Vec<String>,
}

impl Trust {
    /// Reads the keyrings that sources name, and those for all others.
    pub(super) fn load(
        process: &mut Process<'_, '_>,
        sources: &[Source],
        configuration: &Configuration,
    ) -> Result<Self, Failure> {
        let mut common: Vec<ImagePath> =
            configuration.path("Dir::Etc::trusted").into_iter().collect();
        if let Some(directory) = configuration.path("Dir::Etc::trustedparts") {
            common.extend(parts(process, &directory, &["gpg", "asc"])?);
        }
        let mut paths = common.clone();
        for source in sources {
            paths.extend(named(source));
        }
        paths.sort();
        paths.dedup();
        let bytes = read(process, &paths)?;
        Ok(Trust { files: paths.into_iter().zip(bytes).collect(), common })
    }

    /// Whose signatures count for a source (sources.list(5), `signed-by`).
    pub(super) fn of(&self, source: &Source) -> Believed {
        let mut believed = Believed::default();
        let mut paths = named(source);
        match &source.options.signed_by {
            Some(SignedBy::Embedded(text)) => {
                let place = source.place.to_string();
                if let Err(error) = believed.keyring.add(text.as_bytes()) {
                    believed.ignored.push(format!("the key in {place} {error}"));
                }
                believed.places.push(place);
                return believed;
            }
            Some(SignedBy::Named(names)) => {
                let fingerprints = names.iter().filter(|name| !name.starts_with('/'));
                let fingerprints: Vec<String> = fingerprints.cloned().collect();
                believed.fingerprints = Some(fingerprints).filter(|all| !all.is_empty());
            }
            None => {}
        }
        let is_named = !paths.is_empty();
        if !is_named {
            paths.clone_from(&self.common);
        }
        for path in &paths {
            let name = format!("/{path}");
            match self.files.get(path) {
                Some(Some(bytes)) => match believed.keyring.add_file(&name, bytes) {
                    Ok(()) => believed.places.push(name),
                    Err(error) => believed.ignored.push(format!("the keyring {name} {error}")),
                },
                _ if is_named => {
                    believed.ignored.push(format!("the keyring {name} does not exist"));
                }
                _ => {}
            }
        }
        believed
    }
}

impl Believed {
    fn signers(&self) -> Signers<'_> {
        match &self.fingerprints {
            Some(fingerprints) => Signers::Only(fingerprints),
            None => Signers::All,
        }
    }

    /// The text of an `InRelease`.
    pub(super) fn cleartext(
        &self,
        file: &[u8],
        now: i64,
        memory: &Memory,
    ) -> Result<Arc<Signed>, SignatureError> {
        let trusted = format!("{:?} {:?} {now}", self.keyring, self.fingerprints);
        let key = Digest::of(&[Digest::of(file).as_bytes(), trusted.as_bytes()].concat());
        memory.recall(key, || verify_cleartext(file, &self.keyring, self.signers(), now))
    }

    /// The text of a `Release`.
    pub(super) fn detached(
        &self,
        text: &[u8],
        signature: &[u8],
        now: i64,
    ) -> Result<Signed, SignatureError> {
        verify_detached(text, signature, &self.keyring, self.signers(), now)
    }
}

fn named(source: &Source) -> Vec<ImagePath> {
    match &source.options.signed_by {
        Some(SignedBy::Named(names)) => {
            let paths = names.iter().filter(|name| name.starts_with('/'));
            paths.map(ImagePath::lexical).collect()
        }
        _ => Vec::new(),
    }
}
