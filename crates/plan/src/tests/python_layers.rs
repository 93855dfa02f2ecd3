//! What packages become as layers.

use layer::Packing;

use super::packages::PYTHON;
use super::{Report, World, context};

pub(super) fn world() -> World {
    context(&[]).base(&[PYTHON])
}

/// Each requirement is pinned.
pub(super) fn plan(world: &World, requirements: &[&str]) -> Report {
    plan_with(world, requirements, "")
}

pub(super) fn plan_with(world: &World, requirements: &[&str], more: &str) -> Report {
    let list = requirements.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>();
    world.plan(&format!("base = \"base\"\n[python]\nrequirements = [{}]\n{more}", list.join(", ")))
}

/// The layers, without what every wheel has.
pub(super) fn layers(report: &Report) -> String {
    let files = report.files.replace("usr/local/lib/python3.11/site-packages", "SITE");
    let lines = files.lines().filter(|line| !line.contains(".dist-info/"));
    lines.map(|line| format!("{line}\n")).collect::<String>() + &report.messages
}

pub(super) const FLASK: &[&str] =
    &["site:flask/__init__.py=1", "site:flask/json/tag.py=2", "755 bin:flask=run"];

#[test]
fn a_wheel_becomes_its_files() {
    let world = world().package("flask==3.0", FLASK, &[]);
    let report = plan(&world, &["flask==3.0"]);
    insta::assert_snapshot!(report.files, @r"
    PYTHON flask==3.0:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 usr/local/lib/python3.11/site-packages/flask/
    0644 0:0 usr/local/lib/python3.11/site-packages/flask/__init__.py=1
    0755 0:0 usr/local/lib/python3.11/site-packages/flask/json/
    0644 0:0 usr/local/lib/python3.11/site-packages/flask/json/tag.py=2
    0755 0:0 usr/local/lib/python3.11/site-packages/flask-3.0.dist-info/
    0644 0:0 usr/local/lib/python3.11/site-packages/flask-3.0.dist-info/METADATA=Name: flask\nVersion: 3.0\n
    0644 0:0 usr/local/lib/python3.11/site-packages/flask-3.0.dist-info/RECORD=/usr/local/lib/python3.11/site-packages/flask/__init__.py,,\n/usr/local/lib/python3.11/site-packages/flask/json/tag.py,,\n/usr/local/bin/flask,,\n/usr/local/lib/python3.11/site-packages/flask-3.0.dist-info/METADATA,,\n/usr/local/lib/python3.11/site-packages/flask-3.0.dist-info/RECORD,,\n
    ");
    insta::assert_snapshot!(report.history, @"PYTHON flask==3.0");
}

#[test]
fn small_packages_share_and_large_ones_do_not() {
    let world = world()
        .package("numpy==2.1", &["site:numpy/core.so=90000000 bytes"], &[])
        .package("pandas==2.2", &["site:pandas/lib.so=80000000 bytes"], &["numpy", "six", "dates"])
        .package("six==1.16", &["site:six.py=1"], &[])
        .package("dates==2.9", &["site:dates/__init__.py=1"], &[]);
    let report = plan(&world, &["pandas==2.2"]);
    insta::assert_snapshot!(layers(&report), @"
    PYTHON numpy==2.1:
    0755 0:0 SITE/numpy/
    0644 0:0 SITE/numpy/core.so=90000000 bytes
    PYTHON pandas==2.2:
    0755 0:0 SITE/pandas/
    0644 0:0 SITE/pandas/lib.so=80000000 bytes
    PYTHON dates==2.9 six==1.16:
    0755 0:0 SITE/dates/
    0644 0:0 SITE/dates/__init__.py=1
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(report.history, @"
    PYTHON numpy==2.1
    PYTHON pandas==2.2
    PYTHON dates==2.9 six==1.16
    ");
}

#[test]
fn names_of_many_are_counted() {
    let mut world = world();
    let mut pins = Vec::new();
    for number in 0..40 {
        let pin: &'static str = format!("package-{number:02}==1.0").leak();
        let file: &'static str = format!("site:package_{number}.py=1").leak();
        world = world.package(pin, &[file], &[]);
        pins.push(pin);
    }
    insta::assert_snapshot!(plan(&world, &pins).history, @"PYTHON package-00==1.0 package-01==1.0 and 38 more");
}

#[test]
fn a_layer_does_not_depend_on_its_neighbours() {
    let large = ["site:space/large/a.so=90000000 bytes", "site:space/same.py=1"];
    let world = world()
        .package("large==1.0", &large, &[])
        .package(
            "other==1.0",
            &["site:space/other/b.so=70000000 bytes", "site:space/same.py=1"],
            &[],
        )
        .package("small==1.0", &["site:space/small.py=1"], &[]);
    let alone = plan(&world, &["large==1.0"]);
    let both = plan(&world, &["large==1.0", "other==1.0", "small==1.0"]);
    insta::assert_snapshot!(layers(&both), @"
    PYTHON large==1.0:
    0755 0:0 SITE/space/
    0755 0:0 SITE/space/large/
    0644 0:0 SITE/space/large/a.so=90000000 bytes
    0644 0:0 SITE/space/same.py=1
    PYTHON other==1.0:
    0755 0:0 SITE/space/
    0755 0:0 SITE/space/other/
    0644 0:0 SITE/space/other/b.so=70000000 bytes
    0644 0:0 SITE/space/same.py=1
    PYTHON small==1.0:
    0755 0:0 SITE/space/
    0644 0:0 SITE/space/small.py=1
    ");
    assert_eq!(alone.keys[0], both.keys[0]);
    // Nor on the base, as long as the directories are the same.
    let system: &[&str] = &["etc/os-release=other"];
    let other =
        context(&[]).image("base", &[PYTHON, system], "{}").package("large==1.0", &large, &[]);
    assert_eq!(plan(&other, &["large==1.0"]).keys, alone.keys);
}

#[test]
fn one_package_moves_one_layer() {
    let mut world = world().package("bumped==1.0", &["site:bumped.py=old"], &[]);
    world = world.package("bumped==1.1", &["site:bumped.py=new"], &[]).package(
        "more==1.0",
        &["site:more.py=1"],
        &[],
    );
    let mut pins = vec!["bumped==1.0"];
    for number in 0..60 {
        let pin: &'static str = format!("package-{number:02}==1.0").leak();
        let size = (number * number * 37 % 41) * 330_000 + 1000;
        let file: &'static str = format!("site:package_{number}.so={size} bytes").leak();
        world = world.package(pin, &[file], &[]);
        pins.push(pin);
    }
    let before = plan(&world, &pins).keys;
    assert!(before.len() > 20, "{}", before.len());
    let moved = |pins: &[&str]| {
        let after = plan(&world, pins).keys;
        before.iter().filter(|key| !after.contains(key)).count()
    };
    assert_eq!(moved(&[&["bumped==1.1"], &pins[1..]].concat()), 1);
    // It may have a layer of its own.
    assert!(moved(&[&["more==1.0"], &pins[..]].concat()) <= 1);
    assert!(moved(&pins[1..]) <= 1);
    pins.reverse();
    assert_eq!(moved(&pins), 0);
}

#[test]
fn links_of_the_base_are_followed() {
    let base: &[&str] = &[
        "usr/local/bin/python3 -> python3.11",
        "755 usr/local/bin/python3.11=python",
        "usr/local/lib/python3.11/os.py=os",
        "usr/local/lib/python3.11/site-packages -> /opt/site",
        "usr/local/share -> ../share",
        "usr/local/alias -> ../../opt/site",
        "2775 opt/site/ @0:50",
        "usr/share/",
        "lib -> usr/lib",
        "usr/lib/aarch64-linux-gnu/libc.so.6 -> libc-2.36.so",
        "usr/lib/aarch64-linux-gnu/libc-2.36.so=libc",
    ];
    let world = context(&[]).base(&[base]).package(
        "a==1",
        &[
            "site:a/x.py=1",
            "site:b.py=2",
            "data:share/a/text=3",
            "data:alias/b.py=4",
            "site:c.so=90000 bytes",
        ],
        &[],
    );
    let report = plan(&world, &["a==1"]);
    insta::assert_snapshot!(layers(&report), @"
    PYTHON a==1:
    2775 0:50 opt/site/ at 7
    0755 0:0 opt/site/a/
    0644 0:0 opt/site/a/x.py=1
    0644 0:0 opt/site/b.py=2
    0644 0:0 opt/site/c.so=90000 bytes
    0755 0:0 usr/share/a/
    0644 0:0 usr/share/a/text=3
    ");
    assert_eq!(report.streams, [1]);
}

#[test]
fn of_two_files_the_later_stays() {
    let world = world()
        .package("a==1", &["site:x.py=a", "site:y.py=a", "site:same.py=s", "site:a.py=1"], &[])
        .package("b==1", &["site:x.py=b", "site:y.py=b", "site:same.py=s"], &[])
        .package("c==1", &["site:x.py=c", "site:large.so=9000000 bytes"], &[]);
    insta::assert_snapshot!(layers(&plan(&world, &["a==1", "b==1", "c==1"])), @"
    PYTHON c==1:
    0644 0:0 SITE/large.so=9000000 bytes
    0644 0:0 SITE/x.py=c
    PYTHON a==1 b==1:
    0644 0:0 SITE/a.py=1
    0644 0:0 SITE/same.py=s
    0644 0:0 SITE/y.py=b
    warning: «[python]»: `a` and `b` both have `/usr/local/lib/python3.11/site-packages/y.py`; that of `b` stays
    warning: «[python]»: `a` and `c` both have `/usr/local/lib/python3.11/site-packages/x.py`; that of `c` stays
    warning: «[python]»: `b` and `c` both have `/usr/local/lib/python3.11/site-packages/x.py`; that of `c` stays
    ");
}

#[test]
fn a_file_where_another_needs_a_directory() {
    let world = world().package("a==1", &["site:x=1", "site:large.so=9000000 bytes"], &[]).package(
        "b==1",
        &["site:x/y/z.py=1"],
        &[],
    );
    insta::assert_snapshot!(layers(&plan(&world, &["a==1", "b==1"])), @"error: «[python]»: `a` has a file `/usr/local/lib/python3.11/site-packages/x`, where `b` needs a directory for `/usr/local/lib/python3.11/site-packages/x/y/z.py` (they cannot be installed together)");
}

#[test]
fn layers_are_few_enough() {
    let mut world = world().target("0");
    let mut pins = Vec::new();
    for number in 0..80 {
        let pin: &'static str = format!("large-{number:02}==1.0").leak();
        let file: &'static str =
            format!("site:large_{number}.so={}000000 bytes", number + 10).leak();
        world = world.package(pin, &[file], &[]);
        pins.push(pin);
    }
    let count = |more: &str| plan_with(&world, &pins, more).keys.len();
    assert!((30..60).contains(&count("")), "{}", count(""));
    assert!(count("max-layers = 10") < 10);
    assert_eq!(count("max-layers = 2"), 1);
    // Files that are yet to be copied count.
    assert!(count("max-layers = 10\n[[files]]\ncontent = \"1\"\nto = \"/1\"") < 10);
    let report = plan_with(&world, &pins[..2], "max-layers = 1");
    insta::assert_snapshot!(report.messages, @"warning: «1»: `max-layers` is 1, and without packages the image has 1 already (all packages share one layer)");
    assert_eq!(report.keys.len(), 1);
    // A base with very many layers leaves room for a few all the same.
    const NOTHING: &[&str] = &[];
    let mut bases = vec![NOTHING; 100];
    bases.push(PYTHON);
    world = World { bases: Vec::new(), ..world }.base(&bases);
    let on_many = plan(&world, &pins).keys.len();
    assert!((1..=4).contains(&on_many), "{on_many}");
}

#[test]
fn streams_are_kept_for_gzip() {
    let files = ["site:large.so=90000 bytes", "site:small.py=90 bytes"];
    let world = || world().package("a==1", &files, &[]);
    let gzip = plan(&world(), &["a==1"]);
    assert_eq!(gzip.streams, [1]);
    let plain = plan(&world().packing(Packing::None), &["a==1"]);
    assert_eq!(plain.streams, [0]);
    assert_ne!(gzip.keys, plain.keys);
    // Another wheel with the same files has other streams.
    let other = world().package("a==2", &files, &[]);
    let renamed = plan(&other, &["a==2"]);
    assert_ne!(gzip.keys, renamed.keys);
}

/// A shell, and a program that is not built in.
const MAKE: &[&str] = &["bin/sh -> dash", "755 bin/dash=dash", "755 bin/make=make"];

#[test]
fn a_run_before_it_needs_execution() {
    // What is wrong with the files is wrong all the same.
    let world = context(&["a.txt=six=1"]).base(&[PYTHON, MAKE]);
    let second = "base = \"base\"\n[python]\nrequirements = [\"six==1.16\"]";
    let report = world.then(second).plan("FROM base\nRUN make\n");
    insta::assert_snapshot!(report.files, @"
    RUN make: needs execution: `make` is not built in
    PYTHON six==1.16: needs execution: an instruction before it needs execution
    ");
    let world = context(&["a.txt=six=1"]).base(&[PYTHON, MAKE]);
    let second = "base = \"base\"\n[python]\nrequirements-files = [\"a.txt\"]";
    insta::assert_snapshot!(world.then(second).plan("FROM base\nRUN make\n").messages, @r#"error: «"a.txt"»: a.txt:1: `=` is no operator (write `six==1`)"#);
}

#[test]
fn another_stage_copies_what_was_installed() {
    // Bytes come from wheels, and are compressed as those of any copy are.
    let table = "base = \"base\"\n[python]\nrequirements = [\"a==1\"]";
    let world = context(&[])
        .base(&[PYTHON])
        .package("a==1", &["site:a/x.py=1", "site:a/large.so=90000 bytes"], &[])
        .then(table);
    let site = "/usr/local/lib/python3.11/site-packages";
    let report =
        world.plan(&format!("FROM base AS one\nFROM scratch\nCOPY --from=one {site}/a /a\n"));
    insta::assert_snapshot!(report.files, @"
    0755 0:0 a/
    0644 0:0 a/large.so=90000 bytes
    0644 0:0 a/x.py=1
    ");
    assert_eq!(report.streams, [0]);
}
