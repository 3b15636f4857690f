//! How an S3 server is reached: keys, endpoint, region, the form of its URLs, and whom TLS trusts.
//!
//! Key types: [`Access`]; [`Keys`], which no `Debug` shows; [`Addressing`].

use std::fmt;
use std::path::PathBuf;

use object_store::aws::AmazonS3ConfigKey;
use url::Url;

use super::keyring::Keyring;

/// An S3 server and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// What signs the requests.
    pub keys: Keys,
    /// The server's URL; `None` is AWS itself.
    pub endpoint: Option<Url>,
    /// What signatures name as the region, and at AWS itself a part of the host's name.
    pub region: Option<String>,
    /// Where a URL names the bucket, if the user wants a certain form.
    pub addressing: Option<Addressing>,
    /// PEM file of certificates that are trusted besides the system's.
    pub ca_bundle: Option<PathBuf>,
}

/// What signs requests.
#[derive(Clone, PartialEq, Eq)]
pub enum Keys {
    /// A pair of keys; temporary ones come with a session token.
    Pair {
        /// The access key (the credentials file calls it `token`).
        token: String,
        /// The secret key.
        secret: String,
        /// The session token.
        session: Option<String>,
    },
    /// Temporary ones, and what gives others when they end.
    Renewed(Keyring),
    /// What a pod or a container of the AWS cloud is given, by the names of object_store.
    Cloud(Vec<(AmazonS3ConfigKey, String)>),
    /// Nothing: the bucket is public.
    Anonymous,
}

/// Where a URL names the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

impl Access {
    /// What no message may hold.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        match &self.keys {
            Keys::Pair {
                token,
                secret,
                session,
            } => [Some(token), Some(secret), session.as_ref()]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            Keys::Renewed(ring) => ring.secrets(),
            Keys::Cloud(_) | Keys::Anonymous => Vec::new(),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pair { session: None, .. } => "Pair(***)",
            Self::Pair { .. } => "Pair(*** with a session token)",
            Self::Renewed(_) => "Renewed(***)",
            Self::Cloud(_) => "Cloud(***)",
            Self::Anonymous => "Anonymous",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let access = Access {
            keys: Keys::Pair {
                token: "TOKEN".into(),
                secret: "SECRET".into(),
                session: Some("SESSION".into()),
            },
            endpoint: Url::parse("http://e").ok(),
            region: None,
            addressing: None,
            ca_bundle: None,
        };
        let shown = format!("{access:?}");
        for secret in access.secrets() {
            assert!(!shown.contains(&secret), "{shown}");
        }
        assert_eq!(access.secrets().len(), 3);
    }
}
