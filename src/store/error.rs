//! What can go wrong with the object store; each error names the key or the endpoint, none a secret.

use std::borrow::Cow;
use std::path::PathBuf;

use msm_zarr::ZarrError;
use serde::{Deserialize, Serialize};

use super::answer::is_garbled;
use super::fence::FencedRequest;

/// What went wrong with the object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum StoreError {
    #[error("--bucket {text}: {cause}")]
    Place {
        text: String,
        cause: Cow<'static, str>,
    },
    #[error("{problem}")]
    Credentials { problem: String },
    #[error(
        "no credentials: give a credentials file with -c or an AWS profile with --profile, or set AWS_ACCESS_KEY_ID, \
         AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL; a public bucket needs --anonymous"
    )]
    NoCredentials,
    #[error(
        "CA bundle {}: {problem}; expected a PEM file with one or more certificates (--ca-bundle, AWS_CA_BUNDLE)",
        path.display()
    )]
    CaBundle {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        problem: String,
    },
    #[error("--addressing virtual: {problem}; use --addressing path")]
    Addressing { problem: String },
    #[error("{place}: there is no such bucket; check the name, or create it first")]
    NoBucket { place: String },
    #[error(
        "{}: access refused ({cause}); check {}",
        address(place, key),
        what_lets(place)
    )]
    Denied {
        place: String,
        key: String,
        cause: String,
    },
    #[error(
        "{}: access refused ({cause}); every command that writes must be let put, get, list and delete objects \
         below .msm-os/ too: check {}",
        address(place, key),
        what_lets(place)
    )]
    Probe {
        place: String,
        key: String,
        cause: String,
    },
    #[error("{place}: cannot be reached ({cause}); check endpoint_url and the network")]
    Unreachable { place: String, cause: String },
    #[error("{place}: the connection is not secure ({cause}): {advice}")]
    Untrusted {
        place: String,
        cause: String,
        advice: Cow<'static, str>,
    },
    #[error("{}: {action} failed: {cause}", address(place, key))]
    Failed {
        place: String,
        key: String,
        action: Cow<'static, str>,
        cause: String,
    },
    #[error("{}: {action}: {}", address(place, key), FencedRequest)]
    Fenced {
        place: String,
        key: String,
        action: Cow<'static, str>,
    },
    #[error(
        "--verify server: {place}: {found}; take --verify full, which reads everything back; nothing was written"
    )]
    Unproven {
        place: String,
        found: Cow<'static, str>,
    },
    #[error("{}: there is no such object", address(place, key))]
    Missing { place: String, key: String },
    #[error(
        "'{key}' is an Icechunk repository: only Icechunk writes there, and it is left as it is; choose another place with \
         --prefix or --store; nothing was written"
    )]
    Repository { key: String },
    #[error(
        "{key} in the ledger cannot be read ({cause}): it is damaged, or another version of msm_os made it; run that \
         version's recover, or delete the store and send its files again"
    )]
    Journal { key: String, cause: String },
    #[error(
        "{key}, by which jobs share in sending an archive, cannot be read ({cause}): it is damaged, or another version of \
         msm_os made it; recover --abandon ends the sharing and keeps what was committed, then send again"
    )]
    Share { key: String, cause: String },
    #[error(
        "{key}: another program has changed it meanwhile, and nothing was put over it; run the command again, or, if it \
         says so again, put it back as it was, or delete the store"
    )]
    Overtaken { key: String },
    #[error(transparent)]
    Zarr(#[from] ZarrError),
}

/// `s3://ocean/T1y/tos.zarr/zarr.json at https://store.ac.uk`: a place names its bucket, and then its server if it has one.
pub(super) fn address(place: &str, key: &str) -> String {
    match place.split_once(" at ") {
        Some((bucket, server)) if bucket.starts_with("s3://") => {
            format!("{bucket}/{key} at {server}")
        }
        _ => format!("{place}/{key}"),
    }
}

/// What lets a user in, or not, at `place`.
fn what_lets(place: &str) -> &'static str {
    if place.starts_with("file://") {
        "who may read and write there"
    } else {
        "the credentials and the bucket's policy"
    }
}

/// What servers and systems say where there is no room left.
const FULL: [&str; 6] = [
    "QuotaExceeded",
    "StorageFull",
    "InsufficientStorage",
    "Insufficient Storage",
    "No space left on device",
    "quota exceeded",
];

/// Codes and statuses of requests that a server does not take for one it knows. Others of the kind, such as `RequestTimeout`, pass.
const WRONG: [&str; 6] = [
    "InvalidArgument",
    "InvalidBucketName",
    "InvalidRequest",
    "InvalidURI",
    "MalformedXML",
    "MethodNotAllowed",
];
const WRONG_STATUS: [&str; 3] = ["400", "405", "414"];

impl StoreError {
    /// Does the server take the request for wrong, so that it will the next time, too?
    #[must_use]
    pub fn is_taken_for_wrong(&self) -> bool {
        let Self::Failed { cause, .. } = self else {
            return false;
        };
        let code = cause.split(':').next().unwrap_or_default();
        let status = cause.split_once("status code: ");
        let status = status.and_then(|(_, status)| status.get(..3));
        WRONG.contains(&code) || status.is_some_and(|status| WRONG_STATUS.contains(&status))
    }

    /// Is there no room left, as far as the answer says?
    #[must_use]
    pub fn is_full(&self) -> bool {
        let (Self::Failed { cause, .. } | Self::Denied { cause, .. } | Self::Probe { cause, .. }) =
            self
        else {
            return false;
        };
        FULL.iter().any(|said| cause.contains(said))
    }

    /// Does something else lie where a folder or an object of a directory was to be?
    #[must_use]
    pub fn is_in_the_way(&self) -> bool {
        let ways = ["Not a directory", "Is a directory"];
        matches!(self, Self::Failed { cause, .. } if ways.iter().any(|said| cause.contains(said)))
    }

    /// Did a body come to the server as another than it left, so that it was not taken?
    #[must_use]
    pub fn is_garbled(&self) -> bool {
        matches!(self, Self::Failed { cause, .. } if is_garbled(cause))
    }

    /// Is this the answer that an object does not exist?
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// The same, of the stored object `key` if that cannot be decoded.
    #[must_use]
    pub fn in_object(self, key: &str) -> Self {
        match self {
            Self::Zarr(cause) => Self::Zarr(cause.in_object(key)),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_was_asked_for() {
        let said = |place: &str| {
            let (place, key) = (place.to_owned(), "T1y/zarr.json".to_owned());
            StoreError::Missing { place, key }.to_string()
        };
        for (place, address) in [
            (
                "s3://o at http://h:1/gw",
                "s3://o/T1y/zarr.json at http://h:1/gw",
            ),
            (
                "s3://o at the AWS endpoint",
                "s3://o/T1y/zarr.json at the AWS endpoint",
            ),
            (
                "file:///data/seen at sea",
                "file:///data/seen at sea/T1y/zarr.json",
            ),
            ("s3://o", "s3://o/T1y/zarr.json"),
        ] {
            assert_eq!(said(place), format!("{address}: there is no such object"));
        }
    }
}
