//! The survey as a document: figures, and no sentence of any Dockerfile.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::judge::Judgement;
use super::sources::Source;

/// A Dockerfile and what became of its lines.
pub struct Surveyed {
    /// Which.
    pub source: Source,
    /// Its lines, each with the base image's name; or why there are none.
    pub lines: Result<Vec<(String, Judgement)>, String>,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Plywood assembles it.
    Assembled,
    /// Plywood would, but for the distribution's package manager.
    ButForPackages,
    /// Something in it would have to be executed.
    NeedsExecution,
}

impl Verdict {
    /// Of a line.
    pub fn of(judgement: &Judgement) -> Self {
        match (judgement.obstacles.is_empty(), judgement.installed.managers.is_empty()) {
            (false, _) => Verdict::NeedsExecution,
            (true, false) => Verdict::ButForPackages,
            (true, true) => Verdict::Assembled,
        }
    }
}

/// How many lines there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    lines: usize,
    assembled: usize,
    but_for_packages: usize,
    needs_execution: usize,
}

impl Count {
    fn of<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> Self {
        let mut count = Count::default();
        for judgement in judgements {
            count.lines += 1;
            match Verdict::of(judgement) {
                Verdict::Assembled => count.assembled += 1,
                Verdict::ButForPackages => count.but_for_packages += 1,
                Verdict::NeedsExecution => count.needs_execution += 1,
            }
        }
        count
    }

    fn percent(&self, part: usize) -> String {
        // To the nearest tenth, halves up; of nothing there is no part.
        let tenths = (part * 1000 + self.lines / 2).checked_div(self.lines).unwrap_or_default();
        format!("{}.{} %", tenths / 10, tenths % 10)
    }
}

/// Commands that are rarer than this are not in the table.
const FEWEST_LINES: usize = 3;
/// Base images with fewer lines are counted together.
const FEWEST_OF_BASE: usize = 20;

/// Writes the document.
pub fn document(surveyed: &[Surveyed], listed: usize) -> String {
    let mut text = include_str!("introduction.md").to_owned();
    // Writing to a `String` does not fail.
    let _ = write_figures(&mut text, surveyed, listed);
    let _ = write_obstacles(&mut text, surveyed);
    let _ = write_bases(&mut text, surveyed);
    let _ = write_files(&mut text, surveyed);
    text
}

fn judgements(surveyed: &[Surveyed]) -> impl Iterator<Item = &Judgement> {
    let lines = surveyed.iter().filter_map(|file| file.lines.as_ref().ok());
    lines.flatten().map(|(_, judgement)| judgement)
}

fn write_figures(text: &mut String, surveyed: &[Surveyed], listed: usize) -> std::fmt::Result {
    let count = Count::of(judgements(surveyed));
    let all = |wanted: &[Verdict]| {
        let with_lines = surveyed.iter().filter_map(|file| file.lines.as_ref().ok());
        let with_lines = with_lines.filter(|lines| !lines.is_empty());
        let fitting = with_lines
            .filter(|lines| lines.iter().all(|(_, line)| wanted.contains(&Verdict::of(line))));
        fitting.count()
    };
    let unread = surveyed.iter().filter(|file| file.lines.is_err()).count();
    let without = surveyed.iter().filter(|file| file.lines.as_ref().is_ok_and(Vec::is_empty));
    let pip = |wanted| {
        let by_pip = judgements(surveyed).filter(|line| line.installed.by_pip);
        by_pip.filter(|line| Verdict::of(line) == wanted).count()
    };
    let both = judgements(surveyed).filter(|line| {
        Verdict::of(line) == Verdict::NeedsExecution && !line.installed.managers.is_empty()
    });
    writeln!(text, "\n## The figures\n")?;
    writeln!(text, "| | number | of the lines | with pip in them |\n|---|---:|---:|---:|")?;
    writeln!(text, "| `RUN` lines | {} | | |", count.lines)?;
    for (name, number, verdict) in [
        ("assembled", count.assembled, Verdict::Assembled),
        ("assembled but for packages", count.but_for_packages, Verdict::ButForPackages),
        ("need execution", count.needs_execution, Verdict::NeedsExecution),
    ] {
        writeln!(text, "| {name} | {number} | {} | {} |", count.percent(number), pip(verdict))?;
    }
    writeln!(
        text,
        "\nOf the lines that need execution, {} install packages of the distribution, too.\n",
        both.count()
    )?;
    writeln!(
        text,
        "The figures are of {} Dockerfiles of {listed}. Without a `RUN` line are {} of them, and {unread} \
         cannot be read. All lines are assembled of {}, and of {} more all but for packages.",
        surveyed.len(),
        without.count(),
        all(&[Verdict::Assembled]),
        all(&[Verdict::Assembled, Verdict::ButForPackages]) - all(&[Verdict::Assembled]),
    )
}

/// The lines that a command stands in the way of, by its name.
struct Way {
    lines: usize,
    /// Where it is the only one.
    alone: usize,
    examples: BTreeMap<String, usize>,
}

fn ways(surveyed: &[Surveyed]) -> Vec<(String, Way)> {
    let mut ways: BTreeMap<String, Way> = BTreeMap::new();
    for judgement in judgements(surveyed) {
        let commands: BTreeSet<&str> =
            judgement.obstacles.iter().map(|obstacle| &obstacle.command[..]).collect();
        for command in &commands {
            let way = ways.entry((*command).to_owned()).or_insert_with(|| Way {
                lines: 0,
                alone: 0,
                examples: BTreeMap::new(),
            });
            way.lines += 1;
            way.alone += usize::from(commands.len() == 1);
            for obstacle in judgement.obstacles.iter().filter(|own| own.command == **command) {
                *way.examples.entry(obstacle.example.clone()).or_default() += 1;
            }
        }
    }
    let mut ways: Vec<_> = ways.into_iter().collect();
    ways.sort_by_key(|(_, way)| std::cmp::Reverse(way.lines));
    ways
}

/// All obstacles, the most frequent first: for whoever wants to add commands.
pub fn obstacles(surveyed: &[Surveyed]) -> String {
    let mut text = String::new();
    for (command, way) in ways(surveyed) {
        let mut examples: Vec<_> = way.examples.into_iter().collect();
        examples.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
        text.push_str(&format!("{}\t{}\t{command}\n", way.lines, way.alone));
        for (example, lines) in examples {
            text.push_str(&format!("\t\t\t{lines}\t{example}\n"));
        }
    }
    text
}

fn write_obstacles(text: &mut String, surveyed: &[Surveyed]) -> std::fmt::Result {
    writeln!(text, "\n## What stands in the way\n")?;
    writeln!(
        text,
        "Commands that need execution in at least {FEWEST_LINES} lines; a line with several counts \
         for each, *alone* are those where it is the only one.\n"
    )?;
    writeln!(text, "| command | lines | alone | most often |\n|---|---:|---:|---|")?;
    for (command, way) in ways(surveyed).iter().filter(|(_, way)| way.lines >= FEWEST_LINES) {
        let most = way
            .examples
            .iter()
            .max_by_key(|(example, lines)| (**lines, std::cmp::Reverse((*example).clone())));
        let example = most.map(|(example, _)| cell(example)).unwrap_or_default();
        let name = if command.starts_with('(') { command.clone() } else { format!("`{command}`") };
        writeln!(text, "| {} | {} | {} | {example} |", cell(&name), way.lines, way.alone)?;
    }
    Ok(())
}

fn write_bases(text: &mut String, surveyed: &[Surveyed]) -> std::fmt::Result {
    let mut bases: BTreeMap<&str, Vec<&Judgement>> = BTreeMap::new();
    let lines = surveyed.iter().filter_map(|file| file.lines.as_ref().ok()).flatten();
    for (base, judgement) in lines {
        bases.entry(base).or_default().push(judgement);
    }
    let (many, few): (Vec<_>, Vec<_>) =
        bases.into_iter().partition(|(_, lines)| lines.len() >= FEWEST_OF_BASE);
    let mut rows: Vec<(String, Count)> =
        many.into_iter().map(|(base, lines)| (base.to_owned(), Count::of(lines))).collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(count.lines));
    let others = Count::of(few.into_iter().flat_map(|(_, lines)| lines));
    rows.push(("others".to_owned(), others));
    writeln!(text, "\n## By base image\n\nBy the last part of its name, without the tag.\n")?;
    writeln!(text, "| base | {HEAD} |\n|---|---:|---:|---:|---:|")?;
    for (base, count) in rows {
        writeln!(text, "| {base} | {} |", cells(&count))?;
    }
    Ok(())
}

const HEAD: &str = "lines | assembled | but for packages | need execution";

fn cells(count: &Count) -> String {
    let Count { lines, assembled, but_for_packages, needs_execution } = count;
    format!("{lines} | {assembled} | {but_for_packages} | {needs_execution}")
}

fn write_files(text: &mut String, surveyed: &[Surveyed]) -> std::fmt::Result {
    writeln!(text, "\n## By Dockerfile\n")?;
    writeln!(text, "| | repository | file | {HEAD} | the first that does |")?;
    writeln!(text, "|---|---|---|---:|---:|---:|---:|---|")?;
    for Surveyed { source, lines } in surveyed {
        let (count, first) = match lines {
            Err(error) => (Count::default(), error.clone()),
            Ok(lines) => {
                let first = lines.iter().find_map(|(_, line)| line.obstacles.first());
                let first = first.map(|obstacle| obstacle.example.clone()).unwrap_or_default();
                (Count::of(lines.iter().map(|(_, judgement)| judgement)), first)
            }
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            source.number,
            source.repository,
            cell(&source.path),
            cells(&count),
            cell(&first)
        )?;
    }
    Ok(())
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r', '\t'], " ").trim().to_owned()
}
