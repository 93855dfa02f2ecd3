//! The command lines of apt-get, apt, apt-cache and apt-mark.
//!
//! As in apt itself an option is a setting of `apt.conf` by another name (apt-get(8), "OPTIONS"), so
//! what a command line says is a list of settings, laid over those of the image's files.

use bstr::{BString, ByteSlice};

use crate::apt::configuration::Given;

/// What a command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CommandLine {
    /// Settings, and files of such, in order.
    pub(super) given: Vec<Given>,
    /// The command and its operands.
    pub(super) operands: Vec<String>,
}

/// Why a command line is not understood: the option that is not built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownOption(pub(super) String);

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Yes or no: `--x`, `--no-x`, `--x=false`.
    Flag,
    /// A flag that says no: `--no-x` is not its opposite but itself.
    Negative,
    /// A number that counts how often it is there: `-q`, `-qq`, `-q=2`.
    Level,
    /// A value, in the same word or the next.
    Value,
}

struct Known {
    short: Option<char>,
    long: &'static [&'static str],
    setting: &'static str,
    takes: Takes,
}

const fn flag(short: Option<char>, long: &'static [&'static str], setting: &'static str) -> Known {
    Known { short, long, setting, takes: Takes::Flag }
}

/// Every option that is understood. One that is not here is refused by name.
const OPTIONS: &[Known] = &[
    flag(Some('y'), &["yes", "assume-yes"], "APT::Get::Assume-Yes"),
    flag(None, &["assume-no"], "APT::Get::Assume-No"),
    Known { short: Some('q'), long: &["quiet", "silent"], setting: "quiet", takes: Takes::Level },
    flag(Some('d'), &["download-only"], "APT::Get::Download-Only"),
    flag(Some('f'), &["fix-broken"], "APT::Get::Fix-Broken"),
    flag(Some('m'), &["ignore-missing", "fix-missing"], "APT::Get::Fix-Missing"),
    flag(
        Some('s'),
        &["simulate", "just-print", "dry-run", "recon", "no-act"],
        "APT::Get::Simulate",
    ),
    flag(Some('u'), &["show-upgraded"], "APT::Get::Show-Upgraded"),
    flag(Some('V'), &["verbose-versions"], "APT::Get::Show-Versions"),
    flag(None, &["install-recommends"], "APT::Install-Recommends"),
    flag(None, &["install-suggests"], "APT::Install-Suggests"),
    flag(None, &["ignore-hold"], "APT::Ignore-Hold"),
    flag(None, &["with-new-pkgs"], "APT::Get::Upgrade-Allow-New"),
    flag(None, &["upgrade"], "APT::Get::Upgrade"),
    flag(None, &["only-upgrade"], "APT::Get::Only-Upgrade"),
    flag(None, &["reinstall"], "APT::Get::ReInstall"),
    flag(None, &["purge"], "APT::Get::Purge"),
    flag(None, &["remove"], "APT::Get::Remove"),
    flag(None, &["autoremove", "auto-remove"], "APT::Get::AutomaticRemove"),
    flag(None, &["allow-downgrades"], "APT::Get::allow-downgrades"),
    flag(None, &["allow-remove-essential"], "APT::Get::allow-remove-essential"),
    flag(None, &["allow-change-held-packages"], "APT::Get::allow-change-held-packages"),
    flag(None, &["force-yes"], "APT::Get::force-yes"),
    flag(None, &["allow-unauthenticated"], "APT::Get::AllowUnauthenticated"),
    flag(None, &["allow-insecure-repositories"], "Acquire::AllowInsecureRepositories"),
    flag(None, &["allow-releaseinfo-change"], "Acquire::AllowReleaseInfoChange"),
    flag(None, &["list-cleanup"], "APT::Get::List-Cleanup"),
    flag(None, &["show-progress"], "DpkgPM::Progress"),
    flag(None, &["trivial-only"], "APT::Get::Trivial-Only"),
    flag(Some('i'), &["important"], "APT::Cache::Important"),
    flag(None, &["all-versions"], "APT::Cache::AllVersions"),
    flag(None, &["installed"], "APT::Cache::Installed"),
    Known {
        short: Some('t'),
        long: &["target-release", "default-release"],
        setting: "APT::Default-Release",
        takes: Takes::Value,
    },
    Known {
        short: Some('e'),
        long: &["error-on"],
        setting: "APT::Update::Error-Mode",
        takes: Takes::Value,
    },
    Known {
        short: None,
        long: &["no-download"],
        setting: "APT::Get::Download",
        takes: Takes::Negative,
    },
];

impl CommandLine {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    /// The first option that is not built in.
    pub(super) fn read(words: &[BString]) -> Result<Self, UnknownOption> {
        let mut line = CommandLine::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.to_str().map_err(|_| UnknownOption(word.to_string()))?;
            if text == "--" {
                for operand in words.by_ref() {
                    line.operands.push(operand.to_string());
                }
            } else if let Some(long) = text.strip_prefix("--") {
                line.long(long, &mut words)?;
            } else if let Some(letters) = text.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                line.short(letters, &mut words)?;
            } else {
                line.operands.push(text.to_owned());
            }
        }
        Ok(line)
    }

    /// A setting, as the command line has it; the last one counts.
    fn setting(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find_map(|given| match given {
            Given::Option(option) => {
                let (known, value) = option.to_str().ok()?.split_once('=')?;
                (known == name).then_some(value)
            }
            Given::File(_) => None,
        })
    }

    fn set(&mut self, name: &str, value: &str) {
        self.given.push(Given::Option(format!("{name}={value}").into()));
    }

    fn long<'a>(
        &mut self,
        word: &str,
        words: &mut impl Iterator<Item = &'a BString>,
    ) -> Result<(), UnknownOption> {
        let unknown = || UnknownOption(format!("--{word}"));
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        match name {
            "option" => return self.option(&value(given, words).ok_or_else(unknown)?),
            "config-file" => {
                let file = value(given, words).ok_or_else(unknown)?;
                self.given.push(Given::File(file.into()));
                return Ok(());
            }
            _ => {}
        }
        let is_named = |known: &&Known| known.long.contains(&name);
        if let Some(known) = OPTIONS.iter().find(is_named) {
            let text = match known.takes {
                Takes::Flag => given.unwrap_or("true").to_owned(),
                Takes::Negative => "false".to_owned(),
                Takes::Level => return self.louder(given),
                Takes::Value => value(given, words).ok_or_else(unknown)?,
            };
            self.set(known.setting, &text);
            return Ok(());
        }
        // apt takes `--no-x` as the opposite of `--x`.
        let opposite = name.strip_prefix("no-").filter(|_| given.is_none());
        let is_opposite = |known: &&Known| {
            known.takes == Takes::Flag && opposite.is_some_and(|name| known.long.contains(&name))
        };
        let known = OPTIONS.iter().find(is_opposite).ok_or_else(unknown)?;
        self.set(known.setting, "false");
        Ok(())
    }

    fn short<'a>(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = &'a BString>,
    ) -> Result<(), UnknownOption> {
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            let unknown = || UnknownOption(format!("-{letter}"));
            let own = (!rest.is_empty()).then(|| rest.strip_prefix('=').unwrap_or(rest));
            match letter {
                'o' => return self.option(&value(own, words).ok_or_else(unknown)?),
                'c' => {
                    let file = value(own, words).ok_or_else(unknown)?;
                    self.given.push(Given::File(file.into()));
                    return Ok(());
                }
                _ => {}
            }
            let known = OPTIONS.iter().find(|known| known.short == Some(letter));
            let known = known.ok_or_else(unknown)?;
            match known.takes {
                Takes::Value => {
                    let text = value(own, words).ok_or_else(unknown)?;
                    self.set(known.setting, &text);
                    return Ok(());
                }
                Takes::Level if rest.starts_with('=') => return self.louder(own),
                Takes::Level => self.louder(None)?,
                Takes::Flag | Takes::Negative if rest.starts_with('=') => {
                    self.set(known.setting, own.unwrap_or_default());
                    return Ok(());
                }
                Takes::Flag | Takes::Negative => self.set(known.setting, "true"),
            }
        }
        Ok(())
    }

    /// `-o Name::Of::Setting=value`.
    fn option(&mut self, text: &str) -> Result<(), UnknownOption> {
        if !text.contains('=') {
            return Err(UnknownOption(format!("-o {text}")));
        }
        self.given.push(Given::Option(text.into()));
        Ok(())
    }

    fn louder(&mut self, given: Option<&str>) -> Result<(), UnknownOption> {
        let before: u32 = self.setting("quiet").and_then(|level| level.parse().ok()).unwrap_or(0);
        let level = match given {
            None => before + 1,
            Some(text) => text.parse().map_err(|_| UnknownOption(format!("-q={text}")))?,
        };
        self.set("quiet", &level.to_string());
        Ok(())
    }
}

/// An option's value: its own, or the next word.
fn value<'a>(own: Option<&str>, words: &mut impl Iterator<Item = &'a BString>) -> Option<String> {
    match own {
        Some(own) => Some(own.to_owned()),
        None => words.next().map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<CommandLine, UnknownOption> {
        let words: Vec<BString> = line.split_whitespace().map(BString::from).collect();
        CommandLine::read(&words)
    }

    #[test]
    fn options_are_settings() {
        let line =
            read("-qqy install --no-install-recommends -t bookworm-backports git curl- -- -x");
        let line = line.unwrap();
        assert_eq!(line.setting("quiet"), Some("2"));
        assert_eq!(line.setting("APT::Get::Assume-Yes"), Some("true"));
        assert_eq!(line.setting("APT::Install-Recommends"), Some("false"));
        assert_eq!(line.setting("APT::Default-Release"), Some("bookworm-backports"));
        assert_eq!(line.operands, ["install", "git", "curl-", "-x"]);
        let line = read("-oA::B=c d -q=1 --option=E=f --yes=false -tx --no-download").unwrap();
        assert_eq!(line.setting("A::B"), Some("c"));
        assert_eq!(line.setting("E"), Some("f"));
        assert_eq!(line.setting("APT::Get::Assume-Yes"), Some("false"));
        assert_eq!(line.setting("APT::Default-Release"), Some("x"));
        assert_eq!(line.setting("APT::Get::Download"), Some("false"));
    }

    #[test]
    fn an_option_that_is_not_built_in_is_named() {
        for (line, option) in [
            ("install --frobnicate x", "--frobnicate"),
            ("-yZ", "-Z"),
            ("-o Novalue", "-o Novalue"),
            ("--no-target-release", "--no-target-release"),
            ("-q=loud", "-q=loud"),
            ("-t", "-t"),
        ] {
            assert_eq!(read(line), Err(UnknownOption(option.to_owned())), "{line}");
        }
    }
}
