//! The clouds' logins in their real protocols, against a stand-in on loopback that is a cloud's
//! services and, as the client's proxy, its registry too.

mod aws;
mod azure;
mod github;
mod google;
mod signature;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::credentials::CloudEnvironment;
use crate::tests::stand_in::StandIn;
use crate::tests::support::settings;
use crate::{Client, CredentialStore, Credentials, Error, Proxies, Scheme, Secret, Settings};

/// When all of it happens: 2015-08-30T12:36:00Z.
const NOW: u64 = 1_440_938_160;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// A cloud, a folder for its files, and the variables of who uses it.
struct Scene {
    cloud: StandIn,
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    config: String,
}

impl Scene {
    fn new(cloud: StandIn) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Scene { cloud, folder, variables: BTreeMap::new(), config: "{}".to_owned() }
    }

    /// `CLOUD` in a value is the stand-in's URL, `HOST` its `host:port`, `FOLDER` the folder.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), self.here(value));
        self
    }

    fn with_file(self, name: &str, content: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, self.here(content)).unwrap();
        self
    }

    /// What `config.json` says.
    fn with_config(mut self, content: &str) -> Self {
        self.config = content.to_owned();
        self
    }

    fn here(&self, text: &str) -> String {
        let (address, folder) = (self.cloud.address(), self.folder.path().display());
        text.replace("CLOUD", &format!("http://{address}"))
            .replace("HOST", &address)
            .replace("FOLDER", &folder.to_string())
    }

    fn environment(&self) -> CloudEnvironment {
        let read = |name: &str| self.variables.get(name).cloned();
        let home: &Path = self.folder.path();
        CloudEnvironment::new(read, Some(home.to_owned()), now).with_machine(home.join("machine"))
    }

    /// A client that reaches `registry` through the stand-in.
    fn client(&self, registry: &str) -> Client {
        let store = CredentialStore::from_files(vec![]).unwrap();
        let store = store.with_content(self.config.as_bytes(), "test").unwrap();
        let store = store.with_helper_folders(vec![PathBuf::from("/nonexistent")]);
        let store = store.with_cloud(self.environment());
        let proxies = Proxies {
            http: Some(Secret::new(format!("http://{}", self.cloud.address()))),
            https: None,
            none_for: String::new(),
        };
        Client::new(Settings {
            credentials: Credentials::Store(Arc::new(store)),
            schemes: [(registry.to_owned(), Scheme::Http)].into(),
            proxies,
            ..settings()
        })
        .unwrap()
    }

    /// Whether the registry lets one in, and what was asked for that.
    async fn ping(&self, registry: &str) -> String {
        match self.client(registry).ping(registry).await {
            Ok(()) => self.cloud.take_log(),
            Err(error) => self.failure(&error),
        }
    }

    /// What is said of a failure, without this test's own names. All secrets begin with `SECRET-`,
    /// unlike the names of variables.
    fn failure(&self, error: &Error) -> String {
        let text = format!("{error}\nhint: {}", error.hint().unwrap_or_default());
        assert!(!format!("{text}{error:?}").contains("SECRET-"), "{text} {error:?}");
        text.replace(&self.cloud.address(), "HOST")
            .replace(&self.folder.path().display().to_string(), "FOLDER")
    }
}

#[test]
fn the_environment_does_not_show_what_it_holds() {
    let secret = |name: &str| name.contains("TOKEN").then(|| "SECRET".to_owned());
    let shown = format!("{:?}", CloudEnvironment::new(secret, None, now));
    assert!(shown.contains("GITHUB_TOKEN") && !shown.contains("SECRET"), "{shown}");
}
