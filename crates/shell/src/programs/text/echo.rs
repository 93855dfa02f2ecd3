//! `echo`: as a program, and as each shell has it.

use super::escape::{Next, Place, expand};
use crate::evaluate::dialect::Dialect;
use crate::files::Errno;
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::stop::Reason;

/// The program.
pub(super) fn program(process: &mut Process<'_, '_>) -> Run {
    match (process.flavour, process.arguments()) {
        (Flavour::BusyBox, _) => echo(process, Some(Dialect::Ash)),
        (Flavour::Gnu, [word]) if word == "--help" || word == "--version" => {
            Err(process.refuse(Reason::Option(word.to_string())))
        }
        (Flavour::Gnu, _) => echo(process, None),
    }
}

/// Writes its arguments (POSIX XCU, `echo`, which leaves options and backslashes open).
pub(crate) fn echo(process: &mut Process<'_, '_>, dialect: Option<Dialect>) -> Run {
    let mut words = process.arguments();
    let mut ends_line = true;
    let mut has_escapes = dialect == Some(Dialect::Dash);
    while let [first, rest @ ..] = words {
        if !is_option(dialect, first) {
            break;
        }
        for letter in &first[1..] {
            match letter {
                b'n' => ends_line = false,
                b'e' => has_escapes = true,
                _ => has_escapes &= dialect == Some(Dialect::Ash),
            }
        }
        words = rest;
        if dialect == Some(Dialect::Dash) {
            break;
        }
    }
    let mut output = Vec::new();
    let mut ends = Next::Goes;
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            output.push(b' ');
        }
        if !has_escapes {
            output.extend_from_slice(word);
        } else if expand(process, dialect, Place::Echo, word, &mut output)? == Next::Ends {
            ends = Next::Ends;
            break;
        }
    }
    if ends_line && ends == Next::Goes {
        output.push(b'\n');
    }
    match process.try_write(&output)? {
        Ok(()) => Ok(0),
        Err(errno) => cannot_write(process, dialect, "echo", errno),
    }
}

/// What a shell's builtin, or the program, says if nothing can be written.
pub(super) fn cannot_write(
    process: &mut Process<'_, '_>,
    dialect: Option<Dialect>,
    name: &str,
    errno: Errno,
) -> Run {
    match dialect {
        None | Some(Dialect::Bash) => process.complain(format!("write error: {errno}"))?,
        Some(Dialect::Dash) => process.complain(format!("{name}: I/O error"))?,
        Some(Dialect::Ash) => {
            let what = format!("writes what cannot be written: {errno}");
            return Err(process.refuse(Reason::Use(what)));
        }
    }
    Ok(1)
}

/// Dash knows `-n` alone, and that once; the others know any mixture of three letters.
fn is_option(dialect: Option<Dialect>, word: &[u8]) -> bool {
    match dialect {
        Some(Dialect::Dash) => word == b"-n",
        _ => {
            let letters = word.strip_prefix(b"-").unwrap_or_default();
            !letters.is_empty() && letters.iter().all(|letter| b"neE".contains(letter))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn echo_of_dash() {
        check(
            &Image::new(),
            Some(Dialect::Dash),
            &[
                (&["echo", "-n", "a\\tb"], "", "a\tb"),
                (&["echo", "-e", "a\\tb\\0101\\101\\x41"], "", "-e a\tbAA\\x41\n"),
                (&["echo", "-n", "-n", "a"], "", "-n a"),
                (&["echo", "-nE", "a\\n"], "", "-nE a\n\n"),
                (&["echo", "a\\cb", "c"], "", "a"),
                (&["echo", "--", "-"], "", "-- -\n"),
                (&["echo", "\\q\\e\\\\"], "", "\\q\u{1b}\\\n"),
                (&["echo", "-ne", "\\u0041|\\x|\\"], "", "-ne \\u0041|\\x|\\\n"),
                (&["echo", "-nx", "a"], "", "-nx a\n"),
                (&["echo"], "", "\n"),
            ],
        );
    }

    #[test]
    fn echo_of_bash() {
        check(
            &Image::new(),
            Some(Dialect::Bash),
            &[
                (&["echo", "-n", "a\\tb"], "", "a\\tb"),
                (&["echo", "-e", "a\\tb\\0101\\101\\x41"], "", "a\tbA\\101A\n"),
                (&["echo", "-n", "-n", "a"], "", "a"),
                (&["echo", "-nE", "a\\n"], "", "a\\n"),
                (&["echo", "a\\cb", "c"], "", "a\\cb c\n"),
                (&["echo", "--", "-"], "", "-- -\n"),
                (&["echo", "\\q\\e\\\\"], "", "\\q\\e\\\\\n"),
                (&["echo", "-ne", "\\u0041|\\x|\\"], "", "A|\\x|\\"),
                (&["echo", "-nx", "a"], "", "-nx a\n"),
                (&["echo"], "", "\n"),
            ],
        );
    }

    #[test]
    fn echo_of_ash() {
        check(
            &Image::new(),
            Some(Dialect::Ash),
            &[
                (&["echo", "-n", "a\\tb"], "", "a\\tb"),
                (&["echo", "-e", "a\\tb\\0101\\101\\x41"], "", "a\tbAAA\n"),
                (&["echo", "-n", "-n", "a"], "", "a"),
                (&["echo", "-nE", "a\\n"], "", "a\\n"),
                (&["echo", "a\\cb", "c"], "", "a\\cb c\n"),
                (&["echo", "--", "-"], "", "-- -\n"),
                (&["echo", "\\q\\e\\\\"], "", "\\q\\e\\\\\n"),
                (&["echo", "-ne", "\\u0041|\\x|\\"], "", "\\u0041|\\x|\\"),
                (&["echo", "-nx", "a"], "", "-nx a\n"),
                (&["echo"], "", "\n"),
            ],
        );
    }

    #[test]
    fn echo_of_gnu() {
        check(
            &Image::new(),
            None,
            &[
                (&["echo", "-n", "a\\tb"], "", "a\\tb"),
                (&["echo", "-e", "a\\tb\\0101\\101\\x41"], "", "a\tbAAA\n"),
                (&["echo", "-n", "-n", "a"], "", "a"),
                (&["echo", "-nE", "a\\n"], "", "a\\n"),
                (&["echo", "a\\cb", "c"], "", "a\\cb c\n"),
                (&["echo", "--", "-"], "", "-- -\n"),
                (&["echo", "\\q\\e\\\\"], "", "\\q\\e\\\\\n"),
                (&["echo", "-ne", "\\u0041|\\x|\\"], "", "\\u0041|\\x|\\"),
                (&["echo", "-nx", "a"], "", "-nx a\n"),
                (&["echo"], "", "\n"),
            ],
        );
    }
}
