//! What groups are like, in words.

use std::fmt::Write;

use bstr::{BStr, BString, ByteSlice};
use shell::Process;

use super::group::{Group, Slave};
use super::{Failure, Reading, Step, Work, links};

/// A group that has to be there, and where its link leads.
fn load(process: &mut Process<'_, '_>, work: &Work, name: &BStr) -> Step<(Group, Option<BString>)> {
    match work.load(process, name, Reading::Strict)? {
        Some(group) => {
            let current = links::current(process, work, name)?;
            Ok((group, current))
        }
        None => Failure::error(format_args!("no alternatives for {name}")),
    }
}

pub(super) fn list(process: &mut Process<'_, '_>, work: &Work, name: &BStr) -> Step<()> {
    let (group, _) = match work.load(process, name, Reading::Strict)? {
        Some(group) => (group, ()),
        None => return Failure::error(format_args!("no alternatives for {name}")),
    };
    for choice in &group.choices {
        process.write([&choice.path[..], b"\n"].concat())?;
    }
    Ok(())
}

pub(super) fn display(process: &mut Process<'_, '_>, work: &Work, name: &BStr) -> Step<()> {
    let (group, current) = load(process, work, name)?;
    display_group(process, &group, current.as_ref())
}

/// For people.
pub(super) fn display_group(
    process: &mut Process<'_, '_>,
    group: &Group,
    current: Option<&BString>,
) -> Step<()> {
    let mut lines = vec![format!("{} - {} mode", group.name, group.mode.name())];
    lines.push(match group.best(current) {
        Some(best) => format!("  link best version is {}", best.path),
        None => "  link best version not available".to_owned(),
    });
    lines.push(match current {
        Some(current) => format!("  link currently points to {current}"),
        None => "  link currently absent".to_owned(),
    });
    lines.push(format!("  link {} is {}", group.name, group.link));
    for Slave { name, link, .. } in &group.slaves {
        lines.push(format!("  slave {name} is {link}"));
    }
    for choice in &group.choices {
        lines.push(format!("{} - priority {}", choice.path, choice.priority));
        for Slave { name, .. } in &group.slaves {
            if let Some(file) = choice.slave(name.as_bstr()) {
                lines.push(format!("  slave {name}: {file}"));
            }
        }
    }
    process.write(lines.join("\n") + "\n")?;
    Ok(())
}

/// For programs (update-alternatives(1), "QUERY FORMAT").
pub(super) fn query(process: &mut Process<'_, '_>, work: &Work, name: &BStr) -> Step<()> {
    let (group, current) = load(process, work, name)?;
    let mut lines = vec![format!("Name: {}", group.name), format!("Link: {}", group.link)];
    if !group.slaves.is_empty() {
        lines.push("Slaves:".to_owned());
        lines.extend(group.slaves.iter().map(|slave| format!(" {} {}", slave.name, slave.link)));
    }
    lines.push(format!("Status: {}", group.mode.name()));
    lines.extend(group.best(current.as_ref()).map(|best| format!("Best: {}", best.path)));
    lines.push(format!("Value: {}", current.unwrap_or("none".into())));
    for choice in &group.choices {
        lines.push(format!("\nAlternative: {}", choice.path));
        lines.push(format!("Priority: {}", choice.priority));
        if group.slaves.is_empty() {
            continue;
        }
        lines.push("Slaves:".to_owned());
        for Slave { name, .. } in &group.slaves {
            if let Some(file) = choice.slave(name.as_bstr()) {
                lines.push(format!(" {name} {file}"));
            }
        }
    }
    process.write(lines.join("\n") + "\n")?;
    Ok(())
}

/// One line for each group.
pub(super) fn selections(process: &mut Process<'_, '_>, work: &Work) -> Step<()> {
    let mut text = String::new();
    for name in work.names(process)? {
        let Some(group) = work.load(process, name.as_bstr(), Reading::Lax)? else { continue };
        let current = links::current(process, work, name.as_bstr())?.unwrap_or_default();
        let (name, mode) = (name.to_string(), group.mode.name());
        writeln!(text, "{name:<30} {mode:<8} {current}").ok();
    }
    process.write(text)?;
    Ok(())
}
