//! Signatures of requests to AWS (AWS IAM user guide, "Create a signed AWS API request").

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use url::Url;

use crate::credentials::cloud::CloudProblem;
use crate::credentials::cloud::aws::Keys;
use crate::credentials::cloud::exchange::Ask;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// What a signature is good for.
pub(in super::super) struct Scope<'a> {
    pub(in super::super) region: &'a str,
    pub(in super::super) service: &'a str,
    pub(in super::super) now: SystemTime,
}

/// Signs a request: all of its headers, its URL and its body.
pub(in super::super) fn sign(
    ask: Ask,
    keys: &Keys,
    scope: &Scope<'_>,
) -> Result<Ask, CloudProblem> {
    let time = timestamp(scope.now)?;
    let day = &time[..8];
    let mut ask = match &keys.token {
        Some(token) => ask.secret_header("x-amz-security-token", token)?,
        None => ask,
    };
    ask.headers.insert(DATE, text_value(&time)?);
    let (canonical, signed_headers) = canonical(&ask);
    let credential_scope = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign =
        format!("{ALGORITHM}\n{time}\n{credential_scope}\n{}", hash(canonical.as_bytes()));
    let first = format!("AWS4{}", keys.secret.expose());
    let parts = [day, scope.region, scope.service, "aws4_request", &to_sign];
    let signature = parts.iter().fold(first.into_bytes(), |key, part| {
        hmac::sign(&hmac::Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
    });
    let header = format!(
        "{ALGORITHM} Credential={}/{credential_scope}, SignedHeaders={signed_headers}, \
         Signature={}",
        keys.id,
        hex(&signature)
    );
    ask.headers.insert(AUTHORIZATION, text_value(&header)?);
    Ok(ask)
}

fn text_value(text: &str) -> Result<HeaderValue, CloudProblem> {
    let what = "the access key's id".to_owned();
    let bad = |_| CloudProblem::Setting { what, wrong: "not the text of a header" };
    let mut value = HeaderValue::from_str(text).map_err(bad)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The request in the one form that both sides hash, and the names of its headers.
fn canonical(ask: &Ask) -> (String, String) {
    let mut headers = BTreeMap::from([("host".to_owned(), host(&ask.url))]);
    for (name, value) in &ask.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
        headers.insert(name.as_str().to_owned(), value);
    }
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let mut query: Vec<&str> =
        ask.url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        ask.method,
        ask.url.path(),
        query.join("&"),
        hash(&ask.body)
    );
    (canonical, names)
}

/// `Host` as it is sent: without the port that is the scheme's own.
pub(in super::super) fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}

/// `20150830T123600Z`
fn timestamp(now: SystemTime) -> Result<String, CloudProblem> {
    let bad = |_| CloudProblem::Setting { what: "the clock".to_owned(), wrong: "out of range" };
    let now = jiff::Timestamp::try_from(now).map_err(bad)?;
    Ok(now.strftime("%Y%m%dT%H%M%SZ").to_string())
}

fn hash(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Secret;
    use crate::credentials::cloud::exchange::Reach;

    /// The keys, the time and the answers are those of AWS's published examples.
    #[test]
    fn the_published_examples() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let keys = Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: None,
        };
        let check = |url: &str, content_type: Option<&'static str>, service| {
            let mut ask = Ask::get(Url::parse(url).unwrap(), Reach::Usual);
            if let Some(content_type) = content_type {
                ask = ask.header("content-type", content_type);
            }
            let signed = sign(ask, &keys, &Scope { region: "us-east-1", service, now }).unwrap();
            signed.headers[AUTHORIZATION].to_str().unwrap().to_owned()
        };
        insta::assert_snapshot!(check("https://example.amazonaws.com/", None, "service"), @"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        let users = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        insta::assert_snapshot!(check(users, Some(form), "iam"), @"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    }

    /// The signature is what AWS's own library for Python (botocore 1.43) makes of the same.
    #[test]
    fn a_session_s_request_as_aws_s_own_library_signs_it() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let keys = Keys {
            id: "ASIAEXAMPLE".to_owned(),
            secret: Secret::new("SECRET-KEY"),
            token: Some(Secret::new("SECRET-TOKEN/+=")),
        };
        let url = Url::parse("https://api.ecr.eu-west-1.amazonaws.com/").unwrap();
        let body = r#"{"registryIds":["123456789012"]}"#.to_owned();
        let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
        let ask = Ask::post(url, "application/x-amz-json-1.1", body).header("x-amz-target", target);
        let scope = Scope { region: "eu-west-1", service: "ecr", now };
        let signed = sign(ask, &keys, &scope).unwrap();
        insta::assert_snapshot!(signed.headers[AUTHORIZATION].to_str().unwrap(), @"AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20150830/eu-west-1/ecr/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=564bc7fd670ab00ec233f56b997b410b527ebeff22606c1fa1a680c6ff56229e");
    }
}
