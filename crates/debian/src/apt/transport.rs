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
            let what = format!(
                "has a source by `{scheme}:` ({}), which is not built in: {}",
                source.place,
                instead(&scheme)
            );
            return Err(process.refuse(Reason::Use(what)));
        }
        let proxy = proxy(process, &scheme, &base, configuration)?;
        Ok(Route { base, login, proxy })
    }

    /// A file of the archive, by its whole address; `title` is what people call it within that.
    pub(super) fn fetch(&self, title: &str, url: String) -> Fetch {
        let title = format!("{} {title}", self.base.trim_end_matches('/'));
        let (login, proxy) = (self.login.clone(), self.proxy.clone());
        Fetch { title, url, sha256: None, size: None, login, proxy }
    }
}

/// What does as well as a method that is not built in (sources.list(5), "URI specification").
fn instead(scheme: &str) -> &'static str {
    match scheme {
        "file" | "copy" | "cdrom" => {
            "give the packages' files themselves, as in `apt-get install ./*.deb`, or serve the \
             directory by http"
        }
        _ if scheme.starts_with("mirror") => "name one of the mirrors, by http or https",
        _ => "name a mirror that is reached by http or https",
    }
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
