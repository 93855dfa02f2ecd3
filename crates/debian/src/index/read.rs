//! `Packages` files, as text.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read};

use super::{COLUMNS, Column, IndexError, MultiArch, PackageIndex, Provided, Row, Span};
use crate::relation::{Alternative, Field};

/// Debian's largest index has 63,000 packages and keeps 30 MB.
const MOST_PACKAGES: usize = 2_000_000;
const MOST_TEXT: usize = 1 << 30;
const LONGEST_LINE: usize = 16 << 20;
const MOST_PROVIDED: usize = 8_000_000;

impl PackageIndex {
    /// Reads a list that is not compressed. A stanza without a version is passed over, as apt does.
    ///
    /// # Errors
    /// What is no such list, and what is larger than any archive's.
    pub fn read(list: impl Read) -> Result<PackageIndex, IndexError> {
        Builder::default().read(list)
    }

    /// The same, in which a stanza without a version is one that only mentions a package, and stands
    /// by its position alone.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn read_mentions(list: impl Read) -> Result<PackageIndex, IndexError> {
        Builder { unversioned: Unversioned::Mentioned, ..Builder::default() }.read(list)
    }
}

/// What a stanza without a version is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Unversioned {
    /// Nothing.
    #[default]
    PassedOver,
    /// A mention of a package.
    Mentioned,
}

impl Builder {
    fn read(mut self, list: impl Read) -> Result<PackageIndex, IndexError> {
        let mut list = BufReader::with_capacity(1 << 16, list);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let taken = (&mut list).take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line)?;
            if taken > LONGEST_LINE {
                return Err(IndexError::Line { line: number, problem: "is too long" });
            }
            if taken == 0 {
                self.end_stanza(number)?;
                break;
            }
            self.line(line.trim_ascii_end(), number)?;
        }
        self.finish()
    }
}

/// What is made, and the stanza that is being read.
#[derive(Default)]
struct Builder {
    text: String,
    /// Where a string stands, by its hash.
    interned: HashMap<u64, Span>,
    hasher: RandomState,
    rows: Vec<Row>,
    stanza: Stanza,
    unversioned: Unversioned,
}

/// The fields that are kept of a stanza.
#[derive(Default)]
struct Stanza {
    values: [Vec<u8>; KEPT.len()],
    /// The field that a line without a name continues; `None` if it is not kept.
    last: Option<usize>,
    is_begun: bool,
}

/// The fields that are kept, by their positions in a [`Stanza`]; those of relations stand in the
/// order of [`Field`].
const KEPT: [&str; 24] = [
    "Package",
    "Version",
    "Architecture",
    "Section",
    "Priority",
    "Source",
    "Filename",
    "Pre-Depends",
    "Depends",
    "Recommends",
    "Suggests",
    "Enhances",
    "Breaks",
    "Conflicts",
    "Replaces",
    "Provides",
    "Size",
    "Installed-Size",
    "SHA256",
    "Phased-Update-Percentage",
    "Multi-Arch",
    "Essential",
    "Important",
    "Protected",
];

impl Builder {
    fn line(&mut self, line: &[u8], number: usize) -> Result<(), IndexError> {
        let problem = |problem| IndexError::Line { line: number, problem };
        match line.first() {
            None => return self.end_stanza(number),
            Some(b'#') => return Ok(()),
            Some(b' ' | b'\t') if self.stanza.is_begun => {
                if let Some(last) = self.stanza.last {
                    self.stanza.values[last].extend_from_slice(line);
                }
                return Ok(());
            }
            Some(b' ' | b'\t') => return Err(problem("continues no field")),
            Some(_) => {}
        }
        let colon = line.iter().position(|byte| *byte == b':').filter(|colon| *colon > 0);
        let (name, value) = line.split_at(colon.ok_or_else(|| problem("is no field"))?);
        self.stanza.is_begun = true;
        self.stanza.last = KEPT.iter().position(|kept| kept.as_bytes().eq_ignore_ascii_case(name));
        if let Some(last) = self.stanza.last {
            let kept = &mut self.stanza.values[last];
            kept.clear();
            kept.extend_from_slice(value[1..].trim_ascii());
        }
        Ok(())
    }

    fn end_stanza(&mut self, number: usize) -> Result<(), IndexError> {
        if !self.stanza.is_begun {
            return Ok(());
        }
        let stanza = std::mem::take(&mut self.stanza);
        if stanza.is("Package", b"") {
            let problem = "ends a stanza without `Package`";
            return Err(IndexError::Line { line: number, problem });
        }
        if !stanza.is("Version", b"") || self.unversioned == Unversioned::Mentioned {
            let row = self.row(&stanza)?;
            self.rows.push(row);
            limited("packages", self.rows.len(), MOST_PACKAGES)?;
        }
        // The buffers serve for the next.
        self.stanza = stanza;
        self.stanza.values.iter_mut().for_each(Vec::clear);
        (self.stanza.last, self.stanza.is_begun) = (None, false);
        Ok(())
    }

    fn row(&mut self, stanza: &Stanza) -> Result<Row, IndexError> {
        let mut spans = [Span::default(); COLUMNS];
        let plain = [
            Column::Name,
            Column::Version,
            Column::Architecture,
            Column::Section,
            Column::Priority,
            Column::Filename,
        ];
        for column in plain {
            spans[column as usize] = self.intern(stanza.bytes(column.field()))?;
        }
        for field in Field::ALL {
            let at = Column::Relations as usize + field as usize;
            spans[at] = self.intern(stanza.bytes(field.name()))?;
        }
        (spans[Column::SourceName as usize], spans[Column::SourceVersion as usize]) =
            self.source(stanza, &spans)?;
        Ok(Row {
            spans,
            size: stanza.number("Size"),
            installed_size: stanza.number("Installed-Size"),
            sha256: sha256(stanza.bytes("SHA256")),
            phase: stanza.number("Phased-Update-Percentage").map(|phase| phase.min(100) as u8),
            multi_arch: MultiArch::of(&String::from_utf8_lossy(stanza.bytes("Multi-Arch"))),
            is_essential: stanza.is("Essential", b"yes"),
            is_important: stanza.is("Important", b"yes") || stanza.is("Protected", b"yes"),
        })
    }

    /// `Source: name (version)`, where what is the package's own may be missing.
    fn source(
        &mut self,
        stanza: &Stanza,
        spans: &[Span; COLUMNS],
    ) -> Result<(Span, Span), IndexError> {
        let source = stanza.bytes("Source");
        let open = source.iter().position(|byte| *byte == b'(').unwrap_or(source.len());
        let (name, version) = source.split_at(open);
        let version = version.strip_prefix(b"(").unwrap_or_default();
        let version = version.strip_suffix(b")").unwrap_or(version).trim_ascii();
        let own = |column: Column| spans[column as usize];
        Ok((
            match name.trim_ascii() {
                b"" => own(Column::Name),
                name => self.intern(name)?,
            },
            match version {
                b"" => own(Column::Version),
                version => self.intern(version)?,
            },
        ))
    }

    fn intern(&mut self, bytes: &[u8]) -> Result<Span, IndexError> {
        let text = String::from_utf8_lossy(bytes);
        if text.is_empty() {
            return Ok(Span::default());
        }
        let hash = self.hasher.hash_one(&*text);
        if let Some(span) = self.interned.get(&hash)
            && self.text[span.range()] == *text
        {
            return Ok(*span);
        }
        limited("bytes", self.text.len() + text.len(), MOST_TEXT)?;
        let span = Span { start: self.text.len() as u32, length: text.len() as u32 };
        self.text.push_str(&text);
        self.interned.insert(hash, span);
        Ok(span)
    }

    fn finish(mut self) -> Result<PackageIndex, IndexError> {
        let provided = self.provided()?;
        let is_offered = |at: &u32| self.rows[*at as usize].is_versioned();
        let mut by_name: Vec<u32> = (0..self.rows.len() as u32).filter(is_offered).collect();
        let name = |at: &u32| &self.text[self.rows[*at as usize].spans[0].range()];
        by_name.sort_by(|one, two| name(one).cmp(name(two)));
        Ok(PackageIndex {
            text: self.text.into(),
            rows: self.rows.into(),
            by_name: by_name.into(),
            provided: provided.into(),
            is_abridged: self.unversioned == Unversioned::Mentioned,
        })
    }

    /// What packages provide, by name; items that are no relation provide nothing.
    fn provided(&mut self) -> Result<Vec<Provided>, IndexError> {
        let column = Column::Relations as usize + Field::Provides as usize;
        let mut provided = Vec::new();
        for row in 0..self.rows.len() {
            let items = self.text[self.rows[row].spans[column].range()].to_owned();
            let items = items.split(',').filter_map(|item| Alternative::parse(item).ok());
            for item in items {
                let name = self.intern(item.name.as_bytes())?;
                provided.push(Provided { name, row: row as u32 });
                limited("provided names", provided.len(), MOST_PROVIDED)?;
            }
        }
        let name = |one: &Provided| &self.text[one.name.range()];
        provided.sort_by(|one, two| name(one).cmp(name(two)));
        Ok(provided)
    }
}

impl Row {
    fn is_versioned(&self) -> bool {
        self.spans[Column::Version as usize].length > 0
    }
}

impl Stanza {
    fn bytes(&self, name: &str) -> &[u8] {
        let at = KEPT.iter().position(|kept| *kept == name);
        at.map(|at| &self.values[at][..]).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &[u8]) -> bool {
        self.bytes(name) == value
    }

    fn number(&self, name: &str) -> Option<u64> {
        std::str::from_utf8(self.bytes(name)).ok()?.parse().ok()
    }
}

fn sha256(hex: &[u8]) -> Option<[u8; 32]> {
    let mut raw = [0; 32];
    hex::decode_to_slice(hex, &mut raw).ok().map(|()| raw)
}

fn limited(what: &'static str, count: usize, limit: usize) -> Result<(), IndexError> {
    if count > limit {
        return Err(IndexError::TooLarge { what, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "Package: libb1\nSource: b (2-1)\nVersion: 2-1+b1\nArchitecture: amd64\n\
        Multi-Arch: same\nDepends: libc6 (>= 2.36),\n libx\nDescription: words\n  more: words\n\
        Provides: b-abi-2 (= 2), b\nFilename: pool/b.deb\nSize: 7\nInstalled-Size: 12\n\
        SHA256: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n\n\n\
        # a comment\nPackage: a\nVersion: 1\nArchitecture: all\nessential: yes\nProtected: yes\n\
        Phased-Update-Percentage: 40\nProvides: b\n\nPackage: no-version\n\n\
        Package: a\nVersion: 2\nSource: aa\nPriority: optional";

    #[test]
    fn what_is_needed_of_each_package_is_there() {
        let index = PackageIndex::read(LIST.as_bytes()).unwrap();
        assert_eq!(index.len(), 3);
        let b = index.get(0).unwrap();
        assert_eq!((b.name(), b.version(), b.architecture()), ("libb1", "2-1+b1", "amd64"));
        assert_eq!((b.source(), b.source_version()), ("b", "2-1"));
        assert_eq!(b.multi_arch(), MultiArch::Same);
        assert_eq!(b.relations(Field::Depends), "libc6 (>= 2.36), libx");
        assert_eq!((b.filename(), b.size(), b.installed_size()), ("pool/b.deb", Some(7), Some(12)));
        assert_eq!(b.sha256().unwrap().hex()[..8], *"00112233");
        let versions: Vec<&str> = index.named("a").map(|offer| offer.version()).collect();
        assert_eq!(versions, ["1", "2"]);
        let a = index.get(1).unwrap();
        assert!(a.is_essential() && a.is_important() && !b.is_essential());
        assert_eq!((a.phase(), a.source(), a.source_version()), (Some(40), "a", "1"));
        let a2 = index.get(2).unwrap();
        assert_eq!((a2.source(), a2.source_version(), a2.priority()), ("aa", "2", "optional"));
        let providing: Vec<&str> = index.providing("b").map(|offer| offer.name()).collect();
        assert_eq!(providing, ["libb1", "a"]);
        assert_eq!((index.named("b").count(), index.providing("libb1").count()), (0, 0));
    }

    #[test]
    fn what_is_no_list_is_an_error_with_its_line() {
        let table = [
            ("Package: a\n\n continued\n", "line 3 continues no field"),
            ("Package: a\nwords\n", "line 2 is no field"),
            ("Package: a\n: x\n", "line 2 is no field"),
            ("Version: 1\n\n", "line 2 ends a stanza without `Package`"),
        ];
        for (text, expected) in table {
            let error = PackageIndex::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
