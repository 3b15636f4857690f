//! Several reports as one: of an array's tasks, or of a run and of those that went on with it.
//!
//! Key type: [`Merged`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

use super::assemble::{latency_record, time};
use super::document::{
    CommitRecord, FORMAT, RequestRecord, RunOutcome, RunReport, StageRecord, StoreStanding, Written,
};
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
    /// Did it fail, and a later run of the same do what it was to do?
    pub made_up_for: bool,
    /// The file's whole content.
    report: Value,
    #[serde(skip)]
    pub run: RunReport,
    #[serde(skip)]
    span: [SystemTime; 2],
}

/// An object that took long, and where.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct SlowInRun {
    pub key: String,
    pub bytes: u64,
    pub seconds: f64,
    pub rank: usize,
    pub file: String,
}

impl Merged {
    /// The reports in `files`, in the order in which the runs began.
    ///
    /// # Errors
    /// If one of them is no report, or given twice; its file is named.
    pub(in crate::cli) fn read(files: &[PathBuf]) -> Result<Self, CliError> {
        let mut runs: Vec<MergedRun> = Vec::new();
        for path in files {
            let run = MergedRun::read(path)?;
            if let Some(twin) = runs.iter().find(|other| other.report == run.report) {
                let cause = format!("is the same report as {}", twin.file);
                return Err(wrong(path, cause));
            }
            runs.push(run);
        }
        runs.sort_by_key(|run| run.span);
        let made_up: Vec<bool> = (0..runs.len()).map(|i| is_made_up(&runs, i)).collect();
        for (run, made_up) in runs.iter_mut().zip(made_up) {
            run.made_up_for = made_up;
        }
        Ok(Self::of(runs))
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
            for standing in &run.stores {
                add_standing(&mut stores, standing);
            }
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
        for (cause, count) in &run.retries {
            *self.retries.entry(cause.clone()).or_default() += count;
        }
    }
}

impl MergedRun {
    fn read(path: &Path) -> Result<Self, CliError> {
        let text = fs::read_to_string(path).map_err(|cause| wrong(path, cause.to_string()))?;
        let report: Value = serde_json::from_str(&text)
            .map_err(|cause| wrong(path, format!("is not whole JSON: {cause}")))?;
        match report.get("format").and_then(Value::as_str) {
            Some(FORMAT) => {}
            found => {
                let found = found.unwrap_or("none");
                let cause = format!("is no report: its format is {found}, expected {FORMAT}");
                return Err(wrong(path, cause));
            }
        }
        let run: RunReport = serde_json::from_value(report.clone())
            .map_err(|cause| wrong(path, format!("is a damaged report: {cause}")))?;
        let moment = |text: &str| {
            let parsed = humantime::parse_rfc3339(text);
            parsed.map_err(|cause| wrong(path, format!("is a damaged report: {text}: {cause}")))
        };
        Ok(Self {
            file: path.display().to_string(),
            made_up_for: false,
            span: [moment(&run.begun)?, moment(&run.ended)?],
            report,
            run,
        })
    }

    /// What makes another run one of the same.
    fn identity(&self) -> impl PartialEq + '_ {
        let RunReport {
            command,
            place,
            job,
            ..
        } = &self.run;
        let array_task = job.slurm.as_ref().map(|slurm| &slurm.array_task);
        (command, place, job.task.as_ref(), array_task)
    }
}

fn wrong(path: &Path, cause: String) -> CliError {
    CliError::ReportFile {
        path: path.to_owned(),
        cause,
    }
}

/// Did the run at `index` fail, and a later one of the same not?
fn is_made_up(runs: &[MergedRun], index: usize) -> bool {
    let failed = &runs[index];
    let later = &runs[index + 1..];
    failed.run.outcome == RunOutcome::Failed
        && later
            .iter()
            .any(|run| run.identity() == failed.identity() && run.run.outcome != RunOutcome::Failed)
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

/// Where a store stands is what the last run says that got to it; `standing` is of a later one than those before.
fn add_standing(stores: &mut BTreeMap<String, StoreStanding>, standing: &StoreStanding) {
    let Some(known) = stores.get_mut(&standing.url) else {
        stores.insert(standing.url.clone(), standing.clone());
        return;
    };
    known.committed += standing.committed;
    if standing.last_step.is_some() {
        known.last_step.clone_from(&standing.last_step);
    }
    known.state = match (known.state, standing.state) {
        // A run that has nothing to do, or puts all back, does not take away what was committed.
        (before, super::StoreState::Unchanged) => before,
        (_, now) => now,
    };
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
    use std::time::Duration;

    use tempfile::TempDir;

    use super::super::assemble::Evidence;
    use super::super::document::{JobPlace, ProgramVersions};
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
            is_nothing: false,
            failure,
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
        assert!(refused(&text).contains("is the same report as"));
        let missing = Merged::read(&[directory.path().join("none.json")]);
        assert!(missing.unwrap_err().to_string().contains("none.json"));
    }
}
