//! Files that include files.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Gathering, Reading, Role, gather_requirements};

/// Rounds of questions until all is known, and what is found then.
fn gather(roots: &[(Role, &str)], files: &[(&str, &str)]) -> String {
    let files: BTreeMap<_, _> = files.iter().copied().collect();
    let mut known = BTreeSet::new();
    let mut shown = String::new();
    loop {
        let mut read = |path: &str| {
            if !known.contains(path) {
                return Reading::Unknown;
            }
            match files.get(path) {
                Some(text) => Reading::Text((*text).into()),
                None => Reading::Failed { message: format!("there is no `{path}`"), hint: None },
            }
        };
        match gather_requirements(roots, &|_| None, &mut read) {
            Ok(Gathering::Lacks(paths)) => {
                shown += &format!("lacks {}\n", paths.join(" "));
                let before = known.len();
                known.extend(paths);
                assert!(known.len() > before, "{shown}");
            }
            Ok(Gathering::Whole(gathered)) => {
                for (what, list) in [
                    ("", &gathered.requirements),
                    ("constraint ", &gathered.constraints),
                    ("unpinned ", &gathered.unpinned),
                ] {
                    for requirement in list {
                        let (text, origin) = (&requirement.text, &requirement.origin);
                        shown += &format!("{what}{text} ({origin})\n");
                    }
                }
                if !gathered.paths.is_empty() {
                    shown += &format!("paths {}\n", gathered.paths.join(" "));
                }
                return shown + &format!("hashes {}", gathered.settings.require_hashes);
            }
            Err(problems) => {
                for found in &problems {
                    let place =
                        files.get(&*found.file).map(|text| &text[found.problem.span.clone()]);
                    let place = place.unwrap_or_default();
                    let (file, problem) = (&found.file, &found.problem);
                    let hint = problem.hint.as_ref().map(|hint| format!(" | {hint}"));
                    let hint = hint.unwrap_or_default();
                    shown +=
                        &format!("{file}:{} «{place}» {}{hint}\n", problem.line, problem.message);
                }
                return shown.trim_end().to_owned();
            }
        }
    }
}

const ROOT: (Role, &str) = (Role::Requirements, "requirements.txt");

#[test]
fn files_are_asked_for_together() {
    insta::assert_snapshot!(gather(&[ROOT, (Role::Constraints, "./c.txt")], &[
        ("requirements.txt", "a\n-r requirements/base.txt\n-c pins.txt\nb==1\n-r ./requirements/dev.txt"),
        ("requirements/base.txt", "c\n-r more.txt\n./wheels/d-1-py3-none-any.whl"),
        ("requirements/dev.txt", "-r base.txt\n-r ../requirements/more.txt\ne @ https://h/e.whl"),
        ("requirements/more.txt", "f==1 --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("pins.txt", "f==1\n-r of-pins.txt\n-c c.txt"),
        ("of-pins.txt", "g"),
        ("c.txt", "h<2"),
    ]), @"
    lacks requirements.txt c.txt
    lacks requirements/base.txt pins.txt requirements/dev.txt
    lacks requirements/more.txt of-pins.txt
    a (requirements.txt:1)
    c (requirements/base.txt:1)
    f==1 (requirements/more.txt:1)
    ./wheels/d-1-py3-none-any.whl (requirements/base.txt:3)
    g (of-pins.txt:1)
    b==1 (requirements.txt:4)
    e @ https://h/e.whl (requirements/dev.txt:3)
    constraint f==1 (pins.txt:1)
    constraint h<2 (c.txt:1)
    unpinned a (requirements.txt:1)
    unpinned c (requirements/base.txt:1)
    unpinned g (of-pins.txt:1)
    unpinned e @ https://h/e.whl (requirements/dev.txt:3)
    paths wheels/d-1-py3-none-any.whl
    hashes true
    ");
}

#[test]
fn what_goes_wrong() {
    insta::assert_snapshot!(gather(&[ROOT, (Role::Requirements, "absent.txt")], &[
        ("requirements.txt", "a\n-r requirements.txt\n-r in/b.txt\n-r nowhere.txt\n-c c.txt"),
        ("in/b.txt", "b=1\nx"),
        ("c.txt", "a[x]==1\nhttps://h/a.zip\nhttps://h/a-1-py3-none-any.whl\n-r d.txt"),
        ("d.txt", "-c ./c.txt\n-c in/b.txt"),
    ]), @"
    lacks requirements.txt absent.txt
    lacks in/b.txt nowhere.txt c.txt
    lacks d.txt
    requirements.txt:2 «-r requirements.txt» `requirements.txt` includes itself
    in/b.txt:1 «=» `=` is no operator | write `b==1`
    requirements.txt:4 «-r nowhere.txt» there is no `nowhere.txt`
    c.txt:1 «a[x]==1» a constraint has no extras
    c.txt:2 «https://h/a.zip» a constraint is of a distribution by name: write `NAME @ ADDRESS`
    d.txt:1 «-c ./c.txt» `c.txt` includes itself | the way there is `requirements.txt` → `c.txt` → `d.txt`
    absent.txt:1 «» there is no `absent.txt`
    ");
}

#[test]
fn no_end_of_files() {
    let names: Vec<_> = (0..100).map(|number| format!("{number}.txt")).collect();
    let texts: Vec<_> = (0..100)
        .map(|number| {
            // Twice, so that a walk without memory would take 2^100 steps.
            format!("-r {0}.txt\n-r {0}.txt\n-r ./{0}.txt", number + 1)
        })
        .collect();
    let files: Vec<_> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let said = gather(&[(Role::Requirements, "0.txt")], &files);
    let last = said.lines().last().unwrap();
    assert_eq!(last, "63.txt:3 «-r ./64.txt» files include each other more than 64 deep");
    let said = gather(&[(Role::Requirements, "40.txt")], &files);
    assert_eq!(said.lines().last().unwrap(), "99.txt:3 «-r ./100.txt» there is no `100.txt`");
}
