//! One entry as the bytes that precede its content in a tar: ustar where ustar can say it, an
//! extended header before it where not.
//!
//! POSIX.1-2024, `pax`: "ustar Interchange Format" and "pax Extended Header". Nothing here depends
//! on anything but the entry: records are sorted, user and group names stay empty, and the
//! extended header's own attributes are fixed.

use std::collections::BTreeMap;

use oci::ImagePath;

use crate::{Attributes, Entry, LayerError, Node};

/// A tar's unit: headers and content are padded to it.
pub(crate) const RECORD: usize = 512;

/// The prefix of a name that deletes (image-spec `layer.md`, "Whiteouts").
pub(crate) const WHITEOUT_PREFIX: &[u8] = b".wh.";
/// The name that empties its directory (image-spec `layer.md`, "Opaque Whiteout").
pub(crate) const OPAQUE_NAME: &[u8] = b".wh..wh..opq";

const NAME: usize = 100;
const PREFIX: usize = 155;
/// What fits eleven octal digits.
const MAX_SIZE: u64 = 0o777_7777_7777;
/// What fits seven octal digits.
const MAX_ID: u32 = 0o777_7777;

/// The header records of `entry`: everything but its content and padding.
pub(crate) fn encode(entry: &Entry) -> Result<Vec<u8>, LayerError> {
    let fields = Fields::of(entry)?;
    let mut ustar = Ustar::new(fields.kind);
    let mut extended = Extended::default();
    for (name, value) in fields.xattrs {
        extended.xattr(&entry.path, name, value)?;
    }
    if !ustar.put_name(&fields.name) {
        extended.put(b"path", &fields.name);
    }
    if !ustar.put_link(&fields.link) {
        extended.put(b"linkpath", &fields.link);
    }
    for (value, field, key) in [(fields.uid, Ustar::UID, b"uid"), (fields.gid, Ustar::GID, b"gid")]
    {
        if value <= MAX_ID {
            ustar.put_octal(field, value.into());
        } else {
            extended.put(key, value.to_string().as_bytes());
        }
    }
    if fields.size <= MAX_SIZE {
        ustar.put_octal(Ustar::SIZE, fields.size);
    } else {
        extended.put(b"size", fields.size.to_string().as_bytes());
    }
    match u64::try_from(fields.mtime) {
        Ok(mtime) if mtime <= MAX_SIZE => ustar.put_octal(Ustar::MTIME, mtime),
        _ => extended.put(b"mtime", fields.mtime.to_string().as_bytes()),
    }
    ustar.put_octal(Ustar::MODE, fields.mode.into());
    let (major, minor) = fields.device;
    if major > MAX_ID || minor > MAX_ID {
        return Err(unwritable(&entry.path, "device number"));
    }
    ustar.put_octal(Ustar::DEV_MAJOR, major.into());
    ustar.put_octal(Ustar::DEV_MINOR, minor.into());

    let mut out = extended.finish();
    out.extend_from_slice(&ustar.finish());
    Ok(out)
}

/// An entry in the words of a tar header.
struct Fields<'a> {
    kind: u8,
    name: Vec<u8>,
    link: Vec<u8>,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: i64,
    size: u64,
    device: (u32, u32),
    xattrs: &'a BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'a> Fields<'a> {
    fn of(entry: &'a Entry) -> Result<Self, LayerError> {
        let path = &entry.path;
        if path.as_bytes().contains(&0) {
            return Err(unwritable(path, "name"));
        }
        if entry.is_marker() {
            return Self::of_marker(entry);
        }
        if path.file_name().is_some_and(|name| name.starts_with(WHITEOUT_PREFIX)) {
            return Err(LayerError::ReservedName(path.clone()));
        }
        if path.is_root() && entry.node != Node::Directory {
            return Err(unwritable(path, "type"));
        }
        let Attributes { mode, uid, gid, mtime, ref xattrs } = entry.attributes;
        let mut fields = Fields {
            kind: b'0',
            name: path.as_bytes().to_vec(),
            link: Vec::new(),
            mode: mode & 0o7777,
            uid,
            gid,
            mtime,
            size: 0,
            device: (0, 0),
            xattrs,
        };
        match &entry.node {
            Node::File(content) => fields.size = content.size,
            Node::Directory => {
                fields.kind = b'5';
                fields.name = directory_name(path);
            }
            Node::Symlink(target) => {
                if target.is_empty() || target.contains(&0) {
                    return Err(unwritable(path, "target"));
                }
                fields.kind = b'2';
                fields.link = target.clone();
            }
            Node::Hardlink(target) => {
                if target.is_root() || target.as_bytes().contains(&0) {
                    return Err(unwritable(path, "target"));
                }
                fields.kind = b'1';
                fields.link = target.as_bytes().to_vec();
            }
            Node::CharDevice { major, minor } => {
                fields.kind = b'3';
                fields.device = (*major, *minor);
            }
            Node::BlockDevice { major, minor } => {
                fields.kind = b'4';
                fields.device = (*major, *minor);
            }
            Node::Fifo => fields.kind = b'6',
            Node::Whiteout | Node::Opaque => {}
        }
        Ok(fields)
    }

    /// Whiteouts are empty files whose attributes mean nothing, so they are fixed.
    fn of_marker(entry: &'a Entry) -> Result<Self, LayerError> {
        const NO_XATTRS: &BTreeMap<Vec<u8>, Vec<u8>> = &BTreeMap::new();
        let (directory, name) = match (&entry.node, entry.path.parent(), entry.path.file_name()) {
            (Node::Opaque, _, _) => (entry.path.clone(), OPAQUE_NAME.to_vec()),
            (_, Some(parent), Some(name)) => (parent, [WHITEOUT_PREFIX, name].concat()),
            _ => return Err(unwritable(&entry.path, "whiteout")),
        };
        Ok(Fields {
            kind: b'0',
            name: directory.join(name).as_bytes().to_vec(),
            link: Vec::new(),
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: 0,
            size: 0,
            device: (0, 0),
            xattrs: NO_XATTRS,
        })
    }
}

/// Directories end with a slash; the root is `./`.
fn directory_name(path: &ImagePath) -> Vec<u8> {
    let name = if path.is_root() { b"." } else { path.as_bytes() };
    [name, b"/"].concat()
}

fn unwritable(path: &ImagePath, what: &'static str) -> LayerError {
    LayerError::Unwritable { path: path.clone(), what }
}

/// A ustar header block under construction.
struct Ustar([u8; RECORD]);

impl Ustar {
    const MODE: std::ops::Range<usize> = 100..108;
    const UID: std::ops::Range<usize> = 108..116;
    const GID: std::ops::Range<usize> = 116..124;
    const SIZE: std::ops::Range<usize> = 124..136;
    const MTIME: std::ops::Range<usize> = 136..148;
    const DEV_MAJOR: std::ops::Range<usize> = 329..337;
    const DEV_MINOR: std::ops::Range<usize> = 337..345;

    fn new(kind: u8) -> Self {
        let mut block = [0; RECORD];
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        for field in [Self::MODE, Self::UID, Self::GID, Self::SIZE, Self::MTIME] {
            fill_octal(&mut block[field], 0);
        }
        Ustar(block)
    }

    /// Writes the name, split at a slash if it is long; or, if it does not fit, what does.
    fn put_name(&mut self, name: &[u8]) -> bool {
        if name.is_ascii() {
            if name.len() <= NAME {
                self.0[..name.len()].copy_from_slice(name);
                return true;
            }
            // The shortest prefix that leaves a name that fits, and is not just a final slash.
            let split = (name.len() - NAME - 1..name.len() - 1)
                .take_while(|at| *at <= PREFIX)
                .find(|at| name[*at] == b'/' && *at > 0);
            if let Some(split) = split {
                let rest = &name[split + 1..];
                self.0[..rest.len()].copy_from_slice(rest);
                self.0[345..345 + split].copy_from_slice(&name[..split]);
                return true;
            }
        }
        put_ascii(&mut self.0[..NAME], name);
        false
    }

    fn put_link(&mut self, target: &[u8]) -> bool {
        put_ascii(&mut self.0[157..157 + NAME], target);
        target.is_ascii() && target.len() <= NAME
    }

    fn put_octal(&mut self, field: std::ops::Range<usize>, value: u64) {
        fill_octal(&mut self.0[field], value);
    }

    fn finish(mut self) -> [u8; RECORD] {
        // The checksum is the sum of all bytes with the checksum itself taken as spaces.
        self.0[148..156].fill(b' ');
        let sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        fill_octal(&mut self.0[148..155], sum);
        self.0
    }
}

/// Octal digits with leading zeros and a NUL behind, which is what every tar writes.
fn fill_octal(field: &mut [u8], mut value: u64) {
    let (last, digits) = field.split_last_mut().expect("fields are not empty");
    *last = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value & 7) as u8;
        value >>= 3;
    }
}

/// As much of `text` as fits, without what is not ASCII: for readers that know no `pax`.
fn put_ascii(field: &mut [u8], text: &[u8]) {
    for (to, from) in field.iter_mut().zip(text.iter().filter(|byte| byte.is_ascii())) {
        *to = *from;
    }
}

/// The records of an extended header.
#[derive(Default)]
struct Extended {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Extended {
    fn put(&mut self, key: &[u8], value: &[u8]) {
        // Values are UTF-8 unless `hdrcharset` says otherwise; it sorts before those it is about.
        if std::str::from_utf8(value).is_err() {
            self.records.insert(b"hdrcharset".to_vec(), b"BINARY".to_vec());
        }
        self.records.insert(key.to_vec(), value.to_vec());
    }

    fn xattr(&mut self, path: &ImagePath, name: &[u8], value: &[u8]) -> Result<(), LayerError> {
        // A keyword ends at the first `=`.
        if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'=')) {
            return Err(unwritable(path, "extended attribute's name"));
        }
        self.records.insert([b"SCHILY.xattr.", name].concat(), value.to_vec());
        Ok(())
    }

    /// The header with its data, padded; nothing if there are no records.
    fn finish(self) -> Vec<u8> {
        if self.records.is_empty() {
            return Vec::with_capacity(RECORD);
        }
        let mut data = Vec::new();
        for (key, value) in &self.records {
            put_record(&mut data, key, value);
        }
        let mut header = Ustar::new(b'x');
        header.put_name(b"PaxHeaders.0");
        header.put_octal(Ustar::MODE, 0o644);
        header.put_octal(Ustar::SIZE, data.len() as u64);
        let mut out = Vec::with_capacity(3 * RECORD + data.len());
        out.extend_from_slice(&header.finish());
        out.extend_from_slice(&data);
        out.resize(out.len().next_multiple_of(RECORD), 0);
        out
    }
}

/// `length key=value\n`, where the length counts itself.
fn put_record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}
