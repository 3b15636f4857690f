//! What a file shall be: [`Spec`], and the name NEMO would give it.

use crate::{Calendar, Chunks, Date, Error, Frequency, Grid, Unit, Variable, time_axis};

/// The kind of file on disk. Only the NetCDF-4 ones are chunked and compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// HDF5, as XIOS writes
    #[default]
    NetCdf4,
    /// HDF5 restricted to the classic data model
    NetCdf4Classic,
    /// CDF-1
    Classic,
    /// CDF-2, with 64-bit offsets
    Offset64,
    /// CDF-5, with 64-bit sizes
    Cdf5,
}

impl Format {
    /// Whether files of this format are HDF5 files.
    pub(crate) fn is_hdf5(self) -> bool {
        matches!(self, Self::NetCdf4 | Self::NetCdf4Classic)
    }
}

/// Everything a file is made from but its name, which goes into the global attribute `name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pub grid: Grid,
    pub frequency: Frequency,
    /// first day of the first step
    pub start: Date,
    /// number of steps, and so the length of `time_counter`; may be 0
    pub steps: usize,
    pub calendar: Calendar,
    /// data variables, written in this order
    pub variables: Vec<Variable>,
    /// deflate level 0..=9, 0 for none; NetCDF-4 formats only
    pub deflate: u8,
    /// whether the shuffle filter comes before deflate
    pub shuffle: bool,
    /// chunk shape of the data variables; `None`, and any dimension left out, is XIOS's own rule:
    /// one record a chunk, cut by levels into chunks of at most about 20 MiB. NetCDF-4 formats only.
    pub chunks: Option<Chunks>,
    pub format: Format,
    /// `false` gives the layout of XIOS's `time_counter="record"`, seen in UKESM archives:
    /// `time_counter` counts the records from 0 and has neither units nor bounds, which only
    /// `time_centered` has
    pub time_units_on_counter: bool,
    /// chooses eddies and noise; land and grid are the same for every seed
    pub seed: u64,
}

impl Default for Spec {
    /// A small file: 40 × 30 × 5, one month from 1976-01-01, all variables.
    fn default() -> Self {
        Self {
            grid: Grid::small(),
            frequency: Frequency::MONTHLY,
            start: Date {
                year: 1976,
                month: 1,
                day: 1,
            },
            steps: 1,
            calendar: Calendar::Gregorian,
            variables: Variable::ALL.to_vec(),
            deflate: 1,
            shuffle: true,
            chunks: None,
            format: Format::default(),
            time_units_on_counter: true,
            seed: 0,
        }
    }
}

/// Years, months, days or hours in a file: 10 000 years of hours, which no arithmetic on them overflows.
const LONGEST: u64 = 90_000_000;

impl Spec {
    /// # Errors
    /// [`Error::Spec`] saying which parts cannot be.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |what: String| Err(Error::Spec(what));
        if !self.calendar.contains(self.start) {
            return wrong(format!(
                "the {} calendar has no {} (gregorian dates start in 1583)",
                self.calendar, self.start
            ));
        }
        if self.deflate > 9 {
            return wrong(format!("deflate level {} is above 9", self.deflate));
        }
        let periods = (self.steps as u64).checked_mul(self.frequency.count.get().into());
        if periods.is_none_or(|n| n > LONGEST) {
            return wrong(format!(
                "{} steps of {} are too many",
                self.steps, self.frequency
            ));
        }
        let end = self.last_day();
        if end.year > 9999 {
            return wrong(format!("{} steps end in the year {}", self.steps, end.year));
        }
        for (n, variable) in self.variables.iter().enumerate() {
            if self.variables[..n].contains(variable) {
                return wrong(format!("the variable {variable} is listed twice"));
            }
        }
        Ok(())
    }

    fn last_day(&self) -> Date {
        // `check` refuses more; a name can be asked for before it.
        let most = LONGEST / u64::from(self.frequency.count.get());
        let steps = (self.steps as u64).min(most) as usize;
        time_axis::last_day(self.start, self.frequency, self.calendar, steps)
    }
}

/// The file's name as NEMO forms it: grid, frequency, `grid_T`, first and last period, as in
/// `eORCA025_1y_grid_T_1976-1976.nc`, `eORCA1_1m_grid_T_197601-197602.nc` or
/// `ORCA40x30_5d_grid_T_19760101-19760110.nc` (days for hourly output too).
pub fn file_name(spec: &Spec) -> String {
    let period = |date: Date| match spec.frequency.unit {
        Unit::Year => format!("{:04}", date.year),
        Unit::Month => format!("{:04}{:02}", date.year, date.month),
        Unit::Day | Unit::Hour => format!("{:04}{:02}{:02}", date.year, date.month, date.day),
    };
    format!(
        "{}_{}_grid_T_{}-{}.nc",
        spec.grid.name(),
        spec.frequency,
        period(spec.start),
        period(spec.last_day()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(grid: &str, frequency: &str, start: &str, steps: usize) -> String {
        file_name(&Spec {
            grid: grid.parse().unwrap(),
            frequency: frequency.parse().unwrap(),
            start: start.parse().unwrap(),
            steps,
            ..Spec::default()
        })
    }

    #[test]
    fn names() {
        for (grid, frequency, start, steps, expected) in [
            (
                "eORCA025",
                "1y",
                "1976-01-01",
                1,
                "eORCA025_1y_grid_T_1976-1976.nc",
            ),
            (
                "eORCA1",
                "1m",
                "1976-01-01",
                2,
                "eORCA1_1m_grid_T_197601-197602.nc",
            ),
            (
                "40x30x5",
                "5d",
                "1976-01-01",
                2,
                "ORCA40x30_5d_grid_T_19760101-19760110.nc",
            ),
            (
                "40x30x5",
                "6h",
                "1976-02-28",
                5,
                "ORCA40x30_6h_grid_T_19760228-19760229.nc",
            ),
            (
                "40x30x5",
                "1m",
                "1976-12-01",
                0,
                "ORCA40x30_1m_grid_T_197612-197612.nc",
            ),
        ] {
            assert_eq!(name(grid, frequency, start, steps), expected);
        }
    }

    #[test]
    fn specs_that_cannot_be_are_refused() {
        let bad = |change: fn(&mut Spec)| {
            let mut spec = Spec::default();
            change(&mut spec);
            spec.check().unwrap_err().to_string()
        };
        assert!(bad(|s| s.start.day = 32).contains("no 1976-01-32"));
        assert!(bad(|s| s.start.month = 13).contains("no 1976-13-01"));
        assert!(bad(|s| s.start.day = 0).contains("no 1976-01-00"));
        assert!(bad(|s| s.steps = usize::MAX).contains("too many"));
        assert!(bad(|s| s.deflate = 10).contains("level 10"));
        assert!(bad(|s| s.variables.push(Variable::So)).contains("so is listed twice"));
        assert!(bad(|s| s.steps = 200_000).contains("end in the year"));
        assert!(Spec::default().check().is_ok());
    }
}
