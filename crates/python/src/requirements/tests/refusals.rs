//! What is refused, with its place and its hint.

use super::shown;

fn check(text: &str, expected: &str) {
    assert_eq!(shown(text), expected, "{text:?}");
}

#[test]
fn all_of_a_file_at_once() {
    insta::assert_snapshot!(shown(
        "# -*- coding: latin-1 -*-\na=1\n-e .\n--no-indx\n-e git+https://h/r#egg=r\n\
         git+ssh://git@h/r\nb @ git+https://h/r@main\n./src\n.\n-r https://h/r.txt\n\
         c \\\n  --hash=sha256:00 \\\n  --hash=md5:00\n--hash=sha256:00\n--upgrade\n-U\n--no\n\
         d --pre\ne --global-option=x\n--config-settings a=b\n--use-feature fast-dep\n-r\n--pre=1\n\
         -r 'a\n-r a\\\n--pre b\n-i h/simple\n-i ${ABSENT}\n--no-binary a..,b\nrequirements/a.txt\n-r ''\n-i ''"
    ), @r#"
    1 «latin-1» the encoding `latin-1` is declared, and only UTF-8 is read | save the file as UTF-8
    2 «=» `=` is no operator | write `a==1`
    3 «-e .» an editable requirement has no place in an image | for the project in the context write `project = "."`; for another, build a wheel and name that
    4 «--no-indx» there is no option `--no-indx` | did you mean `--no-index`?
    5 «-e git+https://h/r#egg=r» an editable requirement has no place in an image | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    6 «git+ssh://git@h/r» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    7 «git+https://h/r@main» a requirement is not taken from a repository | pin a release, name a wheel that is built from it, or install from a lock (`uv lock`)
    8 «./src» a directory cannot be installed | for the project in the context write `project = "."`; for another, build a wheel and name that
    9 «.» a directory cannot be installed | for the project in the context write `project = "."`; for another, build a wheel and name that
    10 «-r https://h/r.txt» `--requirement` names an address | keep the file in the context, and name its path
    12 «--hash=sha256:00» a sha256 digest has 64 digits, and this has 2
    13 «--hash=md5:00» the hash algorithm `md5` is not taken | use sha256, sha384 or sha512
    14 «--hash=sha256:00» there is a `--hash` and no requirement | end the line before with `\`; a comment between ends what is to be continued
    15 «--upgrade» there is no option `--upgrade` | it is an option of `pip install`, and none of its files has it
    16 «-U» there is no option `-U` | it is an option of `pip install`, and none of its files has it
    17 «--no» `--no` is the begin of several options | write `--no-index` or `--no-binary`
    18 «--pre» `--pre` stands behind a requirement | give it a line of its own
    19 «--global-option=x» `--global-option` is for builds of sources | build a wheel with it, and name that
    20 «--config-settings a=b» `--config-settings` is for builds of sources | build a wheel with it, and name that
    21 «--use-feature fast-dep» there is no feature `fast-dep` | did you mean `fast-deps`?
    22 «-r» there is no value behind `--requirement`
    23 «--pre=1» `--pre` takes no value
    24 «'» the quote `'` is not closed
    26 «b» this belongs to no option | a requirement, or another file, has a line of its own
    27 «-i h/simple» `--index-url` takes an `https:` address
    28 «-i ${ABSENT}» `--index-url` takes an `https:` address | a variable in it has no value
    29 «--no-binary a..,b» `a..` is no name: it begins and ends with a letter or a digit | it takes names with commas between, or `:all:`, or `:none:`
    30 «requirements/a.txt» this is neither a wheel nor an archive | for a file with requirements, write `-r` before it
    31 «-r ''» `--requirement` names no file
    32 «-i ''» the value of `--index-url` is empty
    "#);
}

#[test]
fn large_files() {
    check(&"#".repeat((4 << 20) + 1), "1 «» the file is larger than 4 MiB");
    assert_eq!(shown(&"a=1\n".repeat(1000)).lines().count(), 100);
}

#[test]
fn places_in_joined_lines_and_behind_variables() {
    check(
        "\u{feff}a==1 \\\r\n  --hash=sha256:${VERSION}",
        "2 «--hash=sha256:${VERSION}» `.` is no digit of a hash | it is written \
         `--hash=sha256:DIGEST`",
    );
    check("a${VERSION}é", "1 «é» the character `é` (U+00E9) has no place here");
    check("a \\\n= \\\n1", "2 «=» `=` is no operator | write `a==1`");
}
