//! Choices that are read from the input: by people from a list, by programs as lines.

use std::fmt::Write;

use bstr::{BString, ByteSlice};
use shell::{Process, Stop};

use super::arguments::Asking;
use super::group::{Group, Mode};
use super::{Failure, Reading, Step, Wanted, Work, links, refused, show};

/// A line of `--set-selections` is not longer.
const LONGEST_LINE: usize = 1023;
/// How often somebody may answer what is no choice.
const MOST_ANSWERS: usize = 1000;

/// Asks on the output, and reads the answer from the input.
pub(super) fn ask(
    process: &mut Process<'_, '_>,
    work: &Work,
    group: &mut Group,
    current: Option<&BString>,
) -> Step<Wanted> {
    if group.choices.is_empty() {
        let name = &group.name;
        process.write(format!(
            "There is no program which provides {name}.\nNothing to configure.\n"
        ))?;
        return Ok(None);
    }
    if work.settings.asking == Asking::ManualOnly && group.mode == Mode::Automatic {
        show::display_group(process, group, current)?;
        return Ok(None);
    }
    for _ in 0..MOST_ANSWERS {
        process.write(menu(group, current))?;
        let Some(line) = process.read_line()? else { return Ok(None) };
        // The last byte is taken for the end of the line, whatever it is.
        let answer = &line[..line.len() - 1];
        if answer.is_empty() {
            return Ok(current.cloned());
        }
        if let Some(chosen) = chosen(group, current, answer) {
            return Ok(Some(chosen));
        }
    }
    Err(refused(process, "is never given a choice that there is").into())
}

fn chosen(group: &mut Group, current: Option<&BString>, answer: &[u8]) -> Option<BString> {
    let number = answer.to_str().ok().and_then(|answer| answer.trim_start().parse::<i64>().ok());
    let (mode, path) = match number.filter(|number| *number >= 0) {
        Some(0) => (Mode::Automatic, group.best(current)?.path.clone()),
        Some(number) => {
            let at = usize::try_from(number - 1).ok()?;
            (Mode::Manual, group.choices.get(at)?.path.clone())
        }
        None => (Mode::Manual, group.choice(answer.as_bstr())?.path.clone()),
    };
    group.set_mode(mode);
    Some(path)
}

fn menu(group: &Group, current: Option<&BString>) -> String {
    let (name, link, count) = (&group.name, &group.link, group.choices.len());
    let (is, choices) = if count == 1 { ("is", "choice") } else { ("are", "choices") };
    let longest = group.choices.iter().map(|choice| choice.path.len() + 1).max();
    let width = longest.unwrap_or_default().max(15);
    let mut text = format!(
        "There {is} {count} {choices} for the alternative {name} (providing {link}).\n\n  \
         {:<12} {:<width$} {:<10} Status\n{}\n",
        "Selection",
        "Path",
        "Priority",
        "-".repeat(60),
    );
    let best = group.best(current).map(|best| (Mode::Automatic, best));
    let all = best.into_iter().chain(group.choices.iter().map(|choice| (Mode::Manual, choice)));
    for (at, (mode, choice)) in all.enumerate() {
        let is_current = group.mode == mode && current == Some(&choice.path);
        let (mark, path, mode) = (if is_current { '*' } else { ' ' }, &choice.path, mode.name());
        let priority = match choice.priority {
            priority @ 0.. => format!(" {priority}"),
            priority => priority.to_string(),
        };
        let path = path.to_string();
        writeln!(text, "{mark} {at:<12} {path:<width$} {priority:<10} {mode} mode").ok();
    }
    text + "\nPress <enter> to keep the current choice[*], or type selection number: "
}

/// Lines of a name, a mode and a choice, as `--get-selections` writes them.
pub(super) fn set_selections(process: &mut Process<'_, '_>, work: &Work) -> Step<()> {
    while let Some(line) = process.read_line()? {
        let Some(line) = line.strip_suffix(b"\n").filter(|line| line.len() < LONGEST_LINE) else {
            return Failure::error(
                "line too long or not terminated while trying to read <standard input>",
            );
        };
        let Some([name, mode, choice]) = fields(line) else {
            // Nothing but the name is left of the line by then.
            let end = line.iter().position(is_blank).unwrap_or(line.len());
            let name = line[..end].as_bstr();
            work.say(process, format_args!("skip invalid selection line: {name}"))?;
            continue;
        };
        set_selection(process, work, [name.into(), mode.into(), choice.into()])?;
    }
    Ok(())
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The third field may have blanks in it.
fn fields(line: &[u8]) -> Option<[&[u8]; 3]> {
    let split = |line: &'_ [u8]| -> Option<(usize, usize)> {
        let end = line.iter().position(is_blank)?;
        let next = end + line[end..].iter().position(|byte| !is_blank(byte))?;
        Some((end, next))
    };
    let (end, next) = split(line)?;
    let (name, rest) = (&line[..end], &line[next..]);
    let (end, next) = split(rest)?;
    Some([name, &rest[..end], &rest[next..]])
}

fn set_selection(
    process: &mut Process<'_, '_>,
    work: &Work,
    [name, mode, choice]: [BString; 3],
) -> Step<()> {
    let Some(mut group) = load(process, work, &name)? else {
        return Ok(work.say(process, format_args!("skip unknown alternative {name}"))?);
    };
    let current = links::current(process, work, name.as_bstr())?;
    let wanted = if mode == "auto" {
        work.say(process, format_args!("selecting alternative {name} as auto"))?;
        work.automatic(process, &mut group, current.as_ref())?
    } else if group.choice(choice.as_bstr()).is_some() {
        work.say(process, format_args!("selecting alternative {name} as choice {choice}"))?;
        Some(group.set_manual(&choice)?)
    } else {
        let rest = format!("unchanged because choice {choice} is not available");
        work.say(process, format_args!("alternative {name} {rest}"))?;
        None
    };
    if wanted.is_none() {
        return Ok(());
    }
    work.settle_mode(process, &mut group, current.as_ref())?;
    work.update(process, &mut group, current, wanted)
}

fn load(
    process: &mut Process<'_, '_>,
    work: &Work,
    name: &BString,
) -> Result<Option<Group>, Failure> {
    let is_listed = work.names(process).map(|names| names.contains(name));
    match is_listed.map_err(|stop: Stop| Failure::from(stop))? {
        true => work.load(process, name.as_bstr(), Reading::Lax),
        false => Ok(None),
    }
}
