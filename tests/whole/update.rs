//! Overwriting steps that a store has, and what becomes of steps that it has or lacks.

use s3_server::{Fault, Rule};

use crate::line::msm_os;
use crate::support::{Sandbox, every_kind, objects, reads_back, served};

/// Six months, so that updates meet part of a chunk.
fn year(sandbox: &Sandbox) -> String {
    sandbox.months(1, 6)
}

const CHUNKS: &str = r#"{"time_counter": 4, "y": 7}"#;

#[test]
fn any_steps_in_any_order_are_overwritten() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, url) = (year(&sandbox), sandbox.url("ocean"));
        msm_os!("send -f {file} -b {url} -cs '{CHUNKS}'").well_on(ranks);
        let before = sandbox.stores("ocean");
        // Not contiguous, not in order, in two files given the wrong way round.
        let later = sandbox.cut(&file, "b_1m_grid_T.nc", "5,1", "add=1");
        let earlier = sandbox.cut(&file, "a_1m_grid_T.nc", "3,2", "add=2");
        let update = msm_os!("update -f {later} {earlier} -b {url} -v thetao tos");
        let ended = update.well_on(ranks);
        ended.says(&["0 steps appended, 4 replaced"]);
        let pieces = [("0", 0), ("1", 1), ("2,3", 2), ("4", 0), ("5", 1)];
        let expected = pieces.map(|(steps, add)| {
            let name = format!("expected-{steps}.nc");
            sandbox.cut(&file, &name, steps, &format!("add={add}"))
        });
        for variable in ["thetao", "tos"] {
            sandbox.reads_back(&format!("ocean/T1m/{variable}.zarr"), &expected);
        }
        let after = sandbox.stores("ocean");
        let same = |key: &&String| !key.contains("thetao") && !key.contains("tos");
        for key in before.keys().filter(same) {
            assert!(before[key] == after[key], "{key} is another variable's");
        }
        // And back again: the very same bytes.
        msm_os!("update -f {file} -b {url}").well_on(ranks);
        assert!(sandbox.stores("ocean") == before);
    }
}

#[test]
fn a_step_that_the_store_lacks_is_named_or_appended() {
    let (sandbox, server, bucket) = served();
    let file = year(&sandbox);
    let place = format!("{bucket} -p T1m -v thetao");
    let first = sandbox.cut(&file, "first.nc", "0,1,2", "");
    msm_os!("send -f {first} -cs '{CHUNKS}' {place}").well_on(3);
    let before = objects(&server);
    let later = sandbox.cut(&file, "later.nc", "2,3,4,5", "add=1");
    let update = msm_os!("update -f {later} {place}");
    let words = [
        "does not have 3 of the 4 steps",
        "1976-04-16",
        "1976-06-16",
        "--append-missing",
    ];
    for ranks in [1, 3] {
        update.on(ranks).refused(24, &words);
        assert!(objects(&server) == before);
    }
    update.and("--append-missing").well_on(3);
    let expected = [sandbox.cut(&file, "kept.nc", "0,1", ""), later];
    reads_back("s3://ocean/T1m/thetao.zarr", Some(&server), &expected);
}

#[test]
fn without_a_store_there_is_nothing_to_update() {
    let sandbox = Sandbox::new();
    let (file, url) = (year(&sandbox), sandbox.url("ocean"));
    msm_os!("send -f {file} -b {url} -v tos").well();
    let before = sandbox.stores("ocean");
    let update = msm_os!("update -f {file} -b {url}");
    let both = update.and("-v tos sos");
    both.refused_in(&sandbox, 27, &["'T1m/sos.zarr'"]);
    let elsewhere = update.and("-p elsewhere");
    elsewhere.refused_in(&sandbox, 27, &[]);
    // Without -v, what has a store.
    update.well_on(3).says(&["1 store, "]);
    assert!(sandbox.stores("ocean") == before);
}

#[test]
fn what_becomes_of_steps_that_are_there() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, url) = (year(&sandbox), sandbox.url("ocean"));
        let first = sandbox.cut(&file, "first.nc", "0,1,2", "");
        let send = |file: &str, more: &str| {
            msm_os!("send -f {file} -b {url} -p T1m -v tos -cs '{CHUNKS}' {more}").on(ranks)
        };
        send(&first, "").well();
        let before = sandbox.tree("ocean");
        let later = sandbox.cut(&file, "later.nc", "1,2,3,4", "add=1");
        for (file, more) in [
            (&later, ""),
            (&later, "--on-overlap error"),
            (&first, "--on-overlap error"),
        ] {
            send(file, more).refused(24, &["1976-02-15"]);
            assert!(sandbox.tree("ocean") == before);
        }
        for more in ["", "--on-overlap skip"] {
            send(&first, more).well().says(&["nothing to do"]);
            assert!(sandbox.tree("ocean") == before);
        }
        send(&later, "--on-overlap skip").well();
        let new = sandbox.cut(&file, "new.nc", "3,4", "add=1");
        sandbox.reads_back("ocean/T1m/tos.zarr", &[first, new]);
        let last = sandbox.cut(&file, "last.nc", "1,4,5", "add=3");
        send(&last, "--on-overlap replace").well();
        let pieces = [("0", 0), ("1", 3), ("2", 0), ("3", 1), ("4,5", 3)];
        let replaced = pieces.map(|(steps, add)| {
            sandbox.cut(&file, &format!("p{steps}.nc"), steps, &format!("add={add}"))
        });
        sandbox.reads_back("ocean/T1m/tos.zarr", &replaced);
    }
}

#[test]
fn a_static_variable_is_overwritten_whole() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p all -v fixed", sandbox.url("ocean"));
    let [first, _] = every_kind(&sandbox);
    msm_os!("send -f {first} {place}").well_on(3);
    let changed = sandbox.edited(&first, "changed.nc", |f| {
        let mut fixed = f.variable_mut("fixed").unwrap();
        fixed.put_value(-7f32, [3, 4]).unwrap();
    });
    let refused = msm_os!("send -f {changed} {place}").on(3);
    refused.refused(22, &[]);
    msm_os!("update -f {changed} {place}").well_on(3);
    sandbox.reads_back("ocean/all/fixed.zarr", &[changed]);
}

#[test]
fn new_steps_that_take_turns_in_several_files_are_appended_in_order() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, url) = (year(&sandbox), sandbox.url("ocean"));
        let first = sandbox.cut(&file, "first.nc", "0,1", "");
        msm_os!("send -f {first} -b {url} -p T1m -v tos").well_on(ranks);
        // Every step ends on a chunk boundary, but a store grows only at its end.
        let later = [("a", "0,3"), ("b", "2,5"), ("c", "4")]
            .map(|(name, steps)| sandbox.cut(&file, &format!("{name}.nc"), steps, ""));
        let update = format!(
            "update --append-missing --transaction chunk -f {}",
            later.join(" ")
        );
        msm_os!("{update} -b {url} -p T1m -v tos").well_on(ranks);
        sandbox.reads_back("ocean/T1m/tos.zarr", &[file]);
    }
}

#[test]
fn an_update_that_fails_leaves_all_as_it_was() {
    let (sandbox, server, bucket) = served();
    let file = year(&sandbox);
    let first = sandbox.cut(&file, "first.nc", "0,1,2,3,4", "");
    let place = format!("{bucket} -p T1m -v thetao");
    msm_os!("send -f {first} -cs '{CHUNKS}' {place}").well_on(3);
    let before = objects(&server);
    // Whole chunks and parts of chunks are overwritten, and a step is appended, when the server refuses an object.
    let changed = sandbox.cut(&file, "changed.nc", "0,1,2,3,5", "add=1");
    let update = msm_os!("update -f {changed} --append-missing {place}");
    for (ranks, key) in [
        (3, "/thetao/c/0/0/1/0"),
        (3, "/thetao/c/1/0/2/0"),
        (1, "/thetao/zarr.json"),
        (3, "thetao.zarr/zarr.json"),
    ] {
        let rule = Rule::new(Fault::Status(403)).method("PUT");
        server.faults().add(rule.key_contains(key));
        update.on(ranks).refused(40, &["rolled back"]);
        server.faults().clear();
        assert!(objects(&server) == before, "{key}");
    }
    update.well_on(3);
    let expected = [("0,1,2,3", "add=1"), ("4", ""), ("5", "add=1")]
        .map(|(steps, add)| sandbox.cut(&file, &format!("p{steps}.nc"), steps, add));
    reads_back("s3://ocean/T1m/thetao.zarr", Some(&server), &expected);
}
