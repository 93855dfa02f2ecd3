//! What apt says of a solution before it carries it out.

use shell::Stop;

use super::session::Session;
use crate::apt::resolver::{ChangeKind, Solution};

/// Lines are not longer, as where no terminal is.
const WIDTH: usize = 79;

/// Says what will be done.
pub(in crate::apt) fn say(
    session: &mut Session<'_, '_, '_>,
    solution: &Solution,
) -> Result<(), Stop> {
    for note in &solution.notes {
        session.mention(note)?;
    }
    let lists = &solution.summary;
    if !lists.unused.is_empty() {
        let title = match lists.unused.len() {
            1 => "The following package was automatically installed and is no longer required:",
            _ => "The following packages were automatically installed and are no longer required:",
        };
        list(session, title, &lists.unused)?;
        let them = if lists.unused.len() == 1 { "it" } else { "them" };
        session.mention(format!("Use 'apt autoremove' to remove {them}."))?;
    }
    for (title, names) in [
        ("The following additional packages will be installed:", &lists.additional),
        ("Suggested packages:", &lists.suggested),
        ("Recommended packages:", &lists.recommended),
        ("The following packages will be REMOVED:", &lists.removed),
        ("The following NEW packages will be installed:", &lists.new),
        ("The following packages have been kept back:", &lists.kept_back),
        ("The following held packages will be changed:", &lists.held),
        ("The following packages will be upgraded:", &lists.upgraded),
        ("The following packages will be DOWNGRADED:", &lists.downgraded),
    ] {
        list(session, title, names)?;
    }
    if !lists.essential.is_empty() {
        let title = "WARNING: The following essential packages will be removed.\n\
                     This should NOT be done unless you know exactly what you are doing!";
        list(session, title, &lists.essential)?;
    }
    counts(session, solution)
}

fn counts(session: &mut Session<'_, '_, '_>, solution: &Solution) -> Result<(), Stop> {
    let count = |kind| solution.changes.iter().filter(|change| change.kind == kind).count();
    let removed = count(ChangeKind::Remove) + count(ChangeKind::Purge);
    let mut line = format!(
        "{} upgraded, {} newly installed, ",
        count(ChangeKind::Upgrade),
        count(ChangeKind::New)
    );
    let lists = &solution.summary;
    if lists.reinstalled > 0 {
        line.push_str(&format!("{} reinstalled, ", lists.reinstalled));
    }
    if count(ChangeKind::Downgrade) > 0 {
        line.push_str(&format!("{} downgraded, ", count(ChangeKind::Downgrade)));
    }
    line.push_str(&format!("{removed} to remove and {} not upgraded.", lists.kept_back.len()));
    session.mention(line)?;
    if lists.unfinished > 0 {
        session.mention(format!("{} not fully installed or removed.", lists.unfinished))?;
    }
    Ok(())
}

/// A title, and names in lines below it; nothing for no names.
fn list(session: &mut Session<'_, '_, '_>, title: &str, names: &[String]) -> Result<(), Stop> {
    if names.is_empty() {
        return Ok(());
    }
    session.mention(title)?;
    let mut line = " ".to_owned();
    for name in names {
        if line.len() > 1 && line.len() + 1 + name.len() > WIDTH {
            session.mention(std::mem::replace(&mut line, " ".to_owned()))?;
        }
        line.push(' ');
        line.push_str(name);
    }
    session.mention(line)
}

/// A number of bytes as apt writes it: `12.3 MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let mut value = bytes as f64;
    for unit in UNITS {
        if value < 100.0 && !unit.is_empty() {
            return format!("{value:.1} {unit}B");
        }
        if value < 10_000.0 {
            return format!("{value:.0} {unit}B");
        }
        value /= 1000.0;
    }
    format!("{value:.0} EB")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_written_as_apt_does() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(9_999), "9999 B");
        assert_eq!(size(12_345), "12.3 kB");
        assert_eq!(size(315_000), "315 kB");
        assert_eq!(size(2_345_678), "2346 kB");
        assert_eq!(size(23_456_789), "23.5 MB");
        assert_eq!(size(123_456_789), "123 MB");
    }
}
