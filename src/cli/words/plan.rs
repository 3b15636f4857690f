//! What `plan`, and `--dry-run` of `send` and `update`, say that would be done.

use super::event::{files_shown, sized};
use super::store::{codec_name, product};
use super::{bytes_shown, counted};
use crate::cli::plan::Estimate;
use crate::cli::prices::Cost;
use crate::events::PlanSize;
use crate::verbs::send::{
    PlanWarning, PlannedArray, PlannedPart, PlannedStore, RankWork, RequestCounts, SendPlan,
    StepCounts, StoreAction,
};

/// Names of a list, before it is cut.
const SHOWN: usize = 4;

/// What would be done, line by line.
pub(in crate::cli) fn foreseen(
    plan: &SendPlan,
    estimate: Option<&Estimate>,
    cost: Option<&Cost>,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if plan.nothing_to_do {
        let has_all = |store: &&PlannedStore| store.action == StoreAction::Leave;
        lines.extend(plan.stores.iter().filter(has_all).map(store));
        lines.extend(plan.parts.iter().map(part));
        lines.push("nothing to do".to_owned());
        return lines;
    }
    lines.push(total(plan));
    for planned in &plan.stores {
        lines.push(store(planned));
        lines.extend(planned.arrays.iter().map(array));
    }
    if plan.parts.is_empty() {
        let of = plan.transactions.len();
        let several = plan.transactions.iter().filter(|_| of > 1);
        lines.extend(several.map(|one| {
            let what = format!("transaction {}: {}", one.number, files_shown(&one.files));
            format!("  {}", sized(&what, &one.size))
        }));
    } else {
        lines.extend(plan.parts.iter().map(part));
    }
    lines.extend(reads(plan));
    lines.push(work(&plan.work));
    lines.extend(plan.requests.as_ref().map(requests));
    lines.push(time(estimate));
    lines.extend(cost.map(cost_shown));
    let warnings = plan.warnings.iter();
    lines.extend(warnings.map(|warning| format!("warning: {}", plan_warning(warning))));
    lines.push("nothing was written".to_owned());
    lines
}

/// `plan on 4 ranks: 2 stores, …`
fn total(plan: &SendPlan) -> String {
    let written = plan
        .stores
        .iter()
        .filter(|store| store.action != StoreAction::Leave);
    let arrays = written.clone().map(|store| store.arrays.len()).sum();
    let mut moves = plan.transactions.iter().map(|one| one.size.moves);
    let size = PlanSize {
        stores: written.count(),
        arrays,
        objects: plan.objects,
        bytes: plan.bytes,
        memory: plan.peak_memory,
        // What is inserted is one transaction.
        moves: moves.next().unwrap_or_default(),
    };
    let own = plan.parts.iter().filter(|part| part.is_to_be_put()).count();
    let in_steps = match (plan.parts.len(), plan.transactions.len()) {
        (0, transactions) => counted(transactions, "transactions"),
        (parts, _) if own < parts => format!("{own} of {parts} parts"),
        (parts, _) => counted(parts, "parts"),
    };
    let ranks = counted(plan.ranks, "ranks");
    sized(&format!("plan of {in_steps} on {ranks}"), &size)
}

/// `  T1m/tos.zarr: would get 2 steps, 12 afterwards`
fn store(planned: &PlannedStore) -> String {
    let PlannedStore {
        store,
        action,
        steps_after,
        steps,
        arrays,
        ..
    } = planned;
    let StepCounts {
        appended,
        inserted,
        replaced,
        filled,
        skipped,
    } = *steps;
    let mut words = Vec::new();
    match action {
        StoreAction::Create if *steps_after == 0 => words.push("would be created".to_owned()),
        StoreAction::Create => {
            words.push(format!(
                "would be created, with {}",
                counted(*steps_after, "steps")
            ));
        }
        StoreAction::Leave if skipped > 0 => {
            words.push(match skipped {
                1 => "left alone: it has the step of the files".to_owned(),
                _ => format!("left alone: it has all {skipped} steps of the files"),
            });
        }
        StoreAction::Leave => words.push("left alone: it has all that the files have".to_owned()),
        StoreAction::Extend | StoreAction::Change => {
            if appended > 0 {
                words.push(format!(
                    "would get {} behind its last",
                    counted(appended, "steps")
                ));
            }
            if inserted > 0 {
                words.push(format!(
                    "would get {} between its own",
                    counted(inserted, "steps")
                ));
            }
            if replaced > 0 {
                words.push(format!("{replaced} of its steps would be overwritten"));
            }
            if filled > 0 {
                words.push(format!("{filled} of its steps would be filled in"));
            }
            let new = arrays.iter().filter(|array| array.shape_before.is_none());
            let new: Vec<&str> = new.map(|array| array.name.as_str()).collect();
            if !new.is_empty() {
                words.push(format!("would get the arrays {}", new.join(", ")));
            }
            if words.is_empty() {
                words.push("no step more or other, but its arrays or attributes".to_owned());
            }
            if skipped > 0 {
                words.push(format!(
                    "{} that it has would be left alone",
                    counted(skipped, "steps")
                ));
            }
            if appended + inserted > 0 {
                words.push(format!("{} afterwards", counted(*steps_after, "steps")));
            }
        }
    }
    format!("  {store}: {}", words.join(", "))
}

/// `    tos  float32  time_counter=12 y=330 x=360 (before: 10×330×360)  chunks 1×330×360  bytes blosc:lz4  12 objects of 464.1 KiB`
fn array(planned: &PlannedArray) -> String {
    let dimensions = planned.dimensions.iter().zip(&planned.shape);
    let dimensions: Vec<String> = dimensions.map(|(name, n)| format!("{name}={n}")).collect();
    let mut shape = dimensions.join(" ");
    if shape.is_empty() {
        "scalar".clone_into(&mut shape);
    }
    if let Some(before) = planned.shape_before.as_ref()
        && *before != planned.shape
    {
        shape = format!("{shape} (before: {})", product(before));
    }
    let chunks = match &planned.shards {
        Some(shards) => format!(
            "chunks {} in shards {}",
            product(&planned.chunks),
            product(shards)
        ),
        None if planned.chunks.is_empty() => "one chunk".to_owned(),
        None => format!("chunks {}", product(&planned.chunks)),
    };
    let codecs: Vec<String> = planned.codec_documents().iter().map(codec_name).collect();
    let objects = counted(planned.objects, "objects");
    format!(
        "    {}  {}  {shape}  {chunks}  {}  {objects} of {} decoded",
        planned.name,
        planned.dtype,
        codecs.join(" "),
        bytes_shown(planned.object_bytes)
    )
}

/// `  part 1 of 3: 1976-01-16 to 1976-12-16 (x_1976.nc): committed`
fn part(part: &PlannedPart) -> String {
    let state = match part {
        _ if part.is_committed => ": readers see it",
        _ if part.is_waiting => ": put, and out of sight until those before it are",
        _ if part.is_own => "",
        _ => ": of another task",
    };
    format!(
        "  part {}: {}, {}{state}",
        part.number,
        files_shown(&part.files),
        counted(part.steps, "steps")
    )
}

fn reads(plan: &SendPlan) -> Option<String> {
    let reads = plan.reads;
    let again = if reads.inflated > reads.wanted {
        format!(
            ", for which chunks of {} are inflated",
            bytes_shown(reads.inflated)
        )
    } else {
        String::new()
    };
    (reads.wanted > 0).then(|| {
        format!(
            "reads {} decoded of the files{again}",
            bytes_shown(reads.wanted)
        )
    })
}

/// What the ranks do: of several, least and most.
fn work(ranks: &[RankWork]) -> String {
    let memory = ranks.iter().map(|rank| rank.memory).max().unwrap_or(0);
    let bytes = || ranks.iter().map(|rank| rank.bytes);
    let (least, most) = (bytes().min().unwrap_or(0), bytes().max().unwrap_or(0));
    let each = match ranks.len() {
        1 => format!("work: {}", bytes_shown(most)),
        _ => format!(
            "work: {} to {} decoded a rank",
            bytes_shown(least),
            bytes_shown(most)
        ),
    };
    format!("{each}, at most {} of memory each", bytes_shown(memory))
}

/// `requests: about 31 PUT, 66 GET`
pub(in crate::cli) fn requests(counts: &RequestCounts) -> String {
    let some = counts.by_kind().into_iter().filter(|(_, count)| *count > 0);
    let some: Vec<String> = some
        .map(|(kind, count)| format!("{count} {}", kind.to_uppercase()))
        .collect();
    format!("requests: about {}", some.join(", "))
}

/// `time: about 1 h 2 min at 100.0 MiB decoded a second, as --rate says: 8.3 core-hours`
fn time(estimate: Option<&Estimate>) -> String {
    let Some(Estimate {
        rate,
        seconds,
        core_hours,
    }) = estimate
    else {
        return "time: not estimated without a rate: msm_os plan --rate 200M, or the file of doctor --json or of a send's --report".to_owned();
    };
    format!(
        "time: about {} at {} decoded a second, {}: {core_hours:.1} core-hours",
        duration_shown(*seconds),
        bytes_shown(rate.bytes),
        rate.origin()
    )
}

/// `cost: about 0.31 of requests (none is stated for HEAD, LIST), at most 12.40 to keep a month, 1.66 of cores`
fn cost_shown(cost: &Cost) -> String {
    let Cost {
        requests,
        requests_without_price,
        month,
        cores,
    } = cost;
    let mut words = Vec::new();
    words.extend(requests.map(|sum| {
        let without = requests_without_price
            .iter()
            .map(|kind| kind.to_uppercase());
        let without: Vec<String> = without.collect();
        let told = if without.is_empty() {
            String::new()
        } else {
            format!(
                " (without {}, of which no price is stated)",
                without.join(", ")
            )
        };
        format!("about {} of requests{told}", money(sum))
    }));
    words.extend(month.map(|sum| format!("at most {} a month to keep", money(sum))));
    words.extend(cores.map(|sum| format!("about {} of cores", money(sum))));
    if words.is_empty() {
        words.push("no price is stated of what the plan has".to_owned());
    }
    format!("cost: {}", words.join(", "))
}

/// To the hundredth, or two digits if it is less.
fn money(sum: f64) -> String {
    if sum >= 0.1 || sum == 0.0 {
        return format!("{sum:.2}");
    }
    let digits = (1.0 - sum.log10().floor()).clamp(2.0, 12.0);
    format!("{sum:.*}", digits as usize)
}

/// What a warning says.
pub(in crate::cli) fn plan_warning(warning: &PlanWarning) -> String {
    match warning {
        PlanWarning::SmallObjects {
            arrays,
            object_bytes,
        } => format!(
            "objects of {} decoded, and less stored: requests will cost more than bytes; larger chunks (-cs) or shards (--shards) make \
             fewer: {}",
            bytes_shown(*object_bytes),
            names(arrays)
        ),
        PlanWarning::LargeObjects {
            arrays,
            object_bytes,
        } => format!(
            "objects of {} decoded: who reads a little of one reads all of it, unless it is a shard; smaller chunks (-cs) or shards make them \
             smaller: {}",
            bytes_shown(*object_bytes),
            names(arrays)
        ),
        PlanWarning::ManyObjects { objects } => format!(
            "{objects} objects: who lists, copies or deletes them takes long; larger chunks (-cs) or shards (--shards) make fewer"
        ),
        PlanWarning::RewrittenChunks {
            arrays,
            chunk_steps,
            steps,
            rewritten,
            leaves_part_full,
        } => {
            let objects = counted(*rewritten, "objects");
            let when = match (*rewritten > 0, leaves_part_full) {
                (true, true) => format!("this send writes {objects} anew, and so will the next"),
                (true, false) => format!("this send writes {objects} anew"),
                (false, _) => "the next send will write them anew".to_owned(),
            };
            format!(
                "objects of {} are not full where sends of {} end: {when}; send whole chunks at a time, or make \
                 them shorter (-cs): {}",
                counted(*chunk_steps, "steps"),
                counted(*steps, "steps"),
                names(arrays)
            )
        }
        PlanWarning::CutChunks {
            arrays,
            factor,
            stored,
            inflated,
        } => format!(
            "chunks cut across those of the files, of which {} are inflated {factor:.1} times, {} in all; chunks that are multiples of the \
             files', or more --memory, make that less: {}",
            bytes_shown(*stored),
            bytes_shown(*inflated),
            names(arrays)
        ),
    }
}

/// The first of them, and how many more there are.
fn names(arrays: &[String]) -> String {
    let shown = arrays.iter().take(SHOWN).map(String::as_str);
    let shown: Vec<&str> = shown.collect();
    match arrays.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `1 h 20 min`
fn duration_shown(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let arrays: Vec<String> = (0..6).map(|n| format!("a{n}")).collect();
        assert_eq!(names(&arrays), "a0, a1, a2, a3 and 2 more");
        assert_eq!(names(&arrays[..4]), "a0, a1, a2, a3");
    }

    #[test]
    fn times_as_people_say_them() {
        let shown = [0.2, 59.0, 61.0, 3600.0, 9000.0].map(duration_shown);
        assert_eq!(
            shown,
            ["1 s", "59 s", "1 min 1 s", "1 h 0 min", "2 h 30 min"]
        );
    }

    #[test]
    fn small_sums_have_two_digits() {
        let shown = [0.0, 12.345, 0.1, 0.0123, 0.000_456].map(money);
        assert_eq!(shown, ["0.00", "12.35", "0.10", "0.012", "0.00046"]);
    }
}
