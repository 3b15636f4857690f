//! What the stores of a scene may be, at any moment and in the end.
//!
//! Key type: [`Expected`].

use super::dataset::{Dataset, Objects, litter};

/// What each store of a scene is before the command, after each of its transactions, and in the end.
pub struct Expected {
    stores: Vec<(&'static str, Vec<Option<Dataset>>)>,
    in_place: bool,
}

/// A store, and what is in it.
type Told<'a> = (&'a str, Option<&'a Dataset>);

/// What the stores are; where a command changes nothing that readers see, both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// As in the end.
    pub done: bool,
    /// As before the last transaction.
    pub before: bool,
}

impl Expected {
    pub fn new(stores: &[&'static str], stages: &[Objects], in_place: bool) -> Self {
        let stores = stores.iter().map(|store| {
            let of_store = stages.iter().map(|objects| Dataset::of(objects, store));
            (*store, of_store.collect())
        });
        Self {
            stores: stores.collect(),
            in_place,
        }
    }

    /// An error if a reader sees something in between.
    pub fn check(&self, objects: &Objects) -> Result<(), String> {
        for (store, stages) in &self.stores {
            let seen = stage(store, stages, objects);
            let mixed = |pair: &[Option<Dataset>]| match pair {
                [Some(old), Some(new)] => old.is_seen_mixed_with(new, objects).is_ok(),
                _ => false,
            };
            if seen.is_err() && !(self.in_place && stages.windows(2).any(mixed)) {
                return seen.map(|_| ());
            }
        }
        Ok(())
    }

    /// What the stores are, or an error if one is in between.
    pub fn now(&self, objects: &Objects) -> Result<Now, String> {
        self.look(objects).map(|(now, _)| now)
    }

    /// The same, or an error if something else lies about.
    pub fn settled(&self, objects: &Objects) -> Result<Now, String> {
        let (now, datasets) = self.look(objects)?;
        let left = litter(objects, &datasets);
        if left.is_empty() {
            Ok(now)
        } else {
            Err(format!("left behind: {left:?}"))
        }
    }

    fn look(&self, objects: &Objects) -> Result<(Now, Vec<Told<'_>>), String> {
        let (mut done, mut before, mut datasets) = (true, true, Vec::new());
        for (store, stages) in &self.stores {
            let (last, earlier) = stages.split_last().unwrap();
            let [is_last, is_earlier] =
                [std::slice::from_ref(last), earlier].map(|those| stage(store, those, objects));
            done &= is_last.is_ok();
            before &= is_earlier.is_ok();
            let at = is_last.or_else(|end| is_earlier.map_err(|old| format!("{end}; {old}")))?;
            datasets.push((*store, at.as_ref()));
        }
        let now = Now { done, before };
        Ok((now, datasets))
    }
}

/// The stage that a reader may take `objects` for.
fn stage<'a>(
    store: &str,
    stages: &'a [Option<Dataset>],
    objects: &Objects,
) -> Result<&'a Option<Dataset>, String> {
    let mut problems = Vec::new();
    for stage in stages {
        let seen = match stage {
            Some(dataset) => dataset.is_seen(objects),
            None if Dataset::is_there(objects, store) => Err("there is a store".to_owned()),
            None => Ok(()),
        };
        match seen {
            Ok(()) => return Ok(stage),
            Err(problem) => problems.push(problem),
        }
    }
    Err(format!("store {store} is another: {problems:?}"))
}
