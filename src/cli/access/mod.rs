//! From flags, files and environment to [`Access`]: which source is asked, and in which order.
//!
//! Key types: [`AccessFlags`], what the flags say; [`FoundAccess`].

mod environment;
mod exposed;
mod json;
mod process;
mod profile;
mod settings;

use std::path::Path;

use environment::Variables;
use url::Url;

use crate::store::{Access, Addressing, Keys, Origins, StoreError};

pub(super) use settings::endpoint;

/// What the flags say.
pub(super) struct AccessFlags<'a> {
    pub credentials: Option<&'a Path>,
    pub profile: Option<&'a str>,
    pub anonymous: bool,
    pub endpoint: Option<&'a Url>,
    pub addressing: Option<Addressing>,
    pub ca_bundle: Option<&'a Path>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct FoundAccess {
    /// `None` if no source has keys.
    pub access: Option<Access>,
    /// Where it was found.
    pub origins: Origins,
    /// That others may read the file the keys are from.
    pub warning: Option<String>,
}

/// Asks the sources: the credentials file alone; or a profile by its name, then the environment for what it leaves
/// open; or the environment, then the profile it names or the default one. Keys are never put together from two. An endpoint
/// that a flag names is that.
pub(super) fn find(asked: &AccessFlags, environment: Variables) -> Result<FoundAccess, StoreError> {
    let with_keys = !asked.anonymous;
    let settings = match (asked.credentials, asked.profile) {
        (Some(path), _) => {
            let needed = json::Needed {
                keys: with_keys,
                endpoint: asked.endpoint.is_none(),
            };
            json::read(path, needed)?
        }
        (None, Some(name)) => {
            profile::named(name, environment, with_keys)?.or(environment::read(environment, false)?)
        }
        (None, None) => {
            let settings = environment::read(environment, with_keys)?;
            let with_keys = with_keys && settings.keys.is_none();
            let with_endpoint = settings.endpoint.is_none() && asked.endpoint.is_none();
            if with_keys || with_endpoint {
                settings.or(profile::usual(environment, with_keys)?)
            } else {
                settings
            }
        }
    };
    let ca_bundle = match asked.ca_bundle {
        Some(path) => Some(path.to_owned()),
        None => environment("AWS_CA_BUNDLE").map(Into::into),
    };
    let keys = if asked.anonymous {
        Some(Keys::Anonymous)
    } else {
        settings.keys
    };
    let (endpoint, endpoint_origin) = match asked.endpoint {
        Some(endpoint) => (Some(endpoint.clone()), Some("--endpoint-url".to_owned())),
        None => (settings.endpoint, settings.endpoint_origin),
    };
    let keys_origin = settings.keys_origin.filter(|_| !asked.anonymous);
    Ok(FoundAccess {
        origins: Origins {
            keys: keys_origin,
            endpoint: endpoint_origin,
        },
        access: keys.map(|keys| Access {
            keys,
            endpoint,
            region: settings.region,
            addressing: asked.addressing,
            ca_bundle,
        }),
        warning: settings.keys_from.as_deref().and_then(exposed::warning),
    })
}

/// The variables of this process; one that is empty is as good as none.
pub(super) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    (!value.trim().is_empty()).then_some(value)
}

#[cfg(test)]
mod tests;
