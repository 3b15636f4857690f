//! What is said of a notice.

use std::path::Path;

use msm_model::{are, counted, list};
use msm_plan::{LACKING, MaskingNote};

use crate::events::{NamesInStores, Notice};
use crate::verbs::reprojection::error::explained;

/// Of a store without a ledger.
const UNTOLD_RECIPE: &str =
    "no ledger tells by which recipe its arrays were made, if by any; this one is gone by";

/// Does it belong to what a command says on standard output of its work?
pub(super) fn is_said_aloud(notice: &Notice) -> bool {
    !matches!(
        notice,
        Notice::BeingReplaced(_)
            | Notice::NoTime { .. }
            | Notice::Untimed { .. }
            | Notice::NotData { .. }
            | Notice::Remains { .. }
            | Notice::UnsoundPart { .. }
            | Notice::UntoldRecipe { .. }
            | Notice::Clipped { .. }
            | Notice::NotReprojected { .. }
            | Notice::LeftAlone { .. }
            | Notice::Holes { .. }
    )
}

/// The notice in words.
pub(in crate::cli) fn notice(notice: &Notice) -> String {
    let of_store = |store: &String, what: String| format!("store '{store}': {what}");
    match notice {
        Notice::BeingReplaced(replaced) => replaced.to_string(),
        Notice::NoTime {
            file,
            more,
            problem,
        } => no_time(file, *more, problem),
        Notice::Untimed {
            file,
            dimension,
            time,
        } => format!(
            "{}: its '{dimension}' has no times that change from step to step, so readers could not select by it in the new stores; \
             --time-from {time} gives it those of '{time}', but only as a store is made",
            file.display()
        ),
        Notice::NotData { file, variables } => format!(
            "{}: not sent, being no data variables nor coordinates of any: {}; name those to send with -v",
            file.display(),
            variables.join(", ")
        ),
        Notice::OddAttributes { file, attributes } => odd_attributes(file, attributes),
        Notice::MarksNothing {
            file,
            variable,
            dtype,
            fill,
        } => format!(
            "{}: variable '{variable}' has type {dtype}, none of whose values is its _FillValue {fill}; it is kept as missing_value",
            file.display()
        ),
        Notice::Clipped {
            dimension,
            asked,
            size,
        } => {
            format!("--chunk_strategy: {asked} along '{dimension}' is clipped to its size, {size}")
        }
        Notice::UnsoundPart { number, of } => format!(
            "part {} of {of}: its objects, or what the ledger tells of them, are not as they were put; it is to be put again",
            number + 1
        ),
        Notice::HasAll { store, steps } => of_store(store, has_all(*steps)),
        Notice::HasFiles { store, files, of } => of_store(store, has_files(*files, *of)),
        Notice::Filled { store, arrays } => of_store(
            store,
            format!(
                "{} get steps there that were never sent to them",
                listed(arrays)
            ),
        ),
        Notice::Lacking {
            store,
            arrays,
            given,
            of,
        } => of_store(store, lacking(arrays, *given, *of)),
        Notice::Without(named) => of_named(named, |names| {
            format!(
                "going on without {names}, which the files have; send --add-variables adds them"
            )
        }),
        Notice::Lost(named) => of_named(named, |names| {
            format!(
                "another tool left null as {names}; --repair-attributes writes what the files have"
            )
        }),
        Notice::Repaired(named) => of_named(named, |names| {
            format!("{names} written as the files have them")
        }),
        Notice::Stale(named) => of_named(named, |names| {
            format!("{names} removed, which another tool wrote of values that are overwritten")
        }),
        Notice::Masking(note) => masking(note),
        Notice::UntoldRecipe { store } => of_store(store, UNTOLD_RECIPE.to_owned()),
        Notice::Remains { store, objects } => of_store(store, remains(*objects)),
        Notice::NeverWritten { stores } => format!(
            "left as they are: {}, which this program never wrote",
            listed(stores)
        ),
        Notice::NotReprojected { variable, reason } => {
            format!("'{variable}' is not reprojected: {}", explained(*reason))
        }
        Notice::LeftAlone { arrays } => left_alone(arrays),
        Notice::Holes {
            file,
            coordinates,
            holes,
            cells,
        } => no_coordinates(file, coordinates, *holes, *cells),
    }
}

fn no_time(file: &Path, more: usize, problem: &str) -> String {
    let more = match more {
        0 => String::new(),
        1 => " (and 1 more file)".to_owned(),
        more => format!(" (and {more} more files)"),
    };
    format!(
        "{}{more}: {problem}; it is sent as it is, and the spacing of the steps tells whether any are missing",
        file.display()
    )
}

fn odd_attributes(file: &Path, attributes: &[(Option<String>, String)]) -> String {
    let attributes = attributes.iter().map(|(variable, name)| match variable {
        None => format!("'{name}'"),
        Some(variable) => format!("'{name}' of '{variable}'"),
    });
    format!(
        "{}: left out are attributes of types that only this file defines: {}",
        file.display(),
        attributes.collect::<Vec<_>>().join(", ")
    )
}

fn has_all(steps: usize) -> String {
    match steps {
        0 => "all arrays are there already, skipped".to_owned(),
        1 => "the step is there already, skipped".to_owned(),
        _ => format!("all {steps} steps are there already, skipped"),
    }
}

fn has_files(files: usize, of: usize) -> String {
    let (of, are) = (counted(of, "files"), are(files));
    format!("{files} of {of} {are} there already, skipped")
}

fn remains(objects: usize) -> String {
    let objects = counted(objects, "objects");
    format!("removing {objects} of a send that died")
}

fn lacking(arrays: &[String], given: usize, of: usize) -> String {
    format!(
        "{}, new there, get {given} of its {}; the others read as fill until their files are sent too, and the attribute \
         {LACKING} names them",
        listed(arrays),
        counted(of, "steps")
    )
}

fn left_alone(arrays: &[(String, String)]) -> String {
    let arrays = arrays.iter();
    let arrays = arrays.map(|(name, store)| format!("'{name}' of '{store}'"));
    format!(
        "another tool reprojected {}, left as they are: steps that are new have no values there; send --reproject \
         --replace-projected writes them anew, delete --array removes them",
        arrays.collect::<Vec<_>>().join(", ")
    )
}

fn no_coordinates(file: &Path, coordinates: &[String; 2], holes: usize, cells: u64) -> String {
    let [longitude, latitude] = coordinates;
    format!(
        "{}: {holes} of {cells} cells have no coordinates in '{longitude}', '{latitude}' (NaN, fill values or zeros, as XIOS \
         writes where land processors were left out): they take no part in the reprojection; --grid-filepath and \
         --update-coords can take them from the domain file",
        file.display()
    )
}

/// The stores, and what is said of them (as `say` puts the names).
fn of_named(named: &NamesInStores, say: impl Fn(&str) -> String) -> String {
    let noun = match named.stores.len() {
        1 => "store",
        _ => "stores",
    };
    format!(
        "{noun} {}: {}",
        listed(&named.stores),
        say(&listed(&named.names))
    )
}

fn masking(note: &MaskingNote) -> String {
    match note {
        MaskingNote::Reserved { values, variable } => format!(
            "values {values} of '{variable}' are missing there, and may not be data in the files"
        ),
        MaskingNote::Rewritten {
            variable,
            from,
            to,
            is_unmasked,
        } => format!(
            "missing values of '{variable}' are {from} in the files, and are written as {to}, {}",
            if *is_unmasked {
                "for nothing is said to be missing there; --repair-attributes says what the files do, if no data can have such values"
            } else {
                "as they are there"
            }
        ),
    }
}

fn listed(names: &[String]) -> String {
    list(names.iter().map(String::as_str))
}
