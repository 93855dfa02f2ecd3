//! An index at rest: its parts one after the other, in little-endian numbers, so that loading it is
//! checking it.

use super::{COLUMNS, IndexError, MultiArch, PackageIndex, Provided, Row, Span};

/// The first bytes; the number in them changes with the form.
const MAGIC: &[u8; 16] = b"plywood index 1\n";

/// What stands for a number that is missing.
const NONE: u64 = u64::MAX;

const IS_ESSENTIAL: u8 = 1;
const IS_IMPORTANT: u8 = 2;
const HAS_SHA256: u8 = 4;

impl PackageIndex {
    /// Its form at rest.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.text.len() + self.rows.len() * 256);
        for count in [self.rows.len(), self.provided.len(), self.text.len()] {
            body.extend((count as u64).to_le_bytes());
        }
        for row in &self.rows {
            write_row(&mut body, row);
        }
        for at in &self.by_name {
            body.extend(at.to_le_bytes());
        }
        for one in &self.provided {
            write_span(&mut body, one.name);
            body.extend(one.row.to_le_bytes());
        }
        body.extend(self.text.as_bytes());
        [&MAGIC[..], &sum(&body).to_le_bytes(), &body].concat()
    }

    /// Reads its form at rest.
    ///
    /// # Errors
    /// Another form, and bytes that [`to_bytes`](Self::to_bytes) does not give.
    pub fn from_bytes(bytes: &[u8]) -> Result<PackageIndex, IndexError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(IndexError::Damaged("it begins otherwise"))?;
        let mut reader = Reader(rest);
        if reader.number()? != sum(reader.0) {
            return Err(IndexError::Damaged("its sum is another"));
        }
        let (rows, provided, text) = (reader.number()?, reader.number()?, reader.number()?);
        let [rows, provided, text] = [rows, provided, text].map(|count| count as usize);
        // Nothing is allocated for more than there are bytes.
        if rows.max(provided).max(text) > bytes.len() {
            return Err(IndexError::Damaged("it is cut off"));
        }
        let index = PackageIndex {
            rows: (0..rows).map(|_| reader.row()).collect::<Result<_, _>>()?,
            by_name: (0..rows).map(|_| reader.short()).collect::<Result<_, _>>()?,
            provided: (0..provided).map(|_| reader.provided()).collect::<Result<_, _>>()?,
            text: std::str::from_utf8(reader.take(text)?)
                .map_err(|_| IndexError::Damaged("its text is none"))?
                .into(),
            is_abridged: false,
        };
        if reader.0.is_empty() && index.is_whole() {
            return Ok(index);
        }
        Err(IndexError::Damaged("its parts do not fit"))
    }

    /// Whether every position is one.
    fn is_whole(&self) -> bool {
        let span = |span: &Span| self.text.get(span.range()).is_some();
        let row = |row: &u32| (*row as usize) < self.rows.len();
        self.rows.iter().all(|row| row.spans.iter().all(span))
            && self.by_name.iter().all(row)
            && self.provided.iter().all(|one| span(&one.name) && row(&one.row))
    }
}

fn write_span(body: &mut Vec<u8>, span: Span) {
    body.extend(span.start.to_le_bytes());
    body.extend(span.length.to_le_bytes());
}

fn write_row(body: &mut Vec<u8>, row: &Row) {
    row.spans.iter().for_each(|span| write_span(body, *span));
    body.extend(row.size.unwrap_or(NONE).to_le_bytes());
    body.extend(row.installed_size.unwrap_or(NONE).to_le_bytes());
    body.extend(row.sha256.unwrap_or_default());
    let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
    body.extend([
        row.phase.unwrap_or(u8::MAX),
        row.multi_arch as u8,
        flag(IS_ESSENTIAL, row.is_essential)
            | flag(IS_IMPORTANT, row.is_important)
            | flag(HAS_SHA256, row.sha256.is_some()),
    ]);
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], IndexError> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or(IndexError::Damaged("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], IndexError> {
        let (taken, rest) =
            self.0.split_first_chunk().ok_or(IndexError::Damaged("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u64, IndexError> {
        self.array().map(u64::from_le_bytes)
    }

    fn short(&mut self) -> Result<u32, IndexError> {
        self.array().map(u32::from_le_bytes)
    }

    fn span(&mut self) -> Result<Span, IndexError> {
        Ok(Span { start: self.short()?, length: self.short()? })
    }

    fn provided(&mut self) -> Result<Provided, IndexError> {
        Ok(Provided { name: self.span()?, row: self.short()? })
    }

    fn row(&mut self) -> Result<Row, IndexError> {
        let mut spans = [Span::default(); COLUMNS];
        for span in &mut spans {
            *span = self.span()?;
        }
        let (size, installed_size) = (self.number()?, self.number()?);
        let sha256 = self.array()?;
        let [phase, multi_arch, flags] = self.array()?;
        Ok(Row {
            spans,
            size: (size != NONE).then_some(size),
            installed_size: (installed_size != NONE).then_some(installed_size),
            sha256: (flags & HAS_SHA256 != 0).then_some(sha256),
            phase: (phase != u8::MAX).then_some(phase),
            multi_arch: match multi_arch {
                0 => MultiArch::No,
                1 => MultiArch::Same,
                2 => MultiArch::Foreign,
                3 => MultiArch::Allowed,
                _ => return Err(IndexError::Damaged("a package is of no kind")),
            },
            is_essential: flags & IS_ESSENTIAL != 0,
            is_important: flags & IS_IMPORTANT != 0,
        })
    }
}

/// A sum against damage, not against malice.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let step =
        |sum: u64, word: u64| (sum.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let sum = words.iter().fold(0, |sum, word| step(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(step(sum, bytes.len() as u64), |sum, byte| step(sum, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> PackageIndex {
        let list = "Package: b\nVersion: 1\nMulti-Arch: foreign\nProvides: x (= 1), y\nSize: 3\n\
            Phased-Update-Percentage: 0\n\nPackage: á\nVersion: 1\nEssential: yes\n\
            SHA256: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
        PackageIndex::read(list.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let index = index();
        assert_eq!(PackageIndex::from_bytes(&index.to_bytes()).unwrap(), index);
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let bytes = index().to_bytes();
        for at in 0..bytes.len() {
            assert!(PackageIndex::from_bytes(&bytes[..at]).is_err());
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert!(PackageIndex::from_bytes(&damaged).is_err());
            // The same with a sum that is right: whatever is read, it can be looked at.
            let (head, body) = damaged.split_at_mut(24);
            let sum = sum(body).to_le_bytes();
            head[16..].copy_from_slice(&sum);
            if let Ok(read) = PackageIndex::from_bytes(&damaged) {
                let names: usize = read.by_name().map(|offer| offer.name().len()).sum();
                let found = read.named("b").count() + read.providing("x").count();
                assert!(names + found < 100);
            }
        }
    }
}
