//! The coordinates of a target grid, which go into a store with the variables that are reprojected to it. CF conventions 1.11,
//! §4.1 and §4.2 (latitude, longitude), §5.6 (grid mapping) and §7.1 (bounds).

use super::projected::DerivedVariable;
use super::target::Derivation;
use msm_model::{Attribute, DType, Number, Variable, VariableType};
use msm_reproject::TargetGrid;

/// The dimensions of the target grid, and the names of its coordinates.
const Y: &str = "projected_y";
const X: &str = "projected_x";
/// The dimension of two, of their bounds.
const BOUNDS: &str = "projected_bnds";
/// The variable that says what longitudes and latitudes are of.
pub(super) const MAPPING: &str = "projected_crs";
/// The radius of NEMO's Earth in metres (`ra` in its module `phycst`).
const EARTH_RADIUS: f64 = 6_371_229.0;

/// Dimensions of the target grid, with its sizes.
#[must_use]
pub(crate) fn grid_dimensions(grid: &TargetGrid) -> [(String, u64); 2] {
    [
        (Y.to_owned(), grid.ny as u64),
        (X.to_owned(), grid.nx as u64),
    ]
}

/// The coordinates of `grid`, their bounds, and its grid mapping.
#[must_use]
pub fn coordinates(grid: &TargetGrid) -> Vec<DerivedVariable> {
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
    mapping.form = Derivation::Made(0i32.to_le_bytes().to_vec());
    added.push(mapping);
    added
}

fn made(
    name: &str,
    dtype: DType,
    dimensions: &[(&str, u64)],
    attributes: &[(&str, Attribute)],
    values: &[f64],
) -> DerivedVariable {
    DerivedVariable {
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
        form: Derivation::Made(values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        of: None,
        replaces: false,
    }
}

pub(super) fn text(text: &str) -> Attribute {
    Attribute::Text(text.to_owned())
}
