//! The page of an archive as HTML.
//!
//! Key function: [`page`].

use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::files::{COLLECTION, StorePlaces};
use super::store;
use crate::cli::markup::{document, program, wide};
use crate::cli::words::{ListedTotals, bytes_shown, state_shown};
use crate::verbs::list::StoreState;
use crate::verbs::open::OpenableStore;
use crate::verbs::page::PageReport;

/// By what this program knows its own pages.
pub(super) const GENERATOR: &str = "<!-- msm_os page -->";

/// The folder with the maps, beside the page.
pub(super) const MAPS: &str = "maps";

/// Nothing but the maps beside it; `file:` is for those who open it on their disk.
const POLICY: &str = "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'";

const STYLE: &str = include_str!("page.css");

/// The page of the stores at `url`, whose STAC collection is `collection`, and which these lines of `python` open together.
pub(super) fn page(
    report: &PageReport,
    places: &[StorePlaces<'_>],
    collection: Option<&Value>,
    url: &str,
    python: &[String],
) -> Markup {
    let stores = &report.opened.stores;
    let said = |name: &str| collection.and_then(|found| found[name].as_str());
    let title = said("title").unwrap_or(url);
    let mut totals = ListedTotals::default();
    for store in stores {
        totals.count(&store.info);
    }
    let body = html! {
        (PreEscaped(GENERATOR))
        header {
            h1 { (title) }
            @if let Some(text) = said("description").filter(|text| *text != title) { p { (text) } }
            p { code { (url) } }
            p { (totals.to_string()) ". " a href=(COLLECTION) { "STAC collection" } }
        }
        @if stores.len() > 1 {
            nav aria-label="Stores" { (overview(stores, places)) }
            details {
                summary { "Open all of them in Python" }
                (program("Lines of Python that open all stores", python))
            }
        }
        main {
            @for ((one, details), place) in stores.iter().zip(&report.details).zip(places) {
                (store::section(one, details, place))
            }
        }
    };
    document(title, POLICY, STYLE, &body)
}

/// A row a store.
fn overview(stores: &[OpenableStore], places: &[StorePlaces<'_>]) -> Markup {
    let rows = stores.iter().zip(places);
    let body = html! {
        table {
            thead { tr { th scope="col" { "Store" } th scope="col" { "Variables" } th scope="col" { "Period" } th scope="col" { "Size" } } }
            tbody {
                @for (store, place) in rows {
                    tr {
                        th scope="row" { a href={ "#" (place.anchor) } { (store.info.store) } }
                        td { (data(store)) }
                        td {
                            @if store.info.state != StoreState::Whole { (state_shown(&store.info)) }
                            @if let Some(time) = &store.info.time { (time.first) " to " (time.last) }
                        }
                        td { @if let Some(bytes) = store.info.stored_bytes { (bytes_shown(bytes)) } }
                    }
                }
            }
        }
    };
    wide("Stores", &body)
}

/// The names of its data variables.
fn data(store: &OpenableStore) -> String {
    let data = { store.info.variables.iter() }.filter(|variable| !variable.coordinate);
    let names: Vec<&str> = data.map(|variable| variable.name.as_str()).collect();
    names.join(", ")
}
