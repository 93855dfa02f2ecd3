//! Instructions as lines: comments taken out, continuations joined, and for every byte where in
//! the file it was.

use std::ops::Range;

use crate::{Span, Spanned, Word};

/// One instruction's text on one line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    /// Without leading and trailing white space.
    pub(crate) text: String,
    /// For each stretch that is contiguous in the file: where it begins here, and there.
    stretches: Vec<(usize, usize)>,
    /// The comments right above, each without its `#` and white space around.
    pub(crate) comments: Vec<Spanned<String>>,
    /// Blank lines in the middle of it.
    pub(crate) blank_lines: Vec<Span>,
}

impl Line {
    /// Where a part of the text stands in the file.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        let start = self.position(range.start);
        // The end is where the last byte is, not where the next stretch begins.
        let end = if range.is_empty() { start } else { self.position(range.end - 1) + 1 };
        start..end
    }

    fn position(&self, offset: usize) -> usize {
        let next = self.stretches.partition_point(|&(here, _)| here <= offset);
        let (here, there) = self.stretches[next.saturating_sub(1)];
        there + (offset - here)
    }

    /// A part of the text as a word.
    pub(crate) fn word(&self, range: Range<usize>) -> Word {
        Word { text: self.text[range.clone()].to_owned(), span: self.span(range) }
    }

    /// The whole text.
    pub(crate) fn whole(&self) -> Range<usize> {
        0..self.text.len()
    }

    fn push(&mut self, text: &str, position: usize) {
        // The first line may be no more than a continuation character.
        let kept = if self.text.is_empty() { text.trim_start() } else { text };
        self.stretches.push((self.text.len(), position + (text.len() - kept.len())));
        self.text.push_str(kept);
    }
}

/// Whether a here-document's leading tabs are taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tabs {
    /// `<<`
    Keep,
    /// `<<-`
    Strip,
}

/// The lines of a file, one instruction at a time.
pub(crate) struct Lines<'a> {
    text: &'a str,
    position: usize,
    escape: char,
}

impl<'a> Lines<'a> {
    /// The lines from `position` on.
    pub(crate) fn new(text: &'a str, position: usize, escape: char) -> Self {
        Lines { text, position, escape }
    }

    /// The next line as it stands, with its line ending, and where it begins.
    fn take(&mut self) -> Option<(&'a str, usize)> {
        let (start, rest) = (self.position, &self.text[self.position..]);
        let line = rest.split_inclusive('\n').next()?;
        self.position += line.len();
        Some((line, start))
    }

    /// The next instruction.
    pub(crate) fn next_instruction(&mut self) -> Option<Line> {
        let mut comments = Vec::new();
        loop {
            let (raw, start) = self.take()?;
            let body = trim_newline(raw).trim_start();
            let start = start + (trim_newline(raw).len() - body.len());
            if let Some(comment) = body.strip_prefix('#') {
                note_comment(&mut comments, comment, start + 1);
                continue;
            }
            if body.is_empty() {
                // A blank line parts a comment from what follows it (`docker build --call=outline`).
                comments.clear();
                continue;
            }
            let line = self.join(body, start, std::mem::take(&mut comments));
            if !line.text.is_empty() {
                return Some(line);
            }
        }
    }

    fn join(&mut self, body: &str, start: usize, comments: Vec<Spanned<String>>) -> Line {
        let mut line = Line { comments, ..Line::default() };
        let (content, mut continues) = self.strip_continuation(body);
        line.push(content, start);
        while continues {
            let Some((raw, start)) = self.take() else { break };
            let body = trim_newline(raw);
            let trimmed = body.trim_start();
            if trimmed.starts_with('#') {
                continue;
            }
            if trimmed.is_empty() {
                line.blank_lines.push(start..start + body.len());
                continue;
            }
            let content;
            (content, continues) = self.strip_continuation(body);
            line.push(content, start);
        }
        line.text.truncate(line.text.trim_end().len());
        line
    }

    /// An escape character at the end joins the next line, unless another is right before it.
    fn strip_continuation<'t>(&self, line: &'t str) -> (&'t str, bool) {
        let trimmed = line.trim_end_matches([' ', '\t']);
        match trimmed.strip_suffix(self.escape) {
            Some(content) if !content.ends_with(self.escape) => (content, true),
            _ => (line, false),
        }
    }

    /// The here-document that begins here, up to the line that is `name`. If there is none, the
    /// rest of the file is in it, and no instruction is left to be misread.
    pub(crate) fn heredoc(&mut self, name: &str, tabs: Tabs) -> Option<Spanned<String>> {
        let begin = self.position;
        let mut content = String::new();
        while let Some((raw, start)) = self.take() {
            let line = match tabs {
                Tabs::Keep => raw,
                Tabs::Strip => raw.trim_start_matches('\t'),
            };
            if trim_newline(line) == name {
                return Some(Spanned { node: content, span: begin..start });
            }
            content.push_str(line);
        }
        None
    }

    /// The end of what was taken, without the last line ending.
    pub(crate) fn end(&self) -> usize {
        trim_newline(&self.text[..self.position]).len()
    }
}

fn trim_newline(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// An empty comment parts the comments above it from what follows.
fn note_comment(comments: &mut Vec<Spanned<String>>, comment: &str, start: usize) {
    let text = comment.trim();
    if text.is_empty() {
        comments.clear();
        return;
    }
    let start = start + (comment.len() - comment.trim_start().len());
    comments.push(Spanned { node: text.to_owned(), span: start..start + text.len() });
}
