//! Layers that are spliced out of wheels' own streams, read by everybody who reads layers.

use std::fs;
use std::path::{Path, PathBuf};

use oci::Digest;
use serde_json::Value;
use testbed::base;
use testbed::buildah::Driver;
use testbed::{
    Buildah, Comparison, Failure, House, Registry, Result, Side, Skopeo, crun, program, run, stdout,
};

use super::{Image, Order};

const IMPORTED: &str = "import flask, numpy, pandas, pyarrow; print(numpy.arange(4).sum())";

/// An image of large spliced layers and of shared ones, few enough to be copied about.
fn image() -> Result<Image> {
    let order = Order::pinned(base::usr_local_python()?, House::listed("benchmark")?)
        .command(&["python3", "-c", IMPORTED]);
    order.image_by("max-layers = 6", run)
}

#[test]
fn every_runtime_reads_the_layers() -> Result {
    let image = image()?;
    let layers = image.layers()?;
    let members: Vec<_> = layers.iter().map(|layer| members(layer)).collect();
    assert!(members.len() > 4 && members[1..].iter().all(|count| *count > 50), "{members:?}");

    let digests: Vec<_> = layers.iter().map(|layer| digest_in(layer)).collect();
    let diff_ids = image.diff_ids()?;
    for decompress in ["gzip", "pigz"] {
        let recomputed: Result<Vec<_>> =
            layers.iter().map(|layer| decompressed(decompress, layer)).collect();
        assert_eq!(recomputed?, diff_ids, "{decompress}");
    }
    copied_by_skopeo(&image, &digests, &diff_ids)?;

    let bundle = image.unpacked()?;
    let umoci = Side::read("umoci", &bundle.root())?;
    unpacked_by_tar(&layers, &umoci)?;
    unpacked_by_python(&layers, &digests, &diff_ids, &umoci)?;
    mounted_by_buildah(&image, &umoci)?;
    assert_eq!(crun::run(&bundle.path(), "plywood-python-readers")?, "6\n");
    Ok(())
}

/// How many gzip members (RFC 1952, 2.2) a file seems to have, by their first bytes.
fn members(layer: &Path) -> usize {
    let bytes = fs::read(layer).unwrap();
    bytes.windows(4).filter(|start| *start == [0x1f, 0x8b, 8, 0]).count()
}

/// What a blob is called.
fn digest_in(layer: &Path) -> String {
    format!("sha256:{}", layer.file_name().unwrap().to_string_lossy())
}

/// The digest of what a program decompresses.
fn decompressed(program_name: &str, layer: &Path) -> Result<String> {
    let script = "\"$1\" --decompress --stdout < \"$2\" | sha256sum";
    let mut shell = program("sh");
    let sum = stdout(shell.args(["-euc", script, "sh", program_name]).arg(layer))?;
    Ok(format!("sha256:{}", sum.split_whitespace().next().unwrap_or_default()))
}

/// skopeo checks digests when it copies, and names layers by what it decompresses.
fn copied_by_skopeo(image: &Image, digests: &[String], diff_ids: &[String]) -> Result {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy");
    Skopeo::copy(&image.place(), &format!("dir:{}", copy.display()))?;
    let copied: Vec<_> =
        digests.iter().map(|digest| file_digest(&copy.join(hex(digest)))).collect();
    assert_eq!(copied, digests);
    fs::remove_dir_all(copy).unwrap();

    let archive = directory.path().join("docker.tar");
    Skopeo::copy(&image.place(), &format!("docker-archive:{}:x:1", archive.display()))?;
    let mut tar = program("tar");
    let manifest = stdout(
        tar.args(["--extract", "--to-stdout", "--file"]).arg(&archive).arg("manifest.json"),
    )?;
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let named: Vec<_> = strings(&manifest[0]["Layers"])
        .map(|name| format!("sha256:{}", name.trim_end_matches(".tar")))
        .collect();
    assert_eq!(named, diff_ids);
    Ok(())
}

fn hex(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}

fn file_digest(path: &Path) -> String {
    Digest::of(&fs::read(path).unwrap()).to_string()
}

fn strings(array: &Value) -> impl Iterator<Item = String> {
    array.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned))
}

/// GNU tar over gzip, layer by layer.
fn unpacked_by_tar(layers: &[PathBuf], umoci: &Side) -> Result {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    for layer in layers {
        let mut tar = program("tar");
        tar.args(["--extract", "--gzip", "--numeric-owner", "--same-owner"]);
        tar.args(["--preserve-permissions", "--keep-directory-symlink", "--file"]).arg(layer);
        run(tar.arg("--directory").arg(&root))?;
    }
    Comparison::of(&Side::read("GNU tar", &root)?, umoci).demand_equal()
}

/// Python's `gzip` and `tarfile`, which know nothing of others' digests.
fn unpacked_by_python(
    layers: &[PathBuf],
    digests: &[String],
    diff_ids: &[String],
    umoci: &Side,
) -> Result {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let mut python = program("python3");
    python.args(["-c", include_str!("unpack.py")]).arg(&root).args(layers);
    let computed: Value =
        serde_json::from_str(&stdout(&mut python)?).map_err(Failure::doing("read JSON"))?;
    assert_eq!(strings(&computed["digests"]).collect::<Vec<_>>(), digests);
    assert_eq!(strings(&computed["diff_ids"]).collect::<Vec<_>>(), diff_ids);
    Comparison::of(&Side::read("Python", &root)?, umoci).demand_equal()
}

/// buildah, whose storage is that of podman, gets it from a registry.
fn mounted_by_buildah(image: &Image, umoci: &Side) -> Result {
    let registry = Registry::start()?;
    Skopeo::copy(&image.place(), &registry.place("with-python:1"))?;
    let buildah = Buildah::new(Driver::Copies)?;
    let mut from = buildah.command("from");
    from.args(["--quiet", "--tls-verify=false", &registry.place("with-python:1")]);
    let container = stdout(&mut from)?;
    let mounted = stdout(buildah.command("mount").arg(container.trim()))?;
    Comparison::of(&Side::read("buildah", Path::new(mounted.trim()))?, umoci).demand_equal()
}
