//! `delete --time`: steps of stores go, the rest stays, and `rollback` brings them back.

use nemo_like::Spec;

use crate::line::{Line, msm_os};
use crate::support::{Sandbox, is_tidy, objects, reads_back, served, without_ledgers};

/// What `delete` is told besides.
fn delete(place: &str, from: &str) -> Line {
    msm_os!("delete {place} --all --yes --time {from}..")
}

/// Objects hold three steps, or shards of three chunks; stores of every kind come back, byte for byte.
#[test]
fn the_last_steps_go_and_come_back() {
    for (kind, ranks) in [
        ("", 1),
        ("-zv 2", 3),
        (r#"--shards '{"time_counter": 6}'"#, 1),
        ("-r --grid 3x2", 3),
    ] {
        let (sandbox, server, bucket) = served();
        let files = [1, 3, 5].map(|month| sandbox.months(month, 2));
        let send = |files: &[String]| {
            let chunks = r#"-cs '{"time_counter": 3}'"#;
            msm_os!(
                "send -f {} {bucket} -v tos,sos {chunks} {kind}",
                files.join(" ")
            )
        };
        send(&files).well();
        let place = format!("{bucket} -p T1m");
        let before = without_ledgers(objects(&server));
        let told = delete(&place, "1976-03").and("--dry-run").well_on(ranks);
        let words = "T1m/tos.zarr: the last 4 steps, 1976-03-16 12:00:00 to 1976-06-16 00:00:00: ";
        told.says(&["would delete", words, "T1m/sos.zarr"]);
        assert!(without_ledgers(objects(&server)) == before);
        delete(&place, "1976-03")
            .well_on(ranks)
            .says(&["deleted from", words]);
        for variable in ["tos", "sos"] {
            let store = format!("s3://ocean/T1m/{variable}.zarr");
            reads_back(&store, Some(&server), &files[..1]);
        }
        msm_os!("verify {place}").well();
        is_tidy(&server);
        // What is sent then follows what is left.
        send(&files[1..2]).and("--keep-undo 2").well_on(ranks);
        reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files[..2]);
        msm_os!("verify {place} --against {}", files[..2].join(" ")).well();
        msm_os!("rollback {place} --last 2").well_on(ranks);
        assert!(without_ledgers(objects(&server)) == before, "{kind}");
        msm_os!("verify {place}").well();
    }
}

/// What lies behind moves up, within objects, from one to another, and whole.
#[test]
fn steps_within_a_store_go_and_come_back() {
    for (kind, ranks) in [
        ("", 3),
        ("-zv 2", 1),
        (r#"--shards '{"time_counter": 4}'"#, 3),
    ] {
        let (sandbox, server, bucket) = served();
        let months: Vec<String> = (1..9).map(|month| sandbox.months(month, 1)).collect();
        let chunks = r#"-cs '{"time_counter": 2}'"#;
        let all = months.join(" ");
        msm_os!("send -f {all} {bucket} -v tos,sos {chunks} {kind}").well();
        let place = format!("{bucket} -p T1m");
        let before = without_ledgers(objects(&server));
        for (range, gone) in [
            ("1976-02..1976-02", 1..2),
            ("1976-03..1976-06", 2..6),
            ("..1976-02", 0..2),
            ("1976-02..1976-06-16", 1..6),
            ("1976-01-20..1976-03-16T12:00", 1..3),
        ] {
            let told = msm_os!("delete {place} --all --yes --time {range}").well_on(ranks);
            let words = match gone.len() {
                1 => "T1m/tos.zarr: 1 step, ".to_owned(),
                steps => format!("T1m/tos.zarr: {steps} steps, "),
            };
            let moved = format!("and {} behind them move up", 8 - gone.end);
            told.says(&[&words, &moved]);
            let left = [&months[..gone.start], &months[gone.end..]].concat();
            // The store's own attributes stay those of the first file.
            let variables = if gone.start > 0 {
                &["tos", "sos"][..]
            } else {
                &[]
            };
            for variable in variables {
                let store = format!("s3://ocean/T1m/{variable}.zarr");
                reads_back(&store, Some(&server), &left);
            }
            msm_os!("verify {place} --against {}", left.join(" ")).well();
            msm_os!("rollback {place}").well_on(ranks);
            assert!(
                without_ledgers(objects(&server)) == before,
                "{kind} {range}"
            );
            is_tidy(&server);
        }
        msm_os!("verify {place}").well();
    }
}

/// Objects of fill alone are not stored: where other steps come in their place they are made, and go again.
#[test]
fn what_is_all_fill_moves_too() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} --store a/tos.zarr", sandbox.url("ocean"));
    let whole = sandbox.months(1, 6);
    let file = sandbox.edited(&whole, "fill_1m_grid_T.nc", |file| {
        let mut tos = file.variable_mut("tos").unwrap();
        let fill = tos.fill_value::<f32>().unwrap().unwrap();
        let shape: Vec<usize> = tos
            .dimensions()
            .iter()
            .map(netcdf::Dimension::len)
            .collect();
        let blank = vec![fill; 3 * shape[1] * shape[2]];
        tos.put_values(&blank, (..3, .., ..)).unwrap();
    });
    msm_os!(r#"send -f {file} -v tos {place} -cs '{{"time_counter": 3}}'"#).well();
    let before = sandbox.stores("ocean");
    assert!(!before.contains_key("a/tos.zarr/tos/c/0/0/0"));
    msm_os!("delete {place} --yes --time 1976-02..1976-02").well_on(3);
    let after = sandbox.stores("ocean");
    assert!(after.contains_key("a/tos.zarr/tos/c/0/0/0"));
    let steps = sandbox.cut(&file, "left_1m_grid_T.nc", "0,2,3,4,5", "");
    sandbox.reads_back("ocean/a/tos.zarr", &[steps]);
    msm_os!("verify {place}").well();
    msm_os!("rollback {place}").well();
    assert!(sandbox.stores("ocean") == before);
    msm_os!("verify {place}").well();
}

#[test]
fn a_moment_is_read_in_the_calendar_of_the_store() {
    let sandbox = Sandbox::new();
    let spec = Spec {
        calendar: nemo_like::Calendar::Day360,
        steps: 5,
        ..Spec::default()
    };
    let file = sandbox.source_called("any_1m_grid_T.nc", &spec);
    let place = format!("-b {} --store a/tos.zarr", sandbox.url("ocean"));
    msm_os!("send -f {file} -v tos {place}").well();
    let dry = |from: &str| {
        let told = msm_os!("delete {place} --dry-run --time '{from}..'").well();
        let (_, rest) = told.stdout.split_once("the last ").unwrap();
        let steps = rest.split([' ', ',']).next().unwrap();
        if steps == "step" {
            1
        } else {
            steps.parse::<u64>().unwrap()
        }
    };
    let all = msm_os!("list --json {place}").well().stdout;
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    let last = all[0]["time"]["last"].as_str().unwrap().to_owned();
    assert_eq!([dry(&last), dry(&last.replace(' ', "T"))], [1, 1]);
    let month = &last[..7];
    assert_eq!(dry(month), 1);
    assert_eq!(dry(&format!("{month}-01")), 1);
    // A day that other calendars do not have.
    assert!(dry(&format!("{}-02-30", &last[..4])) >= 1);
}

#[test]
fn what_cannot_go_is_refused() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    let file = sandbox.months(1, 3);
    msm_os!("send -f {file} {place} -v tos,sos").well();
    let refused = |line: Line, code, words: &[&str]| line.refused_in(&sandbox, code, words);
    for wrong in [
        "1976",
        "..",
        "1976..1977..",
        "1976-13..",
        "..x",
        "1976-02-30..",
    ] {
        let line = msm_os!("delete {place} --all --yes --time {wrong}");
        refused(
            line,
            2,
            &["--time", "expected FROM.., FROM..TO or ..TO, as 1978.."],
        );
    }
    let words = [
        "'1977..'",
        "no such steps",
        "to 1976-03-16 12:00:00",
        "nothing was deleted",
    ];
    refused(delete(&place, "1977"), 24, &words);
    refused(
        delete(&place, "1976"),
        24,
        &["all steps of 'T1m/", "leave --time out"],
    );
    refused(
        delete(&place, "1976-02").and("-a depth"),
        13,
        &["'depth'", "-a"],
    );
    refused(delete(&place, "1976-02").and("--array tos"), 2, &[]);
    refused(msm_os!("delete {place} -v tos --yes -a x"), 2, &[]);
    refused(
        msm_os!("delete {place} -v no --yes --time 1976-02.."),
        27,
        &["'T1m/no.zarr'"],
    );
    refused(
        msm_os!("delete {place} -v tos --time 1976-02.."),
        2,
        &["--yes"],
    );
    // Some of the stores end before.
    msm_os!("delete {place} -v tos --yes --time 1976-03.. --keep-undo 0").well_on(3);
    let told = delete(&place, "1976-03").well();
    assert!(!told.stdout.contains("tos.zarr"), "{told:#?}");
    msm_os!("verify {place}").well();
    msm_os!("rollback {place} -v tos").refused_in(&sandbox, 36, &["--keep-undo"]);
}
