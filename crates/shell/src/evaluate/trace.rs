//! What `set -x` prints, and what the caller is told was done.

use bstr::{BString, ByteSlice};

use super::dialect::Dialect;
use super::shell::{Eval, Evaluator};
use crate::machine::Event;

/// More commands than these are not listed.
const MOST_EVENTS: usize = 100_000;

impl Evaluator<'_, '_> {
    /// Notes that a command begins; the number is for [`Evaluator::note_end`].
    ///
    /// Its changes are those behind `from` in the journal, where its redirections begin.
    pub(super) fn note_start(&mut self, words: &[BString], from: usize) -> Option<usize> {
        if self.machine.trace.len() >= MOST_EVENTS {
            return None;
        }
        let depth = self.shell.subshells + self.shell.functions_entered + self.shell.sources;
        self.machine.trace.push(Event {
            depth,
            line: Some(self.shell.line),
            words: words.to_vec(),
            status: None,
            changes: from..from,
            remark: None,
        });
        Some(self.machine.trace.len() - 1)
    }

    /// Notes that it has ended.
    pub(super) fn note_end(&mut self, event: Option<usize>, status: u8) {
        let end = self.machine.files.journal().len();
        if let Some(event) = event.and_then(|event| self.machine.trace.get_mut(event)) {
            event.status = Some(status);
            event.changes.end = end;
        }
    }

    /// `set -x`: shows a command, before it runs.
    pub(super) fn trace(&mut self, assignments: &[BString], words: &[BString]) -> Eval<()> {
        if !self.shell.options.xtrace {
            return Ok(());
        }
        if !self.shell.dialect.is_bash() {
            let all: Vec<&BString> = assignments.iter().chain(words).collect();
            return self.trace_line(&bstr::join(" ", all));
        }
        for assignment in assignments {
            let shown = match assignment.split_once_str("=") {
                Some((name, value)) => [name, b"=", &quoted(value)].concat(),
                None => assignment.to_vec(),
            };
            self.trace_line(&shown)?;
        }
        if words.is_empty() {
            return Ok(());
        }
        let shown: Vec<Vec<u8>> = words.iter().map(|word| shown_word(word)).collect();
        self.trace_line(&bstr::join(" ", shown))
    }

    /// bash shows each turn of a loop.
    pub(super) fn trace_for(&mut self, name: &BString, words: &BString) -> Eval<()> {
        if !self.shell.dialect.is_bash() || !self.shell.options.xtrace {
            return Ok(());
        }
        self.trace_line(&[b"for ", name.as_bytes(), b" in ", words].concat())
    }

    /// bash shows the word of `case` as it is written.
    pub(super) fn trace_case(&mut self, word: &BString) -> Eval<()> {
        match self.shell.dialect.is_bash() && self.shell.options.xtrace {
            true => self.trace_line(&[b"case ", word.as_bytes(), b" in"].concat()),
            false => Ok(()),
        }
    }

    /// bash shows what is computed.
    pub(super) fn trace_arithmetic(&mut self, text: &BString) -> Eval<()> {
        match self.shell.options.xtrace {
            true => self.trace_line(&[b"(( ", text.as_bytes(), b" ))"].concat()),
            false => Ok(()),
        }
    }

    pub(super) fn trace_line(&mut self, shown: &[u8]) -> Eval<()> {
        let own = self.shell.variables.value(b"PS4").cloned();
        let mut prompt = own.unwrap_or_else(|| "+ ".into());
        if prompt.contains(&b'$') || prompt.contains(&b'`') || prompt.contains(&b'\\') {
            return self.refuse("PS4", "an expansion in a prompt");
        }
        if self.shell.dialect == Dialect::Bash
            && let Some(first) = prompt.first().copied()
        {
            // Once more for each substitution that it is in.
            let more = vec![first; self.shell.substitutions];
            prompt = [more.as_slice(), &prompt].concat().into();
        }
        let line = [prompt.as_bytes(), shown, b"\n"].concat();
        self.write(2, &line)
    }
}

/// A word as bash shows it.
fn shown_word(word: &[u8]) -> Vec<u8> {
    if word.is_empty() { b"''".to_vec() } else { quoted(word) }
}

/// A text in quotes, if it has to be, as bash writes it.
pub(super) fn quoted(text: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+=:.,/@%^{}~#".contains(byte);
    let is_shown = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' '..=b'~');
    let needs = text.iter().any(|byte| is_shown(byte) && !is_plain(byte))
        || text.starts_with(b"~")
        || text.starts_with(b"#")
        || text.contains(&b'^')
        || text.iter().any(|byte| b"{}".contains(byte));
    if !needs {
        return if text.iter().all(is_shown) { text.to_vec() } else { escaped(text) };
    }
    if text == b"'" {
        return b"\\'".to_vec();
    }
    single_quoted(text, b"'\\''")
}

/// A text as `$'…'`: what no terminal shows in the C locale is escaped.
fn escaped(text: &[u8]) -> Vec<u8> {
    let mut shown = b"$'".to_vec();
    for byte in text {
        match byte {
            0x07 => shown.extend(b"\\a"),
            0x08 => shown.extend(b"\\b"),
            0x0b => shown.extend(b"\\v"),
            0x0c => shown.extend(b"\\f"),
            b'\r' => shown.extend(b"\\r"),
            0x1b => shown.extend(b"\\E"),
            b' '..=b'~' => shown.push(*byte),
            other => shown.extend(format!("\\{other:03o}").bytes()),
        }
    }
    shown.push(b'\'');
    shown
}

/// A text in single quotes; what stands for a single quote differs.
pub(super) fn single_quoted(text: &[u8], quote: &[u8]) -> Vec<u8> {
    let mut shown = b"'".to_vec();
    shown.extend(text.replace(b"'", quote));
    shown.push(b'\'');
    shown
}
