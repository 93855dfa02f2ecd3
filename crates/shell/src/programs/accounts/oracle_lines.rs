#![allow(missing_docs)]
//! temporary
use crate::fixture::Image;

#[test]
fn dump() {
    let Ok(file) = std::env::var("ORC_LINES") else { return };
    let mut image = super::oracle_lines::image();
    image.environment.insert(
        "PATH".into(),
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
    );
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let words = split(line);
        let words: Vec<&str> = words.iter().map(|w| w.as_str()).collect();
        println!("$ {line}\n{}\n", image.show(&words));
    }
}

fn split(line: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' | '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

pub(super) fn image() -> Image {
    let mut image = Image::new();
    for name in ["adduser", "deluser"] {
        image.file(
            &format!("usr/bin/{name}"),
            "#!/usr/bin/perl\nmy $version = \"3.134\";\n",
            0o755,
        );
    }
    image.link("usr/bin/addgroup", "adduser").link("usr/bin/delgroup", "deluser");
    image.link("usr/sbin", "bin").link("sbin", "usr/sbin");
    for d in ["etc/default", "etc/skel", "run", "var", "var/lib", "srv", "opt"] {
        image.directory(d, 0o755);
    }
    image.file("usr/bin/nologin", "\u{7f}ELF", 0o755);
    image.file("etc/default/useradd", "SHELL=/bin/sh\n", 0o644);
    image.file("etc/adduser.conf", "# nothing\n", 0o644);
    image.file("etc/login.defs", "MAIL_DIR /var/mail\nUMASK\t\t022\nUSERGROUPS_ENAB yes\n", 0o644);
    image.file("etc/subuid", "", 0o644).file("etc/subgid", "", 0o644);
    image
        .file("etc/skel/.bashrc", "rc\n", 0o644)
        .file("etc/skel/.profile", "profile\n", 0o644)
        .file("etc/skel/.bash_logout", "logout\n", 0o644);
    for d in ["etc/alternatives", "usr/share", "var/lib/dpkg", "var/lib/dpkg/alternatives"] {
        image.directory(d, 0o755);
    }
    image.file("opt/a", "a\n", 0o644).file("opt/b", "b\n", 0o644).file("opt/a.1", "m\n", 0o644);
    image.file(
        "var/lib/dpkg/alternatives/pre",
        "auto\n/usr/bin/pre\npre.1\n/usr/share/pre.1\n\n/opt/a\n10\n/opt/a.1\n/opt/b\n20\n\n\n",
        0o644,
    );
    image.link("usr/bin/pre", "/etc/alternatives/pre").link("etc/alternatives/pre", "/opt/b");
    image.file(
        "var/lib/dpkg/alternatives/man",
        "manual\n/usr/bin/man\nman.1\n/usr/share/man.1\n\n/opt/a\n10\n/opt/a.1\n/opt/b\n20\n\n\n",
        0o644,
    );
    image.link("usr/bin/man", "/etc/alternatives/man").link("etc/alternatives/man", "/opt/a");
    image
        .link("usr/share/man.1", "/etc/alternatives/man.1")
        .link("etc/alternatives/man.1", "/opt/a.1");
    image
}
