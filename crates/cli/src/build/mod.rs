//! The pipeline: recipe, facts, plan, layers, image, outputs.

use crate::error::Error;
use crate::flags::{BuildArguments, PlanArguments};
use crate::session::Session;

/// Builds an image and brings it where it is to go.
pub(crate) fn build(arguments: &BuildArguments, session: &Session) -> Result<(), Error> {
    let _ = (arguments, session);
    Err(Error::NoStore)
}

/// Shows what a build would do.
pub(crate) fn plan(arguments: &PlanArguments, session: &Session) -> Result<(), Error> {
    let _ = (arguments, session);
    Err(Error::NoStore)
}
