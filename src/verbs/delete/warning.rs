//! What is worth a thought before it is deleted.
//!
//! Key type: [`DeleteWarning`].

use super::{Delete, DeleteSurvey};
use crate::events::{ReplacedStore, TransactionIdentity};

/// What is worth a thought before it is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteWarning {
    /// `rollback` brings none of it back.
    ForGood,
    /// A job is at a store, or has left it as it died.
    Unended {
        /// The store.
        store: String,
        /// What has not ended.
        transaction: TransactionIdentity,
    },
    /// There is nothing else of a store that is being replaced.
    OnlyCopy(ReplacedStore),
    /// A store that is being replaced is deleted, and what replaces it is not.
    ComesBack(ReplacedStore),
    /// Much more is made anew, for steps that stay lie in it, than goes.
    Rewritten {
        /// The store.
        store: String,
        /// Objects that are made anew.
        objects: u64,
        /// Their bytes.
        bytes: u64,
    },
}

impl Delete {
    /// What there is to say of this.
    #[must_use]
    pub fn warnings(&self, survey: &DeleteSurvey) -> Vec<DeleteWarning> {
        let stays = match survey {
            DeleteSurvey::Stores { .. } | DeleteSurvey::Group { .. } => false,
            DeleteSurvey::Arrays { .. } | DeleteSurvey::Steps { .. } => self.keep_undo > 0,
        };
        let mut all = Vec::new();
        if !stays {
            all.push(DeleteWarning::ForGood);
        }
        if let DeleteSurvey::Stores {
            unended,
            replacing,
            coming_back,
            ..
        } = survey
        {
            all.extend(replacing.iter().cloned().map(DeleteWarning::OnlyCopy));
            all.extend(coming_back.iter().cloned().map(DeleteWarning::ComesBack));
            let unended = unended.iter().cloned();
            all.extend(
                unended.map(|(store, transaction)| DeleteWarning::Unended { store, transaction }),
            );
        }
        if let DeleteSurvey::Steps { stores } = survey {
            // Times are made anew with every step that goes, and are small.
            let rewritten = stores
                .iter()
                .filter(|store| 3 * store.remade.bytes > 2 * store.tally.bytes);
            all.extend(rewritten.map(|store| DeleteWarning::Rewritten {
                store: store.store.clone(),
                objects: store.remade.objects,
                bytes: store.remade.bytes,
            }));
        }
        all
    }
}
