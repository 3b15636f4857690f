//! What `list` says of many stores: a line a store, totals, and what a filter left out.
//!
//! Key types: [`StoreLine`]; [`ListedTotals`].

use std::collections::HashSet;
use std::fmt;

use super::{bytes_shown, counted, state_shown};
use crate::verbs::list::{LeftOut, StoreInfo, StoreState};

/// Variables that a line names.
const NAMED: usize = 6;

/// A store in one line.
pub(in crate::cli) struct StoreLine<'a>(pub &'a StoreInfo);

impl fmt::Display for StoreLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.0;
        let mut parts = Vec::new();
        if info.state != StoreState::Whole {
            parts.push(state_shown(info).to_owned());
        }
        if let Some(problem) = &info.problem {
            parts.push(problem.lines().collect::<Vec<_>>().join(" "));
        }
        parts.extend(info.zarr_format.map(|format| format!("Zarr v{format}")));
        parts.extend(data_variables(info));
        if let Some(time) = &info.time {
            parts.push(counted(time.steps, "steps"));
            parts.push(format!("{} to {}", time.first, time.last));
        }
        if let (Some(objects), Some(bytes)) = (info.objects, info.stored_bytes) {
            parts.push(counted(objects, "objects"));
            parts.push(bytes_shown(bytes));
        }
        if let Some(last) = &info.last_transaction {
            parts.push(format!("changed {}", last.time));
        }
        write!(f, "{}: {}", info.store, parts.join(", "))
    }
}

/// The names of the store's data variables, the first few of many.
fn data_variables(info: &StoreInfo) -> Option<String> {
    let data = info.variables.iter().filter(|v| !v.coordinate);
    let names: Vec<&str> = data.map(|variable| variable.name.as_str()).collect();
    let named = names.get(..NAMED).unwrap_or(&names).join(" ");
    match names.len() {
        0 => None,
        all if all > NAMED => Some(format!(
            "{named} and {}",
            counted(all - NAMED, "more variables")
        )),
        _ => Some(named),
    }
}

/// All that was listed.
#[derive(Debug, Default)]
pub(in crate::cli) struct ListedTotals {
    /// How many: stores, and groups of hierarchies.
    pub stores: u64,
    objects: u64,
    bytes: u64,
    /// Stores of which it is not known how much they hold.
    unknown: u64,
    /// The keys of what was counted: groups lie in groups.
    counted: HashSet<String>,
}

impl ListedTotals {
    pub(in crate::cli) fn count(&mut self, store: &StoreInfo) {
        self.stores += 1;
        let mut above = store.store.match_indices('/').map(|(end, _)| end);
        if above.any(|end| self.counted.contains(&store.store[..end])) {
            return;
        }
        let (Some(objects), Some(bytes)) = (store.objects, store.stored_bytes) else {
            self.unknown += 1;
            return;
        };
        self.objects += objects;
        self.bytes += bytes;
        self.counted.insert(store.store.clone());
    }
}

impl fmt::Display for ListedTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stores, objects) = (self.stores, self.objects);
        write!(
            f,
            "{}, {}, {}",
            counted(stores, "stores"),
            counted(objects, "objects"),
            bytes_shown(self.bytes)
        )?;
        match self.unknown {
            0 => Ok(()),
            unknown => write!(f, "; the size of {unknown} of them is not known"),
        }
    }
}

/// That a filter left stores out by what is not known of them.
pub(in crate::cli) fn left_out(left: &LeftOut) -> Option<String> {
    let first = left.first_unknown.as_ref()?;
    let more = match left.unknown {
        0 | 1 => String::new(),
        all => format!(" and {} more", all - 1),
    };
    Some(format!(
        "left out, for it is not known what they hold, or when their last transaction was: '{first}'{more}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(key: &str, size: Option<(u64, u64)>) -> StoreInfo {
        StoreInfo {
            store: key.to_owned(),
            state: StoreState::Whole,
            problem: None,
            zarr_format: Some(3),
            variables: Vec::new(),
            time: None,
            objects: size.map(|size| size.0),
            stored_bytes: size.map(|size| size.1),
            decoded_bytes: None,
            last_transaction: None,
            being_replaced: None,
        }
    }

    #[test]
    fn what_lies_in_a_group_that_was_counted_is_not_counted_again() {
        let mut totals = ListedTotals::default();
        for (key, size) in [
            ("a/tree.zarr", Some((10, 1024))),
            ("a/tree.zarr/gridT", Some((4, 400))),
            ("a/tree.zarr/gridT/deep", Some((2, 200))),
            ("a/tree.zarr2", Some((1, 1024))),
            ("a/x.zarr", None),
        ] {
            totals.count(&store(key, size));
        }
        let said = "5 stores, 11 objects, 2.0 KiB; the size of 1 of them is not known";
        assert_eq!(totals.to_string(), said);
    }

    #[test]
    fn a_line_is_one_line_whatever_the_problem() {
        let mut broken = store("a.zarr", None);
        broken.state = StoreState::Broken;
        broken.problem = Some("not JSON:\nat 3".to_owned());
        let line = StoreLine(&broken).to_string();
        assert_eq!(line, "a.zarr: BROKEN, not JSON: at 3, Zarr v3");
    }
}
