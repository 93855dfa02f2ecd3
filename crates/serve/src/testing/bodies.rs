//! Bodies, and the ways in which they go wrong.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};

use super::connection::ON_THEIR_WAY;
use super::fault::Effect;
use super::log::Counter;
use crate::answer::Body;

/// What happens next in a body.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// These bytes pass.
    Bytes(Bytes),
    /// Nothing does, for so long.
    Pause(Duration),
    /// It breaks off.
    Break,
}

/// A request's body on its way in.
pub(super) struct Intake {
    /// Counts what is let through.
    pub(super) received: Counter,
    /// What goes wrong with it.
    pub(super) effect: Option<Effect>,
    /// At more bytes than this it breaks off …
    pub(super) limit: Option<u64>,
    /// … and this is set.
    pub(super) exceeded: Arc<AtomicBool>,
}

struct Reading {
    body: Incoming,
    intake: Intake,
    steps: VecDeque<Step>,
    seen: u64,
}

impl Intake {
    pub(super) fn of(self, body: Incoming) -> Body {
        let reading = Reading { body, intake: self, steps: VecDeque::new(), seen: 0 };
        let frames = stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|bytes| (Frame::data(bytes), reading)))
        });
        StreamBody::new(frames).boxed_unsync()
    }
}

impl Reading {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.steps.pop_front() {
                Some(Step::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Step::Bytes(bytes)) => {
                    self.intake.received.add(bytes.len());
                    return Ok(Some(bytes));
                }
                Some(Step::Pause(pause)) => tokio::time::sleep(pause).await,
                Some(Step::Break) => return Err(io::ErrorKind::ConnectionReset.into()),
                None => match self.body.frame().await {
                    Some(frame) => {
                        if let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() {
                            self.take(bytes);
                        }
                    }
                    // A body that is shorter than the fault wants it breaks at its end.
                    None if matches!(self.intake.effect, Some(Effect::ResetUpload { .. })) => {
                        return Err(io::ErrorKind::ConnectionReset.into());
                    }
                    None => return Ok(None),
                },
            }
        }
    }

    fn take(&mut self, bytes: Bytes) {
        let from = self.seen;
        self.seen += bytes.len() as u64;
        if self.intake.limit.is_some_and(|limit| self.seen > limit) {
            self.intake.exceeded.store(true, Ordering::Relaxed);
            self.steps.push_back(Step::Break);
            return;
        }
        match self.intake.effect {
            Some(Effect::ResetUpload { after }) if self.seen > after => {
                self.steps.extend([Step::Bytes(bytes.slice(..within(after, from, &bytes)))]);
                self.steps.push_back(Step::Break);
            }
            Some(Effect::StallUpload { after, pause }) if from <= after && after < self.seen => {
                let at = within(after, from, &bytes);
                let (before, later) = (bytes.slice(..at), bytes.slice(at..));
                self.steps.extend([Step::Bytes(before), Step::Pause(pause), Step::Bytes(later)]);
            }
            Some(Effect::CorruptUpload { at }) if from <= at && at < self.seen => {
                self.steps.push_back(Step::Bytes(flipped(&bytes, at - from)));
            }
            _ => self.steps.push_back(Step::Bytes(bytes)),
        }
    }
}

/// Where a position of the whole body is in `bytes`, which begin at `from`.
fn within(position: u64, from: u64, bytes: &Bytes) -> usize {
    clamped(position.saturating_sub(from), bytes)
}

fn clamped(position: u64, bytes: &Bytes) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len())
}

fn flipped(bytes: &Bytes, at: u64) -> Bytes {
    let mut other = bytes.to_vec();
    if let Some(byte) = usize::try_from(at).ok().and_then(|at| other.get_mut(at)) {
        *byte ^= 1;
    }
    Bytes::from(other)
}

/// An answer's body on its way out.
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    /// What `Content-Length` says; chunked coding if it says nothing.
    pub(super) length: Option<u64>,
}

impl Script {
    /// How `body` goes out under an effect.
    pub(super) fn of(body: Bytes, effect: Option<&Effect>) -> Self {
        let whole = Some(body.len() as u64);
        let broken = |after: u64| {
            let kept = body.slice(..clamped(after, &body));
            vec![Step::Bytes(kept), Step::Pause(ON_THEIR_WAY), Step::Break]
        };
        let (steps, length) = match effect {
            Some(Effect::ResetDownload { after }) => (broken(*after), whole),
            Some(Effect::CutChunked { after }) => (broken(*after), None),
            Some(Effect::EndEarly { after }) => {
                (vec![Step::Bytes(body.slice(..clamped(*after, &body)))], None)
            }
            Some(Effect::Corrupt) => (vec![Step::Bytes(flipped(&body, 0))], whole),
            Some(Effect::CorruptAt { at }) => (vec![Step::Bytes(flipped(&body, *at))], whole),
            Some(Effect::Shorten) if !body.is_empty() => {
                let last = body.len() - 1;
                (vec![Step::Bytes(body.slice(..last))], Some(last as u64))
            }
            Some(Effect::Repeat { from, length }) => (repeated(&body, *from, *length), whole),
            Some(Effect::StallDownload { after, pause }) => {
                let at = clamped(*after, &body);
                let (before, later) = (body.slice(..at), body.slice(at..));
                (vec![Step::Bytes(before), Step::Pause(*pause), Step::Bytes(later)], whole)
            }
            Some(Effect::Trickle { piece, pause }) => (trickled(&body, *piece, *pause), whole),
            _ => (vec![Step::Bytes(body)], whole),
        };
        Script { steps, length }
    }

    pub(super) fn play(self, sent: Counter) -> Body {
        let steps = VecDeque::from(self.steps);
        let frames = stream::try_unfold((steps, sent), |(mut steps, sent)| async move {
            loop {
                match steps.pop_front() {
                    None => return Ok(None),
                    Some(Step::Bytes(bytes)) if bytes.is_empty() => {}
                    Some(Step::Bytes(bytes)) => {
                        sent.add(bytes.len());
                        return Ok(Some((Frame::data(bytes), (steps, sent))));
                    }
                    Some(Step::Pause(pause)) => tokio::time::sleep(pause).await,
                    Some(Step::Break) => return Err(io::ErrorKind::ConnectionReset.into()),
                }
            }
        });
        StreamBody::new(frames).boxed_unsync()
    }
}

fn repeated(body: &Bytes, from: u64, length: u64) -> Vec<Step> {
    let from = clamped(from, body);
    let to = clamped(from as u64 + length, body);
    let last = body.len() - (to - from).min(body.len() - from);
    let again = body.slice(from..last.max(from));
    vec![Step::Bytes(body.slice(..to)), Step::Bytes(again)]
}

fn trickled(body: &Bytes, piece: usize, pause: Duration) -> Vec<Step> {
    let starts = (0..body.len()).step_by(piece.max(1));
    let pieces = starts.map(|at| body.slice(at..(at + piece.max(1)).min(body.len())));
    pieces.flat_map(|piece| [Step::Bytes(piece), Step::Pause(pause)]).collect()
}

/// Counts what of a body is sent.
pub(super) fn counted(body: Body, sent: Counter) -> Body {
    let count = move |frame: Frame<Bytes>| {
        if let Some(bytes) = frame.data_ref() {
            sent.add(bytes.len());
        }
        frame
    };
    body.map_frame(count).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes as text, `.` for a pause and `!` for a break, and the length that is told.
    fn show(effect: Effect) -> String {
        let script = Script::of(Bytes::from_static(b"0123456789"), Some(&effect));
        let step = |step: &Step| match step {
            Step::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Step::Pause(_) => ".".to_owned(),
            Step::Break => "!".to_owned(),
        };
        let steps: String = script.steps.iter().map(step).collect();
        format!("{steps} {:?}", script.length)
    }

    #[test]
    fn effects_on_an_answer_s_body() {
        let pause = Duration::from_secs(1);
        assert_eq!(show(Effect::ResetDownload { after: 3 }), "012.! Some(10)");
        assert_eq!(show(Effect::ResetDownload { after: 30 }), "0123456789.! Some(10)");
        assert_eq!(show(Effect::CutChunked { after: 3 }), "012.! None");
        assert_eq!(show(Effect::EndEarly { after: 3 }), "012 None");
        assert_eq!(show(Effect::Corrupt), "1123456789 Some(10)");
        assert_eq!(show(Effect::CorruptAt { at: 9 }), "0123456788 Some(10)");
        assert_eq!(show(Effect::Shorten), "012345678 Some(9)");
        assert_eq!(show(Effect::Repeat { from: 2, length: 3 }), "0123423456 Some(10)");
        assert_eq!(show(Effect::Repeat { from: 8, length: 9 }), "0123456789 Some(10)");
        assert_eq!(show(Effect::StallDownload { after: 4, pause }), "0123.456789 Some(10)");
        assert_eq!(show(Effect::Trickle { piece: 4, pause }), "0123.4567.89. Some(10)");
    }
}
