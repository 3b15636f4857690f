//! What the values of a field come to, cell by cell.
//!
//! Key type: [`Tally`], which adds up.

use msm_chart::Statistics;
use serde::{Deserialize, Serialize};

/// Values and the areas of their cells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    least: f64,
    greatest: f64,
    /// Of values by their areas.
    sum: f64,
    areas: f64,
    values: u64,
    /// How many are infinite; these are in nothing else.
    pub(super) infinite: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            sum: 0.0,
            areas: 0.0,
            values: 0,
            infinite: 0,
        }
    }
}

impl Tally {
    /// Has it met no value at all?
    pub(super) fn is_empty(&self) -> bool {
        self.values + self.infinite == 0
    }

    /// Counts `value`, unless it is none.
    pub(super) fn count(&mut self, value: f64, area: f64) {
        if value.is_infinite() {
            self.infinite += 1;
        } else if !value.is_nan() {
            self.least = self.least.min(value);
            self.greatest = self.greatest.max(value);
            self.sum += value * area;
            self.areas += area;
            self.values += 1;
        }
    }

    /// Counts what `other` has counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.sum += other.sum;
        self.areas += other.areas;
        self.values += other.values;
        self.infinite += other.infinite;
    }

    /// The mean by area; NaN of nothing.
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.areas
    }

    /// Range and mean; `None` without a finite value.
    pub(super) fn statistics(&self) -> Option<Statistics> {
        (self.values > 0).then(|| Statistics {
            least: self.least,
            greatest: self.greatest,
            mean: self.mean(),
            values: usize::try_from(self.values).unwrap_or(usize::MAX),
        })
    }
}
