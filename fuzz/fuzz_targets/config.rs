#![no_main]
//! Image configs, as a base image brings them, read and edited.
//!
//! What is written reads back equal, before and after every edit, and an edit is what is asked
//! for afterwards.

use libfuzzer_sys::fuzz_target;
use oci::{DiffId, Digest, ImageConfig};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut config) = ImageConfig::parse(bytes) else { return };
    reads_back(&config);
    assert_eq!(config.to_bytes(), config.clone().to_bytes());
    if let Some(check) = config.healthcheck() {
        config.set_healthcheck(&check);
        assert_eq!(config.healthcheck(), Some(check));
    }
    edit_lists(&mut config);
    edit_texts(&mut config);
    edit_maps(&mut config);
    edit_history(&mut config);
    config.forget_build();
    reads_back(&config);
});

fn reads_back(config: &ImageConfig) {
    let bytes = config.to_bytes();
    let read = ImageConfig::parse(&bytes).expect("what was written");
    assert_eq!(&read, config);
    assert_eq!(read.to_bytes(), bytes);
}

fn edit_lists(config: &mut ImageConfig) {
    let before = config.env();
    let known = before.first().map_or("A", |(name, _)| name).to_owned();
    config.set_env(&known, "1=2");
    assert!(config.env().contains(&(known, "1=2".to_owned())));
    assert!(config.env().len() >= before.len());
    let words = config.cmd().or(config.entrypoint()).or(config.shell()).unwrap_or_default();
    config.set_cmd(None);
    assert_eq!(config.cmd(), None);
    config.set_entrypoint(Some(&words));
    config.set_shell(&words);
    assert_eq!(config.entrypoint(), Some(words.clone()));
    assert_eq!(config.shell(), Some(words));
    let triggers = config.on_build();
    config.set_on_build(&triggers);
    assert_eq!(config.on_build(), triggers);
}

fn edit_texts(config: &mut ImageConfig) {
    let user = config.user().unwrap_or("root").to_owned();
    let directory = config.working_dir().unwrap_or("/").to_owned();
    let signal = config.stop_signal().unwrap_or("TERM").to_owned();
    let created = config.created().unwrap_or("1970-01-01T00:00:00Z").to_owned();
    config.set_user(&user);
    config.set_working_dir(&directory);
    config.set_stop_signal(&signal);
    config.set_created(&created);
    config.set_author(&user);
    assert_eq!(config.user(), Some(&*user));
    assert_eq!(config.working_dir(), Some(&*directory));
    assert_eq!(config.stop_signal(), Some(&*signal));
    assert_eq!(config.created(), Some(&*created));
}

fn edit_maps(config: &mut ImageConfig) {
    let label = config.labels().first().map_or("z", |(key, _)| key).to_owned();
    config.set_label(&label, "v");
    assert!(config.labels().contains(&(label, "v".to_owned())));
    assert!(config.labels().is_sorted_by(|(a, _), (b, _)| a < b));
    let (ports, volumes) = (config.exposed_ports(), config.volumes());
    config.expose("80/tcp");
    config.add_volume("/data");
    assert!(config.exposed_ports().is_superset(&ports) && config.volumes().is_superset(&volumes));
    assert!(config.exposed_ports().contains("80/tcp") && config.volumes().contains("/data"));
}

fn edit_history(config: &mut ImageConfig) {
    let platform = config.platform();
    let mut diff_ids = config.diff_ids();
    diff_ids.push(DiffId(Digest::of(b"")));
    config.set_diff_ids(&diff_ids);
    assert_eq!(config.diff_ids(), diff_ids);
    let history = config.history();
    config.set_history(&history);
    assert_eq!(config.history(), history);
    assert_eq!(config.platform(), platform);
}
