//! The table of keys: what it says parses, and is what is written down in `docs`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::documents::{document, values};
use crate::{parse_plywood_toml, plywood_toml_reference, plywood_toml_schema};

/// Every table of packages that asks for none has this, too.
fn something(table: &str, example: &str) -> &'static str {
    let asks = |keys: &[&str]| keys.iter().any(|it| example.contains(it));
    match table {
        "[python]" if !asks(&["requirements", "project", "lock"]) => {
            "requirements = [\"six==1.17.0\"]\n"
        }
        "[debian]" if !asks(&["packages =", "variant"]) => "packages = [\"curl\"]\n",
        _ => "",
    }
}

/// The examples of the reference: the key, and the TOML below it, by table.
fn examples() -> Vec<(String, String, String)> {
    let page = plywood_toml_reference();
    let (mut table, mut examples) = (String::new(), Vec::new());
    for section in page.split("\n## Keys\n").nth(1).unwrap().split("\n#") {
        if let Some(title) = section.strip_prefix("# ") {
            table = title.lines().next().unwrap().replace('`', "");
        }
        let Some(rest) = section.strip_prefix("## `") else { continue };
        let key = rest.split('`').next().unwrap().to_owned();
        let example = rest.split("```toml\n").nth(1).unwrap().split("\n```").next().unwrap();
        examples.push((table.clone(), key, example.to_owned()));
    }
    examples
}

/// A document in which a key's example stands in its table.
fn in_place(table: &str, key: &str, example: &str) -> String {
    let base = if key == "base" { "" } else { "base = \"python:3.13-slim\"\n" };
    let more = something(table, example);
    let shell = if key == "shell" { "cmd = \"x\"\n" } else { "" };
    format!("{base}{shell}{table}\n{more}{example}\n")
}

#[test]
fn every_example_parses_and_means_something() {
    let examples = examples();
    assert!(examples.len() > 40, "{}", examples.len());
    for (table, key, example) in examples {
        let text = in_place(&table, &key, &example);
        let recipe = document(&text).recipe;
        assert!(example.contains(&key), "{example}");
        // Without the key's line it is another recipe, or none.
        let without: Vec<&str> = example.lines().filter(|line| !line.starts_with(&key)).collect();
        let without = in_place(&table, &key, &without.join("\n"));
        if let Ok(parsed) = parse_plywood_toml(&without, &values) {
            assert_ne!(parsed.recipe, recipe, "{key}: {text}");
        }
    }
}

#[test]
fn the_example_at_the_top_parses() {
    let page = plywood_toml_reference();
    let text = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(document(text).recipe.stages[0].instructions.len(), 9);
}

#[test]
fn every_key_is_described_in_the_schema_with_an_example() {
    fn check(schema: &Value, path: &str, found: &mut BTreeMap<String, usize>) {
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(schema["additionalProperties"], false);
        found.insert(path.to_owned(), properties.len());
        for (name, property) in properties {
            let name = format!("{path}.{name}");
            assert!(property["description"].as_str().is_some_and(|it| it.ends_with('.')), "{name}");
            assert_eq!(property["examples"].as_array().map(Vec::len), Some(1), "{name}");
            let of_table = if property["type"] == "array" { &property["items"] } else { property };
            if of_table["properties"].is_object() {
                check(of_table, &name, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    let schema = plywood_toml_schema();
    check(&schema, "", &mut found);
    assert_eq!(schema["required"], serde_json::json!(["base"]));
    let keys: usize = found.values().sum();
    // The tables themselves have a section, but no example in it.
    assert_eq!(keys - 4, examples().len(), "{found:?}");
    assert_eq!(
        found.into_keys().collect::<Vec<_>>(),
        ["", ".cache", ".debian", ".files", ".python"]
    );
}

/// Compares with a file of `docs`, or writes it if `UPDATE` is set.
fn is_written_down(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let same = found == expected;
    assert!(same, "docs/{name} is out of date: UPDATE=1 cargo test -p recipe writes it");
}

#[test]
fn the_reference_is_written_down() {
    is_written_down("plywood-toml.md", &plywood_toml_reference());
}

#[test]
fn the_schema_is_written_down() {
    let text = serde_json::to_string_pretty(&plywood_toml_schema()).unwrap();
    is_written_down("plywood.schema.json", &format!("{text}\n"));
}
