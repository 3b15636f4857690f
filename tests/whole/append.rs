//! Creating, appending and skipping, and what a store looks like afterwards.

use nemo_like::Spec;
use serde_json::Value;

use crate::support::{
    Sandbox, alone, cut, end, is_tidy, objects, on_ranks, python, reads_back, server,
    without_ledgers,
};

fn months(sandbox: &Sandbox, from: u32, count: usize) -> String {
    let start = format!("1976-{from:02}-01").parse().unwrap();
    sandbox.source(&Spec {
        steps: count,
        start,
        ..Spec::default()
    })
}

#[test]
fn a_half_full_chunk_is_filled_up() {
    let sandbox = Sandbox::new();
    let files = [
        months(&sandbox, 1, 2),
        months(&sandbox, 3, 2),
        months(&sandbox, 5, 1),
        months(&sandbox, 6, 3),
    ];
    for (i, file) in files.iter().enumerate() {
        let args = [
            "-b",
            &sandbox.url("ocean"),
            "-v",
            "thetao",
            "-cs",
            r#"{"time_counter": 3, "x": 17}"#,
        ];
        on_ranks(3, &[&["send", "-f", file][..], &args].concat()).well();
        reads_back(
            sandbox.path("ocean/T1m/thetao.zarr").to_str().unwrap(),
            None,
            &files[..=i],
        );
    }
    // The same in one go.
    let all: Vec<&str> = files.iter().map(String::as_str).collect();
    let args = [
        "-b",
        &sandbox.url("at-once"),
        "-v",
        "thetao",
        "-cs",
        r#"{"time_counter": 3, "x": 17}"#,
    ];
    on_ranks(2, &[&["send", "-f"], &all[..], &args].concat()).well();
    assert!(sandbox.stores("at-once") == sandbox.stores("ocean"));
}

#[test]
fn steps_already_there_are_skipped_and_a_part_of_them_is_refused() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    alone(&["send", "-f", &months(&sandbox, 3, 2), "-b", &url]).well();
    let before = sandbox.tree("ocean");
    for same in [months(&sandbox, 3, 2), months(&sandbox, 4, 1)] {
        let ended = on_ranks(2, &["send", "-f", &same, "-b", &url]).well();
        assert!(
            ended.stdout.contains("are there already, skipped"),
            "{}",
            ended.stdout
        );
        assert!(ended.stdout.contains("nothing to do"), "{}", ended.stdout);
    }
    let some = on_ranks(2, &["send", "-f", &months(&sandbox, 4, 3), "-b", &url]);
    assert_eq!(some.code, 24, "{some:#?}");
    assert!(
        some.stderr.contains("already has 1 of the 3 steps"),
        "{}",
        some.stderr
    );
    let before_end = on_ranks(2, &["send", "-f", &months(&sandbox, 1, 2), "-b", &url]);
    assert_eq!(before_end.code, 24, "{before_end:#?}");
    assert!(sandbox.tree("ocean") == before);
}

#[test]
fn stores_of_one_file_may_stand_at_different_steps() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [months(&sandbox, 1, 1), months(&sandbox, 2, 1)];
    alone(&["send", "-f", &files[0], "-b", &url]).well();
    alone(&["send", "-f", &files[1], "-b", &url, "-v", "tos"]).well();
    let ended = on_ranks(
        2,
        &["send", "-f", &files[1], "-b", &url, "-v", "tos", "sos"],
    )
    .well();
    assert!(
        ended
            .stdout
            .contains("store 'T1m/tos.zarr': all 1 steps are there already"),
        "{}",
        ended.stdout
    );
    for variable in ["tos", "sos"] {
        reads_back(
            sandbox
                .path(&format!("ocean/T1m/{variable}.zarr"))
                .to_str()
                .unwrap(),
            None,
            &files,
        );
    }
}

#[test]
fn what_a_dead_create_left_is_no_hindrance() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = months(&sandbox, 1, 1);
    let send = [
        "send",
        "-f",
        &file,
        "-b",
        "ocean",
        "-c",
        &credentials,
        "-v",
        "thetao",
    ];
    on_ranks(2, &send).well();
    let clean = objects(&server);
    let server = crate::support::server();
    let credentials = sandbox.credentials(&server);
    let send = [&send[..6], &[&credentials, "-v", "thetao"]].concat();
    for (key, bytes) in &clean {
        if key != "T1m/thetao.zarr/zarr.json" {
            server.put_object("ocean", key, bytes.clone());
        }
    }
    server.put_object(
        "ocean",
        "T1m/thetao.zarr/thetao/c/7/0/0/0",
        b"stale".to_vec(),
    );
    let ended = on_ranks(2, &send).well();
    assert!(
        ended.stderr.contains("of a send that died"),
        "{}",
        ended.stderr
    );
    is_tidy(&server);
    assert!(without_ledgers(objects(&server)) == without_ledgers(clean));
}

#[test]
fn stale_objects_beyond_the_end_do_not_shine_through() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let send = |file: &str| {
        on_ranks(
            2,
            &[
                "send",
                "-f",
                file,
                "-b",
                &url,
                "-v",
                "thetao",
                "-cs",
                r#"{"deptht": 1}"#,
            ],
        )
    };
    send(&months(&sandbox, 1, 1)).well();
    let objects: Vec<String> = sandbox.tree("ocean").into_keys().collect();
    let deepest = objects
        .iter()
        .filter(|k| k.contains("/thetao/c/0/"))
        .max()
        .unwrap();
    // A run that died left one for each level of the next step; the deepest level may be all land, and not be stored.
    for level in 0..5 {
        let stale = sandbox
            .path("ocean")
            .join(deepest.rsplitn(4, '/').last().unwrap())
            .join("..");
        let stale = stale.join(format!("1/{level}/0"));
        std::fs::create_dir_all(&stale).unwrap();
        std::fs::copy(sandbox.path("ocean").join(deepest), stale.join("0")).unwrap();
    }
    let files = [months(&sandbox, 1, 1), months(&sandbox, 2, 1)];
    send(&files[1]).well();
    reads_back(
        sandbox.path("ocean/T1m/thetao.zarr").to_str().unwrap(),
        None,
        &files,
    );
}

#[test]
fn chunks_codecs_and_places_are_what_the_documents_say() {
    let sandbox = Sandbox::new();
    let file = months(&sandbox, 1, 2);
    let strategy = r#"{"time_counter": 1, "deptht": 2, "y": 1000}"#;
    let ended = alone(&[
        "send",
        "-f",
        &file,
        "-b",
        &sandbox.url("ocean"),
        "-v",
        "thetao",
        "-cs",
        strategy,
    ])
    .well();
    assert!(
        ended
            .stderr
            .contains("1000 along 'y' is clipped to its size, 30"),
        "{}",
        ended.stderr
    );
    let tree = sandbox.tree("ocean");
    let root: Value = serde_json::from_slice(&tree["T1m/thetao.zarr/zarr.json"]).unwrap();
    let thetao = &root["consolidated_metadata"]["metadata"]["thetao"];
    assert_eq!(
        thetao["chunk_grid"]["configuration"]["chunk_shape"],
        serde_json::json!([1, 2, 30, 40])
    );
    assert_eq!(thetao["shape"], serde_json::json!([2, 5, 30, 40]));
    let arrays: Vec<&String> = root["consolidated_metadata"]["metadata"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    for name in arrays {
        let alone: Value =
            serde_json::from_slice(&tree[&format!("T1m/thetao.zarr/{name}/zarr.json")]).unwrap();
        assert_eq!(
            alone, root["consolidated_metadata"]["metadata"][name],
            "{name}"
        );
        let codecs = alone["codecs"].as_array().unwrap();
        assert_eq!(codecs.last().unwrap()["name"], "crc32c", "{name}");
    }
    // The time axis is one object, however many steps there are.
    assert_eq!(
        tree.keys()
            .filter(|k| k.contains("/time_counter/c/"))
            .count(),
        1
    );
}

#[test]
fn memory_stays_within_what_the_plan_says() {
    let sandbox = Sandbox::new();
    let grid = "600x400x40".parse().unwrap();
    let file = sandbox.source(&Spec {
        grid,
        steps: 4,
        ..Spec::default()
    });
    let send = |memory: &str| {
        [
            "send",
            "-f",
            &file,
            "-b",
            &sandbox.url("ocean"),
            "--memory",
            memory,
        ]
        .map(str::to_owned)
    };
    let refused = alone(&send("1M").each_ref().map(String::as_str));
    assert_eq!(refused.code, 19, "{refused:#?}");
    assert!(
        refused.stderr.contains("give --memory of at least"),
        "{}",
        refused.stderr
    );
    assert!(sandbox.tree("ocean").is_empty());
    let (sent, most) = peak_kib(&send("256M"));
    let (nothing, base) = peak_kib(&send("256M"));
    assert!(nothing.contains("nothing to do"), "{nothing}");
    let stated = sent
        .split("at most ")
        .nth(1)
        .unwrap()
        .split(" MiB")
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap();
    let stated = (stated * 1024.0).ceil() as u64;
    assert!(stated <= 256 << 10, "{sent}");
    // Threads' stacks, and what the allocator keeps of freed pages.
    let slack = 64 << 10;
    assert!(
        most <= base + stated + slack,
        "{most} KiB at the peak, {base} of them without data, stated {stated}"
    );
}

/// Runs the program alone; what it printed, and the most memory it held.
fn peak_kib(args: &[String]) -> (String, u64) {
    let script = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let mut command = std::process::Command::new(python());
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_msm_os")])
        .args(args);
    let printed = end(command).well().stdout;
    let peak = printed
        .split("peak ")
        .nth(1)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    (printed, peak)
}

#[test]
fn static_variables_and_attributes_are_sent_once() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.source(&Spec::default());
    let send = |more: &[&str]| {
        let args = ["send", "-f", &file, "-b", &url, "-p", "T1m"];
        on_ranks(3, &[&args[..], more].concat()).well().stdout
    };
    let both = ["-v", "tos", "nav_lat"];
    send(&both);
    assert!(send(&both).contains("nothing to do"));
    // Steps that are there already are no reason to forget the attributes.
    let licence = ["-v", "tos", "nav_lat", "-at", r#"{"licence": "OGL"}"#];
    assert!(send(&licence).contains("2 extended"));
    let sent = sandbox.tree("ocean");
    for store in ["tos", "nav_lat"] {
        let root = String::from_utf8(sent[&format!("T1m/{store}.zarr/zarr.json")].clone()).unwrap();
        assert!(root.contains("licence"), "{root}");
    }
    assert!(send(&licence).contains("nothing to do"));
    assert!(sandbox.tree("ocean") == sent);
}

#[test]
fn chunk_sizes_may_be_those_of_a_store_that_has_all_steps() {
    let sandbox = Sandbox::new();
    let (file, url) = (months(&sandbox, 1, 1), sandbox.url("ocean"));
    let chunks = r#"{"deptht": 2, "y": 7}"#;
    let args = ["send", "-f", &file, "-b", &url, "-cs", chunks, "-v"];
    alone(&[&args[..], &["thetao"]].concat()).well();
    // Only thetao has this depth, and nothing is to be done for it.
    let ended = alone(&[&args[..], &["thetao", "tos"]].concat()).well();
    assert!(ended.stdout.contains("skipped"), "{}", ended.stdout);
}

#[test]
fn keys_hold_the_characters_that_were_asked_for() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec::default());
    let server = server();
    let credentials = sandbox.credentials(&server);
    let url = sandbox.url("ocean");
    let prefix = "süd ~50%20/run#1*";
    for (ranks, bucket) in [
        (1, &["-b", &url][..]),
        (3, &["-b", "ocean", "-c", &credentials]),
    ] {
        let run = |command: &[&str]| on_ranks(ranks, &[command, bucket, &["-p", prefix]].concat());
        let send = ["send", "-v", "tos", "-f", &file];
        run(&send).well();
        let store = format!("{prefix}/tos.zarr");
        let keys: Vec<String> = match ranks {
            1 => sandbox.tree("ocean").into_keys().collect(),
            _ => objects(&server).into_keys().collect(),
        };
        assert!(keys.contains(&format!("{store}/zarr.json")), "{keys:?}");
        assert!(run(&send).well().stdout.contains("nothing to do"));
        assert!(
            run(&["list"])
                .well()
                .stdout
                .contains(&format!("{store}: Zarr v3"))
        );
        run(&["delete", "-v", "tos", "--yes"]).well();
    }
    assert!(sandbox.tree("ocean").is_empty() && objects(&server).is_empty());
}

#[test]
fn damaged_objects_are_named() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = months(&sandbox, 1, 3);
    let place = ["-b", &url, "-p", "T1m", "-v", "tos"];
    let strategy = ["-cs", r#"{"time_counter": 3}"#];
    alone(&[&["send", "-f", &file][..], &place, &strategy].concat()).well();
    let later = months(&sandbox, 4, 1);
    let first = cut(&sandbox, &file, "first_1m_grid_T.nc", "0", &[]);
    for (key, code, args) in [
        ("T1m/tos.zarr/tos/c/0/0/0", 40, ["update", "-f", &first]),
        ("T1m/tos.zarr/time_counter/c/0", 25, ["send", "-f", &later]),
    ] {
        let object = sandbox.path("ocean").join(key);
        let whole = std::fs::read(&object).unwrap();
        std::fs::write(&object, &whole[1..]).unwrap();
        let before = sandbox.tree("ocean");
        let refused = on_ranks(3, &[&args[..], &place].concat());
        assert_eq!(refused.code, code, "{refused:#?}");
        let said = format!("object '{key}' of the store cannot be decoded");
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
        assert!(sandbox.tree("ocean") == before);
        std::fs::write(&object, &whole).unwrap();
    }
}
