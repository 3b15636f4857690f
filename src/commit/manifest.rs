//! The chunk records of one transaction, checked against its plan: every object exactly once, nothing else.
//!
//! Key types: [`Manifest`]; [`ManifestDraft`], while records still come.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use msm_plan::{ObjectGrid, Phase, Plan};
use serde::{Deserialize, Serialize};

use crate::transfer::{ChunkRecords, Content, PackedContent, Proof, RecordBatch};

/// The records of all ranks, complete: by store and array, those of its objects in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest(BTreeMap<(usize, usize), ObjectSet>);

/// The records of objects that a plan writes in some phases, as far as they have come.
pub(crate) struct ManifestDraft<'a> {
    plan: &'a Plan,
    sets: BTreeMap<(usize, usize), ObjectSet>,
}

/// What is known of the objects of one array in one store.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ObjectSet {
    grid: ObjectGrid,
    /// By number.
    contents: Vec<PackedContent>,
}

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

impl<'a> ManifestDraft<'a> {
    /// Of the objects of these `phases`; none have come.
    pub(crate) fn new(plan: &'a Plan, phases: &[Phase]) -> Self {
        let mut sets = BTreeMap::new();
        let arrays = plan.arrays.iter().enumerate();
        for (index, array) in arrays.filter(|(_, array)| phases.contains(&array.phase)) {
            let grid = plan.units.grid(index);
            let objects = usize::try_from(grid.len()).unwrap_or(usize::MAX);
            for &store in &array.stores {
                let set = ObjectSet {
                    grid: grid.clone(),
                    contents: vec![PackedContent::default(); objects],
                };
                sets.insert((store, index), set);
            }
        }
        Self { plan, sets }
    }

    /// Adds the records of `batch`.
    ///
    /// # Errors
    /// If one is of no object of the plan, or of one that has one already.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), ManifestError> {
        let &RecordBatch { array, store, .. } = batch;
        let names = || {
            let array = self.plan.arrays.get(array)?.name.clone();
            Some((array, self.plan.stores.get(store)?.key.clone()))
        };
        let unexpected = |chunk, count| match names() {
            Some((array, store)) => ManifestError::Unexpected {
                array,
                store,
                chunk,
                count,
            },
            None => ManifestError::Unknown { array, store },
        };
        if let Some(chunk) = batch.unplanned.first() {
            return Err(unexpected(chunk.clone(), 1));
        }
        let Some(set) = self.sets.get_mut(&(store, array)) else {
            return match batch.records.first() {
                None => Ok(()),
                Some(_) => Err(ManifestError::Unknown { array, store }),
            };
        };
        for &(number, packed) in &batch.records {
            match set.contents.get_mut(number as usize) {
                None => return Err(ManifestError::Unknown { array, store }),
                Some(known) if known.content().is_none() => *known = packed,
                Some(_) => return Err(unexpected(set.place(number as usize), 2)),
            }
        }
        Ok(())
    }

    /// The manifest, if with `records` there is one of every object.
    ///
    /// # Errors
    /// As [`Self::add`], or the first object that has none.
    pub(crate) fn complete_with(
        mut self,
        mut records: ChunkRecords,
    ) -> Result<Manifest, ManifestError> {
        while let Some(batch) = records.take() {
            self.add(&batch)?;
        }
        for (&(store, array), set) in &self.sets {
            let mut contents = set.contents.iter();
            if let Some(missing) = contents.position(|packed| packed.content().is_none()) {
                return Err(ManifestError::Missing {
                    array: self.plan.arrays[array].name.clone(),
                    store: self.plan.stores[store].key.clone(),
                    chunk: set.place(missing),
                });
            }
        }
        Ok(Manifest(self.sets))
    }
}

impl ObjectSet {
    /// The place of the object `number` in the array's chunk grid.
    fn place(&self, number: usize) -> Vec<u64> {
        let mut chunk = Vec::new();
        self.grid.place(number as u64, &mut chunk);
        chunk
    }
}

impl Manifest {
    fn contents(&self) -> impl Iterator<Item = Content> {
        let all = self.0.values().flat_map(|set| &set.contents);
        all.filter_map(|packed| packed.content())
    }

    /// Objects stored, bytes they take, and objects that are all fill and so not stored.
    #[must_use]
    pub(crate) fn totals(&self) -> (u64, u64, u64) {
        self.contents()
            .fold((0, 0, 0), |(stored, bytes, empty), content| match content {
                Content::Stored {
                    bytes: of_object, ..
                } => (stored + 1, bytes + of_object, empty),
                Content::Empty => (stored, bytes, empty + 1),
            })
    }

    /// What became of the objects of the plan's store `store`: stored ones and their bytes, replaced ones and theirs.
    #[must_use]
    pub(crate) fn changes(&self, store: usize) -> ([u64; 2], [u64; 2]) {
        let (mut stored, mut replaced) = ([0; 2], [0; 2]);
        let of_store = self.0.range((store, 0)..(store + 1, 0));
        for packed in of_store.flat_map(|(_, set)| &set.contents) {
            if let Some(Content::Stored { bytes, .. }) = packed.content() {
                stored = [stored[0] + 1, stored[1] + bytes];
            }
            if packed.replaced() > 0 {
                replaced = [replaced[0] + 1, replaced[1] + packed.replaced()];
            }
        }
        (stored, replaced)
    }

    /// Objects with this proof.
    #[must_use]
    pub(crate) fn proven(&self, by: Proof) -> u64 {
        let so = |content: &Content| content.is_proven(by);
        self.contents().filter(so).count() as u64
    }

    /// The MD5, in hexadecimal, of what it says of each object: store, array, place, length, and the crc32c of values and bytes. How many
    /// ranks put them, and how they were verified, makes no difference.
    #[must_use]
    pub(crate) fn digest(&self, plan: &Plan) -> String {
        let mut digest = Md5::new();
        let (mut line, mut chunk) = (String::new(), Vec::new());
        for (&(store, array), set) in &self.0 {
            let store = plan.stores.get(store).map(|store| &store.key);
            let array = plan.arrays.get(array).map(|array| &array.name);
            let names = format!("{store:?} {array:?}");
            for (number, packed) in set.contents.iter().enumerate() {
                let content = match packed.content() {
                    None | Some(Content::Empty) => None,
                    Some(Content::Stored {
                        bytes,
                        values_crc32c,
                        stored_crc32c,
                        ..
                    }) => Some((bytes, values_crc32c, stored_crc32c)),
                };
                set.grid.place(number as u64, &mut chunk);
                line.clear();
                // Into a string, it cannot fail.
                let _ = writeln!(line, "{names} {chunk:?} {content:?}");
                digest.update(&line);
            }
        }
        HEXLOWER.encode(&digest.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::ChunkRecord;
    use msm_model::DType;
    use msm_plan::{Origin, TargetArray, TargetStore, UnitLattice, WorkUnits};

    /// One array of two objects, in one store.
    fn plan() -> Plan {
        plan_of(2)
    }

    /// The same of so many objects, each of which is a unit.
    fn plan_of(objects: u64) -> Plan {
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
                shape: vec![objects],
                chunk: vec![1],
                append: None,
                rewrites: false,
                tolerance: None,
                phase: Phase::Transfer,
            }],
            units: WorkUnits::new(vec![UnitLattice::new(0, 0, [(vec![(0, objects)], 1)])]),
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
        let plan = plan();
        let mut all = ChunkRecords::new(&ChunkRecords::grids(&plan));
        for record in records {
            all.add(record);
        }
        ManifestDraft::new(&plan, &[Phase::Transfer]).complete_with(all)
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

    /// What ranks are told of a plan does not grow with its objects, and what is known of each is small: from its record to the digest.
    #[test]
    fn an_object_costs_rank_0_few_bytes() {
        const OBJECTS: u64 = 50_000;
        let told = [OBJECTS, 2 * OBJECTS].map(|n| postcard::to_stdvec(&plan_of(n)).unwrap().len());
        assert!(told[0] == told[1] && told[0] < 1000, "{told:?}");
        let measured = allocation_counter::measure(|| {
            let plan = plan_of(OBJECTS);
            let mut records = ChunkRecords::new(&ChunkRecords::grids(&plan));
            for unit in &plan.units {
                for object in unit.objects(&plan.arrays[0]) {
                    records.add(record(0, object.chunk[0]));
                }
            }
            let draft = ManifestDraft::new(&plan, &[Phase::Transfer]);
            let manifest = draft.complete_with(records).unwrap();
            assert_eq!(manifest.digest(&plan).len(), 32);
        });
        let of_object = measured.bytes_max / OBJECTS;
        assert!(of_object < 60, "{of_object} bytes an object");
    }
}
