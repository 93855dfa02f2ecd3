//! `completions`: a script with which a shell completes this program's words.

use clap_complete::Shell;

use crate::error::Error;
use crate::flags;
use crate::session::Session;

pub(crate) fn completions(shell: Shell, session: &Session) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut flags::grammar(), "plywood", &mut script);
    session.answer(&script)
}
