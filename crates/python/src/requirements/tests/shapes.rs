//! Single requirements.

use super::super::check_requirement;

/// Name, extras, what is wanted, and marker, with `!` if it is pinned; or what is wrong.
fn shape(text: &str) -> String {
    match check_requirement(text) {
        Ok(shape) => {
            let pinned = if shape.is_pinned(&[]) { "!" } else { "" };
            format!(
                "{:?} {:?} {:?} {:?}{pinned}",
                shape.name, shape.extras, shape.wanted, shape.marker
            )
            .replace("Some", "")
            .replace("None", "-")
        }
        Err(problem) => {
            let hint = problem.hint.map(|hint| format!(" | {hint}")).unwrap_or_default();
            format!("«{}» {}{hint}", text[problem.span].escape_debug(), problem.message)
        }
    }
}

fn table(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{text:?}\n    {}\n", shape(text))).collect()
}

#[test]
fn what_is_taken() {
    insta::assert_snapshot!(table(&[
        "name",
        " name ",
        "name==1.0",
        "name === 1.0-weird_",
        "name==1.*",
        "name >= 1.0, < 2",
        "name (>=1.0)",
        "name[a,B.c]~=1.0",
        "name [ a , b ] ",
        "name[]",
        "name==1.0;",
        "name==1.0 ; python_version < \"3.9\"",
        "name;python_version<'3.9' and (os_name == 'nt' or extra == 'x;y')",
        "name @ https://h/name-1.tar.gz",
        "name@https://h/name-1.tar.gz#sha256=0",
        "name[a] @ https://h/a;b.whl ; os_name == 'nt'",
        "name @ https://h/a.whl; os_name == 'nt'",
        "name @ https://h/a.whl;os_name == 'nt'",
        "name[a] @ file:///w/name-1-py3-none-any.whl",
        "name @ file:w/Name-1-py3-none-any.whl#sha256=0",
        "name @ ./w/name-1-py3-none-any.whl",
        "https://h/name-1-py3-none-any.whl",
        "https://u:p@h/name.zip#egg=name[a]&sha256=0 ; os_name == 'nt'",
        "https://h/name.zip#egg=",
        "./dist/a-1-py3-none-any.whl",
        "dist/../a-1-py3-none-any.whl[x, y]; os_name == 'nt'",
        "a-1-py3-none-any.whl[x]",
        "a-1.tar.gz",
        "../a b/c.whl",
        "file:///w/my%20wheel%41.whl#sha256=0",
        "FILE:w/a.whl",
        "zope.interface!=1.0",
        "requirements.txt",
        "click-log-0.3.2",
    ]), @r#"
    "name"
        ("name") [] Versions("") -
    " name "
        ("name") [] Versions("") -
    "name==1.0"
        ("name") [] Versions("==1.0") -!
    "name === 1.0-weird_"
        ("name") [] Versions("=== 1.0-weird_") -!
    "name==1.*"
        ("name") [] Versions("==1.*") -
    "name >= 1.0, < 2"
        ("name") [] Versions(">= 1.0, < 2") -
    "name (>=1.0)"
        ("name") [] Versions(">=1.0") -
    "name[a,B.c]~=1.0"
        ("name") ["a", "B.c"] Versions("~=1.0") -
    "name [ a , b ] "
        ("name") ["a", "b"] Versions("") -
    "name[]"
        ("name") [] Versions("") -
    "name==1.0;"
        ("name") [] Versions("==1.0") -!
    "name==1.0 ; python_version < \"3.9\""
        ("name") [] Versions("==1.0") ("python_version < \"3.9\"")!
    "name;python_version<'3.9' and (os_name == 'nt' or extra == 'x;y')"
        ("name") [] Versions("") ("python_version<'3.9' and (os_name == 'nt' or extra == 'x;y')")
    "name @ https://h/name-1.tar.gz"
        ("name") [] Url("https://h/name-1.tar.gz") -
    "name@https://h/name-1.tar.gz#sha256=0"
        ("name") [] Url("https://h/name-1.tar.gz#sha256=0") -!
    "name[a] @ https://h/a;b.whl ; os_name == 'nt'"
        ("name") ["a"] Url("https://h/a;b.whl") ("os_name == 'nt'")
    "name @ https://h/a.whl; os_name == 'nt'"
        ("name") [] Url("https://h/a.whl") ("os_name == 'nt'")
    "name @ https://h/a.whl;os_name == 'nt'"
        ("name") [] Url("https://h/a.whl") ("os_name == 'nt'")
    "name[a] @ file:///w/name-1-py3-none-any.whl"
        ("name") ["a"] Path("/w/name-1-py3-none-any.whl") -!
    "name @ file:w/Name-1-py3-none-any.whl#sha256=0"
        ("name") [] Path("w/Name-1-py3-none-any.whl") -!
    "name @ ./w/name-1-py3-none-any.whl"
        ("name") [] Path("w/name-1-py3-none-any.whl") -!
    "https://h/name-1-py3-none-any.whl"
        - [] Url("https://h/name-1-py3-none-any.whl") -
    "https://u:p@h/name.zip#egg=name[a]&sha256=0 ; os_name == 'nt'"
        ("name") ["a"] Url("https://u:p@h/name.zip#egg=name[a]&sha256=0") ("os_name == 'nt'")!
    "https://h/name.zip#egg="
        - [] Url("https://h/name.zip#egg=") -
    "./dist/a-1-py3-none-any.whl"
        - [] Path("dist/a-1-py3-none-any.whl") -!
    "dist/../a-1-py3-none-any.whl[x, y]; os_name == 'nt'"
        - ["x", "y"] Path("a-1-py3-none-any.whl") ("os_name == 'nt'")!
    "a-1-py3-none-any.whl[x]"
        - ["x"] Path("a-1-py3-none-any.whl") -!
    "a-1.tar.gz"
        - [] Path("a-1.tar.gz") -!
    "../a b/c.whl"
        - [] Path("../a b/c.whl") -!
    "file:///w/my%20wheel%41.whl#sha256=0"
        - [] Path("/w/my wheelA.whl") -!
    "FILE:w/a.whl"
        - [] Path("w/a.whl") -!
    "zope.interface!=1.0"
        ("zope.interface") [] Versions("!=1.0") -
    "requirements.txt"
        ("requirements.txt") [] Versions("") -
    "click-log-0.3.2"
        ("click-log-0.3.2") [] Versions("") -
    "#);
}

#[test]
fn what_is_not() {
    insta::assert_snapshot!(table(&[
        "",
        "name=1.0",
        "name 1.0",
        "name~1.0",
        "name^1.0",
        "name=>1.0",
        "name =< 1.0",
        "name!1",
        "name@1.0",
        "name@",
        "name @ somewhere",
        "name==latest",
        "name==*",
        "name==",
        "name>=1.0,",
        "name>=1.0,,<2",
        "name>1.0<2",
        "name>=1.0 <2",
        "name==1.0 other",
        "name other",
        "name: 1.0",
        "name==\"1.0\"",
        "name>=1.*",
        "name==1.",
        "name==1*",
        "name~=1",
        "name<>1",
        "name====1",
        "name>=1.0[extra]",
        "name[extra",
        "name[a b]",
        "name[a,]",
        "name (>=1",
        "_name",
        "name_",
        "name_==1",
        "==1.0",
        "[x]",
        "name>=1.0 ; python_version < “3.9”",
        "name≥1.0",
        "name\u{a0}==1.0",
        "na\u{200b}me",
        "naïve",
        "name ; os_name == 'nt",
        "name ; (os_name == 'nt'",
        "name ; os_name == 'nt')",
        "git@host:a/b.git",
        "git+https://h/r",
        "hg+http://h/r#egg=a",
        "git://h/r",
        "name @ git+file:///r",
        "https://",
        "https://?a.whl",
        "ftp://h/a.whl",
        "https://h/a.whl and more",
        "file://h/a.whl",
        "file:///%ff.whl",
        "file:.",
        ".",
        "../project[x]",
        "requirements/base.txt",
        "name @ ./other-1-py3-none-any.whl",
        "C:\\wheels\\a",
        "requests flask==2 # x",
    ]), @r#"
    ""
        «» there is no requirement
    "name=1.0"
        «=» `=` is no operator | write `name==1.0`
    "name 1.0"
        «1.0» a version stands behind the name, with no operator | write `name==1.0`
    "name~1.0"
        «~» `~` is no operator | write `name~=1.0`
    "name^1.0"
        «^» `^` is no operator outside of Poetry | write `name>=1.0`, with an upper bound behind a comma
    "name=>1.0"
        «=>» `=>` is no operator | write `name>=1.0`
    "name =< 1.0"
        «=<» `=<` is no operator | write `name<=1.0`
    "name!1"
        «!» `!` is no operator | write `name!=1`
    "name@1.0"
        «1.0» an address is expected behind `@`, and not a version | write `name==1.0`
    "name@"
        «@» there is no address behind `@`
    "name @ somewhere"
        «somewhere» a directory cannot be installed | for the project in the context write `project = "."`; for another, build a wheel and name that
    "name==latest"
        «latest» `latest` is no version | write `name` for the newest version
    "name==*"
        «*» `*` is no version | write `name` for the newest version
    "name=="
        «==» there is no version behind `==`
    "name>=1.0,"
        «,» there is no clause at this comma | take the comma out
    "name>=1.0,,<2"
        «,» there is no clause at this comma | take the comma out
    "name>1.0<2"
        «<» two clauses stand side by side, with no comma between | write `name>1.0,<2`
    "name>=1.0 <2"
        «<» two clauses stand side by side, with no comma between | write `name>=1.0,<2`
    "name==1.0 other"
        «other» `other` is not expected behind the version | each requirement has a line of its own
    "name other"
        «other» `other` is not expected behind `name` | each requirement has a line of its own
    "name: 1.0"
        «: 1.0» `: 1.0` is not expected behind `name` | each requirement has a line of its own
    "name==\"1.0\""
        «\"1.0\"» `"1.0"` is no version | write `name==1.0`
    "name>=1.*"
        «1.*» `1.*` is no version | a `.*` goes with `==` and `!=` only: write `name>=1`
    "name==1."
        «1.» `1.` is no version | write `name==1`
    "name==1*"
        «1*» `1*` is no version | write `name==1.*`
    "name~=1"
        «1» `1` is no version | `~=` needs two numbers at least: write `name~=1.0` or `name>=1`
    "name<>1"
        «>» `<>` is no operator | the operators are ==, !=, <=, >=, <, >, ~= and ===
    "name====1"
        «=» `====` is no operator | the operators are ==, !=, <=, >=, <, >, ~= and ===
    "name>=1.0[extra]"
        «[extra]» extras stand behind the version | write `name[extra]>=1.0`
    "name[extra"
        «[» the `[` of the extras is not closed
    "name[a b]"
        « » ` ` has no place in a name
    "name[a,]"
        «]» a name is expected here, and there is `]`
    "name (>=1"
        «(» the `(` of the versions is not closed
    "_name"
        «_name» `_name` is no name: it begins and ends with a letter or a digit
    "name_"
        «name_» `name_` is no name: it begins and ends with a letter or a digit
    "name_==1"
        «name_» `name_` is no name: it begins and ends with a letter or a digit
    "==1.0"
        «=» a name is expected here, and there is `=`
    "[x]"
        «[» a name is expected here, and there is `[`
    "name>=1.0 ; python_version < “3.9”"
        «“» the character `“` (U+201C) has no place here | write a plain `"`
    "name≥1.0"
        «≥» the character `≥` (U+2265) has no place here | write `>=`
    "name\u{a0}==1.0"
        «\u{a0}» the invisible character U+00A0 has no place here | write a plain space
    "na\u{200b}me"
        «\u{200b}» the invisible character U+200B has no place here | write nothing in its place
    "naïve"
        «ï» the character `ï` (U+00EF) has no place here
    "name ; os_name == 'nt"
        «\'» the quote `'` of the marker is not closed
    "name ; (os_name == 'nt'"
        «(» the `(` of the marker is not closed
    "name ; os_name == 'nt')"
        «)» the `)` of the marker was not opened
    "git@host:a/b.git"
        «git@host:a/b.git» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "git+https://h/r"
        «git+https://h/r» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "hg+http://h/r#egg=a"
        «hg+http://h/r#egg=a» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "git://h/r"
        «git://h/r» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "name @ git+file:///r"
        «git+file:///r» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    "https://"
        «https://» the address names no host
    "https://?a.whl"
        «https://?a.whl» the address names no host
    "ftp://h/a.whl"
        «ftp://h/a.whl» `ftp:` addresses are not known | files come by `https:`, `http:` and `file:`
    "https://h/a.whl and more"
        « and more» white space ends the address | a marker stands behind ` ; `, and a comment behind ` #`
    "file://h/a.whl"
        «file://h/a.whl» the `file:` address names another machine | write `file:///PATH`, or `file:PATH` for one from here
    "file:///%ff.whl"
        «file:///%ff.whl» the path of the `file:` address is not UTF-8
    "file:."
        «file:.» a directory cannot be installed | for the project in the context write `project = "."`; for another, build a wheel and name that
    "."
        «.» a directory cannot be installed | for the project in the context write `project = "."`; for another, build a wheel and name that
    "../project[x]"
        «../project» a directory cannot be installed | for the project in the context write `project = "."`; for another, build a wheel and name that
    "requirements/base.txt"
        «requirements/base.txt» this is neither a wheel nor an archive | for a file with requirements, write `-r` before it
    "name @ ./other-1-py3-none-any.whl"
        «./other-1-py3-none-any.whl» the wheel is of `other`, and `name` is asked for
    "C:\\wheels\\a"
        «C:\\wheels\\a» a directory cannot be installed | for the project in the context write `project = "."`; for another, build a wheel and name that
    "requests flask==2 # x"
        «flask==2 # x» `flask==2 # x` is not expected behind `requests` | each requirement has a line of its own
    "#);
}
