//! pip inside of a `RUN` line.

use super::packages::{PYTHON, installed};
use super::python_layers::FLASK;
use super::{Report, World, context};

/// pip's script, as it is in the official images.
pub(super) const PIP: &[&str] = &[
    "755 usr/local/bin/pip=#!/usr/local/bin/python3.11\nfrom pip._internal.cli.main import main\n",
    "usr/local/bin/pip3 -> pip",
    "bin/sh -> dash",
    "755 bin/dash=dash",
    "755 bin/find=find",
    "755 bin/rm=rm",
    "755 bin/cp=cp",
    "755 bin/chmod=chmod",
    "755 bin/mkdir=mkdir",
    "755 bin/ln=ln",
    "etc/os-release=1",
    "home/app/ @1000:1000",
    "app/",
    "1777 tmp/",
    "usr/local/bin/python -> python3",
];

fn world() -> World {
    let pip = installed("pip==23.2.1", &["site:pip/__init__.py=1"]);
    context(&[]).image(
        "base",
        &[PYTHON, PIP, pip],
        r#"{"Env":["PATH=/usr/local/bin:/usr/bin:/bin","PYTHON_VERSION=3.11.7"]}"#,
    )
}

fn with_flask() -> World {
    world().package("flask==3.0", FLASK, &["six"]).package("six==1.16", &["site:six.py=1"], &[])
}

/// A line in exec form.
fn line(words: &str) -> String {
    let words: Vec<String> = words.split(' ').map(|word| format!("{word:?}")).collect();
    format!("RUN [{}]\n", words.join(", "))
}

pub(super) fn run(world: &World, lines: &[&str]) -> Report {
    let lines: String = lines.iter().map(|words| line(words)).collect();
    world.plan(&format!("FROM base\n{lines}"))
}

/// Layers and messages, without what every wheel has.
pub(super) fn shown(report: &Report) -> String {
    let files = report.files.replace("usr/local/lib/python3.11/site-packages", "SITE");
    let lines = files.lines().filter(|line| !line.contains(".dist-info/"));
    lines.map(|line| format!("{line}\n")).collect::<String>() + &report.messages
}

#[test]
fn packages_get_the_layers_that_they_have_elsewhere() {
    let world = with_flask();
    let report = run(&world, &["pip install --no-cache-dir flask==3.0"]);
    insta::assert_snapshot!(shown(&report), @"
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    index a layer of base:latest
    index a layer of base:latest
    index a layer of base:latest
    read a file
    read a file, read a file
    resolve packages
    read 2 wheels
    ");
    let toml = world.plan("base = \"base\"\n[python]\nrequirements = [\"flask==3.0\"]");
    assert_eq!(report.keys, toml.keys);
}

#[test]
fn what_is_there_is_replaced_or_stays() {
    let old = installed("six==1.0", &["site:six.py=old", "site:six/more.py=1"]);
    let pip = installed("pip==23.2.1", &["site:pip/__init__.py=1"]);
    let environment = r#"{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}"#;
    let world = context(&[])
        .image("base", &[PYTHON, PIP, pip, old], environment)
        .package("six==1.0", &["site:six.py=old"], &[])
        .package("six==1.16", &["site:six.py=new"], &[]);
    insta::assert_snapshot!(shown(&run(&world, &["pip install six==1.16"])), @r#"
    RUN ["pip", "install", "six==1.16"]:
    0000 0:0 SITE/six Whiteout at 0
    0000 0:0 SITE/six-1.0.dist-info Whiteout at 0
    RUN pip install six==1.16:
    0644 0:0 SITE/six.py=new
    "#);
    insta::assert_snapshot!(shown(&run(&world, &["pip install six"])), @"");
    insta::assert_snapshot!(shown(&run(&world, &["pip uninstall -y six nothing"])), @r#"
    RUN ["pip", "uninstall", "-y", "six", "nothing"]:
    0000 0:0 SITE/six Whiteout at 0
    0000 0:0 SITE/six-1.0.dist-info Whiteout at 0
    0000 0:0 SITE/six.py Whiteout at 0
    "#);
    insta::assert_snapshot!(shown(&run(&world, &["pip uninstall six"])), @r#"RUN ["pip", "uninstall", "six"]: needs execution: `pip uninstall` asks whether to proceed; `-y` says that"#);
    insta::assert_snapshot!(shown(&run(&world, &["pip install -I six==1.16"])), @"
    RUN pip install six==1.16:
    0644 0:0 SITE/six.py=new
    ");
    insta::assert_snapshot!(shown(&run(&world, &["pip install --force-reinstall six==1.0"])), @r#"
    RUN ["pip", "install", "--force-reinstall", "six==1.0"]:
    0000 0:0 SITE/six Whiteout at 0
    0000 0:0 SITE/six-1.0.dist-info Opaque at 0
    RUN pip install six==1.0:
    0644 0:0 SITE/six.py=old
    "#);
}

#[test]
fn places_of_their_own() {
    let world = with_flask();
    let check = |words: &str| shown(&run(&world, &[words]));
    insta::assert_snapshot!(check("pip install --target /app/lib flask==3.0"), @"
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 app/lib/
    0755 0:0 app/lib/bin/
    0755 0:0 app/lib/bin/flask=run
    0755 0:0 app/lib/flask/
    0644 0:0 app/lib/flask/__init__.py=1
    0755 0:0 app/lib/flask/json/
    0644 0:0 app/lib/flask/json/tag.py=2
    0644 0:0 app/lib/six.py=1
    ");
    insta::assert_snapshot!(check("pip install --no-deps --prefix=/install flask==3.0"), @"
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 install/
    0755 0:0 install/bin/
    0755 0:0 install/bin/flask=run
    0755 0:0 install/lib/
    0755 0:0 install/lib/python3.11/
    0755 0:0 install/lib/python3.11/site-packages/
    0755 0:0 install/lib/python3.11/site-packages/flask/
    0644 0:0 install/lib/python3.11/site-packages/flask/__init__.py=1
    0755 0:0 install/lib/python3.11/site-packages/flask/json/
    0644 0:0 install/lib/python3.11/site-packages/flask/json/tag.py=2
    0644 0:0 install/lib/python3.11/site-packages/six.py=1
    ");
    insta::assert_snapshot!(check("pip install --no-deps --user flask==3.0"), @"
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 .local/
    0755 0:0 .local/bin/
    0755 0:0 .local/bin/flask=run
    0755 0:0 .local/lib/
    0755 0:0 .local/lib/python3.11/
    0755 0:0 .local/lib/python3.11/site-packages/
    0755 0:0 .local/lib/python3.11/site-packages/flask/
    0644 0:0 .local/lib/python3.11/site-packages/flask/__init__.py=1
    0755 0:0 .local/lib/python3.11/site-packages/flask/json/
    0644 0:0 .local/lib/python3.11/site-packages/flask/json/tag.py=2
    0644 0:0 .local/lib/python3.11/site-packages/six.py=1
    ");
    insta::assert_snapshot!(check("pip install --user --target /x flask==3.0"), @r#"RUN ["pip", "install", "--user", "--target", "/x", "flask==3.0"]: needs execution: `pip install` has two places to install to: `--target`, `--prefix` and `--user` exclude each other"#);
}

#[test]
fn a_user_installs_for_himself() {
    let world = with_flask();
    let lines = format!(
        "FROM base\nUSER 1000\nENV HOME=/home/app\n{}",
        line("pip install --no-deps flask==3.0")
    );
    insta::assert_snapshot!(shown(&world.plan(&lines)), @"
    RUN pip install flask==3.0 six==1.16:
    0755 1000:1000 home/app/ at 7
    0755 1000:0 home/app/.local/
    0755 1000:0 home/app/.local/bin/
    0755 1000:0 home/app/.local/bin/flask=run
    0755 1000:0 home/app/.local/lib/
    0755 1000:0 home/app/.local/lib/python3.11/
    0755 1000:0 home/app/.local/lib/python3.11/site-packages/
    0755 1000:0 home/app/.local/lib/python3.11/site-packages/flask/
    0644 1000:0 home/app/.local/lib/python3.11/site-packages/flask/__init__.py=1
    0755 1000:0 home/app/.local/lib/python3.11/site-packages/flask/json/
    0644 1000:0 home/app/.local/lib/python3.11/site-packages/flask/json/tag.py=2
    0644 1000:0 home/app/.local/lib/python3.11/site-packages/six.py=1
    ");
}

#[test]
fn requirements_come_from_the_image() {
    let world = context(&[
        "requirements.txt=-r base.txt\nflask==3.0\n",
        "base.txt=six==1.16\n--index-url https://me:SECRET@index.example/simple",
    ])
    .image(
        "base",
        &[PYTHON, PIP, installed("pip==23.2.1", &["site:pip/__init__.py=1"])],
        r#"{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}"#,
    )
    .package("flask==3.0", FLASK, &["six"])
    .package("six==1.16", &["site:six.py=1"], &[]);
    let lines = |words: &str| format!("FROM base\nWORKDIR /app\nCOPY . .\n{}", line(words));
    let report = world.plan(&lines("pip install -r requirements.txt"));
    insta::assert_snapshot!(report.questions, @"
    wanted six==1.16 (base.txt:1)
    wanted flask==3.0 (requirements.txt:2)
    index https://index.example/simple
    installed pip 23.2.1
    ");
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    index a layer of base:latest, list the build context
    index a layer of base:latest, digest base.txt requirements.txt
    index a layer of base:latest
    read a file
    read a file, read a file
    read a file
    read a file
    resolve packages
    read 2 wheels
    ");
    insta::assert_snapshot!(shown(&world.plan(&lines("pip install -r none.txt"))), @r#"
    error: «RUN ["pip", "install", "-r", "none.txt"]»: the command fails with exit status 1:
    ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'none.txt'
    "#);
    let refused = |words: &str| {
        let report = world.plan(&lines(words));
        report.files.lines().filter(|line| line.starts_with("RUN")).collect::<String>()
    };
    insta::assert_snapshot!(refused("pip install ."), @r#"RUN ["pip", "install", "."]: needs execution: `pip install` builds the project in `.`, and nothing is built here: make a wheel of it, and install that"#);
    insta::assert_snapshot!(refused("pip install -e ."), @r#"RUN ["pip", "install", "-e", "."]: needs execution: `pip install` builds a project and leaves it where it is (`-e`), and nothing is built here: make a wheel of it, and install that"#);
}

#[test]
fn wheels_of_the_image_are_given() {
    let world = context(&["dist/six-1.16-py3-none-any.whl=wheel"])
        .image(
            "base",
            &[PYTHON, PIP, installed("pip==23.2.1", &["site:pip/__init__.py=1"])],
            r#"{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}"#,
        )
        .package("six==1.16", &["site:six.py=1"], &[]);
    let lines = |words: &str| format!("FROM base\nWORKDIR /app\nCOPY . .\n{}", line(words));
    let named = world.plan(&lines("pip install ./dist/six-1.16-py3-none-any.whl"));
    insta::assert_snapshot!(named.questions, @"
    wanted ./app/dist/six-1.16-py3-none-any.whl (the command line:1)
    named app/dist/six-1.16-py3-none-any.whl
    installed pip 23.2.1
    ");
    let found = world.plan(&lines("pip install --no-index --find-links dist six"));
    insta::assert_snapshot!(found.questions, @"
    wanted six (the command line:1)
    found app/dist/six-1.16-py3-none-any.whl
    no index
    installed pip 23.2.1
    ");
    insta::assert_snapshot!(shown(&named), @"
    COPY . .: files
    0755 0:0 app/dist/
    0644 0:0 app/dist/six-1.16-py3-none-any.whl=wheel
    RUN pip install six==1.16:
    0644 0:0 SITE/six.py=1
    ");
}

#[test]
fn files_of_pip_s_are_heeded_and_written() {
    let world = with_flask();
    let report = run(
        &world,
        &[
            "pip config set global.index-url https://me:SECRET@index.example/simple",
            "pip config --global set install.no_deps yes",
            "pip install flask==3.0",
            "pip config unset global.index-url",
            "pip config get global.index-url",
        ],
    );
    insta::assert_snapshot!(shown(&report), @r#"
    error: «RUN ["pip", "config", "get", "global.index-url"]»: the command fails with exit status 1:
    ERROR: No such key - global.index-url
    "#);
    insta::assert_snapshot!(report.questions, @"
    wanted flask==3.0 (the command line:1)
    index https://index.example/simple
    installed pip 23.2.1
    ");
}

#[test]
fn systems_that_manage_their_packages() {
    let debian: &[&str] = &[
        "usr/bin/python3 -> python3.11",
        "755 usr/bin/python3.11=python",
        "755 usr/bin/pip=#!/usr/bin/python3\nfrom pip._internal.cli.main import main\n",
        "usr/lib/python3.11/os.py=os",
        "usr/lib/python3.11/EXTERNALLY-MANAGED=[externally-managed]\nError=To install,\n use apt.\n",
        "usr/lib/python3/dist-packages/pip-23.0.1.dist-info/METADATA=Name: pip\nVersion: 23.0.1\n",
        "usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO=Name: six\nVersion: 1.16.0\n",
        "2775 usr/local/lib/python3.11/dist-packages/ @0:50",
        "lib/aarch64-linux-gnu/libc.so.6 -> libc-2.36.so",
        "lib/aarch64-linux-gnu/libc-2.36.so=libc",
        "usr/bin/head/",
    ];
    let world =
        context(&[]).base(&[debian]).package("six==1.17", &["site:six.py=1", "bin:six=1"], &[]);
    let check = |words: &str| shown(&run(&world, &[words]));
    insta::assert_snapshot!(check("pip install six"), @r#"
    error: «RUN ["pip", "install", "six"]»: the command fails with exit status 1:
    error: externally-managed-environment

    × This environment is externally managed
    ╰─> To install,
        use apt.

    note: If you believe this is a mistake, please contact your Python installation or OS distribution provider. You can override this, at the risk of breaking your Python installation or OS, by passing --break-system-packages.
    hint: See PEP 668 for the detailed specification.
    "#);
    insta::assert_snapshot!(check("pip install --break-system-packages -U six"), @"
    RUN pip install six==1.17:
    0755 0:0 usr/local/bin/
    0644 0:0 usr/local/bin/six=1
    2775 0:50 usr/local/lib/python3.11/dist-packages/ at 7
    0644 0:50 usr/local/lib/python3.11/dist-packages/six.py=1
    ");
    insta::assert_snapshot!(check("pip install --no-deps --prefix /opt six==1.17"), @"
    RUN pip install six==1.17:
    0755 0:0 opt/
    0755 0:0 opt/local/
    0755 0:0 opt/local/bin/
    0644 0:0 opt/local/bin/six=1
    0755 0:0 opt/local/lib/
    0755 0:0 opt/local/lib/python3.11/
    0755 0:0 opt/local/lib/python3.11/dist-packages/
    0644 0:0 opt/local/lib/python3.11/dist-packages/six.py=1
    ");
}

#[test]
fn packages_are_listed() {
    let old = installed("Six==1.0", &["site:six.py=old"]);
    let pip = installed("pip==23.2.1", &["site:pip/__init__.py=1"]);
    let environment = r#"{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}"#;
    let world = context(&[]).image("base", &[PYTHON, PIP, pip, old], environment);
    let said = |words: &str| run(&world, &[words]).said;
    assert_eq!(said("python -mpip freeze"), said("pip3 freeze"));
    insta::assert_snapshot!(said("pip freeze"), @"Six==1.0");
    insta::assert_snapshot!(said("pip freeze --all"), @"
    pip==23.2.1
    Six==1.0
    ");
    insta::assert_snapshot!(said("pip list"), @"
    Package Version
    ------- -------
    pip     23.2.1
    Six     1.0
    ");
    insta::assert_snapshot!(said("python -m pip list --format=json"), @r#"[{"name": "pip", "version": "23.2.1"}, {"name": "Six", "version": "1.0"}]"#);
    insta::assert_snapshot!(said("pip --version"), @"pip 23.2.1 from /usr/local/lib/python3.11/site-packages/pip (python 3.11)");
    insta::assert_snapshot!(said("pip cache purge"), @"
    WARNING: No matching packages
    Files removed: 0
    ");
    insta::assert_snapshot!(said("pip check"), @"No broken requirements found.");
    insta::assert_snapshot!(said("pip install six"), @"");
    insta::assert_snapshot!(shown(&run(&world, &["pip show nothing"])), @r#"
    error: «RUN ["pip", "show", "nothing"]»: the command fails with exit status 1:
    WARNING: Package(s) not found: nothing
    "#);
    insta::assert_snapshot!(shown(&run(&world, &["pip show six"])), @r#"RUN ["pip", "show", "six"]: needs execution: `pip show` prints all that is known of a package, which is not built in"#);
    insta::assert_snapshot!(shown(&run(&world, &["pip download six"])), @r#"RUN ["pip", "download", "six"]: needs execution: `pip download` is not built in"#);
    insta::assert_snapshot!(shown(&run(&world, &["pip cache dir --no-cache-dir"])), @r#"
    error: «RUN ["pip", "cache", "dir", "--no-cache-dir"]»: the command fails with exit status 1:
    ERROR: pip cache commands can not function since cache is disabled.
    "#);
}

/// Several commands in one line, without a shell.
fn together(world: &World, commands: &[&str]) -> String {
    let mut words = "find /etc/os-release".to_owned();
    for command in commands {
        words += &format!(" -exec {} ;", command.replace("SITE", SITE));
    }
    let shown = shown(&run(world, &[&words]));
    let is_head = |line: &&str| !line.starts_with("RUN [\"find");
    shown.lines().filter(is_head).map(|line| format!("{line}\n")).collect()
}

const SITE: &str = "/usr/local/lib/python3.11/site-packages";

#[test]
fn what_a_line_changes_of_packages_is_its_own() {
    let world = with_flask();
    let check = |commands: &[&str]| together(&world, commands);
    let install = "pip install flask";
    insta::assert_snapshot!(check(&[install, "rm -r SITE/flask/json", "cp /usr/local/bin/pip SITE/six.py"]), @r"
    0644 0:0 SITE/six.py=#!/usr/local/bin/python3.11\nfrom pip._internal.cli.main import main\n
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    ");
    insta::assert_snapshot!(check(&[install, "chmod 700 SITE/flask SITE/six.py"]), @"
    0700 0:0 SITE/six.py=1
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0700 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    ");
    insta::assert_snapshot!(check(&[install, "ln SITE/six.py SITE/seven.py"]), @"
    0644 0:0 SITE/seven.py=1
    0644 0:0 SITE/six.py == SITE/seven.py
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    ");
    insta::assert_snapshot!(check(&[install, "cp /etc/os-release SITE/flask/more", "mkdir SITE/empty"]), @"
    0755 0:0 SITE/empty/
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/more=1
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(check(&[install, "pip uninstall -y flask six"]), @"");
    insta::assert_snapshot!(check(&["pip install six", "pip install -t /app/lib flask", "rm -r /app/lib/six.py"]), @"
    RUN pip install six==1.16 flask==3.0:
    0755 0:0 app/lib/
    0755 0:0 app/lib/bin/
    0755 0:0 app/lib/bin/flask=run
    0755 0:0 app/lib/flask/
    0644 0:0 app/lib/flask/__init__.py=1
    0755 0:0 app/lib/flask/json/
    0644 0:0 app/lib/flask/json/tag.py=2
    0644 0:0 SITE/six.py=1
    ");
}

#[test]
fn lines_as_people_write_them() {
    let world = with_flask().package("pip==24.0", &["site:pip/__init__.py=2"], &[]);
    let check = |line: &str| {
        let report = world.plan(&format!("FROM base\nRUN {line}\n"));
        let shown = shown(&report);
        let is_head =
            |text: &&str| !text.starts_with(&line[..10]) && !text.starts_with("RUN pip install --");
        shown.lines().filter(is_head).map(|line| format!("{line}\n")).collect::<String>()
    };
    insta::assert_snapshot!(check("pip install --no-cache-dir --upgrade pip && pip install flask"), @"
    0000 0:0 SITE/pip-23.2.1.dist-info Whiteout at 0
    0755 0:0 SITE/pip/
    0000 0:0 SITE/pip Opaque at 0
    RUN pip install pip==24.0 flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    0755 0:0 SITE/pip/
    0644 0:0 SITE/pip/__init__.py=2
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(check("(umask 077 && pip install -t /app/lib six)"), @"
    RUN pip install six==1.16:
    0700 0:0 app/lib/
    0600 0:0 app/lib/six.py=1
    ");
    insta::assert_snapshot!(check("pip install six || true; pip freeze --all > /app/pins.txt"), @r"
    RUN pip install six || true; pip freeze --all > /app/pins.txt:
    0644 0:0 app/pins.txt=pip==23.2.1\nsix==1.16\n
    RUN pip install six==1.16:
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(check("pip install -r none.txt 2>/dev/null || pip install six"), @"
    RUN pip install six==1.16:
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(check("PIP_NO_DEPS=1 python3 -m pip install -q \"six>=1\" 'flask'"), @"
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(check("cd /tmp && printf 'six # x\\n' | pip install -r /dev/stdin && pip cache purge"), @"
    RUN pip install six==1.16:
    0644 0:0 SITE/six.py=1
    ");
}

#[test]
fn what_is_refused_says_why() {
    let world = context(&["requirements.txt=flask\n-e git+https://me:SECRET@h.example/r\n"]).image(
        "base",
        &[PYTHON, PIP, installed("pip==22.0", &["site:pip/__init__.py=1"])],
        r#"{"Env":["PATH=/usr/local/bin:/bin"]}"#,
    );
    let check = |line: &str| {
        let dockerfile = format!("FROM base\nWORKDIR /app\nCOPY . .\nRUN {line}\n");
        let report = world.plan(&dockerfile);
        let mut refused = report.files.lines().filter(|text| text.contains("needs execution"));
        let refused = refused.next().and_then(|text| text.split_once("needs execution: "));
        refused.map(|(_, why)| why.to_owned()).unwrap_or(report.messages)
    };
    insta::assert_snapshot!(check("pip install -r requirements.txt"), @"`pip install` reads `requirements.txt`, line 2: an editable requirement has no place in an image");
    insta::assert_snapshot!(check("pip install git+https://me:SECRET@h.example/r"), @"`pip install` cannot take `git+https://h.example/r`: a requirement is not taken from a repository");
    insta::assert_snapshot!(check("pip install flask=1.0"), @"`pip install` cannot take `flask=1.0`: `=` is no operator (write `flask==1.0`)");
    insta::assert_snapshot!(check("pip install -i file:///wheels flask"), @"`pip install` has a value for `-i` that is no `https:` address");
    insta::assert_snapshot!(check("pip install -i https:me:SECRET@h.example flask"), @"`pip install` has a value for `-i` that is no `https:` address");
    insta::assert_snapshot!(check("pip install -r https://me:SECRET@h.example/r.txt"), @"`pip install` reads a file from an address: cannot take `https://h.example/r.txt`");
    insta::assert_snapshot!(check("pip install --root-user-action=ignore flask"), @"
    error: «RUN pip install --root-user-action=ignore flask»: the command fails with exit status 2:
    no such option: --root-user-action (it is `pip install --root-user-action=ignore flask` that answers 2; --explain-run shows what came before)
    ");
    insta::assert_snapshot!(check("while true; do pip list; done"), @"the number of commands reached the limit of 2000000");
    insta::assert_snapshot!(check("pip install ./none.whl"), @"
    error: «RUN pip install ./none.whl»: the command fails with exit status 1:
    ERROR: Could not install packages due to an OSError: [Errno 2] No such file or directory: 'none.whl'
     (it is `pip install ./none.whl` that answers 1; --explain-run shows what came before)
    ");
    insta::assert_snapshot!(check("pip install"), @r#"
    error: «RUN pip install»: the command fails with exit status 1:
    ERROR: You must give at least one requirement to install (see "pip help install") (it is `pip install` that answers 1; --explain-run shows what came before)
    "#);
    insta::assert_snapshot!(check("pip --require-virtualenv install flask"), @"
    error: «RUN pip --require-virtualenv install flask»: the command fails with exit status 3:
    ERROR: Could not find an activated virtualenv (required). (it is `pip --require-virtualenv install flask` that answers 3; --explain-run shows what came before)
    ");
}
