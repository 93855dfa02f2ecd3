//! The text of a lock: TOML, canonical, made to be read in a review.
//!
//! Tables are in one order, keys are in one order, lines end with LF. What belongs together stands
//! together, and a pin that moves changes its own lines only.

use std::fmt::{Display, Write};

use oci::{Descriptor, Digest, Platform};

use crate::address::without_credentials;
use crate::{Deb, File, Layer, Lock, Release, Resolution, Taken, Wheel};

/// The version of the format.
pub const VERSION: i64 = 1;

const HEAD: &str = "\
# What this image was made of when somebody last looked. Written by plywood: commit it, do not edit
# it. `plywood outdated` says what has moved since, `plywood lock --upgrade` takes it.
";

impl Lock {
    /// The canonical text.
    pub fn to_text(&self) -> String {
        let mut text = Text(HEAD.to_owned());
        text.plain("version", VERSION);
        text.plain("epoch", self.epoch);
        let layers = self.layers.iter().filter(|(_, layers)| !layers.is_empty());
        let layers: Vec<_> = sorted(layers, |(platform, _)| platform.to_string());
        if !layers.is_empty() {
            text.string("compression", &self.compression);
        }
        let by_name = |(reference, platform): &(oci::Reference, Platform)| {
            (reference.familiar(), platform.to_string())
        };
        for ((reference, platform), base) in sorted(&self.bases, |(key, _)| by_name(key)) {
            text.table("base");
            text.string("reference", reference.familiar());
            text.string("platform", platform);
            text.string("digest", base.digest);
            text.string("manifest", base.manifest);
        }
        for (url, file) in &self.downloads {
            text.table("download");
            text.string("url", url);
            text.file(file);
        }
        for ((url, reference), commit) in &self.commits {
            text.table("git");
            text.string("url", url);
            text.string("reference", reference);
            text.string("commit", commit);
        }
        for (url, file) in &self.archives {
            text.table("archive");
            text.string("url", url);
            match file {
                Some(Taken { file, at }) => {
                    text.file(file);
                    text.string("taken", jiff::Timestamp::from_second(*at).unwrap_or_default());
                    self.releases.get(&file.digest).into_iter().for_each(|said| text.release(said));
                }
                None => text.plain("absent", true),
            }
        }
        for deb in &self.debs {
            text.deb(deb);
            text.strings("says", self.stanzas.get(&deb.digest).map_or(&[], Vec::as_slice));
        }
        for ((platform, request), resolution) in sorted(&self.resolutions, place_of) {
            text.resolution(platform, request, resolution);
        }
        for (platform, layers) in layers {
            layers.iter().for_each(|layer| text.layer(platform, layer));
        }
        text.0
    }
}

/// Questions stand where they stood when one of their packages moves: by what is asked for, and
/// not by their fingerprints.
fn place_of(
    ((platform, request), resolution): &(&(Platform, Digest), &Resolution),
) -> (String, Vec<String>, Digest) {
    let names = resolution.wheels.iter().map(|wheel| wheel.name.clone()).collect();
    (platform.to_string(), names, *request)
}

fn sorted<T, K: Ord>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_by_key(key);
    items
}

struct Text(String);

impl Text {
    fn table(&mut self, name: &str) {
        self.line(format_args!("\n[[{name}]]"));
    }

    /// A number or a truth value.
    fn plain(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = {value}"));
    }

    fn string(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = {}", quoted(&value.to_string())));
    }

    /// An array with a line for each item; nothing if there is none.
    fn strings(&mut self, key: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.line(format_args!("{key} = ["));
        for value in values {
            self.line(format_args!("    {},", quoted(value)));
        }
        self.line(format_args!("]"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn file(&mut self, file: &File) {
        self.string("digest", file.digest);
        self.plain("size", file.size);
    }

    fn release(&mut self, release: &Release) {
        self.strings("says", &release.fields);
        for (name, list) in &release.lists {
            self.table("archive.list");
            self.string("name", name);
            self.file(&list.file);
            let questions: Vec<_> = list.questions.iter().map(Digest::to_string).collect();
            self.strings("questions", &questions);
            let packages: Vec<_> = list.packages.iter().map(ToString::to_string).collect();
            self.strings("packages", &packages);
        }
    }

    fn deb(&mut self, deb: &Deb) {
        let Deb { name, version, architecture, file, digest, size } = deb;
        self.table("deb");
        self.string("name", name);
        self.string("version", version);
        self.string("architecture", architecture);
        self.string("file", file);
        self.string("digest", digest);
        self.plain("size", size);
    }

    fn resolution(&mut self, platform: &Platform, request: &Digest, resolution: &Resolution) {
        let Resolution { wheels, kept, warnings } = resolution;
        self.table("resolution");
        self.string("platform", platform);
        self.string("request", request);
        let kept: Vec<_> = kept.iter().map(|(name, version)| format!("{name} {version}")).collect();
        self.strings("kept", &kept);
        let warnings: Vec<_> = warnings.iter().map(|text| without_credentials(text)).collect();
        self.strings("warnings", &warnings);
        for wheel in sorted(wheels, |wheel| &wheel.name) {
            self.wheel(wheel);
        }
    }

    fn wheel(&mut self, wheel: &Wheel) {
        let Wheel { name, version, file, url, digest, hashes, size, requested, direct_url } = wheel;
        self.table("resolution.wheel");
        self.string("name", name);
        self.string("version", version);
        self.string("file", file);
        if let Some(url) = url {
            self.string("url", url);
        }
        if let Some(digest) = digest {
            self.string("digest", digest);
        }
        self.strings("hashes", hashes);
        if let Some(size) = size {
            self.plain("size", size);
        }
        if *requested {
            self.plain("requested", true);
        }
        if let Some(text) = direct_url {
            self.string("direct-url", without_credentials(text));
        }
    }

    fn layer(&mut self, platform: &Platform, layer: &Layer) {
        let Layer { title, key, descriptor, diff_id } = layer;
        let Descriptor { media_type, digest, size, .. } = descriptor;
        self.table("layer");
        self.string("platform", platform);
        self.string("title", title);
        self.string("key", key);
        self.string("media-type", media_type);
        self.string("digest", digest);
        self.plain("size", size);
        self.string("diff-id", diff_id.0);
    }
}

/// A basic string (TOML 1.0, "String"). What would not be seen, or would change what is seen beside
/// it, is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            hidden if is_hidden(hidden) => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(hidden));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Control characters, and those that turn the direction of text (UAX #9, section 2). All of them
/// have four hexadecimal digits.
fn is_hidden(character: char) -> bool {
    let turns = ['\u{200e}', '\u{200f}', '\u{061c}', '\u{feff}'];
    character.is_control()
        || turns.contains(&character)
        || ('\u{2028}'..='\u{202e}').contains(&character)
        || ('\u{2066}'..='\u{2069}').contains(&character)
}
