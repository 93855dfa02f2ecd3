//! Images that were not built here, or not by plywood, and which images are meant.

use oci::{Descriptor, Digest, Manifest, MediaType};
use store::Store;

use crate::world::{World, told, without_digests};

/// The manifest of an image in the store.
fn manifest(store: &Store, image: &str) -> Manifest {
    let digest: Digest = image.parse().unwrap();
    let descriptor = store.image(&digest).unwrap().unwrap();
    store.read_manifest(&descriptor).unwrap()
}

/// Puts a manifest of these bytes into the store, and gives it a name.
fn add(world: &World, media_type: MediaType, bytes: &[u8], tag: &str) -> String {
    let store = world.scene.store();
    store.put(bytes).unwrap();
    let descriptor = Descriptor::of(media_type, bytes);
    store.tag(&world.scene.name(tag), &descriptor).unwrap();
    descriptor.digest.to_string()
}

#[test]
fn only_the_manifest_s_form() {
    let world = World::new();
    let built = world.build(&[]);
    let bytes = manifest(&world.scene.store(), &built).bytes().to_vec();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let docker = text
        .replace(
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        )
        .replace(
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.docker.container.image.v1+json",
        )
        .replace(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        );
    let docker = add(&world, MediaType::DockerManifest, docker.as_bytes(), "docker:1");
    assert_eq!(
        told(&world.why(&[&built, &docker])),
        [
            "certain form changed media types: mediaType, config.mediaType, layers.mediaType 0, layers.mediaType 1, layers.mediaType 2, layers.mediaType 3, layers.mediaType 4, layers.mediaType 5"
        ]
    );
    // The same document with its keys in another order.
    let sorted =
        serde_json::to_vec_pretty(&serde_json::from_slice::<serde_json::Value>(&bytes).unwrap());
    let sorted = add(&world, MediaType::OciManifest, &sorted.unwrap(), "sorted:1");
    assert_eq!(
        told(&world.why(&[&built, &sorted])),
        ["certain form changed the manifest's JSON: form"]
    );
}

/// The record of the old image, as another version or epoch would have left it.
fn with_record(change: impl Fn(&str) -> String) -> Vec<String> {
    let world = World::new();
    let old = world.build(&[]);
    world.file("app/views.py", "other\n");
    let new = world.build(&[]);
    let store = world.scene.store();
    let fact = |image: &str| {
        let bytes = store.fact("build", &image.parse().unwrap()).unwrap().unwrap();
        String::from_utf8(bytes).unwrap()
    };
    // As if it had been built of the same files.
    let (before, after) = (Digest::of(b"views\n"), Digest::of(b"other\n"));
    let (inputs, rest) =
        fact(&old).split_once("\"stages\"").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let inputs = inputs.replace(&before.to_string(), &after.to_string());
    let record = change(&format!("{inputs}\"stages\"{rest}"));
    store.record_fact("build", &old.parse().unwrap(), record.as_bytes()).unwrap();
    drop(store);
    told(&world.why(&[&old, &new]))
}

#[test]
fn another_plywood() {
    let version = format!("\"plywood\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let said = with_record(|record| record.replace(&version, "\"plywood\":\"0.0.1\""));
    assert_eq!(said, ["certain plywood changed plywood: [COPY app] changed"]);
    let said = with_record(|record| record.replace("\"epoch\":2", "\"epoch\":0"));
    assert_eq!(said, ["certain format-epoch changed format epoch: [COPY app] changed"]);
}

#[test]
fn what_nothing_explains_is_said_so() {
    assert_eq!(with_record(str::to_owned), ["unexplained: [COPY app] changed"]);
    let other_form = |record: &str| record.replace("\"format\":1", "\"format\":99");
    assert_eq!(with_record(other_form), [""; 0], "a record of another form is none");
}

/// Layers that were only ever referenced, and of which nobody knows what is in them: what remains is
/// which files the instructions can take.
#[test]
fn layers_that_are_not_at_hand() {
    let world = World::new();
    let old = world.build(&[]);
    world.file("app/views.py", "others\n");
    world.file("tools/run", "2\n");
    let new = world.build(&[]);
    let store = world.scene.store();
    for image in [&old, &new] {
        let digest: Digest = image.parse().unwrap();
        let bytes = store.fact("build", &digest).unwrap().unwrap();
        let mut record: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        for layer in record["layers"].as_array_mut().unwrap() {
            layer.as_object_mut().unwrap().remove("files");
        }
        store.record_fact("build", &digest, record.to_string().as_bytes()).unwrap();
        let Manifest::Image(manifest) = manifest(&store, image) else { panic!("an index") };
        for layer in manifest.layers() {
            let blob = world.scene.path("store/blobs/sha256").join(layer.digest.hex());
            let _ = std::fs::remove_file(blob);
        }
    }
    let _ = std::fs::remove_dir_all(world.scene.path("store/plywood/records/layer-index"));
    assert_eq!(
        told(&world.why(&[&old, &new])),
        [
            "certain file changed app/views.py: [COPY app] changed",
            "certain file changed tools/run: [COPY --chmod=755] changed",
        ]
    );
}

#[test]
fn images_without_records() {
    let world = World::new();
    let old = world.build(&["--push"]);
    world.file("app/views.py", "others\n");
    world.mode("tools/run", 0o755);
    world.edit("ENV RELEASE", "ENV MORE");
    world.edit("--chmod=755 ", "");
    let new = world.build(&["--push"]);
    world.scene.answer(&["prune", "--all"]);
    let (old, new) =
        (format!("docker://REGISTRY/app@{old}"), format!("docker://REGISTRY/app@{new}"));
    let text = world.scene.answer(&["why", &old, &new]);
    insta::assert_snapshot!(without_digests(&text), @"
    the images differ in 2 layers and 3 keys of the config; what went into them is not known

    linux/amd64: DIGEST -> DIGEST
      layer 1   COPY --chmod=755 files /                      stays         379B
      layer 2   WORKDIR /srv                                  stays         89B
      layer 3   COPY requirements.txt ./                      stays         114B
      layer 4   COPY app /srv/app                             changed       169B -> 176B
      layer 5   RUN sed 's/x/y/' /srv/app/main.py > /srv/co…  stays         109B
      layer 6   COPY tools /srv/tools                         changed       159B -> 162B
      config    config.Env MORE: nothing -> 1
      config    config.Env RELEASE: 1 -> nothing
      config    history
      file      /srv/app/views.py: content
      file      /srv/tools/stop: permissions
    4 layers in common, 2 layers not (338B)
    ");
}

#[test]
fn the_build_before() {
    let world = World::new();
    insta::assert_snapshot!(world.scene.refusal(&["why", "sha256:12"]), @"
    exit 5
    error: failed to find the image `sha256:12` in `HOME/store`
    hint: there is REGISTRY/base:1
    ");
    world.build(&[]);
    insta::assert_snapshot!(world.scene.refusal(&["why", "REGISTRY/app:1"]), @"
    exit 5
    error: failed to find an earlier build of `REGISTRY/app:1`
    hint: name two images: `plywood why OLD NEW`
    ");
    world.build(&[]);
    world.file("app/views.py", "others\n");
    world.build(&[]);
    let said = ["certain file changed app/views.py: [COPY app] changed"];
    assert_eq!(told(&world.why(&[])), said);
    assert_eq!(told(&world.why(&["REGISTRY/app:1"])), said);
    // Another project's build comes between.
    world.base("2", "two");
    assert_eq!(told(&world.why(&["REGISTRY/app:1"])), said);
    assert_eq!(
        told(&world.why(&[])),
        ["certain file changed files/etc/release: [COPY --chmod=755] changed",]
    );
    world.build(&[]);
    insta::assert_snapshot!(without_digests(&world.scene.answer(&["why"])), @"
    nothing changed: both are sha256:DIGEST
    an earlier build made another: `plywood why DIGEST DIGEST`
    ");
}
