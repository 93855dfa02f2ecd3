//! `WHEEL` and `METADATA`: headers as in mail (PEP 427, "The .dist-info directory"; core metadata).

/// The value of the first header of that name, as Python's `email.message.Message.get` gives it:
/// without the blanks before it, but with those behind.
pub(super) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    // Headers end with the first line that is empty, or no header and no continuation of one.
    let headers = text.lines().take_while(|line| {
        line.starts_with([' ', '\t']) || line.split_once(':').is_some_and(|(name, _)| is_name(name))
    });
    headers.filter_map(|line| line.split_once(':')).find_map(|(found, value)| {
        found.eq_ignore_ascii_case(name).then(|| value.trim_start_matches([' ', '\t']))
    })
}

/// RFC 5322, 2.2: printable US-ASCII characters, without the colon.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let text = "Name: a\r\nVERSION:1 \nSummary: x\n Name: b\nName: c\n\nLicense: d\n";
        assert_eq!(header(text, "name"), Some("a"));
        assert_eq!(header(text, "Version"), Some("1 "));
        assert_eq!(header(text, "License"), None);
        assert_eq!(header("no header\nName: a\n", "Name"), None);
    }
}
