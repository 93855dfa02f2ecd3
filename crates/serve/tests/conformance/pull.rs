//! "Pull": end-1, end-2, end-3.

use crate::support::{LAYER, MANIFEST, Then, digest_of, on_both};

#[tokio::test]
async fn end_1_the_base_says_that_the_registry_is_there() {
    on_both(async |server| {
        server.ask("GET /v2/").await.is(200);
        let version = "docker-distribution-api-version";
        assert_eq!(server.ask("GET /v2/").await.header(version), "registry/2.0");
    })
    .await;
}

/// "A GET request to an existing blob URL MUST provide the expected blob, with a response code that
/// MUST be `200 OK`." "If present, the value of this header [`Docker-Content-Digest`] MUST be a
/// digest matching that of the response body."
#[tokio::test]
async fn end_2_a_blob_is_got_and_found() {
    on_both(async |server| {
        for bytes in [b"".to_vec(), b"layer".to_vec(), vec![7; 3_000_000]] {
            let digest = server.push_blob("app", &bytes).await;
            let got = server.ask(&format!("GET /v2/app/blobs/{digest}")).await;
            assert!(got.is(200).body == bytes, "{} bytes", bytes.len());
            let head = server.ask(&format!("HEAD /v2/app/blobs/{digest}")).await;
            assert_eq!(head.is(200).body, b"");
            for reply in [&got, &head] {
                assert_eq!(reply.header("content-length"), bytes.len().to_string());
                assert_eq!(reply.header("docker-content-digest"), digest.to_string());
                assert_eq!(reply.header("accept-ranges"), "bytes");
            }
        }
    })
    .await;
}

/// "If the blob is not found in the repository, the response code MUST be `404 Not Found`."
#[tokio::test]
async fn end_2_a_blob_that_is_not_there() {
    on_both(async |server| {
        let digest = server.push_blob("app", b"layer").await;
        for name in ["other", "app/deeper"] {
            let missing = format!("GET /v2/{name}/blobs/{digest}");
            server.ask(&missing).await.refuses(404, "BLOB_UNKNOWN");
            server.ask(&missing.replace("GET", "HEAD")).await.is(404);
        }
        for bad in ["sha256:0", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "layer"] {
            let reply = server.ask(&format!("GET /v2/app/blobs/{bad}")).await;
            reply.refuses(400, "DIGEST_INVALID");
        }
    })
    .await;
}

/// "A registry SHOULD support the `Range` request header in accordance with RFC 9110."
#[tokio::test]
async fn end_2_parts_of_a_blob() {
    on_both(async |server| {
        let digest = server.push_blob("app", b"0123456789").await;
        let get = format!("GET /v2/app/blobs/{digest}");
        for (range, bytes, content_range) in [
            ("bytes=0-", "0123456789", "bytes 0-9/10"),
            ("bytes=4-", "456789", "bytes 4-9/10"),
            ("bytes=4-6", "456", "bytes 4-6/10"),
            ("bytes=9-9", "9", "bytes 9-9/10"),
            ("bytes=-3", "789", "bytes 7-9/10"),
            ("bytes=8-100", "89", "bytes 8-9/10"),
        ] {
            let part = server.call(&get, &[("range", range)], "").await;
            assert_eq!(part.is(206).body, bytes.as_bytes(), "{range}");
            assert_eq!(part.header("content-range"), content_range);
            assert_eq!(part.header("content-length"), bytes.len().to_string());
        }
        for range in ["bytes=10-", "bytes=-0"] {
            let beyond = server.call(&get, &[("range", range)], "").await;
            assert_eq!(beyond.is(416).header("content-range"), "bytes */10");
        }
        for ignored in ["bytes=5-4", "pages=1-2", "bytes=0-1,4-5"] {
            let whole = server.call(&get, &[("range", ignored)], "").await;
            assert_eq!(whole.is(200).body, b"0123456789", "{ignored}");
        }
        let etag = server.ask(&get).await.header("etag").to_owned();
        let part = |condition| {
            let get = &get;
            async move { server.call(get, &[("range", "bytes=1-"), ("if-range", condition)], "").await }
        };
        part(etag.as_str()).await.is(206);
        part("\"another\"").await.is(200);
    })
    .await;
}

/// "A GET request to an existing manifest URL MUST provide the expected manifest", with its type
/// and its digest, by tag and by digest alike.
#[tokio::test]
async fn end_3_a_manifest_is_got_and_found() {
    on_both(async |server| {
        let manifest = server.push_image("team/app", Some("v1.0_x"), "layer").await;
        let digest = digest_of(&manifest);
        for reference in ["v1.0_x", &digest] {
            let got = server.ask(&format!("GET /v2/team/app/manifests/{reference}")).await;
            assert_eq!(got.is(200).body, manifest.to_string().as_bytes(), "the exact bytes");
            let head = server.ask(&format!("HEAD /v2/team/app/manifests/{reference}")).await;
            assert_eq!(head.is(200).body, b"");
            for reply in [&got, &head] {
                assert_eq!(reply.header("content-type"), MANIFEST);
                assert_eq!(reply.header("docker-content-digest"), digest);
                assert_eq!(reply.header("content-length"), manifest.to_string().len().to_string());
            }
        }
    })
    .await;
}

/// "If the manifest is not found in the repository, the response code MUST be `404 Not Found`."
#[tokio::test]
async fn end_3_a_manifest_that_is_not_there() {
    on_both(async |server| {
        let manifest = server.push_image("app", Some("1"), "layer").await;
        let elsewhere = format!("other/manifests/{}", digest_of(&manifest));
        let layer = format!("app/manifests/{}", oci::Digest::of(b"layer"));
        for missing in
            ["app/manifests/2", "other/manifests/1", &elsewhere, &layer, "app/manifests/-x"]
        {
            let reply = server.ask(&format!("GET /v2/{missing}")).await;
            reply.refuses(404, "MANIFEST_UNKNOWN");
            server.ask(&format!("HEAD /v2/{missing}")).await.is(404);
        }
        let bad = server.ask("GET /v2/app/manifests/sha256:0").await;
        bad.refuses(400, "DIGEST_INVALID");
    })
    .await;
}

/// "`<name>` MUST match" the grammar: nothing else becomes a path.
#[tokio::test]
async fn names_out_of_the_grammar_lead_nowhere() {
    on_both(async |server| {
        for name in
            ["Upper", "a//b", "..", "a/../../etc", ".hidden", "a/.uploads", "a\\b", "%2e%2e"]
        {
            let get = format!(
                "GET /v2/{name}/blobs/{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                oci::Digest::of(LAYER.as_bytes())
            );
            let answer = server.raw(get, Then::Read).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{name}: {answer}");
            assert!(answer.contains("NAME_INVALID"), "{name}: {answer}");
        }
    })
    .await;
}
