//! The flags of `send` and `update`.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::files::FileArgs;
use crate::exit::{Exit, Failure};
use crate::plan::Overlap;
use crate::store::Codec;

/// What `send` is told.
#[derive(Args)]
pub struct SendArgs {
    #[command(flatten)]
    pub files: FileArgs,

    /// What to do with steps that a store has already; without it: nothing if it has all of them, an error if it has some
    #[arg(long, value_enum)]
    pub on_overlap: Option<OnOverlap>,

    /// Send files between which steps are missing, or that do not follow on a store's last step
    #[arg(long)]
    pub allow_gaps: bool,

    /// Add variables to a store that does not hold them; their earlier steps read as fill
    #[arg(long)]
    pub add_variables: bool,

    /// Global attributes of the stores, beside the files' own, as JSON: '{"licence": "OGL"}' [short: -at]
    #[arg(long, value_name = "JSON")]
    pub attributes: Option<String>,

    /// Compressor of a new store: none, zstd:LEVEL or blosc:COMPRESSOR:LEVEL:SHUFFLE; a crc32c is added to each
    #[arg(long, default_value = "blosc:lz4:5:shuffle", value_name = "CODEC")]
    pub codec: String,
}

/// What `update` is told.
#[derive(Args)]
pub struct UpdateArgs {
    #[command(flatten)]
    pub files: FileArgs,

    /// Append the steps that a store does not have, in the same transaction
    #[arg(long)]
    pub append_missing: bool,
}

/// What becomes of steps that a store has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnOverlap {
    /// Leave them as they are, and append the others
    Skip,
    /// Refuse to send
    Error,
    /// Overwrite them, and append the others
    Replace,
}

impl SendArgs {
    /// What becomes of steps that a store has already.
    #[must_use]
    pub fn overlap(&self) -> Overlap {
        match self.on_overlap {
            None => Overlap::AllOrNothing,
            Some(OnOverlap::Skip) => Overlap::Skip,
            Some(OnOverlap::Error) => Overlap::Error,
            Some(OnOverlap::Replace) => Overlap::Replace,
        }
    }

    /// The global attributes to add.
    ///
    /// # Errors
    /// If they are no JSON object.
    pub fn attributes(&self) -> Result<Map<String, Value>, Failure> {
        let Some(text) = &self.attributes else {
            return Ok(Map::new());
        };
        serde_json::from_str(text).map_err(|cause| {
            let message = format!(
                "--attributes {text}: {cause}; expected a JSON object such as '{{\"licence\": \"OGL\"}}'"
            );
            Failure::new(Exit::Usage, message)
        })
    }

    /// The compressor.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn codec(&self) -> Result<Codec, Failure> {
        self.codec.parse().map_err(Failure::from)
    }
}
