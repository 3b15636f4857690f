//! What the leading dimensions of an array are, and which step and level of them is meant.
//!
//! Key types: [`TimeAxis`], [`LevelAxis`]; [`StepChoice`], [`LevelChoice`].

use std::fmt;
use std::ops::{Bound, RangeInclusive};

use msm_model::{DType, Instant, Number, Step, TimeError, TimeUnits};
use msm_zarr::StoredArray;
use serde_json::Value;

use super::store_look::StoreLook;
use crate::error::Error;

/// A step of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepChoice {
    /// The one of this number, from 0.
    Number(u64),
    /// The first one within a year, a month, a day, or at a moment, in the calendar of the store.
    Time(String),
}

impl fmt::Display for StepChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Time(time) => time.fmt(f),
        }
    }
}

/// A level of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LevelChoice {
    /// The one of this number, from 0.
    Number(u64),
    /// The one that is nearest to a depth, in the units of the store.
    Depth(f64),
}

impl fmt::Display for LevelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Depth(depth) => write!(f, "{depth}m"),
        }
    }
}

/// The steps of a dimension.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeAxis {
    /// Where each is on an even axis.
    pub(super) values: Vec<f64>,
    /// When each is; none where the units cannot be read.
    instants: Vec<Instant>,
}

impl TimeAxis {
    /// That of `dimension`, if an array of the store tells the time along it.
    ///
    /// # Errors
    /// If its values cannot be read.
    pub(super) async fn of(
        look: &mut StoreLook<'_>,
        dimension: &str,
    ) -> Result<Option<Self>, Error> {
        let Some(axis) = Self::axis(&look.stored.arrays, dimension) else {
            return Ok(None);
        };
        let Some(array) = look.coordinate(axis) else {
            return Ok(None);
        };
        let values = look.all(&array, false).await?.values;
        Ok(Some(Self::new(axis, values)))
    }

    /// The array that tells the time along `dimension`.
    pub(super) fn axis<'a>(arrays: &'a [StoredArray], dimension: &str) -> Option<&'a StoredArray> {
        let along = |array: &&StoredArray| {
            let units = text(array, "units").unwrap_or_default();
            array.dimensions == [dimension] && units.contains(" since ")
        };
        // The coordinate of the dimension rather than others.
        let axes = arrays.iter().filter(along);
        axes.min_by_key(|array| array.name != dimension)
    }

    /// That of the array `axis`, whose values these are.
    pub(super) fn new(axis: &StoredArray, values: Vec<f64>) -> Self {
        let units = TimeUnits::parse(
            text(axis, "units").unwrap_or_default(),
            text(axis, "calendar"),
        );
        let instant = |value: &f64| {
            let units = units.as_ref().ok()?;
            units.instant(Number::Float(*value), DType::F64).ok()
        };
        let instants: Option<Vec<Instant>> = values.iter().map(instant).collect();
        let instants = instants.unwrap_or_default();
        Self { values, instants }
    }

    /// That of these steps, which may be none in time.
    pub(super) fn of_steps(steps: &[Step]) -> Self {
        let instants: Option<Vec<Instant>> = steps.iter().map(|step| step.instant()).collect();
        Self {
            values: Vec::new(),
            instants: instants.unwrap_or_default(),
        }
    }

    /// What step `index` is called.
    pub(super) fn name(&self, index: u64) -> String {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let instant = self.instants.get(place);
        instant.map_or_else(|| format!("step {index}"), |instant| shown(*instant))
    }

    /// The step that is meant, of `length`, if there is one.
    ///
    /// # Errors
    /// If there is no such time in the calendar of the store.
    pub(super) fn chosen(
        &self,
        choice: &StepChoice,
        length: u64,
    ) -> Result<Option<u64>, TimeError> {
        let step = match choice {
            StepChoice::Number(number) => Some(*number),
            StepChoice::Time(time) => self.first_in(time)?,
        };
        Ok(step.filter(|step| *step < length))
    }

    /// The first step in a year, a month, a day, or at a moment.
    fn first_in(&self, time: &str) -> Result<Option<u64>, TimeError> {
        let Some(calendar) = self.instants.first().map(|first| first.calendar()) else {
            return Ok(None);
        };
        let begin = Instant::parse_begin(time, calendar)?;
        let end = Instant::parse_end(time, calendar)?;
        let is_in = |step: &Instant| {
            let is_up_to = match end {
                Bound::Included(end) => !step.is_after(end),
                Bound::Excluded(end) => end.is_after(*step),
                Bound::Unbounded => true,
            };
            !begin.is_after(*step) && is_up_to
        };
        let place = self.instants.iter().position(is_in);
        Ok(place.map(|place| place as u64))
    }

    /// What to ask for instead of `choice`, which no step has, if it is a number that may be meant for a year.
    pub(super) fn hint(&self, choice: &StepChoice) -> String {
        let StepChoice::Number(year) = choice else {
            return String::new();
        };
        let of_year = self.first_in(&format!("{year:04}")).ok().flatten();
        let month = of_year.map(|step| {
            let name = self.name(step);
            name.rsplitn(2, '-').last().unwrap_or(&name).to_owned()
        });
        match month {
            Some(month) => format!("; for a step of the year {year}, --step {month}"),
            None if (1000..10_000).contains(year) => {
                format!("; a year is given with a month, such as {year}-01")
            }
            None => String::new(),
        }
    }

    /// Which steps there are, for who asked for another one.
    pub(super) fn held(&self, length: u64) -> String {
        let Some(last) = length.checked_sub(1) else {
            return "no steps".to_owned();
        };
        let [first, end] = [0, last].map(|index| self.name(index));
        match (last, self.instants.is_empty()) {
            (0, true) => "one step, 0".to_owned(),
            (0, false) => format!("one step, 0: {first}"),
            (_, true) => format!("steps 0 to {last}, whose times are not known"),
            (_, false) => format!("steps 0 to {last}, {first} to {end}"),
        }
    }
}

/// A moment as people read it: without the time of day if that is midnight.
fn shown(instant: Instant) -> String {
    let whole = instant.to_string();
    let day = whole.strip_suffix(" 00:00:00").map(str::to_owned);
    let minute = || whole.strip_suffix(":00").map(str::to_owned);
    day.or_else(minute).unwrap_or(whole)
}

/// The levels of a dimension.
#[derive(Clone, Debug, Default)]
pub(super) struct LevelAxis {
    /// How deep each is; none where no array tells.
    pub(super) depths: Vec<f64>,
    /// Units of these.
    pub(super) units: String,
}

impl LevelAxis {
    /// That of `dimension`.
    ///
    /// # Errors
    /// If its values cannot be read.
    pub(super) async fn of(look: &mut StoreLook<'_>, dimension: &str) -> Result<Self, Error> {
        let Some(axis) = Self::axis(&look.stored.arrays, dimension) else {
            return Ok(Self::default());
        };
        let Some(array) = look.coordinate(axis) else {
            return Ok(Self::default());
        };
        let depths = look.all(&array, false).await?.values;
        Ok(Self::new(axis, depths))
    }

    /// The array that tells how deep the levels of `dimension` are.
    pub(super) fn axis<'a>(arrays: &'a [StoredArray], dimension: &str) -> Option<&'a StoredArray> {
        let along = arrays
            .iter()
            .filter(|array| array.dimensions == [dimension]);
        along.min_by_key(|array| array.name != dimension)
    }

    /// That of the array `axis`, whose values these are.
    pub(super) fn new(axis: &StoredArray, mut depths: Vec<f64>) -> Self {
        // Heights, as some tools write depths.
        if depths.iter().all(|depth| *depth <= 0.0) {
            for depth in &mut depths {
                // Zero is not to be "-0".
                *depth = 0.0 - *depth;
            }
        }
        if depths.iter().any(|depth| !depth.is_finite()) {
            depths.clear();
        }
        Self {
            depths,
            units: text(axis, "units").unwrap_or_default().to_owned(),
        }
    }

    /// What level `index` is called.
    pub(super) fn name(&self, index: u64) -> String {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        match self.depths.get(place) {
            Some(depth) => format!("{} {}", rounded(*depth), self.units)
                .trim_end()
                .to_owned(),
            None => format!("level {index}"),
        }
    }

    /// The level that is meant, of `length`.
    pub(super) fn chosen(&self, choice: LevelChoice, length: u64) -> Option<u64> {
        match choice {
            LevelChoice::Number(number) => Some(number).filter(|number| *number < length),
            LevelChoice::Depth(depth) => {
                if !self.reach()?.contains(&depth) {
                    return None;
                }
                let all = self.depths.iter().map(|level| (level - depth).abs());
                let nearest = all.enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?.0 as u64;
                Some(nearest).filter(|nearest| *nearest < length)
            }
        }
    }

    /// From where to where levels are: from the surface, unless they begin above it, to as far below the last one as the one before
    /// that is above it.
    fn reach(&self) -> Option<RangeInclusive<f64>> {
        let mut depths = self.depths.clone();
        depths.sort_unstable_by(f64::total_cmp);
        let (first, last) = (*depths.first()?, *depths.last()?);
        let before = depths.iter().rev().nth(1).copied();
        Some(first.min(0.0)..=last + (last - before.unwrap_or(0.0)).abs())
    }

    /// Which levels there are, for who asked for another one.
    pub(super) fn held(&self, length: u64) -> String {
        let Some(last) = length.checked_sub(1) else {
            return "no levels".to_owned();
        };
        if self.depths.is_empty() {
            return format!("levels 0 to {last}, whose depths are not known");
        }
        format!(
            "levels 0 to {last}, {} to {}",
            self.name(0),
            self.name(last)
        )
    }
}

/// To a tenth, or whole if it is large.
fn rounded(depth: f64) -> String {
    if depth.abs() >= 1000.0 {
        return format!("{depth:.0}");
    }
    format!("{depth:.1}").trim_end_matches(".0").to_owned()
}

pub(super) fn text<'a>(array: &'a StoredArray, attribute: &str) -> Option<&'a str> {
    array.attributes.get(attribute).and_then(Value::as_str)
}
