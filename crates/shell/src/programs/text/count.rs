//! How many lines or bytes: `-n 5`, `-c 1K`, `-n +3`.

use bstr::ByteSlice;

/// A number with its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) sign: Option<u8>,
    pub(super) number: u64,
}

/// Reads a number with GNU's suffixes (coreutils' manual, "Block size").
pub(super) fn count(text: &[u8]) -> Option<Count> {
    let sign = text.first().copied().filter(|first| matches!(first, b'-' | b'+'));
    let rest = &text[usize::from(sign.is_some())..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, suffix) = rest.split_at(digits);
    let number: u64 = number.to_str().ok()?.parse().ok()?;
    let factor = match suffix {
        b"" => 1,
        b"b" => 512,
        b"kB" | b"KB" => 1000,
        b"k" | b"K" | b"KiB" => 1 << 10,
        b"MB" => 1_000_000,
        b"m" | b"M" | b"MiB" => 1 << 20,
        b"GB" => 1_000_000_000,
        b"G" | b"GiB" => 1 << 30,
        _ => return None,
    };
    Some(Count { sign, number: number.checked_mul(factor)? })
}
