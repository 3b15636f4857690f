//! What lies in a bucket: streaming listings with sizes, and listings of one folder.
//!
//! Key types: [`ListedObject`], an object of a listing; [`Folder`], what one folder holds; [`Site`], where a store is.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{
    is_store,
    layout::{self, LEDGERS},
};
use object_store::{ObjectMeta, ObjectStoreExt};

use super::bucket::Bucket;
use super::error::StoreError;
use super::examine::is_doctors;
use super::node::Node;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was put, by the server's clock.
    pub modified: SystemTime,
    /// Its ETag without quotes, where listings tell it.
    pub etag: Option<String>,
}

/// Where a store is, or what is no store and lies among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Its key.
    pub key: String,
    /// Is it an Icechunk repository?
    pub is_repository: bool,
}

/// What one folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folder {
    /// The keys of the folders in it, in the order of the keys below them.
    pub folders: Vec<String>,
    /// The objects in it.
    pub objects: Vec<ListedObject>,
}

impl Folder {
    /// Does it hold nothing?
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.objects.is_empty()
    }
}

impl Bucket {
    /// The objects below `prefix`, page by page as the server gives them.
    pub(crate) fn entries(&self, prefix: &str) -> BoxStream<'_, Result<ListedObject, StoreError>> {
        self.told(prefix, self.store.list(Some(&self.path(prefix))))
    }

    /// What a `listing` of what is below `prefix` tells.
    fn told<'a>(
        &'a self,
        prefix: &str,
        listing: BoxStream<'a, object_store::Result<ObjectMeta>>,
    ) -> BoxStream<'a, Result<ListedObject, StoreError>> {
        let prefix = prefix.to_owned();
        let (strip, mut seen) = (self.strip(), CircleDetector::default());
        listing
            .map(move |object| match object {
                Ok(object) if seen.again(object.location.as_ref()) => Err(StoreError::Failed {
                    place: self.place().to_owned(),
                    key: prefix.clone(),
                    action: "listing".into(),
                    cause: format!(
                        "it does not come to an end: {} comes twice",
                        object.location
                    ),
                }),
                Ok(object) => Ok(entry(&object, strip)),
                Err(cause) => Err(self.error(&prefix, "listing", &cause)),
            })
            .boxed()
    }

    /// The keys below `prefix`.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.entries(prefix)
            .map_ok(|entry| entry.key)
            .try_collect()
            .await
    }

    /// Those of the keys below `prefix` that come after `key`, where the server can begin there; from others, perhaps all.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn list_after(
        &self,
        prefix: &str,
        key: &str,
    ) -> Result<Vec<String>, StoreError> {
        let (below, after) = (self.path(prefix), self.path(key));
        let listing = self.store.list_with_offset(Some(&below), &after);
        self.told(prefix, listing)
            .map_ok(|entry| entry.key)
            .try_collect()
            .await
    }

    /// The keys below `prefix`, and when each was put by the server's clock.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn list_dated(
        &self,
        prefix: &str,
    ) -> Result<Vec<(String, SystemTime)>, StoreError> {
        self.entries(prefix)
            .map_ok(|entry| (entry.key, entry.modified))
            .try_collect()
            .await
    }

    /// The folder `prefix`, without what its folders hold.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn folder(&self, prefix: &str) -> Result<Folder, StoreError> {
        let below = self.path(prefix);
        let listed = self.store.list_with_delimiter(Some(&below)).await;
        let listed = listed.map_err(|cause| self.error(prefix, "listing", &cause))?;
        let strip = self.strip();
        let mut folders: Vec<String> = listed
            .common_prefixes
            .iter()
            .map(|path| without(path.as_ref(), strip))
            .collect();
        // As the keys below them: `a!/x` comes before `a/x`.
        folders.sort_by_cached_key(|folder| format!("{folder}/"));
        let objects = listed.objects.iter().map(|object| entry(object, strip));
        Ok(Folder {
            folders,
            objects: objects.collect(),
        })
    }

    /// The stores at and below `prefix`, in the order of their keys, folder by folder: by their documents, by their names, or
    /// because they have a ledger; and Icechunk repositories. None is looked into.
    pub(crate) fn sites(&self, prefix: &str) -> BoxStream<'_, Result<Site, StoreError>> {
        // What is still to be looked at, the next one last.
        let ahead: Vec<(String, bool)> = vec![(prefix.to_owned(), false)];
        let walk = stream::try_unfold(ahead, move |mut ahead| async move {
            while let Some((key, is_a_store)) = ahead.pop() {
                let is_repository = if is_a_store {
                    false
                } else {
                    let folder = self.folder(&key).await?;
                    match self.node_of(&key, &folder).await? {
                        Node::Group if !key.is_empty() => false,
                        Node::Repository => true,
                        Node::Array => continue,
                        Node::Group | Node::Folder => {
                            ahead.extend(self.places(&key, &folder).await?);
                            continue;
                        }
                    }
                };
                return Ok(Some((Site { key, is_repository }, ahead)));
            }
            Ok(None)
        });
        walk.boxed()
    }

    /// Where stores may lie in the folder `prefix`, which holds `folder`, the first one last, and whether one does: its name
    /// says so, or its ledger.
    async fn places(
        &self,
        prefix: &str,
        folder: &Folder,
    ) -> Result<Vec<(String, bool)>, StoreError> {
        let mut places: BTreeMap<String, bool> = BTreeMap::new();
        for key in &folder.folders {
            let name = key.rsplit('/').next().unwrap_or_default();
            if name != LEDGERS {
                // As the keys below them: `a!/x` comes before `a/x`.
                *places.entry(format!("{key}/")).or_default() |= is_store(name);
                continue;
            }
            for name in self.ledgers(prefix).await? {
                places.insert(format!("{}/", layout::below(prefix, &name)), true);
            }
        }
        let places = places.into_iter().rev();
        Ok(places
            .map(|(key, is_a_store)| (key.trim_end_matches('/').to_owned(), is_a_store))
            .collect())
    }

    /// The names of the stores in the folder `prefix` that have a ledger: perhaps nothing else is left of them.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn ledgers(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let folders = self.folder(&layout::below(prefix, LEDGERS)).await?.folders;
        let names = folders
            .iter()
            .map(|key| key.rsplit('/').next().unwrap_or_default());
        let names = names.filter(|name| !is_doctors(name));
        Ok(names.map(str::to_owned).collect())
    }

    /// The object `key`, and when it was put (UTC, `2026-01-31T12:00:00Z`).
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn get_dated(&self, key: &str) -> Result<(Bytes, String), StoreError> {
        let read = async {
            let found = self.store.get(&self.path(key)).await?;
            let modified = found.meta.last_modified.format("%Y-%m-%dT%H:%M:%SZ");
            let modified = modified.to_string();
            Ok((found.bytes().await?, modified))
        };
        let read: Result<_, object_store::Error> = read.await;
        read.map_err(|cause| self.error(key, "reading", &cause))
    }

    /// Characters of the server's keys before ours.
    fn strip(&self) -> usize {
        self.path("").as_ref().len()
    }
}

/// Notices, sooner or later, that a listing turns in circles, however long they are: the key that it remembers, another one
/// after twice as many keys, comes again.
#[derive(Default)]
struct CircleDetector {
    key: String,
    /// Keys since it was remembered, and until the next one is.
    since: u64,
    until: u64,
}

impl CircleDetector {
    /// Does `key`, the next one, come again?
    fn again(&mut self, key: &str) -> bool {
        if self.until > 0 && self.key == key {
            return true;
        }
        if self.since == self.until {
            key.clone_into(&mut self.key);
            self.since = 0;
            self.until = (self.until * 2).max(1);
        }
        self.since += 1;
        false
    }
}

fn entry(object: &ObjectMeta, strip: usize) -> ListedObject {
    ListedObject {
        key: without(object.location.as_ref(), strip),
        bytes: object.size,
        modified: object.last_modified.into(),
        etag: object
            .e_tag
            .as_deref()
            .map(|tag| tag.trim_matches('"').to_owned()),
    }
}

fn without(path: &str, strip: usize) -> String {
    path[strip..].trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_noticed_and_nothing_else_is() {
        for length in [1, 2, 3, 1000] {
            for before in [0, 1, 7] {
                let mut seen = CircleDetector::default();
                let tail = (0..before).map(|number| format!("before {number}"));
                let circle = (0..length).map(|number| format!("{number}")).cycle();
                let mut keys = tail.chain(circle).take(10_000);
                assert!(keys.any(|key| seen.again(&key)), "{before} {length}");
            }
        }
        let mut seen = CircleDetector::default();
        assert!(!(0..10_000).any(|number| seen.again(&number.to_string())));
    }
}
