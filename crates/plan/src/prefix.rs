//! The default prefix: grid and frequency from a file's name, in either of the orders NEMO uses.

use super::error::PlanError;

/// `T1y` from `eORCA025_1y_grid_T_1976-1976.nc`, `icemod1y` from `eORCA025_1y_icemod_1976-1976.nc`, `T1m` from
/// `nemo_1m_20150101-20150201_grid-T.nc`.
///
/// # Errors
/// If the name has no frequency, or not exactly one grid beside the run's name, frequency and dates.
pub fn derive_prefix(file_name: &str) -> Result<String, PlanError> {
    let stem = file_name.strip_suffix(".nc").unwrap_or(file_name);
    let words: Vec<&str> = stem.split('_').collect();
    let frequency = words
        .iter()
        .skip(1)
        .position(|w| is_frequency(w))
        .map(|i| i + 1);
    frequency
        .and_then(|at| {
            let rest: Vec<&str> = words[at + 1..]
                .iter()
                .copied()
                .filter(|w| !is_date(w))
                .collect();
            let grid = match rest[..] {
                ["grid", grid] => grid,
                [one] => one.strip_prefix("grid-").unwrap_or(one),
                _ => return None,
            };
            let word = !grid.is_empty() && grid.chars().all(|c| c.is_ascii_alphanumeric());
            word.then(|| format!("{grid}{}", words[at]))
        })
        .ok_or_else(|| PlanError::NoPrefix {
            name: file_name.to_owned(),
        })
}

/// A number and a unit of time as XIOS writes output frequencies: `1y`, `1m`, `5d`, `6h`, `30mi`, `1ts`.
fn is_frequency(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < word.len() && ["y", "mo", "m", "d", "h", "mi", "s", "ts"].contains(&unit)
}

/// One date or two: `1976`, `19760101`, `1976-1976`, `20150101-20150201`.
fn is_date(word: &str) -> bool {
    !word.is_empty()
        && word.split('-').count() <= 2
        && word
            .split('-')
            .all(|date| date.len() >= 4 && date.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_of_nemo_are_understood() {
        for (name, prefix) in [
            ("eORCA025_1y_grid_T_1976-1976.nc", "T1y"),
            ("eORCA025_1y_icemod_1976-1976.nc", "icemod1y"),
            ("nemo_1m_20150101-20150201_grid-T.nc", "T1m"),
            ("ORCA2_5d_00010101_00011231_grid_U.nc", "U5d"),
            ("eORCA12_1d_19760101_19761231_grid_W.nc", "W1d"),
            ("eORCA1_1m_grid_T_197601-197612.nc", "T1m"),
            ("eORCA1_1m_197601_icemod.nc", "icemod1m"),
        ] {
            assert_eq!(derive_prefix(name).as_deref(), Ok(prefix), "{name}");
        }
    }

    #[test]
    fn other_names_ask_for_a_prefix() {
        for name in [
            "orca2_votemper.nc",
            "1y_grid_T.nc",
            "a_1y_1976-1976.nc",
            "a_1y_ptrc_T_b_1976.nc",
            "a_1y_grid_.nc",
            "",
        ] {
            assert!(derive_prefix(name).is_err(), "{name}");
        }
    }
}
