//! The time units of a variable, its own or those of the variable it belongs to: [`time_units`].

use super::error::TimeError;
use super::units::{TimeUnits, split};
use crate::Attribute;
use crate::{Catalogue, Variable};

/// Does `variable` itself say that it holds times? Units are read in upper and lower case.
pub(crate) fn is_timed(variable: &Variable) -> bool {
    let units = variable.attribute("units").and_then(Attribute::text);
    units.is_some_and(|units| split(units).is_some())
}

/// The time units of `variable`, or `None` where its units are no time units.
///
/// Bounds need not repeat units and calendar: they have those of the variable whose `bounds` or `climatology` attribute
/// names them (CF §7.1 and §7.4).
///
/// # Errors
/// If the units are of the form `<unit> since <time>`, but cannot be read; or the calendar cannot.
pub fn time_units(catalogue: &Catalogue, variable: &str) -> Result<Option<TimeUnits>, TimeError> {
    let Some(own) = catalogue.variable(variable) else {
        return Ok(None);
    };
    let parents = catalogue.variables.iter().filter(|parent| {
        let mut named = parent.words("bounds").chain(parent.words("climatology"));
        named.any(|name| name == variable)
    });
    // Of several parents, the first that says it: XIOS gives `time_counter` and `time_centered` common bounds.
    let family: Vec<&Variable> = std::iter::once(own).chain(parents).collect();
    let said = |name: &str| family.iter().find_map(|member| member.attribute(name));
    let Some(units) = said("units").and_then(Attribute::text) else {
        return Ok(None);
    };
    if split(units).is_none() {
        return Ok(None);
    }
    let calendar = match said("calendar") {
        None => Ok(None),
        Some(attribute) => attribute
            .text()
            .map(Some)
            .ok_or_else(|| TimeError::CalendarIsNoText {
                found: attribute.to_json().to_string(),
            }),
    };
    calendar
        .and_then(|calendar| TimeUnits::parse(units, calendar))
        .map(Some)
        .map_err(|cause| TimeError::Variable {
            path: catalogue.path.clone(),
            variable: variable.to_owned(),
            cause: Box::new(cause),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Number, VariableType};

    fn catalogue(variables: &[(&str, &[(&str, &str)])]) -> Catalogue {
        let variables = variables.iter().map(|(name, attributes)| Variable {
            name: (*name).to_owned(),
            kind: VariableType::Number(DType::F64),
            dimensions: vec!["time_counter".to_owned()],
            shape: vec![1],
            stored_chunks: None,
            attributes: attributes
                .iter()
                .map(|(name, text)| ((*name).to_owned(), Attribute::Text((*text).to_owned())))
                .collect(),
        });
        Catalogue {
            path: "a.nc".into(),
            dimensions: vec![("time_counter".to_owned(), 1)],
            variables: variables.collect(),
            ..Catalogue::default()
        }
    }

    #[test]
    fn bounds_inherit_what_they_do_not_say() {
        let since = ("units", "seconds since 1900-01-01");
        let catalogue = catalogue(&[
            ("time_counter", &[("bounds", "time_bounds")]),
            (
                "time_centered",
                &[
                    since,
                    ("calendar", "360_day"),
                    ("bounds", "time_bounds own_bounds"),
                    ("climatology", "climate"),
                ],
            ),
            ("time_bounds", &[]),
            ("own_bounds", &[("units", "hours since 1900-01-01")]),
            ("climate", &[]),
            ("depth", &[("units", "m")]),
        ]);
        let of = |name| time_units(&catalogue, name).unwrap().map(|u| u.to_string());
        let seconds = Some("seconds since 1900-01-01 00:00:00 (360_day)".to_owned());
        assert_eq!(of("time_centered"), seconds);
        assert_eq!(of("time_bounds"), seconds);
        assert_eq!(of("climate"), seconds);
        assert_eq!(
            of("own_bounds").unwrap(),
            "hours since 1900-01-01 00:00:00 (360_day)"
        );
        assert_eq!(
            [of("time_counter"), of("depth"), of("none")],
            [None, None, None]
        );
    }

    #[test]
    fn errors_name_the_file_and_the_variable() {
        let mut catalogue = catalogue(&[("time", &[("units", "months since 1900-01-01")])]);
        let error = time_units(&catalogue, "time").unwrap_err().to_string();
        assert!(
            error.starts_with("a.nc: variable 'time': time units 'months since"),
            "{error}"
        );
        let calendar = Attribute::Numbers(vec![Number::Int(360)]);
        catalogue.variables[0].attributes = vec![
            (
                "units".to_owned(),
                Attribute::Text("days since 1900-01-01".to_owned()),
            ),
            ("calendar".to_owned(), calendar),
        ];
        let error = time_units(&catalogue, "time").unwrap_err().to_string();
        assert!(error.contains("calendar is 360"), "{error}");
    }
}
