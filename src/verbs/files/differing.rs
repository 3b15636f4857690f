//! What to tell the user of stores whose arrays and attributes are not all as the files have them.

use std::collections::BTreeSet;

use msm_model::Archive;
use msm_plan::{Goal, StoreRequest, Task, masking_note, repairs, spoiled, stale_checksums};

use crate::events::{NamesInStores, Notice};

/// Names, and the stores that they are said of.
#[derive(Default)]
struct StoresByName<'a> {
    names: BTreeSet<String>,
    stores: BTreeSet<&'a str>,
}

impl<'a> StoresByName<'a> {
    fn add(&mut self, store: &'a str, names: impl IntoIterator<Item = String>) {
        let mut names = names.into_iter().peekable();
        if names.peek().is_some() {
            self.stores.insert(store);
            self.names.extend(names);
        }
    }

    fn notice(self, of: impl FnOnce(NamesInStores) -> Notice) -> Option<Notice> {
        let stores: Vec<String> = self.stores.into_iter().map(str::to_owned).collect();
        let names = self.names.into_iter().collect();
        (!stores.is_empty()).then(|| of(NamesInStores { names, stores }))
    }
}

/// In what the stores of `requests` differ from the files, and go on to: one notice of each kind.
pub(in crate::verbs) fn differences(
    requests: &[StoreRequest],
    archive: &Archive,
    task: &Task,
) -> Vec<Notice> {
    let [mut without, mut lost, mut repaired, mut stale] =
        [(); 4].map(|()| StoresByName::default());
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
            let written = if task.repair_attributes {
                written
            } else {
                Vec::new()
            };
            let is_masked = written.iter().any(|name| name == "_FillValue");
            repaired.add(&request.key, written);
            masked.extend(masking_note(variable, array).filter(|_| !is_masked));
        }
        stale.add(&request.key, stale_checksums(request, task));
    }
    let lost = lost.notice(Notice::Lost);
    let told = [
        without.notice(Notice::Without),
        lost.filter(|_| !task.repair_attributes),
        repaired.notice(Notice::Repaired),
        stale
            .notice(Notice::Stale)
            .filter(|_| task.goal != Goal::Compare),
    ];
    let told = told.into_iter().flatten();
    told.chain(masked.into_iter().map(Notice::Masking))
        .collect()
}
