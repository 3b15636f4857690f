//! Stores that other programs wrote: they are gone on with as they are, and their programs can go on after this one.
//! `tests/data/archives` has some that the Python msm-os made; others are made here with xarray.

use std::process::Command;

use crate::line::{msm_os, words};
pub use crate::support::input;
use crate::support::{Ended, Sandbox, python_code, python_of, script};
use crate::texts::file;
use crate::warm::end_warm;

const CURRENT: &str = "tests/.venv";
/// xarray and zarr-python of 2024, with which the archives were made.
const OLD: &str = "tests/.venv-zarr2";

/// Unpacks an archive into the sandbox, and returns the URL that it is at.
pub fn archive(sandbox: &Sandbox, name: &str) -> String {
    sandbox.unpack(name, name);
    sandbox.url(name)
}

/// Runs `tests/python/predecessor.py` in one of the environments.
pub fn with_xarray(environment: &str, line: &str) -> Ended {
    let mut python = Command::new(python_of(environment));
    python.arg(script("predecessor.py")).args(words(line));
    end_warm(&python).well()
}

/// xarray of then and of now read from `store`, or several with commas between them, what is in the files of these `years`.
fn reads(sandbox: &Sandbox, store: &str, years: &[u32]) -> String {
    let stores: Vec<String> = store.split(',').map(|store| sandbox.file(store)).collect();
    let files: Vec<String> = years.iter().map(|&year| input(year)).collect();
    let read = format!("read {} {}", stores.join(","), files.join(" "));
    std::thread::scope(|scope| {
        let old = scope.spawn(|| with_xarray(OLD, &read));
        let read = with_xarray(CURRENT, &read).stdout;
        old.join().unwrap();
        read
    })
}

#[test]
fn what_they_began_goes_on() {
    let bounds = ["time_counter_bounds.zarr", "time_centered_bounds.zarr"];
    let plain = ["T1y/e3t.zarr", "T1y/thetao.zarr", "T1y/tos.zarr"];
    let cases: [(&str, &[u32], &[&str], usize); 5] = [
        ("msm-os-202401-create", &[1976], &plain, 1),
        ("msm-os-202401-append", &[1976, 1977], &plain, 3),
        ("msm-os-dev-create", &[1976], &plain, 3),
        ("msm-os-dev-compact-create", &[1976], &["T1y.zarr"], 3),
        ("msm-os-dev-compact-append", &[1976, 1977], &["T1y.zarr"], 1),
    ];
    for (name, years, stores, ranks) in cases {
        let sandbox = Sandbox::new();
        let url = archive(&sandbox, name);
        let as_found = sandbox.tree(name);
        let is_compact = stores.len() == 1;
        let (compact, e3t) = if is_compact {
            ("-v compact", "-v compact e3t")
        } else {
            ("", "-v e3t")
        };
        let next = years.last().unwrap() + 1;
        let on = |command: &str, more: &str| msm_os!("{command} -b {url} -p T1y {more}").on(ranks);
        let sent = on("send", &format!("-f {} {compact}", input(next))).well();
        let is_told = sent.stdout.contains("going on without");
        assert_eq!(is_told, !is_compact, "{name}: {sent:#?}");
        let all = [years, &[next]].concat();
        let mut begun: Vec<String> = stores
            .iter()
            .map(|store| format!("{name}/{store}"))
            .collect();
        if !is_compact {
            begun.extend(bounds.map(|store| format!("{name}/T1y/{store}")));
        }
        let begun = begun.join(",");
        reads(&sandbox, &begun, &all);
        // The same again, of both years.
        let with_next = sandbox.stores(name);
        for year in &all {
            let again = on("send", &format!("-f {} {compact}", input(*year)));
            again.well().says(&["there already"]);
        }
        assert!(sandbox.stores(name) == with_next, "{name}: sent again");
        on("verify", "").well().says(&[" 0 faults"]);
        let files: Vec<String> = all.iter().map(|&year| input(year)).collect();
        let files = files.join(" ");
        on("verify", &format!("--against {files} {compact}")).well();
        on("rollback", "").well();
        assert!(sandbox.stores(name) == as_found, "{name}: rolled back");
        // The reference's own example, in place.
        on("update", &format!("-f {} {e3t}", input(years[0]))).well();
        reads(&sandbox, &begun, years);
        on("rollback", "").well();
        assert!(
            sandbox.stores(name) == as_found,
            "{name}: the update rolled back"
        );
    }
}

#[test]
fn what_is_added_is_missing_where_no_file_had_it() {
    let sandbox = Sandbox::new();
    let url = archive(&sandbox, "msm-os-202401-create");
    let store = "msm-os-202401-create/T1y/e3t.zarr";
    let send = |year: u32| msm_os!("send -b {url} -p T1y -v e3t -f {}", input(year));
    send(1977).and("--add-variables").well();
    let read = reads(&sandbox, store, &[1976, 1977]);
    for name in ["time_counter_bounds", "time_centered_bounds"] {
        let line = format!("{name} ('time_counter', 'axis_nbounds') 1");
        assert!(read.contains(&line), "{read}");
    }
    // The year's file again gives them their values, and says so.
    send(1976).well();
    let read = reads(&sandbox, store, &[1976, 1977]);
    let line = "time_counter_bounds ('time_counter', 'axis_nbounds') 0";
    assert!(read.contains(line), "{read}");
    send(1978).well();
    reads(&sandbox, store, &[1976, 1977, 1978]);
}

#[test]
fn their_programs_go_on_after_this_one() {
    for (name, store, compact, variable) in [
        (
            "msm-os-202401-create",
            "T1y/thetao.zarr",
            "thetao",
            "thetao",
        ),
        ("msm-os-dev-compact-create", "T1y.zarr", "compact", ""),
    ] {
        let sandbox = Sandbox::new();
        let url = archive(&sandbox, name);
        let place = sandbox.file(&format!("{name}/{store}"));
        let [first, second, third] = [1976, 1977, 1978].map(input);
        let send = |file: &str| msm_os!("send -b {url} -p T1y -v {compact} -f {file}").well();
        send(&second);
        with_xarray(OLD, &format!("append {place} {third} {variable}"));
        reads(&sandbox, &format!("{name}/{store}"), &[1976, 1977, 1978]);
        // And this one after theirs.
        let later = sandbox.file("eORCA025_1y_grid_T_1979-1979.nc");
        with_xarray(CURRENT, &format!("later {third} {later} 1"));
        send(&later);
        let read = format!("read {place} {first} {second} {third} {later}");
        with_xarray(OLD, &read);
        with_xarray(CURRENT, &read);
        msm_os!("verify -b {url} -p T1y").well();
    }
}

#[test]
fn what_they_reprojected_is_left_alone_or_written_anew() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let name = "msm-os-dev-create";
        let url = archive(&sandbox, name);
        let as_found = sandbox.tree(name);
        let [first, second, third] = [1976, 1977, 1978].map(input);
        let send = |files: &str| msm_os!("send -b {url} -p T1y -v tos -f {files}").on(ranks);
        let read = |years: &[u32], said: &str| {
            let read = reads(&sandbox, "msm-os-dev-create/T1y/tos.zarr", years);
            assert!(read.contains(said), "{read}");
        };
        // Without values at the new step, and so at missing ones.
        let left = send(&format!("{second} -r")).well();
        left.warns(&["'projected_tos' of 'T1y/tos.zarr'"]);
        let said = "projected_tos ('time_counter', 'y', 'x') 1";
        read(&[1976, 1977], said);
        let replace = "-r --replace-projected";
        send(&format!("{second} {replace}")).refused(38, &["all steps"]);
        send(&format!("{first} {second} {replace}")).well();
        let said = "projected_tos ('time_counter', 'projected_y', 'projected_x') 0";
        read(&[1976, 1977], said);
        msm_os!("verify -b {url} -p T1y -v tos --against {first} {second}").well_on(ranks);
        // From now on it is this program's.
        send(&third).well();
        read(&[1976, 1977, 1978], said);
        // In one transaction: undone, it is as it was.
        let other = Sandbox::new();
        let url = archive(&other, name);
        msm_os!("send -b {url} -p T1y -f {first} {second} {replace}").well_on(ranks);
        msm_os!("rollback -b {url} -p T1y").well_on(ranks);
        assert!(other.stores(name) == as_found);
    }
}

#[test]
fn attributes_that_they_lost_or_wrote() {
    let sandbox = Sandbox::new();
    let name = "msm-os-dev-create";
    let url = archive(&sandbox, name);
    let as_found = sandbox.tree(name);
    let [first, second] = [1976, 1977].map(input);
    let on = |command: &str| msm_os!("{command} -b {url} -p T1y").well();
    let text = |key: &str| {
        let path = sandbox.path(&format!("{name}/T1y/thetao.zarr/{key}"));
        std::fs::read_to_string(path).unwrap()
    };
    let sent = on(&format!("send -f {second} -v thetao"));
    sent.says(&["left null as 'standard_name', 'units'"]);
    // What its sums and sizes say stays true.
    assert!(text("time_counter/.zattrs").contains(r#""expected_size":2"#));
    assert!(text(".zattrs").contains("expected_checksum_1976-07-02T00:00:00.000000000"));
    let updated = on(&format!("update -f {first} -v thetao --keep-undo 2"));
    updated.says(&["'expected_checksum_1976-07-02T00:00:00.000000000' removed"]);
    assert!(!text(".zattrs").contains("expected_checksum"));
    assert!(text(".zattrs").contains("expected_variables"));
    on("rollback -v thetao");
    assert!(text(".zattrs").contains("expected_checksum"));
    on("rollback -v thetao");
    assert!(sandbox.stores(name) == as_found);
    // Of a year that is there already, only the attributes are written.
    let repair = format!("send -f {first} --repair-attributes");
    on(&repair).says(&["0 objects"]);
    assert!(text("thetao/.zattrs").contains(r#""units":"degC""#));
    reads(&sandbox, "msm-os-dev-create/T1y/thetao.zarr", &[1976]);
    on(&format!("verify --against {first}"));
    on(&repair).says(&["nothing to do"]);
    on("rollback");
    assert!(sandbox.stores(name) == as_found);
}

/// A store of the year 1976 as xarray writes it; see `make` in `tests/python/predecessor.py`.
fn made(sandbox: &Sandbox, kind: &str) -> String {
    let place = sandbox.file(&format!("made/{kind}.zarr"));
    std::fs::create_dir_all(sandbox.path("made")).unwrap();
    with_xarray(CURRENT, &format!("make {kind} {} {place}", input(1976)));
    sandbox.url("made")
}

#[test]
fn other_chunks_keys_and_missing_values() {
    for (kind, ranks) in [("slash", 1), ("v3", 3), ("nan", 1), ("zero", 3)] {
        let sandbox = Sandbox::new();
        let url = made(&sandbox, kind);
        let as_found = sandbox.tree("made");
        let [first, second] = [1976, 1977].map(input);
        let on = |line: &str| msm_os!("{line} -b {url} -p {kind} -v compact").well_on(ranks);
        let sent = on(&format!("send -f {second} --keep-undo 2"));
        sent.says(&["are written as"]);
        let store = sandbox.file(&format!("made/{kind}.zarr"));
        let read = |file: &str| with_xarray(CURRENT, &format!("read {store} {file} {second}"));
        read(&first);
        on(&format!("verify --against {first} {second}"));
        // A part of chunks that hold two steps.
        let other = sandbox.file("eORCA025_1y_grid_T_1976-1976.nc");
        with_xarray(CURRENT, &format!("later {first} {other} 0"));
        on(&format!("update -f {other} --keep-undo 2"));
        read(&other);
        on("rollback");
        read(&first);
        on("rollback");
        assert!(sandbox.stores("made") == as_found, "{kind}");
    }
}

#[test]
fn a_value_that_would_be_missing_is_refused() {
    let sandbox = Sandbox::new();
    let url = made(&sandbox, "zero");
    let [first, file] = [1976, 1977].map(input);
    let edited = sandbox.file("eORCA025_1y_grid_T_1977-1977.nc");
    std::fs::copy(&file, &edited).unwrap();
    let lines = "import sys, netCDF4\nf = netCDF4.Dataset(sys.argv[1], 'a')\nf['tos'].set_auto_mask(False)\nf['tos'][0, 3, 4] = 0\nf.close()\n";
    python_code(lines, &[&edited]);
    let as_found = sandbox.tree("made");
    let words = ["'tos'", "the value 0 at [0, 3, 4]", "--prefix"];
    let send = |kind: &str, file: &str| msm_os!("send -b {url} -p {kind} -v compact -f {file}");
    send("zero", &edited).alone().refused(23, &words);
    assert!(sandbox.stores("made") == as_found);
    // Nothing of it is said to be missing: NaN is to any reader.
    made(&sandbox, "none");
    let send_to_none = send("none", &file);
    send_to_none.well().says(&["--repair-attributes"]);
    send_to_none.and("--repair-attributes").well();
    let store = sandbox.file("made/none.zarr");
    with_xarray(CURRENT, &format!("read {store} {first} {file}"));
    made(&sandbox, "plain");
    send("plain", &file).refused_in(&sandbox, 25, &["plain.zarr", "consolidate"]);
}

#[test]
fn a_mask_that_old_values_may_equal_is_not_written() {
    let lines = |mask: &str| {
        format!(
            "v = f.createVariable('mask', 'i4', ('time_counter',){mask}); v.set_auto_mask(False); v[:] = [0, 1]\n"
        )
    };
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    for (version, mask) in [("2", "0"), ("3", "0"), ("2", "1"), ("3", "1")] {
        let first = file(&sandbox, "first.nc", 0, &lines(""));
        let masked = lines(&format!(", fill_value={mask}"));
        let second = file(&sandbox, "second.nc", 2, &masked);
        let place = format!("-b {url} -p {version}-{mask} -v mask");
        msm_os!("send -zv {version} -f {first} {place}").well();
        // No value of the store stands for missing ones, and each of the file's may be data of the store.
        let words = [
            "'mask' has _FillValue none",
            &format!("the file has {mask};"),
        ];
        for repair in ["", "--repair-attributes"] {
            msm_os!("send -f {second} {place} {repair}").refused_in(&sandbox, 23, &words);
        }
    }
}
