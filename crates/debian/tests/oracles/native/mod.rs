//! What is made natively, against the programs that make it.

mod certificates;
mod disk;
mod ldconfig;
mod packages;
