#![no_main]
//! Names that people and documents write: references, tags, digests, platforms, media types.
//!
//! What was parsed reads back equal from how it is shown.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::{Corpus, fuzz_target};
use oci::{DiffId, Digest, MediaType, Platform, Reference, RepositoryName, Tag};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    reference(text);
    platform(text);
    reads_back::<RepositoryName>(text);
    reads_back::<Tag>(text);
    reads_back::<Digest>(text);
    reads_back::<DiffId>(text);
    let media_type = MediaType::from(text);
    assert_eq!(MediaType::from(media_type.as_str()), media_type);
    assert_eq!(media_type.to_oci().layer_compression(), media_type.layer_compression());
    Corpus::Keep
});

fn reads_back<T>(text: &str) -> Option<T>
where
    T: FromStr + Display + Debug + PartialEq,
    T::Err: Display + Debug,
{
    match text.parse::<T>() {
        Ok(value) => {
            let again = value.to_string().parse::<T>();
            assert_eq!(again.expect("what is shown can be read"), value);
            Some(value)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

fn reference(text: &str) {
    let Some(reference) = reads_back::<Reference>(text) else {
        if let Err(error) = text.parse::<Reference>() {
            let _ = error.hint();
        }
        return;
    };
    // The short form and all that is made of a reference name the same thing to a reader.
    for made in [
        reference.clone().or_latest(),
        reference.with_digest(Digest::of(b"")),
        reference.with_tag("a".parse().expect("a tag")),
    ] {
        assert_eq!(made.familiar().parse::<Reference>().expect("the short form"), made);
        assert_eq!(made.to_string().parse::<Reference>().expect("the full form"), made);
        assert_eq!(made.repository(), reference.repository());
    }
    let full = format!("{}/{}", reference.registry(), reference.repository().path());
    assert_eq!(reference.repository().to_string(), full);
}

fn platform(text: &str) {
    let Some(platform) = reads_back::<Platform>(text) else { return };
    assert_eq!(platform.normalized(), platform);
    assert!(platform.satisfies(&platform));
}
