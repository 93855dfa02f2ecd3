//! `RUN` lines with pip, as they stand in public Dockerfiles: the tree is pip's, path by path.

use testbed::base::{self, PythonBase};
use testbed::{Chroot, Context, House, Index, Plywood, Result, Side, demand_same, run};

use crate::support::plywood;

/// A line, and what lies beside its Dockerfile.
struct Line {
    /// What stands between `RUN` and the command.
    flags: &'static str,
    command: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const fn line(command: &'static str) -> Line {
    Line { flags: "", command, files: &[] }
}

const fn with(command: &'static str, files: &'static [(&'static str, &'static str)]) -> Line {
    Line { flags: "", command, files }
}

const REQUIREMENTS: &[(&str, &str)] =
    &[("requirements.txt", "flask\ngunicorn  # the server\nrequests>=2.0\nsqlalchemy\n")];

/// By what the line is about. The files are of no Dockerfile's project.
const LINES: &[Line] = &[
    line("pip install --upgrade pip"),
    line("pip3 install --upgrade pip setuptools wheel"),
    line("python -m pip install -U pip setuptools"),
    line("python -m pip install --no-cache-dir --upgrade pip"),
    line(
        "python -m pip install --upgrade \"pip==24.0\" \"setuptools==69.2.0\" \"wheel==0.43.0\" \
         --no-cache-dir",
    ),
    line("python3 -m pip install --no-cache-dir 'wheel>=0.46.2'"),
    line("pip3 install wheel"),
    line("pip install pipenv"),
    line("pip install --user \"poetry==1.3.2\""),
    line("pip install uv"),
    line("pip install --upgrade setuptools wheel pip uv"),
    line("pip install flake8==6.0.0"),
    line("pip install --no-cache-dir kafka-python==2.0.6"),
    line("pip install \"numpy>=1.16.6,<2\""),
    line("pip install watchdog"),
    line("pip install supervisor~=4.2"),
    line("pip install --target=/app requests packaging"),
    with("pip install -r requirements.txt", REQUIREMENTS),
    with("pip install --no-cache-dir -r requirements.txt", REQUIREMENTS),
    with("pip3 install -r requirements.txt --no-cache-dir;", REQUIREMENTS),
    with("pip install --prefix=\"/install\" -r requirements.txt", REQUIREMENTS),
    Line {
        flags: "--mount=type=cache,target=/root/.cache/pip ",
        ..with("pip install -r requirements.txt", REQUIREMENTS)
    },
    with(
        "pip install --no-cache-dir --upgrade pip setuptools wheel && \
         pip install --no-cache-dir -r requirements.txt",
        REQUIREMENTS,
    ),
    with(
        "pip install --no-cache-dir --requirement requirements-dev.txt --constraint \
         constraints-dev.txt",
        &[("requirements-dev.txt", "requests\n"), ("constraints-dev.txt", "urllib3<2\n")],
    ),
    with(
        "pip install -U pip && pip install -r requirements.txt && rm -rf requirements.txt",
        REQUIREMENTS,
    ),
    line("pip install requests && pip uninstall -y requests"),
    line("python -m venv --without-pip /opt/venv && pip install requests"),
];

/// Both sides are told the same, so that what stays behind is the line's own doing.
const ENVIRONMENT: &[&str] =
    // `PIP_NO_COMPILE=1` means the opposite: pip sets what `--no-compile` would clear.
    &["PIP_COMPILE=0", "PIP_NO_CACHE_DIR=1", "PIP_DISABLE_PIP_VERSION_CHECK=1"];

/// So many tests share the lines, so that they run side by side.
const SHARES: usize = 3;

#[test]
fn lines_are_as_pip_makes_them_1() -> Result {
    assert!(LINES.len() >= 25, "{} lines", LINES.len());
    compare_share(0)
}

#[test]
fn lines_are_as_pip_makes_them_2() -> Result {
    compare_share(1)
}

#[test]
fn lines_are_as_pip_makes_them_3() -> Result {
    compare_share(2)
}

fn compare_share(share: usize) -> Result {
    let base = base::usr_local_python()?;
    let houses = [House::listed("lines")?, House::listed("earlier")?];
    let index = Index::of(&[&houses[0], &houses[1]])?;
    let wheels = format!("{}\n{}", houses[0].pins(), houses[1].pins());
    let plywood = plywood()?;
    let mut wrong = Vec::new();
    for line in LINES.iter().skip(share).step_by(SHARES) {
        let compared = compare(&plywood, &base, &index, &wheels, line);
        wrong.extend(compared.err().map(|failure| format!("RUN {}\n{failure}", line.command)));
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}

fn compare(
    plywood: &Plywood,
    base: &PythonBase,
    index: &Index,
    houses: &str,
    line: &Line,
) -> Result {
    let ours = Side::read("plywood", &by_plywood(plywood, base, index, line)?.root())?;
    let Line { flags: _, command, files } = line;
    let input = format!("{}\n{houses}\n{command}\n{files:?}\n{ENVIRONMENT:?}", base.identity()?);
    demand_same(&ours, "pip-line", &input, || by_pip(base, index, line))
}

fn by_plywood(
    plywood: &Plywood,
    base: &PythonBase,
    index: &Index,
    line: &Line,
) -> Result<super::Bundle> {
    let environment = ENVIRONMENT.join(" ");
    let Line { flags, command, files } = line;
    let copy = if files.is_empty() { "" } else { "COPY *.txt ./\n" };
    let mut context = Context::with_dockerfile(&format!(
        "FROM base\nENV {environment} PIP_INDEX_URL={}\nWORKDIR /work\n{copy}RUN {flags}{command}\n",
        index.url(),
    ))?;
    for (name, text) in *files {
        context = context.file(name, text)?;
    }
    super::unpacked(plywood, base, &context)
}

fn by_pip(base: &PythonBase, index: &Index, line: &Line) -> Result<Chroot> {
    let chroot = Chroot::copy_of(&base.root)?;
    let work = chroot.root().join("work");
    std::fs::create_dir(&work).unwrap();
    for (name, text) in line.files {
        std::fs::write(work.join(name), text).unwrap();
    }
    let url = format!("PIP_INDEX_URL={}", index.url());
    let script = format!("cd /work && {}", line.command);
    let words = ["env", "HOME=/root", &url].into_iter().chain(ENVIRONMENT.iter().copied());
    run(&mut chroot.command(words.chain(["sh", "-c", &script])))?;
    Ok(chroot)
}
