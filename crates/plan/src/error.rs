//! Why no plan can be made; each error names the store, variable or dimension.

use std::path::PathBuf;

use msm_model::{ArchiveError, RecipeDifference, TimeError, counted};
use msm_zarr::Version;
use serde::{Deserialize, Serialize};

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum PlanError {
    #[error(
        "{flag} {text}: {cause}; expected JSON such as '{{\"time_counter\": 1, \"y\": 100, \"x\": 100}}'"
    )]
    MalformedStrategy {
        flag: String,
        text: String,
        cause: String,
    },
    #[error("{flag} names the dimension '{dimension}'; the variables have {found}")]
    UnknownStrategyDimension {
        flag: String,
        dimension: String,
        found: String,
    },
    #[error(
        "no array has the dimension '{dimension}', along which the stores grow by -a; that with times is '{found}': give -a {found}"
    )]
    OtherAppendDimension { dimension: String, found: String },
    #[error(
        "{}: variable '{variable}' cannot be a Zarr array of this name, for {problem}; rename it (ncrename -v OLD,NEW FILE), or send others with -v; nothing was written",
        path.display()
    )]
    Name {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        variable: String,
        problem: String,
    },
    #[error(
        "no prefix can be derived from the file name '{name}'; expected grid and frequency as in eORCA025_1y_grid_T_1976-1976.nc or nemo_1m_20150101-20150201_grid-T.nc; give one with --prefix"
    )]
    NoPrefix { name: String },
    #[error(
        "the files' names give different prefixes, '{first}' and '{second}'; give one with --prefix"
    )]
    Prefixes { first: String, second: String },
    #[error(
        "one unit of work on '{array}' holds {needed} bytes, {available} are free; give --memory of at least {least} bytes a rank, or smaller objects with --chunk_strategy or --shards"
    )]
    Memory {
        array: String,
        needed: u64,
        available: u64,
        least: u64,
    },
    #[error(
        "computing the weights of the reprojection from {longitude} takes {needed} bytes a rank; give --memory of at least that much"
    )]
    WeightsMemory { longitude: String, needed: u64 },
    #[error(
        "there would be {found} objects in one transaction, at most {most} can be; give larger chunks with --chunk_strategy, or --shards, or send fewer files at a time"
    )]
    Objects { found: u64, most: u64 },
    #[error(
        "store '{store}': array '{array}' has dimensions {stored}, the file has {found}; nothing was written"
    )]
    Dimensions {
        store: String,
        array: String,
        stored: String,
        found: String,
    },
    #[error(
        "store '{store}': array '{array}' has {stored} along '{dimension}', the file has {found}; nothing was written"
    )]
    DimensionSize {
        store: String,
        array: String,
        dimension: String,
        stored: u64,
        found: u64,
    },
    #[error(
        "store '{store}': array '{array}' has type {stored}, the file has {found}; nothing was written"
    )]
    Type {
        store: String,
        array: String,
        stored: String,
        found: String,
    },
    #[error(
        "store '{store}': array '{array}' has {attribute} {stored}, the file has {found}{way_out}; nothing was written"
    )]
    Attribute {
        store: String,
        array: String,
        attribute: String,
        stored: String,
        found: String,
        way_out: String,
    },
    #[error(
        "store '{store}': holds {missing}, which the files do not have; it would not grow with the others, and xarray could not open the store; nothing was written"
    )]
    ContentsMissing { store: String, missing: String },
    #[error(
        "hierarchy '{store}': its group '/{group}' shares '{dimension}' with '/{other}', and readers open no hierarchy in which one of them grows or changes alone: send to groups that have their own, with none above or below them that has it, too; nothing was written"
    )]
    Aligned {
        store: String,
        group: String,
        other: String,
        dimension: String,
    },
    #[error(
        "store '{store}': holds {left_out}, which the files have too, but -v leaves out; all of a store grows together, or xarray could not open it: name them with -v as well; nothing was written"
    )]
    ContentsLeftOut { store: String, left_out: String },
    #[error(
        "store '{store}': has the coordinates {missing}, which the files do not have, so that nothing tells whether they are of the same grid; add them to the files; nothing was written"
    )]
    CoordinatesMissing { store: String, missing: String },
    #[error(
        "store '{store}': does not hold {added}; give --add-variables to add what is new, steps that the files do not have reading as fill; nothing was written"
    )]
    ContentsNew { store: String, added: String },
    #[error(
        "store '{store}': holds '{array}', which another tool reprojected and the files do not have; new steps of it would read as {fill}, which is no missing value; delete it with delete --array {array}, or write it anew with --reproject --replace-projected; nothing was written"
    )]
    Padding {
        store: String,
        array: String,
        fill: String,
    },
    #[error(
        "store '{store}': array '{array}', which another tool reprojected, has the shape {stored}, to be replaced by {found}: {problem}; nothing was written"
    )]
    Replaced {
        store: String,
        array: String,
        stored: String,
        found: String,
        problem: String,
    },
    #[error(
        "store '{store}': '{array}' has type {dtype} and no _FillValue, so that steps which no file has could not be told from data; give it one with ncatted; nothing was written"
    )]
    Unmasked {
        store: String,
        array: String,
        dtype: String,
    },
    #[error("store '{store}': does not hold {added}, so it cannot be updated; nothing was written")]
    NotHeld { store: String, added: String },
    #[error(
        "store '{store}': array '{array}' has chunks {stored}, {by} asks for {asked}; leave it out, a store keeps its chunks; nothing was written"
    )]
    Chunks {
        store: String,
        array: String,
        stored: String,
        by: String,
        asked: String,
    },
    #[error(
        "store '{store}': array '{array}' has objects of {stored}, {by} asks for {asked}; leave it out, a store keeps its shards; nothing was written"
    )]
    Shards {
        store: String,
        array: String,
        stored: String,
        by: String,
        asked: String,
    },
    #[error(
        "store '{store}': array '{array}' has the codec {stored}, {by} asks for {asked}; leave it out, a store keeps its codecs; nothing was written"
    )]
    Codec {
        store: String,
        array: String,
        stored: String,
        by: String,
        asked: String,
    },
    #[error(
        "store '{store}': is of Zarr version 2, which has no shards; leave --shards out, and those of a recipe; nothing was written"
    )]
    NoShards { store: String },
    #[error(
        "{by}: one object of '{array}' would hold {object:?} values, more than {most} bytes; choose smaller sizes; nothing was written"
    )]
    LargeObjects {
        by: String,
        array: String,
        object: Vec<u64>,
        most: u64,
    },
    #[error(
        "{by}: {shard} along '{dimension}' is not a whole multiple of the chunk size of '{array}' there, {chunk}; choose a multiple, or another chunk size with --chunk_strategy"
    )]
    UnevenShards {
        by: String,
        array: String,
        dimension: String,
        shard: u64,
        chunk: u64,
    },
    #[error(
        "store '{store}': array '{array}' has shards of {shard}, which chunks of {chunk} do not fill; give --shards as well, '{{}}' for none; nothing was written"
    )]
    KeptShards {
        store: String,
        array: String,
        shard: String,
        chunk: String,
    },
    #[error("store '{store}': array '{array}' {problem}; nothing was written")]
    Unfit {
        store: String,
        array: String,
        problem: String,
    },
    #[error(
        "store '{store}': is of Zarr version {stored}, --zarr-version asks for {asked}; leave it out, a store keeps its version; nothing was written"
    )]
    Version {
        store: String,
        stored: Version,
        asked: Version,
    },
    #[error(
        "store '{store}': array '{array}' has the attribute steps_never_sent {found}, expected some of its {steps} steps, counted from 0, as in \"0-2, 5\"; mend it, or delete it if the array has all of them; nothing was written"
    )]
    Lacking {
        store: String,
        array: String,
        found: String,
        steps: usize,
    },
    #[error(
        "store '{store}': array '{array}' has {}, its axis {steps}; another tool left it half written: repair or delete it; nothing was written",
        counted(length, "steps")
    )]
    Ragged {
        store: String,
        array: String,
        length: u64,
        steps: usize,
    },
    #[error(
        "store '{store}': already has {count} of the {} of {path}: {shown}; send only new steps, or say with --on-overlap what becomes of these; nothing was written", counted(total, "steps"), path = path.display()
    )]
    StepsStored {
        store: String,
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        count: usize,
        total: usize,
        shown: String,
    },
    #[error(
        "store '{store}': does not have {count} of the {} to update: {shown}; leave them out, or give --append-missing; nothing was written",
        counted(total, "steps")
    )]
    StepsMissing {
        store: String,
        count: usize,
        total: usize,
        shown: String,
    },
    #[error(
        "store '{store}': its axis has {stored}, the files have {found}; they cannot be converted; nothing was written"
    )]
    Axis {
        store: String,
        stored: String,
        found: String,
    },
    #[error(
        "store '{store}': its '{dimension}' has the times of {stored}, that of {path} those of {found}; {way_out}; nothing was written",
        path = path.display(), stored = times_of(stored.as_deref()), found = times_of(found.as_deref()), way_out = time_way_out(stored.as_deref())
    )]
    Times {
        store: String,
        dimension: String,
        stored: Option<String>,
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        found: Option<String>,
    },
    #[error(
        "store '{store}': by its '{axis}', the step {step} of {path} is there already, but its '{variable}' is {found}, and {stored} in the store: they are two steps; \
         to tell such steps apart, send all files with --time-from {variable} to a store of its own; nothing was written", path = path.display()
    )]
    OtherTimes {
        store: String,
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        axis: String,
        step: String,
        variable: String,
        stored: String,
        found: String,
    },
    #[error(
        "store '{store}': nothing comes between {from} and {to}; send what is missing, too; or give --allow-gaps: --insert puts it there later; nothing was written"
    )]
    Gap {
        store: String,
        from: String,
        to: String,
    },
    #[error(
        "store '{store}': array '{array}': {path}: {cause}; nothing was written", path = path.display()
    )]
    Time {
        store: String,
        array: String,
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: TimeError,
    },
    #[error(
        "store '{store}': ends at {end} and the first step to send is {first}, before it; {}; nothing was written",
        before_end_way_out(*behind, from.as_deref())
    )]
    BeforeEnd {
        store: String,
        end: String,
        first: String,
        /// Steps of the store that come after the first to send.
        behind: usize,
        /// The first of them, if `delete` can take them off by their times.
        from: Option<String>,
    },
    #[error("store '{store}': its steps cannot be moved to make room: {why}; nothing was written")]
    NotMovable { store: String, why: String },
    #[error(
        "store '{store}': array '{}' was made by a recipe with {} {}, that of --recipe has {}; all that is sent to a store goes by \
         one recipe: give that one, or send to a store of its own, with --prefix; nothing was written",
        difference.array, difference.key, difference.stored, difference.given
    )]
    Recipe {
        store: String,
        difference: RecipeDifference,
    },
    #[error(
        "store '{store}': '{array}' has the units {given} in the files, and {stored} in those that it was made of, which the recipe converted \
         or named anew; make them those, or send to a store of its own, with --prefix; nothing was written"
    )]
    UnitsOfFiles {
        store: String,
        array: String,
        stored: String,
        given: String,
    },
    #[error(
        "store '{store}': {arrays} were made by a recipe, and none is given; give the same with --recipe; nothing was written"
    )]
    NoRecipe { store: String, arrays: String },
    #[error(
        "store '{store}': was made without a recipe, and --recipe says something of {arrays}; leave it out, or send to a store of its \
         own, with --prefix; nothing was written"
    )]
    MadeWithoutRecipe { store: String, arrays: String },
    #[error(
        "store '{store}': would hold '{variable}', which is '{old}' in the files, and that is '{array}' in the store '{other}'; give the \
         --recipe that this was made by, if by any, or send to another place, with --prefix; nothing was written"
    )]
    CalledOtherwise {
        store: String,
        variable: String,
        old: String,
        array: String,
        other: String,
    },
    #[error("the codec of a recipe: {cause}")]
    RecipeCodec { cause: String },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

fn before_end_way_out(behind: usize, from: Option<&str>) -> String {
    let steps = counted(behind, "steps");
    match from {
        Some(from) => format!(
            "to put it in its place, send it with --insert, which moves the {steps} behind it while readers may see them half moved \
             (--dry-run says what that costs); or take these off with delete --time '{from}..', which rollback undoes, then send it and their files again; \
             or send it to a store of its own, with --prefix"
        ),
        None => format!(
            "to put it in its place, send it with --insert, which moves the {steps} behind it while readers may see them half moved \
             (--dry-run says what that costs); or send all files to a new store, with --prefix"
        ),
    }
}

fn times_of(variable: Option<&str>) -> String {
    variable.map_or_else(
        || "the files' own".to_owned(),
        |variable| format!("'{variable}'"),
    )
}

fn time_way_out(stored: Option<&str>) -> String {
    stored.map_or_else(
        || "leave --time-from out, or send to a store of its own, with --prefix".to_owned(),
        |variable| format!("give --time-from {variable}"),
    )
}
