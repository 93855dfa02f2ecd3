//! What other builders' caches get wrong.

use crate::fresh::{PROGRAMS, setting};
use crate::traffic::Traffic;

const PUSH: &[&str] = &["--push", "-t", "REGISTRY/team/app:1"];

/// What a build on a fresh machine takes from the registry: `(records that it adds, digest)`.
fn built(setting: &crate::setting::Setting, machine: &str, more: &[&str]) -> (usize, String) {
    setting.forget();
    let digest = setting.build_elsewhere(machine, &[PUSH, more].concat());
    (Traffic::of(setting).records_up(), digest)
}

#[test]
fn a_miss_early_in_a_stage_does_not_disable_later_hits() {
    let setting = setting();
    setting.dockerfile("RUN mkdir /one\nCOPY src /src\nRUN mkdir /two\n");
    let (_, digest) = built(&setting, "one", &[]);
    // The same is done in other words.
    setting.dockerfile("RUN mkdir   /one\nCOPY src /src\nRUN mkdir /two\n");
    let (records, other) = built(&setting, "two", &[]);
    assert_eq!(records, 1, "the step with other words");
    let layers = |digest: &str| {
        setting.answer(&[
            "inspect",
            "-f",
            "{{range .RootFS.Layers}}{{.}} {{end}}",
            &format!("docker://REGISTRY/team/app@{digest}"),
        ])
    };
    assert_eq!(layers(&digest), layers(&other));
}

#[test]
fn arguments_count_where_they_are_used_and_only_there() {
    let setting = setting();
    setting.dockerfile(
        "COPY first.txt /\nARG WHO=me\nCOPY src /src\nLABEL who=$WHO\nRUN mkdir /$WHO\n",
    );
    let (_, digest) = built(&setting, "one", &[]);
    let (records, other) = built(&setting, "two", &["--build-arg=WHO=you"]);
    assert_eq!(records, 1, "the command that has it in its environment");
    assert_ne!(digest, other);
    let (records, again) = built(&setting, "three", &["--build-arg=WHO=me"]);
    assert_eq!((records, again), (0, digest), "its default, given");
}

#[test]
fn names_and_contents_are_not_confused() {
    let setting = setting();
    setting.dockerfile("COPY src /src\n");
    setting.file("src/a.py", "b");
    setting.file("src/c", "d");
    let (_, first) = built(&setting, "one", &[]);
    // A rename; and what was at the end of one file at the beginning of the next.
    for (path, text) in [("src/c", "bd"), ("src/a.py", "")] {
        setting.file(path, text);
    }
    let (records, moved) = built(&setting, "two", &[]);
    assert_eq!(records, 1);
    assert_ne!(first, moved);
    std::fs::rename(setting.path("src/c"), setting.path("src/cb")).unwrap();
    setting.file("src/cb", "d");
    let (records, renamed) = built(&setting, "three", &[]);
    assert_eq!(records, 1);
    assert_ne!(moved, renamed);
    std::fs::rename(setting.path("src/cb"), setting.path("src/c")).unwrap();
    setting.file("src/c", "d");
    setting.file("src/a.py", "b");
    assert_eq!(built(&setting, "four", &[]), (0, first));
}

#[test]
fn a_mode_counts_and_a_time_does_not() {
    use std::os::unix::fs::PermissionsExt;
    let setting = setting();
    setting.dockerfile("COPY src /src\n");
    let (_, first) = built(&setting, "one", &[]);
    let file = std::fs::File::open(setting.path("src/a.py")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(built(&setting, "two", &[]), (0, first.clone()));
    std::fs::set_permissions(setting.path("src/a.py"), PermissionsExt::from_mode(0o755)).unwrap();
    let (records, other) = built(&setting, "three", &[]);
    assert_eq!(records, 1);
    assert_ne!(first, other);
}

#[test]
fn another_platform_s_layer_is_never_taken() {
    let setting = setting();
    let name = setting.scene.registry.name();
    setting.file("Dockerfile", "FROM scratch\nARG TARGETARCH\nCOPY src /$TARGETARCH\n");
    let (_, amd) = built(&setting, "one", &["--platform=linux/amd64"]);
    let (records, arm) = built(&setting, "two", &["--platform=linux/arm64"]);
    assert_ne!(amd, arm);
    assert_eq!(records, 1, "{name}");
    setting.file("Dockerfile", "FROM scratch\nCOPY src /src\n");
    let (_, amd) = built(&setting, "three", &["--platform=linux/amd64"]);
    let (_, arm) = built(&setting, "four", &["--platform=linux/arm64"]);
    assert_ne!(amd, arm, "the config says for which");
}

#[test]
fn no_cache_asks_nobody_and_pull_asks_for_the_base() {
    let setting = setting();
    let (_, digest) = built(&setting, "one", &[]);
    setting.forget();
    assert_eq!(setting.build_elsewhere("two", &[PUSH, &["--no-cache"]].concat()), digest);
    let asked = setting.asked();
    assert!(asked.iter().any(|request| request.contains("/data.txt")), "{asked:?}");
    let reads = asked.iter().filter(|it| it.starts_with("GET") && it.contains("plywood-"));
    assert_eq!(reads.count(), 0, "{asked:?}");

    setting.base_with("moved", PROGRAMS);
    setting.forget();
    let (records, same) = built(&setting, "three", &[]);
    assert_eq!((records, same), (0, digest.clone()), "the lock has the base");
    let (records, other) = built(&setting, "four", &["--pull"]);
    assert_ne!(other, digest);
    assert!(records > 1, "{records}");
}

#[test]
fn what_an_address_gives_now_counts_where_nothing_is_pinned() {
    let setting = setting();
    setting.dockerfile("RUN wget -q http://WEB/data.txt -O /data.txt\n");
    let build = |machine: &str| {
        let _ = std::fs::remove_file(setting.path("plywood.lock"));
        setting.forget();
        let store = format!("--store={machine}");
        let words = ["build", "context", &store, "--push", "-t", "REGISTRY/team/app:1"];
        let ended = setting.ended(&mut setting.command(&words));
        assert!(ended.stderr.contains("nothing says which bytes"), "{}", ended.stderr);
        let was_asked = setting.web.take_asked().contains("/data.txt");
        (ended.stdout, was_asked, Traffic::of(&setting).records_up())
    };
    let (digest, ..) = build("one");
    assert_eq!(build("two"), (digest.clone(), true, 0));
    setting.web.put("/data.txt", "other\n");
    let (other, was_asked, records) = build("three");
    assert_ne!(other, digest);
    assert_eq!((was_asked, records), (true, 1));
}

#[test]
fn a_cache_of_a_build_that_broke_off_is_whole_or_absent() {
    for moment in [4, 12, 20, 28, 36, 44, 52, 60] {
        let setting = setting();
        let words = ["build", "context", "--push", "-t", "REGISTRY/team/app:1", "--store=one"];
        let mut child = setting.command(&words).spawn().unwrap();
        while setting.scene.registry.requests().len() < moment
            && child.try_wait().unwrap().is_none()
        {
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
        let (_, digest) = built(&setting, "two", &[]);
        assert_eq!(built(&setting, "three", &[]), (0, digest.clone()), "after {moment}");
        assert_eq!(setting.build_elsewhere("four", &["--no-cache"]), digest, "after {moment}");
    }
}

#[test]
fn a_recipe_s_own_repositories_are_asked_and_told() {
    let setting = setting();
    let toml = |cache: &str| {
        let name = setting.scene.registry.name();
        let text =
            format!("base = \"scratch\"\n{cache}\n[[files]]\nfrom = \"src\"\nto = \"/srv\"\n");
        setting.file("plywood.toml", &text.replace("REGISTRY", &name));
    };
    toml("cache = { to = [\"REGISTRY/team/cache\"] }");
    let (records, digest) = built(&setting, "one", &[]);
    assert_eq!(records, 1);
    let tags = setting.answer(&["ls-tags", "REGISTRY/team/cache"]);
    assert!(tags.starts_with("plywood-step-"), "{tags}");
    assert_eq!(setting.answer(&["ls-tags", "REGISTRY/team/app"]), "1");
    toml("cache = { from = [\"REGISTRY/team/cache\"] }");
    setting.forget();
    let other: &[&str] = &["--push", "-t", "REGISTRY/other/app:1", "--cache-to=none"];
    assert_eq!(setting.build_elsewhere("two", other), digest);
    assert_eq!(Traffic::of(&setting).blobs_up(), 1, "the config");
}

#[test]
fn layers_that_a_repository_has_lost_are_made_again() {
    use serve::testing::{Effect, Fault};
    let setting = setting();
    let (_, digest) = built(&setting, "one", &[]);
    assert_eq!(built(&setting, "two", &[]), (0, digest.clone()));
    // What machine two knows is that these layers were there.
    let gone = || Effect::status(404);
    for method in ["HEAD", "GET"] {
        setting.scene.registry.fault(Fault::always(method, "/v2/team/app/blobs/", gone()));
    }
    let other: &[&str] = &["--push", "-t", "REGISTRY/team/other:1", "--cache-from=none"];
    assert_eq!(setting.build_elsewhere("two", other), digest);
}

#[test]
fn without_a_network_nobody_is_asked_and_the_store_is_enough() {
    let setting = setting();
    let digest = setting.build(&["--cache-from", "REGISTRY/team/app"]);
    setting.forget();
    assert_eq!(setting.build(&["--offline", "--cache-from", "REGISTRY/team/app"]), digest);
    assert_eq!(setting.asked(), [].into());
}
