//! The testbed itself: its registry, its bases and its judges do what the other tests rely on.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests may")]

#[path = "oracles/debian.rs"]
mod debian;
#[path = "oracles/python.rs"]
mod python;

use std::fs;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tempfile::NamedTempFile;
use testbed::buildah::Driver;
use testbed::{
    Buildah, Context, Grant, Guise, Kind, Login, Registry, Result, Skopeo, TokenRules, Tree, base,
    crun, program, umoci,
};

/// Unpacks the image at `place` and reads its tree.
fn tree_of(place: &str) -> Result<Tree> {
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    Skopeo::copy_to_layout(place, &layout, "x")?;
    let bundle = directory.path().join("bundle");
    umoci::unpack(&layout, "x", &bundle)?;
    Tree::read(&bundle.join("rootfs"))
}

fn push_base(registry: &Registry, name: &str) -> Result<String> {
    let layout = base::tiny()?;
    Skopeo::copy(&format!("oci:{}:{}", layout.display(), base::TAG), &registry.place(name))?;
    Ok(registry.reference(name))
}

#[test]
fn tiny_base_keeps_owners_modes_and_links() -> Result {
    let registry = Registry::start()?;
    push_base(&registry, "base/tiny:1")?;
    let tree = tree_of(&registry.place("base/tiny:1"))?;
    let shown = |path: &str| tree.at(path).unwrap().to_string();
    assert_eq!(tree.at("bin").unwrap().kind, Kind::Link("usr/bin".into()));
    assert_eq!(shown("home/app"), "a directory 0750 1000:1000");
    assert_eq!(shown("opt/shared"), "a directory 2775 33:33");
    assert_eq!(shown("tmp"), "a directory 1777 0:0");
    assert!(shown("etc/secret").ends_with(" 0600 0:0"), "{}", shown("etc/secret"));
    Ok(())
}

#[test]
fn buildah_builds_a_dockerfile_without_run() -> Result {
    let registry = Registry::start()?;
    let reference = push_base(&registry, "base/tiny:1")?;
    let context = Context::with_dockerfile(&format!(
        "FROM {reference}\nENV A=1\nHEALTHCHECK CMD tool\nCOPY --chown=app f /srv/\nCMD [\"tool\"]\n"
    ))?
    .file_with_mode("f", "content", 0o640)?;
    let buildah = Buildah::new(Driver::Copies)?;
    buildah.build("built", context.path(), &[])?;
    buildah.push("built", &registry.place("built:1"))?;

    let config = Skopeo::config(&registry.place("built:1"))?;
    assert_eq!(config["config"]["Cmd"], json!(["tool"]));
    assert_eq!(config["config"]["Healthcheck"], json!({ "Test": ["CMD-SHELL", "tool"] }));
    let built = tree_of(&registry.place("built:1"))?;
    let differences = tree_of(&registry.place("base/tiny:1"))?.differences(&built, "base", "built");
    assert_eq!(differences.keys().collect::<Vec<_>>(), ["srv", "srv/f"]);
    assert!(built.at("srv/f").unwrap().to_string().ends_with(" 0640 1000:1000"));
    Ok(())
}

#[test]
fn crun_runs_the_debian_base() -> Result {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("hello.py"), "import sys; print('hello from', sys.version_info[0])")
        .unwrap();
    let layout = directory.path().join("layout");
    let debian = base::debian()?;
    Skopeo::copy_to_layout(&format!("oci:{}:{}", debian.display(), base::TAG), &layout, "x")?;
    umoci::insert(&layout, "x", &root, "/app")?;
    umoci::configure(
        &layout,
        "x",
        &[("--config.cmd", "python3"), ("--config.cmd", "/app/hello.py")],
    )?;
    let bundle = directory.path().join("bundle");
    umoci::unpack(&layout, "x", &bundle)?;
    assert_eq!(crun::run(&bundle, "testbed-hello")?, "hello from 3\n");
    Ok(())
}

#[test]
fn registry_tells_what_it_was_asked() -> Result {
    let registry = Registry::start()?;
    push_base(&registry, "base/tiny:1")?;
    let requests = registry.requests()?;
    let uploaded: Vec<_> = requests.iter().filter_map(|request| request.uploaded()).collect();
    assert_eq!(uploaded.len(), 2, "a layer and a config: {requests:#?}");
    assert!(uploaded.iter().all(|digest| registry.blob(digest).is_some()));
    registry.forget()?;
    assert_eq!(registry.requests()?, []);
    push_base(&registry, "base/tiny:1")?;
    assert!(!registry.requests()?.iter().any(|request| request.starts_upload()));
    Ok(())
}

const SOMEBODY: Login = Login { user: "somebody", password: "SECRET, known to it" };

/// A file with the credentials of [`SOMEBODY`], as Docker keeps them.
fn credentials(registry: &Registry) -> NamedTempFile {
    let pair = format!("{}:{}", SOMEBODY.user, SOMEBODY.password);
    let auth = json!({ "auth": BASE64_STANDARD.encode(pair) });
    let file = NamedTempFile::new().unwrap();
    let host = registry.host();
    fs::write(&file, json!({ "auths": { host: auth } }).to_string()).unwrap();
    file
}

/// A registry in this guise takes an image from skopeo, which knows the password, and gives it back.
fn takes_and_gives(guise: &Guise) -> Result<Registry> {
    let registry = Registry::start_as(guise)?;
    let file = credentials(&registry);
    let skopeo = registry.skopeo().with_credentials(Some(file.path()));
    skopeo.copy_from(&format!("oci:{}:{}", base::tiny()?.display(), base::TAG), "base/tiny:1")?;
    let inspected = skopeo.inspect("base/tiny:1")?;
    assert_eq!(inspected["RepoTags"], json!(["1"]));
    let requests = registry.requests()?;
    assert!(requests.iter().any(|request| request.starts_upload()), "{requests:#?}");
    registry.forget()?;
    assert_eq!(registry.requests()?, []);
    Ok(registry)
}

#[test]
fn registry_asks_for_a_password() -> Result {
    let registry = takes_and_gives(&Guise::Htpasswd(SOMEBODY))?;
    let failure = push_base(&registry, "base/tiny:1").unwrap_err();
    assert!(failure.to_string().contains("authentication required"), "{failure}");
    Ok(())
}

#[test]
fn registry_asks_for_tokens() -> Result {
    let registry = Registry::start_as(&Guise::Tokens(TokenRules::of(SOMEBODY)))?;
    let file = credentials(&registry);
    let skopeo = registry.skopeo().with_credentials(Some(file.path()));
    skopeo.copy_from(&format!("oci:{}:{}", base::tiny()?.display(), base::TAG), "base/tiny:1")?;
    let asked = registry.token_requests();
    let scope = "repository:base/tiny:pull,push";
    assert!(
        asked.iter().any(|asked| asked.grant == Grant::Basic && asked.scopes == [scope]),
        "{asked:#?}"
    );
    assert!(asked.iter().all(|asked| asked.status == 200), "{asked:#?}");

    let failure = push_base(&registry, "base/tiny:1").unwrap_err();
    assert!(failure.to_string().contains("unable to retrieve auth token"), "{failure}");
    let asked = registry.token_requests();
    assert!(asked.iter().any(|asked| asked.grant == Grant::Anonymous && asked.status == 401));
    Ok(())
}

#[test]
fn tokens_run_out_when_they_should() -> Result {
    let login = TokenRules::of(SOMEBODY);
    let spent = TokenRules { life: Duration::ZERO, ..login };
    let registry = Registry::start_as(&Guise::Tokens(spent))?;
    let file = credentials(&registry);
    let skopeo = registry.skopeo().with_credentials(Some(file.path()));
    let tiny = format!("oci:{}:{}", base::tiny()?.display(), base::TAG);
    let failure = skopeo.copy_from(&tiny, "base/tiny:1").unwrap_err();
    assert!(failure.to_string().contains("authentication required"), "{failure}");
    Ok(())
}

#[test]
fn registry_speaks_tls() -> Result {
    let registry = takes_and_gives(&Guise::PrivateCa)?;
    let stranger = program("skopeo").arg("inspect").arg(registry.place("base/tiny:1")).output();
    let said = String::from_utf8(stranger.unwrap().stderr).unwrap();
    assert!(said.contains("certificate signed by unknown authority"), "{said}");
    Ok(())
}

#[test]
fn front_demands_a_certificate() -> Result {
    let registry = takes_and_gives(&Guise::ClientCertificate)?;
    let certificates = registry.certificates().unwrap();
    fs::remove_file(certificates.join("client.cert")).unwrap();
    fs::remove_file(certificates.join("client.key")).unwrap();
    let failure = registry.skopeo().inspect("base/tiny:1").unwrap_err();
    assert!(failure.to_string().contains("400"), "{failure}");
    let [refused, ..] = &registry.requests_at_the_front()?[..] else { panic!("nothing refused") };
    assert_eq!(refused.status, 400);
    Ok(())
}

#[test]
fn front_refuses_long_bodies() -> Result {
    takes_and_gives(&Guise::BodyCap(1 << 20))?;
    let registry = Registry::start_as(&Guise::BodyCap(100))?;
    let failure = push_base(&registry, "base/tiny:1").unwrap_err();
    assert!(failure.to_string().contains("413"), "{failure}");
    let seen = registry.requests_at_the_front()?;
    assert!(seen.iter().any(|request| request.status == 413), "{seen:#?}");
    Ok(())
}
