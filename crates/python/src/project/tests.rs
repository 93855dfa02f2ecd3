//! `pyproject.toml` in, requirements or findings out.

use proptest::prelude::*;

use super::parse_project;
use crate::Problem;

const FILE: &str = "pyproject.toml";

fn finding(text: &str, problem: &Problem) -> String {
    let hint = problem.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
    format!("{} «{}» {}{hint}", problem.line, &text[problem.span.clone()], problem.message)
}

/// All that is wrong with a file.
fn refused(text: &str) -> String {
    let problems = parse_project(text).unwrap_err();
    let lines: Vec<_> = problems.iter().map(|problem| finding(text, problem)).collect();
    lines.join("\n")
}

/// What is installed with extras and groups, or the first thing that is wrong.
fn selected(text: &str, extras: &[&str], groups: &[&str]) -> String {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let project = parse_project(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    match project.requirements(FILE, &owned(extras), &owned(groups)) {
        Ok(requirements) => {
            let lines: Vec<_> = requirements
                .iter()
                .map(|requirement| format!("{} {}", requirement.origin.line, requirement.text))
                .collect();
            lines.join("\n")
        }
        Err(problem) => finding(text, &problem),
    }
}

const APP: &str = r#"
[project]
name = "My.App"
version = "1.0"
requires-python = ">=3.9"
dependencies = [
    "flask>=3",
    "torch ; sys_platform == 'linux'",
    "wheel @ file:wheels/wheel-1-py3-none-any.whl",
]

[project.optional-dependencies]
Web_UI = ["uvicorn[standard]"]
cli = ["click", "my-app[web-ui] ; os_name == 'nt' or os_name == 'x'"]
all = ["My_App[cli, web.ui]"]
loop = ["my-app[pool]", "a"]
pool = ["my-app[loop]; os_name == 'y'", "b"]
missing = ["my-app[absent]"]

[project.scripts]
app = "my.app:main"

[dependency-groups]
test = ["pytest>8", { include-group = "Lint" }]
lint = ["ruff==1.0"]
both = [{ include-group = "test" }, { include-group = "lint" }]
round = [{ include-group = "trip" }]
trip = [{ include-group = "round" }]
lost = [{ include-group = "tset" }]
extra = ["my-app[cli]"]

[tool.uv]
dev-dependencies = ["mypy"]
constraint-dependencies = ["numpy<2"]
override-dependencies = ["werkzeug==2.3.0"]

[[tool.uv.index]]
name = "cpu"
url = "https://user:SECRET@h/cpu"

[[tool.uv.index]]
name = "hidden"
url = "https://h/hidden"
explicit = true

[[tool.uv.index]]
url = "https://h/main"
default = true

[[tool.uv.index]]
url = "https://h/flat"
format = "flat"

[tool.uv.sources]
torch = [{ index = "cpu", marker = "sys_platform == 'linux'" }]
pytest = { workspace = true }
"#;

#[test]
fn what_is_installed() {
    insta::assert_snapshot!(selected(APP, &[], &[]), @"
    7 flask>=3
    8 torch ; sys_platform == 'linux'
    9 ./wheels/wheel-1-py3-none-any.whl
    ");
    insta::assert_snapshot!(selected(APP, &["all", "cli"], &["lint", "dev", "LINT"]), @"
    7 flask>=3
    8 torch ; sys_platform == 'linux'
    9 ./wheels/wheel-1-py3-none-any.whl
    14 click
    13 uvicorn[standard] ; os_name == 'nt' or os_name == 'x'
    13 uvicorn[standard]
    25 ruff==1.0
    33 mypy
    ");
    insta::assert_snapshot!(selected(APP, &["loop"], &[]), @"
    7 flask>=3
    8 torch ; sys_platform == 'linux'
    9 ./wheels/wheel-1-py3-none-any.whl
    17 b
    16 a
    ");
    insta::assert_snapshot!(selected(APP, &[], &["extra"]), @"
    7 flask>=3
    8 torch ; sys_platform == 'linux'
    9 ./wheels/wheel-1-py3-none-any.whl
    14 click
    13 uvicorn[standard] ; os_name == 'nt' or os_name == 'x'
    ");
    let empty = "[project]\nname = 'a'";
    assert_eq!(selected(empty, &[], &[]), "");
    let groups = "[dependency-groups]\na = ['b']";
    assert_eq!(selected(groups, &[], &["a"]), "2 b");
}

#[test]
fn what_is_not() {
    let check = |text: &str, extras: &[&str], groups: &[&str], expected: &str| {
        assert_eq!(selected(text, extras, groups), expected, "{extras:?} {groups:?}");
    };
    check(APP, &["wbe-ui"], &[], "1 «» the project has no extra `wbe-ui` | did you mean `web-ui`?");
    check(
        APP,
        &["missing"],
        &[],
        "18 «\"my-app[absent]\"» the project has no extra `absent` | there are `all`, `cli`, \
         `loop`, `missing`, `pool`, `web-ui`",
    );
    check(APP, &[], &["tst"], "1 «» there is no dependency group `tst` | did you mean `test`?");
    check(
        APP,
        &[],
        &["lost"],
        "29 «\"tset\"» there is no dependency group `tset` | did you mean `test`?",
    );
    check(
        APP,
        &[],
        &["round"],
        "28 «\"round\"» the group `round` includes itself | the way there is `round` → `trip`",
    );
    check(
        APP,
        &[],
        &["test"],
        "56 «{ workspace = true }» `pytest` has a source of the kind `workspace` | lock it with `uv \
         lock`, and install from `uv.lock`",
    );
    let source = |source: &str| {
        let index = "[[tool.uv.index]]\nname = 'x'\nurl = 'https://h'\nexplicit = true\n";
        let text =
            format!("{index}[tool.uv.sources]\nb = {source}\n[project]\ndependencies = ['B']");
        let said = selected(&text, &[], &[]);
        said.split(" | ").next().unwrap().to_owned()
    };
    assert_eq!(
        source("{ git = 'https://h' }"),
        "6 «{ git = 'https://h' }» `b` has a source of the kind `git`"
    );
    assert_eq!(
        source("{ index = 'y' }"),
        "6 «{ index = 'y' }» `b` is from the index `y`, which is not there"
    );
    assert_eq!(
        source("[{ index = 'x' }, { path = '.' }]"),
        "6 «[{ index = 'x' }, { path = '.' }]» `b` has a source of the kind `path`"
    );
    assert_eq!(source("{ index = 'x' }"), "6 «{ index = 'x' }» `b` is from `x`, an explicit index");
    let dynamic = "[project]\nname = 'a'\ndynamic = ['version', 'dependencies']";
    check(
        dynamic,
        &[],
        &[],
        "3 «'dependencies'» the dependencies are dynamic: only a build tells them | list them in \
         `dependencies`, or install from a lock (`uv lock`)",
    );
    let dynamic = "[project]\nname = 'a'\ndynamic = ['optional-dependencies']";
    check(
        dynamic,
        &["x"],
        &[],
        "3 «'optional-dependencies'» the optional-dependencies are dynamic: only a build tells \
         them | list them in `optional-dependencies`, or install from a lock (`uv lock`)",
    );
    check(
        "[build-system]",
        &[],
        &[],
        "1 «» there is no `[project]` table | list what is needed in `dependencies` there",
    );
}

#[test]
fn the_rest_of_a_file() {
    let project = parse_project(APP).unwrap();
    assert_eq!(project.name.as_deref(), Some("my-app"));
    assert_eq!(project.version.as_deref(), Some("1.0"));
    assert_eq!(project.requires_python.as_ref().unwrap().text, ">=3.9");
    assert_eq!(project.scripts["app"], "my.app:main");
    assert_eq!(project.constraints(FILE)[0].text, "numpy<2");
    assert_eq!(project.overrides(FILE)[0].origin.to_string(), "pyproject.toml:35");
    insta::assert_debug_snapshot!(project.indexes(), @r#"
    Indexes {
        index_url: Some(
            "https://h/main",
        ),
        extra_index_urls: [
            "https://h/cpu",
        ],
        no_index: false,
        find_links: [
            "https://h/flat",
        ],
    }
    "#);
}

#[test]
fn all_of_a_file_at_once() {
    insta::assert_snapshot!(refused(
        "[project]\nname = 'a b'\nversion = 1\ndependencies = [\"b=1\", 2, '''c d''', './x.whl',\n\
         'https://h/x.whl', \"\\u0061=1\", 'd @ git+https://h/d']\ndynamic = 'x'\n\
         optional-dependencies = { A_b = [], a-b = [], c = 'x' }\nscripts = { a = 1 }\n\
         [dependency-groups]\na = ['b', { include = 'c' }, 1]\nb = 1\nC_d = []\nc-d = []\n'é' = []\n\
         [tool.uv]\ndev-dependencies = {}\nindex = [1, {}, { url = 1 }, { url = 'x', default = 'y' }]\n\
         sources = { x = 1 }"
    ), @r#"
    2 « » ` ` has no place in a name
    3 «1» `version` is a string, and not an integer
    4 «=» `=` is no operator | write `b==1`
    4 «2» `dependencies` is a string, and not an integer
    4 «d» `d` is not expected behind `c` | each requirement has a line of its own
    4 «'./x.whl'» the requirement names no distribution | write `NAME @ file:PATH`
    5 «'https://h/x.whl'» the requirement names no distribution | write `NAME @ ADDRESS`
    5 «"\u0061=1"» `=` is no operator | write `a==1`
    5 «git+https://h/d» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    6 «'x'» `dynamic` is an array, and not a string
    7 «a-b» the extra `a-b` is there twice
    7 «'x'» `c` is an array, and not a string
    8 «1» `a` is a string, and not an integer
    10 «{ include = 'c' }» a group holds requirements and `{ include-group = NAME }`
    10 «1» `a` is a string, and not an integer
    11 «1» `b` is an array, and not an integer
    13 «c-d» the group `c-d` is there twice
    14 «é» `é` has no place in a name
    16 «{}» `dev-dependencies` is an array, and not a table
    17 «1» `index` holds tables
    17 «{}» the index has no `url`
    17 «1» `url` is a string, and not an integer
    17 «'y'» `default` is true or false, and not a string
    18 «1» a source is a table
    "#);
    insta::assert_snapshot!(refused("[project\na = \nb = 1 2"), @"1 «» unclosed table, expected `]`");
    insta::assert_snapshot!(refused("project = 1\ntool = 2\ndependency-groups = []"), @"
    1 «1» `project` is a table, and not an integer
    2 «2» `tool` is a table, and not an integer
    3 «[]» `dependency-groups` is a table, and not an array
    ");
    insta::assert_snapshot!(
        refused("[tool.poetry]\nname = 'a'\n[tool.poetry.dependencies]\npython = '^3.9'"), @"3 «dependencies» the dependencies are written for Poetry alone | export them with `poetry export -o requirements.txt`, or list them in `[project]`"
    );
    assert_eq!(refused(&" ".repeat((4 << 20) + 1)), "1 «» the file is larger than 4 MiB");
}

/// Extras that lead to each other under more and more markers, and chains of any length.
#[test]
fn no_end_of_extras() {
    let mut text = "[project]\nname = 'a'\n[project.optional-dependencies]\n".to_owned();
    for number in 0..40 {
        let next = number + 1;
        text += &format!(
            "e{number} = ['a[e{next}] ; os_name == \"{number}\"', 'a[e{next}] ; os_name == \"x\"']\n"
        );
    }
    text += "e40 = ['b']\n";
    let said = selected(&text, &["e0"], &[]);
    assert!(said.ends_with("the extras include each other too often"), "{said}");
    let mut text = "[dependency-groups]\n".to_owned();
    for number in 0..5000 {
        text += &format!("g{number} = [{{ include-group = 'g{}' }}]\n", number + 1);
    }
    let said = selected(&text, &[], &["g0"]);
    assert!(said.ends_with("the groups include each other too deep"), "{said}");
}

proptest! {
    /// Whatever the text, there is an answer, and it points into the text.
    #[test]
    fn any_file(pieces in prop::collection::vec(piece(), 0..20)) {
        let text = pieces.concat();
        let answer = parse_project(&text);
        let problems = match answer {
            Ok(project) => {
                let names: Vec<String> = project.extras.keys().cloned().collect();
                let groups: Vec<String> = project.groups.keys().cloned().collect();
                let _ = project.indexes();
                project.requirements(FILE, &names, &groups).err().into_iter().collect()
            }
            Err(problems) => problems,
        };
        for problem in problems {
            prop_assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec![
            "[project]\n", "name = 'a'\n", "dependencies = [\"b==1\", 'a[x]', 'é=1']\n",
            "dependencies = [\"\"\"b\n=1\"\"\", \"\\u00e9\"]\n", "dynamic = ['dependencies']\n",
            "[project.optional-dependencies]\n", "x = ['a[y]']\n", "y = ['a[x] ; os_name == \"z\"']\n",
            "[dependency-groups]\n", "g = [{include-group = 'h'}]\n", "h = [{include-group = 'g'}]\n",
            "[tool.uv.sources]\n", "b = {index = 'i'}\n", "[[tool.uv.index]]\n", "url = 'https://h'\n",
            "[tool.uv]\n", "dev-dependencies = ['c']\n", "[tool.poetry.dependencies]\n", "[[", "'", "=",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}
