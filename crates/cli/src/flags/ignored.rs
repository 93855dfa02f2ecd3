//! Flags of `docker build` that have no effect here, taken so that scripts need no change.
//!
//! They set limits and services for commands that are run, or steer a daemon's cache. Those whose
//! absence could surprise are named in a warning; the others say nothing.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// The flags of this kind that were typed and deserve a warning.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct IgnoredFlags {
    pub(super) noticed: Vec<&'static str>,
}

struct Ignored {
    name: &'static str,
    short: Option<char>,
    takes: Takes,
    notice: Notice,
}

enum Takes {
    /// `--flag VALUE`
    Value,
    /// `--flag`, `--flag=true`
    Boolean,
}

#[derive(PartialEq)]
enum Notice {
    Silent,
    Warn,
}

const fn flag(name: &'static str, takes: Takes, notice: Notice) -> Ignored {
    Ignored { name, short: None, takes, notice }
}

const IGNORED: &[Ignored] = &[
    flag("add-host", Takes::Value, Notice::Silent),
    flag("allow", Takes::Value, Notice::Silent),
    flag("attest", Takes::Value, Notice::Warn),
    flag("builder", Takes::Value, Notice::Silent),
    flag("cgroup-parent", Takes::Value, Notice::Silent),
    flag("compress", Takes::Boolean, Notice::Silent),
    flag("cpu-period", Takes::Value, Notice::Silent),
    flag("cpu-quota", Takes::Value, Notice::Silent),
    Ignored { short: Some('c'), ..flag("cpu-shares", Takes::Value, Notice::Silent) },
    flag("cpuset-cpus", Takes::Value, Notice::Silent),
    flag("cpuset-mems", Takes::Value, Notice::Silent),
    flag("disable-content-trust", Takes::Boolean, Notice::Silent),
    flag("force-rm", Takes::Boolean, Notice::Silent),
    flag("isolation", Takes::Value, Notice::Silent),
    Ignored { short: Some('m'), ..flag("memory", Takes::Value, Notice::Silent) },
    flag("memory-swap", Takes::Value, Notice::Silent),
    flag("network", Takes::Value, Notice::Silent),
    flag("provenance", Takes::Value, Notice::Silent),
    flag("rm", Takes::Boolean, Notice::Silent),
    flag("sbom", Takes::Value, Notice::Silent),
    flag("security-opt", Takes::Value, Notice::Silent),
    flag("shm-size", Takes::Value, Notice::Silent),
    flag("ssh", Takes::Value, Notice::Silent),
    flag("ulimit", Takes::Value, Notice::Silent),
];

impl Ignored {
    fn argument(&self) -> Arg {
        let argument = Arg::new(self.name).long(self.name).hide(true).action(ArgAction::Append);
        let argument = match self.short {
            Some(short) => argument.short(short),
            None => argument,
        };
        match self.takes {
            Takes::Value => argument.num_args(1),
            Takes::Boolean => {
                argument.num_args(0..=1).require_equals(true).default_missing_value("true")
            }
        }
    }
}

impl Args for IgnoredFlags {
    fn augment_args(command: Command) -> Command {
        command.args(IGNORED.iter().map(Ignored::argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for IgnoredFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        // `--provenance=false` asks for what happens anyway.
        let typed = |flag: &&Ignored| {
            let values = matches.get_many::<String>(flag.name);
            values.is_some_and(|mut values| values.any(|value| value != "false"))
        };
        let warned = IGNORED.iter().filter(|flag| flag.notice == Notice::Warn);
        Ok(IgnoredFlags { noticed: warned.filter(typed).map(|flag| flag.name).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
