//! Where an axis has its ticks, and what is written there.

/// Steps of a tick that people count in, of which one fits any range when multiplied by a power of ten.
const STEPS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];

/// Steps of degrees; finer ones are those of numbers.
const DEGREES: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0];

/// Round numbers from `low` to `high`, about `count` of them, with their texts.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
    let range = high - low;
    if !range.is_finite() || range <= 0.0 {
        return Vec::new();
    }
    let rough = range / count.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = STEPS.iter().map(|step| step * power);
    let step = { step }
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    // Of numbers that are next to the smallest there are.
    if !step.is_normal() {
        return Vec::new();
    }
    let largest = low.abs().max(high.abs());
    let digits = (-step.log10().floor()).max(0.0) as usize;
    // As many as tell neighbours apart.
    let significant = (largest / step).log10().floor() + 1.0;
    let significant = (significant as usize).clamp(6, 16);
    let label = |value: f64| {
        if largest >= 1e6 || digits > 6 {
            with_digits(value, significant)
        } else {
            minus(&format!("{value:.digits$}"))
        }
    };
    multiples(low, high, step)
        .into_iter()
        .map(|value| (value, label(value)))
        .collect()
}

/// Ticks of longitude from `west` to `east`, about `count`.
pub(crate) fn longitudes(west: f64, east: f64, count: usize) -> Vec<(f64, String)> {
    degrees(west, east, count, longitude)
}

/// Ticks of latitude from `south` to `north`, about `count`.
pub(crate) fn latitudes(south: f64, north: f64, count: usize) -> Vec<(f64, String)> {
    degrees(south, north, count, latitude)
}

/// A longitude with its side.
pub(crate) fn longitude(degrees: f64) -> String {
    match (degrees + 180.0).rem_euclid(360.0) - 180.0 {
        0.0 => "0°".into(),
        -180.0 => "180°".into(),
        west if west < 0.0 => format!("{}°W", number(-west)),
        east => format!("{}°E", number(east)),
    }
}

/// A latitude with its side.
pub(crate) fn latitude(degrees: f64) -> String {
    match degrees {
        0.0 => "0°".into(),
        south if south < 0.0 => format!("{}°S", number(-south)),
        north => format!("{}°N", number(north)),
    }
}

fn degrees(low: f64, high: f64, count: usize, label: impl Fn(f64) -> String) -> Vec<(f64, String)> {
    let rough = (high - low) / count.max(1) as f64;
    let values = match DEGREES.iter().find(|step| **step >= rough) {
        Some(step) if rough > 0.5 => multiples(low, high, *step),
        _ => ticks(low, high, count)
            .into_iter()
            .map(|(at, _)| at)
            .collect(),
    };
    let values = values.into_iter();
    values.map(|value| (value, label(value))).collect()
}

/// The multiples of `step` from `low` to `high`.
fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = (last - first + 1.0).clamp(0.0, 100.0) as usize;
    // Zero is not to be "-0".
    let value = |i: usize| (first + i as f64) * step + 0.0;
    (0..count).map(value).collect()
}

/// `value` in as few digits as tell it, six at most.
#[must_use]
pub fn number(value: f64) -> String {
    with_digits(value, 6)
}

/// `value` in as few digits as tell it, `most` at most.
pub(crate) fn with_digits(value: f64, most: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let power = value.abs().log10().floor();
    if !(-4.0..most as f64).contains(&power) {
        let digits = most.saturating_sub(1);
        return minus(&shortest(&format!("{value:.digits$e}")));
    }
    let digits = usize::try_from(most as i32 - 1 - power as i32).unwrap_or(0);
    minus(&shortest(&format!("{value:.digits$}")))
}

/// Without the zeros that end a decimal fraction.
fn shortest(number: &str) -> String {
    let (mantissa, exponent) = number.split_at(number.find('e').unwrap_or(number.len()));
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    format!("{mantissa}{exponent}")
}

/// With the sign that is as wide as a digit.
fn minus(number: &str) -> String {
    number.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<(f64, String)>) -> Vec<String> {
        ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        assert_eq!(labels(ticks(-1.83, 29.2, 6)), ["0", "10", "20"]);
        assert_eq!(
            labels(ticks(-0.5, 0.5, 5)),
            ["−0.4", "−0.2", "0.0", "0.2", "0.4"]
        );
        assert_eq!(
            labels(ticks(34.0, 35.0, 5)),
            ["34.0", "34.2", "34.4", "34.6", "34.8", "35.0"]
        );
        assert_eq!(labels(ticks(0.0, 2e-9, 2)), ["0", "1e−9", "2e−9"]);
        // However far from zero, they can be told apart.
        assert_eq!(
            labels(ticks(1e7, 1e7 + 0.3, 3)),
            ["10000000", "10000000.1", "10000000.2", "10000000.3"]
        );
        assert!(ticks(1.0, 1.0, 5).is_empty() && ticks(0.0, f64::INFINITY, 5).is_empty());
    }

    #[test]
    fn degrees_have_their_sides() {
        let globe = ["180°", "120°W", "60°W", "0°", "60°E", "120°E", "180°"];
        assert_eq!(labels(longitudes(-180.0, 180.0, 6)), globe);
        assert_eq!(
            labels(longitudes(170.0, 190.0, 4)),
            ["170°E", "175°E", "180°", "175°W", "170°W"]
        );
        assert_eq!(labels(longitudes(-0.5, 0.5, 2)), ["0.5°W", "0°", "0.5°E"]);
        assert_eq!(
            labels(latitudes(-90.0, 90.0, 4)),
            ["90°S", "45°S", "0°", "45°N", "90°N"]
        );
    }

    #[test]
    fn numbers_have_six_digits_at_most() {
        for (value, text) in [
            (29.834_567, "29.8346"),
            (-1.5, "−1.5"),
            (0.0, "0"),
            (1e20, "1e20"),
            (123_456.7, "123457"),
            (2.5e-7, "2.5e−7"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
