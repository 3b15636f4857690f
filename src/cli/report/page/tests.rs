//! Pages of reports that are made up.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::charts::{stages_over_time, timeline, who_was_waited_for};
use super::over_time::series;
use super::*;
use crate::cli::error::CliError;
use crate::cli::report::assemble::{Evidence, time};
use crate::cli::report::document::{
    JobPlace, PhaseEntry, RunReport, SamplesRecord, SlowRecord, StageRecord, StoreStanding,
    StoreState, TransactionEntry,
};
use crate::cli::report::surroundings;
use crate::events::{RequestKind, Stage, WorkPhase};
use crate::measurements::{Measurements, RequestTally, TransactionKind, TransactionOutcome};

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

/// A hundred transactions of fifty stores, as a long job has them.
fn large() -> RunReport {
    let mut report = run(12, None);
    let stores: Vec<String> = (0..50)
        .map(|n| format!("T1y/variable_{n:04}.zarr"))
        .collect();
    for number in 0..100 {
        report.plan.transactions.push(TransactionEntry {
            number,
            kind: TransactionKind::Transaction,
            outcome: TransactionOutcome::Committed,
            files: vec![format!("eORCA025_1y_grid_T_{number:04}-{number:04}.nc"); 2],
            first_step: Some("1976-07-02 00:00:00".to_owned()),
            last_step: Some("1977-07-02 00:00:00".to_owned()),
            stores: 50,
            arrays: 50,
            objects: 1000,
            bytes: 1 << 33,
            memory_bytes: 1 << 30,
            moved_steps: 0,
            planned: moment(number as f64 * 10.0),
            ended: Some(moment(number as f64 * 10.0 + 10.0)),
            commit_seconds: Some(0.5),
            manifest_md5: Some("d21c6fc5e15d17427891d9b2936966e1".to_owned()),
            store_keys: stores.clone(),
        });
        for rank in &mut report.ranks {
            let begun = number as f64 * 10.0;
            rank.phases.push(phase(begun, begun + 4.0, 0.123_456_789));
            rank.phases
                .push(phase(begun + 4.0, begun + 9.0, 0.123_456_789));
        }
    }
    report.stores = stores
        .iter()
        .map(|key| StoreStanding {
            key: key.clone(),
            url: format!("s3://ocean/{key}"),
            state: StoreState::Committed,
            holds: None,
            committed: 100,
            first_step: Some("1976-07-02 00:00:00".to_owned()),
            last_step: Some("2075-07-02 00:00:00".to_owned()),
            shared: None,
        })
        .collect();
    report.slowest_objects = (0..10)
        .map(|number| SlowRecord {
            key: format!("T1y/variable_0000.zarr/variable/c/{number}/0/0/0"),
            bytes: 1 << 20,
            seconds: 9.9,
            rank: number,
        })
        .collect();
    report
}

#[test]
fn a_page_of_a_hundred_thousand_objects_on_twelve_ranks_is_small() {
    let report = large();
    assert_eq!(report.written.objects / 12 * 12, report.written.objects);
    let page = page(&together(&report), &report);
    assert!(page.len() < 3_000_000, "{}", page.len());
    // A rank's part of the document does not grow with what it does.
    let of_rank = json!(report.ranks[0].samples).to_string();
    assert!(of_rank.len() < 12_000, "{}", of_rank.len());
    assert!(page.contains("odd &lt;b&gt;") && !page.contains("<b>"));
}

#[test]
fn it_is_seen_who_waited_for_whom() {
    let mut report = run(3, None);
    for (rank, waits) in [[5.0, 3.0], [0.0, 2.0], [4.0, 0.0]].iter().enumerate() {
        let phases = [phase(10.0, 20.0, waits[0]), phase(30.0, 40.0, waits[1])];
        report.ranks[rank].phases = phases.to_vec();
    }
    let all = together(&report);
    assert_eq!(
        who_was_waited_for(&all).unwrap(),
        "At the ends of phases ranks waited 14.0 s for others, all together; longest for rank 1 on node1: 9.0 s."
    );
    let chart = timeline(&all);
    let spans: Vec<(String, f64, f64)> = { chart.rows[0].spans.iter() }
        .map(|span| (chart.kinds[span.kind].clone(), span.from, span.to))
        .collect();
    let span = |kind: &str, from, to| (kind.to_owned(), from, to);
    let expected = [
        span("transfer", 10.0, 15.0),
        span("wait for others", 15.0, 20.0),
        span("transfer", 30.0, 37.0),
        span("wait for others", 37.0, 40.0),
        span("weights", 1000.0, 1000.0),
    ];
    assert_eq!(spans, expected);
    // What an earlier version wrote tells of no waits.
    let mut old = json!(run(1, None));
    let rank = old["ranks"][0].as_object_mut().unwrap();
    rank.remove("samples");
    for member in ["object_sizes", "notices", "advice", "verified"] {
        old.as_object_mut().unwrap().remove(member);
    }
    let old = Merged::of_one("old.json", old).unwrap();
    assert_eq!(who_was_waited_for(&old), None);
    assert!(page(&old, &old).contains("msm_os send: done"));
}

#[test]
fn what_ranks_did_over_time_is_added_up() {
    let mut report = run(2, None);
    // The other rank began half a bucket later, and its buckets are half as long.
    let other = report.ranks[1].samples.as_mut().unwrap();
    other.begun = moment(5.0);
    other.bucket_seconds = 5.0;
    for (number, bytes) in other.written_bytes.iter_mut().enumerate() {
        *bytes = if number == 1 { 70_000_000 } else { 0 };
    }
    let all = together(&report);
    let found = series(&all);
    let titles: Vec<&str> = found.iter().map(|one| one.caption.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Throughput: objects put and verified",
            "Throughput: bodies of requests",
            "Throughput: bodies of answers",
            "Requests in flight",
            "Requests made again"
        ]
    );
    let of = |series: usize| -> BTreeMap<usize, f64> {
        let values = found[series].moments.iter().map(|moment| moment.value);
        values.enumerate().collect()
    };
    // In MB/s, of buckets of ten seconds.
    let written = of(0);
    assert_eq!(written.len(), 100);
    assert!((written[&0] - 12.345_678_9).abs() < 1e-6, "{written:?}");
    assert!(
        (written[&1] - 12.345_679_0 - 7.0).abs() < 1e-6,
        "{written:?}"
    );
    let in_flight = of(3);
    assert!((in_flight[&20] - 62.468).abs() < 1e-6, "{in_flight:?}");
    assert!((in_flight[&0] - 31.234 * 1.5).abs() < 1e-6, "{in_flight:?}");
    let stages = stages_over_time(&all);
    assert_eq!(stages.rows.len(), 2);
    let kinds: Vec<usize> = stages.rows[0].spans.iter().map(|span| span.kind).collect();
    assert_eq!(kinds[..9], [0, 1, 2, 3, 4, 5, 6, 0, 1]);
}

#[test]
fn what_is_not_as_it_should_be_comes_with_what_to_do() {
    let failure = CliError::NoTerminal;
    let mut report = run(1, Some(&failure));
    report.problems = vec!["a lease is left".to_owned()];
    let said: Vec<(String, String)> = { advice(&together(&report)).into_iter() }
        .map(|one| (one.what, one.to_do))
        .collect();
    let told = |what: &str, to_do: &str| {
        let found = said
            .iter()
            .any(|(w, d)| w.contains(what) && d.contains(to_do));
        assert!(found, "{what}: {to_do}: {said:?}");
    };
    told(&failure.to_string(), "give --yes or --dry-run");
    told("a lease is left", "recover");
    told("odd <b>", "See that");
    told(
        "9000 of 400000 requests, 2.2 %, were made again after 503; more than 1 % slow",
        "--max-requests",
    );
    assert_eq!(said.len(), 4, "three requests without an answer are few");
}

/// The page without the JSON in it.
fn seen(page: &str) -> &str {
    page.split("<script").next().unwrap()
}

#[test]
fn numbers_are_those_of_the_document() {
    let mut report = run(2, None);
    report.ranks[1].stages = BTreeMap::from([(
        Stage::Put,
        StageRecord {
            seconds: 6.0775e-5,
            bytes: 1,
        },
    )]);
    report.stages.insert(
        Stage::Put,
        StageRecord {
            seconds: 12.34,
            bytes: 1,
        },
    );
    report.object_sizes = BTreeMap::from([(1024, 3), (4096, 1)]);
    let all = together(&report);
    let page = page(&all, &report);
    let page = seen(&page);
    for told in [
        "<bdi>61 µs</bdi>",
        "2 ranks; in all put 12.3 s",
        "4 objects, half have less than 2.0 KiB; 1.0 KiB to 2.0 KiB: 3, 4.0 KiB to 8.0 KiB: 1",
        "10000 requests, half within 6.3 s, 99 % within ",
    ] {
        assert!(page.contains(told), "{told}");
    }
    // There is nothing of these: they are not drawn.
    let mut empty = run(1, None);
    (empty.requests, empty.object_sizes) = (BTreeMap::new(), BTreeMap::new());
    let page = super::page(&together(&empty), &empty);
    let page = seen(&page);
    assert!(page.contains("None were made"));
    for title in ["When each rank did what", "How large", "requests took"] {
        assert!(!page.contains(title), "{title}");
    }
}

#[test]
fn runs_of_equal_names_are_told_apart_and_nothing_turns_what_is_around_it() {
    let runs = [0, 1].map(|number| {
        let mut report = run(1, None);
        report.begun = moment(f64::from(number));
        report.arguments = vec!["send".to_owned(), format!("{number} a'b")];
        json!(report)
    });
    let name = "\u{202e}\u{5d0}.json";
    let runs = runs.map(|report| json!({"file": name, "made_up_for": false, "report": report}));
    let merged = json!({"format": "msm_os/report-merged/1", "runs": runs});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("both.json");
    std::fs::write(&file, merged.to_string()).unwrap();
    let all = Merged::read(std::slice::from_ref(&file)).unwrap();
    let page = page(&all, &all);
    let page = seen(&page);
    for told in [
        "<bdi>run 1, rank 0</bdi>",
        "<bdi>run 2, rank 0</bdi>",
        "2 runs of 1 rank each on node",
        "<bdi>\u{fffd}\u{5d0}.json</bdi>",
        "msm_os send &apos;1 a&apos;\\&apos;&apos;b&apos;",
    ] {
        let told = told.replace("&apos;", "'");
        assert!(page.contains(&told), "{told}");
    }
    assert!(!page.contains('\u{202e}'));
    // It is named as it was given, not as it is called in there.
    let whole = file.display().to_string();
    let twice = Merged::read(&[file.clone(), file.clone()]).unwrap_err();
    assert!(
        twice
            .to_string()
            .contains(&format!("{whole}: is given twice")),
        "{twice}"
    );
    let other = folder.path().join("one.json");
    std::fs::write(&other, runs[0]["report"].to_string()).unwrap();
    let twice = Merged::read(&[file, other]).unwrap_err().to_string();
    assert!(
        twice.contains("one.json: has the run") && twice.contains(&whole),
        "{twice}"
    );
}

#[test]
fn what_was_held_against_files_is_told() {
    let mut report = run(1, None);
    let verified = |against: serde_json::Value, not_compared: Option<&str>| {
        let found = json!({
            "objects": 7, "bytes": 1, "faults": 0, "stores": [], "differing": [],
            "against": against, "not_compared": not_compared,
        });
        serde_json::from_value(found).unwrap()
    };
    let files = json!({"files": ["a.nc", "b.nc"], "first_step": "9", "last_step": "10"});
    for (against, not_compared, told) in [
        (
            files.clone(),
            None,
            "a.nc to b.nc, 2 files, steps 9 to 10: no value differs",
        ),
        (files, Some("no step 8"), "could not be compared: no step 8"),
        (json!(null), None, "no files"),
    ] {
        report.verified = Some(verified(against, not_compared));
        let page = page(&together(&report), &report);
        let (_, fact) = page.split_once("Held against").unwrap();
        let fact = &fact[..200];
        assert!(fact.contains(told), "{fact}");
    }
}
