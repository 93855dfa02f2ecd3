//! Known registries, one after the other.

use oci::{Descriptor, Digest, ImageManifest, MediaType};
use serve::testing::{
    Behaviour, Chunks, Downloads, HeadAnswers, Hosts, Locations, Mounts, Pages, Puts, Quota,
    Referrers, Resumptions, SinglePosts, TestDoor, TestRegistry,
};

use crate::support::{TEXT, basic, closing, open, registry, send};

const LAYER: MediaType = MediaType::OciLayer(oci::Compression::Gzip);

/// The same without its door, for what does not depend on it.
fn opened(behaviour: Behaviour) -> TestRegistry {
    registry(Behaviour { door: TestDoor::Open, hosts: Hosts::Own, ..behaviour })
}

/// The manifest of an image whose blobs are in `app`.
fn manifest(registry: &TestRegistry, config: &[u8]) -> Vec<u8> {
    let config = registry.insert_blob("app", MediaType::OciConfig, config);
    let layer = registry.insert_blob("app", LAYER, TEXT);
    ImageManifest::new(config, vec![layer], Default::default()).bytes().to_vec()
}

fn put_manifest(registry: &TestRegistry, bytes: &[u8]) -> crate::support::Answer {
    let kind = format!("Content-Type: {}", MediaType::OciManifest);
    send(registry, "PUT /v2/app/manifests/1", &[&kind], bytes)
}

#[test]
fn ecr_drops_all_chunks_but_the_first() {
    let registry = opened(Behaviour::ecr());
    let location = open(&registry, "app", &[]);
    for (range, body) in [("0-4", "01234"), ("5-9", "56789")] {
        let headers = [format!("Content-Range: {range}")];
        let headers = headers.each_ref().map(String::as_str);
        let answer = send(&registry, &format!("PATCH {location}"), &headers, body.as_bytes());
        assert_eq!((answer.status(), answer.header("range")), (201, Some("0-10485759")));
    }
    assert_eq!(send(&registry, &format!("GET {location}"), &[], b"").status(), 404);
    let closed = send(&registry, &closing(&location), &[], b"");
    assert!(closed.status() == 400 && closed.body().contains("DIGEST_INVALID"), "{closed:?}");
    let location = open(&registry, "app", &[]);
    send(&registry, &format!("PATCH {location}"), &[], TEXT);
    assert_eq!(send(&registry, &closing(&location), &[], b"").status(), 201, "one is taken");
}

#[test]
fn ecr_has_the_repositories_that_were_made_and_tags_that_stay() {
    let registry = opened(Behaviour::ecr());
    let refused = send(&registry, "POST /v2/other/blobs/uploads/", &[], b"");
    assert!(refused.status() == 404 && refused.body().contains("NAME_UNKNOWN"), "{refused:?}");
    let bytes = manifest(&registry, b"{}");
    assert_eq!(put_manifest(&registry, &bytes).status(), 201);
    let again = put_manifest(&registry, &bytes);
    assert!(again.status() == 400 && again.body().contains("TAG_INVALID"), "{again:?}");
}

#[test]
fn google_takes_one_stream() {
    let registry = opened(Behaviour::google());
    let location = open(&registry, "app", &[]);
    let ranged = ["Content-Range: 0-9"];
    let refused = send(&registry, &format!("PATCH {location}"), &ranged, TEXT);
    assert!(refused.status() == 400 && refused.body().contains("UNSUPPORTED"), "{refused:?}");
    let location = open(&registry, "app", &[]);
    assert_eq!(send(&registry, &format!("PATCH {location}"), &[], TEXT).status(), 202);
    assert_eq!(send(&registry, &format!("PATCH {location}"), &[], b"").status(), 400);
    assert_eq!(send(&registry, &closing(&location), &[], b"").status(), 201);
}

#[test]
fn ghcr_takes_four_mebibytes_at_a_time() {
    let registry = opened(Behaviour::ghcr());
    let location = open(&registry, "app", &[]);
    assert!(location.starts_with("/v2/app/blobs/uploads/"), "{location}");
    let patch = |bytes: usize| send(&registry, &format!("PATCH {location}"), &[], &vec![0; bytes]);
    let refused = patch((4 << 20) + 1);
    assert_eq!(refused.status(), 416);
    assert!(refused.body().contains("exceeds the maximum permissible limit of 4.00MiB"));
    assert_eq!(patch(4 << 20).status(), 202);
    let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", 5 << 20, "x".repeat(5 << 20));
    let coding = ["Transfer-Encoding: chunked"];
    let refused = send(&registry, &format!("PATCH {location}"), &coding, chunked.as_bytes());
    assert_eq!(refused.status(), 416, "however it comes");
}

#[test]
fn ghcr_wants_no_range_in_a_put_and_lists_no_referrers() {
    let registry = opened(Behaviour::ghcr());
    let location = open(&registry, "app", &[]);
    assert_eq!(send(&registry, &closing(&location), &["Content-Range: 0-9"], TEXT).status(), 416);
    assert_eq!(send(&registry, &closing(&location), &[], TEXT).status(), 201);
    let referrers = format!("GET /v2/app/referrers/{}", Digest::of(TEXT));
    assert_eq!(send(&registry, &referrers, &[], b"").status(), 404);
}

#[test]
fn docker_hub_counts_pulls_by_get() {
    let quota = Some(Quota { pulls: 2, ..Behaviour::docker_hub().quota.unwrap() });
    let registry = opened(Behaviour { quota, ..Behaviour::docker_hub() });
    registry.insert_document("app", Some("1"), &MediaType::OciManifest, b"{}");
    let ask = |method: &str| {
        let answer = send(&registry, &format!("{method} /v2/app/manifests/1"), &[], b"");
        let left = answer.header("ratelimit-remaining").unwrap_or("-").to_owned();
        format!("{method} {} {left}", answer.status())
    };
    let told = ["HEAD", "GET", "HEAD", "GET", "GET", "HEAD"].map(ask);
    assert_eq!(
        told,
        [
            "HEAD 200 2;w=21600",
            "GET 200 1;w=21600",
            "HEAD 200 1;w=21600",
            "GET 200 0;w=21600",
            "GET 429 -",
            "HEAD 200 0;w=21600",
        ]
    );
}

#[test]
fn docker_hub_breaks_at_foreign_mounts_and_deep_names() {
    let registry = opened(Behaviour::docker_hub());
    let blob = registry.insert_blob("library/base", LAYER, TEXT);
    let mount = |from: &str| {
        let post = format!("POST /v2/me/app/blobs/uploads/?mount={}&from={from}", blob.digest);
        send(&registry, &post, &[], b"").status()
    };
    assert_eq!((mount("library/base"), mount("elsewhere")), (201, 500));
    assert_eq!(send(&registry, "GET /v2/a/b/c/tags/list", &[], b"").status(), 401);
}

#[test]
fn quay_wants_a_source_and_images() {
    let registry = opened(Behaviour::quay());
    let blob = registry.insert_blob("base", LAYER, TEXT);
    let mount = |from: &str| {
        let post = format!("POST /v2/app/blobs/uploads/?mount={}{from}", blob.digest);
        send(&registry, &post, &[], b"").status()
    };
    assert_eq!((mount("&from=base"), mount("")), (201, 400));
    assert_eq!(put_manifest(&registry, &manifest(&registry, b"{}")).status(), 201);
    let config = registry.insert_blob("app", MediaType::OciEmpty, b"{}");
    let artifact = ImageManifest::new(config, Vec::new(), Default::default());
    let refused = put_manifest(&registry, artifact.bytes());
    assert!(refused.status() == 415 && refused.body().contains("MANIFEST_INVALID"), "{refused:?}");
}

#[test]
fn harbor_holds_its_cookies_against_the_client() {
    let registry = opened(Behaviour::harbor());
    let answer = send(&registry, "GET /v2/", &[], b"");
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
    let cookie = format!("Cookie: {cookie}");
    let push =
        |headers: &[&str]| send(&registry, "POST /v2/app/blobs/uploads/", headers, b"").status();
    assert_eq!((push(&[]), push(&[&cookie])), (202, 403));
    assert_eq!(send(&registry, "GET /v2/", &[&cookie], b"").status(), 200, "reading is free");
}

#[test]
fn artifactory_says_too_much_and_too_little() {
    let registry = opened(Behaviour::artifactory());
    let blob = format!("/v2/app/blobs/{}", Digest::of(TEXT));
    let ask = |method: &str| send(&registry, &format!("{method} {blob}"), &[], b"").status();
    assert_eq!((ask("HEAD"), ask("GET")), (200, 404));
    let layer = Descriptor::of(LAYER, TEXT);
    let config = registry.insert_blob("app", MediaType::OciConfig, b"{}");
    let lacking = ImageManifest::new(config, vec![layer], Default::default());
    let refused = put_manifest(&registry, lacking.bytes());
    assert!(refused.status() == 400 && refused.body().contains("MANIFEST_INVALID"), "{refused:?}");
    let mount = format!("POST /v2/app/blobs/uploads/?mount={}&from=app", Digest::of(b"{}"));
    assert_eq!(send(&registry, &mount, &[], b"").status(), 405);
}

#[test]
fn artifactory_reads_history_and_accept() {
    let registry = opened(Behaviour::artifactory());
    let put = |history: &str| {
        let config = format!("{{\"history\":[{history}]}}");
        put_manifest(&registry, &manifest(&registry, config.as_bytes())).status()
    };
    assert_eq!(put("{},{}"), 400);
    assert_eq!(put("{\"empty_layer\":true}"), 400);
    assert_eq!(put("{},{\"empty_layer\":true}"), 201);
    let get = |accept: &str| send(&registry, "GET /v2/app/manifests/1", &[accept], b"").status();
    assert_eq!(get("Accept: application/json"), 404);
    let both = format!("Accept: {}, {}", MediaType::OciIndex, MediaType::OciManifest);
    assert_eq!(get(&both), 200);
}

#[test]
fn gitlab_drops_each_fifth() {
    let registry = opened(Behaviour::gitlab());
    let ask = |_| send(&registry, "HEAD /v2/", &[], b"").raw.is_empty();
    let dropped: Vec<bool> = (0..10).map(ask).collect();
    assert_eq!(dropped.iter().filter(|dropped| **dropped).count(), 2);
    assert!(dropped[4] && dropped[9], "{dropped:?}");
    assert_eq!(registry.requests()[4].status, None);
    assert_eq!(send(&registry, "GET /v2/", &[], b"").status(), 200);
}

#[test]
fn a_proxy_in_front_caps_bodies() {
    let registry = registry(Behaviour { body_limit: Some(9), ..Behaviour::default() });
    let location = open(&registry, "app", &[]);
    let refused = send(&registry, &closing(&location), &[], TEXT);
    assert_eq!((refused.status(), refused.header("content-type")), (413, Some("text/html")));
    assert_eq!(send(&registry, &format!("PATCH {location}"), &[], &TEXT[..9]).status(), 202);
    assert_eq!(send(&registry, &closing(&location), &[], &TEXT[9..]).status(), 201);
}

#[test]
fn some_want_every_byte_by_patch() {
    let registry = registry(Behaviour { puts: Puts::Nothing, ..Behaviour::default() });
    let location = open(&registry, "app", &[]);
    assert_eq!(send(&registry, &closing(&location), &[], TEXT).status(), 405);
    assert_eq!(send(&registry, &format!("PATCH {location}"), &[], TEXT).status(), 202);
    assert_eq!(send(&registry, &closing(&location), &[], b"").status(), 201);
}

#[test]
fn chunks_that_are_too_small() {
    let chunks = Chunks::AtLeast(4);
    let registry = registry(Behaviour { chunks, ..Behaviour::default() });
    let opened = send(&registry, "POST /v2/app/blobs/uploads/", &[], b"");
    assert_eq!(opened.header("oci-chunk-min-length"), Some("4"));
    let location = opened.header("location").unwrap();
    let patch = |bytes: &[u8]| send(&registry, &format!("PATCH {location}"), &[], bytes).status();
    assert_eq!((patch(b"0123"), patch(b"456"), patch(b"789")), (202, 202, 416));
    assert_eq!(open_then_refuse(Chunks::Refused), 405);
}

fn open_then_refuse(chunks: Chunks) -> u16 {
    let registry = registry(Behaviour { chunks, ..Behaviour::default() });
    let location = open(&registry, "app", &[]);
    send(&registry, &format!("PATCH {location}"), &[], TEXT).status()
}

#[test]
fn locations_in_all_forms() {
    let check = |locations, expected: &str| {
        let registry = registry(Behaviour { locations, ..Behaviour::default() });
        let location = open(&registry, "app", &[]);
        assert_eq!(location.replace(&registry.name(), "HOST"), expected);
        let bare = location.split('?').next().unwrap();
        let known = send(&registry, &format!("GET {bare}"), &[], b"").status();
        assert_eq!(known, if locations == Locations::Relative { 204 } else { 404 });
        assert_eq!(send(&registry, &closing(&location), &[], TEXT).status(), 201);
    };
    check(Locations::Relative, "/v2/app/blobs/uploads/session-1");
    check(Locations::RelativeWithQuery, "/v2/app/blobs/uploads/session-1?_state=SECRET-STATE");
    let absolute = "http://HOST/v2/app/blobs/uploads/session-1?_state=SECRET-STATE";
    check(Locations::AbsoluteWithQuery, absolute);
}

/// As a client's HTTP proxy, the registry goes by whatever name it is asked for.
#[test]
fn it_answers_to_the_name_that_it_is_asked_for() {
    let behaviour = Behaviour::google();
    let registry = registry(behaviour.clone());
    let asked = send(&registry, "GET http://europe-docker.pkg.dev/v2/", &["Host: x"], b"");
    let challenge = asked.header("www-authenticate").unwrap();
    let realm = "Bearer realm=\"http://europe-docker.pkg.dev/token\"";
    assert!(challenge.starts_with(realm), "{challenge}");
    let target = "GET http://europe-docker.pkg.dev/token?scope=repository:app:pull,push";
    let token = send(&registry, target, &["Host: x", &basic(&behaviour)], b"");
    let token: serde_json::Value = serde_json::from_str(token.body()).unwrap();
    let token = format!("Authorization: Bearer {}", token["token"].as_str().unwrap());
    let post = "POST http://europe-docker.pkg.dev/v2/app/blobs/uploads/";
    let opened = send(&registry, post, &["Host: x", &token], b"");
    let location = opened.header("location").unwrap();
    assert!(location.starts_with("http://europe-docker.pkg.dev/v2/app/"), "{location}");
    let closed = send(&registry, &closing(location), &["Host: x", &token], TEXT);
    assert_eq!(closed.status(), 201, "{closed:?}");
    assert!(registry.requests().iter().all(|asked| asked.host == "europe-docker.pkg.dev"));
}

#[test]
fn the_other_switches() {
    let status = |behaviour: Behaviour, request: &str| {
        let registry = registry(behaviour);
        let blob = registry.insert_blob("base", LAYER, TEXT);
        let request = request.replace("DIGEST", &blob.digest.to_string());
        send(&registry, &request, &["Range: bytes=4-"], b"").status()
    };
    let with = |change: fn(&mut Behaviour)| {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        behaviour
    };
    let mount = "POST /v2/app/blobs/uploads/?mount=DIGEST&from=base";
    let nameless = "POST /v2/app/blobs/uploads/?mount=DIGEST";
    assert_eq!(status(with(|_| ()), mount), 201);
    assert_eq!(status(with(|it| it.mounts = Mounts::OpenSession), mount), 202);
    assert_eq!(status(with(|it| it.mounts = Mounts::Refused), mount), 405);
    assert_eq!(status(with(|it| it.mounts = Mounts::NamedOnly), mount), 201);
    assert_eq!(status(with(|it| it.mounts = Mounts::NamedOnly), nameless), 202);
    let get = "GET /v2/base/blobs/DIGEST";
    assert_eq!(status(with(|_| ()), get), 206);
    assert_eq!(status(with(|it| it.downloads = Downloads::WholeOnly), get), 200);
    let elsewhere = |it: &mut Behaviour| it.downloads = Downloads::RedirectTo("http://x".into());
    assert_eq!(status(with(elsewhere), get), 307);
    let head = "HEAD /v2/base/blobs/DIGEST";
    assert_eq!(status(with(|it| it.heads = HeadAnswers::Refused), head), 405);
    let post = "POST /v2/app/blobs/uploads/?digest=DIGEST";
    assert_eq!(status(with(|it| it.posts = SinglePosts::OpenSession), post), 202);
    let referrers = "GET /v2/base/referrers/DIGEST";
    assert_eq!(status(with(|_| ()), referrers), 200);
    assert_eq!(status(with(|it| it.referrers = Referrers::Unknown), referrers), 404);
}

#[test]
fn lists_are_short_unless_they_are_not() {
    let pages = |pages: Pages| {
        let registry = registry(Behaviour { pages, ..Behaviour::default() });
        for tag in ["a", "b", "c", "d"] {
            registry.insert_document("app", Some(tag), &MediaType::OciManifest, b"{}");
        }
        let list = send(&registry, "GET /v2/app/tags/list", &[], b"");
        (list.body().to_owned(), list.header("link").map(str::to_owned))
    };
    let (body, link) = pages(Pages::Short);
    assert_eq!(body, r#"{"name":"app","tags":["a","b","c"]}"#);
    assert_eq!(link.unwrap(), "</v2/app/tags/list?n=3&last=c>; rel=\"next\"");
    assert_eq!(pages(Pages::AsAsked), (r#"{"name":"app","tags":["a","b","c","d"]}"#.into(), None));
}

#[test]
fn a_session_that_is_lost_and_one_that_does_not_tell() {
    let go_on = |resumptions| {
        let registry = registry(Behaviour { resumptions, ..Behaviour::default() });
        let location = open(&registry, "app", &[]);
        let patch = format!("PATCH {location}");
        assert_eq!(send(&registry, &patch, &[], &TEXT[..4]).status(), 202);
        let cut = serve::testing::Effect::ResetUpload { after: 3 };
        registry.fault(serve::testing::Fault::once("PATCH", "", cut));
        assert_eq!(send(&registry, &patch, &[], &TEXT[4..]).raw, "");
        let stands = send(&registry, &format!("GET {location}"), &[], b"");
        let range = stands.header("range").map(str::to_owned);
        let closed = send(&registry, &closing(&location), &[], &TEXT[7..]).status();
        (stands.status(), range, closed)
    };
    assert_eq!(go_on(Resumptions::Kept), (204, Some("0-6".into()), 201));
    assert_eq!(go_on(Resumptions::Untold), (404, None, 201));
    assert_eq!(go_on(Resumptions::Lost), (404, None, 404));
}
