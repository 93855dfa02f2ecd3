//! What others make by running code of the image, made without: the loader's cache, the links of
//! certificates, keystores.

pub mod elf;
#[cfg(test)]
pub(crate) mod fixture;
mod ldconfig;

use crate::programs::Program;

/// The programs, by name, sorted.
pub(crate) const PROGRAMS: &[(&str, Program)] =
    &[("ldconfig", ldconfig::ldconfig), ("ldconfig.real", ldconfig::ldconfig)];
