//! Cutting the values of an object behind a step.

use super::chunk_codec::ChunkCodec;
use super::error::ZarrError;
use msm_model::{Hyperslab, copy_block};

impl ChunkCodec {
    /// The `values` of a whole object, of which only the first `kept` along dimension `axis` stay; behind them stands the fill
    /// value, as behind the end of any array.
    ///
    /// # Errors
    /// If the fill value is none of theirs.
    pub fn cut(&self, values: &[u8], axis: usize, kept: u64) -> Result<Vec<u8>, ZarrError> {
        let count = self.values();
        let size = values.len() / count.max(1);
        let mut fill = self.array().fill_value().as_ne_bytes().to_vec();
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
        let mut stay = whole.clone();
        stay.count[axis] = kept.min(stay.count[axis]);
        let mut cut = fill.repeat(count);
        copy_block(values, &whole, &mut cut, &whole, &stay, size);
        Ok(cut)
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
    }
}
