//! Random faults over push, pull and copy, each schedule from a seed: whatever goes wrong, the end is
//! the right image or an error, in bounded time; no tag is ever ahead of its blobs, no session is
//! left, and no byte that has arrived is asked for again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use oci::{Descriptor, Manifest, Tag};
use serve::testing::{Behaviour, Downloads, Effect, Recorded, Schedule, TestRegistry};

use crate::tests::support::{Sample, password, settings};
use crate::{
    BlobBody, BlobSource, Client, Credentials, Observer, Publication, Settings, TransferEvent,
};

/// So many schedules in each of the tests below.
const EACH: u64 = 250;
const AT_ONCE: usize = 16;
/// Far more than the policy for retries allows: whoever needs it hangs.
const HANGS: Duration = Duration::from_secs(60);

macro_rules! schedules {
    ($($name:ident: $part:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            all($part * EACH..($part + 1) * EACH).await;
        })*
    };
}

// Eight times 250, so that they run side by side.
schedules! {
    schedules_from_0: 0;
    schedules_from_250: 1;
    schedules_from_500: 2;
    schedules_from_750: 3;
    schedules_from_1000: 4;
    schedules_from_1250: 5;
    schedules_from_1500: 6;
    schedules_from_1750: 7;
}

/// How many operations came to a good end.
#[derive(Debug, Default)]
struct Good {
    pushed: u64,
    pulled: u64,
    copied: u64,
}

async fn all(seeds: std::ops::Range<u64>) {
    let mut good = Good::default();
    let mut runs = stream::iter(seeds.map(scheduled)).buffer_unordered(AT_ONCE);
    while let Some((schedule, outcome)) = runs.next().await {
        let one = outcome.unwrap_or_else(|wrong| panic!("{wrong}\n{schedule}"));
        good.pushed += one.pushed;
        good.pulled += one.pulled;
        good.copied += one.copied;
    }
    // Most faults pass; if most runs failed, this test would show little.
    let enough = good.pushed > EACH / 2 && good.pulled > EACH / 4 && good.copied > EACH / 2;
    assert!(enough, "{good:?}");
}

/// The three operations under the schedule of a seed.
async fn scheduled(seed: u64) -> (Schedule, Result<Good, String>) {
    let schedule = Schedule::from_seed(seed);
    let work = async {
        let pushed = push(&schedule).await?;
        let pulled = pull(&schedule).await?;
        let copied = copy(&schedule).await?;
        Ok(Good { pushed: pushed.into(), pulled: pulled.into(), copied: copied.into() })
    };
    let outcome = tokio::time::timeout(HANGS, work).await;
    let outcome = outcome.unwrap_or_else(|_| Err("it hangs".to_owned()));
    (schedule, outcome)
}

/// A client that may enter all of these.
fn client(registries: &[&TestRegistry]) -> Client {
    let user = || password(Schedule::USER, Schedule::PASSWORD);
    let known = registries.iter().map(|registry| (registry.name(), user())).collect();
    let credentials = Credentials::Fixed(known);
    Client::new(Settings { credentials, ..settings() }).unwrap()
}

fn sample(schedule: &Schedule) -> Sample {
    Sample::new(schedule.seed, 1 + (schedule.seed % 4) as usize)
}

fn following(schedule: &Schedule) -> TestRegistry {
    let registry = TestRegistry::start(schedule.behaviour.clone()).unwrap();
    registry.follow(schedule);
    registry
}

fn publication(registry: &TestRegistry, sample: &Sample) -> Publication {
    Publication {
        repository: registry.repository("app"),
        tags: vec!["1".parse().unwrap()],
        root: sample.manifest.clone(),
        children: Vec::new(),
        referrers: Vec::new(),
        blobs: sample.sources(),
    }
}

/// Whether the image was pushed; an error if what is there now must not be.
async fn push(schedule: &Schedule) -> Result<bool, String> {
    let registry = following(schedule);
    let (client, sample) = (client(&[&registry]), sample(schedule));
    let published = client.publish(&publication(&registry, &sample)).await;
    client.settle().await;
    check_target(&registry, &sample, published.is_ok(), schedule, "push")?;
    Ok(published.is_ok())
}

/// Whether the image was copied, from a registry where other things go wrong.
async fn copy(schedule: &Schedule) -> Result<bool, String> {
    let source = TestRegistry::start(Behaviour::default()).unwrap();
    let (target, sample) = (following(schedule), sample(schedule));
    sample.insert(&source, "base", None);
    let elsewhere = Schedule::from_seed(schedule.seed + 1_000_000);
    if schedule.seed.is_multiple_of(2) {
        source.behave(elsewhere.behaviour.clone());
        source.follow(&elsewhere);
    }
    let client = client(&[&source, &target]);
    let mut wanted = publication(&target, &sample);
    for blob in wanted.blobs.values_mut() {
        *blob = BlobSource::from(BlobBody::Remote(source.repository("base")));
    }
    let published = client.publish(&wanted).await;
    client.settle().await;
    let told = |wrong| format!("{wrong}; the source had\n{elsewhere}");
    check_target(&target, &sample, published.is_ok(), schedule, "copy").map_err(told)?;
    Ok(published.is_ok())
}

fn check_target(
    registry: &TestRegistry,
    sample: &Sample,
    succeeded: bool,
    schedule: &Schedule,
    what: &str,
) -> Result<(), String> {
    let tag = registry.tag("app", "1");
    let right =
        |(digest, bytes): (&oci::Digest, _)| registry.blob("app", *digest).as_ref() == Some(bytes);
    if tag.is_some() && !sample.blobs.iter().all(right) {
        return Err(format!("{what}: the tag is ahead of its blobs"));
    }
    if succeeded && tag != Some(sample.manifest.digest()) {
        return Err(format!("{what}: success without the tag"));
    }
    let (left, unknown) = (registry.open_sessions(), unknowable_sessions(schedule));
    if left > unknown {
        return Err(format!("{what}: {left} sessions are left, of which {unknown} may be"));
    }
    Ok(())
}

/// How many sessions can have been opened without the client's knowledge: those whose answer did not
/// arrive as it should.
fn unknowable_sessions(schedule: &Schedule) -> usize {
    let garbled = |effect: &Effect| {
        matches!(effect, Effect::AnswerLost | Effect::CutAnswer { .. } | Effect::WrongLength { .. })
    };
    let faults = schedule.faults.iter();
    let posts = faults.filter(|fault| fault.method == "POST" && garbled(&fault.effect));
    posts.map(|fault| fault.times as usize).sum()
}

/// Whether the image was pulled; an error if wrong bytes were taken for right ones, or right ones
/// asked for twice.
async fn pull(schedule: &Schedule) -> Result<bool, String> {
    let registry = Arc::new(TestRegistry::start(schedule.behaviour.clone()).unwrap());
    let sample = sample(schedule);
    sample.insert(&registry, "app", Some("1"));
    registry.follow(schedule);
    let client = client(&[&registry]);
    let repository = registry.repository("app");
    let tag: Tag = "1".parse().unwrap();
    let Ok(manifest) = client.manifest(&repository, tag).await else { return Ok(false) };
    if manifest != sample.manifest {
        return Err("pull: another manifest was taken for the right one".to_owned());
    }
    let Manifest::Image(image) = &manifest else { return Err("no image".to_owned()) };
    for blob in image.layers().iter().chain([image.config()]) {
        let mut sink = Vec::new();
        let arrivals = Arrivals::of(&registry);
        let fetched = client.observed(arrivals.observer()).blob(&repository, blob, &mut sink).await;
        if schedule.behaviour.downloads == Downloads::Ranged {
            arrivals.check(blob)?;
        }
        if fetched.is_err() {
            return Ok(false);
        }
        if sink != sample.blobs[&blob.digest] {
            return Err("pull: wrong bytes were taken for right ones".to_owned());
        }
    }
    Ok(true)
}

/// How far a download had come when each of its requests was made.
struct Arrivals {
    registry: Arc<TestRegistry>,
    /// Position by the number of requests so far.
    positions: Arc<Mutex<BTreeMap<usize, u64>>>,
}

impl Arrivals {
    fn of(registry: &Arc<TestRegistry>) -> Self {
        registry.take_requests();
        Arrivals { registry: registry.clone(), positions: Arc::default() }
    }

    fn observer(&self) -> Observer {
        let (registry, positions) = (self.registry.clone(), self.positions.clone());
        Observer::new(move |event| {
            if let TransferEvent::Moved { position, .. } = event {
                let requests = registry.requests().len();
                positions.lock().unwrap().insert(requests, position);
            }
        })
    }

    /// Each request for the blob has to go on from where the one before it had come.
    fn check(&self, blob: &Descriptor) -> Result<(), String> {
        let positions = self.positions.lock().unwrap();
        let asked = |request: &Recorded| {
            request.method == "GET" && request.path.contains(&blob.digest.hex())
        };
        for (index, request) in self.registry.requests().iter().enumerate() {
            if !asked(request) || !matches!(request.status, Some(200 | 206)) {
                continue;
            }
            let known = positions.range(..=index).next_back().map_or(0, |(_, known)| *known);
            if request.sent_from != known {
                let from = request.sent_from;
                return Err(format!("pull: {known} bytes were there, and it asks from {from}"));
            }
        }
        Ok(())
    }
}
