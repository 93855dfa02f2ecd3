//! What is refused, with its place and its hint.

use super::findings;
use crate::parse_dockerfile;

/// Errors of a whole file.
fn file(text: &str, expected: &str) {
    let shown = match parse_dockerfile(text) {
        Ok(_) => "no errors".to_owned(),
        Err(errors) => findings(text, &errors),
    };
    assert_eq!(shown, expected, "{text:?}");
}

/// The one error of an instruction behind `FROM scratch`, without its line number.
fn check(text: &str, expected: &str) {
    file(&format!("FROM scratch\n{text}"), &format!("2 {expected}"));
}

#[test]
fn files() {
    let begin = "begin a stage with `FROM IMAGE`, or `FROM scratch`";
    file("", &format!("1 «» there is no instruction | {begin}"));
    file("# a\n\n", &format!("1 «» there is no instruction | {begin}"));
    file("ARG a", &format!("1 «» there is no `FROM`, so there is nothing to build | {begin}"));
    file(
        "RUN a\nUSER b\nFROM c",
        "1 «RUN» `RUN` stands before the first `FROM` | begin with `FROM IMAGE`, or with `FROM \
         scratch`; only ARG may come before",
    );
    // One mistake hides no other.
    file(
        "FORM a\nFROM b\nCOPY c\nENV\nUSRE d",
        "1 «FORM» there is no instruction `FORM` | did you mean `FROM`?\n\
         3 «c» `COPY` has a source and no destination | it is written `COPY SOURCE … DESTINATION`\n\
         4 «ENV» `ENV` has no name | it is written `ENV NAME=VALUE …`\n\
         5 «USRE» there is no instruction `USRE` | did you mean `USER`?",
    );
    file("FORM a\nRUN b", "1 «FORM» there is no instruction `FORM` | did you mean `FROM`?");
    file(
        "FROM a b\nRUN c",
        "1 «b» `FROM` has more than an image and a name | it is written `FROM IMAGE` or `FROM IMAGE \
         AS NAME`",
    );
    file(
        "FROM a\nRUN b &&\n  apt-get c",
        "3 «apt-get» there is no instruction `apt-get` | end the line before with `\\` if this \
         belongs to it",
    );
    check(
        "CMD[\"a\"]",
        "«CMD[\"a\"]» there is no instruction `CMD[\"a\"]` | put a space behind `CMD`",
    );
    check("run<<E", "«run<<E» there is no instruction `run<<E` | put a space behind `RUN`");
    file("FROM a\nfoo b", "2 «foo» there is no instruction `foo`");
    assert_eq!(parse_dockerfile(&"FROM a\nx\n".repeat(1000)).unwrap_err().len(), 100);
    let large = format!("FROM a\n#{}", "x".repeat(4 << 20));
    file(&large, "1 «» the file is larger than 4 MiB | keep large content in files of the context");
}

#[test]
fn directives() {
    file(
        "# escape=x\nFROM a",
        "1 «x» `x` cannot be the escape character | it is `\\` or a backtick",
    );
    file(
        "# syntax=a\n# Syntax=b\nFROM a",
        "2 «Syntax» the directive `syntax` stands here again | keep one of them",
    );
    file(
        "# check=skip=a;eror=true\nFROM a",
        "1 «eror=true» `eror=true` is not a check option | did you mean `error`?",
    );
    file(
        "# check=a\nFROM a",
        "1 «a» `a` is not a check option | options are skip=RULE,…, experimental=RULE,… and \
         error=true",
    );
    file(
        "# check=skip=A; error=true\nFROM a",
        "1 «skip=A; error=true» the options of `check` end at a space | write them without spaces",
    );
}

#[test]
fn flags() {
    check("COPY --form=a b c", "«--form» `COPY` has no flag `--form` | did you mean `--from`?");
    check(
        "COPY --x a b",
        "«--x» `COPY` has no flag `--x` | it takes --from, --chown, --chmod, --link, --parents, \
         --exclude",
    );
    check(
        "ADD --checksums=a b c",
        "«--checksums» `ADD` has no flag `--checksums` | did you mean `--checksum`?",
    );
    check(
        "CMD --a",
        "«--a» `CMD` has no flag `--a` | `CMD` takes no flags; if it is an argument, put `--` in \
         front of it",
    );
    check(
        "COPY --from=a --from=b c d",
        "«--from» the flag `--from` is given twice | keep one of them",
    );
    check(
        "COPY --from a b c",
        "«--from» `--from` has no value | write `--from=VALUE`, without a space",
    );
    check(
        "COPY --link=yes a b",
        "«yes» `--link` is on or off, and cannot be `yes` | write `true` or `false`, or the flag alone",
    );
    check(
        "COPY --link= a b",
        "«» `--link` is on or off, and cannot be `` | write `true` or `false`, or the flag alone",
    );
    check(
        "COPY --from=$a b c",
        "«$a» variables are not expanded in `--from` | name a stage with `FROM … AS name`, and copy \
         from that",
    );
    check(
        "COPY --chmod=u=y a b",
        "«u=y» `u=y` is not a file mode | write an octal number up to 7777, such as 0755, or a \
         change such as `u=rwX,go=rX`",
    );
    check(
        "ADD --chown=a: b c",
        "«a:» `a:` does not name an owner | an owner is written USER or USER:GROUP, each a name or a \
         number",
    );
    check("RUN --network=nome a", "«nome» `--network` cannot be `nome` | did you mean `none`?");
    check("RUN --security=x a", "«x» `--security` cannot be `x` | it is one of sandbox, insecure");
}

#[test]
fn mounts() {
    let check = |mount: &str, expected: &str| check(&format!("RUN --mount={mount} x"), expected);
    check(
        "type=cahce,target=/a",
        "«cahce» there is no type of mount called `cahce` | did you mean `cache`?",
    );
    check(
        "type=a",
        "«a» there is no type of mount called `a` | types are bind, cache, tmpfs, secret, ssh",
    );
    check(
        "type=cache,tagret=/a",
        "«tagret» a mount has no option `tagret` | did you mean `target`?",
    );
    check(
        "type=bind,target",
        "«target» the mount's option `target` has no value | write `target=VALUE`",
    );
    check(
        "type=bind,ro=maybe",
        "«maybe» `maybe` is no value for the mount's option `ro` | it is `true` or `false`",
    );
    check(
        "type=cache,sharing=all",
        "«all» `all` is no value for the mount's option `sharing` | it is `shared`, `private` or `locked`",
    );
    check(
        "type=cache,mode=rw",
        "«rw» `rw` is no value for the mount's option `mode` | it is an octal number, such as 0755",
    );
    check("type=cache,uid=a", "«a» `a` is no value for the mount's option `uid` | it is a number");
    check(
        "type=tmpfs,size=big",
        "«big» `big` is no value for the mount's option `size` | it is a size in bytes, such as \
         67108864, 64m or 1g",
    );
    check("type=bind,size=1m", "«size» a mount of type `bind` has no option `size`");
    check("mode=0755", "«mode» a mount of type `bind` has no option `mode`");
    check("type=secret,from=a,id=b", "«from» a mount of type `secret` has no option `from`");
    check(
        "type=secret",
        "«type=secret» a secret's mount names no secret | say which with `id=NAME`",
    );
    check(
        "type=secret,id=a,src=b",
        "«type=secret,id=a,src=b» a secret's mount has a source and an id, which mean the same | keep the id",
    );
    check(
        "from=$a,target=b",
        "«$a» variables are not expanded in a mount's `from` | name a stage for it with FROM, where \
         they are, and take that",
    );
    check(
        "target=\\\"a",
        "«target=\\\"a» a quote in a comma-separated list does not enclose a whole field",
    );
}

#[test]
fn arguments() {
    check("USER", "«USER» `USER` has no argument | it takes exactly one");
    check("ARG", "«ARG» `ARG` has no name | it is written `ARG NAME` or `ARG NAME=DEFAULT`");
    check("ARG a =b", "«=b» an `ARG` has no name");
    check("ENV a", "«a» `ENV` has a name and no value | it is written `ENV NAME=VALUE …`");
    check("ENV a=b c", "«c» `c` has no `=` | put a value that holds white space in quotes");
    check("LABEL =b", "«=b» a name of `LABEL` is empty | it is written `LABEL NAME=VALUE …`");
    check("EXPOSE", "«EXPOSE» `EXPOSE` has no port | it is written `EXPOSE PORT[/tcp|/udp] …`");
    check("VOLUME", "«VOLUME» `VOLUME` has no path | it is written `VOLUME PATH …`");
    check("VOLUME [\"\"]", "«\"\"» a volume's path is empty");
    check(
        "CMD [\"a\", 1]",
        "«[\"a\", 1]» an array in exec form holds something that is not a string | put every \
         element in double quotes",
    );
    let array = "it is written as a JSON array, such as `SHELL [\"/bin/bash\", \"-c\"]`";
    check("SHELL bash -c", &format!("«bash -c» `SHELL` is not in exec form | {array}"));
    check("SHELL []", &format!("«SHELL» `SHELL` has no program | {array}"));
    check(
        "COPY",
        "«COPY» `COPY` has no source and no destination | it is written `COPY SOURCE … DESTINATION`",
    );
    let onbuild = "cannot stand behind `ONBUILD`";
    check("ONBUILD FROM a", &format!("«FROM» `FROM` {onbuild}"));
    check("ONBUILD ONBUILD RUN a", &format!("«ONBUILD» `ONBUILD` {onbuild}"));
    check("ONBUILD maintainer a", &format!("«maintainer» `MAINTAINER` {onbuild}"));
    check(
        "ONBUILD",
        "«ONBUILD» `ONBUILD` has no instruction | it is written `ONBUILD INSTRUCTION …`",
    );
    check("ONBUILD CPOY a b", "«CPOY» there is no instruction `CPOY` | did you mean `COPY`?");
    check(
        "ONBUILD COPY --form=a b c",
        "«--form» `COPY` has no flag `--form` | did you mean `--from`?",
    );
}

#[test]
fn from() {
    let check = |text: &str, expected: &str| file(text, &format!("1 {expected}"));
    check("FROM", "«FROM» `FROM` has no image | to start from nothing, write `FROM scratch`");
    check(
        "FROM a # b",
        "«# b» `FROM` has more than an image and a name | a comment stands on a line of its own",
    );
    let name = "a name begins with a letter and goes on with letters, digits, `-`, `_` and `.`";
    check("FROM a AS 1b", &format!("«1b» `1b` cannot be a stage's name | {name}"));
    check("FROM a AS b/c", &format!("«b/c» `b/c` cannot be a stage's name | {name}"));
    check(
        "FROM --platfrom=a b",
        "«--platfrom» `FROM` has no flag `--platfrom` | did you mean `--platform`?",
    );
}

#[test]
fn healthchecks() {
    let form = "it is written `HEALTHCHECK CMD COMMAND` or `HEALTHCHECK NONE`";
    check("HEALTHCHECK", &format!("«HEALTHCHECK» `HEALTHCHECK` has no command | {form}"));
    check("HEALTHCHECK NONE a", "«a» `HEALTHCHECK NONE` takes no arguments");
    check("HEALTHCHECK CMD", &format!("«CMD» `HEALTHCHECK CMD` has no command | {form}"));
    check("HEALTHCHECK curl x", &format!("«curl» `HEALTHCHECK` cannot be `curl` | {form}"));
    check(
        "HEALTHCHECK --interval=30 CMD a",
        "«30» `30` is not a duration | write a number with a unit (ms, s, m, h), such as 30s or 1m30s",
    );
    check(
        "HEALTHCHECK --timeout=50ns CMD a",
        "«50ns» `--timeout` is shorter than a millisecond | 0 stands for the default",
    );
    check(
        "HEALTHCHECK --retries=-1 CMD a",
        "«-1» `--retries` cannot be `-1` | it is a number of times, 0 standing for the default",
    );
    check(
        "HEALTHCHECK --intervall=1s CMD a",
        "«--intervall» `HEALTHCHECK` has no flag `--intervall` | did you mean `--interval`?",
    );
}
