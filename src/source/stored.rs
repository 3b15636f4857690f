//! Undoing the filters of a stored HDF5 chunk: inflate, unshuffle. Values in, values out.

use hdf5_reader::filters::{FILTER_DEFLATE, FILTER_SHUFFLE, FilterRegistry};
use hdf5_reader::messages::filter_pipeline::FilterDescription;
use libdeflater::Decompressor;

/// What a filter may add to a chunk, such as a checksum, in bytes.
const ADDED: usize = 64;

/// Buffers that one thread uses again for each chunk; fresh pages cost as much as the unshuffle.
pub(super) struct Scratch {
    inflater: Decompressor,
    others: FilterRegistry,
    /// The bytes as they lie in the file; the caller fills it.
    pub stored: Vec<u8>,
    spare: Vec<u8>,
}

impl Scratch {
    /// Empty buffers.
    pub(super) fn new() -> Self {
        Self {
            inflater: Decompressor::new(),
            others: FilterRegistry::new(),
            stored: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// The decoded bytes of the chunk in `self.stored`: `decoded` bytes of values of `size` bytes each.
    ///
    /// # Errors
    /// If it does not decode to exactly that many bytes.
    pub(super) fn decode(
        &mut self,
        filters: &[FilterDescription],
        skipped: u32,
        decoded: usize,
        size: usize,
    ) -> Result<&mut [u8], String> {
        for (index, filter) in filters.iter().enumerate().rev() {
            if skipped.checked_shr(index as u32).unwrap_or(0) & 1 == 1 {
                continue;
            }
            match filter.id {
                FILTER_DEFLATE => {
                    self.spare.resize(decoded + ADDED, 0);
                    let written = self
                        .inflater
                        .zlib_decompress(&self.stored, &mut self.spare)
                        .map_err(|cause| format!("the stored chunk does not inflate: {cause}"))?;
                    self.spare.truncate(written);
                }
                FILTER_SHUFFLE if filter.client_data.first() == Some(&(size as u32)) => {
                    self.spare.resize(self.stored.len(), 0);
                    unshuffle(&self.stored, &mut self.spare, size);
                }
                _ => {
                    let most = Some(decoded + ADDED);
                    let others = &self.others;
                    let done = others.apply_with_limit(filter, &self.stored, size, most);
                    self.spare = done.map_err(|cause| format!("the stored chunk: {cause}"))?;
                }
            }
            std::mem::swap(&mut self.stored, &mut self.spare);
        }
        if self.stored.len() == decoded {
            Ok(&mut self.stored)
        } else {
            let found = self.stored.len();
            Err(format!(
                "the stored chunk decodes to {found} bytes, expected {decoded}"
            ))
        }
    }
}

/// Undoes HDF5's shuffle: byte plane b of `shuffled` holds byte b of every value (HDF5 format, `H5Zshuffle.c`).
/// Bytes beyond the last whole value are not shuffled.
fn unshuffle(shuffled: &[u8], values: &mut [u8], size: usize) {
    match size {
        2 => interleave::<2>(shuffled, values),
        4 => interleave::<4>(shuffled, values),
        8 => interleave::<8>(shuffled, values),
        _ => values.copy_from_slice(shuffled),
    }
}

/// Written so that the compiler turns it into vector instructions: fixed width, one pass, no bounds checks inside.
fn interleave<const N: usize>(planes: &[u8], values: &mut [u8]) {
    let count = planes.len() / N;
    let plane: [&[u8]; N] = std::array::from_fn(|b| &planes[b * count..(b + 1) * count]);
    let (whole, rest) = values.split_at_mut(count * N);
    for (i, value) in whole.chunks_exact_mut(N).enumerate() {
        for b in 0..N {
            value[b] = plane[b][i];
        }
    }
    rest.copy_from_slice(&planes[count * N..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shuffle(values: &[u8], size: usize) -> Vec<u8> {
        let count = values.len() / size;
        let mut planes: Vec<u8> = (0..size)
            .flat_map(|b| (0..count).map(move |i| values[i * size + b]))
            .collect();
        planes.extend_from_slice(&values[count * size..]);
        planes
    }

    proptest! {
        #[test]
        fn shuffle_and_deflate_are_undone(
            values in proptest::collection::vec(any::<u8>(), 0..600),
            size in proptest::sample::select(vec![1usize, 2, 4, 8]),
            skipped in 0..4u32,
        ) {
            let filter = |id, client_data| FilterDescription { id, name: None, client_data };
            let filters = [
                filter(FILTER_SHUFFLE, vec![size as u32]),
                filter(FILTER_DEFLATE, vec![6]),
            ];
            let mut stored = values.clone();
            if skipped & 1 == 0 { stored = shuffle(&stored, size); }
            if skipped & 2 == 0 {
                let mut deflater = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
                let mut out = vec![0; deflater.zlib_compress_bound(stored.len())];
                let written = deflater.zlib_compress(&stored, &mut out).unwrap();
                out.truncate(written);
                stored = out;
            }
            let mut scratch = Scratch::new();
            scratch.stored.extend_from_slice(&stored);
            prop_assert_eq!(scratch.decode(&filters, skipped, values.len(), size).unwrap(), &values[..]);
        }
    }

    #[test]
    fn a_chunk_of_another_length_is_refused() {
        let mut scratch = Scratch::new();
        scratch.stored.extend_from_slice(&[1, 2, 3]);
        let error = scratch.decode(&[], 0, 4, 4).unwrap_err();
        assert_eq!(error, "the stored chunk decodes to 3 bytes, expected 4");
    }
}
