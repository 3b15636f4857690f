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
        if self.units.is_empty() {
            return number.to_owned();
        }
        format!("{number} {}", self.units)
    }
}
