//! How dpkg is set up: `/etc/dpkg/dpkg.cfg`, `/etc/dpkg/dpkg.cfg.d`, and what it is called with.

use std::collections::BTreeSet;

use bstr::{BStr, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::{Process, Reason, Stop};

use super::filters::{Filters, Rule};
use super::paths;

/// What counts in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What is done although dpkg would not.
    pub forced: BTreeSet<Force>,
    /// Which files are left out.
    pub filters: Filters,
    /// After how many errors it stops.
    pub most_errors: u32,
}

/// What is done although dpkg would not (dpkg(1), "--force-things"), in dpkg's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are dpkg's names")]
pub enum Force {
    SecurityMac,
    Downgrade,
    ConfigureAny,
    Hold,
    NotRoot,
    BadPath,
    BadVerify,
    BadVersion,
    StatoverrideAdd,
    StatoverrideRemove,
    Overwrite,
    OverwriteDiverted,
    OverwriteDirectory,
    UnsafeIo,
    ConffileNew,
    ConffileOld,
    ConffileDefault,
    ConffileMissing,
    ConffileAsk,
    Architecture,
    Breaks,
    Conflicts,
    Depends,
    DependsVersion,
    RemoveReinstallRequired,
    RemoveProtected,
    RemoveEssential,
}

const FORCES: [(&str, Force); 27] = [
    ("security-mac", Force::SecurityMac),
    ("downgrade", Force::Downgrade),
    ("configure-any", Force::ConfigureAny),
    ("hold", Force::Hold),
    ("not-root", Force::NotRoot),
    ("bad-path", Force::BadPath),
    ("bad-verify", Force::BadVerify),
    ("bad-version", Force::BadVersion),
    ("statoverride-add", Force::StatoverrideAdd),
    ("statoverride-remove", Force::StatoverrideRemove),
    ("overwrite", Force::Overwrite),
    ("overwrite-diverted", Force::OverwriteDiverted),
    ("overwrite-dir", Force::OverwriteDirectory),
    ("unsafe-io", Force::UnsafeIo),
    ("confnew", Force::ConffileNew),
    ("confold", Force::ConffileOld),
    ("confdef", Force::ConffileDefault),
    ("confmiss", Force::ConffileMissing),
    ("confask", Force::ConffileAsk),
    ("architecture", Force::Architecture),
    ("breaks", Force::Breaks),
    ("conflicts", Force::Conflicts),
    ("depends", Force::Depends),
    ("depends-version", Force::DependsVersion),
    ("remove-reinstreq", Force::RemoveReinstallRequired),
    ("remove-protected", Force::RemoveProtected),
    ("remove-essential", Force::RemoveEssential),
];

/// What dpkg does by itself.
const BY_DEFAULT: [Force; 2] = [Force::Downgrade, Force::SecurityMac];
/// dpkg's own number of errors (dpkg(1), "--abort-after").
const MOST_ERRORS: u32 = 50;

impl Force {
    /// dpkg's names, separated by commas.
    ///
    /// # Errors
    /// The one that is not known.
    pub fn parse_all(names: &str) -> Result<Vec<Force>, String> {
        if names == "all" {
            return Ok(FORCES.iter().map(|(_, force)| *force).collect());
        }
        let parse = |name: &str| {
            let found = FORCES.iter().find(|(known, _)| *known == name);
            found.map(|(_, force)| *force).ok_or_else(|| name.to_owned())
        };
        names.split(',').map(parse).collect()
    }

    /// dpkg's name.
    pub fn name(self) -> &'static str {
        FORCES.iter().find(|(_, force)| *force == self).map(|(name, _)| *name).unwrap_or_default()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            forced: BY_DEFAULT.into(),
            filters: Filters::default(),
            most_errors: MOST_ERRORS,
        }
    }
}

impl Settings {
    /// What the image's files say.
    ///
    /// # Errors
    /// A refusal of a file that has an option which is not known.
    pub fn read(process: &mut Process<'_, '_>) -> Result<Settings, Stop> {
        let mut settings = Settings::default();
        for path in files(process)? {
            if let Ok(bytes) = errno(process.open_bytes(&path))? {
                for line in bytes.lines() {
                    settings.line(line.trim().as_bstr()).map_err(|option| {
                        let why = format!("is set up with `{option}` in {}", path.as_bstr());
                        process.refuse(Reason::Use(why))
                    })?;
                }
            }
        }
        Ok(settings)
    }

    /// One line of a file; the error is what is not known of it.
    fn line(&mut self, line: &BStr) -> Result<(), String> {
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let end = line.find_byteset(b"= \t").unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let value = rest.strip_prefix(b"=").unwrap_or(rest).trim();
        let value =
            value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        let value = value.as_bstr();
        match name.to_str().unwrap_or_default() {
            // It is not written, nothing is shown by a pager, and signatures are apt's.
            "log" | "no-pager" | "no-debsig" => {}
            "path-exclude" => self.filters.add(value, Rule::Exclude),
            "path-include" => self.filters.add(value, Rule::Include),
            option => self.option(option, value.to_str().unwrap_or_default())?,
        }
        Ok(())
    }

    /// An option that forces, refuses or bounds; the error is what is not known of it.
    pub fn option(&mut self, option: &str, value: &str) -> Result<(), String> {
        let refused =
            |_| if value.is_empty() { option.to_owned() } else { format!("{option} {value}") };
        if option == "abort-after" {
            self.most_errors = value.parse().map_err(|_| refused(String::new()))?;
            return Ok(());
        }
        let forces = ["force", "no-force", "refuse"].into_iter().find_map(|kind| {
            let rest = option.strip_prefix(kind)?;
            let names = if rest.is_empty() { Some(value) } else { rest.strip_prefix('-') };
            Some((kind, names?))
        });
        let (kind, names) = forces.ok_or_else(|| refused(String::new()))?;
        for force in Force::parse_all(names).map_err(refused)? {
            match kind {
                "force" => drop(self.forced.insert(force)),
                _ => drop(self.forced.remove(&force)),
            }
        }
        Ok(())
    }
}

/// The files, in the order in which they are read.
fn files(process: &mut Process<'_, '_>) -> Result<Vec<Vec<u8>>, Stop> {
    let mut files = Vec::new();
    if let Ok((directory, _)) = errno(process.find(paths::CONFIGURATION_PARTS, Last::Followed))?
        && let Ok(children) = errno(process.machine.files.read_dir(&directory))?
    {
        let is_name = |name: &[u8]| {
            name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        };
        let names = children.into_keys().filter(|name| is_name(name));
        files.extend(names.map(|name| [paths::CONFIGURATION_PARTS, b"/", &name[..]].concat()));
    }
    files.push(paths::CONFIGURATION.to_vec());
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Image;

    #[test]
    fn what_the_image_says_counts() {
        let mut image = Image::new();
        let text = "# slim\npath-exclude /usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n\
            force-unsafe-io\nforce-confold,overwrite\nno-force-downgrade\n";
        image.file("etc/dpkg/dpkg.cfg.d/docker", text, 0o644);
        image.file("etc/dpkg/dpkg.cfg.d/ignored.old", "unknown\n", 0o644);
        let settings = image.with_process(Settings::read).unwrap();
        let forced: Vec<&str> = settings.forced.iter().map(|force| force.name()).collect();
        assert_eq!(forced, ["security-mac", "overwrite", "unsafe-io", "confold"]);
        let path = b"/usr/share/doc/a/README";
        assert!(settings.filters.leave_out(path, super::super::filters::MayHoldOthers::No));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in ["pre-invoke=true", "force-nothing", "root /x"] {
            let mut image = Image::new();
            image.file("etc/dpkg/dpkg.cfg", line, 0o644);
            let refused = image.shown_of(|process| Settings::read(process).map(|_| 0));
            assert!(refused.starts_with("refused: `test` is set up with `"), "{refused}");
        }
    }
}
