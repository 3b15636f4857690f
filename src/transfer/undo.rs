//! Putting back what this rank touched, and dropping the undo copies when nobody needs them any more.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use futures::{StreamExt, stream};

use super::engine::Engine;

/// Requests in flight.
const REQUESTS: usize = 16;

/// An object that was written or deleted, noted before it was.
#[derive(Clone, Debug)]
pub(super) struct Touched {
    /// Its key.
    pub key: String,
    /// The key of the copy of what was there before; `None` if there was nothing of value.
    pub undo: Option<String>,
}

impl Engine {
    /// Restores overwritten objects and deletes new ones; returns what could not be done.
    pub async fn undo(&self) -> Vec<String> {
        let work = self.touched().into_iter().map(|(key, undo)| async move {
            match undo {
                Some(copy) => {
                    self.bucket.copy(&copy, &key).await?;
                    self.bucket.delete(&copy).await
                }
                None => self.bucket.delete(&key).await,
            }
        });
        let done: Vec<_> = stream::iter(work)
            .buffer_unordered(REQUESTS)
            .collect()
            .await;
        done.into_iter()
            .filter_map(|result| result.err().map(|e| e.to_string()))
            .collect()
    }

    /// Deletes the undo copies; returns what could not be done.
    pub async fn forget(&self) -> Vec<String> {
        let copies = self.touched().into_values().flatten();
        let work = copies.map(|copy| async move { self.bucket.delete(&copy).await });
        let done: Vec<_> = stream::iter(work)
            .buffer_unordered(REQUESTS)
            .collect()
            .await;
        done.into_iter()
            .filter_map(|result| result.err().map(|e| e.to_string()))
            .collect()
    }

    /// Each key once, with its undo copy if it has one.
    fn touched(&self) -> BTreeMap<String, Option<String>> {
        let mut keys = BTreeMap::new();
        for touched in self
            .touched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            let undo = keys.entry(touched.key.clone()).or_insert(None);
            if undo.is_none() {
                undo.clone_from(&touched.undo);
            }
        }
        keys
    }
}
