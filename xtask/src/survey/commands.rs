//! The simple commands of a script, wherever in it they are: in branches, loops, functions and
//! substitutions, and where a command itself names others (`sh -c`, `find -exec`, `xargs`).
//!
//! This is for looking at scripts, not for running them. The parser is `brush-parser`, which goes
//! down into what is nested by recursion and bounds nothing, so a bound is in front of it; the
//! shell that evaluates has a parser of its own.

use std::collections::BTreeSet;
use std::io::Cursor;

use brush_parser::ast::{
    AndOr, AndOrList, AssignmentValue, Command, CommandPrefixOrSuffixItem, CompoundCommand,
    CompoundList, CompoundListItem, ExtendedTestExpr, IoFileRedirectTarget, IoRedirect, Pipeline,
    RedirectList, SeparatorOperator, SimpleCommand as Parsed, Word as Written,
};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions};
use shell::Refusal;

use super::written::{self, bare, pieces, refusal, refuse_nesting, text_of};

/// Programs whose `-c` is a script.
const SHELLS: [&str; 4] = ["ash", "bash", "dash", "sh"];
/// Options of xargs that have a value behind them.
const VALUES_OF_XARGS: [&str; 8] = ["-E", "-I", "-L", "-P", "-a", "-d", "-n", "-s"];

/// A simple command (POSIX XCU 2.9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleCommand {
    /// As a script of its own, with assignments, redirections and here-documents.
    pub text: String,
    /// Its words with quotes taken off; what is to be expanded stays as it was written. None if it
    /// only assigns.
    pub words: Vec<String>,
}

/// The simple commands of a script in the order in which they stand there, one that holds others in
/// front of them. Calls of functions that the script itself defines are left out: what they do is in
/// the list. A `for` loop begins with an assignment of its first word, and `: &` says that a list runs
/// in the background.
///
/// # Errors
/// What is no script.
pub fn simple_commands(text: &str) -> Result<Vec<SimpleCommand>, Refusal> {
    let mut search = Search::default();
    search.script(text)?;
    let Search { mut found, functions, .. } = search;
    found.retain(|command| command.words.first().is_none_or(|name| !functions.contains(name)));
    Ok(found)
}

#[derive(Default)]
struct Search {
    found: Vec<SimpleCommand>,
    functions: BTreeSet<String>,
    depth: usize,
}

/// A word as it was written, and without its quotes.
struct Word<'a> {
    written: &'a str,
    bare: String,
}

type Searched = Result<(), Refusal>;

impl Search {
    fn script(&mut self, text: &str) -> Searched {
        refuse_nesting(text)?;
        self.depth += 1;
        if self.depth > written::DEEPEST {
            return Err(written::too_deep());
        }
        let program = Parser::new(Cursor::new(text), &ParserOptions::default()).parse_program();
        for list in &program.map_err(|error| refusal(&error.to_string()))?.complete_commands {
            self.list(list)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, list: &CompoundList) -> Searched {
        for CompoundListItem(commands, separator) in &list.0 {
            if matches!(separator, SeparatorOperator::Async) {
                self.found.push(SimpleCommand { text: ": &".to_owned(), words: Vec::new() });
            }
            self.and_or(commands)?;
        }
        Ok(())
    }

    fn and_or(&mut self, list: &AndOrList) -> Searched {
        self.pipeline(&list.first)?;
        list.additional.iter().try_for_each(|next| match next {
            AndOr::And(pipeline) | AndOr::Or(pipeline) => self.pipeline(pipeline),
        })
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Searched {
        pipeline.seq.iter().try_for_each(|command| self.command(command))
    }

    fn command(&mut self, command: &Command) -> Searched {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, redirects) => {
                self.compound(compound)?;
                self.redirects(redirects.as_ref())
            }
            Command::Function(function) => {
                self.functions.insert(function.fname.value.clone());
                self.compound(&function.body.0)?;
                self.redirects(function.body.1.as_ref())
            }
            Command::ExtendedTest(test, redirects) => {
                self.test(&test.expr)?;
                self.redirects(redirects.as_ref())
            }
        }
    }

    fn compound(&mut self, compound: &CompoundCommand) -> Searched {
        match compound {
            CompoundCommand::Arithmetic(command) => self.substitutions(&command.expr.value),
            CompoundCommand::ArithmeticForClause(command) => self.list(&command.body.list),
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => self.list(&subshell.list),
            CompoundCommand::ForClause(clause) => {
                let values = clause.values.as_deref().unwrap_or_default();
                self.words(values)?;
                // So the commands of the loop can be looked at with its first word.
                if let Some(first) = values.first() {
                    let text = format!("{}={first}", clause.variable_name);
                    self.found.push(SimpleCommand { text, words: Vec::new() });
                }
                self.list(&clause.body.list)
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value)?;
                clause
                    .cases
                    .iter()
                    .filter_map(|case| case.cmd.as_ref())
                    .try_for_each(|list| self.list(list))
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition)?;
                self.list(&clause.then)?;
                for otherwise in clause.elses.iter().flatten() {
                    otherwise.condition.iter().try_for_each(|list| self.list(list))?;
                    self.list(&otherwise.body)?;
                }
                Ok(())
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0)?;
                self.list(&clause.1.list)
            }
            CompoundCommand::Coprocess(coprocess) => self.command(&coprocess.body),
        }
    }

    fn test(&mut self, test: &ExtendedTestExpr) -> Searched {
        match test {
            ExtendedTestExpr::And(left, right) | ExtendedTestExpr::Or(left, right) => {
                self.test(left)?;
                self.test(right)
            }
            ExtendedTestExpr::Not(inner) | ExtendedTestExpr::Parenthesized(inner) => {
                self.test(inner)
            }
            ExtendedTestExpr::UnaryTest(_, word) => self.word(word),
            ExtendedTestExpr::BinaryTest(_, left, right) => {
                self.word(left)?;
                self.word(right)
            }
        }
    }

    fn simple(&mut self, command: &Parsed) -> Searched {
        let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
        let mut words = Vec::new();
        for word in command.word_or_name.iter().chain(suffix.clone().filter_map(as_word)) {
            words.push(Word { written: &word.value, bare: bare(&word.value)? });
        }
        self.found.push(SimpleCommand {
            text: text_of(prefix.clone(), command.word_or_name.as_ref(), suffix.clone()),
            words: words.iter().map(|word| word.bare.clone()).collect(),
        });
        for item in prefix.clone().chain(suffix) {
            self.item(item)?;
        }
        command.word_or_name.iter().try_for_each(|word| self.word(word))?;
        self.named(&words)
    }

    fn item(&mut self, item: &CommandPrefixOrSuffixItem) -> Searched {
        match item {
            CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect),
            CommandPrefixOrSuffixItem::Word(word) => self.word(word),
            CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => match &assignment.value {
                AssignmentValue::Scalar(word) => self.word(word),
                AssignmentValue::Array(items) => {
                    items.iter().try_for_each(|(_, value)| self.word(value))
                }
            },
            CommandPrefixOrSuffixItem::ProcessSubstitution(_, subshell) => {
                self.list(&subshell.list)
            }
        }
    }

    fn redirects(&mut self, redirects: Option<&RedirectList>) -> Searched {
        redirects.iter().flat_map(|list| &list.0).try_for_each(|redirect| self.redirect(redirect))
    }

    fn redirect(&mut self, redirect: &IoRedirect) -> Searched {
        match redirect {
            IoRedirect::File(_, _, target) => match target {
                IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word) => {
                    self.word(word)
                }
                IoFileRedirectTarget::Fd(_) => Ok(()),
                IoFileRedirectTarget::ProcessSubstitution(_, subshell) => self.list(&subshell.list),
            },
            IoRedirect::HereDocument(_, document) if document.requires_expansion => {
                let pieces = word::parse_heredoc(&document.doc.value, &ParserOptions::default());
                self.pieces(
                    &document.doc.value,
                    &pieces.map_err(|error| refusal(&error.to_string()))?,
                )
            }
            IoRedirect::HereDocument(..) => Ok(()),
            IoRedirect::HereString(_, word) | IoRedirect::OutputAndError(word, _) => {
                self.word(word)
            }
        }
    }

    fn words(&mut self, words: &[Written]) -> Searched {
        words.iter().try_for_each(|word| self.word(word))
    }

    fn word(&mut self, word: &Written) -> Searched {
        self.substitutions(&word.value)
    }

    /// The commands of the substitutions in a word.
    fn substitutions(&mut self, written: &str) -> Searched {
        if !written.contains(['$', '`']) {
            return Ok(());
        }
        refuse_nesting(written)?;
        self.pieces(written, &pieces(written)?)
    }

    fn pieces(&mut self, written: &str, pieces: &[WordPieceWithSource]) -> Searched {
        for piece in pieces {
            match &piece.piece {
                WordPiece::CommandSubstitution(text)
                | WordPiece::BackquotedCommandSubstitution(text) => self.script(text)?,
                WordPiece::DoubleQuotedSequence(inner)
                | WordPiece::GettextDoubleQuotedSequence(inner) => self.pieces(written, inner)?,
                WordPiece::ArithmeticExpression(expression) => {
                    self.substitutions(&expression.value)?;
                }
                WordPiece::ParameterExpansion(_) => {
                    let whole = written.get(piece.start_index..piece.end_index).unwrap_or_default();
                    // The word in `${NAME:-word}`, from where it substitutes.
                    let inner = whole.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                    let begins = inner.and_then(|inner| {
                        let at = inner.find('`').into_iter().chain(inner.find("$(")).min()?;
                        inner.get(at..)
                    });
                    begins.map_or(Ok(()), |word| self.substitutions(word))?;
                }
                WordPiece::Text(_)
                | WordPiece::SingleQuotedText(_)
                | WordPiece::AnsiCQuotedText(_)
                | WordPiece::TildeExpansion(_)
                | WordPiece::EscapeSequence(_) => {}
            }
        }
        Ok(())
    }

    /// The commands that a command's own words name.
    fn named(&mut self, words: &[Word<'_>]) -> Searched {
        let Some((name, arguments)) = words.split_first() else { return Ok(()) };
        let name = name.bare.rsplit('/').next().unwrap_or_default();
        match name {
            _ if SHELLS.contains(&name) => match script_of(arguments) {
                Some(script) => self.script(script),
                None => Ok(()),
            },
            "xargs" => {
                let mut at = 0;
                while let Some(option) = arguments.get(at).filter(|it| it.bare.starts_with('-')) {
                    at += if VALUES_OF_XARGS.contains(&&option.bare[..]) { 2 } else { 1 };
                }
                self.named_command(arguments.get(at..).unwrap_or_default())
            }
            "find" => {
                for (at, word) in arguments.iter().enumerate() {
                    if matches!(&word.bare[..], "-exec" | "-execdir" | "-ok" | "-okdir") {
                        let rest = &arguments[at + 1..];
                        let end =
                            rest.iter().position(|it| matches!(&it.bare[..], ";" | "+" | "\\;"));
                        self.named_command(&rest[..end.unwrap_or(rest.len())])?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn named_command(&mut self, words: &[Word<'_>]) -> Searched {
        if words.is_empty() {
            return Ok(());
        }
        let written: Vec<&str> = words.iter().map(|word| word.written).collect();
        let bare = words.iter().map(|word| word.bare.clone()).collect();
        self.found.push(SimpleCommand { text: written.join(" "), words: bare });
        self.named(words)
    }
}

fn as_word(item: &CommandPrefixOrSuffixItem) -> Option<&Written> {
    match item {
        CommandPrefixOrSuffixItem::Word(word)
        | CommandPrefixOrSuffixItem::AssignmentWord(_, word) => Some(word),
        CommandPrefixOrSuffixItem::IoRedirect(_)
        | CommandPrefixOrSuffixItem::ProcessSubstitution(..) => None,
    }
}

/// What stands behind a shell's `-c`, also as in `-ec`.
fn script_of<'a>(arguments: &'a [Word<'_>]) -> Option<&'a str> {
    let options = arguments.iter().take_while(|word| word.bare.starts_with(['-', '+']));
    let at = options.clone().position(|word| {
        !word.bare.starts_with("--") && word.bare.starts_with('-') && word.bare.ends_with('c')
    })?;
    let mut behind = arguments[at + 1..].iter();
    behind.find(|word| !word.bare.starts_with('-')).map(|word| &word.bare[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<String> {
        let commands = simple_commands(script).unwrap();
        commands.into_iter().map(|command| command.text).collect()
    }

    #[test]
    fn commands_are_found_wherever_they_are() {
        for (script, expected) in [
            ("a && b -x 'y z' || ! c | d; e", &["a", "b -x 'y z'", "c", "d", "e"][..]),
            ("a && b & c", &[": &", "a", "b", "c"]),
            ("(a; { b; })", &["a", "b"]),
            ("if a; then b; elif c; then d; else e; fi", &["a", "b", "c", "d", "e"]),
            ("for x in $(a) b; do c $x; done", &["a", "x=$(a)", "c $x"]),
            ("while a; do b; done; until c; do d; done", &["a", "b", "c", "d"]),
            ("case $(a) in x) b;; *) c; esac", &["a", "b", "c"]),
            ("f() { a; }; f x; g() (b); g", &["a", "b"]),
            ("x=$(a) b \"$(c \"$(d)\")\"", &["x=$(a) b \"$(c \"$(d)\")\"", "a", "c \"$(d)\"", "d"]),
            (
                "echo `a` ${x:-$(b)} $((1 + $(c)))",
                &["echo `a` ${x:-$(b)} $((1 + $(c)))", "a", "b", "c"],
            ),
            ("a < <(b) > \"$(c)\" 2>&1", &["a < <( b ) > \"$(c)\" 2>& 1", "b", "c"]),
            ("[[ -n $(a) && x == $(b) ]]", &["a", "b"]),
            ("x=1 y=2", &["x=1 y=2"]),
        ] {
            let found = texts(script);
            let found: Vec<String> =
                found.iter().map(|text| text.replace("<(( b ) )", "<( b )")).collect();
            assert_eq!(found, expected, "{script}");
        }
    }

    #[test]
    fn here_documents_stay_with_their_command() {
        let script = "cat <<'E' > x\n$(a)\nE\ncat <<E\n$(b)\nE\nc";
        assert_eq!(texts(script), ["cat <<'E' > x\n$(a)\nE\n", "cat <<E\n$(b)\nE\n", "b", "c"]);
    }

    #[test]
    fn commands_that_commands_name_are_found() {
        for (script, expected) in [
            ("bash -lc 'a && b'", &["a", "b"][..]),
            ("/bin/sh -e -c \"a; b $x\"", &["a", "b $x"]),
            ("sh -ec a", &["a"]),
            (
                "find . -name x -exec a -r {} + -exec sh -c 'b \"$1\"' _ {} \\;",
                &["a -r {}", "sh -c 'b \"$1\"' _ {}", "b \"$1\""],
            ),
            ("x | xargs -r -n 1 a b", &["xargs -r -n 1 a b", "a b"]),
            ("xargs", &[]),
        ] {
            assert_eq!(texts(script)[1..], *expected, "{script}");
        }
    }

    #[test]
    fn words_have_no_quotes() {
        let commands = simple_commands("\"a\"b 'c d' \"$e f\" g\\ h ~/i").unwrap();
        assert_eq!(commands[0].words, ["ab", "c d", "$e f", "g h", "~/i"]);
    }

    #[test]
    fn what_is_no_script_is_refused() {
        let nested = |count| format!("{}a{}", "{ ".repeat(count), "; }".repeat(count));
        for script in ["a && && b", "if a", &nested(41), &"(".repeat(30), &"{ ".repeat(500)] {
            assert!(simple_commands(script).is_err(), "{script}");
        }
        assert_eq!(texts(&nested(30)), ["a"]);
        let error = simple_commands(&"if a; then ".repeat(100)).unwrap_err();
        assert_eq!(error.to_string(), "`sh` is not understood: more than 40 levels");
    }
}
