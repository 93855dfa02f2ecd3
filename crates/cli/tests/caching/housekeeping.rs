//! What is kept of builds is listed, tidied and verified: on a machine, and in a repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use oci::{Digest, Manifest, MediaType};
use serde_json::{Value, json};
use serve::testing::{Effect, Fault};

use crate::fresh::setting;
use crate::setting::Setting;
use crate::traffic::Traffic;

const PUSH: &[&str] = &["--push", "-t", "REGISTRY/team/app:1"];
const APP: &str = "REGISTRY/team/app";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A repository with six records, and a store with what they came from.
fn built() -> (Setting, String) {
    let setting = setting();
    let digest = setting.build(PUSH);
    setting.forget();
    (setting, digest)
}

/// The tags of records in the repository.
fn tags(setting: &Setting) -> BTreeSet<String> {
    let tags = setting.answer(&["ls-tags", APP]);
    tags.lines().filter(|tag| tag.starts_with("plywood-")).map(str::to_owned).collect()
}

fn manifest(setting: &Setting, tag: &str) -> Value {
    let digest = setting.scene.registry.tag("team/app", tag).unwrap();
    serde_json::from_slice(&setting.scene.registry.blob("team/app", digest).unwrap()).unwrap()
}

fn change(setting: &Setting, tag: &str, change: impl FnOnce(&mut Value)) {
    let mut value = manifest(setting, tag);
    change(&mut value);
    let manifest = Manifest::parse(value.to_string().into_bytes(), Some(&MediaType::OciManifest));
    setting.scene.registry.insert_manifest("team/app", Some(tag), &manifest.unwrap());
}

/// Says that a record was written so many days ago.
fn age(setting: &Setting, tag: &str, days: u32) {
    change(setting, tag, |manifest| {
        manifest["annotations"]["org.opencontainers.image.created"] = json!(days_ago(days));
    });
}

fn days_ago(days: u32) -> String {
    let time = jiff::Timestamp::try_from(SystemTime::now() - DAY * days).unwrap();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The records whose title begins with this.
#[track_caller]
fn titled(setting: &Setting, title: &str) -> String {
    let listed = setting.answer(&["cache", "ls", APP, "--format", "{{.Title}} {{.Tag}}"]);
    let line = listed.lines().find(|line| line.starts_with(title)).unwrap();
    line.rsplit_once(' ').unwrap().1.to_owned()
}

/// A command that ends with this code: what it said, without digests.
#[track_caller]
fn ended(setting: &Setting, words: &[&str], code: i32) -> String {
    let ended = setting.ended(&mut setting.command(words));
    assert_eq!(ended.code, code, "{}{}", ended.stdout, ended.stderr);
    without_digests(&format!("{}{}", ended.stdout, ended.stderr))
}

fn without_digests(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    let is_hex = |c: char| c.is_ascii_hexdigit();
    while let Some(at) = rest.find(is_hex) {
        plain.push_str(&rest[..at]);
        let run = rest[at..].find(|c| !is_hex(c)).map_or(rest.len() - at, |length| length);
        plain.push_str(if run >= 32 { "…" } else { &rest[at..at + run] });
        rest = &rest[at + run..];
    }
    plain + rest
}

fn files(setting: &Setting, below: &str) -> Vec<PathBuf> {
    let directory = setting.scene.path("store").join(below);
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_repository_s_records_are_listed() {
    let (setting, _) = built();
    let fields = "{{.Kind}} {{.Layers}} {{.CreatedSince}} {{.Title}}";
    let listed = setting.answer(&["cache", "ls", APP, "--format", fields]);
    let ago = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let at = words.iter().position(|word| *word == "ago").unwrap();
        [&words[..2], &words[at..]].concat().join(" ")
    };
    let mut lines: Vec<String> = listed.lines().map(ago).collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r"
    base 0 ago 127.0.0.1:00000/base:python for linux/amd64
    step 1 ago COPY first.txt ./
    step 1 ago COPY src src
    step 1 ago RUN cp first.txt /made/
    step 1 ago RUN wget -q http://127.0.0.1:11111/data.txt -O /data.txt && mkdir /made &&     echo 'b640e840b19d378660b32fb51ae18d67dcc
    step 1 ago WORKDIR /app
    ");
    let json = setting.answer(&["cache", "ls", APP, "--json"]);
    for line in json.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(record["Bytes"].as_u64().unwrap() > 500, "{line}");
        assert!(record["CreatedAt"].as_str().unwrap().ends_with('Z'), "{line}");
    }
    let table = setting.answer(&["cache", "ls", APP]);
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["TAG", "CREATED", "LAYERS", "SIZE", "TITLE"]);
    assert_eq!(
        ended(&setting, &["cache", "ls", "REGISTRY/nobody/here", "-q"], 5).lines().count(),
        1
    );
}

#[test]
fn a_store_is_listed_by_kind() {
    let (setting, _) = built();
    let listed = setting.answer(&["cache", "ls", "--format", "{{.Kind}} {{.Count}}"]);
    insta::assert_snapshot!(listed, @r"
    layers 5
    steps 5
    layer indexes 6
    texts 1
    builds 2
    other facts 6
    whereabouts 13
    other blobs 1
    ");
    let table = setting.answer(&["cache", "ls"]);
    assert!(table.starts_with("KIND "), "{table}");
    assert!(table.lines().all(|line| line.split_whitespace().count() > 3), "{table}");
}

#[test]
fn a_record_that_is_used_does_not_grow_old() {
    let (setting, digest) = built();
    for tag in tags(&setting) {
        age(&setting, &tag, 15);
    }
    let before: Vec<Value> = tags(&setting).iter().map(|tag| manifest(&setting, tag)).collect();
    // A machine that knows nothing writes them anew, and moves no blob for it.
    setting.forget();
    assert_eq!(setting.build_elsewhere("two", PUSH), digest);
    let traffic = Traffic::of(&setting);
    assert_eq!((traffic.records_up(), traffic.blobs_up(), traffic.blobs_down()), (6, 0, 0));
    for (mut old, tag) in before.into_iter().zip(tags(&setting)) {
        let new = manifest(&setting, &tag);
        let created = new["annotations"]["org.opencontainers.image.created"].clone();
        assert!(created.as_str().unwrap() > days_ago(1).as_str(), "{created}");
        old["annotations"]["org.opencontainers.image.created"] = created;
        assert_eq!(old, new, "nothing else is another");
    }
    // Nor does the machine that made them, which did not have to ask for them.
    setting.forget();
    assert_eq!(setting.build(PUSH), digest);
    assert_eq!(Traffic::of(&setting).records_up(), 0, "they are young");
    let step = titled(&setting, "COPY first.txt");
    age(&setting, &step, 15);
    // As it would be by then, nothing says that this machine was here of late.
    fs::remove_dir_all(setting.scene.path("store/plywood/records/fact-kept")).unwrap();
    setting.forget();
    setting.build(PUSH);
    assert_eq!(Traffic::of(&setting).tagged(), [step].into());
}

#[test]
fn old_records_go_and_images_stay() {
    let (setting, digest) = built();
    let (first, second) = (titled(&setting, "COPY first.txt"), titled(&setting, "COPY src"));
    age(&setting, &first, 31);
    change(&setting, &second, |manifest| {
        drop(manifest.as_object_mut().unwrap().remove("annotations"))
    });
    let prune = ["cache", "prune", APP];
    let dry = ended(&setting, &[&prune[..], &["--dry-run"]].concat(), 0);
    assert_eq!(dry.matches("Untagged: ").count(), 2, "{dry}");
    assert!(dry.ends_with("Removable: 2 of 6 records\n"), "{dry}");
    assert_eq!(tags(&setting).len(), 6);
    let done = ended(&setting, &prune, 0);
    assert_eq!(done.replace("Removed", "Removable"), dry);
    assert_eq!(tags(&setting).len(), 4);
    assert!(!tags(&setting).contains(&first));
    assert_eq!(setting.scene.registry.tag("team/app", "1").unwrap().to_string(), digest);
    setting.forget();
    assert_eq!(setting.build_elsewhere("two", PUSH), digest, "it costs a rebuild");
    assert_eq!(Traffic::of(&setting).records_up(), 2);
    // The machine that has removed them knows that they are gone.
    ended(&setting, &["cache", "prune", "-a", APP], 0);
    setting.forget();
    setting.build(PUSH);
    assert_eq!(Traffic::of(&setting).records_up(), 6);
    let rest = ended(&setting, &["cache", "prune", "-a", APP], 0);
    assert!(rest.ends_with("Removed: 6 of 6 records\n"), "{rest}");
    assert!(tags(&setting).is_empty());
}

#[test]
fn what_is_no_record_is_not_removed() {
    let (setting, _) = built();
    let tag = titled(&setting, "COPY src");
    change(&setting, &tag, |manifest| manifest["artifactType"] = json!("application/vnd.other"));
    setting.answer(&["tag", "REGISTRY/team/app:1", "REGISTRY/team/app:plywood-mine"]);
    setting.answer(&["push", "REGISTRY/team/app:plywood-mine"]);
    let said = ended(&setting, &["cache", "prune", "--all", APP], 0);
    assert!(said.contains("tags like those of records that are none: they stay"), "{said}");
    assert!(said.contains("Removed: 5 of 5 records"), "{said}");
    assert_eq!(tags(&setting), [tag, "plywood-mine".to_owned()].into());
}

#[test]
fn a_registry_that_deletes_no_tags_deletes_manifests() {
    let (setting, _) = built();
    let path = "/v2/team/app/manifests/plywood-";
    setting.scene.registry.fault(Fault::always("DELETE", path, Effect::status(405)));
    let said = ended(&setting, &["cache", "prune", "--all", APP], 0);
    assert!(said.ends_with("Removed: 6 of 6 records\n"), "{said}");
    assert!(tags(&setting).is_empty());
}

#[test]
fn a_registry_that_deletes_nothing_is_told_about() {
    let (setting, _) = built();
    let path = "/v2/team/app/manifests/";
    setting.scene.registry.fault(Fault::always("DELETE", path, Effect::status(405)));
    insta::assert_snapshot!(ended(&setting, &["cache", "prune", "--all", APP], 6), @r"
    error: failed to remove records from `127.0.0.1:00000/team/app`: remove from `127.0.0.1:00000/team/app`: the registry does not let manifests be deleted
    hint: let the registry's own cleanup policy remove tags that begin with `plywood-`, by age; or let the registry's owner allow deletion
    ");
    assert_eq!(tags(&setting).len(), 6);
}

#[test]
fn records_in_a_repository_are_verified() {
    let (setting, digest) = built();
    assert_eq!(ended(&setting, &["cache", "verify", APP], 0), "Verified: 6 records\n");
    let whole = ended(&setting, &["cache", "verify", "--layers", APP], 0);
    assert_eq!(whole, "Verified: 6 records, 5 layers\n");
    let traffic = Traffic::of(&setting);
    assert!(traffic.blobs_down() > 4, "{}", traffic.blobs_down());
    // A damaged document, somebody else's artifact, and a layer that is gone.
    let [first, second, third] =
        ["COPY first.txt", "COPY src", "RUN cp"].map(|title| titled(&setting, title));
    change(&setting, &first, |manifest| manifest["layers"][0]["data"] = json!("e30="));
    change(&setting, &second, |manifest| manifest["artifactType"] = json!("application/vnd.x"));
    change(&setting, &third, |manifest| {
        let blobs = manifest["layers"].as_array_mut().unwrap();
        blobs.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": Digest::of(b"gone"),
            "size": 4,
        }));
    });
    let said = ended(&setting, &["cache", "verify", APP], 9);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"), @r"
    127.0.0.1:00000/team/app:plywood-step-…: it is of another kind
    127.0.0.1:00000/team/app:plywood-step-…: its blob sha256:… is not there
    127.0.0.1:00000/team/app:plywood-step-…: its document is damaged
    Verified: 6 records
    error: 3 things that are kept of builds are not what they say
    hint: builds pass it over, and put what is right in its place
    ");
    assert_eq!(setting.scene.registry.tag("team/app", "1").unwrap().to_string(), digest);
}

#[test]
fn layers_are_recomputed() {
    let (setting, _) = built();
    let tag = titled(&setting, "COPY src");
    let other = json!(Digest::of(b"another"));
    change(&setting, &tag, |manifest| {
        crate::poisoned::rewrite(manifest, |document| {
            for layer in document["record"]["layers"].as_array_mut().into_iter().flatten() {
                layer["packed"]["diffId"] = other.clone();
            }
        });
    });
    let verify = ["cache", "verify", APP];
    // The document that the manifest names was never put; all else holds together.
    let said = ended(&setting, &verify, 9);
    assert!(said.contains("is not there"), "{said}");
    let document = manifest(&setting, &tag)["layers"][0]["data"].as_str().unwrap().to_owned();
    let kind = MediaType::from("application/vnd.plywood.step.v1+json");
    setting.scene.registry.insert_blob("team/app", kind, &crate::poisoned::decoded(&document));
    assert_eq!(ended(&setting, &verify, 0), "Verified: 6 records\n");
    insta::assert_snapshot!(ended(&setting, &["cache", "verify", "--layers", APP], 9), @r"
    127.0.0.1:00000/team/app:plywood-step-…: its layer sha256:… is another
    Verified: 6 records, 5 layers
    error: 1 thing that is kept of builds is not what it says
    hint: builds pass it over, and put what is right in its place
    ");
}

#[test]
fn a_store_is_verified_and_repaired() {
    let (setting, digest) = built();
    let fine = ended(&setting, &["cache", "verify"], 0);
    assert!(fine.starts_with("Verified: "), "{fine}");
    let layers = files(&setting, "plywood/records/layer");
    let [text, ..] = &files(&setting, "plywood/records/fact-texts")[..] else { panic!("no text") };
    fs::write(text, "damage").unwrap();
    fs::rename(&layers[0], layers[0].with_file_name(format!("sha256-{}", "0".repeat(64)))).unwrap();
    let blob = blob_of_src(&setting);
    let mut bytes = fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&blob, bytes).unwrap();
    let said = ended(&setting, &["cache", "verify"], 9);
    let mut kinds: Vec<String> = said.lines().map(without_counts).collect();
    kinds.sort();
    kinds.dedup();
    insta::assert_snapshot!(kinds.join("\n"), @r"
    Verified: ## records, ## blobs
    blob sha###:…: its bytes are others
    error: # things that are kept of builds are not what they say
    fact-step sha###:…: its blob sha###:… is damaged
    fact-texts sha###:…: it is damaged
    hint: builds pass it over; `plywood cache verify --repair` throws it away
    layer sha###:…: it is damaged
    layer sha###:…: its blob sha###:… is damaged
    ");
    assert!(blob.exists());
    let said = ended(&setting, &["cache", "verify", "--repair"], 0);
    assert!(said.contains("Thrown away: "), "{said}");
    assert!(!blob.exists());
    assert!(ended(&setting, &["cache", "verify"], 0).starts_with("Verified: "));
    assert_eq!(setting.build(PUSH), digest);
}

/// The blob of the largest layer: the context's files are in none so large.
fn blob_of_src(setting: &Setting) -> PathBuf {
    let shown = setting.answer(&["inspect", "--raw", "REGISTRY/team/app:1"]);
    let manifest: Value = serde_json::from_str(&shown).unwrap();
    let layer = manifest["layers"].as_array().unwrap().last().unwrap().clone();
    let hex = layer["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    setting.scene.path("store").join("blobs/sha256").join(hex)
}

fn without_counts(line: &str) -> String {
    line.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

#[test]
fn a_store_is_tidied_and_its_images_stay() {
    let (setting, digest) = built();
    // An image that lost its name is an image all the same.
    setting.file("src/a.py", "b\n");
    let second = setting.build(PUSH);
    let count = |kind: &str| {
        let listed = setting.answer(&["cache", "ls", "--format", "{{.Kind}}={{.Count}}"]);
        let line = listed
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{kind}=")).map(str::to_owned));
        line.map_or(0, |count| count.parse::<usize>().unwrap())
    };
    let (steps, builds) = (count("steps"), count("builds"));
    assert!(steps > 4 && builds > 2, "{steps} {builds}");
    assert_eq!(ended(&setting, &["cache", "prune"], 0), "Total reclaimed space: 0B\n");
    let one = &files(&setting, "plywood/records/fact-step")[0];
    let file = fs::File::options().write(true).open(one).unwrap();
    file.set_modified(SystemTime::now() - DAY * 31).unwrap();
    setting.answer(&["cache", "ls"]);
    setting.answer(&["cache", "verify"]);
    let dry = ended(&setting, &["cache", "prune", "--dry-run"], 0);
    assert!(dry.starts_with("Deleted: 1 records\nReclaimable space: "), "{dry}");
    ended(&setting, &["cache", "prune"], 0);
    assert!(!one.exists());
    assert_eq!(count("steps"), steps - 1);
    ended(&setting, &["cache", "prune", "--all"], 0);
    assert_eq!((count("steps"), count("texts"), count("builds")), (0, 0, builds));
    for image in [&digest, &second] {
        let hex = image.strip_prefix("sha256:").unwrap();
        setting.answer(&["inspect", hex]);
    }
    assert_eq!(setting.build(&["--no-cache"]), second);
}

#[test]
fn so_much_is_kept_of_what_was_used_last() {
    let (setting, _) = built();
    let said = ended(&setting, &["cache", "prune", "--keep-bytes", "1GB"], 0);
    assert_eq!(said, "Total reclaimed space: 0B\n");
    let said = ended(&setting, &["cache", "prune", "--keep-bytes", "2kB"], 0);
    assert!(said.contains("records\nTotal reclaimed space: "), "{said}");
    let listed = setting.answer(&["cache", "ls", "--format", "{{.Kind}} {{.Bytes}}"]);
    let facts = listed
        .lines()
        .filter(|line| ["steps", "texts", "hints"].iter().any(|kind| line.starts_with(kind)));
    let bytes = facts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
    assert!(bytes.sum::<u64>() <= 2000, "{listed}");
    let refused =
        setting.command(&["cache", "prune", APP, "--keep-bytes", "1GB"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "a registry does not say what was used");
}
