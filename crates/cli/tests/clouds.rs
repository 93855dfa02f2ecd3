//! Registries of clouds, as a job uses them: nothing but the variables that the cloud sets. The
//! scene's registry is the proxy, and so answers for every registry's name.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "these tests need a part of it")]
mod scene;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use scene::{Ended, Scene, image};
use serve::testing::{Behaviour, TestDoor};

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// A service of a cloud that gives every request the same answer, and keeps their first lines.
struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn start(status: &str, body: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let kept = asked.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(line) = answer_one(stream.unwrap(), &answer) else { return };
                kept.lock().unwrap().push(line);
            }
        });
        Service { address, asked, thread: Some(thread) }
    }

    fn asked(&self) -> String {
        self.asked.lock().unwrap().join("\n")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A connection that asks nothing is the end.
        drop(TcpStream::connect(self.address));
        let _ = self.thread.take().unwrap().join();
    }
}

fn answer_one(mut stream: TcpStream, answer: &str) -> Option<String> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    stream.write_all(answer.as_bytes()).unwrap();
    Some(first.trim_end().to_owned())
}

/// A registry that has `app:1` and lets this user in.
fn cloud(user: &str, password: &str) -> Scene {
    let scene = Scene::new();
    let app = image(&scene.store(), "app", "linux/amd64");
    scene.store().tag(&scene.name("app:1"), &app).unwrap();
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.answer(&["prune", "--all"]);
    let door = TestDoor::Basic { user: user.to_owned(), password: password.to_owned() };
    scene.registry.behave(Behaviour { door, ..Behaviour::default() });
    scene.registry.take_requests();
    scene
}

/// Pulls the image by the registry's name in the cloud.
fn pull(scene: &Scene, registry: &str, variables: &[(&str, &str)]) -> Ended {
    let reference = format!("{registry}/app:1");
    let words = ["--progress", "plain", "--insecure", registry, "pull", &reference];
    let proxy = format!("http://{}", scene.registry.name());
    let mut command = scene.command(&words);
    command.env("HTTP_PROXY", proxy).envs(variables.iter().copied());
    let ended = scene.ended(&command.output().unwrap());
    assert!(!format!("{ended:?}").contains("SECRET-"), "{ended:?}");
    ended
}

#[track_caller]
fn check_pulled(ended: &Ended) {
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn amazons_by_keys() {
    let scene = cloud("AWS", "SECRET-ECR");
    // The base64 of AWS:SECRET-ECR, good until 2100.
    let body = r#"{"authorizationData":[{"authorizationToken":"QVdTOlNFQ1JFVC1FQ1I=","expiresAt":4102444800}]}"#;
    let service = Service::start("200 OK", body);
    let endpoint = format!("http://{}", service.address);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDFIXED"),
        ("AWS_SECRET_ACCESS_KEY", "SECRET-KEY"),
        ("AWS_ENDPOINT_URL_ECR", endpoint.as_str()),
    ];
    check_pulled(&pull(&scene, ECR, &variables));
    assert_eq!(service.asked(), "POST / HTTP/1.1", "one login for all requests");
}

#[test]
fn googles_by_the_metadata_server() {
    let scene = cloud("oauth2accesstoken", "SECRET-GOOGLE");
    let service = Service::start("200 OK", r#"{"access_token":"SECRET-GOOGLE","expires_in":3599}"#);
    let host = service.address.to_string();
    let registry = "europe-west1-docker.pkg.dev";
    check_pulled(&pull(&scene, registry, &[("GCE_METADATA_HOST", &host)]));
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    assert_eq!(service.asked(), format!("GET {path} HTTP/1.1"));
}

#[test]
fn githubs_by_the_workflow_s_token() {
    let scene = cloud("octocat", "SECRET-GITHUB");
    let variables = [("GITHUB_TOKEN", "SECRET-GITHUB"), ("GITHUB_ACTOR", "octocat")];
    check_pulled(&pull(&scene, "ghcr.io", &variables));
    let wrong = pull(&scene, "ghcr.io", &[("GITHUB_TOKEN", "SECRET-OTHER")]);
    assert_eq!(wrong.code, 6);
    insta::assert_snapshot!(wrong.stderr, @"
    error: failed to HEAD http://ghcr.io/v2/app/manifests/1: whoever GITHUB_TOKEN stands for is not let in
    hint: check that GITHUB_TOKEN may read (and write) packages, or log in with `plywood login ghcr.io`
    ");
}

#[test]
fn a_login_that_fails_is_told_and_not_passed_over() {
    let scene = cloud("AWS", "SECRET-ECR");
    let body = r#"{"__type":"UnrecognizedClientException","message":"The security token SECRET-KEY is invalid."}"#;
    let service = Service::start("400 Bad Request", body);
    let endpoint = format!("http://{}", service.address);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDFIXED"),
        ("AWS_SECRET_ACCESS_KEY", "SECRET-KEY"),
        ("AWS_ENDPOINT_URL_ECR", endpoint.as_str()),
    ];
    let ended = pull(&scene, ECR, &variables);
    assert_eq!(ended.code, 6);
    let said = ended.stderr.replace(&service.address.to_string(), "SERVICE");
    insta::assert_snapshot!(said, @"
    error: failed to log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com` by AWS_ACCESS_KEY_ID: http://SERVICE/ answered 400: UnrecognizedClientException (The security token … is invalid.)
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in with `plywood login 123456789012.dkr.ecr.eu-west-1.amazonaws.com`
    ");
}

#[test]
fn nothing_configured_is_nobody() {
    let scene = cloud("AWS", "SECRET-ECR");
    for registry in [ECR, "gcr.io", "team.azurecr.io", "ghcr.io"] {
        let variables = [("AWS_EC2_METADATA_DISABLED", "true"), ("NO_GCE_CHECK", "true")];
        let ended = pull(&scene, registry, &variables);
        let said = ended.stderr.replace(registry, "CLOUD");
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"
        error: failed to HEAD http://CLOUD/v2/app/manifests/1: an anonymous user is not let in
        hint: log in with `plywood login CLOUD`
        ") };
        assert_eq!(ended.code, 6);
    }
}
