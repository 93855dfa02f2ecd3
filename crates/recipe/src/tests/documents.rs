//! A `plywood.toml` in, a recipe out.

use super::{findings, shown};
use crate::{
    FindLinks, Format, Instruction, Parsed, PythonLockKind, PythonPackages, parse_plywood_toml,
    recipe_format,
};

/// What templates are worth in these tests.
pub(super) fn values(name: &str) -> Option<String> {
    let value = match name {
        "git.sha" => "0123456789",
        "git.branch" => "main",
        "env.HOME" => "/home/$me's",
        "arg.VERSION" => "1.2",
        "arg.EMPTY" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

/// Parses what has no errors.
pub(super) fn document(text: &str) -> Parsed {
    parse_plywood_toml(text, &values)
        .unwrap_or_else(|errors| panic!("{text}\n{}", findings(text, &errors)))
}

/// The words of the instructions, and below them their texts.
fn check(text: &str, expected: &str) {
    let recipe = document(text).recipe;
    let texts = recipe.stages[0].instructions.iter().map(|step| step.text.as_str());
    let texts: Vec<&str> = texts.collect();
    let shown = format!("{}\n--\n{}", shown(&recipe), texts.join("\n"));
    assert_eq!(shown.trim_end(), expected.trim(), "{text}");
}

fn python(table: &str) -> PythonPackages {
    let text = format!("base = \"a\"\n[python]\n{table}\n");
    let steps = document(&text).recipe.stages.remove(0).instructions;
    match steps.into_iter().next().map(|step| step.instruction) {
        Some(Instruction::Python(packages)) => packages,
        other => panic!("{other:?}"),
    }
}

#[test]
fn configuration() {
    check(
        r#"
base = "debian:{arg.VERSION}"
cmd = "exec app $PORT"
entrypoint = ["app", "--config", '{"a": "$b"}']
user = "app user"
workdir = "/srv/it's"
stop-signal = "SIGINT"
expose = [80, "53/udp"]
volumes = ["/data", "/my data"]
shell = ["/bin/bash", "-c"]
labels = { "a.b" = "{git.sha} \"x\"", empty = "" }
"#,
        r#"
FROM debian:1.2
LABEL [a.b]=['0123456789 "x"'] [empty]=[]
EXPOSE [80] [53/udp]
VOLUME [/data] ['/my data']
STOPSIGNAL [SIGINT]
SHELL ["/bin/bash", "-c"]
WORKDIR ['/srv/it'\''s']
USER ['app user']
ENTRYPOINT ["app", "--config", "{\"a\": \"$b\"}"]
CMD sh<exec app $PORT>
--
LABEL a.b="0123456789 \"x\"" empty=""
EXPOSE 80 53/udp
VOLUME /data "/my data"
STOPSIGNAL SIGINT
SHELL ["/bin/bash","-c"]
WORKDIR /srv/it's
USER app user
ENTRYPOINT ["app","--config","{\"a\": \"$b\"}"]
CMD exec app $PORT"#
            .replace("LABEL [a.b]", "GLOBAL VERSION\nLABEL [a.b]")
            .replace("FROM debian:1.2\nGLOBAL VERSION", "GLOBAL VERSION\nFROM debian:1.2")
            .as_str(),
    );
}

#[test]
fn environment_refers_to_the_base() {
    check(
        r#"
base = "a"
[env]
PATH = "/app/bin:$PATH"
PS1 = "$$ it's"
HOME = "{env.HOME}"
LIBRARIES = "${LD:+$LD:}/lib"
"#
        .replace("${LD:+$LD:}", "${LD:-/x}:")
        .as_str(),
        r#"
FROM a
ENV [PATH]=[/app/bin:$PATH] [PS1]=['$'' it'\''s'] [HOME]=['/home/$me'\''s'] [LIBRARIES]=[${LD:-/x}:/lib]
--
ENV PATH=/app/bin:$PATH PS1="$$ it's" HOME=/home/$me's LIBRARIES=${LD:-/x}:/lib
"#,
    );
}

#[test]
fn files() {
    check(
        r#"
base = "scratch"
[[files]]
from = ["a b", "c*"]
to = "/d/"
exclude = ["*.pyc", "x y"]
owner = "1:2"
mode = "u=rwX"
parents = true
[[files]]
context = "nginx:1"
from = "/html"
to = "/srv"
[[files]]
content = "a $b\n"
to = "/etc/a.ini"
mode = "0600"
"#,
        r#"
FROM scratch
COPY ['a b'] ['c*'] -> [/d/] chown=1:2 chmod=u=rwX parents exclude=*.pyc exclude=x y
COPY [/html] -> [/srv] from=nginx:1
COPY <<!a.ini"a $b\n" -> [/etc/a.ini] chmod=0600
--
COPY --chown=1:2 --chmod=u=rwX --parents --exclude=*.pyc --exclude="x y" "a b" c* /d/
COPY --from=nginx:1 /html /srv
COPY --chmod=0600 <<a.ini /etc/a.ini
"#,
    );
}

#[test]
fn what_changes_seldom_comes_first() {
    let text = r#"
base = "a"
files = [{ from = "z", to = "/z" }, { from = "b", to = "/b" }]
cmd = ["c"]
user = "u"
workdir = "/w"
python = { lock = "sub/uv.lock", groups = ["web"], project = "sub" }
env = { A = "1" }
"#;
    let recipe = document(text).recipe;
    let steps = recipe.stages[0].instructions.iter();
    let texts: Vec<&str> = steps.clone().map(|step| step.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "ENV A=1",
            "WORKDIR /w",
            "PYTHON --project sub --lock sub/uv.lock --group web",
            "COPY z /z",
            "COPY b /b",
            "USER u",
            "CMD [\"c\"]",
        ]
    );
    let places: Vec<&str> = steps.map(|step| &text[step.span.clone()]).collect();
    assert_eq!(places[0], "env = { A = \"1\" }");
    assert_eq!(places[3], "{ from = \"z\", to = \"/z\" }");
    assert_eq!(&text[recipe.stages[0].base.image.span.clone()], "\"a\"");
}

#[test]
fn platforms_and_annotations() {
    let text = "base = \"a\"\nplatforms = [\"linux/amd64\", \"linux/aarch64\"]\n\
                [annotations]\n\"a.b\" = \"{git.branch}\"\n";
    let recipe = document(text).recipe;
    let platforms: Vec<String> = recipe.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(recipe.annotations.get("a.b").map(String::as_str), Some("main"));
    assert!(recipe.stages[0].instructions.is_empty());
}

#[test]
fn python_packages() {
    let packages = python(
        "requirements = [\"a==1\"]\nfind-links = [\"wheels\", \"https://h.example/x\"]\n\
         exclude-newer = 2026-11-01\nupgrade = \"everything\"\nprereleases = \"disallow\"\n\
         dependencies = false\nmax-layers = 40\ninterpreter = \"3.12\"\nbuild = \"host\"",
    );
    let places: Vec<&FindLinks> = packages.find_links.iter().map(|it| &it.node).collect();
    assert_eq!(format!("{places:?}"), "[Directory(\"wheels\"), Url(\"https://h.example/x\")]");
    assert_eq!(packages.exclude_newer.map(|it| it.node).as_deref(), Some("2026-11-01"));
    let choices = (packages.upgrade, packages.prereleases, packages.build);
    assert_eq!(format!("{choices:?}"), "(Everything, Disallow, Host)");
    assert!(packages.no_dependencies);
    assert_eq!(packages.max_layers.map(|it| it.node), Some(40));
    let lock = |name: &str| python(&format!("lock = \"{name}\"")).lock.map(|lock| lock.node.kind);
    assert_eq!(lock("uv.lock"), Some(PythonLockKind::Uv));
    assert_eq!(lock("a/pylock.web.toml"), Some(PythonLockKind::Pylock));
    let text = "base = \"a\"\n[python]\nrequirements = []\n";
    assert!(document(text).recipe.stages[0].instructions.is_empty());
}

#[test]
fn debian_packages() {
    let text = "base = \"scratch\"\n[debian]\npackages = [\"python3-minimal\", \"libpq5=15.*\"]\n\
                variant = \"minbase\"\nsources = [\"https://me:SECRET@h.example/debian\"]\n\
                suites = [\"bookworm\"]\nscripts = \"skip:a\"\nsnapshot = 2026-11-01\n";
    let recipe = document(text).recipe;
    let step = &recipe.stages[0].instructions[0];
    assert_eq!(step.text, "DEBIAN --variant minbase python3-minimal libpq5=15.*");
    let Instruction::Debian(packages) = &step.instruction else { panic!("{step:?}") };
    let sources = packages.sources.as_ref().unwrap();
    assert_eq!(sources.components[0].node, "main");
    assert_eq!(sources.snapshot.as_ref().unwrap().node, "2026-11-01");
    assert_eq!(packages.skipped_scripts[0].node, "a");
    assert!(!packages.recommends);
    let text = "base = \"a\"\n[debian]\npackages = []\n";
    assert!(document(text).recipe.stages[0].instructions.is_empty());
}

#[test]
fn credentials_are_in_no_text() {
    let text = "base = \"a\"\n[python]\nindex-url = \"https://me:SECRET@h.example/simple\"\n\
                extra-index-urls = [\"https://SECRET@h.example\"]\n\
                find-links = [\"https://me:SECRET@h.example\"]\n\
                requirements = [\"a @ https://me:SECRET@h.example/a.whl\"]\n";
    let recipe = document(text).recipe;
    let step = &recipe.stages[0].instructions[0];
    assert_eq!(step.text, "PYTHON \"a @ https://h.example/a.whl\"");
}

#[test]
fn warnings() {
    let text = "base = \"a\"\ncmd = \"run\"\nenv = { API_TOKEN = \"x\", TOKEN_FILE = \"y\" }\n";
    assert_eq!(
        findings(text, &document(text).warnings),
        "2 «\"run\"» JSONArgsRecommended: `cmd` as a string keeps signals from the program \
         | make it an array: `cmd = [\"program\", \"argument\"]`\n\
         3 «API_TOKEN» SecretsUsedInArgOrEnv: `API_TOKEN` looks like a secret, and stays in the \
         image | give it to the container when it runs"
    );
}

#[test]
fn formats() {
    let check = |name, text, expected| assert_eq!(recipe_format(name, text), expected, "{text}");
    check("plywood.toml", "FROM a", Format::PlywoodToml);
    check("Web.TOML", "", Format::PlywoodToml);
    check("toml", "", Format::Dockerfile);
    check("-", "", Format::Dockerfile);
    check("-", "# syntax=a\nFROM a\n", Format::Dockerfile);
    check("-", "ARG base=x\nFROM $base\n", Format::Dockerfile);
    check("-", "\n# x\n[python]\n", Format::PlywoodToml);
}

#[test]
fn the_example_is_a_recipe() {
    let text = include_str!("../../../../examples/flask/plywood.toml");
    let parsed = crate::parse_plywood_toml(text, &|_| None).unwrap();
    let steps: Vec<&str> =
        parsed.recipe.stages[0].instructions.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(steps[0], "DEBIAN python3");
    assert!(steps.contains(&"PYTHON -r requirements.txt"), "{steps:?}");
    assert_eq!(parsed.warnings, []);
}
