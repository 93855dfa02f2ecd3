//! `why`: what moved between two images, and which of their layers and keys that changed.

mod find;
mod layers;
mod show;

use std::collections::BTreeMap;

use difference::{Comparison, KeyChange, RecordsKnown, Side, compare};
use oci::{Digest, ImageIndex, Manifest, Platform};

use super::documents::{Absent, Documents, Found};
use crate::build;
use crate::error::Error;
use crate::flags::WhyArguments;
use crate::session::Session;
use layers::Indexes;

/// Two images and what differs between them.
struct Answer {
    /// What the images are called, and their digests.
    old: Named,
    new: Named,
    /// What is worth knowing about which images these are.
    remark: Option<String>,
    /// The images of one platform beside each other.
    pairs: Vec<Pair>,
    /// The platforms that only one of the two has.
    gone: Vec<Platform>,
    come: Vec<Platform>,
    /// In what two indexes differ beside that.
    index: Vec<KeyChange>,
}

/// An image as it was called.
struct Named {
    called: String,
    digest: Digest,
}

/// Two images of one platform.
struct Pair {
    platform: Platform,
    old: Digest,
    new: Digest,
    comparison: Comparison,
}

/// Compares two images and says why they differ.
pub(super) fn why(arguments: &WhyArguments, session: &Session) -> Result<(), Error> {
    let find::Two { old, new, remark } = find::two(&arguments.compared, session)?;
    let mut answer = Answer {
        old: Named { called: old.called.clone(), digest: old.root.digest() },
        new: Named { called: new.called.clone(), digest: new.root.digest() },
        remark,
        pairs: Vec::new(),
        gone: Vec::new(),
        come: Vec::new(),
        index: Vec::new(),
    };
    if answer.old.digest != answer.new.digest {
        differences(arguments, session, (&old, &new), &mut answer)?;
    }
    show::show(&answer, arguments.report, session)
}

fn differences(
    arguments: &WhyArguments,
    session: &Session,
    (old, new): (&Found<'_>, &Found<'_>),
    answer: &mut Answer,
) -> Result<(), Error> {
    if let Some(platform) = &arguments.platform {
        let images = (old.image(Some(platform))?, new.image(Some(platform))?);
        answer.pairs.extend(pair(session, (old, new), images)?);
        return Ok(());
    }
    match (&old.root, &new.root) {
        (Manifest::Index(before), Manifest::Index(now)) => {
            let (left, right) = (platforms(before), platforms(now));
            for platform in &right {
                if left.contains(platform) {
                    let images = (old.image(Some(platform))?, new.image(Some(platform))?);
                    answer.pairs.extend(pair(session, (old, new), images)?);
                }
            }
            answer.gone = left.iter().filter(|it| !right.contains(it)).cloned().collect();
            answer.come = right.iter().filter(|it| !left.contains(it)).cloned().collect();
            answer.index = difference::index_differences(before, now);
        }
        (Manifest::Index(before), Manifest::Image(_)) => {
            let image = new.image(None)?;
            let platform = image.config.platform();
            answer.gone = others(before, &platform);
            answer.pairs.extend(pair(session, (old, new), (old.image(Some(&platform))?, image))?);
        }
        (Manifest::Image(_), Manifest::Index(now)) => {
            let image = old.image(None)?;
            let platform = image.config.platform();
            answer.come = others(now, &platform);
            answer.pairs.extend(pair(session, (old, new), (image, new.image(Some(&platform))?))?);
        }
        (Manifest::Image(_), Manifest::Image(_)) => {
            let images = (old.image(None)?, new.image(None)?);
            answer.pairs.extend(pair(session, (old, new), images)?);
        }
    }
    Ok(())
}

/// The platforms of an index, without what BuildKit lists beside images.
fn platforms(index: &ImageIndex) -> Vec<Platform> {
    index.platforms().into_iter().filter(|platform| platform.os != "unknown").collect()
}

fn others(index: &ImageIndex, platform: &Platform) -> Vec<Platform> {
    let own = index.select(platform).and_then(|entry| entry.platform.clone());
    platforms(index).into_iter().filter(|other| Some(other) != own.as_ref()).collect()
}

/// Compares two images, unless they are one, and once more with what it helps to know.
fn pair(
    session: &Session,
    (old, new): (&Found<'_>, &Found<'_>),
    (before, now): (Documents, Documents),
) -> Result<Option<Pair>, Error> {
    let digests = (before.manifest.digest(), now.manifest.digest());
    if digests.0 == digests.1 {
        return Ok(None);
    }
    let old_record = build::record_of(session, &digests.0)?;
    let new_record = build::record_of(session, &digests.1)?;
    let mut indexes = Indexes { session, known: BTreeMap::new() };
    let mut comparison = None;
    // A second look has what the first one lacked, as far as it is to be had.
    for _ in 0..2 {
        let side = |image| side_of(image, &indexes.known);
        let left = Side { record: old_record.as_ref(), ..side(&before) };
        let right = Side { record: new_record.as_ref(), ..side(&now) };
        let found = compare(&left, &right);
        let absent = match found.records {
            RecordsKnown::Both => Absent::Left,
            _ => Absent::Fetched,
        };
        let more = indexes.read(&found.lacks, (old, &before), (new, &now), absent)?;
        comparison = Some(found);
        if !more {
            break;
        }
    }
    let comparison = comparison.expect("the loop runs at least once");
    let platform = now.config.platform();
    Ok(Some(Pair { platform, old: digests.0, new: digests.1, comparison }))
}

fn side_of<'a>(
    image: &'a Documents,
    indexes: &'a BTreeMap<oci::DiffId, std::sync::Arc<layer::LayerIndex>>,
) -> Side<'a> {
    Side { manifest: &image.manifest, config: &image.config, record: None, indexes }
}
