//! What to tell the user of a store before it is written: what is there already, and what only some of its arrays have.

use crate::plan::{LACKING, OfFile, Placed, Request, marks_nothing};
use crate::source::{Archive, Catalogue, list};
use crate::verbs::send::intent::Intent;

/// What there is to tell of the store of `request`.
pub(in crate::verbs) fn notes(
    request: &Request,
    archive: &Archive,
    intent: &Intent<'_>,
) -> Vec<String> {
    let of_store = |note: String| format!("store '{}': {note}", request.key);
    let all = [
        skipped(request, archive, intent),
        filled(request, intent),
        lacking(request, archive),
    ];
    all.into_iter().flatten().map(of_store).collect()
}

/// The attributes of `members` and of the file that are not sent.
pub(in crate::verbs) fn odd_attributes(
    catalogue: &Catalogue,
    members: &[String],
) -> Option<String> {
    let odd = catalogue.odd_attributes.iter();
    let listed: Vec<String> = odd
        .filter_map(|(variable, name)| match variable {
            None => Some(format!("'{name}'")),
            Some(variable) if members.contains(variable) => {
                Some(format!("'{name}' of '{variable}'"))
            }
            Some(_) => None,
        })
        .collect();
    (!listed.is_empty()).then(|| {
        format!(
            "{}: left out are attributes of types that only this file defines: {}",
            catalogue.path.display(),
            listed.join(", ")
        )
    })
}

/// Those of `members` whose `_FillValue` marks nothing.
pub(in crate::verbs) fn unmarked(archive: &Archive, members: &[String]) -> Vec<String> {
    let catalogue = &archive.catalogue;
    let variables = members.iter().filter_map(|name| catalogue.variable(name));
    let found = variables.filter_map(marks_nothing);
    found
        .map(|note| format!("{}: {note}", catalogue.path.display()))
        .collect()
}

/// What of the files is there already and left as it is.
fn skipped(request: &Request, archive: &Archive, intent: &Intent<'_>) -> Option<String> {
    if request.only_compares(&intent.settings) {
        let count = request.placed.len();
        return Some(match count {
            0 => "all arrays are there already, skipped".to_owned(),
            _ => format!("all {count} steps are there already, skipped"),
        });
    }
    if request.adds() {
        return None;
    }
    let files = OfFile::all(archive, &request.members);
    let mut places = request.placed.iter();
    let is_left = |place: &Placed| !request.writes(place, &intent.settings);
    let left = files.iter().filter(|file| {
        let of_file: Vec<&Placed> = places.by_ref().take(file.steps.len()).collect();
        !of_file.is_empty() && of_file.into_iter().all(is_left)
    });
    let (left, all) = (left.count(), files.len());
    (left > 0 && left < all).then(|| format!("{left} of {all} files are there already, skipped"))
}

/// Arrays that get values at steps that the store has already, where they never got any.
fn filled(request: &Request, intent: &Intent<'_>) -> Option<String> {
    if intent.settings.replace {
        return None;
    }
    let lacks = |name: &&String| {
        let mut places = request.placed.iter();
        places.any(|place| request.lacking.has(name, place.at))
    };
    let names: Vec<&str> = request.names().filter(lacks).map(String::as_str).collect();
    let listed = list(names.iter().copied());
    (!names.is_empty()).then(|| format!("{listed} get steps there that were never sent to them"))
}

/// Arrays that are new to the store and do not get all of its steps.
fn lacking(request: &Request, archive: &Archive) -> Option<String> {
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
    let names: Vec<&str> = request.names().filter(is_new).map(String::as_str).collect();
    let listed = list(names.iter().copied());
    (!names.is_empty() && given < all).then(|| {
        format!(
            "{listed}, new there, get {given} of its {all} steps; the others read as fill until their files are sent too, and \
             the attribute {LACKING} names them"
        )
    })
}
