//! Creating, appending and skipping, and what a store looks like afterwards.

use nemo_like::Spec;
use serde_json::{Value, json};

use crate::line::{Line, msm_os};
use crate::support::{Sandbox, end, is_tidy, objects, python, served, server, without_ledgers};

#[test]
fn a_half_full_chunk_is_filled_up() {
    let sandbox = Sandbox::new();
    let files = [(1, 2), (3, 2), (5, 1), (6, 3)].map(|(from, count)| sandbox.months(from, count));
    let send = |files: &str, bucket: &str| {
        let (url, chunks) = (sandbox.url(bucket), r#"{"time_counter": 3, "x": 17}"#);
        msm_os!("send -f {files} -b {url} -v thetao -cs '{chunks}'")
    };
    for (i, file) in files.iter().enumerate() {
        send(file, "ocean").well_on(3);
        sandbox.reads_back("ocean/T1m/thetao.zarr", &files[..=i]);
    }
    // The same in one go.
    send(&files.join(" "), "at-once").well_on(2);
    assert!(sandbox.stores("at-once") == sandbox.stores("ocean"));
}

#[test]
fn steps_already_there_are_skipped_and_a_part_of_them_is_refused() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let send = |from, count| msm_os!("send -f {} -b {url}", sandbox.months(from, count));
    send(3, 2).well();
    let before = sandbox.tree("ocean");
    for (from, count) in [(3, 2), (4, 1)] {
        let ended = send(from, count).well_on(2);
        ended.says(&["there already, skipped", "nothing to do"]);
    }
    let words = ["already has 1 of the 3 steps"];
    send(4, 3).on(2).refused(24, &words);
    send(1, 2).on(2).refused(24, &["2 steps behind it"]);
    assert!(sandbox.tree("ocean") == before);
}

/// What is said of a month in a gap leads somewhere.
#[test]
fn a_month_that_was_left_out_gets_to_its_place() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    let files: Vec<String> = (1..5).map(|month| sandbox.months(month, 1)).collect();
    let send = |files: &[String]| {
        let files = files.join(" ");
        msm_os!("send -f {files} {place} -v tos,sos --allow-gaps")
    };
    send(&[files[0].clone(), files[2].clone(), files[3].clone()]).well();
    let before = sandbox.tree("ocean");
    let refused = send(&files[1..2]).on(3);
    refused.refused(24, &["moves the 2 steps behind it", "the same of 1 more: "]);
    assert!(sandbox.tree("ocean") == before);
    let (_, range) = refused.stderr.split_once("--time '").unwrap();
    let (range, _) = range.split_once('\'').unwrap();
    msm_os!("delete {place} --all --yes --time '{range}'").well_on(3);
    send(&files[1..]).well_on(3);
    sandbox.reads_back("ocean/T1m/tos.zarr,ocean/T1m/sos.zarr", &files);
}

#[test]
fn stores_of_one_file_may_stand_at_different_steps() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [sandbox.months(1, 1), sandbox.months(2, 1)];
    msm_os!("send -f {} -b {url}", files[0]).well();
    let send = msm_os!("send -f {} -b {url} -v tos", files[1]);
    send.well();
    let said = "store 'T1m/tos.zarr': the step is there already";
    send.and("sos").well_on(2).says(&[said]);
    for variable in ["tos", "sos"] {
        sandbox.reads_back(&format!("ocean/T1m/{variable}.zarr"), &files);
    }
}

#[test]
fn what_a_dead_create_left_is_no_hindrance() {
    let (sandbox, first, bucket) = served();
    let file = sandbox.months(1, 1);
    msm_os!("send -f {file} {bucket} -v thetao").well_on(2);
    let clean = objects(&first);
    let server = server();
    let credentials = sandbox.credentials(&server);
    for (key, bytes) in &clean {
        if key != "T1m/thetao.zarr/zarr.json" {
            server.put_object("ocean", key, bytes.clone());
        }
    }
    let stale = "T1m/thetao.zarr/thetao/c/7/0/0/0";
    server.put_object("ocean", stale, b"stale".to_vec());
    let ended = msm_os!("send -f {file} -b ocean -c {credentials} -v thetao").well_on(2);
    ended.warns(&["of a send that died"]);
    is_tidy(&server);
    assert!(without_ledgers(objects(&server)) == without_ledgers(clean));
}

#[test]
fn stale_objects_beyond_the_end_do_not_shine_through() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [sandbox.months(1, 1), sandbox.months(2, 1)];
    let send = |file: &str| {
        msm_os!(r#"send -f {file} -b {url} -v thetao -cs '{{"deptht": 1}}'"#).well_on(2)
    };
    send(&files[0]);
    let objects: Vec<String> = sandbox.tree("ocean").into_keys().collect();
    let deepest = objects.iter().filter(|k| k.contains("/thetao/c/0/")).max();
    let deepest = sandbox.path("ocean").join(deepest.unwrap());
    // A run that died left one for each level of the next step; the deepest level may be all land, and not be stored.
    for level in 0..5 {
        let stale = deepest.ancestors().nth(4).unwrap();
        let stale = stale.join(format!("1/{level}/0"));
        std::fs::create_dir_all(&stale).unwrap();
        std::fs::copy(&deepest, stale.join("0")).unwrap();
    }
    send(&files[1]);
    sandbox.reads_back("ocean/T1m/thetao.zarr", &files);
}

#[test]
fn chunks_codecs_and_places_are_what_the_documents_say() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 2), sandbox.url("ocean"));
    let strategy = r#"{"time_counter": 1, "deptht": 2, "y": 1000}"#;
    let ended = msm_os!("send -f {file} -b {url} -v thetao -cs '{strategy}'").well();
    ended.warns(&["1000 along 'y' is clipped to its size, 30"]);
    let tree = sandbox.tree("ocean/T1m/thetao.zarr");
    let document = |key: &str| serde_json::from_slice::<Value>(&tree[key]).unwrap();
    let root = document("zarr.json");
    let arrays = &root["consolidated_metadata"]["metadata"];
    let thetao = &arrays["thetao"];
    let shape = &thetao["chunk_grid"]["configuration"]["chunk_shape"];
    assert_eq!(*shape, json!([1, 2, 30, 40]));
    assert_eq!(thetao["shape"], json!([2, 5, 30, 40]));
    for (name, consolidated) in arrays.as_object().unwrap() {
        let alone = document(&format!("{name}/zarr.json"));
        assert_eq!(alone, *consolidated, "{name}");
        let codecs = alone["codecs"].as_array().unwrap();
        assert_eq!(codecs.last().unwrap()["name"], "crc32c", "{name}");
    }
    // The time axis is one object, however many steps there are.
    let axis = tree.keys().filter(|k| k.contains("time_counter/c/"));
    assert_eq!(axis.count(), 1);
}

#[test]
fn memory_stays_within_what_the_plan_says() {
    let sandbox = Sandbox::new();
    let (url, grid) = (sandbox.url("ocean"), "600x400x40".parse().unwrap());
    let file = sandbox.source(&Spec {
        grid,
        steps: 4,
        ..Spec::default()
    });
    let send = |memory: &str| msm_os!("send -f {file} -b {url} --memory {memory}");
    send("1M")
        .alone()
        .refused(19, &["give --memory of at least"]);
    assert!(sandbox.tree("ocean").is_empty());
    let (sent, most) = peak_kib(&send("256M"));
    let (nothing, base) = peak_kib(&send("256M"));
    assert!(nothing.contains("nothing to do"), "{nothing}");
    let (_, stated) = sent.split_once("at most ").unwrap();
    let (stated, _) = stated.split_once(" MiB").unwrap();
    let stated = (stated.parse::<f64>().unwrap() * 1024.0).ceil() as u64;
    assert!(stated <= 256 << 10, "{sent}");
    // Threads' stacks, and what the allocator keeps of freed pages.
    let slack = 64 << 10;
    assert!(
        most <= base + stated + slack,
        "{most} KiB at the peak, {base} of them without data, stated {stated}"
    );
}

/// Runs the program alone; what it printed, and the most memory it held.
fn peak_kib(line: &Line) -> (String, u64) {
    let script = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let mut command = std::process::Command::new(python());
    command.args(["-c", script, env!("CARGO_BIN_EXE_msm_os")]);
    command.args(line.words());
    let printed = end(command).well().stdout;
    let (_, peak) = printed.split_once("peak ").unwrap();
    let peak = peak.trim().parse().unwrap();
    (printed, peak)
}

#[test]
fn static_variables_and_attributes_are_sent_once() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let send = msm_os!("send -f {file} -b {url} -p T1m -v tos nav_lat");
    send.well_on(3);
    send.well_on(3).says(&["nothing to do"]);
    // Steps that are there already are no reason to forget the attributes.
    let licence = send.and(r#"-at '{"licence": "OGL"}'"#);
    licence.well_on(3).says(&["2 extended"]);
    let sent = sandbox.tree("ocean");
    for store in ["tos", "nav_lat"] {
        let root = String::from_utf8(sent[&format!("T1m/{store}.zarr/zarr.json")].clone()).unwrap();
        assert!(root.contains("licence"), "{root}");
    }
    licence.well_on(3).says(&["nothing to do"]);
    assert!(sandbox.tree("ocean") == sent);
}

#[test]
fn chunk_sizes_may_be_those_of_a_store_that_has_all_steps() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let chunks = r#"{"deptht": 2, "y": 7}"#;
    let send = msm_os!("send -f {file} -b {url} -cs '{chunks}' -v thetao");
    send.well();
    // Only thetao has this depth, and nothing is to be done for it.
    send.and("tos").well().says(&["skipped"]);
}

#[test]
fn keys_hold_the_characters_that_were_asked_for() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 1);
    let directory = format!("-b {}", sandbox.url("ocean"));
    let prefix = "süd ~50%20/run#1*";
    for (ranks, bucket) in [(1, directory), (3, bucket)] {
        let run = |line: &str| msm_os!("{line} {bucket} -p '{prefix}'").well_on(ranks);
        let send = format!("send -v tos -f {file}");
        run(&send);
        let store = format!("{prefix}/tos.zarr");
        let objects = match ranks {
            1 => sandbox.tree("ocean"),
            _ => objects(&server),
        };
        assert!(objects.contains_key(&format!("{store}/zarr.json")));
        run(&send).says(&["nothing to do"]);
        run("list").says(&[&format!("{store}: Zarr v3")]);
        run("delete -v tos --yes");
    }
    assert!(sandbox.tree("ocean").is_empty() && objects(&server).is_empty());
}

#[test]
fn damaged_objects_are_named() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m -v tos", sandbox.url("ocean"));
    let (file, later) = (sandbox.months(1, 3), sandbox.months(4, 1));
    msm_os!(r#"send -f {file} {place} -cs '{{"time_counter": 3}}'"#).well();
    let first = sandbox.cut(&file, "first_1m_grid_T.nc", "0", "");
    let (update, send) = (format!("update -f {first}"), format!("send -f {later}"));
    for (key, code, line) in [
        ("T1m/tos.zarr/tos/c/0/0/0", 40, update),
        ("T1m/tos.zarr/time_counter/c/0", 25, send),
    ] {
        let object = sandbox.path("ocean").join(key);
        let whole = std::fs::read(&object).unwrap();
        std::fs::write(&object, &whole[1..]).unwrap();
        let before = sandbox.tree("ocean");
        let said = format!("object '{key}' of the store cannot be decoded");
        msm_os!("{line} {place}").on(3).refused(code, &[&said]);
        assert!(sandbox.tree("ocean") == before);
        std::fs::write(&object, &whole).unwrap();
    }
}
