//! A STAC collection of stores, with an item a store: files that pystac and OceanDataStore's catalogue read.
//!
//! Key types: [`StacFiles`]; key functions: [`catalogue`]; [`summary`].

use std::path::{Path, PathBuf};

use msm_model::counted;
use serde_json::{Value, json};

use super::names::CatalogueNames;
use super::stac_item::{Extent, item, text_attribute};
use crate::store::Spot;
use crate::verbs::open::{OpenReport, OpenableStore};

/// The whole earth.
const GLOBE: [f64; 4] = [-180.0, -90.0, 180.0, 90.0];

/// What is to be written.
pub(in crate::cli) struct StacFiles {
    /// The folder with the items.
    pub folder: PathBuf,
    /// The collection first, then its items.
    pub documents: Vec<(PathBuf, Value)>,
    /// The name of the collection's file, as items link to it.
    pub collection_link: String,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// The collection at `path` of the stores at `spot`.
pub(in crate::cli) fn catalogue(report: &OpenReport, spot: &Spot, path: &Path) -> StacFiles {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let collection_file = path.file_name().unwrap_or_default().to_string_lossy();
    // A file without a suffix cannot share its name with a folder.
    let stem = if stem == collection_file {
        format!("{stem}-items")
    } else {
        stem
    };
    let folder = path.with_file_name(&stem);
    let collection_link = format!("../{collection_file}");
    let mut names = CatalogueNames::new(&report.reach, spot);
    let id = names.catalogue.clone();
    let (mut links, mut items, mut extents) = (Vec::new(), Vec::new(), Vec::new());
    let mut nowhere = Vec::new();
    let stores = report.stores.iter().filter(|store| store.can_be_opened);
    for store in stores.clone() {
        let file = format!("{}.json", names.give(store));
        let bbox = store.metadata.as_ref().and_then(|metadata| metadata.bbox);
        if bbox.is_none() {
            nowhere.push(store.info.store.clone());
        }
        let extent = Extent::of(store, bbox.unwrap_or(GLOBE));
        let mut document = item(&report.reach, store, &extent);
        document["id"] = json!(format!("{id}/{}", names.in_folder(store)));
        document["collection"] = json!(id);
        document["links"] = json!(["root", "parent", "collection"].map(|rel| json!({
            "rel": rel,
            "href": collection_link,
            "type": "application/json",
        })));
        links.push(json!({
            "rel": "item",
            "href": format!("./{stem}/{file}"),
            "type": "application/geo+json",
            "title": document["properties"]["title"],
        }));
        items.push((folder.join(file), document));
        extents.push(extent);
    }
    let stores: Vec<&OpenableStore> = stores.collect();
    let mut collection = collection(&stores, &extents);
    collection["id"] = json!(id);
    let root =
        json!({"rel": "root", "href": format!("./{collection_file}"), "type": "application/json"});
    collection["links"] = json!([&[root][..], &links].concat());
    let mut notes = Vec::new();
    if collection["license"] == "other" {
        let mut named = stores.iter().filter_map(|store| license_of(store));
        let why = match (named.next(), stores.len()) {
            (None, 1) => "the store names no licence",
            (None, _) => "no store names a licence",
            (Some(_), 1) => "the store's licence is no identifier such as SPDX has",
            (Some(_), _) => {
                "the stores do not all have the same licence, by an identifier such as SPDX has"
            }
        };
        notes.push(format!(
            "{why}, so the collection says 'other'; send or update with --attributes '{{\"license\": \"CC-BY-4.0\"}}' names one"
        ));
    }
    if let Some(first) = nowhere.first() {
        notes.push(format!(
            "it is not known where the cells of {} lie, whose items name the whole earth: '{first}'{}",
            counted(nowhere.len(), "stores"),
            if nowhere.len() > 1 { ", …" } else { "" }
        ));
    }
    let documents = [(path.to_owned(), collection)].into_iter().chain(items);
    StacFiles {
        folder,
        documents: documents.collect(),
        collection_link,
        notes,
    }
}

/// The collection, but for its id and links.
fn collection(stores: &[&OpenableStore], extents: &[Extent]) -> Value {
    let bboxes = extents.iter().map(|extent| extent.bbox);
    let bbox = bboxes.reduce(|[w, s, e, n], [west, south, east, north]| {
        [w.min(west), s.min(south), e.max(east), n.max(north)]
    });
    // These texts sort as their times do.
    let first = extents.iter().filter_map(|e| e.first.clone()).min();
    let last = extents.iter().filter_map(|e| e.last.clone()).max();
    let title = common(stores, &["title"]);
    let description = common(stores, &["summary", "description", "comment"]);
    let license = common(stores, &["license", "licence"]);
    json!({
        "type": "Collection",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": null,
        "title": title.clone().unwrap_or_else(|| format!("{} of NEMO ocean-model data", counted(stores.len(), "stores"))),
        "description": description.or(title).unwrap_or_else(|| "NEMO ocean-model data as Zarr stores".to_owned()),
        "license": license.filter(|text| is_license_id(text)).unwrap_or_else(|| "other".to_owned()),
        "extent": {
            "spatial": {"bbox": [bbox.unwrap_or(GLOBE)]},
            "temporal": {"interval": [[first, last]]},
        },
        "links": null,
    })
}

/// What all stores say alike in the first of these attributes that they have.
fn common(stores: &[&OpenableStore], names: &[&str]) -> Option<String> {
    let said = |store: &&OpenableStore| {
        let mut said = names.iter().filter_map(|name| text_attribute(store, name));
        said.next()
    };
    let mut all = stores.iter().map(said);
    let first = all.next()??;
    all.all(|text| text.as_ref() == Some(&first))
        .then_some(first)
}

/// What the store says of its licence.
pub(super) fn license_of(store: &OpenableStore) -> Option<String> {
    text_attribute(store, "license").or_else(|| text_attribute(store, "licence"))
}

/// Is this an identifier such as SPDX's?
pub(super) fn is_license_id(text: &str) -> bool {
    let of_id = |c: char| c.is_ascii_alphanumeric() || "-.+".contains(c);
    !text.is_empty() && text.chars().all(of_id)
}

/// Variables that a headline names.
const NAMED: usize = 6;

/// What a store has, in a few words.
pub(super) fn headline(store: &OpenableStore) -> String {
    let data = store
        .info
        .variables
        .iter()
        .filter(|variable| !variable.coordinate);
    let names: Vec<&str> = data.map(|variable| variable.name.as_str()).collect();
    let title = text_attribute(store, "title").unwrap_or_else(|| store.info.store.clone());
    let named = names.get(..NAMED).unwrap_or(&names).join(", ");
    match names.len() {
        0 => title,
        all if all > NAMED => format!("{title}: {named} and {} more", all - NAMED),
        _ => format!("{title}: {named}"),
    }
}

/// The same, and from when to when.
pub(super) fn summary(store: &OpenableStore) -> String {
    let headline = headline(store);
    match &store.info.time {
        Some(time) => format!(
            "{headline}; {}, {} to {}",
            counted(time.steps, "steps"),
            time.first,
            time.last
        ),
        None => headline,
    }
}
