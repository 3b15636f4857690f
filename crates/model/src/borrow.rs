//! Coordinates whose values come from another file: XIOS writes `nav_lon` and `nav_lat` with holes where it cut out land
//! processors, the domain file has them whole.
//!
//! Key type: [`BorrowedCoordinates`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::archive::Archive;
use super::catalogue::Catalogue;
use super::error::ArchiveError;
use super::problems::Problems;

/// Which coordinates come from another file.
#[derive(Clone, Debug, Default)]
pub struct BorrowedCoordinates {
    /// That file; `None` when nothing is borrowed.
    pub path: Option<PathBuf>,
    /// By coordinate: the variable there, and how many dimensions of size one it has before the coordinate's.
    pub variables: BTreeMap<String, (String, usize)>,
}

impl Archive {
    /// Takes the values of coordinates from variables of `grid`, as `named` says by coordinate: its type and values, with
    /// the coordinate's own dimensions and attributes.
    ///
    /// # Errors
    /// All that is missing or of another shape.
    pub fn borrow_coordinates(
        &mut self,
        grid: &Catalogue,
        named: &BTreeMap<String, String>,
    ) -> Result<(), Problems<ArchiveError>> {
        let mut problems = Vec::new();
        for (coordinate, variable) in named {
            if let Err(problem) = self.borrow_one(grid, coordinate, variable) {
                problems.push(problem);
            }
        }
        self.borrowed.path = Some(grid.path.clone());
        Problems::together(problems)
    }

    fn borrow_one(
        &mut self,
        grid: &Catalogue,
        coordinate: &str,
        variable: &str,
    ) -> Result<(), ArchiveError> {
        let lender = grid.variable(variable);
        let lender = lender.ok_or_else(|| grid.unknown_variable(variable))?;
        lender.dtype(&grid.path)?;
        let path = self.catalogue.path.clone();
        if self.catalogue.variable(coordinate).is_none() {
            return Err(self.catalogue.unknown_variable(coordinate));
        }
        let variables = self.catalogue.variables.iter_mut();
        for taker in variables.filter(|v| v.name == coordinate) {
            let leading = lender.shape.len().saturating_sub(taker.shape.len());
            let fits = lender.shape[..leading].iter().all(|&n| n == 1)
                && lender.shape[leading..] == taker.shape[..]
                && !taker.dimensions.contains(&self.append_dimension);
            if !fits {
                return Err(ArchiveError::Unsupported {
                    path,
                    variable: coordinate.to_owned(),
                    problem: format!(
                        "has dimensions {:?} of sizes {:?}, and cannot take its values from '{variable}' of {}, which has \
                         sizes {:?}",
                        taker.dimensions,
                        taker.shape,
                        grid.path.display(),
                        lender.shape
                    ),
                });
            }
            taker.kind = lender.kind.clone();
            taker.stored_chunks = lender.stored_chunks.as_ref().map(|c| c[leading..].to_vec());
            self.borrowed
                .variables
                .insert(coordinate.to_owned(), (variable.to_owned(), leading));
        }
        Ok(())
    }
}
