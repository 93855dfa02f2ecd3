//! How apt names the files of `/var/lib/apt/lists`.

/// The name of the file for a URL: without scheme and login, with a `_` for each slash.
pub(super) fn file_name(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let mut name = String::new();
    for byte in host.bytes().chain(path.bytes()) {
        match byte {
            b'/' => name.push('_'),
            b'\\'
            | b'|'
            | b'{'
            | b'}'
            | b'['
            | b']'
            | b'<'
            | b'>'
            | b'"'
            | b'^'
            | b'~'
            | b'_'
            | b'='
            | b'!'
            | b'@'
            | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'*'
            | ..=b' '
            | 0x7f.. => {
                name.push_str(&format!("%{byte:02x}"));
            }
            byte => name.push(char::from(byte)),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_apt_makes_them() {
        for (url, expected) in [
            (
                "http://deb.example.org/debian/dists/bookworm/InRelease",
                "deb.example.org_debian_dists_bookworm_InRelease",
            ),
            ("http://u:SECRET@h:80/a_b/c~d/./Packages", "h:80_a%5fb_c%7ed_._Packages"),
            ("https://h/a%20b/ä/", "h_a%2520b_%c3%a4_"),
        ] {
            assert_eq!(file_name(url), expected);
        }
    }
}
