//! The chunk records of one transaction, checked against its plan: every object exactly once, nothing else.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use msm_plan::{Phase, Plan};
use serde::{Deserialize, Serialize};

use crate::transfer::{ChunkRecord, Content, Proof};

/// The records of all ranks, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest(Vec<ChunkRecord>);

/// Why a manifest is not the plan's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum ManifestError {
    #[error("array '{array}' of store '{store}': no record of chunk {chunk:?}")]
    Missing {
        array: String,
        store: String,
        chunk: Vec<u64>,
    },
    #[error("array '{array}' of store '{store}': {count} records of chunk {chunk:?}, expected one")]
    Unexpected {
        array: String,
        store: String,
        chunk: Vec<u64>,
        count: usize,
    },
    #[error("a record names array {array} and store {store}, which the plan does not have")]
    Unknown { array: usize, store: usize },
}

impl Manifest {
    /// Checks `records` against the units of `phase`.
    ///
    /// # Errors
    /// If an object has no record, or more than one, or a record is of no object of the plan.
    pub(crate) fn check(
        plan: &Plan,
        phase: Phase,
        records: Vec<ChunkRecord>,
    ) -> Result<Self, ManifestError> {
        let mut count: BTreeMap<(usize, usize, Vec<u64>), usize> = BTreeMap::new();
        for record in &records {
            *count
                .entry((record.array, record.store, record.chunk.clone()))
                .or_default() += 1;
        }
        let names = |array: usize, store: usize| {
            let array_name = plan.arrays.get(array).map(|a| a.name.clone());
            array_name.zip(plan.stores.get(store).map(|s| s.key.clone()))
        };
        for unit in plan
            .units
            .iter()
            .filter(|u| plan.arrays[u.array].phase == phase)
        {
            let target = &plan.arrays[unit.array];
            for object in unit.objects(target) {
                for &store in &target.stores {
                    let (array, key) = (target.name.clone(), plan.stores[store].key.clone());
                    match count.remove(&(unit.array, store, object.chunk.clone())) {
                        Some(1) => {}
                        None => {
                            return Err(ManifestError::Missing {
                                array,
                                store: key,
                                chunk: object.chunk,
                            });
                        }
                        Some(count) => {
                            return Err(ManifestError::Unexpected {
                                array,
                                store: key,
                                chunk: object.chunk,
                                count,
                            });
                        }
                    }
                }
            }
        }
        match count.pop_first() {
            None => Ok(Self(records)),
            Some(((array, store, chunk), count)) => Err(match names(array, store) {
                Some((array, store)) => ManifestError::Unexpected {
                    array,
                    store,
                    chunk,
                    count,
                },
                None => ManifestError::Unknown { array, store },
            }),
        }
    }

    /// Objects stored, bytes they take, and objects that are all fill and so not stored.
    #[must_use]
    pub(crate) fn totals(&self) -> (u64, u64, u64) {
        self.0
            .iter()
            .fold((0, 0, 0), |(stored, bytes, empty), record| {
                match record.content {
                    Content::Stored {
                        bytes: of_object, ..
                    } => (stored + 1, bytes + of_object, empty),
                    Content::Empty => (stored, bytes, empty + 1),
                }
            })
    }

    /// What became of the objects of the plan's store `store`: stored ones and their bytes, replaced ones and theirs.
    #[must_use]
    pub(crate) fn changes(&self, store: usize) -> ([u64; 2], [u64; 2]) {
        let (mut stored, mut replaced) = ([0; 2], [0; 2]);
        for record in self.0.iter().filter(|record| record.store == store) {
            if let Content::Stored { bytes, .. } = record.content {
                stored = [stored[0] + 1, stored[1] + bytes];
            }
            if record.replaced > 0 {
                replaced = [replaced[0] + 1, replaced[1] + record.replaced];
            }
        }
        (stored, replaced)
    }

    /// Objects with this proof.
    #[must_use]
    pub(crate) fn proven(&self, by: Proof) -> u64 {
        let so = |record: &&ChunkRecord| record.content.is_proven(by);
        self.0.iter().filter(so).count() as u64
    }

    /// The MD5, in hexadecimal, of what it says of each object: store, array, place, length, and the crc32c of values and bytes. How many
    /// ranks put them, and how they were verified, makes no difference.
    #[must_use]
    pub(crate) fn digest(&self, plan: &Plan) -> String {
        let mut records: Vec<&ChunkRecord> = self.0.iter().collect();
        records.sort_unstable_by(|a, b| {
            let order = (a.store, a.array).cmp(&(b.store, b.array));
            order.then_with(|| a.chunk.cmp(&b.chunk))
        });
        let mut digest = Md5::new();
        for record in records {
            let store = plan.stores.get(record.store).map(|store| &store.key);
            let array = plan.arrays.get(record.array).map(|array| &array.name);
            let content = match record.content {
                Content::Empty => None,
                Content::Stored {
                    bytes,
                    values_crc32c,
                    stored_crc32c,
                    ..
                } => Some((bytes, values_crc32c, stored_crc32c)),
            };
            digest.update(format!(
                "{store:?} {array:?} {:?} {content:?}\n",
                record.chunk
            ));
        }
        HEXLOWER.encode(&digest.finalize())
    }

    /// These records and those of `other`.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use msm_model::{DType, Hyperslab};
    use msm_plan::{Origin, TargetArray, TargetStore, WorkUnit};

    /// One array of two objects, in one store.
    fn plan() -> Plan {
        Plan {
            files: Vec::new(),
            stores: vec![TargetStore {
                key: "T1y/tos.zarr".to_owned(),
                documents: Vec::new(),
                root_key: "T1y/tos.zarr/zarr.json".to_owned(),
                old_root: None,
                new_root: String::new(),
                new_steps: 2,
                replaced_steps: 0,
                recipes: BTreeMap::new(),
                has_untold_arrays: false,
            }],
            arrays: vec![TargetArray {
                name: "tos".to_owned(),
                origin: Origin {
                    variable: "tos".to_owned(),
                    leading: 0,
                    file: 0,
                    form: msm_plan::Derivation::AsRead,
                },
                conversions: Vec::new(),
                values: None,
                masking: None,
                stores: vec![0],
                document: String::new(),
                dtype: DType::F32,
                fill: vec![0; 4],
                shape: vec![2],
                chunk: vec![1],
                append: None,
                rewrites: false,
                tolerance: None,
                phase: Phase::Transfer,
            }],
            units: vec![WorkUnit {
                array: 0,
                chunks: Hyperslab {
                    start: vec![0],
                    count: vec![2],
                },
                file: 0,
                owner: 0,
                followers: Vec::new(),
                follows: false,
            }],
            projections: Vec::new(),
            reads: 0,
            in_flight: 0,
            peak_memory: 0,
        }
    }

    fn record(array: usize, chunk: u64) -> ChunkRecord {
        ChunkRecord {
            array,
            store: 0,
            chunk: vec![chunk],
            content: Content::Empty,
            replaced: 0,
        }
    }

    fn check(records: Vec<ChunkRecord>) -> Result<Manifest, ManifestError> {
        Manifest::check(&plan(), Phase::Transfer, records)
    }

    #[test]
    fn its_digest_is_of_what_was_put_whoever_did() {
        let stored = |chunk, bytes, proof| ChunkRecord {
            content: Content::Stored {
                bytes,
                values_crc32c: 1,
                stored_crc32c: 2,
                proof,
            },
            ..record(0, chunk)
        };
        let digest = |records| check(records).unwrap().digest(&plan());
        let first = digest(vec![record(0, 0), stored(1, 9, Proof::ReadBack)]);
        let turned = digest(vec![stored(1, 9, Proof::Etag), record(0, 0)]);
        assert_eq!((first.len(), &first), (32, &turned));
        let longer = digest(vec![record(0, 0), stored(1, 10, Proof::ReadBack)]);
        let elsewhere = digest(vec![stored(0, 9, Proof::ReadBack), record(0, 1)]);
        assert!(first != longer && first != elsewhere && longer != elsewhere);
    }

    #[test]
    fn every_object_has_exactly_one_record_and_nothing_else_has() {
        assert!(check(vec![record(0, 1), record(0, 0)]).is_ok());
        let missing = check(vec![record(0, 0)]).unwrap_err();
        assert!(matches!(missing, ManifestError::Missing { chunk, .. } if chunk == [1]));
        let twice = check(vec![record(0, 0), record(0, 1), record(0, 1)]).unwrap_err();
        assert!(matches!(twice, ManifestError::Unexpected { count: 2, .. }));
        let beyond = check(vec![record(0, 0), record(0, 1), record(0, 2)]).unwrap_err();
        assert!(matches!(beyond, ManifestError::Unexpected { count: 1, .. }));
        let unknown = check(vec![record(0, 0), record(0, 1), record(7, 0)]).unwrap_err();
        assert!(matches!(unknown, ManifestError::Unknown { array: 7, .. }));
    }
}
