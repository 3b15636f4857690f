//! Source files of which each month has versions, and which of them a store in a bucket holds.
//!
//! Key types: [`Months`], the files; [`Seen`], what is found in a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use nemo_like::Variable;
use netcdf::types::FloatType;
use netcdf::types::NcVariableType;

use super::super::dataset::{Dataset, Objects, ledger};
use super::super::support::months;
use super::world::{Step, Store, Transaction, World};

/// The variables in every file.
const VARIABLES: [Variable; 3] = [Variable::Thetao, Variable::Tos, Variable::So];

/// Where the stores are.
pub const PREFIX: &str = "T1m";

/// Values of one step.
type Slab = Arc<Vec<u8>>;

/// Source files, made when they are asked for.
pub struct Months {
    root: tempfile::TempDir,
    slabs: Mutex<BTreeMap<(Step, String), Slab>>,
}

impl Months {
    /// Those of all sequences.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Months> = LazyLock::new(|| Months {
            root: tempfile::tempdir().unwrap(),
            slabs: Mutex::default(),
        });
        &SHARED
    }

    /// The file of these steps, which are of one version, and one after the other.
    pub fn file(&self, steps: &[Step]) -> String {
        let (first, seed) = steps[0];
        months(self.root.path(), first + 1, steps.len(), seed, &VARIABLES)
    }

    /// The values of `variable` in this step, as bytes.
    fn slab(&self, step: Step, variable: &str) -> Slab {
        let file = self.file(&[step]);
        let mut slabs = self.slabs.lock().unwrap();
        let read = || {
            let file = netcdf::open(&file).unwrap();
            let variable = file.variable(variable).unwrap();
            if variable.vartype() == NcVariableType::Float(FloatType::F64) {
                let values: Vec<f64> = variable.get_values(..).unwrap();
                return Arc::new(values.iter().flat_map(|v| v.to_ne_bytes()).collect());
            }
            let values: Vec<f32> = variable.get_values(..).unwrap();
            Arc::new(values.iter().flat_map(|v| v.to_ne_bytes()).collect())
        };
        let slab = slabs
            .entry((step, variable.to_owned()))
            .or_insert_with(read);
        Arc::clone(slab)
    }
}

/// Which stores there may be, and which variables each holds.
pub struct Places {
    pub stores: Vec<(String, Vec<&'static str>)>,
}

impl Places {
    /// One store for all variables, or one for each of the first so many.
    pub fn new(compact: bool, variables: usize) -> Self {
        let names = VARIABLES.map(Variable::name);
        let stores = if compact {
            vec![(format!("{PREFIX}.zarr"), names.to_vec())]
        } else {
            let each = names.iter().take(variables);
            each.map(|name| (format!("{PREFIX}/{name}.zarr"), vec![*name]))
                .collect()
        };
        Self { stores }
    }

    fn ledger(&self, store: usize) -> String {
        ledger(&self.stores[store].0)
    }

    /// An error that says where `objects` are not what the store is in `world`.
    pub fn is(&self, store: usize, world: &World, objects: &Objects) -> Result<(), String> {
        let Store { steps, done } = &world[store];
        let (key, _) = &self.stores[store];
        self.is_one_of(store, &[steps.as_ref()], objects)?;
        let ids = |folder: &str| -> BTreeSet<&str> {
            let below = format!("{}{folder}", self.ledger(store));
            let ids = objects.keys().filter_map(|key| key.strip_prefix(&below));
            ids.filter_map(|below| below.split('/').next()).collect()
        };
        let transactions = ids("transactions/");
        let which = |is_meant: &dyn Fn(&Transaction) -> bool| -> BTreeSet<&str> {
            let of_ids = transactions.iter().zip(done);
            let meant = of_ids.filter(|(_, transaction)| is_meant(transaction));
            meant.map(|(id, _)| *id).collect()
        };
        let before =
            |id: &&str| objects.contains_key(&format!("{}undo/{id}/before", self.ledger(store)));
        let of_undo = ids("undo/");
        let is_right = transactions.len() == done.len()
            && ids("manifests/") == transactions
            && ids("additions/") == which(&|one| one.is_addition)
            // Those of additions have copies if they filled up chunks.
            && of_undo.is_subset(&which(&|one| one.is_kept))
            && which(&|one| one.is_kept && !one.is_addition)
                == of_undo.into_iter().filter(before).collect();
        if !is_right {
            return Err(format!("{key}: its ledger is not that of {done:?}"));
        }
        Ok(())
    }

    /// An error that says where a reader of the store sees something that is in none of `states`. Each value may be of
    /// another one of those.
    pub fn is_one_of(
        &self,
        store: usize,
        states: &[Option<&Vec<Step>>],
        objects: &Objects,
    ) -> Result<(), String> {
        let (key, variables) = &self.stores[store];
        let Some(dataset) = Dataset::of(objects, key) else {
            let may_be = states.contains(&None);
            return may_be
                .then_some(())
                .ok_or_else(|| format!("{key}: there is no store"));
        };
        let months = Months::shared();
        for variable in variables.iter().chain(&["time_counter"]) {
            let seen = dataset.steps(variable);
            let seen = seen.ok_or_else(|| format!("{key}: '{variable}' cannot be read"))?;
            let states: Vec<&Vec<Step>> = states.iter().copied().flatten().collect();
            let states = states.iter().filter(|steps| steps.len() == seen.len());
            let states: Vec<&&Vec<Step>> = states.collect();
            if states.is_empty() {
                return Err(format!("{key}: '{variable}' has {} steps", seen.len()));
            }
            for (place, seen) in seen.iter().enumerate() {
                let versions = states
                    .iter()
                    .map(|steps| months.slab(steps[place], variable));
                let versions: Vec<Slab> = versions.collect();
                let is_of = |at: usize| versions.iter().any(|v| v[at..at + 4] == seen[at..at + 4]);
                let sound = versions.iter().all(|v| v.len() == seen.len())
                    && (0..seen.len()).step_by(4).all(is_of);
                if !sound {
                    return Err(format!("{key}: step {place} of '{variable}' is another"));
                }
            }
        }
        Ok(())
    }

    /// What is in the bucket that should not be there when no command runs: old undo copies are counted elsewhere.
    pub fn litter(&self, objects: &Objects) -> Vec<String> {
        let datasets: Vec<_> = self
            .stores
            .iter()
            .map(|(key, _)| (key, Dataset::of(objects, key)))
            .collect();
        let is_litter = |key: &&String| {
            if let Some((_, below)) = key.split_once(".msm-os/") {
                let kept = [
                    "last.json",
                    "transactions/",
                    "manifests/",
                    "undo/",
                    "additions/",
                ];
                let place = below.split_once(".zarr/").map(|(_, place)| place);
                return !place.is_some_and(|place| kept.iter().any(|k| place.starts_with(k)));
            }
            !datasets.iter().any(|(store, dataset)| {
                let inside = key.strip_prefix(*store).is_some_and(|k| k.starts_with('/'));
                inside && dataset.as_ref().is_some_and(|d| d.knows(store, key))
            })
        };
        objects.keys().filter(is_litter).cloned().collect()
    }
}
