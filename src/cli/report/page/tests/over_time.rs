//! When ranks did what.

use std::collections::BTreeMap;

use serde_json::json;

use super::{moment, phase, run, together};
use crate::cli::report::merge::Merged;
use crate::cli::report::page::charts::{stages_over_time, timeline, who_was_waited_for};
use crate::cli::report::page::over_time::series;
use crate::cli::report::page::page;

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
    assert!(page(&old, &old, None).contains("msm_os send: done"));
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
