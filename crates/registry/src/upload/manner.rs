//! How a host takes blobs: what is known of it by its name, and what its answers have taught.
//!
//! The specification lets a registry leave out much ("Pushing blobs": a single POST, chunks), and
//! some that let chunks begin lose them. Everything starts with the one way that all of them take, a
//! PUT with a length; the others are used where that one failed.

use std::sync::{Mutex, PoisonError};

use crate::credentials::Cloud;

const MIB: u64 = 1024 * 1024;

/// The first chunk that is tried where whole bodies do not get through.
const FIRST_CHUNK: u64 = 16 * MIB;
/// The smallest: nginx lets 1 MiB through unless it is told otherwise (`client_max_body_size`).
const LAST_CHUNK: u64 = MIB;
/// How much smaller the next one is.
const SHRINKAGE: u64 = 4;
/// A blob up to this size is offered in a single POST to a registry of which it is not known
/// whether it takes one: if it does not, so much has been sent in vain, once.
const POST_ON_TRIAL: u64 = 16 * 1024;
/// A blob up to this size goes in a single POST where that is taken. A larger one would have to
/// start over after a break.
const POST_AT_MOST: u64 = 4 * MIB;

/// The way of one body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// All in the PUT that closes the session.
    Whole,
    /// All in one PATCH without a range, closed by an empty PUT.
    Stream,
    /// In PATCHes of at most so many bytes, closed by an empty PUT.
    Chunks(u64),
}

/// What is known of a host.
#[derive(Debug)]
pub(crate) struct Manner(Mutex<Known>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    chunks: Chunks,
    bodies: Bodies,
    posts: Posts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunks {
    /// Taken, up to this size where there is a limit.
    Taken { most: Option<u64> },
    /// Refused or, worse, lost. A body that broke off goes again from its start.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bodies {
    Whole,
    Patched,
    /// No body may be larger than this.
    UpTo(u64),
}

/// Whether a POST may bring the blob along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Posts {
    Unknown,
    Taken,
    NotTaken,
}

impl Manner {
    /// What is known of a host before anything was asked of it.
    pub(crate) fn of(host: &str) -> Self {
        let chunks = match Cloud::of(host) {
            // Amazon's registries drop the body of every PATCH after the first and say that all is
            // well (aws/containers-roadmap#2831); Google's know no chunks at all.
            Some(Cloud::Amazon | Cloud::Google) => Chunks::Never,
            // A PATCH of more than 4 MiB gets a 416.
            Some(Cloud::GitHub) => Chunks::Taken { most: Some(4 * MIB - 64 * 1024) },
            Some(Cloud::Azure) | None => Chunks::Taken { most: None },
        };
        Manner(Mutex::new(Known { chunks, bodies: Bodies::Whole, posts: Posts::Unknown }))
    }

    /// How the rest of a blob goes, of which the registry has the first `offset` bytes.
    pub(crate) fn route(&self, size: u64, offset: u64) -> Route {
        let Known { chunks, bodies, .. } = *self.known();
        let limit = match bodies {
            Bodies::UpTo(limit) => limit,
            Bodies::Whole | Bodies::Patched => u64::MAX,
        };
        match bodies {
            Bodies::Patched if offset == 0 && size > 0 => Route::Stream,
            _ if offset == 0 && size <= limit => Route::Whole,
            _ => Route::Chunks(chunks.at_most(limit)),
        }
    }

    /// Whether what a registry kept of a broken body can be gone on with.
    pub(crate) fn can_resume(&self) -> bool {
        self.known().chunks != Chunks::Never
    }

    /// Notes that a body did not get through: it was too large, or broke off again and again. Says
    /// whether there is a smaller way; `least` is the smallest chunk that the registry wants
    /// (distribution-spec 1.1, `OCI-Chunk-Min-Length`), which only the last may fall below.
    pub(crate) fn shrink(&self, tried: u64, least: u64) -> bool {
        let mut known = self.known();
        let Chunks::Taken { .. } = known.chunks else { return false };
        let first = known.chunks.at_most(FIRST_CHUNK);
        let smaller = if tried > first { first } else { tried / SHRINKAGE };
        let smaller = smaller.max(LAST_CHUNK).max(least);
        if smaller >= tried {
            return false;
        }
        // Somebody else may have found a smaller one meanwhile.
        known.bodies = match known.bodies {
            Bodies::UpTo(limit) => Bodies::UpTo(limit.min(smaller)),
            Bodies::Whole | Bodies::Patched => Bodies::UpTo(smaller),
        };
        true
    }

    /// Notes that a chunk was refused or lost. Says whether a whole body is still to be tried.
    pub(crate) fn refuses_chunks(&self) -> bool {
        let mut known = self.known();
        known.chunks = Chunks::Never;
        std::mem::replace(&mut known.bodies, Bodies::Whole) != Bodies::Patched
    }

    /// Notes that a PUT with a body was refused. Says whether a PATCH is to be tried.
    pub(crate) fn wants_patch(&self) -> bool {
        let mut known = self.known();
        let news = known.bodies == Bodies::Whole && known.chunks != Chunks::Never;
        if news {
            known.bodies = Bodies::Patched;
        }
        news
    }

    /// Whether a blob of this size is offered in a single POST.
    pub(crate) fn may_post(&self, size: u64) -> bool {
        let Known { posts, bodies, .. } = *self.known();
        match posts {
            _ if bodies != Bodies::Whole => false,
            Posts::Unknown => size <= POST_ON_TRIAL,
            Posts::Taken => size <= POST_AT_MOST,
            Posts::NotTaken => false,
        }
    }

    /// Whether single POSTs are known to be taken.
    pub(crate) fn takes_posts(&self) -> bool {
        self.known().posts == Posts::Taken
    }

    /// Notes what became of a single POST.
    pub(crate) fn posted(&self, taken: Posted) {
        self.known().posts = match taken {
            Posted::Taken => Posts::Taken,
            Posted::NotTaken => Posts::NotTaken,
        };
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a single POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    /// 201: the blob is there.
    Taken,
    /// A session was opened, or the request was refused.
    NotTaken,
}

impl Chunks {
    fn at_most(self, limit: u64) -> u64 {
        match self {
            Chunks::Taken { most: Some(most) } => limit.min(most),
            Chunks::Taken { most: None } | Chunks::Never => limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIG: u64 = 1 << 30;

    #[test]
    fn one_put_is_the_way_until_it_fails() {
        let manner = Manner::of("registry.example");
        assert_eq!(manner.route(BIG, 0), Route::Whole);
        assert_eq!(manner.route(0, 0), Route::Whole);
        assert_eq!(manner.route(BIG, 5), Route::Chunks(u64::MAX), "the rest in one piece");
        let mut tried = BIG;
        let mut ladder = Vec::new();
        while manner.shrink(tried, 0) {
            let Route::Chunks(next) = manner.route(BIG, 0) else { panic!("still whole") };
            ladder.push(next / MIB);
            tried = next;
        }
        assert_eq!(ladder, [16, 4, 1]);
        assert_eq!(manner.route(MIB, 0), Route::Whole, "small enough");
    }

    #[test]
    fn a_small_body_that_does_not_get_through_has_no_smaller_way() {
        let manner = Manner::of("registry.example");
        assert!(!manner.shrink(MIB, 0));
        assert!(!manner.shrink(100, 0));
        assert!(manner.shrink(8 * MIB, 0));
        assert_eq!(manner.route(BIG, 0), Route::Chunks(2 * MIB));
    }

    #[test]
    fn the_least_chunk_of_the_registry_is_the_floor() {
        let manner = Manner::of("registry.example");
        assert!(manner.shrink(BIG, 20 * MIB));
        assert_eq!(manner.route(BIG, 0), Route::Chunks(20 * MIB));
        assert!(!manner.shrink(20 * MIB, 20 * MIB));
    }

    #[test]
    fn registries_known_by_name() {
        let never = |host: &str| !Manner::of(host).can_resume();
        assert!(never("123456789012.dkr.ecr.eu-west-1.amazonaws.com"));
        assert!(never("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"));
        assert!(never("123456789012.dkr-ecr.eu-west-1.on.aws"));
        assert!(never("eu.gcr.io") && never("europe-west1-docker.pkg.dev") && never("gcr.io"));
        assert!(!never("notgcr.io") && !never("docker.io") && !never("ghcr.io"));
        let ecr = Manner::of("123456789012.dkr.ecr.eu-west-1.amazonaws.com");
        assert!(!ecr.shrink(BIG, 0), "there is no other way");
        let Route::Chunks(most) = Manner::of("ghcr.io").route(BIG, 1) else { panic!("resumed") };
        assert!(most < 4 * MIB);
    }

    #[test]
    fn a_registry_that_wants_a_patch_gets_one_and_one_that_loses_chunks_gets_none() {
        let manner = Manner::of("registry.example");
        assert!(manner.wants_patch());
        assert_eq!(manner.route(5, 0), Route::Stream);
        assert_eq!(manner.route(0, 0), Route::Whole);
        assert!(!manner.wants_patch(), "that was it");
        assert!(!manner.refuses_chunks(), "neither way is left");
        let manner = Manner::of("registry.example");
        assert!(manner.shrink(BIG, 0) && manner.refuses_chunks());
        assert_eq!(manner.route(BIG, 0), Route::Whole);
        assert!(!manner.can_resume() && !manner.wants_patch());
    }

    #[test]
    fn a_single_post_is_tried_with_little() {
        let manner = Manner::of("registry.example");
        assert!(manner.may_post(POST_ON_TRIAL) && !manner.may_post(POST_ON_TRIAL + 1));
        manner.posted(Posted::Taken);
        assert!(manner.may_post(POST_AT_MOST) && !manner.may_post(POST_AT_MOST + 1));
        manner.posted(Posted::NotTaken);
        assert!(!manner.may_post(0));
    }
}
