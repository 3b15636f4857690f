//! One store for all variables.

use serde_json::Value;

use crate::line::msm_os;
use crate::support::Sandbox;

const CHUNKS: &str = r#"{"time_counter": 2, "y": 7}"#;

fn halves(sandbox: &Sandbox) -> (String, [String; 2]) {
    let file = sandbox.months(1, 5);
    let halves = [("h1", "0,1,2"), ("h2", "3,4")]
        .map(|(name, steps)| sandbox.cut(&file, &format!("{name}_1m_grid_T.nc"), steps, ""));
    (file, halves)
}

#[test]
fn all_variables_in_one_store_that_grows_and_is_updated() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, halves) = halves(&sandbox);
        let place = format!("-b {} -v compact", sandbox.url("ocean"));
        msm_os!("send -f {} -cs '{CHUNKS}' {place}", halves[0]).well_on(ranks);
        msm_os!("send -f {} {place}", halves[1]).well_on(ranks);
        sandbox.reads_back("ocean/T1m.zarr", &[&file]);
        let tree = sandbox.tree("ocean");
        for key in tree.keys() {
            let own = ["T1m.zarr/", ".msm-os/"];
            assert!(own.iter().any(|own| key.starts_with(own)), "{key}");
        }
        let root: Value = serde_json::from_slice(&tree["T1m.zarr/zarr.json"]).unwrap();
        let arrays = root["consolidated_metadata"]["metadata"]
            .as_object()
            .unwrap();
        for name in ["thetao", "so", "e3t", "tos", "sos", "zos", "time_counter"] {
            assert!(arrays.contains_key(name), "{name}");
        }
        // One variable of it, at two of its steps.
        let changed = sandbox.cut(&file, "c_1m_grid_T.nc", "4,1", "add=1");
        msm_os!("update -f {changed} {place} tos").well_on(ranks);
        let after = sandbox.tree("ocean");
        for (key, bytes) in &tree {
            let expected = !key.contains("/tos/c/") && !key.starts_with(".msm-os/");
            assert!(
                !expected || after[key] == *bytes,
                "{key} is not of the variable"
            );
        }
        msm_os!("update -f {changed} {place}").well_on(ranks);
        let pieces = [("0", 0), ("1", 1), ("2,3", 0), ("4", 1)].map(|(steps, add)| {
            let name = format!("p{steps}.nc");
            sandbox.cut(&file, &name, steps, &format!("add={add}"))
        });
        sandbox.reads_back("ocean/T1m.zarr", &pieces);
    }
}

#[test]
fn a_variable_that_is_missing_is_refused_and_a_new_one_added_only_when_asked() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, [first, second]) = halves(&sandbox);
        let url = sandbox.url("ocean");
        let send = |line: &str| msm_os!("send -b {url} -p T1m -v compact -f {line}").on(ranks);
        let without = sandbox.cut(&first, "without.nc", "0,1,2", "drop=sos");
        send(&format!("{without} -cs '{CHUNKS}'")).well();
        let before = sandbox.tree("ocean");
        let dropped = "drop=tos drop=sos";
        let fewer = sandbox.cut(&second, "fewer.nc", "0,1", dropped);
        send(&fewer).refused(26, &["'tos'"]);
        send(&second).refused(26, &["'sos'", "--add-variables"]);
        assert!(sandbox.tree("ocean") == before);
        send(&format!("{second} --add-variables")).well();
        // The store says which steps are missing because they were never sent.
        let never = "fill=sos set=sos:steps_never_sent:0-2";
        let empty = sandbox.cut(&first, "empty.nc", "0,1,2", never);
        sandbox.reads_back("ocean/T1m.zarr", &[empty, second]);
        // What is missing at steps that are there can be added, too; and what was missing before is no more.
        let extra = sandbox.cut(&file, "extra.nc", "0,1,2,3,4", "copy=tos:again");
        send(&format!("{extra} --add-variables")).well();
        sandbox.reads_back("ocean/T1m.zarr", &[extra]);
    }
}

/// Files of two, one and two months, with all variables and with two of them dropped.
fn with_and_without(sandbox: &Sandbox) -> [Vec<String>; 2] {
    let (file, _) = halves(sandbox);
    [("with", ""), ("without", "drop=sos drop=thetao")].map(|(name, options)| {
        let each = ["0,1", "2", "3,4"].into_iter().enumerate();
        each.map(|(i, steps)| {
            let name = format!("{name}{i}_1m_grid_T.nc");
            sandbox.cut(&file, &name, steps, options)
        })
        .collect()
    })
}

#[test]
fn variables_that_are_added_get_all_steps_that_the_files_have() {
    for (ranks, version, chunks) in [
        (1, "3", r#"{"time_counter": 1}"#),
        (3, "2", CHUNKS),
        (1, "3", r#"{"time_counter": 12, "y": 7}"#),
    ] {
        let sandbox = Sandbox::new();
        let [with, without] = with_and_without(&sandbox);
        let url = sandbox.url("ocean");
        let place = |prefix: &str| format!("-b {url} -p {prefix} -v compact");
        let send = |prefix: &str, files: &[String], more: &str| {
            let (place, files) = (place(prefix), files.join(" "));
            msm_os!("send {place} -f {files} {more}").well_on(ranks)
        };
        let reads_back = |prefix: &str, files: &[String]| {
            sandbox.reads_back(&format!("ocean/{prefix}.zarr"), files);
        };
        let create = format!("-zv {version} -cs '{chunks}'");
        let add = format!("-cs '{chunks}' --add-variables");
        // All files in one command.
        send("once", &without, &create);
        let added = send("once", &with, &add);
        assert!(!added.stdout.contains("nothing to do"), "{added:#?}");
        reads_back("once", &with);
        // File by file; the last one is new to the store, the others' steps it has.
        send("each", &without[..2], &create);
        let first = send("each", &with[..1], &add);
        first.says(&["'thetao'", "2 of its 3 steps", "steps_never_sent"]);
        let partly = sandbox.stores("ocean");
        let again = send("each", &with[..1], "--add-variables");
        again.says(&["nothing to do"]);
        assert!(sandbox.stores("ocean") == partly);
        let second = send("each", &with[1..2], "");
        second.says(&["get steps there that were never sent to them"]);
        reads_back("each", &with[..2]);
        let third = send("each", &with, "");
        third.says(&["2 of 3 files are there already"]);
        reads_back("each", &with);
        // What was never sent can be sent by an update, too; and undone.
        send("other", &without, &create);
        send("other", &with[1..], &add);
        let before = sandbox.stores("ocean");
        let place = place("other");
        msm_os!("update {place} -f {}", with[0]).well_on(ranks);
        reads_back("other", &with);
        msm_os!("rollback {place}").well_on(ranks);
        assert!(sandbox.stores("ocean") == before);
        let rest = send("other", &with, "");
        rest.says(&["2 of 3 files are there"]);
        reads_back("other", &with);
        send("other", &with, "").says(&["nothing to do"]);
    }
}

#[test]
fn a_store_that_says_what_it_cannot_lack_is_refused() {
    let sandbox = Sandbox::new();
    let (file, _) = halves(&sandbox);
    let url = sandbox.url("ocean");
    let send = msm_os!("send -f {file} -b {url} -v compact tos");
    send.well();
    let root = sandbox.path("ocean/T1m.zarr/zarr.json");
    let whole = std::fs::read_to_string(&root).unwrap();
    for wrong in ["\"0-5\"", "\"all\"", "[0,2]"] {
        let name = "\"cell_methods\":";
        let changed = format!("\"steps_never_sent\":{wrong},{name}");
        let text = whole.replacen(name, &changed, 1);
        assert_ne!(text, whole);
        std::fs::write(&root, text).unwrap();
        let words = ["T1m.zarr", "steps_never_sent", wrong];
        send.alone().refused(25, &words);
    }
}
