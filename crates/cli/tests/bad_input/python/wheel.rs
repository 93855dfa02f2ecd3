//! Wheels made in memory, which can be told to lie.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use oci::Digest;
use testbed::HouseFile;

/// A wheel to be.
#[derive(Clone)]
pub(super) struct Wheel {
    name: String,
    version: String,
    tags: String,
    requires: Vec<String>,
    requires_python: Option<String>,
    parts: Vec<Part>,
    cut: usize,
}

/// A member of the zip.
#[derive(Clone)]
struct Part {
    name: String,
    bytes: Vec<u8>,
    /// What `RECORD` takes for its content.
    recorded: Vec<u8>,
    /// The general purpose bit flag (APPNOTE.TXT, 4.4.4).
    flags: u16,
    /// The size that the headers say.
    claimed: Option<u32>,
}

/// `name-version` for anything, with a module.
pub(super) fn wheel(name: &str, version: &str) -> Wheel {
    let wheel = Wheel {
        name: name.to_owned(),
        version: version.to_owned(),
        tags: "py3-none-any".to_owned(),
        requires: Vec::new(),
        requires_python: None,
        parts: Vec::new(),
        cut: 0,
    };
    wheel.file(&format!("{name}/__init__.py"), format!("# {name}\n"))
}

/// A source distribution, of which nothing is read.
pub(super) fn source(name: &str, version: &str) -> HouseFile {
    HouseFile {
        file: format!("{name}-{version}.tar.gz"),
        bytes: b"not read".to_vec(),
        ..HouseFile::default()
    }
}

impl Wheel {
    pub(super) fn tags(self, tags: &str) -> Self {
        Wheel { tags: tags.to_owned(), ..self }
    }

    pub(super) fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.to_owned());
        self
    }

    pub(super) fn requires_python(self, specifiers: &str) -> Self {
        Wheel { requires_python: Some(specifiers.to_owned()), ..self }
    }

    pub(super) fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Vec<u8> = bytes.into();
        let recorded = bytes.clone();
        self.parts.push(Part { name: name.to_owned(), bytes, recorded, flags: 0, claimed: None });
        self
    }

    /// The last file is another to `RECORD`.
    pub(super) fn recorded_as(mut self, bytes: &[u8]) -> Self {
        self.last().recorded = bytes.to_vec();
        self
    }

    /// The last file says that it is encrypted.
    pub(super) fn encrypted(mut self) -> Self {
        self.last().flags |= 1;
        self
    }

    /// The last file says that it has so many bytes.
    pub(super) fn claiming(mut self, size: u32) -> Self {
        self.last().claimed = Some(size);
        self
    }

    /// Without its last bytes.
    pub(super) fn cut_by(self, bytes: usize) -> Self {
        Wheel { cut: bytes, ..self }
    }

    fn last(&mut self) -> &mut Part {
        self.parts.last_mut().unwrap()
    }

    pub(super) fn filename(&self) -> String {
        format!("{}-{}-{}.whl", self.name, self.version, self.tags)
    }

    /// As an index has it, its metadata beside it.
    pub(super) fn served(&self) -> HouseFile {
        HouseFile {
            file: self.filename(),
            bytes: self.bytes(),
            metadata: Some(self.metadata()),
            requires_python: self.requires_python.clone(),
        }
    }

    /// `--hash=…`
    pub(super) fn hash(&self) -> String {
        format!("--hash=sha256:{}", Digest::of(&self.bytes()).hex())
    }

    fn metadata(&self) -> String {
        let Wheel { name, version, requires, .. } = self;
        let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        for requirement in requires {
            text.push_str(&format!("Requires-Dist: {requirement}\n"));
        }
        text
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let info = format!("{}-{}.dist-info", self.name, self.version);
        let about = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {}\n", self.tags);
        let whole = self.clone().file(&format!("{info}/METADATA"), self.metadata());
        let whole = whole.file(&format!("{info}/WHEEL"), about);
        let rows: String = whole.parts.iter().map(Part::row).collect();
        let record = format!("{info}/RECORD");
        let whole = whole.file(&record, format!("{rows}{record},,\n"));
        let mut bytes = zip(&whole.parts);
        bytes.truncate(bytes.len() - self.cut);
        bytes
    }
}

impl Part {
    fn row(&self) -> String {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(Digest::of(&self.recorded).as_bytes());
        format!("{},sha256={hash},{}\n", self.name, self.recorded.len())
    }

    /// What both headers of a member have (APPNOTE.TXT, 4.3.7 and 4.3.12).
    fn header(&self, packed: &[u8]) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(&self.bytes);
        let size = self.claimed.unwrap_or_else(|| u32::try_from(self.bytes.len()).unwrap());
        let name = u16::try_from(self.name.len()).unwrap();
        let mut header = 20u16.to_le_bytes().to_vec();
        header.extend(self.flags.to_le_bytes());
        header.extend([8, 0, 0, 0, 0x21, 0]);
        header.extend(crc.sum().to_le_bytes());
        header.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        header.extend(size.to_le_bytes());
        header.extend(name.to_le_bytes());
        header.extend([0, 0]);
        header
    }
}

fn zip(parts: &[Part]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for part in parts {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&part.bytes).unwrap();
        let packed = encoder.finish().unwrap();
        let header = part.header(&packed);
        let offset = u32::try_from(file.len()).unwrap();
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&header);
        directory.extend([0; 6]);
        directory.extend((0o100_644u32 << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(part.name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&header);
        file.extend(part.name.as_bytes());
        file.extend(packed);
    }
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let start = u32::try_from(file.len()).unwrap();
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count);
    file.extend(count);
    file.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}
