//! A tar as the members that it holds, one after the other, whoever wrote it.
//!
//! Reads ustar, `pax` (POSIX.1-2024), and GNU's long names and binary numbers. Old-style and `pax`
//! sparse files are refused by name. The input is untrusted: what is held in memory is bounded by
//! [`Limits`], and nothing here gives a path that leads out of the image's root a meaning.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::error::Limit;
use crate::header::RECORD;
use crate::{Limits, TarError};

/// Reads members off a tar.
///
/// ```
/// use layer::{Limits, TarMembers};
///
/// let mut members = TarMembers::new(&[0; 1024][..], &Limits::default());
/// assert!(members.next()?.is_none());
/// members.finish()?;
/// # Ok::<(), layer::TarError>(())
/// ```
pub struct Members<R> {
    tar: R,
    limits: Limits,
    /// Uncompressed bytes read so far.
    offset: u64,
    /// Content of the current member that was not read yet, and the padding behind it.
    left: u64,
    padding: u64,
    count: u64,
    /// What global extended headers said.
    global: Records,
    name: String,
}

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// What star and GNU tar put in front of the names of extended attributes.
const XATTR: &[u8] = b"SCHILY.xattr.";
/// What GNU tar says about sparse files.
const SPARSE: &[u8] = b"GNU.sparse.";

/// A member, in the words of the archive: nothing is judged.
#[derive(Debug)]
pub struct Member {
    /// The type flag: `b'0'` for a file, `b'5'` for a directory, and so on (POSIX.1-2024 `pax`,
    /// "ustar Interchange Format").
    pub kind: u8,
    /// The name.
    pub name: Vec<u8>,
    /// What a link leads to.
    pub link: Vec<u8>,
    /// The low twelve bits of the mode.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The owner's name, empty if there is none.
    pub user: Vec<u8>,
    /// The group's name, empty if there is none.
    pub group: Vec<u8>,
    /// Seconds since the epoch.
    pub mtime: i64,
    /// Bytes of content.
    pub size: u64,
    /// A device's major and minor number.
    pub device: (u32, u32),
    /// Extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Where its content starts in the uncompressed tar.
    pub(crate) offset: u64,
}

/// What precedes a member and is about it.
#[derive(Default)]
struct Preamble {
    records: Records,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl<R: Read> Members<R> {
    /// Reads nothing yet.
    pub fn new(tar: R, limits: &Limits) -> Self {
        Members {
            tar,
            limits: *limits,
            offset: 0,
            left: 0,
            padding: 0,
            count: 0,
            global: Records::new(),
            name: String::new(),
        }
    }

    /// The next member, once what was left of the one before is skipped.
    ///
    /// # Errors
    /// What is wrong with the archive.
    #[expect(clippy::should_implement_trait, reason = "content is read in between")]
    pub fn next(&mut self) -> Result<Option<Member>, TarError> {
        self.skip_content()?;
        let mut preamble = Preamble::default();
        loop {
            let Some(block) = self.header()? else {
                return Ok(None);
            };
            self.count += 1;
            if self.count > self.limits.entries {
                return Err(self.exceeded(Limit::Entries, self.limits.entries));
            }
            match block[156] {
                b'x' => preamble.records = self.records(&block)?,
                b'g' => {
                    let records = self.records(&block)?;
                    // Every member that follows pays for what is kept here.
                    self.global.extend(records.into_iter().filter(|(key, _)| is_meant(key)));
                    if size_of_records(&self.global) > self.limits.extended_header {
                        let allowed = self.limits.extended_header;
                        return Err(self.exceeded(Limit::ExtendedHeader, allowed));
                    }
                }
                b'L' => preamble.long_name = Some(self.long_text(&block)?),
                b'K' => preamble.long_link = Some(self.long_text(&block)?),
                _ => return self.member(&block, preamble).map(Some),
            }
        }
    }

    /// Reads from the content of the current member; 0 bytes at its end.
    ///
    /// # Errors
    /// What is wrong with the archive.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.read_some(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(self.truncated());
        }
        self.left -= read as u64;
        Ok(read)
    }

    /// Reads what is behind the end of the archive, which a digest of the tar covers, too.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn finish(mut self) -> Result<R, TarError> {
        self.skip_content()?;
        let mut buffer = [0; 16 << 10];
        while self.read_some(&mut buffer)? > 0 {}
        Ok(self.tar)
    }

    fn member(&mut self, block: &[u8; RECORD], preamble: Preamble) -> Result<Member, TarError> {
        let header = Header { block, offset: self.offset - RECORD as u64 };
        let mut member = header.member(preamble.long_name, preamble.long_link)?;
        self.name = String::from_utf8_lossy(&member.name).into_owned();
        for (key, value) in
            self.global.iter().filter(|(key, _)| !preamble.records.contains_key(*key))
        {
            apply(&mut member, key, value, self.offset)?;
        }
        for (key, value) in &preamble.records {
            apply(&mut member, key, value, self.offset)?;
        }
        self.name = String::from_utf8_lossy(&member.name).into_owned();
        // As in Go's reader, which all runtimes use: links, devices and directories have no
        // content, whatever their size says.
        if matches!(member.kind, b'1'..=b'6') {
            member.size = 0;
        }
        member.offset = self.offset;
        self.begin_content(member.size)?;
        Ok(member)
    }

    /// The next block, or `None` at the end: two blocks of zeros, or no more bytes.
    fn header(&mut self) -> Result<Option<[u8; RECORD]>, TarError> {
        self.name.clear();
        let mut block = [0; RECORD];
        if !self.read_block(&mut block)? {
            return Ok(None);
        }
        if block == [0; RECORD] {
            if self.read_block(&mut block)? && block != [0; RECORD] {
                return Err(self.bad_header("one block of zeros where two end the archive"));
            }
            return Ok(None);
        }
        if !checksum_holds(&block) {
            return Err(self.bad_header("its checksum is wrong"));
        }
        Ok(Some(block))
    }

    fn records(&mut self, block: &[u8; RECORD]) -> Result<Records, TarError> {
        let offset = self.offset;
        let bytes = self.small_content(block)?;
        parse_records(&bytes).map_err(|why| TarError::BadExtendedHeader { offset, why })
    }

    /// GNU's long names end with a NUL.
    fn long_text(&mut self, block: &[u8; RECORD]) -> Result<Vec<u8>, TarError> {
        let bytes = self.small_content(block)?;
        Ok(until_nul(&bytes).to_vec())
    }

    fn small_content(&mut self, block: &[u8; RECORD]) -> Result<Vec<u8>, TarError> {
        let header = Header { block, offset: self.offset - RECORD as u64 };
        let size = header.size()?;
        if size > self.limits.extended_header {
            return Err(self.exceeded(Limit::ExtendedHeader, self.limits.extended_header));
        }
        self.begin_content(size)?;
        let mut bytes = vec![0; size as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            filled += self.read(&mut bytes[filled..])?;
        }
        self.skip_content()?;
        Ok(bytes)
    }

    fn begin_content(&mut self, size: u64) -> Result<(), TarError> {
        // More than any archive has, and safe to round up.
        if size > i64::MAX as u64 {
            return Err(self.bad_header("its size is impossible"));
        }
        self.left = size;
        self.padding = size.next_multiple_of(RECORD as u64) - size;
        Ok(())
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        let mut buffer = [0; 16 << 10];
        while self.left > 0 {
            self.read(&mut buffer)?;
        }
        // umoci 0.4 ends its tars with the last file's last byte: what may be missing at the very
        // end is the padding behind it.
        while self.padding > 0 {
            let wanted = buffer.len().min(self.padding as usize);
            match self.read_some(&mut buffer[..wanted])? {
                0 => self.padding = 0,
                read => self.padding -= read as u64,
            }
        }
        Ok(())
    }

    /// Fills a block, or returns false where the archive ends before it.
    fn read_block(&mut self, block: &mut [u8; RECORD]) -> Result<bool, TarError> {
        let mut filled = 0;
        while filled < RECORD {
            match self.read_some(&mut block[filled..])? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(self.truncated()),
                read => filled += read,
            }
        }
        Ok(true)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        loop {
            match self.tar.read(buffer) {
                Ok(read) => {
                    self.offset += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(TarError::from_io(self.offset, error)),
            }
        }
    }

    fn truncated(&self) -> TarError {
        let path = if self.name.is_empty() { "a header".to_owned() } else { self.name.clone() };
        TarError::Truncated { offset: self.offset, path }
    }

    fn bad_header(&self, why: &'static str) -> TarError {
        TarError::BadHeader { offset: self.offset.saturating_sub(RECORD as u64), why }
    }

    fn exceeded(&self, what: Limit, allowed: u64) -> TarError {
        TarError::LimitExceeded { what, allowed }
    }
}

/// Whether `block` can be the first header of a tar.
pub(crate) fn is_header(block: &[u8; RECORD]) -> bool {
    *block != [0; RECORD] && checksum_holds(block)
}

/// Old tars summed signed bytes.
fn checksum_holds(block: &[u8; RECORD]) -> bool {
    let Some(stated) = octal(&block[148..156]) else {
        return false;
    };
    let bytes =
        || block.iter().enumerate().map(|(at, b)| if (148..156).contains(&at) { b' ' } else { *b });
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte as i8)).sum();
    let stated = i64::try_from(stated).unwrap_or(-1);
    stated == unsigned || stated == signed
}

/// The fields of a header block.
struct Header<'a> {
    block: &'a [u8; RECORD],
    offset: u64,
}

impl Header<'_> {
    fn member(
        &self,
        long_name: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> Result<Member, TarError> {
        let block = self.block;
        let kind = match block[156] {
            0 | b'7' => b'0',
            kind => kind,
        };
        let number = |field: std::ops::Range<usize>, why| {
            self.number(field).and_then(|n| u32::try_from(n).ok()).ok_or_else(|| self.bad(why))
        };
        let is_device = matches!(kind, b'3' | b'4');
        let device = if is_device {
            (
                number(329..337, "its device number is malformed")?,
                number(337..345, "its device number is malformed")?,
            )
        } else {
            (0, 0)
        };
        Ok(Member {
            kind,
            name: long_name.unwrap_or_else(|| self.name()),
            link: long_link.unwrap_or_else(|| until_nul(&block[157..257]).to_vec()),
            mode: number(100..108, "its mode is malformed")? & 0o7777,
            uid: number(108..116, "its owner is malformed")?,
            gid: number(116..124, "its group is malformed")?,
            user: self.owner(265..297),
            group: self.owner(297..329),
            mtime: self.number(136..148).ok_or_else(|| self.bad("its time is malformed"))?,
            size: self.size()?,
            device,
            xattrs: BTreeMap::new(),
            offset: 0,
        })
    }

    fn size(&self) -> Result<u64, TarError> {
        let size = self.number(124..136).and_then(|size| u64::try_from(size).ok());
        size.ok_or_else(|| self.bad("its size is malformed"))
    }

    fn name(&self) -> Vec<u8> {
        let name = until_nul(&self.block[..100]);
        // GNU's magic is `ustar  `, and has other fields where POSIX has the prefix.
        let prefix = until_nul(&self.block[345..500]);
        if &self.block[257..263] == b"ustar\0" && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    /// A name that both POSIX's and GNU's headers have, and older ones have not.
    fn owner(&self, field: std::ops::Range<usize>) -> Vec<u8> {
        let has_names = &self.block[257..262] == b"ustar";
        until_nul(if has_names { &self.block[field] } else { b"" }).to_vec()
    }

    /// Octal digits, or GNU's base 256: big-endian two's complement behind a high bit.
    fn number(&self, field: std::ops::Range<usize>) -> Option<i64> {
        let bytes = &self.block[field];
        if bytes[0] & 0x80 == 0 {
            return octal(bytes).and_then(|number| i64::try_from(number).ok());
        }
        let negative = bytes[0] & 0x40 != 0;
        let first = if negative { i128::from(bytes[0] as i8) } else { i128::from(bytes[0] & 0x3f) };
        let number = bytes[1..].iter().fold(first, |sum, byte| sum << 8 | i128::from(*byte));
        i64::try_from(number).ok()
    }

    fn bad(&self, why: &'static str) -> TarError {
        TarError::BadHeader { offset: self.offset, why }
    }
}

/// Digits between spaces and NULs; nothing at all is zero.
fn octal(bytes: &[u8]) -> Option<u64> {
    let text = bytes.trim_ascii_start();
    let end = text.iter().position(|b| matches!(b, 0 | b' ')).unwrap_or(text.len());
    text[..end].iter().try_fold(0u64, |sum, byte| match byte {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn size_of_records(records: &Records) -> u64 {
    records.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum()
}

/// `length key=value\n`, any number of times.
fn parse_records(mut bytes: &[u8]) -> Result<Records, &'static str> {
    let mut records = Records::new();
    while !bytes.is_empty() {
        let space = bytes.iter().take(21).position(|b| *b == b' ').ok_or("no length")?;
        let length = decimal(&bytes[..space]).ok_or("no length")?;
        let length = usize::try_from(length).map_err(|_| "a length beyond its end")?;
        if length <= space + 1 || length > bytes.len() {
            return Err("a length beyond its end");
        }
        let (record, rest) = bytes.split_at(length);
        let record = record[space + 1..].strip_suffix(b"\n").ok_or("a record without an end")?;
        let equals = record.iter().position(|b| *b == b'=').ok_or("a record without `=`")?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        if key.is_empty() || key.contains(&0) {
            return Err("a record without a name");
        }
        records.insert(key.to_vec(), value.to_vec());
        bytes = rest;
    }
    Ok(records)
}

fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Whether a record's key says something to [`apply`].
fn is_meant(key: &[u8]) -> bool {
    matches!(
        key,
        b"path" | b"linkpath" | b"size" | b"uid" | b"gid" | b"uname" | b"gname" | b"mtime"
    ) || key.starts_with(XATTR)
        || key.starts_with(SPARSE)
}

/// Lets a record of an extended header override the header's field.
fn apply(member: &mut Member, key: &[u8], value: &[u8], offset: u64) -> Result<(), TarError> {
    let bad = |why| TarError::BadExtendedHeader { offset, why };
    if let Some(name) = key.strip_prefix(XATTR) {
        if !name.is_empty() {
            member.xattrs.insert(name.to_vec(), value.to_vec());
        }
        return Ok(());
    }
    if key.starts_with(SPARSE) {
        let path = String::from_utf8_lossy(&member.name).into_owned();
        return Err(TarError::UnsupportedType { path, kind: "GNU sparse file".to_owned() });
    }
    // "If the <value> field is zero length, it shall delete any header block field [...] of the
    // same name" that came before, and the field of the header is taken.
    if value.is_empty() {
        return Ok(());
    }
    let id = || decimal(value).and_then(|id| u32::try_from(id).ok());
    match key {
        b"path" => member.name = value.to_vec(),
        b"linkpath" => member.link = value.to_vec(),
        b"size" => member.size = decimal(value).ok_or_else(|| bad("a malformed size"))?,
        b"uid" => member.uid = id().ok_or_else(|| bad("a malformed owner"))?,
        b"gid" => member.gid = id().ok_or_else(|| bad("a malformed group"))?,
        b"uname" => member.user = value.to_vec(),
        b"gname" => member.group = value.to_vec(),
        b"mtime" => member.mtime = seconds(value).ok_or_else(|| bad("a malformed time"))?,
        _ => {}
    }
    Ok(())
}

/// Whole seconds of a decimal fraction, rounded down.
fn seconds(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let below = whole.starts_with('-') && fraction.bytes().any(|byte| byte != b'0');
    seconds.checked_sub(i64::from(below))
}
