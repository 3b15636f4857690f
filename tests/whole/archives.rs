//! Many files: named in any way and order, checked together, sent in transactions.

use nemo_like::Spec;
use s3_server::{Fault, Rule};

use crate::line::msm_os;
use crate::support::{Sandbox, end, objects, reads_back, served};

fn months(sandbox: &Sandbox, count: usize) -> Vec<String> {
    std::fs::create_dir_all(sandbox.path("run")).unwrap();
    let month = |month: usize| {
        let spec = Spec {
            start: format!("1976-{month:02}-01").parse().unwrap(),
            ..Spec::default()
        };
        let name = format!("run/{}", nemo_like::file_name(&spec));
        sandbox.source_called(&name, &spec)
    };
    (1..=count).map(month).collect()
}

#[test]
fn lists_directories_and_patterns_name_the_same_files() {
    let sandbox = Sandbox::new();
    let files = months(&sandbox, 4);
    std::fs::write(sandbox.path("run/README.txt"), "not NetCDF").unwrap();
    let directory = sandbox.file("run");
    let pattern = format!("{directory}/*_grid_T_*.nc");
    let backwards: Vec<&str> = files.iter().rev().map(String::as_str).collect();
    let backwards = backwards.join(" ");
    for (i, named) in [backwards, directory, pattern].into_iter().enumerate() {
        for ranks in [1, 3] {
            let bucket = format!("ocean-{i}-{ranks}");
            let url = sandbox.url(&bucket);
            msm_os!("send -b {url} -v tos -f {named}").well_on(ranks);
            assert!(sandbox.stores(&bucket) == sandbox.stores("ocean-0-1"));
        }
    }
    sandbox.reads_back("ocean-0-1/T1m/tos.zarr", &files);
    let url = sandbox.url("ocean");
    for (named, code, word) in [
        ("run/*.nc4", 11, "matches no file"),
        ("none", 10, "cannot be read"),
    ] {
        let line = msm_os!("send -b {url} -f {}", sandbox.file(named));
        line.on(3).refused(code, &[word]);
    }
}

#[test]
fn all_that_does_not_fit_is_reported_together() {
    let sandbox = Sandbox::new();
    let files = months(&sandbox, 6);
    let url = sandbox.url("ocean");
    let other = |name: &str, file: &str, options: &str| {
        let name = format!("{name}_1m_grid_T.nc");
        sandbox.cut(file, &name, "0", options)
    };
    let renamed = other("n", &files[1], "rename=tos:sst");
    let units = other("u", &files[2], "set=tos:units:K");
    let packed = other("p", &files[3], "set=tos:scale_factor:2");
    let calendar = "set=time_counter:calendar:noleap set=time_centered:calendar:noleap";
    let calendar = other("c", &files[5], calendar);
    let again = other("again", &files[1], "");
    let broken = sandbox.file("broken_1m_grid_T.nc");
    std::fs::write(&broken, "no NetCDF").unwrap();
    let missing = sandbox.file("missing.nc");
    let first = &files[0];
    for ranks in [1, 3] {
        let send = |more: &str| msm_os!("send -b {url} -v tos -f {first} {more}").on(ranks);
        send(&format!("{broken} {missing}")).warns(&[
            "2 problems",
            "broken_1m_grid_T.nc",
            "missing.nc",
        ]);
        let words = [
            "3 problems",
            "n_1m_grid_T.nc",
            "'tos' is missing",
            "has units",
            "has scale_factor",
        ];
        send(&format!("{renamed} {units} {packed}")).refused(16, &words);
        send(&calendar).refused(16, &["noleap"]);
        // The same month twice, and two months left out.
        send(&format!("{} {again}", files[1])).refused(16, &["overlap"]);
        let words = [
            "2 problems",
            "1976-02-01",
            "1976-03-01",
            "1976-04-01",
            "--allow-gaps",
        ];
        send(&format!("{} {}", files[2], files[4])).refused(16, &words);
        assert!(sandbox.tree("ocean").is_empty());
    }
    let third = &files[2];
    msm_os!("send -b {url} -v tos -f {first} {third} --allow-gaps").well_on(3);
    sandbox.reads_back("ocean/T1m/tos.zarr", &[first, third]);
    // What does not follow on the store's end could never be put in between.
    let before = sandbox.tree("ocean");
    let line = msm_os!("send -b {url} -v tos -f {}", files[5]);
    line.on(3).refused(24, &["--allow-gaps"]);
    assert!(sandbox.tree("ocean") == before);
}

#[test]
fn a_long_send_commits_as_it_goes() {
    let (sandbox, server, bucket) = served();
    let files = months(&sandbox, 5);
    let all = files.join(" ");
    let send = |more: &str| {
        let chunks = r#"{"time_counter": 2}"#;
        msm_os!("send -v tos -cs '{chunks}' {bucket} -p T1m {more} -f {all}").on(3)
    };
    // The server refuses the chunk of the third and fourth month.
    let rule = Rule::new(Fault::Status(403)).method("PUT");
    server.faults().add(rule.key_contains("tos/c/1/0/0"));
    // Of two transactions, the first would be an error to the same command again.
    for at_once in ["--transaction all", "--on-overlap error"] {
        send(at_once).refused(40, &[]);
        assert!(objects(&server).is_empty());
    }
    // It says how to go on.
    let words = [
        "1 transaction before this one is in place (2 steps",
        "the same command again goes on",
    ];
    send("").refused(40, &words);
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files[..2]);
    server.faults().clear();
    let words = [
        "3 steps appended",
        "store 'T1m/tos.zarr': 2 of 5 files are there already, skipped",
    ];
    send("").well().says(&words);
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files);
    // Where tests do not ask for it, small files are committed together.
    let mut usual = msm_os!("send -v tos {bucket} -p usual -f {all}").command(1);
    usual.env_remove("MSM_OS_TEST_SMALL_TRANSACTIONS");
    end(usual).well().says(&["5 steps appended"]);
    let records = "usual/.msm-os/tos.zarr/transactions/";
    let all = objects(&server).into_keys();
    assert_eq!(all.filter(|key| key.starts_with(records)).count(), 1);
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
    let (directory, url) = (sandbox.file("run"), sandbox.url("ocean"));
    let send = msm_os!("send -f {directory} -b {url} -v tos --progress none");
    // All are the same month: every pair of neighbours is reported, whichever rank read it.
    let ended = send.on(3);
    ended.refused(16, &["299 problems"]);
    // Behind it, mpirun says that a rank failed.
    let one = send.alone();
    assert!(ended.stderr.starts_with(&one.stderr), "{}", ended.stderr);
}
