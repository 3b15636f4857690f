//! How many bytes a file stores of a variable, and where. Pure.
//!
//! Key type: [`StoredBytes`].

use serde::{Deserialize, Serialize};

use super::hyperslab::Hyperslab;

/// So many boxes are told apart at most.
const MOST_BOXES: u64 = 4096;

/// Bytes that a file stores of a variable, by box of its index space: a box is a stored chunk or, where there are many, neighbouring ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBytes {
    /// The variable's shape.
    shape: Vec<u64>,
    /// Indices that a box spans along each dimension.
    side: Vec<u64>,
    /// Of each box, row-major.
    bytes: Vec<u64>,
}

impl StoredBytes {
    /// Of a variable of this shape, whose stored chunks have the shape `chunk`: of each that was written, the index at which it begins
    /// and its bytes. `None` for a scalar, or where either shape holds nothing.
    pub fn new<'a>(
        shape: &[u64],
        chunk: &[u64],
        chunks: impl IntoIterator<Item = (&'a [u64], u64)>,
    ) -> Option<Self> {
        let is_empty = shape.is_empty() || shape.contains(&0) || chunk.contains(&0);
        if is_empty || shape.len() != chunk.len() {
            return None;
        }
        let mut side = chunk.to_vec();
        for d in (0..shape.len()).rev() {
            while boxes(shape, &side) > MOST_BOXES && side[d] < shape[d] {
                side[d] = side[d].saturating_mul(2);
            }
        }
        let mut bytes = vec![0; usize::try_from(boxes(shape, &side)).ok()?];
        for (origin, stored) in chunks {
            let at = origin.iter().zip(&side).map(|(start, side)| start / side);
            let at = place(at, shape, &side);
            *bytes.get_mut(usize::try_from(at).ok()?)? += stored;
        }
        let shape = shape.to_vec();
        Some(Self { shape, side, bytes })
    }

    /// Bytes that are stored of `slab`, of a box that it cuts as much as it has of its values; `None` if it is not of this variable.
    #[must_use]
    pub fn within(&self, slab: &Hyperslab) -> Option<u64> {
        if slab.start.len() != self.shape.len() {
            return None;
        }
        if slab.is_empty() {
            return Some(0);
        }
        let first: Vec<u64> = slab
            .start
            .iter()
            .zip(&self.side)
            .map(|(s, n)| s / n)
            .collect();
        let count = (0..first.len()).map(|d| {
            let end = (slab.start[d] + slab.count[d]).min(self.shape[d]);
            end.div_ceil(self.side[d]).saturating_sub(first[d])
        });
        let count: Vec<u64> = count.collect();
        let mut sum = 0;
        for number in 0..count.iter().product() {
            let mut rest: u64 = number;
            // Of the box and of what of it is wanted, the values.
            let (mut all, mut wanted, mut at) = (1u128, 1u128, first.clone());
            for d in (0..first.len()).rev() {
                at[d] += rest % count[d];
                rest /= count[d];
                let begin = at[d] * self.side[d];
                let end = begin.saturating_add(self.side[d]).min(self.shape[d]);
                all *= u128::from(end - begin);
                let end = end.min(slab.start[d] + slab.count[d]);
                wanted *= u128::from(end.saturating_sub(begin.max(slab.start[d])));
            }
            let at = place(at.into_iter(), &self.shape, &self.side);
            let bytes = self.bytes.get(usize::try_from(at).ok()?)?;
            sum += u64::try_from(u128::from(*bytes) * wanted / all).unwrap_or(u64::MAX);
        }
        Some(sum)
    }
}

/// How many boxes there are.
fn boxes(shape: &[u64], side: &[u64]) -> u64 {
    let along = shape.iter().zip(side).map(|(n, side)| n.div_ceil(*side));
    along.fold(1, u64::saturating_mul)
}

/// The number, row-major, of the box at these places.
fn place(at: impl Iterator<Item = u64>, shape: &[u64], side: &[u64]) -> u64 {
    let along = at.zip(shape.iter().zip(side));
    along.fold(0u64, |number, (at, (n, side))| {
        number.saturating_mul(n.div_ceil(*side)).saturating_add(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slab(start: &[u64], count: &[u64]) -> Hyperslab {
        Hyperslab {
            start: start.to_vec(),
            count: count.to_vec(),
        }
    }

    #[test]
    fn a_cut_box_counts_by_its_share() {
        let chunks = [(&[0, 0][..], 100), (&[0, 4], 40), (&[2, 4], 10)];
        let stored = StoredBytes::new(&[3, 5], &[2, 4], chunks).unwrap();
        assert_eq!(stored.within(&slab(&[0, 0], &[3, 5])), Some(150));
        assert_eq!(stored.within(&slab(&[0, 0], &[1, 4])), Some(50));
        assert_eq!(stored.within(&slab(&[0, 3], &[2, 2])), Some(25 + 40));
        assert_eq!(stored.within(&slab(&[2, 0], &[1, 5])), Some(10));
        assert_eq!(stored.within(&slab(&[2], &[1])), None);
        assert_eq!(StoredBytes::new(&[], &[], []), None);
    }

    proptest! {
        #[test]
        fn all_of_it_is_the_sum_of_its_chunks(
            shape in proptest::collection::vec(1..90u64, 1..4),
            chunk in proptest::collection::vec(1..9u64, 3),
            seed in 1..1000u64,
        ) {
            let chunk = &chunk[..shape.len()];
            let grid: Vec<u64> = shape.iter().zip(chunk).map(|(n, c)| n.div_ceil(*c)).collect();
            let origins: Vec<Vec<u64>> = (0..grid.iter().product::<u64>()).map(|mut number| {
                let mut origin = vec![0; grid.len()];
                for d in (0..grid.len()).rev() {
                    origin[d] = number % grid[d] * chunk[d];
                    number /= grid[d];
                }
                origin
            }).collect();
            let bytes = |i: usize| (i as u64 * seed) % 977;
            let chunks = origins.iter().enumerate().map(|(i, origin)| (&origin[..], bytes(i)));
            let stored = StoredBytes::new(&shape, chunk, chunks).unwrap();
            prop_assert!(stored.bytes.len() as u64 <= MOST_BOXES);
            let sum = (0..origins.len()).map(bytes).sum::<u64>();
            prop_assert_eq!(stored.within(&slab(&vec![0; shape.len()], &shape)), Some(sum));
        }
    }
}
