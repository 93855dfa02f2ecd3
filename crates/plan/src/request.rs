//! What is asked for, beside the recipe itself.

use std::collections::BTreeMap;

use oci::Platform;
use recipe::Recipe;

use crate::Packing;

/// One platform's build, as the command line and the recipe ask for it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// Its name, for the origin of what it says itself.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The stage to build, by name or number; the last one if none is named.
    pub target: Option<&'a str>,
    /// What the image runs on.
    pub platform: Platform,
    /// What this machine is: `BUILDPLATFORM`.
    pub build_platform: Platform,
    /// `--build-arg`s that have a value.
    pub build_args: &'a BTreeMap<String, String>,
    /// `--label`s.
    pub labels: &'a BTreeMap<String, String>,
    /// The time of every file in a new layer, in seconds since the epoch.
    pub timestamp: i64,
    /// The same, as RFC 3339, for the config.
    pub created: &'a str,
    /// How layers are compressed.
    pub packing: Packing,
}
