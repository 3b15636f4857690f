//! One file of an archive: what it holds, and its steps.
//!
//! Key type: [`SourceFile`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::axis::{Axis, AxisValues};
use super::catalogue::Catalogue;
use super::error::{ArchiveError, choices};
use super::step::Step;
use super::time_from::FileView;
use super::variable::Variable;

/// One file of an archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    /// What it holds.
    pub catalogue: Catalogue,
    /// What tells its steps apart; without any in a static file, which has no append dimension.
    pub axis: Axis,
    /// What else could, if other files of the archive say so.
    pub others: Vec<Axis>,
}

impl SourceFile {
    /// A file that holds `catalogue`, with the axis of the append dimension, which is empty if the file is a static one;
    /// `read` reads what is called so in the file, and is such a variable.
    ///
    /// # Errors
    /// If it holds a piece of its fields only, lacks the append dimension, an axis or any step, or a step is no finite number.
    pub fn new<E: From<ArchiveError>>(
        catalogue: Catalogue,
        view: FileView<'_>,
        read: impl Fn(&str, &Variable) -> Result<AxisValues, E>,
    ) -> Result<Self, E> {
        let dimension = view.dimension;
        if let Some(total) = catalogue.pieces() {
            return Err(ArchiveError::Piece {
                path: catalogue.path,
                total,
            }
            .into());
        }
        let catalogue = match view.recipe {
            Some(recipe) => catalogue.with_recipe(recipe, dimension)?,
            None => catalogue,
        };
        if dimension.is_empty() {
            return Ok(Self {
                catalogue,
                axis: Axis::default(),
                others: Vec::new(),
            });
        }
        let Some(length) = catalogue.dimension(dimension) else {
            let found = catalogue.dimensions.iter().map(|d| d.0.as_str());
            return Err(ArchiveError::NoAppendDimension {
                path: catalogue.path.clone(),
                dimension: dimension.to_owned(),
                found: choices(dimension, found),
            }
            .into());
        };
        let catalogue = catalogue.with_times(view)?;
        let mut axes = catalogue.axes(dimension, |variable| {
            read(catalogue.name_in_file(&variable.name), variable)
        })?;
        if length == 0 {
            return Err(ArchiveError::NoSteps {
                path: catalogue.path,
                dimension: dimension.to_owned(),
            }
            .into());
        }
        let others = axes.split_off(1);
        let axis = axes.remove(0);
        Ok(Self {
            catalogue,
            axis,
            others,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &PathBuf {
        &self.catalogue.path
    }

    /// The values of its axis, one a step.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.axis.steps
    }

    /// Lets the `variable` tell the steps apart, if it can.
    pub(super) fn take_axis(&mut self, variable: &str) {
        if self.axis.variable == variable {
            return;
        }
        if let Some(other) = self.others.iter_mut().find(|a| a.variable == variable) {
            std::mem::swap(&mut self.axis, other);
        }
    }

    /// The step that does not come after the one before it, if there is one.
    pub(super) fn unsorted(&self) -> Option<usize> {
        let steps = self.steps();
        (1..steps.len()).find(|&i| !steps[i].is_after(steps[i - 1]))
    }
}
