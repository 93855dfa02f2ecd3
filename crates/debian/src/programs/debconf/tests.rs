//! Packages' scripts and people's commands, with debconf in between.

use crate::fixture::Image;

const SETTINGS: &str = "Config: all\nTemplates: templates\n\n\
    # Passwords are apart.\nName: config\nDriver: File\nMode: 644\nReject-Type: password\n\
    Filename: /var/cache/debconf/config.dat\n\n\
    Name: passwords\nDriver: File\nMode: 600\nBackup: false\nRequired: false\n\
    Accept-Type: password\nFilename: /var/cache/debconf/passwords.dat\n\n\
    Name: all\nDriver: Stack\nStack: config, passwords\n\n\
    Name: templates\nDriver: File\nMode: 644\nFilename: /var/cache/debconf/templates.dat\n";

const TEMPLATES: &str = "Template: p/text\nType: string\nDefault: x\nDescription: ${what}?\n\n\
    Template: p/choice\nType: select\nChoices: one, two\nDescription: Which?\n\n\
    Template: p/secret\nType: password\nDescription: Word?\n\n\
    Template: p/wrong\nType: error\nDescription: Wrong\n It is wrong.\n";

/// A script that asks by itself what its arguments do not say.
const SCRIPT: &str = "#!/bin/sh\n\
    [ \"$DEBIAN_HAS_FRONTEND\" ] || exec /usr/share/debconf/frontend \"$0\" \"$@\"\n\
    ask() { echo \"$@\"; read -r answer; echo \"$answer\" >&2; }\n";

fn image(script: &str) -> Image {
    let mut image = Image::new();
    for directory in ["usr/share/debconf", "var/cache/debconf", "var/lib/dpkg/info", "work"] {
        image.directory(directory, 0o755);
    }
    image.file("etc/debconf.conf", SETTINGS, 0o644);
    image.file("usr/share/debconf/frontend", "\u{7f}ELF", 0o755);
    for name in ["config", "templates"] {
        image.file(&format!("var/cache/debconf/{name}.dat"), "", 0o644);
    }
    image.file("var/cache/debconf/passwords.dat", "", 0o600);
    image.file("var/lib/dpkg/info/p.templates", TEMPLATES, 0o644);
    image.file("var/lib/dpkg/info/p.postinst", [SCRIPT, script].concat(), 0o755);
    image.environment.insert("DEBIAN_FRONTEND".into(), "noninteractive".into());
    image
}

/// What was said, and which files changed, without those that every run writes.
fn said(shown: &str) -> String {
    let lines = shown.lines().filter(|line| !line.starts_with("+ /var/cache"));
    lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn configured(script: &str) -> String {
    said(&image(script).sh("/var/lib/dpkg/info/p.postinst configure"))
}

#[test]
fn a_script_is_answered() {
    insta::assert_snapshot!(configured(
        "ask VERSION 2.0\nask CAPB escape\nask GET p/text\nask SUBST p/text what a\n\
         ask METAGET p/text description\nask INPUT high p/choice\nask GO\nask GET p/choice\n\
         ask FGET p/choice seen\nask GET none\nask INPUT none p/text\nask nothing\nexit 3\n"
    ), @r#"
    !0 2.0
    !0 multiselect escape
    !1 x
    !0
    !1 a?
    !30 question skipped
    !0 ok
    !1 one
    !0 false
    !10 none doesn't exist
    !20 "none" is not a valid priority
    !20 Unsupported command "nothing" (full line was "nothing") received from confmodule.
    status 3
    "#);
}

#[test]
fn errors_are_shown_and_what_nobody_answers_is_refused() {
    insta::assert_snapshot!(configured("ask INPUT high p/wrong\nask GO\n"), @r"
    !30 question skipped
    Configuring p
    -------------

    Wrong

    It is wrong.

    !0 ok
    ");
    insta::assert_snapshot!(configured("echo STOP\nread -r answer\n"), @r"refused: `read` waits for an answer that nobody gives");
    let mut image = image("ask INPUT high p/choice\nask GO\n");
    image.environment.insert("DEBIAN_FRONTEND".into(), "teletype".into());
    insta::assert_snapshot!(image.sh("/var/lib/dpkg/info/p.postinst configure"), @r"refused: `debconf` asks p/choice, which has to be answered by somebody; DEBIAN_FRONTEND=noninteractive takes what is set");
}

#[test]
fn answers_are_kept_in_the_databases() {
    let image = image("ask SET p/secret SECRET\nask SET p/text a b\nask FSET p/text seen true\n");
    insta::assert_snapshot!(image.sh("/var/lib/dpkg/info/p.postinst configure 2>/dev/null"), @r#"
    + /var/cache/debconf/config.dat 644 "Name: p/choice\nTemplate: p/choice\nOwners: p\n\nName: p/text\nTemplate: p/text\nValue: a b\nOwners: p\nFlags: seen\n\nName: p/wrong\nTemplate: p/wrong\nOwners: p\n\n"
    + /var/cache/debconf/config.dat-old 644 ""
    + /var/cache/debconf/passwords.dat 600 "Name: p/secret\nTemplate: p/secret\nValue: SECRET\nOwners: p\n\n"
    + /var/cache/debconf/templates.dat 644 "Name: p/choice\nChoices: one, two\nDescription: Which?\nType: select\nOwners: p/choice\n\nName: p/secret\nDescription: Word?\nType: password\nOwners: p/secret\n\nName: p/text\nDefault: x\nDescription: ${what}?\nType: string\nOwners: p/text\n\nName: p/wrong\nDescription: Wrong\nExtended_description: It is wrong.\nType: error\nOwners: p/wrong\n\n"
    + /var/cache/debconf/templates.dat-old 644 ""
    "#);
}

#[test]
fn selections_are_checked_and_kept() {
    let mut image = image("");
    image.file(
        "work/s",
        "# all\np p/a boolean \\\ntrue\np p/b what x\nwrong\np p/c seen true\n",
        0o644,
    );
    insta::assert_snapshot!(image.sh("debconf-set-selections -u /work/s; debconf-show p"), @r#"
    !warning: Unknown type what, skipping line 4
    !error: parse error on line 5: 'wrong'
    !error: Cannot find a question for p/c
      p/a: true
    + /var/cache/debconf/config.dat 644 "Name: p/a\nTemplate: p/a\nValue: true\nOwners: p\n\n"
    + /var/cache/debconf/config.dat-old 644 ""
    + /var/cache/debconf/templates.dat 644 "Name: p/a\nDescription: Dummy template\nExtended_description: This is a fake template used to pre-seed the debconf database. If you are seeing this, something is probably wrong.\nType: boolean\nOwners: p/a\n\n"
    + /var/cache/debconf/templates.dat-old 644 ""
    "#);
    insta::assert_snapshot!(image.sh("echo FGET p/a seen | debconf-communicate p"), @r"
    10 p/a doesn't exist
    status 10
    ");
}

#[test]
fn one_at_a_time() {
    insta::assert_snapshot!(configured("echo p p/text string y | debconf-set-selections >&2\n"), @r#"
    !debconf: DbDriver "config": /var/cache/debconf/config.dat is locked by another process: Resource temporarily unavailable
    status 1
    "#);
}
