//! Source files of which each month has versions, and which of them a store in a bucket holds.
//!
//! Key types: [`Months`], the files; [`Seen`], what is found in a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use nemo_like::{Spec, Variable};
use netcdf::types::FloatType;
use netcdf::types::NcVariableType;

use crate::dataset::{Dataset, Objects};
use crate::model_world::{Step, Store, World};
use crate::support::{Sandbox, is_in_the_way, quietly};

/// The variables in every file.
const VARIABLES: [Variable; 3] = [Variable::Thetao, Variable::Tos, Variable::So];

/// Where the stores are.
pub const PREFIX: &str = "a/T1m";

/// Values of one step.
type Slab = Arc<Vec<u8>>;

/// Source files, made when they are asked for.
pub struct Months {
    sandbox: Sandbox,
    files: Mutex<BTreeMap<Vec<Step>, String>>,
    slabs: Mutex<BTreeMap<(Step, String), Slab>>,
}

impl Months {
    /// Those of all tests.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Months> = LazyLock::new(|| Months {
            sandbox: Sandbox::new(),
            files: Mutex::default(),
            slabs: Mutex::default(),
        });
        &SHARED
    }

    /// The file of these steps, which are of one version, and one after the other.
    pub fn file(&self, steps: &[Step]) -> String {
        let mut files = self.files.lock().unwrap();
        let make = || {
            let (first, seed) = steps[0];
            let spec = Spec {
                grid: "8x6x2".parse().unwrap(),
                variables: VARIABLES.to_vec(),
                start: format!("{}-{:02}-01", 1976 + first / 12, 1 + first % 12)
                    .parse()
                    .unwrap(),
                steps: steps.len(),
                seed,
                ..Spec::default()
            };
            let name = format!("ORCA8x6_1m_grid_T_{first}_{}_{seed}.nc", steps.len());
            self.sandbox.source_called(&name, &spec)
        };
        files.entry(steps.to_vec()).or_insert_with(make).clone()
    }

    /// The values of `variable` in this step, as bytes.
    fn slab(&self, step: Step, variable: &str) -> Slab {
        let file = self.file(&[step]);
        let mut slabs = self.slabs.lock().unwrap();
        let read = || {
            let bytes = quietly(|| {
                let file = netcdf::open(&file).unwrap();
                let variable = file.variable(variable).unwrap();
                if variable.vartype() == NcVariableType::Float(FloatType::F64) {
                    let values: Vec<f64> = variable.get_values(..).unwrap();
                    return values.iter().flat_map(|v| v.to_ne_bytes()).collect();
                }
                let values: Vec<f32> = variable.get_values(..).unwrap();
                values.iter().flat_map(|v| v.to_ne_bytes()).collect()
            });
            Arc::new(bytes)
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
        let (parent, name) = self.stores[store].0.rsplit_once('/').unwrap();
        format!("{parent}/.msm-os/{name}/")
    }

    /// An error that says where `objects` are not what the store is in `world`.
    pub fn is(&self, store: usize, world: &World, objects: &Objects) -> Result<(), String> {
        let Store {
            steps,
            before,
            undoable,
        } = &world[store];
        let (key, _) = &self.stores[store];
        self.is_one_of(store, &[steps.as_ref()], objects)?;
        for (folder, expected) in [
            ("transactions/", before.len()),
            ("manifests/", before.len()),
            ("undo/", *undoable),
        ] {
            let below = format!("{}{folder}", self.ledger(store));
            let ids = objects.keys().filter_map(|key| key.strip_prefix(&below));
            let ids: BTreeSet<&str> = ids.filter_map(|below| below.split('/').next()).collect();
            if ids.len() != expected {
                return Err(format!("{key}: {expected} {folder}, found {ids:?}"));
            }
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

    /// What is in the bucket that should not be there when no command runs: leases are not looked at.
    pub fn litter(&self, objects: &Objects) -> Vec<String> {
        let datasets: Vec<_> = self
            .stores
            .iter()
            .map(|(key, _)| (key, Dataset::of(objects, key)))
            .collect();
        let is_litter = |key: &&String| {
            if key.contains(".msm-os/") {
                return is_in_the_way(key) && !key.contains("/lease/");
            }
            !datasets.iter().any(|(store, dataset)| {
                let inside = key.strip_prefix(*store).is_some_and(|k| k.starts_with('/'));
                inside && dataset.as_ref().is_some_and(|d| d.knows(store, key))
            })
        };
        objects.keys().filter(is_litter).cloned().collect()
    }

    /// Is there a lease of the store?
    pub fn is_leased(&self, store: usize, objects: &Objects) -> bool {
        let leases = format!("{}lease/", self.ledger(store));
        objects.keys().any(|key| key.starts_with(&leases))
    }
}
