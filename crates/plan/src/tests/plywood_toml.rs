//! A `plywood.toml` is planned as the Dockerfile that says the same.

use super::{World, context};

fn world() -> World {
    let config = r#"{"Env":["PATH=/bin","LANG=C"],"Cmd":["sh"],"WorkingDir":"/"}"#;
    context(&["app/a.py=1", "app/__pycache__/a.pyc=2", "it's $1=3", "conf/x.ini=4", "conf/y.ini=5"])
        .image("base", &[&["bin/", "bin/sh=sh"]], config)
        .arg("VERSION", "1'2")
}

/// Both plans are the same, layer keys included.
fn check(toml: &str, dockerfile: &str) {
    let (this, that) = (world().plan(toml), world().plan(dockerfile));
    assert_eq!(this.messages, "");
    assert_eq!(this.config, that.config);
    assert_eq!(this.keys, that.keys);
    assert!(!this.keys.is_empty());
}

#[test]
fn files_and_configuration() {
    check(
        r#"
cmd = ["serve", "$PORT", "{}"]
base = "base"
entrypoint = "run"
user = "1000:it's"
workdir = "/srv/a b"
expose = [80, "53/udp"]
volumes = ["/da ta"]
stop-signal = "INT"
labels = { version = "{arg.VERSION}", "quoted \"name\"" = '$HOME\' }
[env]
PATH = "/app:$PATH"
QUOTES = "it's \"$$5\" \\ ${NONE:-a b}"
[[files]]
from = "app"
to = "/app"
exclude = ["**/__pycache__"]
owner = "1:2"
mode = "0700"
[[files]]
from = ["it's $1", "conf/*.ini"]
to = "./"
[[files]]
content = "$HOME {arg.VERSION}\n"
to = "/etc/a.ini"
"#,
        r#"FROM base
ENV PATH=/app:$PATH QUOTES="it's \"\$5\" \\ a b"
LABEL version="1'2" "quoted \"name\""="\$HOME\\"
EXPOSE 80 53/udp
VOLUME ["/da\\ ta"]
STOPSIGNAL INT
WORKDIR "/srv/a b"
COPY --chown=1:2 --chmod=0700 --exclude=**/__pycache__ app /app
COPY ["it\\'s \\$1", "conf/*.ini", "./"]
COPY <<"EOF" /etc/a.ini
$HOME 1'2
EOF
USER 1000:it\'s
ENTRYPOINT run
CMD ["serve", "$PORT", "{}"]
"#,
    );
}

#[test]
fn a_misspelt_variable_of_the_base_is_found_in_its_value() {
    let check = |value: &str, place: &str| {
        let env = format!("{{ VERSION = \"{{arg.VERSION}}\", A = {value} }}");
        let text = format!("base = \"base\"\nenv = {env}\n");
        let meant = "variable `$LNAG` is used and never defined (did you mean `$LANG`?)";
        assert_eq!(world().plan(&text).messages, format!("UndefinedVar: «{place}»: {meant}\n"));
    };
    check("\"x$LNAG\"", "$LNAG");
    check("\"\"\"\n'${LNAG} é\"\"\"", "'${LNAG} é");
    check("\"\\t$LNAG\"", "\"\\t$LNAG\"");
}

#[test]
fn packages_on_nothing_come_from_somewhere() {
    let text = "base = \"scratch\"\nworkdir = \"/app\"\n[debian]\npackages = [\"a\"]\n";
    let messages = world().plan(text).messages;
    let why = "the image begins with nothing, and this machine has no apt";
    assert!(messages.contains(why), "{messages}");
}
