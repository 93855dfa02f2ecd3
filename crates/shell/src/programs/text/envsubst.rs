//! `envsubst`: variables in a text (GNU gettext's manual, "envsubst Invocation").

use bstr::BString;

use crate::options::{Options, Order};
use crate::process::{Process, Run};
use crate::stop::Reason;

/// Replaces `$NAME` and `${NAME}`; those that are named by an operand, or all.
pub(super) fn envsubst(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, &[], Order::Anywhere)?;
    let wanted: Option<Vec<&[u8]>> = match &options.operands[..] {
        [] => None,
        [format] => Some(pieces(format).into_iter().filter_map(|piece| piece.name).collect()),
        _ => return Err(process.refuse(Reason::Use("has several operands".to_owned()))),
    };
    let data = process.read_input()?;
    let text = process.bytes(&data)?;
    let mut output = Vec::new();
    for Piece { text, name } in pieces(&text) {
        match name {
            Some(name) if wanted.as_ref().is_none_or(|wanted| wanted.contains(&name)) => {
                if let Some(value) = process.environment.get(&BString::from(name)) {
                    process.machine.budget.hold(value.len())?;
                    output.extend_from_slice(value);
                }
            }
            _ => output.extend_from_slice(text),
        }
    }
    process.write(output)?;
    Ok(0)
}

/// A part of a text: a variable, or what stands for itself.
struct Piece<'t> {
    text: &'t [u8],
    name: Option<&'t [u8]>,
}

fn pieces(text: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (length, name) =
            variable(rest).map_or((1, None), |(length, name)| (length, Some(name)));
        let plain = match name {
            Some(_) => length,
            None => 1 + rest[1..].iter().take_while(|byte| **byte != b'$').count(),
        };
        pieces.push(Piece { text: &rest[..plain], name });
        rest = &rest[plain..];
    }
    pieces
}

/// A variable at the beginning of a text: how long it is, and its name.
fn variable(text: &[u8]) -> Option<(usize, &[u8])> {
    let rest = text.strip_prefix(b"$")?;
    let (rest, is_braced) = match rest.strip_prefix(b"{") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    rest.first().filter(|first| is_letter(first))?;
    let length = rest.iter().take_while(|byte| is_letter(byte) || byte.is_ascii_digit()).count();
    match (is_braced, rest.get(length)) {
        (true, Some(b'}')) => Some((length + 3, &rest[..length])),
        (true, _) => None,
        (false, _) => Some((length + 1, &rest[..length])),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::run;

    #[test]
    fn variables_are_replaced_as_gettext_does() {
        let image = Image::new();
        let given = "$HOME ${HOME} $NO. ${HOME $$HOME $1 ${HOME:-x} a$";
        for (words, expected) in [
            (&["envsubst"][..], "/root /root . ${HOME $/root $1 ${HOME:-x} a$"),
            (&["envsubst", "$NO"], "$HOME ${HOME} . ${HOME $$HOME $1 ${HOME:-x} a$"),
            (
                &["envsubst", "-v", "$NO"],
                "refused: `envsubst` has the option `-v`, which is not built in",
            ),
        ] {
            assert_eq!(run(&image, None, words, given), expected, "{words:?}");
        }
    }
}
