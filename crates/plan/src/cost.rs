//! What a unit costs, as far as it can be foreseen.
//!
//! Key type: [`UnitCosts`].

use msm_model::{Archive, Hyperslab};

use super::source_reads::in_file;
use super::target::{Derivation, Plan, TargetArray};
use super::units::WorkUnit;

/// What a stored byte costs, where a decoded one costs 1: to inflate and compress what is sea, beside what all bytes have to go through.
/// Measured on eORCA025, deflate 1 with shuffle, to Blosc's lz4.
const OF_STORED: u64 = 6;
/// Where it is not known how much is stored, it is taken for one of so many decoded bytes.
const DECODED: u64 = 4;

/// What units cost: decoded bytes, and those that the source stores of them several times, for land costs next to nothing.
pub(super) struct UnitCosts<'a> {
    pub plan: &'a Plan,
    /// What is read, if that is source files.
    pub archive: Option<&'a Archive>,
}

impl UnitCosts<'_> {
    /// What the unit costs with those that follow it.
    pub(super) fn of(&self, unit: &WorkUnit) -> u64 {
        let followers = unit.followers.iter();
        let followers = followers.map(|&follower| self.written(&self.plan.units.get(follower)));
        self.alone(unit) + followers.sum::<u64>()
    }

    fn alone(&self, unit: &WorkUnit) -> u64 {
        let array = &self.plan.arrays[unit.array];
        match array.origin.form {
            Derivation::AsRead => self.read(unit, array).unwrap_or_else(|| self.written(unit)),
            Derivation::Projected { .. } => {
                self.read(unit, array).unwrap_or_default() + self.written(unit)
            }
            Derivation::Made(_) | Derivation::Stored(_) => self.written(unit),
        }
    }

    /// To make its objects, of which nothing is known but their size.
    fn written(&self, unit: &WorkUnit) -> u64 {
        let decoded = unit.bytes(self.plan);
        cost(decoded, decoded / DECODED, &self.plan.arrays[unit.array])
    }

    /// To read what it reads of source files and go on with that; `None` if it is not known how much those store of it.
    fn read(&self, unit: &WorkUnit, array: &TargetArray) -> Option<u64> {
        let files = &self.archive?.files;
        let name = &array.origin.variable;
        let of_file = |file: usize| files.get(file)?.catalogue.stored_bytes.get(name);
        of_file(unit.file)?;
        let (mut decoded, mut stored) = (0, 0);
        for part in unit.parts(array) {
            let read = in_file(self.plan, array, &part.in_file)?;
            let bytes = read.len() * array.dtype.size() as u64;
            let leading = array.origin.leading;
            let read = Hyperslab {
                start: [&vec![0; leading][..], &read.start].concat(),
                count: [&vec![1; leading][..], &read.count].concat(),
            };
            let found = of_file(part.file).and_then(|stored| stored.within(&read));
            decoded += bytes;
            stored += found.unwrap_or(bytes / DECODED);
        }
        Some(cost(decoded, stored, array))
    }
}

/// What these bytes cost. They are encoded once, and put into each store that has the array.
fn cost(decoded: u64, stored: u64, array: &TargetArray) -> u64 {
    // What is compared with the first file is in no store.
    let more_stores = array.stores.len().saturating_sub(1) as u64;
    decoded + (OF_STORED + more_stores) * stored
}
