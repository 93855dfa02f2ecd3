//! Whole Dockerfiles, and what becomes of their lines.

use super::image::Images;
use super::report::{self, Verdict};
use super::sources::Source;
use super::{Surveyed, survey};

fn source(number: &str) -> Source {
    let [repository, path, commit, sha256] =
        ["owner/name", "Dockerfile", "c0ffee", "0"].map(str::to_owned);
    Source { number: number.to_owned(), repository, path, commit, sha256 }
}

fn surveyed(text: &str) -> Surveyed {
    survey(source("001"), text, &Images::new())
}

/// A line each: the verdict, what was installed, and what is in the way.
fn check(text: &str) -> String {
    let lines = match surveyed(text).lines {
        Ok(lines) => lines,
        Err(error) => return format!("error: {error}"),
    };
    let shown = lines.iter().map(|(base, judgement)| {
        let verdict = match Verdict::of(judgement) {
            Verdict::Assembled => "assembled",
            Verdict::ButForPackages => "packages",
            Verdict::NeedsExecution => "execution",
        };
        let installed = &judgement.installed;
        let mut words = vec![format!("{base}:"), verdict.to_owned()];
        words.extend(installed.managers.iter().map(|manager| format!("+{manager}")));
        words.extend(installed.by_pip.then(|| "+pip".to_owned()));
        let obstacles = judgement.obstacles.iter().map(|obstacle| &obstacle.example[..]);
        words.push(obstacles.collect::<Vec<_>>().join("; "));
        words.join(" ").trim_end().to_owned()
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn lines_that_are_assembled() {
    insta::assert_snapshot!(check(
        "FROM docker.io/library/python:3.12-slim
         RUN mkdir -p /srv/app && echo hello > /srv/app/greeting
         RUN pip install --no-cache-dir -U pip && pip install -r requirements.txt
         RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt
         RUN for f in a b; do if [ -f \"$f\" ]; then cp \"$f\" /tmp/; fi; done
         RUN curl -fsSL -o /usr/local/share/x https://a.example/x && chmod 644 /usr/local/share/x
         RUN [\"/bin/bash\", \"-c\", \"mkdir -p /a/{b,c}\"]
         RUN curl -fsSL https://a.example/x.tar.bz2 | tar -xj -C /opt --strip-components=1
         RUN f() { mkdir \"$1\"; }; f /x
         RUN . /etc/os-release && echo $ID
         RUN <<EOF
mkdir /y
echo z > /y/z
EOF
"
    ), @r"
    python: assembled
    python: assembled +pip
    python: assembled +pip
    python: assembled
    python: assembled
    python: assembled
    python: assembled
    python: assembled
    python: assembled
    python: assembled
    ");
}

#[test]
fn lines_that_are_assembled_but_for_packages() {
    insta::assert_snapshot!(check(
        "FROM debian:12
         RUN apt-get update && apt-get install -y --no-install-recommends a && rm -rf /var/lib/apt/lists/*
         RUN apt-get update && apt-get install -y python3-pip && pip install a
         FROM alpine
         RUN apk add --no-cache a && rm -rf /tmp/x
         FROM debian
         RUN apt-get install -y git && git clone https://a.example/b
"
    ), @r"
    debian: packages +apt-get
    debian: packages +apt-get +pip
    alpine: packages +apk
    debian: execution +apt-get `git` is not built in
    ");
}

#[test]
fn lines_that_need_execution_say_why() {
    insta::assert_snapshot!(check(
        "FROM golang:1.22
         RUN go build ./...
         RUN ./configure && make -j4 || true
         RUN cd nowhere && make install
         RUN x=$(make version) && echo $x
         RUN mkdir --no-such-option /x
         RUN pip install -e . && pip install git+https://a.example/b
         RUN curl -fsSL https://a.example/install | bash
         RUN sh install.sh
         RUN . ./functions && build
         RUN curl -o /usr/local/bin/x https://a.example/x && chmod +x /usr/local/bin/x && x --version
         RUN find /usr -name '*.so' -exec strip {} +
         RUN bash -c 'mkdir /x && make'
         RUN command -v make || mkdir /make
         RUN [\"make\", \"install\"]
         RUN cat /proc/cpuinfo
         RUN python setup.py install
         RUN f() { f; }; f
         RUN if
         RUN --device=a.example/gpu mkdir /x
         RUN <<EOF
#!/usr/bin/env python3
print()
EOF
"
    ), @r"
    golang: execution `go` is not built in
    golang: execution `./configure` is not built in; `make` is not built in
    golang: execution `make` is not built in
    golang: execution `make` is not built in
    golang: execution `mkdir` has the option `--no-such-option`, which is not built in
    golang: execution `pip install` has the option `-e`, which is not built in; `pip install` is given a project to build
    golang: execution `bash` reads a script that the Dockerfile does not hold
    golang: execution `sh` reads a script that the Dockerfile does not hold
    golang: execution `.` reads a script that the Dockerfile does not hold; `build` is not built in
    golang: execution `x` is not built in
    golang: execution `strip` is not built in
    golang: execution `make` is not built in
    golang: assembled
    golang: execution `make` is not built in
    golang: execution `/proc/cpuinfo` depends on the machine that runs it: the container's runtime makes it
    golang: execution `python FILE` is not built in
    golang: execution `(a limit)` the depth of calls reached the limit of 200
    golang: execution `the script` is not understood: syntax error: the end of the text is not expected here
    golang: execution `--device=a.example/gpu` depends on the machine that runs it
    golang: execution `python FILE` is not built in
    ");
}

#[test]
fn what_is_literal_is_followed_from_stage_to_stage() {
    insta::assert_snapshot!(check(
        "ARG TAG=3.19
         FROM alpine:$TAG AS base
         ENV TOOL=make PLACE=/opt/x
         WORKDIR $PLACE
         FROM base
         ARG TARGETARCH
         RUN $TOOL all
         RUN \"tool-$TARGETARCH\" && \"in-${PWD##*/}\"
         FROM debian
         RUN $TOOL mkdir /x
         SHELL [\"pwsh\", \"-c\"]
         RUN mkdir /x
"
    ), @r"
    alpine: execution `make` is not built in
    alpine: execution `tool-amd64` is not built in; `in-x` is not built in
    debian: assembled
    debian: execution `pwsh` is not built in
    ");
}

#[test]
fn what_is_no_dockerfile_says_why() {
    insta::assert_snapshot!(check("FORM debian\n"), @"error: there is no instruction `FORM`");
}

#[test]
fn the_document_has_figures_and_reasons() {
    let images = Images::new();
    let files = [
        ("001", "FROM python\nRUN pip install a\nRUN make | cat\n"),
        ("002", "FROM debian\nRUN apt-get install -y a\n"),
        ("003", "FROM debian\nCOPY a /\n"),
        ("004", "FROM debian\nRUN make && git status\n"),
        ("005", "FROM debian\nRUN make\n"),
    ];
    let surveyed: Vec<Surveyed> =
        files.iter().map(|(number, text)| survey(source(number), text, &images)).collect();
    let document = report::document(&surveyed, 6);
    let (introduction, figures) = document.split_once("\n## The figures\n").unwrap();
    assert!(introduction.starts_with("# Which `RUN` lines plywood assembles\n"));
    insta::assert_snapshot!(figures, @r"
    | | number | of the lines | with pip in them |
    |---|---:|---:|---:|
    | `RUN` lines | 5 | | |
    | assembled | 1 | 20.0 % | 1 |
    | assembled but for packages | 1 | 20.0 % | 0 |
    | need execution | 3 | 60.0 % | 0 |

    Of the lines that need execution, 0 install packages of the distribution, too.

    The figures are of 5 Dockerfiles of 6. Without a `RUN` line are 1 of them, and 0 cannot be read. All lines are assembled of 0, and of 1 more all but for packages.

    ## What stands in the way

    Commands that need execution in at least 3 lines; a line with several counts for each, *alone* are those where it is the only one.

    | command | lines | alone | most often |
    |---|---:|---:|---|
    | `make` | 3 | 2 | `make` is not built in |

    ## By base image

    By the last part of its name, without the tag.

    | base | lines | assembled | but for packages | need execution |
    |---|---:|---:|---:|---:|
    | others | 5 | 1 | 1 | 3 |

    ## By Dockerfile

    | | repository | file | lines | assembled | but for packages | need execution | the first that does |
    |---|---|---|---:|---:|---:|---:|---|
    | 001 | owner/name | Dockerfile | 2 | 1 | 0 | 1 | `make` is not built in |
    | 002 | owner/name | Dockerfile | 1 | 0 | 1 | 0 |  |
    | 003 | owner/name | Dockerfile | 0 | 0 | 0 | 0 |  |
    | 004 | owner/name | Dockerfile | 1 | 0 | 0 | 1 | `make` is not built in |
    | 005 | owner/name | Dockerfile | 1 | 0 | 0 | 1 | `make` is not built in |
    ");
    insta::assert_snapshot!(report::obstacles(&surveyed), @r"
    3	2	make
    			3	`make` is not built in
    1	0	git
    			1	`git` is not built in
    ");
}
