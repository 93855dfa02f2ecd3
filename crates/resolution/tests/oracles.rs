//! Source distributions, built by pip.
//!
//! Needs: python3.
//!
//! With its pip, which Debian has in a package of its own.

#![allow(clippy::unwrap_used)] // A test may.

#[path = "resolving/ask.rs"]
#[allow(dead_code)]
mod ask;
#[path = "resolving/index.rs"]
#[allow(dead_code)]
mod index;
#[path = "resolving/wheel.rs"]
#[allow(dead_code)]
mod wheel;

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use index::{Format, Index};
use python::SourceBuilds;
use resolution::{Fetcher, HostBuilder, Tool};
use testbed::Oracle;

/// A build system that is in the archive, so that nothing has to be downloaded.
const PYPROJECT: &str =
    "[build-system]\nrequires = []\nbuild-backend = \"make\"\nbackend-path = [\".\"]\n";

fn backend(tags: &str) -> String {
    format!(
        "import zipfile\n\
         def build_wheel(directory, config_settings=None, metadata_directory=None):\n\
         \x20   name = 'pure-2-{tags}.whl'\n\
         \x20   with zipfile.ZipFile(directory + '/' + name, 'w') as wheel:\n\
         \x20       wheel.writestr('pure.py', '')\n\
         \x20       wheel.writestr('pure-2.dist-info/METADATA', \
         'Metadata-Version: 2.1\\nName: pure\\nVersion: 2\\nRequires-Dist: deep\\n')\n\
         \x20       wheel.writestr('pure-2.dist-info/WHEEL', \
         'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {tags}\\n')\n\
         \x20       wheel.writestr('pure-2.dist-info/RECORD', '')\n\
         \x20   return name\n"
    )
}

fn archive(tags: &str) -> Vec<u8> {
    let gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    let files = [
        ("pure-2/pyproject.toml", PYPROJECT.to_owned()),
        ("pure-2/make.py", backend(tags)),
        ("pure-2/PKG-INFO", "Metadata-Version: 2.1\nName: pure\nVersion: 2\n".to_owned()),
    ];
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    let mut bytes = archive.into_inner().unwrap().finish().unwrap();
    bytes.flush().unwrap();
    bytes
}

fn build(tags: &str, members: &[u8]) -> String {
    let source = wheel::Wheel { content: Some(archive(tags)), ..wheel::source("pure", "2") };
    let index = Index::new(Format::Json, [source, wheel::wheel("deep", "3")]);
    let asked = ask::ask(&index).want("pure").change(|r| r.builds = SourceBuilds::Host);
    let fetcher = Fetcher::new(&asked.request, &asked.network).unwrap();
    let python = Oracle::named("python3").unwrap().path().unwrap();
    let target = ask::target();
    let builder = HostBuilder {
        tool: Tool::Pip(python),
        fetcher: &fetcher,
        target: &target,
        directory: asked.directory.path().join("build"),
        members: &|_: &Path| Ok(vec![("pure.so".to_owned(), members.to_vec())]),
    };
    asked.text_with(&builder)
}

#[test]
fn pip_builds_what_has_no_wheel() {
    insta::assert_snapshot!(build("py3-none-any", b""), @r"
      deep 3 deep-3-py3-none-any.whl
    * pure 2 pure-2-py3-none-any.whl (given)
    ");
    let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 11], &[62, 0], b"\0GLIBC_2.38\0"].concat();
    insta::assert_snapshot!(build("cp311-cp311-linux_x86_64", &elf), @"error: pure 2 cannot be built: pure.so of pure-2-cp311-cp311-linux_x86_64.whl needs the symbols of glibc 2.38");
}
