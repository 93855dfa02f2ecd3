//! Random faults over push and pull, each schedule from a seed: whatever goes wrong, the end is the
//! right image or an error, in bounded time, and no tag is ever ahead of its blobs.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use oci::{Manifest, Tag};

use crate::tests::support::{Sample, client_with, password};
use crate::{Client, Publication};
use serve::testing::{
    Behaviour, Downloads, Effect, Fault, Locations, Mounts, Resumptions, TestDoor, TestRegistry,
    TokenDoor,
};

const SCHEDULES: u64 = 200;

/// Numbers from a seed: the same schedule whenever the seed is the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }
}

fn behaviour(dice: &mut Dice) -> Behaviour {
    let door = TokenDoor {
        user: "bob".into(),
        password: "SECRET-PW".into(),
        uses: dice.one_of(&[None, Some(7)]),
        ..TokenDoor::default()
    };
    Behaviour {
        door: dice.one_of(&[TestDoor::Open, TestDoor::Token(door)]),
        mounts: dice.one_of(&[Mounts::Honoured, Mounts::OpenSession, Mounts::Refused]),
        locations: dice.one_of(&[Locations::AbsoluteWithQuery, Locations::Relative]),
        downloads: dice.one_of(&[Downloads::Ranged, Downloads::WholeOnly]),
        resumptions: dice.one_of(&[Resumptions::Kept, Resumptions::Lost]),
        ..Behaviour::default()
    }
}

fn fault(dice: &mut Dice) -> Fault {
    let status = |code| Effect::Status { code, retry_after: None };
    let bytes = dice.below(45_000);
    let (method, path, effect) = match dice.below(6) {
        0 => ("GET", "/blobs/", Effect::ResetDownload { after: bytes }),
        1 => ("GET", "/blobs/", dice.one_of(&[Effect::Corrupt, Effect::Shorten])),
        2 | 3 => {
            (dice.one_of(&["PUT", "PATCH"]), "/uploads/", Effect::ResetUpload { after: bytes })
        }
        4 => {
            let code = dice.one_of(&[400, 401, 403, 404, 408, 416, 429, 500, 502, 503, 504]);
            (dice.one_of(&["GET", "HEAD", "POST", "PUT", "PATCH"]), "/v2/", status(code))
        }
        _ => {
            let stall = Effect::Stall(Duration::from_millis(30));
            let effect = dice.one_of(&[Effect::Reset, stall]);
            (dice.one_of(&["GET", "HEAD", "POST", "PUT", "PATCH"]), "/", effect)
        }
    };
    let (after, times) = (dice.below(6) as u32, 1 + dice.below(3) as u32);
    Fault { method, path: path.to_owned(), after, times, effect }
}

#[tokio::test]
async fn end_in_the_right_image_or_in_an_error() {
    let (mut pushed, mut pulled) = (0, 0);
    let mut runs = stream::iter((1..=SCHEDULES).map(scheduled)).buffer_unordered(8);
    while let Some(done) = runs.next().await {
        pushed += u64::from(done.pushed);
        pulled += u64::from(done.pulled);
        assert!(done.wrong.is_empty(), "{}", done.wrong);
    }
    // Most faults pass; if most runs failed, this test would show little.
    assert!(pushed > SCHEDULES / 2 && pulled > SCHEDULES / 4, "{pushed} pushed, {pulled} pulled");
}

/// The schedule of a seed, and what came of it.
async fn scheduled(seed: u64) -> Done {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let registry = TestRegistry::start(behaviour(&mut dice)).unwrap();
    let faults: Vec<Fault> = (0..1 + dice.below(4)).map(|_| fault(&mut dice)).collect();
    faults.iter().for_each(|one| registry.fault(one.clone()));
    let sample = Sample::new(seed, 1 + dice.below(4) as usize);
    let run = tokio::time::timeout(Duration::from_secs(30), run(&registry, &sample));
    let mut done = run.await.unwrap_or_else(|_| panic!("seed {seed} hangs: {faults:?}"));
    if !done.wrong.is_empty() {
        done.wrong = format!("seed {seed}: {}; {faults:?}", done.wrong);
    }
    done
}

struct Done {
    pushed: bool,
    pulled: bool,
    wrong: String,
}

async fn run(registry: &TestRegistry, sample: &Sample) -> Done {
    let client = client_with(registry, password("bob", "SECRET-PW"));
    let publication = Publication {
        repository: registry.repository("app"),
        tags: vec!["1".parse().unwrap()],
        root: sample.manifest.clone(),
        children: Vec::new(),
        referrers: Vec::new(),
        blobs: sample.sources(),
    };
    let published = client.publish(&publication).await;
    client.settle().await;
    let mut wrong = String::new();
    let whole = |registry: &TestRegistry| {
        sample
            .blobs
            .iter()
            .all(|(digest, bytes)| registry.blob("app", *digest).as_ref() == Some(bytes))
    };
    let tag = registry.tag("app", "1");
    if tag.is_some() && !whole(registry) {
        wrong.push_str("the tag is ahead of its blobs");
    }
    if published.is_ok() && tag != Some(sample.manifest.digest()) {
        wrong.push_str("success without the tag");
    }
    if registry.open_sessions() > 0 {
        wrong.push_str("a session is left");
    }
    sample.insert(registry, "app", Some("1"));
    let pulled = pull(&client, registry, sample).await;
    if pulled == Some(false) {
        wrong.push_str("wrong bytes were taken for right ones");
    }
    Done { pushed: published.is_ok(), pulled: pulled == Some(true), wrong }
}

/// Whether all bytes were right; `None` if there was an error.
async fn pull(client: &Client, registry: &TestRegistry, sample: &Sample) -> Option<bool> {
    let repository = registry.repository("app");
    let tag: Tag = "1".parse().unwrap();
    let manifest = client.manifest(&repository, tag).await.ok()?;
    let Manifest::Image(image) = &manifest else { return Some(false) };
    let mut right = manifest == sample.manifest;
    for blob in image.layers().iter().chain([image.config()]) {
        let mut sink = Vec::new();
        client.blob(&repository, blob, &mut sink).await.ok()?;
        right &= sink == sample.blobs[&blob.digest];
    }
    Some(right)
}
