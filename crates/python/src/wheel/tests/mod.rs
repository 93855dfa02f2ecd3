//! Wheels made on the spot: good ones, hostile ones, and ones that chance made.

mod hostile;
mod installed;
mod mutated;
mod zip;
