//! The append dimension's coordinate, and how another variable's times take its place: XIOS writes a `time_counter` of zeros, and
//! the times into `time_centered`, so that readers could not select by time.
//!
//! Key type: [`FileView`].

use super::attribute::Attribute;
use super::catalogue::Catalogue;
use super::error::ArchiveError;
use super::recipe::Recipe;
use super::time::{is_timed, time_units};
use super::variable::{Variable, VariableType};

/// The attribute of the coordinate that says whose times it has; of a store, and of files that were made from one.
pub const TIME_FROM: &str = "time_from";

/// What is put behind the coordinate's name to call the file's own by.
const KEPT: &str = "_file";

/// How files are seen: which dimension grows, whose times its coordinate gets, and what a recipe makes of all.
#[derive(Clone, Copy, Debug)]
pub struct FileView<'a> {
    /// The append dimension; empty if there is none.
    pub dimension: &'a str,
    /// The variable whose times are taken; `None` for those of the coordinate itself.
    pub time_from: Option<&'a str>,
    /// What becomes of names, attributes and values before that; `None` if they stay.
    pub recipe: Option<&'a Recipe>,
}

impl Catalogue {
    /// The same file as if the values and attributes of the variable that is asked for were those of its append coordinate, too.
    /// The file's own coordinate is another one then, which the new one names among its coordinates. A file that was made from a
    /// store of these times is as it should be.
    ///
    /// # Errors
    /// If there is no such variable, it has no times, or the name for the file's own coordinate is taken.
    pub(super) fn with_times(mut self, view: FileView<'_>) -> Result<Self, ArchiveError> {
        let FileView {
            dimension,
            time_from: Some(source),
            ..
        } = view
        else {
            return Ok(self);
        };
        if self.time_from(dimension) == Some(source) {
            return Ok(self);
        }
        let mut variable = self.times(dimension, source)?.clone();
        let own = self.variables.iter().position(|v| v.name == dimension);
        let place = own.unwrap_or(self.variables.len());
        if let Some(own) = own {
            let kept = format!("{dimension}{KEPT}");
            if self.variable(&kept).is_some() {
                return Err(self.unsupported(
                    &kept,
                    format!("has the name that the file's own '{dimension}' gets by --time-from; rename it with ncrename"),
                ));
            }
            let mut named: Vec<&str> = variable.words("coordinates").collect();
            named.push(&kept);
            variable.set("coordinates", Attribute::Text(named.join(" ")));
            let own = &mut self.variables[own];
            // Readers take the coordinate with this attribute for the axis.
            if variable.attribute("axis").is_none()
                && let Some(at) = own.attributes.iter().position(|a| a.0 == "axis")
            {
                variable.attributes.push(own.attributes.remove(at));
            }
            own.name.clone_from(&kept);
            if let Some(problem) = self.unreadable.remove(dimension) {
                self.unreadable.insert(kept.clone(), problem);
            }
            for (owner, _) in &mut self.odd_attributes {
                if owner.as_deref() == Some(dimension) {
                    *owner = Some(kept.clone());
                }
            }
            let in_file = self.name_in_file(dimension).to_owned();
            if let Some(recipe) = self.recipes.remove(dimension) {
                self.recipes.insert(kept.clone(), recipe);
            }
            self.renamed.insert(kept, in_file);
        }
        if let Some(problem) = self.unreadable.get(source) {
            let problem = problem.clone();
            self.unreadable.insert(dimension.to_owned(), problem);
        }
        dimension.clone_into(&mut variable.name);
        variable.set(TIME_FROM, Attribute::Text(source.to_owned()));
        self.variables.insert(place, variable);
        let in_file = self.name_in_file(source).to_owned();
        self.renamed.insert(dimension.to_owned(), in_file);
        if let Some(recipe) = self.recipes.get(source).cloned() {
            self.recipes.insert(dimension.to_owned(), recipe);
        }
        Ok(self)
    }

    /// Whose times the coordinate of `dimension` has, if they are another variable's.
    #[must_use]
    pub fn time_from(&self, dimension: &str) -> Option<&str> {
        let coordinate = self.variable(dimension)?;
        coordinate.attribute(TIME_FROM).and_then(Attribute::text)
    }

    /// The variables beside its coordinate that have a time for each index of `dimension`.
    #[must_use]
    pub fn times_beside(&self, dimension: &str) -> Vec<String> {
        let along = self.variables.iter().filter(|variable| {
            let is_number = matches!(variable.kind, VariableType::Number(_));
            is_number && variable.dimensions == [dimension] && variable.name != dimension
        });
        let timed = along.filter(|variable| is_timed(variable));
        timed.map(|variable| variable.name.clone()).collect()
    }

    /// What the variable called `name` here is called in the file.
    #[must_use]
    pub fn name_in_file<'a>(&'a self, name: &'a str) -> &'a str {
        self.renamed.get(name).map_or(name, String::as_str)
    }

    /// The variable called `source`, if it has a time for each index of `dimension`.
    fn times(&self, dimension: &str, source: &str) -> Result<&Variable, ArchiveError> {
        let Some(variable) = self.variable(source) else {
            return Err(self.unknown_variable(source));
        };
        let refuse = |problem: String| Err(self.unsupported(source, problem));
        if source == dimension {
            return refuse(
                "is the coordinate of its dimension already; leave --time-from out".to_owned(),
            );
        }
        if variable.dimensions != [dimension] {
            return refuse(format!(
                "has dimensions {:?}, expected {:?}, for --time-from takes a time for each step",
                variable.dimensions,
                [dimension]
            ));
        }
        if time_units(self, source)?.is_none() {
            return refuse(
                "has no units of time, such as 'seconds since 1900-01-01'; name one that has with --time-from"
                    .to_owned(),
            );
        }
        Ok(variable)
    }

    fn unsupported(&self, variable: &str, problem: String) -> ArchiveError {
        ArchiveError::Unsupported {
            path: self.path.clone(),
            variable: variable.to_owned(),
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    const SINCE: (&str, &str) = ("units", "seconds since 1900-01-01");

    fn variable(name: &str, dimension: &str, attributes: &[(&str, &str)]) -> Variable {
        let attributes = attributes.iter();
        Variable {
            name: name.to_owned(),
            kind: VariableType::Number(DType::F64),
            dimensions: vec![dimension.to_owned()],
            shape: vec![2],
            stored_chunks: None,
            attributes: attributes
                .map(|(name, text)| ((*name).to_owned(), Attribute::Text((*text).to_owned())))
                .collect(),
        }
    }

    /// As XIOS writes it, with `more` variables.
    fn file(more: &[Variable]) -> Catalogue {
        let centered = [
            SINCE,
            ("calendar", "360_day"),
            ("bounds", "centered_bounds"),
        ];
        let mut variables = vec![
            variable("tos", "time_counter", &[("coordinates", "time_centered")]),
            variable("time_counter", "time_counter", &[("axis", "T")]),
            variable("time_centered", "time_counter", &centered),
        ];
        variables.extend_from_slice(more);
        Catalogue {
            path: "a.nc".into(),
            dimensions: vec![("time_counter".to_owned(), 2)],
            variables,
            ..Catalogue::default()
        }
    }

    fn with(catalogue: Catalogue, source: &str) -> Result<Catalogue, ArchiveError> {
        catalogue.with_times(FileView {
            dimension: "time_counter",
            time_from: Some(source),
            recipe: None,
        })
    }

    #[test]
    fn the_coordinate_gets_the_times_and_keeps_its_own_aside() {
        let seen = with(file(&[]), "time_centered").unwrap();
        let text = |variable: &str, name: &str| {
            let attribute = seen.variable(variable).unwrap().attribute(name);
            attribute.and_then(Attribute::text).unwrap_or("").to_owned()
        };
        assert_eq!(text("time_counter", "units"), SINCE.1);
        assert_eq!(text("time_counter", "calendar"), "360_day");
        assert_eq!(text("time_counter", "bounds"), "centered_bounds");
        assert_eq!(text("time_counter", "coordinates"), "time_counter_file");
        assert_eq!(
            [
                text("time_counter", "axis"),
                text("time_counter_file", "axis")
            ],
            ["T", ""]
        );
        assert_eq!(seen.time_from("time_counter"), Some("time_centered"));
        let in_file = ["time_counter", "time_counter_file", "time_centered", "tos"]
            .map(|name| seen.name_in_file(name));
        assert_eq!(
            in_file,
            ["time_centered", "time_counter", "time_centered", "tos"]
        );
        // The file's own is no data, and goes wherever the coordinate goes.
        assert_eq!(seen.data_variables(), ["tos"]);
        assert!(
            seen.with_coordinates("tos")
                .contains(&"time_counter_file".to_owned())
        );
        // Of a store that was made so, a file is as it should be.
        let names = |catalogue: &Catalogue| -> Vec<String> {
            catalogue.variables.iter().map(|v| v.name.clone()).collect()
        };
        let again = with(seen.clone(), "time_centered").unwrap();
        assert_eq!(names(&again), names(&seen));
    }

    #[test]
    fn a_file_without_a_coordinate_gets_one() {
        let mut without = file(&[]);
        without.variables.remove(1);
        let seen = with(without, "time_centered").unwrap();
        assert!(seen.variable("time_counter_file").is_none());
        assert_eq!(seen.name_in_file("time_counter"), "time_centered");
        assert_eq!(seen.times_beside("time_counter"), ["time_centered"]);
    }

    #[test]
    fn what_has_no_times_is_named() {
        let more = [
            variable("lat", "y", &[SINCE]),
            variable(
                "months",
                "time_counter",
                &[("units", "months since 1900-01-01")],
            ),
            variable("depth", "time_counter", &[("units", "m")]),
        ];
        let said = |source| with(file(&more), source).unwrap_err().to_string();
        for (source, words) in [
            (
                "time_centred",
                [
                    "no variable 'time_centred'",
                    "did you mean 'time_centered'?",
                ],
            ),
            ("lat", ["variable 'lat'", "[\"y\"]"]),
            ("months", ["variable 'months'", "months since"]),
            ("depth", ["variable 'depth'", "no units of time"]),
            ("time_counter", ["variable 'time_counter'", "already"]),
        ] {
            let said = said(source);
            assert!(said.starts_with("a.nc: "), "{said}");
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
        let taken = file(&[variable("time_counter_file", "time_counter", &[])]);
        let said = with(taken, "time_centered").unwrap_err().to_string();
        assert!(
            said.contains("'time_counter_file'") && said.contains("ncrename"),
            "{said}"
        );
    }
}
