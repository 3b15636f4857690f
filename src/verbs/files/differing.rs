//! What to tell the user of stores whose arrays and attributes are not all as the files have them.

use std::collections::BTreeSet;

use crate::plan::{Request, Settings, masking_note, repairs, spoiled, stale_checksums};
use crate::source::{Archive, list};

/// Names, and the stores that they are said of.
#[derive(Default)]
struct Notice<'a> {
    names: BTreeSet<String>,
    stores: BTreeSet<&'a str>,
}

impl<'a> Notice<'a> {
    fn add(&mut self, store: &'a str, names: impl IntoIterator<Item = String>) {
        let mut names = names.into_iter().peekable();
        if names.peek().is_some() {
            self.stores.insert(store);
            self.names.extend(names);
        }
    }

    /// The stores, what is said of them (as `say` puts the names), or nothing.
    fn told(&self, say: impl Fn(&str) -> String) -> Option<String> {
        let noun = match self.stores.len() {
            0 => return None,
            1 => "store",
            _ => "stores",
        };
        let stores = list(self.stores.iter().copied());
        Some(format!(
            "{noun} {stores}: {}",
            say(&list(self.names.iter().map(String::as_str)))
        ))
    }
}

/// In what the stores of `requests` differ from the files, and go on to: one notice of each kind. `writes` says whether
/// anything is to be written.
pub(in crate::verbs) fn differences(
    requests: &[Request],
    archive: &Archive,
    settings: &Settings,
    writes: bool,
) -> Vec<String> {
    let [mut without, mut lost, mut repaired, mut stale] = [(); 4].map(|()| Notice::default());
    let mut masked = BTreeSet::new();
    for request in requests {
        let Some(stored) = &request.stored else {
            continue;
        };
        without.add(&request.key, request.without.iter().cloned());
        for name in &request.members {
            let array = stored.arrays.iter().find(|array| array.name == *name);
            let (Some(array), Some(variable)) = (array, archive.catalogue.variable(name)) else {
                continue;
            };
            let names = spoiled(variable, array).into_iter();
            lost.add(&request.key, names.map(str::to_owned));
            let written = repairs(variable, array);
            let written = if settings.repair_attributes {
                written
            } else {
                Vec::new()
            };
            let is_masked = written.iter().any(|name| name == "_FillValue");
            repaired.add(&request.key, written);
            masked.extend(masking_note(variable, array).filter(|_| !is_masked));
        }
        stale.add(&request.key, stale_checksums(request, settings));
    }
    let without = without.told(|names| {
        format!("going on without {names}, which the files have; send --add-variables adds them")
    });
    let lost = lost.told(|names| {
        format!("another tool left null as {names}; --repair-attributes writes what the files have")
    });
    let repaired = repaired.told(|names| format!("{names} written as the files have them"));
    let stale = stale.told(|names| {
        format!("{names} removed, which another tool wrote of values that are overwritten")
    });
    let lost = lost.filter(|_| !settings.repair_attributes);
    let stale = stale.filter(|_| writes);
    let told = [without, lost, repaired, stale].into_iter().flatten();
    told.chain(masked).collect()
}
