//! A registry in some guise, and a user who can get in.

use std::collections::BTreeSet;
use std::path::PathBuf;

use oci::Digest;
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Context, Guise, Login, Plywood, Registry, Request, Result, Tree, Visit, umoci};

use crate::support::plywood;

/// Who has a password.
pub(super) const SOMEBODY: Login = Login { user: "somebody", password: "SECRET: p%a/ss+wörd" };

/// Where the images of these tests stand.
pub(super) const APP: &str = "team/app";

/// A registry, and a home that has what it takes to get in.
pub(super) struct Site {
    pub(super) guise: Guise,
    pub(super) registry: Registry,
    pub(super) plywood: Plywood,
}

impl Site {
    /// A registry in this guise; [`SOMEBODY`] is logged in where there is a login.
    pub(super) fn new(guise: Guise) -> Result<Self> {
        let registry = Registry::start_as(&guise)?;
        let site = Site { guise, registry, plywood: plywood()? };
        site.enter(&site.plywood)?;
        Ok(site)
    }

    /// Gives a home what it takes to get in.
    pub(super) fn enter(&self, plywood: &Plywood) -> Result {
        plywood.trust(&self.registry)?;
        if self.has_login() {
            plywood.login(&self.registry, SOMEBODY)?;
        }
        Ok(())
    }

    pub(super) fn has_login(&self) -> bool {
        matches!(self.guise, Guise::Htpasswd(_) | Guise::Tokens(_))
    }

    /// skopeo, with the certificates and with the very file that `plywood login` wrote.
    pub(super) fn skopeo(&self) -> SkopeoHere<'_> {
        let file = self.has_login().then(|| self.plywood.credentials());
        SkopeoHere { registry: &self.registry, file }
    }

    /// The reference of `name` in this registry.
    pub(super) fn reference(&self, name: &str) -> String {
        self.registry.reference(name)
    }

    /// Builds the sample as `name` into the store, and pushes nothing: its digest.
    pub(super) fn build(&self, name: &str, text: &str) -> Result<String> {
        let context = sample(text)?;
        let mut build = self.plywood.command(["build", "--quiet", "-t", &self.reference(name)]);
        testbed::plywood::printed_digest(build.arg(context.path()))
    }

    /// Builds and pushes the sample as `name`: its digest.
    pub(super) fn build_and_push(&self, name: &str) -> Result<String> {
        let digest = self.build(name, name)?;
        self.plywood.answer(["push", &self.reference(name)])?;
        Ok(digest)
    }

    /// The requests that `action` leads to, without those that the registry refused to let in:
    /// where it asks for credentials, that is how it does it.
    pub(super) fn requests_of<T>(
        &self,
        action: impl FnOnce() -> Result<T>,
    ) -> Result<Vec<Request>> {
        self.registry.forget()?;
        action()?;
        let mut requests = self.registry.requests()?;
        requests.retain(|request| request.status != 401);
        Ok(requests)
    }

    /// The digests of config and layers of an image, as skopeo reads them.
    pub(super) fn blobs(&self, name: &str) -> Result<BTreeSet<String>> {
        let manifest: Value = serde_json::from_str(&self.skopeo().manifest(name)?).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        let digest = |descriptor: &Value| descriptor["digest"].as_str().unwrap().to_owned();
        Ok(layers.chain([&manifest["config"]]).map(digest).collect())
    }
}

/// skopeo at a site.
pub(super) struct SkopeoHere<'a> {
    registry: &'a Registry,
    file: Option<PathBuf>,
}

impl SkopeoHere<'_> {
    fn visit(&self) -> Visit<'_> {
        self.registry.skopeo().with_credentials(self.file.as_deref())
    }

    pub(super) fn manifest(&self, name: &str) -> Result<String> {
        self.visit().manifest(name)
    }

    /// The digest of the manifest that `name` names.
    pub(super) fn digest(&self, name: &str) -> Result<String> {
        Ok(Digest::of(self.manifest(name)?.as_bytes()).to_string())
    }

    /// The tags of a repository, sorted.
    pub(super) fn tags(&self, repository: &str) -> Result<Vec<String>> {
        self.visit().tags(repository)
    }

    /// The tree of an image: skopeo checks its blobs, umoci unpacks it.
    pub(super) fn tree(&self, name: &str) -> Result<Tree> {
        let directory = tempfile::tempdir().unwrap();
        self.visit().copy_to_layout(name, &directory.path().join("layout"), "x")?;
        unpacked(&directory)
    }
}

/// The tree of the image `x` of the layout in `directory`, by umoci.
pub(super) fn unpacked(directory: &TempDir) -> Result<Tree> {
    let bundle = directory.path().join("bundle");
    umoci::unpack(&directory.path().join("layout"), "x", &bundle)?;
    Tree::read(&bundle.join("rootfs"))
}

/// Three layers: one of some MiB that do not compress, one of a few bytes, and one that is empty
/// but for a directory.
fn sample(text: &str) -> Result<Context> {
    let dockerfile = "FROM scratch\nCOPY noise /srv/noise\nCOPY text /srv/text\nWORKDIR /work\n";
    Context::with_dockerfile(dockerfile)?.file("noise", noise(3 << 20))?.file("text", text)
}

/// Bytes that no compressor makes smaller, always the same.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

/// What each of `requests` says by `what`, without what it does not say.
pub(super) fn all(requests: &[Request], what: fn(&Request) -> Option<String>) -> Vec<String> {
    let mut all: Vec<String> = requests.iter().filter_map(what).collect();
    all.sort();
    all
}
