//! Several reports as one: of an array's tasks, or of a run and of those that went on with it.
//!
//! Key type: [`Merged`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::assemble::{latency_record, time};
use super::document::{
    CommitRecord, FORMAT, RequestRecord, RunOutcome, RunReport, StageRecord, StoreStanding,
    StoreState, Written,
};
use super::kept;
use super::steps::ends;
use crate::cli::error::CliError;
use crate::events::{RequestKind, Stage};
use crate::measurements::{Latency, SLOWEST};

/// What the member `format` of the document says.
const MERGED: &str = "msm_os/report-merged/1";

/// Several reports, and their sums.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Merged {
    format: &'static str,
    /// Failed, if a run did and none made up for it.
    pub outcome: RunOutcome,
    pub begun: String,
    pub ended: String,
    /// From the first beginning to the last end.
    pub elapsed_seconds: f64,
    /// All runs' times.
    pub run_seconds: f64,
    pub hosts: BTreeSet<String>,
    pub written: Written,
    pub stages: BTreeMap<Stage, StageRecord>,
    pub requests: BTreeMap<RequestKind, RequestRecord>,
    pub retries: BTreeMap<String, u64>,
    pub object_sizes: BTreeMap<u64, u64>,
    pub slowest_objects: Vec<SlowInRun>,
    pub commit: CommitRecord,
    pub stores: Vec<StoreStanding>,
    pub runs: Vec<MergedRun>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct MergedRun {
    /// The file.
    pub file: String,
    /// Its number, from 1.
    #[serde(skip)]
    pub number: usize,
    /// Did it fail, and a later run of the same do what it was to do?
    pub made_up_for: bool,
    /// The file's whole content.
    report: Value,
    #[serde(skip)]
    pub run: RunReport,
    #[serde(skip)]
    span: [SystemTime; 2],
}

/// What is read of reports that were put together.
#[derive(Deserialize)]
struct Together {
    runs: Vec<RunTogether>,
}

#[derive(Deserialize)]
struct RunTogether {
    file: String,
    report: Value,
}

fn parsed<T: DeserializeOwned>(document: Value) -> Result<T, String> {
    serde_json::from_value(document).map_err(|cause| format!("is a damaged report: {cause}"))
}

/// An object that took long, and where.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct SlowInRun {
    pub key: String,
    pub bytes: u64,
    pub seconds: f64,
    pub rank: usize,
    /// The number of its run, from 1.
    pub run: usize,
    pub file: String,
}

impl Merged {
    /// The reports in `files`, in the order in which the runs began.
    ///
    /// # Errors
    /// If one of them is no report, or given twice; all such files are named.
    pub(in crate::cli) fn read(files: &[PathBuf]) -> Result<Self, CliError> {
        let (mut runs, mut faults): (Vec<MergedRun>, Vec<String>) = (Vec::new(), Vec::new());
        // As they are named here: what several of them were put together in has other names in it.
        let mut origins: Vec<String> = Vec::new();
        for path in files {
            let file = path.display().to_string();
            let mut add = |run: MergedRun| {
                if let Some(twin) = runs.iter().position(|other| other.report == run.report) {
                    return Err(is_twice(&run, &file, &origins[twin]));
                }
                runs.push(run);
                origins.push(file.clone());
                Ok(())
            };
            let read = kept::read(path).and_then(|document| MergedRun::all(&file, document));
            match read.and_then(|all| all.into_iter().try_for_each(&mut add)) {
                Ok(()) => {}
                Err(cause) => faults.push(format!("{file}: {cause}")),
            }
        }
        if !faults.is_empty() {
            return Err(CliError::ReportFiles(faults.join("\n")));
        }
        Ok(Self::of_any(runs))
    }

    /// That of a run alone, which is in `file`.
    ///
    /// # Errors
    /// If it is no report.
    pub(super) fn of_one(file: &str, report: Value) -> Result<Self, String> {
        Ok(Self::of_any(vec![MergedRun::one(file, report)?]))
    }

    /// Those of `runs`, of which there is one at least, in any order.
    fn of_any(mut runs: Vec<MergedRun>) -> Self {
        runs.sort_by_key(|run| run.span);
        let made_up: Vec<bool> = (0..runs.len()).map(|i| is_made_up(&runs, i)).collect();
        for (index, (run, made_up)) in runs.iter_mut().zip(made_up).enumerate() {
            run.number = index + 1;
            run.made_up_for = made_up;
        }
        Self::of(runs)
    }

    /// Those of `runs`, of which there is one at least, in their order.
    fn of(runs: Vec<MergedRun>) -> Self {
        let begun = runs.iter().map(|run| run.span[0]).min();
        let ended = runs.iter().map(|run| run.span[1]).max();
        let begun = begun.unwrap_or(SystemTime::UNIX_EPOCH);
        let ended = ended.unwrap_or(begun);
        let elapsed = ended.duration_since(begun).unwrap_or_default();
        let mut merged = Self {
            format: MERGED,
            outcome: outcome(&runs),
            begun: time(begun),
            ended: time(ended),
            elapsed_seconds: elapsed.as_secs_f64(),
            run_seconds: 0.0,
            hosts: BTreeSet::new(),
            written: Written::default(),
            stages: BTreeMap::new(),
            requests: BTreeMap::new(),
            retries: BTreeMap::new(),
            object_sizes: BTreeMap::new(),
            slowest_objects: slowest(&runs),
            commit: CommitRecord::default(),
            stores: Vec::new(),
            runs: Vec::new(),
        };
        let mut latencies: BTreeMap<RequestKind, Latency> = BTreeMap::new();
        let mut stores: BTreeMap<String, StoreStanding> = BTreeMap::new();
        for MergedRun { run, .. } in &runs {
            merged.add(run);
            for (kind, record) in &run.requests {
                latencies.entry(*kind).or_default().merge(&latency(record));
            }
        }
        let mut by_end: Vec<&MergedRun> = runs.iter().collect();
        by_end.sort_by_key(|run| run.span[1]);
        for standing in by_end.iter().flat_map(|run| &run.run.stores) {
            add_standing(&mut stores, standing);
        }
        for (kind, record) in &mut merged.requests {
            record.latency = latencies.get(kind).and_then(latency_record);
        }
        merged.stores = stores.into_values().collect();
        merged.runs = runs;
        merged
    }

    /// Adds what can be summed.
    fn add(&mut self, run: &RunReport) {
        self.run_seconds += run.elapsed_seconds;
        self.hosts.extend(run.job.hosts.iter().cloned());
        self.written.objects += run.written.objects;
        self.written.bytes += run.written.bytes;
        self.commit.count += run.commit.count;
        self.commit.seconds += run.commit.seconds;
        for (stage, record) in &run.stages {
            let sum = self.stages.entry(*stage).or_default();
            sum.seconds += record.seconds;
            sum.bytes += record.bytes;
        }
        for (kind, record) in &run.requests {
            let sum = self.requests.entry(*kind).or_default();
            sum.count += record.count;
            sum.unanswered += record.unanswered;
            sum.sent_bytes += record.sent_bytes;
            sum.received_bytes += record.received_bytes;
        }
        for (size, count) in &run.object_sizes {
            *self.object_sizes.entry(*size).or_default() += count;
        }
        for (cause, count) in &run.retries {
            *self.retries.entry(cause.clone()).or_default() += count;
        }
    }
}

/// Why the `run`, of this `file`, is not taken: it is that of `other`.
fn is_twice(run: &MergedRun, file: &str, other: &str) -> String {
    if file == other {
        return "is given twice".to_owned();
    }
    let begun = &run.run.begun;
    format!("has the run that began {begun}, and so has {other}: give one of them")
}

impl MergedRun {
    /// Those that are in the `document` of `file`: one, or those that were put together in it.
    fn all(file: &str, document: Value) -> Result<Vec<Self>, String> {
        match document.get("format").and_then(Value::as_str) {
            Some(FORMAT) => Ok(vec![Self::one(file, document)?]),
            Some(MERGED) => {
                let together: Together = parsed(document)?;
                let runs = together.runs.into_iter();
                let runs = runs.map(|run| Self::one(&run.file, run.report));
                let runs: Vec<Self> = runs.collect::<Result<_, String>>()?;
                if runs.is_empty() {
                    return Err("is a damaged report: it is of no run".to_owned());
                }
                Ok(runs)
            }
            found => {
                let found = found.unwrap_or("none");
                Err(format!(
                    "is no report: its format is {found}, expected {FORMAT} or {MERGED}"
                ))
            }
        }
    }

    fn one(file: &str, report: Value) -> Result<Self, String> {
        let run: RunReport = parsed(report.clone())?;
        if run.format != FORMAT {
            return Err(format!("is a damaged report: of the format {}", run.format));
        }
        let moment = |text: &str| {
            let parsed = humantime::parse_rfc3339(text);
            parsed.map_err(|cause| format!("is a damaged report: {text}: {cause}"))
        };
        Ok(Self {
            file: file.to_owned(),
            number: 1,
            made_up_for: false,
            span: [moment(&run.begun)?, moment(&run.ended)?],
            report,
            run,
        })
    }

    /// Was it to do the same as `other`, as another task of an array was not? A run that did not get to the bucket does not know its server.
    fn is_of_the_same(&self, other: &Self) -> bool {
        let asked = |run: &Self| {
            let RunReport {
                command,
                asked,
                job,
                ..
            } = &run.run;
            let slurm = job.slurm.as_ref();
            let array_task = slurm.and_then(|slurm| slurm.array_task.clone());
            (command.clone(), asked.clone(), job.task.clone(), array_task)
        };
        let is_elsewhere = |one: &Option<String>, other: &Option<String>| {
            { one.as_ref().zip(other.as_ref()) }.is_some_and(|(one, other)| one != other)
        };
        asked(self) == asked(other)
            && !is_elsewhere(&self.run.place, &other.run.place)
            && !is_elsewhere(&self.run.endpoint, &other.run.endpoint)
    }

    /// Has it done all that it was to do? One that shares in an archive can end well before that, for its time is over.
    fn has_done_all(&self) -> bool {
        let shared = self.run.shared.as_ref();
        let is_cut_short = shared.is_some_and(|s| s.out_of_time && s.committed < s.parts);
        self.run.outcome != RunOutcome::Failed && !is_cut_short
    }
}

/// Did the run at `index` fail, and a later one of the same not?
fn is_made_up(runs: &[MergedRun], index: usize) -> bool {
    let failed = &runs[index];
    let later = &runs[index + 1..];
    failed.run.outcome == RunOutcome::Failed
        && later
            .iter()
            .any(|run| run.is_of_the_same(failed) && run.has_done_all())
}

fn outcome(runs: &[MergedRun]) -> RunOutcome {
    let outcomes = || runs.iter().filter(|run| !run.made_up_for);
    let is = |outcome| move |run: &MergedRun| run.run.outcome == outcome;
    if outcomes().any(is(RunOutcome::Failed)) {
        RunOutcome::Failed
    } else if outcomes().all(is(RunOutcome::NothingToDo)) {
        RunOutcome::NothingToDo
    } else {
        RunOutcome::Done
    }
}

/// The times that a report has kept.
fn latency(record: &RequestRecord) -> Latency {
    let Some(kept) = &record.latency else {
        return Latency::default();
    };
    let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let histogram = kept.histogram.iter().map(|(from, count)| (*from, *count));
    Latency::of(histogram, time(kept.min_seconds), time(kept.max_seconds))
}

/// Where a store stands is what the run says that got to it and ended last; `standing` is of a later one than those before.
fn add_standing(stores: &mut BTreeMap<String, StoreStanding>, standing: &StoreStanding) {
    let Some(known) = stores.get_mut(&standing.url) else {
        stores.insert(standing.url.clone(), standing.clone());
        return;
    };
    known.committed += standing.committed;
    let both = |step: fn(&StoreStanding) -> &Option<String>| {
        let both = [step(known), step(standing)].into_iter().flatten();
        ends(both).map(|ends| ends.map(Clone::clone))
    };
    let first = both(|store| &store.first_step).map(|[first, _]| first);
    let last = both(|store| &store.last_step).map(|[_, last]| last);
    (known.first_step, known.last_step) = (first, last);
    // A run that saw nothing else of it ended before what another has seen.
    let seen = |store: &StoreStanding| store.holds.as_ref().map(|holds| holds.seen.clone());
    if standing.state == StoreState::Open || seen(standing) > seen(known) {
        known.holds.clone_from(&standing.holds);
    }
    // A run that has nothing to do, or puts all back, does not take away what was committed.
    if standing.state != StoreState::Unchanged {
        known.state = standing.state;
        known.shared.clone_from(&standing.shared);
    }
}

fn slowest(runs: &[MergedRun]) -> Vec<SlowInRun> {
    let mut all: Vec<SlowInRun> = runs
        .iter()
        .flat_map(|run| {
            run.run.slowest_objects.iter().map(|slow| SlowInRun {
                key: slow.key.clone(),
                bytes: slow.bytes,
                seconds: slow.seconds,
                rank: slow.rank,
                run: run.number,
                file: run.file.clone(),
            })
        })
        .collect();
    all.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    all.truncate(SLOWEST);
    all
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::super::assemble::Evidence;
    use super::super::document::{HoldsRecord, JobPlace, ProgramVersions, SharedRecord};
    use super::*;
    use crate::measurements::{Measurements, RequestTally, SlowObject};

    /// A run that began so many seconds after the epoch, and put one object in as many milliseconds.
    fn report(begun: u64, task: &str, millis: u64, failure: Option<&CliError>) -> RunReport {
        let took = Duration::from_millis(millis);
        let mut tally = RequestTally {
            count: 1,
            ..RequestTally::default()
        };
        tally.latency.add(took);
        let measured = Measurements {
            objects: 1,
            bytes: millis,
            requests: [(RequestKind::Put, tally)].into(),
            retries: [(Some(503), 2), (None, 1)].into(),
            slowest: vec![SlowObject {
                key: format!("object/{begun}"),
                bytes: millis,
                took,
            }],
            ..Measurements::default()
        };
        let evidence = Evidence {
            command: "send",
            asked: vec!["--variables tos".to_owned()],
            arguments: vec!["send".to_owned()],
            begun: SystemTime::UNIX_EPOCH + Duration::from_secs(begun),
            elapsed: Duration::from_secs(10),
            program: ProgramVersions {
                version: "0".to_owned(),
                libraries: BTreeMap::new(),
            },
            job: JobPlace {
                task: Some(task.to_owned()),
                hosts: vec![format!("node{task}")],
                ..JobPlace::default()
            },
            place: Some(("s3://ocean".to_owned(), None)),
            sent: None,
            verified: None,
            is_nothing: false,
            failure,
            notices: Vec::new(),
            ranks: vec![("node".to_owned(), measured)],
        };
        evidence.report()
    }

    fn kept(directory: &TempDir, reports: &[RunReport]) -> Vec<PathBuf> {
        let files = reports.iter().enumerate();
        files
            .map(|(index, report)| {
                let path = directory.path().join(format!("{index}.json"));
                fs::write(&path, serde_json::to_string(report).unwrap()).unwrap();
                path
            })
            .collect()
    }

    #[test]
    fn sums_quantiles_and_the_slowest_are_of_all_runs() {
        let directory = tempfile::tempdir().unwrap();
        let runs = [
            report(100, "1", 300, None),
            report(5, "0", 2, None),
            report(50, "2", 8, None),
        ];
        let merged = Merged::read(&kept(&directory, &runs)).unwrap();
        assert_eq!((merged.written.objects, merged.written.bytes), (3, 310));
        assert_eq!((merged.run_seconds, merged.elapsed_seconds), (30.0, 105.0));
        assert_eq!(merged.begun, "1970-01-01T00:00:05.000Z");
        assert_eq!(merged.hosts.len(), 3);
        let put = &merged.requests[&RequestKind::Put];
        let latency = put.latency.as_ref().unwrap();
        assert_eq!(
            (put.count, latency.min_seconds, latency.max_seconds),
            (3, 0.002, 0.3)
        );
        assert!(
            (0.008..0.0086).contains(&latency.p50_seconds),
            "{latency:?}"
        );
        assert_eq!((merged.retries["503"], merged.retries["no_answer"]), (6, 3));
        let slow: Vec<&str> = merged
            .slowest_objects
            .iter()
            .map(|s| s.key.as_str())
            .collect();
        assert_eq!(slow, ["object/100", "object/50", "object/5"]);
        let order: Vec<&str> = merged.runs.iter().map(|run| &*run.run.begun).collect();
        assert!(order.is_sorted());
        assert_eq!(merged.outcome, RunOutcome::Done);
    }

    #[test]
    fn what_readers_see_is_what_was_seen_last_and_what_was_written_is_all_of_it() {
        let store = |state, seen: u64, steps: Option<[&str; 2]>| StoreStanding {
            key: "tos.zarr".to_owned(),
            url: "s3://ocean/tos.zarr".to_owned(),
            state,
            holds: Some(HoldsRecord {
                steps: seen,
                first_step: "1".to_owned(),
                last_step: seen.to_string(),
                seen: time(SystemTime::UNIX_EPOCH + Duration::from_secs(seen)),
            }),
            committed: u64::from(steps.is_some()),
            first_step: steps.map(|[first, _]| first.to_owned()),
            last_step: steps.map(|[_, last]| last.to_owned()),
            shared: None,
        };
        let directory = tempfile::tempdir().unwrap();
        let merged = |stores: Vec<StoreStanding>| {
            let runs = stores.into_iter().zip(1..).map(|(store, begun)| {
                let mut run = report(begun, "0", 1, None);
                run.stores = vec![store];
                run
            });
            let runs: Vec<RunReport> = runs.collect();
            let mut stores = Merged::read(&kept(&directory, &runs)).unwrap().stores;
            stores.remove(0)
        };
        // The second ended last, but had looked before the first committed.
        let mut stores = vec![
            store(StoreState::Committed, 20, Some(["10", "20"])),
            store(StoreState::Unchanged, 9, None),
        ];
        let both = merged(stores.clone());
        assert_eq!(
            (both.state, both.holds.unwrap().steps),
            (StoreState::Committed, 20)
        );
        // An update of older steps is the last to write.
        stores.push(store(StoreState::Committed, 21, Some(["9", "9.5"])));
        let all = merged(stores.clone());
        assert_eq!((all.committed, all.holds.unwrap().steps), (2, 21));
        let written = [all.first_step, all.last_step].map(Option::unwrap);
        assert_eq!(written, ["9", "20"]);
        // What is open may be half seen.
        let mut open = store(StoreState::Open, 0, None);
        open.holds = None;
        stores.push(open);
        assert_eq!(merged(stores).holds, None);
    }

    #[test]
    fn a_failure_counts_until_the_same_is_done() {
        let directory = tempfile::tempdir().unwrap();
        let failure = CliError::NoTerminal;
        let failed = report(1, "0", 1, Some(&failure));
        assert_eq!((failed.outcome, failed.exit_code), (RunOutcome::Failed, 2));
        let mut runs = vec![failed, report(2, "1", 1, None)];
        let outcome = |runs: &[RunReport]| {
            let merged = Merged::read(&kept(&directory, runs)).unwrap();
            (merged.outcome, merged.runs[0].made_up_for)
        };
        assert_eq!(outcome(&runs), (RunOutcome::Failed, false));
        runs.push(report(3, "0", 1, None));
        assert_eq!(outcome(&runs), (RunOutcome::Done, true));
        // What was to do something else does not, nor what did not do it all.
        runs[2].asked = vec!["--variables sos".to_owned()];
        assert_eq!(outcome(&runs), (RunOutcome::Failed, false));
        runs[2] = report(3, "0", 1, None);
        runs[2].endpoint = Some("https://s3.other.org".to_owned());
        assert_eq!(outcome(&runs), (RunOutcome::Done, true));
        runs[0].endpoint = Some("https://s3.org".to_owned());
        assert_eq!(outcome(&runs), (RunOutcome::Failed, false));
        runs[0].endpoint = None;
        runs[2].shared = Some(SharedRecord {
            parts: 6,
            put_by_this_job: 1,
            committed: 2,
            waiting: 3,
            last_step: None,
            out_of_time: true,
        });
        assert_eq!(outcome(&runs), (RunOutcome::Failed, false));
        // What came before does not.
        runs[2] = report(0, "0", 1, None);
        let merged = Merged::read(&kept(&directory, &runs)).unwrap();
        assert_eq!(merged.outcome, RunOutcome::Failed);
    }

    #[test]
    fn what_is_no_report_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let good = kept(&directory, &[report(1, "0", 1, None)]).remove(0);
        let text = fs::read_to_string(&good).unwrap();
        let other = directory.path().join("other.json");
        let refused = |text: &str| {
            fs::write(&other, text).unwrap();
            let refused = Merged::read(&[good.clone(), other.clone()]).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.contains("other.json"), "{refused}");
            refused
        };
        assert!(refused(&text[..text.len() / 2]).contains("not whole JSON"));
        assert!(refused("{}").contains("its format is none, expected msm_os/report/1"));
        assert!(refused("[1]").contains("its format is none"));
        let lacking = r#"{"format": "msm_os/report/1"}"#;
        assert!(refused(lacking).contains("damaged report: missing field"));
        let untimely = text.replace("1970-01-01T00:00:01.000Z", "yesterday");
        assert!(refused(&untimely).contains("yesterday"));
        assert!(
            refused(&text).contains("has the run that began 1970-01-01T00:00:01.000Z, and so has ")
        );
        fs::write(&other, "{}").unwrap();
        let missing = directory.path().join("none.json");
        let all = Merged::read(&[missing, good, other]).unwrap_err();
        let all = all.to_string();
        assert!(all.contains("none.json: No such file"), "{all}");
        assert!(all.contains("other.json: is no report"), "{all}");
    }
}
