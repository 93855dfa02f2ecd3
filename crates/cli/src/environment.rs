//! What the process was started with: variables, terminals and the clock, read once and here only.
//!
//! Everything else takes an [`Environment`] or a value from it, so that no other code depends on
//! the machine, and tests say what the environment is.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use registry::CloudEnvironment;
use registry::hosts::{HostFiles, Roots};

/// The environment of one run.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
    /// When the program was started.
    pub(crate) now: Timestamp,
    /// The number of the user who started it.
    user: u32,
    /// Who reads standard error.
    pub(crate) stderr: Reader,
    /// Who reads standard output.
    pub(crate) stdout: Reader,
}

/// Who reads what is written to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person at a terminal.
    Terminal,
    /// A file or another program.
    Program,
}

/// The variables that the program reads, one line each, for `--help`.
pub(crate) const HELP: &str = "\
Environment:
  PLYWOOD_STORE       where the local store is [default: $XDG_DATA_HOME/plywood/store]
  PLYWOOD_JOBS        how many things are done at once [default: the number of processors]
  PLYWOOD_REQUESTS    how many requests one registry has to bear at once [default: 6]
  PLYWOOD_REQUESTS_PER_SECOND
                      how many of them may begin in a second [default: no limit]
  SOURCE_DATE_EPOCH   the time that new layers and images carry, in seconds since 1970
  BUILDKIT_PROGRESS   how to show progress where --progress says nothing
  DOCKER_DEFAULT_PLATFORM
                      the platform to build or pull where --platform says nothing
  DOCKER_CONFIG       the directory of Docker's config.json [default: ~/.docker]
  DOCKER_AUTH_CONFIG  the content of a config.json, read before any file
  REGISTRY_AUTH_FILE  podman's auth.json
  CONTAINERS_REGISTRIES_CONF
                      podman's registries.conf [default: $XDG_CONFIG_HOME/containers/registries.conf,
                      else /etc/containers/registries.conf]
  SSL_CERT_FILE, SSL_CERT_DIR
                      the roots of trust in place of the system's
  AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_WEB_IDENTITY_TOKEN_FILE,
  GOOGLE_APPLICATION_CREDENTIALS, AZURE_CLIENT_ID, GITHUB_TOKEN and what belongs to them
                      how to log in to ECR, Google's registries, ACR and GHCR where no file
                      knows them; see `plywood login --help`
  HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY
                      how registries are reached; lower case works too
  NO_COLOR            no colours if set
  CI                  plain progress, even on a terminal, and builds that keep to plywood.lock, if
                      set";

/// How the registries of clouds are logged in to without `login`, for `login --help`.
pub(crate) const CLOUD_HELP: &str = "\
Without a login:
  Where no file and no helper knows a registry of these clouds, or the helper is not installed, the
  cloud's own login is used: the first of these that is configured. One that is configured and
  fails is an error; where none is, requests are anonymous.

  ECR, ECR Public     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN;
                      AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME; the profile
                      AWS_PROFILE of AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE;
                      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or
                      AWS_CONTAINER_CREDENTIALS_FULL_URI with AWS_CONTAINER_AUTHORIZATION_TOKEN
                      or AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE; the instance's metadata
                      (AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT).
                      AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_ECR, AWS_ENDPOINT_URL_ECR_PUBLIC,
                      AWS_ENDPOINT_URL_SSO and AWS_ENDPOINT_URL_STS say where the APIs are.
  gcr.io, pkg.dev     GOOGLE_APPLICATION_CREDENTIALS; gcloud's application default credentials
                      (CLOUDSDK_CONFIG); the metadata server (GCE_METADATA_HOST, NO_GCE_CHECK;
                      K_SERVICE and CLOUD_RUN_JOB say that there is one).
                      AWS_REGION or AWS_DEFAULT_REGION for an AWS identity that Google trusts.
  azurecr.io          AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET or
                      AZURE_FEDERATED_TOKEN_FILE; IDENTITY_ENDPOINT, IDENTITY_HEADER; the machine's
                      identity (AZURE_POD_IDENTITY_AUTHORITY_HOST); AZURE_AUTHORITY_HOST
  ghcr.io             GITHUB_TOKEN, GITHUB_ACTOR

  Metadata services are asked where a variable names one, and else only on the cloud's own machines.";

/// The platform that Docker's users mean where they do not say one.
pub(crate) const DEFAULT_PLATFORM: &str = "DOCKER_DEFAULT_PLATFORM";

impl Environment {
    /// Reads the environment of this process.
    pub(crate) fn read() -> Self {
        let reader = |is_terminal| if is_terminal { Reader::Terminal } else { Reader::Program };
        Environment {
            variables: std::env::vars_os().collect(),
            now: Timestamp::now(),
            user: rustix::process::getuid().as_raw(),
            stderr: reader(std::io::stderr().is_terminal()),
            stdout: reader(std::io::stdout().is_terminal()),
        }
    }

    /// A variable as it is; an empty one counts as not set, as Docker and Git treat their own.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|v| !v.is_empty())
    }

    /// A variable that is text; one that is not UTF-8 counts as not set.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.variable(name).and_then(OsStr::to_str)
    }

    /// A variable as `--build-arg NAME` takes it over: here an empty one is a value.
    pub(crate) fn build_argument(&self, name: &str) -> Option<&str> {
        self.variables.get(OsStr::new(name)).and_then(|value| value.to_str())
    }

    /// All variables whose names and values are text.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        let text = |text: &OsString| text.to_str().map(str::to_owned);
        let variables = self.variables.iter();
        variables.filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
    }

    /// A variable that names a file or directory.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }

    /// An XDG base directory: "All paths set in these environment variables must be absolute. […]
    /// consider the path invalid and ignore it" otherwise (Base Directory Specification 0.8).
    fn base_directory(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        let set = self.path(name).filter(|path| path.is_absolute());
        set.or_else(|| self.home().map(|home| home.join(below_home)))
    }

    /// The user's home directory.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.path("HOME")
    }

    /// Where the store is unless `--store` says so.
    pub(crate) fn store(&self) -> Option<PathBuf> {
        self.path("PLYWOOD_STORE").or_else(|| Some(self.data()?.join("store")))
    }

    /// Where `serve` keeps its images unless `--root` says so.
    pub(crate) fn registry(&self) -> Option<PathBuf> {
        Some(self.data()?.join("registry"))
    }

    /// Where the program keeps what is not to be lost.
    fn data(&self) -> Option<PathBuf> {
        Some(self.base_directory("XDG_DATA_HOME", ".local/share")?.join("plywood"))
    }

    /// The directory in which Docker keeps its `config.json`.
    pub(crate) fn docker_config(&self) -> Option<PathBuf> {
        self.path("DOCKER_CONFIG").or_else(|| self.home().map(|home| home.join(".docker")))
    }

    /// Where podman, buildah and skopeo keep credentials, the first that counts first
    /// (containers-auth.json(5)).
    pub(crate) fn podman_auth_files(&self) -> Vec<PathBuf> {
        if let Some(file) = self.path("REGISTRY_AUTH_FILE") {
            return vec![file];
        }
        let runtime = match self.path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute()) {
            Some(directory) => directory.join("containers"),
            None => PathBuf::from(format!("/run/containers/{}", self.user)),
        };
        let config = self.base_directory("XDG_CONFIG_HOME", ".config");
        let config = config.map(|directory| directory.join("containers"));
        [Some(runtime), config].into_iter().flatten().map(|place| place.join("auth.json")).collect()
    }

    /// Where Docker kept credentials before it had a directory.
    pub(crate) fn legacy_docker_file(&self) -> Option<PathBuf> {
        Some(self.home()?.join(".dockercfg"))
    }

    /// What the clouds' own logins go by.
    pub(crate) fn cloud(&self) -> CloudEnvironment {
        let variable = |name: &str| self.text(name).map(str::to_owned);
        // What is signed carries the time at which it is.
        CloudEnvironment::new(variable, self.home(), SystemTime::now)
    }

    /// Where mirrors and certificates of registries are set, the user's files before the system's;
    /// `cert_dir` is the directory that was typed.
    pub(crate) fn host_files(&self, cert_dir: Option<PathBuf>) -> HostFiles {
        let own = self.base_directory("XDG_CONFIG_HOME", ".config");
        let own = |path: &str| own.as_ref().map(|directory| directory.join(path));
        let both = |path: &str| own(path).into_iter().chain([Path::new("/etc").join(path)]);
        HostFiles {
            named_registries_conf: self.path("CONTAINERS_REGISTRIES_CONF"),
            user_registries_conf: own("containers/registries.conf"),
            system_registries_conf: Some("/etc/containers/registries.conf".into()),
            certificates: both("containers/certs.d").chain(both("docker/certs.d")).collect(),
            named_certificates: cert_dir,
            hosts_toml: both("containerd/certs.d").collect(),
            daemon_json: both("docker/daemon.json").collect(),
        }
    }

    /// The roots of trust that stand in for the system's, as OpenSSL and Go have them named.
    pub(crate) fn roots(&self) -> Roots {
        let directories = self.variable("SSL_CERT_DIR").map(std::env::split_paths);
        Roots {
            file: self.path("SSL_CERT_FILE"),
            directories: directories.into_iter().flatten().collect(),
        }
    }

    /// The colours that a stream gets: <https://no-color.org>, and none on a `dumb` terminal.
    pub(crate) fn colors(&self, stream: Reader) -> Colors {
        let refused = self.variable("NO_COLOR").is_some() || self.text("TERM") == Some("dumb");
        match stream {
            Reader::Terminal if !refused => Colors::Ansi,
            Reader::Terminal | Reader::Program => Colors::None,
        }
    }

    /// How registries are reached, from the variables that curl made customary: lower case before
    /// upper case, a scheme's own before `ALL_PROXY`.
    pub(crate) fn proxies(&self) -> ProxyVariables<'_> {
        let first = |names: &[&str]| names.iter().find_map(|name| self.text(name));
        ProxyVariables {
            http: first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            none_for: [LOOPBACK, first(&["no_proxy", "NO_PROXY"]).unwrap_or_default()].join(","),
        }
    }

    /// Whether this is a CI job, whose log keeps every line and understands no cursor movement.
    pub(crate) fn is_ci(&self) -> bool {
        self.text("CI").is_some_and(|value| value != "false" && value != "0")
    }
}

/// A proxy's own loopback is not this machine's: as with Go's programs, none is asked for it.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// Proxies by the scheme of the URL that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProxyVariables<'a> {
    /// For http URLs.
    pub(crate) http: Option<&'a str>,
    /// For https URLs.
    pub(crate) https: Option<&'a str>,
    /// Hosts that are asked directly.
    pub(crate) none_for: String,
}

/// How text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colors {
    /// Not at all.
    None,
    /// With ANSI escape sequences.
    Ansi,
}

#[cfg(test)]
impl Environment {
    /// An environment of these variables alone, at the start of 2024, with nobody at a terminal.
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Environment {
            variables: variables.iter().map(|(k, v)| (k.into(), v.into())).collect(),
            now: "2024-01-01T00:00:00Z".parse().unwrap(),
            user: 1000,
            stderr: Reader::Program,
            stdout: Reader::Program,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_where_the_nearest_variable_says() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            assert_eq!(Environment::of(variables).store(), expected.map(PathBuf::from));
        };
        check(&[("PLYWOOD_STORE", "here"), ("HOME", "/h")], Some("here"));
        check(&[("XDG_DATA_HOME", "/data"), ("HOME", "/h")], Some("/data/plywood/store"));
        check(&[("XDG_DATA_HOME", "data"), ("HOME", "/h")], Some("/h/.local/share/plywood/store"));
        check(&[("PLYWOOD_STORE", ""), ("HOME", "/h")], Some("/h/.local/share/plywood/store"));
        check(&[], None);
    }

    #[test]
    fn credentials_are_looked_for_where_docker_and_podman_keep_them() {
        let environment = Environment::of(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/user/1")]);
        assert_eq!(environment.docker_config(), Some("/h/.docker".into()));
        let files = environment.podman_auth_files();
        let expected: [PathBuf; 2] =
            ["/run/user/1/containers/auth.json".into(), "/h/.config/containers/auth.json".into()];
        assert_eq!(files, expected);
        let bare = Environment::of(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c")]);
        let expected: [PathBuf; 2] =
            ["/run/containers/1000/auth.json".into(), "/c/containers/auth.json".into()];
        assert_eq!(bare.podman_auth_files(), expected);
        assert_eq!(bare.legacy_docker_file(), Some("/h/.dockercfg".into()));
        let named = Environment::of(&[("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a.json")]);
        assert_eq!(named.podman_auth_files(), [PathBuf::from("/a.json")]);
    }

    #[test]
    fn settings_of_hosts_are_looked_for_where_other_programs_keep_them() {
        let environment = Environment::of(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/x"),
            ("SSL_CERT_DIR", "/a:/b"),
            ("CONTAINERS_REGISTRIES_CONF", "/named.conf"),
        ]);
        let files = environment.host_files(None);
        assert_eq!(files.named_registries_conf, Some("/named.conf".into()));
        assert_eq!(files.user_registries_conf, Some("/x/containers/registries.conf".into()));
        let expected = [
            "/x/containers/certs.d",
            "/etc/containers/certs.d",
            "/x/docker/certs.d",
            "/etc/docker/certs.d",
        ];
        assert_eq!(files.certificates, expected.map(PathBuf::from));
        assert_eq!(environment.roots().directories, [PathBuf::from("/a"), "/b".into()]);
        let homeless = Environment::of(&[]).host_files(None);
        assert_eq!(homeless.daemon_json, [PathBuf::from("/etc/docker/daemon.json")]);
    }

    #[test]
    fn every_variable_of_a_cloud_is_told() {
        for name in CloudEnvironment::VARIABLES {
            assert!(CLOUD_HELP.contains(name), "{name}");
        }
        assert!(CLOUD_HELP.lines().all(|line| line.len() <= 100));
    }

    #[test]
    fn proxies_are_those_that_curl_would_take() {
        let environment = Environment::of(&[
            ("HTTPS_PROXY", "http://upper"),
            ("https_proxy", "http://lower"),
            ("ALL_PROXY", "http://all"),
            ("NO_PROXY", "localhost"),
        ]);
        let expected = ProxyVariables {
            http: Some("http://all"),
            https: Some("http://lower"),
            none_for: format!("{LOOPBACK},localhost"),
        };
        assert_eq!(environment.proxies(), expected);
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let check = |variables: &[(&str, &str)], reader, expected| {
            assert_eq!(Environment::of(variables).colors(reader), expected);
        };
        check(&[], Reader::Terminal, Colors::Ansi);
        check(&[], Reader::Program, Colors::None);
        check(&[("NO_COLOR", "1")], Reader::Terminal, Colors::None);
        check(&[("NO_COLOR", "")], Reader::Terminal, Colors::Ansi);
        check(&[("TERM", "dumb")], Reader::Terminal, Colors::None);
    }
}
