//! Python packages that cannot be had, or must not be installed.

mod bases;
mod credentials;
mod hashes;
mod index;
mod order;
mod resolving;
mod warnings;
mod wheel;
mod wheels;
mod written;
