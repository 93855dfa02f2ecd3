//! Programs that move, make and list files.

mod cat;
mod chmod;
mod chown;
mod compression;
mod copying;
mod cp;
mod destination;
mod find;
mod gzip;
mod install;
mod ln;
mod ls;
mod mkdir;
mod mktemp;
mod modes;
mod mv;
mod names;
mod owners;
mod readlink;
mod report;
mod rm;
mod stat;
mod tar;
#[cfg(test)]
mod tests;
mod times;
mod touch;
mod truncate;
mod unzip;
mod xargs;

use super::Program;

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("basename", names::basename),
    ("bunzip2", gzip::gzip),
    ("bzcat", gzip::gzip),
    ("bzip2", gzip::gzip),
    ("cat", cat::cat),
    ("chgrp", chown::chgrp),
    ("chmod", chmod::chmod),
    ("chown", chown::chown),
    ("cp", cp::cp),
    ("dirname", names::dirname),
    ("find", find::find),
    ("gunzip", gzip::gzip),
    ("gzip", gzip::gzip),
    ("install", install::install),
    ("ln", ln::ln),
    ("ls", ls::ls),
    ("mkdir", mkdir::mkdir),
    ("mktemp", mktemp::mktemp),
    ("mv", mv::mv),
    ("pwd", readlink::pwd),
    ("readlink", readlink::readlink),
    ("realpath", readlink::realpath),
    ("rm", rm::rm),
    ("rmdir", mkdir::rmdir),
    ("stat", stat::stat),
    ("sync", truncate::sync),
    ("tar", tar::tar),
    ("touch", touch::touch),
    ("truncate", truncate::truncate),
    ("unxz", gzip::gzip),
    ("unzip", unzip::unzip),
    ("xargs", xargs::xargs),
    ("xz", gzip::gzip),
    ("xzcat", gzip::gzip),
    ("zcat", gzip::gzip),
];
