//! How often a host is asked: so many requests a second at most, and what it says of its own limit.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::{Instant, sleep_until};

/// Lets one request begin every so often.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

/// How many requests may begin at once after a pause, as a share of a second.
const BURST: Duration = Duration::from_millis(200);

impl Pace {
    /// At most so many requests a second; zero is no limit.
    pub(crate) fn per_second(requests: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(requests).unwrap_or_default();
        Pace { interval, next: Mutex::default() }
    }

    /// Waits for this request's turn.
    pub(crate) async fn turn(&self) {
        if let Some(turn) = self.take(Instant::now()) {
            sleep_until(turn).await;
        }
    }

    /// When the request of somebody who comes `now` may begin, if not at once.
    fn take(&self, now: Instant) -> Option<Instant> {
        if self.interval.is_zero() {
            return None;
        }
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let turn = next.map_or(earliest, |next| next.max(earliest));
        *next = Some(turn + self.interval);
        (turn > now).then_some(turn)
    }
}

/// What is left of what a registry grants (Docker Hub: `ratelimit-limit: 100;w=21600`, and
/// `ratelimit-remaining`; the header fields of draft-ietf-httpapi-ratelimit-headers-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests that are left.
    pub remaining: u64,
    /// Requests in a window.
    pub limit: u64,
    /// The window, if it is told.
    pub window: Option<Duration>,
}

impl Quota {
    /// Reads an answer's headers.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let (remaining, _) = number_and_window(text("ratelimit-remaining")?)?;
        let (limit, window) = number_and_window(text("ratelimit-limit")?)?;
        Some(Quota { remaining, limit, window })
    }

    /// Whether it is time to say so: a tenth is left, or less.
    pub(crate) fn runs_low(&self) -> bool {
        self.remaining <= self.limit / 10
    }
}

fn number_and_window(text: &str) -> Option<(u64, Option<Duration>)> {
    let mut parts = text.split(';').map(str::trim);
    let number = parts.next()?.split(',').next()?.trim().parse().ok()?;
    let window = parts.find_map(|part| part.strip_prefix("w=")?.parse().ok());
    Some((number, window.map(Duration::from_secs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_evenly_after_a_burst() {
        let pace = Pace::per_second(10);
        let now = Instant::now() + Duration::from_secs(10);
        let waits: Vec<u128> =
            (0..5).map(|_| pace.take(now).map_or(0, |turn| (turn - now).as_millis())).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        let later = now + Duration::from_secs(5);
        assert_eq!(pace.take(later), None, "a pause is not saved up");
        assert_eq!(Pace::per_second(0).take(now), None);
    }

    #[test]
    fn what_docker_hub_says() {
        let check = |limit: &str, remaining: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("ratelimit-limit", limit.parse().unwrap());
            headers.insert("ratelimit-remaining", remaining.parse().unwrap());
            Quota::of(&headers).map(|quota| (quota.remaining, quota.limit, quota.runs_low()))
        };
        assert_eq!(check("100;w=21600", "76;w=21600"), Some((76, 100, false)));
        assert_eq!(check("100;w=21600", "10;w=21600"), Some((10, 100, true)));
        assert_eq!(check("600", "599"), Some((599, 600, false)));
        assert_eq!(check("", "x"), None);
        assert_eq!(Quota::of(&HeaderMap::new()), None);
    }
}
