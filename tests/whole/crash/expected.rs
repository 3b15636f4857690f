//! What the stores of a scene may be, at any moment and in the end.
//!
//! Key types: [`Expected`], before and after; [`Watch`], which looks at every request.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use s3_server::{Mutation, When};

use crate::dataset::{Dataset, Objects};

/// What each store of a scene is before and after; `None` where there is none.
pub struct Expected {
    pub stores: Vec<(&'static str, Option<Dataset>, Option<Dataset>)>,
    pub in_place: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    Old,
    New,
    Both,
}

impl Expected {
    /// An error if a reader sees something in between.
    pub fn check(&self, objects: &Objects) -> Result<(), String> {
        for (store, old, new) in &self.stores {
            match (old, new) {
                (Some(old), Some(new)) if self.in_place => old.is_seen_mixed_with(new, objects),
                _ => Self::is(store, old.as_ref(), new.as_ref(), objects).map(|_| ()),
            }
            .map_err(|problem| format!("store {store}: {problem}"))?;
        }
        Ok(())
    }

    /// What each store is, or an error if it is neither old nor new.
    pub fn settled(&self, objects: &Objects) -> Result<Vec<Is>, String> {
        let stores = self.stores.iter();
        stores
            .map(|(store, old, new)| {
                Self::is(store, old.as_ref(), new.as_ref(), objects)
                    .map_err(|problem| format!("store {store}: {problem}"))
            })
            .collect()
    }

    fn is(
        store: &str,
        old: Option<&Dataset>,
        new: Option<&Dataset>,
        objects: &Objects,
    ) -> Result<Is, String> {
        let seen = |dataset: Option<&Dataset>| match dataset {
            Some(dataset) => dataset.is_seen(objects),
            None if Dataset::of(objects, store).is_none() => Ok(()),
            None => Err("there is a root document".to_owned()),
        };
        match (seen(old), seen(new)) {
            (Ok(()), Ok(())) => Ok(Is::Both),
            (Ok(()), Err(_)) => Ok(Is::Old),
            (Err(_), Ok(())) => Ok(Is::New),
            (Err(old), Err(new)) => Err(format!("not the old one: {old}; not the new one: {new}")),
        }
    }
}

/// Looks at the stores at every request, and keeps the first problem.
pub struct Watch {
    expected: Arc<Expected>,
    seen: Mutex<Option<String>>,
}

impl Watch {
    pub fn new(expected: &Arc<Expected>) -> Arc<Self> {
        Arc::new(Self {
            expected: Arc::clone(expected),
            seen: Mutex::default(),
        })
    }

    pub fn look(&self, mutation: &Mutation) {
        if mutation.when == When::Before {
            return;
        }
        let mut seen = self.seen.lock().unwrap();
        if seen.is_none() {
            let problem = self.expected.check(&mutation.objects("ocean")).err();
            *seen = problem.map(|problem| {
                let Mutation {
                    number,
                    method,
                    key,
                    ..
                } = mutation;
                format!("after request {number}, {method} {key}: {problem}")
            });
        }
    }

    pub fn verdict(&self) -> Result<(), String> {
        self.seen.lock().unwrap().take().map_or(Ok(()), Err)
    }
}

/// What lies in the bucket that no store and no committed transaction accounts for.
pub fn litter(objects: &Objects, stores: &[&str]) -> Vec<String> {
    let mut litter = Vec::new();
    for store in stores {
        let ledger = ledger(store);
        let committed: BTreeSet<&str> = objects
            .keys()
            .filter_map(|key| key.strip_prefix(&ledger)?.strip_prefix("transactions/"))
            .collect();
        let dataset = Dataset::of(objects, store);
        for key in objects.keys() {
            let is_known = if let Some(below) = key.strip_prefix(&ledger) {
                let mut parts = below.split('/');
                let (folder, id) = (parts.next(), parts.next().unwrap_or_default());
                dataset.is_some()
                    && match folder {
                        Some("last.json") => true,
                        Some("transactions" | "manifests") => committed.contains(id),
                        Some("undo") => committed.last() == Some(&id),
                        _ => false,
                    }
            } else if key.starts_with(&format!("{store}/")) {
                dataset
                    .as_ref()
                    .is_some_and(|dataset| dataset.knows(store, key))
            } else {
                stores.iter().any(|other| {
                    key.starts_with(&format!("{other}/")) || key.starts_with(&self::ledger(other))
                })
            };
            if !is_known {
                litter.push(key.clone());
            }
        }
    }
    litter.sort();
    litter.dedup();
    litter
}

/// What the keys of the ledger of `store` begin with.
fn ledger(store: &str) -> String {
    let name = store.rfind('/').map_or(0, |slash| slash + 1);
    format!("{}.msm-os/{}/", &store[..name], &store[name..])
}
