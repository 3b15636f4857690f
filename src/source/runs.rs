//! Values that lie one behind the other in a file: which parts of it a hyperslab takes.

use msm_model::Hyperslab;

/// The most bytes of one part.
const MAX_PART: u64 = 4 << 20;

/// A part of a hyperslab that is one run of bytes.
pub(super) struct ByteRun {
    pub slab: Hyperslab,
    /// Where its first value lies, in values from the array's first.
    pub first: u64,
}

/// The parts of `slab` in an array of this `shape`, of values of `size` bytes. Where `apart`, what two indices of the first
/// dimension have does not lie side by side, and `first` is counted from the first value of the index.
pub(super) fn parts(slab: &Hyperslab, shape: &[u64], size: usize, apart: bool) -> Vec<ByteRun> {
    let rank = shape.len();
    if rank == 0 {
        return vec![ByteRun {
            slab: slab.clone(),
            first: 0,
        }];
    }
    let least = usize::from(apart);
    // Dimensions from this one on make one run, as far as those behind it are whole.
    let mut split = rank;
    let mut run = size as u64;
    while split > least && run <= MAX_PART {
        split -= 1;
        run = run.saturating_mul(slab.count[split]);
        if slab.count[split] != shape[split] {
            break;
        }
    }
    // Of the first of them, so many indices.
    let (step, behind) = match slab.count.get(split) {
        Some(&count) => {
            let one = (run / count.max(1)).max(1);
            ((MAX_PART / one).clamp(1, count.max(1)), split)
        }
        None => (1, rank),
    };
    let mut all = Vec::new();
    let mut outer = slab.start[..split].to_vec();
    loop {
        let (from, until) = match slab.start.get(behind) {
            Some(&start) => (start, start + slab.count[behind]),
            None => (0, 1),
        };
        let mut at = from;
        while at < until {
            let length = step.min(until - at);
            let mut part = slab.clone();
            part.start[..split].copy_from_slice(&outer);
            part.count[..split].fill(1);
            if behind < rank {
                part.start[behind] = at;
                part.count[behind] = length;
            }
            let places = (least..rank).fold(0, |place, d| place * shape[d] + part.start[d]);
            all.push(ByteRun {
                slab: part,
                first: places,
            });
            at += length;
        }
        let mut next = split;
        loop {
            if next == 0 {
                return all;
            }
            next -= 1;
            outer[next] += 1;
            if outer[next] < slab.start[next] + slab.count[next] {
                break;
            }
            outer[next] = slab.start[next];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_the_slab_and_runs(
            boxes in proptest::collection::vec((0..4u64, 1..4u64, 0..3u64), 0..4),
            size in proptest::sample::select(vec![1usize, 8, 1 << 20]),
            apart in any::<bool>(),
        ) {
            let slab = Hyperslab {
                start: boxes.iter().map(|b| b.0).collect(),
                count: boxes.iter().map(|b| b.1).collect(),
            };
            let shape: Vec<u64> = boxes.iter().map(|b| b.0 + b.1 + b.2).collect();
            let least = usize::from(apart);
            let mut taken = std::collections::BTreeSet::new();
            for part in parts(&slab, &shape, size, apart) {
                prop_assert!(part.slab.len() * size as u64 <= MAX_PART.max(size as u64));
                if apart && !shape.is_empty() {
                    prop_assert_eq!(part.slab.count[0], 1);
                }
                // Its values follow each other in the array.
                for (place, index) in indices(&part.slab).into_iter().enumerate() {
                    let at = (least.min(shape.len())..shape.len())
                        .fold(0, |at, d| at * shape[d] + index[d]);
                    prop_assert_eq!(at, part.first + place as u64);
                    prop_assert!(taken.insert(index));
                }
            }
            let all: std::collections::BTreeSet<Vec<u64>> = indices(&slab).into_iter().collect();
            prop_assert_eq!(taken, all);
        }
    }

    fn indices(slab: &Hyperslab) -> Vec<Vec<u64>> {
        let mut all = vec![Vec::new()];
        for (start, count) in slab.start.iter().zip(&slab.count) {
            all = all
                .into_iter()
                .flat_map(|before| {
                    (*start..start + count)
                        .map(move |i| before.iter().copied().chain([i]).collect())
                })
                .collect();
        }
        all
    }
}
