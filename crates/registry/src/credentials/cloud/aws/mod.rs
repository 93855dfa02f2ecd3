//! Amazon's registries: region and account from the host's name, keys from where AWS's own
//! programs find them, and a password for them (ECR API reference, "GetAuthorizationToken").

mod metadata;
mod process;
mod profile;
pub(super) mod signature;
mod sso;
mod sts;

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::Secret;
use crate::credentials::Credential;
use crate::credentials::cloud::exchange::Ask;
use crate::credentials::cloud::{CloudProblem, CloudSource, Found, Lent, Means, until};
use signature::{Scope, sign};

/// What signs requests.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
}

/// A registry of Amazon's, as its name tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EcrHost {
    /// An account's own.
    Private {
        account: String,
        region: String,
        /// Where its API is.
        api: String,
    },
    /// The gallery that is open to all.
    Public,
}

impl EcrHost {
    /// Reads a registry's name, all of it: `ID.dkr.ecr.REGION.amazonaws.com`, its forms in other
    /// partitions, with FIPS, and with both stacks (`ID.dkr-ecr.REGION.on.aws`).
    pub(super) fn parse(registry: &str) -> Option<Self> {
        if registry == "public.ecr.aws" {
            return Some(EcrHost::Public);
        }
        let (account, rest) = registry.split_once('.')?;
        let both_stacks = rest.starts_with("dkr-ecr");
        let rest = rest.strip_prefix("dkr-ecr").or_else(|| rest.strip_prefix("dkr.ecr"))?;
        let (service, rest) = match rest.strip_prefix("-fips") {
            Some(rest) => ("ecr-fips", rest),
            None => ("ecr", rest),
        };
        let (region, suffix) = rest.strip_prefix('.')?.split_once('.')?;
        let is_word =
            |text: &str, allowed: fn(u8) -> bool| !text.is_empty() && text.bytes().all(allowed);
        let is_account = account.len() == 12 && is_word(account, |b| b.is_ascii_digit());
        let is_region =
            is_word(region, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let api = match (both_stacks, suffix) {
            (false, "amazonaws.com" | "amazonaws.com.cn" | "amazonaws.eu") => {
                let prefix = if service == "ecr" { "api." } else { "" };
                format!("https://{prefix}{service}.{region}.{suffix}/")
            }
            (true, "on.aws") => format!("https://{service}.{region}.api.aws/"),
            (true, "on.amazonwebservices.com.cn") => {
                format!("https://{service}.{region}.api.amazonwebservices.com.cn/")
            }
            _ => return None,
        };
        let (account, region) = (account.to_owned(), region.to_owned());
        (is_account && is_region).then_some(EcrHost::Private { account, region, api })
    }

    fn region(&self) -> &str {
        match self {
            EcrHost::Private { region, .. } => region,
            // The only one that has its API.
            EcrHost::Public => "us-east-1",
        }
    }
}

/// Keys from the first source that is configured, and a password for them.
pub(super) async fn log_in(means: &Means<'_>, registry: &str) -> Found<Lent> {
    let Some(host) = EcrHost::parse(registry) else { return Ok(None) };
    let Some((keys, by)) = find_keys(means, host.region()).await? else { return Ok(None) };
    let password = authorization_token(means, &host, &keys).await;
    let (credential, good_until) = password.map_err(|problem| by.failed(problem))?;
    Ok(Some(Lent { credential, good_until, by }))
}

/// In the order of AWS's own programs.
pub(super) async fn find_keys(means: &Means<'_>, region: &str) -> Found<(Keys, CloudSource)> {
    let by = CloudSource::AwsVariables;
    if let Some(keys) = from_variables(means).map_err(|problem| by.failed(problem))? {
        return Ok(Some((keys, by)));
    }
    let by = CloudSource::AwsWebIdentity;
    let environment = means.environment;
    if let Some(file) = environment.path("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let assumed = async {
            let role = sts::Role {
                arn: environment.needed("AWS_ROLE_ARN")?.to_owned(),
                session: environment.text("AWS_ROLE_SESSION_NAME").map(str::to_owned),
                external_id: None,
            };
            sts::assume_by_web_identity(means, region, &role, &file).await
        };
        let keys = assumed.await.map_err(|problem| by.failed(problem))?;
        return Ok(Some((keys, by)));
    }
    let name = environment.text("AWS_PROFILE").unwrap_or(profile::DEFAULT);
    let by = CloudSource::AwsProfile(name.to_owned());
    let found = profile::keys(means, region, name).await.map_err(|problem| by.failed(problem))?;
    if let Some(keys) = found {
        return Ok(Some((keys, by)));
    }
    let by = CloudSource::AwsContainer;
    let found = metadata::container(means).await.map_err(|problem| by.failed(problem))?;
    if let Some(keys) = found {
        return Ok(Some((keys, by)));
    }
    let by = CloudSource::AwsInstance;
    let found = metadata::instance(means).await.map_err(|problem| by.failed(problem))?;
    Ok(found.map(|keys| (keys, by)))
}

fn from_variables(means: &Means<'_>) -> Result<Option<Keys>, CloudProblem> {
    let environment = means.environment;
    let Some(id) = environment.text("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let secret = Secret::new(environment.needed("AWS_SECRET_ACCESS_KEY")?);
    let token = environment.secret("AWS_SESSION_TOKEN").cloned();
    Ok(Some(Keys { id: id.to_owned(), secret, token }))
}

/// Where a service's API is: AWS's own variables for it come first.
pub(super) fn endpoint(
    means: &Means<'_>,
    own: &'static str,
    usual: &str,
) -> Result<Url, CloudProblem> {
    let named = [own, "AWS_ENDPOINT_URL"].into_iter();
    let set = named.filter_map(|name| Some((name, means.environment.text(name)?))).next();
    let (name, text) = set.unwrap_or(("the endpoint", usual));
    let bad = |_| CloudProblem::Setting { what: name.to_owned(), wrong: "not a URL" };
    Url::parse(text).map_err(bad)
}

async fn authorization_token(
    means: &Means<'_>,
    host: &EcrHost,
    keys: &Keys,
) -> Result<(Credential, Option<Instant>), CloudProblem> {
    let (url, service, target, body) = match host {
        EcrHost::Private { account, api, .. } => (
            endpoint(means, "AWS_ENDPOINT_URL_ECR", api)?,
            "ecr",
            "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
            json!({ "registryIds": [account] }),
        ),
        EcrHost::Public => (
            endpoint(
                means,
                "AWS_ENDPOINT_URL_ECR_PUBLIC",
                "https://api.ecr-public.us-east-1.amazonaws.com/",
            )?,
            "ecr-public",
            "SpencerFrontendService.GetAuthorizationToken",
            json!({}),
        ),
    };
    let ask = Ask::post(url, "application/x-amz-json-1.1", body.to_string())
        .header("x-amz-target", target)
        .hiding(&keys.secret);
    let scope = Scope { region: host.region(), service, now: means.environment.now() };
    let answered = sign(ask, keys, &scope)?.send(means).await?.success()?;
    let lacking = "authorizationToken";
    let data = answered.json::<Authorization>(lacking)?.data.into_first();
    let data = data.ok_or_else(|| answered.lacks(lacking))?;
    let decoded = STANDARD.decode(data.token.expose()).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) =
        decoded.as_deref().and_then(|text| text.split_once(':')).ok_or(answered.lacks(lacking))?;
    let credential =
        Credential::Password { user: user.to_owned(), password: Secret::new(password) };
    let told = data.expires_at.filter(|seconds| (0.0..1e11).contains(seconds));
    let end = told.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds));
    Ok((credential, end.map(|end| until(means.environment.now(), end))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorization {
    #[serde(rename = "authorizationData")]
    data: OneOrMany,
}

/// The private registry's API has a list, that of the public one an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(AuthorizationData),
    Many(Vec<AuthorizationData>),
}

impl OneOrMany {
    fn into_first(self) -> Option<AuthorizationData> {
        match self {
            OneOrMany::One(data) => Some(data),
            OneOrMany::Many(all) => all.into_iter().next(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationData {
    #[serde(rename = "authorizationToken")]
    token: Secret,
    expires_at: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_by_their_names() {
        let show = |registry: &str| match EcrHost::parse(registry) {
            Some(EcrHost::Private { account, region, api }) => format!("{account} {region} {api}"),
            Some(EcrHost::Public) => "public".to_owned(),
            None => "no".to_owned(),
        };
        insta::assert_snapshot!(show("123456789012.dkr.ecr.eu-west-1.amazonaws.com"), @"123456789012 eu-west-1 https://api.ecr.eu-west-1.amazonaws.com/");
        insta::assert_snapshot!(show("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"), @"123456789012 cn-north-1 https://api.ecr.cn-north-1.amazonaws.com.cn/");
        insta::assert_snapshot!(show("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"), @"123456789012 us-gov-west-1 https://ecr-fips.us-gov-west-1.amazonaws.com/");
        insta::assert_snapshot!(show("123456789012.dkr-ecr.us-east-1.on.aws"), @"123456789012 us-east-1 https://ecr.us-east-1.api.aws/");
        insta::assert_snapshot!(show("123456789012.dkr-ecr-fips.us-east-1.on.aws"), @"123456789012 us-east-1 https://ecr-fips.us-east-1.api.aws/");
        insta::assert_snapshot!(show("public.ecr.aws"), @"public");
    }

    #[test]
    fn look_alikes_are_not_amazons() {
        for registry in [
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.example",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443",
            "123456789012.dkr.ecr.eu-west-1.example-amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1/x.amazonaws.com",
            "123456789012.dkr.ecr.evil.example.amazonaws.com",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr-ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecrx.eu-west-1.amazonaws.com",
            "1234.dkr.ecr.eu-west-1.amazonaws.com",
            "x.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "public.ecr.aws.example",
            "xpublic.ecr.aws",
            "",
        ] {
            assert_eq!(EcrHost::parse(registry), None, "{registry}");
        }
    }
}
