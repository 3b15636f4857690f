//! Which variable tells the steps of a file apart, and what its values and their bounds mean.
//!
//! Key type: [`Axis`].

use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::catalogue::Catalogue;
use super::dtype::{DType, Number};
use super::error::ArchiveError;
use super::step::Step;
use super::time::{Instant, is_timed, time_units};
use super::variable::Variable;

/// Units that say no more than that something is counted.
const COUNTS: [&str; 3] = ["", "1", "none"];

/// The `standard_name` of times that do not tell steps apart, but when the run or the forecast began.
const REFERENCE: &str = "forecast_reference_time";

/// A variable that can tell steps apart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Axis {
    /// Its name.
    pub variable: String,
    /// Its values.
    pub steps: Vec<Step>,
    /// Where each step begins and ends, if it has bounds that say so.
    pub bounds: Vec<(Instant, Instant)>,
    /// What its bounds hold instead, in words.
    pub unset: Option<String>,
}

/// The values of a variable, and their type.
pub type AxisValues = (DType, Vec<Number>);

impl Catalogue {
    /// The variables along `dimension` that can tell its steps apart, as far as metadata tell, the most likely one first.
    ///
    /// A coordinate with time units is the only one. One with other units comes first; one without any last, for some XIOS
    /// versions write a `time_counter` that counts from 0, or zeros, and the times into `time_centered`.
    ///
    /// # Errors
    /// If there is none.
    pub fn candidates(&self, dimension: &str) -> Result<Vec<&Variable>, ArchiveError> {
        let along = self.variables.iter();
        let (coordinate, mut others): (Vec<&Variable>, Vec<&Variable>) = along
            .filter(|v| v.dimensions == [dimension])
            .partition(|v| v.name == dimension);
        others.retain(|v| is_timed(v));
        others.sort_by_key(|v| !is_called(v, "time"));
        let found = match coordinate.first() {
            Some(timed) if is_timed(timed) => coordinate,
            Some(own) if has_units(own) => {
                others.retain(|v| !is_called(v, REFERENCE));
                [coordinate, others].concat()
            }
            _ => {
                let (mut times, references): (Vec<&Variable>, Vec<&Variable>) =
                    others.into_iter().partition(|v| !is_called(v, REFERENCE));
                times.extend(coordinate);
                times.extend(references);
                times
            }
        };
        if found.is_empty() {
            return Err(ArchiveError::NoAppendCoordinate {
                path: self.path.clone(),
                dimension: dimension.to_owned(),
            });
        }
        Ok(found)
    }

    /// Is the variable called `name` one of the times from which forecasts were made?
    #[must_use]
    pub fn is_reference_time(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|v| is_called(v, REFERENCE))
    }

    /// Is the variable called `name` one of times by its `standard_name`?
    pub(super) fn is_time(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|v| is_called(v, "time"))
    }

    /// The axis of `dimension`, whose variables `read` reads, and behind it the others that it could be: the first that
    /// changes from step to step.
    ///
    /// # Errors
    /// If there is none, or it cannot be read, or one of its values is missing or no finite number.
    pub(super) fn axes<E: From<ArchiveError>>(
        &self,
        dimension: &str,
        read: impl Fn(&Variable) -> Result<AxisValues, E>,
    ) -> Result<Vec<Axis>, E> {
        let candidates = self.candidates(dimension)?;
        let is_only = candidates.len() == 1;
        let mut values = Vec::new();
        for variable in candidates {
            match read(variable) {
                Ok(read) => values.push((variable, read)),
                Err(error) if values.is_empty() => return Err(error),
                Err(_) => {}
            }
        }
        values.sort_by_key(|(_, (_, numbers))| never_changes(numbers));
        let begins_with_zero =
            |numbers: &[Number]| numbers.first().is_some_and(|n| n.as_f64() == 0.0);
        if is_only
            && values
                .iter()
                .all(|(_, (_, numbers))| begins_with_zero(numbers))
        {
            // It may do so in each file, while another variable has the times: these do not tell steps apart, but whether two are one.
            let others = self.variables.iter().filter(|v| {
                v.dimensions == [dimension]
                    && v.name != dimension
                    && is_timed(v)
                    && !is_called(v, REFERENCE)
            });
            let read = others.filter_map(|variable| Some((variable, read(variable).ok()?)));
            values.extend(read.collect::<Vec<_>>());
        }
        let mut axes: Vec<Axis> = Vec::new();
        for (variable, values) in values {
            match self.axis(variable, &values, &read) {
                Ok(axis) => axes.push(axis),
                Err(error) if axes.is_empty() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(axes)
    }

    fn axis<E: From<ArchiveError>>(
        &self,
        variable: &Variable,
        (dtype, numbers): &AxisValues,
        read: impl Fn(&Variable) -> Result<AxisValues, E>,
    ) -> Result<Axis, E> {
        let mut axis = Axis {
            variable: variable.name.clone(),
            steps: self.steps(variable, *dtype, numbers)?,
            ..Axis::default()
        };
        let bounds = variable.words("bounds").next();
        let bounds = bounds.and_then(|name| self.variable(name));
        if let Some(bounds) = bounds.filter(|b| b.shape == [axis.steps.len() as u64, 2]) {
            let (dtype, numbers) = read(bounds)?;
            match self.bounds(bounds, dtype, &numbers)? {
                Ok(pairs) => axis.bounds = pairs,
                Err(index) => {
                    axis.unset = Some(format!(
                        "'{}' holds {} at {:?}, which is no time",
                        bounds.name,
                        numbers[index],
                        [index / 2, index % 2]
                    ));
                }
            }
        }
        Ok(axis)
    }

    /// What the values of `variable` mean.
    ///
    /// # Errors
    /// If its units cannot be read, or a value is missing or no finite number.
    fn steps(
        &self,
        variable: &Variable,
        dtype: DType,
        numbers: &[Number],
    ) -> Result<Vec<Step>, ArchiveError> {
        let units = time_units(self, &variable.name)?;
        let steps = numbers.iter().enumerate().map(|(index, &number)| {
            let no_time = |cause: String| ArchiveError::NoTime {
                path: self.path.clone(),
                variable: self.name_in_file(&variable.name).to_owned(),
                index,
                cause,
            };
            if let Some(why) = variable.missing_because(number, dtype) {
                return Err(no_time(format!(
                    "{number} {why}, so nothing tells which step this is; write its time, or leave the step out with ncks -d"
                )));
            }
            if !number.as_f64().is_finite() {
                return Err(no_time(format!("{number} is no finite number")));
            }
            Step::new(number, dtype, units.as_ref()).map_err(|cause| no_time(cause.to_string()))
        });
        steps.collect()
    }

    /// Where steps begin and end by the values of `bounds`; or the first value that is no time, as where a model never wrote
    /// the bounds of its first record.
    ///
    /// # Errors
    /// If the units cannot be read.
    fn bounds(
        &self,
        bounds: &Variable,
        dtype: DType,
        numbers: &[Number],
    ) -> Result<Result<Vec<(Instant, Instant)>, usize>, ArchiveError> {
        let Some(units) = time_units(self, &bounds.name)? else {
            return Ok(Ok(Vec::new()));
        };
        Ok(pairs(numbers, |number| {
            let missing = bounds.missing_because(number, dtype).is_some();
            let instant = units.instant(number, dtype).ok();
            instant.filter(|_| !missing)
        }))
    }
}

/// Moments two by two, as `instant` gives them.
///
/// # Errors
/// The index of the first number of which it gives none.
pub fn pairs(
    numbers: &[Number],
    instant: impl Fn(Number) -> Option<Instant>,
) -> Result<Vec<(Instant, Instant)>, usize> {
    let instants = numbers.iter().enumerate();
    let instants: Result<Vec<Instant>, usize> = instants
        .map(|(index, &number)| instant(number).ok_or(index))
        .collect();
    let pairs = instants?
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    Ok(pairs)
}

/// Is this its `standard_name`?
fn is_called(variable: &Variable, name: &str) -> bool {
    let standard = variable.attribute("standard_name");
    standard.and_then(Attribute::text) == Some(name)
}

fn has_units(variable: &Variable) -> bool {
    let units = variable.attribute("units").and_then(Attribute::text);
    let counts = |units: &str| COUNTS.contains(&units.trim().to_lowercase().as_str());
    units.is_some_and(|units| !counts(units))
}

/// Do all of several steps have the same value?
fn never_changes(numbers: &[Number]) -> bool {
    numbers.len() > 1 && numbers.iter().all(|number| *number == numbers[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VariableType;

    /// The axis of variables along `time`: each a name, its units, its `standard_name` and its values.
    fn axis(variables: &[(&str, &str, &str, [f64; 2])]) -> String {
        let variable = |&(name, units, standard, _): &(&str, &str, &str, [f64; 2])| Variable {
            name: name.to_owned(),
            kind: VariableType::Number(DType::F64),
            dimensions: vec!["time".to_owned()],
            shape: vec![2],
            stored_chunks: None,
            attributes: [("units", units), ("standard_name", standard)]
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(name, text)| (name.to_owned(), Attribute::Text(text.to_owned())))
                .collect(),
        };
        let catalogue = Catalogue {
            path: "a.nc".into(),
            dimensions: vec![("time".to_owned(), 2)],
            variables: variables.iter().map(variable).collect(),
            ..Catalogue::default()
        };
        let read = |variable: &Variable| {
            let found = variables.iter().find(|v| v.0 == variable.name).unwrap();
            Ok::<_, ArchiveError>((DType::F64, found.3.map(Number::Float).to_vec()))
        };
        match catalogue.axes("time", read) {
            Ok(axes) => axes[0].variable.clone(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_coordinate_is_the_axis_unless_it_is_of_no_use() {
        let (since, capital) = ("days since 2000-01-01", "Days Since 2000-01-01");
        let times = ("centered", since, "", [0.5, 1.5]);
        let began = ("began", since, "", [0.0, 0.0]);
        let of = |coordinate: (&str, [f64; 2]), other| {
            axis(&[other, ("time", coordinate.0, "", coordinate.1)])
        };
        assert_eq!(of((capital, [0.5, 1.5]), times), "time");
        assert_eq!(of(("hours", [6.0, 12.0]), began), "time");
        assert_eq!(of(("hours", [6.0, 12.0]), times), "time");
        assert_eq!(of(("hours", [0.0, 0.0]), times), "centered");
        // As XIOS writes it.
        assert_eq!(of(("", [0.0, 0.0]), times), "centered");
        assert_eq!(of(("", [0.0, 1.0]), times), "centered");
        assert_eq!(of(("1", [0.0, 1.0]), times), "centered");
        assert_eq!(of(("", [0.0, 1.0]), began), "time");
        // Of one with time units, steps that do not increase are an error.
        assert_eq!(of((since, [0.0, 0.0]), times), "time");
        let reference = ("began", since, REFERENCE, [0.0, 1.0]);
        assert_eq!(of(("", [0.0, 1.0]), reference), "time");
        assert_eq!(axis(&[reference, times]), "centered");
        assert!(axis(&[]).contains("neither a coordinate variable"));
    }

    #[test]
    fn a_missing_step_is_named() {
        let since = "days since 2000-01-01";
        let unwritten = axis(&[("time", since, "", [0.5, 9.969_209_968_386_869e36])]);
        for word in ["a.nc", "'time', value 1", "default fill"] {
            assert!(unwritten.contains(word), "{unwritten}");
        }
        assert!(axis(&[("time", "", "", [f64::NAN, 1.0])]).contains("value 0"));
    }
}
