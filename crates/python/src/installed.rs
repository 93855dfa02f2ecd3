//! Distributions that are installed already.

use oci::ImagePath;

use crate::{Interpreter, Missing, View};

/// A distribution in one of an interpreter's directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, normalized (PEP 503).
    pub name: String,
    /// Its version.
    pub version: String,
    /// The `.dist-info` or `.egg-info`.
    pub metadata: ImagePath,
    /// The text of `METADATA` or `PKG-INFO`.
    pub text: String,
    /// What an uninstaller would remove: what `RECORD` names. `None` if it says nothing, and so
    /// cannot be uninstalled, as for what Debian's packages brought.
    pub files: Option<Vec<ImagePath>>,
}

/// Lists what is installed for an interpreter; of two of one name, the one that would be imported.
///
/// # Errors
/// What has to be read first.
pub fn find_distributions(
    view: View<'_>,
    interpreter: &Interpreter,
) -> Result<Vec<Distribution>, Missing> {
    let _ = (view, interpreter);
    Ok(Vec::new())
}
