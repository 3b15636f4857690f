//! Which stores are asked for, told from what is found of them. Pure.
//!
//! Key types: [`StoreFilter`]; [`LeftOut`], what it left out.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::verbs::list::StoreInfo;

/// Which stores are asked for: without a condition, all of them.
#[derive(Clone, Debug, Default)]
pub struct StoreFilter {
    /// Those that hold an array of one of these names; none for whatever they hold.
    pub variables: Vec<String>,
    /// Those whose last transaction was committed before this time.
    pub before: Option<SystemTime>,
    /// Those whose last transaction was committed at this time or later.
    pub since: Option<SystemTime>,
}

/// Is a store asked for?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterVerdict {
    /// Yes.
    Fits,
    /// No.
    Other,
    /// What it is asked by is not known of it.
    Unknown,
}

/// How many stores a filter left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Those that are not asked for.
    pub others: u64,
    /// Those of which it is not known what they hold, or when they were changed last.
    pub unknown: u64,
    /// The key of the first of these.
    pub first_unknown: Option<String>,
}

impl StoreFilter {
    /// Is `store` asked for? One that cannot be read may hold anything.
    pub(super) fn verdict(&self, store: &StoreInfo) -> FilterVerdict {
        let answers = [self.by_variables(store), self.by_age(store)];
        if answers.contains(&Some(false)) {
            FilterVerdict::Other
        } else if answers.contains(&None) {
            FilterVerdict::Unknown
        } else {
            FilterVerdict::Fits
        }
    }

    fn by_variables(&self, store: &StoreInfo) -> Option<bool> {
        if self.variables.is_empty() {
            return Some(true);
        }
        if store.variables.is_empty() {
            return None;
        }
        let mut held = store.variables.iter();
        Some(held.any(|held| self.variables.contains(&held.name)))
    }

    fn by_age(&self, store: &StoreInfo) -> Option<bool> {
        if self.before.is_none() && self.since.is_none() {
            return Some(true);
        }
        let last = store.last_transaction.as_ref()?;
        let time = humantime::parse_rfc3339(&last.time).ok()?;
        Some(
            self.before.is_none_or(|before| time < before)
                && self.since.is_none_or(|since| time >= since),
        )
    }
}

impl LeftOut {
    /// All of them.
    #[must_use]
    pub fn stores(&self) -> u64 {
        self.others + self.unknown
    }

    pub(super) fn count(&mut self, store: &StoreInfo, verdict: FilterVerdict) {
        match verdict {
            FilterVerdict::Fits => {}
            FilterVerdict::Other => self.others += 1,
            FilterVerdict::Unknown => {
                self.unknown += 1;
                self.first_unknown
                    .get_or_insert_with(|| store.store.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::list::describe::nothing;
    use crate::verbs::list::{TransactionInfo, VariableInfo};

    fn store(variables: &[&str], time: Option<&str>) -> StoreInfo {
        let variable = |name: &&str| VariableInfo {
            name: (*name).to_owned(),
            coordinate: false,
            dtype: "float32".to_owned(),
            dimensions: Vec::new(),
            shape: Vec::new(),
            chunks: Vec::new(),
            shards: None,
            codecs: Vec::new(),
            decoded_bytes: None,
        };
        StoreInfo {
            variables: variables.iter().map(variable).collect(),
            last_transaction: time.map(|time| TransactionInfo {
                number: 1,
                command: "send".to_owned(),
                steps: 1,
                time: time.to_owned(),
            }),
            ..nothing("a.zarr")
        }
    }

    fn moment(text: &str) -> SystemTime {
        humantime::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn what_is_not_known_is_neither_asked_for_nor_another() {
        let year = "2026-01-01T00:00:00Z";
        let tos = StoreFilter {
            variables: vec!["so".to_owned(), "tos".to_owned()],
            ..StoreFilter::default()
        };
        let older = StoreFilter {
            before: Some(moment(year)),
            ..StoreFilter::default()
        };
        let newer = StoreFilter {
            since: Some(moment(year)),
            ..StoreFilter::default()
        };
        let both = StoreFilter {
            since: Some(moment(year)),
            ..tos.clone()
        };
        let held = |time| store(&["tos", "nav_lat"], time);
        let (before, after) = (Some("2025-12-31T23:59:59Z"), Some(year));
        for (filter, store, expected) in [
            (
                &StoreFilter::default(),
                store(&[], None),
                FilterVerdict::Fits,
            ),
            (&tos, held(None), FilterVerdict::Fits),
            (&tos, store(&["thetao"], None), FilterVerdict::Other),
            (&tos, store(&[], None), FilterVerdict::Unknown),
            (&older, held(before), FilterVerdict::Fits),
            (&older, held(after), FilterVerdict::Other),
            (&older, held(None), FilterVerdict::Unknown),
            (&newer, held(before), FilterVerdict::Other),
            (&newer, held(after), FilterVerdict::Fits),
            (&newer, held(Some("lately")), FilterVerdict::Unknown),
            (&both, held(after), FilterVerdict::Fits),
            (&both, held(None), FilterVerdict::Unknown),
            (&both, store(&["thetao"], None), FilterVerdict::Other),
        ] {
            assert_eq!(filter.verdict(&store), expected, "{filter:?} {store:?}");
        }
    }
}
