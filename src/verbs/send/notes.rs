//! What to tell the user of a store before it is written: what is there already, and what only some of its arrays have.

use msm_model::{Archive, Catalogue};
use msm_plan::{FileSteps, StepPlacement, StoreRequest, marks_nothing};

use crate::events::Notice;
use crate::verbs::send::intent::Intent;

/// What there is to tell of the store of `request`.
pub(in crate::verbs) fn notes(
    request: &StoreRequest,
    archive: &Archive,
    intent: &Intent<'_>,
) -> Vec<Notice> {
    let all = [
        skipped(request, archive, intent),
        filled(request, intent),
        lacking(request, archive),
    ];
    all.into_iter().flatten().collect()
}

/// That readers cannot select by the append dimension's coordinate in stores that are created, since it has no times.
pub(in crate::verbs) fn untimed(requests: &[StoreRequest], archive: &Archive) -> Option<Notice> {
    let (dimension, time) = (&archive.append_dimension, &archive.axis);
    let is_new = |request: &StoreRequest| request.stored.is_none() && !request.placed.is_empty();
    (time != dimension && requests.iter().any(is_new)).then(|| Notice::Untimed {
        file: archive.catalogue.path.clone(),
        dimension: dimension.clone(),
        time: time.clone(),
    })
}

/// The attributes of `members` and of the file that are not sent.
pub(in crate::verbs) fn odd_attributes(
    catalogue: &Catalogue,
    members: &[String],
) -> Option<Notice> {
    let odd = catalogue.odd_attributes.iter();
    let is_sent = |variable: &String| members.contains(variable);
    let odd = odd.filter(|(variable, _)| variable.as_ref().is_none_or(is_sent));
    let attributes: Vec<_> = odd.cloned().collect();
    (!attributes.is_empty()).then(|| Notice::OddAttributes {
        file: catalogue.path.clone(),
        attributes,
    })
}

/// Those of `members` whose `_FillValue` marks nothing.
pub(in crate::verbs) fn unmarked(archive: &Archive, members: &[String]) -> Vec<Notice> {
    let catalogue = &archive.catalogue;
    let variables = members.iter().filter_map(|name| catalogue.variable(name));
    let unmarked = variables.filter_map(|variable| {
        let (dtype, fill) = marks_nothing(variable)?;
        Some(Notice::MarksNothing {
            file: catalogue.path.clone(),
            variable: variable.name.clone(),
            dtype: dtype.to_string(),
            fill: fill.to_string(),
        })
    });
    unmarked.collect()
}

/// What of the files is there already and left as it is.
fn skipped(request: &StoreRequest, archive: &Archive, intent: &Intent<'_>) -> Option<Notice> {
    if request.only_compares(&intent.task) {
        return Some(Notice::HasAll {
            store: request.key.clone(),
            steps: request.placed.len(),
        });
    }
    if request.adds() {
        return None;
    }
    let files = FileSteps::all(archive, &request.members);
    let mut places = request.placed.iter();
    let is_left = |place: &StepPlacement| !request.writes(place, &intent.task);
    let left = files.iter().filter(|file| {
        let of_file: Vec<&StepPlacement> = places.by_ref().take(file.steps.len()).collect();
        !of_file.is_empty() && of_file.into_iter().all(is_left)
    });
    let (left, of) = (left.count(), files.len());
    (left > 0 && left < of).then(|| Notice::HasFiles {
        store: request.key.clone(),
        files: left,
        of,
    })
}

/// Arrays that get values at steps that the store has already, where they never got any.
fn filled(request: &StoreRequest, intent: &Intent<'_>) -> Option<Notice> {
    if intent.task.goal.replaces() {
        return None;
    }
    let lacks = |name: &&String| {
        let mut places = request.placed.iter();
        places.any(|place| request.lacking.has(name, place.at))
    };
    let arrays: Vec<String> = request.names().filter(lacks).cloned().collect();
    (!arrays.is_empty()).then(|| Notice::Filled {
        store: request.key.clone(),
        arrays,
    })
}

/// Arrays that are new to the store and do not get all of its steps.
fn lacking(request: &StoreRequest, archive: &Archive) -> Option<Notice> {
    let stored = request.stored.as_ref()?;
    let given = request.placed.iter().filter(|place| place.stored).count();
    let (all, grows) = (stored.steps.len(), &archive.append_dimension);
    let is_new = |name: &&String| {
        let added = request.added.iter().map(|added| &added.variable);
        let mut variables = added.chain(&archive.catalogue.variables);
        let variable = variables.find(|v| v.name == **name);
        variable.is_some_and(|v| v.dimensions.contains(grows))
            && !stored.arrays.iter().any(|a| a.name == **name)
    };
    let arrays: Vec<String> = request.names().filter(is_new).cloned().collect();
    (!arrays.is_empty() && given < all).then(|| Notice::Lacking {
        store: request.key.clone(),
        arrays,
        given,
        of: all,
    })
}
