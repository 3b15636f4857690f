//! Degrees as a file has them, in the precision that it has: half the memory for most.
//!
//! Key type: [`Coordinates`].

/// Longitudes or latitudes, degrees.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Coordinates {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl Coordinates {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one of number `index`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn at(&self, index: usize) -> f64 {
        match self {
            Self::Single(values) => f64::from(values[index]),
            Self::Double(values) => values[index],
        }
    }
}

impl Default for Coordinates {
    fn default() -> Self {
        Self::Double(Vec::new())
    }
}

impl From<Vec<f64>> for Coordinates {
    fn from(values: Vec<f64>) -> Self {
        Self::Double(values)
    }
}

impl From<Vec<f32>> for Coordinates {
    fn from(values: Vec<f32>) -> Self {
        Self::Single(values)
    }
}
