//! A STAC item of a store: STAC 1.1 with the extensions `datacube` and `xarray-assets`, and the members by which OceanDataStore opens
//! stores.
//!
//! Key types: [`Extent`]; key function: [`item`].

use humantime::format_rfc3339_seconds;
use serde_json::{Map, Value, json};

use super::options::{open_options, storage_options, url};
use super::stac::{headline, is_license_id, license_of, summary};
use crate::verbs::list::VariableInfo;
use crate::verbs::open::{OpenableStore, Reach, Signing};

const EXTENSIONS: [&str; 2] = [
    "https://stac-extensions.github.io/datacube/v2.2.0/schema.json",
    "https://stac-extensions.github.io/xarray-assets/v1.0.0/schema.json",
];

/// Global attributes that become properties: those of ACDD and CF that catalogues show, and those by which OceanDataStore's is searched.
const ATTRIBUTES: [&str; 31] = [
    "institution",
    "source",
    "project",
    "references",
    "citation",
    "acknowledgement",
    "doi",
    "contact",
    "creator_name",
    "dataset_type",
    "product_type",
    "product_version",
    "platform",
    "variant",
    "horizontal_grid_type",
    "horizontal_grid_resolution",
    "vertical_grid_type",
    "vertical_grid_coordinate",
    "vertical_grid_levels",
    "aggregation",
    "aggregation_frequency",
    "status",
    "update_frequency",
    "ocean_component",
    "sea_ice_component",
    "biogeochemistry_component",
    "atmosphere_component",
    "atmospheric_forcing",
    "Conventions",
    "comment",
    "keywords",
];

/// Where and when a store's data are.
pub(super) struct Extent {
    /// West, south, east, north.
    pub bbox: [f64; 4],
    /// The first step, RFC 3339; `None` without steps, or if no calendar of today has its year.
    pub first: Option<String>,
    /// The last one.
    pub last: Option<String>,
}

impl Extent {
    pub(super) fn of(store: &OpenableStore, bbox: [f64; 4]) -> Self {
        let time = store.info.time.as_ref();
        let ends = time.map(|time| [rfc3339(&time.first), rfc3339(&time.last)]);
        let [first, last] = ends.unwrap_or_default();
        Self { bbox, first, last }
    }
}

/// The item, but for its id, its collection and its links.
pub(super) fn item(reach: &Reach, store: &OpenableStore, extent: &Extent) -> Value {
    let [west, south, east, north] = extent.bbox;
    let corners = [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
    ];
    json!({
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": EXTENSIONS,
        "id": null,
        "collection": null,
        "bbox": extent.bbox,
        "geometry": {"type": "Polygon", "coordinates": [corners]},
        "properties": properties(store, extent),
        "links": null,
        "assets": {"zarr": asset(reach, store)},
    })
}

fn properties(store: &OpenableStore, extent: &Extent) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    put("title", json!(headline(store)));
    put("description", json!(summary(store)));
    if let (Some(first), Some(last)) = (&extent.first, &extent.last) {
        put("datetime", Value::Null);
        put("start_datetime", json!(first));
        put("end_datetime", json!(last));
    } else {
        put("datetime", json!(changed(store)));
    }
    if let Some(time) = &store.info.time {
        // As the calendar has them, which may have a 30th of February.
        put("time_coverage_start", json!(time.first));
        put("time_coverage_end", json!(time.last));
        put("calendar", json!(time.calendar));
    }
    match license_of(store) {
        Some(id) if is_license_id(&id) => put("license", json!(id)),
        Some(text) => put("rights", json!(text)),
        None => None,
    };
    for name in ATTRIBUTES {
        if let Some(value) = attribute(store, name) {
            put(name, value.clone());
        }
    }
    let data: Vec<&VariableInfo> = store
        .info
        .variables
        .iter()
        .filter(|v| !v.coordinate)
        .collect();
    let names: Vec<&String> = data.iter().map(|variable| &variable.name).collect();
    put("variables", json!(names));
    let standard = names.iter().map(|name| {
        let named = array_attribute(store, name, "standard_name");
        named.unwrap_or_else(|| (*name).clone())
    });
    put(
        "variable_standard_names",
        json!(standard.collect::<Vec<_>>()),
    );
    let dimensions = dimensions(store, extent);
    put("dimensions", json!(dimensions.keys().collect::<Vec<_>>()));
    put("cube:dimensions", dimensions.into());
    put("cube:variables", variables(store).into());
    properties
}

/// The dimensions of the datacube. Those of the model's grid are indices: its axes follow no parallel and no meridian.
fn dimensions(store: &OpenableStore, extent: &Extent) -> Map<String, Value> {
    let variables = &store.info.variables;
    let time = store.info.time.as_ref();
    let axis = time.and_then(|time| variables.iter().find(|v| v.name == time.axis));
    let along = axis.and_then(|axis| axis.dimensions.first());
    let mut dimensions = Map::new();
    for variable in variables {
        for (name, length) in variable.dimensions.iter().zip(&variable.shape) {
            let dimension = match (&extent.first, &extent.last) {
                (Some(first), Some(last)) if along == Some(name) => {
                    json!({"type": "temporal", "extent": [first, last]})
                }
                _ => json!({"type": "index", "extent": [0, length.saturating_sub(1)]}),
            };
            dimensions.entry(name.as_str()).or_insert(dimension);
        }
    }
    dimensions
}

fn variables(store: &OpenableStore) -> Map<String, Value> {
    let described = store.info.variables.iter().map(|variable| {
        let kind = if variable.coordinate {
            "auxiliary"
        } else {
            "data"
        };
        let mut described = json!({"dimensions": variable.dimensions, "type": kind});
        for (member, attribute) in [("description", "long_name"), ("unit", "units")] {
            if let Some(text) = array_attribute(store, &variable.name, attribute) {
                described[member] = json!(text);
            }
        }
        (variable.name.clone(), described)
    });
    described.collect()
}

fn asset(reach: &Reach, store: &OpenableStore) -> Value {
    let mut asset = json!({
        "href": url(reach, &store.root),
        "type": "application/vnd.zarr",
        "title": headline(store),
        "roles": ["data"],
        "xarray:open_kwargs": open_options(store),
        "xarray:storage_options": storage_options(reach),
        "zarr_format": store.info.zarr_format,
    });
    if let Some(group) = &store.group {
        asset["group"] = json!(group);
    }
    if let Reach::S3 {
        bucket,
        endpoint_url,
        region,
        signing,
        ..
    } = reach
    {
        let region = region.as_deref().unwrap_or("us-east-1");
        let aws = || format!("https://s3.{region}.amazonaws.com");
        asset["endpoint_url"] = json!(endpoint_url.clone().unwrap_or_else(aws));
        asset["bucket"] = json!(bucket);
        asset["prefix"] = json!(store.root);
        asset["anonymous"] = json!(*signing == Signing::Anonymous);
    }
    asset
}

fn attribute<'a>(store: &'a OpenableStore, name: &str) -> Option<&'a Value> {
    let value = store.metadata.as_ref()?.attributes.get(name)?;
    (value.is_string() || value.is_number()).then_some(value)
}

/// A global attribute that is a text, and not an empty one.
pub(in crate::cli) fn text_attribute(store: &OpenableStore, name: &str) -> Option<String> {
    let text = attribute(store, name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn array_attribute(store: &OpenableStore, array: &str, name: &str) -> Option<String> {
    let attributes = store.metadata.as_ref()?.arrays.get(array)?;
    attributes.get(name)?.as_str().map(str::to_owned)
}

/// When the store was changed: the one time that data without steps have.
fn changed(store: &OpenableStore) -> Option<String> {
    let committed = store.info.last_transaction.as_ref();
    let changed = || {
        let changed = store.metadata.as_ref()?.changed?;
        Some(format_rfc3339_seconds(changed).to_string())
    };
    committed.map(|last| last.time.clone()).or_else(changed)
}

/// A step as RFC 3339 has it. A day that the month lacks, of a calendar whose months have thirty days, becomes the month's last one.
fn rfc3339(step: &str) -> Option<String> {
    let (date, time) = step.split_once(' ')?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 {
        return None;
    }
    let (of_year, of_month, of_day): (u32, u32, u32) =
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let is_leap = of_year % 4 == 0 && (of_year % 100 != 0 || of_year % 400 == 0);
    let days = match of_month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = of_day.min(days);
    Some(format!("{year}-{month}-{day:02}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_any_calendar_are_times() {
        for (step, expected) in [
            ("1976-07-02 00:00:00", Some("1976-07-02T00:00:00Z")),
            ("1976-02-30 12:00:00.5", Some("1976-02-29T12:00:00.5Z")),
            ("1900-02-29 00:00:00", Some("1900-02-28T00:00:00Z")),
            ("-0044-03-15 00:00:00", None),
            ("12000-01-01 00:00:00", None),
            ("42.5", None),
        ] {
            assert_eq!(rfc3339(step).as_deref(), expected, "{step}");
        }
    }
}
