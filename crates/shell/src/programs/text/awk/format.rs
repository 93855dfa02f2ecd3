//! `printf` (POSIX XBD chapter 5; numbers as C's `double` and `int` have them).

use bstr::{BString, ByteSlice};

use super::value::{Unknown, Value};

/// Bytes that one conversion may make.
const WIDEST: usize = 1 << 16;

/// One conversion.
#[derive(Debug, Clone, Copy, Default)]
struct Conversion {
    is_left: bool,
    has_sign: bool,
    has_blank: bool,
    is_alternate: bool,
    has_zeros: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats values.
pub(super) fn format(format: &[u8], values: &[Value]) -> Result<BString, Unknown> {
    let mut values = values.iter();
    let mut result = Vec::new();
    let mut rest = format;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            result.push(*first);
            continue;
        }
        if let Some(behind) = rest.strip_prefix(b"%") {
            result.push(b'%');
            rest = behind;
            continue;
        }
        let mut next = || values.next().ok_or("has fewer values than its format");
        let (conversion, behind) = conversion(rest, &mut next)?;
        let (kind, behind) = behind.split_first().ok_or("has a format without an end")?;
        rest = behind;
        conversion.write(&mut result, *kind, next()?)?;
    }
    Ok(result.into())
}

fn conversion<'f, 'v>(
    text: &'f [u8],
    next: &mut impl FnMut() -> Result<&'v Value, Unknown>,
) -> Result<(Conversion, &'f [u8]), Unknown> {
    let mut conversion = Conversion::default();
    let mut rest = text;
    loop {
        match rest.first() {
            Some(b'-') => conversion.is_left = true,
            Some(b'+') => conversion.has_sign = true,
            Some(b' ') => conversion.has_blank = true,
            Some(b'#') => conversion.is_alternate = true,
            Some(b'0') => conversion.has_zeros = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    let width;
    (width, rest) = size(rest, next)?;
    if let Some(width) = width {
        conversion.is_left |= width < 0;
        conversion.width = usize::try_from(width.unsigned_abs()).unwrap_or(WIDEST + 1);
    }
    if let Some(behind) = rest.strip_prefix(b".") {
        let precision;
        (precision, rest) = size(behind, next)?;
        let precision = precision.unwrap_or(0);
        conversion.precision = usize::try_from(precision).ok();
    }
    if conversion.width > WIDEST || conversion.precision.is_some_and(|wide| wide > WIDEST) {
        return Err("has a format that is too wide");
    }
    Ok((conversion, rest))
}

fn size<'f, 'v>(
    text: &'f [u8],
    next: &mut impl FnMut() -> Result<&'v Value, Unknown>,
) -> Result<(Option<i64>, &'f [u8]), Unknown> {
    if let Some(rest) = text.strip_prefix(b"*") {
        let number = next()?.number()?.trunc();
        if number.abs() > WIDEST as f64 {
            return Err("has a format that is too wide");
        }
        return Ok((Some(number as i64), rest));
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = text[..digits].to_str().ok().and_then(|digits| digits.parse().ok());
    match digits {
        0 => Ok((None, text)),
        _ => Ok((Some(number.unwrap_or(i64::MAX)), &text[digits..])),
    }
}

impl Conversion {
    fn write(self, to: &mut Vec<u8>, kind: u8, value: &Value) -> Result<(), Unknown> {
        match kind {
            b'd' | b'i' => {
                // mawk's integers are C's `int`; what does not fit is cut to it.
                let number = finite(value)?.trunc();
                if number < -2_147_483_647.0 {
                    return Err("prints an integer that does not fit");
                }
                let number = number.min(2_147_483_647.0);
                let digits = self.with_precision(format!("{}", number.abs()));
                self.pad_number(to, number < 0.0, digits.into_bytes(), self.precision.is_none());
            }
            b'o' | b'x' | b'X' | b'u' => {
                let number = finite(value)?.trunc().clamp(0.0, 4_294_967_295.0) as u64;
                if self.is_alternate {
                    return Err("has an alternate form of an integer");
                }
                let digits = match kind {
                    b'o' => format!("{number:o}"),
                    b'x' => format!("{number:x}"),
                    b'X' => format!("{number:X}"),
                    _ => format!("{number}"),
                };
                let unsigned = Conversion { has_sign: false, has_blank: false, ..self };
                let digits = self.with_precision(digits);
                unsigned.pad_number(to, false, digits.into_bytes(), self.precision.is_none());
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                let number = value.number()?;
                if number.is_nan() || (self.is_alternate && !matches!(kind, b'f')) {
                    return Err("prints a number in a form that is not understood");
                }
                let mut digits = match number.is_infinite() {
                    true => "inf".to_owned(),
                    false => self.real(kind.to_ascii_lowercase(), number.abs()),
                };
                if kind.is_ascii_uppercase() {
                    digits.make_ascii_uppercase();
                }
                let is_negative = number.is_sign_negative();
                self.pad_number(to, is_negative, digits.into_bytes(), number.is_finite());
            }
            b'c' => {
                let character = match value {
                    Value::Number(number) => vec![(number.trunc() as i64).to_le_bytes()[0]],
                    Value::Unset => return Err("prints a character of nothing"),
                    Value::Text(text) | Value::Numeric(text, _) => {
                        vec![text.first().copied().unwrap_or(0)]
                    }
                };
                self.pad(to, &character);
            }
            b's' => {
                let text = value.string(b"%.6g")?;
                let length = self.precision.unwrap_or(usize::MAX).min(text.len());
                self.pad(to, &text[..length]);
            }
            _ => return Err("has a conversion that is not understood"),
        }
        Ok(())
    }

    fn with_precision(self, digits: String) -> String {
        let least = self.precision.unwrap_or(1);
        if least == 0 && digits == "0" {
            return String::new();
        }
        format!("{}{digits}", "0".repeat(least.saturating_sub(digits.len())))
    }

    fn real(self, kind: u8, number: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        match kind {
            b'f' => {
                let point = if self.is_alternate && precision == 0 { "." } else { "" };
                format!("{number:.precision$}{point}")
            }
            b'e' => scientific(number, precision),
            _ => {
                let significant = precision.max(1);
                let shown = scientific(number, significant - 1);
                let exponent: i32 = shown
                    .rsplit_once('e')
                    .and_then(|(_, exponent)| exponent.parse().ok())
                    .unwrap_or(0);
                let limit = i32::try_from(significant).unwrap_or(i32::MAX);
                if exponent < -4 || exponent >= limit {
                    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "+00"));
                    return format!("{}e{exponent}", without_zeros(mantissa));
                }
                let places = usize::try_from(limit - 1 - exponent).unwrap_or(0);
                without_zeros(&format!("{number:.places$}")).to_owned()
            }
        }
    }

    fn pad_number(self, to: &mut Vec<u8>, is_negative: bool, digits: Vec<u8>, may_fill: bool) {
        let sign: &[u8] = match (is_negative, self.has_sign, self.has_blank) {
            (true, _, _) => b"-",
            (false, true, _) => b"+",
            (false, false, true) => b" ",
            (false, false, false) => b"",
        };
        let length = sign.len() + digits.len();
        if self.has_zeros && !self.is_left && may_fill {
            to.extend_from_slice(sign);
            to.resize(to.len() + self.width.saturating_sub(length), b'0');
            to.extend_from_slice(&digits);
        } else {
            self.pad(to, &[sign, &digits].concat());
        }
    }

    fn pad(self, to: &mut Vec<u8>, text: &[u8]) {
        let missing = self.width.saturating_sub(text.len());
        if !self.is_left {
            to.resize(to.len() + missing, b' ');
        }
        to.extend_from_slice(text);
        if self.is_left {
            to.resize(to.len() + missing, b' ');
        }
    }
}

fn finite(value: &Value) -> Result<f64, Unknown> {
    let number = value.number()?;
    if number.is_nan() { Err("prints an integer that is none") } else { Ok(number) }
}

/// `d.ddde±dd`.
fn scientific(number: f64, precision: usize) -> String {
    let shown = format!("{number:.precision$e}");
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn without_zeros(number: &str) -> &str {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}
