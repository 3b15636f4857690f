//! What values come to.
//!
//! Key type: [`Statistics`].

/// Range and mean of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// The least value.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
    /// Their mean, each with its weight.
    pub mean: f64,
    /// How many there are.
    pub values: usize,
}

impl Statistics {
    /// Of values with their weights; those that are not finite are left out. `None` if there is none.
    pub fn of(values: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut sum, mut weights, mut count) = (0.0, 0.0, 0);
        for (value, weight) in values.filter(|(value, _)| value.is_finite()) {
            least = least.min(value);
            greatest = greatest.max(value);
            sum += value * weight;
            weights += weight;
            count += 1;
        }
        (count > 0).then(|| Self {
            least,
            greatest,
            mean: if weights > 0.0 {
                sum / weights
            } else {
                f64::NAN
            },
            values: count,
        })
    }
}

/// "3 values are infinite", if any is.
pub(crate) fn infinite_in_words(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 value is infinite".to_owned()),
        _ => Some(format!("{count} values are infinite")),
    }
}
