//! Where a command works: in a folder of stores, or in one store; and which of two names a store has.
//!
//! Key types: [`Place`]; [`Shelf`], a folder of stores.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::describe::coordinates;
use super::targets::REQUESTS;
use crate::cli::Spot;
use crate::exit::{Exit, Failure};
use crate::store::layout::{self, LEDGERS};
use crate::store::{Bucket, Found, Ground, Group, Node, StoreError, Stored, is_store, read_store};

/// Where a command works.
pub(super) enum Place {
    /// In a folder of stores, or where one can be.
    Shelf(Shelf),
    /// In this group.
    Group(Group),
    /// In the store of this key, if it is there.
    Store(String),
}

/// A folder of stores, and the store of all variables beside it.
pub(super) struct Shelf {
    /// Its key.
    pub prefix: String,
    folders: BTreeSet<String>,
    ledgers: BTreeSet<String>,
    /// Its stores of one variable each whose names do not say that they are stores, by the variable; once they were looked for.
    bare: OnceCell<BTreeMap<String, Vec<String>>>,
}

impl Place {
    /// What `spot` is.
    ///
    /// # Errors
    /// If it is not this program's to work in; then what is.
    pub async fn of(bucket: &Bucket, spot: &Spot) -> Result<Self, Failure> {
        let key = spot.key();
        match bucket.ground(key).await? {
            Ground::Repository(key) => return Err(StoreError::Repository { key }.into()),
            Ground::Array(array) => return Err(is_an_array(&array)),
            Ground::Group(group) if group.store.is_empty() => {
                return Err(is_a_store(bucket));
            }
            Ground::Group(group) => return Ok(Self::Group(group)),
            Ground::Free => {}
        }
        beside_stores(spot)?;
        if matches!(spot, Spot::At(_)) || is_store(last(key)) || is_unfinished(bucket, key).await? {
            return Ok(Self::Store(key.to_owned()));
        }
        Ok(Self::Shelf(Shelf::of(bucket, key).await?))
    }

    /// The one store of all variables that is meant here, if it is there; `None` if it is not.
    ///
    /// # Errors
    /// If there are two.
    pub async fn compact(&self, bucket: &Bucket, spot: &Spot) -> Result<Option<Group>, Failure> {
        match self {
            Self::Shelf(shelf) => Ok(shelf.compact(bucket).await?.as_deref().map(Group::whole)),
            Self::Store(key) => {
                let there = is_there(bucket, key).await?;
                Ok(there.then(|| Group::whole(key)))
            }
            Self::Group(group) => {
                if group.path.is_empty() && *spot == Spot::Below(group.store.clone()) {
                    let beside = layout::compact_key(&group.store);
                    if is_there(bucket, &beside).await? {
                        return Err(which(&group.store, &beside, "the store of all variables"));
                    }
                }
                Ok(Some(group.clone()))
            }
        }
    }
}

impl Shelf {
    /// The folder `prefix`. What this user may not list he has not meant.
    async fn of(bucket: &Bucket, prefix: &str) -> Result<Self, StoreError> {
        let seen = |listed: Result<Vec<String>, StoreError>| match listed {
            Err(StoreError::Denied { .. }) => Ok(Vec::new()),
            listed => listed,
        };
        let folders = bucket.folder(prefix).await.map(|folder| folder.folders);
        let folders = seen(folders)?.into_iter();
        Ok(Self {
            prefix: prefix.to_owned(),
            folders: folders.map(|key| last(&key).to_owned()).collect(),
            ledgers: seen(bucket.ledgers(prefix).await)?.into_iter().collect(),
            bare: OnceCell::new(),
        })
    }

    /// The key of the store of `variable` alone, under the name that it has; `None` if it is not there.
    ///
    /// # Errors
    /// If there are two, or something else lies where the store would be looked for.
    pub async fn own(&self, bucket: &Bucket, variable: &str) -> Result<Option<String>, Failure> {
        if let Some(named) = self.called_so(bucket, variable).await? {
            return Ok(Some(named));
        }
        let bare = self.bare.get_or_try_init(|| self.find_bare(bucket)).await?;
        match bare.get(variable).map_or(&[][..], Vec::as_slice) {
            [] => Ok(None),
            [store] => Ok(Some(store.clone())),
            [one, other, ..] => Err(which(one, other, &format!("the store of '{variable}'"))),
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
    async fn called_so(&self, bucket: &Bucket, variable: &str) -> Result<Option<String>, Failure> {
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
                Node::Array if !is_named => return Err(is_an_array(&bare)),
                Node::Repository | Node::Array | Node::Folder => false,
            };
        match (is_named, is_bare) {
            (true, true) => Err(which(&bare, &named, &format!("the store of '{variable}'"))),
            (false, true) => Ok(Some(bare)),
            (is_named, false) => Ok(is_named.then_some(named)),
        }
    }

    /// The key of the store of all variables, which lies beside this folder; `None` if it is not there.
    ///
    /// # Errors
    /// If the server does not list.
    pub async fn compact(&self, bucket: &Bucket) -> Result<Option<String>, StoreError> {
        if self.prefix.is_empty() {
            return Ok(None);
        }
        let compact = layout::compact_key(&self.prefix);
        Ok(is_there(bucket, &compact).await?.then_some(compact))
    }

    /// Where `-v compact` makes a new store.
    pub fn new_compact(&self) -> String {
        layout::compact_key(&self.prefix)
    }

    /// The store that `variable` is in: its own, or that of all variables.
    ///
    /// # Errors
    /// If it is in two.
    pub async fn store_of(
        &self,
        bucket: &Bucket,
        variable: &str,
        compact: Option<&Compact>,
    ) -> Result<Option<String>, Failure> {
        let own = self.own(bucket, variable).await?;
        let compact = compact.filter(|compact| compact.variables.contains(variable));
        match (own, compact) {
            (Some(own), Some(Compact { key, .. })) => {
                let message = format!(
                    "'{variable}' is in two stores: '{own}', its own, and '{key}', that of all variables; for the one type \
                     --store {own} -v {variable}, for the other -v compact {variable}; nothing was written"
                );
                Err(Failure::new(Exit::WhichStore, message))
            }
            (own, compact) => Ok(own.or(compact.map(|compact| compact.key.clone()))),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.folders.contains(name) || self.ledgers.contains(name)
    }
}

/// The store of all variables, and its data variables.
pub(super) struct Compact {
    pub key: String,
    pub variables: BTreeSet<String>,
}

impl Compact {
    /// That of `shelf`, if it is there and can be read.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn of(bucket: &Bucket, shelf: &Shelf) -> Result<Option<Self>, StoreError> {
        let Some(key) = shelf.compact(bucket).await? else {
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
async fn bare_store(bucket: &Bucket, key: &str) -> Result<Option<Stored>, StoreError> {
    let folder = bucket.folder(key).await?;
    match bucket.node_of(key, &folder).await? {
        Node::Group => readable(bucket, &Group::whole(key)).await,
        Node::Array | Node::Repository | Node::Folder => Ok(None),
    }
}

/// What `group` holds; `None` if there is no such store that can be read.
pub(super) async fn readable(bucket: &Bucket, group: &Group) -> Result<Option<Stored>, StoreError> {
    match read_store(bucket, group, "").await {
        Ok(Found::Store(stored)) => Ok(Some(stored)),
        Ok(Found::Nothing | Found::Remains(_)) | Err(StoreError::Foreign { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn data_variables(stored: Stored, key: &str) -> BTreeSet<String> {
    let coordinates = coordinates(&stored.arrays, key);
    let names = stored.arrays.into_iter().map(|array| array.name);
    names.filter(|name| !coordinates.contains(name)).collect()
}

/// Is there anything of the store `key`, or of its ledger?
pub(super) async fn is_there(bucket: &Bucket, key: &str) -> Result<bool, StoreError> {
    Ok(!bucket.folder(key).await?.is_empty()
        || !bucket.folder(&layout::ledger(key)).await?.is_empty())
}

/// Has a create or a delete of the store `key` not ended? It has no documents yet, or no more.
async fn is_unfinished(bucket: &Bucket, key: &str) -> Result<bool, StoreError> {
    if key.is_empty() {
        return Ok(false);
    }
    match bucket.folder(&layout::journals(key)).await {
        Err(StoreError::Denied { .. }) => Ok(false),
        journals => Ok(!journals?.is_empty()),
    }
}

/// That stores would lie in another store, by its name, or among ledgers.
fn beside_stores(spot: &Spot) -> Result<(), Failure> {
    let key = spot.key();
    let mut above = key
        .rsplit_once('/')
        .map_or("", |(above, _)| above)
        .split('/');
    let part = if last(key) == LEDGERS {
        Some(LEDGERS)
    } else {
        above.find(|part| is_store(part) || *part == LEDGERS)
    };
    match part {
        Some(part) => Err(Failure::new(
            Exit::Usage,
            format!(
                "'{key}': '{part}' is the name of a store or of the folder of ledgers, and no store is put into another; choose \
                 another place with --prefix or --store"
            ),
        )),
        None => Ok(()),
    }
}

fn is_an_array(key: &str) -> Failure {
    let message = format!(
        "'{key}' is a Zarr array that is in no group: it is no store, and none is put into it; choose another place with \
         --prefix or --store; nothing was written"
    );
    Failure::new(Exit::ForeignStore, message)
}

fn is_a_store(bucket: &Bucket) -> Failure {
    let message = format!(
        "{} is itself a Zarr group with consolidated metadata: no store or ledger is put into it; give the folder above it with \
         -b, and its name with --store; nothing was written",
        bucket.place()
    );
    Failure::new(Exit::ForeignStore, message)
}

/// Two stores could be `what`.
fn which(one: &str, other: &str, what: &str) -> Failure {
    let message = format!(
        "both '{one}' and '{other}' could be {what}: say which, with --store {one} or --store {other}; nothing was written"
    );
    Failure::new(Exit::WhichStore, message)
}

fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}
