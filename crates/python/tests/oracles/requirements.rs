//! pip's own parser reads the same files, and finds the same in them.

use std::fs;
use std::path::Path;

use python::{Gathered, Gathering, Reading, RequirementsFile, Role, gather_requirements};
use serde_json::{Value, json};
use testbed::{program, stdout};

/// Prints what pip finds in each file that is named with its directory, and makes of the options.
const SCRIPT: &str = r#"
import json, os, sys
from optparse import Values
from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements

def answer(file):
    session = PipSession()
    scope = SearchScope.create(find_links=[], index_urls=[], no_index=False)
    collector = LinkCollector(session=session, search_scope=scope)
    preferences = SelectionPreferences(allow_yanked=False)
    finder = PackageFinder.create(link_collector=collector, selection_prefs=preferences)
    options = Values({"require_hashes": False, "features_enabled": []})
    found = []
    for line in parse_requirements(file, session, finder=finder, options=options):
        hashes = (line.options or {}).get("hashes", {})
        found.append({
            "text": line.requirement,
            "hashes": sorted(f"{name}:{value}" for name in hashes for value in hashes[name]),
            "constraint": line.constraint,
            "origin": line.comes_from.split(" ", 1)[1].replace(" (line ", ":").rstrip(")"),
        })
    links = [os.path.relpath(link) if os.path.exists(link) else link for link in finder.find_links]
    trusted = [f"{host}:{port}" if port else host for host, port in session.pip_trusted_origins]
    return {
        "found": sorted(found, key=lambda line: line["constraint"]),
        "indexes": finder.index_urls,
        "no_index": finder.search_scope.no_index,
        "links": sorted(links),
        "pre": finder.allow_all_prereleases,
        "no_binary": sorted(finder.format_control.no_binary),
        "only_binary": sorted(finder.format_control.only_binary),
        "require_hashes": options.require_hashes or any(line["hashes"] for line in found),
        "trusted": sorted(trusted),
    }

answers = []
for directory, file in json.loads(sys.argv[1]):
    os.chdir(directory)
    answers.append(answer(file))
print(json.dumps(answers))
"#;

/// The variables of every file.
const VARIABLES: [(&str, &str); 4] =
    [("HOST", "index.example"), ("VERSION", "1.2.3"), ("EMPTY", ""), ("NAME_2", "flask")];

/// A table of sets of files. The first of each is read.
fn cases() -> Vec<Vec<(&'static str, String)>> {
    let one = |text: &str| vec![("r.txt", text.replace("HASH", &"a0".repeat(32)))];
    vec![
        one(""),
        one("a\nb==1.0\n\n# c\n  d >= 1, < 2  # e\n"),
        one("\u{feff}# x\r\na\r\nb\\\r\n==1\r\nc"),
        one("a==1 \\\n    --hash=sha256:HASH \\\n    --hash=sha256:HASH\n    # via b\nb"),
        one("a==1 \\\n# comment\nb\n# c \\\nd\ne # f \\\ng\nh \\"),
        one("a==${VERSION}\n${NAME_2}\n-f ${EMPTY}/${ABSENT}/$VERSION/${version}"),
        one(
            "-i https://${HOST}/simple\n--extra-index-url https://e/\n--extra-index-url=https://f/",
        ),
        one("--pypi-url https://i/\n--no-index"),
        one("--pre\n--prefer-binary\n--require-hashes\n--trusted-host h:80 --trusted-host=i"),
        one("--no-binary a,B_b --only-binary c\n--only-binary=a\n--no-binary c.d"),
        one("--no-binary :all:\n--only-binary :none:,x"),
        one("--no-binary x,:none:\n--only-binary :all:\na --no-binary a"),
        one("-f wheels\n--find-links=https://h/links\n--find-links 'wheels'"),
        one("a ; python_version < \"3.9\" --hash=sha256:HASH\nb;os_name=='nt'\n c[x,y] ~= 1.0 "),
        one(
            "a @ https://h/a-1.tar.gz#sha256=0\nhttps://h/b-1.tar.gz\n./wheels/c-1-py3-none-any.whl",
        ),
        one(
            "d-1-py3-none-any.whl[x]\nfile:///w/e-1-py3-none-any.whl\nf@https://h/f.zip;os_name=='nt'",
        ),
        one("a\u{c}b\u{1e}c\u{85}d\u{2028}e\u{2029}f\u{b}g\rh"),
        one("a\\\\\nb\n\\c\\\nd"),
        one("a\u{a0}# b\nc\u{1f}# d\n\u{3000}e"),
        one("--extra-index https://e/ --find https://l/\n--require-\n--trusted h"
            .split("\n--requireh")
            .next()
            .unwrap()),
        one(
            "a --hash sha256:HASH\nb --hash 'sha256:HASH'\nc --hash=\"sha256:HASH\"\nd --has=sha256:HASH",
        ),
        vec![
            ("in/r.txt", "a\n-r more/b.txt\n-c ../c.txt\n--requirement=../d.txt\nz".into()),
            ("in/more/b.txt", "b\n-f links\n--pre".into()),
            ("in/more/links/x", String::new()),
            ("c.txt", "c<2\n-r in/of-c.txt\n-c'in/with space.txt'".into()),
            ("in/of-c.txt", "of-c".into()),
            ("in/with space.txt", "w".into()),
            ("d.txt", "d\n--only-binary d".into()),
        ],
    ]
}

#[test]
fn pip_finds_the_same() {
    let cases = cases();
    let root = tempfile::tempdir().unwrap();
    let directories: Vec<_> =
        (0..cases.len()).map(|number| root.path().join(number.to_string())).collect();
    let mut questions = Vec::new();
    for (files, directory) in cases.iter().zip(&directories) {
        fs::create_dir_all(directory.join("wheels")).unwrap();
        for (path, text) in files {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        questions.push(json!([directory, files[0].0]));
    }
    let answers = pip(&questions);
    assert_eq!(answers.len(), cases.len());
    let mut differences = Vec::new();
    for ((files, directory), theirs) in cases.iter().zip(&directories).zip(&answers) {
        differences.extend(difference(theirs, &ours(directory, files[0].0), files));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Both answers, if they are not the same.
fn difference(theirs: &Value, ours: &Value, files: &[(&str, String)]) -> Option<String> {
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    (theirs != ours).then(|| format!("{files:#?}\npip: {}\nwe: {}", text(theirs), text(ours)))
}

fn pip(questions: &[Value]) -> Vec<Value> {
    let mut command = program("python3");
    command.args(["-I", "-X", "utf8", "-c", SCRIPT, &json!(questions).to_string()]);
    command.envs(VARIABLES).env_remove("ABSENT");
    let printed = stdout(&mut command).unwrap();
    let mut answers: Vec<Value> = serde_json::from_str(&printed).unwrap();
    for line in answers.iter_mut().flat_map(|answer| answer["found"].as_array_mut().unwrap()) {
        line["text"] = comparable(line["text"].as_str().unwrap()).into();
        let (path, number) = line["origin"].as_str().unwrap().rsplit_once(':').unwrap();
        line["origin"] = format!("{}:{number}", RequirementsFile::beside("", path)).into();
    }
    answers
}

fn ours(directory: &Path, file: &str) -> Value {
    let environment = |name: &str| {
        VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let mut read = |path: &str| match fs::read_to_string(directory.join(path)) {
        Ok(text) => Reading::Text(text.into()),
        Err(error) => panic!("{path}: {error}"),
    };
    let gathered = match gather_requirements(&[(Role::Requirements, file)], &environment, &mut read)
    {
        Ok(Gathering::Whole(gathered)) => gathered,
        other => panic!("{other:#?}"),
    };
    shown(directory, &gathered)
}

/// In pip's words. It lists an index even if there is none but the default.
fn shown(directory: &Path, gathered: &Gathered) -> Value {
    let settings = &gathered.settings;
    let lists = [(&gathered.requirements, false), (&gathered.constraints, true)];
    let mut found = Vec::new();
    for (list, is_constraint) in lists {
        for one in list {
            let mut hashes = one.hashes.clone();
            hashes.sort();
            found.push(json!({
                "text": comparable(&one.text),
                "hashes": hashes,
                "constraint": is_constraint,
                "origin": one.origin.to_string(),
            }));
        }
    }
    let indexes = settings.indexes.index_url.iter().chain(&settings.indexes.extra_index_urls);
    let indexes: Vec<_> = indexes.map(|url| url.expose()).collect();
    let directories = settings.directories.iter().map(|found| {
        let is_beside = directory.join(&found.beside).exists();
        if is_beside { found.beside.clone() } else { found.path.clone() }
    });
    let pages = settings.indexes.find_links.iter().map(|url| url.expose().to_owned());
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list
    };
    json!({
        "found": found,
        "indexes": if settings.indexes.no_index { Vec::new() } else { indexes },
        "no_index": settings.indexes.no_index,
        "links": sorted(&directories.chain(pages).collect::<Vec<_>>()),
        "pre": settings.prereleases == python::Prereleases::Allow,
        "no_binary": sorted(&settings.no_binary),
        "only_binary": sorted(&settings.only_binary),
        "require_hashes": settings.require_hashes,
        "trusted": sorted(&settings.trusted_hosts),
    })
}

/// A requirement without what may be written in several ways: white space, and `./` before a path.
fn comparable(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    let text = text.strip_prefix("./").unwrap_or(&text);
    text.strip_prefix("file://").unwrap_or(text).to_owned()
}
