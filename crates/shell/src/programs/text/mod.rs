//! Programs that read and write text.

mod conversion;
pub(crate) mod echo;
mod escape;
mod grep;
mod locale;
mod numeral;
pub(crate) mod printf;
mod quote;
pub(crate) mod test;
#[cfg(test)]
mod trial;

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("[", test::program),
    ("echo", echo::program),
    ("egrep", grep::grep),
    ("fgrep", grep::grep),
    ("grep", grep::grep),
    ("printf", printf::program),
    ("test", test::program),
];
