//! apt-get, apt, apt-cache and apt-mark: command lines over the choice, the packages and dpkg.

mod options;
pub(crate) mod states;
