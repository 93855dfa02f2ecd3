//! Numbers as C's `printf` writes them (POSIX XBD 5, "File Format Notation").

/// What stands between the `%` and the letter of a conversion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Specification {
    /// The flags, as they are written: `-`, `+`, a space, `#`, `0`, `'`.
    pub(super) flags: Vec<u8>,
    /// The least width.
    pub(super) width: usize,
    /// The precision.
    pub(super) precision: Option<usize>,
}

impl Specification {
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags.contains(&flag)
    }

    /// Writes text, cut to the precision.
    pub(super) fn text(&self, text: &[u8], output: &mut Vec<u8>) {
        let length = text.len().min(self.precision.unwrap_or(usize::MAX));
        self.without_zeros().padded(b"", &text[..length], output);
    }

    /// Without the flag 0.
    fn without_zeros(&self) -> Self {
        let flags = self.flags.iter().copied().filter(|flag| *flag != b'0').collect();
        Specification { flags, ..self.clone() }
    }

    /// `d` and `i`.
    pub(super) fn signed(&self, value: i64, output: &mut Vec<u8>) {
        let digits = value.unsigned_abs().to_string();
        let sign = self.sign(value < 0);
        self.integer(sign, digits, output);
    }

    /// `u`, `o`, `x` and `X`.
    pub(super) fn unsigned(&self, letter: u8, value: u64, output: &mut Vec<u8>) {
        let (prefix, digits) = match letter {
            b'o' => ("", format!("{value:o}")),
            b'x' => ("0x", format!("{value:x}")),
            b'X' => ("0X", format!("{value:X}")),
            _ => ("", value.to_string()),
        };
        if !self.has(b'#') {
            return self.integer("", digits, output);
        }
        if letter == b'o' {
            let least = digits.len() + usize::from(value != 0);
            let precision = Some(self.precision.unwrap_or(1).max(least));
            let longer = Specification { precision, ..self.clone() };
            let zeros = self.precision.is_none() && self.has(b'0');
            let own = if zeros { self.clone() } else { longer };
            let digits = if zeros && value != 0 { format!("0{digits}") } else { digits };
            return own.integer("", digits, output);
        }
        self.integer(if value == 0 { "" } else { prefix }, digits, output);
    }

    /// The sign that a number shows.
    fn sign(&self, is_negative: bool) -> &'static str {
        match is_negative {
            true => "-",
            false if self.has(b'+') => "+",
            false if self.has(b' ') => " ",
            false => "",
        }
    }

    fn integer(&self, prefix: &str, digits: String, output: &mut Vec<u8>) {
        let digits = match self.precision {
            Some(0) if digits == "0" => String::new(),
            Some(precision) => format!("{digits:0>precision$}"),
            None => digits,
        };
        // With a precision, the flag 0 has no meaning.
        let own = if self.precision.is_some() { self.without_zeros() } else { self.clone() };
        own.padded(prefix.as_bytes(), digits.as_bytes(), output);
    }

    /// Fills up with spaces, or with zeros behind the prefix.
    fn padded(&self, prefix: &[u8], text: &[u8], output: &mut Vec<u8>) {
        let lacking = self.width.saturating_sub(prefix.len() + text.len());
        let (before, zeros, after) = match (self.has(b'-'), self.has(b'0')) {
            (true, _) => (0, 0, lacking),
            (false, true) => (0, lacking, 0),
            (false, false) => (lacking, 0, 0),
        };
        output.extend(std::iter::repeat_n(b' ', before));
        output.extend_from_slice(prefix);
        output.extend(std::iter::repeat_n(b'0', zeros));
        output.extend_from_slice(text);
        output.extend(std::iter::repeat_n(b' ', after));
    }

    /// `f`, `e`, `g` and their capitals.
    ///
    /// # Errors
    /// What depends on how exactly the machine holds the number.
    pub(super) fn float(
        &self,
        letter: u8,
        value: &Decimal,
        output: &mut Vec<u8>,
    ) -> Result<(), Inexact> {
        let precision = self.precision.unwrap_or(6);
        let text = match letter.to_ascii_lowercase() {
            b'f' => value.fixed(precision, self.has(b'#'))?,
            b'e' => value.scientific(precision, self.has(b'#'))?,
            _ => self.general(value, precision.max(1))?,
        };
        let text = if letter.is_ascii_uppercase() { text.to_uppercase() } else { text };
        self.padded(self.sign(value.is_negative).as_bytes(), text.as_bytes(), output);
        Ok(())
    }

    /// The shorter of the two forms, without zeros at its end.
    fn general(&self, value: &Decimal, precision: usize) -> Result<String, Inexact> {
        let keeps = self.has(b'#');
        let exponent = value.rounded(precision)?.exponent;
        if exponent < -4 || exponent >= precision as i32 {
            let text = value.scientific(precision - 1, keeps)?;
            let Some((digits, power)) = text.split_once('e') else { return Ok(text) };
            let digits = if keeps { digits } else { without_zeros(digits) };
            return Ok(format!("{digits}e{power}"));
        }
        let text = value.fixed((precision as i32 - 1 - exponent) as usize, keeps)?;
        Ok(if keeps { text } else { without_zeros(&text).to_owned() })
    }
}

fn without_zeros(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

/// A number in decimal digits: `0.d₁d₂d₃… × 10^(exponent + 1)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) is_negative: bool,
    /// From the first that is not 0; none for zero.
    digits: Vec<u8>,
    /// The power of ten that the first digit has.
    exponent: i32,
    /// Whether a machine that counts in binary holds exactly this number.
    is_exact: bool,
}

/// The digits that are asked for depend on the machine's arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inexact;

/// How a machine holds numbers with a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// IEEE 754's binary64.
    Double,
    /// Whatever C's `long double` is: more than that.
    LongDouble,
}

/// Digits that every `long double` keeps (IEEE 754's 64 bits of precision, in decimal).
const KEPT_DIGITS: usize = 18;

impl Decimal {
    /// Reads digits with a point and an exponent; `None` for anything else.
    pub(super) fn parse(text: &str, width: Width) -> Option<Self> {
        let written = Decimal::written(text)?;
        let double = Decimal::of_double(text.parse().ok()?)?;
        Some(match width {
            Width::Double => double,
            Width::LongDouble => {
                let is_exact = written.digits == double.digits
                    && (written.digits.is_empty() || written.exponent == double.exponent);
                Decimal { is_exact, ..written }
            }
        })
    }

    /// The digits as they are written.
    fn written(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole.as_bytes(), fraction.as_bytes()].concat();
        let is_number = !all.is_empty() && all.iter().all(u8::is_ascii_digit);
        if !is_number || all.len() > 400 || power.abs() > 300 {
            return None;
        }
        let zeros = all.iter().take_while(|digit| **digit == b'0').count();
        let exponent = whole.len() as i32 - 1 - zeros as i32 + power;
        Some(Decimal::trimmed(is_negative, all[zeros..].to_vec(), exponent))
    }

    /// All digits of a double, of which there are at most 767.
    fn of_double(value: f64) -> Option<Self> {
        let text = format!("{:.770e}", value.abs());
        let (mantissa, power) = text.split_once('e')?;
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let exponent = power.parse::<i32>().ok()? - zeros as i32;
        let is_negative = value.is_sign_negative();
        Some(Decimal::trimmed(is_negative, digits[zeros..].to_vec(), exponent))
    }

    fn trimmed(is_negative: bool, mut digits: Vec<u8>, exponent: i32) -> Self {
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Decimal { is_negative, digits, exponent, is_exact: true }
    }

    /// A whole number.
    pub(super) fn whole(is_negative: bool, value: u64) -> Self {
        let digits = value.to_string();
        let digits = if value == 0 { Vec::new() } else { digits.into_bytes() };
        let exponent = digits.len() as i32 - 1;
        Decimal::trimmed(is_negative, digits, exponent)
    }

    /// With so many digits, the nearest; of two, the one with an even digit (IEEE 754, 4.3.1).
    fn rounded(&self, keep: usize) -> Result<Self, Inexact> {
        if self.digits.len() <= keep {
            return match self.is_exact || keep <= KEPT_DIGITS {
                true => Ok(self.clone()),
                false => Err(Inexact),
            };
        }
        if !self.is_exact && (keep > KEPT_DIGITS || self.digits.len() > KEPT_DIGITS) {
            return Err(Inexact);
        }
        let (kept, rest) = self.digits.split_at(keep);
        let is_tie = rest == b"5";
        if is_tie && !self.is_exact {
            return Err(Inexact);
        }
        let is_odd = kept.last().is_some_and(|digit| digit % 2 == 1);
        let mut kept = kept.to_vec();
        let mut exponent = self.exponent;
        if rest[0] >= b'5' && (!is_tie || is_odd) && !raise(&mut kept) {
            kept.insert(0, b'1');
            exponent += 1;
        }
        let rounded = Decimal::trimmed(self.is_negative, kept, exponent);
        Ok(Decimal { exponent, ..rounded })
    }

    /// With so many digits behind the point.
    fn fixed(&self, places: usize, keeps_point: bool) -> Result<String, Inexact> {
        let keep = self.exponent + 1 + places as i32;
        let rounded = match usize::try_from(keep) {
            Ok(keep) => self.rounded(keep)?,
            Err(_) => Decimal::whole(self.is_negative, 0),
        };
        let digit = |power: i32| -> char {
            let index = usize::try_from(rounded.exponent - power).ok();
            let digit = index.and_then(|index| rounded.digits.get(index));
            char::from(*digit.unwrap_or(&b'0'))
        };
        let mut text: String = (0..=rounded.exponent.max(0)).rev().map(digit).collect();
        if places > 0 || keeps_point {
            text.push('.');
        }
        text.extend((1..=places as i32).map(|place| digit(-place)));
        Ok(text)
    }

    /// With one digit before the point, so many behind it, and a power of ten.
    fn scientific(&self, places: usize, keeps_point: bool) -> Result<String, Inexact> {
        let rounded = self.rounded(places + 1)?;
        let exponent = if rounded.digits.is_empty() { 0 } else { rounded.exponent };
        let digit = |index: usize| char::from(*rounded.digits.get(index).unwrap_or(&b'0'));
        let mut text = String::from(digit(0));
        if places > 0 || keeps_point {
            text.push('.');
        }
        text.extend((1..=places).map(digit));
        let sign = if exponent < 0 { '-' } else { '+' };
        Ok(format!("{text}e{sign}{:02}", exponent.abs()))
    }
}

/// Adds one to the last digit; `false` if that runs over.
fn raise(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return true;
        }
        *digit = b'0';
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(letter: u8, precision: Option<usize>, text: &str, width: Width) -> String {
        let specification = Specification { precision, ..Specification::default() };
        let mut output = Vec::new();
        let Some(decimal) = Decimal::parse(text, width) else { return "none".to_owned() };
        match specification.float(letter, &decimal, &mut output) {
            Ok(()) => String::from_utf8(output).expect("digits are ASCII"),
            Err(Inexact) => "inexact".to_owned(),
        }
    }

    #[test]
    fn numbers_are_rounded_as_the_machine_holds_them() {
        use Width::{Double, LongDouble};
        for (letter, precision, text, width, expected) in [
            (b'f', Some(2), "0.125", Double, "0.12"),
            (b'f', Some(2), "0.375", LongDouble, "0.38"),
            (b'f', Some(1), "0.35", Double, "0.3"),
            (b'f', Some(1), "0.35", LongDouble, "inexact"),
            (b'f', Some(1), "0.96", LongDouble, "1.0"),
            (b'f', Some(0), "0.5", Double, "0"),
            (b'f', Some(0), "1.5", Double, "2"),
            (b'f', Some(0), "0.05", Double, "0"),
            (b'f', Some(0), "99.9", LongDouble, "100"),
            (b'f', None, "1e3", LongDouble, "1000.000000"),
            (b'f', Some(20), "0.1", Double, "0.10000000000000000555"),
            (b'f', Some(20), "0.1", LongDouble, "inexact"),
            (b'e', None, "0", LongDouble, "0.000000e+00"),
            (b'e', Some(2), "12345", LongDouble, "1.23e+04"),
            (b'g', None, "100000", LongDouble, "100000"),
            (b'g', None, "1000000", LongDouble, "1e+06"),
            (b'g', None, "0.0001", LongDouble, "0.0001"),
            (b'g', None, "0.00001", LongDouble, "1e-05"),
            (b'g', Some(3), "3.14159", LongDouble, "3.14"),
            (b'g', None, "0", LongDouble, "0"),
            (b'G', None, "1e20", LongDouble, "1E+20"),
            (b'f', None, "-0.0", LongDouble, "-0.000000"),
            (b'f', None, "1..2", LongDouble, "none"),
        ] {
            assert_eq!(float(letter, precision, text, width), expected, "{text}");
        }
    }
}
