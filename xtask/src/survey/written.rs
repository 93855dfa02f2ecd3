//! Words and commands as they are written: their quotes, their here-documents, and how deep they are.

use brush_parser::ast::{CommandPrefixOrSuffixItem, IoRedirect, Word as Written};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{ParserOptions, unquote_str};
use shell::{Reason, Refusal};

/// How deep brackets and compound commands may be nested; two megabytes of stack are enough for it.
pub const DEEPEST: usize = 40;
/// How many brackets may be open at the end, where there is an error: the parser tries each as
/// arithmetic, too, which doubles its work.
const MOST_UNCLOSED: usize = 8;

/// The command as a script: here-documents follow the line that announces them.
pub fn text_of<'a>(
    prefix: impl Iterator<Item = &'a CommandPrefixOrSuffixItem>,
    name: Option<&Written>,
    suffix: impl Iterator<Item = &'a CommandPrefixOrSuffixItem>,
) -> String {
    let mut line = Vec::new();
    let mut documents = String::new();
    let mut add = |item: &CommandPrefixOrSuffixItem, line: &mut Vec<String>| {
        if let CommandPrefixOrSuffixItem::IoRedirect(IoRedirect::HereDocument(fd, document)) = item
        {
            let fd = fd.map(|fd| fd.to_string()).unwrap_or_default();
            let dash = if document.remove_tabs { "-" } else { "" };
            line.push(format!("{fd}<<{dash}{}", document.here_end.value));
            documents.push('\n');
            documents.push_str(&document.doc.value);
            documents.push_str(&unquote_str(&document.here_end.value));
        } else {
            line.push(item.to_string());
        }
    };
    prefix.for_each(|item| add(item, &mut line));
    line.extend(name.map(|name| name.value.clone()));
    suffix.for_each(|item| add(item, &mut line));
    if !documents.is_empty() {
        documents.push('\n');
    }
    line.join(" ") + &documents
}

/// What a word is made of.
pub fn pieces(written: &str) -> Result<Vec<WordPieceWithSource>, Refusal> {
    word::parse(written, &ParserOptions::default()).map_err(|error| refusal(&error.to_string()))
}

/// A word without its quotes.
pub fn bare(written: &str) -> Result<String, Refusal> {
    if !written.contains(['\'', '"', '\\']) {
        return Ok(written.to_owned());
    }
    refuse_nesting(written)?;
    let mut bare = String::new();
    add_bare(written, &pieces(written)?, &mut bare);
    Ok(bare)
}

fn add_bare(written: &str, pieces: &[WordPieceWithSource], bare: &mut String) {
    for piece in pieces {
        match &piece.piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => bare.push_str(text),
            WordPiece::DoubleQuotedSequence(inner)
            | WordPiece::GettextDoubleQuotedSequence(inner) => add_bare(written, inner, bare),
            WordPiece::EscapeSequence(text) => {
                bare.push_str(text.strip_prefix('\\').unwrap_or(text));
            }
            _ => {
                bare.push_str(written.get(piece.start_index..piece.end_index).unwrap_or_default());
            }
        }
    }
}

/// Refuses what the parser would go down into too deep. Quotes are not looked at, so this is an
/// estimate: good for files that somebody brought to be looked at.
pub fn refuse_nesting(text: &str) -> Result<(), Refusal> {
    let (mut brackets, mut deepest) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'{' => brackets += 1,
            b')' | b'}' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(brackets);
    }
    let (mut compound, mut deepest_compound) = (0usize, 0usize);
    for word in text.split(|byte: char| !byte.is_ascii_alphanumeric()) {
        match word {
            "if" | "case" | "do" => compound += 1,
            "fi" | "esac" | "done" => compound = compound.saturating_sub(1),
            _ => {}
        }
        deepest_compound = deepest_compound.max(compound);
    }
    let is_too_deep = deepest + deepest_compound > DEEPEST || brackets > MOST_UNCLOSED;
    if is_too_deep { Err(too_deep()) } else { Ok(()) }
}

/// There is more than [`DEEPEST`] allows.
pub fn too_deep() -> Refusal {
    refusal(&format!("more than {DEEPEST} levels"))
}

/// What the parser does not take.
pub fn refusal(what: &str) -> Refusal {
    let reason = Reason::Language(what.lines().next().unwrap_or_default().to_owned());
    Refusal { command: "sh".to_owned(), reason, line: None }
}
