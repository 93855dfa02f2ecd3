//! `openssl` (openssl(1) of OpenSSL 3.0), as far as scripts that set up certificates use it:
//! `rehash`, some questions to `x509`, and `version`. Everything else is refused.

mod rehash;
#[cfg(test)]
mod tests;
mod version;
mod x509;

use bstr::ByteSlice;
use shell::process::Run;
use shell::{Process, Reason};

use crate::outside::Outside;

pub(super) fn openssl(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let command = process.arguments().first().cloned().unwrap_or_default();
    // Options are read behind the command.
    let mut words = process.words.drain(..);
    let program = words.next().unwrap_or_default();
    let arguments: Vec<_> = words.skip(1).collect();
    process.words = std::iter::once(program).chain(arguments).collect();
    match command.as_bytes() {
        b"rehash" => rehash::rehash(process),
        b"x509" => x509::x509(process),
        b"version" => version::version(process),
        _ => Err(process.refuse(Reason::Option(command.to_string()))),
    }
}
