//! What a reader of one store sees, so that two moments of it can be compared.
//!
//! Key type: [`Dataset`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use zarrs::array::{Array, ArrayBytes, ArrayMetadata};
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{StoreKey, WritableStorageTraits};

/// Everything in a bucket, by key.
pub type Objects = BTreeMap<String, Bytes>;

/// The names that a root document may have.
const ROOTS: [&str; 2] = ["zarr.json", ".zmetadata"];

/// The root document of a store, and all objects inside the shapes of the arrays that it names.
#[derive(Debug, Clone)]
pub struct Dataset {
    root_key: String,
    root: Bytes,
    arrays: BTreeMap<String, Parts>,
}

/// An array: its document, and the key of each object inside its shape.
#[derive(Debug, Clone)]
struct Parts {
    document: String,
    /// Where in each key the name of the array begins.
    begin: usize,
    chunks: BTreeMap<String, Option<Bytes>>,
}

impl Dataset {
    /// What a reader of `store` sees in `objects`; `None` if there is no store.
    pub fn of(objects: &Objects, store: &str) -> Option<Self> {
        let (root_key, root) = ROOTS.into_iter().find_map(|name| {
            let key = format!("{store}/{name}");
            let root = objects.get(&key)?.clone();
            Some((key, root))
        })?;
        let document: Value = serde_json::from_slice(&root).unwrap();
        let arrays = documents(&document).into_iter().map(|(name, document)| {
            let array = array(&name, &document);
            let keys = indices(array.chunk_grid_shape())
                .into_iter()
                .map(|chunk| format!("{store}/{}", array.chunk_key(&chunk)));
            let chunks = keys.map(|key| {
                let object = objects.get(&key).cloned();
                (key, object)
            });
            let chunks = chunks.collect();
            let begin = store.len() + 1;
            let parts = Parts {
                document,
                begin,
                chunks,
            };
            (name, parts)
        });
        Some(Self {
            root_key,
            arrays: arrays.collect(),
            root,
        })
    }

    /// Is there a store?
    pub fn is_there(objects: &Objects, store: &str) -> bool {
        let roots = ROOTS.map(|name| format!("{store}/{name}"));
        roots.iter().any(|root| objects.contains_key(root))
    }

    /// The values of array `name`, step by step along its first dimension; `None` if there is no such array, or they cannot be
    /// decoded.
    #[allow(dead_code)] // the model alone asks for them, which is run in one process
    pub fn steps(&self, name: &str) -> Option<Vec<Vec<u8>>> {
        let parts = self.arrays.get(name)?;
        let steps = *array(name, &parts.document).shape().first()? as usize;
        let values = parts.values(name, |_, chunk| chunk)?;
        let values = values.into_fixed().ok()?;
        let length = (values.len() / steps.max(1)).max(1);
        Some(values.chunks_exact(length).map(<[u8]>::to_vec).collect())
    }

    /// An error that says where a reader sees something else in `objects`. An object may have other bytes than it had, if
    /// every value inside the shape is the same.
    pub fn is_seen(&self, objects: &Objects) -> Result<(), String> {
        self.has_root(objects)?;
        for (name, parts) in &self.arrays {
            let differing = parts.chunks.iter();
            let mut differing =
                differing.filter(|(key, chunk)| objects.get(*key) != chunk.as_ref());
            if let Some((key, _)) = differing.next()
                && parts.values(name, |_, chunk| chunk)
                    != parts.values(name, |key, _| objects.get(key))
            {
                return Err(format!(
                    "array '{name}' has other values, {key} for one differs"
                ));
            }
        }
        Ok(())
    }

    /// An error that says where a reader sees neither this nor `other` in `objects`, object by object.
    pub fn is_seen_mixed_with(&self, other: &Self, objects: &Objects) -> Result<(), String> {
        self.has_root(objects)
            .or_else(|_| other.has_root(objects))?;
        let chunks = |dataset: &Self| -> BTreeMap<String, Option<Bytes>> {
            let parts = dataset.arrays.values();
            parts.flat_map(|parts| parts.chunks.clone()).collect()
        };
        let others = chunks(other);
        let is_shorter = other.has_root(objects).is_ok();
        for (key, chunk) in chunks(self) {
            let now = objects.get(&key);
            if is_shorter && now.is_none() && !others.contains_key(&key) {
                // No reader looks for it.
                continue;
            }
            if now != chunk.as_ref() && others.get(&key).is_none_or(|other| now != other.as_ref()) {
                return Err(format!("{key} is neither the old nor the new one"));
            }
        }
        Ok(())
    }

    /// Is the object `key` the root, a document, or inside a shape?
    pub fn knows(&self, store: &str, key: &str) -> bool {
        let is_document = |name: &String| {
            [".zarray", ".zattrs", "zarr.json"]
                .iter()
                .any(|document| *key == format!("{store}/{name}/{document}"))
        };
        *key == self.root_key
            || *key == format!("{store}/.zgroup")
            || *key == format!("{store}/.zattrs")
            || self.arrays.keys().any(is_document)
            || self.is_of_group(store, key)
            || self
                .arrays
                .values()
                .any(|parts| parts.chunks.contains_key(key))
    }

    /// Is `key` that of a document of a group that the root tells of?
    fn is_of_group(&self, store: &str, key: &str) -> bool {
        let below = key
            .strip_prefix(store)
            .and_then(|below| below.strip_prefix('/'));
        let Some((group, document)) = below.and_then(|below| below.rsplit_once('/')) else {
            return false;
        };
        let root: Value = serde_json::from_slice(&self.root).unwrap();
        let inline = &root["consolidated_metadata"]["metadata"][group];
        (document == "zarr.json" && inline["node_type"] == "group")
            || ([".zgroup", ".zattrs"].contains(&document)
                && root["metadata"][format!("{group}/.zgroup")].is_object())
    }

    fn has_root(&self, objects: &Objects) -> Result<(), String> {
        match objects.get(&self.root_key) {
            Some(root) if *root == self.root => Ok(()),
            Some(_) => Err(format!("{} is another", self.root_key)),
            None => Err(format!("{} is missing", self.root_key)),
        }
    }
}

impl Parts {
    /// The values inside the shape, decoded from the objects that `choose` takes for each key.
    fn values<'a>(
        &'a self,
        name: &str,
        choose: impl Fn(&str, Option<&'a Bytes>) -> Option<&'a Bytes>,
    ) -> Option<ArrayBytes<'static>> {
        let array = array(name, &self.document);
        for (key, chunk) in &self.chunks {
            if let Some(chunk) = choose(key, chunk.as_ref()) {
                let place = StoreKey::new(&key[self.begin..]).unwrap();
                array.storage().set(&place, chunk.clone()).unwrap();
            }
        }
        // What cannot be decoded is no dataset.
        array.retrieve_array_subset(&array.subset_all()).ok()
    }
}

/// The documents of all arrays that a root document names.
fn documents(root: &Value) -> BTreeMap<String, String> {
    let consolidated = root["consolidated_metadata"]["metadata"].as_object();
    if let Some(inline) = consolidated {
        let arrays = inline.iter().filter(|(_, d)| d["node_type"] == "array");
        return arrays
            .map(|(name, document)| (name.clone(), document.to_string()))
            .collect();
    }
    let arrays = root["metadata"].as_object().unwrap().iter();
    let arrays =
        arrays.filter_map(|(key, document)| Some((key.strip_suffix("/.zarray")?, document)));
    arrays
        .map(|(name, document)| (name.to_owned(), document.to_string()))
        .collect()
}

fn array(name: &str, document: &str) -> Array<MemoryStore> {
    let metadata: ArrayMetadata = serde_json::from_str(document).unwrap();
    let storage = Arc::new(MemoryStore::new());
    Array::new_with_metadata(storage, &format!("/{name}"), metadata).unwrap()
}

/// All places in a grid of this shape.
fn indices(grid: &[u64]) -> Vec<Vec<u64>> {
    grid.iter().fold(vec![Vec::new()], |places, length| {
        let longer = |place: Vec<u64>| (0..*length).map(move |i| [&place[..], &[i]].concat());
        places.into_iter().flat_map(longer).collect()
    })
}

/// What lies in the bucket that no store and no committed transaction accounts for, of these stores; a store may be none.
pub fn litter(objects: &Objects, stores: &[(&str, Option<&Dataset>)]) -> Vec<String> {
    let ledgers: Vec<String> = stores.iter().map(|(store, _)| ledger(store)).collect();
    let committed = |ledger: &String| -> BTreeSet<&str> {
        let below = objects.keys().filter_map(|key| key.strip_prefix(ledger));
        below
            .filter_map(|below| below.strip_prefix("transactions/"))
            .collect()
    };
    let committed: Vec<BTreeSet<&str>> = ledgers.iter().map(committed).collect();
    let is_known = |key: &str| {
        stores.iter().enumerate().any(|(at, (store, dataset))| {
            let Some(dataset) = dataset else {
                return false;
            };
            let Some(below) = key.strip_prefix(&ledgers[at]) else {
                let of_store = key.strip_prefix(store).is_some_and(|k| k.starts_with('/'));
                return of_store && dataset.knows(store, key);
            };
            let mut parts = below.split('/');
            let (folder, id) = (parts.next(), parts.next().unwrap_or_default());
            match folder {
                Some("last.json") => true,
                // A rollback that died may have made copies again of what no transaction keeps; the next one takes them away.
                Some("transactions" | "manifests" | "additions" | "undo") => {
                    committed[at].contains(id)
                }
                _ => false,
            }
        })
    };
    let litter = objects.keys().filter(|key| !is_known(key));
    litter.cloned().collect()
}

/// What the keys of the ledger of `store` begin with.
pub fn ledger(store: &str) -> String {
    let name = store.rfind('/').map_or(0, |slash| slash + 1);
    format!("{}.msm-os/{}/", &store[..name], &store[name..])
}
