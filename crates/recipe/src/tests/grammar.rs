//! What each instruction means.

use super::{one, parsed, show};
use crate::{Instruction, parse_trigger};

#[test]
fn a_real_file() {
    let text = "\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM --platform=$BUILDPLATFORM python:${VERSION}-slim AS Build
WORKDIR /src
ENV A=1 \\
    # why
    B=\"x y\"
COPY --chown=app:app --link requirements.txt ./
RUN --mount=type=cache,target=/root/.cache \\
    pip install -r requirements.txt
from scratch
COPY --from=build /src /app
USER 1000
EXPOSE 80 443/udp
CMD [\"python\", \"-m\", \"app\"]
";
    assert_eq!(
        show(text),
        "\
GLOBAL VERSION=[3.12]
FROM python:${VERSION}-slim on $BUILDPLATFORM as build
WORKDIR [/src]
ENV [A]=[1] [B]=[\"x y\"]
COPY [requirements.txt] -> [./] chown=app:app link
RUN sh<pip install -r requirements.txt> mount=Cache[(\"target\", Some(\"/root/.cache\"))]
FROM scratch
COPY [/src] -> [/app] from=build
USER [1000]
EXPOSE [80] [443/udp]
CMD [\"python\", \"-m\", \"app\"]"
    );
    let recipe = parsed(text).recipe;
    assert_eq!(recipe.directives.syntax.as_deref(), Some("docker/dockerfile:1"));
    let pieces: Vec<&str> =
        recipe.stages[0].instructions.iter().map(|step| &text[step.span.clone()]).collect();
    assert_eq!(pieces[1], "ENV A=1 \\\n    # why\n    B=\"x y\"");
    assert_eq!(recipe.stages[0].instructions[1].text, "ENV A=1     B=\"x y\"");
    assert_eq!(&text[recipe.stages[1].span.clone()], "from scratch");
}

#[test]
fn lines() {
    let check = |text: &str, expected: &str| assert_eq!(show(text), expected, "{text:?}");
    check("FROM a", "FROM a");
    check("\u{feff}FROM a\n", "FROM a");
    check("\r\n# x\r\n  FROM a  \r\nUSER b\r\n", "FROM a\nUSER [b]");
    check("FROM \\\n  a", "FROM a");
    check("FROM \\  \n  a", "FROM a");
    check("FROM a\nRUN a\\\nb\\\r\n# c\n  # d \\\n\\\n e", "FROM a\nRUN sh<ab e>");
    // Two escape characters are no continuation; nor is one in the middle.
    check("FROM a\nRUN a \\\\\nRUN \\b", "FROM a\nRUN sh<a \\\\>\nRUN sh<\\b>");
    check("FROM a\nRUN a \\", "FROM a\nRUN sh<a>");
    check("FROM a\nRUN a \\\n\n\n  b", "FROM a\nRUN sh<a   b>");
    check("\\\nFROM a\n\\\n\\\n\nUSER b", "FROM a\nUSER b".replace("USER b", "USER [b]").as_str());
    // A comment is one only at the beginning of a line.
    check("FROM a\nRUN b # c", "FROM a\nRUN sh<b # c>");
    check("FROM\ta\nUSER \t b  c ", "FROM a\nUSER [b  c]");
    check("fRoM a\nuSeR b", "FROM a\nUSER [b]");
}

#[test]
fn directives() {
    let escape = |text: &str| parsed(text).recipe.directives.escape;
    let backtick = "FROM a\nRUN b `\n c";
    assert_eq!(escape(&format!("# escape=`\n{backtick}")), '`');
    assert_eq!(show(&format!("#escape = ` \n{backtick}")), "FROM a\nRUN sh<b  c>");
    assert_eq!(escape("# EsCape=`\r\nFROM a"), '`');
    assert_eq!(escape("# syntax=x\n# escape=`\nFROM a"), '`');
    assert_eq!(escape("  # escape=`\nFROM a"), '`');
    // After anything else it is a comment.
    assert_eq!(escape("# comment\n# escape=`\nFROM a"), '\\');
    assert_eq!(escape("\n# escape=`\nFROM a"), '\\');
    assert_eq!(escape("# key=value\n# escape=`\nFROM a"), '\\');
    assert_eq!(escape("#!/usr/bin/env x\n# escape=`\nFROM a"), '\\');
    assert_eq!(escape("FROM a\n# escape=`"), '\\');

    let directives = parsed("#!/x\n# syntax = a/b:1 // opts\n# check=skip=A, \nFROM a");
    assert_eq!(directives.recipe.directives.syntax.as_deref(), Some("a/b:1"));
    let check = |text: &str| {
        let check = parsed(&format!("# check={text}\nFROM a")).recipe.directives.check;
        format!("{:?} {} {:?}", check.skip, check.error, check.experimental)
    };
    assert_eq!(check("skip=A,B;error=true"), "[\"A\", \"B\"] true []");
    assert_eq!(check("error=1;experimental=all // why"), "[] true [\"all\"]");
}

#[test]
fn words_and_pairs() {
    let check = |text: &str, expected: &str| assert_eq!(one(text), expected, "{text:?}");
    check(
        "ENV a=b c='d e' f=\"g\\\" h\" i=j\\ k",
        "ENV [a]=[b] [c]=['d e'] [f]=[\"g\\\" h\"] [i]=[j\\ k]",
    );
    check("ENV a=", "ENV [a]=[]");
    check("ENV a=b=c", "ENV [a]=[b=c]");
    check("ENV a  b c  d", "ENV [a]=[b c  d]");
    check("ENV a b=c", "ENV [a]=[b=c]");
    check("ENV \"a b\"=c", "ENV [\"a b\"]=[c]");
    check("ENV a=b\\\\\\", "ENV [a]=[b\\\\]");
    check("ENV a='b\\'", "ENV [a]=['b\\']");
    check("LABEL a.b=c \\\n  d=\"e \\\nf\"", "LABEL [a.b]=[c] [d]=[\"e f\"]");
    check("LABEL a b", "LABEL [a]=[b]");
    check("ARG a", "ARG a");
    check("ARG a=b c d=\"e f\" g=", "ARG a=[b] c d=[\"e f\"] g=[]");
    check("EXPOSE 80  443/tcp\t$P", "EXPOSE [80] [443/tcp] [$P]");
    check("VOLUME /a /b", "VOLUME [/a] [/b]");
    check("VOLUME [\"/a\", \" /b c \"]", "VOLUME [/a] [/b c]");
    check("VOLUME [/a", "VOLUME [[/a]");
    check("MAINTAINER a <b@c.d>", "MAINTAINER a <b@c.d>");
    check("STOPSIGNAL $S", "STOPSIGNAL [$S]");
    check("WORKDIR /a b/c", "WORKDIR [/a b/c]");
    check("USER ${U:-a b}:0", "USER [${U:-a b}:0]");
}

#[test]
fn commands() {
    let check = |text: &str, expected: &str| assert_eq!(one(text), expected, "{text:?}");
    check("CMD a \"b\"", "CMD sh<a \"b\">");
    check("CMD [\"a\", \"b\\n\\u00e9\\\"\"]", "CMD [\"a\", \"b\\né\\\"\"]");
    check("CMD []", "CMD []");
    check("CMD", "CMD sh<>");
    check("CMD [ \"a\" ] ", "CMD [\"a\"]");
    // What is no JSON is for the shell.
    check("CMD ['a']", "CMD sh<['a']>");
    check("CMD [\"a\",]", "CMD sh<[\"a\",]>");
    check("CMD [\"a\"] b", "CMD sh<[\"a\"] b>");
    check("RUN [ -f /a ] && b", "RUN sh<[ -f /a ] && b>");
    check("RUN [\"C:\\a\"]", "RUN sh<[\"C:\\a\"]>");
    check("ENTRYPOINT exec a", "ENTRYPOINT sh<exec a>");
    check("SHELL [\"/bin/bash\", \"-c\"]", "SHELL [\"/bin/bash\", \"-c\"]");
    check(
        "RUN --network=none --security=insecure --device=a=b,required x",
        "RUN sh<x> network=none security=insecure device=a=b,required",
    );
    check("CMD -- --a", "CMD sh<--a>");
    check("RUN -x", "RUN sh<-x>");
    check("HEALTHCHECK NONE", "HEALTHCHECK NONE");
    check(
        "HEALTHCHECK --interval=30s --timeout=1m30s --start-period=0 --start-interval=1ms --retries=3 cmd curl -f x",
        "HEALTHCHECK sh<curl -f x> 30000000000 90000000000 0 1000000 3",
    );
    check("HEALTHCHECK CMD [\"a\"]", "HEALTHCHECK [\"a\"] 0 0 0 0 0");
    check("HEALTHCHECK --retries= CMD a", "HEALTHCHECK sh<a> 0 0 0 0 0");
}

#[test]
fn copies() {
    let check = |text: &str, expected: &str| assert_eq!(one(text), expected, "{text:?}");
    check("COPY a b", "COPY [a] -> [b]");
    check("COPY a  b\tc/ d/", "COPY [a] [b] [c/] -> [d/]");
    check("COPY [\"a b\", \"c\"]", "COPY [a b] -> [c]");
    check("COPY [a b]", "COPY [[a] -> [b]]");
    check(
        "COPY --from=0 --chown=1:2 --chmod=u=rwX,go=rX --link=false --parents --exclude=*.a --exclude=b c d",
        "COPY [c] -> [d] from=0 chown=1:2 chmod=u=rwX,go=rX parents exclude=*.a exclude=b",
    );
    check("COPY --link=TRUE a b", "COPY [a] -> [b] link");
    check("COPY --chmod=$M --chown=${U}:${G} a b", "COPY [a] -> [b] chown=${U}:${G} chmod=$M");
    check("COPY --chown=\"a b\":c\\ d e f", "COPY [e] -> [f] chown=a b:c d");
    check("COPY --chown= --from='' a b", "COPY [a] -> [b]");
    check("COPY -- --a b", "COPY [--a] -> [b]");
    check("COPY a --from=b", "COPY [a] -> [--from=b]");
    check("COPY --from=é ü ß", "COPY [ü] -> [ß] from=é");
    check("ADD https://a/b?c=d /e", "ADD [https://a/b?c=d] -> [/e]");
    check(
        "ADD --checksum=sha256:00 --keep-git-dir --unpack=false --exclude=x a b",
        "ADD [a] -> [b] exclude=x checksum=sha256:00 keep-git-dir unpack=false",
    );
    check("ADD --unpack a b", "ADD [a] -> [b] unpack=true");
}

#[test]
fn mounts() {
    let check = |text: &str, expected: &str| {
        let shown = one(&format!("RUN --mount={text} x"));
        assert_eq!(shown.strip_prefix("RUN sh<x> mount=").unwrap(), expected, "{text}");
    };
    check("target=/a", "Bind[(\"target\", Some(\"/a\"))]");
    check(
        "type=cache,TARGET=/a,ro,sharing=Locked,mode=0755,uid=$U",
        "Cache[(\"target\", Some(\"/a\")), (\"ro\", None), (\"sharing\", Some(\"Locked\")), \
         (\"mode\", Some(\"0755\")), (\"uid\", Some(\"$U\"))]",
    );
    check(
        "id=a,type=secret,required=true,env=B",
        "Secret[(\"id\", Some(\"a\")), (\"required\", Some(\"true\")), (\"env\", Some(\"B\"))]",
    );
    check("type=SSH", "Ssh[]");
    check(
        "type=tmpfs,target=/a,size=1.5g",
        "Tmpfs[(\"target\", Some(\"/a\")), (\"size\", Some(\"1.5g\"))]",
    );
    check(
        "\\\"source=a,b\\\",target=c",
        "Bind[(\"source\", Some(\"a,b\")), (\"target\", Some(\"c\"))]",
    );
    check(
        "source=a$,from=b,rw=0",
        "Bind[(\"source\", Some(\"a$\")), (\"from\", Some(\"b\")), (\"rw\", Some(\"0\"))]",
    );
}

#[test]
fn stages() {
    let check = |text: &str, expected: &str| assert_eq!(show(text), expected, "{text:?}");
    check("FROM a as b", "FROM a as b");
    check("FROM a AS b.c-d_1", "FROM a as b.c-d_1");
    check("FROM --platform=linux/arm64 a", "FROM a on linux/arm64");
    check("ARG a\nARG b=c d\nFROM e\nARG a", "GLOBAL a\nGLOBAL b=[c]\nGLOBAL d\nFROM e\nARG a");
    check("FROM a\nFROM b", "FROM a\nFROM b");
}

#[test]
fn on_build() {
    let check = |text: &str, expected: &str| assert_eq!(one(text), expected, "{text:?}");
    check("ONBUILD RUN a \\\n b", "ONBUILD \"RUN a  b\"");
    check("onbuild  copy  a b", "ONBUILD \"copy  a b\"");
    check(
        "ONBUILD COPY <<-A <<B /c\n\tx\n\tA\ny\nB",
        "ONBUILD \"COPY <<-A <<B /c\\n\\tx\\nA\\ny\\nB\"",
    );
}

#[test]
fn triggers() {
    let check = |text: &str, expected: &str| {
        let shown = match parse_trigger(text) {
            Ok(instruction) => format!("{} {}", instruction.name(), super::detail(&instruction)),
            Err(error) => super::findings(text, &[error]),
        };
        assert_eq!(shown, expected, "{text:?}");
    };
    check("RUN a", "RUN sh<a>");
    check("COPY <<-A <<B /c\n\tx\nA\ny\nB", "COPY <<A\"x\\n\" <<B\"y\\n\" -> [/c]");
    check("env a=b", "ENV [a]=[b]");
    check("", "1 «» an `ONBUILD` trigger is empty");
    check("FROM a", "1 «FROM» `FROM` cannot be an `ONBUILD` trigger");
    check("RUN a\nRUN b", "2 «RUN b» an `ONBUILD` trigger is more than one instruction");
    check(
        "COPY a",
        "1 «a» `COPY` has a source and no destination | it is written `COPY SOURCE … DESTINATION`",
    );
    check("RUM a", "1 «RUM» there is no instruction `RUM` | did you mean `RUN`?");
}

#[test]
fn places() {
    let text = "FROM a AS \\\n  Bcd\nCOPY --chown=x:y \\\n  e\\\nf [\"g\nENV k=\"v\" l=m\n";
    let recipe = parsed(text).recipe;
    let stage = &recipe.stages[0];
    assert_eq!(&text[stage.base.name.as_ref().unwrap().span.clone()], "Bcd");
    assert_eq!(&text[stage.span.clone()], "FROM a AS \\\n  Bcd");
    let Instruction::Copy(copy) = &stage.instructions[0].instruction else { panic!() };
    assert_eq!(&text[copy.chown.as_ref().unwrap().span.clone()], "x:y");
    let crate::Source::Path(source) = &copy.sources[0] else { panic!() };
    assert_eq!((&text[source.span.clone()], source.text.as_str()), ("e\\\nf", "ef"));
    assert_eq!(&text[copy.destination.span.clone()], "[\"g");
    let Instruction::Env(pairs) = &stage.instructions[1].instruction else { panic!() };
    assert_eq!(&text[pairs[0].1.span.clone()], "\"v\"");
    assert_eq!(&text[pairs[1].0.span.clone()], "l");
}
