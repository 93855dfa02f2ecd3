//! What the image's own package manager has written down: versions of packages by name.

use std::collections::BTreeMap;

use oci::ImagePath;

use crate::View;
use crate::view::{Known, together};

/// The installed packages of dpkg or apk, and whether rpm is there, whose database is no text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Databases {
    versions: BTreeMap<String, String>,
    /// Whether dpkg is what the system is made with, and not only there.
    pub(super) is_debian: bool,
    pub(super) has_rpm: bool,
}

/// Where apk keeps its list: Alpine's place, and Wolfi's.
const APK: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// Where rpm keeps its database, before and after Fedora 36.
const RPM: [&str; 2] = ["var/lib/rpm", "usr/lib/sysimage/rpm"];

impl Databases {
    pub(super) fn read(view: View<'_>) -> Known<Databases> {
        let directory = ImagePath::lexical("var/lib/dpkg/status.d");
        // Distroless images have a file a package here, and no `status`.
        let stanzas = view.names(&directory)?.into_keys();
        let stanzas = stanzas.filter(|name| !name.ends_with(b".md5sums"));
        let status = ImagePath::lexical("var/lib/dpkg/status");
        let dpkg = std::iter::once(status).chain(stanzas.map(|name| directory.join(name)));
        let dpkg = dpkg.map(|path| (path, Syntax::Dpkg));
        let apk = APK.map(|path| (ImagePath::lexical(path), Syntax::Apk));
        let texts = dpkg.chain(apk).map(|(path, syntax)| {
            let text = view.text(&path)?;
            Ok((text.unwrap_or_default(), syntax))
        });
        let mut all = Databases::default();
        for (text, syntax) in together(texts)? {
            all.versions.extend(syntax.packages(&text));
        }
        let has_dpkg = view.is_directory(&ImagePath::lexical("var/lib/dpkg"))?;
        let apk = APK.map(|path| view.file(&ImagePath::lexical(path)));
        all.is_debian = has_dpkg && together(apk)?.iter().all(Option::is_none);
        let rpm = RPM.map(|path| view.is_directory(&ImagePath::lexical(path)));
        all.has_rpm = together(rpm)?.contains(&true);
        Ok(all)
    }

    /// The version of a package as its authors count, without what the system's packagers added;
    /// a pre-release's as Python writes it.
    pub(super) fn version(&self, package: &str) -> Option<String> {
        self.versions.get(package).map(|version| upstream(version))
    }
}

/// Debian policy 5.6.12 and apk's `version.c`: `2.36-9+deb12u10`, `3.14.0~rc2-1`, `1:2.0`,
/// `1.2.5_git20240512-r1`.
fn upstream(version: &str) -> String {
    let without_epoch = version.split_once(':').map_or(version, |(_, rest)| rest);
    let end = without_epoch.find(['-', '+', '_']).unwrap_or(without_epoch.len());
    without_epoch[..end].replace('~', "")
}

#[derive(Debug, Clone, Copy)]
enum Syntax {
    /// deb822(5)
    Dpkg,
    /// apk's installed database: a letter, a colon and a value a line.
    Apk,
}

impl Syntax {
    fn packages(self, text: &str) -> Vec<(String, String)> {
        let (name, version) = match self {
            Syntax::Dpkg => ("Package:", "Version:"),
            Syntax::Apk => ("P:", "V:"),
        };
        let stanzas = stanzas(text).into_iter().filter_map(|lines| {
            let field = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key));
            // A package that was removed keeps its stanza as long as it has configuration files.
            let is_gone = field("Status:").is_some_and(|status| !status.ends_with(" installed"));
            let package =
                || Some((field(name)?.trim().to_owned(), field(version)?.trim().to_owned()));
            package().filter(|_| !is_gone)
        });
        stanzas.collect()
    }
}

/// Runs of lines between blank ones.
fn stanzas(text: &str) -> Vec<Vec<&str>> {
    let mut all = vec![Vec::new()];
    for line in text.lines() {
        match all.last_mut() {
            Some(stanza) if !line.is_empty() => stanza.push(line.trim_end()),
            _ => all.push(Vec::new()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_lose_what_packagers_add() {
        let check = |version: &str, expected: &str| assert_eq!(upstream(version), expected);
        check("3.11.2-6+deb12u6", "3.11.2");
        check("3.12.3-1ubuntu0.5", "3.12.3");
        check("3.14.0~rc2-1", "3.14.0rc2");
        check("1:2.36", "2.36");
        check("1.2.5_git20240512-r1", "1.2.5");
        check("", "");
    }

    #[test]
    fn removed_packages_do_not_count() {
        let status = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n\
            Description: GNU C Library\n Version: 1\n\n\
            Package: python3.9-minimal\nStatus: deinstall ok config-files\nVersion: 3.9.2-1\n";
        let found = Syntax::Dpkg.packages(status);
        assert_eq!(found, [("libc6".to_owned(), "2.36-9".to_owned())]);
        let installed = "C:Q1abc=\nP:musl\nV:1.2.5-r9\nA:x86_64\n\nP:python3\nV:3.12.11-r0\n";
        let found = Syntax::Apk.packages(installed);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], ("python3".to_owned(), "3.12.11-r0".to_owned()));
    }
}
