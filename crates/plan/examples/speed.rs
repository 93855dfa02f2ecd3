//! How long the last round of planning takes: everything is known, and `COPY . /app` becomes a
//! layer. `cargo run --release -p plan --example speed [FILES]`
#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program to look at

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use context::{Context, Kind, Verdict};
use layer::{Content, Packing};
use oci::Platform;
use plan::{ContextName, Facts, Outcome, Request};

fn main() {
    let files = std::env::args().nth(1).map_or(50_000, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    for number in 0..files {
        let below =
            directory.path().join(format!("package{}/module{}", number / 1000, number / 50));
        if number % 50 == 0 {
            std::fs::create_dir_all(&below).unwrap();
        }
        std::fs::write(below.join(format!("source-file-{number}.py")), b"").unwrap();
    }
    let context = Context::directory(directory.path()).unwrap();
    let listing = context.list(&|_, _| Verdict::Keep, NonZeroUsize::MIN).unwrap();
    let digest = |path: &oci::ImagePath| Content::of(path.as_bytes());
    let is_file = |kind: &Kind| matches!(kind, Kind::File { .. });
    let contents = listing.iter().filter(|listed| is_file(&listed.kind));
    let contents = contents.map(|listed| (listed.path.clone(), digest(&listed.path))).collect();
    let mut facts = Facts::default();
    facts.contents.insert(ContextName::Main, contents);
    facts.listings.insert(ContextName::Main, Arc::new(listing));
    let parsed = recipe::parse_dockerfile("FROM scratch\nWORKDIR /app\nCOPY . .\n").unwrap();
    let (arguments, labels) = (BTreeMap::new(), BTreeMap::new());
    let request = Request {
        recipe: &parsed.recipe,
        name: "Dockerfile",
        text: "",
        target: None,
        platform: Platform::linux("amd64"),
        build_platform: Platform::linux("amd64"),
        build_args: &arguments,
        labels: &labels,
        timestamp: 0,
        created: "1970-01-01T00:00:00Z",
        packing: Packing::default(),
    };
    let mut times: Vec<_> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let outcome = plan::plan(&request, &facts).unwrap();
            let took = start.elapsed();
            assert!(matches!(outcome, Outcome::Ready(_)));
            took
        })
        .collect();
    times.sort();
    println!("{files} files: {:?} (median), {:?} (best)", times[4], times[0]);
}
