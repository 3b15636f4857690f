//! Hyperslabs: boxes of index space, and moving one between row-major buffers. Pure.

use serde::{Deserialize, Serialize};

/// A box of index space: `start[d] .. start[d] + count[d]` along each dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hyperslab {
    /// First index along each dimension.
    pub start: Vec<u64>,
    /// Indices along each dimension.
    pub count: Vec<u64>,
}

impl Hyperslab {
    /// Number of values in it: 1 for a scalar.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count.iter().product()
    }

    /// Does it hold no value?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count.contains(&0)
    }

    /// What both hold, or `None`.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for d in 0..self.start.len() {
            let start = self.start[d].max(other.start[d]);
            let end = (self.start[d] + self.count[d]).min(other.start[d] + other.count[d]);
            if end <= start {
                return None;
            }
            both.start[d] = start;
            both.count[d] = end - start;
        }
        Some(both)
    }
}

/// Copies the values within `window` that two boxes share from one row-major buffer to another.
///
/// `source` holds the values of `source_box`, `target` those of `target_box`, both of `size` bytes a value and all
/// three boxes in the same index space. Other values are left alone.
///
/// # Panics
/// If a buffer is shorter than its box.
pub fn copy_block(
    source: &[u8],
    source_box: &Hyperslab,
    target: &mut [u8],
    target_box: &Hyperslab,
    window: &Hyperslab,
    size: usize,
) {
    let Some(shared) = source_box
        .intersect(target_box)
        .and_then(|both| both.intersect(window))
    else {
        return;
    };
    let rank = shared.count.len();
    // The longest run contiguous in both: trailing dimensions that are whole in both, and one more.
    let mut inner = rank;
    let mut run = size;
    while inner > 0 {
        inner -= 1;
        run *= index(shared.count[inner]);
        let whole = shared.count[inner] == source_box.count[inner]
            && shared.count[inner] == target_box.count[inner];
        if !whole {
            break;
        }
    }
    let runs: usize = shared.count[..inner].iter().map(|&n| index(n)).product();
    let mut position = shared.start[..inner].to_vec();
    position.extend_from_slice(&shared.start[inner..]);
    for _ in 0..runs {
        let from = offset(&position, source_box) * size;
        let to = offset(&position, target_box) * size;
        target[to..to + run].copy_from_slice(&source[from..from + run]);
        for d in (0..inner).rev() {
            position[d] += 1;
            if position[d] < shared.start[d] + shared.count[d] {
                break;
            }
            position[d] = shared.start[d];
        }
    }
}

/// Row-major offset, in values, of `position` in a buffer that holds `held`.
fn offset(position: &[u64], held: &Hyperslab) -> usize {
    (0..position.len()).fold(0, |at, d| {
        at * index(held.count[d]) + index(position[d] - held.start[d])
    })
}

/// An index of values in memory. What is in memory fits into the address space.
fn index(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slab(bounds: &[(u64, u64)]) -> Hyperslab {
        Hyperslab {
            start: bounds.iter().map(|b| b.0).collect(),
            count: bounds.iter().map(|b| b.1).collect(),
        }
    }

    #[test]
    fn scalars_are_copied() {
        let scalar = slab(&[]);
        let mut target = [0; 4];
        copy_block(&[1, 2, 3, 4], &scalar, &mut target, &scalar, &scalar, 4);
        assert_eq!(target, [1, 2, 3, 4]);
    }

    proptest! {
        #[test]
        fn copies_exactly_the_overlap(
            boxes in proptest::collection::vec(((0..6u64, 1..5u64), (0..6u64, 1..5u64), (0..6u64, 1..9u64)), 1..4),
        ) {
            let from = slab(&boxes.iter().map(|b| b.0).collect::<Vec<_>>());
            let to = slab(&boxes.iter().map(|b| b.1).collect::<Vec<_>>());
            let window = slab(&boxes.iter().map(|b| b.2).collect::<Vec<_>>());
            let source: Vec<u8> = (0..from.len()).flat_map(|v| u16::try_from(v + 1).unwrap().to_le_bytes()).collect();
            let mut target = vec![0; usize::try_from(to.len()).unwrap() * 2];
            copy_block(&source, &from, &mut target, &to, &window, 2);
            let mut position = to.start.clone();
            for value in target.chunks_exact(2) {
                let within = |slab: &Hyperslab| (0..position.len())
                    .all(|d| position[d] >= slab.start[d] && position[d] < slab.start[d] + slab.count[d]);
                let inside = within(&from) && within(&window);
                let expected = if inside { u16::try_from(offset(&position, &from) + 1).unwrap() } else { 0 };
                prop_assert_eq!(u16::from_le_bytes([value[0], value[1]]), expected);
                for d in (0..position.len()).rev() {
                    position[d] += 1;
                    if position[d] < to.start[d] + to.count[d] { break; }
                    position[d] = to.start[d];
                }
            }
        }
    }
}
