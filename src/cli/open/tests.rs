//! What the tests of `open` share, and those of catalogue entries.

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Map, json};

use super::{intake, stac, verdict, written};
use crate::cli::args::{Command, CommandLine, Invocation, parse};
use crate::cli::exit::Exit;
use crate::cli::store::StoreArgs;
use crate::store::Spot;
use crate::verbs::list::{LeftOut, StoreFilter, StoreInfo, StoreState, TimeRange, VariableInfo};
use crate::verbs::open::{OpenReport, OpenableStore, Reach, StoreMetadata};

/// A store of Zarr version 3 with one variable of two steps, as it is found.
pub(super) fn store(key: &str) -> OpenableStore {
    let variable = |name: &str, coordinate, dimensions: &[&str]| VariableInfo {
        name: name.to_owned(),
        coordinate,
        dtype: "float32".to_owned(),
        dimensions: dimensions.iter().map(|&name| name.to_owned()).collect(),
        shape: vec![2; dimensions.len()],
        chunks: vec![1; dimensions.len()],
        shards: None,
        codecs: Vec::new(),
        decoded_bytes: None,
    };
    OpenableStore {
        info: StoreInfo {
            store: key.to_owned(),
            state: StoreState::Whole,
            problem: None,
            zarr_format: Some(3),
            variables: vec![
                variable("tos", false, &["time_counter", "y", "x"]),
                variable("time_counter", true, &["time_counter"]),
            ],
            time: Some(TimeRange {
                axis: "time_counter".to_owned(),
                steps: 2,
                first: "1976-02-30 00:00:00".to_owned(),
                last: "1977-02-30 00:00:00".to_owned(),
                units: "days since 1950-01-01".to_owned(),
                calendar: "360_day".to_owned(),
            }),
            objects: None,
            stored_bytes: None,
            decoded_bytes: None,
            last_transaction: None,
            being_replaced: None,
        },
        can_be_opened: true,
        root: key.to_owned(),
        group: None,
        consolidated: true,
        metadata: Some(StoreMetadata {
            attributes: Map::from_iter([("license".to_owned(), json!("CC-BY-4.0"))]),
            arrays: [].into(),
            unplaced: None,
            bbox: Some([-10.0, 40.0, 5.0, 60.0]),
            changed: None,
        }),
    }
}

/// What `msm_os open` is told of where stores are.
pub(super) fn store_args(line: &str) -> StoreArgs {
    let words = ["msm_os", "open"].into_iter().chain(line.split(' '));
    match parse(words.map(OsString::from)) {
        CommandLine::Command(Invocation(command, ..)) => match *command {
            Command::Open(args) => args.store,
            _ => panic!("{line}: another command"),
        },
        CommandLine::Answer(_) => panic!("{line} is answered"),
        CommandLine::Wrong(failure) => panic!("{failure}"),
    }
}

fn report(keys: &[&str]) -> OpenReport {
    OpenReport {
        reach: Reach::Directory {
            path: "/data/ocean".into(),
        },
        stores: keys.iter().map(|key| store(key)).collect(),
        left_out: LeftOut::default(),
    }
}

#[test]
fn entries_have_names_that_differ() {
    let keys = [
        "T1y.zarr",
        "T1y/a b.zarr",
        "T1y/a-b.zarr",
        "T1y/deep/a.zarr",
    ];
    let files = stac::catalogue(
        &report(&keys),
        &Spot::Below("T1y".to_owned()),
        Path::new("c/x.json"),
    );
    let names: Vec<&str> = files
        .documents
        .iter()
        .map(|(path, _)| path.to_str().unwrap())
        .collect();
    let expected = [
        "c/x.json",
        "c/x/T1y.json",
        "c/x/a-b.json",
        "c/x/a-b-2.json",
        "c/x/deep-a.json",
    ];
    assert_eq!(names, expected);
    let ids: Vec<&str> = files
        .documents
        .iter()
        .map(|(_, d)| d["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids[..3],
        ["ocean-T1y", "ocean-T1y/T1y.zarr", "ocean-T1y/a b.zarr"]
    );
    let written = intake::catalogue(&report(&keys), &Spot::default());
    for name in ["\"T1y\"", "\"T1y-a-b\"", "\"T1y-a-b-2\"", "\"T1y-deep-a\""] {
        assert!(written.contains(name), "{written}");
    }
}

#[test]
fn a_collection_says_what_its_stores_say_alike() {
    let mut report = report(&["a.zarr", "b.zarr"]);
    let collection = |report: &OpenReport| {
        stac::catalogue(report, &Spot::default(), Path::new("x.json")).documents[0]
            .1
            .clone()
    };
    let one = collection(&report);
    assert_eq!(one["license"], "CC-BY-4.0");
    assert_eq!(
        one["extent"]["spatial"]["bbox"],
        json!([[-10.0, 40.0, 5.0, 60.0]])
    );
    let interval = json!([["1976-02-29T00:00:00Z", "1977-02-28T00:00:00Z"]]);
    assert_eq!(one["extent"]["temporal"]["interval"], interval);
    report.stores[1].metadata = None;
    let other = collection(&report);
    assert_eq!(other["license"], "other");
    assert_eq!(
        other["extent"]["spatial"]["bbox"],
        json!([[-180.0, -90.0, 180.0, 90.0]])
    );
}

#[test]
fn data_without_time_have_the_time_of_their_last_change() {
    let mut report = report(&["a.zarr"]);
    let item = |report: &OpenReport| {
        let files = stac::catalogue(report, &Spot::default(), Path::new("x.json"));
        files.documents[1].1["properties"].clone()
    };
    let told = item(&report);
    assert_eq!(
        (&told["datetime"], &told["time_coverage_start"]),
        (&json!(null), &json!("1976-02-30 00:00:00"))
    );
    report.stores[0].info.time = None;
    let metadata = report.stores[0].metadata.as_mut().unwrap();
    metadata.changed = humantime::parse_rfc3339("2026-01-02T03:04:05Z").ok();
    let told = item(&report);
    assert_eq!(told["datetime"], "2026-01-02T03:04:05Z");
    assert!(told["start_datetime"].is_null() && told["calendar"].is_null());
    assert_eq!(told["cube:dimensions"]["time_counter"]["type"], "index");
}

#[test]
fn items_of_stores_that_are_gone_do_not_stay_published() {
    let folder = tempfile::tempdir().unwrap();
    let (path, items) = (folder.path().join("x.json"), folder.path().join("x"));
    let write = |keys: &[&str], prefix: &str| {
        let spot = Spot::Below(prefix.to_owned());
        written::collection(
            "--stac",
            &stac::catalogue(&report(keys), &spot, &path),
            &path,
        )
        .unwrap()
    };
    let there = || {
        let entries = std::fs::read_dir(&items).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    write(&["T1y/a.zarr", "T1y/b.zarr"], "T1y");
    // What others put there stays, whatever it is.
    let item = std::fs::read_to_string(items.join("b.json")).unwrap();
    let others = [
        (
            "another-collection.json",
            item.replace("../x.json", "../y.json"),
        ),
        ("another-id.json", item.replace("ocean-T1y", "mine")),
        (
            "no-item.json",
            item.replace("\"Feature\"", "\"Collection\""),
        ),
        ("no-json.json", "{".to_owned()),
        ("notes.txt", item.clone()),
    ];
    for (name, text) in &others {
        std::fs::write(items.join(name), text).unwrap();
    }
    let kept = others.map(|(name, _)| name);
    let notes = write(&["T1y/a.zarr"], "T1y");
    assert!(
        notes.last().unwrap().starts_with("removed 1 item "),
        "{notes:?}"
    );
    assert_eq!(there(), [&["a.json"][..], &kept[..]].concat());
    // Another prefix makes another collection in the place of that one.
    let notes = write(&["U1y/u.zarr"], "U1y");
    assert!(
        notes.last().unwrap().starts_with("removed 1 item "),
        "{notes:?}"
    );
    assert_eq!(there(), [&kept[..], &["u.json"]].concat());
    let notes = write(&["U1y/u.zarr"], "U1y");
    assert!(notes.last().unwrap().starts_with("wrote"), "{notes:?}");
}

/// Though another one that was named is there.
#[test]
fn a_variable_that_no_store_holds_is_named() {
    let filter = |names: &[&str]| StoreFilter {
        variables: names.iter().map(|&name| name.to_owned()).collect(),
        ..StoreFilter::default()
    };
    let mut report = report(&["T1m/tos.zarr"]);
    report.left_out.others = 1;
    let place = "s3://ocean/";
    let all = ["tos", "time_counter"];
    assert!(verdict(&report, &filter(&all), place).is_ok());
    let error = verdict(&report, &filter(&["tos", "nope", "sos"]), place).unwrap_err();
    assert_eq!(Exit::from(&error), Exit::NoStore);
    let said = "s3://ocean: none of 2 stores holds 'nope' or 'sos'";
    assert_eq!(error.to_string(), said);
}

#[test]
fn what_was_left_out_is_not_said_to_be_missing() {
    let mut report = report(&[]);
    report.left_out.others = 3;
    let filter = StoreFilter {
        variables: vec!["nope".to_owned(), "sos".to_owned()],
        ..StoreFilter::default()
    };
    let said = |report: &OpenReport| {
        let error = verdict(report, &filter, "s3://ocean/").unwrap_err();
        assert_eq!(Exit::from(&error), Exit::NoStore);
        error.to_string()
    };
    assert_eq!(
        said(&report),
        "s3://ocean: none of 3 stores holds 'nope' or 'sos'"
    );
    report.left_out.unknown = 1;
    assert_eq!(
        said(&report),
        "s3://ocean: none of 4 stores is known to hold 'nope' or 'sos'"
    );
    report.left_out = LeftOut::default();
    assert_eq!(
        said(&report),
        "s3://ocean: there is no store that can be opened"
    );
}
