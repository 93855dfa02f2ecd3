//! The simple commands of a script, wherever in it they are: in branches, loops, functions and
//! substitutions, and where a command itself names others (`sh -c`, `find -exec`, `xargs`).
//!
//! This is for looking at scripts, not for running them. The grammar is that of the shell that
//! evaluates them, and so are its bounds.

use shell::evaluate::dialect::Dialect;
use shell::{Reason, Refusal, WrittenWord};

/// Programs whose `-c` is a script.
const SHELLS: [&str; 4] = ["ash", "bash", "dash", "sh"];
/// Options of xargs that have a value behind them.
const VALUES_OF_XARGS: [&str; 8] = ["-E", "-I", "-L", "-P", "-a", "-d", "-n", "-s"];
/// Scripts inside of each other.
const DEEPEST: usize = 40;

/// A simple command (POSIX XCU 2.9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleCommand {
    /// As a script of its own, with assignments, redirections and here-documents.
    pub text: String,
    /// Its words with quotes taken off; what is to be expanded stays as it was written. None if it
    /// only assigns.
    pub words: Vec<String>,
}

/// The simple commands of a script, as [`shell::simple_commands`] has them, each with those that it
/// names behind it.
///
/// # Errors
/// What is no script.
pub fn simple_commands(text: &str) -> Result<Vec<SimpleCommand>, Refusal> {
    let mut search = Search::default();
    search.script(text)?;
    Ok(search.found)
}

#[derive(Default)]
struct Search {
    found: Vec<SimpleCommand>,
    depth: usize,
}

/// A word as it was written, and without its quotes.
struct Word {
    written: String,
    bare: String,
}

type Searched = Result<(), Refusal>;

impl Search {
    fn script(&mut self, text: &str) -> Searched {
        self.depth += 1;
        if self.depth > DEEPEST {
            let reason = Reason::Language(format!("more than {DEEPEST} scripts in scripts"));
            return Err(Refusal { command: "sh".to_owned(), reason, line: None, within: None });
        }
        for command in shell::simple_commands(text.as_bytes(), Dialect::Bash)? {
            let words: Vec<Word> = command.words.iter().map(Word::of).collect();
            self.found.push(SimpleCommand {
                text: command.text.to_string(),
                words: words.iter().map(|word| word.bare.clone()).collect(),
            });
            self.named(&words)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// The commands that a command's own words name.
    fn named(&mut self, words: &[Word]) -> Searched {
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

    fn named_command(&mut self, words: &[Word]) -> Searched {
        if words.is_empty() {
            return Ok(());
        }
        let written: Vec<&str> = words.iter().map(|word| &word.written[..]).collect();
        let bare = words.iter().map(|word| word.bare.clone()).collect();
        self.found.push(SimpleCommand { text: written.join(" "), words: bare });
        self.named(words)
    }
}

impl Word {
    fn of(word: &WrittenWord) -> Self {
        Word { written: word.written.to_string(), bare: word.bare.to_string() }
    }
}

/// What stands behind a shell's `-c`, also as in `-ec`.
fn script_of(arguments: &[Word]) -> Option<&str> {
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
            ("a < <(b) > \"$(c)\" 2>&1", &["a < <(b) > \"$(c)\" 2>&1", "b", "c"]),
            ("a |& ((b); (c))", &["a", "b", "c"]),
            ("[[ -n $(a) && x == $(b) ]]", &["a", "b"]),
            ("x=1 y=2", &["x=1 y=2"]),
        ] {
            assert_eq!(texts(script), expected, "{script}");
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
        for script in ["a && && b", "if a", &nested(49), &"(".repeat(30), &"{ ".repeat(500)] {
            assert!(simple_commands(script).is_err(), "{script}");
        }
        assert_eq!(texts(&nested(30)), ["a"]);
        let error = simple_commands(&"if a; then ".repeat(100)).unwrap_err();
        let expected = "`the script` is not understood: the nesting of commands and expansions, of \
            which 48 are the most";
        assert_eq!(error.to_string(), expected);
    }
}
