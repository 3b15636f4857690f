//! Many files: named in any way and order, checked together, sent in transactions.

use nemo_like::Spec;

use s3_server::{Fault, Rule};

use crate::support::{Sandbox, alone, cut, objects, on_ranks, reads_back, server};

fn months(sandbox: &Sandbox, directory: &str, from: u32, count: usize) -> Vec<String> {
    std::fs::create_dir_all(sandbox.path(directory)).unwrap();
    let month = |month: usize| {
        let spec = Spec {
            start: format!("1976-{:02}-01", from as usize + month)
                .parse()
                .unwrap(),
            ..Spec::default()
        };
        sandbox.source_called(
            &format!("{directory}/{}", nemo_like::file_name(&spec)),
            &spec,
        )
    };
    (0..count).map(month).collect()
}

#[test]
fn lists_directories_and_patterns_name_the_same_files() {
    let sandbox = Sandbox::new();
    let files = months(&sandbox, "run", 1, 4);
    std::fs::write(sandbox.path("run/README.txt"), "not NetCDF").unwrap();
    let directory = sandbox.path("run").to_str().unwrap().to_owned();
    let pattern = format!("{directory}/*_grid_T_*.nc");
    let backwards: Vec<&str> = files.iter().rev().map(String::as_str).collect();
    for (i, named) in [&backwards[..], &[&directory], &[&pattern]]
        .into_iter()
        .enumerate()
    {
        for ranks in [1, 3] {
            let url = sandbox.url(&format!("ocean-{i}-{ranks}"));
            on_ranks(
                ranks,
                &[&["send", "-b", &url, "-v", "tos", "-f"], named].concat(),
            )
            .well();
            assert!(sandbox.stores(&format!("ocean-{i}-{ranks}")) == sandbox.stores("ocean-0-1"));
        }
    }
    let store = sandbox.path("ocean-0-1/T1m/tos.zarr");
    reads_back(store.to_str().unwrap(), None, &files);
    for (named, word) in [("run/*.nc4", "matches no file"), ("none", "cannot be read")] {
        let named = sandbox.path(named).to_str().unwrap().to_owned();
        let refused = on_ranks(3, &["send", "-b", &sandbox.url("ocean"), "-f", &named]);
        assert!(
            refused.stderr.contains(word) && [10, 11].contains(&refused.code),
            "{refused:#?}"
        );
    }
}

#[test]
fn all_that_does_not_fit_is_reported_together() {
    let sandbox = Sandbox::new();
    let files = months(&sandbox, "run", 1, 6);
    let url = sandbox.url("ocean");
    let other = |name: &str, file: &str, options: &[&str]| cut(&sandbox, file, name, "0", options);
    let renamed = other("n_1m_grid_T.nc", &files[1], &["rename=tos:sst"]);
    let units = other("u_1m_grid_T.nc", &files[2], &["set=tos:units:K"]);
    let packed = other("p_1m_grid_T.nc", &files[3], &["set=tos:scale_factor:2"]);
    let calendar = other(
        "c_1m_grid_T.nc",
        &files[5],
        &[
            "set=time_counter:calendar:noleap",
            "set=time_centered:calendar:noleap",
        ],
    );
    for ranks in [1, 3] {
        let send = |files: &[&str]| {
            let args = ["send", "-b", &url, "-v", "tos", "-f"];
            on_ranks(ranks, &[&args[..], files].concat())
        };
        let broken = sandbox
            .path("broken_1m_grid_T.nc")
            .to_str()
            .unwrap()
            .to_owned();
        std::fs::write(&broken, "no NetCDF").unwrap();
        let missing = sandbox.path("missing.nc").to_str().unwrap().to_owned();
        let ended = send(&[&files[0], &broken, &missing]);
        for word in ["2 problems", "broken_1m_grid_T.nc", "missing.nc"] {
            assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
        let ended = send(&[&files[0], &renamed, &units, &packed]);
        assert_eq!(ended.code, 16, "{ended:#?}");
        for word in [
            "3 problems",
            "n_1m_grid_T.nc",
            "'tos' is missing",
            "has units",
            "has scale_factor",
        ] {
            assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
        let ended = send(&[&files[0], &calendar]);
        assert_eq!(ended.code, 16, "{ended:#?}");
        assert!(ended.stderr.contains("noleap"), "{}", ended.stderr);
        // The same month twice, and two months left out.
        let again = cut(&sandbox, &files[1], "again_1m_grid_T.nc", "0", &[]);
        let ended = send(&[&files[0], &files[1], &again]);
        assert!(
            ended.code == 16 && ended.stderr.contains("overlap"),
            "{ended:#?}"
        );
        let ended = send(&[&files[0], &files[2], &files[4]]);
        assert_eq!(ended.code, 16, "{ended:#?}");
        for word in [
            "2 problems",
            "1976-02-01",
            "1976-03-01",
            "1976-04-01",
            "--allow-gaps",
        ] {
            assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
        assert!(sandbox.tree("ocean").is_empty());
    }
    let args = ["send", "-b", &url, "-v", "tos", "-f", &files[0], &files[2]];
    on_ranks(3, &[&args[..], &["--allow-gaps"]].concat()).well();
    reads_back(
        sandbox.path("ocean/T1m/tos.zarr").to_str().unwrap(),
        None,
        &[files[0].clone(), files[2].clone()],
    );
    // What does not follow on the store's end could never be put in between.
    let before = sandbox.tree("ocean");
    let args = ["send", "-b", &url, "-v", "tos", "-f", &files[5]];
    let refused = on_ranks(3, &args);
    assert!(
        refused.code == 24 && refused.stderr.contains("--allow-gaps"),
        "{refused:#?}"
    );
    assert!(sandbox.tree("ocean") == before);
}

#[test]
fn a_long_send_commits_as_it_goes() {
    let sandbox = Sandbox::new();
    let files = months(&sandbox, "run", 1, 5);
    let server = server();
    let credentials = sandbox.credentials(&server);
    let place = ["-b", "ocean", "-c", &credentials, "-p", "T1m"];
    let send = |more: &[&str]| {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let args = ["send", "-v", "tos", "-cs", r#"{"time_counter": 2}"#];
        on_ranks(3, &[&args[..], &place, more, &["-f"], &files].concat())
    };
    // The server refuses the chunk of the third and fourth month.
    let rule = Rule::new(Fault::Status(403))
        .method("PUT")
        .key_contains("tos/c/1/0/0");
    server.faults().add(rule);
    let all = send(&["--transaction", "all"]);
    assert_eq!(all.code, 40, "{all:#?}");
    assert!(objects(&server).is_empty());
    // Of two transactions, the first would be an error to the same command again.
    let error = send(&["--on-overlap", "error"]);
    assert_eq!(error.code, 40, "{error:#?}");
    assert!(objects(&server).is_empty());
    let failed = send(&[]);
    assert_eq!(failed.code, 40, "{failed:#?}");
    assert!(
        failed
            .stderr
            .contains("1 transactions before this one are in place (2 steps"),
        "{}",
        failed.stderr
    );
    // It says how to go on.
    assert!(failed.stderr.contains("the same command again goes on"));
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files[..2]);
    server.faults().clear();
    let done = send(&[]).well();
    assert!(done.stdout.contains("3 steps appended"), "{}", done.stdout);
    let said = "store 'T1m/tos.zarr': 2 of 5 files are there already, skipped";
    assert!(done.stdout.contains(said), "{}", done.stdout);
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files);
}

#[test]
fn hundreds_of_files_are_catalogued_by_all_ranks() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("run")).unwrap();
    let file = sandbox.source(&Spec {
        grid: "8x6x2".parse().unwrap(),
        ..Spec::default()
    });
    for i in 0..300 {
        std::fs::copy(&file, sandbox.path(&format!("run/{i}_1m_grid_T.nc"))).unwrap();
    }
    let directory = sandbox.path("run").to_str().unwrap().to_owned();
    // All are the same month: every pair of neighbours is reported, whichever rank read it.
    let ended = on_ranks(
        3,
        &[
            "send",
            "-f",
            &directory,
            "-b",
            &sandbox.url("ocean"),
            "-v",
            "tos",
        ],
    );
    assert_eq!(ended.code, 16, "{ended:#?}");
    assert!(
        ended.stderr.contains("299 problems"),
        "{}",
        &ended.stderr[..200]
    );
    let one = alone(&[
        "send",
        "-f",
        &directory,
        "-b",
        &sandbox.url("ocean"),
        "-v",
        "tos",
    ]);
    // Behind it, mpirun says that a rank failed.
    assert!(ended.stderr.starts_with(&one.stderr), "{}", ended.stderr);
}
