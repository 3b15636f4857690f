//! The flags of `copy` and `move`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::error::CliError;
use super::files::name;
use super::lease::LeaseArgs;
use super::outcome::OutcomeArgs;
use super::store::{StoreArgs, parse_place, sound_key};
use crate::store::Place;
use crate::verbs::copy::Copy;

/// What `copy` and `move` are told.
#[derive(Args)]
#[command(group(ArgGroup::new("from").args(["prefix", "store"]).required(true)))]
pub(super) struct CopyArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    #[command(flatten)]
    pub outcome: OutcomeArgs,

    /// Variables whose stores are meant, `compact` for PREFIX.zarr [default: all below the prefix]
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR", conflicts_with = "store")]
    pub variables: Vec<String>,

    /// Where to in the bucket: another prefix, below which stores keep their names; with --store, the store's new path [default with
    /// --to-bucket: as here]
    #[arg(long, value_name = "PLACE", required_unless_present = "to_bucket")]
    pub to: Option<String>,

    /// The bucket that they go to, if it is another one: its name, s3://bucket, s3://bucket/PLACE, or file:///directory
    #[arg(long, visible_alias = "to_bucket", value_name = "BUCKET", value_parser = parse_place)]
    pub to_bucket: Option<Place>,

    /// JSON file as for -c, of the server of the other bucket [default: what opens this one]
    #[arg(
        long,
        visible_alias = "to_credentials",
        value_name = "JSON FILE",
        requires = "to_bucket"
    )]
    pub to_credentials: Option<PathBuf>,

    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

impl CopyArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix or the place is none.
    pub(super) fn request(&self, moves: bool) -> Result<Copy, CliError> {
        Ok(Copy {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
            to: match &self.to {
                Some(to) => Some(sound_key("--to", to, Some("--to-bucket"))?),
                None => None,
            },
            moves,
            leasing: self.lease.leasing(),
        })
    }

    /// Do stores of a directory go to a server, of which the other flags speak?
    pub(super) fn goes_to_a_server(&self) -> bool {
        let is_server = |place: &Place| matches!(place, Place::S3 { .. });
        !is_server(&self.store.bucket) && self.to_bucket.as_ref().is_some_and(is_server)
    }

    /// How the other bucket is reached, if there is one.
    pub(super) fn other(&self) -> Option<StoreArgs> {
        let to = self.to_bucket.clone()?;
        let StoreArgs {
            credentials,
            profile,
            anonymous,
            endpoint_url,
            addressing,
            ca_bundle,
            max_rate,
            max_requests,
            ..
        } = self.store.clone();
        let others = self.to_credentials.clone();
        let is_same_server = others.is_none();
        Some(StoreArgs {
            bucket: to,
            credentials: others.or(credentials),
            profile: profile.filter(|_| is_same_server),
            anonymous: anonymous && is_same_server,
            endpoint_url: endpoint_url.filter(|_| is_same_server),
            addressing: addressing.filter(|_| is_same_server),
            ca_bundle,
            max_rate,
            max_requests,
            prefix: None,
            store: None,
        })
    }
}
