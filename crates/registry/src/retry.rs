//! When a request is tried again, and after how long a wait.
//!
//! Exponential backoff with full jitter, so that many jobs that broke at one moment do not come
//! back at one moment; a `Retry-After` (RFC 9110, 10.2.3) is obeyed as long as the budget lasts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How often and how long a request is tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries in a row without progress, the first included.
    pub attempts: u32,
    /// The first wait at most; each further one at most double.
    pub first_wait: Duration,
    /// No wait of our own choosing is longer.
    pub longest_wait: Duration,
    /// All waits together; a longer `Retry-After` is not waited for.
    pub budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 7,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(15),
            budget: Duration::from_secs(180),
        }
    }
}

/// The waits of one operation.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    policy: RetryPolicy,
    failures: u32,
    waited: Duration,
}

impl Backoff {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Backoff { policy, failures: 0, waited: Duration::ZERO }
    }

    /// How long to wait after a failure, or `None` if it was the last try.
    ///
    /// `asked` is what the other side asked for; a little is added, so that all who were asked to
    /// wait until one second do not come back in it.
    pub(crate) fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        if self.failures >= self.policy.attempts {
            return None;
        }
        let doublings = (self.failures - 1).min(16);
        let ceiling = (self.policy.first_wait * 2_u32.pow(doublings)).min(self.policy.longest_wait);
        let jittered = ceiling.mul_f64(0.25 + 0.75 * random_fraction());
        let extra = self.policy.first_wait.mul_f64(random_fraction());
        let wait = asked.map_or(jittered, |asked| asked.saturating_add(extra));
        if self.waited.saturating_add(wait) > self.policy.budget {
            return None;
        }
        self.waited += wait;
        Some(wait)
    }

    /// Counts tries from zero again, because there was progress. The time budget is not renewed.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
    }
}

/// Whether an answer with this status may be another one next time.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    // 408, 425 and 429 by name (RFC 9110, RFC 8470, RFC 6585), and what gateways say of a server
    // that is down or busy. 501 and 505 stay what they are.
    matches!(status.as_u16(), 408 | 425 | 429 | 499 | 500 | 502..=504 | 509 | 520..=524)
}

/// The wait that an answer asks for: seconds, or a date, which is read against the answer's own
/// `Date`, so that no clock of ours needs to be right.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?.trim()).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

/// A number from 0 to 1 that differs from process to process: the standard library's hash keys are
/// the randomness at hand, and jitter needs no better.
fn random_fraction() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let policy = RetryPolicy {
            attempts: 4,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_millis(250),
            budget: Duration::from_secs(10),
        };
        let mut backoff = Backoff::new(policy);
        for ceiling in [100, 200, 250] {
            let wait = backoff.next_wait(None).unwrap().as_millis();
            assert!((ceiling / 4..=ceiling).contains(&wait), "{wait} of at most {ceiling}");
        }
        assert_eq!(backoff.next_wait(None), None, "four tries have three waits between them");
    }

    #[test]
    fn a_wait_that_is_asked_for_is_obeyed_within_the_budget() {
        let mut backoff = Backoff::new(RetryPolicy::default());
        let wait = backoff.next_wait(Some(Duration::from_secs(100))).unwrap();
        assert!(wait >= Duration::from_secs(100) && wait < Duration::from_secs(101));
        assert_eq!(backoff.next_wait(Some(Duration::from_secs(100))), None);
        assert_eq!(backoff.next_wait(Some(Duration::MAX)), None, "no wait is too long to compare");
    }

    #[test]
    fn both_forms_of_retry_after() {
        let check = |pairs: &[(reqwest::header::HeaderName, &str)], seconds: Option<u64>| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            assert_eq!(retry_after(&pairs.collect()), seconds.map(Duration::from_secs));
        };
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        check(&[(RETRY_AFTER, "7")], Some(7));
        check(&[(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:30 GMT"), (DATE, date)], Some(30));
        check(&[(RETRY_AFTER, "Wed, 21 Oct 2026 07:27:30 GMT"), (DATE, date)], Some(0));
        check(&[(RETRY_AFTER, date)], None);
        check(&[(RETRY_AFTER, "soon")], None);
        check(&[], None);
    }
}
