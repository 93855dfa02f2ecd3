//! What is in registries: listed, copied with what refers to it, removed, and watched while asked.

use std::collections::BTreeMap;

use oci::{Descriptor, ImageManifest, Manifest, MediaType};
use serve::testing::{Behaviour, Effect, Fault, Referrers, TagRule, TestRegistry};

use crate::scene::{Scene, image, index};
use crate::{OWN, with_app};

/// Puts a signature of `subject` into a repository of the scene's registry, past the protocol.
fn sign(scene: &Scene, path: &str, subject: &Descriptor, text: &str) -> Manifest {
    let empty = MediaType::from("application/vnd.oci.empty.v1+json");
    let config = scene.registry.insert_blob(path, empty, b"{}");
    let layer = MediaType::from("application/vnd.example.signature");
    let layer = scene.registry.insert_blob(path, layer, text.as_bytes());
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.example.signature",
        "config": config,
        "layers": [layer],
        "subject": subject,
        "annotations": {"by": text},
    });
    let manifest = Manifest::parse(manifest.to_string().into_bytes(), None).unwrap();
    scene.registry.insert_manifest(path, None, &manifest);
    manifest
}

/// A scene whose registry has an image `REGISTRY/app:1`, its signature and a signature of that.
fn signed() -> (Scene, Descriptor, Manifest, Manifest) {
    let (scene, _) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    let app = scene.store().resolve(&scene.name("app:1")).unwrap().unwrap();
    let signature = sign(&scene, "app", &app, "alice");
    let countersigned = sign(&scene, "app", &signature.descriptor(), "bob");
    (scene, app, signature, countersigned)
}

#[test]
fn tags_are_listed_page_by_page() {
    let (scene, _) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    for tag in ["2", "3", "4", "latest"] {
        scene.answer(&["copy", "REGISTRY/app:1", &format!("REGISTRY/app:{tag}")]);
    }
    assert_eq!(scene.answer(&["ls-tags", "REGISTRY/app"]), "1\n2\n3\n4\nlatest\n");
    assert_eq!(
        scene.answer(&["ls-tags", "--json", "REGISTRY/app"]),
        "{\"Repository\":\"REGISTRY/app\",\"Tags\":[\"1\",\"2\",\"3\",\"4\",\"latest\"]}\n"
    );
    insta::assert_snapshot!(scene.refusal(&["ls-tags", "REGISTRY/none"]), @r"
    exit 5
    error: failed to find tags of `REGISTRY/none` in the registry: NAME_UNKNOWN (repository name not known to registry)
    ");
}

#[test]
fn all_tags_of_a_repository_are_pushed() {
    let scene = Scene::new();
    let store = scene.store();
    let one = image(&store, "one", OWN);
    let two = image(&store, "two", OWN);
    for (name, image) in [("app:1", &one), ("app:2", &two), ("app:latest", &two), ("other:1", &two)]
    {
        store.tag(&scene.name(name), image).unwrap();
    }
    let said = scene.answer(&["push", "--all-tags", "REGISTRY/app"]);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    let line = |tag: &str, image: &Descriptor| format!("REGISTRY/app:{tag}@{}", image.digest);
    assert_eq!(lines, [line("1", &one), line("2", &two), line("latest", &two)]);
    for (tag, image) in [("1", &one), ("2", &two), ("latest", &two)] {
        assert_eq!(scene.registry.tag("app", tag), Some(image.digest));
    }
    assert_eq!(scene.registry.tag("other", "1"), None);
    insta::assert_snapshot!(scene.refusal(&["push", "-a", "REGISTRY/none"]), @r"
    exit 5
    error: failed to find the image `REGISTRY/none` in `HOME/store`
    hint: there is REGISTRY/app:1, REGISTRY/app:2, REGISTRY/app:latest, REGISTRY/other:1
    ");
    insta::assert_snapshot!(scene.refusal(&["push", "-a", "REGISTRY/app:1"]), @r"
    exit 2
    error: `REGISTRY/app:1` is not a value of `REFERENCE`
    hint: it is a repository, without a tag or a digest
    ");
}

#[test]
fn referrers_are_listed_by_the_registry_or_by_its_tag() {
    let (scene, app, signature, _) = signed();
    let listed = |words: &[&str]| {
        let said = scene.answer(&[&["referrers", "REGISTRY/app:1"], words].concat());
        said.replace(&signature.digest().to_string(), "SIGNATURE")
    };
    insta::assert_snapshot!(listed(&["-q"]), @"SIGNATURE");
    insta::assert_snapshot!(listed(&["--format", "{{.ArtifactType}} {{json .Annotations}}"]), @r#"application/vnd.example.signature {"by":"alice"}"#);
    insta::assert_snapshot!(listed(&["-q", "--artifact-type", "another/type"]), @"");
    let subject = format!("REGISTRY/app@{}", app.digest);
    assert_eq!(scene.answer(&["referrers", "-q", &subject]), format!("{}\n", signature.digest()));
    insta::assert_snapshot!(scene.refusal(&["referrers", "REGISTRY/app:none"]), @r"
    exit 5
    error: failed to find `REGISTRY/app:none` in the registry
    hint: check the name and the tag; the registry lists the tags that exist
    ");
}

/// To a registry that lists referrers and to one that leaves it to clients; what is signed comes
/// before its tag in both.
#[test]
fn a_copy_takes_referrers_along() {
    for referrers in [Referrers::Listed, Referrers::Unknown] {
        let (scene, app, signature, countersigned) = signed();
        let behaviour = Behaviour { referrers, ..Behaviour::default() };
        let target = TestRegistry::start(behaviour).unwrap();
        let name = format!("{}/copy:1", target.name());
        scene.answer(&["copy", "--referrers", "REGISTRY/app:1", &name]);
        assert_eq!(target.tag("copy", "1"), Some(app.digest));
        let list = |subject: &str| scene.answer(&["referrers", "-q", subject]);
        assert_eq!(list(&name), format!("{}\n", signature.digest()), "{referrers:?}");
        let deep = format!("{}/copy@{}", target.name(), signature.digest());
        assert_eq!(list(&deep), format!("{}\n", countersigned.digest()), "{referrers:?}");
        let puts: Vec<String> = target
            .requests()
            .iter()
            .filter(|r| r.method == "PUT")
            .map(|r| r.path.clone())
            .collect();
        assert_eq!(puts.last().unwrap(), "/v2/copy/manifests/1", "the tag is the last");
        let requests = target.requests().len();
        scene.answer(&["copy", "--referrers", "REGISTRY/app:1", &name]);
        let again = &target.requests()[requests..];
        assert!(
            again.iter().all(|r| r.method == "HEAD"),
            "a second copy writes nothing: {again:#?}"
        );
    }
    let (scene, _) = with_app();
    insta::assert_snapshot!(scene.refusal(&["copy", "--referrers", "REGISTRY/app:1", "oci:out"]), @r"
    exit 2
    error: `--referrers` needs a registry at both ends
    hint: copy between registries, or leave it out
    ");
}

/// Ten go side by side, and each rewrites the list.
#[test]
fn no_referrer_is_lost_from_the_list_that_clients_keep() {
    let (scene, app, _, _) = signed();
    let names = ["c", "d", "e", "f", "g", "h", "i", "j", "k"];
    let all = names.map(|name| sign(&scene, "app", &app, name).digest().to_string());
    let behaviour = Behaviour { referrers: Referrers::Unknown, ..Behaviour::default() };
    let target = TestRegistry::start(behaviour).unwrap();
    let name = format!("{}/copy:1", target.name());
    scene.answer(&["copy", "--referrers", "REGISTRY/app:1", &name]);
    let listed = scene.answer(&["referrers", "-q", &name]);
    assert_eq!(listed.lines().count(), 10, "{listed}");
    assert!(all.iter().all(|digest| listed.contains(digest)));
}

#[test]
fn a_copy_of_several_platforms_is_an_index_of_them() {
    let scene = Scene::new();
    let store = scene.store();
    let three = ["linux/amd64", "linux/arm64", "linux/s390x"].map(|platform| Descriptor {
        platform: Some(platform.parse().unwrap()),
        ..image(&store, "multi", platform)
    });
    let whole = oci::ImageIndex::new(three.to_vec(), BTreeMap::from([("a".into(), "b".into())]));
    store.put(whole.bytes()).unwrap();
    store.tag(&scene.name("multi:1"), &whole.descriptor()).unwrap();
    scene.answer(&["push", "REGISTRY/multi:1"]);
    let annotations = BTreeMap::from([("a".into(), "b".into())]);
    let two = oci::ImageIndex::new(vec![three[0].clone(), three[2].clone()], annotations);
    let copied = format!("{}\n", two.digest());
    let line = ["copy", "--platform", "linux/s390x,linux/amd64", "REGISTRY/multi:1"];
    for target in ["REGISTRY/two:1", "store:two:1", "oci:two"] {
        assert_eq!(scene.answer(&[&line[..], &[target]].concat()), copied, "{target}");
    }
    assert_eq!(scene.registry.tag("two", "1"), Some(two.digest()));
    insta::assert_snapshot!(scene.refusal(&["copy", "--platform", "linux/amd64,linux/riscv64", "REGISTRY/multi:1", "REGISTRY/x:1"]), @r"
    exit 5
    error: failed to find linux/riscv64 in `REGISTRY/multi:1`
    hint: there is linux/amd64, linux/arm64, linux/s390x
    ");
    assert_eq!(scene.registry.tag("x", "1"), None);
}

#[test]
fn a_tag_is_removed_alone_where_the_registry_can() {
    let (scene, digest) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.answer(&["copy", "REGISTRY/app:1", "REGISTRY/app:2"]);
    assert_eq!(scene.answer(&["rmi", "--remote", "REGISTRY/app:1"]), "Untagged: REGISTRY/app:1\n");
    assert_eq!(scene.registry.tag("app", "1"), None);
    assert_eq!(scene.registry.tag("app", "2").unwrap().to_string() + "\n", digest);
    assert_eq!(scene.answer(&["images", "-q"]).lines().count(), 1, "the store keeps its own");
    insta::assert_snapshot!(scene.refusal(&["rmi", "--remote", "REGISTRY/app:1"]), @r"
    exit 5
    error: failed to find `REGISTRY/app:1` in the registry: MANIFEST_UNKNOWN (manifest unknown)
    hint: check the name and the tag; the registry lists the tags that exist
    ");
}

/// Docker's registry deletes manifests only, and all of their tags with them.
#[test]
fn a_tag_takes_no_other_with_it_unless_it_is_told_to() {
    let (scene, digest) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.answer(&["copy", "REGISTRY/app:1", "REGISTRY/app:2"]);
    let refused = Effect::status(405);
    for tag in ["1", "2"] {
        scene.registry.fault(Fault::always("DELETE", format!("/manifests/{tag}"), refused.clone()));
    }
    let refusal = scene.refusal(&["rmi", "--remote", "REGISTRY/app:1"]);
    insta::assert_snapshot!(refusal.replace(digest.trim(), "DIGEST"), @r"
    exit 2
    error: failed to remove `REGISTRY/app:1`: this registry deletes manifests only, and DIGEST has other tags
    hint: to remove it with 2, pass `--force`
    ");
    assert!(scene.registry.tag("app", "1").is_some() && scene.registry.tag("app", "2").is_some());
    let said = scene.answer(&["rmi", "--remote", "--force", "REGISTRY/app:1"]);
    assert_eq!(
        said,
        format!("Untagged: REGISTRY/app:1\nUntagged: REGISTRY/app:2\nDeleted: {digest}")
    );
    assert_eq!((scene.registry.tag("app", "1"), scene.registry.tag("app", "2")), (None, None));
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.registry.fault(Fault::always("DELETE", "/manifests/sha256:", refused));
    insta::assert_snapshot!(scene.refusal(&["rmi", "--remote", "REGISTRY/app:1"]), @r"
    exit 6
    error: failed to remove from `REGISTRY/app`: the registry does not let manifests be deleted
    hint: let its owner turn deletion on (Docker's: `storage.delete.enabled`)
    ");
}

/// A signature that goes leaves the list that clients keep.
#[test]
fn a_referrer_that_is_removed_is_listed_no_more() {
    let (scene, app, signature, _) = signed();
    let behaviour = Behaviour { referrers: Referrers::Unknown, ..Behaviour::default() };
    let target = TestRegistry::start(behaviour).unwrap();
    let name = |rest: &str| format!("{}/copy{rest}", target.name());
    scene.answer(&["copy", "--referrers", "REGISTRY/app:1", &name(":1")]);
    let list = || scene.answer(&["referrers", "-q", &name(&format!("@{}", app.digest))]);
    assert_eq!(list(), format!("{}\n", signature.digest()));
    let gone = format!("@{}", signature.digest());
    let said = scene.answer(&["rmi", "--remote", &name(&gone)]);
    assert_eq!(said, format!("Deleted: {}\n", signature.digest()));
    assert_eq!(list(), "");
    assert_eq!(target.tag("copy", "1"), Some(app.digest), "the image stays");
}

#[test]
fn a_tag_that_does_not_move_is_no_failure_if_it_is_there() {
    let (scene, digest) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.registry.behave(Behaviour { tags: TagRule::Immutable, ..Behaviour::default() });
    assert_eq!(scene.answer(&["push", "REGISTRY/app:1"]), digest);
    let other = image(&scene.store(), "other", OWN);
    scene.store().tag(&scene.name("app:1"), &other).unwrap();
    let refusal = scene.refusal(&["push", "REGISTRY/app:1"]);
    assert!(refusal.contains("TAG_INVALID"), "{refusal}");
}

#[test]
fn requests_are_shown_without_secrets() {
    let scene = Scene::new();
    let multi = index(&scene.store(), "multi");
    scene.store().tag(&scene.name("multi:1"), &multi).unwrap();
    let said = scene.run(&["--debug", "push", "REGISTRY/multi:1"]).stderr;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), scene.registry.requests().len(), "{said}");
    let shown = |part: &str| lines.iter().any(|line| line.contains(part));
    assert!(
        shown("debug: HEAD http://REGISTRY/v2/multi/manifests/1 -> 404 Not Found in "),
        "{said}"
    );
    assert!(shown("debug: POST http://REGISTRY/v2/multi/blobs/uploads/?digest=sha256:"), "{said}");
    scene.answer(&["rmi", "REGISTRY/multi:1"]);
    let pull = ["-D", "--progress", "json", "pull", "REGISTRY/multi:1"];
    let said = scene.run_with(&pull, b"").stderr;
    let event = said.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert!(event.into_iter().any(|event| event["event"] == "request"), "{said}");
    assert!(!said.contains("SECRET"));
}

#[test]
fn the_load_on_a_registry_can_be_set() {
    let (scene, _) = with_app();
    let mut push = scene.command(&["push", "REGISTRY/app:1"]);
    let output = push.env("PLYWOOD_REQUESTS_PER_SECOND", "0").output().unwrap();
    let ended = scene.ended(&output);
    insta::assert_snapshot!(format!("exit {}\n{}", ended.code, ended.stderr), @r"
    exit 2
    error: `0` is not a value of `PLYWOOD_REQUESTS_PER_SECOND`
    hint: it is a number from 1 to 1000
    ");
    let mut push = scene.command(&["push", "REGISTRY/app:1"]);
    push.env("PLYWOOD_REQUESTS", "1").env("PLYWOOD_REQUESTS_PER_SECOND", "50");
    assert!(push.output().unwrap().status.success());
}

/// Bytes that arrived before a break are not fetched again, by another process either.
#[test]
fn a_pull_that_broke_off_goes_on_in_the_next_process() {
    let scene = Scene::new();
    let bytes: Vec<u8> =
        (0..400_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let layer =
        scene.registry.insert_blob("app", MediaType::OciLayer(oci::Compression::None), &bytes);
    let config = scene.registry.insert_blob("app", MediaType::OciConfig, b"{}");
    let manifest =
        Manifest::Image(ImageManifest::new(config, vec![layer.clone()], BTreeMap::new()));
    scene.registry.insert_manifest("app", Some("1"), &manifest);
    let path = format!("/blobs/{}", layer.digest);
    let broken = Fault {
        method: "GET",
        path: path.clone(),
        after: 0,
        times: 1,
        effect: Effect::ResetDownload { after: 300_000 },
    };
    scene.registry.fault(broken);
    scene.registry.fault(Fault {
        method: "GET",
        path: path.clone(),
        after: 0,
        times: 1,
        effect: Effect::status(403),
    });
    assert_ne!(scene.run(&["pull", "REGISTRY/app:1"]).code, 0);
    scene.registry.take_requests();
    scene.answer(&["pull", "REGISTRY/app:1"]);
    let requests = scene.registry.take_requests();
    let download = requests.iter().find(|request| request.path.ends_with(&path)).unwrap();
    assert!(
        download.sent_from > 0 && download.sent == 400_000 - download.sent_from,
        "{download:?}"
    );
    assert_eq!(scene.store().read(&layer).unwrap(), bytes);
}

/// A process may end after the last byte and before the blob has its name.
#[test]
fn what_had_come_whole_is_not_asked_for_again() {
    let (scene, _) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    let app = scene.store().resolve(&scene.name("app:1")).unwrap().unwrap();
    let Manifest::Image(app) = scene.store().read_manifest(&app).unwrap() else {
        panic!("an image")
    };
    let layer = &app.layers()[1];
    let bytes = scene.store().read(layer).unwrap();
    scene.answer(&["prune", "--all"]);
    let partial = format!("store/plywood/partial/sha256-{}", layer.digest.hex());
    std::fs::write(scene.path(&partial), bytes).unwrap();
    scene.registry.take_requests();
    scene.answer(&["pull", "REGISTRY/app:1"]);
    assert_eq!(scene.downloads(), 2, "the other layer and the config");
    assert!(!scene.path(&partial).exists());
}

/// While one blob is waited for, another turns out not to be there: that ends it all.
#[test]
fn a_failed_pull_does_not_wait_for_another_process() {
    let (scene, _) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    let app = scene.store().resolve(&scene.name("app:1")).unwrap().unwrap();
    let Manifest::Image(app) = scene.store().read_manifest(&app).unwrap() else {
        panic!("an image")
    };
    scene.answer(&["prune", "--all"]);
    let [one, other] = app.layers() else { panic!("two layers") };
    let held = scene.store().partial(one).wait().unwrap().unwrap();
    scene.registry.fault(Fault::always(
        "GET",
        format!("/blobs/{}", other.digest),
        Effect::status(403),
    ));
    let ended = scene.run(&["pull", "REGISTRY/app:1"]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    drop(held);
}

/// An interrupt in the middle of an upload: the session is deleted, no tag is set, and what was sent
/// already is there for the next push.
#[test]
fn a_push_that_is_interrupted_leaves_no_session() {
    let scene = Scene::new();
    let bytes: Vec<u8> = vec![7; 300_000];
    let store = scene.store();
    let layer = Descriptor::of(MediaType::OciLayer(oci::Compression::None), &bytes);
    let config = Descriptor::of(MediaType::OciConfig, b"{}");
    for bytes in [&bytes[..], b"{}"] {
        store.put(bytes).unwrap();
    }
    let manifest = ImageManifest::new(config, vec![layer], BTreeMap::new());
    store.put(manifest.bytes()).unwrap();
    store.tag(&scene.name("app:1"), &manifest.descriptor()).unwrap();
    let pause = std::time::Duration::from_secs(30);
    scene.registry.fault(Fault::once(
        "PUT",
        "/uploads/",
        Effect::StallUpload { after: 1000, pause },
    ));
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        scene.registry.take_requests();
        let mut command = scene.command(&["push", "-q", "REGISTRY/app:1"]);
        let mut push = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        while scene.registry.open_sessions() == 0 {
            assert!(push.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // In the middle of the body, if the machine is not too busy; right in any case.
        std::thread::sleep(std::time::Duration::from_millis(200));
        rustix::process::kill_process(rustix::process::Pid::from_child(&push), signal).unwrap();
        let ended = scene.ended(&push.wait_with_output().unwrap());
        assert_eq!((ended.code, ended.stderr.as_str()), (130, "error: interrupted\n"));
        assert_eq!(scene.registry.open_sessions(), 0);
        assert_eq!(scene.registry.tag("app", "1"), None);
        scene.registry.fault(Fault::once(
            "PUT",
            "/uploads/",
            Effect::StallUpload { after: 1000, pause },
        ));
    }
}

/// Two processes want the same at the same time: one fetches it, the other waits for it.
#[test]
fn two_pulls_at_once_fetch_each_blob_once() {
    let scene = Scene::new();
    let app = image(&scene.store(), "app", OWN);
    scene.store().tag(&scene.name("app:1"), &app).unwrap();
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.answer(&["prune", "--all"]);
    scene.registry.take_requests();
    let slow = Effect::Stall(std::time::Duration::from_millis(300));
    scene.registry.fault(Fault::always("GET", "/blobs/", slow));
    let pulls = [0, 1].map(|_| scene.command(&["pull", "-q", "REGISTRY/app:1"]).spawn().unwrap());
    for mut pull in pulls {
        assert!(pull.wait().unwrap().success());
    }
    assert_eq!(scene.downloads(), 3, "two layers and the config");
}
