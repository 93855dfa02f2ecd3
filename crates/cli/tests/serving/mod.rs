//! `plywood serve`: the program as a registry, and the program as its client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use testbed::files;

use crate::scene::{Scene, image};

/// `plywood serve` under way. Dropping it ends it.
struct Serving {
    child: Child,
    /// `127.0.0.1:PORT`, as it answered.
    address: String,
}

impl Serving {
    fn start(scene: &Scene, words: &[&str]) -> Self {
        let mut command = scene.command(&[&["serve", "--listen", "127.0.0.1:0"], words].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        Serving { child, address: address.trim().to_owned() }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code and what was said, once it has ended, which has to be soon.
    fn ended(&mut self) -> (Option<i32>, String) {
        let started = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if started.elapsed() > Duration::from_secs(20) => panic!("it does not end"),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said.replace(&self.address, "ADDRESS"))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_image_goes_in_and_comes_out_after_a_restart() {
    let scene = Scene::new();
    let first = Serving::start(&scene, &["--root", "images"]);
    let store = scene.store();
    let name = |address: &str| format!("{address}/team/app:1");
    let pushed = name(&first.address);
    store.tag(&pushed.parse().unwrap(), &image(&store, "a", "linux/amd64")).unwrap();
    drop(store);
    scene.answer(&["push", &pushed]);
    let digest = scene.answer(&["inspect", "-f", "{{.Id}}", &format!("docker://{pushed}")]);
    drop(first);
    assert_eq!(scene.answer(&["inspect", "-f", "{{.Id}}", "oci:images/team/app:1"]), digest);
    let second = Serving::start(&scene, &["--root", "images"]);
    let copied = format!("{}/other:2", second.address);
    assert_eq!(scene.answer(&["copy", &name(&second.address), &copied]), digest);
    scene.answer(&["pull", &copied]);
}

#[test]
fn killed_in_mid_upload_it_leaves_nothing_half_written() {
    let scene = Scene::new();
    let first = Serving::start(&scene, &["--root", "images"]);
    let (stream, mut opened) = (TcpStream::connect(&first.address).unwrap(), String::new());
    let post = "POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    (&stream).write_all(post.as_bytes()).unwrap();
    let location = BufReader::new(&stream).lines().map(Result::unwrap).find_map(|line| {
        opened.push_str(&line);
        line.strip_prefix("location: ").map(str::to_owned)
    });
    let location = location.unwrap_or_else(|| panic!("{opened}"));
    let patch = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
    (&stream).write_all(patch.as_bytes()).unwrap();
    let uploads = scene.path("images/.uploads");
    let started = Instant::now();
    while !files(&uploads).iter().any(|file| uploads.join(file).metadata().unwrap().len() == 4) {
        assert!(started.elapsed() < Duration::from_secs(20), "it never arrives");
    }
    drop(first);
    assert_eq!(files(&uploads).len(), 1, "a killed process cleans nothing up");
    let _second = Serving::start(&scene, &["--root", "images"]);
    assert_eq!(files(&scene.path("images")), [".lock"]);
}

/// Up and down again: the blob is larger than all that the process may ever have.
#[test]
fn memory_is_flat_whatever_the_blob() {
    const PIECES: usize = 100;
    let scene = Scene::new();
    let serving = Serving::start(&scene, &[]);
    let piece = vec![7; 1 << 20];
    let mut digester = oci::Digester::new(oci::Algorithm::Sha256);
    (0..PIECES).for_each(|_| digester.update(&piece));
    let digest = digester.finish();
    let length = PIECES * piece.len();
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    let post = format!(
        "POST /v2/app/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(post.as_bytes()).unwrap();
    (0..PIECES).for_each(|_| stream.write_all(&piece).unwrap());
    let get =
        format!("GET /v2/app/blobs/{digest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).unwrap();
    let received = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    assert!(received > length as u64, "{received} bytes came back");
    let status = format!("/proc/{}/status", serving.child.id());
    let status = std::fs::read_to_string(status).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 64 * 1024, "{kilobytes} kB at the most");
}

#[test]
fn it_says_where_it_listens_and_ends_when_it_is_told() {
    let scene = Scene::new();
    for signal in [Signal::INT, Signal::TERM] {
        let mut serving = Serving::start(&scene, &["--progress", "plain"]);
        assert!(TcpStream::connect(&serving.address).is_ok());
        assert!(scene.path(".local/share/plywood/registry/.lock").exists());
        serving.signal(signal);
        let (code, said) = serving.ended();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.ends_with("listening on http://ADDRESS\n"), "{said}");
    }
}

/// The upload of 4 bytes, of which two came before the signal.
#[test]
fn requests_in_flight_are_answered_before_the_end() {
    let scene = Scene::new();
    let mut serving = Serving::start(&scene, &[]);
    let digest = oci::Digest::of(b"1234");
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    let head = format!(
        "POST /v2/app/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Long enough that the request has begun.
    std::thread::sleep(Duration::from_millis(200));
    serving.signal(Signal::TERM);
    let started = Instant::now();
    while TcpStream::connect(&serving.address).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(20), "it goes on listening");
        std::thread::sleep(Duration::from_millis(10));
    }
    stream.write_all(b"34").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert_eq!(serving.ended().0, Some(0));
}

#[test]
fn one_directory_has_one_server_and_one_port_has_one_listener() {
    let scene = Scene::new();
    let serving = Serving::start(&scene, &["--root", "images"]);
    let refused = scene.refusal(&["serve", "--root", "images", "--listen", "127.0.0.1:0"]);
    insta::assert_snapshot!(refused, @"
    exit 8
    error: failed to serve `HOME/images`: another process serves it already
    hint: end it, or give another directory with `--root`
    ");
    let refused = scene.refusal(&["serve", "--root", "other", "--listen", &serving.address]);
    insta::assert_snapshot!(refused.replace(&serving.address, "ADDRESS"), @"
    exit 7
    error: failed to listen on ADDRESS: Address already in use (os error 98)
    hint: choose another port with `--listen`; port 0 is any free one
    ");
}

#[test]
fn who_can_be_reached_from_elsewhere_is_warned() {
    let scene = Scene::new();
    let mut child: Command = scene.command(&["serve", "--listen", "0.0.0.0:0"]);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut serving = Serving { child, address: String::new() };
    let stdout = serving.child.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut serving.address).unwrap();
    serving.address = serving.address.trim().to_owned();
    serving.signal(Signal::TERM);
    let (_, said) = serving.ended();
    let warning = said.lines().next().unwrap();
    insta::assert_snapshot!(warning, @"warning: ADDRESS can be reached by other machines, and everyone may read and write");
}
