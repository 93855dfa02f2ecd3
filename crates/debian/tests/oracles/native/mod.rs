//! What is made natively, against the programs that make it.

mod disk;
mod ldconfig;
mod packages;
