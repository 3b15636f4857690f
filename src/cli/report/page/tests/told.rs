//! What a page says: warnings, numbers, names and what was held against what.

use std::collections::BTreeMap;

use serde_json::json;

use super::{moment, run, seen, together};
use crate::cli::error::CliError;
use crate::cli::report::document::StageRecord;
use crate::cli::report::merge::Merged;
use crate::cli::report::page;
use crate::cli::report::page::advice::advice;
use crate::events::Stage;

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
    let page = page(&all, &report, None);
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
    let page = page::page(&together(&empty), &empty, None);
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
    let page = page(&all, &all, None);
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
        let page = page(&together(&report), &report, None);
        let (_, fact) = page.split_once("Held against").unwrap();
        let fact = &fact[..200];
        assert!(fact.contains(told), "{fact}");
    }
}
