//! Tiny wheels, made in memory.

use flate2::Crc;

/// A distribution's file to come, and what an index says of it.
#[derive(Clone)]
pub(crate) struct Wheel {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) tags: String,
    pub(crate) requires: Vec<String>,
    pub(crate) extras: Vec<String>,
    pub(crate) requires_python: Option<String>,
    pub(crate) yanked: Option<String>,
    pub(crate) uploaded: Option<String>,
    pub(crate) is_source: bool,
    /// Whether the index has the metadata beside the file (PEP 658).
    pub(crate) has_metadata_file: bool,
    /// What the index says of its hash, such as `sha256=…`; by default its own SHA-256.
    pub(crate) hash: Option<String>,
    /// The bytes of a source distribution.
    pub(crate) content: Option<Vec<u8>>,
}

/// `name-version`, for anything.
pub(crate) fn wheel(name: &str, version: &str) -> Wheel {
    Wheel {
        name: name.into(),
        version: version.into(),
        tags: "py3-none-any".into(),
        requires: Vec::new(),
        extras: Vec::new(),
        requires_python: None,
        yanked: None,
        uploaded: None,
        is_source: false,
        has_metadata_file: true,
        hash: None,
        content: None,
    }
}

/// A source distribution.
pub(crate) fn source(name: &str, version: &str) -> Wheel {
    Wheel { is_source: true, ..wheel(name, version) }
}

impl Wheel {
    pub(crate) fn tags(self, tags: &str) -> Self {
        Wheel { tags: tags.into(), ..self }
    }

    pub(crate) fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.into());
        self
    }

    pub(crate) fn extra(mut self, extra: &str) -> Self {
        self.extras.push(extra.into());
        self
    }

    pub(crate) fn filename(&self) -> String {
        let Wheel { name, version, tags, .. } = self;
        match self.is_source {
            true => format!("{name}-{version}.tar.gz"),
            false => format!("{}-{version}-{tags}.whl", name.replace('-', "_")),
        }
    }

    pub(crate) fn metadata(&self) -> String {
        let Wheel { name, version, .. } = self;
        let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        for extra in &self.extras {
            text.push_str(&format!("Provides-Extra: {extra}\n"));
        }
        for requirement in &self.requires {
            text.push_str(&format!("Requires-Dist: {requirement}\n"));
        }
        if let Some(python) = &self.requires_python {
            text.push_str(&format!("Requires-Python: {python}\n"));
        }
        text
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        if self.is_source {
            return self.content.clone().unwrap_or_else(|| b"not an archive".to_vec());
        }
        let stem = format!("{}-{}", self.name.replace('-', "_"), self.version);
        let record = format!("{stem}.dist-info/RECORD,,\n");
        zip(&[
            (&format!("{}/__init__.py", self.name.replace('-', "_")), &[b'#'; 2000]),
            (&format!("{stem}.dist-info/METADATA"), self.metadata().as_bytes()),
            (&format!("{stem}.dist-info/WHEEL"), b"Wheel-Version: 1.0\n"),
            (&format!("{stem}.dist-info/RECORD"), record.as_bytes()),
        ])
    }
}

/// Entries that are stored (APPNOTE.TXT, 4.3).
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in entries {
        let mut crc = Crc::new();
        crc.update(bytes);
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend(size);
        common.extend(size);
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        let offset = u32::try_from(file.len()).unwrap().to_le_bytes();
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(*bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset);
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let start = u32::try_from(file.len()).unwrap().to_le_bytes();
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count);
    file.extend(count);
    file.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    file.extend(start);
    file.extend([0, 0]);
    file
}
