//! The Dockerfile of a workflow task, as such projects' documentation gives it, with the commands
//! that it gives, `plywood` in the place of `docker`.

use testbed::base;
use testbed::{Context, House, Index, Registry, Result, Skopeo, crun, run};

use crate::support::{Unpacked, plywood, push_base};

const DOCKERFILE: &str = r#"ARG from=python:3.11
FROM ${from}

RUN echo "alias ls='ls --color=auto'" >> ~/.bashrc

COPY requirements.txt /
RUN pip install --no-cache-dir --upgrade pip setuptools wheel \
    && pip install --no-cache-dir -r requirements.txt

ARG git_hash
ARG git_branch
ENV IMAGE_GIT_HASH="$git_hash" \
    IMAGE_GIT_BRANCH="$git_branch"
LABEL application="A workflow task" \
    git_hash="$git_hash"

COPY . /app
WORKDIR /app
ENV PYTHONPATH=/app
RUN (umask 000 && mkdir -p /.theano)

CMD ["python", "-m", "task", "--help"]
"#;

const TASK: &str = r#"
import importlib.metadata, os, stat, sys
import flask

assert sys.argv[1:] == ["--help"]
print("flask", importlib.metadata.version("flask"), "at", os.environ["IMAGE_GIT_HASH"])
print("theano", oct(stat.S_IMODE(os.stat("/.theano").st_mode)))
"#;

#[test]
fn a_workflow_task_builds_pushes_and_runs() -> Result {
    let registry = Registry::start()?;
    let python = push_base(&registry, base::usr_local_python()?.layout, "base/python:3.11")?;
    let house = House::listed("lines")?;
    let index = Index::of(&[&house])?;
    let context = Context::with_dockerfile(DOCKERFILE)?
        .file("requirements.txt", "flask\nrequests\n")?
        .file("task.py", TASK)?;
    let plywood = plywood()?;
    let name = registry.reference("tasks/wcm-code:nightly");
    // The base brings pip's configuration, as an organization's own bases do.
    let configured = registry.reference("base/python:configured");
    let settings = format!("[global]\nindex-url = {}\n", index.url());
    let base = Context::with_dockerfile(&format!("FROM {python}\nCOPY pip.conf /etc/pip.conf\n"))?
        .file("pip.conf", settings)?;
    run(plywood.command(["build", "--push", "-t", &configured]).arg(base.path()))?;

    let mut build = plywood.command(["build", "-f", "Dockerfile", "-t", &name]);
    build.args(["--build-arg", &format!("from={configured}")]);
    build.args(["--build-arg", "git_hash=0123abc", "--build-arg", "git_branch=main", "."]);
    run(build.current_dir(context.path()))?;
    run(&mut plywood.command(["push", &name]))?;

    let unpacked = Unpacked::of(&registry.place("tasks/wcm-code:nightly"))?;
    let printed = crun::run(&unpacked.bundle(), "plywood-workflow")?;
    assert_eq!(printed, "flask 3.1.3 at 0123abc\ntheano 0o777\n");
    let config = Skopeo::config(&registry.place("tasks/wcm-code:nightly"))?;
    assert_eq!(config["config"]["Labels"]["git_hash"], "0123abc");
    Ok(())
}
