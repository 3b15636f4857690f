//! Chunk shapes: chosen automatically, or as the user asks with `--chunk_strategy`.

use std::collections::BTreeMap;

use super::error::PlanError;

/// Decoded bytes that an object should hold, about.
pub(super) const TARGET_BYTES: u64 = 16 << 20;

/// The flag that gives chunk sizes.
pub const STRATEGY_FLAG: &str = "--chunk_strategy";
/// The flag that gives shard sizes.
pub const SHARDS_FLAG: &str = "--shards";

/// Sizes by dimension name, as the user asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChunkStrategy(pub BTreeMap<String, u64>);

impl ChunkStrategy {
    /// The sizes that the user gave with `flag`.
    ///
    /// # Errors
    /// If `text` is not JSON of whole numbers by name.
    pub fn parse(flag: &'static str, text: &str) -> Result<Self, PlanError> {
        let malformed = |cause: String| PlanError::MalformedStrategy {
            flag: flag.to_owned(),
            text: text.to_owned(),
            cause,
        };
        let sizes: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        let mut strategy = BTreeMap::new();
        for (dimension, size) in sizes {
            match size.as_u64() {
                Some(size) if size >= 1 => strategy.insert(dimension, size),
                _ => {
                    return Err(malformed(format!(
                        "the size of '{dimension}' is {size}, expected a whole number from 1"
                    )));
                }
            };
        }
        Ok(Self(strategy))
    }
}

/// The chunk shape of an array whose values have `size` bytes.
///
/// Dimensions in `fixed` keep the size given there. Else one step along the append dimension, and whole multiples of
/// the source's stored chunks along the others, innermost first, until an object holds about 16 MiB; stored chunks
/// of more than twice that are split evenly, outermost first. A chunk is never larger than its dimension, but along
/// the append dimension, which grows.
pub(super) fn choose(
    shape: &[u64],
    append: Option<usize>,
    stored: Option<&[u64]>,
    fixed: &[Option<u64>],
    size: u64,
) -> Vec<u64> {
    let clip = |d: usize, length: u64| {
        if append == Some(d) {
            length
        } else {
            length.clamp(1, shape[d].max(1))
        }
    };
    let free: Vec<usize> = (0..shape.len())
        .filter(|&d| fixed[d].is_none() && append != Some(d))
        .collect();
    let mut chunk: Vec<u64> = (0..shape.len())
        .map(|d| match (fixed[d], append == Some(d)) {
            (Some(length), _) => clip(d, length),
            (None, true) => 1,
            (None, false) => clip(d, stored.map_or(1, |s| s[d])),
        })
        .collect();
    // What is too large is refused later.
    let bytes = |chunk: &[u64]| {
        let along = chunk.iter().fold(size, |all, &one| all.saturating_mul(one));
        along.max(1)
    };
    if bytes(&chunk) > 2 * TARGET_BYTES {
        for &d in &free {
            if bytes(&chunk) <= 2 * TARGET_BYTES {
                break;
            }
            let parts = bytes(&chunk).div_ceil(TARGET_BYTES).min(chunk[d]);
            chunk[d] = chunk[d].div_ceil(parts);
        }
    } else {
        for &d in free.iter().rev() {
            let blocks = shape[d].max(1).div_ceil(chunk[d]);
            let most = (TARGET_BYTES / bytes(&chunk)).clamp(1, blocks);
            // As many objects as `most` makes, but of even size.
            let even = blocks.div_ceil(blocks.div_ceil(most));
            chunk[d] = clip(d, chunk[d] * even);
        }
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn automatic(shape: &[u64], stored: Option<&[u64]>) -> Vec<u64> {
        choose(shape, Some(0), stored, &vec![None; shape.len()], 4)
    }

    #[test]
    fn eorca025_levels_are_joined_in_pairs() {
        assert_eq!(
            automatic(&[12, 75, 1206, 1440], Some(&[1, 1, 1206, 1440])),
            [1, 2, 1206, 1440]
        );
        assert_eq!(automatic(&[12, 75, 1206, 1440], None), [1, 2, 1206, 1440]);
        assert_eq!(
            automatic(&[12, 1206, 1440], Some(&[1, 1206, 1440])),
            [1, 1206, 1440]
        );
    }

    #[test]
    fn a_whole_field_stored_as_one_chunk_is_split_evenly() {
        assert_eq!(
            automatic(&[1, 75, 1206, 1440], Some(&[1, 75, 1206, 1440])),
            [1, 3, 1206, 1440]
        );
    }

    #[test]
    fn multiples_of_the_stored_chunks_are_kept() {
        assert_eq!(
            automatic(&[1, 75, 1206, 1440], Some(&[1, 25, 402, 480])),
            [1, 25, 402, 480]
        );
        assert_eq!(
            automatic(&[1, 75, 330, 360], Some(&[1, 10, 110, 120])),
            [1, 30, 330, 360]
        );
    }

    #[test]
    fn what_is_asked_for_is_taken() {
        let fixed = [Some(5), None, Some(100), Some(10_000)];
        assert_eq!(
            choose(&[1, 75, 330, 360], Some(0), None, &fixed, 4),
            [5, 19, 100, 360]
        );
    }

    #[test]
    fn malformed_strategies_are_refused() {
        for text in [
            "",
            "{",
            "[1]",
            "{\"x\": 0}",
            "{\"x\": -1}",
            "{\"x\": 1.5}",
            "{\"x\": \"1\"}",
        ] {
            assert!(ChunkStrategy::parse(STRATEGY_FLAG, text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn objects_stay_within_bounds(
            dims in proptest::collection::vec((0..3000u64, 1..3000u64), 1..5),
            chunked in any::<bool>(),
            size in proptest::sample::select(vec![1u64, 2, 4, 8]),
        ) {
            let shape: Vec<u64> = dims.iter().map(|d| d.0).collect();
            let stored: Vec<u64> = dims.iter().map(|d| d.1).collect();
            let chunk = choose(&shape, Some(0), chunked.then_some(&stored[..]), &vec![None; shape.len()], size);
            prop_assert_eq!(chunk[0], 1);
            prop_assert!(chunk.iter().product::<u64>() * size <= 128 << 20);
            let clipped: u64 = (1..shape.len()).map(|d| stored[d].min(shape[d].max(1))).product::<u64>() * size;
            for d in 1..shape.len() {
                prop_assert!(chunk[d] >= 1 && chunk[d] <= shape[d].max(1));
                if chunked && clipped <= 2 * TARGET_BYTES {
                    prop_assert!(chunk[d].is_multiple_of(stored[d]) || chunk[d] == shape[d].max(1));
                }
            }
        }
    }
}
