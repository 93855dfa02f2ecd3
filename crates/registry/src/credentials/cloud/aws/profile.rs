//! Keys from a profile of the AWS configuration files (AWS SDKs reference guide, "Shared config
//! and credentials files"): its own, or those of a role that it takes on from another's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::Secret;
use crate::credentials::cloud::aws::sts::{self, Role};
use crate::credentials::cloud::aws::{Keys, from_variables, metadata, process, sso};
use crate::credentials::cloud::environment::read_if_there;
use crate::credentials::cloud::{CloudProblem, Means};

/// The profile where none is named.
pub(super) const DEFAULT: &str = "default";

/// The settings of a profile.
pub(super) type Profile = BTreeMap<String, Secret>;

/// A profile's keys; `None` if nobody named it and nothing in it is of use here.
pub(super) async fn keys(
    means: &Means<'_>,
    region: &str,
    name: &str,
) -> Result<Option<Keys>, CloudProblem> {
    let profiles = read_profiles(means)?;
    match follow(means, region, &profiles, name).await {
        Err(Dead::Unusable(_)) if means.environment.text("AWS_PROFILE").is_none() => Ok(None),
        Err(Dead::Unusable(problem) | Dead::End(problem)) => Err(problem),
        Ok(keys) => Ok(Some(keys)),
    }
}

/// Why a profile leads to no keys.
enum Dead {
    /// It does not hold any that this program could use.
    Unusable(CloudProblem),
    /// It holds some, and they fail.
    End(CloudProblem),
}

impl From<CloudProblem> for Dead {
    fn from(problem: CloudProblem) -> Self {
        Dead::End(problem)
    }
}

/// From role to source profile until there are keys, and back with them from role to role.
async fn follow(
    means: &Means<'_>,
    region: &str,
    profiles: &BTreeMap<String, Profile>,
    first: &str,
) -> Result<Keys, Dead> {
    let mut roles = Vec::new();
    let mut seen = BTreeSet::new();
    let mut name = first;
    let mut keys = loop {
        let setting = |wrong| CloudProblem::Setting { what: format!("profile `{name}`"), wrong };
        let profile = profiles.get(name).ok_or_else(|| Dead::Unusable(setting("not there")))?;
        let text = |key: &str| profile.get(key).map(Secret::expose);
        let Some(arn) = text("role_arn").filter(|_| seen.insert(name)) else {
            break own_keys(means, profiles, profile, name).await?;
        };
        if text("mfa_serial").is_some() {
            return Err(CloudProblem::NotBuiltIn { what: "`mfa_serial`".into() }.into());
        }
        let role = Role {
            arn: arn.to_owned(),
            session: text("role_session_name").map(str::to_owned),
            external_id: text("external_id").map(str::to_owned),
        };
        if let Some(file) = text("web_identity_token_file") {
            let file = means.environment.expand(file);
            break sts::assume_by_web_identity(means, region, &role, &file).await?;
        }
        roles.push(role);
        match (text("source_profile"), text("credential_source")) {
            (Some(source), _) => name = source,
            (None, Some(source)) => break from_source(means, source).await?,
            (None, None) => return Err(setting("without a source for its role").into()),
        }
    };
    for role in roles.iter().rev() {
        keys = sts::assume(means, region, role, &keys).await?;
    }
    Ok(keys)
}

/// Keys that stand in a profile, that a program tells, or that a login in the browser is good for.
async fn own_keys(
    means: &Means<'_>,
    profiles: &BTreeMap<String, Profile>,
    profile: &Profile,
    name: &str,
) -> Result<Keys, Dead> {
    let of = |key: &str| profile.get(key).cloned();
    if let (Some(id), Some(secret)) = (of("aws_access_key_id"), of("aws_secret_access_key")) {
        let token = of("aws_session_token");
        return Ok(Keys { id: id.expose().to_owned(), secret, token });
    }
    if let Some(session) = profile.get("sso_session") {
        let section = format!("sso-session {}", session.expose());
        let what = format!("`sso_session` of profile `{name}`");
        let missing = CloudProblem::Setting { what, wrong: "not there" };
        let section = profiles.get(&section).ok_or(missing)?;
        return Ok(sso::keys(means, name, profile, section, session.expose()).await?);
    }
    if let Some(start) = profile.get("sso_start_url") {
        return Ok(sso::keys(means, name, profile, profile, start.expose()).await?);
    }
    if let Some(command) = profile.get("credential_process") {
        return Ok(process::keys(command.expose()).await?);
    }
    let what = format!("profile `{name}`");
    Err(Dead::Unusable(CloudProblem::Setting { what, wrong: "without keys" }))
}

async fn from_source(means: &Means<'_>, source: &str) -> Result<Keys, CloudProblem> {
    let found = match source {
        "Environment" => from_variables(means)?,
        "EcsContainer" => metadata::container(means).await?,
        "Ec2InstanceMetadata" => metadata::instance(means).await?,
        _ => None,
    };
    let what = "`credential_source`".to_owned();
    found.ok_or(CloudProblem::Setting { what, wrong: "a source without keys" })
}

/// Both files; where both have a setting, that of the credentials file counts.
fn read_profiles(means: &Means<'_>) -> Result<BTreeMap<String, Profile>, CloudProblem> {
    let environment = means.environment;
    let path = |variable: &str, usual: &str| -> Option<PathBuf> {
        environment.path(variable).or_else(|| environment.in_home(usual))
    };
    let config = path("AWS_CONFIG_FILE", ".aws/config");
    let credentials = path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    let mut profiles: BTreeMap<String, Profile> = BTreeMap::new();
    for file in [config, credentials].into_iter().flatten() {
        let Some(text) = read_if_there(&file)? else { continue };
        for (name, profile) in parse(text.expose()) {
            profiles.entry(name).or_default().extend(profile);
        }
    }
    Ok(profiles)
}

/// `[profile NAME]` in the one file, `[NAME]` in the other, and `key = value` below.
fn parse(text: &str) -> BTreeMap<String, Profile> {
    let mut profiles: BTreeMap<String, Profile> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        // What is indented belongs to a setting that holds settings, of which none is about keys.
        if line.starts_with([' ', '\t', '#', ';']) || line.trim().is_empty() {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default().trim();
            let name = header.strip_prefix("profile ").unwrap_or(header).trim();
            current = Some(name.trim_matches('"').to_owned());
            continue;
        }
        if let (Some(name), Some((key, value))) = (&current, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            let profile = profiles.entry(name.clone()).or_default();
            profile.insert(key.trim().to_ascii_lowercase(), Secret::new(value));
        }
    }
    profiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_sections() {
        let text = "\
# a comment
[default]
region = eu-west-1
aws_access_key_id=SECRET-ID
s3 =
  aws_access_key_id = nested
[profile \"with blank\"]
role_arn = arn:aws:iam::1:role/r # why
[sso-session x]
broken line
";
        let profiles = parse(text);
        let show = |name: &str, key: &str| {
            profiles.get(name).and_then(|profile| profile.get(key)).map(Secret::expose)
        };
        assert_eq!(show("default", "aws_access_key_id"), Some("SECRET-ID"));
        assert_eq!(show("with blank", "role_arn"), Some("arn:aws:iam::1:role/r"));
        assert_eq!(show("sso-session x", "broken line"), None);
    }
}
