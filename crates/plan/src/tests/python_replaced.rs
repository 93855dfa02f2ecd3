//! What is installed already: it stays, or others take its place.

use super::context;
use super::packages::{PYTHON, installed};
use super::python_layers::{FLASK, layers, plan, plan_with, world};

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
    let fresh = context(&[]).base(&[PYTHON]).package("flask==3.0", FLASK, &[]);
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
