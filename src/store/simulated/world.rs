//! What lies in the store, and how it came to that.
//!
//! Key types: [`World`]; [`History`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use object_store::Result;

use super::link::Link;
use super::mishap::Rule;
use crate::store::probe::Conditional;

type Objects = BTreeMap<String, Bytes>;

/// What lies in the store.
pub(crate) struct World {
    pub(super) conditional: Conditional,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
pub(super) struct State {
    pub objects: BTreeMap<String, Object>,
    /// Puts so far, which ETags are made of.
    puts: u64,
    changes: Vec<Change>,
    /// What lay there before the first of the changes.
    start: Objects,
}

#[derive(Clone)]
pub(super) struct Object {
    pub bytes: Bytes,
    pub etag: String,
    pub modified: SystemTime,
    /// The number of the put that made it.
    pub number: u64,
}

/// What a request made of an object.
#[derive(Clone)]
pub(crate) struct Change {
    /// So many changes had been made when it was sent.
    sent: usize,
    pub key: String,
    /// Nothing if the object was deleted.
    bytes: Option<Bytes>,
}

/// How the store came to what it is.
pub(crate) struct History {
    start: Objects,
    pub changes: Vec<Change>,
}

impl History {
    /// What lay there after each change.
    pub(crate) fn states(&self) -> Vec<Objects> {
        let mut now = self.start.clone();
        let after = self.changes.iter().map(|change| {
            change.apply(&mut now);
            now.clone()
        });
        after.collect()
    }

    /// The changes of requests that were on their way when so many had taken effect: if all that sent them died then, any of
    /// these may have been made.
    pub(crate) fn on_the_way(&self, made: usize) -> Vec<&Change> {
        let later = self.changes[made..].iter();
        later.filter(|change| change.sent <= made).collect()
    }
}

impl Change {
    /// Does an object lie there since?
    pub(crate) fn is_put(&self) -> bool {
        self.bytes.is_some()
    }

    /// Makes it in `objects`.
    pub(crate) fn apply(&self, objects: &mut Objects) {
        match &self.bytes {
            Some(bytes) => drop(objects.insert(self.key.clone(), bytes.clone())),
            None => drop(objects.remove(&self.key)),
        }
    }
}

impl World {
    /// An empty store that treats conditional writes so.
    pub(crate) fn new(conditional: Conditional) -> Arc<Self> {
        Arc::new(Self {
            conditional,
            state: Mutex::default(),
        })
    }

    /// One that holds these objects, which were put long ago.
    pub(crate) fn holding(conditional: Conditional, objects: &Objects) -> Arc<Self> {
        let world = Self::put_just_now(conditional, objects);
        for object in world.state().objects.values_mut() {
            object.modified -= Duration::from_secs(3600);
        }
        world
    }

    /// One that holds these objects, whose jobs are still at work.
    pub(crate) fn put_just_now(conditional: Conditional, objects: &Objects) -> Arc<Self> {
        let world = Self::new(conditional);
        {
            let mut state = world.state();
            for (key, bytes) in objects {
                state.put(key, bytes.clone());
            }
            state.start.clone_from(objects);
        }
        world
    }

    /// The changes since its beginning.
    pub(crate) fn history(&self) -> History {
        let state = self.state();
        History {
            start: state.start.clone(),
            changes: state.changes.clone(),
        }
    }

    /// A way of a new job to it, on which these rules hold.
    pub(crate) fn link(self: &Arc<Self>, rules: Vec<Rule>) -> Link {
        Link::new(self, rules)
    }

    /// What lies there, by key.
    pub(crate) fn objects(&self) -> Objects {
        let state = self.state();
        let objects = state.objects.iter();
        objects
            .map(|(key, object)| (key.clone(), object.bytes.clone()))
            .collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of changes so far.
    pub(super) fn changes(&self) -> usize {
        self.state().changes.len()
    }
}

impl State {
    /// Changes the object `key` by a request that was sent when so many changes had been made.
    pub(super) fn change<T>(
        &mut self,
        sent: usize,
        key: &str,
        apply: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let done = apply(self)?;
        self.changes.push(Change {
            sent,
            key: key.to_owned(),
            bytes: self.objects.get(key).map(|object| object.bytes.clone()),
        });
        Ok(done)
    }

    /// Puts an object, and returns its ETag.
    pub(super) fn put(&mut self, key: &str, bytes: Bytes) -> String {
        self.puts += 1;
        let etag = format!("etag-{}", self.puts);
        let object = Object {
            bytes,
            etag: etag.clone(),
            modified: SystemTime::now(),
            number: self.puts,
        };
        self.objects.insert(key.to_owned(), object);
        etag
    }

    /// Flips a bit of the object `key`.
    pub(super) fn garble(&mut self, key: &str) {
        if let Some(object) = self.objects.get_mut(key) {
            object.bytes = garbled(&object.bytes);
        }
    }
}

/// The same but for one bit.
pub(super) fn garbled(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    bytes.into()
}
