//! The flags of `send` and `update`.

use clap::Args;
use msm_model::Recipe;
use msm_plan::{ChunkStrategy, Overlap, SHARDS_FLAG};
use msm_zarr::{Codec, Version};
use serde_json::{Map, Value};

use super::choices;
use super::error::CliError;
use super::files::{FileArgs, sizes};
use super::plan::PlanPrint;
use super::share::ShareArgs;
use crate::error::Error;
use crate::verbs::send::{Send, Update};

/// What `send` is told.
#[derive(Args)]
pub(super) struct SendArgs {
    #[command(flatten)]
    pub files: FileArgs,

    /// What to do with steps that a store has already; without it: nothing if it has all of a file, an error if it has some
    #[arg(long, value_parser = choices::overlap())]
    pub on_overlap: Option<Overlap>,

    #[command(flatten)]
    pub order: OrderArgs,

    /// Say what would be done, as `plan` does; write nothing, and take no lease
    #[arg(long, conflicts_with_all = ["consolidate", "report"])]
    pub dry_run: bool,

    /// Add variables to a store that does not hold them; steps that the files do not have read as fill
    #[arg(long)]
    pub add_variables: bool,

    /// Global attributes of the stores, beside the files' own, as JSON: '{"licence": "OGL"}' [short: -at]
    #[arg(long, value_name = "JSON")]
    pub attributes: Option<String>,

    /// Shard sizes of a new store, as JSON like --chunk_strategy: '{"time_counter": 12, "y": 400}'
    ///
    /// One object then holds a shard of many chunks, each of which can be read by itself. Sizes are whole multiples of
    /// the chunk sizes; dimensions left out have one chunk a shard. Zarr version 3 only.
    #[arg(long, value_name = "JSON")]
    pub shards: Option<String>,

    #[command(flatten)]
    pub share: ShareArgs,

    /// Version of the Zarr format of a new store; a store keeps its own [default: 3] [short: -zv]
    #[arg(long = "zarr-version", visible_alias = "zarr_version", value_parser = choices::version())]
    pub zarr_version: Option<Version>,

    /// Compressor of a new store: none, zstd:LEVEL or blosc:COMPRESSOR:LEVEL:SHUFFLE; a crc32c is added to
    /// each in Zarr version 3; a store keeps its own [default: blosc:lz4:5:shuffle]
    #[arg(long, value_name = "CODEC")]
    pub codec: Option<String>,
}

/// Where steps may go.
#[derive(Args)]
pub(super) struct OrderArgs {
    /// Put steps between those of a store, where they belong; what lies behind is moved, and readers may see it half moved
    #[arg(long, conflicts_with = "share")]
    pub insert: bool,

    /// Send files between which steps are missing, or that do not follow on a store's last step
    #[arg(long)]
    pub allow_gaps: bool,
}

/// What `update` is told.
#[derive(Args)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    pub files: FileArgs,

    /// Append the steps that a store does not have, in the same transaction
    #[arg(long)]
    pub append_missing: bool,

    /// Say what would be done; write nothing, and take no lease
    #[arg(long, conflicts_with_all = ["consolidate", "report"])]
    pub dry_run: bool,
}

impl SendArgs {
    /// What is asked, where each rank may hold so many bytes, and the recipe is this one.
    ///
    /// # Errors
    /// If something is malformed.
    pub(super) fn request(&self, memory: u64, recipe: Option<Recipe>) -> Result<Send, CliError> {
        Ok(Send {
            files: self.files.request(memory, recipe)?,
            overlap: self.on_overlap.unwrap_or_default(),
            insert: self.order.insert,
            allow_gaps: self.order.allow_gaps,
            add_variables: self.add_variables,
            attributes: self.attributes()?,
            shards: self.shards()?,
            version: self.zarr_version,
            codec: self.codec()?,
            share: self.share.sharing()?,
        })
    }

    /// How a plan of it is printed.
    pub(super) fn print(&self) -> PlanPrint<'static> {
        PlanPrint {
            verb: "send",
            outcome: self.files.outcome,
            rate: None,
            prices: None,
            script_of: None,
        }
    }

    /// The global attributes to add.
    ///
    /// # Errors
    /// If they are no JSON object.
    fn attributes(&self) -> Result<Map<String, Value>, CliError> {
        let Some(text) = &self.attributes else {
            return Ok(Map::new());
        };
        serde_json::from_str(text).map_err(|cause| CliError::Attributes {
            text: text.clone(),
            cause: cause.to_string(),
        })
    }

    /// The shard sizes; empty if none were given.
    ///
    /// # Errors
    /// If they are malformed, or the Zarr version asked for has no shards.
    pub(super) fn shards(&self) -> Result<ChunkStrategy, CliError> {
        if self.shards.is_some() && self.zarr_version == Some(Version::V2) {
            let flag = SHARDS_FLAG.to_owned();
            return Err(CliError::Shards { flag });
        }
        sizes(SHARDS_FLAG, self.shards.as_deref())
    }

    /// The compressor; `None` if none was named.
    ///
    /// # Errors
    /// If it is malformed.
    fn codec(&self) -> Result<Option<Codec>, CliError> {
        let codec = self.codec.as_deref().map(str::parse);
        Ok(codec.transpose().map_err(Error::from)?)
    }
}

impl UpdateArgs {
    /// What is asked, where each rank may hold so many bytes, and the recipe is this one.
    ///
    /// # Errors
    /// If something is malformed.
    pub(super) fn request(&self, memory: u64, recipe: Option<Recipe>) -> Result<Update, CliError> {
        Ok(Update {
            files: self.files.request(memory, recipe)?,
            append_missing: self.append_missing,
        })
    }

    /// How a plan of it is printed.
    pub(super) fn print(&self) -> PlanPrint<'static> {
        PlanPrint {
            verb: "update",
            outcome: self.files.outcome,
            rate: None,
            prices: None,
            script_of: None,
        }
    }
}
