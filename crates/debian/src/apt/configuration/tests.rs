//! What files come to.

use super::*;
use crate::apt::problem::Failure;
use crate::apt::trial::{Trial, configured};

/// The dump of what a text says.
fn dumped(text: &str) -> String {
    let mut configuration = Configuration::default();
    if let Err(problem) = configuration.add_text("/f", text.as_bytes()) {
        return problem.to_string();
    }
    configuration.dump()
}

#[test]
fn files_are_read_as_apt_reads_them() {
    let text = r#"// comment
APT::Get::Assume-Yes "true"; # more
apt { get { Show-Versions yes; }; /* not
this "; */ "item"; };
DPkg::Options { "--force-confdef"; "--force-confold"; }
DPkg::Options:: "--third";
Acquire "http" { Proxy "http://p:3128/"; };
A "one" "two";
Split
  "over"
  ;
B::C "x"; #clear B;
D { "a"; "b"; };
URL http://cut/off;
;
#include "/etc/other";
"#;
    insta::assert_snapshot!(dumped(text), @r#"
    APT "";
    APT::Get "";
    APT::Get::Assume-Yes "true";
    APT::Get::Show-Versions "yes";
    APT:: "item";
    DPkg "";
    DPkg::Options "";
    DPkg::Options:: "--force-confdef";
    DPkg::Options:: "--force-confold";
    DPkg::Options:: "--third";
    Acquire "";
    Acquire::http "";
    Acquire::http::Proxy "http://p:3128/";
    A "one two";
    Split "over";
    B "";
    D "";
    D:: "a";
    D:: "b";
    URL "http:";
    "#);
}

#[test]
fn what_is_no_configuration_is_told() {
    let texts = [
        "A \"b",
        "A \"b\"",
        "{ }",
        "A b c;",
        "A { #include \"x\"; };",
        "D { #clear; };",
        "A b;\n\nC d e;",
    ];
    let said: Vec<String> = texts.into_iter().map(dumped).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    Syntax error /f:1: Extra junk at end of file
    Syntax error /f:1: Extra junk at end of file
    Syntax error /f:1: Block starts with no name.
    Syntax error /f:1: Extra junk after value
    Syntax error /f:1: Directives can only be done at the top level
    Syntax error /f:1: clear directive requires an option tree as argument
    Syntax error /f:3: Extra junk after value
    "#);
    assert!(dumped(&"A{".repeat(100_000)).contains("Too many nested scopes"));
    let deep = format!("{} \"x\";", "A::".repeat(100_000));
    assert!(dumped(&deep).len() < 100_000);
}

#[test]
fn words_and_paths_are_looked_up() {
    let mut configuration = Configuration::built_in("arm64");
    for (value, expected) in [
        ("yes", Some(true)),
        ("With", Some(true)),
        ("1", Some(true)),
        ("enable", Some(true)),
        ("no", Some(false)),
        ("OFF", Some(false)),
        ("0", Some(false)),
        ("disable", Some(false)),
        ("2", None),
        ("perhaps", None),
        ("", None),
    ] {
        configuration.set("X::Y", value);
        assert_eq!(configuration.switch("x::y"), expected, "{value}");
    }
    let path = |configuration: &Configuration, name: &str| {
        configuration.path(name).map_or_else(|| "none".to_owned(), |path| path.to_string())
    };
    assert_eq!(path(&configuration, "Dir::Etc::sourceparts"), "etc/apt/sources.list.d");
    assert_eq!(path(&configuration, "Dir::State::status"), "var/lib/dpkg/status");
    configuration.set("Dir::Etc::sourceparts", "/dev/null");
    configuration.set("Dir::Etc::sourcelist", "/srv/my.list");
    configuration.set("Dir::State", "/cache/apt");
    assert_eq!(path(&configuration, "Dir::Etc::sourceparts"), "none");
    assert_eq!(path(&configuration, "Dir::Etc::sourcelist"), "srv/my.list");
    assert_eq!(path(&configuration, "Dir::State::lists"), "cache/apt/lists");
    assert_eq!(configuration.architectures(), ["arm64"]);
    configuration.set("APT::Architectures::", "arm64");
    configuration.set("APT::Architectures::", "armhf");
    assert_eq!(configuration.architectures(), ["arm64", "armhf"]);
    configuration.set("L", "a,b");
    assert_eq!(configuration.list("L"), ["a", "b"]);
}

#[test]
fn files_come_in_order() {
    let mut trial = Trial::new(|process, _| {
        let configuration = configured(process);
        let order = configuration.list("Order").join(" ");
        let last = configuration.value("Last").unwrap_or_default().to_owned();
        let own = configuration.value("Own").unwrap_or_default().to_owned();
        process.write(format!("{order} {last} {own}\n"))?;
        Ok(0)
    });
    trial
        .file("etc/apt/apt.conf", "Order:: \"main\"; Last \"main\"; Binary::apt-get::Own \"get\";")
        .file("etc/apt/apt.conf.d/10b", "Order:: \"10b\"; Last \"10b\";")
        .file(
            "etc/apt/apt.conf.d/09a.conf",
            "Order:: \"09a\"; #include \"/etc/more\";\nOrder:: \"after\";",
        )
        .file("etc/apt/apt.conf.d/11c.bak", "Order:: \"bak\";")
        .file("etc/more", "Order:: \"more\"; Last \"more\";");
    assert_eq!(trial.show(&["apt-get"]), "09a more after 10b main main get");
    assert_eq!(trial.show(&["apt-get", "Last=given"]), "09a more after 10b main given get");
}

#[test]
fn files_that_include_themselves_are_an_error() {
    let mut trial = Trial::new(|process, _| {
        let loaded = Configuration::load(process, "apt-get", &["amd64"], &[]);
        match loaded {
            Err(Failure::Problem(problem)) => {
                assert!(matches!(*problem, Problem::Configuration { .. }));
                process.write(format!("{problem}\n"))?;
            }
            other => panic!("{other:?}"),
        }
        Ok(0)
    });
    trial.file("etc/apt/apt.conf", "\n#include \"/etc/apt/apt.conf\";");
    assert_eq!(
        trial.show(&["apt-get"]),
        "Syntax error /etc/apt/apt.conf:2: Too many nested includes"
    );
}
