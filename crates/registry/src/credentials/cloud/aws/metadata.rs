//! Keys that a container's runtime or an EC2 instance's metadata service hands out (Amazon ECS
//! developer guide, "Task IAM role"; Amazon EC2 user guide, "Use IMDSv2").

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::Secret;
use crate::credentials::cloud::aws::Keys;
use crate::credentials::cloud::environment::read;
use crate::credentials::cloud::exchange::{Answered, Ask, Reach};
use crate::credentials::cloud::{CloudProblem, Means};

/// Where ECS has its endpoint, to which `…_RELATIVE_URI` is relative.
const CONTAINER: &str = "http://169.254.170.2";
const INSTANCE: &str = "http://169.254.169.254";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Handed {
    access_key_id: String,
    secret_access_key: Secret,
    token: Option<Secret>,
}

fn keys(answered: &Answered) -> Result<Keys, CloudProblem> {
    let handed: Handed = answered.json("AccessKeyId")?;
    Ok(Keys { id: handed.access_key_id, secret: handed.secret_access_key, token: handed.token })
}

fn parse(name: &str, text: &str) -> Result<Url, CloudProblem> {
    let bad = |_| CloudProblem::Setting { what: name.to_owned(), wrong: "not a URL" };
    Url::parse(text).map_err(bad)
}

/// From the endpoint that the variables name.
pub(super) async fn container(means: &Means<'_>) -> Result<Option<Keys>, CloudProblem> {
    let environment = means.environment;
    let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let url = if let Some(path) = environment.text(relative) {
        parse(relative, &format!("{CONTAINER}/{}", path.trim_start_matches('/')))?
    } else if let Some(text) = environment.text(full) {
        parse(full, text)?
    } else {
        return Ok(None);
    };
    let mut ask = Ask::get(url, Reach::Machine);
    let token = match environment.path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(Secret::new(read(&file)?.expose().trim())),
        None => environment.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN").cloned(),
    };
    if let Some(token) = token {
        ask = ask.secret_header("authorization", &token)?;
    }
    keys(&ask.send(means).await?.success()?).map(Some)
}

/// From the instance's metadata, in its second version: first a token, then with it the rest.
pub(super) async fn instance(means: &Means<'_>) -> Result<Option<Keys>, CloudProblem> {
    let environment = means.environment;
    if environment.is_on("AWS_EC2_METADATA_DISABLED") {
        return Ok(None);
    }
    let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    let Some(named) = environment.text(name) else {
        let is_there = environment.machine_is("sys_vendor", "Amazon EC2")
            || environment.machine_is("product_version", "amazon");
        if !is_there {
            return Ok(None);
        }
        return match instance_at(means, &parse(name, INSTANCE)?).await {
            // Often it is one hop too far from a container, or not for it.
            Err(CloudProblem::NoAnswer { .. }) => Ok(None),
            other => other,
        };
    };
    instance_at(means, &parse(name, named)?).await
}

async fn instance_at(means: &Means<'_>, base: &Url) -> Result<Option<Keys>, CloudProblem> {
    let at = |path: &str| {
        let url = format!("{}/latest/{path}", base.as_str().trim_end_matches('/'));
        parse("the metadata service's answer", &url)
    };
    let ask = Ask::new(Method::PUT, at("api/token")?, Reach::Machine)
        .header("x-aws-ec2-metadata-token-ttl-seconds", "300");
    let answered = ask.send(means).await?.success()?;
    let token = Secret::new(answered.text().trim());
    let get = async |path: &str| {
        let ask = Ask::get(at(path)?, Reach::Machine);
        ask.secret_header("x-aws-ec2-metadata-token", &token)?.send(means).await
    };
    let roles = "meta-data/iam/security-credentials/";
    let listed = get(roles).await?;
    if listed.status == StatusCode::NOT_FOUND {
        // The instance has no role.
        return Ok(None);
    }
    let listed = listed.success()?;
    let text = listed.text();
    let Some(role) = text.lines().next().map(str::trim).filter(|role| !role.is_empty()) else {
        return Ok(None);
    };
    keys(&get(&format!("{roles}{role}")).await?.success()?).map(Some)
}
