//! What is worth a thought before it is sent.
//!
//! Key type: [`PlanWarning`].

use msm_plan::{Phase, Plan, SourceReads};
use serde::{Deserialize, Serialize};

/// Objects of fewer bytes cost more in requests than in bytes.
const SMALL: u64 = 1 << 20;
/// Objects of more bytes are read and written as one.
const LARGE: u64 = 512 << 20;
/// More objects are a burden to whoever lists, copies or deletes them.
const MANY: u64 = 1_000_000;
/// Stored chunks that are inflated more often than this, on the average, are worth a word.
const AGAIN: f64 = 1.1;

/// What is worth a thought before it is sent. Arrays are called by store and name: `T1y/tos.zarr/tos`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanWarning {
    /// Objects are small, by their decoded bytes: stored, they are smaller still.
    SmallObjects {
        /// The arrays.
        arrays: Vec<String>,
        /// Bytes of the values of an object.
        object_bytes: u64,
    },
    /// Objects are large, by their decoded bytes.
    LargeObjects {
        /// The arrays.
        arrays: Vec<String>,
        /// Bytes of the values of an object.
        object_bytes: u64,
    },
    /// There are very many.
    ManyObjects {
        /// Objects that are written.
        objects: u64,
    },
    /// Each append writes objects anew that are there, for chunks along the append dimension are not full.
    RewrittenChunks {
        /// The arrays.
        arrays: Vec<String>,
        /// Steps of an object.
        chunk_steps: u64,
        /// Steps that are appended.
        steps: u64,
        /// Objects of all of these arrays that this send writes anew.
        rewritten: u64,
        /// Does it leave some that the next append writes anew?
        leaves_part_full: bool,
    },
    /// Chunks cut across the stored chunks of the files, which are inflated again and again.
    CutChunks {
        /// The arrays.
        arrays: Vec<String>,
        /// How often a stored chunk is inflated, on the average.
        factor: f64,
        /// Bytes of the stored chunks, decoded.
        stored: u64,
        /// Bytes that are inflated.
        inflated: u64,
    },
}

/// What warnings are made by, of an array.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ArrayFacts {
    /// Is it data, and not one of the small arrays along the append dimension, which are one object by design?
    pub is_bulk: bool,
    /// Does it grow?
    pub grows: bool,
    /// Objects that are written.
    pub objects: u64,
    /// Bytes of the values of one.
    pub object_bytes: u64,
    /// Steps of an object along the append dimension.
    pub chunk_steps: u64,
    /// Steps that the store had.
    pub old_steps: u64,
    /// Steps that are appended.
    pub new_steps: u64,
    /// Objects that are there, and to which steps are appended.
    pub rewritten: u64,
    /// What is read for it.
    pub reads: SourceReads,
}

impl ArrayFacts {
    fn is_small(&self) -> bool {
        self.is_bulk && self.object_bytes < SMALL && (self.grows || self.objects > 1)
    }

    /// Is a chunk not full when it is appended to?
    fn leaves_part_full(&self) -> bool {
        let end = self.old_steps + self.new_steps;
        !end.is_multiple_of(self.chunk_steps.max(1))
    }

    /// Does an append of so many steps meet a chunk that is not full, now or, as long as others are as short, the next time?
    fn rewrites(&self) -> bool {
        let is_next = self.chunk_steps > self.new_steps && self.leaves_part_full();
        self.is_bulk && self.grows && self.new_steps > 0 && (self.rewritten > 0 || is_next)
    }
}

/// What there is to say of what `plan` writes into stores that are new.
pub(in crate::verbs) fn warnings_of(plan: &Plan) -> Vec<PlanWarning> {
    let mut all = Vec::new();
    for (index, array) in plan.arrays.iter().enumerate() {
        let facts = ArrayFacts {
            is_bulk: array.phase == Phase::Transfer,
            grows: array.append.is_some(),
            objects: plan.units.objects_of(index),
            object_bytes: array.object_bytes(),
            ..ArrayFacts::default()
        };
        let stores = array.stores.iter().map(|store| &plan.stores[*store].key);
        all.extend(stores.map(|store| (format!("{store}/{}", array.name), facts)));
    }
    warnings(&all)
}

/// What there is to say of these arrays, by their names; alike ones together.
pub(super) fn warnings(arrays: &[(String, ArrayFacts)]) -> Vec<PlanWarning> {
    let mut all = Vec::new();
    for (name, facts) in arrays {
        let arrays = || vec![name.clone()];
        if facts.is_small() {
            let object_bytes = facts.object_bytes;
            let arrays = arrays();
            add(
                &mut all,
                PlanWarning::SmallObjects {
                    arrays,
                    object_bytes,
                },
            );
        }
        if facts.object_bytes > LARGE {
            let object_bytes = facts.object_bytes;
            let arrays = arrays();
            add(
                &mut all,
                PlanWarning::LargeObjects {
                    arrays,
                    object_bytes,
                },
            );
        }
        if facts.rewrites() {
            add(
                &mut all,
                PlanWarning::RewrittenChunks {
                    arrays: arrays(),
                    chunk_steps: facts.chunk_steps,
                    steps: facts.new_steps,
                    rewritten: facts.rewritten,
                    leaves_part_full: facts.leaves_part_full(),
                },
            );
        }
        if facts.reads.factor() > AGAIN {
            add(
                &mut all,
                PlanWarning::CutChunks {
                    arrays: arrays(),
                    factor: facts.reads.factor(),
                    stored: facts.reads.stored,
                    inflated: facts.reads.inflated,
                },
            );
        }
    }
    let objects = { arrays.iter() }.map(|(_, facts)| facts.objects).sum();
    if objects > MANY {
        all.push(PlanWarning::ManyObjects { objects });
    }
    all
}

/// Adds a warning of one array, to one that says the same of others if there is one.
fn add(all: &mut Vec<PlanWarning>, warning: PlanWarning) {
    if !all.iter_mut().any(|other| other.takes(&warning)) {
        all.push(warning);
    }
}

impl PlanWarning {
    /// Takes the arrays of `other` if that says the same of them.
    fn takes(&mut self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::SmallObjects {
                    arrays,
                    object_bytes,
                },
                Self::SmallObjects {
                    arrays: more,
                    object_bytes: other,
                },
            )
            | (
                Self::LargeObjects {
                    arrays,
                    object_bytes,
                },
                Self::LargeObjects {
                    arrays: more,
                    object_bytes: other,
                },
            ) if object_bytes == other => arrays.extend(more.iter().cloned()),
            (
                Self::RewrittenChunks {
                    arrays,
                    chunk_steps,
                    steps,
                    rewritten,
                    leaves_part_full,
                },
                Self::RewrittenChunks {
                    arrays: more,
                    chunk_steps: other_chunk,
                    steps: other_steps,
                    rewritten: too,
                    leaves_part_full: other_leaves,
                },
            ) if (*chunk_steps, *steps, *rewritten > 0, *leaves_part_full)
                == (*other_chunk, *other_steps, *too > 0, *other_leaves) =>
            {
                arrays.extend(more.iter().cloned());
                *rewritten += too;
            }
            (
                Self::CutChunks {
                    arrays,
                    factor,
                    stored,
                    inflated,
                },
                Self::CutChunks {
                    arrays: more,
                    factor: other,
                    stored: more_stored,
                    inflated: more_inflated,
                },
            ) if (*factor - other).abs() < 0.005 => {
                arrays.extend(more.iter().cloned());
                *stored += more_stored;
                *inflated += more_inflated;
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ArrayFacts {
        ArrayFacts {
            is_bulk: true,
            grows: true,
            objects: 12,
            object_bytes: 16 << 20,
            chunk_steps: 1,
            old_steps: 0,
            new_steps: 12,
            ..ArrayFacts::default()
        }
    }

    fn of(facts: ArrayFacts) -> Vec<PlanWarning> {
        warnings(&[("a.zarr/a".to_owned(), facts)])
    }

    #[test]
    fn what_is_as_it_should_be_is_no_warning() {
        assert_eq!(of(facts()), []);
    }

    #[test]
    fn sizes_at_their_bounds() {
        let sized = |object_bytes| {
            of(ArrayFacts {
                object_bytes,
                ..facts()
            })
        };
        assert_eq!(sized(SMALL), []);
        assert!(matches!(
            sized(SMALL - 1)[..],
            [PlanWarning::SmallObjects { object_bytes, .. }] if object_bytes == SMALL - 1
        ));
        assert_eq!(sized(LARGE), []);
        assert!(matches!(
            sized(LARGE + 1)[..],
            [PlanWarning::LargeObjects { .. }]
        ));
        // A latitude is one object, and a time axis is small by design.
        let single = ArrayFacts {
            grows: false,
            objects: 1,
            object_bytes: 300,
            ..facts()
        };
        let axis = ArrayFacts {
            is_bulk: false,
            object_bytes: 1 << 17,
            ..facts()
        };
        assert_eq!((of(single), of(axis)), (vec![], vec![]));
    }

    #[test]
    fn very_many_objects_are_counted_over_all_arrays() {
        let half = ArrayFacts {
            objects: MANY / 2,
            ..facts()
        };
        let named = |name: &str, facts| (name.to_owned(), facts);
        assert_eq!(warnings(&[named("a", half), named("b", half)]), []);
        let more = ArrayFacts {
            objects: MANY / 2 + 1,
            ..facts()
        };
        let found = warnings(&[named("a", half), named("b", more)]);
        assert_eq!(found, [PlanWarning::ManyObjects { objects: MANY + 1 }]);
    }

    #[test]
    fn part_full_chunks_are_written_anew_by_each_append() {
        let rewrites = |chunk_steps, old_steps, new_steps, rewritten| {
            let found = of(ArrayFacts {
                chunk_steps,
                old_steps,
                new_steps,
                rewritten,
                ..facts()
            });
            !found.is_empty()
        };
        // A year's chunk and a year's file.
        assert!(!rewrites(12, 0, 12, 0));
        assert!(!rewrites(12, 12, 12, 0));
        // A year's chunk and a month's file, the first and the second; the last fills it.
        assert!(rewrites(12, 0, 1, 0));
        assert!(rewrites(12, 1, 1, 4));
        assert!(rewrites(12, 11, 1, 4));
        // What ends within a chunk is no matter where more than a chunk is sent at a time.
        assert!(!rewrites(5, 0, 12, 0));
        assert!(rewrites(5, 12, 12, 4));
    }

    #[test]
    fn stored_chunks_that_are_inflated_again_have_a_factor() {
        let reads = SourceReads {
            wanted: 100,
            stored: 100,
            inflated: 250,
        };
        let cut = ArrayFacts { reads, ..facts() };
        let found = warnings(&[
            ("a".to_owned(), cut),
            ("b".to_owned(), cut),
            ("c".to_owned(), facts()),
        ]);
        let expected = PlanWarning::CutChunks {
            arrays: vec!["a".to_owned(), "b".to_owned()],
            factor: 2.5,
            stored: 200,
            inflated: 500,
        };
        assert_eq!(found, [expected]);
        let once = SourceReads {
            inflated: 109,
            ..reads
        };
        assert_eq!(
            of(ArrayFacts {
                reads: once,
                ..facts()
            }),
            []
        );
    }
}
