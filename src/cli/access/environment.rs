//! The AWS variables of the environment.
//!
//! Key function: [`read`], which makes [`AccessSettings`] of them.

use object_store::aws::AmazonS3ConfigKey as Config;

use super::settings::{AccessSettings, endpoint, key, region};
use crate::store::{Keys, StoreError};

/// The variables, by name; one that is empty is as good as none.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a pod or a container of the AWS cloud is given. Without any of it object_store would ask the cloud's metadata
/// service, which elsewhere is a long wait for nothing.
const CLOUD: [(&str, Config); 6] = [
    ("AWS_WEB_IDENTITY_TOKEN_FILE", Config::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", Config::RoleArn),
    ("AWS_ROLE_SESSION_NAME", Config::RoleSessionName),
    (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        Config::ContainerCredentialsRelativeUri,
    ),
    (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        Config::ContainerCredentialsFullUri,
    ),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        Config::ContainerAuthorizationTokenFile,
    ),
];
/// Variables that give keys only together.
const TOGETHER: [&[&str]; 3] = [
    &["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"],
    &["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
    &[
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ],
];

/// What the environment says; of the keys nothing, unless `with_keys`.
pub(super) fn read(variable: Variables, with_keys: bool) -> Result<AccessSettings, StoreError> {
    let first = |names: [&'static str; 2]| {
        let set = |name| variable(name).map(|value| (name, value));
        names.into_iter().find_map(set)
    };
    let set_endpoint = first(["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
    let endpoint = set_endpoint
        .as_ref()
        .map(|(name, value)| endpoint(name, value));
    let region =
        first(["AWS_REGION", "AWS_DEFAULT_REGION"]).map(|(name, value)| region(name, &value));
    let keys = if with_keys {
        keys(variable).map_err(|problem| wrong(&problem))?
    } else {
        None
    };
    let keys_origin = keys.as_ref().map(|keys| match keys {
        Keys::Cloud(_) => "what the cloud puts into the environment".to_owned(),
        _ => "AWS_ACCESS_KEY_ID of the environment".to_owned(),
    });
    Ok(AccessSettings {
        keys,
        keys_from: None,
        keys_origin,
        endpoint_origin: set_endpoint.map(|(name, _)| format!("{name} of the environment")),
        endpoint: endpoint.transpose().map_err(|problem| wrong(&problem))?,
        region: region.transpose().map_err(|problem| wrong(&problem))?,
    })
}

fn wrong(problem: &str) -> StoreError {
    StoreError::Credentials {
        problem: format!("environment: {problem}"),
    }
}

fn keys(variable: Variables) -> Result<Option<Keys>, String> {
    let secretive = |name| variable(name).map(|value| key(name, &value)).transpose();
    let token = secretive("AWS_ACCESS_KEY_ID")?;
    let secret = secretive("AWS_SECRET_ACCESS_KEY")?;
    match (token, secret) {
        (Some(token), Some(secret)) => Ok(Some(Keys::Pair {
            token,
            secret,
            session: secretive("AWS_SESSION_TOKEN")?,
        })),
        (Some(_), None) => {
            Err("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not".to_owned())
        }
        (None, Some(_)) => {
            Err("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not".to_owned())
        }
        // A profile by its name is a choice, what a cloud puts into its pods is none.
        (None, None) if variable("AWS_PROFILE").is_some() => Ok(None),
        (None, None) => Ok(cloud(variable)),
    }
}

fn cloud(variable: Variables) -> Option<Keys> {
    let is_whole = |names: &&[&str]| names.iter().all(|name| variable(name).is_some());
    TOGETHER.iter().any(is_whole).then(|| {
        let set = |(name, config): (&str, Config)| Some((config, variable(name)?));
        Keys::Cloud(CLOUD.into_iter().filter_map(set).collect())
    })
}
