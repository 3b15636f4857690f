//! Where the corners of cells are said: in the bounds of their coordinates, or in the domain file.
//!
//! Key types: [`DomainFile`]; [`Domain`], the same opened.

use std::collections::BTreeMap;
use std::path::PathBuf;

use msm_model::{Archive, Catalogue, GridPoint, HorizontalCoordinates, Variable};
use msm_plan::{CornerFields, Field, Projection};

use crate::error::Error;
use crate::source::read_catalogue;
use crate::verbs::reprojection::error::ReprojectionError;
use crate::verbs::reprojection::reprojectable::field;

/// A file that says where cells are, such as NEMO's domain file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainFile {
    /// The file.
    pub path: PathBuf,
    /// Coordinates that are taken from it, by name, each with the variable there; `None` takes corners of cells alone.
    pub coordinates: Option<BTreeMap<String, String>>,
}

/// The file, opened, and whether coordinates are borrowed from it.
#[derive(Default)]
pub(in crate::verbs) struct Domain {
    catalogue: Option<Catalogue>,
    lends: bool,
}

impl Domain {
    /// Opens the `file`, if there is one, and lends the `archive` the coordinates that it is to.
    pub(in crate::verbs) fn open(
        file: Option<&DomainFile>,
        archive: &mut Archive,
    ) -> Result<Self, Error> {
        let Some(DomainFile { path, coordinates }) = file else {
            return Ok(Self::default());
        };
        let catalogue = read_catalogue(path)?;
        if let Some(coordinates) = coordinates {
            archive.borrow_coordinates(&catalogue, coordinates)?;
        }
        Ok(Self {
            catalogue: Some(catalogue),
            lends: coordinates.is_some(),
        })
    }

    /// Checks that something comes from the file.
    pub(in crate::verbs) fn check_use(
        &self,
        projections: &[Projection],
    ) -> Result<(), ReprojectionError> {
        let points = |p: &Projection| matches!(p.cells.corners, Some(CornerFields::Points(..)));
        if self.catalogue.is_none() || self.lends || projections.iter().any(points) {
            return Ok(());
        }
        Err(ReprojectionError::UnusedFile)
    }
}

/// Where the corners of the cells at `horizontal` are. Bounds go before the domain file, but where the coordinates are
/// borrowed: the file's own have holes then, and so have their bounds.
pub(in crate::verbs) fn corners(
    archive: &Archive,
    horizontal: &HorizontalCoordinates,
    domain: &Domain,
) -> Result<CornerFields, Error> {
    let borrowed = archive
        .borrowed
        .variables
        .contains_key(&horizontal.longitude);
    let bounds = || bounds(archive, horizontal);
    let points = || points(archive, horizontal, domain);
    let found = if borrowed {
        points()?.map_or_else(bounds, |found| Ok(Some(found)))?
    } else {
        bounds()?.map_or_else(points, |found| Ok(Some(found)))?
    };
    let missing = || ReprojectionError::NoCorners {
        longitude: horizontal.longitude.clone(),
        latitude: horizontal.latitude.clone(),
        corners: names(horizontal.point).0.map(str::to_owned),
    };
    Ok(found.ok_or_else(missing)?)
}

fn bounds(
    archive: &Archive,
    horizontal: &HorizontalCoordinates,
) -> Result<Option<CornerFields>, Error> {
    let mut fields = Vec::new();
    for name in [&horizontal.longitude, &horizontal.latitude] {
        let Some(coordinate) = archive.catalogue.variable(name) else {
            return Ok(None);
        };
        let bounds = coordinate.words("bounds").next();
        let bounds = bounds.and_then(|bounds| archive.catalogue.variable(bounds));
        let four = |v: &&Variable| v.shape == [&coordinate.shape[..], &[4]].concat();
        let Some(bounds) = bounds.filter(four) else {
            return Ok(None);
        };
        fields.push(field(archive, &bounds.name)?);
    }
    Ok(<[Field; 2]>::try_from(fields)
        .ok()
        .map(CornerFields::Bounds))
}

/// The points at the corners, as the domain file calls them, and where the north-eastern one lies (NEMO reference manual,
/// "Arrangement of variables": T is in the middle, U to its east, V to its north, F to its north-east).
fn names(point: Option<GridPoint>) -> ([&'static str; 2], [usize; 2]) {
    match point {
        None | Some(GridPoint::T | GridPoint::W) => (["glamf", "gphif"], [0, 0]),
        Some(GridPoint::U) => (["glamv", "gphiv"], [0, 1]),
        Some(GridPoint::V) => (["glamu", "gphiu"], [1, 0]),
        Some(GridPoint::F) => (["glamt", "gphit"], [1, 1]),
    }
}

fn points(
    archive: &Archive,
    horizontal: &HorizontalCoordinates,
    domain: &Domain,
) -> Result<Option<CornerFields>, Error> {
    let Some(catalogue) = &domain.catalogue else {
        return Ok(None);
    };
    let (names, offset) = names(horizontal.point);
    let expected = archive.catalogue.variable(&horizontal.longitude);
    let expected = expected.map_or_else(Vec::new, |v| v.shape.clone());
    let mut fields = Vec::new();
    for name in names {
        let Some(variable) = catalogue.variable(name) else {
            return Ok(None);
        };
        let leading = variable.shape.len().saturating_sub(expected.len());
        let fits = variable.shape[..leading].iter().all(|&n| n == 1)
            && variable.shape[leading..] == expected[..];
        if !fits {
            return Err(ReprojectionError::CornerSizes {
                path: catalogue.path.clone(),
                variable: name.to_owned(),
                found: variable.shape.clone(),
                longitude: horizontal.longitude.clone(),
                expected,
            }
            .into());
        }
        let dtype = variable.dtype(&catalogue.path)?;
        fields.push(Field {
            path: catalogue.path.clone(),
            variable: name.to_owned(),
            dtype,
            leading,
            fill: variable.fill_value().and_then(|fill| dtype.rounded(fill)),
        });
    }
    let fields = <[Field; 2]>::try_from(fields).ok();
    Ok(fields.map(|fields| CornerFields::Points(fields, offset)))
}
