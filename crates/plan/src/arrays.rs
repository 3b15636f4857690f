//! The arrays of one store: new ones as the variables ask for, or the store's own, grown.
//!
//! Key type: [`ArrayDraft`], an array with the stored chunks of its source.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

use super::array_source::{ArraySource, array_source};
use super::attributes::{attributes_of, check_attributes};
use super::compressor::check_codec;
use super::conform::conforms;
use super::contents::{check_contents, check_length};
use super::convert::{conversions, target_units};
use super::draft::StoreRequest;
use super::error::PlanError;
use super::insertion::check_movable;
use super::lacking_steps::tell;
use super::masks::{Masking, mask_unsent};
use super::new_variable::{NewArrayForm, NewVariable, is_small};
use super::other_tools::{check_replaced, padding};
use super::settings::{Goal, PlanSettings};
use super::sharding::check_chunks;
use super::steps::{StepPlacement, runs};
use super::target::{Append, Derivation, Phase, TargetArray, TargetStore};
use super::upkeep::{ResultingArray, stale_checksums};
use super::wishes::ArrayWishes;
use msm_model::{Archive, ArchiveError, DType, Problems, ValueChange, Variable};
use msm_zarr::document::{self, Documents};
use msm_zarr::{StoredArray, Version, layout};

/// An array with the stored chunks of its source.
pub(super) struct ArrayDraft {
    pub array: TargetArray,
    pub stored_chunks: Option<Vec<u64>>,
}

/// An array as it will be, with the documents that tell of it, which are put only if it is written or its attributes change.
struct DraftedArray {
    array: TargetArray,
    documents: Documents,
    /// The chunk shape, that within shards if there are any.
    chunk: Vec<u64>,
    /// Are other attributes written than the store has?
    repaired: bool,
}

/// Adds the arrays of the store that `request`, the one of index `index`, asks for to `drafts`.
///
/// # Errors
/// Everything that does not fit.
pub(super) fn draft_arrays(
    archive: &Archive,
    request: &StoreRequest,
    settings: &PlanSettings,
    index: usize,
    drafts: &mut Vec<ArrayDraft>,
) -> Result<TargetStore, Problems<PlanError>> {
    if let Some(stored) = &request.stored {
        check_contents(request, stored, settings, archive)?;
        check_movable(request, stored, &settings.task, archive)?;
    }
    let version = version_of(archive, request, settings)?;
    let old_root = request.stored.as_ref().map(|s| s.root.clone());
    let mut attributes = document::AttributeEdits::default();
    if request.stored.is_none() {
        let of_files = archive.catalogue.attributes.iter();
        let of_files = of_files.map(|(name, value)| (name.clone(), value.to_json()));
        attributes.added.extend(of_files);
    }
    attributes.added.extend(settings.task.attributes.clone());
    attributes.removed = stale_checksums(request, &settings.task);
    let nested = request.stored.as_ref().and_then(|s| s.nested.as_ref());
    let group = nested.map_or("", |nested| &nested.path);
    // What the root document tells of, and what of it changes.
    let mut told = document::of_store(version, old_root.as_deref(), group, &attributes);
    let mut changed = told.clone();
    let mut problems: Vec<PlanError> = Vec::new();
    let mut chunks: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for name in request.names() {
        let Some(item) = array_source(archive, request, name, &chunks) else {
            continue;
        };
        let drafted = match draft_array(archive, request, settings, version, index, &item) {
            Ok(drafted) => drafted,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let DraftedArray {
            array,
            documents,
            repaired,
            ..
        } = drafted;
        chunks.insert(name.clone(), drafted.chunk);
        let written = array.append.as_ref().is_none_or(|a| !a.runs.is_empty());
        if repaired || (array.phase != Phase::Compare && written) {
            changed.extend(documents.iter().cloned());
        }
        told.extend(documents);
        let borrowed = array.origin.file == archive.files.len();
        if array.append.is_none()
            && array.phase == Phase::Transfer
            && archive.files.len() > 1
            && !borrowed
            && array.origin.form == Derivation::AsRead
        {
            // Written from the first file; the others must agree with it.
            let compared = TargetArray {
                stores: Vec::new(),
                phase: Phase::Compare,
                ..array.clone()
            };
            add(drafts, compared, item.stored_chunks);
        }
        if written {
            add(drafts, array, item.stored_chunks);
        }
    }
    Problems::together(problems)?;
    let grown = padding(archive, request)?;
    changed.extend(grown.iter().cloned());
    told.extend(grown);
    let meant = || request.placed.iter().filter(|p| request.scope.has(p));
    let count = |stored: bool| meant().filter(|p| p.stored == stored).count() as u64;
    let of_groups = nested.map(|nested| document::of_groups(version, nested, &attributes, &told));
    let changed = changed.into_iter().chain(of_groups.into_iter().flatten());
    Ok(TargetStore {
        key: request.key.clone(),
        documents: changed
            .map(|(path, document)| (format!("{}/{path}", request.key), document.to_string()))
            .collect(),
        root_key: layout::root_document(&request.key, version),
        new_root: document::root(version, old_root.as_deref(), group, &attributes, &told),
        old_root,
        recipes: { request.names() }
            .map(|name| {
                let recipe = archive.catalogue.recipe_of(name).cloned();
                (request.path_of(name), recipe.unwrap_or_default())
            })
            .collect(),
        has_untold_arrays: false,
        new_steps: count(false),
        replaced_steps: if settings.task.goal.replaces() {
            count(true)
        } else {
            0
        },
    })
}

/// The array of `item`, and its document.
fn draft_array(
    archive: &Archive,
    request: &StoreRequest,
    settings: &PlanSettings,
    version: Version,
    index: usize,
    item: &ArraySource<'_>,
) -> Result<DraftedArray, PlanError> {
    let &ArraySource { variable, main, .. } = item;
    let (mut dtype, values, wishes) = asked_of(archive, settings, item)?;
    let units = target_units(archive, request, variable);
    let (stored, replaced) = there(request, item);
    let mut masking = None;
    if let Some(stored) = stored {
        (dtype, masking) = fitted(
            archive,
            request,
            settings,
            item,
            stored,
            dtype,
            units.is_some(),
        )?;
    }
    let conversions = match units {
        Some(units) => conversions(archive, request, variable, dtype, units)?,
        None => Vec::new(),
    };
    let append = append(archive, request, settings, variable, (stored, replaced))?;
    let axis = append.as_ref().map(|append| append.axis);
    let lacking = lacked(request, &variable.name, stored.is_none(), append.as_ref());
    let shape = shape(request, variable, axis);
    if let Some(replaced) = replaced {
        check_replaced(request, replaced, &shape, axis, &lacking)?;
    }
    let rewrites = replaced.is_some()
        || settings.task.goal.rewrites() && main && axis.is_none() && stored.is_some();
    let phase = match axis {
        Some(axis) if is_small(variable, dtype, axis, main) => Phase::Commit,
        None if stored.is_some() && !rewrites => Phase::Compare,
        _ => Phase::Transfer,
    };
    // Steps that no file has are missing, and never a date or a temperature.
    let masked = match stored {
        None if !lacking.is_empty() => mask_unsent(&request.key, variable, dtype)?,
        _ => None,
    };
    let variable = masked.as_ref().map_or(variable, |(variable, _)| variable);
    masking = masking.or(masked.as_ref().map(|(_, masking)| masking.clone()));
    let (formed, attributes) = if let Some(stored) = stored {
        // Static data variables are compared only, but were cut as asked.
        if phase == Phase::Transfer || (main && phase == Phase::Compare) {
            let grows = &archive.append_dimension;
            check_chunks(request, variable, stored, &wishes, grows)?;
        }
        if main {
            check_codec(request, variable, dtype, stored, &wishes)?;
        }
        let lacks_others = request.lacking.differs(&variable.name, &lacking);
        let after = ResultingArray {
            stored,
            version,
            repaired_by: settings.task.repair_attributes.then_some((variable, dtype)),
            lacking: lacks_others.then_some(&lacking[..]),
            shape: &shape,
        };
        after.form(dtype)
    } else {
        let new = NewVariable {
            variable,
            dtype,
            axis,
            phase,
            main,
            leading: &item.leading,
            replaced,
        };
        new_array(archive, &wishes, version, &new, &shape, &lacking)?
    };
    let repaired = stored.is_some() && settings.task.repair_attributes && attributes.is_some();
    let array = TargetArray {
        name: request.path_of(&variable.name),
        origin: item.origin.clone(),
        conversions,
        values,
        masking,
        stores: vec![index],
        document: formed.document.to_string(),
        dtype,
        fill: formed.fill,
        shape,
        chunk: formed.object,
        append,
        rewrites,
        phase,
        tolerance: (axis.is_none() && !main && dtype.is_float()).then_some(settings.task.tolerance),
    };
    let dimensions = stored.map_or(&variable.dimensions, |stored| &stored.dimensions);
    let new = attributes
        .as_ref()
        .map(|attributes| (attributes, &dimensions[..]));
    let documents = document::of_array(version, &array.name, formed.document, new);
    Ok(DraftedArray {
        array,
        documents,
        chunk: formed.chunk,
        repaired,
    })
}

/// The array that the store has of `item`, and the one whose place it takes.
fn there<'a>(
    request: &'a StoreRequest,
    item: &ArraySource<'_>,
) -> (Option<&'a StoredArray>, Option<&'a StoredArray>) {
    let mut arrays = request.stored.iter().flat_map(|stored| &stored.arrays);
    let there = arrays.find(|array| array.name == item.variable.name);
    if item.replaces {
        (None, there)
    } else {
        (there, None)
    }
}

/// The steps that the array `name` lacks after the transaction.
fn lacked(
    request: &StoreRequest,
    name: &str,
    is_new: bool,
    append: Option<&Append>,
) -> Vec<Range<u64>> {
    let steps = request.stored.as_ref().map_or(0, |s| s.steps.len() as u64);
    let after = |append: &Append| request.lacking.after(name, is_new, steps, &append.runs);
    append.map_or_else(Vec::new, after)
}

/// The shape after the transaction of the array of `variable`, which grows along the dimension `axis`.
fn shape(request: &StoreRequest, variable: &Variable, axis: Option<usize>) -> Vec<u64> {
    let mut shape = variable.shape.clone();
    if let Some(axis) = axis {
        shape[axis] = request.length();
    }
    shape
}

/// A new array that lacks these steps, and its attributes.
fn new_array(
    archive: &Archive,
    wishes: &ArrayWishes,
    version: Version,
    new: &NewVariable<'_>,
    shape: &[u64],
    lacking: &[Range<u64>],
) -> Result<(NewArrayForm, Option<Map<String, Value>>), PlanError> {
    let mut attributes = attributes_of(new.variable, new.dtype);
    tell(&mut attributes, lacking);
    let formed = new.form(archive, wishes, version, shape, &attributes)?;
    Ok((formed, Some(attributes)))
}

/// The type of `item`, what becomes of its values, and what is asked for its array.
fn asked_of(
    archive: &Archive,
    settings: &PlanSettings,
    item: &ArraySource<'_>,
) -> Result<(DType, Option<ValueChange>, ArrayWishes), PlanError> {
    let (catalogue, variable) = (&archive.catalogue, item.variable);
    let dtype = variable.dtype(&catalogue.path)?;
    check_attributes(variable, dtype, &catalogue.path)?;
    grows_once(archive, variable)?;
    // How they were cut and encoded, does not matter to what compares them.
    let is_made = settings.task.goal != Goal::Compare;
    let recipe = catalogue.recipe_of(&variable.name).filter(|_| is_made);
    let wishes = ArrayWishes::new(&settings.arrays, recipe)?;
    Ok((dtype, value_change(archive, item)?, wishes))
}

/// How a recipe changes the values of `item`, or of what it is reprojected from.
fn value_change(
    archive: &Archive,
    item: &ArraySource<'_>,
) -> Result<Option<ValueChange>, ArchiveError> {
    let Some((variable, recipe)) = item.recipe else {
        return Ok(None);
    };
    let dtype = variable.dtype(&archive.catalogue.path)?;
    let change = ValueChange::new(variable, recipe, dtype);
    if change.is_some() && archive.borrowed.variables.contains_key(&variable.name) {
        return Err(ArchiveError::Unsupported {
            path: archive.catalogue.path.clone(),
            variable: variable.name.clone(),
            problem: "takes its values from the grid file, and the recipe converts the files' own; leave one of them out"
                .to_owned(),
        });
    }
    Ok(change)
}

/// The type of the values of `item`, whose own is `dtype`, in the array `stored`, and how its missing ones are written there. Times
/// may be `converted`.
fn fitted(
    archive: &Archive,
    request: &StoreRequest,
    settings: &PlanSettings,
    item: &ArraySource<'_>,
    stored: &StoredArray,
    dtype: DType,
    converted: bool,
) -> Result<(DType, Option<Masking>), PlanError> {
    let bounded = archive.catalogue.bounded_by(&item.variable.name);
    let masking = conforms(
        &request.key,
        (item.variable, dtype, &item.origin.form),
        stored,
        &archive.append_dimension,
        settings,
        (converted, bounded),
    )?;
    let dtype = match &stored.dtype {
        // Times are converted to the store's type, too.
        Ok(held) if converted => *held,
        // Texts travel as wide as both need.
        Ok(held) => held.widest(dtype).unwrap_or(dtype),
        Err(_) => dtype,
    };
    Ok((dtype, masking))
}

/// A dimension may occur twice in a variable, but an array cannot grow along two at once.
fn grows_once(archive: &Archive, variable: &Variable) -> Result<(), ArchiveError> {
    let grows = &archive.append_dimension;
    if variable.dimensions.iter().filter(|d| *d == grows).count() < 2 {
        return Ok(());
    }
    Err(ArchiveError::Unsupported {
        path: archive.catalogue.path.clone(),
        variable: variable.name.clone(),
        problem: format!(
            "has the append dimension '{grows}' more than once, in {:?}, so nothing can be appended to it; name the variables \
             to send with -v, or send the file as it is with --static",
            variable.dimensions
        ),
    })
}

/// What is written of `variable` along the append dimension, if it has it.
fn append(
    archive: &Archive,
    request: &StoreRequest,
    settings: &PlanSettings,
    variable: &Variable,
    (stored, replaced): (Option<&StoredArray>, Option<&StoredArray>),
) -> Result<Option<Append>, PlanError> {
    let mut dimensions = variable.dimensions.iter();
    let Some(axis) = dimensions.position(|d| *d == archive.append_dimension) else {
        return Ok(None);
    };
    if let Some(stored) = stored {
        check_length(request, stored, axis)?;
    }
    // A variable that is new to the store, or was when the steps were there already, gets its values there, too.
    let is_written = |placed: &StepPlacement| {
        let is_wanted = !placed.stored
            || settings.task.goal.replaces()
            || stored.is_none()
            || request.lacking.has(&variable.name, placed.at);
        is_wanted && request.scope.has(placed)
    };
    Ok(Some(Append {
        axis,
        old: stored.or(replaced).map_or(0, |s| s.shape[axis]),
        runs: runs(&archive.lengths(), &request.placed, is_written),
        moves: if stored.is_some() {
            request.moves()
        } else {
            Vec::new()
        },
    }))
}

/// The store's own version, or the one asked for.
fn version_of(
    archive: &Archive,
    request: &StoreRequest,
    settings: &PlanSettings,
) -> Result<Version, PlanError> {
    let store = || request.key.clone();
    let version = match (&request.stored, settings.arrays.version) {
        (Some(stored), Some(asked)) if stored.version != asked => {
            return Err(PlanError::Version {
                store: store(),
                stored: stored.version,
                asked,
            });
        }
        (Some(stored), _) => stored.version,
        (None, asked) => asked.unwrap_or_default(),
    };
    let wants_shards = |name: &String| {
        let recipe = archive.catalogue.recipe_of(name);
        let has_shards = recipe.is_some_and(|recipe| !recipe.shards.is_empty());
        has_shards && settings.task.goal != Goal::Compare
    };
    let shards = !settings.arrays.shards.0.is_empty() || request.names().any(wants_shards);
    if version == Version::V2 && shards {
        return Err(PlanError::NoShards { store: store() });
    }
    Ok(version)
}

/// Adds `array`, or its store to an array that is the same in another store: they are read and encoded once. Arrays
/// that grow stay apart, since what the stores already hold of them may differ.
fn add(drafts: &mut Vec<ArrayDraft>, array: TargetArray, stored_chunks: Option<&Vec<u64>>) {
    let alike = drafts.iter_mut().find(|d| {
        let other = &d.array;
        other.name == array.name
            && other.document == array.document
            && other.dtype == array.dtype
            && other.origin == array.origin
            && other.append == array.append
            && array.append.as_ref().is_none_or(|a| a.old == 0)
            && other.phase == array.phase
            && other.stores.is_empty() == array.stores.is_empty()
    });
    match alike {
        Some(draft) => draft.array.stores.extend(array.stores),
        None => drafts.push(ArrayDraft {
            array,
            stored_chunks: stored_chunks.cloned(),
        }),
    }
}
