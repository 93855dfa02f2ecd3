//! dpkg itself: small packages of every shape, installed, upgraded, removed and purged by the real
//! one and by ours. Output, exit status, files and database are compared byte for byte.

mod package;

use std::fs;
use std::path::Path;

use layer::{Attributes, Content, Entry, Node};
use oci::ImagePath;
use sides::{Answer, House, Kind, State, difference, script};
use testbed::shells::Script;

use package::{Package, package};

/// Paths that are not compared, and why.
const LEFT_OUT: [(&str, &str); 8] = [
    ("var/log/", "logs say when somebody ran something"),
    ("var/lib/dpkg/lock", "locks are opened, which changes their time and nothing else"),
    ("var/lib/dpkg/lock-frontend", "the same"),
    ("var/lib/dpkg/triggers/Lock", "the same"),
    ("var/cache/ldconfig/", "it holds inodes and times"),
    ("etc/ld.so.cache", "it is ldconfig's, which is tested by itself"),
    ("var/lib/dpkg/updates", "the journal is empty in the end, and its directory's time is new"),
    ("debs", "the packages themselves"),
];

/// Runs each script on both sides, and demands that they agree.
fn check(packages: &[Package], scripts: &[&str]) {
    let work = tempfile::tempdir().unwrap();
    let house = house(work.path(), packages);
    let scripts: Vec<Script> = scripts.iter().map(|text| script("sh", text)).collect();
    let mut differences = String::new();
    for (script, (real, evaluated)) in scripts.iter().zip(house.both(&scripts)) {
        let (real, evaluated) = (compared(real), compared(evaluated));
        if real != evaluated {
            let difference = difference(&real, &evaluated);
            differences.push_str(&format!("{}\n{difference}\n", script.text));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// The base with packages in `/debs`.
fn house(work: &Path, packages: &[Package]) -> House {
    let directory = work.join("below");
    fs::create_dir_all(directory.join("debs")).unwrap();
    let mut house = House::base();
    let mut entries = vec![entry("debs", 0o755, Node::Directory)];
    for package in packages {
        let (file, deb, contents) = package.build(work);
        let path = format!("debs/{}", package.file);
        fs::write(directory.join(&path), &file).unwrap();
        entries.push(entry(&path, 0o644, Node::File(Content::of(&file))));
        house = house.knowing(deb, contents);
    }
    house.below(directory, entries)
}

/// An answer without what is not compared.
fn compared(mut answer: Answer) -> Answer {
    if let Answer::Ran { tree, .. } = &mut answer {
        tree.retain(|path, _| {
            let is_left_out = |(start, _): &(&str, &str)| match start.ends_with('/') {
                true => path.starts_with(start) || format!("{path}/") == *start,
                false => path == start || path.starts_with(&format!("{start}/")),
            };
            !LEFT_OUT.iter().any(is_left_out)
        });
        for (path, state) in tree {
            let is_info = path.starts_with("var/lib/dpkg/info/");
            if let State::Here { kind, time, .. } = state
                && (*kind == Kind::Directory || is_info)
            {
                // A directory's time is that of the last file that came into it; a control file's
                // is that of the package's archive, which is not kept.
                *time = None;
            }
        }
    }
    answer
}

fn entry(path: &str, mode: u32, node: Node) -> Entry {
    Entry { path: ImagePath::lexical(path), attributes: Attributes::root(mode, 1000), node }
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
