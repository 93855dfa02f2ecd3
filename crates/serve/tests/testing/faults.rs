//! Faults, byte by byte, and what the log says of them.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use oci::{Digest, MediaType};
use serve::testing::{Behaviour, Effect, Fault, Schedule, TestRegistry, http_date, sent_again};

use crate::support::{Answer, TEXT, closing, open, registry, send};

const LAYER: MediaType = MediaType::OciLayer(oci::Compression::Gzip);

fn with_blob() -> (TestRegistry, String) {
    let registry = registry(Behaviour::default());
    let blob = registry.insert_blob("app", LAYER, TEXT);
    (registry, format!("GET /v2/app/blobs/{}", blob.digest))
}

/// What a download comes to under an effect.
fn download(effect: Effect) -> Answer {
    let (registry, get) = with_blob();
    registry.fault(Fault::once("GET", "/blobs/", effect));
    let answer = send(&registry, &get, &[], b"");
    let whole = send(&registry, &get, &[], b"");
    assert_eq!((whole.status(), whole.body()), (200, "0123456789"), "the next is as it should be");
    answer
}

#[test]
fn downloads_that_go_wrong() {
    let check = |effect: Effect, length: Option<&str>, body: &str| {
        let answer = download(effect.clone());
        assert_eq!(answer.status(), 200, "{effect:?}");
        assert_eq!((answer.header("content-length"), answer.body()), (length, body), "{effect:?}");
    };
    check(Effect::ResetDownload { after: 4 }, Some("10"), "0123");
    check(Effect::CutChunked { after: 4 }, None, "4\r\n0123\r\n");
    check(Effect::EndEarly { after: 4 }, None, "4\r\n0123\r\n0\r\n\r\n");
    check(Effect::CorruptAt { at: 4 }, Some("10"), "0123556789");
    check(Effect::Shorten, Some("9"), "012345678");
    check(Effect::Repeat { from: 1, length: 2 }, Some("10"), "0121234567");
    check(Effect::WrongLength { by: 5 }, Some("15"), "0123456789");
    check(Effect::WrongLength { by: -5 }, Some("5"), "0123456789");
    let wrong = download(Effect::WrongDigest);
    let digest = Digest::of(TEXT).to_string();
    assert_ne!(wrong.header("docker-content-digest"), Some(digest.as_str()));
    assert_eq!(wrong.body(), "0123456789");
}

#[test]
fn an_answer_is_cut_at_any_byte() {
    let whole = download(Effect::CutAnswer { after: 1000 }).raw;
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with("\r\n\r\n0123456789"));
    for after in [0, 1, 12, 40, whole.len() - 1] {
        let cut = download(Effect::CutAnswer { after: after as u64 });
        assert_eq!(cut.raw, whole[..after]);
        assert!(cut.reset, "it is reset and not closed");
    }
}

#[test]
fn what_is_no_answer() {
    let garbage = download(Effect::Garbage);
    assert_eq!(garbage.raw, "SSH-2.0-OpenSSH_9.2\r\n");
    let bare = download(Effect::BareNewlines { retry_after: "60".into() }).raw;
    assert!(bare.starts_with("HTTP/1.1 429 Too Many Requests\nRetry-After: 60\n"), "{bare}");
    assert!(!bare.contains('\r'));
    let reset = download(Effect::Reset);
    assert_eq!((reset.raw.as_str(), reset.reset), ("", true));
    let date = http_date(Duration::from_secs(30));
    let effect = Effect::Status { code: 503, retry_after: Some(date.clone()) };
    let busy = download(effect);
    assert_eq!((busy.status(), busy.header("retry-after")), (503, Some(date.as_str())));
}

#[test]
fn pauses_last_as_long_as_they_are_told() {
    let pause = Duration::from_millis(60);
    for effect in [
        Effect::Stall(pause),
        Effect::StallDownload { after: 4, pause },
        Effect::Trickle { piece: 5, pause },
    ] {
        let started = Instant::now();
        let answer = download(effect.clone());
        assert_eq!(answer.body(), "0123456789", "{effect:?}");
        assert!(started.elapsed() >= pause, "{effect:?}");
    }
}

/// The upload of all bytes in one PUT under an effect, and then where the session stands.
fn upload(effect: Effect) -> (String, Option<String>, TestRegistry) {
    let registry = registry(Behaviour::default());
    let location = open(&registry, "app", &[]);
    registry.fault(Fault::once("PUT", "/uploads/", effect));
    let answer = send(&registry, &closing(&location), &[], TEXT);
    let status = answer.raw.split(' ').nth(1).unwrap_or_default().to_owned();
    let stands = send(&registry, &format!("GET {location}"), &[], b"");
    (status, stands.header("range").map(str::to_owned), registry)
}

#[test]
fn uploads_that_go_wrong() {
    for (after, stands) in [(1, "0-0"), (4, "0-3"), (10, "0-9"), (500, "0-9")] {
        let (status, range, registry) = upload(Effect::ResetUpload { after });
        assert_eq!((status.as_str(), range.as_deref()), ("", Some(stands)), "after {after}");
        let put = &registry.requests()[1];
        assert_eq!((put.received, put.status), (after.min(10), None));
    }
    let (status, range, registry) = upload(Effect::CorruptUpload { at: 4 });
    assert_eq!((status.as_str(), range), ("400", None));
    assert_eq!(registry.blob("app", Digest::of(TEXT)), None);
    let pause = Duration::from_millis(60);
    let started = Instant::now();
    let (status, _, registry) = upload(Effect::StallUpload { after: 4, pause });
    assert_eq!(status, "201");
    assert!(started.elapsed() >= pause);
    assert_eq!(registry.blob("app", Digest::of(TEXT)).unwrap(), TEXT);
}

#[test]
fn an_answer_that_is_lost_was_right_all_the_same() {
    let (status, range, registry) = upload(Effect::AnswerLost);
    assert_eq!((status.as_str(), range), ("", None), "there is no session any more");
    assert_eq!(registry.blob("app", Digest::of(TEXT)).unwrap(), TEXT);
    assert_eq!(registry.requests()[1].received, 10);
}

#[test]
fn a_session_that_no_client_was_told_of_is_nobody_s_to_close() {
    let registry = registry(Behaviour::default());
    let post = "POST /v2/app/blobs/uploads/";
    for effect in [Effect::AnswerLost, Effect::CutAnswer { after: 40 }] {
        registry.fault(Fault::once("POST", "/uploads/", effect));
        send(&registry, post, &[], b"");
    }
    assert_eq!(registry.open_sessions(), 0);
    registry.fault(Fault::once("POST", "/uploads/", Effect::CutAnswer { after: 1000 }));
    send(&registry, post, &[], b"");
    send(&registry, post, &[], b"");
    assert_eq!(registry.open_sessions(), 2);
}

#[test]
fn a_client_that_leaves_is_logged_and_leaves_nothing_behind() {
    let registry = registry(Behaviour::default());
    let stall = Effect::Stall(Duration::from_secs(30));
    registry.fault(Fault::once("GET", "/v2/", stall));
    let digest = Digest::of(TEXT);
    let post = format!(
        "POST /v2/app/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123"
    );
    for request in [post.as_str(), "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let before = registry.requests().len();
        let mut stream = TcpStream::connect(registry.name()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        drop(stream);
        let started = Instant::now();
        while registry.requests().len() == before {
            assert!(started.elapsed() < Duration::from_secs(20), "{request}");
        }
    }
    let log: Vec<_> = registry.requests().iter().map(|it| (it.status, it.received)).collect();
    assert_eq!(log, [(None, 4), (None, 0)]);
    assert_eq!(registry.open_sessions(), 0);
}

#[test]
fn faults_come_after_so_many_and_so_many_times() {
    let (registry, get) = with_blob();
    let effect = Effect::status(500);
    registry.fault(Fault { method: "GET", path: "/blobs/".into(), after: 1, times: 2, effect });
    let statuses: Vec<u16> = (0..4).map(|_| send(&registry, &get, &[], b"").status()).collect();
    assert_eq!(statuses, [200, 500, 500, 200]);
    assert_eq!(send(&registry, "GET /v2/", &[], b"").status(), 200);
}

#[test]
fn the_log_counts_what_is_sent_and_what_is_sent_again() {
    let (registry, get) = with_blob();
    registry.fault(Fault::once("GET", "/blobs/", Effect::ResetDownload { after: 6 }));
    send(&registry, &get, &[], b"");
    send(&registry, &get, &["Range: bytes=6-"], b"");
    let requests = registry.requests();
    let downloads: Vec<_> = requests.iter().filter_map(|request| request.download()).collect();
    assert_eq!(downloads, [0..6, 6..10]);
    assert_eq!(sent_again(&requests), 0);
    send(&registry, &get, &["Range: bytes=4-7"], b"");
    assert_eq!(sent_again(&registry.requests()), 4);
    send(&registry, &get.replace("GET", "HEAD"), &[], b"");
    assert_eq!(registry.requests().last().unwrap().sent, 0);
}

/// Whatever a schedule does, the registry itself keeps right bytes or none.
#[test]
fn schedules_never_damage_what_is_kept() {
    let bytes: Vec<u8> = (0..50_000_u32).map(|number| number as u8).collect();
    let digest = Digest::of(&bytes);
    for seed in 0..60 {
        let schedule = Schedule::from_seed(seed);
        let registry = registry(Behaviour::default());
        registry.follow(&schedule);
        let headers = schedule.behaviour.user().map(|_| crate::support::basic(&schedule.behaviour));
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        for _ in 0..4 {
            let post = format!("POST /v2/app/blobs/uploads/?digest={digest}");
            send(&registry, &post, &headers, &bytes);
            send(&registry, &format!("GET /v2/app/blobs/{digest}"), &headers, b"");
        }
        let kept = registry.blob("app", digest);
        assert!(kept.is_none_or(|kept| kept == bytes), "{schedule}");
    }
}
