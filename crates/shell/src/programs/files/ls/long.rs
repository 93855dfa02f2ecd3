//! The long format of `ls`.

use bstr::BString;

use super::Shown;
use crate::files::{Kind, Stat};
use crate::options::Options;
use crate::process::{Process, errno};
use crate::programs::files::modes::permissions;
use crate::programs::files::owners::Owners;
use crate::programs::files::report::refuse_option;
use crate::programs::files::stat::letter;
use crate::programs::files::times;
use crate::stop::Stop;

/// Which columns there are, and how they are written.
pub(super) struct Long {
    has_owner: bool,
    has_group: bool,
    ids: Ids,
    sizes: Sizes,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ids {
    Names,
    Numbers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sizes {
    Bytes,
    Human,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// With the time of day, or the year where that is another.
    Locale,
    LongIso,
    Iso,
}

/// Half a year of the Gregorian calendar's mean, in seconds.
const HALF_YEAR: i64 = 31_556_952 / 2;

impl Long {
    /// The long format, if it is asked for.
    pub(super) fn of(process: &Process<'_, '_>, options: &Options) -> Result<Option<Self>, Stop> {
        let formats = ["-1", "-g", "-l", "-n", "-o"];
        let style = match options.value("--time-style").map(|style| &**style) {
            None | Some(b"locale") => Style::Locale,
            Some(b"long-iso") => Style::LongIso,
            Some(b"iso") => Style::Iso,
            Some(_) => return Err(refuse_option(process, "--time-style")),
        };
        // `-1` does nothing to a long format, before or behind it.
        if !formats[1..].iter().any(|format| options.has(format)) {
            return Ok(None);
        }
        times::expect_utc(process)?;
        Ok(Some(Long {
            has_owner: !options.has("-g"),
            has_group: !options.has("-o") && !options.has("-G"),
            ids: if options.has("-n") { Ids::Numbers } else { Ids::Names },
            sizes: if options.has("-h") { Sizes::Human } else { Sizes::Bytes },
            style,
        }))
    }

    /// The lines for these files, whose names are written in this way.
    pub(super) fn lines(
        &self,
        process: &Process<'_, '_>,
        owners: &Owners,
        files: &[Shown],
        names: &[BString],
    ) -> Result<Vec<u8>, Stop> {
        let mut rows = Vec::with_capacity(files.len());
        for shown in files {
            rows.push(self.columns(process, owners, &shown.stat)?);
        }
        let widest = |of: fn(&Columns) -> usize| rows.iter().map(of).max().unwrap_or(0);
        let links = widest(|row| row.links.len());
        let owner = widest(|row| row.owner.len());
        let group = widest(|row| row.group.len());
        let devices = (widest(|row| row.device.0.len()), widest(|row| row.device.1.len()));
        let by_device = if devices.0 > 0 { devices.0 + 2 + devices.1 } else { 0 };
        let size = widest(|row| row.size.len()).max(by_device);
        let mut lines = Vec::new();
        for (row, name) in rows.iter().zip(names) {
            let mut line = format!("{} {:>links$} ", row.mode, row.links);
            if self.has_owner {
                line.push_str(&self.id_column(&row.owner, owner));
            }
            if self.has_group {
                line.push_str(&self.id_column(&row.group, group));
            }
            let (major, minor) = &row.device;
            match major.is_empty() {
                true => line.push_str(&format!("{:>size$} ", row.size)),
                false => {
                    let major_width = size - 2 - devices.1;
                    line.push_str(&format!("{major:>major_width$}, {minor:>0$} ", devices.1));
                }
            }
            line.push_str(&row.date);
            lines.extend_from_slice(line.as_bytes());
            lines.push(b' ');
            lines.extend_from_slice(name);
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// Names begin at the left, numbers end at the right.
    fn id_column(&self, id: &str, width: usize) -> String {
        match id.bytes().all(|byte| byte.is_ascii_digit()) {
            true => format!("{id:>width$} "),
            false => format!("{id:<width$} "),
        }
    }

    fn columns(
        &self,
        process: &Process<'_, '_>,
        owners: &Owners,
        stat: &Stat,
    ) -> Result<Columns, Stop> {
        let attributes = &stat.attributes;
        let (owner, group) = match self.ids {
            Ids::Names => (owners.user(attributes.uid), owners.group(attributes.gid)),
            Ids::Numbers => (attributes.uid.to_string(), attributes.gid.to_string()),
        };
        let (links, size) = match stat.is_directory() {
            true => ("?".to_owned(), "?".to_owned()),
            false => {
                let links = errno(process.machine.files.links(stat))?.unwrap_or(1);
                let size = match self.sizes {
                    Sizes::Bytes => stat.size().to_string(),
                    Sizes::Human => human(stat.size()),
                };
                (links.to_string(), size)
            }
        };
        let device = match stat.kind {
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
                (major.to_string(), minor.to_string())
            }
            _ => Default::default(),
        };
        let mode = format!("{}{}", letter(&stat.kind), permissions(attributes.mode));
        let date = self.date(attributes.mtime, process.machine.files.clock());
        Ok(Columns { mode, links, owner, group, size, device, date })
    }

    fn date(&self, time: i64, now: i64) -> String {
        let Some(civil) = times::civil(time) else { return time.to_string() };
        let is_recent = time > now - HALF_YEAR && time <= now;
        let format = match (self.style, is_recent) {
            (Style::Locale, true) => "%b %e %H:%M",
            (Style::Locale, false) => "%b %e  %Y",
            (Style::LongIso, _) => "%Y-%m-%d %H:%M",
            (Style::Iso, true) => "%m-%d %H:%M",
            (Style::Iso, false) => "%Y-%m-%d ",
        };
        civil.strftime(format).to_string()
    }
}

struct Columns {
    mode: String,
    links: String,
    owner: String,
    group: String,
    size: String,
    device: (String, String),
    date: String,
}

/// A size with at most three digits, rounded up: `1.5K`.
fn human(size: u64) -> String {
    if size < 1024 {
        return size.to_string();
    }
    let mut unit = 1u64;
    let mut letters = "KMGTPE".chars();
    let mut letter = 'K';
    while size / unit >= 1024 {
        unit *= 1024;
        letter = letters.next().unwrap_or('E');
    }
    let tenths = (u128::from(size) * 10).div_ceil(u128::from(unit));
    let whole = size.div_ceil(unit);
    match (tenths < 100, whole) {
        (true, _) => format!("{}.{}{letter}", tenths / 10, tenths % 10),
        (false, 1024) => format!("1.0{}", letters.next().unwrap_or('E')),
        (false, whole) => format!("{whole}{letter}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        for (size, expected) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (10_137, "9.9K"),
            (10_138, "10K"),
            (10_240, "10K"),
            (1_047_553, "1.0M"),
            (1_048_577, "1.1M"),
        ] {
            assert_eq!(human(size), expected, "{size}");
        }
    }
}
