//! Steps as documents tell them: times, or numbers.
//!
//! Key function: [`ends`].

use std::cmp::Ordering;

/// The first and the last of `steps`.
pub(super) fn ends<'a>(steps: impl Iterator<Item = &'a String> + Clone) -> Option<[&'a String; 2]> {
    let first = steps.clone().min_by(|a, b| compare(a, b));
    let last = steps.max_by(|a, b| compare(a, b));
    first.zip(last).map(<[_; 2]>::from)
}

/// Times are as long as each other, from the year to the second.
fn compare(one: &str, other: &str) -> Ordering {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one.total_cmp(&other),
        _ => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_no_words() {
        for (steps, expected) in [
            (["9", "-10.5", "1000"], ["-10.5", "1000"]),
            (
                [
                    "1977-01-01 00:00:00",
                    "1976-12-31 12:00:00",
                    "1976-12-31 13:00:00",
                ],
                ["1976-12-31 12:00:00", "1977-01-01 00:00:00"],
            ),
        ] {
            let steps = steps.map(str::to_owned);
            let found = ends(steps.iter()).unwrap();
            assert_eq!(found, [&expected[0].to_owned(), &expected[1].to_owned()]);
        }
        assert_eq!(ends([].iter()), None);
    }
}
