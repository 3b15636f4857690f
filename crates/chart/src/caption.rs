//! What is said of a chart.
//!
//! Key type: [`Caption`].

/// What a chart shows, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// The variable's name, and what it means if that is known.
    pub title: String,
    /// When and where: a date, a depth.
    pub detail: String,
    /// Units of the values; empty where there are none.
    pub units: String,
}

impl Caption {
    /// Title and detail, as one text.
    pub(crate) fn whole(&self) -> String {
        let parts = [&self.title, &self.detail];
        let parts = parts.iter().filter(|part| !part.is_empty());
        let parts: Vec<&str> = parts.map(|part| part.as_str()).collect();
        parts.join(", ")
    }

    /// `number` with the units.
    pub(crate) fn with_units(&self, number: &str) -> String {
        format!("{number}{}", self.behind_numbers())
    }

    /// What stands behind a number: nothing where the units are those of a bare one, and those that are a number themselves are a
    /// factor.
    pub(crate) fn behind_numbers(&self) -> String {
        let units = self.units.trim();
        let is_bare = units.parse().is_ok_and(|factor: f64| factor == 1.0);
        if units.is_empty() || is_bare {
            return String::new();
        }
        if units.starts_with(|character: char| character.is_ascii_digit()) {
            return format!(" × {units}");
        }
        format!(" {units}")
    }

    /// The units where they stand alone.
    pub(crate) fn units_alone(&self) -> String {
        let units = self.units.trim();
        if units.starts_with(|character: char| character.is_ascii_digit()) {
            return format!("units: {units}");
        }
        units.to_owned()
    }
}
