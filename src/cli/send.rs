//! The flags of `send`.

use std::path::PathBuf;

use clap::Args;

use super::size;
use super::store::StoreArgs;
use crate::exit::Failure;
use crate::plan::ChunkStrategy;
use crate::store::Codec;
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

    /// Compressor of a new store: none, zstd:LEVEL or blosc:COMPRESSOR:LEVEL:SHUFFLE; a crc32c is added to each
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
        let strategy = self.chunk_strategy.as_deref().map(str::parse).transpose();
        Ok(strategy.map_err(Failure::from)?.unwrap_or_default())
    }

    /// The compressor.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn codec(&self) -> Result<Codec, Failure> {
        self.codec.parse().map_err(Failure::from)
    }
}
