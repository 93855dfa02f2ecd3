//! What a push moves, by the registry's own log.

use std::collections::BTreeSet;

use serde_json::Value;
use testbed::{Context, Plywood, Registry, Request, Result, Skopeo, base};

use crate::support::{plywood, push_base};

/// The digests that `what` picks from the requests.
fn digests(requests: &[Request], what: fn(&Request) -> Option<String>) -> BTreeSet<String> {
    requests.iter().filter_map(what).collect()
}

/// The digests of an image's layers and of its config.
fn blobs(place: &str) -> Result<(BTreeSet<String>, String)> {
    let manifest: Value = serde_json::from_str(&Skopeo::manifest(place)?).unwrap();
    let digest = |descriptor: &Value| descriptor["digest"].as_str().unwrap().to_owned();
    let layers = manifest["layers"].as_array().unwrap().iter().map(digest).collect();
    Ok((layers, digest(&manifest["config"])))
}

struct Setting {
    registry: Registry,
    plywood: Plywood,
    context: Context,
    base: String,
    base_layers: BTreeSet<String>,
    base_config: String,
}

/// A base image in the repository `base/tiny`, and a context that builds on it.
fn setting() -> Result<Setting> {
    let registry = Registry::start()?;
    let base = push_base(&registry, base::tiny()?, "base/tiny:1")?;
    let (base_layers, base_config) = blobs(&registry.place("base/tiny:1"))?;
    let context = Context::with_dockerfile(&format!(
        "FROM {base}\nCOPY one /srv/one\nCOPY two /srv/two\nCMD [\"tool\"]\n"
    ))?
    .file("one/f", "first")?
    .file("two/g", "second")?;
    Ok(Setting { registry, plywood: plywood()?, context, base, base_layers, base_config })
}

impl Setting {
    /// Builds and pushes as `name`, and gives what the registry was asked meanwhile.
    fn build_and_push(&self, name: &str) -> Result<Vec<Request>> {
        self.registry.forget()?;
        let reference = self.registry.reference(name);
        self.plywood.build_and_push(self.context.path(), &reference, &[])?;
        self.registry.requests()
    }
}

#[test]
fn the_first_push_moves_new_layers_and_the_config() -> Result {
    let setting = setting()?;
    let requests = setting.build_and_push("team/app:1")?;
    let (layers, config) = blobs(&setting.registry.place("team/app:1"))?;
    assert!(layers.is_superset(&setting.base_layers));

    let mut new: BTreeSet<_> = layers.difference(&setting.base_layers).cloned().collect();
    assert_eq!(new.len(), 2, "a layer for each COPY");
    new.insert(config);
    assert_eq!(digests(&requests, Request::uploaded), new, "{requests:#?}");
    assert_eq!(digests(&requests, Request::mounted), setting.base_layers, "{requests:#?}");
    // Of the base, its config is read, and its layers are, once, to learn where links lead.
    let downloads = requests.iter().filter_map(Request::downloaded).count();
    assert_eq!(downloads, 1 + setting.base_layers.len(), "{requests:#?}");
    Ok(())
}

#[test]
fn an_image_without_files_reads_no_layer_of_the_base() -> Result {
    let mut setting = setting()?;
    let dockerfile = format!("FROM {}\nENV A=1\nUSER app\n", setting.base);
    setting.context = Context::with_dockerfile(&dockerfile)?;
    let requests = setting.build_and_push("team/app:1")?;
    let (layers, config) = blobs(&setting.registry.place("team/app:1"))?;
    assert_eq!(layers, setting.base_layers);
    assert_eq!(digests(&requests, Request::uploaded), [config].into(), "{requests:#?}");
    assert_eq!(digests(&requests, Request::mounted), setting.base_layers, "{requests:#?}");
    let downloaded = digests(&requests, Request::downloaded);
    assert_eq!(downloaded, [setting.base_config].into(), "{requests:#?}");
    Ok(())
}

#[test]
fn the_second_push_moves_nothing() -> Result {
    let setting = setting()?;
    setting.build_and_push("team/app:1")?;
    let requests = setting.build_and_push("team/app:1")?;
    let writes: Vec<_> = requests
        .iter()
        .filter(|request| !matches!(request.method.as_str(), "GET" | "HEAD"))
        .collect();
    assert!(
        writes.iter().all(|request| request.path == "/v2/team/app/manifests/1"),
        "no blob is uploaded or mounted: {writes:#?}"
    );
    assert_eq!(digests(&requests, Request::downloaded), BTreeSet::new(), "{requests:#?}");
    Ok(())
}

#[test]
fn a_changed_file_moves_one_layer() -> Result {
    let mut setting = setting()?;
    setting.build_and_push("team/app:1")?;
    let (before, _) = blobs(&setting.registry.place("team/app:1"))?;
    setting.context = setting.context.file("two/g", "changed")?;
    let requests = setting.build_and_push("team/app:2")?;
    let (after, config) = blobs(&setting.registry.place("team/app:2"))?;

    let mut new: BTreeSet<_> = after.difference(&before).cloned().collect();
    assert_eq!(new.len(), 1);
    new.insert(config);
    assert_eq!(digests(&requests, Request::uploaded), new, "{requests:#?}");
    Ok(())
}

#[test]
fn another_repository_of_the_registry_mounts_everything() -> Result {
    let setting = setting()?;
    setting.build_and_push("team/app:1")?;
    let requests = setting.build_and_push("other/app:1")?;
    let (mut all, config) = blobs(&setting.registry.place("other/app:1"))?;
    all.insert(config);
    assert_eq!(digests(&requests, Request::uploaded), BTreeSet::new(), "{requests:#?}");
    assert_eq!(digests(&requests, Request::mounted), all, "{requests:#?}");
    Ok(())
}

#[test]
fn a_store_that_forgot_everything_uploads_nothing_again() -> Result {
    let mut setting = setting()?;
    setting.build_and_push("team/app:1")?;
    setting.plywood = plywood()?;
    let requests = setting.build_and_push("team/app:1")?;
    assert!(!requests.iter().any(Request::starts_upload), "{requests:#?}");
    let (layers, _) = blobs(&setting.registry.place("team/app:1"))?;
    let downloaded = digests(&requests, Request::downloaded);
    assert!(downloaded.is_disjoint(&(&layers - &setting.base_layers)), "{requests:#?}");
    Ok(())
}

/// What a build leaves in the registry for others, and what these move.
#[test]
fn a_fresh_machine_moves_nothing_that_was_built_before() -> Result {
    let setting = setting()?;
    let name = setting.registry.reference("team/app:1");
    let build = |plywood: &Plywood| -> Result<(String, Vec<Request>)> {
        setting.registry.forget()?;
        let mut build = plywood.command(["build", "--push", "-t", &name]);
        let digest = testbed::plywood::printed_digest(build.arg(setting.context.path()))?;
        Ok((digest, setting.registry.requests()?))
    };
    let (digest, _) = build(&setting.plywood)?;
    let (again, requests) = build(&plywood()?)?;
    assert_eq!(again, digest);
    assert_eq!(digests(&requests, Request::uploaded), [].into(), "{requests:#?}");
    assert_eq!(digests(&requests, Request::downloaded), [].into(), "{requests:#?}");
    assert!(!requests.iter().any(|request| request.method == "PUT"), "{requests:#?}");
    // Others see artifacts that are no images.
    let tags = plywood()?.answer(["ls-tags", name.trim_end_matches(":1")])?;
    let records: Vec<&str> = tags.lines().filter(|tag| tag.starts_with("plywood-")).collect();
    assert_eq!(records.len(), 3, "the base and two steps: {tags}");
    for record in records {
        let manifest = Skopeo::manifest(&setting.registry.place(&format!("team/app:{record}")))?;
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let kind = manifest["artifactType"].as_str().unwrap();
        assert!(kind.starts_with("application/vnd.plywood."), "{manifest:#}");
        assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
    }
    Ok(())
}
