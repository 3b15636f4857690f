//! Weights from three columns, as SCRIP and ESMF keep them: target cell, source cell, weight; cells counted from 1.
//!
//! Key type: [`WeightColumns`].

use super::sparse::SparseBuilder;
use super::weights::Weights;

/// Columns that are read piece by piece.
pub struct WeightColumns {
    /// Number of source cells.
    source: usize,
    /// Number of target cells.
    target: usize,
    rows: Rows,
    /// The target cell of the last entry, and its entries so far.
    row: usize,
    entries: Vec<(u32, f32)>,
    /// Entries so far.
    count: usize,
}

enum Rows {
    /// With one entry at most.
    Single(Vec<Vec<u32>>),
    Many(SparseBuilder),
}

/// Target cells of a slab of single cells.
const SLAB: usize = 1 << 20;

impl WeightColumns {
    /// Of so many `source` and `target` cells; of a `nearest` method each target cell has one entry at most, of weight 1.
    #[must_use]
    pub fn new(source: usize, target: usize, nearest: bool) -> Self {
        let rows = if nearest {
            Rows::Single(Vec::new())
        } else {
            Rows::Many(SparseBuilder::default())
        };
        Self {
            source,
            target,
            rows,
            row: 0,
            entries: Vec::new(),
            count: 0,
        }
    }

    /// The next entry: target cells increase.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn push(&mut self, row: i32, column: i32, weight: f64) -> Result<(), String> {
        let (source, target, at) = (self.source, self.target, self.count);
        let index = |number: i32, size: usize| {
            let index = usize::try_from(number).ok()?.checked_sub(1)?;
            (index < size).then_some(index)
        };
        let (Some(index), Some(cell)) = (index(row, target), index(column, source)) else {
            return Err(format!(
                "entry {at} is of target cell {row} and source cell {column}; expected at most {target} and {source}"
            ));
        };
        if index < self.row {
            return Err(format!(
                "entry {at} is of target cell {row} after a later one"
            ));
        }
        let is_single = matches!(self.rows, Rows::Single(_));
        if !weight.is_finite() || is_single && weight != 1.0 {
            return Err(format!("entry {at} has weight {weight}"));
        }
        while self.row < index {
            self.end_row()?;
        }
        self.entries.push((cell as u32, weight as f32));
        self.count += 1;
        Ok(())
    }

    /// The weights.
    ///
    /// # Errors
    /// What is wrong with the entries together.
    pub fn finish(mut self) -> Result<Weights, String> {
        while self.row < self.target {
            self.end_row()?;
        }
        Ok(match self.rows {
            Rows::Single(slabs) => Weights::of_single_cells(slabs),
            Rows::Many(builder) => Weights::of_entries(builder),
        })
    }

    fn end_row(&mut self) -> Result<(), String> {
        match &mut self.rows {
            Rows::Many(builder) => builder.push(&self.entries),
            Rows::Single(slabs) => {
                let cell = match self.entries[..] {
                    [] => Weights::NONE,
                    [(cell, _)] => cell,
                    _ => {
                        let more = self.entries.len();
                        return Err(format!("a target cell has {more} entries, expected one"));
                    }
                };
                match slabs.last_mut() {
                    Some(slab) if slab.len() < SLAB => slab.push(cell),
                    _ => {
                        let mut slab = Vec::with_capacity(SLAB.min(self.target - self.row));
                        slab.push(cell);
                        slabs.push(slab);
                    }
                }
            }
        }
        self.entries.clear();
        self.row += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entry = (i32, i32, f64);

    fn read(
        entries: &[Entry],
        source: usize,
        target: usize,
        nearest: bool,
    ) -> Result<Weights, String> {
        let mut columns = WeightColumns::new(source, target, nearest);
        for &(row, column, weight) in entries {
            columns.push(row, column, weight)?;
        }
        columns.finish()
    }

    #[test]
    fn weights_come_back_as_they_went() {
        let one = Weights::of_single_cells(vec![vec![2, Weights::NONE, 0, 2, Weights::NONE]]);
        let mut many = SparseBuilder::default();
        for row in [&[][..], &[(0, 0.1), (4, 0.9)], &[(2, 1.0)], &[]] {
            many.push(row);
        }
        for (weights, nearest) in [(one, true), (Weights::of_entries(many), false)] {
            let entries: Vec<Entry> = weights
                .entries()
                .map(|(row, cell, weight)| (row as i32 + 1, cell as i32 + 1, f64::from(weight)))
                .collect();
            assert_eq!(read(&entries, 5, weights.len(), nearest), Ok(weights));
        }
    }

    #[test]
    fn entries_that_cannot_be_are_refused() {
        for (entries, nearest) in [
            (&[(1, 1, 1.0), (4, 1, 1.0)], true),
            (&[(1, 1, 1.0), (2, 6, 1.0)], false),
            (&[(0, 1, 1.0), (2, 1, 1.0)], false),
            (&[(2, 1, 1.0), (1, 1, 1.0)], false),
            (&[(1, 1, 1.0), (1, 2, 1.0)], true),
            (&[(1, 1, 1.0), (2, 2, 0.5)], true),
            (&[(1, 1, 1.0), (2, 2, f64::NAN)], false),
        ] {
            assert!(read(entries, 5, 3, nearest).is_err(), "{entries:?}");
        }
    }
}
