//! What a cloud login may know of the machine: some variables, a home, a clock, what the hardware
//! says it is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::Secret;
use crate::credentials::cloud::CloudProblem;

/// The most that is read of a key file, a profile or a token.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Where Linux tells what machine it runs on.
const MACHINE: &str = "/sys/class/dmi/id";

/// What the logins of clouds go by. It is handed over as a value: this crate reads no environment
/// and no clock of its own.
///
/// Its `Debug` shows the names of the variables, not what they hold.
#[derive(Debug, Clone)]
pub struct CloudEnvironment {
    variables: BTreeMap<&'static str, Secret>,
    home: Option<PathBuf>,
    machine: PathBuf,
    clock: fn() -> SystemTime,
}

impl CloudEnvironment {
    /// The variables that are read, all of them the clouds' own.
    pub const VARIABLES: &'static [&'static str] = &[
        "AWS_ACCESS_KEY_ID",
        "AWS_CONFIG_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_ECR",
        "AWS_ENDPOINT_URL_ECR_PUBLIC",
        "AWS_ENDPOINT_URL_SSO",
        "AWS_ENDPOINT_URL_STS",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "AZURE_TENANT_ID",
        "CLOUDSDK_CONFIG",
        "CLOUD_RUN_JOB",
        "GCE_METADATA_HOST",
        "GITHUB_ACTOR",
        "GITHUB_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "K_SERVICE",
        "NO_GCE_CHECK",
    ];

    /// Takes the variables of [`Self::VARIABLES`] that `variable` knows; empty ones count as not
    /// set. `home` is where `~` leads.
    pub fn new(
        variable: impl Fn(&str) -> Option<String>,
        home: Option<PathBuf>,
        clock: fn() -> SystemTime,
    ) -> Self {
        let read = |name: &&'static str| Some((*name, Secret::new(variable(name)?)));
        let set = |(_, value): &(&str, Secret)| !value.expose().is_empty();
        let variables = Self::VARIABLES.iter().filter_map(read).filter(set).collect();
        CloudEnvironment { variables, home, machine: PathBuf::from(MACHINE), clock }
    }

    /// Looks there for what the machine is, instead of in `/sys/class/dmi/id`.
    pub fn with_machine(mut self, folder: PathBuf) -> Self {
        self.machine = folder;
        self
    }

    pub(super) fn secret(&self, name: &str) -> Option<&Secret> {
        debug_assert!(Self::VARIABLES.contains(&name), "`{name}` is never handed over");
        self.variables.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.secret(name).map(Secret::expose)
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(|text| self.expand(text))
    }

    /// Whether a variable that switches something says yes.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"))
    }

    /// A variable that is needed beside another one.
    pub(super) fn needed(&self, name: &'static str) -> Result<&str, CloudProblem> {
        self.text(name).ok_or(CloudProblem::NotSet { name })
    }

    pub(super) fn in_home(&self, path: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// A path as the clouds' own programs read it: `~/` is below the home directory.
    pub(super) fn expand(&self, text: &str) -> PathBuf {
        let below_home = text.strip_prefix("~/").and_then(|rest| self.in_home(rest));
        below_home.unwrap_or_else(|| PathBuf::from(text))
    }

    /// Whether the machine's maker left this text in its file of this name.
    pub(super) fn machine_is(&self, file: &str, text: &str) -> bool {
        read(&self.machine.join(file)).is_ok_and(|found| found.expose().contains(text))
    }
}

/// A file's text; it may be a secret.
pub(super) fn read(path: &Path) -> Result<Secret, CloudProblem> {
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| {
        // A byte more, which tells a file that is too large.
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)
    });
    let problem = |source| CloudProblem::File { path: path.to_owned(), source };
    opened.map_err(problem)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(problem(ErrorKind::FileTooLarge.into()));
    }
    Ok(Secret::new(text))
}

/// A file's text; `None` if there is no such file.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Secret>, CloudProblem> {
    match read(path) {
        Err(CloudProblem::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
