//! Known registries, as far as they differ from the specification.
//!
//! Each has one user whose name and password are what [`Behaviour::user`] and
//! [`Behaviour::password`] say, where it has a door at all.

use std::time::Duration;

use super::behaviour::{
    AcceptRule, Account, Behaviour, Challenges, Chunks, Cookies, Drops, HeadAnswers, HistoryCheck,
    Hosts, Locations, ManifestChecks, ManifestTypes, MissingBlobs, Mounts, Puts, Quota, Referrers,
    Repositories, Resumptions, SinglePosts, TagRule, TestDoor, TokenDoor, TokenFlow,
};

const PASSWORD: &str = "SECRET-PASSWORD";

/// What all of them have in common: they are asked for by their own names, through a proxy that
/// leads here, and stay with them.
fn known(door: TestDoor) -> Behaviour {
    Behaviour { door, hosts: Hosts::AsRequested, ..Behaviour::default() }
}

fn basic(user: &str) -> TestDoor {
    TestDoor::Basic { user: user.to_owned(), password: PASSWORD.to_owned() }
}

fn tokens(user: &str) -> TokenDoor {
    TokenDoor { user: user.to_owned(), password: PASSWORD.to_owned(), ..TokenDoor::default() }
}

impl Behaviour {
    /// Amazon's ECR: Basic with the user `AWS`; chunks after the first vanish, and an upload does
    /// not say where it stands; a repository has to be there (here `app`); tags do not move.
    pub fn ecr() -> Self {
        Behaviour {
            repositories: Repositories::MadeBefore(vec!["app".to_owned()]),
            mounts: Mounts::OpenSession,
            posts: SinglePosts::OpenSession,
            chunks: Chunks::FirstOnly,
            resumptions: Resumptions::Untold,
            tags: TagRule::Immutable,
            ..known(basic("AWS"))
        }
    }

    /// GitHub's container registry: PATCH takes 4 MiB, PUT no range; `Location` is a path; no
    /// referrers.
    pub fn ghcr() -> Self {
        let door = TokenDoor { flow: TokenFlow::GetOnly, ..tokens("bob") };
        Behaviour {
            locations: Locations::Relative,
            chunks: Chunks::AtMost(4 << 20),
            puts: Puts::BodyWithoutRange,
            referrers: Referrers::Unknown,
            ..known(TestDoor::Token(door))
        }
    }

    /// Google's Artifact Registry: one piece, by PUT or by one PATCH without a range. The user is
    /// `oauth2accesstoken`, or `_json_key` at others.
    pub fn google() -> Self {
        let door = TokenDoor { flow: TokenFlow::GetOnly, ..tokens("oauth2accesstoken") };
        Behaviour { chunks: Chunks::OneStream, ..known(TestDoor::Token(door)) }
    }

    /// Docker Hub: a quota for manifests, names of two parts, mounts that break if `from` is
    /// foreign. Its answer to abuse is [`Effect::BareNewlines`](super::Effect::BareNewlines).
    pub fn docker_hub() -> Self {
        let window = Duration::from_secs(6 * 60 * 60);
        Behaviour {
            repositories: Repositories::TwoLevels,
            mounts: Mounts::ForeignFails(500),
            posts: SinglePosts::OpenSession,
            quota: Some(Quota { pulls: 100, window }),
            ..known(TestDoor::Token(tokens("bob")))
        }
    }

    /// Red Hat's Quay: mounts want `from`; what is no image is refused by its type.
    pub fn quay() -> Self {
        let door = TokenDoor { flow: TokenFlow::GetOnly, ..tokens("bob") };
        Behaviour {
            mounts: Mounts::NamelessFails,
            checks: ManifestChecks { types: ManifestTypes::ImagesOnly, ..Default::default() },
            ..known(TestDoor::Token(door))
        }
    }

    /// Harbor: cookies that are held against the client; robots with a path each: `robot$app` for
    /// `app…` and `robot$team` for `team/…`.
    pub fn harbor() -> Self {
        let robot = |user: &str, prefix: &str| Account {
            user: user.to_owned(),
            password: PASSWORD.to_owned(),
            prefix: prefix.to_owned(),
        };
        let robots = vec![robot("robot$app", "app"), robot("robot$team", "team/")];
        Behaviour {
            mounts: Mounts::NamedOnly,
            cookies: Cookies::Held,
            ..known(TestDoor::Accounts(robots))
        }
    }

    /// JFrog's Artifactory: HEAD finds every blob, mounts are refused, `Accept` and the config's
    /// history matter, and what a manifest lacks is not said.
    pub fn artifactory() -> Self {
        Behaviour {
            mounts: Mounts::Refused,
            heads: HeadAnswers::EveryBlobExists,
            checks: ManifestChecks {
                types: ManifestTypes::All,
                missing: MissingBlobs::Unnamed,
                history: HistoryCheck::MatchesLayers,
                accept: AcceptRule::Demanded,
            },
            ..known(basic("bob"))
        }
    }

    /// Microsoft's ACR with a token of the directory: Basic is offered and refused, tokens come by
    /// OAuth2's POST for an identity token, and that for the directory's token at
    /// `/oauth2/exchange`.
    pub fn azure() -> Self {
        let door = TokenDoor {
            identity_token: Some("SECRET-REFRESH-TOKEN".to_owned()),
            cloud_token: Some("SECRET-AAD-TOKEN".to_owned()),
            field: "access_token",
            lifetime: None,
            endpoint: "/oauth2/token",
            flow: TokenFlow::PostOnly,
            challenges: Challenges::BasicThenBearer,
            ..tokens("00000000-0000-0000-0000-000000000000")
        };
        known(TestDoor::Token(door))
    }

    /// GitLab's registry: each fifth HEAD, PATCH or PUT finds its connection closed.
    pub fn gitlab() -> Self {
        let drops = Drops { methods: &["HEAD", "PATCH", "PUT"], every: 5 };
        Behaviour { drops: Some(drops), ..known(TestDoor::Token(tokens("bob"))) }
    }

    /// The name of a user who is let in, if there is a door.
    pub fn user(&self) -> Option<&str> {
        match &self.door {
            TestDoor::Open => None,
            TestDoor::Basic { user, .. } => Some(user),
            TestDoor::Accounts(accounts) => accounts.first().map(|account| account.user.as_str()),
            TestDoor::Token(door) => Some(&door.user),
        }
    }

    /// That user's password.
    pub fn password(&self) -> Option<&str> {
        match &self.door {
            TestDoor::Open => None,
            TestDoor::Basic { password, .. } => Some(password),
            TestDoor::Accounts(accounts) => {
                accounts.first().map(|account| account.password.as_str())
            }
            TestDoor::Token(door) => Some(&door.password),
        }
    }
}
