//! "Push": blobs, end-4a, end-4b, end-6 and end-11.

use oci::{Algorithm, Digest, Digester};

use crate::support::{Server, on_both, with};

/// "Pushing a blob monolithically", "POST then PUT".
#[tokio::test]
async fn end_4a_and_6_a_session_and_one_put() {
    on_both(async |server| {
        for bytes in [b"".to_vec(), b"layer".to_vec(), vec![3; 2_000_000]] {
            let location = server.open("team/app").await;
            // "The `<blob-push-location>` MUST contain a UUID."
            let id = location.rsplit('/').next().unwrap();
            assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
            let digest = Digest::of(&bytes);
            let put = format!("PUT {}", with(&location, &format!("digest={digest}")));
            let headers = [("content-type", "application/octet-stream")];
            let created = server.call(&put, &headers, bytes.clone()).await;
            assert_eq!(created.is(201).header("docker-content-digest"), digest.to_string());
            // "With `<blob-location>` being a pullable blob URL."
            let got = server.ask(&format!("GET {}", created.header("location"))).await;
            assert!(got.is(200).body == bytes);
            let again = server.call(&put, &headers, bytes).await;
            again.refuses(404, "BLOB_UPLOAD_UNKNOWN");
        }
    })
    .await;
}

/// "Single POST".
#[tokio::test]
async fn end_4b_a_post_that_carries_the_blob() {
    on_both(async |server| {
        for bytes in [b"".as_slice(), b"layer"] {
            let digest = Digest::of(bytes);
            let post = format!("POST /v2/app/blobs/uploads/?digest={digest}");
            let created = server.call(&post, &[], bytes.to_vec()).await;
            let location = created.is(201).header("location").to_owned();
            assert_eq!(server.ask(&format!("GET {location}")).await.is(200).body, bytes);
        }
        let post = format!("POST /v2/app/blobs/uploads/?digest={}", Digest::of(b"other"));
        server.call(&post, &[], "layer").await.refuses(400, "DIGEST_INVALID");
        let post = "POST /v2/app/blobs/uploads/?digest=md5:0";
        server.call(post, &[], "layer").await.refuses(400, "DIGEST_INVALID");
        server.ask(&format!("GET /v2/app/blobs/{}", Digest::of(b"other"))).await.is(404);
    })
    .await;
}

/// A digest that is missing, malformed or another's ends in `DIGEST_INVALID`, and in no blob.
#[tokio::test]
async fn end_6_digests_that_do_not_match() {
    on_both(async |server| {
        let location = server.open("app").await;
        let put = |query: &str| format!("PUT {}", with(&location, query));
        server.call(&put("x=y"), &[], "layer").await.refuses(400, "DIGEST_INVALID");
        server.call(&put("digest=sha256:zz"), &[], "layer").await.refuses(400, "DIGEST_INVALID");
        let other = Digest::of(b"other");
        let query = format!("digest={other}");
        server.call(&put(&query), &[], "layer").await.refuses(400, "DIGEST_INVALID");
        for digest in [other, Digest::of(b"layer")] {
            server.ask(&format!("HEAD /v2/app/blobs/{digest}")).await.is(404);
        }
        server.ask(&format!("GET {location}")).await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    })
    .await;
}

/// SHA-512, announced by `digest-algorithm` or not.
#[tokio::test]
async fn end_4_and_6_digests_of_another_algorithm() {
    on_both(async |server| {
        let mut digester = Digester::new(Algorithm::Sha512);
        digester.update(b"layer");
        let digest = digester.finish();
        let created = async |query: &str| {
            let opened = server.ask(&format!("POST /v2/app/blobs/uploads/{query}")).await;
            let location = opened.is(202).header("location").to_owned();
            let put = format!("PUT {}", with(&location, &format!("digest={digest}")));
            server.call(&put, &[], "layer").await.is(201);
            let blob = format!("/v2/app/blobs/{digest}");
            assert_eq!(server.ask(&format!("GET {blob}")).await.is(200).body, b"layer");
            server.ask(&format!("DELETE {blob}")).await.is(202);
        };
        created("").await;
        created("?digest-algorithm=sha512").await;
        created("?digest-algorithm=sha256").await;
        let unknown = server.ask("POST /v2/app/blobs/uploads/?digest-algorithm=md5").await;
        unknown.refuses(400, "UNSUPPORTED");
    })
    .await;
}

/// "If a necessary blob exists already in another repository within the same registry, it can be
/// mounted into a different repository": 201 and the blob's location.
#[tokio::test]
async fn end_11_a_mount() {
    on_both(async |server| {
        let digest = server.push_blob("base/image", b"layer").await;
        let mounted = async |query: &str, to: &str| {
            let post = format!("POST /v2/{to}/blobs/uploads/?mount={digest}{query}");
            let created = server.ask(&post).await;
            assert_eq!(created.is(201).header("docker-content-digest"), digest.to_string());
            let get = format!("GET {}", created.header("location"));
            assert_eq!(server.ask(&get).await.is(200).body, b"layer");
        };
        mounted("&from=base/image", "app").await;
        mounted("&from=base%2Fimage", "app2").await;
        mounted("&from=app", "app").await;
        // "The registry MAY treat the `from` parameter as optional, and it MAY cross-mount the
        // blob if it can be found."
        mounted("", "app3").await;
        server.ask(&format!("DELETE /v2/base/image/blobs/{digest}")).await.is(202);
        server.ask(&format!("GET /v2/app/blobs/{digest}")).await.is(200);
    })
    .await;
}

/// "If a registry does not support cross-repository mounting or is unable to mount the requested
/// blob, it SHOULD return a `202`."
#[tokio::test]
async fn end_11_a_mount_that_cannot_be_is_a_session() {
    on_both(async |server| {
        let digest = Digest::of(b"layer");
        for query in ["", "&from=base", "&from=No/Name", "&from=../app"] {
            let post = format!("POST /v2/app/blobs/uploads/?mount={digest}{query}");
            let opened = server.ask(&post).await;
            let location = opened.is(202).header("location").to_owned();
            finish(server, &location, &digest).await;
            server.ask(&format!("DELETE /v2/app/blobs/{digest}")).await.is(202);
        }
        let bad = server.ask("POST /v2/app/blobs/uploads/?mount=layer&from=base").await;
        bad.refuses(400, "DIGEST_INVALID");
    })
    .await;
}

async fn finish(server: &Server, location: &str, digest: &Digest) {
    let put = format!("PUT {}", with(location, &format!("digest={digest}")));
    server.call(&put, &[], "layer").await.is(201);
}
