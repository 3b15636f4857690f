//! Weights in a NetCDF file, in the layout of ESMF and SCRIP (ESMF reference manual, "Regrid Interpolation Weight File
//! Format"): other tools can apply them, this one takes only its own.

use std::path::Path;

use msm_model::{Attribute, Number};
use msm_plan::Projection;
use msm_reproject::{WeightColumns, Weights};

use crate::source::{ColumnPiece, ColumnValues, StoredTable, Table};
use crate::verbs::reprojection::error::{ReprojectionError, WeightsProblem};

/// The attributes that say what the weights are of.
const DIGEST: &str = "source_digest";
const METHOD: &str = "reprojection_method";
const GRID: &str = "target_grid";
/// Entries that are read at a time.
const PIECE: usize = 1 << 20;

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
    let unreadable = |cause| refuse(WeightsProblem::Unreadable(cause));
    let table = StoredTable::open(path).map_err(unreadable)?;
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
    let [Some(length), Some(of_columns), Some(of_weights)] =
        ["row", "col", "S"].map(|name| table.length(name))
    else {
        return Err(refuse(WeightsProblem::Columns));
    };
    let wrong = |problem| refuse(WeightsProblem::Entries(problem));
    if of_columns != length || of_weights != length {
        return Err(wrong("row, col and S are of different lengths".to_owned()));
    }
    let (cells, grid) = (&projection.cells, &projection.grid);
    let nearest = projection.method.is_nearest();
    let mut entries = WeightColumns::new(cells.ny * cells.nx, grid.len(), nearest);
    for start in (0..length).step_by(PIECE) {
        let range = start..length.min(start + PIECE as u64);
        let read = |name| table.read(name, range.clone()).map_err(unreadable);
        let (ColumnPiece::Ints(rows), ColumnPiece::Ints(columns), ColumnPiece::Doubles(weights)) =
            (read("row")?, read("col")?, read("S")?)
        else {
            return Err(refuse(WeightsProblem::Columns));
        };
        for ((row, column), weight) in rows.into_iter().zip(columns).zip(weights) {
            entries.push(row, column, weight).map_err(wrong)?;
        }
    }
    entries.finish().map(Some).map_err(wrong)
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
    let size = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let mut attributes = vec![
        (
            "title".to_owned(),
            text("Weights of a reprojection by msm_os, rows from the north"),
        ),
        ("conventions".to_owned(), text("SCRIP")),
    ];
    let made_for = made_for(projection).into_iter();
    attributes.extend(made_for.map(|(name, value)| (name.to_owned(), value)));
    let dims =
        |ny: usize, nx: usize| ColumnValues::Ints(Box::new([size(nx), size(ny)].into_iter()));
    let places = || (0..grid.ny).flat_map(|j| (0..grid.nx).map(move |i| (j, i)));
    let longitudes = places().map(|(_, i)| grid.longitude(i));
    let latitudes = places().map(|(j, _)| grid.latitude(j));
    let rows = weights.entries().map(|(row, ..)| size(row + 1));
    let columns = weights
        .entries()
        .map(|(_, cell, _)| size(cell as usize + 1));
    let values = weights.entries().map(|(.., weight)| f64::from(weight));
    let column =
        |name: &str, dimension: &str, values| (name.to_owned(), dimension.to_owned(), values);
    let table = Table {
        dimensions: vec![
            ("n_a".to_owned(), cells.ny * cells.nx),
            ("n_b".to_owned(), grid.len()),
            // NetCDF has no dimension of none but the unlimited one.
            ("n_s".to_owned(), weights.entries().count().max(1)),
            ("src_grid_rank".to_owned(), 2),
            ("dst_grid_rank".to_owned(), 2),
        ],
        columns: vec![
            column("src_grid_dims", "src_grid_rank", dims(cells.ny, cells.nx)),
            column("dst_grid_dims", "dst_grid_rank", dims(grid.ny, grid.nx)),
            column("xc_b", "n_b", ColumnValues::Doubles(Box::new(longitudes))),
            column("yc_b", "n_b", ColumnValues::Doubles(Box::new(latitudes))),
            column("row", "n_s", ColumnValues::Ints(Box::new(rows))),
            column("col", "n_s", ColumnValues::Ints(Box::new(columns))),
            column("S", "n_s", ColumnValues::Doubles(Box::new(values))),
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
