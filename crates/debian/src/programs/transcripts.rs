//! Lines and what they come to in a small Debian: `transcripts/*.txt`, each a line
//! behind `$ ` and below it what is said and changed.

use crate::fixture::Image;

fn rendered(text: &str) -> String {
    let mut image = Image::new();
    for directory in DIRECTORIES {
        image.directory(directory, 0o755);
    }
    for (path, text) in FILES {
        image.file(path, text, 0o644);
    }
    image.environment.insert("DPKG_MAINTSCRIPT_PACKAGE".into(), "p".into());
    let scripts = text.split("\n$ ").filter(|part| !part.is_empty());
    let lines = scripts.map(|part| part.lines().next().unwrap_or_default());
    let shown = lines.map(|line| format!("\n$ {line}\n{}", image.sh(line)));
    shown.map(|shown| shown.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(name: &str, text: &str) {
    let rendered = rendered(&format!("\n{text}"));
    // No line of a file here ends in white space.
    let lines = |text: &str| -> Vec<String> {
        text.trim().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    for (wanted, found) in lines(text).iter().zip(lines(&rendered)) {
        assert_eq!(*wanted, found, "{name}");
    }
    assert_eq!(lines(text).len(), lines(&rendered).len(), "{name}");
}

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), include_str!(concat!("transcripts/", stringify!($name), ".txt")));
        })*
    };
}

transcripts! { alternatives divert query services statoverride sysusers tmpfiles small }

const DIRECTORIES: &[&str] = &[
    "etc/default",
    "etc/init.d",
    "etc/sysusers.d",
    "etc/tmpfiles.d",
    "opt",
    "usr/lib/systemd",
    "usr/lib/systemd/system",
    "usr/share",
    "var/lib/dpkg/alternatives",
];

const STATUS: &str = "Package: bash\nEssential: yes\nStatus: install ok installed\n\
    Architecture: amd64\nVersion: 5.2-2\nPre-Depends: libc6 (>= 2.36)\nConffiles:\n \
    /etc/bash.bashrc 0123\nDescription: GNU shell\n It reads commands.\n\n\
    Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1:2-3\n\n\
    Package: libc6\nStatus: install ok unpacked\nArchitecture: amd64\nMulti-Arch: same\n\
    Source: glibc (2.36-9)\nVersion: 2.36-9+b1\nDescription: library\n";

const FILES: &[(&str, &str)] = &[
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nmail:x:8:8:mail:/var/mail:/bin/false\n"),
    ("etc/group", "root:x:0:\nmail:x:8:\n"),
    ("etc/shadow", "root:*:19600:0:99999:7:::\nmail:*:19600:0:99999:7:::\n"),
    ("etc/gshadow", "root:*::\nmail:*::\n"),
    ("opt/a", "a\n"),
    ("opt/a.1", "a.1\n"),
    ("opt/b", "b\n"),
    ("etc/init.d/one", ONE),
    ("usr/lib/systemd/system/one.service", "[Unit]\n[Install]\nWantedBy=multi-user.target\n"),
    ("usr/lib/systemd/system/multi-user.target", "[Unit]\n"),
    ("var/lib/dpkg/status", STATUS),
    ("var/lib/dpkg/info/bash.list", "/.\n/bin\n/bin/bash\n"),
    ("var/lib/dpkg/info/bash.postinst", "#!/bin/sh\n"),
    ("var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n"),
];

const ONE: &str = "#!/bin/sh\n### BEGIN INIT INFO\n# Default-Start: 2 S\n# Default-Stop: 0\n\
    ### END INIT INFO\n";
