//! Packs a directory as one layer and says how fast, how small, and in how much memory.
//!
//!     cargo run --release -p layer --example measure -- DIRECTORY gzip:4 2 [BLOB]
//!
//! With a blob that an earlier run left, what it holds is copied.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // A tool for the eye.

use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use layer::{
    Attributes, BlockList, Content, EarlierBlob, Entry, GzipLevel, LayerIndex, LayerWriter, Node,
    Packing, RootFs, ZstdLevel,
};
use oci::{Digest, ImagePath};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, packing, threads, ..] = &arguments[..] else {
        println!("measure DIRECTORY gzip:N|zstd:N|none THREADS [BLOB]");
        return;
    };
    let packing = match packing.split_once(':') {
        Some(("gzip", level)) => Packing::Gzip(GzipLevel::new(level.parse().unwrap()).unwrap()),
        Some(("zstd", level)) => Packing::Zstd(ZstdLevel::new(level.parse().unwrap()).unwrap()),
        _ => Packing::None,
    };
    let mut entries = Vec::new();
    list(Path::new(root), Path::new(""), &mut entries);
    entries.sort_by(Entry::layer_order);
    let blob = arguments.get(3).map(PathBuf::from);
    let sink: Box<dyn Write + Send> = match &blob {
        Some(path) => Box::new(File::create(path.with_extension("new")).unwrap()),
        None => Box::new(std::io::sink()),
    };
    let earlier = blob.as_deref().and_then(earlier);

    let start = Instant::now();
    let threads: NonZeroUsize = threads.parse().unwrap();
    let mut writer = match earlier {
        Some(earlier) => LayerWriter::reusing(earlier, sink, packing, threads).unwrap(),
        None => LayerWriter::new(sink, packing, threads).unwrap(),
    };
    for entry in &entries {
        match entry.node {
            Node::File(_) => {
                let path = Path::new(root).join(std::ffi::OsStr::from_bytes(entry.path.as_bytes()));
                writer.append(entry, Some(&mut File::open(path).unwrap())).unwrap();
            }
            _ => writer.append(entry, None).unwrap(),
        }
    }
    let (packed, mut sink) = writer.finish().unwrap();
    sink.flush().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let (tar, size) = (packed.uncompressed_size as f64, packed.descriptor.size as f64);
    println!(
        "{seconds:.2} s, {:.0} MB/s, {tar} -> {size}, ratio {:.3}, peak {} KiB, {}",
        tar / 1e6 / seconds,
        tar / size,
        peak(),
        packed.descriptor.digest.short(),
    );
    measure_index(entries);
    if let Some(path) = blob {
        std::fs::write(path.with_extension("blocks"), packed.blocks.to_bytes()).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    }
}

/// How long an index takes to come back from its bytes, and a merged view to be walked.
fn measure_index(entries: Vec<Entry>) {
    let count = entries.len();
    let bytes = LayerIndex::from_entries(entries).to_bytes();
    let start = Instant::now();
    let index = LayerIndex::from_bytes(&bytes).unwrap();
    let decoded = start.elapsed();
    let root_fs = RootFs::new(vec![Some(Arc::new(index)); 3]);
    let start = Instant::now();
    let walked = root_fs.walk(&ImagePath::root()).unwrap().len();
    println!(
        "index of {count}: {} bytes, decoded in {decoded:.1?}; three of them, {walked} walked in {:.1?}",
        bytes.len(),
        start.elapsed(),
    );
}

/// What an earlier run left.
fn earlier(blob: &Path) -> Option<EarlierBlob> {
    let list = std::fs::read(blob.with_extension("blocks")).ok()?;
    let file = File::open(blob).ok()?;
    let list = BlockList::from_bytes(&list).unwrap();
    Some(EarlierBlob::new(list, move |buffer: &mut [u8], at| file.read_exact_at(buffer, at)))
}

fn list(root: &Path, below: &Path, entries: &mut Vec<Entry>) {
    for found in std::fs::read_dir(root.join(below)).unwrap() {
        let found = found.unwrap();
        let path = below.join(found.file_name());
        let metadata = found.metadata().unwrap();
        let node = if metadata.is_dir() {
            list(root, &path, entries);
            Node::Directory
        } else if metadata.is_file() {
            Node::File(Content { digest: Digest::of(b""), size: metadata.len() })
        } else {
            Node::Symlink(b"elsewhere".to_vec())
        };
        let path = ImagePath::lexical(path.as_os_str().as_bytes());
        entries.push(Entry { path, attributes: Attributes::root(0o644, 0), node });
    }
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").to_owned()
}
