//! Which files of an image are surely read once packages are installed in it.

use oci::ImagePath;

/// Shell scripts of essential packages that maintainer scripts call or read.
pub(crate) const SCRIPTS: [&[u8]; 10] = [
    b"usr/bin/dpkg-maintscript-helper",
    b"usr/bin/which.debianutils",
    b"usr/sbin/add-shell",
    b"usr/sbin/invoke-rc.d",
    b"usr/sbin/ldconfig",
    b"usr/sbin/remove-shell",
    b"usr/sbin/service",
    b"usr/sbin/update-ca-certificates",
    b"usr/sbin/update-shells",
    b"usr/share/debconf/confmodule",
];

/// Directories whose files are read, all of them small.
const DIRECTORIES: [&[u8]; 8] = [
    b"etc/",
    b"usr/share/keyrings/",
    b"usr/share/dpkg/",
    b"var/cache/debconf/",
    b"var/lib/apt/extended_states",
    b"var/lib/dpkg/",
    b"usr/lib/tmpfiles.d/",
    b"usr/lib/sysusers.d/",
];

/// Whether a file's text is asked for by the time packages are installed: dpkg's database, what is
/// configured, keys, and scripts that others call. Whoever reads a layer keeps it, and need not go
/// through the layer again.
pub fn is_asked_for(path: &ImagePath) -> bool {
    let bytes = path.as_bytes();
    // Nothing but `dpkg -V` looks at these.
    let is_sums = bytes.ends_with(b".md5sums");
    !is_sums
        && (DIRECTORIES.iter().any(|directory| bytes.starts_with(directory))
            || SCRIPTS.contains(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_asked_for() {
        let is_asked_for = |path: &str| is_asked_for(&ImagePath::lexical(path));
        assert!(is_asked_for("var/lib/dpkg/status"));
        assert!(is_asked_for("var/lib/dpkg/info/libc6:amd64.list"));
        assert!(is_asked_for("etc/apt/trusted.gpg.d/a.asc"));
        assert!(!is_asked_for("var/lib/dpkg/info/libc6:amd64.md5sums"));
        assert!(!is_asked_for("usr/bin/bash"));
        assert!(!is_asked_for("usr/share/doc/etc/a"));
    }
}
