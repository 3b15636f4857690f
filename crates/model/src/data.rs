//! Which variables of a file are data, and why the others are not (CF conventions 1.11, §5, §5.6 and §7.1).

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use super::variable::Variable;

/// The attributes by which a variable names others that belong to it, beside `grid_mapping`.
const NAMING: [&str; 4] = ["coordinates", "bounds", "climatology", "quantization"];

impl Catalogue {
    /// Names of the variables that are data: neither coordinates of a dimension, nor named in a `coordinates` or a
    /// `grid_mapping` attribute, nor bounds of another variable, nor the two-dimensional longitude or latitude of one.
    #[must_use]
    pub fn data_variables(&self) -> Vec<String> {
        let auxiliary = self.auxiliary();
        let data = self.variables.iter().map(|v| &v.name);
        data.filter(|name| !auxiliary.contains_key(name.as_str()))
            .cloned()
            .collect()
    }

    /// The other variables, each with a message's words of why it is none: `'uo' (named by 'vo' in its coordinates)`.
    #[must_use]
    pub fn not_data(&self) -> Vec<(String, String)> {
        let auxiliary = self.auxiliary();
        let names = self.variables.iter().map(|v| &v.name);
        names
            .filter_map(|name| {
                let why = auxiliary.get(name.as_str())?;
                Some((name.clone(), format!("'{name}' ({why})")))
            })
            .collect()
    }

    /// The variable that names `bounds` as its bounds.
    #[must_use]
    pub fn bounded_by(&self, bounds: &str) -> Option<&Variable> {
        let mut variables = self.variables.iter();
        variables.find(|variable| variable.words("bounds").any(|name| name == bounds))
    }

    /// By name, why a variable is no data: the first reason there is. Some of them the file may not have.
    fn auxiliary(&self) -> BTreeMap<&str, String> {
        let mut auxiliary = BTreeMap::new();
        for variable in &self.variables {
            if self.dimension(&variable.name).is_some() {
                let why = "the coordinate of a dimension".to_owned();
                auxiliary.insert(variable.name.as_str(), why);
            }
        }
        for variable in &self.variables {
            let mut add = |name, attribute: &str| {
                let why = || format!("named by '{}' in its {attribute}", variable.name);
                auxiliary.entry(name).or_insert_with(why);
            };
            for attribute in NAMING {
                variable
                    .words(attribute)
                    .for_each(|name| add(name, attribute));
            }
            variable
                .grid_mappings()
                .for_each(|name| add(name, "grid_mapping"));
        }
        for variable in &self.variables {
            for name in self.unnamed_horizontal(variable) {
                if let Some(coordinate) = self.variable(&name) {
                    let why = || format!("a coordinate of '{}', by its dimensions", variable.name);
                    auxiliary.entry(&coordinate.name).or_insert_with(why);
                }
            }
        }
        auxiliary
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{Attribute, DType, VariableType};

    fn catalogue(variables: &[(&str, &[(&str, &str)])]) -> Catalogue {
        let variables = variables.iter().map(|(name, attributes)| Variable {
            name: (*name).to_owned(),
            kind: VariableType::Number(DType::F32),
            dimensions: vec!["time".to_owned()],
            shape: vec![1],
            stored_chunks: None,
            attributes: attributes
                .iter()
                .map(|(name, text)| ((*name).to_owned(), Attribute::Text((*text).to_owned())))
                .collect(),
        });
        Catalogue {
            path: PathBuf::from("a.nc"),
            dimensions: vec![("time".to_owned(), 1)],
            variables: variables.collect(),
            ..Catalogue::default()
        }
    }

    #[test]
    fn each_variable_is_data_or_has_a_reason() {
        let file = catalogue(&[
            ("time", &[("bounds", "time_bounds")]),
            ("time_bounds", &[]),
            (
                "tos",
                &[("coordinates", "time lat"), ("grid_mapping", "crs")],
            ),
            ("lat", &[]),
            ("crs", &[]),
            ("uo", &[("coordinates", "vo")]),
            ("vo", &[("coordinates", "uo")]),
            ("own", &[("coordinates", "own")]),
        ]);
        assert_eq!(file.data_variables(), ["tos"]);
        let said: Vec<String> = file.not_data().into_iter().map(|(_, why)| why).collect();
        assert_eq!(
            said,
            [
                "'time' (the coordinate of a dimension)",
                "'time_bounds' (named by 'time' in its bounds)",
                "'lat' (named by 'tos' in its coordinates)",
                "'crs' (named by 'tos' in its grid_mapping)",
                "'uo' (named by 'vo' in its coordinates)",
                "'vo' (named by 'uo' in its coordinates)",
                "'own' (named by 'own' in its coordinates)",
            ]
        );
    }
}
