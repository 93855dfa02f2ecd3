//! What dpkg 1.21 does in the same directories.

use crate::fixture::Image;

/// One group that is in automatic mode, one that somebody has set.
fn image() -> Image {
    const CHOICES: &str = "\n/opt/a\n10\n/opt/a.1\n/opt/b\n20\n\n\n";
    let mut image = Image::new();
    image.link("usr/sbin", "bin");
    for path in [
        "opt",
        "etc/alternatives",
        "var",
        "var/lib",
        "var/lib/dpkg",
        "var/lib/dpkg/alternatives",
        "usr/share",
    ] {
        image.directory(path, 0o755);
    }
    for path in ["opt/a", "opt/a.1", "opt/b", "opt/c"] {
        image.file(path, "", 0o755);
    }
    for (name, mode, path) in [("cc", "auto", "/opt/b"), ("vi", "manual", "/opt/a")] {
        let text = format!("{mode}\n/usr/bin/{name}\n{name}.1\n/usr/share/{name}.1\n{CHOICES}");
        image.file(&format!("var/lib/dpkg/alternatives/{name}"), text, 0o644);
        image.link(&format!("usr/bin/{name}"), &format!("/etc/alternatives/{name}"));
        image.link(&format!("etc/alternatives/{name}"), path);
    }
    image
        .link("usr/share/vi.1", "/etc/alternatives/vi.1")
        .link("etc/alternatives/vi.1", "/opt/a.1");
    image
}

fn check(line: &str, expected: &[&str]) {
    let line = format!("update-alternatives {line}");
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(image().show(&words), expected.join("\n"), "{line}");
}

/// As dpkg's does in the same directories.
#[test]
fn links_lead_to_the_best_choice() {
    check(
        "--install /usr/bin/pg pg /opt/a 10 --slave /usr/share/pg.1 pg.1 /opt/a.1",
        &[
            "update-alternatives: using /opt/a to provide /usr/bin/pg (pg) in auto mode",
            "+ /etc/alternatives/pg -> /opt/a",
            "+ /etc/alternatives/pg.1 -> /opt/a.1",
            "+ /usr/bin/pg -> /etc/alternatives/pg",
            "+ /usr/share/pg.1 -> /etc/alternatives/pg.1",
            "+ /var/lib/dpkg/alternatives/pg 644 \"auto\\n/usr/bin/pg\\npg.1\\n/usr/share/pg.1\\n\\n/opt/a\\n10\\n/opt/a.1\\n\\n\"",
        ],
    );
    check(
        "--install /usr/bin/cc cc /opt/c 20",
        &[
            "+ /var/lib/dpkg/alternatives/cc 644 \"auto\\n/usr/bin/cc\\ncc.1\\n/usr/share/cc.1\\n\\n/opt/a\\n10\\n/opt/a.1\\n/opt/b\\n20\\n\\n/opt/c\\n20\\n\\n\\n\"",
        ],
    );
    check(
        "--auto vi",
        &[
            "update-alternatives: using /opt/b to provide /usr/bin/vi (vi) in auto mode",
            "+ /etc/alternatives/vi -> /opt/b",
            "- /etc/alternatives/vi.1",
            "- /usr/share/vi.1",
            "+ /var/lib/dpkg/alternatives/vi 644 \"auto\\n/usr/bin/vi\\nvi.1\\n/usr/share/vi.1\\n\\n/opt/a\\n10\\n/opt/a.1\\n/opt/b\\n20\\n\\n\\n\"",
        ],
    );
    check("--auto cc", &[]);
}

#[test]
fn somebody_chooses() {
    check(
        "--set cc /opt/a",
        &[
            "update-alternatives: using /opt/a to provide /usr/bin/cc (cc) in manual mode",
            "+ /etc/alternatives/cc -> /opt/a",
            "+ /etc/alternatives/cc.1 -> /opt/a.1",
            "+ /usr/share/cc.1 -> /etc/alternatives/cc.1",
            "+ /var/lib/dpkg/alternatives/cc 644 \"manual\\n/usr/bin/cc\\ncc.1\\n/usr/share/cc.1\\n\\n/opt/a\\n10\\n/opt/a.1\\n/opt/b\\n20\\n\\n\\n\"",
        ],
    );
    check(
        "--set cc /opt/c",
        &[
            "!update-alternatives: error: alternative /opt/c for cc not registered; not setting",
            "status 2",
        ],
    );
    check("--set no /opt/a", &["!update-alternatives: error: no alternatives for no", "status 2"]);
    check(
        "--remove vi /opt/a",
        &[
            "update-alternatives: removing manually selected alternative - switching vi to auto mode",
            "update-alternatives: using /opt/b to provide /usr/bin/vi (vi) in auto mode",
            "+ /etc/alternatives/vi -> /opt/b",
            "- /etc/alternatives/vi.1",
            "- /usr/share/vi.1",
            "+ /var/lib/dpkg/alternatives/vi 644 \"auto\\n/usr/bin/vi\\n\\n/opt/b\\n20\\n\\n\"",
        ],
    );
    check(
        "--remove-all vi",
        &[
            "- /etc/alternatives/vi",
            "- /etc/alternatives/vi.1",
            "- /usr/bin/vi",
            "- /usr/share/vi.1",
            "- /var/lib/dpkg/alternatives/vi",
        ],
    );
}

#[test]
fn groups_are_shown() {
    check("--list vi", &["/opt/a", "/opt/b"]);
    check(
        "--display vi",
        &[
            "vi - manual mode",
            "  link best version is /opt/b",
            "  link currently points to /opt/a",
            "  link vi is /usr/bin/vi",
            "  slave vi.1 is /usr/share/vi.1",
            "/opt/a - priority 10",
            "  slave vi.1: /opt/a.1",
            "/opt/b - priority 20",
        ],
    );
    check(
        "--query cc",
        &[
            "Name: cc",
            "Link: /usr/bin/cc",
            "Slaves:",
            " cc.1 /usr/share/cc.1",
            "Status: auto",
            "Best: /opt/b",
            "Value: /opt/b",
            "",
            "Alternative: /opt/a",
            "Priority: 10",
            "Slaves:",
            " cc.1 /opt/a.1",
            "",
            "Alternative: /opt/b",
            "Priority: 20",
            "Slaves:",
        ],
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    check(
        "--config cc",
        &["refused: `update-alternatives` has the option `--config`, which is not built in"],
    );
    check(
        "--install /usr/bin/x cc /opt/a 1",
        &["refused: `update-alternatives` renames links of cc"],
    );
    check(
        "--install /usr/bin/cc x /opt/a 1",
        &["refused: `update-alternatives` finds links of x in cc"],
    );
    check(
        "--install /usr/bin/x x /opt/nope 1",
        &["!update-alternatives: error: alternative path /opt/nope doesn't exist", "status 2"],
    );
    let mut image = image();
    image.link("etc/alternatives/cc", "/opt/other");
    assert_eq!(
        image.show(&["update-alternatives", "--auto", "cc"]),
        "refused: `update-alternatives` finds that cc was changed by somebody else"
    );
}
