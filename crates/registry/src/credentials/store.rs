//! Credential files in the order of precedence, and the helpers that they name.

use std::collections::{BTreeSet, HashMap};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::credentials::cloud::{self, Cloud, CloudEnvironment, CloudError, Lent, Means};
use crate::credentials::file::{self, CredentialFile, DOCKER_HUB_KEY};
use crate::credentials::helper::Runner;
use crate::credentials::{Credential, CredentialError, Held, Origin, Search};

/// How long a credential helper may take: some ask a cloud.
const HELPER_LIMIT: Duration = Duration::from_secs(30);

/// Credentials that were kept by `docker login`, `podman login` or `plywood login`.
///
/// The first file that knows a registry wins; [`CredentialStore::login`] writes to the first.
#[derive(Debug)]
pub struct CredentialStore {
    sources: Vec<Source>,
    helpers: Runner,
    cloud: Option<CloudEnvironment>,
    /// What clouds gave, by registry: their logins are for all repositories.
    logins: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<Login>>>>>,
}

/// What came of a cloud's login.
#[derive(Debug)]
enum Login {
    Done(Option<Lent>),
    /// It failed until then: whoever waited for it does not try it all again.
    Failed(Arc<CloudError>, Instant),
}

/// How long a cloud's login that has failed is not tried again.
const FAILURE_LASTS: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Source {
    path: PathBuf,
    file: CredentialFile,
}

impl CredentialStore {
    /// Reads the files, first come first asked; those that do not exist hold nothing.
    pub fn from_files(paths: Vec<PathBuf>) -> Result<Self, CredentialError> {
        let read = |path: PathBuf| Ok(Source { file: CredentialFile::read(&path)?, path });
        let sources = paths.into_iter().map(read).collect::<Result<_, CredentialError>>()?;
        let helpers = Runner::new(HELPER_LIMIT);
        Ok(CredentialStore { sources, helpers, cloud: None, logins: Mutex::default() })
    }

    /// Puts the content of a file (such as `DOCKER_AUTH_CONFIG` holds it) before all files. `name`
    /// stands in messages in the place of a path.
    pub fn with_content(mut self, content: &[u8], name: &str) -> Result<Self, CredentialError> {
        let path = PathBuf::from(name);
        let file = CredentialFile::parse(content, &path)?;
        self.sources.insert(0, Source { path, file });
        Ok(self)
    }

    /// Gives helpers this long to answer.
    pub fn with_helper_limit(mut self, limit: Duration) -> Self {
        self.helpers.limit = limit;
        self
    }

    /// Looks for helpers in these folders instead of on the process's `PATH`.
    pub fn with_helper_folders(mut self, folders: Vec<PathBuf>) -> Self {
        self.helpers.folders = folders;
        self
    }

    /// Logs in to the registries of clouds by these settings where no file knows them.
    pub fn with_cloud(mut self, environment: CloudEnvironment) -> Self {
        self.cloud = Some(environment);
        self
    }

    /// The credential for a repository's path at a registry that the files and their helpers know:
    /// in each file from the helper that it names, or under the longest key that is a prefix of
    /// `registry/path` (containers-auth.json(5)). An empty path asks for the registry's own.
    pub async fn find(
        &self,
        registry: &str,
        path: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        Ok(self.in_files(registry, path).await?.map(|held| held.credential))
    }

    /// From the files and helpers, or by the registry's cloud.
    pub(super) async fn search(&self, search: Search<'_>) -> Result<Option<Held>, CredentialError> {
        let Search { registry, path, .. } = search;
        match self.in_files(registry, path).await? {
            Some(held) => Ok(Some(held)),
            None => self.by_cloud(search).await,
        }
    }

    async fn in_files(&self, registry: &str, path: &str) -> Result<Option<Held>, CredentialError> {
        let server = server_key(registry);
        for Source { file, .. } in &self.sources {
            for key in keys_below(registry, path) {
                if let Some(name) = file.own_helper(&key)
                    && let Some(held) = self.ask_helper(name, &key, registry).await?
                {
                    return Ok(Some(held));
                }
                if let Some(credential) = file.entry(&key) {
                    return Ok(Some(Held::kept(credential)));
                }
            }
            if let Some(name) = file.helper(server).or_else(|| file.helper(registry))
                && let Some(held) = self.ask_helper(name, server, registry).await?
            {
                return Ok(Some(held));
            }
            let found = own_keys(registry).into_iter().find_map(|key| file.entry(key));
            if let Some(credential) = found {
                return Ok(Some(Held::kept(credential)));
            }
        }
        Ok(None)
    }

    async fn ask_helper(
        &self,
        name: &str,
        key: &str,
        registry: &str,
    ) -> Result<Option<Held>, CredentialError> {
        let found = match self.helpers.find(name, key).await {
            // What it would have done is built in.
            Err(CredentialError::HelperMissing { source, .. })
                if source.kind() == ErrorKind::NotFound && self.stands_in(registry) =>
            {
                None
            }
            found => found?,
        };
        let from = Origin::Helper;
        Ok(found.map(|credential| Held { credential, from, good_until: None }))
    }

    fn stands_in(&self, registry: &str) -> bool {
        self.cloud.is_some() && Cloud::of(registry).is_some()
    }

    /// One login for all repositories of a registry, and for all who wait for it.
    async fn by_cloud(&self, search: Search<'_>) -> Result<Option<Held>, CredentialError> {
        let Some(environment) =
            self.cloud.as_ref().filter(|_| Cloud::of(search.registry).is_some())
        else {
            return Ok(None);
        };
        let slot = {
            let mut slots = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
            slots.entry(search.registry.to_owned()).or_default().clone()
        };
        let mut login = slot.lock().await;
        let lent = match &*login {
            Some(Login::Failed(error, at)) if at.elapsed() < FAILURE_LASTS => {
                return Err(error.clone().into());
            }
            Some(Login::Done(lent)) if !is_stale(lent.as_ref(), search.refused) => lent.clone(),
            _ => {
                let means = Means { wire: search.wire, retry: search.retry, environment };
                let lent = match cloud::log_in(&means, search.registry).await {
                    Ok(lent) => lent,
                    Err(error) => {
                        let error = Arc::new(error);
                        *login = Some(Login::Failed(error.clone(), Instant::now()));
                        return Err(error.into());
                    }
                };
                *login = Some(Login::Done(lent.clone()));
                lent
            }
        };
        Ok(lent.map(|Lent { credential, good_until, by }| Held {
            credential,
            from: Origin::Cloud(by),
            good_until,
        }))
    }

    /// Keeps a credential for a registry, or for a part of one (`registry.example/team`): with the
    /// helper that the first file names for it, or in the first file itself, readable by its owner
    /// alone.
    pub async fn login(
        &self,
        registry: &str,
        credential: &Credential,
    ) -> Result<(), CredentialError> {
        let server = server_key(registry);
        let source = self.sources.first().ok_or(CredentialError::NoFile)?;
        match source.file.keeper(server) {
            Some(name) => self.helpers.keep(name, server, credential).await,
            None => file::write_entry(&source.path, server, Some(credential)),
        }
    }

    /// Forgets the credential for a registry, wherever it is kept.
    pub async fn logout(&self, registry: &str) -> Result<(), CredentialError> {
        let server = server_key(registry);
        for source in &self.sources {
            source.forget(&self.helpers, server).await?;
        }
        Ok(())
    }

    /// Forgets all credentials that the files name, and says for how many registries and parts of
    /// them there were any.
    pub async fn logout_of_all(&self) -> Result<usize, CredentialError> {
        let mut forgotten = BTreeSet::new();
        for source in &self.sources {
            for key in source.file.keys() {
                source.forget(&self.helpers, key).await?;
                forgotten.insert(key);
            }
        }
        Ok(forgotten.len())
    }
}

impl Source {
    async fn forget(&self, helpers: &Runner, key: &str) -> Result<(), CredentialError> {
        if let Some(name) = self.file.keeper(key) {
            helpers.forget(name, key).await?;
        }
        if self.file.names(key) {
            file::write_entry(&self.path, key, None)?;
        }
        Ok(())
    }
}

/// Whether a login has to be done again: what it gave has run out, or was refused.
fn is_stale(lent: Option<&Lent>, refused: Option<&Credential>) -> bool {
    lent.is_some_and(|lent| {
        lent.good_until.is_some_and(|until| until <= Instant::now())
            || refused == Some(&lent.credential)
    })
}

/// The name by which files and helpers know a registry.
fn server_key(registry: &str) -> &str {
    if registry == "docker.io" { DOCKER_HUB_KEY } else { registry }
}

/// The keys that may hold the credential of a part of a registry, the longest first.
fn keys_below(registry: &str, path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        keys.push(format!("{registry}/{rest}"));
        rest = rest.rsplit_once('/').map_or("", |(shorter, _)| shorter);
    }
    keys
}

/// The keys that may hold the registry's own credential.
fn own_keys(registry: &str) -> Vec<&str> {
    match registry {
        "docker.io" => vec![registry, DOCKER_HUB_KEY, "index.docker.io", "registry-1.docker.io"],
        _ => vec![registry],
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::Secret;

    fn show(credential: Option<Credential>) -> String {
        match credential {
            None => "none".to_owned(),
            Some(Credential::Password { user, password }) => {
                format!("{user}/{}", password.expose())
            }
            Some(Credential::IdentityToken(token)) => format!("identity {}", token.expose()),
            Some(Credential::AccessToken(token)) => format!("access {}", token.expose()),
        }
    }

    async fn find(content: &str, repository: &str) -> String {
        let store = CredentialStore::from_files(vec![]).unwrap();
        let store = store.with_content(content.as_bytes(), "test").unwrap();
        look_up(&store, repository).await
    }

    async fn look_up(store: &CredentialStore, repository: &str) -> String {
        let repository: oci::RepositoryName = repository.parse().unwrap();
        show(store.find(repository.registry(), repository.path()).await.unwrap())
    }

    #[tokio::test]
    async fn entries_as_the_tools_write_them() {
        // `dTpTRUNSRVQ=` is `u:SECRET`; `dTpTRUNSRVQ6dw==` is `u:SECRET:w`.
        let check = find;
        let hub = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpTRUNSRVQ="}}}"#;
        assert_eq!(check(hub, "alpine").await, "u/SECRET");
        assert_eq!(check(hub, "ghcr.io/a/b").await, "none");
        assert_eq!(
            check(r#"{"auths":{"docker.io":{"auth":"dTpTRUNSRVQ="}}}"#, "a/b").await,
            "u/SECRET"
        );
        let keyed = r#"{"auths":{"https://r.example/v2/":{"auth":"dTpTRUNSRVQ6dw=="}}}"#;
        assert_eq!(check(keyed, "r.example/a").await, "u/SECRET:w");
        let tokens = r#"{"auths":{"a.io":{"auth":"AAAA","identitytoken":"SECRET-I"},"b.io":{"registrytoken":"SECRET-R"},
            "c.io":{"username":"u","password":"SECRET"},"d.io":{},"e.io":{"auth":"dTpTRUNSRVQ=","extra":[1]}},"x":1}"#;
        assert_eq!(check(tokens, "a.io/x").await, "identity SECRET-I");
        assert_eq!(check(tokens, "b.io/x").await, "access SECRET-R");
        assert_eq!(check(tokens, "c.io/x").await, "u/SECRET");
        assert_eq!(check(tokens, "d.io/x").await, "none");
        assert_eq!(check(tokens, "e.io/x").await, "u/SECRET");
        assert_eq!(check("", "e.io/x").await, "none");
    }

    #[tokio::test]
    async fn the_longest_prefix_by_whole_components() {
        let file = r#"{"auths":{"h:5000":{"auth":"YTpTRUNSRVQtMQ=="},"h:5000/team":{"auth":"YjpTRUNSRVQtMg=="},
            "h:5000/team/app":{"auth":"YzpTRUNSRVQtMw=="}}}"#;
        assert_eq!(find(file, "h:5000/other").await, "a/SECRET-1");
        assert_eq!(find(file, "h:5000/team/lib").await, "b/SECRET-2");
        assert_eq!(find(file, "h:5000/team/app/x").await, "c/SECRET-3");
        assert_eq!(find(file, "h:5000/teammate").await, "a/SECRET-1");
    }

    /// Those of helpers count among the others (containers-auth.json(5) has them for whole
    /// registries).
    #[tokio::test]
    async fn the_longest_prefix_among_helpers_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        let script = "#!/bin/sh\nread key; echo \"{\\\"Username\\\":\\\"$key\\\",\\\"Secret\\\":\\\"SECRET\\\"}\"\n";
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let content = br#"{"credHelpers":{"h.io":"test","h.io/a/b":"test"},
            "auths":{"h.io/a":{"auth":"YTpTRUNSRVQtMQ=="}}}"#;
        let store = CredentialStore::from_files(vec![]).unwrap();
        let store = store.with_content(content, "test").unwrap();
        let store = store.with_helper_folders(vec![folder.path().to_owned()]);
        assert_eq!(look_up(&store, "h.io/a/b/c").await, "h.io/a/b/SECRET");
        assert_eq!(look_up(&store, "h.io/a/x").await, "a/SECRET-1");
        assert_eq!(look_up(&store, "h.io/b").await, "h.io/SECRET");
    }

    #[tokio::test]
    async fn a_part_of_a_registry_is_logged_in_to_and_all_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (path, legacy) = (folder.path().join("auth.json"), folder.path().join(".dockercfg"));
        fs::write(&path, r#"{"credsStore":""}"#).unwrap();
        fs::write(&legacy, r#"{"https://old.io/v1/":{"auth":"YTpTRUNSRVQtMQ==","email":"x"}}"#)
            .unwrap();
        let open = || CredentialStore::from_files(vec![path.clone(), legacy.clone()]).unwrap();
        let credential = Credential::Password { user: "u".into(), password: Secret::new("SECRET") };
        open().login("h.io/team", &credential).await.unwrap();
        assert_eq!(look_up(&open(), "h.io/team/app").await, "u/SECRET");
        assert_eq!(look_up(&open(), "h.io/other").await, "none");
        assert_eq!(look_up(&open(), "old.io/x").await, "a/SECRET-1");
        assert_eq!(open().logout_of_all().await.unwrap(), 2);
        assert_eq!(look_up(&open(), "h.io/team/app").await, "none");
        assert_eq!(look_up(&open(), "old.io/x").await, "none");
        assert_eq!(fs::read_to_string(&legacy).unwrap(), "{}\n");
        assert_eq!(open().logout_of_all().await.unwrap(), 0);
    }

    #[tokio::test]
    async fn login_keeps_what_it_does_not_know_and_hides_what_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/config.json");
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(
            &path,
            r#"{"psFormat":"x","auths":{"a.io":{"auth":"YTpTRUNSRVQtMQ==","own":1}}}"#,
        )
        .unwrap();
        let credential = Credential::Password { user: "u".into(), password: Secret::new("SECRET") };
        let open = || CredentialStore::from_files(vec![path.clone()]).unwrap();
        open().login("docker.io", &credential).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        insta::assert_snapshot!(text, @r#"
        {
          "psFormat": "x",
          "auths": {
            "a.io": {
              "auth": "YTpTRUNSRVQtMQ==",
              "own": 1
            },
            "https://index.docker.io/v1/": {
              "auth": "dTpTRUNSRVQ="
            }
          }
        }
        "#);
        assert_eq!(look_up(&open(), "alpine").await, "u/SECRET");
        open().logout("docker.io").await.unwrap();
        assert_eq!(look_up(&open(), "alpine").await, "none");
        assert_eq!(look_up(&open(), "a.io/x").await, "a/SECRET-1");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing left behind");
    }

    #[tokio::test]
    async fn a_broken_file_is_named_and_not_quoted() {
        let store = CredentialStore::from_files(vec![]).unwrap();
        let error = store.with_content(br#"{"auths":{"a":"SECRET-SHOWN"}}"#, "DOCKER_AUTH_CONFIG");
        insta::assert_snapshot!(error.unwrap_err(), @"read DOCKER_AUTH_CONFIG: not a credential file at line 1 column 28");
    }

    /// A helper that is a shell script, and what the store makes of it.
    async fn helped(script: &str) -> Result<String, String> {
        // Long enough for a busy machine to start a shell.
        helped_within(script, Duration::from_secs(30)).await
    }

    async fn helped_within(script: &str, limit: Duration) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let store = CredentialStore::from_files(vec![])
            .unwrap()
            .with_content(br#"{"credHelpers":{"a.io":"test"}}"#, "test")
            .unwrap()
            .with_helper_folders(vec![folder.path().to_owned()])
            .with_helper_limit(limit);
        let found = store.find("a.io", "x").await;
        found.map(show).map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
    }

    #[tokio::test]
    async fn helpers_that_work() {
        let answer = |user: &str| {
            format!(
                r#"read server; [ "$1 $server" = "get a.io" ] && echo '{{"Username":"{user}","Secret":"SECRET-S"}}'"#
            )
        };
        assert_eq!(helped(&answer("u")).await.unwrap(), "u/SECRET-S");
        assert_eq!(helped(&answer("<token>")).await.unwrap(), "identity SECRET-S");
        let unknown = "echo credentials not found in native keychain; exit 1";
        assert_eq!(helped(unknown).await.unwrap(), "none");
        assert_eq!(
            helped(r#"exec </dev/null; echo '{"Username":"u","Secret":"SECRET-S"}'"#)
                .await
                .unwrap(),
            "u/SECRET-S"
        );
    }

    #[tokio::test]
    async fn helpers_that_do_not() {
        let fail = async |script: &str| helped(script).await.unwrap_err();
        insta::assert_snapshot!(fail("exit 3").await, @"run `docker-credential-test`: it failed (exit status: 3); try `echo REGISTRY | docker-credential-test get` by hand");
        insta::assert_snapshot!(fail("echo the key ring is locked; exit 1").await, @"run `docker-credential-test`: the key ring is locked; try `echo REGISTRY | docker-credential-test get` by hand");
        insta::assert_snapshot!(fail(r#"echo '{"Secret":"SECRET-SHOWN"}'; exit 1"#).await, @"run `docker-credential-test`: it failed (exit status: 1); try `echo REGISTRY | docker-credential-test get` by hand");
        insta::assert_snapshot!(fail("echo SECRET-SHOWN").await, @"run `docker-credential-test`: its answer is not a credential; try `echo REGISTRY | docker-credential-test get` by hand");
        let hangs = helped_within("exec sleep 60", Duration::from_millis(1500)).await;
        insta::assert_snapshot!(hangs.unwrap_err(), @"run `docker-credential-test`: it did not answer within 1.5 s; try `echo REGISTRY | docker-credential-test get` by hand");
        insta::assert_snapshot!(fail("exec yes").await, @"run `docker-credential-test`: y; try `echo REGISTRY | docker-credential-test get` by hand");
    }

    #[tokio::test]
    async fn helpers_that_are_none() {
        let find = async |content: &str| {
            let store = CredentialStore::from_files(vec![]).unwrap();
            let store = store.with_content(content.as_bytes(), "test").unwrap();
            let store = store.with_helper_folders(vec![PathBuf::from("/nonexistent")]);
            let error = store.find("a.io", "x").await.unwrap_err();
            format!("{error}; {}", error.hint().unwrap_or_default())
        };
        insta::assert_snapshot!(find(r#"{"credsStore":"gone"}"#).await, @"run `docker-credential-gone`: entity not found; install `docker-credential-gone`, or remove it from `credHelpers` and `credsStore`");
        insta::assert_snapshot!(find(r#"{"credsStore":"../x"}"#).await, @"run credential helper `../x`: a helper's name has no `/`; ");
    }

    #[tokio::test]
    async fn login_goes_through_the_helper_that_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        let kept = folder.path().join("kept");
        let script = format!("#!/bin/sh\n(echo $1; cat; echo) >> {}\n", kept.display());
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, r#"{"credsStore":"test"}"#).unwrap();
        let store = CredentialStore::from_files(vec![file.clone()]).unwrap();
        let store = store.with_helper_folders(vec![folder.path().to_owned()]);
        let credential = Credential::IdentityToken(Secret::new("SECRET-S"));
        store.login("docker.io", &credential).await.unwrap();
        store.logout("a.io").await.unwrap();
        insta::assert_snapshot!(fs::read_to_string(kept).unwrap(), @r#"
        store
        {"ServerURL":"https://index.docker.io/v1/","Username":"<token>","Secret":"SECRET-S"}
        erase
        a.io
        "#);
        assert_eq!(fs::read_to_string(file).unwrap(), r#"{"credsStore":"test"}"#);
    }
}
