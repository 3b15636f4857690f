//! Where steps of a time axis are missing: [`gaps`] finds every [`Gap`].

use super::instant::Instant;

/// A stretch of time that no step covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first step after it.
    pub index: usize,
    /// Where it begins: the end of the step before, or without bounds that step's time.
    pub from: Instant,
    /// Where it ends: the begin of step `index`, or without bounds that step's time.
    pub to: Instant,
}

/// The gaps between increasing steps of one axis.
///
/// With bounds of positive width for every step, a gap is where one step begins after the end of the one before.
/// Otherwise the spacing decides: with at least 3 steps, a gap is where it is more than 1.5 times the median, for the
/// months and years of most calendars differ by a few days.
#[must_use]
pub fn gaps(instants: &[Instant], bounds: Option<&[(Instant, Instant)]>) -> Vec<Gap> {
    let bounds = bounds.filter(|bounds| {
        bounds.len() == instants.len() && bounds.iter().all(|(start, end)| end.is_after(*start))
    });
    if let Some(bounds) = bounds {
        let ends = bounds.windows(2).map(|pair| (pair[0].1, pair[1].0));
        return found(ends, |from, to| to.is_after(from));
    }
    let mut spacings: Vec<i128> = instants
        .windows(2)
        .map(|pair| pair[1].ns() - pair[0].ns())
        .collect();
    if spacings.len() < 2 {
        return Vec::new();
    }
    spacings.sort_unstable();
    let middle = spacings.len() / 2;
    let twice_median = spacings[middle] + spacings[(spacings.len() - 1) / 2];
    let steps = instants.windows(2).map(|pair| (pair[0], pair[1]));
    found(steps, |from, to| {
        4 * (to.ns() - from.ns()) > 3 * twice_median
    })
}

fn found(
    pairs: impl Iterator<Item = (Instant, Instant)>,
    is_gap: impl Fn(Instant, Instant) -> bool,
) -> Vec<Gap> {
    pairs
        .enumerate()
        .filter(|(_, (from, to))| is_gap(*from, *to))
        .map(|(before, (from, to))| Gap {
            index: before + 1,
            from,
            to,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Calendar;
    use super::*;

    fn day(text: &str) -> Instant {
        Instant::parse(text, Calendar::Standard).unwrap()
    }

    fn months(of: &[u8]) -> Vec<(Instant, Instant)> {
        let month = |m: u8| {
            let next = if m == 12 {
                "2002-01-01".to_owned()
            } else {
                format!("2001-{}-01", m + 1)
            };
            (day(&format!("2001-{m}-01")), day(&next))
        };
        of.iter().map(|&m| month(m)).collect()
    }

    fn indices(instants: &[Instant], bounds: Option<&[(Instant, Instant)]>) -> Vec<usize> {
        gaps(instants, bounds).iter().map(|gap| gap.index).collect()
    }

    #[test]
    fn months_and_years_have_no_gaps_of_their_own() {
        let all = months(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let starts: Vec<Instant> = all.iter().map(|b| b.0).collect();
        assert_eq!(gaps(&starts, Some(&all)), []);
        assert_eq!(gaps(&starts, None), []);
        let years: Vec<Instant> = (1976..1990).map(|y| day(&format!("{y}-07-02"))).collect();
        assert_eq!(gaps(&years, None), []);
    }

    #[test]
    fn a_missing_month_is_a_gap_with_bounds_and_without() {
        let some = months(&[1, 2, 4, 5, 6, 9]);
        let starts: Vec<Instant> = some.iter().map(|b| b.0).collect();
        assert_eq!(indices(&starts, Some(&some)), [2, 5]);
        assert_eq!(indices(&starts, None), [2, 5]);
        let first = gaps(&starts, Some(&some))[0];
        assert_eq!(first.from.to_string(), "2001-03-01 00:00:00");
        assert_eq!(first.to.to_string(), "2001-04-01 00:00:00");
    }

    #[test]
    fn bounds_without_width_or_of_other_steps_say_nothing() {
        let some = months(&[1, 2, 4]);
        let starts: Vec<Instant> = some.iter().map(|b| b.0).collect();
        let points: Vec<_> = starts.iter().map(|&s| (s, s)).collect();
        assert_eq!(indices(&starts, Some(&points)), indices(&starts, None));
        assert_eq!(indices(&starts, Some(&some[1..])), indices(&starts, None));
    }

    #[test]
    fn two_steps_show_a_gap_only_by_their_bounds() {
        let two = months(&[1, 12]);
        let starts: Vec<Instant> = two.iter().map(|b| b.0).collect();
        assert_eq!(indices(&starts, Some(&two)), [1]);
        assert_eq!(gaps(&starts, None), []);
        assert_eq!(gaps(&[], None), []);
    }
}
