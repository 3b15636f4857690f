//! What the documents of a store say of its arrays whatever wrote them: names, shapes, dimensions and keys, but no types and
//! no codecs. By it, arrays can be cut and removed that this program could not decode.
//!
//! Key types: [`Outline`], from a root document; [`OutlineArray`], an array.

use serde_json::{Map, Value};

use super::chunk_keys::ChunkKeys;
use super::document_v2::DIMENSIONS;
use super::error::ZarrError;
use super::layout::is_plain;
use super::root::{parse_root, unreadable};
use super::version::Version;

/// What a root document says of its arrays.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The store.
    pub store: String,
    /// Its version of the Zarr format.
    pub version: Version,
    /// Its root document, as it was read.
    pub text: String,
    /// The same, parsed.
    pub root: Value,
    /// Its arrays.
    pub arrays: Vec<OutlineArray>,
}

/// An array, as far as any program can read its documents.
#[derive(Clone, Debug)]
pub struct OutlineArray {
    /// Its name.
    pub name: String,
    /// Its document, as the root document consolidates it.
    pub document: Value,
    /// Its shape.
    pub shape: Vec<u64>,
    /// What one object holds.
    pub chunk: Vec<u64>,
    /// The names of its dimensions; empty where it has none.
    pub dimensions: Vec<String>,
    /// Its attributes.
    pub attributes: Map<String, Value>,
    /// Where its objects lie.
    pub keys: ChunkKeys,
}

impl Outline {
    /// What the root document `root` of `store` says.
    ///
    /// # Errors
    /// If it is not that of a Zarr store with consolidated metadata.
    pub fn of(store: &str, version: Version, root: &[u8]) -> Result<Self, ZarrError> {
        let (text, root) = parse_root(store, version, root)?;
        let arrays =
            arrays(version, &root).map_err(|problem| unreadable(store, version, &problem))?;
        Ok(Self {
            store: store.to_owned(),
            version,
            text,
            root,
            arrays,
        })
    }

    /// The consolidated documents in `root`, a root document of this store, by their paths or names.
    #[must_use]
    pub fn consolidated<'a>(&self, root: &'a mut Value) -> &'a mut Value {
        match self.version {
            Version::V3 => &mut root["consolidated_metadata"]["metadata"],
            Version::V2 => &mut root["metadata"],
        }
    }

    /// The path below the store of the document with the attributes of `array`, and that of the one with its shape.
    #[must_use]
    pub fn documents_of(&self, array: &str) -> [String; 2] {
        let of = |name| format!("{array}/{name}");
        match self.version {
            Version::V3 => [of("zarr.json"), of("zarr.json")],
            Version::V2 => [of(".zattrs"), of(".zarray")],
        }
    }
}

impl OutlineArray {
    /// The words of its attribute `name`.
    pub fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        let text = self.attributes.get(name).and_then(Value::as_str);
        text.unwrap_or_default().split_whitespace()
    }
}

fn arrays(version: Version, root: &Value) -> Result<Vec<OutlineArray>, String> {
    let none =
        || "it has no consolidated metadata; consolidate it with zarr-python first".to_owned();
    match version {
        Version::V3 => {
            let metadata = root["consolidated_metadata"]["metadata"].as_object();
            let arrays = metadata.ok_or_else(none)?.iter();
            let arrays = arrays.filter(|(_, document)| document["node_type"] == "array");
            arrays
                .map(|(name, document)| outlined(name, document, &document["attributes"]))
                .collect()
        }
        Version::V2 => {
            let metadata = root["metadata"].as_object().ok_or_else(none)?;
            let arrays = metadata
                .iter()
                .filter_map(|(path, document)| Some((path.strip_suffix("/.zarray")?, document)));
            arrays
                .map(|(name, document)| {
                    let attributes = metadata.get(&format!("{name}/.zattrs"));
                    outlined(name, document, attributes.unwrap_or(&Value::Null))
                })
                .collect()
        }
    }
}

fn outlined(name: &str, document: &Value, attributes: &Value) -> Result<OutlineArray, String> {
    if !is_plain(name) {
        let name = name.escape_debug();
        return Err(format!("its metadata name an array '{name}'"));
    }
    let is_v3 = document["zarr_format"] == 3;
    let (chunk, named) = if is_v3 {
        let chunk = &document["chunk_grid"]["configuration"]["chunk_shape"];
        (chunk, &document["dimension_names"])
    } else {
        (&document["chunks"], &attributes[DIMENSIONS])
    };
    let lengths = |what, value: &Value, least| {
        let lengths: Option<Vec<u64>> = value
            .as_array()
            .and_then(|lengths| lengths.iter().map(Value::as_u64).collect());
        lengths
            .filter(|lengths| lengths.iter().all(|length| *length >= least))
            .ok_or_else(|| format!("array '{name}': its {what} is {value}"))
    };
    let (shape, chunk) = (
        lengths("shape", &document["shape"], 0)?,
        lengths("chunk shape", chunk, 1)?,
    );
    let dimensions = named.as_array().into_iter().flatten();
    let dimensions = dimensions.map(|name| name.as_str().unwrap_or_default().to_owned());
    let dimensions: Vec<String> = dimensions.collect();
    if shape.len() != chunk.len() || ![0, shape.len()].contains(&dimensions.len()) {
        return Err(format!(
            "array '{name}': its shape is {shape:?}, its chunks are {chunk:?}, its dimensions {dimensions:?}"
        ));
    }
    let keys = ChunkKeys::new(name, document, shape.len())?;
    Ok(OutlineArray {
        name: name.to_owned(),
        document: document.clone(),
        shape,
        chunk,
        dimensions,
        attributes: attributes.as_object().cloned().unwrap_or_default(),
        keys,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_that_say_no_shape_are_none() {
        let document = json!({"zarr_format": 2, "shape": [4], "chunks": [2]});
        for (name, value) in [
            ("shape", json!([-1])),
            ("shape", json!("4")),
            ("chunks", json!([0])),
            ("chunks", json!([2, 2])),
            ("dimension_separator", json!("-")),
        ] {
            let mut document = document.clone();
            document[name] = value;
            let said = outlined("tos", &document, &Value::Null).unwrap_err();
            assert!(said.contains("'tos'"), "{said}");
        }
        assert!(outlined("../tos", &document, &Value::Null).is_err());
    }
}
