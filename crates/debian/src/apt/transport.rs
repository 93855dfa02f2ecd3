//! What a download needs to know beside the address: who asks, and the way there.

use shell::process::Process;
use shell::{Reason, Stop};

use super::configuration::Configuration;
use super::login::Logins;
use super::sources::Source;
use crate::outside::{Fetch, Login, Proxy};

/// How an archive is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// The archive's address without a name and a password, with a slash at its end.
    pub base: String,
    /// What is sent there.
    pub login: Option<Login>,
    /// The way there.
    pub proxy: Proxy,
}

impl Route {
    /// How a source is reached; only `http` and `https` are built in.
    pub(super) fn of(
        process: &Process<'_, '_>,
        source: &Source,
        logins: &Logins,
        configuration: &Configuration,
    ) -> Result<Self, Stop> {
        let (base, login) = logins.of(&source.uri);
        let scheme = base.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(&*scheme, "http" | "https") || !base.contains("://") {
            let what =
                format!("has a source by `{scheme}:`, which is not built in ({})", place(source));
            return Err(process.refuse(Reason::Use(what)));
        }
        if source.options.snapshot.is_some() {
            let what = format!(
                "has a source with the option `snapshot` ({}): write the snapshot's own address instead",
                place(source)
            );
            return Err(process.refuse(Reason::Use(what)));
        }
        let proxy = proxy(process, &scheme, &base, configuration)?;
        Ok(Route { base, login, proxy })
    }

    /// A file of the archive, by its whole address.
    pub(super) fn fetch(&self, url: String) -> Fetch {
        let (login, proxy) = (self.login.clone(), self.proxy.clone());
        Fetch { url, sha256: None, size: None, login, proxy }
    }
}

fn place(source: &Source) -> String {
    format!("{}:{}", source.place.file, source.place.line)
}

/// apt-transport-http(1) and apt-transport-https(1): the host's own proxy before that of all, and
/// for `https` that of `http` if it has none.
fn proxy(
    process: &Process<'_, '_>,
    scheme: &str,
    base: &str,
    configuration: &Configuration,
) -> Result<Proxy, Stop> {
    let rest = base.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let schemes = if scheme == "https" { &["https", "http"][..] } else { &["http"] };
    for scheme in schemes {
        for name in ["Proxy-Auto-Detect", "ProxyAutoDetect"] {
            let name = format!("Acquire::{scheme}::{name}");
            if configuration.value(&name).is_some() {
                return Err(process.refuse(Reason::Use(format!("is configured to run {name}"))));
            }
        }
        let of_host = configuration.value(&format!("Acquire::{scheme}::Proxy::{host}"));
        match of_host.or_else(|| configuration.value(&format!("Acquire::{scheme}::Proxy"))) {
            Some("DIRECT") => return Ok(Proxy::Direct),
            Some(url) => return Ok(Proxy::Url(url.to_owned())),
            None => {}
        }
    }
    Ok(Proxy::Environment)
}
