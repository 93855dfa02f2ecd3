//! The language, by tables of scripts and what they print.

mod probe;
