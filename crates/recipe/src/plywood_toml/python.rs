//! `[python]`: what goes together and what does not.

use super::lower::shown;
use super::paths::{check_path, is_url};
use super::read::Reader;
use super::value::Table;
use crate::{
    FindLinks, Prereleases, PythonLock, PythonLockKind, PythonPackages, SourceBuilds, Spanned,
    Upgrade,
};

/// Keys that ask for packages.
const ASKING: [&str; 4] = ["requirements", "requirements-files", "project", "lock"];
/// Keys that say something about resolving, which a lock leaves nothing of.
const RESOLVING: [&str; 10] = [
    "requirements",
    "requirements-files",
    "constraints",
    "constraint-files",
    "overrides",
    "override-files",
    "exclude-newer",
    "prereleases",
    "upgrade",
    "dependencies",
];
/// Lists of requirements.
const LINES: [&str; 3] = ["requirements", "constraints", "overrides"];
/// Lists of files that hold such.
const FILES: [&str; 3] = ["requirements-files", "constraint-files", "override-files"];
/// Keys whose values are URLs.
const URLS: [&str; 2] = ["index-url", "extra-index-urls"];

/// The packages that the table asks for, unless something is wrong with it.
pub(super) fn packages(table: &Table, reader: &mut Reader<'_>) -> Option<PythonPackages> {
    let before = reader.errors.len();
    check_together(table, reader);
    check_lines(table, reader);
    check_paths(table, reader);
    check_urls(table, reader);
    let lock = table.text("lock").and_then(|lock| self::lock(lock, reader));
    (reader.errors.len() == before).then(|| read(table, lock))
}

fn read(table: &Table, lock: Option<Spanned<PythonLock>>) -> PythonPackages {
    let texts = |key: &str| table.texts(key).to_vec();
    let flag = |key: &str| table.flag(key);
    let choice = |key: &str| table.text(key).map_or("", |text| text.node.as_str());
    PythonPackages {
        requirements: texts("requirements"),
        requirements_files: texts("requirements-files"),
        constraints: texts("constraints"),
        constraint_files: texts("constraint-files"),
        overrides: texts("overrides"),
        override_files: texts("override-files"),
        project: table.text("project").cloned(),
        lock,
        extras: texts("extras"),
        groups: texts("groups"),
        index_url: table.text("index-url").cloned(),
        extra_index_urls: texts("extra-index-urls"),
        no_index: flag("no-index").unwrap_or(false),
        find_links: table.texts("find-links").iter().map(find_links).collect(),
        exclude_newer: table.text("exclude-newer").cloned(),
        prereleases: match choice("prereleases") {
            "allow" => Prereleases::Allow,
            "disallow" => Prereleases::Disallow,
            _ => Prereleases::IfNecessary,
        },
        no_binary: texts("no-binary"),
        only_binary: texts("only-binary"),
        interpreter: table.text("interpreter").cloned(),
        upgrade: match choice("upgrade") {
            "requested" => Upgrade::Requested,
            "everything" => Upgrade::Everything,
            _ => Upgrade::Nothing,
        },
        no_dependencies: !flag("dependencies").unwrap_or(true),
        require_hashes: flag("require-hashes").unwrap_or(false),
        build: match choice("build") {
            "host" => SourceBuilds::Host,
            _ => SourceBuilds::Refuse,
        },
        max_layers: table.count("max-layers").cloned(),
        span: table.span.clone(),
    }
}

/// Whether there is anything to install: lists may be empty.
pub(super) fn asks(packages: &PythonPackages) -> bool {
    let PythonPackages { requirements, requirements_files, project, lock, .. } = packages;
    !requirements.is_empty()
        || !requirements_files.is_empty()
        || project.is_some()
        || lock.is_some()
}

/// Keys that need another, and keys that another leaves nothing to say.
fn check_together(table: &Table, reader: &mut Reader<'_>) {
    if ASKING.iter().all(|key| table.lacks(key)) {
        let hint = "name some, such as `requirements = [\"flask==3.1.2\"]`, or a file with \
                    `requirements-files`, `project` or `lock`";
        reader.error(table.span.clone(), "`[python]` asks for no packages", hint);
    }
    if table.place("lock").is_some() {
        for key in RESOLVING {
            if let Some(span) = table.place(key) {
                let message = format!("there are both `lock` and `{key}`");
                let hint = "a lock says what is installed: take one of them out, or lock again";
                reader.error(span, message, hint);
            }
        }
    }
    for key in ["extras", "groups"] {
        if let Some(span) = table.place(key)
            && table.place("project").is_none()
            && table.place("lock").is_none()
        {
            let message = format!("there are `{key}` of no `project` and no `lock`");
            reader.error(span, message, "name the project, such as `project = \".\"`");
        }
    }
    if let Some(span) = table.place("no-index").filter(|_| table.flag("no-index") == Some(true)) {
        for key in URLS.iter().filter(|key| table.place(key).is_some()) {
            let message = format!("`no-index` says to ask none, and there is `{key}`");
            reader.error(span.clone(), message, "take one of them out");
        }
    }
    if let Some(span) = table.place("no-binary")
        && table.text("build").is_none_or(|build| build.node != "host")
        && !table.texts("no-binary").is_empty()
    {
        let message = "`no-binary` takes no wheels, and `build` refuses to make them";
        reader.error(span, message, "write `build = \"host\"` if they may be built here");
    }
}

/// Lines that are not requirements at all; whether they are right ones is seen later.
fn check_lines(table: &Table, reader: &mut Reader<'_>) {
    for key in LINES {
        let file_key = match key {
            "requirements" => "requirements-files",
            "constraints" => "constraint-files",
            _ => "override-files",
        };
        for line in table.texts(key) {
            let text = line.node.trim();
            let span = line.span.clone();
            if text.is_empty() || text.contains(['\n', '\r']) {
                let message = format!("`{key}` holds an entry that is not one line");
                reader.error(span, message, "each entry is a requirement, such as `flask==3.1.2`");
            } else if text.starts_with('-') {
                let message = format!("`{text}` is an option, and not a requirement");
                reader.error(span, message, option_hint(text, file_key));
            } else if text.ends_with(".txt") || text.ends_with(".in") {
                let message = format!("`{text}` is a file, and not a requirement");
                reader.error(span, message, format!("write `{file_key} = [\"{text}\"]`"));
            }
        }
    }
    for key in ["extras", "groups", "no-binary", "only-binary", "find-links"] {
        for text in table.texts(key).iter().filter(|text| text.node.trim().is_empty()) {
            let message = format!("`{key}` holds an empty string");
            reader.error(text.span.clone(), message, "take it out");
        }
    }
    if let Some(text) = table.text("interpreter").filter(|text| text.node.trim().is_empty()) {
        let hint = "a version such as `3.12`, or the path of a Python in the image";
        reader.error(text.span.clone(), "`interpreter` is empty", hint);
    }
}

/// What to write in the place of an option.
fn option_hint(text: &str, file_key: &str) -> String {
    if text.starts_with("-e") || text.starts_with("--editable") {
        return "for the project in the context write `project = \".\"`; for another, build a \
                wheel and name that"
            .to_owned();
    }
    format!("options have keys of their own; files are in `{file_key}`")
}

/// Paths are in the context.
fn check_paths(table: &Table, reader: &mut Reader<'_>) {
    let links = table.texts("find-links").iter().filter(|text| !is_url(&text.node));
    let links: Vec<_> = links.filter(|text| !text.node.trim().is_empty()).collect();
    let files = FILES.iter().flat_map(|key| table.texts(key));
    let others = ["project", "lock"].iter().filter_map(|key| table.text(key));
    for path in files.chain(others).chain(links) {
        check_path(path, reader);
    }
    if let Some(project) = table.text("project")
        && let Some(directory) = project.node.strip_suffix("pyproject.toml")
    {
        let directory = directory.strip_suffix('/').filter(|it| !it.is_empty()).unwrap_or(".");
        let hint = format!("name its directory: `project = \"{directory}\"`");
        reader.error(project.span.clone(), "`project` is a file", hint);
    }
}

/// Indexes. What is wrong with one is not shown, and neither is its line: it may hold a password.
fn check_urls(table: &Table, reader: &mut Reader<'_>) {
    for key in URLS {
        let is_wrong = |url: &&Spanned<String>| {
            let is_web = ["https://", "http://"].iter().any(|it| url.node.starts_with(it));
            !is_web || url.node.contains(char::is_whitespace)
        };
        for _ in table.texts(key).iter().filter(is_wrong) {
            let message = format!("`{key}` is not the URL of an index");
            reader.error(table.span.clone(), message, "it is written `https://HOST/PATH`");
        }
    }
}

/// A lock is known by its name (PEP 751, "File Name").
fn lock(lock: &Spanned<String>, reader: &mut Reader<'_>) -> Option<Spanned<PythonLock>> {
    let name = lock.node.rsplit('/').next().unwrap_or_default();
    let named = || name.strip_prefix("pylock.")?.strip_suffix(".toml");
    let kind = match name {
        "uv.lock" => PythonLockKind::Uv,
        "pylock.toml" => PythonLockKind::Pylock,
        _ if named().is_some_and(|it| !it.is_empty() && !it.contains('.')) => {
            PythonLockKind::Pylock
        }
        _ => {
            let message = format!("`{name}` is no lock that is known");
            let hint = match name.ends_with(".txt") {
                true => "requirements with pins and hashes belong into `requirements-files`",
                false => {
                    "`uv.lock` and `pylock.toml` are; other tools can export the latter, or \
                          requirements with hashes"
                }
            };
            reader.error(lock.span.clone(), message, hint);
            return None;
        }
    };
    let node = PythonLock { path: lock.node.clone(), kind };
    Some(Spanned { node, span: lock.span.clone() })
}

fn find_links(text: &Spanned<String>) -> Spanned<FindLinks> {
    let node = match is_url(&text.node) {
        true => FindLinks::Url(text.node.clone()),
        false => FindLinks::Directory(text.node.clone()),
    };
    Spanned { node, span: text.span.clone() }
}

/// The table as an instruction, for histories: what is asked for, and nothing that may be secret.
pub(super) fn text(packages: &PythonPackages) -> String {
    let mut line = vec!["PYTHON".to_owned()];
    line.extend(packages.requirements.iter().map(|it| shown(&without_credentials(&it.node))));
    let mut flag = |flag: &str, value: &str| line.push(format!("{flag} {}", shown(value)));
    packages.requirements_files.iter().for_each(|it| flag("-r", &it.node));
    packages.project.iter().for_each(|it| flag("--project", &it.node));
    packages.lock.iter().for_each(|it| flag("--lock", &it.node.path));
    packages.extras.iter().for_each(|it| flag("--extra", &it.node));
    packages.groups.iter().for_each(|it| flag("--group", &it.node));
    packages.constraint_files.iter().for_each(|it| flag("-c", &it.node));
    packages.override_files.iter().for_each(|it| flag("--override", &it.node));
    line.join(" ")
}

/// A requirement with what stands before the `@` of its URL taken out, and the URL's query.
fn without_credentials(requirement: &str) -> String {
    let Some((before, rest)) = requirement.split_once("://") else {
        return requirement.to_owned();
    };
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (url, behind) = rest.split_at(end);
    let (path, fragment) = url.split_once('#').map_or((url, ""), |(path, it)| (path, it));
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let host_end = path.find('/').unwrap_or(path.len());
    let path = path[..host_end].rfind('@').map_or(path, |at| &path[at + 1..]);
    let hash = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    format!("{before}://{path}{hash}{behind}")
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn addresses_without_credentials() {
        let check = |text: &str, expected: &str| assert_eq!(without_credentials(text), expected);
        check("flask==3.1.2", "flask==3.1.2");
        check(
            "a @ https://me:SECRET@h.example/a.whl?token=SECRET#sha256=0 ; os_name == 'posix'",
            "a @ https://h.example/a.whl#sha256=0 ; os_name == 'posix'",
        );
        check("https://me@SECRET@h.example", "https://h.example");
    }
}
