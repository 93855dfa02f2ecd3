//! Certificates, as far as their names and bytes go (RFC 5280, RFC 7468); nothing is verified.

mod der;
mod name;
mod pem;
#[cfg(test)]
mod tests;

pub(crate) use name::Names;
pub(crate) use pem::{Held, held, written};

use der::{Der, SEQUENCE};

/// A certificate or a revocation list: its bytes, and its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// All of it (DER).
    pub(crate) der: Vec<u8>,
    /// Whose it is; of a revocation list, whose certificates it is about.
    pub(crate) subject: Names,
    /// Who signed it.
    pub(crate) issuer: Names,
}

/// Tags in brackets (X.690 8.14).
const EXPLICIT_VERSION: u8 = 0xa0;

impl Certificate {
    /// Reads a certificate; `None` if the bytes are none (RFC 5280 4.1).
    pub(crate) fn read(bytes: &[u8]) -> Option<Certificate> {
        let (der, mut signed) = outer(bytes)?;
        signed.skip_if(EXPLICIT_VERSION)?;
        let (_serial, _algorithm) = (signed.next()?, signed.next()?);
        let issuer = signed.next()?;
        let _validity = signed.next()?;
        let subject = signed.next()?;
        let _key = signed.next()?;
        Some(Certificate {
            der: der.to_vec(),
            subject: Names::read(subject)?,
            issuer: Names::read(issuer)?,
        })
    }

    /// Reads a revocation list (RFC 5280 5.1).
    pub(crate) fn read_revocations(bytes: &[u8]) -> Option<Certificate> {
        let (der, mut signed) = outer(bytes)?;
        signed.skip_if(der::INTEGER)?;
        let _algorithm = signed.next()?;
        let issuer = Names::read(signed.next()?)?;
        Some(Certificate { der: der.to_vec(), subject: issuer.clone(), issuer })
    }
}

/// The whole, and what was signed of it: both are a sequence of that, an algorithm and a signature.
fn outer(bytes: &[u8]) -> Option<(&[u8], Der<'_>)> {
    let whole = Der::new(bytes).next()?;
    let mut parts = whole.inside(SEQUENCE)?;
    let signed = parts.next()?.inside(SEQUENCE)?;
    let (_algorithm, _signature) = (parts.next()?, parts.next()?);
    Some((whole.whole, signed))
}
