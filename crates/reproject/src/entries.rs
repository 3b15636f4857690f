//! Weights as three columns, as SCRIP and ESMF keep them: target cell, source cell, weight; cells counted from 1.
//!
//! Key type: [`Entries`].

use super::weights::Weights;

/// The entries of a table of weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries {
    /// Target cells, from 1, increasing.
    pub rows: Vec<i32>,
    /// Source cells, from 1.
    pub columns: Vec<i32>,
    /// Their weights.
    pub weights: Vec<f64>,
}

impl Entries {
    /// The entries of `weights`.
    #[must_use]
    pub fn of(weights: &Weights) -> Self {
        let mut entries = Self::default();
        let number = |index: usize| i32::try_from(index + 1).unwrap_or(i32::MAX);
        match weights {
            Weights::One(cells) => {
                for (row, &cell) in cells.iter().enumerate().filter(|e| *e.1 != Weights::NONE) {
                    entries.rows.push(number(row));
                    entries.columns.push(number(cell as usize));
                    entries.weights.push(1.0);
                }
            }
            Weights::Many {
                starts,
                cells,
                weights,
            } => {
                for (row, ends) in starts.windows(2).enumerate() {
                    let count = (ends[1] - ends[0]) as usize;
                    entries.rows.extend(std::iter::repeat_n(number(row), count));
                }
                let cells = cells.iter().map(|&cell| number(cell as usize));
                entries.columns.extend(cells);
                entries
                    .weights
                    .extend(weights.iter().copied().map(f64::from));
            }
        }
        entries
    }

    /// The weights with these entries, of so many `target` cells from so many `source` cells; one for each target cell if
    /// they are of a nearest method.
    ///
    /// # Errors
    /// What is wrong with an entry.
    pub fn to_weights(
        &self,
        source: usize,
        target: usize,
        nearest: bool,
    ) -> Result<Weights, String> {
        let count = self.rows.len();
        if self.columns.len() != count || self.weights.len() != count {
            return Err("row, col and S are of different lengths".to_owned());
        }
        let index = |number: i32, size: usize| {
            let index = usize::try_from(number).ok()?.checked_sub(1)?;
            (index < size).then_some(index)
        };
        let mut cells = Vec::with_capacity(count);
        let mut starts: Vec<u32> = Vec::with_capacity(target + 1);
        for (at, (&row, &column)) in self.rows.iter().zip(&self.columns).enumerate() {
            let (Some(row), Some(cell)) = (index(row, target), index(column, source)) else {
                return Err(format!(
                    "entry {at} is of target cell {row} and source cell {column}; expected at most {target} and {source}"
                ));
            };
            if row + 1 < starts.len() {
                return Err(format!(
                    "entry {at} is of target cell {} after a later one",
                    row + 1
                ));
            }
            starts.resize(row + 1, at as u32);
            cells.push(cell as u32);
        }
        starts.resize(target + 1, count as u32);
        if let Some(at) = self
            .weights
            .iter()
            .position(|w| !w.is_finite() || nearest && *w != 1.0)
        {
            return Err(format!("entry {at} has weight {}", self.weights[at]));
        }
        if !nearest {
            let weights = self.weights.iter().map(|&weight| weight as f32);
            return Ok(Weights::Many {
                starts,
                cells,
                weights: weights.collect(),
            });
        }
        let one = starts.windows(2).map(|ends| match ends[1] - ends[0] {
            0 => Ok(Weights::NONE),
            1 => Ok(cells[ends[0] as usize]),
            more => Err(format!("a target cell has {more} entries, expected one")),
        });
        one.collect::<Result<_, _>>().map(Weights::One)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_back_as_they_went() {
        let one = Weights::One(vec![2, Weights::NONE, 0, 2, Weights::NONE]);
        let many = Weights::Many {
            starts: vec![0, 0, 2, 3, 3],
            cells: vec![0, 4, 2],
            weights: vec![0.1, 0.9, 1.0],
        };
        for (weights, nearest) in [(one, true), (many, false)] {
            let entries = Entries::of(&weights);
            assert_eq!(entries.to_weights(5, weights.len(), nearest), Ok(weights));
        }
    }

    #[test]
    fn entries_that_cannot_be_are_refused() {
        let entries = |rows: &[i32], columns: &[i32], weights: &[f64]| Entries {
            rows: rows.to_vec(),
            columns: columns.to_vec(),
            weights: weights.to_vec(),
        };
        for (case, nearest) in [
            (entries(&[1, 2], &[1], &[1.0, 1.0]), true),
            (entries(&[1, 4], &[1, 1], &[1.0, 1.0]), true),
            (entries(&[1, 2], &[1, 6], &[1.0, 1.0]), false),
            (entries(&[0, 2], &[1, 1], &[1.0, 1.0]), false),
            (entries(&[2, 1], &[1, 1], &[1.0, 1.0]), false),
            (entries(&[1, 1], &[1, 2], &[1.0, 1.0]), true),
            (entries(&[1, 2], &[1, 2], &[1.0, 0.5]), true),
            (entries(&[1, 2], &[1, 2], &[1.0, f64::NAN]), false),
        ] {
            assert!(case.to_weights(5, 3, nearest).is_err(), "{case:?}");
        }
    }
}
