//! A base that is months old: the database of a fresh one, with many packages in earlier versions.

use std::collections::BTreeMap;

use debian::control::Stanza;
use debian::relation::{Alternative, Field, Operator, Relation};
use debian::version::Version;

use super::random::Random;

/// Puts the packages of about a third of all sources back to an earlier version, so far as no other
/// package minds.
pub(super) fn age(status: &[u8], seed: u64) -> Vec<u8> {
    let mut stanzas = Stanza::parse_all(status).unwrap();
    let mut random = Random(seed);
    let mut sources: BTreeMap<String, bool> = BTreeMap::new();
    for stanza in &stanzas {
        sources.entry(source(stanza)).or_insert_with(|| random.below(3) == 0);
    }
    let aged: BTreeMap<String, (String, String)> = stanzas
        .iter()
        .filter(|stanza| sources[&source(stanza)])
        .map(|stanza| {
            let name = stanza.text("Package").unwrap().to_owned();
            (name, (source(stanza), stanza.text("Version").unwrap().to_owned()))
        })
        .collect();
    // Who wants the very version that is there, keeps the source from being aged.
    for stanza in &stanzas {
        for alternative in alternatives(stanza) {
            let Some((of, version)) = aged.get(&*alternative.name) else { continue };
            let is_sibling = source(stanza) == *of
                && matches!(&alternative.constraint, Some((Operator::Equal, _)));
            if !is_sibling && !alternative.allows(&Version::new(&earlier(version))) {
                sources.insert(of.clone(), false);
            }
        }
    }
    for stanza in &mut stanzas {
        if !sources[&source(stanza)] {
            continue;
        }
        let version = stanza.text("Version").unwrap().to_owned();
        for field in Field::ALL {
            if let Some(text) = stanza.text(field.name()) {
                let text =
                    text.replace(&format!("(= {version})"), &format!("(= {})", earlier(&version)));
                stanza.set(field.name(), text);
            }
        }
        stanza.set("Version", earlier(&version));
    }
    print(&stanzas)
}

fn print(stanzas: &[Stanza]) -> Vec<u8> {
    let mut text = Vec::new();
    for stanza in stanzas {
        for (name, value) in stanza.fields() {
            text.extend_from_slice(name);
            text.extend_from_slice(if value.starts_with(b"\n") { b":" } else { b": " });
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        text.push(b'\n');
    }
    text
}

fn earlier(version: &str) -> String {
    format!("{version}~old1")
}

fn source(stanza: &Stanza) -> String {
    let source = stanza.text("Source").or_else(|| stanza.text("Package")).unwrap();
    source.split(' ').next().unwrap().to_owned()
}

fn alternatives(stanza: &Stanza) -> Vec<Alternative> {
    let fields = [Field::Depends, Field::PreDepends, Field::Breaks, Field::Conflicts];
    let texts = fields.iter().filter_map(|field| Some((field, stanza.text(field.name())?)));
    let mut all = Vec::new();
    for (field, text) in texts {
        let is_negative = matches!(field, Field::Breaks | Field::Conflicts);
        for relation in Relation::parse_all(text).unwrap() {
            for mut alternative in relation.alternatives {
                if is_negative {
                    // An earlier version may be broken: then it is as if the present one was wanted.
                    let Some((operator, version)) = alternative.constraint else { continue };
                    let opposite = match operator {
                        Operator::Earlier => Operator::LaterOrEqual,
                        Operator::EarlierOrEqual => Operator::Later,
                        _ => continue,
                    };
                    alternative.constraint = Some((opposite, version));
                }
                all.push(alternative);
            }
        }
    }
    all
}
