//! The answer: for people, a sentence and then what each cause changed; for programs, all of it.

use std::fmt::Write;

use difference::{
    Aspect, Cause, Certainty, Comparison, Fate, FileChange, KeyChange, LayerChange, LayerPlace,
    Output, RecordsKnown, answer,
};
use serde_json::{Value, json};

use super::{Answer, Pair};
use crate::error::Error;
use crate::flags::WhyReport;
use crate::session::Session;
use crate::units;

/// So many files are told to people; programs are told all.
const MOST_FILES: usize = 40;
/// How much of a title fits into a line, in characters.
const TITLE_WIDTH: usize = 44;
/// The longest value that is shown, in characters.
const VALUE_WIDTH: usize = 60;
/// So many causes of one kind with the same effects are told one by one.
const MOST_ALIKE: usize = 8;

pub(super) fn show(answer: &Answer, report: WhyReport, session: &Session) -> Result<(), Error> {
    let text = match report {
        WhyReport::Text => text(answer),
        WhyReport::Json => format!("{:#}\n", as_json(answer)),
    };
    session.answer(text.as_bytes())
}

/// The answer in one sentence.
fn sentence(of: &Answer) -> String {
    if of.old.digest == of.new.digest {
        return format!("nothing changed: both are {}", of.new.digest);
    }
    let comparisons: Vec<&Comparison> = of.pairs.iter().map(|pair| &pair.comparison).collect();
    let mut parts = Vec::new();
    if !comparisons.is_empty() {
        parts.push(answer(&comparisons));
    }
    for (platforms, verb) in [(&of.come, "is new"), (&of.gone, "is gone")] {
        parts.extend(platforms.iter().map(|platform| format!("the platform {platform} {verb}")));
    }
    if parts.is_empty() && of.index.is_empty() {
        return "nothing changed for this platform".to_owned();
    }
    if parts.is_empty() {
        let keys: Vec<String> = of.index.iter().map(key_name).collect();
        parts.push(format!("only the index is written otherwise: {}", keys.join(", ")));
    }
    parts.join("; ")
}

fn text(of: &Answer) -> String {
    let mut text = format!("{}\n", sentence(of));
    if let Some(remark) = &of.remark {
        let _ = writeln!(text, "{remark}");
    }
    // What is to be said of several platforms is said once.
    let mut bodies: Vec<(Vec<String>, String)> = Vec::new();
    for pair in &of.pairs {
        let (old, new) = (pair.old.short(), pair.new.short());
        let head = format!("{}: {old} -> {new}", pair.platform);
        let mut body = String::new();
        pair_text(pair, &mut body);
        match bodies.iter_mut().find(|(_, known)| *known == body) {
            Some((heads, _)) => heads.push(head),
            None => bodies.push((vec![head], body)),
        }
    }
    for (heads, body) in bodies {
        let _ = write!(text, "\n{}\n{body}", heads.join("\n"));
    }
    text
}

fn pair_text(pair: &Pair, text: &mut String) {
    let comparison = &pair.comparison;
    let mut rest = comparison.causes.as_slice();
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|cause| is_alike(first, cause)).count();
        let (now, later) = rest.split_at(if alike > MOST_ALIKE { alike } else { 1 });
        cause_text(now, comparison, text);
        rest = later;
    }
    if !comparison.unexplained.is_empty() {
        let known = comparison.records == RecordsKnown::Both;
        if known {
            let _ = writeln!(text, "for a reason that is not recorded");
            for output in &comparison.unexplained {
                output_text(*output, comparison, "", text);
            }
        }
    }
    if comparison.records != RecordsKnown::Both && comparison.causes.is_empty() {
        differences_text(comparison, text);
    }
    if !comparison.without_effect.is_empty() {
        let _ = writeln!(text, "without effect");
        for input in comparison.without_effect.iter().take(MOST_FILES) {
            let _ = writeln!(text, "  {}", input.sentence());
        }
        more(comparison.without_effect.len(), "  ", text);
    }
    let _ = writeln!(text, "{}", totals(comparison));
}

fn more(number: usize, indent: &str, text: &mut String) {
    if number > MOST_FILES {
        let _ = writeln!(text, "{indent}… and {} more", number - MOST_FILES);
    }
}

/// Whether two causes are of one kind and changed the same.
fn is_alike(one: &Cause, other: &Cause) -> bool {
    let kind = |cause: &Cause| (cause.input.kind, cause.input.change);
    kind(one) == kind(other) && one.effects == other.effects
}

fn cause_text(causes: &[Cause], comparison: &Comparison, text: &mut String) {
    let Some(first) = causes.first() else { return };
    let maybe = if first.certainty == Certainty::Possible { "maybe " } else { "" };
    let and_more = match causes.len() {
        1 => String::new(),
        number => format!(", and {} more like it", number - 1),
    };
    let _ = writeln!(text, "{maybe}{}{and_more}", first.input.sentence());
    for effect in &first.effects {
        let unsure = effect.certainty == Certainty::Possible && maybe.is_empty();
        output_text(effect.output, comparison, if unsure { "maybe " } else { "" }, text);
    }
}

fn output_text(output: Output, comparison: &Comparison, maybe: &str, text: &mut String) {
    let line = match output {
        Output::Layer(at) => layer_text(&comparison.layers[at]),
        Output::Config(at) => format!("config    {}", key_text(&comparison.config[at])),
        Output::Manifest(at) => format!("manifest  {}", key_text(&comparison.manifest[at])),
    };
    let _ = writeln!(text, "  {maybe}{}", line.trim_end());
}

fn layer_text(layer: &LayerChange) -> String {
    let place = layer.new.as_ref().or(layer.old.as_ref());
    let position = place.map_or(0, |place| place.position + 1);
    let size = |place: &Option<LayerPlace>| place.as_ref().map(|place| units::size(place.size));
    let sizes = match (layer.fate, size(&layer.old), size(&layer.new)) {
        (Fate::Same | Fate::Moved, _, Some(new)) => new,
        (_, Some(old), Some(new)) => format!("{old} -> {new}"),
        (_, None, Some(new)) => format!("+{new}"),
        (_, Some(old), None) => format!("-{old}"),
        (_, None, None) => String::new(),
    };
    let fate = match layer.fate {
        Fate::Same => "stays",
        Fate::Recompressed => "recompressed",
        Fate::Moved => "moved",
        Fate::Changed => "changed",
        Fate::Added => "new",
        Fate::Removed => "gone",
    };
    let title = cut(&layer.title, TITLE_WIDTH);
    format!("layer {position:<3} {title:<TITLE_WIDTH$}  {fate:<12}  {sizes}")
}

fn key_name(key: &KeyChange) -> String {
    match &key.item {
        Some(item) => format!("{} {item}", key.key),
        None => key.key.clone(),
    }
}

fn key_text(key: &KeyChange) -> String {
    let name = key_name(key);
    if key.key == "history" || (key.old.is_none() && key.new.is_none()) {
        return name;
    }
    let value = |value: &Option<Value>| match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => cut(text, VALUE_WIDTH),
        Some(value) => cut(&value.to_string(), VALUE_WIDTH),
    };
    format!("{name}: {} -> {}", value(&key.old), value(&key.new))
}

/// What differs, where why is not known.
fn differences_text(comparison: &Comparison, text: &mut String) {
    for layer in &comparison.layers {
        let _ = writeln!(text, "  {}", layer_text(layer).trim_end());
    }
    for key in &comparison.config {
        let _ = writeln!(text, "  config    {}", key_text(key));
    }
    for key in &comparison.manifest {
        let _ = writeln!(text, "  manifest  {}", key_text(key));
    }
    let Some(files) = &comparison.files else { return };
    for file in files.iter().take(MOST_FILES) {
        let _ = writeln!(text, "  {}", file_text(file));
    }
    more(files.len(), "  ", text);
}

fn file_text(file: &FileChange) -> String {
    let aspects: Vec<&str> = file.aspects.iter().map(|aspect| aspect_word(*aspect)).collect();
    format!("file      /{}: {}", cut(&file.path, 200), aspects.join(", "))
}

fn aspect_word(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Added => "new",
        Aspect::Removed => "gone",
        Aspect::Type => "of another type",
        Aspect::Content => "content",
        Aspect::Mode => "permissions",
        Aspect::Owner => "owner",
        Aspect::Time => "time",
        Aspect::Xattrs => "extended attributes",
    }
}

/// How many layers stay, and how many bytes are new to whoever has the old image.
fn totals(comparison: &Comparison) -> String {
    let (mut stay, mut new, mut bytes) = (0, 0, 0u64);
    for layer in &comparison.layers {
        match layer.fate {
            Fate::Same | Fate::Moved => stay += 1,
            Fate::Changed | Fate::Added | Fate::Recompressed => {
                new += 1;
                let size = layer.new.as_ref().map_or(0, |place| place.size);
                bytes = bytes.saturating_add(size);
            }
            Fate::Removed => {}
        }
    }
    let layers = |number: usize| if number == 1 { "layer" } else { "layers" };
    let size = units::size(bytes);
    format!("{stay} {} in common, {new} {} not ({size})", layers(stay), layers(new))
}

/// A text of at most so many characters, that cannot draw on a terminal.
fn cut(text: &str, width: usize) -> String {
    let mut kept: Vec<char> = text.chars().take(width + 1).collect();
    if kept.len() > width {
        kept.truncate(width - 1);
        kept.push('…');
    }
    kept.into_iter().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn as_json(of: &Answer) -> Value {
    let image = |named: &super::Named| json!({ "name": named.called, "digest": named.digest });
    let pairs = of.pairs.iter().map(|pair| {
        let mut value = json!(pair.comparison);
        value["platform"] = json!(pair.platform.to_string());
        value["old"] = json!(pair.old);
        value["new"] = json!(pair.new);
        value
    });
    let names = |platforms: &[oci::Platform]| -> Vec<String> {
        platforms.iter().map(ToString::to_string).collect()
    };
    json!({
        "equal": of.old.digest == of.new.digest,
        "answer": sentence(of),
        "old": image(&of.old),
        "new": image(&of.new),
        "platforms": pairs.collect::<Vec<_>>(),
        "addedPlatforms": names(&of.come),
        "removedPlatforms": names(&of.gone),
        "index": of.index,
    })
}
