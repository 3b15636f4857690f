//! What is asked for a new array: by a recipe that names its variable, or else by flags, for all alike.
//!
//! Key type: [`ArrayWishes`].

use super::chunking::{ChunkStrategy, SHARDS_FLAG, STRATEGY_FLAG};
use super::error::PlanError;
use super::settings::NewArrays;
use msm_model::ArrayRecipe;
use msm_zarr::{Codec, ZarrError};

/// Who asks, where it is the recipe.
const RECIPE: &str = "--recipe";
/// The flag that gives the codec.
const CODEC_FLAG: &str = "--codec";

/// What is asked for one array.
pub(super) struct ArrayWishes {
    /// Chunk sizes.
    pub chunks: Wish<ChunkStrategy>,
    /// Shard sizes.
    pub shards: Wish<ChunkStrategy>,
    /// The compressor.
    pub codec: Wish<Option<Codec>>,
}

/// Something that is asked for, and which flag asks.
pub(super) struct Wish<T> {
    pub by: String,
    pub value: T,
}

impl ArrayWishes {
    /// What is asked for the array that is made by `recipe`, if it is: that goes before what is asked for `all`.
    ///
    /// # Errors
    /// If the recipe has a malformed codec.
    pub(super) fn new(all: &NewArrays, recipe: Option<&ArrayRecipe>) -> Result<Self, PlanError> {
        let sizes = |of_all: &ChunkStrategy, flag: &str, own: fn(&ArrayRecipe) -> ChunkStrategy| {
            let own = recipe.map(own).filter(|own| !own.0.is_empty());
            Wish {
                by: if own.is_some() { RECIPE } else { flag }.to_owned(),
                value: own.unwrap_or_else(|| of_all.clone()),
            }
        };
        let codec = recipe.and_then(|recipe| recipe.codec.as_ref());
        let codec = codec.map(|codec| codec.parse::<Codec>());
        let own = codec
            .transpose()
            .map_err(|cause: ZarrError| PlanError::RecipeCodec {
                cause: cause.to_string(),
            })?;
        Ok(Self {
            chunks: sizes(&all.chunks, STRATEGY_FLAG, |r| {
                ChunkStrategy(r.chunks.clone())
            }),
            shards: sizes(&all.shards, SHARDS_FLAG, |r| {
                ChunkStrategy(r.shards.clone())
            }),
            codec: Wish {
                by: if own.is_some() { RECIPE } else { CODEC_FLAG }.to_owned(),
                value: own.or_else(|| all.codec.clone()),
            },
        })
    }
}

impl<T> Wish<T> {
    /// Is it asked for this variable, not for all?
    pub(super) fn is_by_name(&self) -> bool {
        self.by == RECIPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_goes_before_flags_for_what_it_says() {
        let sizes = |name: &str, size: u64| ChunkStrategy([(name.to_owned(), size)].into());
        let flags = NewArrays {
            chunks: sizes("y", 5),
            shards: sizes("y", 10),
            codec: Some(Codec::None),
            version: None,
        };
        let recipe = ArrayRecipe {
            chunks: sizes("x", 3).0,
            codec: Some("zstd:5".to_owned()),
            ..ArrayRecipe::default()
        };
        let asked = ArrayWishes::new(&flags, Some(&recipe)).unwrap();
        assert_eq!(asked.chunks.value, sizes("x", 3));
        assert_eq!(asked.codec.value, Some(Codec::Zstd(5)));
        assert!(asked.chunks.is_by_name() && asked.codec.is_by_name());
        // Of shards it says nothing.
        assert_eq!(asked.shards.value, flags.shards);
        assert_eq!(asked.shards.by, SHARDS_FLAG);
        let plain = ArrayWishes::new(&flags, None).unwrap();
        assert_eq!(plain.chunks.value, flags.chunks);
        assert_eq!(plain.codec.by, CODEC_FLAG);
        let wrong = ArrayRecipe {
            codec: Some("gzip".to_owned()),
            ..recipe
        };
        assert!(ArrayWishes::new(&flags, Some(&wrong)).is_err());
    }
}
