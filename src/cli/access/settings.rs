//! What one source says, checked: keys that fit into a header, an endpoint that is a URL, a region that is a name.
//!
//! Key type: [`AccessSettings`]. No error shows a value.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::store::{KeySource, Keyring, Keys, TemporaryKeys};

/// What one source says.
#[derive(Debug, Default)]
pub(super) struct AccessSettings {
    pub keys: Option<Keys>,
    /// The file the keys are from.
    pub keys_from: Option<PathBuf>,
    /// The same in words, or what else the keys are from.
    pub keys_origin: Option<String>,
    pub endpoint: Option<Url>,
    /// What the endpoint is from, in words.
    pub endpoint_origin: Option<String>,
    pub region: Option<String>,
}

impl AccessSettings {
    /// These, and what they leave open from others.
    pub(super) fn or(self, others: Self) -> Self {
        let (keys, keys_from, keys_origin) = match self.keys {
            Some(keys) => (Some(keys), self.keys_from, self.keys_origin),
            None => (others.keys, others.keys_from, others.keys_origin),
        };
        let (endpoint, endpoint_origin) = match self.endpoint {
            Some(endpoint) => (Some(endpoint), self.endpoint_origin),
            None => (others.endpoint, others.endpoint_origin),
        };
        Self {
            keys,
            keys_from,
            keys_origin,
            endpoint,
            endpoint_origin,
            region: self.region.or(others.region),
        }
    }
}

/// Keys that a file has. Where they come with a session token they end, and are looked for in the file again.
pub(super) fn of_file(keys: TemporaryKeys, file: impl FnOnce() -> Arc<dyn KeySource>) -> Keys {
    if keys.session.is_some() {
        return Keys::Renewed(Keyring::new(keys, file()));
    }
    Keys::Pair {
        token: keys.token,
        secret: keys.secret,
        session: None,
    }
}

/// A key or a session token. White space around it, as pasting leaves it, goes; any within would end the header.
pub(super) fn key(name: &str, value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(format!("'{name}' is empty"));
    }
    match value.chars().position(|c| !c.is_ascii_graphic()) {
        None => Ok(value.to_owned()),
        Some(place) => Err(format!(
            "'{name}' has white space or a character that is not ASCII at position {}; copy it again",
            place + 1
        )),
    }
}

/// The server's URL; a path is kept, a slash at its end does not matter.
pub(in crate::cli) fn endpoint(name: &str, value: &str) -> Result<Url, String> {
    let sound = |url: &Url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(value.trim()).ok().filter(sound).ok_or_else(|| {
        format!(
            "'{name}' is not a URL of the form https://host or http://host:port/path, without a user or a password in it"
        )
    })
}

/// The region's name.
pub(super) fn region(name: &str, value: &str) -> Result<String, String> {
    let value = value.trim();
    let sound = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !value.is_empty() && value.chars().all(sound) {
        return Ok(value.to_owned());
    }
    Err(format!(
        "'{name}' is not a region such as eu-west-2: letters, digits, '-' and '_' only"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_trimmed_or_refused_without_showing_it(value in "\\PC{0,40}", around in "[ \t\r\n]{0,3}") {
            match key("secret", &format!("{around}{value}{around}")) {
                Ok(clean) => {
                    prop_assert_eq!(&clean, value.trim());
                    prop_assert!(!clean.is_empty() && clean.bytes().all(|b| b.is_ascii_graphic()));
                }
                Err(problem) => prop_assert!(value.trim().len() < 8 || !problem.contains(value.trim())),
            }
        }
    }

    #[test]
    fn endpoints_and_regions() {
        for sound in [
            "https://e",
            "http://e:9000/",
            "https://e/s3/",
            " http://[::1]:9 ",
        ] {
            assert!(endpoint("endpoint_url", sound).is_ok(), "{sound}");
        }
        for wrong in [
            "",
            "e",
            "ftp://e",
            "http://",
            "https://u@e",
            "https://u:p@e",
            "https://e?x=1",
            "https://e#x",
        ] {
            assert!(endpoint("endpoint_url", wrong).is_err(), "{wrong}");
        }
        assert_eq!(region("region", " eu-west-2\n").as_deref(), Ok("eu-west-2"));
        for wrong in ["", "evil.com/", "eu west"] {
            assert!(region("region", wrong).is_err(), "{wrong}");
        }
    }
}
