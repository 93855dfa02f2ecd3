//! Two projects' Dockerfiles as their documentation gives them, packages of Debian and of Python
//! together, each built and pushed by two commands.

use std::process::Command;

use testbed::debian::{self, Archive};
use testbed::{Context, House, Index, Plywood, Registry, Result, crun, run};

use crate::support::{Unpacked, plywood, push_base};

/// A workflow's task: its lines as they are, the lists of apt left where they are.
const TASK: &str = r#"ARG from=python:3.11
FROM ${from}

RUN apt-get update \
    && apt-get install -y swig gfortran llvm cmake nano

RUN echo "alias ls='ls --color=auto'" >> ~/.bashrc

COPY requirements.txt /
RUN pip install --no-cache-dir --upgrade pip setuptools wheel \
    && pip install --no-cache-dir -r requirements.txt

ARG git_hash
ENV IMAGE_GIT_HASH="$git_hash"
LABEL application="A workflow task"

COPY . /app
WORKDIR /app

CMD ["/bin/bash", "-euc", "python -m task && gfortran task.f90 -o task && ./task && swig -version"]
"#;

#[test]
fn a_workflow_task_with_its_compilers() -> Result {
    let scene = Scene::new()?;
    let context = Context::with_dockerfile(TASK)?
        .file("requirements.txt", "flask\nrequests\n")?
        .file("task.py", "import flask, os\nprint('flask at', os.environ['IMAGE_GIT_HASH'])\n")?
        .file("task.f90", "program task\nprint *, 6*7\nend program\n")?;
    let argument = format!("from={}", scene.base);
    let options = ["--build-arg", &argument, "--build-arg", "git_hash=0123abc"];
    let printed = scene.build_push_and_run(&context, "tasks/wcm-code:nightly", &options)?;
    for expected in ["flask at 0123abc", "          42", "SWIG Version 4."] {
        assert!(printed.contains(expected), "{printed}");
    }
    Ok(())
}

/// A custom container of a data pipeline's workers; its SDK's image is made here, too.
const WORKER: &str = r#"ARG BASE
FROM $BASE AS sdk
RUN mkdir -p /opt/apache/beam \
    && printf '#!/bin/sh\nexec python /opt/apache/beam/worker.py "$@"\n' > /opt/apache/beam/boot \
    && chmod 755 /opt/apache/beam/boot

FROM $BASE
LABEL Author="somebody"
ENV LANG=C.UTF-8
RUN apt-get update && \
    apt-get install -y \
        libsnappy-dev \
        libyaml-dev \
        ccache \
    && rm -rf /var/lib/apt/lists/*
COPY pins.txt /tmp/pins.txt
RUN pip install --no-cache-dir --no-deps -r /tmp/pins.txt && pip check && rm /tmp/pins.txt \
    && mkdir -p /usr/local/lib/ccache && ln -s /usr/bin/ccache /usr/local/lib/ccache/gcc
COPY licenses /opt/apache/beam/third_party_licenses
COPY worker.py /opt/apache/beam/
COPY --from=sdk /opt/apache/beam/boot /opt/apache/beam/boot
ENTRYPOINT ["/opt/apache/beam/boot"]
"#;

const WORKER_PY: &str = r#"
import ctypes, ctypes.util, importlib.metadata, os
print(ctypes.CDLL("libsnappy.so").snappy_max_compressed_length(100) > 100)
print(ctypes.util.find_library("snappy"), ctypes.CDLL("libyaml.so").yaml_get_version_string is not None)
print("flask" in {d.name.lower() for d in importlib.metadata.distributions()})
print(os.listdir("/opt/apache/beam/third_party_licenses"))
"#;

#[test]
fn a_custom_container_of_a_pipeline() -> Result {
    let scene = Scene::new()?;
    let context = Context::with_dockerfile(WORKER)?
        .file("pins.txt", House::listed("benchmark")?.pins())?
        .file("worker.py", WORKER_PY)?
        .file("licenses/flask/LICENSE", "as it is\n")?;
    let argument = format!("BASE={}", scene.base);
    let printed =
        scene.build_push_and_run(&context, "pipelines/worker:1", &["--build-arg", &argument])?;
    assert_eq!(printed, "True\nlibsnappy.so.1 True\nTrue\n['flask']\n");
    Ok(())
}

/// A registry with a Python base whose pip is configured for an index on loopback.
struct Scene {
    archive: Archive,
    registry: Registry,
    _index: Index,
    plywood: Plywood,
    base: String,
}

impl Scene {
    fn new() -> Result<Self> {
        let archive = Archive::start()?;
        let registry = Registry::start()?;
        let layout = debian::with_python(&archive)?.layout;
        let python = push_base(&registry, layout, "base/python:3.11")?;
        let index = Index::of(&[&House::listed("lines")?, &House::listed("benchmark")?])?;
        let plywood = plywood()?;
        let base = registry.reference("base/python:configured");
        let settings = format!("[global]\nindex-url = {}\n", index.url());
        let dockerfile = format!("FROM {python}\nCOPY pip.conf /etc/pip.conf\n");
        let context = Context::with_dockerfile(&dockerfile)?.file("pip.conf", settings)?;
        run(plywood.command(["build", "--push", "-t", &base]).arg(context.path()))?;
        Ok(Scene { archive, registry, _index: index, plywood, base })
    }

    /// The two commands, and what the image prints when it is run.
    fn build_push_and_run(
        &self,
        context: &Context,
        name: &str,
        options: &[&str],
    ) -> Result<String> {
        let reference = self.registry.reference(name);
        let in_place = |command: &mut Command| {
            run(command.current_dir(context.path()).envs(self.archive.environment()))
        };
        in_place(self.plywood.command(["build", "-t", &reference]).args(options).arg("."))?;
        in_place(&mut self.plywood.command(["push", &reference]))?;
        let unpacked = Unpacked::of(&self.registry.place(name))?;
        crun::run(&unpacked.bundle(), "plywood-debian-project")
    }
}
