//! Which objects of an array a transaction writes, as boxes of its chunk grid. Pure.
//!
//! Key type: [`WrittenBoxes`].

use msm_plan::{Phase, Plan, TargetArray};
use msm_zarr::{ChunkCodec, ZarrError};
use serde::{Deserialize, Serialize};

/// The objects of one array of a store that a transaction writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrittenBoxes {
    /// The array's name in the store.
    pub name: String,
    /// Its document, which says what the keys of its objects are.
    pub document: String,
    /// Along each dimension, the runs of chunks that are written, each from its first up to its end. Where they meet
    /// is a box.
    pub spans: Vec<Vec<(u64, u64)>>,
    /// Along each dimension, the chunks that the store held of it before: the objects within may have been
    /// there. `None` if none was.
    pub held: Option<Vec<u64>>,
}

impl WrittenBoxes {
    /// What `plan` writes into its store `store`.
    #[must_use]
    pub(crate) fn of(plan: &Plan, store: usize) -> Vec<Self> {
        let mut all = Vec::new();
        for (index, array) in plan.arrays.iter().enumerate() {
            if !array.stores.contains(&store) {
                continue;
            }
            if let Some(spans) = plan.units.spans(index) {
                all.push(Self {
                    name: array.name.clone(),
                    document: array.document.clone(),
                    spans,
                    held: held(array),
                });
            }
        }
        all
    }

    /// Of what `plan` writes into its store `store`, what lies in chunks that held nothing before along the append dimension: parts
    /// of an archive have put that. Returns it, and the rest.
    #[must_use]
    pub(crate) fn in_parts(plan: &Plan, store: usize) -> (Vec<Self>, Vec<Self>) {
        let (mut in_parts, mut rest) = (Vec::new(), Vec::new());
        for all in Self::of(plan, store) {
            let mut arrays = plan.arrays.iter().filter(|a| a.stores.contains(&store));
            let grows = arrays
                .find(|array| array.name == all.name && array.phase == Phase::Transfer)
                .and_then(|array| Some((array.append.as_ref()?, &array.chunk)));
            let Some((append, chunk)) = grows else {
                rest.push(all);
                continue;
            };
            let first = append.first_new_chunk(chunk[append.axis]);
            let along = |end: bool| {
                let mut cut = all.clone();
                let spans = &mut cut.spans[append.axis];
                for span in spans.iter_mut() {
                    *span = if end {
                        (span.0.max(first), span.1)
                    } else {
                        (span.0, span.1.min(first))
                    };
                }
                spans.retain(|(first, end)| first < end);
                (!spans.is_empty()).then_some(cut)
            };
            in_parts.extend(along(true));
            rest.extend(along(false));
        }
        (in_parts, rest)
    }

    /// The codec that knows the keys.
    ///
    /// # Errors
    /// If the document is not one that this program can write.
    pub(crate) fn codec(&self) -> Result<ChunkCodec, ZarrError> {
        ChunkCodec::new(&self.name, &self.document)
    }

    /// Is the object at `chunk` written?
    #[must_use]
    pub(crate) fn is_written(&self, chunk: &[u64]) -> bool {
        let within = |(&i, spans): (&u64, &Vec<(u64, u64)>)| {
            spans.iter().any(|(first, end)| (*first..*end).contains(&i))
        };
        chunk.iter().zip(&self.spans).all(within)
    }

    /// Is the object at `chunk` written, where the store held nothing before?
    #[must_use]
    pub(crate) fn is_new(&self, chunk: &[u64]) -> bool {
        self.is_written(chunk) && !self.was_held(chunk)
    }

    /// Had the store something of the object at `chunk` before?
    #[must_use]
    pub(crate) fn was_held(&self, chunk: &[u64]) -> bool {
        let within = |held: &Vec<u64>| chunk.iter().zip(held).all(|(i, end)| i < end);
        self.held.as_ref().is_some_and(within)
    }
}

/// Along each dimension, the chunks of what the store holds of `array`.
fn held(array: &TargetArray) -> Option<Vec<u64>> {
    let held = array.held()?.count;
    let chunks = held.iter().zip(&array.chunk);
    Some(
        chunks
            .map(|(count, chunk)| count.div_ceil(*chunk))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use msm_zarr::Version;
    use proptest::prelude::*;

    /// An array with keys of this form.
    fn written(version: Version, separator: &str, dimensions: usize) -> WrittenBoxes {
        let shape = vec![100; dimensions];
        let chunk = vec![10; dimensions];
        let document = match version {
            Version::V3 => serde_json::json!({
                "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "float32",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": separator}},
                "fill_value": 0.0, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                "attributes": {},
            }),
            Version::V2 => serde_json::json!({
                "zarr_format": 2, "shape": shape, "chunks": chunk, "dtype": "<f4", "compressor": null,
                "fill_value": 0.0, "order": "C", "filters": null, "dimension_separator": separator,
            }),
        };
        WrittenBoxes {
            name: "tos".to_owned(),
            document: document.to_string(),
            spans: vec![vec![(2, 4), (7, 8)]; dimensions],
            held: None,
        }
    }

    proptest! {
        #[test]
        fn a_key_tells_its_chunk(
            v3: bool, slash: bool, chunk in proptest::collection::vec(0u64..10, 0..4),
        ) {
            let version = if v3 { Version::V3 } else { Version::V2 };
            let array = written(version, if slash { "/" } else { "." }, chunk.len());
            let codec = array.codec().unwrap();
            let key = codec.key("T1m/tos.zarr", &chunk);
            prop_assert_eq!(codec.chunk_of("T1m/tos.zarr", &key), Some(chunk));
        }
    }

    #[test]
    fn only_chunks_have_a_place() {
        let array = written(Version::V3, "/", 2);
        let codec = array.codec().unwrap();
        for other in [
            "T1m/tos.zarr/tos/zarr.json",
            "T1m/tos.zarr/tos/c/0",
            "T1m/tos.zarr/tos/c/0/0/0",
            "T1m/tos.zarr/tosa/c/0/0",
            "T1m/tos.zarr/tos/c/00/0",
            "T1m/sos.zarr/tos/c/0/0",
        ] {
            assert_eq!(codec.chunk_of("T1m/tos.zarr", other), None, "{other}");
        }
    }

    #[test]
    fn new_is_what_is_written_and_was_not_held() {
        let mut array = written(Version::V3, "/", 2);
        assert!(array.is_new(&[2, 7]));
        assert!(!array.is_new(&[2, 5]));
        array.held = Some(vec![3, 10]);
        assert!(!array.is_new(&[2, 7]));
        assert!(array.is_new(&[3, 7]));
        let mut scalar = written(Version::V3, "/", 0);
        assert!(scalar.is_new(&[]));
        scalar.held = Some(Vec::new());
        assert!(!scalar.is_new(&[]));
    }
}
