//! Certificates: whose are taken, which are shown, and what is done without any.

use std::path::PathBuf;

use oci::{RepositoryName, Tag};
use tempfile::TempDir;

use crate::hosts::Roots;
use crate::tests::connect_proxy::ConnectProxy;
use crate::tests::support::{GZIP, Sample, noise, password, registry, settings};
use crate::tests::tls_front::{Authority, Certified, Clients, TlsFront};
use crate::{Client, Credentials, Error, HostFiles, Hosts, Proxies, Scheme, Secret, Settings};
use serve::testing::{Behaviour, Downloads, Presented, TestDoor, TestRegistry};

/// A registry behind TLS, and a directory for files.
struct Scene {
    registry: TestRegistry,
    authority: Authority,
    front: TlsFront,
    directory: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let authority = Authority::new("hosts");
        let registry = with_sample();
        let shown = authority.issue("localhost");
        let front = TlsFront::start(&registry, &shown, Clients::Anyone).await;
        Scene { registry, authority, front, directory: tempfile::tempdir().unwrap() }
    }

    /// Puts a file below `certs.d/localhost:PORT/`.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let directory = self.directory.path().join("certs.d").join(self.front.name());
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn show(&self, certified: &Certified) {
        self.file("client.cert", &certified.certificate);
        self.file("client.key", &certified.key);
    }

    fn with_files(&self) -> Settings {
        let certificates = vec![self.directory.path().join("certs.d")];
        let hosts = Hosts::read(HostFiles { certificates, ..HostFiles::default() }).unwrap();
        Settings { hosts, ..settings() }
    }

    /// The scheme is said, so that TLS is what fails where it fails.
    fn strict(&self, settings: Settings) -> Settings {
        let schemes = [(self.front.name(), Scheme::Https)].into();
        Settings { schemes, ..settings }
    }

    async fn fetch(&self, settings: Settings) -> Result<(), Error> {
        fetch(&self.front.name(), settings).await
    }

    fn told(&self, error: &Error) -> String {
        let text = format!("{error}; {}", error.hint().unwrap_or_default());
        text.replace(&self.front.name(), "HOST")
    }
}

fn with_sample() -> TestRegistry {
    let registry = registry();
    Sample::new(1, 1).insert(&registry, "app", Some("1"));
    registry
}

async fn fetch(host: &str, settings: Settings) -> Result<(), Error> {
    let repository: RepositoryName = format!("{host}/app").parse().unwrap();
    let tag: Tag = "1".parse().unwrap();
    Client::new(settings)?.manifest(&repository, tag).await.map(drop)
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_taken() {
    let scene = Scene::new().await;
    let error = scene.fetch(scene.strict(settings())).await.unwrap_err();
    insta::assert_snapshot!(scene.told(&error), @"GET https://HOST/v2/app/manifests/1: invalid peer certificate: UnknownIssuer; if the registry has a certificate of its own, give its CA with `--ca FILE` or put it into /etc/containers/certs.d/HOST/ca.crt; `--insecure HOST` does without verification, and takes plain http");
    let other = Authority::new("other").pem().into_bytes();
    let settings = Settings { root_certificates: vec![other], ..settings() };
    let error = scene.fetch(settings).await.unwrap_err();
    insta::assert_snapshot!(scene.told(&error), @"GET https://HOST/v2/app/manifests/1: invalid peer certificate: UnknownIssuer; if the registry has a certificate of its own, give its CA with `--ca FILE` or put it into /etc/containers/certs.d/HOST/ca.crt; `--insecure HOST` does without verification, and takes plain http");
    assert_eq!(scene.registry.requests(), []);
}

#[tokio::test]
async fn a_ca_is_had_from_settings_or_from_files() {
    let scene = Scene::new().await;
    let pem = || vec![scene.authority.pem().into_bytes()];
    // Loopback is asked, as it could have such a certificate.
    scene.fetch(Settings { root_certificates: pem(), ..settings() }).await.unwrap();
    let file = Some(scene.file("roots.pem", &scene.authority.pem()));
    let system_roots = Roots { file, directories: Vec::new() };
    scene.fetch(Settings { system_roots, ..settings() }).await.unwrap();
    let directories = vec![scene.directory.path().join("certs.d").join(scene.front.name())];
    let system_roots = Roots { file: None, directories };
    scene.fetch(Settings { system_roots, ..settings() }).await.unwrap();
    scene.file("ca.crt", &scene.authority.pem());
    scene.fetch(scene.with_files()).await.unwrap();
    scene.fetch(scene.strict(scene.with_files())).await.unwrap();
    // A registry beside it that speaks plainly still may.
    let plain = with_sample();
    fetch(&plain.name(), Settings { root_certificates: pem(), ..settings() }).await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_for_its_host_only() {
    let scene = Scene::new().await;
    scene.file("ca.crt", &scene.authority.pem());
    let shown = scene.authority.issue("localhost");
    let other = TlsFront::start(&scene.registry, &shown, Clients::Anyone).await;
    let schemes = [(other.name(), Scheme::Https)].into();
    let error = fetch(&other.name(), Settings { schemes, ..scene.with_files() }).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    let misnamed = scene.authority.issue("other.example");
    let other = TlsFront::start(&scene.registry, &misnamed, Clients::Anyone).await;
    let root_certificates = vec![scene.authority.pem().into_bytes()];
    let error = fetch(&other.name(), Settings { root_certificates, ..settings() }).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_belongs() {
    let mut scene = Scene::new().await;
    let users = Authority::new("users");
    let shown = scene.authority.issue("localhost");
    scene.front = TlsFront::start(&scene.registry, &shown, Clients::Certified(&users)).await;
    scene.file("ca.crt", &scene.authority.pem());
    let error = scene.fetch(scene.with_files()).await.unwrap_err();
    insta::assert_snapshot!(scene.told(&error), @"GET https://HOST/v2/app/manifests/1: received fatal alert: CertificateRequired; if the registry demands a client certificate, put NAME.cert and NAME.key into /etc/containers/certs.d/HOST, or give their directory with `--cert-dir`");
    scene.show(&Authority::new("other").issue("bob"));
    let error = scene.fetch(scene.with_files()).await.unwrap_err();
    insta::assert_snapshot!(scene.told(&error), @"GET https://HOST/v2/app/manifests/1: received fatal alert: UnknownCA; if the registry demands a client certificate, put NAME.cert and NAME.key into /etc/containers/certs.d/HOST, or give their directory with `--cert-dir`");
    scene.show(&users.issue("bob"));
    scene.fetch(scene.with_files()).await.unwrap();
    // `--cert-dir` is such a directory for all hosts.
    let named = scene.directory.path().join("certs.d").join(scene.front.name());
    let files = HostFiles { named_certificates: Some(named), ..HostFiles::default() };
    scene.fetch(Settings { hosts: Hosts::read(files).unwrap(), ..settings() }).await.unwrap();
    // The key of another certificate is noticed before anything is said to anyone.
    scene.file("client.key", &users.issue("eve").key);
    let error = scene.fetch(scene.with_files()).await.unwrap_err();
    let text = scene.told(&error).replace(&scene.directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!(text, @"use DIR/certs.d/HOST/client.cert as a client certificate: keys may not be consistent: KeyMismatch; it takes PEM, an X.509 v3 certificate (`openssl x509 -req` makes one only with `-extfile`) and its unencrypted key");
}

/// containerd's files name certificates by host, with paths from their own directory.
#[tokio::test]
async fn hosts_toml_names_certificates() {
    let mut scene = Scene::new().await;
    let users = Authority::new("users");
    let shown = scene.authority.issue("localhost");
    scene.front = TlsFront::start(&scene.registry, &shown, Clients::Certified(&users)).await;
    let root = scene.directory.path().join("containerd");
    let directory = root.join("registry.example");
    std::fs::create_dir_all(&directory).unwrap();
    let bob = users.issue("bob");
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
    write("ca.pem", &scene.authority.pem());
    write("bob.pem", &bob.certificate);
    write("bob.key", &bob.key);
    write("both.pem", &format!("{}{}", bob.key, bob.certificate));
    let fetch = async |table: &str| {
        let server = format!("server = 'https://{}'\n{table}", scene.front.name());
        write("hosts.toml", &server);
        let files = HostFiles { hosts_toml: vec![root.clone()], ..HostFiles::default() };
        let hosts = Hosts::read(files).unwrap();
        fetch("registry.example", Settings { hosts, ..settings() }).await
    };
    fetch("ca = 'ca.pem'\nclient = [['bob.pem', 'bob.key']]").await.unwrap();
    fetch("ca = ['ca.pem']\nclient = 'both.pem'").await.unwrap();
    fetch("skip_verify = true\nclient = ['both.pem']").await.unwrap();
    for table in ["ca = 'ca.pem'", "client = 'both.pem'", "skip_verify = true"] {
        let error = fetch(table).await.unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{table}: {error}");
    }
    // What it names is the host's, and not that of another.
    let tables = "[host.'https://127.0.0.1:1']\nskip_verify = true\nclient = 'both.pem'";
    let error = fetch(tables).await.unwrap_err();
    assert!(matches!(error, Error::AfterMirrors { .. } | Error::Tls { .. }), "{error}");
}

/// `--insecure` takes any certificate, and none; which it is is found out before a credential is
/// shown.
#[tokio::test]
async fn an_insecure_host_is_spoken_to_as_it_speaks() {
    let scene = Scene::new().await;
    let door = TestDoor::Basic { user: "bob".into(), password: "SECRET".into() };
    scene.registry.behave(Behaviour { door, ..Behaviour::default() });
    for host in [scene.front.name(), scene.registry.name()] {
        let settings = Settings {
            schemes: [(host.clone(), Scheme::Insecure)].into(),
            credentials: Credentials::Fixed([(host.clone(), password("bob", "SECRET"))].into()),
            ..settings()
        };
        let client = Client::new(settings).unwrap();
        let repository: RepositoryName = format!("{host}/app").parse().unwrap();
        for _ in 0..3 {
            client.manifest(&repository, "1".parse::<Tag>().unwrap()).await.unwrap();
        }
        let shown = scene.registry.take_requests().into_iter().map(|asked| asked.presented);
        let expected = [Presented::Nothing, Presented::Basic, Presented::Basic, Presented::Basic];
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{host}");
    }
    assert_eq!(scene.front.connections(), 1, "one greeting, and one that is kept");
}

#[tokio::test]
async fn files_can_make_a_host_insecure() {
    let scene = Scene::new().await;
    let conf = scene.directory.path().join("registries.conf");
    let text = format!("[[registry]]\nlocation = '{}'\ninsecure = true", scene.front.name());
    std::fs::write(&conf, text).unwrap();
    let files = HostFiles { named_registries_conf: Some(conf), ..HostFiles::default() };
    scene.fetch(Settings { hosts: Hosts::read(files).unwrap(), ..settings() }).await.unwrap();
    let json = scene.directory.path().join("daemon.json");
    let text = format!("{{\"insecure-registries\": [\"{}\"]}}", scene.front.name());
    std::fs::write(&json, text).unwrap();
    let files = HostFiles { daemon_json: vec![json], ..HostFiles::default() };
    scene.fetch(Settings { hosts: Hosts::read(files).unwrap(), ..settings() }).await.unwrap();
    assert_eq!(scene.front.connections(), 2, "a greeting is no connection that was agreed on");
}

/// A registry that is trusted sends a blob's reader to a host that is not.
#[tokio::test]
async fn a_redirect_leads_to_a_host_with_settings_of_its_own() {
    let scene = Scene::new().await;
    let bytes = noise(5000, 2);
    let elsewhere = registry();
    let blob = elsewhere.insert_blob("app", GZIP, &bytes);
    scene.registry.insert_blob("app", GZIP, &bytes);
    let stranger = Authority::new("stranger");
    let front = TlsFront::start(&elsewhere, &stranger.issue("localhost"), Clients::Anyone).await;
    let downloads = Downloads::RedirectTo(format!("https://{}", front.name()));
    scene.registry.behave(Behaviour { downloads, ..Behaviour::default() });
    let schemes = || [(scene.front.name(), Scheme::Insecure)].into();
    let repository: RepositoryName = format!("{}/app", scene.front.name()).parse().unwrap();
    let fetch = async |settings: Settings| {
        Client::new(settings).unwrap().blob(&repository, &blob, &mut Vec::new()).await
    };
    let error = fetch(Settings { schemes: schemes(), ..settings() }).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    assert_eq!(elsewhere.requests(), []);
    let root_certificates = vec![stranger.pem().into_bytes()];
    fetch(Settings { schemes: schemes(), root_certificates, ..settings() }).await.unwrap();
}

/// Beyond loopback the greeting goes the way of all requests: through the proxy.
#[tokio::test]
async fn an_insecure_host_behind_a_proxy_is_asked_once() {
    let scene = Scene::new().await;
    let proxy = ConnectProxy::start(scene.front.port(), "Basic Ym9iOlNFQ1JFVA==").await;
    let via = Some(Secret::new(format!("http://bob:SECRET@127.0.0.1:{}", proxy.port())));
    let proxies = Proxies { https: via, ..Proxies::default() };
    let host = "registry.example".to_owned();
    let schemes = [(host.clone(), Scheme::Insecure)].into();
    let client = Client::new(Settings { schemes, proxies, ..settings() }).unwrap();
    let repository: RepositoryName = format!("{host}/app").parse().unwrap();
    for _ in 0..3 {
        client.manifest(&repository, "1".parse::<Tag>().unwrap()).await.unwrap();
    }
    let asked = scene.registry.requests().into_iter().map(|request| request.path);
    let manifest = "/v2/app/manifests/1";
    assert_eq!(asked.collect::<Vec<_>>(), ["/v2/", manifest, manifest, manifest]);
    assert_eq!(proxy.asked(), ["registry.example:443"]);
}

/// Whatever TLS settings a host has, the way to it is the proxy's.
#[tokio::test]
async fn a_proxy_with_a_password_leads_to_hosts_behind_tls() {
    let scene = Scene::new().await;
    let proxy = ConnectProxy::start(scene.front.port(), "Basic Ym9iOlNFQ1JFVA==").await;
    let certified = scene.authority.issue("registry.example");
    let front = TlsFront::start(&scene.registry, &certified, Clients::Anyone).await;
    proxy.lead_to(front.port());
    let settings = |none_for: &str| Settings {
        root_certificates: vec![scene.authority.pem().into_bytes()],
        proxies: Proxies {
            http: None,
            https: Some(Secret::new(format!("http://bob:SECRET@127.0.0.1:{}", proxy.port()))),
            none_for: none_for.to_owned(),
        },
        ..settings()
    };
    fetch("registry.example", settings("")).await.unwrap();
    assert_eq!(proxy.asked(), ["registry.example:443"]);
    let direct = fetch("registry.example", settings("*")).await.unwrap_err();
    assert!(matches!(direct, Error::Connection { .. }), "{direct}");
    assert_eq!(proxy.asked(), ["registry.example:443"]);
}
