//! Packs the files of wheels, or of other zips, as one layer, and says how fast, how small, and in
//! how much memory.
//!
//!     cargo run --release -p layer --example splice -- gzip:4 2 WHEEL… [-o BLOB]
//!
//! Contents are digested before the clock starts, as a wheel's own `RECORD` has the digests. What
//! stands at one path in two zips is taken from the first.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // A tool for the eye.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use layer::{
    Attributes, Content, Deflated, DeflatedPart, Entry, GzipLevel, LayerWriter, Node, Packing,
    ZstdLevel,
};
use oci::{Digester, ImagePath};

/// A file in a zip.
struct Member {
    archive: usize,
    offset: u64,
    packed_size: u64,
    crc32: u32,
    deflated: bool,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let output = arguments.iter().position(|argument| argument == "-o").map(|at| {
        arguments.remove(at);
        arguments.remove(at)
    });
    let [packing, threads, zips @ ..] = &arguments[..] else {
        println!("splice gzip:N|zstd:N|none THREADS ZIP… [-o BLOB]");
        return;
    };
    let packing = match packing.split_once(':') {
        Some(("gzip", level)) => Packing::Gzip(GzipLevel::new(level.parse().unwrap()).unwrap()),
        Some(("zstd", level)) => Packing::Zstd(ZstdLevel::new(level.parse().unwrap()).unwrap()),
        _ => Packing::None,
    };
    let threads: NonZeroUsize = threads.parse().unwrap();
    let archives: Vec<File> = zips.iter().map(|path| File::open(path).unwrap()).collect();
    let files = files(&archives);
    let installed: u64 = files.iter().map(|(entry, _)| size(entry)).sum();
    let sink: Box<dyn Write + Send> = match output {
        Some(path) => Box::new(File::create(path).unwrap()),
        None => Box::new(io::sink()),
    };

    let (start, busy) = (Instant::now(), processor_seconds());
    let mut writer = LayerWriter::new(sink, packing, threads).unwrap();
    for (entry, member) in &files {
        let mut stream = At(&archives[member.archive], member.offset).take(member.packed_size);
        if member.deflated {
            let Member { packed_size, crc32, .. } = *member;
            let parts = [DeflatedPart { size: size(entry), packed_size, crc32 }];
            let deflated = Deflated { stream: &mut stream, parts: &parts };
            writer.append_deflated(entry, deflated).unwrap();
        } else {
            writer.append(entry, Some(&mut stream)).unwrap();
        }
    }
    let (packed, mut sink) = writer.finish().unwrap();
    sink.flush().unwrap();
    let (seconds, busy) = (start.elapsed().as_secs_f64(), processor_seconds() - busy);
    println!(
        "{} files, {installed} bytes: {seconds:.2} s, {busy:.2} s of processors, {:.0} MB/s, blob {}, peak {} KiB, {}",
        files.len(),
        installed as f64 / 1e6 / seconds,
        packed.descriptor.size,
        peak(),
        packed.descriptor.digest.short(),
    );
}

fn size(entry: &Entry) -> u64 {
    match entry.node {
        Node::File(content) => content.size,
        _ => 0,
    }
}

/// A reader from an offset on.
struct At<'a>(&'a File, u64);

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(buffer, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}

/// All files in the layer's order.
fn files(archives: &[File]) -> Vec<(Entry, Member)> {
    let mut files = BTreeMap::new();
    for (number, archive) in archives.iter().enumerate() {
        for (path, member) in members(number, archive) {
            files.entry(path).or_insert(member);
        }
    }
    let with_entry = |(path, member): (ImagePath, Member)| {
        let node = Node::File(content(&archives[member.archive], &member));
        (Entry { path, attributes: Attributes::root(0o644, 0), node }, member)
    };
    files.into_iter().map(with_entry).collect()
}

fn content(archive: &File, member: &Member) -> Content {
    let stream = At(archive, member.offset).take(member.packed_size);
    let mut reader: Box<dyn Read> = match member.deflated {
        true => Box::new(flate2::read::DeflateDecoder::new(stream)),
        false => Box::new(stream),
    };
    let (mut digester, mut buffer, mut size) = (Digester::sha256(), vec![0; 1 << 16], 0);
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => return Content { digest: digester.finish(), size },
            read => {
                digester.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}

/// The files of a zip's central directory (APPNOTE 4.3.12), if it is a plain one.
fn members(archive: usize, file: &File) -> Vec<(ImagePath, Member)> {
    let length = file.metadata().unwrap().len();
    let end = read(file, length - 22, 22);
    assert_eq!(end[..4], *b"PK\x05\x06", "a comment at the end is more than this tool reads");
    let (size, offset) = (number(&end[12..16]), number(&end[16..20]));
    let directory = read(file, offset, size as usize);
    let mut rest = &directory[..];
    let mut members = Vec::new();
    while rest.len() >= 46 {
        let [name, extra, comment] = [28, 30, 32].map(|at| number(&rest[at..at + 2]) as usize);
        let path = &rest[46..46 + name];
        let local = number(&rest[42..46]);
        let header = read(file, local, 30);
        let member = Member {
            archive,
            offset: local + 30 + number(&header[26..28]) + number(&header[28..30]),
            packed_size: number(&rest[20..24]),
            crc32: number(&rest[16..20]) as u32,
            deflated: number(&rest[10..12]) == 8,
        };
        if !path.ends_with(b"/") {
            members.push((ImagePath::lexical(path), member));
        }
        rest = &rest[46 + name + extra + comment..];
    }
    members
}

fn read(file: &File, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset).unwrap();
    bytes
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What all threads used: the 14th and 15th field of proc_pid_stat(5), in hundredths.
fn processor_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = status.rsplit_once(')').unwrap().1.split_ascii_whitespace().skip(11);
    fields.take(2).map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").to_owned()
}
