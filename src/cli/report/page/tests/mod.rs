//! Pages of reports that are made up.

mod over_time;
mod size;
mod told;

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::cli::error::CliError;
use crate::cli::report::assemble::{Evidence, time};
use crate::cli::report::document::{JobPlace, PhaseEntry, RunReport, SamplesRecord};
use crate::cli::report::merge::Merged;
use crate::cli::report::surroundings;
use crate::events::{RequestKind, Stage, WorkPhase};
use crate::measurements::{Measurements, RequestTally};

const BEGUN: Duration = Duration::from_secs(1_000_000);

fn moment(seconds: f64) -> String {
    time(SystemTime::UNIX_EPOCH + BEGUN + Duration::from_secs_f64(seconds))
}

/// A run of so many ranks that lasts a thousand seconds.
fn run(ranks: usize, failure: Option<&CliError>) -> RunReport {
    let mut tally = RequestTally {
        count: 100_000,
        ..RequestTally::default()
    };
    for number in 0..5_000_u64 {
        tally.latency.add(Duration::from_micros(number * number));
    }
    let kinds = [
        RequestKind::Put,
        RequestKind::Get,
        RequestKind::Head,
        RequestKind::List,
    ];
    let measured = Measurements {
        objects: 100_000 / ranks as u64,
        bytes: 1 << 40,
        object_sizes: (4..30).map(|power| (1 << power, 5_000)).collect(),
        requests: kinds.map(|kind| (kind, tally.clone())).into(),
        retries: [(Some(503), 9_000), (None, 3)].into(),
        ..Measurements::default()
    };
    let evidence = Evidence {
        command: "send",
        asked: Vec::new(),
        arguments: Vec::new(),
        begun: SystemTime::UNIX_EPOCH + BEGUN,
        elapsed: Duration::from_secs(1000),
        program: surroundings::versions(None),
        job: JobPlace {
            ranks,
            hosts: vec!["node".to_owned()],
            ..JobPlace::default()
        },
        place: Some(("s3://ocean".to_owned(), None)),
        sent: None,
        verified: None,
        is_nothing: false,
        failure,
        notices: vec!["odd <b>".to_owned()],
        ranks: (0..ranks)
            .map(|n| (format!("node{n}"), measured.clone()))
            .collect(),
    };
    let mut report = evidence.report();
    for rank in &mut report.ranks {
        rank.samples = Some(samples());
    }
    report
}

/// Full buckets of ten seconds, in which all stages go on, and most of all one after the other.
fn samples() -> SamplesRecord {
    let number = |bucket: u64| 123_456_789 + bucket;
    let busy = |stage: usize| {
        let busy = (0..100).map(|bucket| if bucket % 7 == stage { 8.123 } else { 1.234 });
        busy.collect()
    };
    let stages = Stage::ALL.into_iter().enumerate();
    SamplesRecord {
        begun: moment(0.0),
        bucket_seconds: 10.0,
        written_bytes: (0..100).map(number).collect(),
        sent_bytes: (0..100).map(number).collect(),
        received_bytes: (0..100).map(number).collect(),
        requests: (0..100).map(number).collect(),
        retries: (0..100).map(number).collect(),
        requests_in_flight: vec![31.234; 100],
        stages: stages
            .map(|(number, stage)| (stage, busy(number)))
            .collect(),
    }
}

fn together(report: &RunReport) -> Merged {
    Merged::of_one("run.html", json!(report)).unwrap()
}

fn phase(from: f64, to: f64, wait_seconds: f64) -> PhaseEntry {
    PhaseEntry {
        phase: WorkPhase::Transfer,
        transaction: Some(0),
        begun: moment(from),
        ended: moment(to),
        wait_seconds,
    }
}

/// The page without the JSON in it.
fn seen(page: &str) -> &str {
    page.split("<script").next().unwrap()
}
