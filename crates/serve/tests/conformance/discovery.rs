//! "Content Discovery": end-8a, end-8b, end-12a, end-12b, and Docker's catalog.

use serde_json::{Value, json};

use crate::support::{CONFIG, INDEX, MANIFEST, Server, descriptor, digest_of, image, on_both};

/// All pages of a list, each the values of `field`.
async fn pages(server: &Server, first: &str, field: &str) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let reply = server.ask(&format!("GET {path}")).await;
        pages.push(reply.is(200).json()[field].clone());
        let link = reply.has("link").then(|| reply.header("link").to_owned());
        next = link.map(|link| {
            let rest = link.strip_prefix('<').unwrap();
            rest.strip_suffix(">; rel=\"next\"").unwrap().to_owned()
        });
    }
    pages
}

/// "If the list is not empty, the tags MUST be in lexical […] or "ASCIIbetical" […] order."
#[tokio::test]
async fn end_8a_tags() {
    on_both(async |server| {
        for tag in ["b", "a", "C", "1.0", "_x"] {
            server.push_image("team/app", Some(tag), "layer").await;
        }
        let reply = server.ask("GET /v2/team/app/tags/list").await;
        let expected = json!({"name": "team/app", "tags": ["1.0", "C", "_x", "a", "b"]});
        assert_eq!(reply.is(200).json(), expected);
        assert_eq!(reply.header("content-type"), "application/json");
        assert!(!reply.has("link"));
        server.push_image("untagged", None, "layer").await;
        let none = server.ask("GET /v2/untagged/tags/list").await;
        assert_eq!(none.is(200).json(), json!({"name": "untagged", "tags": []}));
        server.ask("GET /v2/team/tags/list").await.refuses(404, "NAME_UNKNOWN");
    })
    .await;
}

/// As many as were asked for, of those after `last`, which need not be one, and a `Link` to more.
/// "When `n` is zero, this endpoint MUST return an empty list, and MUST NOT include a `Link` header."
#[tokio::test]
async fn end_8b_tags_by_pages() {
    on_both(async |server| {
        for tag in ["a", "b", "c", "d", "e"] {
            server.push_image("app", Some(tag), "layer").await;
        }
        let pages = async |query: &str| {
            json!(pages(server, &format!("/v2/app/tags/list{query}"), "tags").await)
        };
        assert_eq!(pages("?n=2").await, json!([["a", "b"], ["c", "d"], ["e"]]));
        assert_eq!(pages("?n=5").await, json!([["a", "b", "c", "d", "e"]]));
        assert_eq!(pages("?n=3&last=a").await, json!([["b", "c", "d"], ["e"]]));
        assert_eq!(pages("?last=bb").await, json!([["c", "d", "e"]]));
        assert_eq!(pages("?n=2&last=e").await, json!([[]]));
        assert_eq!(pages("?n=0").await, json!([[]]));
        server.ask("GET /v2/app/tags/list?n=x").await.refuses(400, "UNSUPPORTED");
    })
    .await;
}

#[tokio::test]
async fn the_catalog_by_pages() {
    on_both(async |server| {
        for name in ["b", "a/b", "a", "a/blobs", "c"] {
            server.push_blob(name, b"layer").await;
        }
        let pages = async |query: &str| {
            json!(pages(server, &format!("/v2/_catalog{query}"), "repositories").await)
        };
        assert_eq!(pages("").await, json!([["a", "a/b", "a/blobs", "b", "c"]]));
        assert_eq!(pages("?n=2").await, json!([["a", "a/b"], ["a/blobs", "b"], ["c"]]));
    })
    .await;
}

/// Pushes a referrer of `subject`, changed by `change`; its bytes.
async fn refer(server: &Server, subject: &Value, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut manifest = image("layer");
    manifest["subject"] = descriptor(MANIFEST, subject.to_string().as_bytes());
    change(&mut manifest);
    let media_type = manifest["mediaType"].as_str().unwrap().to_owned();
    server.push("app", None, &media_type, &manifest).await.is(201);
    manifest.to_string().into_bytes()
}

/// "If the `artifactType` is empty or missing in the image manifest, the value of `artifactType` MUST
/// be set to the config descriptor `mediaType` value. If the `artifactType` is empty or missing in an
/// index, the `artifactType` MUST be omitted. The descriptors MUST include annotations from the image
/// manifest or index."
#[tokio::test]
async fn end_12a_referrers() {
    on_both(async |server| {
        let subject = server.push_image("app", Some("1"), "layer").await;
        let get = format!("GET /v2/app/referrers/{}", digest_of(&subject));
        let described = |bytes: &[u8], media_type: &str, more: Value| {
            let mut expected = descriptor(media_type, bytes);
            expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            expected
        };
        let signature = refer(server, &subject, |manifest| {
            manifest["artifactType"] = json!("application/x.signature");
            manifest["annotations"] = json!({"a": "b"});
        });
        let typed = json!({"artifactType": "application/x.signature", "annotations": {"a": "b"}});
        let plain = refer(server, &subject, |manifest| manifest["annotations"] = json!({"c": "d"}));
        let by_config = json!({"artifactType": CONFIG, "annotations": {"c": "d"}});
        let index = refer(server, &subject, |manifest| {
            let subject = manifest["subject"].take();
            let mut index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
            index["subject"] = subject;
            *manifest = index;
        });
        let mut expected = [
            described(&signature.await, MANIFEST, typed),
            described(&plain.await, MANIFEST, by_config),
            described(&index.await, INDEX, json!({})),
        ];
        expected.sort_by_key(|entry| entry["digest"].to_string());
        let reply = server.ask(&get).await;
        assert_eq!(reply.is(200).header("content-type"), INDEX);
        assert!(!reply.has("oci-filters-applied"));
        let list = reply.json();
        assert_eq!(list["schemaVersion"], 2);
        assert_eq!(list["mediaType"], INDEX);
        assert_eq!(list["manifests"], json!(expected));
    })
    .await;
}

/// "If filtering is requested and applied, the response MUST include a header
/// `OCI-Filters-Applied: artifactType`."
#[tokio::test]
async fn end_12b_referrers_of_one_type() {
    on_both(async |server| {
        let subject = server.push_image("app", Some("1"), "layer").await;
        for kind in ["application/x.a", "application/x.b"] {
            refer(server, &subject, |manifest| manifest["artifactType"] = json!(kind)).await;
        }
        for (kind, count) in [("application/x.a", 1), ("application/x.c", 0), (CONFIG, 0)] {
            let query = kind.replace('+', "%2B");
            let digest = digest_of(&subject);
            let get = format!("GET /v2/app/referrers/{digest}?artifactType={query}");
            let reply = server.ask(&get).await;
            assert_eq!(reply.is(200).header("oci-filters-applied"), "artifactType");
            let found = reply.json()["manifests"].as_array().unwrap().clone();
            assert_eq!(found.len(), count, "{kind}");
            assert!(found.iter().all(|entry| entry["artifactType"] == kind));
        }
    })
    .await;
}

/// "If the registry supports the referrers API, the registry MUST NOT return a `404 Not Found` to a
/// referrers API requests": an empty list. "If the request is invalid, such as a `<digest>` with an
/// invalid syntax, a `400 Bad Request` MUST be returned."
#[tokio::test]
async fn end_12a_nobody_refers() {
    on_both(async |server| {
        let absent = oci::Digest::of(b"absent");
        for name in ["app", "other"] {
            let reply = server.ask(&format!("GET /v2/{name}/referrers/{absent}")).await;
            assert_eq!(reply.is(200).json()["manifests"], json!([]));
        }
        server.ask("GET /v2/app/referrers/latest").await.refuses(400, "DIGEST_INVALID");
    })
    .await;
}

/// A referrer that came before its subject is found, and one that was deleted is not.
#[tokio::test]
async fn end_12a_referrers_come_and_go() {
    on_both(async |server| {
        server.push_image("app", None, "layer").await;
        let subject = image("later");
        let referrer = refer(server, &subject, |_| {}).await;
        let get = format!("GET /v2/app/referrers/{}", digest_of(&subject));
        let count = async || server.ask(&get).await.json()["manifests"].as_array().unwrap().len();
        assert_eq!(count().await, 1);
        let digest = oci::Digest::of(&referrer);
        server.ask(&format!("DELETE /v2/app/manifests/{digest}")).await.is(202);
        assert_eq!(count().await, 0);
    })
    .await;
}

/// "A `Link` header MUST be included in the response when the descriptor list cannot be returned in
/// a single manifest."
#[tokio::test]
async fn end_12a_more_referrers_than_a_manifest_holds() {
    on_both(async |server| {
        let subject = server.push_image("app", Some("1"), "layer").await;
        let kind = "application/x.a+json";
        for number in 0..3 {
            refer(server, &subject, |manifest| {
                manifest["artifactType"] = json!(kind);
                manifest["annotations"] =
                    json!({"text": "x".repeat(1 << 20), "number": format!("{number}")});
            })
            .await;
        }
        let query = "artifactType=application/x.a%2Bjson";
        let first = format!("/v2/app/referrers/{}?{query}", digest_of(&subject));
        let pages = pages(server, &first, "manifests").await;
        assert_eq!(pages.len(), 2);
        let mut digests: Vec<String> = Vec::new();
        for page in &pages {
            assert!(page.to_string().len() < 4 << 20);
            digests.extend(page.as_array().unwrap().iter().map(|one| one["digest"].to_string()));
        }
        let count = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!((count, digests.len()), (3, 3), "each once");
    })
    .await;
}
