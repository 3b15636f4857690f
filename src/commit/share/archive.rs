//! What is told of a shared archive as a whole: written once, by the job that shares it out, into the ledger of each store. That of
//! the first store, the home, counts: it is written last, and removed last.
//!
//! Key types: [`SharedArchive`], [`SharedFile`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures::{StreamExt, TryStreamExt, stream};
use msm_plan::ArchiveParts;
use msm_zarr::{Group, ZarrError, layout};
use serde::{Deserialize, Serialize};

use crate::commit::journal::{Writer, put_json};
use crate::commit::relative;
use crate::commit::transaction_id::token;
use crate::store::{Bucket, REQUESTS, StoreError, StoreLookup, read_store};

/// The version of the form.
const FORMAT: u32 = 1;

/// What all jobs that send an archive go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SharedArchive {
    format: u32,
    /// Drawn anew whenever an archive is shared out.
    pub id: String,
    /// The job that shared it out, and when.
    pub by: Writer,
    /// The stores, as seen from the one in whose ledger this is; the first is the home.
    stores: Vec<String>,
    /// What was asked, by the names of flags: every job must ask the same.
    pub settings: BTreeMap<String, String>,
    /// The dimension along which the stores grow.
    pub append_dimension: String,
    /// The archive's files, in the order of their steps.
    pub files: Vec<SharedFile>,
    /// The parts.
    pub parts: ArchiveParts,
    /// Is it being put to an end? Then no job takes a part any more.
    #[serde(default)]
    pub ending: bool,
}

/// A file as it was when the archive was shared out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SharedFile {
    /// Where it is.
    #[serde(with = "msm_model::names::one")]
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified: u64,
}

impl SharedArchive {
    /// One that is about to be shared out into `stores`, the home first.
    #[must_use]
    pub(crate) fn new(
        by: &Writer,
        stores: &[String],
        settings: BTreeMap<String, String>,
        append_dimension: &str,
        files: Vec<SharedFile>,
        parts: ArchiveParts,
    ) -> Self {
        Self {
            format: FORMAT,
            id: token(),
            by: by.clone(),
            stores: stores.to_vec(),
            settings,
            append_dimension: append_dimension.to_owned(),
            files,
            parts,
            ending: false,
        }
    }

    /// The store whose ledger tells how far the parts are.
    #[must_use]
    pub(crate) fn home(&self) -> &str {
        self.stores.first().map_or("", String::as_str)
    }

    /// All stores.
    #[must_use]
    pub(crate) fn stores(&self) -> &[String] {
        &self.stores
    }

    /// That which `store` is shared out to; `None` if it is not. What a job left that died before it had shared it out counts for
    /// nothing.
    ///
    /// # Errors
    /// As the server says, or if it cannot be read.
    pub(crate) async fn of_store(bucket: &Bucket, store: &str) -> Result<Option<Self>, StoreError> {
        let Some(told) = read(bucket, store).await? else {
            return Ok(None);
        };
        if told.home() == store {
            return Ok(Some(told));
        }
        let at_home = read(bucket, told.home()).await?;
        Ok(at_home.filter(|at_home| at_home.id == told.id))
    }

    /// What is to be ended that `store` is part of: also what cannot be read, or was left by a job that died before it had shared it out;
    /// then as much as is known of it. `by` is who ends it. `None` if nothing is told.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn to_end(
        bucket: &Bucket,
        store: &str,
        by: &Writer,
    ) -> Result<Option<Self>, StoreError> {
        let remnant = || Self {
            format: FORMAT,
            id: token(),
            by: by.clone(),
            stores: vec![store.to_owned()],
            settings: BTreeMap::new(),
            append_dimension: String::new(),
            files: Vec::new(),
            parts: ArchiveParts::default(),
            ending: true,
        };
        let told = match read(bucket, store).await {
            Ok(Some(told)) if told.home() == store => return Ok(Some(told)),
            Ok(Some(told)) => told,
            Ok(None) => {
                let left = bucket.list(&layout::share(store)).await?;
                return Ok((!left.is_empty()).then(remnant));
            }
            Err(StoreError::Share { .. }) => return Ok(Some(remnant())),
            Err(error) => return Err(error),
        };
        Ok(Some(match read(bucket, told.home()).await {
            Ok(Some(at_home)) if at_home.id == told.id => at_home,
            Ok(_) => remnant(),
            Err(StoreError::Share { .. }) => told,
            Err(error) => return Err(error),
        }))
    }

    /// Shares it out: from the last of these requests on, every job goes by it.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn put(&self, bucket: &Bucket) -> Result<(), StoreError> {
        let (home, others) = self.stores.split_at(self.stores.len().min(1));
        let puts = others.iter().map(|store| self.put_into(bucket, store));
        let puts = stream::iter(puts).buffer_unordered(REQUESTS);
        puts.try_collect::<()>().await?;
        for home in home {
            self.put_into(bucket, home).await?;
        }
        Ok(())
    }

    async fn put_into(&self, bucket: &Bucket, store: &str) -> Result<(), StoreError> {
        let mut told = self.clone();
        for other in &mut told.stores {
            *other = relative::beside(store, other);
        }
        for grows in &mut told.parts.stores {
            grows.store = relative::beside(store, &grows.store);
        }
        put_json(bucket, &layout::shared_archive(store), &told).await
    }

    /// Is it shared out still? Then the ETag with which its home says so, empty if there is none; what had the `known` ETag need not be read
    /// again.
    ///
    /// # Errors
    /// As the server says, or if it cannot be read.
    pub(crate) async fn goes_on(
        &self,
        bucket: &Bucket,
        known: Option<&str>,
    ) -> Result<Option<String>, StoreError> {
        let Some(found) = bucket.stat(&layout::shared_archive(self.home())).await? else {
            return Ok(None);
        };
        let tag = found.etag.unwrap_or_default();
        if !tag.is_empty() && known == Some(tag.as_str()) {
            return Ok(Some(tag));
        }
        let told = read(bucket, self.home()).await?;
        let goes_on = told.is_some_and(|told| told.id == self.id && !told.ending);
        Ok(goes_on.then_some(tag))
    }

    /// How many steps readers see in `group`, which had so many when the archive was shared out.
    ///
    /// # Errors
    /// As the server says, or if the store cannot be read.
    pub(crate) async fn visible(
        &self,
        bucket: &Bucket,
        group: &Group,
        held: u64,
    ) -> Result<u64, StoreError> {
        match read_store(bucket, group, "").await {
            Ok(StoreLookup::Store(stored)) => Ok(stored.length_along(&self.append_dimension)),
            Ok(StoreLookup::Nothing | StoreLookup::Remains(_)) => Ok(0),
            // The documents of a store that is being created come one after the other.
            Err(StoreError::Zarr(ZarrError::Foreign { .. })) if held == 0 => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Lets no job take a part of it any more.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn close(&mut self, bucket: &Bucket) -> Result<(), StoreError> {
        self.ending = true;
        self.put_into(bucket, self.home()).await
    }

    /// Removes whatever the ledgers of its stores have of parts, of this archive or of one before.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn clear(&self, bucket: &Bucket) -> Result<(), StoreError> {
        for store in &self.stores {
            let told = layout::shared_archive(store);
            let mut keys = bucket.list(&layout::share(store)).await?;
            keys.retain(|key| *key != told);
            let deletes = keys.iter().map(|key| bucket.delete(key));
            let deletes = stream::iter(deletes).buffer_unordered(REQUESTS);
            deletes.try_collect::<()>().await?;
        }
        Ok(())
    }

    /// Ends it: in the end, nothing tells of it any more. What the home tells goes last, so that whoever comes goes on with it.
    ///
    /// # Errors
    /// As the server says; the same again goes on with it.
    pub(crate) async fn remove(&self, bucket: &Bucket) -> Result<(), StoreError> {
        self.clear(bucket).await?;
        for store in self.stores.iter().rev() {
            bucket.delete(&layout::shared_archive(store)).await?;
        }
        Ok(())
    }

    /// Makes keys of what is told as seen from `store`; what is wrong with it, if it is not to be believed.
    fn resolve(mut self, store: &str) -> Result<Self, String> {
        if self.format != FORMAT {
            return Err(format!("format {}, expected {FORMAT}", self.format));
        }
        let grows = self.parts.stores.iter_mut().map(|grows| &mut grows.store);
        for other in self.stores.iter_mut().chain(grows) {
            let resolved = relative::resolve(store, other);
            *other = resolved.ok_or_else(|| format!("it names '{other}', which is no store"))?;
        }
        if !self.stores.iter().any(|other| other == store) {
            return Err("it does not name its own store".to_owned());
        }
        if !self.parts.are_sound() {
            return Err("its parts do not follow one another".to_owned());
        }
        Ok(self)
    }
}

/// What the ledger of `store` tells.
async fn read(bucket: &Bucket, store: &str) -> Result<Option<SharedArchive>, StoreError> {
    let key = layout::shared_archive(store);
    let told = match bucket.get(&key).await {
        Ok(told) => told,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    let told: Result<SharedArchive, String> =
        serde_json::from_slice(&told).map_err(|cause| cause.to_string());
    told.and_then(|told| told.resolve(store))
        .map(Some)
        .map_err(|cause| StoreError::Share { key, cause })
}

/// Removes everything in `folder`.
pub(super) async fn remove_all(bucket: &Bucket, folder: &str) -> Result<(), StoreError> {
    let keys = bucket.list(folder).await?;
    let deletes = keys.iter().map(|key| bucket.delete(key));
    let deletes = stream::iter(deletes).buffer_unordered(REQUESTS);
    deletes.try_collect().await
}
