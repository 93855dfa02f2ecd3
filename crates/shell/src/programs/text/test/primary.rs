//! What one operator says.

use bstr::{BStr, ByteSlice};

use super::{Answer, Wrong};
use crate::evaluate::dialect::Dialect;
use crate::files::{EXECUTE, Kind, Last, READ, Stat, WRITE};
use crate::process::{Process, errno};
use crate::programs::quoting::cited;
use crate::stop::{Reason, Stop};

/// Whether this is an operator in front of one operand.
pub(super) fn is_unary(dialect: Option<Dialect>, word: &[u8]) -> bool {
    let more: &[u8] = match dialect {
        Some(Dialect::Dash | Dialect::Ash) => b"",
        Some(Dialect::Bash) => b"aNovR",
        None => b"N",
    };
    match word {
        [b'-', letter] => b"bcdefgGhkLnOprsStuwxz".contains(letter) || more.contains(letter),
        _ => false,
    }
}

/// Whether this is an operator between two operands.
pub(super) fn is_binary(dialect: Option<Dialect>, word: &[u8]) -> bool {
    match word {
        b"==" => dialect != Some(Dialect::Dash),
        b"<" | b">" => dialect.is_some(),
        _ => ["=", "!=", "-eq", "-ne", "-gt", "-ge", "-lt", "-le", "-nt", "-ot", "-ef"]
            .iter()
            .any(|known| known.as_bytes() == word),
    }
}

/// `-X operand`.
pub(super) fn unary(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    operator: &[u8],
    operand: &[u8],
) -> Answer {
    let letter = operator.get(1).copied().unwrap_or_default();
    match letter {
        b'n' => return Ok(!operand.is_empty()),
        b'z' => return Ok(operand.is_empty()),
        b't' => {
            // There is no terminal; but for bash, the operand has to be a number.
            if dialect != Some(Dialect::Bash) {
                integer(dialect, operand)?;
            }
            return Ok(false);
        }
        b'N' | b'o' | b'v' | b'R' => {
            let operator = operator.as_bstr().to_string();
            return Err(process.refuse(Reason::Option(operator)).into());
        }
        _ => {}
    }
    let last = if matches!(letter, b'h' | b'L') { Last::Kept } else { Last::Followed };
    let Some(stat) = stat(process, operand, last)? else { return Ok(false) };
    Ok(match letter {
        b'b' => matches!(stat.kind, Kind::BlockDevice { .. }),
        b'c' => matches!(stat.kind, Kind::CharDevice { .. }),
        b'd' => stat.is_directory(),
        b'f' => matches!(stat.kind, Kind::File(_)),
        b'g' => stat.attributes.mode & 0o2000 != 0,
        b'G' => stat.attributes.gid == process.machine.files.user().gid,
        b'h' | b'L' => matches!(stat.kind, Kind::Symlink(_)),
        b'k' => stat.attributes.mode & 0o1000 != 0,
        b'O' => stat.attributes.uid == process.machine.files.user().uid,
        b'p' => matches!(stat.kind, Kind::Fifo),
        b'r' => process.machine.files.may(&stat, READ),
        b's' => has_size(process, &stat)?,
        b'S' => false,
        b'u' => stat.attributes.mode & 0o4000 != 0,
        b'w' => process.machine.files.may(&stat, WRITE),
        b'x' => process.machine.files.may(&stat, EXECUTE),
        // -a and -e: it is there.
        _ => true,
    })
}

/// `left operator right`.
pub(super) fn binary(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    left: &[u8],
    operator: &[u8],
    right: &[u8],
) -> Answer {
    let numbers = || Ok::<_, Wrong>((integer(dialect, left)?, integer(dialect, right)?));
    Ok(match operator {
        b"=" | b"==" => left == right,
        b"!=" => left != right,
        b"<" | b">" => {
            crate::programs::text::locale::refuse_collation(process)?;
            if operator == b"<" { left < right } else { left > right }
        }
        b"-nt" => is_newer(process, dialect, left, right)?,
        b"-ot" => is_newer(process, dialect, right, left)?,
        b"-ef" => {
            let left = stat(process, left, Last::Followed)?;
            let right = stat(process, right, Last::Followed)?;
            matches!((left, right), (Some(left), Some(right)) if left.identity == right.identity)
        }
        _ => {
            let (left, right) = numbers()?;
            let order = left.cmp(&right);
            match operator {
                b"-eq" => order.is_eq(),
                b"-ne" => order.is_ne(),
                b"-gt" => order.is_gt(),
                b"-ge" => order.is_ge(),
                b"-lt" => order.is_lt(),
                _ => order.is_le(),
            }
        }
    })
}

/// Whether the first file changed after the second; bash and GNU's program take a file that is not
/// there for older than any.
fn is_newer(
    process: &Process<'_, '_>,
    dialect: Option<Dialect>,
    left: &[u8],
    right: &[u8],
) -> Result<bool, Stop> {
    let newer = stat(process, left, Last::Followed)?;
    let older = stat(process, right, Last::Followed)?;
    match (newer, older) {
        (Some(newer), Some(older)) => {
            let clock = process.machine.files.clock();
            let are_new = [&newer, &older].iter().all(|stat| stat.attributes.mtime == clock);
            if are_new && newer.identity != older.identity {
                let what = "compares the times of two files that are new".to_owned();
                return Err(process.refuse(Reason::Machine(what)));
            }
            Ok(newer.attributes.mtime > older.attributes.mtime)
        }
        (Some(_), None) => Ok(!matches!(dialect, Some(Dialect::Dash | Dialect::Ash))),
        (None, _) => Ok(false),
    }
}

fn stat(process: &Process<'_, '_>, path: &[u8], last: Last) -> Result<Option<Stat>, Stop> {
    Ok(errno(process.find(path, last))?.ok().map(|(_, stat)| stat))
}

/// The size of a directory is the machine's.
fn has_size(process: &Process<'_, '_>, stat: &Stat) -> Result<bool, Stop> {
    if stat.is_directory() {
        let what = "asks for the size of a directory".to_owned();
        return Err(process.refuse(Reason::Machine(what)));
    }
    Ok(stat.size() > 0)
}

/// A decimal number with blanks around it.
fn integer(dialect: Option<Dialect>, word: &[u8]) -> Result<i128, Wrong> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 11;
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let starts_by: &dyn Fn(&u8) -> bool = if dialect.is_none() { &is_blank } else { &is_space };
    let is_shell = matches!(dialect, Some(Dialect::Dash | Dialect::Ash));
    let ends_by: &dyn Fn(&u8) -> bool = if is_shell { &is_space } else { &is_blank };
    let start = word.iter().take_while(|byte| starts_by(byte)).count();
    let end = word.len() - word.iter().rev().take_while(|byte| ends_by(byte)).count();
    let number = word.get(start..end).unwrap_or_default();
    let digits = number.strip_prefix(b"-").or(number.strip_prefix(b"+")).unwrap_or(number);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let value = number.to_str().ok().filter(|_| is_number).and_then(|text| text.parse().ok());
    // GNU's program takes any number; shells take what their machine's integers hold.
    let fits = |value: &i128| dialect.is_none() || i64::try_from(*value).is_ok();
    value.filter(fits).ok_or_else(|| no_integer(dialect, word.as_bstr()))
}

fn no_integer(dialect: Option<Dialect>, word: &BStr) -> Wrong {
    match dialect {
        Some(Dialect::Dash) => Wrong::syntax("Illegal number: ", word, ""),
        Some(Dialect::Bash) => Wrong::syntax("", word, ": integer expression expected"),
        Some(Dialect::Ash) if word.is_empty() => Wrong::syntax("bad number", b"", ""),
        Some(Dialect::Ash) => Wrong::syntax("", word, ": bad number"),
        None => Wrong::syntax("invalid integer ", cited(word).as_bytes(), ""),
    }
}
