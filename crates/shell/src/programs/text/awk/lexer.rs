//! From a program's text to tokens (POSIX XCU awk, "Lexical Conventions").

use bstr::BString;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Newline,
    Number(f64),
    Text(BString),
    Pattern(BString),
    Name(BString),
    /// A name with a `(` right behind it.
    Call(BString),
    Word(Word),
    Builtin(Builtin),
    /// Punctuation.
    Sign(&'static str),
    End,
}

macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $kind { $($variant),* }

        impl $kind {
            fn of(name: &[u8]) -> Option<Self> {
                const NAMES: &[(&str, $kind)] = &[$(($name, $kind::$variant)),*];
                let found = NAMES.iter().find(|(known, _)| known.as_bytes() == name);
                found.map(|(_, kind)| *kind)
            }
        }
    };
}

names!(
    /// Reserved words.
    Word {
        Begin = "BEGIN", End = "END", Function = "function", If = "if", Else = "else",
        While = "while", For = "for", Do = "do", Break = "break", Continue = "continue",
        Next = "next", NextFile = "nextfile", Exit = "exit", Return = "return",
        Delete = "delete", In = "in", Getline = "getline", Print = "print", Printf = "printf",
    }
);
names!(
    /// Functions that the language has.
    Builtin {
        Length = "length", Substr = "substr", Index = "index", Split = "split", Sub = "sub",
        Gsub = "gsub", Match = "match", Tolower = "tolower", Toupper = "toupper",
        Sprintf = "sprintf", Int = "int", Sqrt = "sqrt", Exp = "exp", Log = "log", Sin = "sin",
        Cos = "cos", Atan2 = "atan2", Rand = "rand", Srand = "srand", System = "system",
        Close = "close", Fflush = "fflush", Time = "systime", Strftime = "strftime",
        Mktime = "mktime",
    }
);

/// Longer ones first.
const SIGNS: &[&str] = &[
    "**=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "==", "!=", "<=",
    ">=", ">>", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<",
    ">", "|", "?", ":", "~", "$", "=",
];

/// Reads all tokens; the error is what is not understood.
pub(super) fn tokens(text: &[u8]) -> Result<Vec<Token>, &'static str> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.first() {
        let (token, length) = match first {
            b' ' | b'\t' | b'\r' => {
                rest = &rest[1..];
                continue;
            }
            b'\\' if rest.starts_with(b"\\\n") => {
                rest = &rest[2..];
                continue;
            }
            b'\\' if rest.starts_with(b"\\\r\n") => {
                rest = &rest[3..];
                continue;
            }
            b'#' => {
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                rest = &rest[length..];
                continue;
            }
            b'\n' => (Token::Newline, 1),
            b'"' => text_token(rest)?,
            b'/' if !ends_operand(tokens.last()) => pattern(rest)?,
            b'0'..=b'9' => number(rest),
            b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => number(rest),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => name(rest),
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes()));
                let sign = sign.ok_or("has a character that is not understood")?;
                let plain = match *sign {
                    "**" => "^",
                    "**=" => "^=",
                    sign => sign,
                };
                (Token::Sign(plain), sign.len())
            }
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// Whether a `/` behind this is a division.
fn ends_operand(token: Option<&Token>) -> bool {
    match token {
        Some(Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Builtin(_)) => true,
        Some(Token::Sign(sign)) => matches!(*sign, ")" | "]" | "$" | "++" | "--"),
        _ => false,
    }
}

fn name(text: &[u8]) -> (Token, usize) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len());
    let name = &text[..length];
    let token = if name == b"func" {
        Token::Word(Word::Function)
    } else if let Some(word) = Word::of(name) {
        Token::Word(word)
    } else if let Some(builtin) = Builtin::of(name) {
        Token::Builtin(builtin)
    } else if text.get(length) == Some(&b'(') {
        Token::Call(name.into())
    } else {
        Token::Name(name.into())
    };
    (token, length)
}

fn number(text: &[u8]) -> (Token, usize) {
    let (value, length) = super::value::leading_number(text);
    (Token::Number(value), length)
}

fn text_token(text: &[u8]) -> Result<(Token, usize), &'static str> {
    let mut at = 1;
    loop {
        match text.get(at) {
            None | Some(b'\n') => return Err("has a string without an end"),
            Some(b'"') => break,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
    Ok((Token::Text(unescaped(&text[1..at])), at + 1))
}

fn pattern(text: &[u8]) -> Result<(Token, usize), &'static str> {
    let mut pattern = Vec::new();
    let mut at = 1;
    loop {
        match (text.get(at), text.get(at + 1)) {
            (None | Some(b'\n'), _) => return Err("has a regular expression without an end"),
            (Some(b'/'), _) => break,
            (Some(b'\\'), Some(b'/')) => {
                pattern.push(b'/');
                at += 2;
            }
            (Some(b'\\'), Some(escaped)) => {
                pattern.extend_from_slice(&[b'\\', *escaped]);
                at += 2;
            }
            (Some(byte), _) => {
                pattern.push(*byte);
                at += 1;
            }
        }
    }
    Ok((Token::Pattern(pattern.into()), at + 1))
}

/// A string with its escapes replaced. Unknown ones keep their `\`, as in mawk.
pub(super) fn unescaped(text: &[u8]) -> BString {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let Some(escaped) = behind.first().filter(|_| *first == b'\\') else {
            plain.push(*first);
            continue;
        };
        let byte = match escaped {
            b'"' | b'\\' => *escaped,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'f' => 0x0c,
            b'v' => 0x0b,
            b'a' => 0x07,
            b'b' => 0x08,
            b'0'..=b'7' => {
                let digits = behind.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
                let digits: Vec<u8> = digits.copied().collect();
                let value =
                    digits.iter().fold(0, |value: u32, digit| value * 8 + u32::from(digit - b'0'));
                plain.push(value.to_le_bytes()[0]);
                rest = &behind[digits.len()..];
                continue;
            }
            b'\n' => {
                rest = &behind[1..];
                continue;
            }
            other => {
                plain.push(b'\\');
                *other
            }
        };
        plain.push(byte);
        rest = &behind[1..];
    }
    plain.into()
}
