//! Calls of maintainer scripts that are passed over, each by a rule with a name and a reason.
//!
//! What they would make is a cache that programs do without, or holds times and numbers of inodes, or
//! belongs to one machine. A rule is for the calls that maintainer scripts make, known by the
//! variable that dpkg sets for them; the same program in somebody's own line is not passed over.

use bstr::BString;
use shell::process::Run;
use shell::{Data, Origin, Process, Stop};

use crate::outside::Outside;

/// A call that is passed over.
#[derive(Debug, Clone, Copy)]
pub struct SkipRule {
    /// The call: the program's name and words of it; `*` is for what is in one of them, and a last
    /// word `…` for all others.
    pub call: &'static [&'static str],
    /// Its exit status.
    pub status: u8,
    /// What it would have made.
    pub makes: &'static str,
    /// Why that may be missing.
    pub reason: &'static str,
}

const fn rule(
    call: &'static [&'static str],
    makes: &'static str,
    reason: &'static str,
) -> SkipRule {
    SkipRule { call, status: 0, makes, reason }
}

const BYTECODE: &str = "python compiles what it imports; the files hold times of their sources";
const BYTECODE_FILES: &str = "`__pycache__` beside modules";
const MANUAL: &str = "`/var/cache/man`, an index of manual pages";
const MANUAL_REASON: &str = "man finds pages without it; the database holds times";
const ICONS: &str = "`icon-theme.cache` in directories of icons";
const ICONS_REASON: &str = "icons are found without it; the file holds times of directories";
const NO_SERVICE: &str = "a running service";
const NO_SERVICE_REASON: &str = "nothing runs in an image";
const NO_DEVICES: &str = "settings of the running kernel";
const NO_DEVICES_REASON: &str = "there is no kernel in an image, and nothing of it lasts";

/// All rules, by program.
pub const RULES: &[SkipRule] = &[
    rule(&["apparmor_parser", "…"], NO_DEVICES, NO_DEVICES_REASON),
    rule(
        &["appstreamcli", "refresh-cache", "…"],
        "`/var/cache/app-info`, an index of software",
        "it is made again when packages are listed, and holds times",
    ),
    rule(&["chattr", "…"], "attributes of one file system", "no layer can hold them"),
    rule(
        &["dbus-uuidgen", "--ensure"],
        "`/var/lib/dbus/machine-id`",
        "it is random, and one machine's; dbus makes it when it starts",
    ),
    rule(
        &["fc-cache", "…"],
        "`/var/cache/fontconfig`, and a log of it",
        "fontconfig reads fonts without it; the files hold times of directories",
    ),
    rule(
        &["gdk-pixbuf-query-loaders", "…"],
        "`loaders.cache`, a list of image formats",
        "the formats that are built in need none; other loaders are not found until it is made",
    ),
    rule(
        &["gio-querymodules", "…"],
        "`giomodule.cache`, a list of modules",
        "without it all modules are looked at",
    ),
    rule(
        &["glib-compile-schemas", "…"],
        "`gschemas.compiled`, settings of desktops",
        "only programs with a desktop's settings read it, and say so if it is missing",
    ),
    rule(&["gtk-update-icon-cache", "…"], ICONS, ICONS_REASON),
    rule(&["gtk4-update-icon-cache", "…"], ICONS, ICONS_REASON),
    rule(
        &["install-info", "…"],
        "`/usr/share/info/dir`, a table of contents",
        "info finds documents by name without it",
    ),
    rule(&["invoke-rc.d", "--quiet", "*", "status"], NO_SERVICE, NO_SERVICE_REASON).with_status(3),
    rule(&["invoke-rc.d", "…"], NO_SERVICE, NO_SERVICE_REASON),
    rule(
        &["journalctl", "--update-catalog"],
        "`/var/lib/systemd/catalog/database`, explanations of messages",
        "systemd makes it when it boots",
    ),
    rule(&["mandb", "…"], MANUAL, MANUAL_REASON),
    rule(
        &["mktexlsr", "…"],
        "`ls-R`, lists of TeX's files",
        "TeX looks into directories where there is none",
    ),
    rule(&["perl", "-e", ""], "nothing", "it asks whether there is a Perl that runs"),
    rule(
        &["py3clean", "…"],
        "nothing: it takes bytecode away",
        "there is no bytecode to take away",
    ),
    rule(&["py3compile", "…"], BYTECODE_FILES, BYTECODE),
    rule(&["pypy3clean", "…"], "nothing: it takes bytecode away", "there is no bytecode"),
    rule(&["pypy3compile", "…"], BYTECODE_FILES, BYTECODE),
    rule(
        &["python3.*", "-E", "-S", "-O", "/usr/lib/python3.*/py_compile.py", "…"],
        BYTECODE_FILES,
        BYTECODE,
    ),
    rule(
        &["python3.*", "-E", "-S", "/usr/lib/python3.*/py_compile.py", "…"],
        BYTECODE_FILES,
        BYTECODE,
    ),
    rule(&["python3*", "-m", "py_compile", "…"], BYTECODE_FILES, BYTECODE),
    rule(&["python3*", "-m", "compileall", "…"], BYTECODE_FILES, BYTECODE),
    rule(&["runuser", "-u", "man", "--", "/usr/bin/mandb", "…"], MANUAL, MANUAL_REASON),
    rule(
        &[
            "setpriv",
            "--reuid",
            "man",
            "--regid",
            "man",
            "--init-groups",
            "--",
            "/usr/bin/mandb",
            "…",
        ],
        MANUAL,
        MANUAL_REASON,
    ),
    rule(&["ss", "…"], "a list of open sockets", "nothing runs in an image, so there are none"),
    rule(&["start-stop-daemon", "--start", "…"], NO_SERVICE, NO_SERVICE_REASON),
    rule(&["sysctl", "…"], NO_DEVICES, NO_DEVICES_REASON),
    rule(
        &["systemd-hwdb", "…"],
        "`hwdb.bin`, what is known of devices",
        "udev makes it when a machine boots",
    ),
    rule(
        &["systemd-machine-id-setup", "…"],
        "`/etc/machine-id`",
        "it is random, and one machine's; systemd makes it when it boots",
    ),
    rule(&["udevadm", "…"], NO_DEVICES, NO_DEVICES_REASON),
    rule(
        &["update-binfmts", "…"],
        "`/var/lib/binfmts`, what the kernel is told of kinds of programs",
        "a container's kernel is its host's, and is not told by images",
    ),
    rule(
        &["update-desktop-database", "…"],
        "`mimeinfo.cache`, which programs open which files",
        "only desktops read it, and it is made when a program is installed",
    ),
    rule(&["update-icon-caches", "…"], ICONS, ICONS_REASON),
    rule(&["update-info-dir", "…"], "`/usr/share/info/dir`", "info finds documents without it"),
    rule(
        &["update-initramfs", "…"],
        "`/boot/initrd.img-*`",
        "an image has no kernel that starts from it",
    ),
    rule(
        &["update-mime-database", "…"],
        "`mime.cache` and others in `/usr/share/mime`, types of files",
        "desktops read it; others know types by themselves",
    ),
];

/// What a call would have made, and why it need not.
impl std::fmt::Display for SkipRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "would make {}; {}", self.makes, self.reason)
    }
}

impl SkipRule {
    const fn with_status(self, status: u8) -> Self {
        SkipRule { status, ..self }
    }

    /// The program's name.
    pub fn program(&self) -> &'static str {
        self.call.first().copied().unwrap_or_default()
    }

    fn matches(&self, words: &[BString]) -> bool {
        let (call, is_open) = match self.call {
            [call @ .., "…"] => (call, true),
            call => (call, false),
        };
        let is_long_enough = match is_open {
            true => words.len() >= call.len(),
            false => words.len() == call.len(),
        };
        is_long_enough && call.iter().zip(words).all(|(known, word)| is_word(known, word))
    }
}

/// Whether a word is what a rule has; one star in that is for anything without a slash.
fn is_word(known: &str, word: &[u8]) -> bool {
    match known.split_once('*') {
        None => known.as_bytes() == word,
        Some((before, after)) => {
            let inner = word
                .strip_prefix(before.as_bytes())
                .and_then(|rest| rest.strip_suffix(after.as_bytes()));
            inner.is_some_and(|inner| !inner.contains(&b'/'))
        }
    }
}

/// The rule for a call, whatever calls it.
pub fn skip_rule(words: &[BString]) -> Option<&'static SkipRule> {
    let (first, rest) = words.split_first()?;
    let name = first.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut words = vec![BString::from(name)];
    words.extend(rest.iter().cloned());
    RULES.iter().find(|rule| rule.matches(&words))
}

/// Passes over a maintainer script's call, if there is a rule for it; `None` if there is none.
///
/// The program has to be a package's or the base's.
pub(crate) fn skip(process: &mut Process<'_, '_>, _: &dyn Outside) -> Option<Run> {
    if !is_from_package(process) {
        return None;
    }
    let rule = skip_rule(&process.words)?;
    match is_packaged(process) {
        Ok(true) => {
            process.machine.remark(&process.words, format!("passed over: {rule}"));
            Some(Ok(rule.status))
        }
        Ok(false) => None,
        Err(stop) => Some(Err(stop)),
    }
}

/// Whether a maintainer script has called, directly or not.
pub(super) fn is_from_package(process: &Process<'_, '_>) -> bool {
    let package = process.environment.get(&BString::from("DPKG_MAINTSCRIPT_PACKAGE"));
    package.is_some_and(|package| !package.is_empty())
}

/// Whether the program's file is of a layer below or of a package.
pub(super) fn is_packaged(process: &Process<'_, '_>) -> Result<bool, Stop> {
    let found = shell::process::errno(process.machine.files.stat(&process.program))?;
    let Ok(Some(stat)) = found else { return Ok(false) };
    Ok(matches!(stat.data(), Some(Data::Stored(stored))
        if matches!(*stored.origin, Origin::Below { .. } | Origin::Package { .. })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_of(line: &str) -> Option<&'static str> {
        let words: Vec<BString> = line.split(' ').map(BString::from).collect();
        skip_rule(&words).map(SkipRule::program)
    }

    #[test]
    fn rules_are_for_the_calls_that_scripts_make() {
        for (line, expected) in [
            ("update-mime-database /usr/share/mime", Some("update-mime-database")),
            ("/usr/bin/mandb -pq", Some("mandb")),
            (
                "/usr/bin/python3.11 -E -S /usr/lib/python3.11/py_compile.py a.py b.py",
                Some("python3.*"),
            ),
            ("python3 -m compileall /usr/lib", Some("python3*")),
            ("python3 -c print(1)", None),
            ("python3.11 script.py", None),
            ("journalctl --update-catalog", Some("journalctl")),
            ("journalctl --update-catalog --root=/x", None),
            (
                "setpriv --reuid man --regid man --init-groups -- /usr/bin/mandb -cq",
                Some("setpriv"),
            ),
            ("setpriv --reuid man id", None),
            ("dbus-uuidgen", None),
            ("nothing", None),
        ] {
            assert_eq!(rule_of(line), expected, "{line}");
        }
        let words = ["invoke-rc.d", "--quiet", "nginx", "status"].map(BString::from);
        assert_eq!(skip_rule(&words).map(|rule| rule.status), Some(3));
    }

    #[test]
    fn rules_are_in_order_and_say_why() {
        let names: Vec<&str> = RULES.iter().map(SkipRule::program).collect();
        let base = |name: &str| name.trim_end_matches(['*', '.']).to_owned();
        assert!(names.is_sorted_by_key(|name| base(name)), "{names:?}");
        assert!(RULES.iter().all(|rule| !rule.makes.is_empty() && !rule.reason.is_empty()));
    }
}
