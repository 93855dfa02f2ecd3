//! Lines as people write them, from `tests/shell/*.txt`.
//!
//! There, `=== sh NAME` or `=== bash NAME` begins a snippet. One that is not evaluated has the line
//! `=!= WHY` first, with the very words of the refusal.

use std::fs;
use std::path::Path;

use testbed::shells::Script;

use sides::{Answer, House, script};

/// So many have to agree in everything.
const ENOUGH: usize = 300;

/// A line, and what is known of it.
pub(crate) struct Snippet {
    /// The file and the name in it.
    pub(crate) name: String,
    pub(crate) script: Script,
    /// Why it is not evaluated.
    pub(crate) refused: Option<String>,
}

/// All snippets.
pub(crate) fn snippets() -> Vec<Snippet> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/shell");
    let mut paths: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Snippet> {
    let group = path.file_stem().unwrap().to_string_lossy();
    let text = format!("\n{}", fs::read_to_string(path).unwrap());
    let snippet = |text: &str| {
        let (head, text) = text.split_once('\n').unwrap();
        let (shell, name) = head.split_once(' ').unwrap();
        let (refused, text) = match text.strip_prefix("=!= ") {
            Some(rest) => rest.split_once('\n').map(|(why, text)| (Some(why), text)).unwrap(),
            None => (None, text),
        };
        Snippet {
            name: format!("{group}: {name}"),
            script: script(shell, text),
            refused: refused.map(str::to_owned),
        }
    };
    // What is in front of the first one is about the file.
    text.split("\n=== ").skip(1).map(snippet).collect()
}

#[test]
fn evaluated_as_the_real_shells_do() {
    let snippets = snippets();
    let scripts: Vec<_> = snippets.iter().map(|snippet| snippet.script.clone()).collect();
    let answers = House::base().both(&scripts);
    let (mut agreed, mut refused, mut wrong) = (0, 0, Vec::new());
    for (snippet, (real, evaluated)) in snippets.iter().zip(&answers) {
        match (evaluated, &snippet.refused) {
            (Answer::Refused(why), Some(expected)) if why == expected => refused += 1,
            (evaluated, None) if evaluated == real => agreed += 1,
            _ => wrong.push(format!(
                "=== {}\n{}\nreal:\n{}evaluated:\n{}",
                snippet.name,
                snippet.script.text,
                real.shown(),
                evaluated.shown(),
            )),
        }
    }
    let counts = format!("{agreed} agree, {refused} are refused, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}\n{counts}", wrong.join("\n"));
    assert!(agreed >= ENOUGH, "{counts}");
}
