//! Variables that no file has: what others become on a target grid, and how a store says so.
//!
//! Key types: [`DerivedVariable`]; [`ReprojectionRecord`], how a store's array was reprojected.

use serde_json::{Map, Value};

use super::coordinates::{MAPPING, grid_dimensions, text};
use super::projection::Projection;
use super::target::Derivation;
use msm_model::{Attribute, DType, Number, Variable, VariableType};
use msm_reproject::{Method, TargetGrid};
use msm_zarr::StoredArray;

/// Attributes of a reprojected variable, by which a later run goes on with it.
const METHOD: &str = "reprojection_method";
const GRID: &str = "reprojection_grid";
const BOX: &str = "reprojection_bbox";
const SOURCE: &str = "reprojection_source";
const DIGEST: &str = "reprojection_source_digest";

/// An array that no file has, as if it were a variable of one.
#[derive(Clone, Debug)]
pub struct DerivedVariable {
    /// Its name, type, dimensions and attributes.
    pub variable: Variable,
    /// Where its values come from.
    pub form: Derivation,
    /// The variable that it is reprojected from.
    pub of: Option<String>,
    /// Does it take the place of another tool's array of its name?
    pub replaces: bool,
}

/// How a store's array was reprojected.
#[derive(Clone, Debug, PartialEq)]
pub struct ReprojectionRecord {
    /// How.
    pub method: Method,
    /// To which grid.
    pub grid: TargetGrid,
    /// From which cells; see [`Projection::digest`].
    pub digest: String,
}

/// What the names of reprojected arrays begin with.
const PREFIX: &str = "projected_";

/// The name of what `variable` becomes.
#[must_use]
pub fn projected_name(variable: &str) -> String {
    format!("{PREFIX}{variable}")
}

/// Is this the name of a reprojected array, or of what goes with one?
pub(super) fn is_projected(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The variable that another tool has reprojected into `array`: it does not say how.
#[must_use]
pub fn foreign_projection(array: &StoredArray) -> Option<&str> {
    let of = array.name.strip_prefix(PREFIX)?;
    let is_axis = array.dimensions.len() < 2 || array.name.ends_with("_bounds");
    let ours = reprojection_record(&array.attributes, &array.shape).is_some();
    (!is_axis && !ours).then_some(of)
}

/// What `variable`, whose last two dimensions are the rows and columns of the cells, becomes by `projection`, the one of
/// index `index`. It keeps its attributes, but for those that name things of the model's grid: its horizontal `coordinates`
/// and its `cell_measures`; and for those that say how its values were quantised.
#[must_use]
pub fn projected(variable: &Variable, projection: &Projection, index: usize) -> DerivedVariable {
    let Projection {
        cells,
        method,
        grid,
        digest,
    } = projection;
    let leading = variable.shape.len() - 2;
    let (mut dimensions, mut shape) = (
        variable.dimensions[..leading].to_vec(),
        variable.shape[..leading].to_vec(),
    );
    for (name, size) in grid_dimensions(grid) {
        dimensions.push(name);
        shape.push(size);
    }
    let mut attributes = Vec::new();
    for (name, value) in &variable.attributes {
        match (name.as_str(), value.text()) {
            ("coordinates", Some(names)) => {
                let kept = names
                    .split_whitespace()
                    .filter(|name| !cells.coordinates.iter().any(|own| own == name));
                let kept: Vec<&str> = kept.collect();
                if !kept.is_empty() {
                    attributes.push((name.clone(), text(&kept.join(" "))));
                }
            }
            // What is reprojected is no quantised value any more.
            ("cell_measures" | "grid_mapping" | "quantization" | "quantization_nsb", _) => {}
            _ => attributes.push((name.clone(), value.clone())),
        }
    }
    // Where no cell is, a value must say so.
    let float = matches!(variable.kind, VariableType::Number(DType::F32 | DType::F64));
    if float && variable.fill_value().is_none() {
        attributes.push((
            "_FillValue".to_owned(),
            Attribute::Numbers(vec![Number::Float(f64::NAN)]),
        ));
    }
    let TargetGrid {
        west,
        south,
        east,
        north,
        ..
    } = *grid;
    let source = format!(
        "{} by {} cells at {}",
        cells.ny,
        cells.nx,
        cells.coordinates.join(", ")
    );
    attributes.extend([
        ("grid_mapping".to_owned(), text(MAPPING)),
        (METHOD.to_owned(), text(method.name())),
        (
            GRID.to_owned(),
            Attribute::Numbers([grid.nx, grid.ny].map(|n| Number::Int(n as i64)).to_vec()),
        ),
        (
            BOX.to_owned(),
            Attribute::Numbers([west, south, east, north].map(Number::Float).to_vec()),
        ),
        (SOURCE.to_owned(), text(&source)),
        (DIGEST.to_owned(), text(digest)),
    ]);
    DerivedVariable {
        variable: Variable {
            name: projected_name(&variable.name),
            kind: variable.kind.clone(),
            dimensions,
            shape,
            stored_chunks: None,
            attributes,
        },
        form: Derivation::Projected {
            projection: index,
            missing: missing(variable),
        },
        of: Some(variable.name.clone()),
        replaces: false,
    }
}

/// The values of `variable` that stand for missing ones.
fn missing(variable: &Variable) -> Vec<Number> {
    let named = ["_FillValue", "missing_value"].map(|name| variable.attribute(name));
    let numbers = named.into_iter().flatten().flat_map(|value| match value {
        Attribute::Numbers(numbers) => &numbers[..],
        Attribute::Text(_) | Attribute::Texts(_) => &[],
    });
    let VariableType::Number(dtype) = variable.kind else {
        return Vec::new();
    };
    let held = numbers.filter_map(|n| dtype.rounded(*n));
    held.filter(|n| !n.as_f64().is_nan()).collect()
}

/// How an array with these attributes and this shape was reprojected; `None` if they do not say, or say what cannot be.
#[must_use]
pub fn reprojection_record(
    attributes: &Map<String, Value>,
    shape: &[u64],
) -> Option<ReprojectionRecord> {
    let list = |name: &str| attributes.get(name).and_then(Value::as_array);
    let sizes: Vec<u64> = list(GRID)?.iter().filter_map(Value::as_u64).collect();
    let edges: Vec<f64> = list(BOX)?.iter().filter_map(Value::as_f64).collect();
    let (&[nx, ny], &[west, south, east, north]) = (&sizes[..], &edges[..]) else {
        return None;
    };
    let is_box = (-180.0..=360.0).contains(&west)
        && (west..=west + 360.0).contains(&east)
        && (-90.0..=90.0).contains(&south)
        && (south..=90.0).contains(&north);
    if !shape.ends_with(&[ny, nx]) || !is_box {
        return None;
    }
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    Some(ReprojectionRecord {
        method: Method::named(text(METHOD)?)?,
        grid: TargetGrid {
            nx: usize::try_from(nx).ok()?,
            ny: usize::try_from(ny).ok()?,
            west,
            south,
            east,
            north,
        },
        digest: text(DIGEST)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::projection::{Cells, Field};
    use super::*;
    use crate::attributes::attributes_of;

    #[test]
    fn what_a_store_says_of_an_array_is_how_it_was_reprojected() {
        let field = |variable: &str| Field {
            path: PathBuf::from("a.nc"),
            variable: variable.to_owned(),
            dtype: DType::F32,
            leading: 0,
            fill: None,
        };
        let projection = Projection {
            cells: Cells {
                ny: 3,
                nx: 4,
                coordinates: ["nav_lon", "nav_lat"].map(str::to_owned),
                // Borrowed: called otherwise where they are.
                longitude: field("glamt"),
                latitude: field("gphit"),
                corners: None,
            },
            method: Method::NearestLonlat,
            grid: TargetGrid {
                west: 0.1,
                east: 1.0 / 3.0,
                ..TargetGrid::global(7, 5)
            },
            digest: "0123".to_owned(),
        };
        let variable = Variable {
            name: "tos".to_owned(),
            kind: VariableType::Number(DType::F32),
            dimensions: ["time", "y", "x"].map(str::to_owned).to_vec(),
            shape: vec![2, 3, 4],
            stored_chunks: Some(vec![1, 3, 4]),
            attributes: vec![
                (
                    "coordinates".to_owned(),
                    text("time_centered nav_lat nav_lon"),
                ),
                ("cell_measures".to_owned(), text("area: area")),
                ("cell_methods".to_owned(), text("time: mean")),
            ],
        };
        let added = projected(&variable, &projection, 0);
        assert_eq!(added.variable.shape, [2, 5, 7]);
        assert_eq!(
            added.variable.dimensions,
            ["time", "projected_y", "projected_x"]
        );
        let attributes = attributes_of(&added.variable, DType::F32);
        assert_eq!(attributes["coordinates"], "time_centered");
        assert_eq!(attributes["cell_methods"], "time: mean");
        assert!(!attributes.contains_key("cell_measures"));
        let text = Value::Object(attributes).to_string();
        let read: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let expected = ReprojectionRecord {
            method: projection.method,
            grid: projection.grid,
            digest: projection.digest,
        };
        assert_eq!(reprojection_record(&read, &[2, 5, 7]), Some(expected));
        assert_eq!(reprojection_record(&read, &[1 << 40, 1 << 40]), None);
        assert_eq!(reprojection_record(&Map::new(), &[2, 5, 7]), None);
    }
}
