//! Documents of a store that change, each where it lies and where the root document consolidates it.
//!
//! Key type: [`Edits`].

use std::collections::BTreeMap;

use msm_zarr::{Outline, Version, ZarrError, layout};
use serde_json::{Map, Value};

use super::journal::Document;
use crate::store::{Bucket, StoreError};

/// Attributes, by their names.
pub(super) type AttributeMap = Map<String, Value>;

/// What becomes of a store's documents.
pub(super) struct Edits<'a> {
    bucket: &'a Bucket,
    outline: &'a Outline,
    root: Value,
    /// Those that were read where they lie, by their paths below the store; `None` where there is none.
    own: BTreeMap<String, Option<String>>,
    documents: Vec<Document>,
}

impl<'a> Edits<'a> {
    pub(super) fn new(bucket: &'a Bucket, outline: &'a Outline) -> Self {
        Self {
            bucket,
            outline,
            root: outline.root.clone(),
            own: BTreeMap::new(),
            documents: Vec::new(),
        }
    }

    /// The document `path` as it lies there; `None` if there is none.
    ///
    /// # Errors
    /// As the server says, or if it is not JSON.
    pub(super) async fn own(&mut self, path: &str) -> Result<Option<Value>, StoreError> {
        let key = layout::below(&self.outline.store, path);
        let damaged = |cause: String| ZarrError::Damaged {
            key: key.clone(),
            cause,
        };
        if !self.own.contains_key(path) {
            let text = match self.bucket.get(&key).await {
                Ok(found) => {
                    let text = String::from_utf8(found.to_vec());
                    Some(text.map_err(|cause| damaged(cause.to_string()))?)
                }
                Err(error) if error.is_missing() => None,
                Err(error) => return Err(error),
            };
            self.own.insert(path.to_owned(), text);
        }
        let text = self.own.get(path).and_then(Option::as_ref);
        let own = text.map(|text| serde_json::from_str(text)).transpose();
        Ok(own.map_err(|cause| damaged(cause.to_string()))?)
    }

    /// Changes the document `path`, once.
    ///
    /// # Errors
    /// As [`Edits::own`].
    pub(super) async fn change(
        &mut self,
        path: &str,
        change: impl Fn(&mut Value),
    ) -> Result<(), StoreError> {
        let name = match self.outline.version {
            Version::V3 => path.strip_suffix("/zarr.json").unwrap_or(path),
            Version::V2 => path,
        };
        let consolidated = self.outline.consolidated(&mut self.root).get_mut(name);
        let consolidated = consolidated.map(|document| {
            change(document);
            document.clone()
        });
        let old = self.own(path).await?;
        let new = match &old {
            Some(old) => {
                let mut new = old.clone();
                change(&mut new);
                Some(new)
            }
            None => consolidated,
        };
        if let Some(new) = new.filter(|new| old.as_ref() != Some(new)) {
            self.documents.push(Document {
                key: layout::below(&self.outline.store, path),
                before: self.own.get(path).cloned().flatten(),
                after: new.to_string(),
            });
        }
        Ok(())
    }

    /// The key of the store.
    pub(super) fn store(&self) -> &str {
        &self.outline.store
    }

    /// Drops those of the store's own attributes that are not `told` truly any more, and changes the others. Returns what is
    /// dropped.
    ///
    /// # Errors
    /// As [`Edits::own`].
    pub(super) async fn drop_attributes(
        &mut self,
        told: impl Fn(&AttributeMap) -> Vec<String>,
        change: impl Fn(&mut AttributeMap),
    ) -> Result<Vec<String>, StoreError> {
        let attributes = match self.outline.version {
            Version::V3 => &self.outline.root["attributes"],
            Version::V2 => &self.outline.root["metadata"][".zattrs"],
        };
        let dropped = attributes.as_object().map_or_else(Vec::new, told);
        let change = |attributes: &mut Value| {
            if let Some(attributes) = attributes.as_object_mut() {
                attributes.retain(|name, _| !dropped.contains(name));
                change(attributes);
            }
        };
        match self.outline.version {
            Version::V3 => {
                if let Some(attributes) = self.root.get_mut("attributes") {
                    change(attributes);
                }
            }
            Version::V2 => self.change(".zattrs", change).await?,
        }
        Ok(dropped)
    }

    /// Takes the documents `paths` out of the root document.
    pub(super) fn leave_out(&mut self, paths: &[String]) {
        let consolidated = self.outline.consolidated(&mut self.root);
        let Some(consolidated) = consolidated.as_object_mut() else {
            return;
        };
        for path in paths {
            let name = match self.outline.version {
                Version::V3 => path.strip_suffix("/zarr.json").unwrap_or(path),
                Version::V2 => path,
            };
            consolidated.shift_remove(name);
        }
    }

    /// The root document, and the others that change.
    pub(super) fn done(self) -> (Document, Vec<Document>) {
        let Outline {
            store,
            version,
            text,
            root,
            ..
        } = self.outline;
        let after = if self.root == *root {
            text.clone()
        } else {
            self.root.to_string()
        };
        let root = Document {
            key: layout::root_document(store, *version),
            before: Some(text.clone()),
            after,
        };
        (root, self.documents)
    }
}
