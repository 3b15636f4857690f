//! Stores that were copied with their ledgers, as `aws s3 cp --recursive` does it: what is done to the copy is done to it alone.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::interrupted::Stage;
use crate::support::{objects, without_ledgers};

type Objects = BTreeMap<String, Vec<u8>>;

/// What lies below this prefix, by what follows it.
fn below(stage: &Stage, prefix: &str) -> Objects {
    let all = objects(&stage.server).into_iter();
    all.filter_map(|(key, bytes)| Some((key.strip_prefix(prefix)?.to_owned(), bytes)))
        .collect()
}

/// Copies all that lies below `T1m`; returns it.
fn copy(stage: &Stage) -> Objects {
    let all = below(stage, "T1m/");
    for (key, bytes) in &all {
        stage
            .server
            .put_object("ocean", &format!("copy/{key}"), bytes.clone());
    }
    all
}

fn stage(version: &str) -> (Stage, [String; 2]) {
    let stage = Stage::new();
    let files = [stage.months(1976, 0), stage.months(1977, 0)];
    let chunks = r#"{"time_counter": 4}"#;
    let line = [
        "send",
        "-f",
        &files[0],
        "-cs",
        chunks,
        "--zarr-version",
        version,
    ];
    stage.run(&line).well();
    (stage, files)
}

#[test]
fn rollback_of_a_copy_leaves_the_original_alone() {
    for version in ["3", "2"] {
        let (stage, [_, second]) = stage(version);
        let first = without_ledgers(below(&stage, "T1m/"));
        stage.run(&["send", "-f", &second, "--allow-gaps"]).well();
        let both = copy(&stage);
        stage.run_at("copy", &["rollback"]).well();
        assert!(below(&stage, "T1m/") == both, "{version}");
        assert!(
            without_ledgers(below(&stage, "copy/")) == first,
            "{version}"
        );
        for prefix in ["T1m", "copy"] {
            stage.run_at(prefix, &["verify"]).well();
        }
        stage.run(&["rollback"]).well();
        assert!(without_ledgers(below(&stage, "T1m/")) == first, "{version}");
    }
}

#[test]
fn recovery_of_a_copy_leaves_the_original_alone() {
    for version in ["3", "2"] {
        // Open, with a part-full chunk overwritten; and prepared, with all but the root in place.
        for (method, part) in [
            ("PUT", "tos.zarr/tos/"),
            ("PUT", "sos.zarr/journal/00000002"),
        ] {
            let (stage, [_, second]) = stage(version);
            let first = without_ledgers(below(&stage, "T1m/"));
            stage.cut_off(&["send", "-f", &second, "--allow-gaps"], method, part);
            std::thread::sleep(Duration::from_secs(7));
            let torn = copy(&stage);
            assert!(torn.keys().any(|key| key.contains("/journal/")));
            stage.run_at("copy", &["recover"]).well();
            assert!(below(&stage, "T1m/") == torn, "{version} {part}");
            assert!(
                without_ledgers(below(&stage, "copy/")) == first,
                "{version} {part}"
            );
            stage.run_at("copy", &["verify"]).well();
            stage.run(&["recover"]).well();
            assert!(
                without_ledgers(below(&stage, "T1m/")) == first,
                "{version} {part}"
            );
        }
    }
}

/// Which of its stores are undone already, a copy of a rollback that was interrupted tells of the copy.
#[test]
fn a_copy_of_an_interrupted_rollback_is_undone_once() {
    let stage = Stage::new();
    (1976..1979).for_each(|year| stage.send(year));
    stage.cut_off(&["rollback"], "DELETE", "/transactions/");
    std::thread::sleep(Duration::from_secs(7));
    let torn = copy(&stage);
    stage.run_at("copy", &["rollback"]).well();
    assert!(below(&stage, "T1m/") == torn);
    for store in ["sos.zarr/transactions/", "tos.zarr/transactions/"] {
        assert_eq!(stage.keys(&format!("copy/.msm-os/{store}")).len(), 2);
    }
    stage.run_at("copy", &["verify"]).well();
    stage.run(&["rollback"]).well();
    let now = ["T1m/", "copy/"].map(|prefix| without_ledgers(below(&stage, prefix)));
    assert!(now[0] == now[1]);
}
