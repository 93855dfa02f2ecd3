//! Files as they are found, and what is made of them.

use std::fmt::Write as _;
use std::path::Path;

use oci::RepositoryName;
use tempfile::TempDir;

use super::{HostFileError, HostFiles, Hosts, Verification};
use crate::Error;

/// Files by their paths below a directory of the test's own.
struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Files(directory)
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn hosts(&self) -> Result<Hosts, HostFileError> {
        Hosts::read(HostFiles {
            named_registries_conf: None,
            user_registries_conf: Some(self.at("user/registries.conf")),
            system_registries_conf: Some(self.at("system/registries.conf")),
            certificates: vec![self.at("user/certs.d"), self.at("system/certs.d")],
            named_certificates: None,
            hosts_toml: vec![self.at("containerd")],
            daemon_json: vec![self.at("daemon.json")],
        })
    }

    /// A message without the test's own directory, and its way out.
    fn show(&self, error: &HostFileError) -> String {
        let text = format!("{error} | {}", error.hint().unwrap_or_default());
        text.replace(&self.0.path().display().to_string(), "")
    }
}

/// Where a repository is read, a place a line, the registry's own last.
fn route(hosts: &Hosts, name: &str) -> String {
    let repository: RepositoryName = name.parse().unwrap();
    let route = match hosts.route(&repository) {
        Ok(route) => route,
        Err(Error::Blocked { .. }) => return "blocked".to_owned(),
        Err(error) => return error.to_string(),
    };
    let mut text = String::new();
    let mirrors = route.mirrors.iter().map(|mirror| (&mirror.endpoint, Some(mirror.serves)));
    for (endpoint, serves) in mirrors.chain([(&route.origin, None)]) {
        let path = endpoint.rewrite.apply(repository.path());
        write!(text, "{}{}{path}", endpoint.host, endpoint.api).unwrap();
        if let Some(scheme) = endpoint.scheme {
            write!(text, " {scheme:?}").unwrap();
        }
        if hosts.is_insecure(std::slice::from_ref(&endpoint.host)) {
            text.push_str(" insecure");
        }
        if let Some(serves) = serves {
            write!(text, " {serves:?}").unwrap();
        }
        if let Some(namespace) = &endpoint.namespace {
            write!(text, " ns={namespace}").unwrap();
        }
        for (name, value) in &endpoint.headers {
            write!(text, " {name}={value:?}").unwrap();
        }
        text.push('\n');
    }
    text
}

/// As a company has it that mirrors Docker Hub, moved a registry, and forbids another.
const REGISTRIES: &str = r#"
# Short names are not ours to resolve.
unqualified-search-registries = ["registry.example", "docker.io"]
short-name-mode = "enforcing"
credential-helpers = ["containers-auth.json"]

[aliases]
"tool" = "registry.example/team/tool"

[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.corp.example:8443/hub"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "127.0.0.1:5000"
insecure = true

[[registry]]
prefix = "docker.io/library"
location = "golden.corp.example/base/"

[[registry]]
prefix = "*.old.example"
location = "new.example/old"

[[registry]]
prefix = "exact.old.example"
location = "exact.example"

[[registry]]
prefix = "*.lab.example"
insecure = true

[[registry]]
location = "forbidden.example"
blocked = true

[[registry]]
location = "registry.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "[2001:db8::1]:5000/cache"
"#;

#[test]
fn registries_conf() {
    let files = Files::new(&[("system/registries.conf", REGISTRIES)]);
    let hosts = files.hosts().unwrap();
    let route = |name| route(&hosts, name);
    insta::assert_snapshot!(route("grafana/loki"), @"
    mirror.corp.example:8443/v2/hub/grafana/loki Digests
    127.0.0.1:5000/v2/grafana/loki insecure Everything
    docker.io/v2/grafana/loki
    ");
    insta::assert_snapshot!(route("alpine"), @"golden.corp.example/v2/base/alpine");
    insta::assert_snapshot!(route("a.old.example/team/app"), @"new.example/v2/old/team/app");
    insta::assert_snapshot!(route("exact.old.example/app"), @"exact.example/v2/app");
    insta::assert_snapshot!(route("old.example/app"), @"old.example/v2/app");
    insta::assert_snapshot!(route("box.lab.example:5000/app"), @"box.lab.example:5000/v2/app");
    insta::assert_snapshot!(route("box.lab.example/app"), @"box.lab.example/v2/app insecure");
    insta::assert_snapshot!(route("forbidden.example/app"), @"blocked");
    insta::assert_snapshot!(route("registry.example/a/b"), @"
    [2001:db8::1]:5000/v2/cache/a/b Digests
    registry.example/v2/a/b
    ");
    insta::assert_snapshot!(route("other.example/app"), @"other.example/v2/app");
}

#[test]
fn the_user_s_file_stands_for_the_system_s_and_drop_ins_replace_by_prefix() {
    let mirrored = |prefix: &str, mirror: &str| {
        format!("[[registry]]\nprefix = '{prefix}'\n[[registry.mirror]]\nlocation = '{mirror}'\n")
    };
    let [main, first, second, own] = ["main", "first", "second", "own"]
        .map(|name| mirrored("a.example", &format!("{name}.example")));
    let system = [
        ("system/registries.conf", main.as_str()),
        ("system/registries.conf.d/10-a.conf", second.as_str()),
        ("system/registries.conf.d/05-a.conf", first.as_str()),
        ("system/registries.conf.d/99-a.conf.disabled", "no [toml"),
    ];
    let mirror = |files: &Files| {
        let text = route(&files.hosts().unwrap(), "a.example/app");
        text.split_once(".example").unwrap().0.to_owned()
    };
    assert_eq!(mirror(&Files::new(&system)), "second");
    let drop_in = ("user/registries.conf.d/a.conf", own.as_str());
    assert_eq!(mirror(&Files::new(&[&system[..], &[drop_in]].concat())), "own");
    let file = ("user/registries.conf", own.as_str());
    assert_eq!(mirror(&Files::new(&[&system[..], &[file]].concat())), "own");
}

/// As containerd's documentation has them, with what was seen in clusters.
#[test]
fn hosts_toml() {
    let files = Files::new(&[
        (
            "containerd/docker.io/hosts.toml",
            r#"
            server = "https://registry-1.docker.io"

            [host."https://z.mirror.example"]
              capabilities = ["pull", "resolve"]
              dial_timeout = "5s"
              [host."https://z.mirror.example".header]
                x-token = ["SECRET-A", "SECRET-B"]

            [host."http://a.mirror.example:5000/hub"]
              capabilities = ["pull"]

            [host."https://path.example/api/docker/v2"]
              capabilities = ["resolve"]

            [host."https://odd.example/registry"]
              override_path = true

            [host."https://push.example"]
              capabilities = ["push"]
            "#,
        ),
        ("containerd/registry.example_5000_/hosts.toml", "server = 'http://elsewhere.example'"),
        ("containerd/_default/hosts.toml", "[host.'https://all.example']\nskip_verify = true"),
    ]);
    let hosts = files.hosts().unwrap();
    insta::assert_snapshot!(route(&hosts, "alpine"), @"
    z.mirror.example/v2/library/alpine Https Everything ns=docker.io x-token=Secret(…) x-token=Secret(…)
    a.mirror.example:5000/hub/v2/library/alpine Http Digests ns=docker.io
    path.example/api/docker/v2/library/alpine Https Tags ns=docker.io
    odd.example/registry/library/alpine Https Everything ns=docker.io
    docker.io/v2/library/alpine Https
    ");
    insta::assert_snapshot!(route(&hosts, "registry.example:5000/app"), @"elsewhere.example/v2/app Http");
    insta::assert_snapshot!(route(&hosts, "other.example/app"), @"
    all.example/v2/app Https Everything ns=other.example
    other.example/v2/app
    ");
    let trust = |name: &str| hosts.trust(&[name.to_owned()]).unwrap().verification;
    assert_eq!(trust("all.example"), Verification::None);
    assert_eq!(trust("other.example"), Verification::Full);
}

#[test]
fn daemon_json() {
    let text = r#"{
        "debug": true, "log-opts": {"max-size": "10m"},
        "registry-mirrors": ["https://mirror.example/", "http://10.0.0.7:5000"],
        "insecure-registries": ["lab.example:5000", "10.0.0.0/8", "2001:db8::/32", "http://x.example/"]
    }"#;
    let hosts = Files::new(&[("daemon.json", text)]).hosts().unwrap();
    insta::assert_snapshot!(route(&hosts, "alpine"), @"
    mirror.example/v2/library/alpine Https Everything
    10.0.0.7:5000/v2/library/alpine Http insecure Everything
    docker.io/v2/library/alpine
    ");
    insta::assert_snapshot!(route(&hosts, "other.example/app"), @"other.example/v2/app");
    let insecure = |name: &str| hosts.is_insecure(&[name.to_owned()]);
    for name in ["lab.example:5000", "10.1.2.3:80", "10.1.2.3", "[2001:db8::5]:5000", "x.example"] {
        assert!(insecure(name), "{name}");
    }
    for name in ["lab.example", "11.1.2.3", "[2001:db9::5]", "mirror.example"] {
        assert!(!insecure(name), "{name}");
    }
}

/// The first that speaks of a registry is the one that counts.
#[test]
fn precedence() {
    let mirrored =
        "[[registry]]\nlocation = 'docker.io'\n[[registry.mirror]]\nlocation = 'a.example'";
    let conf = ("system/registries.conf", mirrored);
    let toml = ("containerd/docker.io/hosts.toml", "[host.'https://b.example']");
    let json = ("daemon.json", r#"{"registry-mirrors": ["https://c.example"]}"#);
    let first = |files: &[(&str, &str)]| {
        let text = route(&Files::new(files).hosts().unwrap(), "alpine");
        text.split('/').next().unwrap().to_owned()
    };
    assert_eq!(first(&[conf, toml, json]), "a.example");
    assert_eq!(first(&[toml, json]), "b.example");
    assert_eq!(first(&[json]), "c.example");
    assert_eq!(first(&[]), "docker.io");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let check = |name: &str, text: &str| {
        let files = Files::new(&[(name, text)]);
        let failed = match files.hosts() {
            Ok(hosts) => match hosts.route(&"docker.io/a/b".parse().unwrap()) {
                Err(Error::HostFile(error)) => error,
                other => panic!("{other:?}"),
            },
            Err(error) => error,
        };
        files.show(&failed)
    };
    let conf = |text: &str| check("system/registries.conf", text);
    insta::assert_snapshot!(conf("[[registry]]\nlocation = \"a.example"), @r#"read /system/registries.conf:2: invalid basic string, expected `"` | correct the file; CONTAINERS_REGISTRIES_CONF names another file"#);
    insta::assert_snapshot!(conf("\n[[registry]]\nlocation = 5"), @"read /system/registries.conf:3: invalid type: integer `5`, expected a string | correct the file; CONTAINERS_REGISTRIES_CONF names another file");
    insta::assert_snapshot!(conf("[[registry]]\nblocked = true"), @"read /system/registries.conf: a [[registry]] has neither `prefix` nor `location` | correct the file; CONTAINERS_REGISTRIES_CONF names another file");
    insta::assert_snapshot!(conf("[[registry]]\nlocation = 'https://a.example'"), @"read /system/registries.conf:2: `https://a.example` has a scheme; it takes host[:port][/path] | correct the file; CONTAINERS_REGISTRIES_CONF names another file");
    insta::assert_snapshot!(conf("[[registry]]\nlocation = 'team/app'"), @"read /system/registries.conf:2: `team/app` is not of the form host[:port][/path] | correct the file; CONTAINERS_REGISTRIES_CONF names another file");
    insta::assert_snapshot!(conf("[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\nlocation = 'b.example'\npull-from-mirror = 'never'"), @"read /system/registries.conf:5: `never` is not a value of `pull-from-mirror` (all, digest-only, tag-only are) | correct the file; CONTAINERS_REGISTRIES_CONF names another file");
    let toml = |text: &str| check("containerd/docker.io/hosts.toml", text);
    insta::assert_snapshot!(toml("server = \n"), @"read /containerd/docker.io/hosts.toml:1: string values must be quoted, expected literal string | correct the file");
    insta::assert_snapshot!(toml("\n[host.\"ftp://a.example\"]"), @"read /containerd/docker.io/hosts.toml:2: `ftp://a.example` is not a host's URL | correct the file");
    insta::assert_snapshot!(toml("[host.\"https://a.example\"]\ncapabilities = ['pul']"), @"read /containerd/docker.io/hosts.toml:1: `pul` is not a capability (pull, resolve, push are) | correct the file");
    insta::assert_snapshot!(toml("[host.\"https://a.example\"]\nca = 5"), @"read /containerd/docker.io/hosts.toml:1: `ca` takes a path, or a list of paths | correct the file");
    insta::assert_snapshot!(toml("[host.\"https://a.example\"]\nca = 'ca.pem'"), @"read /containerd/docker.io/ca.pem: No such file or directory (os error 2) | check the path");
    insta::assert_snapshot!(check("daemon.json", "{\n\"registry-mirrors\": 5}"), @"read /daemon.json:2: invalid type: integer `5`, expected a sequence | correct the file");
    insta::assert_snapshot!(check("daemon.json", "{\"registry-mirrors\": [\"a\"]}"), @"read /daemon.json: `a` in `registry-mirrors` is not a URL | correct the file");
}

#[test]
fn certificates_that_are_none_are_named() {
    let check = |files: &[(&str, &str)]| {
        let files = Files::new(files);
        let failed = files.hosts().unwrap().trust(&["h.example:5000".to_owned()]).unwrap_err();
        files.show(&failed)
    };
    let file = |name: &str| format!("system/certs.d/h.example:5000/{name}");
    let none = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    insta::assert_snapshot!(check(&[(&file("ca.crt"), "DER")]), @"use /system/certs.d/h.example:5000/ca.crt as a certificate: it holds none | it takes PEM: `-----BEGIN CERTIFICATE-----`; convert DER with `openssl x509 -inform der`");
    insta::assert_snapshot!(check(&[(&file("ca.crt"), none)]), @"use /system/certs.d/h.example:5000/ca.crt as a certificate: what it holds is none | it takes PEM: `-----BEGIN CERTIFICATE-----`; convert DER with `openssl x509 -inform der`");
    insta::assert_snapshot!(check(&[(&file("a.cert"), none)]), @"use /system/certs.d/h.example:5000/a.cert: /system/certs.d/h.example:5000/a.key is missing beside it | put a.key there; a CA's certificate ends in `.crt`");
    insta::assert_snapshot!(check(&[(&file("a.key"), "SECRET")]), @"use /system/certs.d/h.example:5000/a.key: /system/certs.d/h.example:5000/a.cert is missing beside it | put a.cert there");
    insta::assert_snapshot!(check(&[(&file("a.cert"), none), (&file("a.key"), "SECRET")]), @"use /system/certs.d/h.example:5000/a.cert as a client certificate: a certificate or a key is missing, or is no valid PEM | it takes PEM, an X.509 v3 certificate (`openssl x509 -req` makes one only with `-extfile`) and its unencrypted key");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nSECRET\n-----END ENCRYPTED PRIVATE KEY-----";
    insta::assert_snapshot!(check(&[(&file("a.cert"), none), (&file("a.key"), encrypted)]), @"use /system/certs.d/h.example:5000/a.cert as a client certificate: its key is encrypted | it takes PEM, an X.509 v3 certificate (`openssl x509 -req` makes one only with `-extfile`) and its unencrypted key");
    // The user's directory stands for the system's.
    let own = "user/certs.d/h.example:5000/nothing";
    let files = Files::new(&[(&file("ca.crt"), "DER"), (own, "")]);
    let trust = files.hosts().unwrap().trust(&["h.example:5000".to_owned()]).unwrap();
    assert!(trust.roots.is_empty());
}

#[test]
fn what_was_named_must_be_there() {
    let files = |files: HostFiles| Hosts::read(files).unwrap_err().to_string();
    let named = || Some(Path::new("/nowhere/at-all").to_owned());
    let conf = HostFiles { named_registries_conf: named(), ..HostFiles::default() };
    insta::assert_snapshot!(files(conf), @"read /nowhere/at-all: No such file or directory (os error 2)");
    let certificates = HostFiles { named_certificates: named(), ..HostFiles::default() };
    insta::assert_snapshot!(files(certificates), @"read /nowhere/at-all: No such file or directory (os error 2)");
}

#[test]
fn directories_of_hosts() {
    let names = |host: &str| super::directory_names(host).join(" ");
    assert_eq!(names("a.example"), "a.example");
    assert_eq!(names("a.example:5000"), "a.example_5000_ a.example:5000");
    assert_eq!(names("[::1]:5000"), "[::1]_5000_ [::1]:5000");
    assert_eq!(names("[::1]"), "[::1]");
    for host in ["..", ".", "a/../..", "/"] {
        assert_eq!(names(host), "", "{host}");
    }
}

/// A file that was cut off anywhere is read or refused.
#[test]
fn no_beginning_of_a_file_is_too_strange() {
    let toml =
        "server = 'https://a.example'\nca = ['x']\n[host.'https://b.example']\nheader = {a = 'b'}";
    let json =
        r#"{"registry-mirrors": ["https://a.example"], "insecure-registries": ["10.0.0.0/8"]}"#;
    let names = ["system/registries.conf", "containerd/docker.io/hosts.toml", "daemon.json"];
    for (name, text) in names.into_iter().zip([REGISTRIES, toml, json]) {
        let files = Files::new(&[(name, "")]);
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            std::fs::write(files.at(name), &text[..end]).unwrap();
            if let Ok(hosts) = files.hosts() {
                let _ = hosts.route(&"docker.io/a/b".parse().unwrap());
            }
        }
    }
}
