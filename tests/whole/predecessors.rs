//! Stores that other programs wrote: they are gone on with as they are, and their programs can go on after this one.
//! `tests/data/archives` has some that the Python msm-os made; others are made here with xarray.

use std::path::Path;
use std::process::Command;

use crate::refusals::refused;
use crate::support::{Ended, Sandbox, alone, end, on_ranks, python_of, python_runs};
use crate::texts::file;

const CURRENT: &str = "tests/.venv";
/// xarray and zarr-python of 2024, with which the archives were made.
const OLD: &str = "tests/.venv-zarr2";

fn data() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/archives")
}

/// The file of a year of the archives' inputs.
pub fn input(year: u32) -> String {
    let name = format!("inputs/eORCA025_1y_grid_T_{year}-{year}.nc");
    data().join(name).to_str().unwrap().to_owned()
}

/// Unpacks an archive into the sandbox, and returns the URL that it is at.
pub fn archive(sandbox: &Sandbox, name: &str) -> String {
    let packed = data().join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.arg("xzf").arg(packed).arg("-C").arg(sandbox.path("."));
    end(tar).well();
    sandbox.url(name)
}

/// Runs `tests/python/predecessor.py` in one of the environments.
pub fn with_xarray(environment: &str, args: &[&str]) -> Ended {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/predecessor.py");
    let mut python = Command::new(python_of(environment));
    python.arg(script).args(args);
    end(python)
}

/// xarray of then and of now read from `store`, or several with commas between them, what is in the files of these `years`.
fn reads(sandbox: &Sandbox, store: &str, years: &[u32]) -> String {
    let places = store.split(',').map(|store| sandbox.path(store));
    let places: Vec<String> = places.map(|p| p.to_str().unwrap().to_owned()).collect();
    let place = places.join(",");
    let files: Vec<String> = years.iter().map(|&year| input(year)).collect();
    let mut args = vec!["read", &place];
    args.extend(files.iter().map(String::as_str));
    std::thread::scope(|scope| {
        let old = scope.spawn(|| with_xarray(OLD, &args).well());
        let read = with_xarray(CURRENT, &args).well().stdout;
        old.join().unwrap();
        read
    })
}

fn run(ranks: usize, args: &[&str]) -> Ended {
    match ranks {
        1 => alone(args),
        _ => on_ranks(ranks, args),
    }
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
        let compact: &[&str] = if stores.len() == 1 {
            &["-v", "compact"]
        } else {
            &[]
        };
        let next = years.last().unwrap() + 1;
        let file = input(next);
        let on = |command: &str, more: &[&str]| {
            run(ranks, &[&[command, "-b", &url, "-p", "T1y"], more].concat())
        };
        let send = [&["-f", &file], compact].concat();
        let sent = on("send", &send).well();
        let is_told = sent.stdout.contains("going on without");
        assert_eq!(is_told, compact.is_empty(), "{name}: {sent:#?}");
        let all = [years, &[next]].concat();
        let mut begun: Vec<String> = stores
            .iter()
            .map(|store| format!("{name}/{store}"))
            .collect();
        if compact.is_empty() {
            begun.extend(bounds.map(|store| format!("{name}/T1y/{store}")));
        }
        let begun = begun.join(",");
        reads(&sandbox, &begun, &all);
        // The same again, of both years.
        let with_next = sandbox.stores(name);
        for year in &all {
            let again = on("send", &[&["-f", &input(*year)], compact].concat()).well();
            assert!(again.stdout.contains("there already"), "{name}: {again:#?}");
        }
        assert!(sandbox.stores(name) == with_next, "{name}: sent again");
        let verified = on("verify", &[]).well();
        assert!(verified.stdout.contains(" 0 faults"), "{verified:#?}");
        let files: Vec<String> = all.iter().map(|&year| input(year)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        on("verify", &[&["--against"], &files[..], compact].concat()).well();
        on("rollback", &[]).well();
        assert!(sandbox.stores(name) == as_found, "{name}: rolled back");
        // The reference's own example, in place.
        let first = input(years[0]);
        on(
            "update",
            &[
                &["-f", &first],
                &[&["-v"], compact.get(1..).unwrap_or(&[]), &["e3t"]].concat()[..],
            ]
            .concat(),
        )
        .well();
        reads(&sandbox, &begun, years);
        on("rollback", &[]).well();
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
    let send = |year: u32, more: &[&str]| {
        let file = input(year);
        alone(
            &[
                &["send", "-b", &url, "-p", "T1y", "-v", "e3t", "-f", &file],
                more,
            ]
            .concat(),
        )
        .well()
    };
    send(1977, &["--add-variables"]);
    let read = reads(&sandbox, store, &[1976, 1977]);
    for name in ["time_counter_bounds", "time_centered_bounds"] {
        let line = format!("{name} ('time_counter', 'axis_nbounds') 1");
        assert!(read.contains(&line), "{read}");
    }
    // The year's file again gives them their values, and says so.
    send(1976, &[]);
    let read = reads(&sandbox, store, &[1976, 1977]);
    assert!(
        read.contains("time_counter_bounds ('time_counter', 'axis_nbounds') 0"),
        "{read}"
    );
    send(1978, &[]);
    reads(&sandbox, store, &[1976, 1977, 1978]);
}

#[test]
fn their_programs_go_on_after_this_one() {
    for (name, store, variable) in [
        ("msm-os-202401-create", "T1y/thetao.zarr", Some("thetao")),
        ("msm-os-dev-compact-create", "T1y.zarr", None),
    ] {
        let sandbox = Sandbox::new();
        let url = archive(&sandbox, name);
        let place = sandbox.path(&format!("{name}/{store}"));
        let place = place.to_str().unwrap();
        let compact = variable.unwrap_or("compact");
        let send = |year: u32| {
            alone(&[
                "send",
                "-b",
                &url,
                "-p",
                "T1y",
                "-v",
                compact,
                "-f",
                &input(year),
            ])
            .well()
        };
        send(1977);
        let append = input(1978);
        with_xarray(
            OLD,
            &[&["append", place, &append], variable.as_slice()].concat(),
        )
        .well();
        reads(&sandbox, &format!("{name}/{store}"), &[1976, 1977, 1978]);
        // And this one after theirs.
        let later = sandbox.path("eORCA025_1y_grid_T_1979-1979.nc");
        let later = later.to_str().unwrap();
        with_xarray(CURRENT, &["later", &input(1978), later, "1"]).well();
        alone(&["send", "-b", &url, "-p", "T1y", "-v", compact, "-f", later]).well();
        let mut read = vec!["read".to_owned(), place.to_owned()];
        read.extend([1976, 1977, 1978].map(input));
        read.push(later.to_owned());
        let read: Vec<&str> = read.iter().map(String::as_str).collect();
        with_xarray(OLD, &read).well();
        with_xarray(CURRENT, &read).well();
        alone(&["verify", "-b", &url, "-p", "T1y"]).well();
    }
}

#[test]
fn what_they_reprojected_is_left_alone_or_written_anew() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let name = "msm-os-dev-create";
        let url = archive(&sandbox, name);
        let as_found = sandbox.tree(name);
        let store = "msm-os-dev-create/T1y/tos.zarr";
        let files = [1976, 1977].map(input);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let send = |files: &[&str], more: &[&str]| {
            let args = [
                &["send", "-b", &url, "-p", "T1y", "-v", "tos", "-f"],
                files,
                more,
            ]
            .concat();
            run(ranks, &args)
        };
        // Without values at the new step, and so at missing ones.
        let left = send(&files[1..], &["-r"]).well();
        assert!(
            left.stderr.contains("'projected_tos' of 'T1y/tos.zarr'"),
            "{left:#?}"
        );
        let read = reads(&sandbox, store, &[1976, 1977]);
        assert!(
            read.contains("projected_tos ('time_counter', 'y', 'x') 1"),
            "{read}"
        );
        let replace = ["-r", "--replace-projected"];
        let some = send(&files[1..], &replace);
        assert_eq!(some.code, 38, "{some:#?}");
        assert!(some.stderr.contains("all steps"), "{some:#?}");
        send(&files, &replace).well();
        let read = reads(&sandbox, store, &[1976, 1977]);
        let dimensions = "('time_counter', 'projected_y', 'projected_x') 0";
        assert!(
            read.contains(&format!("projected_tos {dimensions}")),
            "{read}"
        );
        run(
            ranks,
            &[
                &["verify", "-b", &url, "-p", "T1y", "-v", "tos", "--against"],
                &files[..],
            ]
            .concat(),
        )
        .well();
        // From now on it is this program's.
        send(&[&input(1978)], &[]).well();
        let read = reads(&sandbox, store, &[1976, 1977, 1978]);
        assert!(
            read.contains(&format!("projected_tos {dimensions}")),
            "{read}"
        );
        // In one transaction: undone, it is as it was.
        let other = Sandbox::new();
        let url = archive(&other, name);
        let args = [
            &["send", "-b", &url, "-p", "T1y", "-f"],
            &files[..],
            &replace,
        ]
        .concat();
        run(ranks, &args).well();
        run(ranks, &["rollback", "-b", &url, "-p", "T1y"]).well();
        assert!(other.stores(name) == as_found);
    }
}

#[test]
fn attributes_that_they_lost_or_wrote() {
    let sandbox = Sandbox::new();
    let name = "msm-os-dev-create";
    let url = archive(&sandbox, name);
    let as_found = sandbox.tree(name);
    let file = input(1976);
    let on = |command: &str, more: &[&str]| {
        alone(&[&[command, "-b", &url, "-p", "T1y"], more].concat()).well()
    };
    let text = |key: &str| {
        let path = sandbox.path(&format!("{name}/T1y/thetao.zarr/{key}"));
        std::fs::read_to_string(path).unwrap()
    };
    let sent = on("send", &["-f", &input(1977), "-v", "thetao"]);
    assert!(
        sent.stdout
            .contains("left null as 'standard_name', 'units'"),
        "{sent:#?}"
    );
    // What its sums and sizes say stays true.
    assert!(text("time_counter/.zattrs").contains(r#""expected_size":2"#));
    assert!(text(".zattrs").contains("expected_checksum_1976-07-02T00:00:00.000000000"));
    let updated = on("update", &["-f", &file, "-v", "thetao", "--keep-undo", "2"]);
    assert!(
        updated
            .stdout
            .contains("'expected_checksum_1976-07-02T00:00:00.000000000' removed"),
        "{updated:#?}"
    );
    assert!(!text(".zattrs").contains("expected_checksum"));
    assert!(text(".zattrs").contains("expected_variables"));
    on("rollback", &["-v", "thetao"]);
    assert!(text(".zattrs").contains("expected_checksum"));
    on("rollback", &["-v", "thetao"]);
    assert!(sandbox.stores(name) == as_found);
    // Of a year that is there already, only the attributes are written.
    let repaired = on("send", &["-f", &file, "--repair-attributes"]);
    assert!(repaired.stdout.contains("0 objects"), "{repaired:#?}");
    assert!(text("thetao/.zattrs").contains(r#""units":"degC""#));
    reads(&sandbox, "msm-os-dev-create/T1y/thetao.zarr", &[1976]);
    on("verify", &["--against", &file]);
    let again = on("send", &["-f", &file, "--repair-attributes"]);
    assert!(again.stdout.contains("nothing to do"), "{again:#?}");
    on("rollback", &[]);
    assert!(sandbox.stores(name) == as_found);
}

/// A store of the year 1976 as xarray writes it; see `make` in `tests/python/predecessor.py`.
fn made(sandbox: &Sandbox, kind: &str) -> String {
    let place = sandbox.path(&format!("made/{kind}.zarr"));
    std::fs::create_dir_all(sandbox.path("made")).unwrap();
    with_xarray(
        CURRENT,
        &["make", kind, &input(1976), place.to_str().unwrap()],
    )
    .well();
    sandbox.url("made")
}

#[test]
fn other_chunks_keys_and_missing_values() {
    for (kind, ranks) in [("slash", 1), ("v3", 3), ("nan", 1), ("zero", 3)] {
        let sandbox = Sandbox::new();
        let url = made(&sandbox, kind);
        let as_found = sandbox.tree("made");
        let file = input(1977);
        let place = ["-b", &url, "-p", kind, "-v", "compact"];
        let on =
            |command: &str, more: &[&str]| run(ranks, &[&[command], &place[..], more].concat());
        let sent = on("send", &["-f", &file, "--keep-undo", "2"]).well();
        assert!(sent.stdout.contains("are written as"), "{sent:#?}");
        let store = format!("made/{kind}.zarr");
        let store = sandbox.path(&store).to_str().unwrap().to_owned();
        let read = |files: &[&str]| {
            with_xarray(CURRENT, &[&["read", &store], files].concat()).well();
        };
        read(&[&input(1976), &file]);
        on("verify", &["--against", &input(1976), &file]).well();
        // A part of chunks that hold two steps.
        let other = sandbox.path("eORCA025_1y_grid_T_1976-1976.nc");
        let other = other.to_str().unwrap();
        with_xarray(CURRENT, &["later", &input(1976), other, "0"]).well();
        on("update", &["-f", other, "--keep-undo", "2"]).well();
        read(&[other, &file]);
        on("rollback", &[]).well();
        read(&[&input(1976), &file]);
        on("rollback", &[]).well();
        assert!(sandbox.stores("made") == as_found, "{kind}");
    }
}

#[test]
fn a_value_that_would_be_missing_is_refused() {
    let sandbox = Sandbox::new();
    let url = made(&sandbox, "zero");
    let file = input(1977);
    let edited = sandbox.path("eORCA025_1y_grid_T_1977-1977.nc");
    std::fs::copy(&file, &edited).unwrap();
    let script = sandbox.path("edit.py");
    let lines = "import sys, netCDF4\nf = netCDF4.Dataset(sys.argv[1], 'a')\nf['tos'].set_auto_mask(False)\nf['tos'][0, 3, 4] = 0\nf.close()\n";
    std::fs::write(&script, lines).unwrap();
    let edited = edited.to_str().unwrap();
    python_runs(&script, &[edited]).well();
    let as_found = sandbox.tree("made");
    let send = [
        "send", "-b", &url, "-p", "zero", "-v", "compact", "-f", edited,
    ];
    let words = ["'tos'", "the value 0 at [0, 3, 4]", "--prefix"];
    let ended = alone(&send);
    assert_eq!(ended.code, 23, "{ended:#?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word}: {ended:#?}");
    }
    assert!(sandbox.stores("made") == as_found);
    // Nothing of it is said to be missing: NaN is to any reader.
    let url = made(&sandbox, "none");
    let send = [
        "send", "-b", &url, "-p", "none", "-v", "compact", "-f", &file,
    ];
    let sent = alone(&send).well();
    assert!(sent.stdout.contains("--repair-attributes"), "{sent:#?}");
    alone(&[&send[..], &["--repair-attributes"]].concat()).well();
    let store = sandbox.path("made/none.zarr");
    with_xarray(
        CURRENT,
        &["read", store.to_str().unwrap(), &input(1976), &file],
    )
    .well();
    let url = made(&sandbox, "plain");
    refused(
        &sandbox,
        25,
        &["plain.zarr", "consolidate"],
        &[
            "send", "-b", &url, "-p", "plain", "-v", "compact", "-f", &file,
        ],
    );
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
        let second = file(
            &sandbox,
            "second.nc",
            2,
            &lines(&format!(", fill_value={mask}")),
        );
        let place = format!("{version}-{mask}");
        let place = ["-b", &url, "-p", &place, "-v", "mask"];
        alone(&[&["send", "-zv", version, "-f", &first][..], &place].concat()).well();
        // No value of the store stands for missing ones, and each of the file's may be data of the store.
        for repair in [&[][..], &["--repair-attributes"]] {
            let send = [&["send", "-f", &second], &place[..], repair].concat();
            refused(
                &sandbox,
                23,
                &[
                    "'mask' has _FillValue none",
                    &format!("the file has {mask};"),
                ],
                &send,
            );
        }
    }
}
