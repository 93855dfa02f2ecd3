//! What packages become as layers.

use layer::Packing;

use super::packages::{PYTHON, installed};
use super::{Report, World, context};

fn world() -> World {
    context(&[]).base(&[PYTHON])
}

/// Each requirement is pinned.
fn plan(world: &World, requirements: &[&str]) -> Report {
    plan_with(world, requirements, "")
}

fn plan_with(world: &World, requirements: &[&str], more: &str) -> Report {
    let list = requirements.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>();
    world.plan(&format!("base = \"base\"\n[python]\nrequirements = [{}]\n{more}", list.join(", ")))
}

/// The layers, without what every wheel has.
fn layers(report: &Report) -> String {
    let files = report.files.replace("usr/local/lib/python3.11/site-packages", "SITE");
    let lines = files.lines().filter(|line| !line.contains(".dist-info/"));
    lines.map(|line| format!("{line}\n")).collect::<String>() + &report.messages
}

const FLASK: &[&str] =
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
fn what_is_replaced_goes_first() {
    let old = installed(
        "flask==2.0",
        &["site:flask/__init__.py=old", "site:flask/gone.py=old", "site:flask/json/tag.py=old"],
    );
    let other: &[&str] = &["usr/local/lib/python3.11/site-packages/other.py=other"];
    let world = context(&[]).base(&[PYTHON, old, other]).package("flask==3.0", FLASK, &[]);
    let report = plan(&world, &["flask==3.0"]);
    insta::assert_snapshot!(layers(&report), @"
    PYTHON without flask==2.0:
    0000 0:0 SITE/flask Whiteout at 0
    0000 0:0 SITE/flask-2.0.dist-info Whiteout at 0
    PYTHON flask==3.0:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    warning: «[python]»: installed versions are replaced: `flask 2.0 → 3.0`
    ");
    insta::assert_snapshot!(report.history, @"
    PYTHON without flask==2.0
    PYTHON flask==3.0
    ");
    let fresh = self::world().package("flask==3.0", FLASK, &[]);
    assert_eq!(
        report.keys[1..],
        plan(&fresh, &["flask==3.0"]).keys,
        "as if it had never been there"
    );
}

#[test]
fn attributes_of_directories_stay() {
    let debian: &[&str] = &["2775 usr/local/lib/python3.11/site-packages/ @0:50"];
    let old = installed("six==1.0", &["site:six.py=old"]);
    let world =
        context(&[]).base(&[PYTHON, debian, old]).package("six==2.0", &["site:six.py=new"], &[]);
    insta::assert_snapshot!(layers(&plan(&world, &["six==2.0"])), @"
    PYTHON without six==1.0:
    2775 0:50 SITE/ at 7
    0000 0:0 SITE/six-1.0.dist-info Whiteout at 0
    0000 0:0 SITE/six.py Whiteout at 0
    PYTHON six==2.0:
    2775 0:50 SITE/ at 7
    0644 0:0 SITE/six.py=new
    warning: «[python]»: installed versions are replaced: `six 1.0 → 2.0`
    ");
}

#[test]
fn a_file_in_the_place_of_an_old_package() {
    let old = installed("x==1.0", &["site:x/__init__.py=old"]);
    let world = context(&[]).base(&[PYTHON, old]).package("x==2.0", &["site:x=new"], &[]);
    insta::assert_snapshot!(layers(&plan(&world, &["x==2.0"])), @"
    PYTHON without x==1.0:
    0000 0:0 SITE/x Whiteout at 0
    0000 0:0 SITE/x-1.0.dist-info Whiteout at 0
    PYTHON x==2.0:
    0644 0:0 SITE/x=new
    warning: «[python]»: installed versions are replaced: `x 1.0 → 2.0`
    ");
    // What belongs to nobody stays, and is in the way.
    let more: &[&str] = &["usr/local/lib/python3.11/site-packages/x/local.py=own"];
    let world = context(&[]).base(&[PYTHON, old, more]).package("x==2.0", &["site:x=new"], &[]);
    insta::assert_snapshot!(layers(&plan(&world, &["x==2.0"])), @"error: «[python]»: `/usr/local/lib/python3.11/site-packages/x` is a directory, and a file cannot take its place");
    let file: &[&str] = &["usr/local/lib/python3.11/site-packages/y=own"];
    let world = context(&[]).base(&[PYTHON, file]).package("y==2.0", &["site:y/a.py=new"], &[]);
    insta::assert_snapshot!(layers(&plan(&world, &["y==2.0"])), @"error: «[python]»: `/usr/local/lib/python3.11/site-packages/y` of the image is not a directory");
}

#[test]
fn what_satisfies_stays() {
    let world = context(&[]).base(&[PYTHON, installed("six==1.16", &["site:six.py=1"])]).package(
        "six==1.16",
        &["site:six.py=1"],
        &[],
    );
    let report = plan(&world, &["six==1.16"]);
    insta::assert_snapshot!(layers(&report), @"");
    insta::assert_snapshot!(report.history, @"PYTHON six==1.16 (no layer)");
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    index a layer of base:latest, index a layer of base:latest
    read a file, read a file
    resolve packages
    ");
    // If it is to be installed again, it goes before.
    let report = plan_with(&world, &["six==1.16"], "upgrade = \"requested\"");
    insta::assert_snapshot!(layers(&report), @"
    PYTHON without six==1.16:
    0000 0:0 SITE/six-1.16.dist-info Whiteout at 0
    0000 0:0 SITE/six.py Whiteout at 0
    PYTHON six==1.16:
    0644 0:0 SITE/six.py=1
    ");
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

#[test]
fn a_second_step_sees_what_the_first_installed() {
    let world = world()
        .package("flask==3.0", FLASK, &["six"])
        .package("six==1.16", &["site:six.py=old", "bin:six=1"], &[])
        .package("six==1.17", &["site:six.py=new", "site:six_more.py=1"], &[])
        .then("base = \"base\"\n[python]\nrequirements = [\"flask==3.0\", \"six==1.17\"]");
    let report = plan_with(&world, &["six==1.16"], "");
    insta::assert_snapshot!(report.questions, @"
    wanted six==1.16 (recipe:3)
    wanted flask==3.0 (recipe:6)
    wanted six==1.17 (recipe:6)
    installed six 1.16
    ");
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    index a layer of base:latest
    resolve packages
    read 1 wheels
    read a file, read a file
    resolve packages
    read 2 wheels
    ");
    insta::assert_snapshot!(layers(&report), @"
    PYTHON six==1.16:
    0644 0:0 usr/local/bin/six=1
    0644 0:0 SITE/six.py=old
    PYTHON without six==1.16:
    0000 0:0 usr/local/bin/six Whiteout at 0
    0000 0:0 SITE/six-1.16.dist-info Whiteout at 0
    0000 0:0 SITE/six.py Whiteout at 0
    PYTHON flask==3.0 six==1.17:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    0644 0:0 SITE/six.py=new
    0644 0:0 SITE/six_more.py=1
    warning: «[python]»: installed versions are replaced: `six 1.16 → 1.17`
    ");
    insta::assert_snapshot!(report.history, @"
    PYTHON six==1.16
    PYTHON without six==1.16
    PYTHON flask==3.0 six==1.17
    ");
}

#[test]
fn a_run_before_it_needs_execution() {
    // What is wrong with the files is wrong all the same.
    let world = context(&["a.txt=six=1"]).base(&[PYTHON]);
    let second = "base = \"base\"\n[python]\nrequirements = [\"six==1.16\"]";
    let report = world.then(second).plan("FROM base\nRUN make\n");
    insta::assert_snapshot!(report.files, @"
    RUN make: needs execution
    PYTHON six==1.16: needs execution
    ");
    let world = context(&["a.txt=six=1"]).base(&[PYTHON]);
    let second = "base = \"base\"\n[python]\nrequirements-files = [\"a.txt\"]";
    insta::assert_snapshot!(world.then(second).plan("FROM base\nRUN make\n").messages, @r#"error: «"a.txt"»: a.txt:1: `=` is no operator (write `six==1`)"#);
}
