//! The records that a repository keeps, for who looks after them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use layer::Limits;
use oci::{Compression, Descriptor, DiffId, Digest, Digester, ImageManifest, Manifest};
use oci::{RepositoryName, Tag};
use registry::Client;

use super::artifact::{self, Promises, RecordKind, Unusable};
use super::{MOST_FACTS_BYTES, bundle, publish};
use crate::error::Error;
use crate::exit::Exit;
use crate::flags::VerificationDepth;
use crate::session::Session;

/// How many records are read at once.
const AT_ONCE: usize = 8;
/// How much of a tar is hashed at a time.
const BUFFER: usize = 1 << 20;

/// What is under a tag that is a record's.
pub(crate) struct RepositoryRecord {
    /// The tag.
    pub(crate) tag: Tag,
    /// What it is of, by its tag.
    pub(crate) kind: RecordKind,
    /// What is there.
    pub(crate) found: FoundRecord,
}

/// What is under a record's tag.
pub(crate) enum FoundRecord {
    /// A record, as far as its manifest says.
    Record(ImageManifest),
    /// Something else, of somebody else.
    Foreign,
    /// A manifest that cannot be read, and why.
    Damaged(registry::Error),
}

/// Reads the manifests of all records in a repository, by tag.
pub(crate) fn records_of(
    session: &Session,
    repository: &RepositoryName,
) -> Result<Vec<RepositoryRecord>, Error> {
    let client = session.client()?;
    session.block_on(async {
        let mut tags: Vec<(Tag, RecordKind)> = client
            .tags(repository)
            .await?
            .into_iter()
            .filter_map(|tag| Some((tag.parse().ok()?, RecordKind::of_tag(&tag)?)))
            .collect();
        tags.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        tags.dedup_by(|(a, _), (b, _)| a == b);
        let records = tags.into_iter().map(|(tag, kind)| record(client, repository, tag, kind));
        stream::iter(records)
            .buffered(AT_ONCE)
            .try_filter_map(|record| async move { Ok(record) })
            .try_collect()
            .await
    })
}

/// `None` if it is gone by now.
async fn record(
    client: &Client,
    repository: &RepositoryName,
    tag: Tag,
    kind: RecordKind,
) -> Result<Option<RepositoryRecord>, Error> {
    let found = match client.manifest(repository, tag.clone()).await {
        Ok(Manifest::Image(manifest)) if kind.fits(&manifest) => FoundRecord::Record(manifest),
        Ok(_) => FoundRecord::Foreign,
        Err(registry::Error::ManifestNotFound { .. }) => return Ok(None),
        Err(error) => FoundRecord::Damaged(damaged(error)?),
    };
    Ok(Some(RepositoryRecord { tag, kind, found }))
}

/// An error about bytes that came; another one goes on.
fn damaged(error: registry::Error) -> Result<registry::Error, Error> {
    match Error::from(error) {
        Error::Registry(error) if Error::exit_of(&error) == Exit::Corrupt => Ok(error),
        other => Err(other),
    }
}

/// Remembers that a record was taken away, so that the next build of this machine puts it there
/// again if it is wanted.
pub(crate) fn forget(
    session: &Session,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<(), Error> {
    publish::forget_kept(session, repository, tag)
}

impl RepositoryRecord {
    /// The record, if it is one.
    pub(crate) fn manifest(&self) -> Option<&ImageManifest> {
        match &self.found {
            FoundRecord::Record(manifest) => Some(manifest),
            FoundRecord::Foreign | FoundRecord::Damaged(_) => None,
        }
    }

    /// What it is of, for people, if it says so.
    pub(crate) fn title(&self) -> Option<&str> {
        self.manifest().and_then(artifact::title)
    }

    /// When it was written, if it says so.
    pub(crate) fn created(&self) -> Option<Timestamp> {
        self.manifest().and_then(artifact::created)
    }

    /// The bytes of its manifest and of the blobs that are its own.
    pub(crate) fn own_bytes(&self) -> u64 {
        let Some(manifest) = self.manifest() else { return 0 };
        let own = manifest.layers().iter().filter(|blob| !is_layer(blob));
        let blobs = own.fold(0_u64, |sum, blob| sum.saturating_add(blob.size));
        blobs.saturating_add(manifest.bytes().len() as u64)
    }

    /// How many layers it keeps.
    pub(crate) fn layers(&self) -> usize {
        let blobs = self.manifest().map(ImageManifest::layers).unwrap_or_default();
        blobs.iter().filter(|blob| is_layer(blob)).count()
    }
}

fn is_layer(blob: &Descriptor) -> bool {
    blob.media_type.layer_compression().is_some()
}

/// Looks whether the records of a repository are what they say.
pub(crate) struct RecordCheck<'a> {
    session: &'a Session,
    repository: &'a RepositoryName,
    depth: VerificationDepth,
    /// What layers unpack to, each fetched once; `None` for what is no layer.
    unpacked: HashMap<Digest, Option<DiffId>>,
}

impl<'a> RecordCheck<'a> {
    pub(crate) fn new(
        session: &'a Session,
        repository: &'a RepositoryName,
        depth: VerificationDepth,
    ) -> Self {
        RecordCheck { session, repository, depth, unpacked: HashMap::new() }
    }

    /// How many layers were fetched.
    pub(crate) fn fetched(&self) -> usize {
        self.unpacked.len()
    }

    /// What is wrong with a record.
    pub(crate) fn problems(&mut self, record: &RepositoryRecord) -> Result<Vec<String>, Error> {
        let manifest = match &record.found {
            FoundRecord::Record(manifest) => manifest,
            FoundRecord::Foreign => return Ok(vec![Unusable::Kind.to_string()]),
            FoundRecord::Damaged(error) => return Ok(vec![error.to_string()]),
        };
        let whole = Manifest::Image(manifest.clone());
        let promises = match artifact::read_tagged(&whole, record.kind, &record.tag) {
            Ok(promises) => promises,
            Err(problem) => return Ok(vec![problem.to_string()]),
        };
        let absent = self.absent(manifest)?;
        if !absent.is_empty() || self.depth == VerificationDepth::Presence {
            return Ok(absent);
        }
        self.wrong_bytes(promises)
    }

    /// The blobs of a manifest that the repository does not have.
    fn absent(&self, manifest: &ImageManifest) -> Result<Vec<String>, Error> {
        let client = self.session.client()?;
        let blobs: Vec<&Descriptor> = manifest.layers().iter().chain([manifest.config()]).collect();
        let asked = blobs.iter().map(|blob| client.blob_size(self.repository, blob));
        let sizes = self.session.block_on(async { Ok(try_join_all(asked).await?) })?;
        let problem = |(blob, size): (&Descriptor, Option<u64>)| match size {
            None => Some(format!("its blob {} is not there", blob.digest)),
            Some(size) if size != blob.size => {
                Some(format!("its blob {} has {size} bytes instead of {}", blob.digest, blob.size))
            }
            Some(_) => None,
        };
        Ok(blobs.into_iter().zip(sizes).filter_map(problem).collect())
    }

    /// The blobs that are not what was promised, by their bytes.
    fn wrong_bytes(&mut self, promises: Promises) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        if let Some(facts) = promises.facts {
            let mut bytes = Vec::new();
            let is_whole = facts.size <= MOST_FACTS_BYTES
                && self.fetch(&facts, &mut bytes)?
                && bundle::is_whole(&bytes);
            if !is_whole {
                problems.push(format!("its facts {} cannot be read", facts.digest));
            }
        }
        for packed in promises.layers {
            let found = self.unpacked(&packed.descriptor)?;
            if found != Some(packed.diff_id) {
                problems.push(format!("its layer {} is another", packed.descriptor.digest));
            }
        }
        Ok(problems)
    }

    fn unpacked(&mut self, layer: &Descriptor) -> Result<Option<DiffId>, Error> {
        if let Some(known) = self.unpacked.get(&layer.digest) {
            return Ok(*known);
        }
        let step =
            self.session.progress.step(format!("verify layer {}", layer.digest.short()), None);
        let path = self.session.store()?.scratch_space()?.join("verified-layer");
        let mut file = File::create(&path).map_err(Error::writing(&path))?;
        let mut found = None;
        if self.fetch(layer, &mut file)? {
            let compression = layer.media_type.layer_compression();
            let file = File::open(&path).map_err(Error::reading(&path))?;
            found = compression.and_then(|compression| diff_id(file, compression).ok());
        }
        step.finish(crate::progress::Outcome::Done);
        self.unpacked.insert(layer.digest, found);
        Ok(found)
    }

    /// Whether the bytes that a blob's name promises came.
    fn fetch(&self, blob: &Descriptor, sink: &mut (dyn io::Write + Send)) -> Result<bool, Error> {
        let client = self.session.client()?;
        let fetched = async { Ok(client.blob(self.repository, blob, sink).await) };
        match self.session.block_on(fetched)? {
            Ok(()) => Ok(true),
            Err(registry::Error::BlobNotFound { .. }) => Ok(false),
            Err(error) => damaged(error).map(|_| false),
        }
    }
}

/// What a layer's blob unpacks to.
pub(crate) fn diff_id(blob: impl Read + Send, compression: Compression) -> io::Result<DiffId> {
    let mut tar = layer::decompress(io::BufReader::new(blob), compression, &Limits::default())?;
    digest_of(&mut tar, Digester::sha256()).map(DiffId)
}

/// The digest of all that can be read.
pub(crate) fn digest_of(bytes: &mut dyn Read, mut digester: Digester) -> io::Result<Digest> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok(digester.finish()),
            Ok(read) => digester.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
