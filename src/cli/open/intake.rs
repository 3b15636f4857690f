//! An Intake catalogue of stores, in the form that Intake 0.6 and later read, with intake-xarray.
//!
//! Key function: [`catalogue`].

use serde_json::{Map, Value, json};

use super::names::CatalogueNames;
use super::options::{open_options, storage_options, url};
use super::stac::summary;
use crate::store::Spot;
use crate::verbs::open::{OpenReport, OpenableStore, Reach};

/// The catalogue of the stores at `spot`, as YAML: JSON is YAML.
pub(super) fn catalogue(report: &OpenReport, spot: &Spot) -> String {
    let mut names = CatalogueNames::new(&report.reach, spot);
    let mut sources = Map::new();
    for store in report.stores.iter().filter(|store| store.can_be_opened) {
        sources.insert(names.give(store), source(&report.reach, store));
    }
    let catalogue = json!({
        "metadata": {"version": 1, "name": names.catalogue},
        "sources": sources,
    });
    format!(
        "# intake.open_catalog(…) opens this; it needs intake-xarray, and s3fs for buckets.\n{catalogue:#}\n"
    )
}

fn source(reach: &Reach, store: &OpenableStore) -> Value {
    let mut arguments = Map::new();
    arguments.insert(
        "urlpath".to_owned(),
        json!(verbatim(&url(reach, &store.root))),
    );
    let options = storage_options(reach);
    if !options.is_empty() {
        arguments.insert("storage_options".to_owned(), options.into());
    }
    arguments.extend(open_options(store));
    if let Some(group) = &store.group {
        arguments.insert("group".to_owned(), json!(verbatim(group)));
    }
    let data = store
        .info
        .variables
        .iter()
        .filter(|variable| !variable.coordinate);
    let data: Vec<&String> = data.map(|variable| &variable.name).collect();
    let mut metadata = json!({"variables": data});
    if let Some(time) = &store.info.time {
        metadata["time"] =
            json!({"first": time.first, "last": time.last, "calendar": time.calendar});
    }
    json!({
        "driver": "zarr",
        "description": summary(store),
        "args": arguments,
        "metadata": metadata,
    })
}

/// `text` as Intake's templates let it through.
fn verbatim(text: &str) -> String {
    let parts: Vec<&str> = text.split('{').collect();
    parts.join("{{ '{' }}")
}
