//! What looks at the store and tidies it: `images`, `inspect`, `history`, `tag`, `rmi`, `prune`.

use std::time::Duration;

use clap::{ArgAction, Args};
use oci::{Platform, Reference};
use registry::Collateral;

use super::location::{self, Location};
use super::{UsageError, meaning};

/// What `images` is asked to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImagesArguments {
    /// Which images: every filter holds.
    pub(crate) filters: Vec<ListFilter>,
    /// How they are shown.
    pub(crate) report: ListReport,
    /// Whether ids are cut to what people read.
    pub(crate) truncation: Truncation,
    /// Which columns a table has.
    pub(crate) listed: Listed,
}

/// Which images are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListFilter {
    /// Whose repository, or repository and tag, match a pattern with `*`, `?` and `[…]`.
    Name(String),
    /// That have no tag, or that have one.
    Dangling(bool),
    /// That have this label, with this value if one is given.
    Label(String, Option<String>),
}

/// How a list is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListReport {
    /// A table with Docker's columns.
    Table,
    /// One id a line.
    Ids,
    /// One JSON object a line.
    Json,
    /// A template for each line.
    Template(String),
    /// A template for each line of a table with headings.
    TableTemplate(String),
}

/// Which columns a table has beside the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// None.
    Tags,
    /// The digest that a registry knows the image by.
    Digests,
}

/// Whether long values are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truncation {
    /// They are.
    Short,
    /// They are not.
    Full,
}

/// What `inspect` is asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InspectArguments {
    /// The images, at least one, with what was typed for each.
    pub(crate) images: Vec<(String, Location)>,
    /// Which image of an index.
    pub(crate) platform: Option<Platform>,
    /// How they are shown.
    pub(crate) report: InspectReport,
}

/// How an image is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InspectReport {
    /// As a list of JSON documents, as Docker does.
    Json,
    /// As one JSON document a line.
    JsonLines,
    /// By a template over that document.
    Template(String),
    /// As the exact bytes of its manifest or index.
    Raw,
    /// As the exact bytes of its config.
    RawConfig,
}

/// What `history` is asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryArguments {
    /// The image.
    pub(crate) image: String,
    /// Which image of an index.
    pub(crate) platform: Option<Platform>,
    /// How it is shown.
    pub(crate) report: ListReport,
    /// Whether instructions are cut to a column.
    pub(crate) truncation: Truncation,
    /// Whether sizes and times are for people.
    pub(crate) human: bool,
}

/// What `tag` is asked to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagArguments {
    /// A name or an id.
    pub(crate) source: String,
    /// The new name.
    pub(crate) target: Reference,
}

/// What `rmi` is asked to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RmiArguments {
    /// From the store.
    Store {
        /// Names or ids, at least one.
        images: Vec<String>,
        /// What an id that has several names stands for.
        removal: Removal,
    },
    /// From their registries.
    Registry {
        /// Names, at least one.
        images: Vec<Reference>,
        /// What may go along.
        collateral: Collateral,
    },
}

/// What an id that has several names stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// An error.
    OneName,
    /// All of its names.
    AllNames,
}

/// What `prune` is asked to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PruneArguments {
    /// Only what was not used for this long.
    pub(crate) older_than: Option<Duration>,
    /// Not the most recently used, up to this many bytes.
    pub(crate) keep_bytes: Option<u64>,
    /// What counts as unused.
    pub(crate) scope: PruneScope,
    /// Whether anything is removed at all.
    pub(crate) mode: PruneMode,
}

/// What counts as unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PruneScope {
    /// What no named image needs.
    Unnamed,
    /// Everything.
    Everything,
}

/// Whether something is removed or only said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PruneMode {
    /// Removed.
    Remove,
    /// Said.
    DryRun,
}

#[derive(Debug, Args)]
pub(super) struct ImagesFlags {
    /// Only images of this name; may hold `*`
    #[arg(value_name = "REPOSITORY[:TAG]")]
    name: Option<String>,
    /// Accepted for Docker's sake: there are no hidden images
    #[arg(short, long, hide = true)]
    all: bool,
    /// Show digests
    #[arg(long)]
    digests: bool,
    /// Only images that fit: reference=PATTERN, dangling=true|false, label=KEY[=VALUE]
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// A Go template for each image, `table TEMPLATE` or `json`. Fields: .ID .Repository .Tag
    /// .Digest .CreatedSince .CreatedAt .Size .Platforms
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
    /// Write one JSON object a line
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Show whole ids
    #[arg(long)]
    no_trunc: bool,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct InspectFlags {
    /// Names or ids in the store, or docker://REF, oci:DIR[:TAG], docker-archive:FILE
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// A Go template, or `json` for one document a line
    #[arg(short, long, value_name = "TEMPLATE")]
    format: Option<String>,
    /// Write the exact bytes of the manifest or index
    #[arg(long, conflicts_with = "format")]
    raw: bool,
    /// With --raw, of the config instead
    #[arg(long, requires = "raw")]
    config: bool,
    /// Which image of an index [default: this machine's, for Linux]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<String>,
    /// Accepted for Docker's sake: everything here is an image
    #[arg(long = "type", hide = true)]
    kind: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct HistoryFlags {
    /// A name or an id in the store
    #[arg(value_name = "IMAGE")]
    image: String,
    /// A Go template for each line, `table TEMPLATE` or `json`. Fields: .ID .CreatedSince
    /// .CreatedAt .CreatedBy .Size .Comment
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
    /// Sizes and times for people
    #[arg(short = 'H', long, value_name = "BOOL", default_value = "true")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(action = ArgAction::Set)]
    human: bool,
    /// Show whole instructions
    #[arg(long)]
    no_trunc: bool,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    /// Which image of an index [default: this machine's, for Linux]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct TagFlags {
    /// A name or an id in the store
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The new name
    #[arg(value_name = "TARGET[:TAG]")]
    target: String,
}

#[derive(Debug, Args)]
pub(super) struct RmiFlags {
    /// Names or ids in the store, or with --remote names in registries
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// Remove all names of an image that is given by its id; with --remote, the manifest with all of
    /// its tags where the registry does not remove one alone
    #[arg(short, long)]
    force: bool,
    /// From the registry that the name says, and not from the store
    #[arg(long)]
    remote: bool,
    /// Accepted for Docker's sake: nothing untagged is kept for its parents
    #[arg(long, hide = true)]
    no_prune: bool,
}

#[derive(Debug, Args)]
pub(super) struct PruneFlags {
    /// Only what was not used for this long, such as 36h, 7d or 2w
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// Keep of what no name leads to the most recently used, up to this much, such as 10GB
    #[arg(long, value_name = "SIZE", visible_alias = "keep-storage")]
    keep_bytes: Option<String>,
    /// Images with a name too, not only what no name leads to
    #[arg(short, long, conflicts_with_all = ["older_than", "keep_bytes", "filter"])]
    all: bool,
    /// Say what would be removed and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// until=AGE, which is --older-than AGE
    #[arg(long, value_name = "KEY=VALUE", hide = true)]
    filter: Vec<String>,
    /// Accepted for Docker's sake: nothing is asked
    #[arg(short, long, hide = true)]
    force: bool,
}

/// What a `--format` of a list asks for: Docker's `table`, `table TEMPLATE`, `json`, `TEMPLATE`.
pub(super) fn list_report(quiet: bool, json: bool, format: Option<String>) -> ListReport {
    match format {
        _ if quiet => ListReport::Ids,
        _ if json => ListReport::Json,
        None => ListReport::Table,
        Some(format) if format == "table" => ListReport::Table,
        Some(format) if format == "json" => ListReport::Json,
        Some(format) => match format.strip_prefix("table ") {
            Some(template) => ListReport::TableTemplate(template.to_owned()),
            None => ListReport::Template(format),
        },
    }
}

impl ImagesFlags {
    pub(super) fn meaning(self) -> Result<ImagesArguments, UsageError> {
        let mut filters: Vec<ListFilter> = self.name.into_iter().map(ListFilter::Name).collect();
        for text in &self.filter {
            filters.push(list_filter(text)?);
        }
        Ok(ImagesArguments {
            filters,
            report: list_report(self.quiet, self.json, self.format),
            truncation: if self.no_trunc { Truncation::Full } else { Truncation::Short },
            listed: if self.digests { Listed::Digests } else { Listed::Tags },
        })
    }
}

fn list_filter(text: &str) -> Result<ListFilter, UsageError> {
    const FLAG: &str = "--filter";
    let (key, value) = meaning::pair(FLAG, text, "it is KEY=VALUE")?;
    match (key.as_str(), value.as_str()) {
        ("reference", _) => Ok(ListFilter::Name(value)),
        ("dangling", "true" | "1") => Ok(ListFilter::Dangling(true)),
        ("dangling", "false" | "0") => Ok(ListFilter::Dangling(false)),
        ("dangling", _) => Err(UsageError::form(FLAG, text, "it is true or false")),
        ("label", _) => {
            let (key, value) = meaning::key_value(&value);
            Ok(ListFilter::Label(key.to_owned(), value.map(str::to_owned)))
        }
        _ => {
            let known = &["reference", "dangling", "label"];
            Err(UsageError::UnknownKey { argument: FLAG, key, known })
        }
    }
}

impl InspectFlags {
    pub(super) fn meaning(self) -> Result<InspectArguments, UsageError> {
        let report = match self.format {
            None if self.config => InspectReport::RawConfig,
            None if self.raw => InspectReport::Raw,
            None => InspectReport::Json,
            Some(format) if format == "json" => InspectReport::JsonLines,
            Some(format) => InspectReport::Template(format),
        };
        let platform = platform(self.platform.as_deref())?;
        let images = self.images.into_iter().map(|text| Ok((text.clone(), stored(&text)?)));
        Ok(InspectArguments { images: images.collect::<Result<_, _>>()?, platform, report })
    }
}

/// A location, where a name alone is in the store.
pub(super) fn stored(text: &str) -> Result<Location, UsageError> {
    const ARGUMENT: &str = "IMAGE";
    let with_scheme = ["docker://", "store:", "oci:", "docker-archive:"];
    if with_scheme.iter().any(|scheme| text.starts_with(scheme)) {
        return location::location(ARGUMENT, text);
    }
    // An id is as good as a name; which it is, the store knows.
    match meaning::reference(ARGUMENT, text) {
        Ok(name) => Ok(Location::Store(name)),
        Err(_) if is_id(text) => location::location(ARGUMENT, &format!("store:x@{text}")),
        Err(error) => Err(error),
    }
}

fn is_id(text: &str) -> bool {
    text.parse::<oci::Digest>().is_ok()
}

impl HistoryFlags {
    pub(super) fn meaning(self) -> Result<HistoryArguments, UsageError> {
        Ok(HistoryArguments {
            image: self.image,
            platform: platform(self.platform.as_deref())?,
            report: list_report(self.quiet, false, self.format),
            truncation: if self.no_trunc { Truncation::Full } else { Truncation::Short },
            human: self.human,
        })
    }
}

pub(super) fn platform(text: Option<&str>) -> Result<Option<Platform>, UsageError> {
    text.map(|text| meaning::platform("--platform", text)).transpose()
}

impl TagFlags {
    pub(super) fn meaning(self) -> Result<TagArguments, UsageError> {
        let mut names = meaning::tagged("TARGET", std::slice::from_ref(&self.target))?;
        Ok(TagArguments { source: self.source, target: names.remove(0) })
    }
}

impl RmiFlags {
    pub(super) fn meaning(self) -> Result<RmiArguments, UsageError> {
        if self.remote {
            let name = |text: &String| Ok(meaning::reference("IMAGE", text)?.or_latest());
            let images = self.images.iter().map(name).collect::<Result<_, UsageError>>()?;
            let collateral = if self.force { Collateral::OtherTags } else { Collateral::None };
            return Ok(RmiArguments::Registry { images, collateral });
        }
        let removal = if self.force { Removal::AllNames } else { Removal::OneName };
        Ok(RmiArguments::Store { images: self.images, removal })
    }
}

impl PruneFlags {
    pub(super) fn meaning(self) -> Result<PruneArguments, UsageError> {
        let mut older_than = None;
        for text in &self.filter {
            let (key, value) = meaning::pair("--filter", text, "it is until=AGE")?;
            if key != "until" {
                return Err(UsageError::UnknownKey {
                    argument: "--filter",
                    key,
                    known: &["until"],
                });
            }
            older_than = Some(meaning::age("--filter", &value)?);
        }
        if let Some(text) = &self.older_than {
            older_than = Some(meaning::age("--older-than", text)?);
        }
        let keep_bytes = self.keep_bytes.map(|text| meaning::bytes("--keep-bytes", &text));
        Ok(PruneArguments {
            older_than,
            keep_bytes: keep_bytes.transpose()?,
            scope: if self.all { PruneScope::Everything } else { PruneScope::Unnamed },
            mode: if self.dry_run { PruneMode::DryRun } else { PruneMode::Remove },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse_for_test};
    use super::*;
    use crate::environment::Environment;

    #[track_caller]
    fn command(line: &[&str]) -> Command {
        parse_for_test(line, &Environment::of(&[])).unwrap().command
    }

    #[test]
    fn a_list_is_a_table_ids_json_or_a_template() {
        let check = |flags: &[&str], expected: ListReport| {
            let line = [&["images"], flags].concat();
            let Command::Images(arguments) = command(&line) else { panic!("not images") };
            assert_eq!(arguments.report, expected, "{flags:?}");
        };
        check(&[], ListReport::Table);
        check(&["--format", "table"], ListReport::Table);
        check(&["-q"], ListReport::Ids);
        check(&["-q", "--format", "{{.ID}}"], ListReport::Ids);
        check(&["--json"], ListReport::Json);
        check(&["--format", "json"], ListReport::Json);
        check(&["--format", "{{.Tag}}"], ListReport::Template("{{.Tag}}".into()));
        check(&["--format", "table {{.Tag}}"], ListReport::TableTemplate("{{.Tag}}".into()));
    }

    #[test]
    fn filters_have_docker_s_words() {
        let line = ["images", "-f", "label=a=b", "-f", "dangling=true", "app*"];
        let Command::Images(arguments) = command(&line) else { panic!("not images") };
        let expected = [
            ListFilter::Name("app*".into()),
            ListFilter::Label("a".into(), Some("b".into())),
            ListFilter::Dangling(true),
        ];
        assert_eq!(arguments.filters, expected);
        let line = ["images", "--filter", "labels=a"];
        let error = parse_for_test(&line, &Environment::of(&[])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`--filter` has no key `labels` (it has reference, dangling, label)"
        );
    }

    #[test]
    fn what_to_prune() {
        let check = |flags: &[&str], expected: PruneArguments| {
            let Command::Prune(arguments) = command(&[&["prune"], flags].concat()) else {
                panic!("not prune")
            };
            assert_eq!(arguments, expected);
        };
        let nothing = PruneArguments {
            older_than: None,
            keep_bytes: None,
            scope: PruneScope::Unnamed,
            mode: PruneMode::Remove,
        };
        let week = Some(Duration::from_secs(7 * 24 * 3600));
        check(&["-f"], nothing.clone());
        check(&["--older-than", "7d"], PruneArguments { older_than: week, ..nothing.clone() });
        check(&["-a"], PruneArguments { scope: PruneScope::Everything, ..nothing.clone() });
        check(&["--filter", "until=7d"], PruneArguments { older_than: week, ..nothing.clone() });
        check(
            &["--keep-storage", "10GB", "--dry-run"],
            PruneArguments { keep_bytes: Some(10_000_000_000), mode: PruneMode::DryRun, ..nothing },
        );
    }

    #[test]
    fn docker_s_flags_without_a_meaning_are_taken() {
        assert!(matches!(command(&["rmi", "-f", "a", "b"]), Command::Rmi(_)));
        assert!(matches!(command(&["images", "-a"]), Command::Images(_)));
        assert!(matches!(command(&["history", "-H=false", "a"]), Command::History(_)));
        assert!(matches!(command(&["inspect", "--type", "image", "a"]), Command::Inspect(_)));
    }
}
