//! Weights in a NetCDF file, in the layout of ESMF and SCRIP (ESMF reference manual, "Regrid Interpolation Weight File
//! Format"): other tools can apply them, this one takes only its own.

use std::path::Path;

use msm_model::{Attribute, Number};
use msm_plan::Projection;
use msm_reproject::{Entries, Weights};

use crate::source::{Column, Table};
use crate::verbs::reprojection::error::{ReprojectionError, WeightsProblem};

/// The attributes that say what the weights are of.
const DIGEST: &str = "source_digest";
const METHOD: &str = "reprojection_method";
const GRID: &str = "target_grid";

/// The weights of `projection` in the file at `path`; `None` if it does not exist.
///
/// # Errors
/// If it cannot be read, or holds other weights.
pub(in crate::verbs) fn read_weights(
    path: &Path,
    projection: &Projection,
) -> Result<Option<Weights>, ReprojectionError> {
    match path.try_exists() {
        Ok(false) => return check_folder(path).map(|()| None),
        Ok(true) => {}
        Err(cause) => {
            return Err(ReprojectionError::WeightsPath {
                path: path.to_owned(),
                cause: cause.to_string(),
            });
        }
    }
    let refuse = |problem| ReprojectionError::WeightsFile {
        path: path.to_owned(),
        problem,
    };
    let table = Table::read(path, &["row", "col", "S"]);
    let mut table = table.map_err(|cause| refuse(WeightsProblem::Unreadable(cause)))?;
    for (name, expected) in made_for(projection) {
        let found = table.attribute(name);
        if found.map(Attribute::to_json) != Some(expected.to_json()) {
            return Err(refuse(WeightsProblem::OtherRun {
                attribute: name.to_owned(),
                found: found.map_or_else(|| "none".to_owned(), |value| value.to_json().to_string()),
                expected: expected.to_json().to_string(),
            }));
        }
    }
    let (Some(Column::Ints(rows)), Some(Column::Ints(columns)), Some(Column::Doubles(weights))) =
        (table.take("row"), table.take("col"), table.take("S"))
    else {
        return Err(refuse(WeightsProblem::Columns));
    };
    let entries = Entries {
        rows,
        columns,
        weights,
    };
    let (cells, grid) = (&projection.cells, &projection.grid);
    let nearest = projection.method.is_nearest();
    let weights = entries.to_weights(cells.ny * cells.nx, grid.len(), nearest);
    let weights = weights.map_err(|problem| refuse(WeightsProblem::Entries(problem)));
    weights.map(Some)
}

/// The folder that the file is to be written to must be there before anything is computed.
fn check_folder(path: &Path) -> Result<(), ReprojectionError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_none_or(Path::is_dir) {
        return Ok(());
    }
    Err(ReprojectionError::WeightsFolder {
        path: path.to_owned(),
    })
}

/// Writes the weights of `projection` to the file at `path`.
///
/// # Errors
/// If it cannot be written, or they are more than the format can count.
pub(in crate::verbs) fn write_weights(
    path: &Path,
    projection: &Projection,
    weights: &Weights,
) -> Result<(), ReprojectionError> {
    let (cells, grid) = (&projection.cells, &projection.grid);
    let most = cells.len().max(grid.len() as u64);
    if i32::try_from(most).is_err() {
        return Err(ReprojectionError::WeightsCells {
            path: path.to_owned(),
            cells: most,
        });
    }
    let Entries {
        rows,
        columns,
        weights,
    } = Entries::of(weights);
    let size = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let column = |name: &str, dimension: &str, values: Column| {
        (name.to_owned(), dimension.to_owned(), values)
    };
    let centres = |of: &dyn Fn(usize, usize) -> f64| {
        let rows = 0..grid.ny;
        let values = rows.flat_map(|j| (0..grid.nx).map(move |i| (j, i)));
        Column::Doubles(values.map(|(j, i)| of(j, i)).collect())
    };
    let mut attributes = vec![
        (
            "title".to_owned(),
            text("Weights of a reprojection by msm_os, rows from the north"),
        ),
        ("conventions".to_owned(), text("SCRIP")),
    ];
    let made_for = made_for(projection).into_iter();
    attributes.extend(made_for.map(|(name, value)| (name.to_owned(), value)));
    let table = Table {
        dimensions: vec![
            ("n_a".to_owned(), cells.ny * cells.nx),
            ("n_b".to_owned(), grid.len()),
            // NetCDF has no dimension of none but the unlimited one.
            ("n_s".to_owned(), rows.len().max(1)),
            ("src_grid_rank".to_owned(), 2),
            ("dst_grid_rank".to_owned(), 2),
        ],
        columns: vec![
            column(
                "src_grid_dims",
                "src_grid_rank",
                Column::Ints(vec![size(cells.nx), size(cells.ny)]),
            ),
            column(
                "dst_grid_dims",
                "dst_grid_rank",
                Column::Ints(vec![size(grid.nx), size(grid.ny)]),
            ),
            column("xc_b", "n_b", centres(&|_, i| grid.longitude(i))),
            column("yc_b", "n_b", centres(&|j, _| grid.latitude(j))),
            column("row", "n_s", Column::Ints(rows)),
            column("col", "n_s", Column::Ints(columns)),
            column("S", "n_s", Column::Doubles(weights)),
        ],
        attributes,
    };
    table
        .write(path)
        .map_err(ReprojectionError::WeightsNotWritten)
}

/// What weights depend on.
fn made_for(projection: &Projection) -> [(&'static str, Attribute); 3] {
    let grid = &projection.grid;
    let sizes = [grid.nx as f64, grid.ny as f64];
    let numbers = sizes
        .into_iter()
        .chain([grid.west, grid.south, grid.east, grid.north]);
    [
        (DIGEST, text(&projection.digest)),
        (METHOD, text(projection.method.name())),
        (
            GRID,
            Attribute::Numbers(numbers.map(Number::Float).collect()),
        ),
    ]
}

fn text(text: &str) -> Attribute {
    Attribute::Text(text.to_owned())
}
