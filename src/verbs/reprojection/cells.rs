//! The cells of a model's grid, read from the files that say where they are.

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use msm_model::{DType, Hyperslab, Number};
use msm_plan::{Cells, CornerFields, Field};
use msm_reproject::{Coordinates, Corners, GridError, SourceGrid};

use crate::error::Error;
use crate::source::{Reader, SourceError};
use crate::verbs::reprojection::error::ReprojectionError;

/// Corners of a cell.
const CORNERS: usize = 4;

/// Reads the cells. Values that are missing are NaN.
///
/// # Errors
/// If a file cannot be read, or what it holds is no grid.
pub(in crate::verbs) fn read_cells(cells: &Cells) -> Result<SourceGrid, Error> {
    let plane = |field: &Field| read(field, &[cells.ny, cells.nx]);
    let (longitude, latitude) = (plane(&cells.longitude)?, plane(&cells.latitude)?);
    let corners = match &cells.corners {
        None => None,
        Some(CornerFields::Bounds([longitude, latitude])) => {
            let shape = [cells.ny, cells.nx, CORNERS];
            Some(Corners::new(
                read(longitude, &shape)?,
                read(latitude, &shape)?,
            ))
        }
        Some(CornerFields::Points([longitude, latitude], offset)) => {
            let (longitude, latitude) = (plane(longitude)?, plane(latitude)?);
            let size = [cells.ny, cells.nx];
            Some(Corners::from_points(longitude, latitude, size, *offset))
        }
    };
    let grid = SourceGrid::new(cells.ny, cells.nx, longitude, latitude, corners);
    Ok(grid.map_err(|cause| no_grid(cells, cause))?)
}

/// Reads so many values of a variable of one dimension. Those that are missing are NaN.
///
/// # Errors
/// If the file cannot be read.
pub(in crate::verbs) fn read_axis(field: &Field, length: usize) -> Result<Vec<f64>, SourceError> {
    let values = read(field, &[length])?;
    Ok((0..values.len()).map(|index| values.at(index)).collect())
}

/// The digest of the cells' coordinates, and corners if they have any: the same bytes, whatever file they are in.
pub(in crate::verbs) fn digest_of(grid: &SourceGrid) -> String {
    let mut digest = Md5::new();
    let sizes = [grid.ny as u64, grid.nx as u64];
    digest.update(sizes.map(u64::to_le_bytes).concat());
    for values in [&grid.longitude, &grid.latitude] {
        for index in 0..values.len() {
            digest.update(values.at(index).to_le_bytes());
        }
    }
    if let Some(corners) = &grid.corners {
        let all = || (0..grid.ny * grid.nx).flat_map(|cell| corners.of(cell));
        let longitudes = all().map(|corner| corner.0);
        for value in longitudes.chain(all().map(|corner| corner.1)) {
            digest.update(value.to_le_bytes());
        }
    }
    HEXLOWER.encode(&digest.finalize())
}

/// What is wrong with the grid of these cells.
pub(in crate::verbs) fn no_grid(cells: &Cells, cause: GridError) -> ReprojectionError {
    let Field { path, variable, .. } = &cells.longitude;
    ReprojectionError::Source {
        path: path.clone(),
        longitude: variable.clone(),
        latitude: cells.latitude.variable.clone(),
        cause,
    }
}

/// The values of a variable of this shape, row-major.
fn read(field: &Field, shape: &[usize]) -> Result<Coordinates, SourceError> {
    let slab = Hyperslab {
        start: vec![0; field.leading + shape.len()],
        count: std::iter::repeat_n(1, field.leading)
            .chain(shape.iter().map(|&n| n as u64))
            .collect(),
    };
    let size = field.dtype.size();
    let reader = Reader::new(vec![field.path.clone()]);
    let bytes = reader.read_whole(0, &field.variable, size, &slab)?;
    let fill = field.fill.map(Number::as_f64);
    let numbers = field.dtype.numbers(&bytes).map(Number::as_f64);
    let values = numbers.map(|value| {
        // One NaN for all, for the digest.
        let missing = value.is_nan() || Some(value) == fill;
        if missing { f64::NAN } else { value }
    });
    Ok(if field.dtype == DType::F32 {
        let mut all: Vec<f32> = Vec::with_capacity(bytes.len() / size);
        all.extend(values.map(|value| value as f32));
        all.into()
    } else {
        let mut all: Vec<f64> = Vec::with_capacity(bytes.len() / size);
        all.extend(values);
        all.into()
    })
}
