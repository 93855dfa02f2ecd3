//! How fast one blob goes up and down, against a sink that does nothing with it: what the client
//! itself costs. `cargo bench -p registry`.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Instant;

use oci::{Compression, Descriptor, Digester, MediaType};
use registry::{BlobBody, Client, Settings};

const SIZE: u64 = 1 << 30;

fn main() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let chunk: Vec<u8> =
        (0..1 << 20).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut digester = Digester::sha256();
    for _ in 0..SIZE >> 20 {
        file.as_file().write_all(&chunk).unwrap();
        digester.update(&chunk);
    }
    let layer = MediaType::OciLayer(Compression::None);
    let blob = Descriptor::new(layer, digester.finish(), SIZE);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let repository = format!("{}/app", listener.local_addr().unwrap()).parse().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let chunk = chunk.clone();
            std::thread::spawn(move || drop(serve(stream.unwrap(), &chunk)));
        }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let started = Instant::now();
    let client = Client::new(Settings::default()).unwrap();
    let made = started.elapsed();
    let mut out = std::io::stdout().lock();
    writeln!(out, "a client: {made:?}").unwrap();
    for _ in 0..4 {
        let started = Instant::now();
        let body = BlobBody::File(file.path().to_owned());
        runtime.block_on(client.push_blob(&repository, &blob, &body, &[])).unwrap();
        report(&mut out, "up", started);
        let started = Instant::now();
        runtime.block_on(client.blob(&repository, &blob, &mut std::io::sink())).unwrap();
        report(&mut out, "down, verified", started);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    writeln!(out, "{}", peak.unwrap_or_default()).unwrap();
}

fn report(out: &mut impl Write, what: &str, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    writeln!(out, "{what}: {:.2} GB/s", SIZE as f64 / seconds / 1e9).unwrap();
}

/// The least that an upload and a download need.
fn serve(stream: TcpStream, chunk: &[u8]) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head)? == 0 {
                return Ok(());
            }
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut left: u64 = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        let mut buffer = vec![0; 1 << 20];
        while left > 0 {
            let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            left -= reader.read(&mut buffer[..wanted])? as u64;
        }
        if head.starts_with("get") {
            write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n")?;
            for _ in 0..SIZE >> 20 {
                writer.write_all(chunk)?;
            }
            continue;
        }
        let answer = match head.split(' ').next() {
            Some("head") => "404 Not Found\r\ncontent-length: 0",
            Some("post") => {
                "202 Accepted\r\nlocation: /v2/app/blobs/uploads/1\r\ncontent-length: 0"
            }
            _ => "201 Created\r\ncontent-length: 0",
        };
        write!(writer, "HTTP/1.1 {answer}\r\n\r\n")?;
    }
}
