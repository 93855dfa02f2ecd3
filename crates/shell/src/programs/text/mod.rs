//! Programs that read and write text.

mod awk;
mod base64;
mod busybox;
mod checksum;
mod comm;
mod compare;
mod conversion;
mod count;
mod cut;
pub(crate) mod echo;
mod envsubst;
mod escape;
mod exits;
mod expand;
mod expr;
mod fold;
mod grep;
mod head;
mod input;
mod locale;
mod nl;
mod numeral;
mod paste;
pub(crate) mod printf;
mod quote;
mod reversed;
mod sed;
mod seq;
mod sink;
mod sort;
mod tee;
pub(crate) mod test;
#[cfg(test)]
mod tests;
mod tr;
#[cfg(test)]
mod trial;
mod uniq;
mod wc;

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("[", test::program),
    ("awk", awk::awk),
    ("base64", base64::base64),
    ("cmp", compare::cmp),
    ("comm", comm::comm),
    ("cut", cut::cut),
    ("diff", compare::diff),
    ("echo", echo::program),
    ("egrep", grep::grep),
    ("envsubst", envsubst::envsubst),
    ("expand", expand::expand),
    ("expr", expr::expr),
    ("false", exits::fail),
    ("fgrep", grep::grep),
    ("fold", fold::fold),
    ("grep", grep::grep),
    ("head", head::head),
    ("mawk", awk::awk),
    ("md5sum", checksum::checksum),
    ("nl", nl::nl),
    ("paste", paste::paste),
    ("printf", printf::program),
    ("rev", reversed::rev),
    ("sed", sed::sed),
    ("seq", seq::seq),
    ("sha1sum", checksum::checksum),
    ("sha224sum", checksum::checksum),
    ("sha256sum", checksum::checksum),
    ("sha384sum", checksum::checksum),
    ("sha512sum", checksum::checksum),
    ("sort", sort::sort),
    ("tac", reversed::tac),
    ("tail", head::tail),
    ("tee", tee::tee),
    ("test", test::program),
    ("tr", tr::tr),
    ("true", exits::succeed),
    ("uniq", uniq::uniq),
    ("wc", wc::wc),
];
