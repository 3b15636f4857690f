//! What the metadata of a store know: its documents, and the objects inside the shapes of its arrays.
//!
//! Key types: [`StoreMetadata`], from a root document; [`KeyMeaning`], what a key is to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::chunk_codec::{ChunkCodec, bytes_of};
use super::error::ZarrError;
use super::group::Group;
use super::layout;
use super::members::members;
use super::root::parse_root;
use super::snapshot::StoredArray;
use super::version::Version;

/// What the metadata of a store know.
pub struct StoreMetadata {
    /// The store.
    pub store: String,
    /// Its version of the Zarr format.
    pub version: Version,
    /// Its documents but for the root document, by their keys, as the root document consolidates them.
    pub documents: BTreeMap<String, Value>,
    /// Its arrays, by name.
    pub arrays: BTreeMap<String, ArrayMetadata>,
}

/// An array of a store.
pub struct ArrayMetadata {
    /// What the root document says of it.
    pub stored: StoredArray,
    /// What decodes its objects.
    pub codec: Arc<ChunkCodec>,
}

/// What a key is to the metadata of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMeaning<'a> {
    /// The root document, or one that it consolidates.
    Document,
    /// An object of an array.
    Object {
        /// The array's name.
        array: &'a str,
        /// Its place in the array's chunk grid.
        chunk: Vec<u64>,
        /// Does it hold a value inside the array's shape?
        inside: bool,
    },
    /// None of these.
    Other,
}

impl StoreMetadata {
    /// What the root document `root` of `store` tells.
    ///
    /// # Errors
    /// If it is not that of a Zarr store with consolidated metadata.
    pub fn of(store: &str, version: Version, root: &[u8]) -> Result<Self, ZarrError> {
        let root = parse_root(store, version, root)?.1;
        let mut arrays = BTreeMap::new();
        for stored in members(store, version, &root)? {
            let codec = Arc::new(ChunkCodec::new(&stored.name, &stored.document.to_string())?);
            arrays.insert(stored.name.clone(), ArrayMetadata { stored, codec });
        }
        Ok(Self {
            store: store.to_owned(),
            version,
            documents: documents(store, version, &root),
            arrays,
        })
    }

    /// Leaves out what does not lie in `group`.
    pub fn retain(&mut self, group: &Group) {
        let store = format!("{}/", self.store);
        let within = |key: &String| group.is_above(key.strip_prefix(&store).unwrap_or_default());
        self.documents.retain(|key, _| within(key));
        self.arrays.retain(|path, _| group.is_above(path));
    }

    /// What `key` is.
    #[must_use]
    pub fn meaning_of(&self, key: &str) -> KeyMeaning<'_> {
        let of_group = |key: &str| {
            // Version 2 does not consolidate what its groups consolidate themselves.
            let group = key.strip_suffix(".zmetadata");
            group.is_some_and(|group| self.documents.contains_key(&format!("{group}.zgroup")))
        };
        if self.documents.contains_key(key)
            || key == layout::root_document(&self.store, self.version)
            || of_group(key)
        {
            return KeyMeaning::Document;
        }
        let below = key.strip_prefix(&self.store);
        let Some(below) = below.and_then(|below| below.strip_prefix('/')) else {
            return KeyMeaning::Other;
        };
        let ends = below.match_indices('/').map(|(end, _)| end);
        let mut objects = ends.filter_map(|end| {
            let (name, array) = self.arrays.get_key_value(&below[..end])?;
            let chunk = array.codec.chunk_of(&self.store, key)?;
            let inside = array.stored.is_inside(&chunk);
            Some(KeyMeaning::Object {
                array: name,
                chunk,
                inside,
            })
        });
        objects.next_back().unwrap_or(KeyMeaning::Other)
    }

    /// Do the metadata know the object `key`: as a document, or as an object inside an array's shape?
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        match self.meaning_of(key) {
            KeyMeaning::Document => true,
            KeyMeaning::Object { inside, .. } => inside,
            KeyMeaning::Other => false,
        }
    }
}

impl ArrayMetadata {
    /// Bytes of one decoded object, as far as its type tells.
    #[must_use]
    pub fn object_bytes(&self) -> u64 {
        // Texts and types that this program does not write: about a pointer each.
        let size = self.stored.dtype.as_ref().map_or(8, |dtype| dtype.size());
        bytes_of(self.stored.chunk.iter().copied(), size as u64).unwrap_or(u64::MAX)
    }
}

/// The documents of arrays and groups that the root document consolidates, by their keys.
fn documents(store: &str, version: Version, root: &Value) -> BTreeMap<String, Value> {
    let consolidated = match version {
        Version::V3 => &root["consolidated_metadata"]["metadata"],
        Version::V2 => &root["metadata"],
    };
    let documents = consolidated.as_object().into_iter().flatten();
    let keys = documents.map(|(path, document)| {
        let key = match version {
            Version::V3 => format!("{store}/{path}/zarr.json"),
            Version::V2 => format!("{store}/{path}"),
        };
        (key, document.clone())
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const STORE: &str = "T1m/tos.zarr";

    fn v3() -> StoreMetadata {
        let array = |shape: &[u64], chunk: &[u64], codecs: Value| {
            json!({
                "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "float32",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "fill_value": 0.0, "codecs": codecs, "attributes": {},
            })
        };
        let bytes = json!([{"name": "bytes", "configuration": {"endian": "little"}}]);
        let shards = json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": [1, 6], "codecs": bytes, "index_location": "end",
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        }}]);
        let root = json!({
            "zarr_format": 3, "node_type": "group", "attributes": {},
            "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {
                "tos": array(&[5, 6], &[2, 6], bytes.clone()),
                "shards": array(&[5, 6], &[2, 6], shards),
                "deep/c": array(&[5], &[2], bytes.clone()),
                "scalar": array(&[], &[], bytes.clone()),
                "none": array(&[0], &[2], bytes),
                "deep": {"zarr_format": 3, "node_type": "group", "attributes": {}},
            }},
        });
        StoreMetadata::of(STORE, Version::V3, root.to_string().as_bytes()).unwrap()
    }

    fn v2(separator: &str) -> StoreMetadata {
        let array = json!({
            "zarr_format": 2, "shape": [5, 6], "chunks": [2, 3], "dtype": "<f4", "fill_value": 0.0, "order": "C",
            "filters": null, "compressor": null, "dimension_separator": separator,
        });
        let root = json!({"zarr_consolidated_format": 1, "metadata": {
            ".zgroup": {"zarr_format": 2}, "tos/.zarray": array, "tos/.zattrs": {},
        }});
        StoreMetadata::of(STORE, Version::V2, root.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn keys_that_metadata_know_and_others() {
        let cases = [
            (
                v3(),
                "zarr.json tos/zarr.json deep/zarr.json deep/c/zarr.json tos/c/0/0 tos/c/2/0 shards/c/2/0 deep/c/c/2 scalar/c",
                ".zmetadata .zgroup tos/.zarray tos/c/3/0 tos/c/0/1 tos/c/00/0 tos/c/0 tos/c/0/0/0 tos/0.0 tos/0/0 shards/c/3/0 deep/c/2 \
              deep/c/c/3 scalar/0 scalar/c/0 none/c/0 sos/c/0/0 sos/zarr.json notes.txt tos/c/x/0",
            ),
            (
                v2("."),
                ".zmetadata .zgroup tos/.zarray tos/.zattrs tos/0.0 tos/2.1",
                ".zattrs zarr.json tos/0/0 tos/c/0/0 tos/3.0 tos/0.2 tos/0 tos/.zgroup",
            ),
            (v2("/"), ".zmetadata tos/2/1", "tos/2.1 tos/c/2/1 tos/3/0"),
        ];
        for (known, yes, no) in cases {
            for (keys, expected) in [(yes, true), (no, false)] {
                for key in keys.split_whitespace() {
                    let key = format!("{STORE}/{key}");
                    assert_eq!(known.knows(&key), expected, "{key}");
                }
            }
        }
        assert!(!v3().knows("T1m/sos.zarr/tos/c/0/0"));
    }

    proptest! {
        #[test]
        fn a_key_leads_back_to_its_place(chunk in proptest::collection::vec(0u64..10_000, 2)) {
            for known in [v3(), v2("."), v2("/")] {
                let key = known.arrays["tos"].codec.key(STORE, &chunk);
                let (version, width) = (known.version, known.arrays["tos"].stored.chunk[1]);
                let inside = chunk[0] < 3 && chunk[1] < 6u64.div_ceil(width);
                let expected = KeyMeaning::Object { array: "tos", chunk: chunk.clone(), inside };
                prop_assert_eq!(known.meaning_of(&key), expected, "{} {}", version, key);
            }
        }
    }
}
