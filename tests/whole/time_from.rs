//! Times as readers select by them: the coordinate of the append dimension gets those of another variable, in all files and in all
//! sends alike.

use std::process::Command;

use nemo_like::Spec;
use s3_server::Server;

use crate::line::{Line, msm_os};
use crate::support::{Sandbox, end, objects, python, script, served, without_ledgers};
use crate::texts::file;

/// Which times are meant.
const FLAG: &str = "--time-from time_centered";

/// Months of 1976, whose `time_counter` begins with 0 in each file and has no units.
fn months<const N: usize>(sandbox: &Sandbox, steps: [(u32, usize); N]) -> [String; N] {
    steps.map(|(month, steps)| {
        sandbox.source(&Spec {
            start: format!("1976-{month:02}-01").parse().unwrap(),
            steps,
            time_units_on_counter: false,
            ..Spec::default()
        })
    })
}

/// The file with zeros in `time_counter`, as times that it says they are.
fn zeroed(sandbox: &Sandbox, file: &str) -> String {
    let name = format!("zero_{}", file.rsplit('/').next().unwrap());
    sandbox.edited(file, &name, |file| {
        let mut counter = file.variable_mut("time_counter").unwrap();
        counter
            .put_attribute("units", "seconds since 1900-01-01")
            .unwrap();
        let zeros = vec![0f64; counter.len()];
        counter.put_values(&zeros, ..).unwrap();
    })
}

/// By zeros that say they are times, all months are one: what is not there must not pass for what is.
#[test]
fn another_month_is_not_there_already() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let files = months(&sandbox, [(1, 1), (2, 1)]).map(|file| zeroed(&sandbox, &file));
    let send = |file: &String| tos("send", &bucket, std::slice::from_ref(file));
    send(&files[0]).well();
    send(&files[0]).well_on(3).says(&["nothing to do"]);
    for flag in ["", "--on-overlap skip", "--dry-run", "--insert"] {
        let words = [
            "'time_counter'",
            "1900-01-01",
            "'time_centered' is 1976-02-15",
            "1976-01-16",
            FLAG,
        ];
        send(&files[1]).and(flag).refused_in(&sandbox, 24, &words);
    }
}

/// xarray selects each step of `files` in the store by its month.
#[track_caller]
fn selects(store: &str, server: Option<&Server>, files: &[String]) {
    let mut command = Command::new(python());
    command.arg(script("selected.py")).arg(store).args(files);
    if let Some(server) = server {
        command
            .env("ENDPOINT", server.endpoint())
            .env("ACCESS_KEY", "test-key")
            .env("SECRET_KEY", "test-secret");
    }
    end(command).well();
}

/// A command on the `tos` of `files`.
fn tos(command: &str, bucket: &str, files: &[String]) -> Line {
    let flag = match command {
        "verify" => "--against",
        _ => "-f",
    };
    msm_os!("{command} {bucket} -p t -v tos {flag} {}", files.join(" "))
}

#[test]
fn months_are_selected_by_their_time() {
    for ranks in [1, 3] {
        let (sandbox, server, served) = served();
        let here = format!("-b {}", sandbox.url("ocean"));
        let january_to_april = months(&sandbox, [(1, 1), (2, 1), (3, 2)]);
        let files = &january_to_april[..];
        for (bucket, store, server) in [
            (&served, "s3://ocean/t/tos.zarr".to_owned(), Some(&server)),
            (&here, sandbox.file("ocean/t/tos.zarr"), None),
        ] {
            let tos = |command, files| tos(command, bucket, files).and(FLAG);
            for sent in [&files[..2], &files[2..]] {
                tos("send", sent).well_on(ranks);
            }
            selects(&store, server, files);
            // Steps are found by these times.
            tos("send", files).well_on(ranks).says(&["nothing to do"]);
            let halved = tos("send --on-overlap error", &files[1..2]);
            halved.on(ranks).refused(24, &["1976-02-15"]);
            tos("verify", &files[1..]).well_on(ranks);
            let other = sandbox.cut(&files[1], "other_1m_grid_T.nc", "0", "add=1");
            let other = [other];
            tos("update", &other).well_on(ranks);
            let changed = [files[0].clone(), other[0].clone(), files[2].clone()];
            selects(&store, server, &changed);
            tos("verify", &files[1..2]).on(ranks).refused(60, &[]);
            msm_os!("rollback {bucket} -p t").well_on(ranks);
            selects(&store, server, files);
        }
    }
}

#[test]
fn a_store_keeps_to_the_times_it_was_made_with() {
    let sandbox = Sandbox::new();
    let files = months(&sandbox, [(1, 2), (3, 1)]);
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let with = |command| tos(command, &bucket, &files).and(FLAG);
    with("send").well();
    let words = ["'t/tos.zarr'", "--time-from time_centered"];
    let next = &months(&sandbox, [(4, 1)]);
    for command in ["send", "send --add-variables", "update --append-missing"] {
        tos(command, &bucket, next).refused_in(&sandbox, 24, &words);
    }
    let against = tos("verify", &bucket, &files);
    against.alone().refused(24, &words);
    // Another variable.
    let copied = "copy=time_centered:instant";
    let copied = [sandbox.cut(&next[0], "copied_1m_grid_T.nc", "0", copied)];
    let other = tos("send", &bucket, &copied).and("--time-from instant");
    other.refused_in(&sandbox, 24, &["'instant'", words[1]]);
    // And one that was made without it.
    let plain = msm_os!("send {bucket} -p plain -v tos -f {}", files[0]);
    plain.well().warns(&["'time_counter'", words[1]]);
    let late = msm_os!("send {bucket} -p plain -v tos -f {} {FLAG}", next[0]);
    late.refused_in(&sandbox, 24, &["leave --time-from out"]);
    // A file that was made from such a store is as the store is.
    let made = sandbox.file("made_1m_grid_T.nc");
    let code = "import sys, xarray, os
xarray.open_zarr(sys.argv[1], mask_and_scale=False, decode_times=False).to_netcdf(sys.argv[2])
os._exit(0)";
    let store = sandbox.file("ocean/t/tos.zarr");
    crate::support::python_code(code, &[&store, &made]);
    for flag in ["", FLAG] {
        let same = msm_os!("verify {bucket} -p t -v tos --against {made} {flag}");
        same.well();
    }
}

#[test]
fn where_steps_are_not_told_apart_the_flag_is_named() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let of_one = months(&sandbox, [(1, 1), (2, 1)]);
    let of_three = months(&sandbox, [(3, 3)]);
    let [one, three]: [Vec<String>; 2] = [&of_one[..], &of_three]
        .map(|files| files.iter().map(|file| zeroed(&sandbox, file)).collect());
    for (files, problem) in [(&one, "overlap"), (&three, "must increase")] {
        let send = tos("send", &bucket, files);
        let words = ["'time_counter'", FLAG, problem];
        send.refused_in(&sandbox, 16, &words);
        send.and(FLAG).well_on(3);
        msm_os!("delete {bucket} -p t -v tos --yes").well();
    }
    // What no variable tells apart is the files' fault.
    let twice = [one[0].clone(), one[0].clone()];
    let twice = tos("send", &bucket, &twice).alone();
    assert!(!twice.refused(16, &[]).stderr.contains("--time-from"));
    // Where the program finds another axis by itself, readers do not.
    let words = ["'time_counter' has no times", FLAG];
    let found = tos("send", &bucket, &of_one);
    found.well_on(3).warns(&words);
    assert!(!found.well().stderr.contains("--time-from"));
}

#[test]
fn what_cannot_be_the_time_is_named() {
    let sandbox = Sandbox::new();
    let lines = r#"
v = f.createVariable("tos", "f4", ("time_counter", "n")); v[:] = np.arange(4).reshape(2, 2)
c = f.createVariable("gone", "f8", ("time_counter",), fill_value=-1.); c.units = t.units; c[:] = [first, -1]
w = f.createVariable("depth", "f8", ("time_counter",)); w[:] = [first, first + 1]
b = f.createVariable("bounds", "f8", ("time_counter", "n")); b.units = t.units; b[:] = 0
f.createVariable("word", str, ("time_counter",))[:] = np.array(["a", "b"], object)
k = f.createVariable("good", "f8", ("time_counter",)); k.units = t.units; k[:] = [first, first + 1]"#;
    let name = "a_1m_grid_T.nc";
    let plain = file(&sandbox, name, 0, lines);
    let kept = r#"f.createVariable("time_counter_file", "f8", ("time_counter",))[:] = 0"#;
    let taken = file(&sandbox, "b_1m_grid_T.nc", 0, &format!("{lines}\n{kept}"));
    let url = sandbox.url("ocean");
    for (file, variable, code, word) in [
        (&plain, "godo", 14, "did you mean 'good'?"),
        (&plain, "gone", 16, "'gone', value 1"),
        (&plain, "depth", 15, "units of time"),
        (&plain, "bounds", 15, "dimensions"),
        (&plain, "word", 15, "units of time"),
        (&plain, "time_counter", 15, "already"),
        (&taken, "good", 15, "ncrename"),
    ] {
        for command in ["send", "update"] {
            let line = msm_os!("{command} -f {file} -b {url} -v tos --time-from {variable}");
            let named = file.rsplit('/').next().unwrap();
            let variable = if word == "ncrename" {
                "time_counter_file"
            } else {
                variable
            };
            line.refused_in(&sandbox, code, &[named, &format!("'{variable}'"), word]);
        }
    }
    let line = msm_os!("send -f {plain} -b {url} --static --time-from good");
    line.alone().refused(2, &["--static"]);
}

#[test]
fn jobs_that_share_an_archive_agree() {
    let (sandbox, server, bucket) = served();
    let files = months(&sandbox, [(1, 2), (3, 2), (5, 2)]);
    let send = |prefix: &str, more: &str| {
        let files = files.join(" ");
        msm_os!("send {bucket} -p {prefix} -v tos -f {files} {more}")
    };
    send("plain", FLAG).well_on(3);
    send("many", &format!("{FLAG} --share --task 0/3")).well();
    let other = send("many", "--share --task 1/3").alone();
    other.refused(49, &["--time-from"]);
    send("many", &format!("{FLAG} --share")).well_on(3);
    selects("s3://ocean/many/tos.zarr", Some(&server), &files);
    let stored = |prefix: &str| -> Vec<(String, Vec<u8>)> {
        let all = without_ledgers(objects(&server)).into_iter();
        all.filter_map(|(key, bytes)| Some((key.strip_prefix(prefix)?.to_owned(), bytes)))
            .collect()
    };
    assert_eq!(stored("plain/"), stored("many/"));
}
