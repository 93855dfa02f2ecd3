//! The commands around a build, each run as a user runs it: what it answers, what it says, how it
//! ends, and what moved.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod hosts;
mod remote;
mod scene;
mod serving;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use scene::{Scene, image, index};
use serde_json::Value;
use serve::testing::{Behaviour, Effect, Fault, TestDoor};
use testbed::files;

const OWN: &str = "linux/amd64";

/// A scene whose store has the image `REGISTRY/app:1`.
fn with_app() -> (Scene, String) {
    let scene = Scene::new();
    let app = image(&scene.store(), "app", OWN);
    scene.store().tag(&scene.name("app:1"), &app).unwrap();
    (scene, format!("{}\n", app.digest))
}

/// A scene whose registry has the index `REGISTRY/multi:1` and whose store is empty.
fn with_index() -> (Scene, String) {
    let scene = Scene::new();
    let multi = index(&scene.store(), "multi");
    scene.store().tag(&scene.name("multi:1"), &multi).unwrap();
    scene.answer(&["push", "REGISTRY/multi:1"]);
    scene.answer(&["prune", "--all"]);
    scene.registry.take_requests();
    (scene, format!("{}\n", multi.digest))
}

#[test]
fn images_are_listed_in_docker_s_columns() {
    let scene = Scene::new();
    let store = scene.store();
    store.tag(&"team/app:1".parse().unwrap(), &image(&store, "app", OWN)).unwrap();
    store.tag(&"tool".parse().unwrap(), &image(&store, "tool", OWN)).unwrap();
    store.add(&image(&store, "lost", OWN)).unwrap();
    insta::assert_snapshot!(scene.answer(&["images"]), @"
    REPOSITORY   TAG       IMAGE ID       CREATED   SIZE
    tool         latest    553f48a16ac4   N/A       468B
    team/app     1         182ba5703822   N/A       465B
    <none>       <none>    d41865624327   N/A       468B
    ");
    insta::assert_snapshot!(scene.answer(&["images", "--format", "{{.Repository}}:{{.Tag}}"]), @"
    tool:latest
    team/app:1
    <none>:<none>
    ");
    insta::assert_snapshot!(scene.answer(&["images", "--filter", "dangling=true", "-q"]), @"d41865624327");
    insta::assert_snapshot!(
        scene.answer(&["images", "--format", "table {{.Tag}}\t{{.Platforms}}", "tool"]), @"
        TAG       PLATFORMS
        latest    linux/amd64
        ");
    let by_label = ["images", "-q", "--filter", "label=org.example.text=tool"];
    assert_eq!(scene.answer(&by_label), scene.answer(&["images", "-q", "tool:latest"]));
    let line = scene.answer(&["images", "--json", "tool"]);
    let tool: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(tool["Repository"], "tool");
}

#[test]
fn the_digest_is_the_same_everywhere() {
    let (scene, digest) = with_app();
    assert_eq!(scene.answer(&["push", "REGISTRY/app:1"]), digest);
    let at_registry = scene.registry.tag("app", "1").unwrap();
    assert_eq!(format!("{at_registry}\n"), digest);
    assert_eq!(scene.answer(&["images", "--digests", "--format", "{{.Digest}}"]), digest);
    assert_eq!(scene.answer(&["inspect", "-f", "{{.Id}}", "REGISTRY/app:1"]), digest);
    assert_eq!(scene.answer(&["inspect", "-f", "{{.Id}}", "docker://REGISTRY/app:1"]), digest);
    scene.answer(&["rmi", "REGISTRY/app:1"]);
    assert_eq!(scene.answer(&["pull", "REGISTRY/app:1"]), digest);
    scene.changes();
    assert_eq!(scene.answer(&["pull", "REGISTRY/app:1"]), digest);
    assert_eq!(scene.changes(), [""; 0], "a HEAD is enough to see that nothing is new");
}

#[test]
fn a_push_moves_only_what_is_missing() {
    let (scene, _) = with_app();
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.changes();
    scene.answer(&["push", "REGISTRY/app:1"]);
    assert_eq!(scene.changes(), [""; 0], "nothing is sent twice");
    scene.answer(&["tag", "REGISTRY/app:1", "REGISTRY/copy:1"]);
    scene.answer(&["push", "REGISTRY/copy:1"]);
    insta::assert_snapshot!(scene.changes().join("\n"), @"
    POST /v2/copy/blobs/uploads/?mount 201
    POST /v2/copy/blobs/uploads/?mount 201
    POST /v2/copy/blobs/uploads/?mount 201
    PUT /v2/copy/manifests/1 201
    ");
}

#[test]
fn a_pull_brings_one_platform_and_a_push_of_it_the_rest() {
    let (scene, digest) = with_index();
    let pull = ["pull", "--platform", "linux/arm64", "REGISTRY/multi:1"];
    assert_eq!(scene.answer(&pull), digest);
    assert_eq!(scene.downloads(), 3, "a config and two layers");
    insta::assert_snapshot!(
        scene.answer(&["images", "--format", "{{.Repository}} {{.Platforms}}"]), @"REGISTRY/multi linux/arm64");
    let architecture = ["inspect", "-f", "{{.Architecture}} {{.Platforms}}", "REGISTRY/multi:1"];
    insta::assert_snapshot!(scene.answer(&architecture), @"arm64 [linux/amd64 linux/arm64]");
    // The other platform's layers are known to be in the registry, and are mounted.
    scene.answer(&["tag", "REGISTRY/multi:1", "REGISTRY/again:1"]);
    assert_eq!(scene.answer(&["push", "REGISTRY/again:1"]), digest);
    assert_eq!(scene.downloads(), 0);
    // To another registry they go without a stop in the store.
    let other = Scene::new();
    let elsewhere = format!("{}/multi:1", other.registry.name());
    scene.answer(&["tag", "REGISTRY/multi:1", &elsewhere]);
    scene.answer(&["push", &elsewhere]);
    assert_eq!(format!("{}\n", other.registry.tag("multi", "1").unwrap()), digest);
    assert_eq!(scene.downloads(), 2, "the config and the layer that the store lacks");
}

#[test]
fn what_does_not_exist_is_named_with_what_does() {
    let (scene, _) = with_index();
    insta::assert_snapshot!(scene.refusal(&["pull", "REGISTRY/multi:2"]), @"
    exit 5
    error: failed to find `REGISTRY/multi:2` in the registry
    hint: check the name and the tag; the registry lists the tags that exist
    ");
    insta::assert_snapshot!(
        scene.refusal(&["pull", "--platform", "linux/riscv64", "REGISTRY/multi:1"]), @"
        exit 5
        error: failed to find linux/riscv64 in `REGISTRY/multi:1`
        hint: there is linux/amd64, linux/arm64
        ");
    scene.store().tag(&scene.name("app:1"), &image(&scene.store(), "app", OWN)).unwrap();
    insta::assert_snapshot!(scene.refusal(&["push", "REGISTRY/ap:1"]), @"
    exit 5
    error: failed to find the image `REGISTRY/ap:1` in `HOME/store`
    hint: there is REGISTRY/app:1
    ");
    insta::assert_snapshot!(scene.refusal(&["history", "0123abcd"]), @"
    exit 5
    error: failed to find the image `0123abcd:latest` in `HOME/store`
    hint: there is REGISTRY/app:1
    ");
    insta::assert_snapshot!(scene.refusal(&["load", "-i", "none.tar"]), @"
    exit 4
    error: failed to read `none.tar`: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(scene.refusal(&["copy", "oci:none", "store:a"]), @"
    exit 4
    error: failed to open `none/oci-layout`: entity not found
    ");
}

#[test]
fn damaged_bytes_do_not_come_in() {
    let (scene, _) = with_index();
    scene.registry.fault(Fault::always("GET", "/blobs/", Effect::Corrupt));
    let before = files(&scene.path("store/blobs"));
    let refusal = scene.refusal(&["pull", "--platform", "linux/amd64", "REGISTRY/multi:1"]);
    assert!(refusal.starts_with("exit 9\nerror: failed to GET http://REGISTRY/v2/multi/blobs/"));
    assert!(
        refusal.ends_with("hint: what the registry holds is damaged; push it there again\n"),
        "{refusal}"
    );
    assert_eq!(scene.answer(&["images", "-q"]), "");
    scene.answer(&["prune"]);
    assert_eq!(files(&scene.path("store/blobs")), before);
    assert_eq!(files(&scene.path("store/plywood/scratch")), [""; 0]);
}

#[test]
fn inspect_says_what_docker_says() {
    let (scene, _) = with_app();
    let text = scene.answer(&["inspect", "REGISTRY/app:1"]);
    let list: Value = serde_json::from_str(&text).unwrap();
    let app = &list[0];
    assert_eq!(app["RepoTags"], serde_json::json!(["REGISTRY/app:1"]));
    assert_eq!(app["Config"]["Env"], serde_json::json!(["A=b"]));
    assert_eq!(app["Config"]["Cmd"], Value::Null);
    assert_eq!(app["RootFS"]["Layers"].as_array().unwrap().len(), 2);
    let id = scene.answer(&["images", "-q"]);
    let by_id = ["inspect", "--format", "{{index .Config.Labels \"org.example.text\"}}", id.trim()];
    assert_eq!(scene.answer(&by_id), "app\n");
    let raw = scene.answer(&["inspect", "--raw", "REGISTRY/app:1"]);
    assert_eq!(format!("{}", oci::Digest::of(raw.as_bytes())), app["Id"]);
    let config = scene.answer(&["inspect", "--raw", "--config", "REGISTRY/app:1"]);
    assert_eq!(format!("{}", oci::Digest::of(config.as_bytes())), app["ConfigDigest"]);
    insta::assert_snapshot!(
        scene.refusal(&["inspect", "-f", "{{.Config.Labls}}", "REGISTRY/app:1"]), @"
        exit 2
        error: the template asks for `.Labls`, and `.Config` has none
        hint: did you mean `.Labels`?
        ");
}

#[test]
fn history_is_newest_first() {
    let (scene, _) = with_app();
    // Comments, which these instructions do not have, come last.
    let table = scene.answer(&["history", "REGISTRY/app:1"]);
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(table.join("\n"), @"
    IMAGE          CREATED   CREATED BY                                      SIZE      COMMENT
    182ba5703822   N/A       COPY app /app # and a comment that goes on a…   19B
    <missing>      N/A       ENV A=b                                         0B
    <missing>      N/A       COPY shared /                                   6B
    ");
    let whole = ["history", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}", "REGISTRY/app:1"];
    insta::assert_snapshot!(scene.answer(&whole), @"
    19B COPY app /app # and a comment that goes on and on
    0B ENV A=b
    6B COPY shared /
    ");
}

#[test]
fn a_plan_says_which_layers_there_will_be() {
    let scene = Scene::new();
    let context = scene.path("context");
    fs::create_dir_all(context.join("src")).unwrap();
    let dockerfile = "FROM scratch\nCOPY src /app\nCOPY src/main.py \\\n  /main.py\nUSER 1\n";
    fs::write(context.join("Dockerfile"), dockerfile).unwrap();
    fs::write(context.join("src/main.py"), "1\n").unwrap();
    fs::write(context.join("src/model.bin"), vec![1; 33 << 20]).unwrap();
    insta::assert_snapshot!(scene.answer(&["plan", "--platform", OWN, "context"]), @"
    stage 0 on scratch for linux/amd64
      INSTRUCTION                                       BECOMES             LAYER KEY     CACHED        SIZE
      COPY src /app                                     files, 2 layers
        /app/main.py                                    files               779f5c5d3dec  no              2B
        /app/model.bin                                  files               b149cbec5015  no          34.6MB
      COPY src/main.py   /main.py                       files               8ad370a3d226  no              2B
      USER 1                                            metadata
    ");
    let plan = scene.answer(&["plan", "--json", "context"]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let instructions = plan["platforms"][0]["stages"][0]["instructions"].as_array().unwrap();
    let layers = instructions.iter().map(|it| it["layers"].as_array().unwrap().len());
    assert_eq!(layers.collect::<Vec<_>>(), [2, 1, 0], "{plan}");
}

#[test]
fn names_come_and_go() {
    let (scene, _) = with_app();
    scene.answer(&["tag", "REGISTRY/app:1", "app"]);
    let id = scene.answer(&["images", "-q", "app"]);
    insta::assert_snapshot!(scene.refusal(&["rmi", id.trim()]), @"
    exit 2
    error: failed to remove `182ba5703822` by its id: it has several names
    hint: remove the names one by one (REGISTRY/app:1, app:latest), or all with `--force`
    ");
    insta::assert_snapshot!(scene.answer(&["rmi", "app"]), @"Untagged: app:latest");
    insta::assert_snapshot!(scene.answer(&["rmi", id.trim()]), @"
    Untagged: REGISTRY/app:1
    Deleted: sha256:182ba5703822e25b723806a03f71749af2bee84f251f46dc00d6ddb6d023e370
    Deleted: sha256:8e1e342a2cb19ae5d2bb31db2844d0e8da53146ade141ffea37482797466e865
    Deleted: sha256:ad6c37dfc0e3b8ac887788a684dc0f9a9506aa4ae4ef10817faf7c96e3f3551f
    Deleted: sha256:a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa
    ");
    assert_eq!(scene.answer(&["images", "-q"]), "");
    assert_eq!(files(&scene.path("store/blobs")), [""; 0]);
}

#[test]
fn archives_and_layouts_keep_the_digest() {
    let (scene, digest) = with_app();
    for format in ["docker", "oci"] {
        scene.answer(&["save", "--format", format, "-o", "a.tar", "REGISTRY/app:1"]);
        scene.answer(&["rmi", "REGISTRY/app:1"]);
        assert_eq!(scene.answer(&["load", "-i", "a.tar"]), "Loaded image: REGISTRY/app:1\n");
        assert_eq!(scene.answer(&["images", "--format", "{{.Digest}}"]), digest, "{format}");
    }
    let piped = scene.command(&["save", "REGISTRY/app:1"]).output().unwrap().stdout;
    scene.answer(&["rmi", "REGISTRY/app:1"]);
    assert_eq!(scene.run_with(&["load"], &piped).stdout, "Loaded image: REGISTRY/app:1\n");
    assert_eq!(scene.answer(&["copy", "store:REGISTRY/app:1", "oci:layout"]), digest);
    assert_eq!(scene.answer(&["inspect", "-f", "{{.Id}}", "oci:layout"]), digest);
    assert_eq!(scene.answer(&["copy", "oci:layout", "REGISTRY/other:1"]), digest);
    assert_eq!(scene.answer(&["copy", "oci:layout", "docker-archive:b.tar:b"]), digest);
    assert_eq!(scene.answer(&["copy", "docker-archive:b.tar", "store:c"]), digest);
}

#[test]
fn a_copy_within_a_registry_mounts() {
    let (scene, digest) = with_index();
    assert_eq!(scene.answer(&["copy", "REGISTRY/multi:1", "REGISTRY/moved:1"]), digest);
    assert_eq!(scene.downloads(), 0);
    let one = ["copy", "--platform", "linux/arm64", "REGISTRY/multi:1", "REGISTRY/moved:arm"];
    let arm = scene.answer(&one);
    assert_ne!(arm, digest);
    assert_eq!(scene.downloads(), 0);
    let inspect = ["inspect", "-f", "{{.Architecture}} {{.Id}}", "docker://REGISTRY/moved:arm"];
    assert_eq!(scene.answer(&inspect), format!("arm64 {arm}"));
    assert_eq!(scene.answer(&["images", "-q"]), "", "the store has no part in it");
}

#[test]
fn login_keeps_what_the_registry_takes() {
    let (scene, _) = with_app();
    let door = TestDoor::Basic { user: "me".into(), password: "SECRET-3".into() };
    scene.registry.behave(Behaviour { door, ..Behaviour::default() });
    insta::assert_snapshot!(scene.refusal(&["push", "REGISTRY/app:1"]), @"
    exit 6
    error: failed to HEAD http://REGISTRY/v2/app/manifests/1: an anonymous user is not let in
    hint: log in with `plywood login REGISTRY`
    ");
    let login = ["login", "-u", "me", "--password-stdin", "REGISTRY"];
    let wrong = scene.run_with(&login, b"SECRET-guess\n");
    assert_eq!((wrong.code, wrong.stdout.as_str()), (6, ""));
    assert!(!scene.path(".docker/config.json").exists(), "what was refused is not kept");
    let right = scene.run_with(&login, b"SECRET-3\n");
    assert_eq!(right.code, 0, "{}", right.stderr);
    assert!(!format!("{right:?}").contains("SECRET-3"));
    scene.answer(&["push", "REGISTRY/app:1"]);
    scene.answer(&["logout", "REGISTRY"]);
    assert!(scene.refusal(&["push", "REGISTRY/app:1"]).starts_with("exit 6\n"));
}

#[test]
fn a_part_of_a_registry_has_a_login_of_its_own() {
    let (scene, _) = with_app();
    scene.store().tag(&scene.name("team/app:1"), &image(&scene.store(), "app", OWN)).unwrap();
    let door = TestDoor::Basic { user: "me".into(), password: "SECRET-TEAM".into() };
    scene.registry.behave(Behaviour { door, ..Behaviour::default() });
    let login = ["login", "-u", "me", "--password-stdin", "REGISTRY/team"];
    let ended = scene.run_with(&login, b"SECRET-TEAM");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    scene.answer(&["push", "REGISTRY/team/app:1"]);
    assert!(scene.refusal(&["push", "REGISTRY/app:1"]).starts_with("exit 6\n"));
    let forgotten = scene.run_with(&["logout", "--all"], b"");
    assert!(forgotten.stderr.ends_with(" forgot one credential\n"), "{}", forgotten.stderr);
    assert!(scene.refusal(&["push", "REGISTRY/team/app:1"]).starts_with("exit 6\n"));
}

#[test]
fn prune_removes_what_no_name_leads_to() {
    let (scene, _) = with_app();
    scene.store().add(&image(&scene.store(), "lost", OWN)).unwrap();
    let dry = scene.answer(&["prune", "--dry-run"]);
    assert_eq!(scene.answer(&["images", "-q"]).lines().count(), 2);
    let done = scene.answer(&["prune", "-f"]);
    assert_eq!(dry.replace("Reclaimable", "Total reclaimed"), done);
    assert_eq!(scene.answer(&["images", "-q"]).lines().count(), 1);
    assert!(scene.answer(&["prune", "--all"]).starts_with("Untagged: REGISTRY/app:1\nDeleted: "));
    assert_eq!(files(&scene.path("store/blobs")), [""; 0]);
}

#[test]
fn events_are_json_for_programs() {
    let (scene, _) = with_app();
    let ended = scene.run_with(&["--progress", "json", "push", "REGISTRY/app:1"], b"");
    let events: Vec<Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((of("started"), of("finished")), (3, 4), "{}", ended.stderr);
    let failed = scene.run_with(&["--progress", "json", "push", "REGISTRY/none"], b"");
    let event: Value = serde_json::from_str(failed.stderr.trim()).unwrap();
    assert_eq!(event["event"], "failed");
    assert_eq!(event["exit"], 5);
    assert_eq!(event["hint"], "there is REGISTRY/app:1");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let scene = Scene::new();
    let mut child = scene
        .command(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn the_command_line_is_checked_before_anything_is_done() {
    let scene = Scene::new();
    insta::assert_snapshot!(scene.refusal(&["tag", "a", "Upper"]), @"
    exit 2
    error: `TARGET`: `Upper` is not an image reference: repository names are lower-case
    hint: write `upper`
    ");
    insta::assert_snapshot!(scene.refusal(&["build", "--push", "."]), @"
    exit 2
    error: `--push` needs a name to push to
    hint: give one with `--tag REF`
    ");
    insta::assert_snapshot!(scene.refusal(&["imags"]), @"
    exit 2
    error: unrecognized subcommand 'imags'

      tip: a similar subcommand exists: 'images'

    Usage: plywood [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_eq!(files(scene.directory.path()), [""; 0]);
    let unset = scene.command(&["images"]).env_clear().output().unwrap();
    assert_eq!(unset.status.code(), Some(8));
    insta::assert_snapshot!(String::from_utf8(unset.stderr).unwrap(), @"
    error: no directory for the store: HOME is not set
    hint: set PLYWOOD_STORE, or give `--store DIR`
    ");
}

#[test]
fn completions_and_version_answer() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(scene.answer(&["completions", shell]).contains("build-arg"), "{shell}");
    }
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(scene.answer(&["version"]), format!("plywood {version}\n"));
    assert_eq!(scene.answer(&["version", "-f", "{{.Version}}"]), format!("{version}\n"));
    assert_eq!(scene.answer(&["--version"]), format!("plywood {version}\n"));
}
