//! Opens the bytes of planned files, wherever they are.
//!
//! Files of a context are opened in place. Files inside of a compressed layer or archive cannot be:
//! those that are wanted are first copied, in one pass over each, to a spool file in the store's
//! scratch space, so memory stays flat however many there are.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use layer::{Content, Deflated, DeflatedPart, InflatedParts, LayerIndex, Limits, Node};
use oci::{Descriptor, DiffId, Digest, Digester, ImagePath};
use plan::{Facts, Holder, Source, Stream, WheelMember};
use python::{FileOrigin, InstalledFile};

use super::base;
use super::error::BuildError;
use super::file_range::FileRange;
use super::inputs::Inputs;
use super::packages::OpenFragment;
use super::spool::Spool;
use crate::error::Error;
use crate::session::Session;

/// The bytes of planned files.
pub(super) struct Contents<'a> {
    session: &'a Session,
    inputs: &'a Inputs,
    facts: &'a Facts,
    spool: Spool,
    /// Where contents are in layers that were decompressed to files: offset and size.
    plain: HashMap<Digest, (Arc<File>, u64, u64)>,
    wheels: HashMap<Digest, File>,
    /// Files of wheels that are here, for contents whose source is a wheel that is not.
    instead: HashMap<Digest, WheelMember>,
    packages: HashMap<Digest, OpenFragment>,
}

impl<'a> Contents<'a> {
    /// Nothing is opened yet.
    pub(super) fn new(session: &'a Session, inputs: &'a Inputs, facts: &'a Facts) -> Self {
        Contents {
            session,
            inputs,
            facts,
            spool: Spool::default(),
            plain: HashMap::new(),
            wheels: HashMap::new(),
            instead: HashMap::new(),
            packages: HashMap::new(),
        }
    }

    /// What the build reads on this machine.
    pub(super) fn inputs(&self) -> &Inputs {
        self.inputs
    }

    /// Copies what lies inside of layers and archives to the spool, one pass each, and opens wheels.
    pub(super) fn prepare(&mut self, wanted: &[(Digest, &Source)]) -> Result<(), Error> {
        let mut layers: BTreeMap<DiffId, (&Descriptor, &Holder, BTreeSet<ImagePath>)> =
            BTreeMap::new();
        let mut archives: BTreeMap<Digest, BTreeSet<ImagePath>> = BTreeMap::new();
        self.bring_wheels(wanted)?;
        for (digest, source) in wanted {
            if self.spool.contains(digest) || self.plain.contains_key(digest) {
                continue;
            }
            match source {
                Source::Layer { diff_id, descriptor, holder, path } => {
                    let entry = layers.entry(*diff_id);
                    let layer = entry.or_insert((descriptor, holder, BTreeSet::new()));
                    layer.2.insert(path.clone());
                }
                Source::Archive { archive, path } => {
                    archives.entry(*archive).or_default().insert(path.clone());
                }
                Source::Wheel(member) => {
                    let member = self.instead.get(digest).unwrap_or(member).clone();
                    self.open_wheel(&member)?;
                }
                Source::Package { package, .. } => drop(self.open_package(package)?),
                Source::Inline(_) | Source::Context { .. } | Source::Download { .. } => {}
            }
        }
        for (diff_id, (descriptor, holder, paths)) in layers {
            let Some(index) = self.facts.indexes.get(&diff_id) else { continue };
            base::bring_layer(self.session, descriptor, holder)?;
            let what = format!("layer {} of {holder}", descriptor.digest);
            let open = || base::open_layer(self.session, descriptor);
            let plain = &self.inputs.plain_layers;
            match plain.of(self.session, diff_id, index, &what, open)? {
                Some(file) => self.plain.extend(places(index, &paths, &file)),
                None => self.spool.fill(self.session, open()?, index, &paths, &what)?,
            }
        }
        for (archive, paths) in archives {
            self.prepare_archive(&archive, &paths)?;
        }
        Ok(())
    }

    /// Brings wheels that are sources. For a content that another wheel has, too, one that is here will
    /// do.
    fn bring_wheels(&mut self, wanted: &[(Digest, &Source)]) -> Result<(), Error> {
        let store = self.session.store()?;
        let mut sources: BTreeMap<Digest, Vec<Digest>> = BTreeMap::new();
        for (digest, source) in wanted {
            if let Source::Wheel(member) = source {
                sources.entry(member.wheel).or_default().push(*digest);
            }
        }
        let mut missing: HashMap<Digest, Digest> = HashMap::new();
        for (wheel, contents) in sources {
            if store.contains(&wheel)?.is_none() {
                missing.extend(contents.into_iter().map(|content| (content, wheel)));
            }
        }
        for wheel in self.facts.installations.values() {
            if missing.is_empty() || store.contains(&wheel.wheel)?.is_none() {
                continue;
            }
            for InstalledFile { content, origin, .. } in &wheel.installation.files {
                if let FileOrigin::Member(at) = origin
                    && missing.remove(&content.digest).is_some()
                {
                    self.instead.insert(content.digest, wheel.member(*at));
                }
            }
        }
        self.inputs.absent_wheels.bring(self.session, &missing.into_values().collect())
    }

    /// Brings the wheels that files are taken from as they are packed.
    pub(super) fn prepare_streams(
        &self,
        streams: &BTreeMap<ImagePath, Stream>,
    ) -> Result<(), Error> {
        let wheels = streams.values().filter_map(|stream| match stream {
            Stream::Wheel(member) => Some(member.wheel),
            Stream::Package { .. } => None,
        });
        self.inputs.absent_wheels.bring(self.session, &wheels.collect())
    }

    fn prepare_archive(
        &mut self,
        archive: &Digest,
        paths: &BTreeSet<ImagePath>,
    ) -> Result<(), Error> {
        let Some(Some(index)) = self.facts.archives.get(archive) else { return Ok(()) };
        let Some(source) = self.archive_source(archive) else { return Ok(()) };
        // It may itself lie inside of a layer or of another archive.
        self.prepare(&[(*archive, &source)])?;
        let what = format!("archive {}", describe(&source));
        let read = |source| BuildError::Read { what: what.clone(), source };
        let first = self.open(archive, &source)?;
        let Some(compression) = layer::detect_archive(first).map_err(read)? else {
            let source = io::Error::other("it changed while it was read");
            return Err(BuildError::Read { what, source }.into());
        };
        let whole = self.reopen(archive, &source)?;
        let tar = layer::open_archive(whole, compression, &Limits::default()).map_err(read)?;
        self.spool.fill(self.session, tar, index, paths, &what)
    }

    /// Opens an archive so that its members can be copied to the spool while it is read.
    fn reopen(&self, digest: &Digest, source: &Source) -> Result<Box<dyn Read + Send>, Error> {
        match self.spool.reopen(digest) {
            Some(spooled) => {
                let path = std::path::PathBuf::from("the store's scratch space");
                let spooled = spooled.map_err(|source| BuildError::Write { path, source })?;
                Ok(Box::new(spooled))
            }
            None => open_plain(self.session, self.inputs, self.facts, digest, source),
        }
    }

    /// Where an archive's own bytes are: in a context, fetched, in a base, or in another archive.
    fn archive_source(&self, archive: &Digest) -> Option<Source> {
        for (context, known) in &self.facts.contents {
            if let Some((path, _)) = known.iter().find(|(_, content)| content.digest == *archive) {
                let (context, path) = (context.clone(), path.clone());
                return Some(Source::Context { context, path });
            }
        }
        let mut downloads = self.facts.downloads.iter();
        if let Some((url, _)) = downloads.find(|(_, it)| it.content.digest == *archive) {
            return Some(Source::Download { url: url.clone() });
        }
        self.archive_in_base(archive).or_else(|| self.archive_in_archive(archive))
    }

    fn archive_in_base(&self, archive: &Digest) -> Option<Source> {
        for ((reference, _), base) in &self.facts.bases {
            for (descriptor, diff_id) in base.layers.iter().zip(base.config.diff_ids()) {
                let index = self.facts.indexes.get(&diff_id);
                if let Some(path) = index.and_then(|index| path_of(index, archive)) {
                    let descriptor = Arc::new(descriptor.clone());
                    let holder = Holder::Image(reference.clone());
                    return Some(Source::Layer { diff_id, descriptor, holder, path });
                }
            }
        }
        None
    }

    fn archive_in_archive(&self, archive: &Digest) -> Option<Source> {
        let mut archives = self.facts.archives.iter();
        archives.find_map(|(outer, index)| {
            let path = path_of(index.as_deref()?, archive)?;
            Some(Source::Archive { archive: *outer, path })
        })
    }

    /// Opens the wheel that a member is of, once.
    fn open_wheel(&mut self, member: &WheelMember) -> Result<&File, Error> {
        Ok(match self.wheels.entry(member.wheel) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                self.inputs.absent_wheels.bring(self.session, &BTreeSet::from([member.wheel]))?;
                place.insert(self.session.store()?.open_blob(&member.wheel)?)
            }
        })
    }

    /// Opens the files of a package, once.
    fn open_package(&mut self, package: &Digest) -> Result<&OpenFragment, Error> {
        Ok(match self.packages.entry(*package) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                place.insert(OpenFragment::open(self.session.store()?, package)?)
            }
        })
    }

    /// A file as its wheel or its package has it compressed.
    pub(super) fn open_packed(
        &mut self,
        content: &Content,
        stream: &Stream,
    ) -> Result<PackedFile<'_>, Error> {
        match stream {
            Stream::Wheel(member) => {
                let range = member.member.raw_range();
                let file = self.open_wheel(member)?;
                let range = FileRange { file, at: range.start, left: range.end - range.start };
                let python::Member { packed_size, crc32, .. } = member.member;
                let parts = vec![DeflatedPart { size: content.size, packed_size, crc32 }];
                Ok(PackedFile { range, parts })
            }
            Stream::Package { package, .. } => {
                let packed = self.open_package(package)?.packed(&content.digest);
                let (range, parts) = packed.ok_or(BuildError::NoFragment(*package))?;
                Ok(PackedFile { range, parts: parts.to_vec() })
            }
        }
    }

    /// Opens a file's bytes; what lies in layers, archives and wheels must have been prepared.
    pub(super) fn open<'s>(
        &'s self,
        digest: &Digest,
        source: &'s Source,
    ) -> Result<Box<dyn Read + Send + 's>, Error> {
        if let Some(spooled) = self.spool.open(digest) {
            return Ok(spooled);
        }
        if let Some((file, at, left)) = self.plain.get(digest) {
            return Ok(Box::new(FileRange { file, at: *at, left: *left }));
        }
        if let Source::Package { package, .. } = source
            && let Some(open) = self.packages.get(package)
        {
            let content = open.content(digest).ok_or(BuildError::NoFragment(*package))?;
            return Ok(Box::new(Verified { content, wanted: *digest }));
        }
        if let Source::Wheel(member) = source
            && let member = self.instead.get(digest).unwrap_or(member)
            && let Some(file) = self.wheels.get(&member.wheel)
        {
            return Ok(Box::new(Unpacked::new(member, *digest, file)));
        }
        open_plain(self.session, self.inputs, self.facts, digest, source)
    }
}

/// Where an index has a file of these bytes.
fn path_of(index: &LayerIndex, digest: &Digest) -> Option<ImagePath> {
    let has = |entry: &&layer::Entry| matches!(&entry.node, layer::Node::File(content) if content.digest == *digest);
    index.entries().iter().find(has).map(|entry| entry.path.clone())
}

/// Opens bytes that can be read in place.
fn open_plain(
    session: &Session,
    inputs: &Inputs,
    facts: &Facts,
    digest: &Digest,
    source: &Source,
) -> Result<Box<dyn Read + Send>, Error> {
    match source {
        Source::Inline(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
        Source::Context { context, path } => {
            let listed = facts.listings.get(context).and_then(|listing| listing.get(path));
            match (inputs.context(context), listed) {
                (Some(context), Some(listed)) => {
                    Ok(Box::new(context.open(listed).map_err(BuildError::from)?))
                }
                _ => Err(BuildError::Changed(path.clone()).into()),
            }
        }
        Source::Download { .. } => Ok(Box::new(session.store()?.open_blob(digest)?)),
        Source::Wheel(WheelMember { filename, member, .. }) => {
            Err(BuildError::NotOpened { wheel: filename.to_string(), member: member.name.clone() }
                .into())
        }
        Source::Layer { path, .. }
        | Source::Archive { path, .. }
        | Source::Package { path, .. } => Err(BuildError::Changed(path.clone()).into()),
    }
}

/// A source in words.
pub(super) fn describe(source: &Source) -> String {
    match source {
        Source::Inline(_) => "of the recipe".to_owned(),
        Source::Context { path, .. } => format!("`{path}`"),
        Source::Layer { path, holder, .. } => format!("`/{path}` of {holder}"),
        Source::Archive { path, .. } => format!("`{path}` of an archive"),
        Source::Download { url } => url.clone(),
        Source::Package { path, .. } => format!("`/{path}` of a package"),
        Source::Wheel(WheelMember { filename, member, .. }) => {
            format!("`{}` of `{filename}`", member.name)
        }
    }
}

/// A file as its wheel or its package has it compressed.
pub(super) struct PackedFile<'a> {
    range: FileRange<'a>,
    parts: Vec<DeflatedPart>,
}

impl PackedFile<'_> {
    /// The streams, and what is said of them.
    pub(super) fn deflated(&mut self) -> Deflated<'_> {
        Deflated { stream: &mut self.range, parts: &self.parts }
    }
}

/// A file's bytes in a tar: where they start, and how many there are.
type TarRange = (Arc<File>, u64, u64);

/// Where files are in the tar of a layer.
fn places(
    index: &LayerIndex,
    paths: &BTreeSet<ImagePath>,
    file: &Arc<File>,
) -> Vec<(Digest, TarRange)> {
    let entries = index.entries().iter().enumerate();
    let wanted = entries.filter(|(_, entry)| paths.contains(&entry.path));
    let places = wanted.filter_map(|(at, entry)| match &entry.node {
        Node::File(content) => {
            Some((content.digest, (Arc::clone(file), index.offset(at)?, content.size)))
        }
        _ => None,
    });
    places.collect()
}

/// A file of a package, whose bytes must be those that were read from it.
struct Verified<'a> {
    content: InflatedParts<FileRange<'a>>,
    wanted: Digest,
}

impl Read for Verified<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        if count == 0 && !buffer.is_empty() && self.content.digest() != self.wanted {
            return Err(io::Error::other("what the store has of the package is damaged"));
        }
        Ok(count)
    }
}

/// A member of a wheel, whose bytes must be those that the wheel's `RECORD` says.
struct Unpacked<'a> {
    member: &'a WheelMember,
    wanted: Digest,
    digester: Digester,
    reader: python::MemberReader<'a>,
}

impl<'a> Unpacked<'a> {
    fn new(member: &'a WheelMember, wanted: Digest, file: &'a File) -> Self {
        let reader = member.member.reader(&member.filename, file);
        Unpacked { member, wanted, digester: Digester::sha256(), reader }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.digester.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.digester.clone().finish() != self.wanted {
            let WheelMember { filename, member, .. } = self.member;
            let lie =
                BuildError::RecordLies { wheel: filename.to_string(), member: member.name.clone() };
            return Err(io::Error::other(lie));
        }
        Ok(count)
    }
}
