//! The flags of `send`.

use std::path::PathBuf;

use clap::Args;

use super::size;
use super::store::StoreArgs;
use crate::exit::{Exit, Failure};
use crate::plan::{ChunkStrategy, SHARDS_FLAG, STRATEGY_FLAG};
use crate::store::{Codec, Version};
use crate::transfer::Verify;

/// What `send` is told.
#[derive(Args)]
pub struct SendArgs {
    /// NetCDF files to send; several are joined along the append dimension
    #[arg(short, long, num_args = 1.., required = true, value_name = "FILE")]
    pub filepaths: Vec<PathBuf>,

    #[command(flatten)]
    pub store: StoreArgs,

    /// Variables to send, each into its own store; all data variables if not given
    #[arg(short, long, num_args = 1.., value_name = "VAR")]
    pub variables: Vec<String>,

    /// The dimension along which stores grow
    #[arg(
        short,
        long = "append_dim",
        visible_alias = "append-dim",
        default_value = "time_counter",
        value_name = "DIM"
    )]
    pub append_dim: String,

    /// Chunk sizes of a new store, as JSON: '{"time_counter": 1, "y": 100, "x": 100}' [short: -cs]
    ///
    /// Dimensions left out are chosen automatically: one time step, and multiples of the source's own chunks up to
    /// about 16 MiB an object.
    #[arg(
        long = "chunk_strategy",
        visible_alias = "chunk-strategy",
        value_name = "JSON"
    )]
    pub chunk_strategy: Option<String>,

    /// Shard sizes of a new store, as JSON like --chunk_strategy: '{"time_counter": 12, "y": 400}'
    ///
    /// One object then holds a shard of many chunks, each of which can be read by itself. Sizes are whole multiples of
    /// the chunk sizes; dimensions left out have one chunk a shard. Zarr version 3 only.
    #[arg(long, value_name = "JSON")]
    pub shards: Option<String>,

    /// Version of the Zarr format of a new store; a store keeps its own [default: 3] [short: -zv]
    #[arg(long = "zarr-version", visible_alias = "zarr_version", value_enum)]
    pub zarr_version: Option<Version>,

    /// Compressor of a new store: none, zstd:LEVEL or blosc:COMPRESSOR:LEVEL:SHUFFLE; a crc32c is added to
    /// each in Zarr version 3
    #[arg(long, default_value = "blosc:lz4:5:shuffle", value_name = "CODEC")]
    pub codec: String,

    /// How to verify each object after its PUT
    #[arg(long, value_enum, default_value_t)]
    pub verify: Verify,

    /// Memory that each rank may use for data, such as 512M or 2G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size::parse)]
    pub memory: u64,
}

impl SendArgs {
    /// The chunk strategy; empty if none was given.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn strategy(&self) -> Result<ChunkStrategy, Failure> {
        sizes(STRATEGY_FLAG, self.chunk_strategy.as_deref())
    }

    /// The shard sizes; empty if none were given.
    ///
    /// # Errors
    /// If they are malformed, or the Zarr version asked for has no shards.
    pub fn shards(&self) -> Result<ChunkStrategy, Failure> {
        if self.shards.is_some() && self.zarr_version == Some(Version::V2) {
            let message = format!(
                "{SHARDS_FLAG}: Zarr version 2 has no shards; leave it out, or choose --zarr-version 3"
            );
            return Err(Failure::new(Exit::Usage, message));
        }
        sizes(SHARDS_FLAG, self.shards.as_deref())
    }

    /// The compressor.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn codec(&self) -> Result<Codec, Failure> {
        self.codec.parse().map_err(Failure::from)
    }
}

fn sizes(flag: &'static str, text: Option<&str>) -> Result<ChunkStrategy, Failure> {
    let sizes = text.map(|text| ChunkStrategy::parse(flag, text));
    Ok(sizes.transpose()?.unwrap_or_default())
}
