//! dpkg itself: small packages of every shape, installed, upgraded, removed and purged by the real
//! one and by ours. Output, exit status, files and database are compared byte for byte.

mod package;
mod sides;

use testbed::shells::Script;

use crate::comparison::{Answer, Bytes, Kind, State};
use package::{Package, package};
use sides::Sides;

/// Runs each script on both sides, and demands that they agree.
fn check(packages: &[Package], scripts: &[&str]) {
    let sides = Sides::new(packages);
    let script = |text: &&str| Script { shell: "/bin/sh", text: (*text).to_owned() };
    let scripts: Vec<Script> = scripts.iter().map(script).collect();
    let mut differences = String::new();
    for (script, (real, evaluated)) in scripts.iter().zip(sides.both(&scripts)) {
        if real != evaluated {
            differences.push_str(&format!("{}\n", script.text));
            differences.push_str(&different_lines(&lines(&real), &lines(&evaluated)));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// All of an answer, each line of each file a line of its own.
fn lines(answer: &Answer) -> String {
    let Answer::Ran { status, stdout, stderr, tree } = answer else { return answer.shown() };
    let mut lines = vec![format!("status {status}")];
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (mark, bytes) in [("1>", stdout), ("2>", stderr)] {
        lines.extend(text(bytes).lines().map(|line| format!("{mark} {line}")));
    }
    for (path, state) in tree {
        match state {
            State::Here {
                kind: Kind::File(Bytes::Known(bytes)),
                mode,
                owner,
                time,
                first_name,
            } => {
                lines.push(format!("{path} {mode:o} {owner:?} {time:?} {first_name:?}"));
                lines.extend(text(bytes).lines().map(|line| format!("{path}: {line}")));
            }
            other => lines.push(format!("{path} {other:?}")),
        }
    }
    lines.join("\n")
}

/// The lines that only one side has.
fn different_lines(real: &str, evaluated: &str) -> String {
    let only = |mark: &str, one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.take(20).map(|line| format!("{mark}{line}\n")).collect::<String>()
    };
    let first = real.lines().zip(evaluated.lines()).find(|(one, other)| one != other);
    format!(
        "{}{}first: {first:?}\n",
        only("real: ", real, evaluated),
        only("ours: ", evaluated, real)
    )
}

#[test]
fn a_package_lives() {
    let one = package(
        "a1.deb",
        "a",
        "1.0-1",
        "Depends: libc6 (>=2.0)|x , b\nSection: misc\nPriority: optional",
    )
    .scripts()
    .mode("bin/a", 0o755, "one")
    .hardlink("bin/again", "bin/a")
    .link("usr/share/a/link", "../../bin/a")
    .mode("usr/lib/a/helper", 0o4755, "helper")
    .owner("usr/lib/a/helper", 6, 12)
    .directory("var/lib/a", 0o2775)
    .owner("var/lib/a", 0, 50)
    .file("usr/share/old/only", "old")
    .conffile("etc/a.conf", "setting=1\n")
    .conffile("etc/a/gone.conf", "gone=1\n");
    let two = package("a2.deb", "a", "1.1-1", "Depends: b")
        .scripts()
        .mode("usr/bin/a", 0o755, "two")
        .link("usr/share/a/link", "elsewhere")
        .conffile("etc/a.conf", "setting=2\n");
    let b = package("b.deb", "b", "0:2", "").scripts().file("usr/share/b/file", "b");
    check(
        &[one, two, b],
        &[
            "dpkg -i /debs/a1.deb /debs/b.deb",
            "dpkg -i /debs/a1.deb",
            "dpkg -i /debs/a1.deb /debs/b.deb; dpkg -i /debs/a2.deb",
            "dpkg -i /debs/a1.deb /debs/b.deb; dpkg -i /debs/a2.deb; dpkg -r a; dpkg -P a",
            "dpkg -i /debs/a1.deb /debs/b.deb; dpkg -r a; dpkg -P a",
            "dpkg -i /debs/a1.deb /debs/b.deb; dpkg -P b a",
            "dpkg -i /debs/a1.deb /debs/b.deb; dpkg -r b",
            "dpkg --unpack /debs/a1.deb /debs/b.deb; dpkg --configure -a",
            "dpkg -i /debs/a1.deb /debs/b.deb; echo mine > /etc/a.conf; dpkg -i /debs/a2.deb < /dev/null",
            "dpkg -i /debs/a1.deb /debs/b.deb; echo mine > /etc/a.conf; dpkg --force-confold -i /debs/a2.deb",
            "dpkg -i /debs/a1.deb /debs/b.deb; echo mine > /etc/a.conf; dpkg --force-confnew -i /debs/a2.deb",
            "dpkg -i /debs/a1.deb /debs/b.deb; rm /etc/a.conf; dpkg --force-confmiss -i /debs/a2.deb",
            "dpkg -i /debs/a1.deb /debs/b.deb; rm /etc/a.conf; dpkg --force-confdef -i /debs/a2.deb",
            "dpkg -i /debs/a1.deb /debs/b.deb; dpkg -r --force-depends b; dpkg -P a",
        ],
    );
}

#[test]
fn scripts_fail() {
    let good = |file: &str, version: &str| {
        package(file, "a", version, "")
            .scripts()
            .file(&format!("usr/share/a/{version}"), version)
            .file("usr/share/a/both", version)
            .conffile("etc/a.conf", version)
    };
    let failing = |file: &str, version: &str, script: &str, when: &str| {
        let more = format!("case \"$1\" in {when}) echo failing >&2; exit 3;; esac");
        let base = package(file, "a", version, "")
            .file(&format!("usr/share/a/{version}"), version)
            .file("usr/share/a/both", version)
            .conffile("etc/a.conf", version);
        ["preinst", "postinst", "prerm", "postrm"]
            .iter()
            .fold(base, |own, name| own.script(name, if *name == script { &more } else { "" }))
    };
    check(
        &[
            good("1.deb", "1"),
            good("2.deb", "2"),
            failing("preinst.deb", "2", "preinst", "install|upgrade"),
            failing("postinst.deb", "2", "postinst", "configure"),
            failing("prerm.deb", "1", "prerm", "remove|upgrade"),
            failing("prerm-all.deb", "1", "prerm", "remove|upgrade|failed-upgrade"),
            failing("prerm2.deb", "2", "prerm", "failed-upgrade"),
            failing("postrm.deb", "1", "postrm", "remove|purge|upgrade"),
            failing("postrm2.deb", "2", "postrm", "failed-upgrade|abort-upgrade"),
            failing("preinst-abort.deb", "2", "preinst", "install|upgrade|abort-upgrade"),
        ],
        &[
            "dpkg -i /debs/preinst.deb; dpkg -i /debs/1.deb; dpkg -i /debs/preinst.deb",
            "dpkg -i /debs/postinst.deb; dpkg --configure a; dpkg -r a",
            "dpkg -i /debs/prerm.deb; dpkg -r a; dpkg -i /debs/2.deb",
            "dpkg -i /debs/prerm-all.deb; dpkg -i /debs/prerm2.deb",
            "dpkg -i /debs/postrm.deb; dpkg -i /debs/2.deb",
            "dpkg -i /debs/postrm.deb; dpkg -i /debs/postrm2.deb",
            "dpkg -i /debs/postrm.deb; dpkg -r a; dpkg -P a",
            "dpkg -i /debs/1.deb; dpkg -r a; dpkg -i /debs/preinst.deb; dpkg -i /debs/2.deb; dpkg --purge a",
            "dpkg -i /debs/1.deb; dpkg -i /debs/preinst-abort.deb",
            "dpkg -i /debs/2.deb; dpkg -i /debs/1.deb; dpkg --refuse-downgrade -i /debs/1.deb",
            "dpkg -i /debs/nothing.deb; dpkg -r nothing; dpkg -P nothing; dpkg --configure nothing; dpkg -r dpkg",
            "dpkg -i /debs/1.deb; dpkg -i /debs/1.deb; dpkg --configure a; dpkg -r a; dpkg -r a",
        ],
    );
}

#[test]
fn packages_stand_in_each_others_way() {
    let a = |file: &str, fields: &str| {
        package(file, "a", "1", fields)
            .scripts()
            .file("usr/share/shared", "a")
            .file("usr/share/a/own", "a")
    };
    let b = |file: &str, version: &str, fields: &str| {
        package(file, "b", version, fields).scripts().file("usr/share/shared", "b")
    };
    check(
        &[
            a("a.deb", ""),
            a("a-replaced.deb", "Replaces: b"),
            b("b.deb", "1", ""),
            b("b-replaces.deb", "1", "Replaces: a (<< 2)"),
            b("b-replaces-late.deb", "1", "Replaces: a (>= 2)"),
            package("c.deb", "c", "1", "Conflicts: a\nReplaces: a\nProvides: a")
                .scripts()
                .file("usr/share/shared", "c"),
            package("c-alone.deb", "c", "1", "Conflicts: a").scripts(),
            package("d.deb", "d", "1", "Depends: a").scripts(),
            package("e.deb", "e", "1", "Breaks: a").scripts(),
            package("f.deb", "f", "1", "Pre-Depends: a").scripts(),
            package("part.deb", "part", "1", "").scripts().file("usr/share/part/one", "1"),
            package("whole.deb", "whole", "1", "Replaces: part")
                .scripts()
                .file("usr/share/part/one", "1")
                .file("usr/share/part/two", "2"),
            package("cycle1.deb", "cycle1", "1", "Depends: cycle2").script("postinst", ""),
            package("cycle2.deb", "cycle2", "1", "Depends: cycle1"),
            package("essential.deb", "essential", "1", "Essential: yes").scripts(),
        ],
        &[
            "dpkg -i /debs/a.deb /debs/b.deb",
            "dpkg -i /debs/a.deb; dpkg --force-overwrite -i /debs/b.deb",
            "dpkg -i /debs/a.deb /debs/b-replaces.deb; dpkg -r b; dpkg -r a",
            "dpkg -i /debs/a.deb /debs/b-replaces-late.deb",
            "dpkg -i /debs/b.deb; dpkg -i /debs/a-replaced.deb; dpkg -P b",
            "dpkg -i /debs/a-replaced.deb; dpkg -i /debs/b.deb; dpkg -P a",
            "dpkg -i /debs/a.deb; dpkg -i /debs/c.deb; dpkg -P c",
            "dpkg -i /debs/a.deb; dpkg -i /debs/c-alone.deb",
            "dpkg -i /debs/a.deb /debs/d.deb; dpkg -i /debs/c.deb",
            "dpkg -i /debs/a.deb /debs/d.deb; dpkg -B -i /debs/c.deb",
            "dpkg -i /debs/a.deb; dpkg -i /debs/e.deb; dpkg -B -i /debs/e.deb; dpkg --configure -a",
            "dpkg -i /debs/f.deb; dpkg --unpack /debs/a.deb; dpkg -i /debs/f.deb; dpkg --configure -a; dpkg -i /debs/f.deb",
            "dpkg -i /debs/part.deb; dpkg -i /debs/whole.deb",
            "dpkg -i /debs/cycle1.deb /debs/cycle2.deb; dpkg -r cycle1 cycle2",
            "dpkg -i /debs/cycle2.deb /debs/cycle1.deb; dpkg -P cycle2",
            "dpkg -i /debs/essential.deb; dpkg -r essential; dpkg -r --force-remove-essential essential; dpkg --force-remove-essential -r essential",
            "dpkg -i /debs/d.deb /debs/a.deb; dpkg -r a; dpkg -r a d",
            "dpkg -i /debs/a.deb; echo a hold | dpkg --set-selections; dpkg --get-selections a; dpkg -i /debs/c.deb; dpkg -r a",
        ],
    );
}

#[test]
fn triggers_run() {
    let t = package("t.deb", "t", "1", "").scripts().control(
        "triggers",
        "interest /usr/share/watched\ninterest-noawait named\ninterest both\n",
    );
    let t2 = package("t2.deb", "t", "2", "")
        .scripts()
        .control("triggers", "interest-noawait /usr/share/watched/deeper\n");
    let broken = package("broken.deb", "t", "3", "")
        .script("postinst", "test \"$1\" != triggered")
        .control("triggers", "interest both\n");
    let w = package("w.deb", "w", "1", "").scripts().file("usr/share/watched/deeper/file", "1");
    let w2 = package("w2.deb", "w", "2", "").scripts().file("usr/share/watched/other", "1");
    let n = package("n.deb", "n", "1", "")
        .scripts()
        .control("triggers", "activate named\nactivate-noawait both\n");
    let m = package("m.deb", "m", "1", "").scripts().control("triggers", "activate both\n");
    let s = package("s.deb", "s", "1", "")
        .script(
            "postinst",
            "dpkg-trigger both; dpkg-trigger --no-await named; dpkg-trigger /usr/share/watched/x",
        )
        .script("postrm", "dpkg-trigger named");
    let d = package("d.deb", "d", "1", "Depends: m").scripts();
    let l = package("l.deb", "l", "1", "").control("triggers", "activate-noawait ldconfig\n");
    check(
        &[t, t2, broken, w, w2, n, m, s, d, l],
        &[
            "dpkg -i /debs/t.deb; dpkg -i /debs/w.deb; dpkg -i /debs/w2.deb; dpkg -P w",
            "dpkg -i /debs/t.deb; dpkg -i /debs/n.deb /debs/m.deb /debs/d.deb",
            "dpkg -i /debs/t.deb; dpkg --no-triggers -i /debs/n.deb /debs/m.deb; dpkg --configure -a",
            "dpkg -i /debs/t.deb; dpkg --no-triggers -i /debs/m.deb /debs/d.deb; dpkg --triggers-only -a; dpkg --configure -a",
            "dpkg -i /debs/t.deb; dpkg --no-triggers --unpack /debs/m.deb; dpkg --triggers-only t; dpkg --configure m",
            "dpkg -i /debs/t.deb; dpkg -i /debs/s.deb; dpkg -P s",
            "dpkg -i /debs/t.deb; dpkg -i /debs/t2.deb; dpkg -i /debs/w.deb; dpkg -P t; dpkg -P w",
            "dpkg -i /debs/broken.deb; dpkg -i /debs/m.deb /debs/d.deb; dpkg --configure -a; dpkg -i /debs/t.deb",
            "dpkg -i /debs/t.deb; dpkg-trigger --no-await both; dpkg-trigger --by-package=t named; dpkg --configure -a",
            "dpkg -i /debs/t.deb; dpkg -r t; dpkg -i /debs/m.deb",
            "dpkg -i /debs/t.deb /debs/w.deb /debs/n.deb; dpkg -i /debs/m.deb /debs/s.deb /debs/t2.deb",
        ],
    );
}

#[test]
fn files_are_elsewhere_and_otherwise() {
    let a = package("a.deb", "a", "1", "")
        .scripts()
        .mode("usr/bin/tool", 0o755, "a")
        .directory("usr/share/dir", 0o700)
        .file("usr/share/dir/file", "1")
        .link("usr/share/to-dir", "dir")
        .link("usr/share/link", "dir/file")
        .file("usr/share/doc/a/README", "r")
        .file("usr/share/doc/a/copyright", "c")
        .file("usr/share/locale/de/a.mo", "de")
        .conffile("etc/a/conf", "1")
        .file("usr/share/gone/deep/er/file", "x");
    let a2 = package("a2.deb", "a", "2", "")
        .scripts()
        .mode("usr/bin/tool", 0o755, "a2")
        .file("usr/share/to-dir/file", "2")
        .link("usr/share/dir", "elsewhere")
        .directory("usr/share/link", 0o755)
        .file("usr/share/link/inside", "2")
        .file("DEBIAN/conffiles", "remove-on-upgrade /etc/a/conf\n")
        .file("usr/share/doc/a/copyright", "c2");
    let a3 = package("a3.deb", "a", "3", "")
        .scripts()
        .file("usr/share/gone", "now a file")
        .conffile("etc/a/conf", "3");
    let d = package("d.deb", "d", "1", "").script("preinst", "test \"$1\" != install || dpkg-divert --package d --add --rename --divert /usr/bin/tool.real /usr/bin/tool").mode("usr/bin/tool", 0o755, "d");
    let m = |file: &str, text: &str| {
        package(file, "m", "1", "Multi-Arch: same")
            .scripts()
            .file("usr/share/m/shared", text)
            .conffile("etc/m.conf", "m")
    };
    let foreign = |file: &str, version: &str, text: &str| {
        package(file, "m", version, "Architecture: i386\nMulti-Arch: same")
            .scripts()
            .file("usr/share/m/shared", text)
            .file("usr/lib/i386/m", "i")
            .conffile("etc/m.conf", "m")
    };
    let all =
        package("all.deb", "a", "4", "Architecture: all").scripts().file("usr/share/a/all", "4");
    check(
        &[
            a,
            a2,
            a3,
            d,
            m("m.deb", "m"),
            foreign("m386.deb", "1", "m"),
            foreign("m386-other.deb", "1", "other"),
            foreign("m386-2.deb", "2", "m"),
            all,
        ],
        &[
            "dpkg -i /debs/a.deb; dpkg -i /debs/a2.deb; dpkg -i /debs/a3.deb; dpkg -P a",
            "dpkg -i /debs/a.deb; echo mine > /etc/a/conf; dpkg -i /debs/a2.deb; dpkg -r a",
            "dpkg -i /debs/a.deb; dpkg -i /debs/a3.deb; ls -l /usr/share/gone",
            "dpkg -i /debs/a.deb; touch /usr/share/gone/deep/own; dpkg -r a; dpkg -P a",
            "echo 'path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\npath-exclude=/usr/share/locale/*' > /etc/dpkg/dpkg.cfg.d/slim; dpkg -i /debs/a.deb; dpkg -i /debs/a2.deb; dpkg -P a",
            "echo '6 12 4755 /usr/bin/tool' | sed 's/^6 12/man man/' > /var/lib/dpkg/statoverride; dpkg -i /debs/a.deb",
            "printf '/usr/bin/tool\n/usr/bin/tool.real\n:\n' >> /var/lib/dpkg/diversions; dpkg -i /debs/a.deb; dpkg -P a",
            "printf '/usr/bin/tool\n/usr/bin/tool.real\nd\n' >> /var/lib/dpkg/diversions; dpkg -i /debs/a.deb /debs/a2.deb; dpkg -P a",
            "dpkg -i /debs/m386.deb; dpkg --add-architecture i386; cat /var/lib/dpkg/arch; dpkg --print-foreign-architectures; dpkg -i /debs/m.deb /debs/m386.deb; dpkg -P m:i386; dpkg --purge m",
            "dpkg --add-architecture i386; dpkg -i /debs/m.deb; dpkg -i /debs/m386-other.deb; dpkg -i /debs/m386-2.deb",
            "dpkg -i /debs/a.deb; dpkg -i /debs/all.deb; dpkg -i /debs/a.deb; dpkg -P a",
            "mkdir /elsewhere; echo own > /elsewhere/conf; mkdir -p /etc/a; ln -s /elsewhere/conf /etc/a/conf; dpkg --force-confold -i /debs/a.deb; dpkg -P a",
            "dpkg -i /debs/a.deb; cp /etc/a/conf /etc/a/conf~; touch '/etc/a/#conf#' /etc/a/conf.dpkg-old /etc/a/conf.x; dpkg -P a",
            "mkdir -p /usr/share/dir; chmod 711 /usr/share/dir; echo old > /usr/share/dir/file; dpkg -i /debs/a.deb",
        ],
    );
}

#[test]
fn scripts_know_where_they_are() {
    let a = package("a.deb", "a", "1", "").script("postinst", "env | grep '^DPKG' | grep -v VERSION | sort; pwd; umask; echo \"$PATH $0\"; cat /var/lib/dpkg/updates/0003; if read -r line; then echo read; fi");
    let b = package("b.deb", "b", "1", "Depends: c | d").scripts();
    let d = package("d.deb", "d", "1", "Provides: c").scripts();
    let many: Vec<Package> = ["zlib", "alpha", "midway", "q-one", "q-two", "other"]
        .iter()
        .map(|name| package(&format!("{name}.deb"), name, "1", "").scripts())
        .collect();
    let mut all = vec![a, b, d];
    all.extend(many);
    check(
        &all,
        &[
            "dpkg -i /debs/a.deb < /dev/null",
            "echo line | dpkg -i /debs/a.deb",
            "dpkg -i /debs/b.deb /debs/d.deb; dpkg -r d; dpkg -P b d",
            "dpkg --unpack /debs/alpha.deb /debs/zlib.deb /debs/q-two.deb /debs/q-one.deb /debs/midway.deb /debs/other.deb; dpkg --configure -a",
            "dpkg --unpack /debs/alpha.deb /debs/zlib.deb; dpkg --configure zlib alpha zlib; dpkg -r alpha alpha",
            "for pair in '1 lt 2' '1.0~rc1 ge 1.0' '1:1 gt 2' '1 eq 1.0' '1 = 1-0' 'a lt 1'; do dpkg --compare-versions $pair; echo $?; done; dpkg --compare-versions '' lt 1; echo $?; dpkg --compare-versions '' gt-nl 1; echo $?",
            "dpkg --print-architecture; dpkg --print-foreign-architectures; dpkg --audit; dpkg --get-selections | head -3; dpkg --get-selections dpkg bash nothing",
            "dpkg -i /debs/zlib.deb; printf 'zlib deinstall\nnothing install\n' | dpkg --set-selections; dpkg --get-selections zlib; dpkg -r --pending; dpkg -r -a",
        ],
    );
}
