//! `--compression`: how new layers are compressed.

use super::UsageError;

/// How new layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerCompression {
    /// Not at all.
    None,
    /// gzip, level 1 to 12.
    Gzip {
        /// The level, if one was given.
        level: Option<u8>,
    },
    /// Zstandard, level 1 to 22.
    Zstd {
        /// The level, if one was given.
        level: Option<u8>,
    },
}

/// Reads `gzip[:LEVEL]`, `zstd[:LEVEL]`, `none` or BuildKit's `uncompressed`.
pub(super) fn compression(
    argument: &'static str,
    text: &str,
) -> Result<LayerCompression, UsageError> {
    let form = |wanted| UsageError::form(argument, text, wanted);
    let (name, level) = match text.split_once(':') {
        Some((name, level)) => (name, Some(level)),
        None => (text, None),
    };
    let level = |most: u8, wanted: &'static str| match level {
        None => Ok(None),
        Some(level) => {
            let number = level.parse().ok().filter(|number| (1..=most).contains(number));
            number.map(Some).ok_or_else(|| form(wanted))
        }
    };
    match name {
        "gzip" => Ok(LayerCompression::Gzip { level: level(12, "gzip's level is 1 to 12")? }),
        "zstd" => Ok(LayerCompression::Zstd { level: level(22, "zstd's level is 1 to 22")? }),
        "none" | "uncompressed" if text == name => Ok(LayerCompression::None),
        "none" | "uncompressed" => Err(form("without compression there is no level")),
        _ => Err(UsageError::unknown(argument, name, &["gzip", "zstd", "none"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressions() {
        let check = |text: &str, expected: LayerCompression| {
            assert_eq!(compression("--compression", text), Ok(expected));
        };
        check("gzip", LayerCompression::Gzip { level: None });
        check("gzip:9", LayerCompression::Gzip { level: Some(9) });
        check("zstd:19", LayerCompression::Zstd { level: Some(19) });
        check("none", LayerCompression::None);
        check("uncompressed", LayerCompression::None);
        let refuse = |text: &str, hint: &str| {
            let error = compression("--compression", text).unwrap_err();
            assert_eq!(error.hint().as_deref(), Some(hint), "{error}");
        };
        refuse("gzip:13", "gzip's level is 1 to 12");
        refuse("zstd:0", "zstd's level is 1 to 22");
        refuse("none:1", "without compression there is no level");
        refuse("zst", "did you mean `zstd`?");
    }
}
