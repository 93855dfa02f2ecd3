//! Who one is at an index, and that nobody hears of it.
//!
//! Each way in which credentials come is a build that succeeds, after which they are looked for in
//! all that was written and said; and one that fails, of which the words are looked at.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use testbed::{Form, IndexRules, Login, files, leak};

use super::order::{Order, base};
use super::wheel::wheel;

const RIGHT: Login = Login { user: "reader", password: "right-SECRET" };
const NETRC: &str = "machine 127.0.0.1 login reader password right-SECRET\n";

/// An order of `lib` from an index that wants to know who asks, by this table.
fn order(table: &str) -> Order {
    let rules = IndexRules { login: Some(RIGHT), form: Form::Html, uploaded: Vec::new() };
    let table = format!("requirements = [\"lib==1.0\"]\n{table}");
    Order::with_rules(&base(), &table, &[wheel("lib", "1.0").served()], rules)
}

const PLAIN: &str = "index-url = \"http://INDEX/simple/\"";

/// Builds, plans and looks at the image, with these variables; the secret is nowhere then but in
/// the files that hold it.
#[track_caller]
fn succeeds(order: &Order, variables: &[(&str, String)]) {
    let run = |words: &[&str]| {
        let mut command = order.attempt.scene.command(words);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(output.status.success(), "{words:?}: {text}");
        assert_eq!(leak::in_text(&text), None, "{words:?}: {text}");
    };
    run(&["plan", "--json", "context"]);
    run(&[
        "build",
        "--tag=REGISTRY/app:1",
        "--output=type=oci,dest=out/oci.tar",
        "--output=type=local,dest=out/files",
        "--metadata-file=out/metadata.json",
        "context",
    ]);
    run(&["inspect", "--format=json", "REGISTRY/app:1"]);
    run(&["history", "--format=json", "REGISTRY/app:1"]);
    assert!(order.index.requests().iter().any(|fetch| fetch.path.starts_with("/files/")));
    assert_no_secret_below(&order.attempt.scene.path("store"));
    assert_no_secret_below(&order.attempt.scene.path("out"));
}

/// That no file holds the secret, compressed or not.
#[track_caller]
fn assert_no_secret_below(directory: &Path) {
    let names = files(directory);
    assert_ne!(names, [""; 0]);
    for name in names {
        let path = directory.join(&name);
        if !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let mut inflated = Vec::new();
        // What is no gzip has been looked at as it is.
        let _ = flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut inflated);
        for bytes in [bytes, inflated] {
            assert_eq!(leak::in_text(&String::from_utf8_lossy(&bytes)), None, "{name}");
        }
    }
}

/// What is said with these variables.
#[track_caller]
fn refused(order: &Order, variables: &[(&str, String)]) -> String {
    let mut command: Command = order.attempt.command(&[]);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let said = order.refusal_of(&mut command);
    assert_eq!(leak::in_text(&said), None, "{said}");
    said
}

/// The index does not accept what it is told with these variables.
#[track_caller]
fn denied(order: &Order, variables: &[(&str, String)]) {
    let said = refused(order, variables);
    insta::allow_duplicates! { insta::assert_snapshot!(said, @"
    exit 6
    error: failed to resolve the Python packages: http://127.0.0.1:11111/simple/ refuses access (401)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL
    ") }
}

#[test]
fn in_the_url() {
    succeeds(&order("index-url = \"http://reader:right-SECRET@INDEX/simple/\""), &[]);
    let wrong = order("index-url = \"http://reader:wrong-SECRET@INDEX/simple/\"");
    denied(&wrong, &[]);
    denied(&order(PLAIN), &[]);
    let odd = order("index-url = \"ftp://reader:right-SECRET@INDEX/simple/\"");
    insta::assert_snapshot!(refused(&odd, &[]), @"
    exit 3
    error: `index-url` is not the URL of an index
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: it is written `https://HOST/PATH`
    ");
}

#[test]
fn in_a_variable_of_the_recipe() {
    let table = "index-url = \"http://reader:{env.TOKEN}@INDEX/simple/\"";
    succeeds(&order(table), &[("TOKEN", "right-SECRET".to_owned())]);
    let wrong = order(table);
    denied(&wrong, &[("TOKEN", "wrong-SECRET".to_owned())]);
    insta::assert_snapshot!(refused(&wrong, &[]), @r#"
    exit 3
    error: the environment variable `TOKEN` is not set
     --> context/plywood.toml:6:28
      |
    6 | index-url = "http://reader:{env.TOKEN}@127.0.0.1:11111/simple/"
      |                            ^^^^^^^^^^^
      |
      = hint: set it where plywood runs: `TOKEN=… plywood build`
    "#);
}

#[test]
fn in_a_variable_of_a_requirements_file() {
    let order = || {
        let order = order("requirements-files = [\"requirements.txt\"]");
        order.file("requirements.txt", "--index-url http://reader:${TOKEN}@INDEX/simple/\n")
    };
    succeeds(&order(), &[("TOKEN", "right-SECRET".to_owned())]);
    let wrong = order();
    denied(&wrong, &[("TOKEN", "wrong-SECRET".to_owned())]);
    denied(&wrong, &[]);
}

#[test]
fn in_a_netrc_file() {
    let right = order(PLAIN);
    fs::write(right.attempt.scene.path(".netrc"), NETRC).unwrap();
    succeeds(&right, &[]);
    let wrong = order(PLAIN);
    let home = wrong.attempt.scene.path(".netrc");
    fs::write(&home, NETRC.replace("right", "wrong")).unwrap();
    denied(&wrong, &[]);
    fs::write(&home, "machine 127.0.0.1 login reader passwort wrong-SECRET\n").unwrap();
    insta::assert_snapshot!(refused(&wrong, &[]), @"
    exit 4
    error: failed to resolve the Python packages: bad netrc: it is malformed
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: it is what NETRC names, or ~/.netrc, and is written `machine HOST login USER password PASSWORD`
    ");
}

#[test]
fn in_the_netrc_file_that_a_variable_names() {
    let order = order(PLAIN);
    let file = order.attempt.scene.path("netrc");
    let variable = [("NETRC", file.display().to_string())];
    insta::assert_snapshot!(refused(&order, &variable), @"
    exit 4
    error: failed to read `HOME/netrc`: No such file or directory (os error 2)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    fs::create_dir(&file).unwrap();
    insta::assert_snapshot!(refused(&order, &variable), @"
    exit 4
    error: failed to read `HOME/netrc`: Is a directory (os error 21)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    fs::remove_dir(&file).unwrap();
    fs::write(&file, NETRC).unwrap();
    succeeds(&order, &variable);
}

#[test]
fn in_the_variables_of_pip() {
    let variable = |order: &Order, password: &str| {
        [("PIP_INDEX_URL", order.here(&format!("http://reader:{password}@INDEX/simple/")))]
    };
    let right = order(PLAIN);
    succeeds(&right, &variable(&right, "right-SECRET"));
    let wrong = order(PLAIN);
    denied(&wrong, &variable(&wrong, "wrong-SECRET"));
}

#[test]
fn in_the_url_of_a_wheel() {
    let table = |password: &str| {
        let address = format!("http://reader:{password}@INDEX/files/lib-1.0-py3-none-any.whl");
        format!("no-index = true\nrequirements = [\"lib @ {address}\"]")
    };
    let order = |password: &str| {
        let rules = IndexRules { login: Some(RIGHT), ..IndexRules::default() };
        Order::with_rules(&base(), &table(password), &[wheel("lib", "1.0").served()], rules)
    };
    let right = order("right-SECRET");
    succeeds(&right, &[]);
    let site = "out/files/usr/local/lib/python3.11/site-packages";
    let origin = right.attempt.scene.path(site).join("lib-1.0.dist-info/direct_url.json");
    assert!(fs::read_to_string(origin).unwrap().contains(&right.index.host()));
    insta::assert_snapshot!(refused(&order("wrong-SECRET"), &[]), @"
    exit 6
    error: failed to resolve the Python packages: http://127.0.0.1:11111/files/lib-1.0-py3-none-any.whl refuses access (401)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL
    ");
}
