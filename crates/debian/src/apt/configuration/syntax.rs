//! The syntax of apt.conf(5).

use crate::apt::problem::Problem;

/// Scopes are not deeper inside of each other.
const MOST_SCOPES: usize = 16;

/// What a file says, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// An item's value; list items have a name that ends with `::`.
    Set { name: String, value: String },
    /// `#clear`
    Clear { name: String },
    /// `#include`
    Include { path: String, line: usize },
}

/// The statements of a file.
pub(super) fn parse(file: &str, text: &[u8]) -> Result<Vec<Statement>, Problem> {
    let mut parser = Parser { file, line: 0, scopes: Vec::new(), statements: Vec::new() };
    let text = String::from_utf8_lossy(text);
    let mut pending = String::new();
    let mut in_comment = false;
    for line in text.lines() {
        parser.line += 1;
        let line = without_comments(line, &mut in_comment);
        parser.take_line(line.trim(), &mut pending)?;
    }
    match pending.is_empty() {
        true => Ok(parser.statements),
        false => {
            // As apt counts: what stands behind the last newline is a line, too.
            parser.line = text.matches('\n').count() + 1;
            Err(parser.problem("Extra junk at end of file"))
        }
    }
}

struct Parser<'f> {
    file: &'f str,
    line: usize,
    /// The names of the scopes around, each whole.
    scopes: Vec<String>,
    statements: Vec<Statement>,
}

impl Parser<'_> {
    fn problem(&self, what: &'static str) -> Problem {
        Problem::Configuration { file: self.file.to_owned(), line: self.line, what }
    }

    /// `pending` is what stands since the last `;`, `{` or `}`, also on lines before.
    fn take_line(&mut self, line: &str, pending: &mut String) -> Result<(), Problem> {
        let mut in_quotes = false;
        let mut fragment = String::new();
        for letter in line.chars() {
            in_quotes ^= letter == '"';
            if in_quotes || !matches!(letter, '{' | ';' | '}') {
                fragment.push(letter);
                continue;
            }
            add(pending, &std::mem::take(&mut fragment));
            let statement = std::mem::take(pending);
            self.end(&statement, letter)?;
        }
        add(pending, &fragment);
        Ok(())
    }

    fn end(&mut self, statement: &str, end: char) -> Result<(), Problem> {
        if statement.is_empty() {
            return match end {
                '{' => Err(self.problem("Block starts with no name.")),
                '}' => {
                    self.scopes.pop();
                    Ok(())
                }
                _ => Ok(()),
            };
        }
        let mut rest = statement;
        let tag = quoted_word(&mut rest).ok_or_else(|| self.problem("Malformed tag"))?;
        let word = c_word(&mut rest).or_else(|| quoted_word(&mut rest));
        if !rest.is_empty() {
            return Err(self.problem("Extra junk after value"));
        }
        match end {
            '{' => self.open(tag, word),
            _ => self.state(tag, word)?,
        }
        match end {
            '{' if self.scopes.len() > MOST_SCOPES => Err(self.problem("Too many nested scopes")),
            '}' => {
                self.scopes.pop();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `Name {`, and `Name "more" {`, which is `Name::more {`.
    fn open(&mut self, tag: String, word: Option<String>) {
        let name = match word {
            Some(word) => format!("{tag}::{word}"),
            None => tag,
        };
        self.scopes.push(self.within(&name));
    }

    /// `Name "value"`, or `"value"` of a list.
    fn state(&mut self, tag: String, word: Option<String>) -> Result<(), Problem> {
        let (tag, word) = match word {
            Some(word) => (tag, word),
            None => (String::new(), tag),
        };
        if let Some(directive) = tag.strip_prefix('#') {
            if !self.scopes.is_empty() {
                return Err(self.problem("Directives can only be done at the top level"));
            }
            self.statements.push(match directive {
                "clear" => Statement::Clear { name: word },
                "include" => Statement::Include { path: word, line: self.line },
                _ => return Err(self.problem("Unsupported directive")),
            });
        } else if tag.is_empty() && word == "#clear" {
            return Err(self.problem("clear directive requires an option tree as argument"));
        } else {
            let name = match (tag.is_empty(), self.scopes.last()) {
                (true, Some(scope)) => format!("{scope}::"),
                _ => self.within(&tag),
            };
            self.statements.push(Statement::Set { name, value: word });
        }
        Ok(())
    }

    fn within(&self, name: &str) -> String {
        match self.scopes.last() {
            Some(scope) => format!("{scope}::{name}"),
            None => name.to_owned(),
        }
    }
}

fn add(pending: &mut String, fragment: &str) {
    let fragment = fragment.trim();
    if !pending.is_empty() && !fragment.is_empty() {
        pending.push(' ');
    }
    pending.push_str(fragment);
}

/// A line without `// …`, `# …` and `/* … */`. A directive begins like a comment.
fn without_comments(line: &str, in_comment: &mut bool) -> String {
    let mut kept = String::new();
    let (mut in_quotes, mut rest) = (false, line);
    while let Some(letter) = rest.chars().next() {
        if *in_comment {
            let Some((_, behind)) = rest.split_once("*/") else { break };
            (*in_comment, rest) = (false, behind);
            continue;
        }
        in_quotes ^= letter == '"';
        if !in_quotes {
            let is_directive = ["#clear", "#include", "#x-apt-configure-index"]
                .iter()
                .any(|word| rest.starts_with(word));
            if rest.starts_with("//") || (letter == '#' && !is_directive) {
                break;
            }
            if let Some(behind) = rest.strip_prefix("/*") {
                (*in_comment, rest) = (true, behind);
                continue;
            }
        }
        kept.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    kept
}

/// A word up to a blank, in which quotes and brackets hold blanks, without its quotes and with
/// `%XX` read; sources.list has such words, too.
pub(in crate::apt) fn quoted_word(rest: &mut &str) -> Option<String> {
    let text = rest.trim_start();
    if text.is_empty() {
        return None;
    }
    let mut end = None;
    let mut closing = None;
    for (at, letter) in text.char_indices() {
        match (closing, letter) {
            (Some(close), letter) if letter == close => closing = None,
            (Some(_), _) => {}
            (None, '"') => closing = Some('"'),
            (None, '[') => closing = Some(']'),
            (None, letter) if letter.is_ascii_whitespace() => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    if closing.is_some() {
        return None;
    }
    let (word, behind) = text.split_at(end.unwrap_or(text.len()));
    *rest = behind.trim_start();
    Some(percent_decoded(&word.replace('"', "")))
}

/// Texts in quotes, joined by blanks.
fn c_word(rest: &mut &str) -> Option<String> {
    let mut text = rest.trim_start();
    let mut words: Vec<&str> = Vec::new();
    while !text.is_empty() {
        let (word, behind) = text.strip_prefix('"')?.split_once('"')?;
        words.push(word);
        text = behind.trim_start();
    }
    *rest = "";
    (!words.is_empty()).then(|| words.join(" "))
}

fn percent_decoded(word: &str) -> String {
    let bytes = word.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = digits.and_then(|digits| hex::decode(digits).ok());
        match byte.as_deref() {
            Some([byte]) => {
                decoded.push(*byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
