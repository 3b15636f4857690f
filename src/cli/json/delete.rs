//! What `delete --json` prints.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Amount, Outcome, StoreUrl};
use crate::cli::words;
use crate::events::ReplacedStore;
use crate::store::Place;
use crate::verbs::delete::{DeleteSurvey, DeleteWarning};
use crate::verbs::send::RequestCounts;

/// `msm_os/delete/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct DeleteDocument {
    format: &'static str,
    dry_run: bool,
    outcome: Outcome,
    /// `stores`, `group`, `arrays` or `steps`.
    what: &'static str,
    stores: Vec<DeletedStore>,
    ledgers: Option<Amount>,
    others: Option<Amount>,
    links: Vec<String>,
    total: Amount,
    /// Those that it would make, if that is foreseen.
    requests: Option<RequestCounts>,
    warnings: Vec<Value>,
}

/// What goes of a store.
#[derive(Debug, Serialize)]
struct DeletedStore {
    #[serde(flatten)]
    store: StoreUrl,
    objects: u64,
    bytes: u64,
    arrays: Option<Vec<String>>,
    steps: Option<DeletedSteps>,
    attributes: Vec<String>,
}

/// Which steps go.
#[derive(Debug, Serialize)]
struct DeletedSteps {
    count: u64,
    first: String,
    last: String,
    moved: u64,
    remade: Amount,
}

impl DeleteDocument {
    /// The same, with the requests that it would make, and what is worth a thought before.
    pub(in crate::cli) fn foreseen(
        self,
        requests: Option<RequestCounts>,
        warnings: &[DeleteWarning],
    ) -> Self {
        let told = |warning: &DeleteWarning| {
            let message = words::delete_warning(warning);
            match warning {
                DeleteWarning::ForGood => json!({"kind": "for_good", "message": message}),
                DeleteWarning::Unended {
                    store,
                    transaction: _,
                } => json!({"kind": "unended", "message": message, "store": store}),
                DeleteWarning::OnlyCopy(ReplacedStore { made, .. }) => {
                    json!({"kind": "only_copy", "message": message, "store": made})
                }
                DeleteWarning::ComesBack(ReplacedStore { store, .. }) => {
                    json!({"kind": "comes_back", "message": message, "store": store})
                }
                DeleteWarning::Rewritten {
                    store,
                    objects,
                    bytes,
                } => json!({
                    "kind": "rewritten", "message": message, "store": store, "objects": objects, "bytes": bytes,
                }),
            }
        };
        Self {
            requests,
            warnings: warnings.iter().map(told).collect(),
            ..self
        }
    }

    /// Of what was deleted at `place`, or would be, or would have been.
    pub(in crate::cli) fn new(
        place: &Place,
        dry_run: bool,
        outcome: Outcome,
        survey: &DeleteSurvey,
    ) -> Self {
        let store = |key: &str, amount: Amount| DeletedStore {
            store: StoreUrl::new(place, key),
            objects: amount.objects,
            bytes: amount.bytes,
            arrays: None,
            steps: None,
            attributes: Vec::new(),
        };
        let mut document = Self {
            format: "msm_os/delete/1",
            dry_run,
            outcome,
            what: "stores",
            stores: Vec::new(),
            ledgers: None,
            others: None,
            links: Vec::new(),
            total: survey.total().into(),
            requests: None,
            warnings: Vec::new(),
        };
        match survey {
            DeleteSurvey::Stores {
                stores,
                links,
                ledgers,
                others,
                unended: _,
                replacing: _,
                coming_back: _,
            } => {
                let stores = stores.iter();
                document.stores = stores
                    .map(|(key, tally)| store(key, (*tally).into()))
                    .collect();
                document.ledgers = Some((*ledgers).into());
                document.others = Some((*others).into());
                document.links = { links.iter() }
                    .map(|link| link.display().to_string())
                    .collect();
            }
            DeleteSurvey::Group { group, tally } => {
                document.what = "group";
                document.stores.push(store(group, (*tally).into()));
            }
            DeleteSurvey::Arrays { names, stores } => {
                document.what = "arrays";
                let stores = stores.iter().map(|of| DeletedStore {
                    arrays: Some(names.clone()),
                    attributes: of.attributes.clone(),
                    ..store(&of.store, of.tally.into())
                });
                document.stores = stores.collect();
            }
            DeleteSurvey::Steps { stores } => {
                document.what = "steps";
                let stores = stores.iter().map(|of| DeletedStore {
                    steps: Some(DeletedSteps {
                        count: of.steps,
                        first: of.first.clone(),
                        last: of.last.clone(),
                        moved: of.moved,
                        remade: of.remade.into(),
                    }),
                    attributes: of.attributes.clone(),
                    ..store(&of.store, of.tally.into())
                });
                document.stores = stores.collect();
            }
        }
        document
    }
}
