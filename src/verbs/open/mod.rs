//! `open`: which stores there are, and how those who read them reach and open them. Rank 0 looks; the others wait for its verdict.
//!
//! Key types: [`Open`], what is asked; [`OpenReport`]; [`OpenableStore`].

mod coverage;
mod description;
mod reach;

use std::ops::ControlFlow;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, Version};
use serde::Serialize;

pub use self::description::StoreMetadata;
pub use self::reach::{Reach, Signing};

use crate::error::Error;
use crate::events::{Event, Notice, ReplacedStore};
use crate::session::Session;
use crate::store::{Bucket, Ground, StoreError, UnconsolidatedStore};
use crate::verbs::list::{self, LeftOut, List, StoreInfo, StoreState};
use crate::verbs::stores::error::StoresError;

/// Stores in flight.
const STORES: usize = 16;

/// Which stores are to be opened.
#[derive(Clone, Debug, Default)]
pub struct Open {
    /// The stores.
    pub stores: List,
    /// Is it asked, too, what a catalogue says of each: attributes, and where on the earth it lies?
    pub describes: bool,
}

/// The stores, and how they are reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenReport {
    /// How the bucket is reached.
    pub reach: Reach,
    /// The stores, in the order of their keys, those that cannot be opened among them; rank 0 has them, the others none.
    pub stores: Vec<OpenableStore>,
    /// What was left out.
    pub left_out: LeftOut,
}

impl OpenReport {
    /// Why it is not known of stores where on the earth their cells lie, where something cannot be read.
    #[must_use]
    pub fn unplaced(&self) -> Vec<StoreError> {
        let described = self
            .stores
            .iter()
            .filter_map(|store| store.metadata.as_ref());
        described
            .filter_map(|metadata| metadata.unplaced.clone())
            .collect()
    }
}

/// A store, or a group of a hierarchy, and how it is opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenableStore {
    /// What it is; its key is that of the group.
    #[serde(flatten)]
    pub info: StoreInfo,
    /// Can xarray open it?
    pub can_be_opened: bool,
    /// The key of the topmost group.
    pub root: String,
    /// The group's path in that, if it is not the topmost one.
    pub group: Option<String>,
    /// Does the root tell of all arrays?
    pub consolidated: bool,
    /// What a catalogue says of it, if that was asked.
    #[serde(skip)]
    pub metadata: Option<StoreMetadata>,
}

/// Finds the stores.
///
/// # Errors
/// On every rank the same: if the bucket cannot be read.
pub fn open(session: &Session, request: &Open) -> Result<OpenReport, Error> {
    let mut infos = Vec::new();
    let left_out = list::for_each(session, &request.stores, |info| {
        infos.push(info);
        ControlFlow::Continue(())
    })?;
    let bucket = &session.bucket;
    let mut stores = Vec::new();
    let are_named = !request.stores.filter.variables.is_empty();
    session.on_lead(async || {
        let replaced = infos.iter().filter_map(|info| info.being_replaced.clone());
        let replaced: Vec<ReplacedStore> = replaced.collect();
        let looked = infos.into_iter().map(|info| look(bucket, info, request));
        stores = stream::iter(looked).buffered(STORES).try_collect().await?;
        let is_any_open = stores.iter().any(|store| store.can_be_opened);
        for replaced in replaced {
            if are_named || !is_any_open {
                return Err(StoresError::BeingReplaced(replaced).into());
            }
            session.tell(&Event::Notice(Notice::BeingReplaced(replaced)));
        }
        Ok(())
    })?;
    Ok(OpenReport {
        reach: Reach::of(bucket.connection()),
        stores,
        left_out,
    })
}

/// How the store that `info` tells of is opened.
async fn look(
    bucket: &Bucket,
    mut info: StoreInfo,
    request: &Open,
) -> Result<OpenableStore, StoreError> {
    let consolidated = match info.state {
        StoreState::Whole => Some(true),
        // This program wants consolidated metadata; xarray can do without.
        StoreState::Broken => match UnconsolidatedStore::read(bucket, &info.store).await {
            Ok(Some(found)) => {
                info.zarr_format = Some(match found.version {
                    Version::V2 => 2,
                    Version::V3 => 3,
                });
                Some(false)
            }
            Ok(None) | Err(StoreError::Zarr(_)) => None,
            Err(error) => return Err(error),
        },
        StoreState::Unfinished | StoreState::Denied | StoreState::Icechunk => None,
    };
    let whole = Group::whole(&info.store);
    let group = match info.state {
        StoreState::Whole => match bucket.ground(&info.store).await? {
            Ground::Group(group) => group,
            Ground::Free | Ground::Array(_) | Ground::Repository(_) => whole,
        },
        _ => whole,
    };
    let metadata = if request.describes && info.state == StoreState::Whole {
        StoreMetadata::read(bucket, &group).await?
    } else {
        None
    };
    Ok(OpenableStore {
        info,
        can_be_opened: consolidated.is_some(),
        root: group.store,
        group: Some(group.path).filter(|path| !path.is_empty()),
        consolidated: consolidated.unwrap_or(false),
        metadata,
    })
}
