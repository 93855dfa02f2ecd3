//! A machine that knows nothing, and a registry that knows all.

use crate::setting::Setting;
use crate::traffic::Traffic;

/// What everyone builds.
const PUSH: &[&str] = &["--push", "-t", "REGISTRY/team/app:1"];

/// What the lines call.
pub(crate) const PROGRAMS: &[&str] = &["wget", "mkdir", "cp", "dash", "sha256sum"];

/// A Dockerfile with a fetched file, directories and files of the context.
pub(crate) const LINES: &str = "\
RUN wget -q http://WEB/data.txt -O /data.txt && mkdir /made && \\
    echo 'b640e840b19d378660b32fb51ae18d67dccb4a8596a29e7bd72c1b2ae5928f41  /data.txt' | sha256sum -c
WORKDIR /app
COPY first.txt ./
RUN cp first.txt /made/
COPY src src
CMD [\"main\"]";

/// A setting whose base has what the lines call.
pub(crate) fn setting() -> Setting {
    let setting = Setting::new();
    setting.base_with("programs", PROGRAMS);
    setting.dockerfile(LINES);
    setting.file("first.txt", "1\n");
    setting.file("src/a.py", "a\n");
    setting.forget();
    setting
}

#[test]
fn nothing_moves_where_nothing_changed() {
    let setting = setting();
    let digest = setting.build_elsewhere("one", PUSH);
    setting.forget();
    assert_eq!(setting.build_elsewhere("two", PUSH), digest);
    let traffic = Traffic::of(&setting);
    assert_eq!((traffic.blobs_down(), traffic.blobs_up()), (0, 0));
    assert_eq!(traffic.tagged(), [].into());
    assert_eq!(setting.web.take_asked(), [].into(), "the lock says what the address gave");
}

#[test]
fn a_touched_file_moves_its_layer_and_the_config() {
    let setting = setting();
    setting.build_elsewhere("one", PUSH);
    setting.file("src/a.py", "b\n");
    setting.forget();
    let digest = setting.build_elsewhere("two", PUSH);
    let traffic = Traffic::of(&setting);
    // What is below is told by bundles: of the base, and of four steps.
    assert!((1..=5).contains(&traffic.blobs_down()), "{}", traffic.blobs_down());
    // The layer, the config; and of the record its document and what the layer holds.
    assert_eq!(traffic.blobs_up(), 4);
    assert_eq!(traffic.records_up(), 1);
    assert_eq!(setting.web.take_asked(), [].into());
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), digest, "as if made anew");
}

#[test]
fn what_follows_a_change_is_made_anew_and_its_layers_are_the_same() {
    let setting = setting();
    setting.build_elsewhere("one", PUSH);
    setting.file("first.txt", "2\n");
    setting.forget();
    setting.build_elsewhere("two", PUSH);
    let traffic = Traffic::of(&setting);
    // Two layers with the file and the config; documents and bundles of three steps, one of which
    // has its layer there.
    assert_eq!(traffic.records_up(), 3);
    assert_eq!(setting.web.take_asked(), [].into(), "what lies below the change stays");
}

#[test]
fn another_repository_gives_and_takes() {
    let setting = setting();
    let there: &[&str] =
        &["--push", "-t", "REGISTRY/team/app:1", "--cache-to", "REGISTRY/team/cache"];
    let digest = setting.build_elsewhere("one", there);
    assert_eq!(setting.scene.registry.tag("team/app", "1").unwrap().to_string(), digest);
    assert_eq!(Traffic::of(&setting).records_up(), 6);
    // Somebody else's image, of the same: its layers are mounted.
    let from: &[&str] = &[
        "--push",
        "-t",
        "REGISTRY/other/app:1",
        "--cache-from",
        "REGISTRY/team/cache",
        "--cache-to=none",
    ];
    assert_eq!(setting.build_elsewhere("two", from), digest);
    let traffic = Traffic::of(&setting);
    assert_eq!((traffic.blobs_down(), traffic.records_up()), (0, 0));
    assert_eq!(traffic.blobs_up(), 1, "the config");
}

#[test]
fn nobody_is_asked_who_was_not_named() {
    let setting = setting();
    setting.build_elsewhere("one", PUSH);
    setting.forget();
    setting.build_elsewhere("two", &["-t", "REGISTRY/team/app:1"]);
    let asked = setting.asked();
    assert!(asked.iter().all(|request| !request.contains("team/app")), "{asked:?}");
}

#[test]
fn a_repository_that_fails_is_no_failure() {
    use serve::testing::{Effect, Fault};
    let setting = setting();
    let path = "/v2/team/cache/manifests/";
    setting.scene.registry.fault(Fault::always("GET", path, Effect::status(403)));
    setting.scene.registry.fault(Fault::always("PUT", path, Effect::status(403)));
    let words = [
        "build",
        "--push",
        "-t",
        "REGISTRY/team/app:1",
        "--cache-from=REGISTRY/team/cache",
        "--cache-to=REGISTRY/team/cache",
        "context",
    ];
    let ended = setting.ended(&mut setting.command(&words));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let warnings = ended.stderr.matches("warning").count();
    assert_eq!(warnings, 2, "once for reading, once for writing:\n{}", ended.stderr);
    assert!(setting.scene.registry.tag("team/app", "1").is_some());
}

#[test]
fn stages_are_built_together_and_copied_from_without_a_look() {
    let setting = setting();
    let name = setting.scene.registry.name();
    setting.dockerfile(&format!(
        "RUN mkdir /out && cp /etc/mark /out/\nCOPY src /out/src\nFROM {name}/base:python\n\
         COPY --from=0 /out /app\n"
    ));
    let digest = setting.build_elsewhere("one", PUSH);
    setting.forget();
    assert_eq!(setting.build_elsewhere("two", PUSH), digest);
    let traffic = Traffic::of(&setting);
    assert_eq!((traffic.blobs_down(), traffic.blobs_up()), (0, 0));
}

#[test]
fn several_platforms_have_records_of_their_own() {
    let setting = setting();
    setting.dockerfile("FROM scratch\nWORKDIR /app\nCOPY src src\n");
    let both: &[&str] =
        &["--platform=linux/amd64,linux/arm64", "--push", "-t", "REGISTRY/team/app:1"];
    let index = setting.build_elsewhere("one", both);
    setting.forget();
    let arm: &[&str] = &["--platform=linux/arm64", "--push", "-t", "REGISTRY/team/app:arm"];
    let digest = setting.build_elsewhere("two", arm);
    assert_ne!(index, digest);
    let shown =
        setting.answer(&["inspect", "-f", "{{.Architecture}}", "docker://REGISTRY/team/app:arm"]);
    assert_eq!(shown, "arm64");
}

#[test]
fn a_plan_says_what_a_node_pulls() {
    let setting = setting();
    setting.build_elsewhere("one", PUSH);
    setting.file("src/a.py", "b\n");
    let store = setting.elsewhere("one");
    let plan = [&["plan", "context", &store], PUSH].concat();
    let shown = setting.answer(&plan);
    assert_eq!(
        shown.lines().last().unwrap().trim(),
        "5 of 6 layers are those of 127.0.0.1:00000/team/app:1; a node that has it pulls 0B, and 1 \
         layer still to be built, of 17B before compression"
    );
    let json = setting.answer(&[&plan[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let shared = &json["platforms"][0]["shared"][0];
    assert_eq!((&shared["layers"], &shared["shared"]), (&6.into(), &5.into()), "{shared}");
}
