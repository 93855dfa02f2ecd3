//! The lines of `src/programs/files/transcripts/*.txt`, in the directory that they are written for.

use std::fs;
use std::path::Path;

use sides::{Answer, House, script};

/// Makes the directory.
const BEFORE: &str = "mkdir -p /work/d/s; cd /work; printf one > d/a; printf two > d/s/b; \
    chmod 755 d/s/b; chmod 700 d/s; ln -s a d/l; printf text > f; printf other > g; ln -s f lf; \
    ln -s nowhere dl; ln -s d ld; touch -h -d @1000 d/s/b d/a d/l f g lf dl ld";

/// So many have to agree in everything.
const ENOUGH: usize = 550;

/// All lines but those that are not evaluated.
fn lines() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/programs/files/transcripts");
    let mut paths: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    // Debian's base has no unzip.
    paths.retain(|path| {
        path.extension().is_some_and(|end| end == "txt") && !path.ends_with("unzip.txt")
    });
    paths.sort();
    let mut lines = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).unwrap();
        let rows = text.split("\n$ ").skip(1).map(|row| row.split_once('\n').unwrap_or((row, "")));
        let evaluated = rows.filter(|(_, shown)| !shown.starts_with("refused: "));
        lines.extend(evaluated.map(|(line, _)| line.to_owned()));
    }
    lines
}

#[test]
fn files_are_treated_as_the_real_programs_do() {
    let lines = lines();
    let scripts: Vec<_> =
        lines.iter().map(|line| script("sh", &format!("{BEFORE}\n{line}"))).collect();
    let answers = House::base().both(&scripts);
    let differs = |(_, (real, evaluated)): &(&String, &(Answer, Answer))| real != evaluated;
    let differing = lines.iter().zip(&answers).filter(differs);
    let wrong: Vec<String> = differing
        .map(|(line, (real, evaluated))| {
            format!("$ {line}\nreal:\n{}evaluated:\n{}", real.shown(), evaluated.shown())
        })
        .collect();
    let agreed = lines.len() - wrong.len();
    assert!(wrong.is_empty(), "{}\n{agreed} agree", wrong.join("\n"));
    assert!(agreed >= ENOUGH, "only {agreed} agree");
}
