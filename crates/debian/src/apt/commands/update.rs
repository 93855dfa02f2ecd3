//! `apt-get update`.

use super::hooks;
use super::session::{Done, Session};
use crate::apt::lists;

/// Fetches the lists of all sources, with the commands that are to run before and after.
pub(super) fn update(session: &mut Session<'_, '_, '_>) -> Done {
    hooks::run(session, "APT::Update::Pre-Invoke")?;
    let status = lists::update(session.process, session.outside, &session.configuration)?;
    hooks::run(session, "APT::Update::Post-Invoke")?;
    if status == 0 {
        hooks::run(session, "APT::Update::Post-Invoke-Success")?;
    }
    Ok(status)
}
