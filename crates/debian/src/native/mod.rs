//! What others make by running code of the image, made without: the loader's cache, the links of
//! certificates, keystores.

mod certificate;
pub mod elf;
#[cfg(test)]
pub(crate) mod fixture;
mod java;
mod ldconfig;
mod openssl;

use crate::programs::Program;

/// The programs, by name, sorted.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("java", java::java),
    ("ldconfig", ldconfig::ldconfig),
    ("ldconfig.real", ldconfig::ldconfig),
    ("openssl", openssl::openssl),
];
