//! What moves images: `push`, `pull`, `copy`, `save`, `load`, and `login` and `logout`.

use std::path::PathBuf;

use clap::Args;
use oci::{Platform, Reference, RepositoryName};

use super::location::{self, Location};
use super::output::Destination;
use super::{UsageError, meaning};
use crate::environment::{DEFAULT_PLATFORM, Environment};

/// What `push` is asked to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushArguments {
    /// What.
    pub(crate) pushed: Pushed,
}

/// What is uploaded: names in the store, which say where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// One image.
    Image(Reference),
    /// Whatever the store has of a repository.
    AllTags(RepositoryName),
}

/// What `pull` is asked to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PullArguments {
    /// The image.
    pub(crate) image: Reference,
    /// Which images of an index.
    pub(crate) platforms: CopyPlatforms,
}

/// Which images of an index are moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CopyPlatforms {
    /// All, and the index with them.
    All,
    /// This one alone, or the machine's own.
    One(Option<Platform>),
    /// An index of these.
    Several(Vec<Platform>),
}

/// What becomes of signatures, SBOMs and whatever else refers to an image that is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referrers {
    /// They stay.
    Left,
    /// They are copied, too.
    Copied,
}

/// What `copy` is asked to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyArguments {
    /// From where.
    pub(crate) source: Location,
    /// To where.
    pub(crate) destination: Location,
    /// Which images of an index.
    pub(crate) platforms: CopyPlatforms,
    /// What becomes of what refers to it.
    pub(crate) referrers: Referrers,
}

/// What `save` is asked to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SaveArguments {
    /// Names or ids, at least one.
    pub(crate) images: Vec<String>,
    /// Where to.
    pub(crate) destination: Destination,
    /// In which format.
    pub(crate) format: ArchiveFormat,
}

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArchiveFormat {
    /// `docker load`'s.
    Docker,
    /// A tar of an OCI layout.
    Oci,
}

/// What `load` is asked to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadArguments {
    /// A file, or standard input.
    pub(crate) input: Option<PathBuf>,
}

/// What `login` is asked to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoginArguments {
    /// The registry, or a part of one: `registry.example/team`.
    pub(crate) registry: String,
    /// The user's name.
    pub(crate) username: String,
    /// Where the password comes from.
    pub(crate) password: PasswordSource,
}

/// Where a password comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PasswordSource {
    /// The command line.
    Typed(String),
    /// Standard input.
    StandardInput,
}

impl std::fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PasswordSource::Typed(_) => "Typed(…)",
            PasswordSource::StandardInput => "StandardInput",
        })
    }
}

/// What `logout` is asked to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogoutArguments {
    /// A registry's credential, or that of a part of one.
    One(String),
    /// Every credential.
    All,
}

/// The registry that `login` and `logout` mean where none is named.
const DOCKER_HUB: &str = "docker.io";

#[derive(Debug, Args)]
pub(super) struct PushFlags {
    /// The image's name, which says where it goes
    #[arg(value_name = "REFERENCE")]
    image: String,
    /// All tags of the repository that the store has
    #[arg(short, long)]
    all_tags: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct PullFlags {
    /// The image
    #[arg(value_name = "REFERENCE")]
    image: String,
    /// Which images of an index, or `all` [default: this machine's, for Linux]
    #[arg(long, value_name = "OS/ARCH[/VARIANT],…|all")]
    platform: Vec<String>,
    /// Show no progress
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct CopyFlags {
    /// REFERENCE in a registry, store:REFERENCE, oci:DIR[:TAG] or docker-archive:FILE[:REFERENCE]
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The same
    #[arg(value_name = "DESTINATION")]
    destination: String,
    /// Which image of an index, several as an index of their own, or `all`
    #[arg(long, value_name = "OS/ARCH[/VARIANT],…|all", default_value = "all")]
    platform: Vec<String>,
    /// With it, the signatures, SBOMs and whatever else refers to it; from registry to registry
    #[arg(long)]
    referrers: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct SaveFlags {
    /// Names or ids in the store
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// The archive [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// docker (what `docker load` reads) or oci
    #[arg(long, value_name = "FORMAT", default_value = "docker")]
    format: String,
}

#[derive(Debug, Args)]
pub(super) struct LoadFlags {
    /// The archive [default: standard input]
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct LoginFlags {
    /// The registry, or a part of one such as registry.example/team [default: Docker Hub]
    #[arg(value_name = "REGISTRY")]
    registry: Option<String>,
    /// The user's name
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// The password, for all to see in the list of processes
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    password: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct LogoutFlags {
    /// The registry, or a part of one such as registry.example/team [default: Docker Hub]
    #[arg(value_name = "REGISTRY")]
    registry: Option<String>,
    /// Forget every credential
    #[arg(long, conflicts_with = "registry")]
    all: bool,
}

impl PushFlags {
    pub(super) fn meaning(self) -> Result<PushArguments, UsageError> {
        let pushed = if self.all_tags {
            Pushed::AllTags(meaning::repository("REFERENCE", &self.image)?)
        } else {
            Pushed::Image(meaning::reference("REFERENCE", &self.image)?.or_latest())
        };
        Ok(PushArguments { pushed })
    }
}

impl PullFlags {
    pub(super) fn meaning(self, environment: &Environment) -> Result<PullArguments, UsageError> {
        let default = environment.text(DEFAULT_PLATFORM).map(str::to_owned);
        let typed = if self.platform.is_empty() { Vec::from_iter(default) } else { self.platform };
        Ok(PullArguments {
            image: meaning::reference("REFERENCE", &self.image)?.or_latest(),
            platforms: platforms(&typed)?,
        })
    }
}

impl CopyFlags {
    pub(super) fn meaning(self) -> Result<CopyArguments, UsageError> {
        let source = location::location("SOURCE", &self.source)?;
        let destination = location::location("DESTINATION", &self.destination)?;
        let remote = [&source, &destination].iter().all(|end| matches!(end, Location::Registry(_)));
        if self.referrers && !remote {
            return Err(UsageError::Needs {
                given: "`--referrers`",
                missing: "a registry at both ends",
                instead: "copy between registries, or leave it out",
            });
        }
        let referrers = if self.referrers { Referrers::Copied } else { Referrers::Left };
        Ok(CopyArguments { source, destination, platforms: platforms(&self.platform)?, referrers })
    }
}

fn platforms(texts: &[String]) -> Result<CopyPlatforms, UsageError> {
    const FLAG: &str = "--platform";
    if texts.iter().any(|text| text == "all") {
        return Ok(CopyPlatforms::All);
    }
    let mut platforms = meaning::platforms(FLAG, texts)?;
    Ok(match platforms.len() {
        0 | 1 => CopyPlatforms::One(platforms.pop()),
        _ => CopyPlatforms::Several(platforms),
    })
}

impl SaveFlags {
    pub(super) fn meaning(self) -> Result<SaveArguments, UsageError> {
        let format = match self.format.as_str() {
            "docker" | "docker-archive" => ArchiveFormat::Docker,
            "oci" | "oci-archive" => ArchiveFormat::Oci,
            other => return Err(UsageError::unknown("--format", other, &["docker", "oci"])),
        };
        let destination = match self.output.as_deref() {
            None | Some("-") => Destination::Stdout,
            Some(file) => Destination::File(PathBuf::from(file)),
        };
        Ok(SaveArguments { images: self.images, destination, format })
    }
}

impl LoadFlags {
    pub(super) fn meaning(self) -> LoadArguments {
        LoadArguments { input: self.input.filter(|file| file.as_os_str() != "-") }
    }
}

impl LoginFlags {
    pub(super) fn meaning(self) -> Result<LoginArguments, UsageError> {
        let username = self.username.ok_or(UsageError::Needs {
            given: "`login`",
            missing: "a user's name",
            instead: "give it with `--username NAME`",
        })?;
        let password = match self.password {
            Some(password) => PasswordSource::Typed(password),
            None if self.password_stdin => PasswordSource::StandardInput,
            None => {
                return Err(UsageError::Needs {
                    given: "`login`",
                    missing: "a password",
                    instead: "pipe it to `--password-stdin`",
                });
            }
        };
        Ok(LoginArguments { registry: registry(self.registry), username, password })
    }
}

impl LogoutFlags {
    pub(super) fn meaning(self) -> LogoutArguments {
        if self.all { LogoutArguments::All } else { LogoutArguments::One(registry(self.registry)) }
    }
}

/// A registry or a part of one, from what Docker's and podman's users type: a host, a host and a
/// path, a URL or nothing. A URL's path is that of an API, and no part of the registry.
fn registry(typed: Option<String>) -> String {
    let typed = typed.unwrap_or_else(|| DOCKER_HUB.to_owned());
    let url = typed.strip_prefix("https://").or_else(|| typed.strip_prefix("http://"));
    let host = url.unwrap_or(&typed).split('/').next().unwrap_or_default();
    match host {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
        host if url.is_some() => host.to_owned(),
        _ => typed.trim_end_matches('/').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse_for_test};
    use super::*;

    #[track_caller]
    fn command(line: &[&str]) -> Command {
        parse_for_test(line, &Environment::of(&[])).unwrap().command
    }

    #[track_caller]
    fn refuse(line: &[&str], expected: &str) {
        let error = parse_for_test(line, &Environment::of(&[])).unwrap_err();
        assert_eq!(format!("{error} | {}", error.hint().unwrap_or_default()), expected);
    }

    #[test]
    fn a_registry_is_a_host_however_it_is_typed() {
        let check = |typed: Option<&str>, expected: &str| {
            assert_eq!(registry(typed.map(str::to_owned)), expected);
        };
        check(None, "docker.io");
        check(Some("https://index.docker.io/v1/"), "docker.io");
        check(Some("localhost:5000"), "localhost:5000");
        check(Some("http://localhost:5000/v2/"), "localhost:5000");
        check(Some("localhost:5000/team/app/"), "localhost:5000/team/app");
    }

    #[test]
    fn login_wants_a_name_and_a_password() {
        let login = command(&["login", "-u", "me", "--password-stdin", "localhost:5000"]);
        let Command::Login(login) = login else { panic!("not login") };
        assert_eq!(login.password, PasswordSource::StandardInput);
        let typed = command(&["login", "-u", "me", "-p", "SECRET"]);
        assert!(!format!("{typed:?}").contains("SECRET"));
        refuse(&["login"], "`login` needs a user's name | give it with `--username NAME`");
        refuse(&["login", "-u", "me"], "`login` needs a password | pipe it to `--password-stdin`");
    }

    #[test]
    fn pull_takes_one_image_and_copy_takes_all() {
        let Command::Pull(pull) = command(&["pull", "a"]) else { panic!("not pull") };
        assert_eq!(pull.platforms, CopyPlatforms::One(None));
        let Command::Copy(copy) = command(&["copy", "a", "oci:b"]) else { panic!("not copy") };
        assert_eq!(copy.platforms, CopyPlatforms::All);
        let line = ["pull", "--platform", "linux/aarch64", "a"];
        let Command::Pull(pull) = command(&line) else { panic!("not pull") };
        assert_eq!(pull.platforms, CopyPlatforms::One(Some(Platform::linux("arm64"))));
        let environment = Environment::of(&[(DEFAULT_PLATFORM, "linux/arm64")]);
        let Command::Pull(pull) = parse_for_test(&["pull", "a"], &environment).unwrap().command
        else {
            panic!("not pull")
        };
        assert_eq!(pull.platforms, CopyPlatforms::One(Some(Platform::linux("arm64"))));
        refuse(
            &["pull", "--platform", "a/b/c/d", "a"],
            "`--platform`: `a/b/c/d` is not a platform: it is written os/architecture[/variant], \
             and has more parts | ",
        );
    }

    #[test]
    fn archives_have_two_formats() {
        let Command::Save(save) = command(&["save", "a", "b", "-o", "x.tar"]) else {
            panic!("not save")
        };
        assert_eq!(save.images, ["a", "b"]);
        assert_eq!(save.destination, Destination::File("x.tar".into()));
        assert_eq!(save.format, ArchiveFormat::Docker);
        refuse(
            &["save", "--format", "occi", "a"],
            "`occi` is not a value of `--format` (docker, oci are) | did you mean `oci`?",
        );
        let Command::Load(load) = command(&["load", "-i", "-"]) else { panic!("not load") };
        assert_eq!(load.input, None);
    }
}
