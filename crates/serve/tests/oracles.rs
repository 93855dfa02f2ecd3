//! skopeo and umoci as the judges: copies in and out by the protocol, and the directory read where it
//! lies, by programs that know nothing of this one.
//!
//! Needs: skopeo, umoci.

// Clippy knows tests by their attribute, and takes what they share for a program.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use oci::{Descriptor, ImageIndex, MediaType};
use serde_json::Value;
use serve::Registry;
use tempfile::TempDir;
use testbed::{Skopeo, program, run, stdout, umoci};
use tokio::task::JoinHandle;

/// A registry over a directory.
struct Server {
    root: TempDir,
    address: String,
    task: JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let registry = Registry::in_directory(root.path()).unwrap();
        let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = tokio::spawn(serve::serve(listener, registry, std::future::pending()));
        Server { root, address, task }
    }

    fn place(&self, name: &str) -> String {
        format!("docker://{}/{name}", self.address)
    }

    fn layout(&self, name: &str) -> String {
        format!("oci:{}/{name}", self.root.path().display())
    }
}

/// A layout with an image of two layers, made by umoci.
fn sample(folder: &Path) -> String {
    let (layout, tree) = (folder.join("layout"), folder.join("tree"));
    fs::create_dir_all(tree.join("etc")).unwrap();
    fs::write(tree.join("hello"), "hello").unwrap();
    fs::write(tree.join("etc/large"), vec![b'x'; 3_000_000]).unwrap();
    umoci::create(&layout, "1", &tree, &[("--config.env", "A=b")]).unwrap();
    umoci::insert(&layout, "1", &tree, "/again").unwrap();
    format!("oci:{}:1", layout.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_copies_in_and_out() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let source = sample(folder.path());
    let bytes = Skopeo::manifest(&source).unwrap();
    Skopeo::copy(&source, &server.place("team/app:1")).unwrap();
    assert_eq!(Skopeo::manifest(&server.place("team/app:1")).unwrap(), bytes);
    // Within the registry, where it mounts, and to Docker's types.
    Skopeo::copy(&server.place("team/app:1"), &server.place("other:2")).unwrap();
    let docker = ["copy", "--format", "v2s2", "--dest-tls-verify=false", "--src-tls-verify=false"];
    let places = [server.place("other:2"), server.place("other:docker")];
    run(program("skopeo").args(docker).args(&places)).unwrap();
    let back = folder.path().join("back");
    Skopeo::copy_to_layout(&server.place("other:2"), &back, "1").unwrap();
    assert_eq!(Skopeo::manifest(&format!("oci:{}:1", back.display())).unwrap(), bytes);
    let tags = Skopeo::inspect(&server.place("other:docker")).unwrap()["RepoTags"].clone();
    assert_eq!(tags, serde_json::json!(["2", "docker"]));
    let delete = ["delete", "--tls-verify=false", &server.place("other:2")];
    run(program("skopeo").args(delete)).unwrap();
    let list = ["list-tags", "--tls-verify=false", &server.place("other")];
    let listed: Value =
        serde_json::from_str(&stdout(program("skopeo").args(list)).unwrap()).unwrap();
    assert_eq!(listed["Tags"], serde_json::json!(["docker"]));
}

/// With the server there, and without it.
#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_read_where_it_lies() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let source = sample(folder.path());
    for name in ["app", "app/blobs", "team/app"] {
        Skopeo::copy(&source, &server.place(&format!("{name}:1"))).unwrap();
    }
    Skopeo::copy(&source, &server.place("app:2")).unwrap();
    let bytes = Skopeo::manifest(&source).unwrap();
    assert_eq!(Skopeo::manifest(&server.layout("app:1")).unwrap(), bytes);
    server.task.abort();
    for place in ["app:1", "app:2", "app/blobs_:1", "team/app:1"] {
        assert_eq!(Skopeo::manifest(&server.layout(place)).unwrap(), bytes, "{place}");
    }
    let layout = server.root.path().join("app");
    let names = stdout(program("umoci").args(["list", "--layout"]).arg(&layout)).unwrap();
    assert_eq!(names, "1\n2\n");
    let bundle = folder.path().join("bundle");
    umoci::unpack(&layout, "1", &bundle).unwrap();
    assert_eq!(fs::read_to_string(bundle.join("rootfs/hello")).unwrap(), "hello");
    assert_eq!(fs::metadata(bundle.join("rootfs/again/etc/large")).unwrap().len(), 3_000_000);
}

/// What skopeo wrote into a directory is served from there: an image, and an index whose images are
/// listed in it alone.
#[tokio::test(flavor = "multi_thread")]
async fn layouts_of_others_are_served() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let source = sample(folder.path());
    Skopeo::copy(&source, &server.place("app:1")).unwrap();
    push_index(&server, &Skopeo::manifest(&source).unwrap()).await;
    for tag in ["1", "multi"] {
        copy_all(&server.place(&format!("app:{tag}")), &server.layout(&format!("theirs:{tag}")));
        let back = format!("oci:{}/back:{tag}", folder.path().display());
        copy_all(&server.place(&format!("theirs:{tag}")), &back);
        copy_all(&server.place(&format!("theirs:{tag}")), &server.place(&format!("again:{tag}")));
        let ours = Skopeo::manifest(&server.place(&format!("app:{tag}"))).unwrap();
        assert_eq!(Skopeo::manifest(&back).unwrap(), ours, "{tag}");
    }
}

fn copy_all(source: &str, destination: &str) {
    let all = ["copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"];
    run(program("skopeo").args(all).args([source, destination])).unwrap();
}

/// An index `app:multi` of the one image that is there.
async fn push_index(server: &Server, manifest: &str) {
    let manifest = Descriptor {
        platform: Some("linux/amd64".parse().unwrap()),
        ..Descriptor::of(MediaType::OciManifest, manifest.as_bytes())
    };
    let index = ImageIndex::new(vec![manifest], Default::default());
    let url = format!("http://{}/v2/app/manifests/multi", server.address);
    let put = reqwest::Client::builder().no_proxy().build().unwrap().put(url);
    let put = put.header("content-type", index.media_type().as_str());
    let answer = put.body(index.bytes().to_vec()).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
}
