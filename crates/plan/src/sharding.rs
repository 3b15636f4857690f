//! Shard shapes, as the user asks for them with `--shards`; and what a store has, against what the user asks for.

use super::chunking::ChunkStrategy;
use super::draft::StoreRequest;
use super::error::PlanError;
use super::wishes::{ArrayWishes, Wish};
use msm_model::Variable;
use msm_zarr::StoredArray;

/// The shape of the shards of a new array with these chunks: the sizes asked for, one chunk along other dimensions.
/// `None` if that is one chunk a shard, which needs no shards.
///
/// A size beyond a dimension other than the `append` one is clipped to the whole chunks that cover the dimension.
///
/// # Errors
/// If a size is not a whole multiple of the chunk's.
pub(super) fn shard_shape(
    variable: &Variable,
    append: Option<usize>,
    chunk: &[u64],
    shards: &Wish<ChunkStrategy>,
) -> Result<Option<Vec<u64>>, PlanError> {
    let mut shape = chunk.to_vec();
    for (d, dimension) in variable.dimensions.iter().enumerate() {
        let Some(&asked) = shards.value.0.get(dimension) else {
            continue;
        };
        shape[d] = if append == Some(d) {
            asked
        } else {
            clipped(asked, variable.shape[d], chunk[d])
        };
        if !shape[d].is_multiple_of(chunk[d]) {
            return Err(PlanError::UnevenShards {
                by: shards.by.clone(),
                array: variable.name.clone(),
                dimension: dimension.clone(),
                shard: asked,
                chunk: chunk[d],
            });
        }
    }
    Ok((shape != chunk).then_some(shape))
}

/// Checks that the chunk and shard sizes asked for are those of `stored`.
///
/// # Errors
/// If one differs.
pub(super) fn check_chunks(
    request: &StoreRequest,
    variable: &Variable,
    stored: &StoredArray,
    wishes: &ArrayWishes,
    append_dimension: &str,
) -> Result<(), PlanError> {
    let chunk = stored.inner.as_ref().unwrap_or(&stored.chunk);
    // A size beyond a dimension that does not grow was clipped when the store was made.
    let most = |d: usize| {
        let grows = variable.dimensions[d] == append_dimension;
        (!grows).then(|| stored.shape[d].max(1))
    };
    let chunk_asked = |d: usize, asked: u64| asked.min(most(d).unwrap_or(u64::MAX));
    let shard_asked =
        |d: usize, asked: u64| most(d).map_or(asked, |length| clipped(asked, length, chunk[d]));
    let (store, array) = (request.key.clone(), variable.name.clone());
    if differ(variable, &wishes.chunks.value, chunk, chunk_asked) {
        return Err(PlanError::Chunks {
            store,
            array,
            stored: format!("{chunk:?}"),
            by: wishes.chunks.by.clone(),
            asked: format!("{:?}", wishes.chunks.value.0),
        });
    }
    if differ(variable, &wishes.shards.value, &stored.chunk, shard_asked) {
        return Err(PlanError::Shards {
            store,
            array,
            stored: format!("{:?}", stored.chunk),
            by: wishes.shards.by.clone(),
            asked: format!("{:?}", wishes.shards.value.0),
        });
    }
    Ok(())
}

/// Is a size that is asked for, clipped, another than the one stored?
fn differ(
    variable: &Variable,
    asked: &ChunkStrategy,
    stored: &[u64],
    clip: impl Fn(usize, u64) -> u64,
) -> bool {
    let mut dimensions = variable.dimensions.iter().enumerate();
    dimensions.any(|(d, name)| {
        asked
            .0
            .get(name)
            .is_some_and(|&size| clip(d, size) != stored[d])
    })
}

/// A shard's size along a dimension of this length: at most the whole chunks that cover it.
fn clipped(asked: u64, length: u64, chunk: u64) -> u64 {
    if asked >= length {
        length.max(1).next_multiple_of(chunk)
    } else {
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use msm_model::{DType, VariableType};
    use proptest::prelude::*;

    fn shape(
        length: u64,
        chunk: u64,
        asked: u64,
        grows: bool,
    ) -> Result<Option<Vec<u64>>, PlanError> {
        let variable = Variable {
            name: "tos".to_owned(),
            kind: VariableType::Number(DType::F32),
            dimensions: vec!["x".to_owned()],
            shape: vec![length],
            attributes: Vec::new(),
            stored_chunks: None,
        };
        let shards = Wish {
            by: crate::SHARDS_FLAG.to_owned(),
            value: ChunkStrategy([("x".to_owned(), asked)].into()),
        };
        shard_shape(&variable, grows.then_some(0), &[chunk], &shards)
    }

    #[test]
    fn one_chunk_a_shard_needs_no_shards() {
        assert_eq!(shape(100, 10, 10, false), Ok(None));
        assert_eq!(shape(100, 10, 20, false), Ok(Some(vec![20])));
        assert_eq!(shape(95, 10, 1000, false), Ok(Some(vec![100])));
        assert_eq!(shape(95, 10, 1000, true), Ok(Some(vec![1000])));
        assert!(matches!(
            shape(100, 10, 25, false),
            Err(PlanError::UnevenShards {
                shard: 25,
                chunk: 10,
                ..
            })
        ));
    }

    proptest! {
        #[test]
        fn a_shard_is_whole_chunks(length in 1..500u64, chunk in 1..50u64, asked in 1..600u64, grows in any::<bool>()) {
            let even = asked.is_multiple_of(chunk);
            match shape(length, chunk, asked, grows) {
                Ok(shard) => {
                    let shard = shard.map_or(chunk, |s| s[0]);
                    prop_assert!(shard.is_multiple_of(chunk));
                    prop_assert!(shard == asked || (!grows && asked >= length && shard - length < chunk));
                }
                Err(_) => prop_assert!(!even && (grows || asked < length)),
            }
        }
    }
}
