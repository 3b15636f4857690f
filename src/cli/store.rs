//! The flags that say where a store is and how it is reached, the same for every command.

use std::path::PathBuf;

use clap::Args;

use super::credentials::read_credentials;
use crate::exit::{Exit, Failure};
use crate::store::{Bucket, Place, StoreError};

/// Where stores are, and what opens the bucket.
#[derive(Args)]
pub struct StoreArgs {
    /// Where to: a bucket's name, s3://bucket, or file:///directory
    #[arg(short, long, value_name = "BUCKET", value_parser = parse_place)]
    pub bucket: Place,

    /// JSON file with `token` (access key), `secret` and `endpoint_url`; without it the AWS_… environment
    #[arg(short, long, value_name = "JSON FILE")]
    pub credentials: Option<PathBuf>,

    /// Where in the bucket; if not given, `send` takes it from the first file's name (eORCA025_1y_grid_T_1976-1976.nc →
    /// T1y), and `list` and `delete` take the whole bucket
    #[arg(short, long, value_name = "PREFIX")]
    pub prefix: Option<String>,
}

impl StoreArgs {
    /// The prefix without `/` at its ends, if one was given.
    ///
    /// # Errors
    /// If it could not be part of a key.
    pub fn prefix(&self) -> Result<Option<String>, Failure> {
        let Some(prefix) = &self.prefix else {
            return Ok(None);
        };
        let prefix = prefix.trim_matches('/');
        let sound = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control)
        };
        if prefix.split('/').all(sound) {
            return Ok(Some(prefix.to_owned()));
        }
        let message = format!(
            "--prefix '{prefix}': expected names joined by '/', none of them empty, '.' or '..'"
        );
        Err(Failure::new(Exit::Usage, message))
    }

    /// Opens the bucket; nothing is asked of the server yet.
    ///
    /// # Errors
    /// If there are no credentials, or they do not make sense.
    pub fn open(&self) -> Result<Bucket, StoreError> {
        let access = self
            .credentials
            .as_deref()
            .map(read_credentials)
            .transpose()?;
        Bucket::open(&self.bucket, access.as_ref())
    }
}

fn parse_place(text: &str) -> Result<Place, String> {
    text.parse().map_err(|error: StoreError| error.to_string())
}
