//! `serve`: a registry of one's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::UsageError;
use crate::environment::Environment;

/// What can be typed after `serve`.
#[derive(Debug, Args)]
pub(super) struct ServeFlags {
    /// Where the images are kept, each repository as an OCI layout [default:
    /// $XDG_DATA_HOME/plywood/registry]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Where to listen; port 0 is any free one. There is no authentication
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    listen: String,
}

/// What `serve` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServeArguments {
    /// Where the images are.
    pub(crate) root: PathBuf,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
}

impl ServeFlags {
    pub(super) fn meaning(self, environment: &Environment) -> Result<ServeArguments, UsageError> {
        let no_root = || UsageError::Needs {
            given: "`serve`",
            missing: "a directory, and HOME is not set",
            instead: "give one with `--root DIR`",
        };
        let root = self.root.or_else(|| environment.registry()).ok_or_else(no_root)?;
        Ok(ServeArguments { root, listen: address(&self.listen)? })
    }
}

/// An address and a port; `localhost` is the one of IPv4, as with most servers.
fn address(text: &str) -> Result<SocketAddr, UsageError> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    match local {
        Some(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        None => text.parse().map_err(|_| {
            let wanted = "it is an address and a port, such as 127.0.0.1:5000 or [::1]:0";
            UsageError::form("--listen", text, wanted)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse_for_test};
    use super::*;

    fn serve(line: &[&str], variables: &[(&str, &str)]) -> Result<ServeArguments, String> {
        let words = [&["serve"], line].concat();
        match parse_for_test(&words, &Environment::of(variables)) {
            Ok(invocation) => match invocation.command {
                Command::Serve(arguments) => Ok(arguments),
                other => panic!("{other:?}"),
            },
            Err(error) => Err(format!("{error} | {}", error.hint().unwrap_or_default())),
        }
    }

    #[test]
    fn a_registry_is_at_home_on_loopback() {
        let check = |line: &[&str], root: &str, listen: &str| {
            let expected = ServeArguments { root: root.into(), listen: listen.parse().unwrap() };
            assert_eq!(serve(line, &[("HOME", "/h")]), Ok(expected), "{line:?}");
        };
        check(&[], "/h/.local/share/plywood/registry", "127.0.0.1:5000");
        check(&["--root", "r", "--listen", "localhost:0"], "r", "127.0.0.1:0");
        check(&["--root", "r", "--listen", "[::1]:80"], "r", "[::1]:80");
    }

    #[test]
    fn what_is_no_address_or_no_place() {
        let check = |line: &[&str], expected: &str| {
            assert_eq!(serve(line, &[]), Err(expected.to_owned()), "{line:?}");
        };
        check(
            &["--root", "r", "--listen", "5000"],
            "`5000` is not a value of `--listen` | it is an address and a port, such as \
             127.0.0.1:5000 or [::1]:0",
        );
        check(&[], "`serve` needs a directory, and HOME is not set | give one with `--root DIR`");
    }
}
