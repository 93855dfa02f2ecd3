//! `[debian]`: what goes together and what does not.

use super::lower::shown;
use super::paths::check_path;
use super::read::Reader;
use super::value::Table;
use crate::{DebianPackages, DebianSources, DebianVariant, Spanned};

/// What stands for the time of a snapshot in an address.
const SNAPSHOT: &str = "@SNAPSHOTID@";
/// Keys that say something about `sources`.
const OF_SOURCES: [&str; 4] = ["suites", "components", "keys", "snapshot"];
/// Keys whose values are files of the context.
const FILES: [&str; 2] = ["keys", "preferences"];

/// The packages that the table asks for, unless something is wrong with it.
pub(super) fn packages(table: &Table, reader: &mut Reader<'_>) -> Option<DebianPackages> {
    let before = reader.errors.len();
    check_together(table, reader);
    check_words(table, reader);
    for path in FILES.iter().flat_map(|key| table.texts(key)) {
        check_path(path, reader);
    }
    let skipped_scripts = skipped_scripts(table, reader);
    (reader.errors.len() == before).then(|| read(table, skipped_scripts))
}

fn read(table: &Table, skipped_scripts: Vec<Spanned<String>>) -> DebianPackages {
    let texts = |key: &str| table.texts(key).to_vec();
    let sources = table.place("sources").map(|_| DebianSources {
        uris: texts("sources"),
        suites: texts("suites"),
        components: match table.place("components") {
            Some(_) => texts("components"),
            None => vec![Spanned { node: "main".to_owned(), span: table.span.clone() }],
        },
        keys: texts("keys"),
        snapshot: table.text("snapshot").cloned(),
    });
    DebianPackages {
        packages: texts("packages"),
        variant: match table.text("variant").map_or("", |text| text.node.as_str()) {
            "essential" => DebianVariant::Essential,
            "minbase" => DebianVariant::Minbase,
            _ => DebianVariant::Custom,
        },
        recommends: table.flag("recommends").unwrap_or(false),
        sources,
        preferences: texts("preferences"),
        skipped_scripts,
        max_layers: table.count("max-layers").cloned(),
        span: table.span.clone(),
    }
}

/// Whether there is anything to install: the list may be empty.
pub(super) fn asks(packages: &DebianPackages) -> bool {
    !packages.packages.is_empty() || packages.variant != DebianVariant::Custom
}

/// Keys that need another.
fn check_together(table: &Table, reader: &mut Reader<'_>) {
    if table.lacks("packages") && table.lacks("variant") {
        let hint = "name some, such as `packages = [\"ca-certificates\"]`";
        reader.error(table.span.clone(), "`[debian]` asks for no packages", hint);
    }
    let sources = table.place("sources");
    for key in OF_SOURCES {
        if let Some(span) = table.place(key)
            && sources.is_none()
        {
            let message = format!("there are `{key}` of no `sources`");
            let hint = "name the archive: `sources = [\"https://HOST/debian\"]`";
            reader.error(span, message, hint);
        }
    }
    if let Some(span) = &sources
        && table.place("snapshot").is_none()
        && table.texts("sources").iter().any(|address| address.node.contains(SNAPSHOT))
    {
        let message = format!("`sources` has `{SNAPSHOT}`, and there is no `snapshot`");
        let hint = "say of which day, such as `snapshot = 2026-11-01`";
        reader.error(span.clone(), message, hint);
    }
    if let Some(span) = sources
        && table.lacks("suites")
    {
        let message = "there are `sources` without `suites`";
        reader.error(span, message, "name them, such as `suites = [\"bookworm\"]`");
    }
}

fn check_words(table: &Table, reader: &mut Reader<'_>) {
    for package in table.texts("packages") {
        let text = &package.node;
        if text.is_empty() || text.contains(char::is_whitespace) {
            let hint = "each entry is one package, such as `curl` or `libpq5=15.*`";
            let message = format!("`{text}` is no package's name");
            reader.error(package.span.clone(), message, hint);
        } else if text.starts_with('-') {
            let hint = "what apt-get's options say has keys of its own in `[debian]`";
            let message = format!("`{text}` is an option, and not a package");
            reader.error(package.span.clone(), message, hint);
        }
    }
    for key in ["sources", "suites", "components"] {
        for text in table.texts(key) {
            let is_wrong = text.node.is_empty() || text.node.contains(char::is_whitespace);
            if is_wrong || (key == "sources" && !text.node.contains("://")) {
                // An address may hold a password, and is not shown.
                let message = format!("`{key}` holds what is none");
                let hint = match key {
                    "sources" => "an archive is named by its address, `https://HOST/debian`",
                    _ => "each entry is one word, such as `bookworm` or `main`",
                };
                let span = if key == "sources" { &table.span } else { &text.span };
                reader.error(span.clone(), message, hint);
            }
        }
    }
}

fn skipped_scripts(table: &Table, reader: &mut Reader<'_>) -> Vec<Spanned<String>> {
    let mut skipped = Vec::new();
    for text in table.texts("scripts") {
        match text.node.strip_prefix("skip:").filter(|name| !name.is_empty()) {
            Some(name) => {
                skipped.push(Spanned { node: name.to_owned(), span: text.span.clone() });
            }
            None => {
                let message = format!("`scripts` cannot be `{}`", text.node);
                reader.error(text.span.clone(), message, "it is written `skip:PACKAGE`");
            }
        }
    }
    skipped
}

/// The table as an instruction, for histories: what is asked for, and nothing that may be secret.
pub(super) fn text(packages: &DebianPackages) -> String {
    let mut line = vec!["DEBIAN".to_owned()];
    match packages.variant {
        DebianVariant::Custom => {}
        DebianVariant::Essential => line.push("--variant essential".to_owned()),
        DebianVariant::Minbase => line.push("--variant minbase".to_owned()),
    }
    if packages.recommends {
        line.push("--install-recommends".to_owned());
    }
    line.extend(packages.packages.iter().map(|package| shown(&package.node)));
    line.join(" ")
}
