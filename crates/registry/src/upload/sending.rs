//! A blob's bytes on their way into a repository: by the way that the host takes, on from where they
//! broke off, until the registry has them all.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::body::Upload;
use super::manner::Route;
use super::session::{Resumption, Session, stand};
use super::{Delivery, Existing, unexpected};
use crate::client::Host;
use crate::event::TransferEvent;
use crate::retry::{Backoff, is_passing, retry_after};
use crate::wire::Reply;
use crate::{Error, Result};

/// How often bodies break off in a row before smaller ones are tried.
const BREAKS_BEFORE_CHUNKS: u32 = 2;
/// How often a blob is sent anew that came to another digest on its way.
const MAX_SPOILED: u32 = 3;

/// An upload under way.
pub(super) struct Sending<'a> {
    delivery: &'a Delivery<'a>,
    host: &'a Arc<Host>,
    existing: Existing,
    session: Session,
    /// How many bytes the session has.
    offset: u64,
    /// How many it can have at most: those that went out.
    reached: u64,
    /// How many went out in all, those sent twice counted twice.
    bytes: u64,
    backoff: Backoff,
    breaks: u32,
    spoiled: u32,
}

/// One request that was made.
struct Attempt {
    route: Route,
    /// What of the blob was in its body.
    part: Range<u64>,
    closes: Closes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closes {
    Session,
    Nothing,
}

/// What an attempt came to, short of an error that ends it all.
enum Step {
    /// The registry has the blob.
    Done,
    /// It has more of it than before.
    On,
    Trouble(Trouble),
}

/// What stands in the way, and what it is if nothing helps.
enum Trouble {
    /// It may be otherwise next time.
    Passing { failure: Error, pause: Option<Duration> },
    /// The registry does not know the session.
    SessionLost(Error),
    /// The body was larger than is taken.
    TooLarge(Error),
    /// The chunk did not begin where the registry stands, or was too large.
    Misplaced(Error),
    /// A PATCH was refused, or its bytes vanished.
    ChunkRefused(Error),
    /// A PUT with a body was refused.
    BodyRefused(Error),
    /// The pieces, or what a mirror sent, came to another digest.
    Spoiled(Error),
}

/// Whether there is anything left to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Some,
    /// Only the answer had been lost.
    None,
}

impl<'a> Sending<'a> {
    pub(super) fn new(
        delivery: &'a Delivery<'a>,
        host: &'a Arc<Host>,
        session: Session,
        existing: Existing,
    ) -> Self {
        let backoff = Backoff::new(delivery.client.settings().retry);
        Sending {
            delivery,
            host,
            existing,
            session,
            offset: 0,
            reached: 0,
            bytes: 0,
            backoff,
            breaks: 0,
            spoiled: 0,
        }
    }

    /// Sends until the registry has it all; the number of bytes that it took.
    pub(super) async fn run(mut self) -> Result<u64> {
        loop {
            let (attempt, answer) = self.attempt().await;
            let rest = match self.judge(&attempt, answer).await? {
                Step::Done => Rest::None,
                Step::On => Rest::Some,
                Step::Trouble(trouble) => self.overcome(trouble, &attempt).await?,
            };
            if rest == Rest::None {
                self.session.close();
                return Ok(self.bytes);
            }
        }
    }

    async fn attempt(&mut self) -> (Attempt, Result<Reply>) {
        let size = self.delivery.descriptor.size;
        let route = self.host.manner.route(size, self.offset);
        let part = match route {
            Route::Whole | Route::Stream => 0..size,
            Route::Chunks(most) => self.offset..size.min(self.offset.saturating_add(most)),
        };
        let Delivery { client, body, descriptor, .. } = self.delivery;
        let upload = Upload::new(client, body, descriptor, part.clone());
        let (closes, answer) = match route {
            Route::Whole => {
                (Closes::Session, self.session.put(self.host, descriptor, &upload).await)
            }
            Route::Chunks(_) if part.is_empty() => {
                (Closes::Session, self.session.finish(self.host, descriptor).await)
            }
            Route::Chunks(_) => {
                let range = Some(part.clone());
                (Closes::Nothing, self.session.patch(self.host, &upload, range).await)
            }
            Route::Stream => (Closes::Nothing, self.session.patch(self.host, &upload, None).await),
        };
        self.bytes += upload.sent();
        self.reached = self.reached.max(part.start + upload.sent());
        (Attempt { route, part, closes }, answer)
    }

    async fn judge(&mut self, attempt: &Attempt, answer: Result<Reply>) -> Result<Step> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(failure @ (Error::Connection { .. } | Error::TimedOut { .. })) => {
                return Ok(Step::Trouble(Trouble::Passing { failure, pause: None }));
            }
            // What the registry has of it is wrong, and the next source is another.
            Err(failure @ Error::DamagedMirror { .. }) => {
                return Ok(Step::Trouble(Trouble::Spoiled(failure)));
            }
            Err(failure) => return Err(failure),
        };
        match (attempt.closes, reply.status()) {
            (Closes::Session, StatusCode::CREATED) => {
                self.delivery.check(&reply)?;
                Ok(Step::Done)
            }
            (Closes::Nothing, status) if status.is_success() => Ok(self.advance(attempt, &reply)),
            _ => trouble(attempt, reply).await.map(Step::Trouble),
        }
    }

    /// A piece was taken, as far as the registry says.
    fn advance(&mut self, attempt: &Attempt, reply: &Reply) -> Step {
        let Range { start, end } = attempt.part;
        let at = match stand(reply) {
            // A single byte looks like none.
            None => end,
            Some(0) if end == 1 => end,
            Some(at) => at,
        };
        if at <= start || at > end {
            let failure = reply.bad(crate::AnswerProblem::LostChunk { at, sent: end });
            return Step::Trouble(Trouble::ChunkRefused(failure));
        }
        self.move_to(at);
        Step::On
    }

    /// Notes where the session stands.
    fn move_to(&mut self, offset: u64) {
        if offset > self.offset {
            self.backoff.progressed();
            self.breaks = 0;
        }
        self.offset = offset;
        let digest = self.delivery.descriptor.digest;
        self.delivery.client.tell(TransferEvent::Moved { digest, position: offset });
    }

    /// Finds another way on, or returns the trouble as the error that it is.
    async fn overcome(&mut self, trouble: Trouble, attempt: &Attempt) -> Result<Rest> {
        let tried = attempt.part.end - attempt.part.start;
        let manner = &self.host.manner;
        match trouble {
            Trouble::Passing { failure, pause } => {
                self.wait_and_resume(failure, pause, tried).await
            }
            Trouble::SessionLost(failure) => {
                self.wait(failure, None).await?;
                self.restart_unless_there().await
            }
            Trouble::Misplaced(failure) => self.realign(failure, tried).await,
            Trouble::TooLarge(failure) => {
                if !manner.shrink(tried, self.session.least_chunk) {
                    return Err(failure);
                }
                self.resume().await
            }
            Trouble::ChunkRefused(failure) => {
                if !manner.refuses_chunks() {
                    return Err(failure);
                }
                self.restart().await
            }
            Trouble::BodyRefused(failure) => {
                if !manner.wants_patch() {
                    return Err(failure);
                }
                self.restart().await
            }
            Trouble::Spoiled(failure) => {
                self.spoiled += 1;
                if self.spoiled > MAX_SPOILED {
                    return Err(failure);
                }
                self.restart().await
            }
        }
    }

    async fn wait_and_resume(
        &mut self,
        failure: Error,
        pause: Option<Duration>,
        tried: u64,
    ) -> Result<Rest> {
        self.wait(failure, pause).await?;
        self.breaks += 1;
        let before = self.offset;
        let rest = self.resume().await?;
        if self.offset <= before && self.breaks >= BREAKS_BEFORE_CHUNKS {
            // Where there is no smaller way, the same is tried again.
            self.host.manner.shrink(tried, self.session.least_chunk);
        }
        Ok(rest)
    }

    /// The registry stands elsewhere, or calls a chunk too large by the same status (GHCR).
    async fn realign(&mut self, failure: Error, tried: u64) -> Result<Rest> {
        self.wait(failure, None).await?;
        let before = self.offset;
        let rest = self.resume().await?;
        if self.offset == before {
            self.host.manner.shrink(tried, self.session.least_chunk);
        }
        Ok(rest)
    }

    /// Waits before the next try, or gives up with `failure`.
    async fn wait(&mut self, failure: Error, pause: Option<Duration>) -> Result<()> {
        let Some(wait) = self.backoff.next_wait(pause) else { return Err(failure) };
        if pause.is_some() {
            self.host.rest(wait);
        }
        let (request, cause) = (self.session.request_line(), failure.to_string());
        self.delivery.client.tell(TransferEvent::Retrying { request, cause, wait });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Goes on from where the registry says that it stands; where it does not say, or says what
    /// cannot be, from the start.
    async fn resume(&mut self) -> Result<Rest> {
        if self.host.manner.can_resume()
            && let Resumption::At(position) = self.session.resumption(self.host).await
            && position <= self.reached
        {
            self.move_to(position);
            return Ok(Rest::Some);
        }
        self.restart_unless_there().await
    }

    async fn restart_unless_there(&mut self) -> Result<Rest> {
        // Only the answer may have been lost.
        if self.existing == Existing::Believed && self.delivery.is_there().await? {
            return Ok(Rest::None);
        }
        self.restart().await
    }

    /// Begins anew. The session so far is deleted in the background.
    async fn restart(&mut self) -> Result<Rest> {
        self.session = self.delivery.open_session(self.host).await?;
        self.reached = 0;
        self.move_to(0);
        Ok(Rest::Some)
    }
}

/// What an answer that is no success stands for.
async fn trouble(attempt: &Attempt, reply: Reply) -> Result<Trouble> {
    let status = reply.status();
    if status.is_success() {
        return Err(unexpected(reply).await);
    }
    let pause = retry_after(reply.headers());
    let failure = reply.refusal().await;
    let says = |code| failure.answers().is_some_and(|answers| answers.has(code));
    let is_patch = attempt.closes == Closes::Nothing;
    Ok(match status {
        status if is_passing(status) => Trouble::Passing { failure, pause },
        StatusCode::PAYLOAD_TOO_LARGE => Trouble::TooLarge(failure),
        StatusCode::RANGE_NOT_SATISFIABLE if attempt.route != Route::Whole => {
            Trouble::Misplaced(failure)
        }
        StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => Trouble::SessionLost(failure),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(failure),
        _ if says("BLOB_UPLOAD_INVALID") || says("BLOB_UPLOAD_UNKNOWN") => {
            Trouble::SessionLost(failure)
        }
        _ if says("DIGEST_INVALID") && attempt.route != Route::Whole => Trouble::Spoiled(failure),
        _ if is_patch => Trouble::ChunkRefused(failure),
        StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::LENGTH_REQUIRED
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::NOT_IMPLEMENTED
            if attempt.route == Route::Whole =>
        {
            Trouble::BodyRefused(failure)
        }
        _ => return Err(failure),
    })
}
