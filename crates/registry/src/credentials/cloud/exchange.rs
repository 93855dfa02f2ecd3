//! One question to a cloud's service, and what it answers.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};
use url::form_urlencoded::Serializer;
use url::{Host, Url};

use crate::credentials::cloud::{CloudProblem, Means};
use crate::error::RequestLine;
use crate::retry::{Backoff, is_passing, retry_after};
use crate::wire::{Payload, Wire};
use crate::{PublicUrl, Secret};

/// The most that an answer may have.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;

/// How long the machine's own metadata service may take: it is a hop away, or not there at all.
const MACHINE_LIMIT: Duration = Duration::from_secs(2);

/// A question to come.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    reach: Reach,
    hidden: Vec<Secret>,
}

/// How a service is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As registries are.
    Usual,
    /// Past all proxies, without patience: it is on the machine or right beside it.
    Machine,
}

/// An answer, whatever its status.
pub(super) struct Answered {
    url: PublicUrl,
    pub(super) status: StatusCode,
    body: Vec<u8>,
    hidden: Vec<Secret>,
}

impl Ask {
    pub(super) fn new(method: Method, url: Url, reach: Reach) -> Self {
        let (headers, body, hidden) = (HeaderMap::new(), Bytes::new(), Vec::new());
        Ask { method, url, headers, body, reach, hidden }
    }

    pub(super) fn get(url: Url, reach: Reach) -> Self {
        Ask::new(Method::GET, url, reach)
    }

    /// A form, as OAuth2 and the AWS query protocol have it.
    pub(super) fn form(url: Url, fields: &[(&str, &str)]) -> Self {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let form_type = "application/x-www-form-urlencoded";
        Ask::post(url, form_type, body)
    }

    pub(super) fn post(url: Url, content_type: &'static str, body: String) -> Self {
        let mut ask = Ask::new(Method::POST, url, Reach::Usual);
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        ask.body = Bytes::from(body);
        ask
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// A header whose value must not be shown.
    pub(super) fn secret_header(
        mut self,
        name: &'static str,
        value: &Secret,
    ) -> Result<Self, CloudProblem> {
        let wrong = "not the text of a header";
        let bad = |_| CloudProblem::Setting { what: format!("the value of `{name}`"), wrong };
        let mut text = HeaderValue::from_str(value.expose()).map_err(bad)?;
        text.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), text);
        Ok(self.hiding(value))
    }

    /// Keeps a secret that the question carries out of whatever is said of the answer.
    pub(super) fn hiding(mut self, secret: &Secret) -> Self {
        self.hidden.push(secret.clone());
        self
    }

    /// Asks, and again if a failure may pass.
    pub(super) async fn send(self, means: &Means<'_>) -> Result<Answered, CloudProblem> {
        let guarded = self.reach == Reach::Machine && is_beside(&self.url);
        if !guarded && !means.wire.may_carry_credentials(&self.url) {
            return Err(CloudProblem::Plain { url: PublicUrl::from(&self.url) });
        }
        if self.reach == Reach::Machine {
            let unproxied = means.wire.unproxied().map_err(no_answer)?;
            let late = |_| {
                let request = RequestLine::new(&self.method, &self.url);
                no_answer(crate::Error::TimedOut { request, after: MACHINE_LIMIT })
            };
            let (answered, _) =
                timeout(MACHINE_LIMIT, self.once(&unproxied)).await.map_err(late)??;
            return Ok(answered);
        }
        let mut backoff = Backoff::new(means.retry);
        loop {
            let sent = self.once(means.wire).await;
            let pause = match &sent {
                Ok((answered, pause)) if is_passing(answered.status) => *pause,
                Err(_) => None,
                Ok(_) => return sent.map(|(answered, _)| answered),
            };
            match backoff.next_wait(pause) {
                Some(wait) => sleep(wait).await,
                None => return sent.map(|(answered, _)| answered),
            }
        }
    }

    async fn once(&self, wire: &Wire) -> Result<(Answered, Option<Duration>), CloudProblem> {
        let payload = match self.body.is_empty() {
            true => Payload::Empty,
            false => Payload::Bytes(self.body.clone()),
        };
        let sent = wire.exchange(&self.method, &self.url, self.headers.clone(), &payload).await;
        let mut reply = sent.map_err(no_answer)?;
        let pause = retry_after(reply.headers());
        let (status, url) = (reply.status(), PublicUrl::from(&self.url));
        let body = reply.body(MAX_ANSWER_BYTES).await.map_err(no_answer)?;
        let body = body.ok_or_else(|| CloudProblem::NoAnswer {
            cause: format!("{url} answered with more than {MAX_ANSWER_BYTES} bytes"),
        })?;
        Ok((Answered { url, status, body, hidden: self.hidden.clone() }, pause))
    }
}

fn no_answer(error: crate::Error) -> CloudProblem {
    CloudProblem::NoAnswer { cause: error.to_string() }
}

/// The addresses at which clouds put services beside a machine, where nobody else can listen:
/// link-local ones, and the names that clouds give them.
fn is_beside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_link_local() || address.is_loopback(),
        // EC2 and EKS have theirs in fd00:ec2::/32.
        Some(Host::Ipv6(address)) => {
            address.segments()[..2] == [0xfd00, 0x0ec2] || address.is_loopback()
        }
        Some(Host::Domain(name)) => name == "metadata.google.internal" || name == "metadata",
        None => false,
    }
}

impl Answered {
    /// Itself if the cloud agreed.
    pub(super) fn success(self) -> Result<Self, CloudProblem> {
        if self.status.is_success() { Ok(self) } else { Err(self.refusal()) }
    }

    pub(super) fn refusal(&self) -> CloudProblem {
        let (url, status) = (self.url.clone(), self.status.as_u16());
        CloudProblem::Refused { url, status, said: self.said() }
    }

    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The answer as JSON; serde's own message could quote it, so `lacking` says what was hoped
    /// for.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        lacking: &'static str,
    ) -> Result<T, CloudProblem> {
        serde_json::from_slice(&self.body).map_err(|_| self.lacks(lacking))
    }

    pub(super) fn lacks(&self, lacking: &'static str) -> CloudProblem {
        CloudProblem::Answer { url: self.url.clone(), lacking }
    }

    /// The text of the first element of this name, in an answer of the AWS query protocol. Its
    /// values are identifiers and base64, which XML does not change.
    pub(super) fn element(&self, name: &'static str) -> Result<String, CloudProblem> {
        let text = self.text();
        let found = element(&text, name).filter(|value| !value.is_empty());
        found.map(str::to_owned).ok_or_else(|| self.lacks(name))
    }

    /// What a refusal says, in the forms of the three clouds, as it may be shown.
    fn said(&self) -> String {
        #[derive(Default, Deserialize)]
        struct Said {
            #[serde(rename = "__type")]
            kind: Option<String>,
            code: Option<serde_json::Value>,
            error: Option<serde_json::Value>,
            message: Option<String>,
            #[serde(rename = "Message")]
            aws_message: Option<String>,
            error_description: Option<String>,
        }
        let text = self.text();
        let said: Said = serde_json::from_slice(&self.body).unwrap_or_default();
        let words = |value: Option<serde_json::Value>| match value? {
            serde_json::Value::String(text) => Some(text),
            // Google's services nest it.
            serde_json::Value::Object(fields) => Some(fields.get("message")?.as_str()?.to_owned()),
            _ => None,
        };
        let in_xml = |name| element(&text, name).map(str::to_owned);
        let code = said.kind.or(words(said.code)).or(words(said.error)).or(in_xml("Code"));
        let message = said.message.or(said.aws_message).or(said.error_description);
        let message = message.or(in_xml("Message"));
        let mut shown: String = match (code, message) {
            (Some(code), Some(message)) => format!(": {code} ({message})"),
            (Some(one), None) | (None, Some(one)) => format!(": {one}"),
            (None, None) => return String::new(),
        };
        for secret in self.hidden.iter().filter(|secret| !secret.expose().is_empty()) {
            shown = shown.replace(secret.expose(), "…");
        }
        shown.chars().filter(|c| !c.is_control()).take(400).collect()
    }
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value.trim())
}
