//! How a bucket is reached, without what opens it.
//!
//! Key types: [`Reach`]; [`Signing`].

use std::path::PathBuf;

use serde::Serialize;

use crate::store::{Addressing, Connection, Keys, Place};

/// How a bucket is reached; no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Reach {
    /// A directory.
    Directory {
        /// Its path.
        path: PathBuf,
    },
    /// A bucket of an S3 server.
    S3 {
        /// Its name.
        bucket: String,
        /// The server's URL, without `/` at its end; `None` is AWS itself.
        endpoint_url: Option<String>,
        /// What signatures name as the region, if that was said.
        region: Option<String>,
        /// Must URLs have the bucket in the host's name (`true`) or in the path (`false`)? `None` for what is usual.
        virtual_hosted: Option<bool>,
        /// Certificates that are trusted besides the system's.
        ca_bundle: Option<PathBuf>,
        /// What signs requests.
        signing: Signing,
    },
}

/// What signs requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    /// Nothing: the bucket is public.
    Anonymous,
    /// A pair of keys.
    Keys,
    /// Temporary keys with a session token.
    SessionKeys,
    /// What the cloud gives its machines.
    Cloud,
}

impl Reach {
    pub(super) fn of(connection: &Connection) -> Self {
        let bucket = match &connection.place {
            Place::Directory(path) => return Self::Directory { path: path.clone() },
            Place::S3 { bucket } => bucket.clone(),
        };
        let access = connection.access.as_ref();
        let endpoint = access.and_then(|access| access.endpoint.as_ref());
        let addressing = access.and_then(|access| access.addressing);
        Self::S3 {
            bucket,
            endpoint_url: endpoint.map(|url| url.as_str().trim_end_matches('/').to_owned()),
            region: access.and_then(|access| access.region.clone()),
            virtual_hosted: addressing.map(|style| style == Addressing::Virtual),
            ca_bundle: access.and_then(|access| access.ca_bundle.clone()),
            signing: access.map_or(Signing::Anonymous, |access| match &access.keys {
                Keys::Anonymous => Signing::Anonymous,
                Keys::Cloud(_) => Signing::Cloud,
                Keys::Pair { session: None, .. } => Signing::Keys,
                // Keys that end come with a session token.
                _ => Signing::SessionKeys,
            }),
        }
    }
}
