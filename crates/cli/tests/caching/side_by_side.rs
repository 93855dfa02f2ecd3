//! Jobs that build the same at the same moment.

use crate::fresh::setting;
use crate::traffic::Traffic;

#[test]
fn both_succeed_and_the_cache_is_whole() {
    let setting = setting();
    for round in 0..50 {
        let text = format!("round {round}\n");
        setting.file("src/a.py", &text);
        setting.file("first.txt", &text);
        let jobs = ["one", "two"].map(|name| {
            let store = format!("--store={name}-{round}");
            let words = ["build", &store, "context", "--push", "-t", "REGISTRY/team/app:1"];
            let mut command = setting.command(&words);
            let pipe = std::process::Stdio::piped;
            command.stdout(pipe()).stderr(pipe()).spawn().unwrap()
        });
        let ended = jobs.map(|job| setting.scene.ended(&job.wait_with_output().unwrap()));
        let [one, two] = ended.map(|ended| {
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "round {round}");
            ended.stdout
        });
        assert_eq!(one, two, "round {round}");
        setting.forget();
        let push: &[&str] = &["--push", "-t", "REGISTRY/team/app:1"];
        let third = setting.build_elsewhere(&format!("three-{round}"), push);
        assert_eq!(third, one.trim_end());
        let traffic = Traffic::of(&setting);
        let moved = (traffic.blobs_down(), traffic.blobs_up(), traffic.records_up());
        assert_eq!(moved, (0, 0, 0), "round {round}: all is on record");
    }
}
