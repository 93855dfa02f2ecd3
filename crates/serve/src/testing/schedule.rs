//! Behaviours and faults from a number.

use std::fmt;
use std::time::Duration;

use super::behaviour::{
    Behaviour, Chunks, Downloads, HeadAnswers, Hosts, Locations, Mounts, Puts, Referrers,
    Resumptions, SinglePosts, TestDoor, TokenDoor,
};
use super::fault::{Effect, Fault};

/// How a registry behaves and what goes wrong, the same whenever the seed is the same.
///
/// Positions of faults are within the first 45,000 bytes, pauses are some ten milliseconds, and a
/// fault strikes one to three times, so that most runs of a client that does not give up at once
/// end well. Its `Display` says all of it, for the message of a test that failed.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// What it was made from.
    pub seed: u64,
    /// How the registry behaves.
    pub behaviour: Behaviour,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // xorshift64, whose lowest bits are its weakest.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }
}

impl Schedule {
    /// The user that every door of a schedule lets in.
    pub const USER: &str = "bob";
    /// That user's password.
    pub const PASSWORD: &str = "SECRET-PASSWORD";

    /// The schedule of a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let behaviour = behaviour(&mut dice);
        let faults = (0..=dice.below(4)).map(|_| fault(&mut dice)).collect();
        Schedule { seed, behaviour, faults }
    }
}

fn behaviour(dice: &mut Dice) -> Behaviour {
    let user = || Schedule::USER.to_owned();
    let password = || Schedule::PASSWORD.to_owned();
    let door = TokenDoor {
        user: user(),
        password: password(),
        uses: dice.one_of(&[None, None, Some(7)]),
        field: dice.one_of(&["token", "access_token"]),
        lifetime: dice.one_of(&[None, Some(Duration::from_secs(300))]),
        ..TokenDoor::default()
    };
    let basic = TestDoor::Basic { user: user(), password: password() };
    Behaviour {
        door: dice.one_of(&[TestDoor::Open, basic, TestDoor::Token(door)]),
        hosts: dice.one_of(&[Hosts::Own, Hosts::AsRequested]),
        mounts: dice.one_of(&[Mounts::Honoured, Mounts::OpenSession, Mounts::Refused]),
        locations: dice.one_of(&[
            Locations::AbsoluteWithQuery,
            Locations::Relative,
            Locations::RelativeWithQuery,
        ]),
        heads: dice.one_of(&[
            HeadAnswers::Honest,
            HeadAnswers::Honest,
            HeadAnswers::EveryBlobExists,
            HeadAnswers::Refused,
            HeadAnswers::NoDigest,
        ]),
        downloads: dice.one_of(&[Downloads::Ranged, Downloads::WholeOnly]),
        posts: dice.one_of(&[SinglePosts::Taken, SinglePosts::OpenSession]),
        chunks: dice.one_of(&[
            Chunks::Appended,
            Chunks::Appended,
            Chunks::FirstOnly,
            Chunks::OneStream,
            Chunks::AtMost(20_000),
            Chunks::AtLeast(10_000),
            Chunks::Refused,
        ]),
        puts: dice.one_of(&[Puts::Body, Puts::BodyWithoutRange]),
        resumptions: dice.one_of(&[Resumptions::Kept, Resumptions::Lost, Resumptions::Untold]),
        referrers: dice.one_of(&[Referrers::Listed, Referrers::Unknown]),
        ..Behaviour::default()
    }
}

fn fault(dice: &mut Dice) -> Fault {
    let at = dice.below(45_000);
    let pause = Duration::from_millis(10 + dice.below(30));
    let any = ["GET", "HEAD", "POST", "PUT", "PATCH"];
    let (method, path, effect) = match dice.below(8) {
        0 | 1 => ("GET", "/blobs/", broken_download(dice, at, pause)),
        2 => ("GET", "/blobs/", wrong_download(dice, at)),
        3 | 4 => {
            let effects = [
                Effect::ResetUpload { after: at },
                Effect::StallUpload { after: at, pause },
                Effect::CorruptUpload { at },
            ];
            (dice.one_of(&["PUT", "PATCH"]), "/uploads/", dice.one_of(&effects))
        }
        5 => {
            let code = dice.one_of(&[400, 401, 403, 404, 408, 416, 425, 429, 500, 502, 503, 504]);
            let retry_after = dice.one_of(&[None, Some("0".to_owned())]);
            (dice.one_of(&any), "/v2/", Effect::Status { code, retry_after })
        }
        6 => {
            let effects = [Effect::Reset, Effect::AnswerLost, Effect::Stall(pause)];
            (dice.one_of(&any), "/", dice.one_of(&effects))
        }
        _ => {
            let effects = [
                Effect::CutAnswer { after: at % 400 },
                Effect::Garbage,
                Effect::BareNewlines { retry_after: "0".to_owned() },
                Effect::WrongDigest,
                Effect::WrongLength { by: 3 },
                Effect::WrongLength { by: -3 },
            ];
            (dice.one_of(&any), "/", dice.one_of(&effects))
        }
    };
    let (after, times) = (dice.below(6) as u32, 1 + dice.below(3) as u32);
    Fault { method, path: path.to_owned(), after, times, effect }
}

fn broken_download(dice: &mut Dice, at: u64, pause: Duration) -> Effect {
    dice.one_of(&[
        Effect::ResetDownload { after: at },
        Effect::CutChunked { after: at },
        Effect::CutAnswer { after: at },
        Effect::StallDownload { after: at, pause },
        Effect::Trickle { piece: 4096, pause: Duration::from_millis(2) },
    ])
}

fn wrong_download(dice: &mut Dice, at: u64) -> Effect {
    dice.one_of(&[
        Effect::Corrupt,
        Effect::CorruptAt { at },
        Effect::Shorten,
        Effect::EndEarly { after: at },
        Effect::Repeat { from: at, length: 100 },
        Effect::WrongLength { by: 100 },
        Effect::WrongLength { by: -100 },
    ])
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behaviour = &self.behaviour;
        writeln!(
            f,
            "seed {}: door {:?}, mounts {:?}, locations {:?} ({:?}), heads {:?}, downloads {:?}, \
             posts {:?}, chunks {:?}, puts {:?}, resumptions {:?}, referrers {:?}",
            self.seed,
            behaviour.door,
            behaviour.mounts,
            behaviour.locations,
            behaviour.hosts,
            behaviour.heads,
            behaviour.downloads,
            behaviour.posts,
            behaviour.chunks,
            behaviour.puts,
            behaviour.resumptions,
            behaviour.referrers,
        )?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_schedule_and_shows_no_secret() {
        let show = |seed| Schedule::from_seed(seed).to_string();
        assert_eq!(show(7), show(7));
        let all: std::collections::BTreeSet<String> = (0..500).map(show).collect();
        assert_eq!(all.len(), 500, "all different");
        assert!(all.iter().all(|text| !text.contains(Schedule::PASSWORD)));
        let said: String = all.into_iter().collect();
        for word in ["AnswerLost", "CutAnswer", "Trickle", "CorruptUpload", "FirstOnly", "Lost"] {
            assert!(said.contains(word), "{word} never happens");
        }
    }
}
