//! One file: which lines are selected, and what is printed of them.

use std::ops::Range;

use bstr::{BStr, ByteSlice};

use super::Grep;
use super::arguments::{Binary, Report, Settings};
use crate::data::Data;
use crate::regular_expression::Encoding;
use crate::stop::{Reason, Stop};

/// How far GNU grep reads before it decides that a file is not text.
const FIRST_READ: usize = 96 << 10;

/// What was printed of a file.
struct Page<'n> {
    name: &'n BStr,
    selected: u64,
    /// How many lines are still printed behind a selected one.
    trailing: usize,
    /// The number of the last line that was printed.
    printed: Option<usize>,
    printing: Printing,
}

/// What becomes of selected lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Printing {
    /// They are printed.
    Lines,
    /// They are not; all are counted.
    Nothing,
    /// They are not; the first one settles it.
    First,
}

/// A line: where it is, without its end, and its number from 0.
#[derive(Debug, Clone)]
struct Line {
    number: usize,
    span: Range<usize>,
}

impl Settings {
    /// Whether lines, or parts of them, are printed.
    pub(super) fn prints_lines(&self) -> bool {
        matches!(self.report, Report::Lines | Report::Matches)
    }
}

impl Grep<'_, '_, '_> {
    /// Searches the bytes of a file.
    pub(super) fn search(&mut self, name: &BStr, data: &Data) -> Result<(), Stop> {
        let mut bytes = self.process.bytes(data)?;
        let is_binary = self.is_binary(&bytes)?;
        if is_binary && self.settings.binary == Binary::Skipped {
            return self.summary(name, 0);
        }
        if is_binary && self.settings.line_end == b'\n' {
            // A byte 0 ends a line then, as it does in GNU's search.
            let zapped = bytes.iter().map(|byte| if *byte == 0 { b'\n' } else { *byte });
            bytes = zapped.collect();
        }
        let printing = match (self.settings.is_quiet, self.settings.report) {
            (true, _) | (_, Report::NameIfSelected | Report::NameIfNone) => Printing::First,
            (false, Report::Count) => Printing::Nothing,
            (false, _) if is_binary => Printing::First,
            (false, _) => Printing::Lines,
        };
        let mut page = Page { name, selected: 0, trailing: 0, printed: None, printing };
        self.lines(&mut page, &bytes)?;
        self.has_selected |= page.selected > 0;
        if is_binary && page.selected > 0 && self.settings.prints_lines() && !self.settings.is_quiet
        {
            let message = [name.as_bytes(), b": binary file matches"].concat();
            super::complain(self.process, &message)?;
        }
        self.summary(name, page.selected)
    }

    /// Whether a file is not text: it has a byte 0.
    fn is_binary(&self, bytes: &[u8]) -> Result<bool, Stop> {
        if self.settings.binary == Binary::Text || self.settings.line_end == 0 {
            return Ok(false);
        }
        match bytes.find_byte(0) {
            None => Ok(false),
            Some(at) if at < FIRST_READ => Ok(true),
            Some(_) => {
                let reason = "searches a large file that is not text";
                Err(self.process.refuse(Reason::Use(reason.to_owned())))
            }
        }
    }

    /// Goes through the lines.
    fn lines(&mut self, page: &mut Page<'_>, bytes: &[u8]) -> Result<(), Stop> {
        let end = self.settings.line_end;
        let mut before: Vec<Line> = Vec::new();
        let mut start = 0;
        let mut number = 0;
        while start < bytes.len() {
            let is_full = self.settings.most.is_some_and(|most| page.selected >= most);
            if is_full && (page.trailing == 0 || page.printing != Printing::Lines) {
                break;
            }
            let length = bytes[start..].find_byte(end).unwrap_or(bytes.len() - start);
            let line = Line { number, span: start..start + length };
            let is_selected = !is_full && self.is_selected(&bytes[line.span.clone()])?;
            if is_selected {
                page.selected += 1;
            }
            match page.printing {
                Printing::First if is_selected => break,
                Printing::First | Printing::Nothing => {}
                Printing::Lines if is_selected => {
                    for earlier in std::mem::take(&mut before) {
                        self.print(page, bytes, &earlier, b'-')?;
                    }
                    self.print(page, bytes, &line, b':')?;
                    page.trailing = self.settings.after.unwrap_or(0);
                }
                Printing::Lines if page.trailing > 0 => {
                    page.trailing -= 1;
                    self.print(page, bytes, &line, b'-')?;
                }
                Printing::Lines => {
                    before.push(line);
                    if before.len() > self.settings.before.unwrap_or(0) {
                        before.remove(0);
                    }
                }
            }
            start += length + 1;
            number += 1;
        }
        Ok(())
    }

    fn is_selected(&self, line: &[u8]) -> Result<bool, Stop> {
        if self.settings.line_end == 0 && line.contains(&b'\n') {
            let reason = "searches records of several lines";
            return Err(self.process.refuse(Reason::Use(reason.to_owned())));
        }
        let mut is_match = false;
        for pattern in &self.patterns {
            is_match = pattern.is_match(line).map_err(|error| error.refusal(self.process))?;
            if is_match {
                break;
            }
        }
        Ok(is_match != self.settings.selects_others)
    }

    /// Prints a line, or what matches in it.
    fn print(
        &mut self,
        page: &mut Page<'_>,
        bytes: &[u8],
        line: &Line,
        mark: u8,
    ) -> Result<(), Stop> {
        let text = &bytes[line.span.clone()];
        let has_context = self.settings.before.is_some() || self.settings.after.is_some();
        let is_adjacent = page.printed.is_some_and(|last| last + 1 == line.number);
        if has_context && self.has_printed && !is_adjacent {
            self.process.write("--\n")?;
        }
        self.has_printed = true;
        page.printed = Some(line.number);
        if self.settings.report == Report::Lines {
            return self.print_part(page, text, line.number, line.span.start, mark);
        }
        if mark == b'-' || self.settings.selects_others {
            return Ok(());
        }
        let mut from = 0;
        while let Some(span) = self.leftmost(text, from)? {
            if span.is_empty() {
                from = self.settings.encoding().behind(text, span.start);
                continue;
            }
            from = span.end;
            let offset = line.span.start + span.start;
            self.print_part(page, &text[span], line.number, offset, mark)?;
        }
        Ok(())
    }

    /// The longest of the leftmost matches of all patterns.
    fn leftmost(&self, text: &[u8], from: usize) -> Result<Option<Range<usize>>, Stop> {
        let mut best: Option<Range<usize>> = None;
        for pattern in &self.patterns {
            let span = pattern.span_at(text, from).map_err(|error| error.refusal(self.process))?;
            let Some(span) = span else { continue };
            let is_better = best.as_ref().is_none_or(|best| {
                span.start < best.start || (span.start == best.start && span.end > best.end)
            });
            if is_better {
                best = Some(span);
            }
        }
        Ok(best)
    }

    fn print_part(
        &mut self,
        page: &Page<'_>,
        text: &[u8],
        number: usize,
        offset: usize,
        mark: u8,
    ) -> Result<(), Stop> {
        let is_checked = self.settings.binary != Binary::Text && self.settings.line_end == b'\n';
        if is_checked && self.settings.encoding() == Encoding::Utf8 && text.to_str().is_err() {
            let reason = "prints lines that are not text";
            return Err(self.process.refuse(Reason::Use(reason.to_owned())));
        }
        let mut printed = Vec::new();
        if self.names == super::Names::Shown {
            printed.extend_from_slice(page.name);
            printed.push(self.settings.name_end.unwrap_or(mark));
        }
        if self.settings.shows_lines {
            printed.extend_from_slice((number + 1).to_string().as_bytes());
            printed.push(mark);
        }
        if self.settings.shows_offsets {
            printed.extend_from_slice(offset.to_string().as_bytes());
            printed.push(mark);
        }
        printed.extend_from_slice(text);
        printed.push(self.settings.line_end);
        self.process.write(printed)
    }

    /// What is printed of a file as a whole.
    pub(super) fn summary(&mut self, name: &BStr, selected: u64) -> Result<(), Stop> {
        if self.settings.is_quiet {
            return Ok(());
        }
        let is_listed = match self.settings.report {
            Report::Lines | Report::Matches => return Ok(()),
            Report::Count => {
                let mut line = Vec::new();
                if self.names == super::Names::Shown {
                    line.extend_from_slice(name);
                    line.push(self.settings.name_end.unwrap_or(b':'));
                }
                line.extend_from_slice(format!("{selected}\n").as_bytes());
                return self.process.write(line);
            }
            Report::NameIfSelected => selected > 0,
            Report::NameIfNone => selected == 0,
        };
        if is_listed {
            self.process
                .write([name.as_bytes(), &[self.settings.name_end.unwrap_or(b'\n')]].concat())?;
        }
        Ok(())
    }
}
