//! "Push": manifests, end-7.

use oci::Digest;
use serde_json::{Value, json};

use crate::support::{CONFIG, INDEX, LAYER, MANIFEST, descriptor, digest_of, image, on_both};

/// "Upon a successful upload, the registry MUST return response code `201 Created`", and a location
/// that "is a pullable manifest URL".
#[tokio::test]
async fn end_7_by_tag_and_by_digest() {
    on_both(async |server| {
        server.push_blob("app", b"{}").await;
        server.push_blob("app", b"layer").await;
        let manifest = image("layer");
        for tag in [Some("1"), None] {
            let created = server.push("app", tag, MANIFEST, &manifest).await;
            created.is(201);
            assert_eq!(created.header("docker-content-digest"), digest_of(&manifest));
            assert!(!created.has("oci-subject"), "it has no subject");
            let got = server.ask(&format!("GET {}", created.header("location"))).await;
            assert_eq!(got.is(200).body, manifest.to_string().as_bytes());
        }
    })
    .await;
}

#[tokio::test]
async fn end_7_a_tag_moves_and_what_it_named_stays() {
    on_both(async |server| {
        let first = server.push_image("app", Some("1"), "first").await;
        let second = server.push_image("app", Some("1"), "second").await;
        let tag = server.ask("HEAD /v2/app/manifests/1").await;
        assert_eq!(tag.header("docker-content-digest"), digest_of(&second));
        server.ask(&format!("GET /v2/app/manifests/{}", digest_of(&first))).await.is(200);
    })
    .await;
}

/// "The registry MUST store the manifest in the exact byte representation provided by the client";
/// a digest that is another's is `DIGEST_INVALID`.
#[tokio::test]
async fn end_7_exact_bytes_and_their_digest() {
    on_both(async |server| {
        server.push_image("app", None, "layer").await;
        let bytes = format!("\n  {}\n", image("layer"));
        let put = |reference: String| format!("PUT /v2/app/manifests/{reference}");
        let headers = [("content-type", MANIFEST)];
        let digest = Digest::of(bytes.as_bytes()).to_string();
        server.call(&put(digest.clone()), &headers, bytes.clone()).await.is(201);
        let got = server.ask(&format!("GET /v2/app/manifests/{digest}")).await;
        assert_eq!(got.is(200).body, bytes.as_bytes());
        let other = Digest::of(b"other").to_string();
        server.call(&put(other), &headers, bytes.clone()).await.refuses(400, "DIGEST_INVALID");
        server.call(&put("-x".into()), &headers, bytes).await.refuses(400, "MANIFEST_INVALID");
    })
    .await;
}

/// `MANIFEST_BLOB_UNKNOWN`: "manifest references a manifest or blob unknown to registry", one error
/// for each.
#[tokio::test]
async fn end_7_what_is_missing_is_named() {
    on_both(async |server| {
        server.push_blob("other", b"layer").await;
        let refused = server.push("app", Some("1"), MANIFEST, &image("layer")).await;
        let errors = refused.refuses(400, "MANIFEST_BLOB_UNKNOWN");
        let named = |errors: &[Value]| -> Vec<String> {
            let digest = |error: &Value| error["detail"]["digest"].as_str().unwrap().to_owned();
            errors.iter().map(digest).collect()
        };
        let digests = [Digest::of(b"{}"), Digest::of(b"layer")].map(|digest| digest.to_string());
        assert_eq!(named(&errors), digests);
        server.push_blob("app", b"{}").await;
        let refused = server.push("app", Some("1"), MANIFEST, &image("layer")).await;
        assert_eq!(named(&refused.refuses(400, "MANIFEST_BLOB_UNKNOWN")), digests[1..]);
        server.ask("GET /v2/app/manifests/1").await.is(404);
        let entry = descriptor(MANIFEST, image("layer").to_string().as_bytes());
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry, entry]});
        let refused = server.push("app", Some("1"), INDEX, &index).await;
        let missing = named(&refused.refuses(400, "MANIFEST_BLOB_UNKNOWN"));
        assert_eq!(missing, [digest_of(&image("layer"))], "once");
        server.push_image("app", None, "layer").await;
        server.push("app", Some("1"), INDEX, &index).await.is(201);
        let got = server.ask("GET /v2/app/manifests/1").await;
        assert_eq!(got.header("content-type"), INDEX);
    })
    .await;
}

/// Layers that are to be had elsewhere are not asked for.
#[tokio::test]
async fn end_7_foreign_layers_stay_where_they_are() {
    on_both(async |server| {
        server.push_blob("app", b"{}").await;
        let mut manifest = image("layer");
        manifest["layers"][0]["urls"] = json!(["https://example.com/layer"]);
        server.push("app", Some("1"), MANIFEST, &manifest).await.is(201);
        let mut manifest = image("layer");
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        manifest["layers"][0]["mediaType"] = json!(foreign);
        server.push("app", Some("2"), MANIFEST, &manifest).await.is(201);
    })
    .await;
}

/// "If a manifest includes a `mediaType` field, clients MUST set the `Content-Type` header to the
/// value specified by the `mediaType` field": else it is `MANIFEST_INVALID`, as is all that is none.
#[tokio::test]
async fn end_7_what_is_no_manifest() {
    on_both(async |server| {
        server.push_image("app", None, "layer").await;
        let push = async |media_type: &str, bytes: &str| {
            let headers = [("content-type", media_type)];
            server.call("PUT /v2/app/manifests/1", &headers, bytes.to_owned()).await
        };
        let manifest = image("layer").to_string();
        for (media_type, bytes) in [
            (INDEX, manifest.as_str()),
            ("text/plain", &manifest),
            ("application/json", &manifest),
            (MANIFEST, "{"),
            (MANIFEST, ""),
            (MANIFEST, "{}"),
            (MANIFEST, r#"{"schemaVersion":1}"#),
            (MANIFEST, r#"{"schemaVersion":2}"#),
            (MANIFEST, r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#),
        ] {
            push(media_type, bytes).await.refuses(400, "MANIFEST_INVALID");
        }
        let none = server.call("PUT /v2/app/manifests/1", &[], manifest.clone()).await;
        none.is(201);
        push(&format!("{MANIFEST}; charset=utf-8"), &manifest).await.is(201);
    })
    .await;
}

/// "The registry SHOULD enforce some limit on the maximum manifest size that it can accept": 4 MiB
/// are taken, and more is 413.
#[tokio::test]
async fn end_7_the_largest_manifest() {
    on_both(async |server| {
        server.push_image("app", None, "layer").await;
        let mut bytes = image("layer").to_string();
        let headers = [("content-type", MANIFEST)];
        bytes.push_str(&" ".repeat((4 << 20) - bytes.len()));
        let put = "PUT /v2/app/manifests/1";
        server.call(put, &headers, bytes.clone()).await.is(201);
        assert!(server.ask("GET /v2/app/manifests/1").await.is(200).body == bytes.as_bytes());
        bytes.push(' ');
        server.call(put, &headers, bytes).await.refuses(413, "MANIFEST_INVALID");
    })
    .await;
}

/// A registry "MUST respond with the response header `OCI-Subject: <subject digest>`", and "MUST
/// initially accept an otherwise valid manifest with a `subject` field that references a manifest
/// that does not exist in the repository".
#[tokio::test]
async fn end_7_a_subject_is_confirmed_there_or_not() {
    on_both(async |server| {
        let there = server.push_image("app", Some("1"), "layer").await;
        for subject in [there.to_string().into_bytes(), b"absent".to_vec()] {
            let mut manifest = image("layer");
            manifest["subject"] = descriptor(MANIFEST, &subject);
            let created = server.push("app", None, MANIFEST, &manifest).await;
            let digest = Digest::of(&subject).to_string();
            assert_eq!(created.is(201).header("oci-subject"), digest);
            let mut index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
            index["subject"] = descriptor(MANIFEST, &subject);
            let created = server.push("app", None, INDEX, &index).await;
            assert_eq!(created.is(201).header("oci-subject"), digest);
        }
    })
    .await;
}

/// Of the specification's main branch: `?tag=` names several tags at once, `OCI-Tag` confirms them.
#[tokio::test]
async fn end_7_several_tags_with_a_digest() {
    on_both(async |server| {
        let manifest = server.push_image("app", None, "layer").await;
        let digest = digest_of(&manifest);
        let put = format!("PUT /v2/app/manifests/{digest}?tag=a&tag=b");
        let headers = [("content-type", MANIFEST)];
        let created = server.call(&put, &headers, manifest.to_string()).await;
        let tags: Vec<_> = created.is(201).headers.get_all("oci-tag").iter().collect();
        assert_eq!(tags, ["a", "b"]);
        for tag in ["a", "b"] {
            server.ask(&format!("GET /v2/app/manifests/{tag}")).await.is(200);
        }
        let put = format!("PUT /v2/app/manifests/{digest}?tag=-");
        let refused = server.call(&put, &headers, manifest.to_string()).await;
        refused.refuses(400, "MANIFEST_INVALID");
    })
    .await;
}

/// Docker's types are kept as they are.
#[tokio::test]
async fn end_7_docker_s_types() {
    on_both(async |server| {
        server.push_blob("app", b"{}").await;
        let docker = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": docker,
            "config": descriptor(CONFIG, b"{}"),
            "layers": [descriptor(LAYER, b"{}")],
        });
        server.push("app", Some("1"), docker, &manifest).await.is(201);
        let got = server.ask("GET /v2/app/manifests/1").await;
        assert_eq!(got.header("content-type"), docker);
    })
    .await;
}

/// Pushes at the same time lose nothing: no tag, no blob.
#[tokio::test]
async fn end_7_many_at_once() {
    on_both(async |server| {
        let texts: Vec<String> = (10..30).map(|number| format!("layer {number}")).collect();
        let pushes = texts.iter().map(|text| async move {
            let tag = text.replace(' ', "-");
            server.push_image("app", Some(&tag), text).await;
            server.push_image("app", Some("latest"), text).await;
        });
        futures_util::future::join_all(pushes).await;
        let list = server.ask("GET /v2/app/tags/list").await.json();
        let tags = list["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 21);
        for tag in tags {
            let get = format!("GET /v2/app/manifests/{}", tag.as_str().unwrap());
            server.ask(&get).await.is(200);
        }
        for text in &texts {
            server.ask(&format!("GET /v2/app/blobs/{}", Digest::of(text.as_bytes()))).await.is(200);
        }
    })
    .await;
}
