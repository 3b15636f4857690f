//! A folder of stores: which of them is that of a variable, and under which name it lies there.
//!
//! Key types: [`Shelf`]; [`CompactStore`], the store of all variables beside it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, join, stream};
use msm_zarr::{
    Group, StoreSnapshot, StoredArray, ZarrError, is_store,
    layout::{self, LEDGERS},
};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::store::REQUESTS;
use crate::store::{Bucket, Node, StoreError, StoreLookup, read_store};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::place::{is_there, last};

/// A folder of stores, and the store of all variables beside it.
pub(in crate::verbs) struct Shelf {
    /// Its key.
    pub prefix: String,
    folders: BTreeSet<String>,
    ledgers: BTreeSet<String>,
    /// Is the store of all variables there?
    has_compact: Result<bool, StoreError>,
    /// Its stores of one variable each whose names do not say that they are stores, by the variable; once they were looked for.
    bare: OnceCell<BTreeMap<String, Vec<String>>>,
}

impl Shelf {
    /// The folder `prefix`. What this user may not list he has not meant.
    pub(crate) async fn of(bucket: &Bucket, prefix: &str) -> Result<Self, StoreError> {
        let seen = |listed: Result<Vec<String>, StoreError>| match listed {
            Err(StoreError::Denied { .. }) => Ok(Vec::new()),
            listed => listed,
        };
        let (folder, ledgers, has_compact) = join!(
            bucket.folder(prefix),
            bucket.ledgers(prefix),
            has_compact(bucket, prefix)
        );
        let folders = seen(folder.map(|folder| folder.folders))?.into_iter();
        Ok(Self {
            prefix: prefix.to_owned(),
            folders: folders.map(|key| last(&key).to_owned()).collect(),
            ledgers: seen(ledgers)?.into_iter().collect(),
            has_compact,
            bare: OnceCell::new(),
        })
    }

    /// The key of the store of `variable` alone, under the name that it has; `None` if it is not there.
    ///
    /// # Errors
    /// If there are two, or something else lies where the store would be looked for.
    pub(crate) async fn own(
        &self,
        bucket: &Bucket,
        variable: &str,
    ) -> Result<Option<String>, Error> {
        if let Some(named) = self.called_so(bucket, variable).await? {
            return Ok(Some(named));
        }
        let bare = self.bare.get_or_try_init(|| self.find_bare(bucket)).await?;
        match bare.get(variable).map_or(&[][..], Vec::as_slice) {
            [] => Ok(None),
            [store] => Ok(Some(store.clone())),
            [one, other, ..] => Err(which(one, other, Some(variable)).into()),
        }
    }

    /// The stores of one variable each whose names do not say that they are stores, by the variable.
    async fn find_bare(
        &self,
        bucket: &Bucket,
    ) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        let names = self.folders.iter();
        let names = names.filter(|name| !is_store(name) && *name != LEDGERS);
        let looks = names.map(|name| async move {
            let key = layout::below(&self.prefix, name);
            match bare_store(bucket, &key).await {
                Ok(stored) => Ok(stored.map(|stored| (data_variables(stored, &key), key))),
                // What this user may not read he has not meant.
                Err(StoreError::Denied { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let found: Vec<_> = stream::iter(looks).buffered(REQUESTS).try_collect().await?;
        let mut bare: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (variables, key) in found.into_iter().flatten() {
            if let [variable] = &variables.into_iter().collect::<Vec<_>>()[..] {
                bare.entry(variable.clone()).or_default().push(key);
            }
        }
        Ok(bare)
    }

    /// The key of the store that is called as `variable` is.
    async fn called_so(&self, bucket: &Bucket, variable: &str) -> Result<Option<String>, Error> {
        let named = layout::store_key(&self.prefix, variable);
        let is_named = self.has(last(&named));
        let bare = layout::below(&self.prefix, variable);
        // What is called as a store is that of another variable.
        if !self.has(variable) || is_store(variable) {
            return Ok(is_named.then_some(named));
        }
        let is_bare = self.ledgers.contains(variable)
            || match bucket.node(&bare).await? {
                Node::Group => true,
                Node::Repository if !is_named => {
                    return Err(StoreError::Repository { key: bare }.into());
                }
                Node::Array if !is_named => return Err(StoresError::Array { key: bare }.into()),
                Node::Repository | Node::Array | Node::Folder => false,
            };
        match (is_named, is_bare) {
            (true, true) => Err(which(&bare, &named, Some(variable)).into()),
            (false, true) => Ok(Some(bare)),
            (is_named, false) => Ok(is_named.then_some(named)),
        }
    }

    /// The key of the store of all variables, which lies beside this folder; `None` if it is not there.
    ///
    /// # Errors
    /// If the server does not list.
    pub(crate) fn compact(&self) -> Result<Option<String>, StoreError> {
        let is_there = self.has_compact.clone()?;
        Ok(is_there.then(|| layout::compact_key(&self.prefix)))
    }

    /// Where `-v compact` makes a new store.
    pub(crate) fn new_compact(&self) -> String {
        layout::compact_key(&self.prefix)
    }

    /// The store that `variable` is in: its `own`, or that of all variables.
    ///
    /// # Errors
    /// If it is in two.
    pub(crate) fn store_of(
        variable: &str,
        own: Option<String>,
        compact: Option<&CompactStore>,
    ) -> Result<Option<String>, StoresError> {
        let compact = compact.filter(|compact| compact.variables.contains(variable));
        match (own, compact) {
            (Some(own), Some(CompactStore { key, .. })) => Err(StoresError::InTwo {
                variable: variable.to_owned(),
                own,
                compact: key.clone(),
            }),
            (own, compact) => Ok(own.or(compact.map(|compact| compact.key.clone()))),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.folders.contains(name) || self.ledgers.contains(name)
    }
}

/// Does the store of all variables lie beside the folder `prefix`?
async fn has_compact(bucket: &Bucket, prefix: &str) -> Result<bool, StoreError> {
    if prefix.is_empty() {
        return Ok(false);
    }
    is_there(bucket, &layout::compact_key(prefix)).await
}

/// The store of all variables, and its data variables.
pub(in crate::verbs) struct CompactStore {
    pub key: String,
    pub variables: BTreeSet<String>,
}

impl CompactStore {
    /// That of `shelf`, if it is there and can be read.
    ///
    /// # Errors
    /// If the server does not say.
    pub(crate) async fn of(bucket: &Bucket, shelf: &Shelf) -> Result<Option<Self>, StoreError> {
        let Some(key) = shelf.compact()? else {
            return Ok(None);
        };
        let stored = readable(bucket, &Group::whole(&key)).await?;
        Ok(stored.map(|stored| Self {
            variables: data_variables(stored, &key),
            key,
        }))
    }
}

/// What the folder `key` holds, if it is a store.
async fn bare_store(bucket: &Bucket, key: &str) -> Result<Option<StoreSnapshot>, StoreError> {
    let folder = bucket.folder(key).await?;
    match bucket.node_of(key, &folder).await? {
        Node::Group => readable(bucket, &Group::whole(key)).await,
        Node::Array | Node::Repository | Node::Folder => Ok(None),
    }
}

/// What `group` holds; `None` if there is no such store that can be read.
pub(in crate::verbs) async fn readable(
    bucket: &Bucket,
    group: &Group,
) -> Result<Option<StoreSnapshot>, StoreError> {
    match read_store(bucket, group, "").await {
        Ok(StoreLookup::Store(stored)) => Ok(Some(stored)),
        Ok(StoreLookup::Nothing | StoreLookup::Remains(_))
        | Err(StoreError::Zarr(ZarrError::Foreign { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names of dimensions, and those that the attributes give by which arrays name what belongs to them; never that of the store itself.
pub(in crate::verbs) fn coordinates(arrays: &[StoredArray], store: &str) -> BTreeSet<String> {
    let named = |array: &StoredArray, attribute: &str| {
        let names = array.attributes.get(attribute).and_then(Value::as_str);
        let names = names.unwrap_or_default().split_whitespace();
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut coordinates = BTreeSet::new();
    for array in arrays {
        coordinates.extend(array.dimensions.iter().cloned());
        for attribute in ["coordinates", "bounds", "climatology", "quantization"] {
            coordinates.extend(named(array, attribute));
        }
        // One name, or in the long form each with a colon, before its coordinates.
        let mappings = named(array, "grid_mapping").into_iter();
        coordinates.extend(mappings.map(|name| name.trim_end_matches(':').to_owned()));
    }
    let name = store.rsplit('/').next().unwrap_or_default();
    coordinates.remove(name.strip_suffix(".zarr").unwrap_or_default());
    coordinates
}

fn data_variables(stored: StoreSnapshot, key: &str) -> BTreeSet<String> {
    let coordinates = coordinates(&stored.arrays, key);
    let names = stored.arrays.into_iter().map(|array| array.name);
    names.filter(|name| !coordinates.contains(name)).collect()
}

/// Two stores could be that of `variable`, or of all variables.
pub(in crate::verbs) fn which(one: &str, other: &str, variable: Option<&str>) -> StoresError {
    StoresError::Which {
        one: one.to_owned(),
        other: other.to_owned(),
        variable: variable.map(str::to_owned),
    }
}
