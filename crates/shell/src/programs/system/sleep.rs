//! `sleep` (GNU manual, "Delaying"). No time passes.

use bstr::{BStr, ByteSlice};

use super::quoting::quoted;
use crate::options::{Options, Order};
use crate::process::{Process, Run};

pub(super) fn sleep(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, &[], Order::Anywhere)?;
    let mut is_wrong = options.operands.is_empty();
    if is_wrong {
        process.complain("missing operand")?;
    }
    for interval in &options.operands {
        if !is_interval(interval.as_bstr()) {
            let message = format!("invalid time interval {}", quoted(process, interval.as_bstr()));
            process.complain(message)?;
            is_wrong = true;
        }
    }
    if is_wrong {
        let hint = format!("Try '{} --help' for more information.\n", process.name());
        process.write_to(2, hint.as_bytes())?;
    }
    Ok(u8::from(is_wrong))
}

/// Whether this is a number, perhaps with one of the letters for seconds, minutes, hours and days.
pub(super) fn is_interval(text: &BStr) -> bool {
    let Ok(text) = text.to_str() else { return false };
    let number = text.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or(text);
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_plain && number.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    #[test]
    fn intervals_are_checked() {
        let image = Image::new();
        assert_eq!(image.show(&["sleep", "1", "0.5m", ".1"]), "");
        let hint = "!Try 'sleep --help' for more information.\nstatus 1";
        assert_eq!(
            image.show(&["sleep", "x"]),
            format!("!sleep: invalid time interval 'x'\n{hint}")
        );
        assert_eq!(image.show(&["sleep"]), format!("!sleep: missing operand\n{hint}"));
    }
}
