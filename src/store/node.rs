//! What lies at a key: a Zarr group, a Zarr array, an Icechunk repository, or a folder. Told from the names of a few
//! objects, so that nothing is walked through.
//!
//! Key types: [`Node`]; [`Ground`], what a key lies in.

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, join, stream};
use msm_zarr::{Group, layout};
use serde_json::Value;

use super::REQUESTS;
use super::bucket::Bucket;
use super::error::StoreError;
use super::listing::Folder;

/// The document of a Zarr v3 node.
const NODE: &str = "zarr.json";
/// Those of Zarr v2 groups, and of arrays.
const GROUPS: [&str; 2] = [".zmetadata", ".zgroup"];
const ARRAY: &str = ".zarray";
/// The folder that every Icechunk repository has.
const SNAPSHOTS: &str = "snapshots";

/// What lies at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A Zarr group.
    Group,
    /// A Zarr array.
    Array,
    /// An Icechunk repository.
    Repository,
    /// A folder with none of their documents, or nothing.
    Folder,
}

/// What a key lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// In no group, array or repository, and it is none.
    Free,
    /// It is a group or in one, if only by its name.
    Group(Group),
    /// It is this array, which is in no group, or in it.
    Array(String),
    /// It is this repository or in it.
    Repository(String),
}

impl Bucket {
    /// What lies at `key`. Everything is asked for at once, and nothing that may have many objects is listed.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn node(&self, key: &str) -> Result<Node, StoreError> {
        let documents = GROUPS.into_iter().chain([ARRAY]);
        let looks = documents.map(|document| async move {
            let found = self.stat(&layout::below(key, document)).await?;
            Ok::<_, StoreError>(found.map(|_| document))
        });
        let snapshots = layout::below(key, SNAPSHOTS);
        let (node, documents, snapshots) = join!(
            self.node_by_document(key),
            join_all(looks),
            self.holds_objects(&snapshots)
        );
        if let Some(node) = node? {
            return Ok(node);
        }
        for document in documents {
            if let Some(document) = document? {
                return Ok(if document == ARRAY {
                    Node::Array
                } else {
                    Node::Group
                });
            }
        }
        Ok(if snapshots? && is_repository(&self.folder(key).await?) {
            Node::Repository
        } else {
            Node::Folder
        })
    }

    /// Does any object lie below `prefix`?
    async fn holds_objects(&self, prefix: &str) -> Result<bool, StoreError> {
        Ok(self.entries(prefix).try_next().await?.is_some())
    }

    /// The same of the folder `key`, which has been listed.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn node_of(&self, key: &str, folder: &Folder) -> Result<Node, StoreError> {
        let has = |name: &str| folder.objects.iter().any(|o| last(&o.key) == name);
        if has(NODE)
            && let Some(node) = self.node_by_document(key).await?
        {
            return Ok(node);
        }
        Ok(if GROUPS.into_iter().any(has) {
            Node::Group
        } else if has(ARRAY) {
            Node::Array
        } else if is_repository(folder) {
            Node::Repository
        } else {
            Node::Folder
        })
    }

    /// What the v3 document of `key` says it is. A damaged one is that of a store, until someone has looked at it.
    async fn node_by_document(&self, key: &str) -> Result<Option<Node>, StoreError> {
        let document = match self.get(&layout::below(key, NODE)).await {
            Ok(document) => document,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let document: Value = serde_json::from_slice(&document).unwrap_or_default();
        Ok(Some(if document["node_type"] == "array" {
            Node::Array
        } else {
            Node::Group
        }))
    }

    /// Does the group `key` tell of what is in it?
    async fn is_consolidated(&self, key: &str) -> Result<bool, StoreError> {
        let document = match self.get(&layout::below(key, NODE)).await {
            Ok(document) => serde_json::from_slice(&document).unwrap_or(Value::Null),
            Err(error) if error.is_missing() => Value::Null,
            Err(error) => return Err(error),
        };
        Ok(document["consolidated_metadata"].is_object()
            || self.stat(&layout::below(key, GROUPS[0])).await?.is_some())
    }

    /// What `key` lies in: the topmost group, array or repository on the way there, if there is one. Folders above that this
    /// user may not look at hold none that he could have meant.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn ground(&self, key: &str) -> Result<Ground, StoreError> {
        let ends = key.match_indices('/').map(|(end, _)| end);
        let whole = (!key.is_empty()).then_some(key.len());
        let nodes = [0].into_iter().chain(ends).chain(whole).map(|end| {
            let (above, rest) = key.split_at(end);
            async move {
                let node = match self.node(above).await {
                    Err(StoreError::Denied { .. }) => Node::Folder,
                    // Some tools leave a group's document in the bucket itself for every store that they put there.
                    Ok(Node::Group) if above.is_empty() && !self.is_consolidated(above).await? => {
                        Node::Folder
                    }
                    node => node?,
                };
                Ok::<_, StoreError>((above, rest, node))
            }
        });
        let mut nodes = stream::iter(nodes).buffered(REQUESTS);
        while let Some((above, rest, node)) = nodes.try_next().await? {
            match node {
                Node::Folder => {}
                Node::Array => return Ok(Ground::Array(above.to_owned())),
                Node::Repository => return Ok(Ground::Repository(above.to_owned())),
                Node::Group => {
                    return Ok(Ground::Group(Group {
                        store: above.to_owned(),
                        path: rest.trim_start_matches('/').to_owned(),
                    }));
                }
            }
        }
        Ok(Ground::Free)
    }
}

/// Has this folder what every Icechunk repository has: snapshots, and what says which of them is the latest?
pub(super) fn is_repository(folder: &Folder) -> bool {
    let has = |name: &str| folder.folders.iter().any(|key| last(key) == name);
    let is_there = |name: &str| folder.objects.iter().any(|o| last(&o.key) == name);
    has(SNAPSHOTS) && (has("refs") || is_there("repo"))
}

fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::loopback;
    use super::*;

    async fn bucket(directory: &std::path::Path, objects: &[(&str, &str)]) -> Bucket {
        let bucket = loopback::directory(directory);
        for (key, text) in objects {
            let put = bucket.put(key, (*text).to_owned().into());
            put.await.unwrap();
        }
        bucket
    }

    #[tokio::test]
    async fn nodes_are_told_by_their_documents() {
        let directory = tempfile::tempdir().unwrap();
        let bucket = bucket(
            directory.path(),
            &[
                ("v3/zarr.json", r#"{"node_type": "group"}"#),
                ("v3/tos/zarr.json", r#"{"node_type": "array"}"#),
                ("damaged/zarr.json", "{"),
                ("v2/.zmetadata", "{}"),
                ("v2/tos/.zarray", "{}"),
                ("plain/.zgroup", "{}"),
                ("ice/refs/branch.main/ref.json", "{}"),
                ("ice/snapshots/A", ""),
                ("ice2/repo", ""),
                ("ice2/snapshots/A", ""),
                ("folder/refs/x", ""),
            ],
        )
        .await;
        for (key, expected) in [
            ("v3", Node::Group),
            ("v3/tos", Node::Array),
            ("damaged", Node::Group),
            ("v2", Node::Group),
            ("v2/tos", Node::Array),
            ("plain", Node::Group),
            ("ice", Node::Repository),
            ("ice2", Node::Repository),
            ("folder", Node::Folder),
            ("none", Node::Folder),
            ("", Node::Folder),
        ] {
            assert_eq!(bucket.node(key).await, Ok(expected), "{key}");
            let folder = bucket.folder(key).await.unwrap();
            assert_eq!(bucket.node_of(key, &folder).await, Ok(expected), "{key}");
        }
    }

    #[tokio::test]
    async fn the_topmost_group_is_the_store() {
        let directory = tempfile::tempdir().unwrap();
        let group = r#"{"node_type": "group"}"#;
        let bucket = bucket(
            directory.path(),
            &[
                ("a/tree/zarr.json", group),
                ("a/tree/T/zarr.json", group),
                ("ice/repo", ""),
                ("ice/snapshots/A", ""),
                ("tos/zarr.json", r#"{"node_type": "array"}"#),
            ],
        )
        .await;
        let of = |store: &str, path: &str| {
            let (store, path) = (store.to_owned(), path.to_owned());
            Ground::Group(Group { store, path })
        };
        for (key, expected) in [
            ("a", Ground::Free),
            ("", Ground::Free),
            ("a/tree", of("a/tree", "")),
            ("a/tree/T", of("a/tree", "T")),
            ("a/tree/none/x", of("a/tree", "none/x")),
            ("ice", Ground::Repository("ice".to_owned())),
            ("ice/tos", Ground::Repository("ice".to_owned())),
            ("tos/c", Ground::Array("tos".to_owned())),
        ] {
            assert_eq!(bucket.ground(key).await, Ok(expected), "{key}");
        }
    }
}
