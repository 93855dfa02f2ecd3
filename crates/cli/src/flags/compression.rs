//! `--compression`: how new layers are compressed.

use layer::{GzipLevel, Packing, ZstdLevel};

use super::UsageError;

/// Reads `gzip[:LEVEL]`, `zstd[:LEVEL]`, `none` or BuildKit's `uncompressed`.
pub(super) fn compression(argument: &'static str, text: &str) -> Result<Packing, UsageError> {
    let form = |wanted| UsageError::form(argument, text, wanted);
    let (name, level) = match text.split_once(':') {
        Some((name, level)) => (name, Some(level)),
        None => (text, None),
    };
    match (name, level) {
        ("gzip", None) => Ok(Packing::Gzip(GzipLevel::default())),
        ("gzip", Some(level)) => {
            let level = level.parse().ok().and_then(GzipLevel::new);
            level.map(Packing::Gzip).ok_or_else(|| form("gzip's level is 1 to 12"))
        }
        ("zstd", None) => Ok(Packing::Zstd(ZstdLevel::default())),
        ("zstd", Some(level)) => {
            let level = level.parse().ok().and_then(ZstdLevel::new);
            level.map(Packing::Zstd).ok_or_else(|| form("zstd's level is 1 to 19"))
        }
        ("none" | "uncompressed", None) => Ok(Packing::None),
        ("none" | "uncompressed", Some(_)) => Err(form("without compression there is no level")),
        _ => Err(UsageError::unknown(argument, name, &["gzip", "zstd", "none"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressions() {
        let check = |text: &str, expected: Option<Packing>| {
            assert_eq!(compression("--compression", text).ok(), expected);
        };
        check("gzip", Some(Packing::Gzip(GzipLevel::default())));
        check("gzip:9", GzipLevel::new(9).map(Packing::Gzip));
        check("zstd:19", ZstdLevel::new(19).map(Packing::Zstd));
        check("none", Some(Packing::None));
        check("uncompressed", Some(Packing::None));
        let refuse = |text: &str, hint: &str| {
            let error = compression("--compression", text).unwrap_err();
            assert_eq!(error.hint().as_deref(), Some(hint), "{error}");
        };
        refuse("gzip:13", "gzip's level is 1 to 12");
        refuse("zstd:20", "zstd's level is 1 to 19");
        refuse("none:1", "without compression there is no level");
        refuse("zst", "did you mean `zstd`?");
    }
}
