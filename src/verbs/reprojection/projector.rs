//! Rank 0: what is reprojected in which store, and how. What a store has already goes before what the command line asks for.
//!
//! Key type: [`Projector`].

use std::collections::BTreeSet;

use msm_model::{Archive, HorizontalCoordinates, Variable};
use msm_plan::{
    Cells, DerivedVariable, Field, PlanError, Projection, coordinates, foreign_projection,
    projected, projected_name, reprojection_record,
};
use msm_reproject::{Method, TargetGrid};
use msm_zarr::{StoreSnapshot, StoredArray};

use crate::error::Error;
use crate::events::{Notice, ReprojectionObstacle};
use crate::session::Session;
use crate::verbs::files::requested::RequestedStore;
use crate::verbs::reprojection::cells::{digest_of, read_cells};
use crate::verbs::reprojection::corners::{Domain, corners};
use crate::verbs::reprojection::error::ReprojectionError;
use crate::verbs::reprojection::foreign::check_replaced;
use crate::verbs::reprojection::reprojectable::{
    check_flags, check_names, check_type, field, reprojectable,
};
use crate::verbs::reprojection::request::Reprojection;

/// Finds out how variables are reprojected; remembers what it found.
pub(in crate::verbs) struct Projector<'a> {
    /// What is asked for; `None` where only stores do.
    pub(in crate::verbs) asked: Option<&'a Reprojection>,
    /// Are the weights kept in a file?
    keeps: bool,
    domain: Domain,
    /// How far coordinates may be from the store's.
    tolerance: f64,
    projections: Vec<Projection>,
    /// Cells that were read, with their digests.
    digests: Vec<(Cells, String)>,
    /// Why variables are not reprojected.
    reasons: BTreeSet<(String, ReprojectionObstacle)>,
    /// Arrays of another tool that are left as they are.
    pub(in crate::verbs) left_alone: BTreeSet<(String, String)>,
}

impl<'a> Projector<'a> {
    /// For what is `asked`, and for what stores have; does it keep weights? Corners may come from the `domain` file. With any `tolerance`,
    /// coordinates may differ from those that a store's arrays were reprojected by: how far, their comparison tells.
    pub(in crate::verbs) fn new(
        asked: Option<&'a Reprojection>,
        keeps: bool,
        domain: Domain,
        tolerance: f64,
    ) -> Self {
        Self {
            asked,
            keeps,
            domain,
            tolerance,
            projections: Vec::new(),
            digests: Vec::new(),
            reasons: BTreeSet::new(),
            left_alone: BTreeSet::new(),
        }
    }

    /// All that was found so far; later calls of [`Self::added`] on the same stores find nothing else.
    pub(in crate::verbs) fn projections(&self) -> &[Projection] {
        &self.projections
    }

    /// Says what is not reprojected, and why.
    ///
    /// # Errors
    /// If nothing is that was to be, the weights do not fit into so much `memory`, or the domain file is of no use.
    pub(in crate::verbs) fn conclude(
        &self,
        memory: u64,
        session: &Session<'_>,
    ) -> Result<(), Error> {
        // Where another tool's arrays are left alone, nothing is wrong with the files.
        if self.asked.is_some() && self.projections.is_empty() && self.left_alone.is_empty() {
            let reasons = self.reasons.iter().cloned().collect();
            return Err(ReprojectionError::Nothing { reasons }.into());
        }
        for (variable, reason) in &self.reasons {
            session.notice(Notice::NotReprojected {
                variable: variable.clone(),
                reason: *reason,
            });
        }
        if !self.left_alone.is_empty() {
            session.notice(Notice::LeftAlone {
                arrays: self.left_alone.iter().cloned().collect(),
            });
        }
        if self.keeps && self.projections.is_empty() {
            return Err(ReprojectionError::UnusedWeights.into());
        }
        if self.keeps && self.projections.len() > 1 {
            let grids = self.projections.len();
            return Err(ReprojectionError::SeveralGrids { grids }.into());
        }
        let threads = session.pool.current_num_threads() as u64;
        for (projection, needed) in Projection::peaks(&self.projections, threads) {
            if needed > memory {
                let longitude = projection.cells.longitude.variable.clone();
                return Err(PlanError::WeightsMemory { longitude, needed }.into());
            }
        }
        Ok(self.domain.check_use(&self.projections)?)
    }

    /// What the store of `target` gets beside what the files have.
    pub(in crate::verbs) fn added(
        &mut self,
        archive: &Archive,
        target: &RequestedStore,
        stored: Option<&StoreSnapshot>,
        session: &Session<'_>,
    ) -> Result<Vec<DerivedVariable>, Error> {
        let arrays = stored.map_or(&[][..], |stored| &stored.arrays);
        let of_store = arrays
            .iter()
            .find_map(|array| reprojection_record(&array.attributes, &array.shape));
        let mut grid = of_store.map(|held| held.grid);
        let foreign: Vec<&StoredArray> = arrays
            .iter()
            .filter(|array| foreign_projection(array).is_some())
            .collect();
        let replaces = self.replaces(target, &foreign, &archive.append_dimension);
        if replaces && grid.is_none() {
            grid = self.grid_of(&foreign);
        }
        let mut all = Vec::new();
        for main in &target.mains {
            let Some(variable) = archive.catalogue.variable(main) else {
                continue;
            };
            let array = arrays.iter().find(|a| a.name == projected_name(main));
            let is_foreign = array.is_some_and(|a| foreign_projection(a).is_some());
            let index = match array {
                Some(array) if !is_foreign => {
                    Some(self.as_held(archive, target, variable, array, session)?)
                }
                // Coordinates of both would have the same names.
                _ if !foreign.is_empty() && !replaces => None,
                _ => self.as_asked(archive, target, variable, grid.as_ref(), session)?,
            };
            let Some(index) = index else { continue };
            let projection = &self.projections[index];
            let of_store = *grid.get_or_insert(projection.grid);
            if of_store != projection.grid {
                return Err(ReprojectionError::TwoGrids {
                    store: target.key.clone(),
                    variable: main.clone(),
                    grid: projection.grid,
                    other: of_store,
                }
                .into());
            }
            all.push(DerivedVariable {
                replaces: is_foreign,
                ..projected(variable, projection, index)
            });
        }
        check_replaced(target, &foreign, &all)?;
        if let (Some(grid), false) = (grid, all.is_empty()) {
            let there =
                |added: &DerivedVariable| arrays.iter().any(|a| a.name == added.variable.name);
            all.extend(coordinates(&grid).into_iter().map(|added| DerivedVariable {
                replaces: replaces && there(&added),
                ..added
            }));
            check_names(archive, &all)?;
        }
        Ok(all)
    }

    /// How `variable` goes on in the `array` that the store has of it.
    fn as_held(
        &mut self,
        archive: &Archive,
        target: &RequestedStore,
        variable: &Variable,
        array: &StoredArray,
        session: &Session<'_>,
    ) -> Result<usize, Error> {
        let names = || (target.key.clone(), array.name.clone());
        let Some(held) = reprojection_record(&array.attributes, &array.shape) else {
            let (store, array) = names();
            return Err(ReprojectionError::Unexplained { store, array }.into());
        };
        let Some(horizontal) = archive.catalogue.horizontal(variable) else {
            let (store, array) = names();
            return Err(ReprojectionError::NoLongerTwoDimensional {
                store,
                array,
                variable: variable.name.clone(),
            }
            .into());
        };
        let cells = self.cells(archive, variable, &horizontal, held.method)?;
        if let Some(asked) = self.asked {
            check_flags(asked, &held, &cells, target, array)?;
        }
        let index = self.projection(cells, held.method, held.grid, session)?;
        let found = &self.projections[index].digest;
        if *found != held.digest && self.tolerance == 0.0 {
            let (store, array) = names();
            return Err(ReprojectionError::OtherSource {
                store,
                array,
                longitude: horizontal.longitude,
                latitude: horizontal.latitude,
                stored: held.digest,
                found: found.clone(),
            }
            .into());
        }
        Ok(index)
    }

    /// How `variable` is reprojected if the command line asks for it; to the `grid` that the store has, if it has one.
    fn as_asked(
        &mut self,
        archive: &Archive,
        target: &RequestedStore,
        variable: &Variable,
        grid: Option<&TargetGrid>,
        session: &Session<'_>,
    ) -> Result<Option<usize>, Error> {
        let Some(request) = self.asked else {
            return Ok(None);
        };
        let method = request.method.unwrap_or_default();
        let horizontal = match reprojectable(archive, variable, request) {
            Ok(horizontal) => horizontal,
            Err(reason) => {
                // Bounds have stores of their own in other tools' archives, and are not asked for.
                if archive.catalogue.data_variables().contains(&variable.name) {
                    let reason = reason.map(|reason| (variable.name.clone(), reason));
                    self.reasons.extend(reason);
                }
                return Ok(None);
            }
        };
        check_type(variable, method)?;
        let cells = self.cells(archive, variable, &horizontal, method)?;
        let asked = request.grid.target(cells.nx, cells.ny)?;
        let grid = match grid {
            Some(grid) if request.grid.is_made() && *grid != asked => {
                return Err(ReprojectionError::GridOfStore {
                    store: target.key.clone(),
                    stored: *grid,
                    asked,
                }
                .into());
            }
            Some(grid) => *grid,
            None => asked,
        };
        self.projection(cells, method, grid, session).map(Some)
    }

    /// The index of this projection.
    fn projection(
        &mut self,
        cells: Cells,
        method: Method,
        grid: TargetGrid,
        session: &Session<'_>,
    ) -> Result<usize, Error> {
        let same = |p: &Projection| p.cells == cells && p.method == method && p.grid == grid;
        if let Some(index) = self.projections.iter().position(same) {
            return Ok(index);
        }
        let digest = self.digest(&cells, session)?;
        self.projections.push(Projection {
            cells,
            method,
            grid,
            digest,
        });
        Ok(self.projections.len() - 1)
    }

    fn digest(&mut self, cells: &Cells, session: &Session<'_>) -> Result<String, Error> {
        if let Some((_, digest)) = self.digests.iter().find(|(known, _)| known == cells) {
            return Ok(digest.clone());
        }
        let grid = session.pool.install(|| read_cells(cells))?;
        if grid.holes > 0 {
            let Field { path, variable, .. } = &cells.longitude;
            session.notice(Notice::Holes {
                file: path.clone(),
                coordinates: [variable.clone(), cells.latitude.variable.clone()],
                holes: grid.holes,
                cells: cells.len(),
            });
        }
        let digest = digest_of(&grid);
        self.digests.push((cells.clone(), digest.clone()));
        Ok(digest)
    }

    /// The cells that `variable` lies on, with their corners if `method` needs them.
    fn cells(
        &self,
        archive: &Archive,
        variable: &Variable,
        horizontal: &HorizontalCoordinates,
        method: Method,
    ) -> Result<Cells, Error> {
        let sizes: Vec<usize> = variable.shape[variable.shape.len() - 2..]
            .iter()
            .map(|&n| usize::try_from(n).unwrap_or(usize::MAX))
            .collect();
        let (ny, nx) = (sizes[0], sizes[1]);
        if ny.saturating_mul(nx) >= u32::MAX as usize {
            let variable = variable.name.clone();
            return Err(ReprojectionError::SourceCells { variable, ny, nx }.into());
        }
        let corners = match method {
            Method::Conservative => Some(corners(archive, horizontal, &self.domain)?),
            _ => None,
        };
        Ok(Cells {
            ny,
            nx,
            coordinates: [horizontal.longitude.clone(), horizontal.latitude.clone()],
            longitude: field(archive, &horizontal.longitude)?,
            latitude: field(archive, &horizontal.latitude)?,
            corners,
        })
    }
}
