//! Calls of debconf and of packages' own scripts: output, status and the tree afterwards, with each
//! byte of the databases, are those of the real programs.

use testbed::shells::Script;

use sides::{Answer, House, difference, script};

/// Lines of the errors that Perl itself says about values that are not defined, or that only one
/// of the two can know.
fn is_perls_own(line: &[u8]) -> bool {
    let own = ["Use of uninitialized value", "Local time is now", "Universal Time is now"];
    own.iter().any(|own| line.starts_with(own.as_bytes()))
}

/// An answer without those lines.
fn told(answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    if let Answer::Ran { stdout, stderr, .. } = &mut answer {
        for said in [stdout, stderr] {
            let lines = said.split_inclusive(|byte| *byte == b'\n');
            *said = lines.filter(|line| !is_perls_own(line)).flatten().copied().collect();
        }
    }
    answer
}

fn check(house: &House, scripts: &[&str]) {
    let scripts: Vec<Script> = scripts.iter().map(|text| script("sh", text)).collect();
    let both = house.both(&scripts).into_iter();
    let answers: Vec<_> = both.map(|(real, ours)| (told(&real), told(&ours))).collect();
    let wrong: Vec<String> = scripts
        .iter()
        .zip(&answers)
        .filter(|(_, (real, evaluated))| real != evaluated)
        .map(|(script, (real, evaluated))| {
            let end = script.text.char_indices().nth(300).map_or(script.text.len(), |(at, _)| at);
            format!("$ {}\n{}", &script.text[..end], difference(real, evaluated))
        })
        .collect();
    assert!(wrong.is_empty(), "{}\n{} of {} differ", wrong.join("\n"), wrong.len(), scripts.len());
}

/// Has a script run as a package's, with templates and perhaps a configuring script of its own.
fn with_confmodule(body: &str) -> String {
    format!(
        "mkdir /tmp/x; cd /tmp/x; cat > p.templates <<'E'\n{TEMPLATES}E\n\
         cat > p.postinst <<'E'\n#!/bin/sh\nset +e\n. /usr/share/debconf/confmodule\n{body}\nE\n\
         chmod 755 p.postinst; ./p.postinst configure 1.0; echo \"status $?\"; cat /tmp/x/said"
    )
}

const TEMPLATES: &str = "Template: p/string\nType: string\nDefault: some thing\n\
    Description: A text of ${who}?\n About ${who} and \\${what}.\n .\n  more\n of it\n\
    Description-de.UTF-8: Ein Text?\n\n\
    Template: p/select\nType: select\nChoices: one, two\\, three, four\nDefault: four\n\
    Description: Which?\n\n\
    Template: p/boolean\nType: boolean\nDefault: true\nDescription: Yes?\n\n\
    Template: p/multi\nType: multiselect\nChoices: ${choices}\nDefault: a, b\nDescription: Many?\n\n\
    Template: p/password\nType: password\nDescription: SECRET?\n\n\
    Template: p/note\nType: note\nDescription: Note\n That is all.\n\n\
    Template: p/error\nType: error\nDescription: Wrong\n It is wrong, and this line is so long that it \
    has to be broken somewhere behind its seventy-sixth column.\n\n\
    Template: p/title\nType: title\nDescription: Title of ${who}\n\n\
    Template: p/text\nType: text\nDescription: A text\n\n";

const ENVIRONMENTS: [&str; 7] = [
    "export DEBIAN_FRONTEND=",
    "export DEBIAN_FRONTEND=non-interactive",
    "export DEBIAN_FRONTEND=noninteractive",
    "export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=low DEBCONF_NONINTERACTIVE_SEEN=true",
    "export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 LANGUAGE=de_DE.UTF-8:en DEBCONF_NOWARNINGS=yes",
    "",
    "export TERM=xterm DEBIAN_FRONTEND=newt",
];

#[test]
fn scripts_speak_with_debconf() {
    let bodies = [
        "exec 4>/tmp/x/said\nfor c in 'version 2' capb 'get p/string' 'input low p/string' go \
         'subst p/string who you' 'metaget p/string description' \
         'metaget p/string extended_description' 'fget p/string seen' 'fset p/string seen true' \
         'metaget p/string Choices' 'set p/string a  b' 'get p/string' 'reset p/string' \
         'get p/none' 'input none p/string' 'input high p/none' 'unknown' 'purge'; \
         do db_${c%% *} ${c#* }; echo \"$? $RET\" >&4; done",
        "db_input high p/error; db_go; db_get p/error; db_title A title; db_input low p/error; db_go",
        "db_capb backup escape; db_set p/string 'a\\\\nb'; db_get p/string; echo \"$RET\" >/tmp/x/said",
        "db_set p/password SECRET; db_input critical p/select; db_set p/select none; db_go; db_stop; \
         echo end",
        "echo 'SET p/string x' >&3; read x; exit 3",
        "db_set p/string x; exit 4",
        "db_register p/string p/other; db_set p/other v; db_fset p/other seen true; \
         db_unregister p/string; db_subst p/multi choices x, y, z; db_input high p/multi; db_go",
        "db_info p/title; db_settitle p/title; db_progress start 0 10 p/title; db_progress step 1; \
         db_progress info p/string; db_progress stop; db_data p/new type string; \
         db_data p/new description hello; db_x_loadtemplatefile /tmp/x/p.templates q; db_x_loadtemplatefile /none",
        "DEBIAN_HAS_FRONTEND= DEBCONF_REDIR= debconf-set-selections < /dev/null; echo $?",
    ];
    let scripts: Vec<String> = ENVIRONMENTS
        .iter()
        .flat_map(|environment| {
            // Without anybody being said to be there, debconf would wait for an answer.
            let asks = |body: &&str| {
                !environment.is_empty()
                    || !["p/select", "progress", "p/multi"].iter().any(|it| body.contains(it))
            };
            let bodies = bodies.into_iter().filter(asks);
            bodies.map(move |body| format!("{environment}\n{}", with_confmodule(body)))
        })
        .collect();
    check(
        &House::base().of_a_maintainer_script(),
        &scripts.iter().map(|text| &text[..]).collect::<Vec<_>>(),
    );
}

#[test]
fn answers_are_given_before() {
    let scripts = [
        "printf 'a a/b string  x y \\na a/c boolean true\\n# no\\n\\na a/b seen false\\n' | debconf-set-selections -v",
        "printf 'a a/b string x\\\\\\n y\\r\\na tzdata/Areas select Europe\\nb a/p password SECRET\\n' | debconf-set-selections -u; debconf-show a | sort; debconf-show tzdata | sort",
        "printf 'a a/b\\na a/b what x\\na a/none seen true\\na a/empty string\\n' > f; debconf-set-selections f; echo $?; debconf-set-selections -c f none; debconf-show a | sort",
        "echo 'tzdata tzdata/Areas select Europe' | debconf-set-selections; printf 'GET tzdata/Areas\\nFGET tzdata/Areas seen\\nSET tzdata/Zones/Europe Berlin\\nfoo\\n' | debconf-communicate tzdata 2>/dev/null; echo $?",
        "debconf-show; debconf-show --listowners | sort; echo | debconf-communicate; echo GET debconf/priority | debconf-communicate -fnoninteractive x",
        "printf 'a\\\\b\\nc' | debconf-escape -e; echo; printf 'a\\\\\\\\b\\\\nc' | debconf-escape -u; debconf-escape",
        "rm -r /var/cache/debconf/*; echo 'a a/b password SECRET' | debconf-set-selections; echo 'a a/c string x' | debconf-set-selections",
        "rm -r /var/cache/debconf; echo 'a a/b string x' | debconf-set-selections",
        "debconf -fnoninteractive -o me sh -c 'echo GET debconf/frontend; read x; echo $x >&2; exit 4'; echo $?; debconf",
    ];
    check(&House::base().of_a_maintainer_script(), &scripts);
}

#[test]
fn packages_are_configured_again() {
    let scripts = [
        "dpkg-reconfigure nothing; dpkg-reconfigure",
        "dpkg-reconfigure -fnoninteractive libpam-runtime",
        "export DEBIAN_FRONTEND=noninteractive; pam-auth-update --package",
        "export DEBIAN_FRONTEND=noninteractive; pam-auth-update --package --force; pam-auth-update",
        "export DEBIAN_FRONTEND=noninteractive; printf 'Name: Mine\nDefault: yes\nPriority: 300\n\
         Auth-Type: Primary\nAuth:\n\t[success=end default=ignore]\tpam_x.so a b\nAuth-Initial:\n\
         \t[success=end default=ignore]\tpam_x.so first\nSession-Type: Additional\nSession:\n\
         \toptional\tpam_x.so\nSession-Interactive-Only: yes\n' > /usr/share/pam-configs/mine; \
         pam-auth-update --package; cat /etc/pam.d/common-auth; pam-auth-update --package --remove mine",
    ];
    check(&House::base().of_a_maintainer_script(), &scripts);
}
