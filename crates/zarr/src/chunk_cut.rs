//! The values of an object, of which a part stays, or that is made of steps of several.
//!
//! Key type: [`ChunkPiece`].

use std::iter::repeat_n;

use super::chunk_codec::ChunkCodec;
use super::error::ZarrError;
use msm_model::{Hyperslab, copy_block};

/// Steps of an object that another one gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPiece<'a> {
    /// The values of the whole object that has them.
    pub values: &'a [u8],
    /// The first of them in that object.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// The first of them in the object that gets them.
    pub at: u64,
}

impl ChunkCodec {
    /// The `values` of a whole object, of which only the first `kept` along dimension `axis` stay; behind them stands the fill
    /// value, as behind the end of any array.
    ///
    /// # Errors
    /// If the fill value is none of theirs.
    pub fn cut(&self, values: &[u8], axis: usize, kept: u64) -> Result<Vec<u8>, ZarrError> {
        let piece = ChunkPiece {
            values,
            first: 0,
            count: kept,
            at: 0,
        };
        self.compose(&[piece], axis)
    }

    /// The values of a whole object that is made of these `pieces` along dimension `axis`; elsewhere stands the fill value.
    ///
    /// # Errors
    /// If the fill value is none of theirs.
    pub fn compose(&self, pieces: &[ChunkPiece<'_>], axis: usize) -> Result<Vec<u8>, ZarrError> {
        let count = self.values();
        let sizes = pieces.iter().map(|piece| piece.values.len() / count.max(1));
        let mut fill = self.array().fill_value().as_ne_bytes().to_vec();
        let size = sizes.max().unwrap_or(fill.len());
        // Of texts, without padding.
        if fill.len() < size {
            fill.resize(size, 0);
        }
        if fill.len() != size {
            let cause = format!("its fill value has {} bytes, its values {size}", fill.len());
            return Err(self.failed(&cause));
        }
        let whole = Hyperslab {
            start: vec![0; self.rank()],
            count: self.shape().collect(),
        };
        let mut composed = fill.repeat(count);
        for ChunkPiece {
            values,
            first,
            count: steps,
            at,
        } in pieces
        {
            // Texts of another object may be of another width.
            let width = values.len() / count.max(1);
            let widened: Vec<u8>;
            let values = if width == size || width == 0 {
                *values
            } else {
                let texts = values.chunks(width);
                widened = texts
                    .flat_map(|text| text.iter().copied().chain(repeat_n(0, size - width)))
                    .collect();
                &widened[..]
            };
            // Where both objects meet: neither begins below zero.
            let (mut from, mut to, mut window) = (whole.clone(), whole.clone(), whole.clone());
            from.start[axis] = *at;
            to.start[axis] = *first;
            window.start[axis] = first + at;
            window.count[axis] = *steps;
            let (Some(window), false) = (
                from.intersect(&to).and_then(|both| both.intersect(&window)),
                values.is_empty(),
            ) else {
                continue;
            };
            copy_block(values, &from, &mut composed, &to, &window, size);
        }
        Ok(composed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_behind_the_cut_is_fill() {
        let document = json!({
            "zarr_format": 2, "shape": [4, 3], "chunks": [4, 3], "dtype": "|u1", "fill_value": 9, "order": "C",
            "filters": null, "compressor": null,
        });
        let codec = ChunkCodec::new("a", &document.to_string()).unwrap();
        let values: Vec<u8> = (0..12).collect();
        let cut = codec.cut(&values, 0, 2).unwrap();
        assert_eq!(cut, [0, 1, 2, 3, 4, 5, 9, 9, 9, 9, 9, 9]);
        let cut = codec.cut(&values, 1, 1).unwrap();
        assert_eq!(cut, [0, 9, 9, 3, 9, 9, 6, 9, 9, 9, 9, 9]);
        assert_eq!(codec.cut(&values, 0, 7).unwrap(), values);
        let piece = |values, first, count, at| ChunkPiece {
            values,
            first,
            count,
            at,
        };
        let others: Vec<u8> = (20..32).collect();
        let pieces = [piece(&values[..], 2, 2, 0), piece(&others[..], 0, 1, 2)];
        let made = codec.compose(&pieces, 0).unwrap();
        assert_eq!(made, [6, 7, 8, 9, 10, 11, 20, 21, 22, 9, 9, 9]);
        assert_eq!(codec.compose(&[], 0).unwrap(), [9; 12]);
    }
}
