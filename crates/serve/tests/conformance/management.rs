//! "Content Management": end-9 and end-10, and what is not done here.

use oci::Digest;
use serde_json::json;

use crate::support::{digest_of, on_both};

/// "Deleting tags": 202, and the manifest stays.
#[tokio::test]
async fn end_9_a_tag_is_deleted() {
    on_both(async |server| {
        let manifest = server.push_image("app", Some("1"), "layer").await;
        server.push_image("app", Some("2"), "layer").await;
        server.ask("DELETE /v2/app/manifests/1").await.is(202);
        server.ask("GET /v2/app/manifests/1").await.is(404);
        server.ask("GET /v2/app/manifests/2").await.is(200);
        server.ask("DELETE /v2/app/manifests/2").await.is(202);
        let tags = server.ask("GET /v2/app/tags/list").await;
        assert_eq!(tags.json()["tags"], json!([]));
        server.ask(&format!("GET /v2/app/manifests/{}", digest_of(&manifest))).await.is(200);
    })
    .await;
}

/// "Deleting Manifests": 202. "Once deleted, a `GET` to `/v2/<name>/manifests/<digest>` and any tag
/// pointing to that digest will return a 404"; its blobs stay.
#[tokio::test]
async fn end_9_a_manifest_is_deleted() {
    on_both(async |server| {
        let manifest = server.push_image("app", Some("1"), "layer").await;
        server.push_image("app", Some("2"), "layer").await;
        server.push_image("app", Some("other"), "other").await;
        let digest = digest_of(&manifest);
        server.ask(&format!("DELETE /v2/app/manifests/{digest}")).await.is(202);
        for gone in ["1", "2", &digest] {
            let reply = server.ask(&format!("GET /v2/app/manifests/{gone}")).await;
            reply.refuses(404, "MANIFEST_UNKNOWN");
        }
        let tags = server.ask("GET /v2/app/tags/list").await;
        assert_eq!(tags.json()["tags"], json!(["other"]));
        server.ask(&format!("GET /v2/app/blobs/{}", Digest::of(b"layer"))).await.is(200);
        server.push_image("app", Some("1"), "layer").await;
        server.ask("GET /v2/app/manifests/1").await.is(200);
    })
    .await;
}

/// "If the repository does not exist, the response MUST return `404 Not Found`", and so for what it
/// does not have.
#[tokio::test]
async fn end_9_a_manifest_that_is_not_there() {
    on_both(async |server| {
        server.push_image("app", Some("1"), "layer").await;
        let layer = Digest::of(b"layer").to_string();
        for (name, reference) in [("app", "2"), ("app", &layer), ("other", "1")] {
            let reply = server.ask(&format!("DELETE /v2/{name}/manifests/{reference}")).await;
            reply.refuses(404, "MANIFEST_UNKNOWN");
        }
    })
    .await;
}

/// "Deleting Blobs": 202. "If the blob is not found, a `404 Not Found` code MUST be returned."
#[tokio::test]
async fn end_10_a_blob_is_deleted() {
    on_both(async |server| {
        let digest = server.push_blob("app", b"layer").await;
        let delete = format!("DELETE /v2/app/blobs/{digest}");
        server.ask(&delete.replace("/app/", "/other/")).await.refuses(404, "BLOB_UNKNOWN");
        server.ask(&delete).await.is(202);
        server.ask(&format!("GET /v2/app/blobs/{digest}")).await.is(404);
        server.ask(&delete).await.refuses(404, "BLOB_UNKNOWN");
    })
    .await;
}

/// A manifest is kept as a blob is, and is deleted as a manifest alone.
#[tokio::test]
async fn end_10_a_manifest_is_no_blob_to_be_deleted() {
    on_both(async |server| {
        let manifest = server.push_image("app", Some("1"), "layer").await;
        let digest = digest_of(&manifest);
        let refused = server.ask(&format!("DELETE /v2/app/blobs/{digest}")).await;
        refused.refuses(404, "BLOB_UNKNOWN");
        server.ask("GET /v2/app/manifests/1").await.is(200);
    })
    .await;
}

/// What is not done says so: `UNSUPPORTED`, with 405 and the methods that are, or 404.
#[tokio::test]
async fn what_is_not_done_is_unsupported() {
    on_both(async |server| {
        let digest = server.push_blob("app", b"layer").await;
        let blob = format!("/v2/app/blobs/{digest}");
        for (request, allowed) in [
            ("POST /v2/".to_owned(), "GET, HEAD"),
            ("DELETE /v2/app/tags/list".to_owned(), "GET, HEAD"),
            (format!("DELETE /v2/app/referrers/{digest}"), "GET, HEAD"),
            ("GET /v2/app/blobs/uploads/".to_owned(), "POST"),
            (format!("PUT {blob}"), "GET, HEAD, DELETE"),
            ("PATCH /v2/app/manifests/1".to_owned(), "GET, HEAD, PUT, DELETE"),
        ] {
            let refused = server.ask(&request).await;
            refused.refuses(405, "UNSUPPORTED");
            assert_eq!(refused.header("allow"), allowed, "{request}");
        }
        for request in ["GET /", "GET /v1/", "GET /v2/app", "GET /v2/app/other/x", "GET /token"] {
            server.ask(request).await.refuses(404, "UNSUPPORTED");
        }
    })
    .await;
}
