//! What shadow 4.13 and adduser 3.134 do to these files in a chroot, path by path.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bstr::BString;
use oci::{ImagePath, Platform};

use crate::fixture::Image;
use crate::{ChangedNode, Channel, Command, Data, Files, Outside};

/// An image with what the programs read.
fn image() -> Image {
    let mut image = Image::new();
    for name in ["adduser", "deluser"] {
        let script = "#!/usr/bin/perl\nmy $version = \"3.134\";\n";
        image.file(&format!("usr/bin/{name}"), script, 0o755);
    }
    image.link("usr/bin/addgroup", "adduser").link("usr/bin/delgroup", "deluser");
    image.link("usr/sbin", "bin").link("sbin", "usr/sbin");
    for path in ["etc/default", "etc/skel", "run", "srv"] {
        image.directory(path, 0o755);
    }
    image.file("usr/bin/nologin", "\u{7f}ELF", 0o755);
    image.file("etc/default/useradd", "# nothing else\nSHELL=/bin/sh\n", 0o644);
    image.file("etc/adduser.conf", "# nothing\n", 0o644);
    image.file("etc/login.defs", "UMASK\t\t022\n#UID_MIN 5\nUSERGROUPS_ENAB yes\n", 0o644);
    image.file("etc/subuid", "", 0o644).file("etc/subgid", "", 0o644);
    image.file("etc/skel/.profile", "profile\n", 0o644);
    image
}

/// The files of users and groups before anything is done, by path.
static BEFORE: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let image = image();
    let names = ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"];
    let text = |name: &str| match image.files().data(&ImagePath::lexical(name)) {
        Ok(Data::Stored(stored)) => String::from_utf8(image.bytes(&stored).unwrap().to_vec()),
        other => panic!("{other:?}"),
    };
    names.into_iter().map(|name| (name.to_owned(), text(name).unwrap())).collect()
});

/// What came of a line: what was said, the status, the lines that came and went in the files of
/// users and groups, and other paths with mode and owner. Backups and locks are left out.
fn brief(image: &Image, files: Files, line: &str) -> Vec<String> {
    let words = line.split(' ').map(|word| BString::from(if word == "''" { "" } else { word }));
    let command = Command {
        words: words.collect(),
        environment: image.environment.clone(),
        directory: image.directory.clone(),
        platform: Platform::linux("amd64"),
    };
    let outcome = crate::run(command, files, image, image.limits).expect(line);
    let mut lines = Vec::new();
    for (channel, bytes) in outcome.transcript.pieces() {
        let mark = if *channel == Channel::Errors { "!" } else { "" };
        let text = String::from_utf8_lossy(bytes);
        lines.extend(text.lines().map(|line| format!("{mark}{line}")));
    }
    lines.extend((outcome.status != 0).then(|| format!("status {}", outcome.status)));
    for changed in outcome.files.changes().unwrap() {
        let path = changed.path.to_string();
        if path.ends_with('-') || path == "etc/.pwd.lock" || path == "run/adduser" {
            continue;
        }
        let owner = format!("{}:{}", changed.attributes.uid, changed.attributes.gid);
        match changed.node {
            ChangedNode::File(Data::Inline(bytes)) if path.starts_with("etc/") => {
                let (old, new) = (
                    BEFORE.get(&path).cloned().unwrap_or_default(),
                    String::from_utf8(bytes.to_vec()).unwrap(),
                );
                let gone = old.lines().filter(|line| !new.lines().any(|other| other == *line));
                lines.extend(gone.map(|line| format!("{path} -{line}")));
                let come = new.lines().filter(|line| !old.lines().any(|other| other == *line));
                lines.extend(come.map(|line| format!("{path} +{line}")));
            }
            ChangedNode::Gone => lines.push(format!("- {path}")),
            _ => lines.push(format!("+ {path} {:o} {owner}", changed.attributes.mode)),
        }
    }
    lines
}

fn check(line: &str, expected: &[&str]) {
    let image = image();
    assert_eq!(brief(&image, image.files(), line), expected, "{line}");
}

#[test]
fn useradd_adds_users() {
    check(
        "useradd app",
        &[
            "etc/group +app:x:1000:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:1000:1000::/home/app:/bin/sh",
            "etc/shadow +app:!:19675:0:99999:7:::",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
        ],
    );
    check(
        "useradd -m -s /bin/bash -G daemon,staff -c Somebody app",
        &[
            "etc/group -daemon:x:1:",
            "etc/group -staff:x:50:",
            "etc/group +daemon:x:1:app",
            "etc/group +staff:x:50:app",
            "etc/group +app:x:1000:",
            "etc/gshadow -daemon:*::",
            "etc/gshadow -staff:*::",
            "etc/gshadow +daemon:*::app",
            "etc/gshadow +staff:*::app",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:1000:1000:Somebody:/home/app:/bin/bash",
            "etc/shadow +app:!:19675:0:99999:7:::",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
            "+ home/app 755 1000:1000",
            "+ home/app/.profile 644 1000:1000",
        ],
    );
    check(
        "useradd -r -g staff -d /srv/app -m app",
        &[
            "etc/passwd +app:x:999:50::/srv/app:/bin/sh",
            "etc/shadow +app:!:19675::::::",
            "+ srv/app 755 999:50",
            "+ srv/app/.profile 644 999:50",
        ],
    );
    check(
        "useradd --system --no-create-home --shell /usr/sbin/nologin --uid 499 app",
        &[
            "etc/group +app:x:499:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:499:499::/home/app:/usr/sbin/nologin",
            "etc/shadow +app:!:19675::::::",
        ],
    );
    check(
        "useradd -u 5 -N app",
        &[
            "!useradd warning: app's uid 5 outside of the UID_MIN 1000 and UID_MAX 60000 range.",
            "etc/passwd +app:x:5:100::/home/app:/bin/sh",
            "etc/shadow +app:!:19675:0:99999:7:::",
        ],
    );
    check(
        "useradd -K UMASK=0077 -m -p SECRET -e 2030-01-01 -f 5 app",
        &[
            "etc/group +app:x:1000:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:1000:1000::/home/app:/bin/sh",
            "etc/shadow +app:SECRET:19675:0:99999:7:5:21915:",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
            "+ home/app 700 1000:1000",
            "+ home/app/.profile 644 1000:1000",
        ],
    );
    check(
        "useradd -m -d /work app",
        &[
            "!useradd: warning: the home directory /work already exists.",
            "!useradd: Not copying any file from skel directory into it.",
            "etc/group +app:x:1000:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:1000:1000::/work:/bin/sh",
            "etc/shadow +app:!:19675:0:99999:7:::",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
        ],
    );
    check(
        "useradd -s /bin/nope app",
        &[
            "!useradd: Warning: missing or non-executable shell '/bin/nope'",
            "etc/group +app:x:1000:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:1000:1000::/home/app:/bin/nope",
            "etc/shadow +app:!:19675:0:99999:7:::",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
        ],
    );
}

#[test]
fn useradd_says_what_is_wrong() {
    check("useradd root", &["!useradd: user 'root' already exists", "status 9"]);
    check(
        "useradd staff",
        &[
            "!useradd: group staff exists - if you want to add this user to that group, use -g.",
            "status 9",
        ],
    );
    check("useradd -g nope app", &["!useradd: group 'nope' does not exist", "status 6"]);
    check("useradd -G staff,nope app", &["!useradd: group 'nope' does not exist", "status 6"]);
    check("useradd -u 33 app", &["!useradd: UID 33 is not unique", "status 4"]);
    check("useradd -u x app", &["!useradd: invalid user ID 'x'", "status 3"]);
    check("useradd -d rel app", &["!useradd: invalid home directory 'rel'", "status 3"]);
    check("useradd ~x", &["!useradd: invalid user name '~x': use --badname to ignore", "status 3"]);
}

#[test]
fn usermod_changes_users() {
    check(
        "usermod -aG staff,daemon www-data",
        &[
            "etc/group -daemon:x:1:",
            "etc/group -staff:x:50:",
            "etc/group +daemon:x:1:www-data",
            "etc/group +staff:x:50:www-data",
            "etc/gshadow -daemon:*::",
            "etc/gshadow -staff:*::",
            "etc/gshadow +daemon:*::www-data",
            "etc/gshadow +staff:*::www-data",
        ],
    );
    check(
        "usermod -g staff -u 1000 www-data",
        &[
            "etc/passwd -www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "etc/passwd +www-data:x:1000:50:www-data:/var/www:/usr/sbin/nologin",
        ],
    );
    check(
        "usermod -l web -d /srv/web www-data",
        &[
            "etc/passwd -www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "etc/passwd +web:x:33:33:www-data:/srv/web:/usr/sbin/nologin",
            "etc/shadow -www-data:*:19600:0:99999:7:::",
            "etc/shadow +web:*:19600:0:99999:7:::",
        ],
    );
    check(
        "usermod -L www-data",
        &[
            "etc/shadow -www-data:*:19600:0:99999:7:::",
            "etc/shadow +www-data:!*:19600:0:99999:7:::",
        ],
    );
    check(
        "usermod -p SECRET root",
        &["etc/shadow -root:*:19600:0:99999:7:::", "etc/shadow +root:SECRET:19675:0:99999:7:::"],
    );
    check("usermod -s /usr/sbin/nologin www-data", &["usermod: no changes"]);
    check(
        "usermod -d /srv/web -m www-data",
        &[
            "!usermod: The previous home directory (/var/www) does not exist or is inaccessible. Move cannot be completed.",
            "etc/passwd -www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "etc/passwd +www-data:x:33:33:www-data:/srv/web:/usr/sbin/nologin",
        ],
    );
    check("usermod -u 1 www-data", &["!usermod: UID '1' already exists", "status 4"]);
    check("usermod -aG nope www-data", &["!usermod: group 'nope' does not exist", "status 6"]);
    check("usermod -s /bin/sh nope", &["!usermod: user 'nope' does not exist", "status 6"]);
}

#[test]
fn userdel_removes_users() {
    check(
        "userdel www-data",
        &[
            "etc/group -www-data:x:33:",
            "etc/gshadow -www-data:*::",
            "etc/passwd -www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "etc/shadow -www-data:*:19600:0:99999:7:::",
        ],
    );
    check(
        "userdel -r www-data",
        &[
            "!userdel: www-data mail spool (/var/mail/www-data) not found",
            "!userdel: www-data home directory (/var/www) not found",
            "etc/group -www-data:x:33:",
            "etc/gshadow -www-data:*::",
            "etc/passwd -www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "etc/shadow -www-data:*:19600:0:99999:7:::",
        ],
    );
    check("userdel nope", &["!userdel: user 'nope' does not exist", "status 6"]);
}

#[test]
fn groups_come_change_and_go() {
    check("groupadd app", &["etc/group +app:x:1000:", "etc/gshadow +app:!::"]);
    check("groupadd -r app", &["etc/group +app:x:999:", "etc/gshadow +app:!::"]);
    check("groupadd -g 2000 app", &["etc/group +app:x:2000:", "etc/gshadow +app:!::"]);
    check("groupadd -g 33 app", &["!groupadd: GID '33' already exists", "status 4"]);
    check("groupadd -f staff", &[]);
    check("groupadd staff", &["!groupadd: group 'staff' already exists", "status 9"]);
    check("groupadd -g x app", &["!groupadd: invalid group ID 'x'", "status 3"]);
    check(
        "groupmod -n web -g 1000 www-data",
        &[
            "etc/group -www-data:x:33:",
            "etc/group +web:x:1000:",
            "etc/gshadow -www-data:*::",
            "etc/gshadow +web:*::",
            "etc/passwd -www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "etc/passwd +www-data:x:33:1000:www-data:/var/www:/usr/sbin/nologin",
        ],
    );
    check("groupmod -g 50 www-data", &["!groupmod: GID '50' already exists", "status 4"]);
    check("groupdel staff", &["etc/group -staff:x:50:", "etc/gshadow -staff:*::"]);
    check(
        "groupdel www-data",
        &["!groupdel: cannot remove the primary group of user 'www-data'", "status 8"],
    );
    check("groupdel nope", &["!groupdel: group 'nope' does not exist", "status 6"]);
    check(
        "gpasswd -a daemon staff",
        &[
            "Adding user daemon to group staff",
            "etc/group -staff:x:50:",
            "etc/group +staff:x:50:daemon",
            "etc/gshadow -staff:*::",
            "etc/gshadow +staff:*::daemon",
        ],
    );
    check(
        "gpasswd -d daemon staff",
        &[
            "Removing user daemon from group staff",
            "!gpasswd: user 'daemon' is not a member of 'staff'",
            "status 3",
        ],
    );
    check(
        "gpasswd -M root,daemon staff",
        &[
            "etc/group -staff:x:50:",
            "etc/group +staff:x:50:root,daemon",
            "etc/gshadow -staff:*::",
            "etc/gshadow +staff:*::root,daemon",
        ],
    );
    check("gpasswd -a nope staff", &["!gpasswd: user 'nope' does not exist", "status 3"]);
}

#[test]
fn passwords_and_shells() {
    check(
        "passwd -d root",
        &[
            "passwd: password changed.",
            "etc/shadow -root:*:19600:0:99999:7:::",
            "etc/shadow +root::19600:0:99999:7:::",
        ],
    );
    check(
        "passwd -l root",
        &[
            "passwd: password changed.",
            "etc/shadow -root:*:19600:0:99999:7:::",
            "etc/shadow +root:!*:19600:0:99999:7:::",
        ],
    );
    check(
        "passwd -q -e root",
        &["etc/shadow -root:*:19600:0:99999:7:::", "etc/shadow +root:*:0:0:99999:7:::"],
    );
    check("passwd -l nope", &["!passwd: user 'nope' does not exist", "status 1"]);
    check(
        "chsh -s /bin/sh root",
        &[
            "etc/passwd -root:x:0:0:root:/root:/bin/bash",
            "etc/passwd +root:x:0:0:root:/root:/bin/sh",
        ],
    );
    check(
        "chsh -s /bin/nope root",
        &[
            "!chsh: Warning: /bin/nope does not exist",
            "etc/passwd -root:x:0:0:root:/root:/bin/bash",
            "etc/passwd +root:x:0:0:root:/root:/bin/nope",
        ],
    );
    check(
        "chfn -f Name -r 1 -o x root",
        &[
            "etc/passwd -root:x:0:0:root:/root:/bin/bash",
            "etc/passwd +root:x:0:0:Name,1,,,x:/root:/bin/bash",
        ],
    );
}

#[test]
fn adduser_adds_people() {
    check(
        "adduser --disabled-password --gecos '' app",
        &[
            "Adding user `app' ...",
            "Adding new group `app' (1000) ...",
            "Adding new user `app' (1000) with group `app (1000)' ...",
            "Creating home directory `/home/app' ...",
            "Copying files from `/etc/skel' ...",
            "Adding new user `app' to supplemental / extra groups `users' ...",
            "!adduser: The group `users' does not exist.",
            "etc/group +app:x:1000:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:1000:1000:,,,:/home/app:/bin/bash",
            "etc/shadow +app:!:19675:0:99999:7:::",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
            "+ home/app 700 1000:1000",
            "+ home/app/.profile 644 1000:1000",
        ],
    );
    check(
        "adduser --disabled-login --gecos Name,1 --uid 1234 --home /srv/app --quiet app",
        &[
            "!adduser: The group `users' does not exist.",
            "etc/group +app:x:1234:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:1234:1234:Name,1,,:/srv/app:/usr/sbin/nologin",
            "etc/shadow +app:!:19675:0:99999:7:::",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
            "+ srv/app 700 1234:1234",
            "+ srv/app/.profile 644 1234:1234",
        ],
    );
    check(
        "adduser --disabled-password --gecos '' --ingroup staff --no-create-home app",
        &[
            "Adding user `app' ...",
            "Adding new user `app' (1000) with group `staff (50)' ...",
            "Not creating home directory `/home/app'.",
            "Adding new user `app' to supplemental / extra groups `users' ...",
            "!adduser: The group `users' does not exist.",
            "etc/passwd +app:x:1000:50:,,,:/home/app:/bin/bash",
            "etc/shadow +app:!:19675:0:99999:7:::",
            "etc/subgid +app:100000:65536",
            "etc/subuid +app:100000:65536",
        ],
    );
    check(
        "adduser --disabled-password --gecos '' root",
        &["!adduser: The user `root' already exists.", "status 1"],
    );
    check(
        "adduser --disabled-password --gecos '' --uid 33 app",
        &["!adduser: The UID 33 is already in use.", "status 1"],
    );
    check(
        "adduser --disabled-password --gecos '' App",
        &[
            "!adduser: Please enter a username matching the regular expression",
            "!            configured via the NAME_REGEX configuration variable.  Use the",
            "!            `--allow-bad-names' option to relax this check or reconfigure",
            "!            NAME_REGEX in configuration.",
            "status 1",
        ],
    );
}

#[test]
fn adduser_adds_programs() {
    check(
        "adduser --system app",
        &[
            "Adding system user `app' (UID 100) ...",
            "Adding new user `app' (UID 100) with group `nogroup' ...",
            "Not creating `/nonexistent'.",
            "etc/passwd +app:x:100:65534::/nonexistent:/usr/sbin/nologin",
            "etc/shadow +app:!:19675::::::",
        ],
    );
    check(
        "adduser --system --group --home /srv/app app",
        &[
            "Adding system user `app' (UID 100) ...",
            "Adding new group `app' (GID 100) ...",
            "Adding new user `app' (UID 100) with group `app' ...",
            "Creating home directory `/srv/app' ...",
            "etc/group +app:x:100:",
            "etc/gshadow +app:!::",
            "etc/passwd +app:x:100:100::/srv/app:/usr/sbin/nologin",
            "etc/shadow +app:!:19675::::::",
            "+ srv/app 755 100:100",
        ],
    );
    check(
        "adduser --system --ingroup staff --shell /bin/sh --gecos x --no-create-home --quiet app",
        &["etc/passwd +app:x:100:50:x,,,:/nonexistent:/bin/sh", "etc/shadow +app:!:19675::::::"],
    );
    check(
        "adduser --system --uid 33 app",
        &["!adduser: The UID 33 is already in use.", "status 1"],
    );
    check(
        "adduser --system www-data",
        &[
            "!adduser: The user `www-data' already exists, but is not a system user. Exiting.",
            "status 1",
        ],
    );
    check("adduser --system --gid 77 app", &["!adduser: The GID 77 does not exist.", "status 1"]);
}

#[test]
fn members_and_groups_by_debians_programs() {
    check(
        "adduser www-data staff",
        &[
            "Adding user `www-data' to group `staff' ...",
            "Done.",
            "etc/group -staff:x:50:",
            "etc/group +staff:x:50:www-data",
            "etc/gshadow -staff:*::",
            "etc/gshadow +staff:*::www-data",
        ],
    );
    check("adduser nope staff", &["!adduser: The user `nope' does not exist.", "status 1"]);
    check(
        "addgroup app",
        &[
            "Adding group `app' (GID 1000) ...",
            "Done.",
            "etc/group +app:x:1000:",
            "etc/gshadow +app:!::",
        ],
    );
    check(
        "addgroup --system --gid 300 app",
        &[
            "Adding group `app' (GID 300) ...",
            "Done.",
            "etc/group +app:x:300:",
            "etc/gshadow +app:!::",
        ],
    );
    check("addgroup --gid 33 app", &["!addgroup: The GID `33' is already in use.", "status 1"]);
    check(
        "addgroup --system staff",
        &[
            "!addgroup: The group `staff' already exists and is not a system group. Exiting.",
            "status 1",
        ],
    );
    check(
        "deluser www-data",
        &[
            "!deluser: `/usr/bin/crontab' not executed. Skipping crontab removal. Package `cron' required.",
            "Removing user `www-data' ...",
            "Done.",
            "etc/group -www-data:x:33:",
            "etc/gshadow -www-data:*::",
            "etc/passwd -www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "etc/shadow -www-data:*:19600:0:99999:7:::",
        ],
    );
    check("deluser --quiet nope", &["!deluser: The user `nope' does not exist.", "status 2"]);
    check(
        "delgroup staff",
        &[
            "Removing group `staff' ...",
            "Done.",
            "etc/group -staff:x:50:",
            "etc/gshadow -staff:*::",
        ],
    );
    check(
        "deluser www-data staff",
        &["!deluser: The user `www-data' is not a member of group `staff'.", "status 6"],
    );
}

#[test]
fn users_and_groups_are_looked_up() {
    check("id", &["uid=0(root) gid=0(root) groups=0(root)"]);
    check("id -u", &["0"]);
    check("id -Gn www-data", &["www-data"]);
    check("id daemon", &["uid=1(daemon) gid=1(daemon) groups=1(daemon)"]);
    check("id nope", &["!id: 'nope': no such user", "status 1"]);
    check("id -ug", &["!id: cannot print \"only\" of more than one choice", "status 1"]);
    check("whoami", &["root"]);
    check("groups root daemon", &["root : root", "daemon : daemon"]);
    check(
        "getent passwd 33 root nope",
        &[
            "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "root:x:0:0:root:/root:/bin/bash",
            "status 2",
        ],
    );
    check("getent group staff", &["staff:x:50:"]);
}

#[test]
fn files_are_replaced_and_their_backups_kept() {
    let image = image();
    let outcome = image.run(&["groupadd", "app"]).unwrap();
    let changes = outcome.files.changes().unwrap();
    let shown = changes.iter().map(|changed| {
        let attributes = &changed.attributes;
        format!("{} {:o} {}", changed.path, attributes.mode, attributes.mtime)
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "etc/.pwd.lock 600 1700000000",
            "etc/group 644 1700000000",
            "etc/group- 644 1000",
            "etc/gshadow 640 1700000000",
            "etc/gshadow- 640 1000",
        ]
    );
}

#[test]
fn homes_change_hands_and_places() {
    let mut image = image();
    image.directory("var", 0o755).directory("var/www", 0o755).file("var/www/x", "", 0o600);
    let mut files = image.files();
    for path in ["var/www", "var/www/x"] {
        files.set_owner(&ImagePath::lexical(path), Some(33), Some(33)).unwrap();
    }
    let after = |line: &str| brief(&image, files.clone(), line);
    let line = "usermod -u 1000 -g staff www-data";
    assert_eq!(after(line)[2..], ["+ var/www 755 1000:50", "+ var/www/x 600 1000:50"]);
    let line = "usermod -d /srv/w -m www-data";
    assert_eq!(after(line)[2..], ["+ srv/w 755 33:33", "+ srv/w/x 600 33:33", "- var/www"]);
    let line = "usermod -d /work -m www-data";
    assert_eq!(after(line)[..2], ["!usermod: directory /work exists", "status 12"]);
    assert_eq!(after("userdel -r www-data").last().map(String::as_str), Some("- var/www"));
}

#[test]
fn what_is_not_understood_is_refused() {
    let mut image = image();
    let check = |image: &Image, line: &str, expected: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(image.show(&words), expected, "{line}");
    };
    check(&image, "useradd -D", "refused: `useradd` has the option `-D`, which is not built in");
    check(
        &image,
        "useradd -Z x app",
        "refused: `useradd` has the option `-Z`, which is not built in",
    );
    check(&image, "passwd root", "refused: `passwd` asks for a password");
    check(&image, "chpasswd", "refused: `chpasswd` encrypts passwords with a random salt");
    check(&image, "adduser app", "refused: `adduser` asks for a password");
    check(&image, "adduser --disabled-password app", "refused: `adduser` asks for a comment");
    check(&image, "getent hosts localhost", "refused: `getent` asks for hosts");
    check(&image, "userdel root", "refused: `userdel` removes the user who runs it");
    image.directory("var", 0o755).directory("var/log", 0o755).file("var/log/lastlog", "x", 0o644);
    check(&image, "useradd app", "refused: `useradd` writes into /var/log/lastlog");
    image.file("usr/bin/adduser", "my $version = \"3.118\";", 0o755);
    check(
        &image,
        "addgroup app",
        "refused: `addgroup` is not adduser 3.134, the version that is built in",
    );
    image.user.uid = 1000;
    check(&image, "useradd app", "refused: `useradd` is run by a user who is not root");
    check(&image, "id", "uid=1000 gid=0(root) groups=0(root)");
    check(&image, "whoami", "!whoami: cannot find name for user ID 1000\nstatus 1");
}
