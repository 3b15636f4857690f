//! What can be reprojected, and whether it fits what the command line asks for.

use msm_model::{Archive, HorizontalCoordinates, Variable, VariableType};
use msm_plan::{Cells, DerivedVariable, Field, ReprojectionRecord};
use msm_reproject::Method;
use msm_zarr::StoredArray;

use crate::error::Error;
use crate::events::ReprojectionObstacle;
use crate::verbs::files::requested::RequestedStore;
use crate::verbs::reprojection::error::ReprojectionError;
use crate::verbs::reprojection::request::Reprojection;

/// The coordinates of `variable`, if it is one to be reprojected.
pub(in crate::verbs) fn reprojectable(
    archive: &Archive,
    variable: &Variable,
    asked: &Reprojection,
) -> Result<HorizontalCoordinates, Option<ReprojectionObstacle>> {
    let others = variable.dimensions.iter();
    if others.filter(|d| **d != archive.append_dimension).count() < 2 {
        return Err(None);
    }
    let Some(horizontal) = archive.catalogue.horizontal(variable) else {
        return Err(Some(ReprojectionObstacle::NoCoordinates));
    };
    let plane = &variable.dimensions[variable.dimensions.len() - 2..];
    if plane.contains(&archive.append_dimension) {
        return Err(Some(ReprojectionObstacle::AppendsPlane));
    }
    if !matches!(variable.kind, VariableType::Number(_)) {
        return Err(Some(ReprojectionObstacle::NoNumbers));
    }
    if variable.is_component(horizontal.point) && !asked.vector_components {
        return Err(Some(ReprojectionObstacle::VectorComponent));
    }
    Ok(horizontal)
}

/// Integers have no NaN for where there is no value, and means of those that stand for others mean nothing.
pub(in crate::verbs) fn check_type(
    variable: &Variable,
    method: Method,
) -> Result<(), ReprojectionError> {
    let VariableType::Number(dtype) = variable.kind else {
        return Ok(());
    };
    if method.is_nearest() || dtype.is_float() {
        return Ok(());
    }
    let problem = if variable.attribute("_Unsigned").is_some() {
        "is read through _Unsigned"
    } else if variable.fill_value().is_none() {
        "has no _FillValue to stand where there is no value"
    } else {
        return Ok(());
    };
    Err(ReprojectionError::Type {
        variable: variable.name.clone(),
        dtype,
        problem: problem.into(),
        method,
    })
}

/// The flags must not ask for something else than what the store has.
pub(in crate::verbs) fn check_flags(
    asked: &Reprojection,
    held: &ReprojectionRecord,
    cells: &Cells,
    target: &RequestedStore,
    array: &StoredArray,
) -> Result<(), ReprojectionError> {
    let (store, array) = (target.key.clone(), array.name.clone());
    if let Some(method) = asked.method.filter(|method| *method != held.method) {
        return Err(ReprojectionError::MethodOfArray {
            store,
            array,
            stored: held.method,
            asked: method,
        });
    }
    if asked.grid.is_made() {
        let grid = asked.grid.target(cells.nx, cells.ny)?;
        if grid != held.grid {
            return Err(ReprojectionError::GridOfArray {
                store,
                array,
                stored: held.grid,
                asked: grid,
            });
        }
    }
    Ok(())
}

/// No variable or dimension of the files may have a name that is needed.
pub(in crate::verbs) fn check_names(
    archive: &Archive,
    added: &[DerivedVariable],
) -> Result<(), ReprojectionError> {
    for DerivedVariable { variable, .. } in added {
        let name = &variable.name;
        if archive.catalogue.variable(name).is_some() || archive.catalogue.dimension(name).is_some()
        {
            return Err(ReprojectionError::NameTaken {
                path: archive.catalogue.path.clone(),
                name: name.clone(),
            });
        }
    }
    Ok(())
}

/// Where the values of the coordinate `name` are, those that are borrowed included.
pub(in crate::verbs) fn field(archive: &Archive, name: &str) -> Result<Field, Error> {
    let catalogue = &archive.catalogue;
    let Some(variable) = catalogue.variable(name) else {
        return Err(catalogue.unknown_variable(name).into());
    };
    let packed = ["scale_factor", "add_offset"].map(|name| variable.attribute(name).is_some());
    if packed.contains(&true) || !matches!(variable.kind, VariableType::Number(_)) {
        return Err(ReprojectionError::Packed {
            path: catalogue.path.clone(),
            name: name.to_owned(),
        }
        .into());
    }
    let dtype = variable.dtype(&catalogue.path)?;
    let borrowed = archive.borrowed.variables.get(name);
    let in_file = catalogue.name_in_file(name);
    let (path, variable_there, leading) = match (borrowed, &archive.borrowed.path) {
        (Some((there, leading)), Some(path)) => (path.clone(), there.clone(), *leading),
        _ => (archive.files[0].path().clone(), in_file.to_owned(), 0),
    };
    Ok(Field {
        path,
        variable: variable_there,
        dtype,
        leading,
        fill: variable.fill_value().and_then(|fill| dtype.rounded(fill)),
    })
}
