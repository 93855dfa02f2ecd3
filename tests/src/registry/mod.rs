//! Debian's docker-registry on loopback in several guises, and what it says that it was asked.

mod config;
mod front;
mod log;
mod tokens;

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::certificates::Authority;
use crate::program::answer;
use crate::server::{Server, free_port};
use crate::{Failure, Result, program};
pub use log::Request;
use log::{USER_AGENT, requests_in};
use tokens::TokenServer;
pub use tokens::{Grant, Rights, TokenRequest, TokenRules, User};

/// A running registry with its own storage. It ends, and its storage goes, when this is dropped.
pub struct Registry {
    front: Option<Server>,
    server: Server,
    tokens: Option<TokenServer>,
    authority: Option<Authority>,
    directory: TempDir,
    ports: Ports,
}

/// How a registry lets clients in.
#[derive(Debug, Clone, Default)]
pub enum Guise {
    /// Everybody may do everything, over plain HTTP.
    #[default]
    Open,
    /// A name and a password for everything.
    Htpasswd(Login),
    /// Tokens for everything, from a server beside it.
    Tokens(TokenRules),
    /// TLS, with a certificate by an authority that no system knows.
    PrivateCa,
    /// The same by nginx in front, which demands a certificate of the client's.
    ClientCertificate,
    /// nginx in front, which answers 413 to a body of more bytes than this.
    BodyCap(u64),
}

/// A user name and a password that a registry asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: &'static str,
    /// The password.
    pub password: &'static str,
}

/// Where a registry listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    /// The registry itself.
    registry: u16,
    /// What clients are told: the same, or nginx's.
    door: u16,
}

impl Registry {
    /// Starts a registry that anybody may write to.
    pub fn start() -> Result<Self> {
        Self::start_as(&Guise::Open)
    }

    /// Starts a registry in this guise.
    pub fn start_as(guise: &Guise) -> Result<Self> {
        // The port is free when it is looked for and may be taken when it is used: try again.
        let mut failure = Failure::new("no port");
        for _ in 0..5 {
            match Self::start_once(guise) {
                Ok(registry) => return Ok(registry),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn start_once(guise: &Guise) -> Result<Self> {
        let made = tempfile::Builder::new().prefix("testbed-registry-").tempdir();
        let directory = made.map_err(Failure::doing("make a directory for the registry"))?;
        let authority = match guise {
            Guise::PrivateCa | Guise::ClientCertificate => Some(Authority::new()?),
            _ => None,
        };
        let tokens = match guise {
            Guise::Tokens(rules) => Some(TokenServer::start(rules.clone(), directory.path())?),
            _ => None,
        };
        let registry = free_port()?;
        let is_behind = matches!(guise, Guise::ClientCertificate | Guise::BodyCap(_));
        let ports = Ports { registry, door: if is_behind { free_port()? } else { registry } };
        let mut config = config::plain(directory.path(), registry);
        match (guise, &tokens, &authority) {
            (Guise::Htpasswd(login), ..) => config::ask_passwords(&mut config, *login, &directory)?,
            (_, Some(tokens), _) => config::ask_tokens(&mut config, tokens),
            (Guise::PrivateCa, _, Some(authority)) => {
                config::speak_tls(&mut config, &authority.server()?);
            }
            _ => {}
        }
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(config::write(&config, directory.path())?);
        let server = Server::start(command, directory.path().join("log"))?;
        let mut registry = Registry { front: None, server, tokens, authority, directory, ports };
        registry.wait_until_it_answers()?;
        if is_behind {
            registry.put_front_before(guise)?;
        }
        Ok(registry)
    }

    fn wait_until_it_answers(&mut self) -> Result {
        let Registry { server, authority, ports, .. } = self;
        let way = Way::to(ports.registry, authority.as_ref().filter(|_| ports.is_direct()));
        server.wait_until_it_answers(|word| way.ping(word))
    }

    fn put_front_before(&mut self, guise: &Guise) -> Result {
        let cap = match guise {
            Guise::BodyCap(bytes) => *bytes,
            _ => 0,
        };
        let identity = self.authority.as_ref().map(Authority::server).transpose()?;
        if let Some(authority) = &self.authority {
            authority.client()?;
        }
        let ca = self.authority.as_ref().map(|authority| authority.own().certificate);
        let tls = identity.as_ref().zip(ca.as_deref());
        let mut front = front::start(self.ports, cap, tls, self.directory.path())?;
        // nginx answers before it asks for a certificate, to a connection that is not even TLS.
        let way = Way::to(self.ports.door, None);
        front.wait_until_it_answers(|word| way.ping(word))?;
        self.front = Some(front);
        Ok(())
    }

    /// `127.0.0.1:PORT`, as it stands in a reference.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.ports.door)
    }

    /// The reference of `name` (with its tag) in this registry.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// The same place in skopeo's notation.
    pub fn place(&self, name: &str) -> String {
        format!("docker://{}", self.reference(name))
    }

    /// What a client needs where the registry speaks TLS: a directory as `containers-certs.d(5)`
    /// has one for each host, with `ca.crt` and perhaps `client.cert` and `client.key`.
    pub fn certificates(&self) -> Option<PathBuf> {
        self.authority.as_ref().map(Authority::trust)
    }

    /// What the token server was asked since the start, or since the last [`Registry::forget`].
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.tokens.as_ref().map(TokenServer::requests).unwrap_or_default()
    }

    /// The refresh token (Docker's "identity token") of a user of the token server.
    pub fn refresh_token(&self, user: &str) -> Option<String> {
        self.tokens.as_ref()?.refresh_token(user)
    }

    /// Where the registry keeps the bytes of a blob; absent if it does not have it.
    pub fn blob(&self, digest: &str) -> Option<PathBuf> {
        let hex = digest.strip_prefix("sha256:")?;
        let blobs = self.storage().join("docker/registry/v2/blobs/sha256");
        let data = blobs.join(hex.get(..2)?).join(hex).join("data");
        data.is_file().then_some(data)
    }

    /// The root of the registry's storage.
    fn storage(&self) -> PathBuf {
        config::storage(self.directory.path())
    }

    /// The requests answered since the start, or since the last call of [`Registry::forget`], in the
    /// order in which they ended.
    pub fn requests(&self) -> Result<Vec<Request>> {
        self.catch_up()?;
        Ok(requests_in(&self.server.log()))
    }

    /// The same as nginx in front saw them, if it is there: those that it refused itself, too.
    pub fn requests_at_the_front(&self) -> Result<Vec<Request>> {
        self.catch_up()?;
        Ok(self.front.as_ref().map(|front| requests_in(&front.log())).unwrap_or_default())
    }

    fn catch_up(&self) -> Result {
        let authority = self.authority.as_ref().filter(|_| self.ports.is_direct());
        let way = Way::to(self.ports.registry, authority);
        self.server.catch_up(|word| way.ping(word))?;
        let Some(front) = &self.front else { return Ok(()) };
        let way = Way::to(self.ports.door, None);
        front.catch_up(|word| way.ping(word))
    }

    /// Empties the logs that [`Registry::requests`] and [`Registry::token_requests`] read.
    pub fn forget(&self) -> Result {
        self.catch_up()?;
        if let Some(tokens) = &self.tokens {
            tokens.forget();
        }
        if let Some(front) = &self.front {
            front.forget()?;
        }
        self.server.forget()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the registry {}", self.host())
    }
}

impl Ports {
    /// Whether clients speak with the registry itself.
    fn is_direct(self) -> bool {
        self.registry == self.door
    }
}

/// How the testbed itself asks a server.
struct Way {
    port: u16,
    /// The authority's certificate, where the server speaks TLS.
    ca: Option<PathBuf>,
}

impl Way {
    fn to(port: u16, authority: Option<&Authority>) -> Self {
        Way { port, ca: authority.map(|authority| authority.own().certificate) }
    }

    /// Asks `/v2/?MARK`; any answer in HTTP will do.
    fn ping(&self, mark: &str) -> Result {
        let port = self.port;
        let request = format!(
            "GET /v2/?{mark} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {USER_AGENT}\r\n\
             Connection: close\r\n\r\n"
        );
        let answer = match &self.ca {
            None => exchange(port, request.as_bytes()),
            Some(ca) => exchange_in_tls(port, request.as_bytes(), ca),
        }?;
        if answer.starts_with(b"HTTP/1.1 ") {
            return Ok(());
        }
        Err(Failure::new("the server does not speak HTTP"))
    }
}

fn exchange(port: u16, request: &[u8]) -> Result<Vec<u8>> {
    let doing = "ask the server";
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(Failure::doing(doing))?;
    stream.write_all(request).map_err(Failure::doing(doing))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(Failure::doing(doing))?;
    Ok(answer)
}

fn exchange_in_tls(port: u16, request: &[u8], ca: &Path) -> Result<Vec<u8>> {
    let mut client = program("openssl");
    client.args(["s_client", "-quiet", "-verify_return_error", "-connect"]);
    client.arg(format!("127.0.0.1:{port}")).arg("-CAfile").arg(ca);
    answer(&mut client, request)
}
