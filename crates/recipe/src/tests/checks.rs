//! The checks: what is warned of, and where.

use super::{findings, parsed};
use crate::{Diagnostic, Rule};

/// The warnings of a file, one a line, without hints.
fn file(text: &str, expected: &str) {
    let warnings: Vec<Diagnostic> = parsed(text)
        .warnings
        .into_iter()
        .map(|warning| Diagnostic { hint: None, ..warning })
        .collect();
    assert_eq!(findings(text, &warnings), expected, "{text:?}");
}

#[test]
fn casing() {
    file("FROM a\nRUN b\nRUN c", "");
    file("from a\nrun b", "");
    file(
        "FROM a\nRun b\nUSER c\nrun d",
        "2 «Run» ConsistentInstructionCasing: `Run` is not in upper case, as most keywords are\n\
         4 «run» ConsistentInstructionCasing: `run` is not in upper case, as most keywords are",
    );
    file(
        "from a\nrun b\nUSER c",
        "3 «USER» ConsistentInstructionCasing: `USER` is not in lower case, as most keywords are",
    );
    // Before the first stage nothing is counted.
    file("arg x\nFROM a", "");
    file("FROM a as b", "1 «as» FromAsCasing: `as` and `FROM` differ in case");
    file("from a AS b", "1 «AS» FromAsCasing: `AS` and `from` differ in case");
    file("FROM a AS Bc", "1 «Bc» StageNameCasing: the stage name `Bc` is not in lower case");
}

#[test]
fn stages() {
    file("FROM a AS b\nFROM c AS b", "2 «b» DuplicateStageName: there is another stage called `b`");
    file(
        "FROM a AS scratch\nFROM a AS context",
        "1 «scratch» ReservedStageName: the stage name `scratch` is reserved\n\
         2 «context» ReservedStageName: the stage name `context` is reserved",
    );
}

#[test]
fn platforms() {
    let redundant = "1 «$TARGETPLATFORM» RedundantTargetPlatform: `--platform=$TARGETPLATFORM` asks for the default";
    file("FROM --platform=$TARGETPLATFORM a", redundant);
    file("FROM --platform=$BUILDPLATFORM a", "");
    file("FROM --platform=$TARGETOS/arm64 a", "");
    file(
        "FROM --platform=linux/arm64 a AS b",
        "1 «linux/arm64» FromPlatformFlagConstDisallowed: `--platform=linux/arm64` is a constant",
    );
    file("FROM --platform=linux/arm64 a AS b-arm64", "");
    file("FROM --platform=linux/arm64 a AS linux", "");
}

#[test]
fn arguments_in_from() {
    file("ARG V=1\nFROM a:$V", "");
    file(
        "ARG VERSION=1\nFROM a:${VERSON}",
        "2 «a:${VERSON}» InvalidDefaultArgInFrom: without build arguments `a:${VERSON}` is no image: `a:`\n\
         2 «${VERSON» UndefinedArgInFrom: `VERSON` is not declared before the first `FROM`",
    );
    let hint = parsed("ARG VERSION=1\nFROM a:${VERSON:-1}").warnings[0].hint.clone();
    assert_eq!(hint.as_deref(), Some("did you mean `VERSION`?"));
    file("ARG V\nFROM $V", "2 «$V» InvalidDefaultArgInFrom: without build arguments `$V` is empty");
    file("ARG V\nFROM ${V:-a}", "");
    file("ARG A=b\nARG C=$A:1\nFROM $C", "");
    file("FROM a:$TARGETARCH", "");
    file(
        "ARG TAG=1\nFROM a:${TAG}$TA",
        "2 «$TA» UndefinedArgInFrom: `TA` is not declared before the first `FROM`",
    );
    file("FROM a\nONBUILD ENV b c", "");
    file(
        "FROM a\nARG X=1\nFROM b:$X",
        "3 «b:$X» InvalidDefaultArgInFrom: without build arguments `b:$X` is no image: `b:`\n3 «$X» UndefinedArgInFrom: `X` is not declared before the first `FROM`",
    );
    file(
        "FROM --platform=$BUILDPLATFROM a",
        "1 «$BUILDPLATFROM» UndefinedArgInFrom: `BUILDPLATFROM` is not declared before the first `FROM`",
    );
}

#[test]
fn commands() {
    let shell = |keyword: &str| {
        format!(
            "«{keyword}» JSONArgsRecommended: `{keyword}` in shell form keeps signals from the program"
        )
    };
    file("FROM a\nCMD b", &format!("2 {}", shell("CMD")));
    file("FROM a\nENTRYPOINT b", &format!("2 {}", shell("ENTRYPOINT")));
    file("FROM a\nCMD [\"b\"]\nENTRYPOINT [\"b\"]", "");
    let hint = |text: &str| parsed(text).warnings[0].hint.clone().unwrap();
    assert_eq!(
        hint("FROM a\nCMD ['b']"),
        "it looks like exec form, but is not JSON; write `CMD [\"program\", \"argument\"]`"
    );
    assert_eq!(
        hint("FROM a\nENTRYPOINT b"),
        "write it in exec form: `ENTRYPOINT [\"program\", \"argument\"]`"
    );
    file("FROM a\nSHELL [\"b\"]\nCMD c", "");
    file("FROM a AS b\nSHELL [\"b\"]\nFROM B\nCMD c", "");
    file("FROM a\nSHELL [\"b\"]\nFROM b\nCMD c", &format!("4 {}", shell("CMD")));
    file(
        "FROM a\nCMD [\"b\"]\nHEALTHCHECK NONE\nCMD [\"c\"]\nHEALTHCHECK CMD d\nFROM e\nCMD [\"f\"]",
        "2 «CMD» MultipleInstructionsDisallowed: a later `CMD` of this stage makes this one useless\n\
         3 «HEALTHCHECK» MultipleInstructionsDisallowed: a later `HEALTHCHECK` of this stage makes this one useless",
    );
}

#[test]
fn instructions() {
    file(
        "FROM a\nMAINTAINER b",
        "2 «MAINTAINER» MaintainerDeprecated: MAINTAINER is deprecated; a label says the same",
    );
    file(
        "FROM a\nENV b c\nLABEL d e f",
        "2 «b c» LegacyKeyValueFormat: `ENV NAME VALUE` is the legacy form\n\
         3 «d e f» LegacyKeyValueFormat: `LABEL NAME VALUE` is the legacy form",
    );
    file(
        "FROM a\nRUN b \\\n\n  \\\n \n  c",
        "3 «» NoEmptyContinuation: a blank line stands inside an instruction",
    );
    file(
        "FROM a\nEXPOSE 80/TCP 127.0.0.1:80:80 80:80/udp 80 $P 1-2/tcp",
        "2 «80/TCP» ExposeProtoCasing: the protocol in `80/TCP` is not in lower case\n\
         2 «127.0.0.1:80:80» ExposeInvalidFormat: `127.0.0.1:80:80` names an address or a port of the host\n\
         2 «80:80/udp» ExposeInvalidFormat: `80:80/udp` names an address or a port of the host",
    );
    let relative = "WorkdirRelativePath: what `b` is relative to is up to the base image";
    file("FROM a\nWORKDIR b\nWORKDIR c", &format!("2 «b» {relative}"));
    file("FROM a\nWORKDIR /a\nWORKDIR b", "");
    file("FROM a\nWORKDIR $b\nWORKDIR c\nFROM a\nWORKDIR b", &format!("5 «b» {relative}"));
    file("FROM a AS x\nWORKDIR /a\nFROM x\nWORKDIR b", "");
    file("FROM a\nWORKDIR \"/a b\"", "");
}

#[test]
fn secrets() {
    let check = |name: &str, keyword: &str| {
        let rule = "SecretsUsedInArgOrEnv";
        let message = format!("`{keyword} {name}` looks like a secret, and stays in the image");
        format!("2 «{name}» {rule}: {message}")
    };
    for name in ["API_KEY", "password", "GITHUB_TOKEN", "secret_MESSAGE", "AUTH", "AWS_CREDENTIALS"]
    {
        file(&format!("FROM a\nARG {name}"), &check(name, "ARG"));
        file(&format!("FROM a\nENV {name}=x"), &check(name, "ENV"));
    }
    for name in ["PUBLIC_KEY", "KEYBOARD", "TOKEN_FILE", "KEY_VERSION", "MONKEY"] {
        file(&format!("FROM a\nENV {name}=x\nARG {name}=y"), "");
    }
}

#[test]
fn descriptions() {
    let text = |check: &str| {
        format!("# check={check}\n# about a\nFROM a AS b\n# B\n\nARG c\n# c is it\nARG c\n#\nARG d")
    };
    file(&text("error=false"), "");
    let expected =
        "3 «FROM» InvalidDefinitionDescription: the comment above `FROM` does not describe `b`";
    file(&text("experimental=all"), expected);
    file(&text("experimental=InvalidDefinitionDescription"), expected);
}

#[test]
fn skipping() {
    let body = "FROM a AS B\nMAINTAINER c";
    file(&format!("# check=skip=all\n{body}"), "");
    file(
        &format!("# check=skip=StageNameCasing\n{body}"),
        "3 «MAINTAINER» MaintainerDeprecated: MAINTAINER is deprecated; a label says the same",
    );
    // A comment before an instruction holds for that one.
    file(
        "FROM a\n# check=skip=SecretsUsedInArgOrEnv // why not\nENV KEY=1\nENV TOKEN=2",
        "4 «TOKEN» SecretsUsedInArgOrEnv: `ENV TOKEN` looks like a secret, and stays in the image",
    );
    let recipe = parsed("# check=skip=UndefinedVar;error=true\nFROM a").recipe;
    let warning = |rule| Diagnostic::warning(rule, 0..0, "");
    assert!(!recipe.reports(&warning(Rule::UndefinedVar)));
    assert!(!recipe.fails_on(&[warning(Rule::UndefinedVar)]));
    assert!(recipe.fails_on(&[warning(Rule::UndefinedVar), warning(Rule::CopyIgnoredFile)]));
    assert!(!parsed("FROM a").recipe.fails_on(&[warning(Rule::CopyIgnoredFile)]));
}

#[test]
fn rules_have_names() {
    for rule in Rule::ALL {
        assert_eq!(rule.name(), format!("{rule:?}"));
        // The slug is the name with hyphens.
        if let Some(slug) = rule.documentation_slug() {
            assert_eq!(slug.replace('-', ""), rule.name().to_lowercase());
        }
    }
    assert_eq!(Rule::JSONArgsRecommended.documentation_slug(), Some("json-args-recommended"));
}
