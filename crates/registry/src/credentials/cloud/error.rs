//! Why a cloud does not let one in, with what was tried and the way out.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::PublicUrl;

/// A cloud login that is configured and fails. It is never passed over: an anonymous request in
/// its place would be refused with a message that leads astray.
#[derive(Debug, thiserror::Error)]
#[error("log in to `{registry}` by {tried}: {problem}")]
pub struct CloudError {
    /// The registry.
    pub registry: String,
    /// What was tried.
    pub tried: CloudSource,
    /// What came of it.
    pub problem: CloudProblem,
}

/// Where a cloud's credential comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudSource {
    /// `AWS_ACCESS_KEY_ID` and what belongs to it.
    AwsVariables,
    /// `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`.
    AwsWebIdentity,
    /// A profile of the AWS configuration files.
    AwsProfile(String),
    /// The endpoint that a container's runtime offers.
    AwsContainer,
    /// The metadata service of an EC2 instance.
    AwsInstance,
    /// A file of Google's: a service account's key, a user's, a federated identity.
    GoogleFile(PathBuf),
    /// Google's metadata server.
    GoogleMetadata,
    /// An Azure application with a secret.
    AzureSecret,
    /// An Azure application that a federated token stands for.
    AzureFederation,
    /// An identity that Azure manages.
    AzureManaged,
    /// `GITHUB_TOKEN`.
    GithubToken,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum CloudProblem {
    /// A variable that is needed beside those that are set.
    #[error("{name} is not set")]
    NotSet {
        /// The variable.
        name: &'static str,
    },
    /// A setting that cannot be used.
    #[error("{what} is {wrong}")]
    Setting {
        /// Which one.
        what: String,
        /// What it is.
        wrong: &'static str,
    },
    /// A file that cannot be read.
    #[error("read {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("read {}: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong; never a part of the file's content.
        problem: String,
    },
    /// Something that the clouds' own programs do and this one does not.
    #[error("{what} is not built in")]
    NotBuiltIn {
        /// What it is.
        what: String,
    },
    /// A login that another program keeps, and that has run out.
    #[error("the login has expired: run `{renew}`")]
    Expired {
        /// What renews it.
        renew: String,
    },
    /// A program that was to say who one is.
    #[error("run `{program}`: {problem}")]
    Program {
        /// The program, without its arguments.
        program: String,
        /// What came of it.
        problem: String,
    },
    /// No answer.
    #[error("{cause}")]
    NoAnswer {
        /// What the connection said, with what was asked.
        cause: String,
    },
    /// The cloud says no.
    #[error("{url} answered {status}{said}")]
    Refused {
        /// Who was asked.
        url: PublicUrl,
        /// The status.
        status: u16,
        /// What it said, without the secrets that it was shown.
        said: String,
    },
    /// The cloud says something else.
    #[error("{url} answered without `{lacking}`")]
    Answer {
        /// Who was asked.
        url: PublicUrl,
        /// What the answer lacks.
        lacking: &'static str,
    },
    /// A secret would have to travel unencrypted.
    #[error("{url} is plain http, over which no secret goes")]
    Plain {
        /// Where it would go.
        url: PublicUrl,
    },
}

impl CloudSource {
    /// The error that it is if this source fails.
    pub(super) fn failed(&self, problem: CloudProblem) -> (CloudSource, CloudProblem) {
        (self.clone(), problem)
    }

    /// What to look at when it fails.
    fn remedy(&self) -> String {
        match self {
            CloudSource::AwsVariables => {
                "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN".into()
            }
            CloudSource::AwsWebIdentity => {
                "check AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and the role's trust policy".into()
            }
            CloudSource::AwsProfile(_) => "check AWS_PROFILE and the files in ~/.aws".into(),
            CloudSource::AwsContainer => {
                "check AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, and the task's role"
                    .into()
            }
            CloudSource::AwsInstance => {
                "check the instance's role, or set AWS_EC2_METADATA_DISABLED=true".into()
            }
            CloudSource::GoogleFile(_) => {
                "check GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default \
                 login`"
                    .into()
            }
            CloudSource::GoogleMetadata => {
                "check GCE_METADATA_HOST, or set NO_GCE_CHECK=true".into()
            }
            CloudSource::AzureSecret => {
                "check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET".into()
            }
            CloudSource::AzureFederation => {
                "check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE".into()
            }
            CloudSource::AzureManaged => {
                "check the machine's identity; AZURE_CLIENT_ID chooses among several".into()
            }
            CloudSource::GithubToken => {
                "check that GITHUB_TOKEN may read (and write) packages".into()
            }
        }
    }
}

impl fmt::Display for CloudSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CloudSource::AwsVariables => "AWS_ACCESS_KEY_ID",
            CloudSource::AwsWebIdentity => "AWS_WEB_IDENTITY_TOKEN_FILE",
            CloudSource::AwsProfile(name) => return write!(f, "AWS profile `{name}`"),
            CloudSource::AwsContainer => "the AWS container's credentials",
            CloudSource::AwsInstance => "the EC2 instance's role",
            CloudSource::GoogleFile(path) => return write!(f, "{}", path.display()),
            CloudSource::GoogleMetadata => "Google's metadata server",
            CloudSource::AzureSecret => "AZURE_CLIENT_SECRET",
            CloudSource::AzureFederation => "AZURE_FEDERATED_TOKEN_FILE",
            CloudSource::AzureManaged => "Azure's managed identity",
            CloudSource::GithubToken => "GITHUB_TOKEN",
        })
    }
}

impl CloudError {
    /// The way out.
    pub fn hint(&self) -> String {
        hint(&self.tried, &self.registry)
    }
}

/// What to do about a source that a registry does not take.
pub(crate) fn hint(source: &CloudSource, registry: &str) -> String {
    format!("{}, or log in with `plywood login {registry}`", source.remedy())
}
