//! The grammar: comments, directives, continuations, arguments and expansions, heredocs.

use testbed::{Context, Result};

use super::{compare, same};

#[test]
fn comments_and_blank_lines_between_continued_lines() -> Result {
    same(
        "# a comment\n\n   # an indented one\n\
         FROM {base}\n\
         ENV A=1 \\\n\
         # inside an instruction\n\
         \n\
         \x20   B=2 \\\n\
         \x20 # indented inside\n\
         \x20   C=\\#3\n\
         LABEL a=\"#no comment\"\n",
        Context::new()?,
    )
}

#[test]
fn escape_directive() -> Result {
    compare(
        "# escape=`\n\
         FROM {base}\n\
         ENV A=C:\\dir `\n    B=a`$b\n",
        Context::new()?,
    )
    // buildah 1.28 obeys it at the end of a line, and inside one goes on with backslashes.
    .for_buildah("FROM {base}\nENV A='C:\\dir' B='a$b'\n")
    .check()
}

#[test]
fn instructions_in_any_case_and_windows_line_ends() -> Result {
    same("from {base}\r\nEnv A=1\r\nlabel b=2 \\\r\n  c=3\r\n", Context::new()?)
}

#[test]
fn arg_before_from_and_again_in_the_stage() -> Result {
    compare(
        "ARG BASE={base}\nARG VERSION=1\nFROM $BASE\nENV OUTSIDE=x$VERSION\nARG VERSION\nENV INSIDE=x$VERSION\n",
        Context::new()?,
    )
    .arguments(&["--build-arg", "VERSION=2"])
    .check()
}

#[test]
fn arg_defaults_overrides_and_environment() -> Result {
    compare(
        "FROM {base}\n\
         ARG A=default\nARG B=default\nARG C\nENV B=env\n\
         LABEL a=$A b=$B c=x${C}x\n",
        Context::new()?,
    )
    .arguments(&["--build-arg", "A=given", "--build-arg", "B=given"])
    .check()
}

#[test]
fn expansions_with_defaults() -> Result {
    same(
        "FROM {base}\n\
         ENV SET=s EMPTY=\n\
         LABEL a=${SET:-x} b=${EMPTY:-x} c=${UNSET:-x} d=${SET:+x} e=${EMPTY:+x}. f=${UNSET:+x}.\n\
         LABEL g=\"${UNSET:-${SET}y}\" h='${SET}' i=\\$SET j=\"\\${SET}\" k=$SET$SET\n",
        Context::new()?,
    )
}

#[test]
fn expansions_by_pattern() -> Result {
    compare(
        "FROM {base}\n\
         ENV FILE=a/b/name.tar.gz\n\
         LABEL a=${FILE#*/} b=${FILE##*/} c=${FILE%.*} d=${FILE%%.*} e=${FILE/b/c} f=${FILE//a/A}\n",
        Context::new()?,
    )
    // buildah 1.28 does not know these forms.
    .for_buildah(
        "FROM {base}\n\
         ENV FILE=a/b/name.tar.gz\n\
         LABEL a=b/name.tar.gz b=name.tar.gz c=a/b/name.tar d=a/b/name e=a/c/name.tar.gz f=A/b/nAme.tAr.gz\n",
    )
    .check()
}

#[test]
fn expansion_in_paths() -> Result {
    same(
        "FROM {base}\nARG DIR=srv\nENV NAME=f\nWORKDIR /$DIR\nCOPY ${NAME}.txt /$DIR/${NAME:-x}.copy\n",
        Context::new()?.file("f.txt", "text")?,
    )
}

#[test]
fn platform_arguments() -> Result {
    compare(
        "FROM {base}\nARG TARGETPLATFORM\nARG TARGETOS\nARG TARGETARCH\n\
         LABEL platform=$TARGETPLATFORM os=$TARGETOS arch=$TARGETARCH\n",
        Context::new()?,
    )
    .arguments(&["--platform", "linux/amd64"])
    .check()
}

#[test]
fn proxy_arguments_are_predefined_and_leave_no_trace() -> Result {
    compare("FROM {base}\nENV A=1\n", Context::new()?)
        .arguments(&["--build-arg", "http_proxy=http://proxy.example:3128"])
        .check()
}

#[test]
fn heredocs_are_files() -> Result {
    compare(
        "FROM {base}\nARG WHO=you\n\
         COPY <<EOF /srv/greeting\nhello $WHO\nEOF\n\
         COPY <<\"EOF\" /srv/literal\nhello $WHO\nEOF\n\
         COPY <<-EOF /srv/indented\n\t\ttabs are gone\n\tEOF\n\
         COPY <<one <<two /srv/several/\n1\none\n2\ntwo\n",
        Context::new()?
            .file("greeting", "hello you\n")?
            .file("literal", "hello $WHO\n")?
            .file("indented", "tabs are gone\n")?
            .file("one", "1\n")?
            .file("two", "2\n")?,
    )
    // buildah 1.28 knows no heredocs; the same files come from the context.
    .for_buildah("FROM {base}\nCOPY greeting literal indented /srv/\nCOPY one two /srv/several/\n")
    .check()
}

#[test]
fn heredocs_with_owner_and_mode() -> Result {
    compare(
        "FROM {base}\nCOPY --chown=app --chmod=750 <<EOF /srv/script\n#!/bin/sh\nEOF\n",
        Context::new()?.file("script", "#!/bin/sh\n")?,
    )
    .for_buildah("FROM {base}\nCOPY --chown=app --chmod=750 script /srv/script\n")
    .differs("srv", "Docker gives an octal mode to the directories that it makes on the way, too")
    .check()
}

#[test]
fn sources_as_a_json_array() -> Result {
    same(
        "FROM {base}\nCOPY [\"with space.txt\", \"b.txt\", \"/srv/a dir/\"]\n",
        Context::new()?.file("with space.txt", "a")?.file("b.txt", "b")?,
    )
}
