//! The flags that say where a store is and how it is reached, the same for every command.
//!
//! Key types: [`StoreArgs`]; [`ReachedBucket`], how the bucket is reached.

use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::access::{AccessFlags, endpoint, find, variable};
use super::choices;
use super::error::CliError;
use super::hush::hushed;
use super::size;
use crate::store::{Addressing, Connection, Limits, Origins, Place, Spot, StoreError};

/// Where stores are, and what opens the bucket.
#[derive(Args, Clone)]
pub(crate) struct StoreArgs {
    /// Where to: a bucket's name, s3://bucket, s3://bucket/PREFIX, s3://bucket/PATH.zarr, or file:///directory
    ///
    /// What stands behind the bucket is the prefix, as for -p; if it ends in .zarr, the one store, as for --store.
    #[arg(short, long, value_name = "BUCKET", value_parser = parse_place)]
    pub bucket: Place,

    /// JSON file with `token` (access key), `secret` and `endpoint_url`, and if need be `session_token` and `region`
    ///
    /// Without it and --profile, the environment is asked (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
    /// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION), then the AWS profile that AWS_PROFILE names, or the
    /// default one.
    #[arg(short, long, value_name = "JSON FILE", conflicts_with = "profile")]
    pub credentials: Option<PathBuf>,

    /// Profile of ~/.aws/credentials and ~/.aws/config that has the keys and endpoint_url
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Sign no request, for a public bucket; keys are not needed and not used
    #[arg(long)]
    pub anonymous: bool,

    /// The server's URL, whatever file, environment or profile says [default: what they say, or AWS]
    #[arg(long, visible_alias = "endpoint_url", value_name = "URL", value_parser = parse_endpoint)]
    pub endpoint_url: Option<Url>,

    /// Where URLs name the bucket: https://host/bucket (path) or https://bucket.host (virtual)
    ///
    /// Not given, it is path for an endpoint_url, virtual for AWS itself.
    #[arg(long, value_name = "STYLE", value_parser = choices::addressing())]
    pub addressing: Option<Addressing>,

    /// PEM file of certificates to trust besides the system's, for a server with a private CA [env: AWS_CA_BUNDLE]
    #[arg(long, value_name = "PEM FILE")]
    pub ca_bundle: Option<PathBuf>,

    /// Bytes a second that all ranks together send and receive, of objects and listings: 200M [default: as fast as it goes]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub max_rate: Option<u64>,

    /// Requests a second that all ranks together send [default: as many as it takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_requests: Option<u64>,

    /// Where in the bucket; if not given, commands that are given files take it from their names, which must all give the same one
    /// (eORCA025_1y_grid_T_1976-1976.nc → T1y), and the others take the whole bucket
    #[arg(short, long, value_name = "PREFIX")]
    pub prefix: Option<String>,

    /// The one store to work on, by its whole path in the bucket, whatever its name: npd-eorca025/T1y
    ///
    /// `send` makes a new one there. A group in a hierarchy is named like a store: tree.zarr/gridT.
    #[arg(long, value_name = "PATH", conflicts_with = "prefix")]
    pub store: Option<String>,
}

/// How the bucket is reached.
pub(crate) struct ReachedBucket {
    pub connection: Connection,
    /// What the user should hear, once.
    pub warning: Option<String>,
}

impl StoreArgs {
    /// Where in the bucket, without `/` at the ends, if that was said.
    ///
    /// # Errors
    /// If it could not be part of a key.
    pub(super) fn spot(&self) -> Result<Option<Spot>, CliError> {
        let (flag, asked) = match (&self.prefix, &self.store) {
            (Some(prefix), _) => ("--prefix", prefix),
            (None, Some(store)) => ("--store", store),
            (None, None) => return Ok(None),
        };
        let key = sound_key(flag, asked, Some("--bucket"))?;
        Ok(Some(match self.prefix {
            Some(_) => Spot::Below(key),
            None => Spot::At(key),
        }))
    }

    /// The same, or the whole bucket.
    ///
    /// # Errors
    /// As [`Self::spot`].
    pub(super) fn spot_or_all(&self) -> Result<Spot, CliError> {
        Ok(self.spot()?.unwrap_or_default())
    }

    /// Finds out how the bucket is reached. For a directory, no credentials are looked for.
    ///
    /// # Errors
    /// If there are no credentials, or they do not make sense.
    pub(super) fn find(&self) -> Result<ReachedBucket, StoreError> {
        let (access, origins, warning) = match &self.bucket {
            Place::Directory(_) => (None, Origins::default(), self.unheeded()),
            Place::S3 { .. } => {
                let found = find(
                    &AccessFlags {
                        credentials: self.credentials.as_deref(),
                        profile: self.profile.as_deref(),
                        anonymous: self.anonymous,
                        endpoint: self.endpoint_url.as_ref(),
                        addressing: self.addressing,
                        ca_bundle: self.ca_bundle.as_deref(),
                    },
                    &variable,
                )?;
                (found.access, found.origins, found.warning)
            }
        };
        Ok(ReachedBucket {
            connection: Connection {
                limits: self.limits(),
                origins,
                ..Connection::new(self.bucket.clone(), access)
            },
            warning,
        })
    }
}

impl StoreArgs {
    /// What a server is spared.
    fn limits(&self) -> Limits {
        Limits {
            bytes: self.max_rate,
            requests: self.max_requests,
        }
    }

    /// What is said of a server, where there is none.
    fn unheeded(&self) -> Option<String> {
        let flags = [
            ("--endpoint-url", self.endpoint_url.is_some()),
            ("--max-rate", self.max_rate.is_some()),
            ("--max-requests", self.max_requests.is_some()),
        ];
        let given = flags.iter().filter(|(_, given)| *given);
        let given: Vec<&str> = given.map(|(flag, _)| *flag).collect();
        (!given.is_empty()).then(|| {
            format!(
                "{} is a directory, of which {} says nothing",
                self.bucket,
                given.join(", ")
            )
        })
    }
}

/// What `flag` was given as a place in the bucket, without `/` at the ends. A flag for the `bucket` itself may go with it.
///
/// # Errors
/// If it could not be part of a key.
pub(super) fn sound_key(flag: &str, asked: &str, bucket: Option<&str>) -> Result<String, CliError> {
    let key = asked.trim_matches('/');
    if key.starts_with("s3://") || key.starts_with("file://") {
        return Err(CliError::line(&format!(
            "{flag} '{key}': expected a place in the bucket, found a URL; {}",
            bucket.map_or_else(
                || "`copy` takes stores to another bucket".to_owned(),
                |bucket| format!("give it as {bucket} {key}")
            )
        )));
    }
    let sound = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control)
    };
    if key.split('/').all(sound) {
        return Ok(key.to_owned());
    }
    Err(CliError::Key {
        flag: flag.to_owned(),
        key: hushed(key),
    })
}

pub(super) fn parse_place(text: &str) -> Result<Place, String> {
    text.parse().map_err(|error: StoreError| error.to_string())
}

fn parse_endpoint(text: &str) -> Result<Url, String> {
    endpoint("--endpoint-url", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_no_place_in_a_bucket() {
        let told = |flag: &str, bucket: Option<&str>| {
            let failure = sound_key(flag, "s3://u:HUSH@ocean/rr/", bucket).unwrap_err();
            failure.to_string()
        };
        let copied = told("--to", Some("--to-bucket"));
        assert!(
            copied.ends_with("give it as --to-bucket s3://****@ocean/rr"),
            "{copied}"
        );
        assert!(told("--to", None).ends_with("`copy` takes stores to another bucket"));
        assert_eq!(sound_key("--to", "/a/b/", None), Ok("a/b".to_owned()));
    }
}
