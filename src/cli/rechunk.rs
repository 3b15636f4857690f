//! The flags of `rechunk`.

use clap::{ArgGroup, Args};
use msm_plan::{SHARDS_FLAG, STRATEGY_FLAG};
use msm_zarr::Version;

use super::choices;
use super::error::CliError;
use super::files::{name, sizes};
use super::lease::LeaseArgs;
use super::outcome::OutcomeArgs;
use super::size;
use super::store::{StoreArgs, sound_key};
use crate::error::Error;
use crate::transfer::Verification;
use crate::verbs::rechunk::Rechunk;

/// What `rechunk` is told.
#[derive(Args)]
#[command(group(ArgGroup::new("from").args(["prefix", "store"]).required(true)))]
pub(super) struct RechunkArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    #[command(flatten)]
    pub outcome: OutcomeArgs,

    /// Variables whose stores are meant, `compact` for PREFIX.zarr [default: all below the prefix]
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR", conflicts_with = "store")]
    pub variables: Vec<String>,

    /// Where to in the bucket: another prefix, below which stores keep their names; with --store, the new store's path
    #[arg(long, value_name = "PLACE", required_unless_present = "replace")]
    pub to: Option<String>,

    /// Put what is made into the stores' places, and delete the old ones
    ///
    /// It is made in the folder being-rechunked of the bucket, whole and verified, before anything is deleted, and is then moved by the
    /// server's copies, as long as which readers see no store. A rollback does not bring the old ones back.
    #[arg(long, conflicts_with = "to")]
    pub replace: bool,

    /// Chunk sizes, as JSON: '{"time_counter": 1, "y": 100, "x": 100}'; along dimensions left out, arrays keep theirs [short: -cs]
    ///
    /// As in a send, they are those of data variables and of what grows with them, but for small coordinates.
    #[arg(
        long = "chunk_strategy",
        visible_alias = "chunk-strategy",
        value_name = "JSON"
    )]
    pub chunk_strategy: Option<String>,

    /// Shard sizes, as JSON like --chunk_strategy: '{"time_counter": 12, "y": 400}'; '{}' for no shards [default: those that arrays have]
    ///
    /// One object then holds a shard of many chunks, each of which can be read by itself. Sizes are whole multiples of
    /// the chunk sizes; dimensions left out have one chunk a shard. Zarr version 3 only.
    #[arg(long, value_name = "JSON")]
    pub shards: Option<String>,

    /// Version of the Zarr format [default: the store's own] [short: -zv]
    #[arg(long = "zarr-version", visible_alias = "zarr_version", value_parser = choices::version())]
    pub zarr_version: Option<Version>,

    /// Compressor: none, zstd:LEVEL or blosc:COMPRESSOR:LEVEL:SHUFFLE; a crc32c is added to each in Zarr version 3 [default: that of each
    /// array]
    #[arg(long, value_name = "CODEC")]
    pub codec: Option<String>,

    /// The dimension along which stores grow
    #[arg(
        short,
        long = "append_dim",
        visible_alias = "append-dim",
        default_value = "time_counter",
        value_name = "DIM"
    )]
    pub append_dim: String,

    /// How to verify each object after its PUT
    #[arg(long, value_parser = choices::verify(), default_value = "full")]
    pub verify: Verification,

    /// Memory that each rank may use for data, such as 512M or 2G [default: its share of what the job may have on the node, at most 1G]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub memory: Option<u64>,

    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

impl RechunkArgs {
    /// What is asked, where each rank may hold so many bytes.
    ///
    /// # Errors
    /// If something is malformed.
    pub(super) fn request(&self, memory: u64) -> Result<Rechunk, CliError> {
        let shards = self.shards.as_deref();
        let shards = shards.map(|text| sizes(SHARDS_FLAG, Some(text)));
        let shards = shards.transpose()?;
        let has_shards = shards.as_ref().is_some_and(|sizes| !sizes.0.is_empty());
        if has_shards && self.zarr_version == Some(Version::V2) {
            let flag = SHARDS_FLAG.to_owned();
            return Err(CliError::Shards { flag });
        }
        let codec = self.codec.as_deref().map(str::parse);
        Ok(Rechunk {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
            to: match &self.to {
                Some(to) => Some(sound_key("--to", to, None)?),
                None => None,
            },
            append_dimension: self.append_dim.clone(),
            chunks: sizes(STRATEGY_FLAG, self.chunk_strategy.as_deref())?,
            shards,
            version: self.zarr_version,
            codec: codec.transpose().map_err(Error::from)?,
            verify: self.verify,
            memory,
            leasing: self.lease.leasing(),
        })
    }
}
