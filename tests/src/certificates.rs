//! Certificates, by openssl: an authority that nobody knows, and what it vouches for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Failure, Result, program, run};

/// A certificate authority with a directory of its own.
pub(crate) struct Authority {
    directory: TempDir,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let made = tempfile::Builder::new().prefix("testbed-certificates-").tempdir();
        let directory = made.map_err(Failure::doing("make a directory for certificates"))?;
        let authority = Authority { directory };
        let trusted = authority.trust();
        fs::create_dir(&trusted).map_err(Failure::doing("make a directory for certificates"))?;
        let Identity { certificate, key } = authority.own();
        let mut request = request(&certificate, &key);
        request.args(["-subj", "/CN=testbed authority"]);
        request.args(["-addext", "basicConstraints=critical,CA:TRUE"]);
        request.args(["-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
        run(&mut request)?;
        Ok(authority)
    }

    /// What a client needs, in the form of `containers-certs.d(5)`: `ca.crt`, and after
    /// [`Authority::client`] also `client.cert` and `client.key`.
    pub(crate) fn trust(&self) -> PathBuf {
        self.directory.path().join("trust")
    }

    pub(crate) fn own(&self) -> Identity {
        Identity {
            certificate: self.trust().join("ca.crt"),
            key: self.directory.path().join("ca.key"),
        }
    }

    /// For a server on loopback.
    pub(crate) fn server(&self) -> Result<Identity> {
        let directory = self.directory.path();
        let (certificate, key) = (directory.join("server.crt"), directory.join("server.key"));
        self.issue("127.0.0.1", "serverAuth", Identity { certificate, key })
    }

    /// For a client.
    pub(crate) fn client(&self) -> Result<Identity> {
        let (certificate, key) =
            (self.trust().join("client.cert"), self.trust().join("client.key"));
        self.issue("somebody", "clientAuth", Identity { certificate, key })
    }

    fn issue(&self, subject: &str, usage: &str, identity: Identity) -> Result<Identity> {
        let Identity { certificate, key } = self.own();
        let mut request = request(&identity.certificate, &identity.key);
        request.arg("-CA").arg(certificate).arg("-CAkey").arg(key);
        request.args(["-subj", &format!("/CN={subject}")]);
        request.args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]);
        request.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        request.args(["-addext", &format!("extendedKeyUsage={usage}")]);
        run(&mut request)?;
        Ok(identity)
    }
}

/// A key and a certificate that it signs itself, for tokens in `RS256`.
pub(crate) fn signer(directory: &Path) -> Result<Identity> {
    let (certificate, key) = (directory.join("signer.crt"), directory.join("signer.key"));
    let mut request = program("openssl");
    request.args(["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"]);
    request.args(["-subj", "/CN=testbed tokens"]);
    run(request.arg("-keyout").arg(&key).arg("-out").arg(&certificate))?;
    Ok(Identity { certificate, key })
}

fn request(certificate: &Path, key: &Path) -> Command {
    let mut request = program("openssl");
    request.args(["req", "-x509", "-noenc", "-days", "2"]);
    request.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    request.arg("-keyout").arg(key).arg("-out").arg(certificate);
    request
}
