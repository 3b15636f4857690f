//! The arrays of a store that no file has: reprojected variables and the coordinates of the grid they lie on. CF conventions
//! 1.11, §4.1 and §4.2 (latitude, longitude), §5.6 (grid mapping) and §7.1 (bounds).
//!
//! Key type: [`Added`].

use serde_json::{Map, Value};

use super::projection::Projection;
use super::target::Form;
use crate::reproject::{Method, TargetGrid};
use crate::source::{Attribute, DType, Number, Variable, VariableType};

/// The dimensions of the target grid, and the names of its coordinates.
const Y: &str = "projected_y";
const X: &str = "projected_x";
/// The dimension of two, of their bounds.
const BOUNDS: &str = "projected_bnds";
/// The variable that says what longitudes and latitudes are of.
const MAPPING: &str = "projected_crs";
/// The radius of NEMO's Earth in metres (`ra` in its module `phycst`).
const EARTH_RADIUS: f64 = 6_371_229.0;

/// Attributes of a reprojected variable, by which a later run goes on with it.
const METHOD: &str = "reprojection_method";
const GRID: &str = "reprojection_grid";
const BOX: &str = "reprojection_bbox";
const SOURCE: &str = "reprojection_source";
const DIGEST: &str = "reprojection_source_digest";

/// An array that no file has, as if it were a variable of one.
#[derive(Clone, Debug)]
pub struct Added {
    /// Its name, type, dimensions and attributes.
    pub variable: Variable,
    /// Where its values come from.
    pub form: Form,
    /// The variable that it is reprojected from.
    pub of: Option<String>,
}

/// How a store's array was reprojected.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// How.
    pub method: Method,
    /// To which grid.
    pub grid: TargetGrid,
    /// From which cells; see [`Projection::digest`].
    pub digest: String,
}

/// The name of what `variable` becomes.
#[must_use]
pub fn projected_name(variable: &str) -> String {
    format!("projected_{variable}")
}

/// Dimensions of the target grid, with its sizes.
#[must_use]
pub fn grid_dimensions(grid: &TargetGrid) -> [(String, u64); 2] {
    [
        (Y.to_owned(), grid.ny as u64),
        (X.to_owned(), grid.nx as u64),
    ]
}

/// What `variable`, whose last two dimensions are the rows and columns of the cells, becomes by `projection`, the one of
/// index `index`. It keeps its attributes, but for those that name things of the model's grid: its horizontal `coordinates`
/// and its `cell_measures`.
#[must_use]
pub fn projected(variable: &Variable, projection: &Projection, index: usize) -> Added {
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
    let horizontal = [&cells.longitude.variable, &cells.latitude.variable];
    let mut attributes = Vec::new();
    for (name, value) in &variable.attributes {
        match (name.as_str(), value.text()) {
            ("coordinates", Some(names)) => {
                let kept = names
                    .split_whitespace()
                    .filter(|name| !horizontal.iter().any(|h| h == name));
                let kept: Vec<&str> = kept.collect();
                if !kept.is_empty() {
                    attributes.push((name.clone(), text(&kept.join(" "))));
                }
            }
            ("cell_measures" | "grid_mapping", _) => {}
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
        "{} by {} cells at {}, {}",
        cells.ny, cells.nx, cells.longitude.variable, cells.latitude.variable
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
    Added {
        variable: Variable {
            name: projected_name(&variable.name),
            kind: variable.kind.clone(),
            dimensions,
            shape,
            stored_chunks: None,
            attributes,
        },
        form: Form::Projected {
            projection: index,
            missing: missing(variable),
        },
        of: Some(variable.name.clone()),
    }
}

/// The values of `variable` that stand for missing ones.
fn missing(variable: &Variable) -> Vec<Number> {
    let named = ["_FillValue", "missing_value"].map(|name| variable.attribute(name));
    let numbers = named.into_iter().flatten().flat_map(|value| match value {
        Attribute::Numbers(numbers) => &numbers[..],
        Attribute::Text(_) | Attribute::Texts(_) => &[],
    });
    numbers.copied().filter(|n| !n.as_f64().is_nan()).collect()
}

/// The coordinates of `grid`, their bounds, and its grid mapping.
#[must_use]
pub fn coordinates(grid: &TargetGrid) -> Vec<Added> {
    let mut added = Vec::new();
    let axes = [
        (Y, grid.ny, "latitude", "degrees_north", "Y"),
        (X, grid.nx, "longitude", "degrees_east", "X"),
    ];
    for (name, size, standard, units, axis) in axes {
        let (centre, edge): (Vec<f64>, Vec<f64>) = if axis == "Y" {
            (
                (0..size).map(|j| grid.latitude(j)).collect(),
                (0..=size).map(|j| grid.parallel(j)).collect(),
            )
        } else {
            (
                (0..size).map(|i| grid.longitude(i)).collect(),
                (0..=size).map(|i| grid.meridian(i)).collect(),
            )
        };
        let bounds = format!("{name}_bounds");
        added.push(made(
            name,
            DType::F64,
            &[(name, size as u64)],
            &[
                ("standard_name", text(standard)),
                ("long_name", text(&format!("{standard} of the cell centre"))),
                ("units", text(units)),
                ("axis", text(axis)),
                ("bounds", text(&bounds)),
            ],
            &centre,
        ));
        let pairs: Vec<f64> = edge.windows(2).flatten().copied().collect();
        let dimensions = [(name, size as u64), (BOUNDS, 2)];
        added.push(made(&bounds, DType::F64, &dimensions, &[], &pairs));
    }
    let radius = Attribute::Numbers(vec![Number::Float(EARTH_RADIUS)]);
    let zero = || Attribute::Numbers(vec![Number::Float(0.0)]);
    let mapping = [
        ("grid_mapping_name", text("latitude_longitude")),
        ("longitude_of_prime_meridian", zero()),
        ("earth_radius", radius),
    ];
    let mut mapping = made(MAPPING, DType::I32, &[], &mapping, &[]);
    mapping.form = Form::Made(0i32.to_le_bytes().to_vec());
    added.push(mapping);
    added
}

fn made(
    name: &str,
    dtype: DType,
    dimensions: &[(&str, u64)],
    attributes: &[(&str, Attribute)],
    values: &[f64],
) -> Added {
    Added {
        variable: Variable {
            name: name.to_owned(),
            kind: VariableType::Number(dtype),
            dimensions: dimensions.iter().map(|d| d.0.to_owned()).collect(),
            shape: dimensions.iter().map(|d| d.1).collect(),
            stored_chunks: None,
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        },
        form: Form::Made(values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        of: None,
    }
}

fn text(text: &str) -> Attribute {
    Attribute::Text(text.to_owned())
}

/// How an array with these attributes was reprojected; `None` if they do not say.
#[must_use]
pub fn held(attributes: &Map<String, Value>) -> Option<Held> {
    let list = |name: &str| attributes.get(name).and_then(Value::as_array);
    let sizes: Vec<u64> = list(GRID)?.iter().filter_map(Value::as_u64).collect();
    let edges: Vec<f64> = list(BOX)?.iter().filter_map(Value::as_f64).collect();
    let (&[nx, ny], &[west, south, east, north]) = (&sizes[..], &edges[..]) else {
        return None;
    };
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    Some(Held {
        method: text(METHOD)?.parse().ok()?,
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
    use crate::plan::attributes_of;

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
                longitude: field("nav_lon"),
                latitude: field("nav_lat"),
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
        let expected = Held {
            method: projection.method,
            grid: projection.grid,
            digest: projection.digest,
        };
        assert_eq!(held(&read), Some(expected));
        assert_eq!(held(&Map::new()), None);
    }
}
