//! `login` and `logout`: credentials for registries, kept where Docker keeps its own.

use std::collections::BTreeMap;
use std::io::Read;

use registry::{Credential, Credentials, Secret};

use crate::error::Error;
use crate::flags::{LoginArguments, LogoutArguments, PasswordSource};
use crate::session::Session;

/// The longest password that is read: tokens of clouds have some thousand characters.
const MAX_PASSWORD_BYTES: u64 = 64 * 1024;

/// Keeps credentials, after the registry has taken them.
pub(super) fn login(arguments: &LoginArguments, session: &Session) -> Result<(), Error> {
    let password = match &arguments.password {
        PasswordSource::Typed(password) => {
            session.progress.warning("a password on the command line can be seen by others");
            password.clone()
        }
        PasswordSource::StandardInput => read_password()?,
    };
    let user = arguments.username.clone();
    let credential = Credential::Password { user, password: Secret::new(password) };
    let place = &arguments.registry;
    // It is the whole registry that says whether it knows one.
    let registry = place.split('/').next().unwrap_or(place);
    let known = BTreeMap::from([(registry.to_owned(), credential.clone())]);
    let client = session.client_with(Credentials::Fixed(known))?;
    let files = session.credential_files()?;
    session.block_on(async {
        client.ping(registry).await?;
        Ok(files.login(place, &credential).await?)
    })?;
    session.progress.note("login succeeded");
    Ok(())
}

/// Standard input, without the newline that `echo` and here-strings put at its end.
fn read_password() -> Result<String, Error> {
    let mut text = String::new();
    let stdin = std::io::stdin().lock();
    let read = stdin.take(MAX_PASSWORD_BYTES).read_to_string(&mut text);
    read.map_err(|source| Error::Stream { stream: "standard input", source })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// Forgets credentials.
pub(super) fn logout(arguments: &LogoutArguments, session: &Session) -> Result<(), Error> {
    let files = session.credential_files()?;
    let done = session.block_on(async {
        Ok(match arguments {
            LogoutArguments::One(registry) => {
                files.logout(registry).await?;
                format!("logged out from {registry}")
            }
            LogoutArguments::All => match files.logout_of_all().await? {
                0 => "there was no credential".to_owned(),
                1 => "forgot one credential".to_owned(),
                count => format!("forgot {count} credentials"),
            },
        })
    })?;
    session.progress.note(&done);
    Ok(())
}
