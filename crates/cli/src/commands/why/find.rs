//! Which two images: those that were named, or what builds made one after the other.

use store::{Build, StoreError};

use super::super::documents::{self, Found};
use crate::error::Error;
use crate::flags::{Compared, Location};
use crate::session::Session;

/// The two images.
pub(super) struct Two<'a> {
    pub(super) old: Found<'a>,
    pub(super) new: Found<'a>,
    /// What is worth knowing about which images these are.
    pub(super) remark: Option<String>,
}

pub(super) fn two<'a>(compared: &'a Compared, session: &'a Session) -> Result<Two<'a>, Error> {
    match compared {
        Compared::Both(both) => {
            let [old, new] = &**both;
            let (old, new) = (one(&old.0, &old.1, session)?, one(&new.0, &new.1, session)?);
            Ok(Two { old, new, remark: None })
        }
        Compared::LastBuilds => {
            let builds = session.store()?.builds()?;
            let Some(last) = builds.first() else {
                return Err(Error::NoEarlierBuild { of: "anything".to_owned() });
            };
            let new = built(last, session)?;
            with_earlier(new, &builds, session)
        }
        Compared::WithEarlier(text, location) => {
            let new = one(text, location, session)?;
            let builds = session.store()?.builds()?;
            let digest = new.root.digest();
            let own = builds.iter().position(|build| build.image.digest == digest);
            let Some(own) = own else {
                return Err(Error::NoEarlierBuild { of: format!("`{text}`") });
            };
            // Of builds under the name that was typed, whatever else they built.
            let name = text.parse::<oci::Reference>().ok().map(oci::Reference::or_latest);
            let named = |build: &Build| name.as_ref().is_some_and(|name| build.is_named(name));
            let builds = match named(&builds[own]) {
                true => builds[own..].iter().filter(|build| named(build)).cloned().collect(),
                false => builds[own..].to_vec(),
            };
            with_earlier(new, &builds, session)
        }
    }
}

/// An image and what the build before the first of `builds`, which made it, made.
fn with_earlier<'a>(
    new: Found<'a>,
    builds: &[Build],
    session: &'a Session,
) -> Result<Two<'a>, Error> {
    let last = &builds[0];
    let mut earlier = builds[1..].iter().filter(|build| build.is_of_same(last));
    let Some(before) = earlier.next() else {
        return Err(Error::NoEarlierBuild { of: format!("`{}`", name(last)) });
    };
    let mut remark = None;
    if before.image.digest == last.image.digest
        && let Some(other) = earlier.find(|build| build.image.digest != last.image.digest)
    {
        let (old, new) = (other.image.digest.short(), last.image.digest.short());
        remark = Some(format!("an earlier build made another: `plywood why {old} {new}`"));
    }
    Ok(Two { old: built(before, session)?, new, remark })
}

/// What a build is called.
fn name(build: &Build) -> String {
    let reference = build.names.first().and_then(|name| name.parse::<oci::Reference>().ok());
    reference.map_or_else(|| build.image.digest.short(), |reference| reference.familiar())
}

fn built<'a>(build: &Build, session: &'a Session) -> Result<Found<'a>, Error> {
    let mut found = documents::in_store(&build.image.digest.to_string(), session)?;
    found.called = name(build);
    Ok(found)
}

/// An image of the store, and where that has none of the name, of a registry.
fn one<'a>(
    text: &'a str,
    location: &'a Location,
    session: &'a Session,
) -> Result<Found<'a>, Error> {
    let Location::Store(reference) = location else {
        return documents::find(text, location, session);
    };
    let is_id = text.trim_start_matches("sha256:").bytes().all(|byte| byte.is_ascii_hexdigit());
    match documents::find(text, location, session) {
        Err(Error::Store(StoreError::UnknownImage { .. }))
            if !is_id && !text.starts_with("store:") =>
        {
            documents::in_registry(reference, session)
        }
        found => found,
    }
}
