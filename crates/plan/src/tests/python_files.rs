//! What a `[python]` table and the files that it names ask for.

use super::packages::{PYTHON, installed};
use super::{Report, World, context};

impl World {
    /// A base that has pip, too.
    fn pip(mut self) -> Self {
        self.bases.clear();
        self.base(&[PYTHON, installed("pip==24.0", &["site:pip/__init__.py=pip"])])
    }
}

/// A world with a Python and a few distributions.
fn world(files: &[&'static str]) -> World {
    context(files)
        .base(&[PYTHON])
        .package("flask==3.0", &["site:flask/__init__.py=1"], &["jinja"])
        .package("jinja==3.1", &["site:jinja/__init__.py=2"], &[])
        .package("six==1.16", &["site:six.py=3"], &[])
}

fn plan(world: &World, table: &str) -> Report {
    world.plan(&format!("base = \"base\"\n[python]\n{table}"))
}

fn question(files: &[&'static str], table: &str) -> String {
    let report = plan(&world(files), table);
    format!("{}{}", report.questions, report.messages)
}

#[test]
fn the_usual_case_takes_few_rounds() {
    let world = world(&["requirements.txt=-r base.txt\nflask==3.0\n", "base.txt=six==1.16\n"]);
    let report = plan(&world, "requirements-files = [\"requirements.txt\"]");
    insta::assert_snapshot!(report.messages, @"");
    insta::assert_snapshot!(report.questions, @"
    wanted six==1.16 (base.txt:1)
    wanted flask==3.0 (requirements.txt:2)
    ");
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    list the build context, index a layer of base:latest
    digest requirements.txt
    read a file
    digest base.txt
    read a file
    resolve packages
    read 3 wheels
    ");
}

#[test]
fn what_is_independent_is_asked_together() {
    let world = world(&[
        "requirements.txt=flask==3.0\n",
        "constraints.txt=jinja<4\n",
        "overrides.txt=six==1.16\n",
        "app/pyproject.toml=[project]\nname = 'app'\ndependencies = ['six==1.16']\n",
        "wheels/six-1.16-py3-none-any.whl=wheel",
    ])
    .pip();
    let table = "requirements-files = [\"requirements.txt\"]\nconstraint-files = \
        [\"constraints.txt\"]\noverride-files = [\"overrides.txt\"]\nproject = \"app\"\n\
        find-links = [\"wheels\"]";
    let report = plan(&world, table);
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    list the build context, index a layer of base:latest, index a layer of base:latest
    digest app/pyproject.toml constraints.txt overrides.txt requirements.txt wheels/six-1.16-py3-none-any.whl, read a file, read a file
    read a file, read a file, read a file, read a file
    resolve packages
    read 3 wheels
    ");
    insta::assert_snapshot!(report.questions, @"
    wanted flask==3.0 (requirements.txt:1)
    wanted six==1.16 (app/pyproject.toml:3)
    constraint jinja<4 (constraints.txt:1)
    override six==1.16 (overrides.txt:1)
    found wheels/six-1.16-py3-none-any.whl
    installed pip 24.0
    ");
}

#[test]
fn lists_in_the_recipe_itself() {
    let table = "requirements = [\n\"flask==3.0 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\",\n\"./six-1.16-py3-none-any.whl\"]\n\
        constraints = [\"jinja<4\"]\noverrides = [\"jinja==3.1\"]\n";
    insta::assert_snapshot!(question(&["six-1.16-py3-none-any.whl=wheel"], table), @"
    wanted flask==3.0 (recipe:4) sha256:0000000000000000000000000000000000000000000000000000000000000000
    wanted ./six-1.16-py3-none-any.whl (recipe:5)
    constraint jinja<4 (recipe:6)
    override jinja==3.1 (recipe:7)
    named six-1.16-py3-none-any.whl
    with hashes
    ");
    insta::assert_snapshot!(question(&[], "requirements = [\"flask\", \"click-log-0.3.2\"]"), @"
    wanted flask (recipe:3)
    wanted click-log-0.3.2 (recipe:3)
    warning: «[python]»: several versions satisfy `flask`, `click-log-0.3.2` (pin them with `==`, give a lock, or set `exclude-newer`)
    ");
    insta::assert_snapshot!(question(&[], "requirements = [\"six==1\"]\nconstraints = [\"flask[async]\"]"), @r#"error: «"flask[async]"»: a constraint has no extras"#);
}

#[test]
fn files_include_others() {
    let files = [
        "requirements/web.txt=-r common.txt\n-c ../constraints.txt\nflask\n",
        "requirements/common.txt=six==1.16 \\\n  --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\n--extra-index-url https://me:SECRET@extra.example/simple\n",
        "constraints.txt=jinja<4\n",
    ];
    insta::assert_snapshot!(question(&files, "requirements-files = [\"requirements/web.txt\"]\nexclude-newer = \"2026-01-01\""), @"
    wanted six==1.16 (requirements/common.txt:1) sha256:0000000000000000000000000000000000000000000000000000000000000000
    wanted flask (requirements/web.txt:3)
    constraint jinja<4 (constraints.txt:1)
    extra index https://extra.example/simple
    with hashes
    ");
}

#[test]
fn files_that_are_not_there() {
    let check = |files: &[&'static str], table: &str| {
        let report = plan(&world(files), table);
        format!("{}{}", report.questions, report.messages)
    };
    insta::assert_snapshot!(check(&["requirements.txt="], "requirements-files = [\"requirments.txt\"]"), @r#"error: «"requirments.txt"»: `requirments.txt` is not in the build context (did you mean `requirements.txt`?)"#);
    insta::assert_snapshot!(check(&["a.txt=-r gone.txt\n\n-c ../up.txt"], "requirements-files = [\"a.txt\"]"), @r#"
    error: «"a.txt"»: a.txt:1: `gone.txt` is not in the build context
    a.txt:3: `../up.txt` is outside of the build context (build from a directory further up, or put the file into the context)
    "#);
    insta::assert_snapshot!(check(&["d/x="], "requirements-files = [\"d\"]"), @r#"error: «"d"»: `d` of the build context is no file"#);
    insta::assert_snapshot!(check(&[], "project = \"app\""), @r#"error: «"app"»: `app/pyproject.toml` is not in the build context"#);
    insta::assert_snapshot!(check(&[], "lock = \"uv.lock\""), @r#"error: «"uv.lock"»: `uv.lock` is not in the build context"#);
    insta::assert_snapshot!(check(&[], "requirements = [\"six\"]\nfind-links = [\"wheels\"]"), @r#"error: «"wheels"»: `wheels` is not in the build context"#);
    insta::assert_snapshot!(check(&["wheels="], "requirements = [\"six\"]\nfind-links = [\"wheels\"]"), @r#"error: «"wheels"»: `wheels` of the build context is no directory"#);
    insta::assert_snapshot!(check(&["a.txt=six\n-f wheels\n./gone-1-py3-none-any.whl"], "requirements-files = [\"a.txt\"]"), @"error: «[python]»: a.txt:3: `gone-1-py3-none-any.whl` is not in the build context");
    insta::assert_snapshot!(check(&["a.txt=-f gone\nsix"], "requirements-files = [\"a.txt\"]"), @"error: «[python]»: a.txt: `gone` is not in the build context");
    let ignored = world(&["a.txt=-r b.txt", "b.txt=six"]).ignore("b.*");
    insta::assert_snapshot!(plan(&ignored, "requirements-files = [\"a.txt\"]").messages, @r#"error: «"a.txt"»: a.txt:1: `b.txt` is not in the build context (.dockerignore excludes it; an exception is `!b.txt`)"#);
    insta::assert_snapshot!(plan(&ignored, "requirements-files = [\"b.txt\"]").messages, @r#"error: «"b.txt"»: `b.txt` is not in the build context (.dockerignore excludes it; an exception is `!b.txt`)"#);
}

#[test]
fn all_problems_of_all_files() {
    let files = [
        "a.txt=flask==3.0\nclick-log-0.3.2\n-e .\n",
        "b.txt=six=1.0\n",
        "c/pyproject.toml=[project]\nname = 'c'\ndependencies = ['flask >>1', 'six @ nowhere']\n",
    ];
    insta::assert_snapshot!(question(&files, "requirements-files = [\"a.txt\", \"gone.txt\", \"b.txt\"]"), @r#"
    error: «"a.txt"»: a.txt:3: an editable requirement has no place in an image (for the project in the context write `project = "."`; for another, build a wheel and name that)
    `gone.txt` is not in the build context
    b.txt:1: `=` is no operator (write `six==1.0`)
    "#);
    insta::assert_snapshot!(question(&files, "project = \"c\""), @r#"
    error: «"c"»: c/pyproject.toml:3: `>>` is no operator (the operators are ==, !=, <=, >=, <, >, ~= and ===)
    c/pyproject.toml:3: a directory cannot be installed (for the project in the context write `project = "."`; for another, build a wheel and name that)
    "#);
    // What is wrong is said before anything that it has nothing to do with is read.
    let report = plan(&world(&files), "requirements-files = [\"a.txt\"]\nconstraints = [\"a b\"]");
    insta::assert_snapshot!(report.messages, @r#"error: «"a b"»: `b` is not expected behind `a` (each requirement has a line of its own)"#);
    insta::assert_snapshot!(report.asked, @"image base:latest for linux/arm64");
}

#[test]
fn texts() {
    let table = "requirements-files = [\"a.txt\"]";
    let large: &'static str = format!("a.txt={}", "#".repeat(5 << 20)).leak();
    insta::assert_snapshot!(question(&[large], table), @r#"error: «"a.txt"»: `a.txt` is larger than 4 MiB"#);
    let variables = world(&["a.txt=six==${VERSION}\n--extra-index-url https://${TOKEN}@h.example"])
        .variable("VERSION", "1.16")
        .variable("TOKEN", "SECRET");
    insta::assert_snapshot!(plan(&variables, table).questions, @"
    wanted six==1.16 (a.txt:1)
    extra index https://h.example
    ");
    insta::assert_snapshot!(question(&["a.txt=\u{feff}six==1.16"], table), @"wanted six==1.16 (a.txt:1)");
}

#[test]
fn projects() {
    let project = "app/pyproject.toml=[project]\nname = 'app'\ndependencies = ['flask']\n\
        [project.optional-dependencies]\nextra = ['six==1.16']\n\
        [dependency-groups]\ntools = ['jinja==3.1']\n\
        [tool.uv]\nconstraint-dependencies = ['jinja<4']\noverride-dependencies = ['six>1']\n\
        [[tool.uv.index]]\nurl = 'https://me:SECRET@index.example/simple'\ndefault = true\n\
        [[tool.uv.index]]\nurl = 'https://torch.example'\nexplicit = true\n\
        [[tool.uv.index]]\nurl = 'wheels'\nformat = 'flat'\n";
    let files = [project, "app/wheels/six-1.16-py3-none-any.whl=wheel"];
    insta::assert_snapshot!(question(&files, "project = \"app\""), @"
    wanted flask (app/pyproject.toml:3)
    constraint jinja<4 (app/pyproject.toml:9)
    override six>1 (app/pyproject.toml:10)
    index https://index.example/simple
    found app/wheels/six-1.16-py3-none-any.whl
    warning: «[python]»: several versions satisfy `flask` (pin them with `==`, give a lock, or set `exclude-newer`)
    ");
    insta::assert_snapshot!(question(&files, "project = \"app\"\nextras = [\"extra\"]\ngroups = [\"tools\"]\nindex-url = \"https://own.example\""), @"
    wanted flask (app/pyproject.toml:3)
    wanted six==1.16 (app/pyproject.toml:5)
    wanted jinja==3.1 (app/pyproject.toml:7)
    constraint jinja<4 (app/pyproject.toml:9)
    override six>1 (app/pyproject.toml:10)
    index https://own.example
    found app/wheels/six-1.16-py3-none-any.whl
    warning: «[python]»: several versions satisfy `flask` (pin them with `==`, give a lock, or set `exclude-newer`)
    ");
    let local = [
        "pyproject.toml=[project]\nname = 'app'\ndependencies = ['six @ file:six-1.16-py3-none-any.whl']\n",
        "six-1.16-py3-none-any.whl=wheel",
    ];
    insta::assert_snapshot!(question(&local, "project = \".\""), @"
    wanted ./six-1.16-py3-none-any.whl (pyproject.toml:3)
    named six-1.16-py3-none-any.whl
    ");
    insta::assert_snapshot!(question(&files, "project = \"app\"\nextras = [\"exta\"]"), @r#"error: «"app"»: app/pyproject.toml: the project has no extra `exta` (did you mean `extra`?)"#);
}

#[test]
fn locks() {
    let files = [
        "uv.lock=flask==3.0\nsix==1.16",
        "pylock.web.toml=six==1.16",
        "app/pyproject.toml=[project]\nname = 'app'\ndynamic = ['dependencies']\n",
    ];
    insta::assert_snapshot!(question(&files, "lock = \"uv.lock\"\nextras = [\"a\"]\ngroups = [\"b\"]"), @r#"lock uv uv.lock None ["a"] ["b"]"#);
    insta::assert_snapshot!(question(&files, "lock = \"pylock.web.toml\""), @"lock pylock pylock.web.toml None [] []");
    // Which project of the lock's.
    insta::assert_snapshot!(question(&files, "lock = \"uv.lock\"\nproject = \"app\""), @r#"lock uv uv.lock Some("app") [] []"#);
}

#[test]
fn directories_with_wheels() {
    let files = [
        "requirements/web.txt=-f wheels\n--find-links ../more\n--find-links https://links.example\nsix\n",
        "requirements/wheels/six-1.16-py3-none-any.whl=1",
        "requirements/wheels/six-1.15.tar.gz=2",
        "requirements/wheels/notes.txt=3",
        "requirements/wheels/deeper/six-1.14-py3-none-any.whl=4",
        "wheels/six-1.13-py3-none-any.whl=5",
        "more/x.whl/a=6",
        "more/y.whl -> gone",
        "more/z-1-py3-none-any.whl -> ../wheels/six-1.13-py3-none-any.whl",
    ];
    insta::assert_snapshot!(question(&files, "requirements-files = [\"requirements/web.txt\"]"), @"
    wanted six (requirements/web.txt:4)
    links https://links.example
    found requirements/wheels/six-1.15.tar.gz
    found requirements/wheels/six-1.16-py3-none-any.whl
    found more/z-1-py3-none-any.whl
    warning: «[python]»: several versions satisfy `six` (pin them with `==`, give a lock, or set `exclude-newer`)
    ");
    // From where the build runs, if there is none beside the file.
    let files = ["requirements/web.txt=-f wheels\nsix\n", "wheels/six-1.13-py3-none-any.whl=5"];
    insta::assert_snapshot!(question(&files, "requirements-files = [\"requirements/web.txt\"]\nno-index = true\nfind-links = [\"wheels\"]"), @"
    wanted six (requirements/web.txt:2)
    found wheels/six-1.13-py3-none-any.whl
    no index
    warning: «[python]»: several versions satisfy `six` (pin them with `==`, give a lock, or set `exclude-newer`)
    ");
}

#[test]
fn the_recipe_has_the_last_word() {
    let files = ["a.txt=--index-url https://a.example\n--no-binary PyYAML,six\n--pre\nsix\n"];
    let table = "requirements-files = [\"a.txt\"]\nindex-url = \"https://me:SECRET@b.example\"\n\
        extra-index-urls = [\"https://c.example\"]\nonly-binary = [\"PyYAML\"]\n\
        exclude-newer = \"2026-01-01\"\nrequire-hashes = true\n\
        find-links = [\"https://links.example\"]";
    insta::assert_snapshot!(question(&files, table), @"
    wanted six (a.txt:4)
    index https://b.example
    extra index https://c.example
    links https://links.example
    no binary six
    only binary pyyaml
    with hashes
    ");
}

#[test]
fn nothing_to_install() {
    let world = context(&["a.txt=# none\n"]).base(&[&["bin/sh=sh"]]);
    let report = plan(&world, "requirements-files = [\"a.txt\"]");
    insta::assert_snapshot!(report.messages, @"warning: «[python]»: there are no packages to install");
    insta::assert_snapshot!(report.history, @"PYTHON -r a.txt (no layer)");
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    list the build context, index a layer of base:latest
    digest a.txt
    read a file
    ");
}

#[test]
fn a_base_without_python() {
    let world = context(&[]).base(&[&["bin/sh=sh"]]);
    insta::assert_snapshot!(plan(&world, "requirements = [\"six==1.16\"]").messages, @"error: «[python]»: the image has no Python (take a base image with a Python 3, such as `python:3.13-slim`)");
}

#[test]
fn warnings_are_few_and_hold_no_secrets() {
    let files = [
        "a.txt=--trusted-host own.example\na\nb>1\nc~=1.0\nd!=2\ne\nf\nsix @ https://me:SECRET@h.example/six-1.16-py3-none-any.whl?key=SECRET\n",
    ];
    let report = plan(&world(&files), "requirements-files = [\"a.txt\"]");
    insta::assert_snapshot!(report.messages, @"
    warning: «[python]»: several versions satisfy `a`, `b>1`, `c~=1.0`, `d!=2`, `e` and 1 more (pin them with `==`, give a lock, or set `exclude-newer`)
    warning: «[python]»: another file may be there next time: `six @ https://h.example/six-1.16-py3-none-any.whl` (put `#sha256=…` behind the address)
    warning: «[python]»: `--trusted-host` does not hold here: the certificate counts of `own.example` (trust the authority that signed it, in the system's store)
    ");
    // What a constraint pins is pinned.
    let table = "requirements = [\"Six\", \"flask>1\"]\nconstraints = [\"six==1.16\"]\noverrides = [\"flask==3.0\"]";
    insta::assert_snapshot!(plan(&world(&[]), table).messages, @"");
    let table = "requirements = [\"six @ https://me:SECRET@h.example/six-1.16-py3-none-any.whl?key=SECRET\"]";
    insta::assert_snapshot!(plan(&world(&[]), table).messages, @"warning: «[python]»: another file may be there next time: `six @ https://h.example/six-1.16-py3-none-any.whl` (put `#sha256=…` behind the address)");
}

#[test]
fn what_the_base_is_like() {
    let requirements = "requirements = [\"six==1.16\"]";
    let old = world(&[]).today("2030-01-01");
    insta::assert_snapshot!(plan(&old, requirements).messages, @"warning: «[python]»: Python 3.11 gets no security fixes since 2027-10-31 (PEP 664) (take a base image with a newer Python)");
    let two: &[&str] = &[
        "755 opt/venv/bin/python3=other",
        "opt/venv/bin/python3 -> /opt/python/bin/python3.12",
        "755 opt/python/bin/python3.12=other",
        "opt/python/lib/python3.12/os.py=os",
        "usr/local/lib/python3.11/EXTERNALLY-MANAGED=no",
    ];
    let world = context(&[]).base(&[PYTHON, two]).package("six==1.16", &["site:six.py=1"], &[]);
    insta::assert_snapshot!(plan(&world, requirements).messages, @r#"
    warning: «[python]»: packages are installed for `/usr/local/bin/python3.11`, and the image also has `/opt/venv/bin/python3` (to choose, set `interpreter = "/opt/venv/bin/python3"`)
    warning: «[python]»: the packages of `/usr/local/bin/python3.11` are the system's to manage (PEP 668), and these go to `/usr/local/lib/python3.11/site-packages` (a virtual environment, or a `python` image, is nobody else's)
    "#);
    let chosen = format!("{requirements}\ninterpreter = \"/opt/python/bin/python3.12\"");
    insta::assert_snapshot!(plan(&world, &chosen).messages, @"");
    insta::assert_snapshot!(plan(&world, &chosen).files, @r"
    PYTHON six==1.16:
    0755 0:0 opt/python/lib/python3.12/site-packages/
    0755 0:0 opt/python/lib/python3.12/site-packages/six-1.16.dist-info/
    0644 0:0 opt/python/lib/python3.12/site-packages/six-1.16.dist-info/METADATA=Name: six\nVersion: 1.16\n
    0644 0:0 opt/python/lib/python3.12/site-packages/six-1.16.dist-info/RECORD=/opt/python/lib/python3.12/site-packages/six.py,,\n/opt/python/lib/python3.12/site-packages/six-1.16.dist-info/METADATA,,\n/opt/python/lib/python3.12/site-packages/six-1.16.dist-info/RECORD,,\n
    0644 0:0 opt/python/lib/python3.12/site-packages/six.py=1
    ");
    let wrong = format!("{requirements}\ninterpreter = \"3.13\"");
    insta::assert_snapshot!(plan(&world, &wrong).messages, @r#"error: «"3.13"»: the image has no Python `3.13`; it has /usr/local/bin/python3 (3.11), /opt/venv/bin/python3 (3.12) (name one of them by its path or its version)"#);
    let musl: &[&str] = &[
        "usr/bin/python3 -> python3.12",
        "755 usr/bin/python3.12=python",
        "usr/lib/python3.12/os.py=os",
        "lib/apk/db/installed=P:musl\nV:1.2.5-r9\n\nP:python3\nV:3.12.11-r0\n",
    ];
    let world = context(&[]).base(&[musl]).package("six==1.16", &["site:six.py=1"], &[]);
    insta::assert_snapshot!(plan(&world, requirements).messages, @"warning: «[python]»: the image has musl for its C library, for which many packages have no wheels; and results of floating-point functions can differ from glibc's (a base on Debian, such as a `-slim` one, has glibc)");
}
