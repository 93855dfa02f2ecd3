//! What a client is made from: values only. Nothing here reads the environment or a file.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::credentials::Credentials;
use crate::hosts::{Hosts, Roots};
use crate::retry::RetryPolicy;
use crate::{Secret, Trace};

/// How a [`Client`](crate::Client) behaves; start from the default and change what differs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Sent with every request.
    pub user_agent: String,
    /// Where credentials come from.
    pub credentials: Credentials,
    /// The scheme of hosts (as written in references: `host[:port]`) that differ from the rule:
    /// https, but on loopback http, or whichever the host speaks where a certificate is set that it
    /// could have. `--insecure` puts a host here with [`Scheme::Insecure`]; only loopback, these
    /// and what is insecure in `hosts` get credentials over plain http.
    pub schemes: BTreeMap<String, Scheme>,
    /// Mirrors, other locations and certificates by registry and host.
    pub hosts: Hosts,
    /// How many requests one host has to bear at a time.
    pub requests_per_host: usize,
    /// How many requests to one host may begin in a second; zero is no limit.
    pub requests_per_second: u32,
    /// Who is told of every request.
    pub trace: Option<Trace>,
    /// What stands in for the system's roots of trust; the system's own where this names nothing.
    pub system_roots: Roots,
    /// More roots of trust beside the system's: PEM, each with one or more certificates.
    pub root_certificates: Vec<Vec<u8>>,
    /// Proxies; none by default.
    pub proxies: Proxies,
    /// How long silence is borne.
    pub timeouts: Timeouts,
    /// How often and how long a failed request is tried again.
    pub retry: RetryPolicy,
}

/// How a host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Unencrypted.
    Http,
    /// Encrypted.
    Https,
    /// Encrypted where the host speaks TLS, whatever certificate it shows; else unencrypted. The
    /// host is asked once, before anything that is to be kept from others is said to it.
    Insecure,
}

/// Proxies by the scheme of the URL that is asked for.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// For http URLs; may carry a user and a password, so it does not print.
    pub http: Option<Secret>,
    /// For https URLs.
    pub https: Option<Secret>,
    /// Hosts that are asked directly: the syntax of `NO_PROXY`.
    pub none_for: String,
}

/// How long silence is borne before a connection counts as broken.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection to come about.
    pub connect: Duration,
    /// Between bytes, in either direction, and from a request to its answer.
    pub idle: Duration,
    /// From the last byte of an upload to the answer: registries hash and copy meanwhile.
    pub commit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            commit: Duration::from_secs(600),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            user_agent: concat!("plywood/", env!("CARGO_PKG_VERSION")).to_owned(),
            credentials: Credentials::Anonymous,
            schemes: BTreeMap::new(),
            hosts: Hosts::default(),
            requests_per_host: 6,
            requests_per_second: 0,
            trace: None,
            system_roots: Roots::default(),
            root_certificates: Vec::new(),
            proxies: Proxies::default(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
        }
    }
}
