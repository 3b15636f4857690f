//! Where the objects of an array lie, and back from a key to the place.
//!
//! Key type: [`ChunkKeys`].

use serde_json::Value;

/// The keys of an array's objects, as its document says.
#[derive(Clone, Debug)]
pub struct ChunkKeys {
    array: String,
    rank: usize,
    /// What stands before the first index.
    before: &'static str,
    /// And between two of them.
    between: &'static str,
}

impl ChunkKeys {
    /// Those of the array `name` of `rank` dimensions with this document.
    ///
    /// # Errors
    /// If they are of a kind that is not known.
    pub fn new(name: &str, document: &Value, rank: usize) -> Result<Self, String> {
        let (before, between) = separators(document)
            .ok_or_else(|| format!("array '{name}': its keys are of a kind that is not known"))?;
        Ok(Self {
            array: name.to_owned(),
            rank,
            before,
            between,
        })
    }

    /// The key of the object at `chunk` of the chunk grid, in the store `store`.
    #[must_use]
    pub fn key(&self, store: &str, chunk: &[u64]) -> String {
        format!("{store}/{}/{}", self.array, self.place(chunk))
    }

    /// The place in the chunk grid of the object `key` of `store`, if it is one of this array's: the inverse of
    /// [`Self::key`].
    #[must_use]
    pub fn chunk_of(&self, store: &str, key: &str) -> Option<Vec<u64>> {
        let below = key.strip_prefix(store)?.strip_prefix('/')?;
        let place = below.strip_prefix(self.array.as_str())?.strip_prefix('/')?;
        let chunk: Vec<u64> = if self.rank == 0 {
            Vec::new()
        } else {
            let indices = place.strip_prefix(self.before)?.split(self.between);
            indices.map(|i| i.parse().ok()).collect::<Option<_>>()?
        };
        // Whether the digits are as they are written.
        (chunk.len() == self.rank && self.place(&chunk) == place).then_some(chunk)
    }

    fn place(&self, chunk: &[u64]) -> String {
        match (chunk, self.before) {
            ([], "") => "0".to_owned(),
            ([], before) => before.trim_end_matches(['/', '.']).to_owned(),
            (_, before) => {
                let indices: Vec<String> = chunk.iter().map(u64::to_string).collect();
                format!("{before}{}", indices.join(self.between))
            }
        }
    }
}

/// What the keys of an array's objects have before the first index, and between two of them.
fn separators(document: &Value) -> Option<(&'static str, &'static str)> {
    let encoding = &document["chunk_key_encoding"];
    let separator = &encoding["configuration"]["separator"];
    let (named, separator) = if document["zarr_format"] == 3 {
        (encoding["name"].as_str(), separator)
    } else {
        (Some("v2"), &document["dimension_separator"])
    };
    match (named?, separator.as_str()) {
        ("default", None | Some("/")) => Some(("c/", "/")),
        ("default", Some(".")) => Some(("c.", ".")),
        ("v2", None | Some(".")) => Some(("", ".")),
        ("v2", Some("/")) => Some(("", "/")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn v3(encoding: &Value, shape: &[u64]) -> ChunkKeys {
        let document = json!({
            "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "of another program",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": vec![2; shape.len()]}},
            "chunk_key_encoding": encoding, "codecs": [{"name": "not known"}],
        });
        ChunkKeys::new("tos", &document, shape.len()).unwrap()
    }

    fn v2(separator: &Value, shape: &[u64]) -> ChunkKeys {
        let document = json!({
            "zarr_format": 2, "shape": shape, "chunks": vec![2; shape.len()], "dtype": "|V7",
            "filters": [{"id": "not known"}], "dimension_separator": separator,
        });
        ChunkKeys::new("tos", &document, shape.len()).unwrap()
    }

    #[test]
    fn keys_lead_to_their_places_whatever_the_codecs() {
        let default =
            |separator| json!({"name": "default", "configuration": {"separator": separator}});
        let old = |separator| json!({"name": "v2", "configuration": {"separator": separator}});
        for (array, key) in [
            (v3(&default("/"), &[4, 4]), "c/1/12"),
            (v3(&default("."), &[4, 4]), "c.1.12"),
            (v3(&json!({"name": "default"}), &[4, 4]), "c/1/12"),
            (v3(&old("."), &[4, 4]), "1.12"),
            (v2(&json!("."), &[4, 4]), "1.12"),
            (v2(&Value::Null, &[4, 4]), "1.12"),
            (v2(&json!("/"), &[4, 4]), "1/12"),
        ] {
            let at = |key: &str| array.chunk_of("a.zarr", &format!("a.zarr/tos/{key}"));
            assert_eq!(at(key), Some(vec![1, 12]), "{key}");
            for other in [
                "zarr.json",
                ".zarray",
                "1",
                "c",
                "01.2",
                "c/01/2",
                "1.2.3",
                "c/1/2/3",
            ] {
                assert_eq!(at(other), None, "{other}");
            }
        }
        for (scalar, key) in [
            (v3(&default("/"), &[]), "c"),
            (v3(&old("."), &[]), "0"),
            (v2(&Value::Null, &[]), "0"),
        ] {
            let at = |key: &str| scalar.chunk_of("a.zarr", &format!("a.zarr/tos/{key}"));
            assert_eq!(at(key), Some(Vec::new()));
            assert_eq!(at("zarr.json"), None);
        }
    }
}
