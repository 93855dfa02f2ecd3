//! What can be said of a source beside where it is (sources.list(5), "The deb and deb-src types:
//! Options").

use crate::apt::configuration::switch;

/// Options of one source; `None` is what the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceOptions {
    /// `arch`: the architectures instead of the image's own.
    pub architectures: Option<Vec<String>>,
    /// `arch+` and `arch-`.
    pub architectures_changed: Vec<(String, Change)>,
    /// `target`: which files are fetched; `Packages` is the one that counts here.
    pub targets: Option<Vec<String>>,
    /// `trusted`: believed whatever is signed, or never.
    pub trusted: Option<bool>,
    /// `signed-by`: whose signatures count.
    pub signed_by: Option<SignedBy>,
    /// `check-valid-until`
    pub check_valid_until: Option<bool>,
    /// `valid-until-min`, in seconds.
    pub valid_until_min: Option<i64>,
    /// `valid-until-max`, in seconds.
    pub valid_until_max: Option<i64>,
    /// `check-date`
    pub check_date: Option<bool>,
    /// `date-max-future`, in seconds.
    pub date_max_future: Option<i64>,
    /// `by-hash`
    pub by_hash: Option<ByHash>,
    /// `allow-insecure`
    pub allow_insecure: Option<bool>,
    /// `allow-weak`
    pub allow_weak: Option<bool>,
    /// `inrelease-path`
    pub inrelease_path: Option<String>,
    /// `snapshot`: the archive as it was then ([`super::super::snapshot`]).
    pub snapshot: Option<String>,
}

/// What becomes of a value that was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is another.
    Set,
    /// It has this, too.
    Add,
    /// It does not have this.
    Remove,
}

/// Whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// Those of these keyrings, by path, and of these keys, by fingerprint.
    Named(Vec<String>),
    /// Those of a key that stands in the file itself.
    Embedded(String),
}

/// Whether an index is asked for by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHash {
    /// Never.
    No,
    /// If the archive offers it.
    Offered,
    /// Whatever the archive says.
    Forced,
}

/// What is wrong with an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OptionError {
    /// There is none of this name.
    Unknown,
    /// It has a value that it cannot have.
    Bad(&'static str),
}

impl SourceOptions {
    /// Sets an option by any of its names.
    pub(super) fn set(
        &mut self,
        name: &str,
        change: Change,
        values: &[&str],
    ) -> Result<(), OptionError> {
        let name = name.to_ascii_lowercase();
        if let "arch" | "architectures" = &*name {
            self.set_architectures(change, values);
            return Ok(());
        }
        if change != Change::Set {
            // Languages and targets are what else can be added to.
            return match &*name {
                "target" | "targets" => Err(OptionError::Bad("is changed, which is not built in")),
                _ => Err(OptionError::Unknown),
            };
        }
        let yes = || values.first().and_then(|value| switch(value)).ok_or(BAD_SWITCH).map(Some);
        let seconds = || {
            let number = values.first().and_then(|value| value.parse().ok());
            number.ok_or(OptionError::Bad("is no number of seconds")).map(Some)
        };
        match &*name {
            "target" | "targets" => self.targets = Some(owned(values)),
            "trusted" => self.trusted = yes()?,
            "signed-by" => self.signed_by = Some(SignedBy::Named(owned(values))),
            "check-valid-until" => self.check_valid_until = yes()?,
            "valid-until-min" => self.valid_until_min = seconds()?,
            "valid-until-max" => self.valid_until_max = seconds()?,
            "check-date" => self.check_date = yes()?,
            "date-max-future" => self.date_max_future = seconds()?,
            "by-hash" => self.by_hash = Some(by_hash(values)?),
            "allow-insecure" => self.allow_insecure = yes()?,
            "allow-weak" => self.allow_weak = yes()?,
            "inrelease-path" => self.inrelease_path = Some(relative_path(values)?),
            "snapshot" => self.snapshot = values.first().map(|value| (*value).to_owned()),
            _ => return Err(OptionError::Unknown),
        }
        Ok(())
    }

    /// A key that stands in the stanza: blanks before lines are the form's, ` .` an empty line.
    pub(super) fn embed_key(&mut self, value: &str) {
        let lines = value.lines().map(|line| match line.trim() {
            "." => "",
            line => line,
        });
        let text: Vec<&str> = lines.collect();
        self.signed_by = Some(SignedBy::Embedded(text.join("\n")));
    }

    fn set_architectures(&mut self, change: Change, values: &[&str]) {
        match change {
            Change::Set => self.architectures = Some(owned(values)),
            Change::Add | Change::Remove => {
                let changed = values.iter().map(|value| ((*value).to_owned(), change));
                self.architectures_changed.extend(changed);
            }
        }
    }

    /// The architectures that are fetched, for an image that has these.
    pub fn architectures(&self, own: &[&str]) -> Vec<String> {
        let mut all = self.architectures.clone().unwrap_or_else(|| owned(own));
        for (architecture, change) in &self.architectures_changed {
            match change {
                Change::Remove => all.retain(|known| known != architecture),
                _ if all.contains(architecture) => {}
                _ => all.push(architecture.clone()),
            }
        }
        all
    }

    /// An option that two entries of one suite have set differently, which cannot be, and what they
    /// say where it helps.
    pub(super) fn conflict(&self, other: &Self) -> Option<(&'static str, String)> {
        let switches = [
            ("Trusted", self.trusted, other.trusted),
            ("Allow-Insecure", self.allow_insecure, other.allow_insecure),
            ("Allow-Weak", self.allow_weak, other.allow_weak),
            ("Check-Valid-Until", self.check_valid_until, other.check_valid_until),
            ("Check-Date", self.check_date, other.check_date),
        ];
        if let Some((name, ..)) = switches.into_iter().find(|(_, one, two)| one != two) {
            return Some((name, String::new()));
        }
        if self.snapshot != other.snapshot {
            return Some(("Snapshot", String::new()));
        }
        if self.signed_by != other.signed_by {
            let words = |value: &Option<SignedBy>| value.as_ref().map(SignedBy::shown);
            let (one, two) = (words(&self.signed_by), words(&other.signed_by));
            let values = format!(": {} != {}", one.unwrap_or_default(), two.unwrap_or_default());
            return Some(("Signed-By", values));
        }
        None
    }
}

impl SignedBy {
    fn shown(&self) -> String {
        match self {
            SignedBy::Named(names) => names.join(","),
            SignedBy::Embedded(_) => "(a key in the file itself)".to_owned(),
        }
    }
}

const BAD_SWITCH: OptionError = OptionError::Bad("is neither yes nor no");

fn by_hash(values: &[&str]) -> Result<ByHash, OptionError> {
    match values {
        ["force"] => Ok(ByHash::Forced),
        [value] => match switch(value) {
            Some(true) => Ok(ByHash::Offered),
            Some(false) => Ok(ByHash::No),
            None => Err(OptionError::Bad("is neither yes, no nor force")),
        },
        _ => Err(OptionError::Bad("is neither yes, no nor force")),
    }
}

fn relative_path(values: &[&str]) -> Result<String, OptionError> {
    match values {
        [path] if !path.starts_with('/') && !path.split('/').any(|part| part == "..") => {
            Ok((*path).to_owned())
        }
        _ => Err(OptionError::Bad("leads out of the archive")),
    }
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}
