//! Virtual environments inside of a `RUN` line, and uv, which works in them.

use super::context;
use super::packages::PYTHON;
use super::python_layers::FLASK;
use super::run_pip::{PIP, run, shown};

/// The parts of a standard library that virtual environments are made of, by its source.
const VENV: &[&str] = &[
    "usr/local/include/python3.11/patchlevel.h=#define PY_VERSION \"3.11.7\"\n",
    "usr/local/lib/python3.11/venv/__init__.py=class EnvBuilder: # ensurepip _venv_path\n\
     f'python3.{sys.version_info[1]}'\nf.write(f'command = \ncontext.prompt = '(%s) ' % prompt\n",
    "usr/local/lib/python3.11/venv/scripts/posix/activate.csh=cd __VENV_DIR__; __VENV_PROMPT__;",
    "usr/local/lib/python3.11/venv/scripts/common/activate=export __VENV_DIR__/__VENV_BIN_NAME__",
    "usr/local/lib/python3.11/ensurepip/__init__.py=_SETUPTOOLS_VERSION = \"65\"\n_PIP_VERSION = \"23\"\n",
    "usr/local/lib/python3.11/ensurepip/_bundled/pip-22-py3-none-any.whl=old pip",
    "usr/local/lib/python3.11/ensurepip/_bundled/pip-23-py3-none-any.whl=pip",
    "usr/local/lib/python3.11/ensurepip/_bundled/setuptools-65-py3-none-any.whl=setuptools",
];

#[test]
fn environments_are_made_of_what_the_image_has() {
    let world = context(&[])
        .base(&[PYTHON, VENV, PIP])
        .package("pip==23", &["site:pip/__init__.py=1", PIP_SCRIPT], &[])
        .package("setuptools==65", &["site:setuptools.py=1"], &[])
        .package("six==1.16", &["site:six.py=1"], &[]);
    let report = run(&world, &["python3 -m venv /app/venv", "/app/venv/bin/pip install six"]);
    insta::assert_snapshot!(shown(&report), @r#"
    RUN ["python3", "-m", "venv", "/app/venv"]:
    0755 0:0 app/venv/
    0755 0:0 app/venv/bin/
    0644 0:0 app/venv/bin/activate=export /app/venv/bin
    0644 0:0 app/venv/bin/activate.csh=cd /app/venv; (venv) ;
    0777 0:0 app/venv/bin/python -> python3
    0777 0:0 app/venv/bin/python3 -> /usr/local/bin/python3
    0777 0:0 app/venv/bin/python3.11 -> python3
    0755 0:0 app/venv/include/
    0755 0:0 app/venv/include/python3.11/
    0777 0:0 app/venv/lib64 -> lib
    0644 0:0 app/venv/pyvenv.cfg=home = /usr/local/bin\ninclude-system-site-packages = false\nversion = 3.11.7\nexecutable = /usr/local/bin/python3.11\ncommand = /usr/local/bin/python3 -m venv /app/venv\n
    RUN pip install pip==23 setuptools==65:
    0755 0:0 app/venv/
    0755 0:0 app/venv/bin/
    0755 0:0 app/venv/bin/pip=#!/app/venv/bin/python3\nfrom pip._internal.cli.main import main\n
    0755 0:0 app/venv/lib/
    0755 0:0 app/venv/lib/python3.11/
    0755 0:0 app/venv/lib/python3.11/site-packages/
    0755 0:0 app/venv/lib/python3.11/site-packages/pip/
    0644 0:0 app/venv/lib/python3.11/site-packages/pip/__init__.py=1
    0644 0:0 app/venv/lib/python3.11/site-packages/setuptools.py=1
    RUN pip install six==1.16:
    0644 0:0 app/venv/lib/python3.11/site-packages/six.py=1
    "#);
    insta::assert_snapshot!(report.questions, @"
    wanted setuptools (the command line:1)
    wanted pip (the command line:1)
    found usr/local/lib/python3.11/ensurepip/_bundled/setuptools-65-py3-none-any.whl
    found usr/local/lib/python3.11/ensurepip/_bundled/pip-23-py3-none-any.whl
    no index
    wanted six (the command line:1)
    installed pip 23
    installed setuptools 65
    ");
    insta::assert_snapshot!(report.asked, @"
    image base:latest for linux/arm64
    index a layer of base:latest
    index a layer of base:latest
    index a layer of base:latest
    read a file, read a file
    read a file, read a file, read a file, read a file
    resolve packages
    read 2 wheels
    read a file
    read a file, read a file
    resolve packages
    read 1 wheels
    ");
    let check = |words: &str| shown(&run(&world, &[words]));
    insta::assert_snapshot!(check("python -m venv --without-pip --system-site-packages /v"), @r#"
    RUN ["python", "-m", "venv", "--without-pip", "--system-site-packages", "/v"]:
    0755 0:0 v/
    0755 0:0 v/bin/
    0644 0:0 v/bin/activate=export /v/bin
    0644 0:0 v/bin/activate.csh=cd /v; (v) ;
    0777 0:0 v/bin/python -> /usr/local/bin/python
    0777 0:0 v/bin/python3 -> python
    0777 0:0 v/bin/python3.11 -> python
    0755 0:0 v/include/
    0755 0:0 v/include/python3.11/
    0755 0:0 v/lib/
    0755 0:0 v/lib/python3.11/
    0755 0:0 v/lib/python3.11/site-packages/
    0777 0:0 v/lib64 -> lib
    0644 0:0 v/pyvenv.cfg=home = /usr/local/bin\ninclude-system-site-packages = true\nversion = 3.11.7\nexecutable = /usr/local/bin/python3.11\ncommand = /usr/local/bin/python -m venv --without-pip --system-site-packages /v\n
    "#);
    insta::assert_snapshot!(check("python3 -m venv --copies /v"), @r#"RUN ["python3", "-m", "venv", "--copies", "/v"]: needs execution: `python -m venv` has the option `--copies`, which is not built in"#);
    let none = context(&[]).base(&[PYTHON, PIP]);
    insta::assert_snapshot!(shown(&run(&none, &["python3 -m venv /v"])), @r#"
    error: «RUN ["python3", "-m", "venv", "/v"]»: the command fails with exit status 1:
    /usr/local/bin/python3: No module named venv
    "#);
}

const PIP_SCRIPT: &str =
    "755 bin:pip=#!/app/venv/bin/python3\nfrom pip._internal.cli.main import main\n";

#[test]
fn uv_installs_as_pip_does() {
    let uv: &[&str] = &[
        "755 usr/local/bin/uv=\u{7f}ELF",
        "755 opt/uv=#!/bin/false\n",
        "app/pyproject.toml=[project]\n",
    ];
    let environment: &[&str] = &[
        "venv/pyvenv.cfg=home = /usr/local/bin\ninclude-system-site-packages = false\n",
        "venv/bin/python -> /usr/local/bin/python3.11",
        "venv/bin/python3 -> python",
    ];
    let world = |variables: &'static str| {
        context(&[])
            .image("base", &[PYTHON, PIP, uv, environment], variables)
            .package("flask==3.0", FLASK, &["six"])
            .package("six==1.16", &["site:six.py=1"], &[])
    };
    let plain = world(r#"{"Env":["PATH=/usr/local/bin"],"WorkingDir":"/app"}"#);
    let check = |words: &str| shown(&run(&plain, &[words]));
    insta::assert_snapshot!(check("uv pip install --system --no-cache flask==3.0"), @"
    RUN pip install flask==3.0 six==1.16:
    0755 0:0 usr/local/bin/flask=run
    0755 0:0 SITE/flask/
    0644 0:0 SITE/flask/__init__.py=1
    0755 0:0 SITE/flask/json/
    0644 0:0 SITE/flask/json/tag.py=2
    0644 0:0 SITE/six.py=1
    ");
    insta::assert_snapshot!(check("uv pip install flask==3.0"), @r#"
    error: «RUN ["uv", "pip", "install", "flask==3.0"]»: the command fails with exit status 2:
    error: No virtual environment found; run `uv venv` to create an environment, or pass `--system` to install into a non-virtual environment
    "#);
    insta::assert_snapshot!(check("uv pip install --target /app/lib six==1.16 --system"), @"
    RUN pip install six==1.16:
    0755 0:0 app/lib/
    0644 0:0 app/lib/six.py=1
    ");
    insta::assert_snapshot!(check("uv pip install --target /app six --system"), @r#"RUN ["uv", "pip", "install", "--target", "/app", "six", "--system"]: needs execution: `uv pip install` installs to `/app`, which is there already"#);
    insta::assert_snapshot!(check("uv sync"), @r#"RUN ["uv", "sync"]: needs execution: `uv` is not built in"#);
    insta::assert_snapshot!(check("/opt/uv pip install --system six"), @r#"RUN ["/opt/uv", "pip", "install", "--system", "six"]: needs execution: `/opt/uv` is not built in"#);
    insta::assert_snapshot!(check("uv pip compile x"), @r#"RUN ["uv", "pip", "compile", "x"]: needs execution: `uv pip compile` is not built in"#);
    let index = "uv pip install --system --extra-index-url https://index.example six";
    insta::assert_snapshot!(check(index), @r#"RUN ["uv", "pip", "install", "--system", "--extra-index-url", "https://index.example", "six"]: needs execution: `uv pip install` has several indexes, of which uv takes the first that has a package; `--index-strategy=unsafe-best-match` is built in"#);
    let active = world(
        r#"{"Env":["PATH=/usr/local/bin","VIRTUAL_ENV=/venv","UV_LINK_MODE=copy","UV_INDEX_URL=https://me:SECRET@index.example"]}"#,
    );
    let report =
        run(&active, &["uv pip install six", "uv pip freeze", "uv pip uninstall six none"]);
    insta::assert_snapshot!(shown(&report), @r#"
    RUN pip install six==1.16:
    0755 0:0 venv/lib/
    0755 0:0 venv/lib/python3.11/
    0755 0:0 venv/lib/python3.11/site-packages/
    0644 0:0 venv/lib/python3.11/site-packages/six.py=1
    RUN ["uv", "pip", "uninstall", "six", "none"]:
    0000 0:0 venv/lib/python3.11/site-packages/six-1.16.dist-info Whiteout at 0
    0000 0:0 venv/lib/python3.11/site-packages/six.py Whiteout at 0
    "#);
    insta::assert_snapshot!(report.said, @"
    six==1.16
    warning: Skipping none as it is not installed
    ");
    insta::assert_snapshot!(report.questions, @"
    wanted six (the command line:1)
    index https://index.example
    ");
    let odd = world(r#"{"Env":["PATH=/usr/local/bin","UV_RESOLUTION=lowest"]}"#);
    insta::assert_snapshot!(shown(&run(&odd, &["uv pip install --system six"])), @r#"RUN ["uv", "pip", "install", "--system", "six"]: needs execution: `uv pip install` is set up by `UV_RESOLUTION`, which is not built in"#);
}
