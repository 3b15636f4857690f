//! A page stays small, however large the run was.

use serde_json::json;

use super::{moment, phase, run, together};
use crate::cli::report::document::{
    RunReport, SlowRecord, StoreStanding, StoreState, TransactionEntry,
};
use crate::cli::report::page::page;
use crate::measurements::{TransactionKind, TransactionOutcome};

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
    let page = page(&together(&report), &report, None);
    assert!(page.len() < 3_000_000, "{}", page.len());
    // A rank's part of the document does not grow with what it does.
    let of_rank = json!(report.ranks[0].samples).to_string();
    assert!(of_rank.len() < 12_000, "{}", of_rank.len());
    assert!(page.contains("odd &lt;b&gt;") && !page.contains("<b>"));
}
