//! What others make by running code of the image, made without: the loader's cache, the links of
//! certificates, keystores.

pub mod elf;
