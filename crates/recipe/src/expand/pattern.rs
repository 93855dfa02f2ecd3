//! The patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: `*`, `?` and `\`, but no bracket expressions
//! (POSIX.1-2017, XCU 2.13 without 2.13.1's brackets, as BuildKit has it).

use regex::{Regex, RegexBuilder};

/// A part of a pattern.
enum Token {
    Text(char),
    AnyCharacter,
    AnyText,
}

/// How far `*` reaches.
#[derive(Clone, Copy)]
pub(super) enum Reach {
    Shortest,
    Longest,
}

/// Which end of a value a pattern is taken off.
#[derive(Clone, Copy)]
pub(super) enum End {
    Prefix,
    Suffix,
}

/// The range of `value` that remains when `pattern` is taken off an end.
pub(super) fn trim<'v>(
    pattern: &str,
    value: &'v str,
    end: End,
    reach: Reach,
) -> Result<&'v str, &'static str> {
    let mut tokens = parse(pattern)?;
    match end {
        End::Prefix => {
            let found = compile(&tokens, reach, "^")?.find(value);
            Ok(found.map_or(value, |found| &value[found.end()..]))
        }
        // A search finds the leftmost match, so the shortest suffix is looked for from the back.
        End::Suffix => {
            tokens.reverse();
            let reversed: String = value.chars().rev().collect();
            let found = compile(&tokens, reach, "^")?.find(&reversed);
            Ok(found.map_or(value, |found| &value[..value.len() - found.end()]))
        }
    }
}

/// A search for `pattern` anywhere in a value, as long as can be.
pub(super) fn search(pattern: &str) -> Result<Regex, &'static str> {
    compile(&parse(pattern)?, Reach::Longest, "")
}

fn parse(pattern: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::AnyText,
            '?' => Token::AnyCharacter,
            // `}` and `/` end the pattern unless they are escaped; the rest are the pattern's own.
            '\\' => match characters.next() {
                Some(escaped @ ('}' | '/' | '*' | '?' | '\\')) => Token::Text(escaped),
                Some(_) => return Err("`\\` stands before something that needs no escape"),
                None => return Err("it ends in `\\`"),
            },
            other => Token::Text(other),
        });
    }
    Ok(tokens)
}

fn compile(tokens: &[Token], reach: Reach, anchor: &str) -> Result<Regex, &'static str> {
    let mut expression = anchor.to_owned();
    let mut buffer = [0; 4];
    for token in tokens {
        match (token, reach) {
            (Token::Text(character), _) => {
                expression.push_str(&regex::escape(character.encode_utf8(&mut buffer)));
            }
            (Token::AnyCharacter, _) => expression.push('.'),
            (Token::AnyText, Reach::Shortest) => expression.push_str(".*?"),
            (Token::AnyText, Reach::Longest) => expression.push_str(".*"),
        }
    }
    RegexBuilder::new(&expression).build().map_err(|_| "it is too long")
}
