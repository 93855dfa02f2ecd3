//! "Push": uploads in pieces, end-5, end-6 and end-13, and what is left of those that broke off.

use oci::Digest;

use crate::support::{Reply, Server, Then, on_both, with};

async fn patch(server: &Server, location: &str, range: &str, bytes: &str) -> Reply {
    let headers = [("content-range", range), ("content-type", "application/octet-stream")];
    server.call(&format!("PATCH {location}"), &headers, bytes.to_owned()).await
}

async fn put(server: &Server, location: &str, headers: &[(&str, &str)], last: &str) -> Reply {
    let digest = Digest::of(b"0123456789");
    let put = format!("PUT {}", with(location, &format!("digest={digest}")));
    server.call(&put, headers, last.to_owned()).await
}

async fn is_there(server: &Server) {
    let get = format!("/v2/app/blobs/{}", Digest::of(b"0123456789"));
    assert_eq!(server.ask(&format!("GET {get}")).await.is(200).body, b"0123456789");
    server.ask(&format!("DELETE {get}")).await.is(202);
}

/// "Pushing a blob in chunks": each 202 with `Location` and `Range: 0-<end-of-range>`; the last one
/// by PATCH or with the PUT.
#[tokio::test]
async fn end_5_chunks_one_after_the_other() {
    on_both(async |server| {
        let location = server.open("app").await;
        let first = patch(server, &location, "0-3", "0123").await;
        assert_eq!(first.is(202).header("range"), "0-3");
        let second = patch(server, first.header("location"), "4-9", "456789").await;
        assert_eq!(second.is(202).header("range"), "0-9");
        put(server, second.header("location"), &[], "").await.is(201);
        is_there(server).await;
        let location = server.open("app").await;
        patch(server, &location, "0-3", "0123").await.is(202);
        put(server, &location, &[("content-range", "4-9")], "456789").await.is(201);
        is_there(server).await;
        // A stream: no range, chunked coding.
        let location = server.open("app").await;
        let pieces = [Ok::<_, std::io::Error>("01234"), Ok("56")];
        let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        server.call(&format!("PATCH {location}"), &[], stream).await.is(202);
        put(server, &location, &[], "789").await.is(201);
        is_there(server).await;
    })
    .await;
}

/// "If a chunk is uploaded out of order, the registry MUST respond with a
/// `416 Requested Range Not Satisfiable` code."
#[tokio::test]
async fn end_5_chunks_out_of_order() {
    on_both(async |server| {
        let location = server.open("app").await;
        for early in ["1-4", "4-7"] {
            patch(server, &location, early, "0123").await.refuses(416, "BLOB_UPLOAD_INVALID");
        }
        patch(server, &location, "0-3", "0123").await.is(202);
        for wrong in ["0-3", "3-6", "5-8"] {
            let refused = patch(server, &location, wrong, "4567").await;
            refused.refuses(416, "BLOB_UPLOAD_INVALID");
            assert_eq!(refused.header("range"), "0-3", "where it stands");
            assert!(refused.has("location"));
        }
        let refused = put(server, &location, &[("content-range", "3-8")], "456789").await;
        refused.refuses(416, "BLOB_UPLOAD_INVALID");
        // `^[0-9]+-[0-9]+$` is what a range has to be like.
        for malformed in ["bytes 4-7/10", "4", "4-", "-7", "7-4", "a-b", "+4-7"] {
            let refused = patch(server, &location, malformed, "4567").await;
            refused.refuses(400, "BLOB_UPLOAD_INVALID");
        }
        patch(server, &location, "4-9", "4567").await.refuses(400, "SIZE_INVALID");
        put(server, &location, &[("content-range", "4-9")], "456789").await.is(201);
        is_there(server).await;
    })
    .await;
}

/// "To get the current status after a 416 error, issue a GET request": 204, `Location`, `Range`.
#[tokio::test]
async fn end_13_where_an_upload_stands() {
    on_both(async |server| {
        let location = server.open("app").await;
        let status = async || {
            let reply = server.ask(&format!("GET {location}")).await;
            assert!(reply.is(204).has("location"));
            reply.header("range").to_owned()
        };
        assert_eq!(status().await, "0-0");
        patch(server, &location, "0-0", "0").await.is(202);
        assert_eq!(status().await, "0-0");
        patch(server, &location, "1-4", "1234").await.is(202);
        assert_eq!(status().await, "0-4");
        let elsewhere = location.replace("/app/", "/other/");
        for unknown in [elsewhere.as_str(), "/v2/app/blobs/uploads/none"] {
            for method in ["GET", "PATCH", "DELETE"] {
                let reply = server.ask(&format!("{method} {unknown}")).await;
                reply.refuses(404, "BLOB_UPLOAD_UNKNOWN");
            }
        }
    })
    .await;
}

/// end-14, "Cancel a blob upload": 204, and the session is gone.
#[tokio::test]
async fn end_14_an_upload_is_cancelled() {
    on_both(async |server| {
        let location = server.open("app").await;
        patch(server, &location, "0-3", "0123").await.is(202);
        server.ask(&format!("DELETE {location}")).await.is(204);
        for method in ["GET", "PATCH", "DELETE"] {
            let reply = server.ask(&format!("{method} {location}")).await;
            reply.refuses(404, "BLOB_UPLOAD_UNKNOWN");
        }
        put(server, &location, &[], "").await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    })
    .await;
}

/// What came of a body that broke off is kept, in PATCH and in PUT, and the upload goes on from
/// there.
#[tokio::test]
async fn a_body_that_broke_off_is_gone_on_with() {
    on_both(async |server| {
        let digest = Digest::of(b"0123456789");
        for method in ["PATCH", "PUT"] {
            let location = server.open("app").await;
            let target = with(&location, &format!("digest={digest}"));
            let broken = format!(
                "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456"
            );
            server.raw(broken, Then::HangUp).await;
            let status = server.ask(&format!("GET {location}")).await;
            assert_eq!(status.is(204).header("range"), "0-6", "{method}");
            server.ask(&format!("HEAD /v2/app/blobs/{digest}")).await.is(404);
            put(server, &location, &[("content-range", "7-9")], "789").await.is(201);
            is_there(server).await;
        }
    })
    .await;
}

/// A connection that hangs does not keep its client, come back by another one, from going on.
#[tokio::test]
async fn who_comes_last_has_the_upload() {
    on_both(async |server| {
        let location = server.open("app").await;
        let stuck = server.hang(&format!(
            "PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123"
        ));
        while server.ask(&format!("GET {location}")).await.header("range") != "0-3" {}
        patch(server, &location, "4-9", "456789").await.is(202);
        put(server, &location, &[], "").await.is(201);
        drop(stuck);
        is_there(server).await;
    })
    .await;
}
