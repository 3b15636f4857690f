//! Coordinates that hold NaN, differ by rounding, come from elsewhere, or are not named; attributes that fit no value.

use std::path::Path;

use crate::refusals::refused;
use crate::support::{Ended, Sandbox, alone, end, on_ranks, python, python_runs, reads_back};
use crate::texts::file;

fn run(ranks: usize, args: &[&str]) -> Ended {
    match ranks {
        1 => alone(args),
        _ => on_ranks(ranks, args),
    }
}

/// Two data variables on a grid whose coordinates have the type `dtype`, the `_FillValue` and the offset given.
fn on_grid(dtype: &str, fill: &str, offset: &str, named: bool) -> String {
    format!(
        r#"
f.createDimension("y", 5); f.createDimension("x", 6)
lon, lat = np.meshgrid(np.arange(6) * 60. - 150., np.arange(5) * 30. - 60.)
for name, values, units in (("nav_lon", lon, "degrees_east"), ("nav_lat", lat, "degrees_north")):
    c = f.createVariable(name, "{dtype}", ("y", "x"), fill_value={fill})
    c.units = units
    c[:] = values{offset}
for name in ("v0", "v1"):
    v = f.createVariable(name, "f8", ("time_counter", "y", "x"), fill_value=np.nan)
    if {}: v.coordinates = "nav_lat nav_lon"
    v[:] = np.arange(60).reshape(2, 5, 6) + first
"#,
        if named { "True" } else { "False" }
    )
}

#[test]
fn nan_is_the_fill_value_of_coordinates() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let lines = on_grid("f8", "np.nan", "", true);
        let files = [0, 2].map(|first| file(&sandbox, &format!("{first}.nc"), first, &lines));
        let url = sandbox.url("ocean");
        for (file, flags) in files.iter().zip([&["-r"][..], &[]]) {
            let args = [&["send", "-f", file, "-b", &url, "-p", "t"], flags].concat();
            run(ranks, &args).well();
        }
        let compact = ["-p", "c", "-v", "compact", "-r", "--method", "bilinear"];
        run(
            ranks,
            &[&["send", "-f", &files[0], "-b", &url], &compact[..]].concat(),
        )
        .well();
        run(ranks, &["update", "-f", &files[1], "-b", &url, "-p", "t"]).well();
        run(
            ranks,
            &[
                "verify",
                "-b",
                &url,
                "-p",
                "t",
                "--against",
                &files[0],
                &files[1],
            ],
        )
        .well();
        for name in ["v0", "v1"] {
            let store = sandbox.path(&format!("ocean/t/{name}.zarr"));
            reads_back(store.to_str().unwrap(), None, &files);
        }
    }
}

#[test]
fn two_nans_are_one_mask() {
    let sandbox = Sandbox::new();
    // Of another sign.
    let other = "np.frombuffer(np.uint64(0xfff8000000000001).tobytes(), 'f8')[0]";
    let files = [(0, "np.nan"), (2, other)].map(|(first, fill)| {
        let lines = on_grid("f8", fill, "", true);
        file(&sandbox, &format!("{first}.nc"), first, &lines)
    });
    let url = sandbox.url("ocean");
    for file in &files {
        alone(&["send", "-f", file, "-b", &url, "-p", "t", "-r"]).well();
    }
    alone(&["send", "-f", &files[0], &files[1], "-b", &url, "-p", "u"]).well();
}

#[test]
fn coordinates_that_differ_by_rounding() {
    for (dtype, offset, ranks) in [
        ("f4", " * np.float32(1 + 1.2e-7)", 1),
        ("f8", " + 3e-16 * (1 + abs(values))", 3),
    ] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let first = file(&sandbox, "first.nc", 0, &on_grid(dtype, "None", "", true));
        let next = file(
            &sandbox,
            "next.nc",
            2,
            &on_grid(dtype, "None", offset, true),
        );
        let words = ["nav_l", "--coords-tolerance"];
        let both = ["send", "-f", &first, &next, "-b", &url, "-p", "t"];
        refused(&sandbox, 22, &words, &both);
        run(ranks, &["send", "-f", &first, "-b", &url, "-p", "t"]).well();
        for command in ["send", "update"] {
            let args = [command, "-f", &next, "-b", &url, "-p", "t"];
            let append: &[&str] = if command == "update" {
                &["--append-missing"]
            } else {
                &[]
            };
            refused(&sandbox, 22, &words, &[&args, append].concat());
            let tiny = ["--coords-tolerance", "1e-17"];
            refused(&sandbox, 22, &words, &[&args, append, &tiny].concat());
            run(
                ranks,
                &[&args, append, &["--coords-tolerance", "1e-6"]].concat(),
            )
            .well();
        }
        let against = ["verify", "-b", &url, "-p", "t", "--against", &first, &next];
        let differs = run(ranks, &against);
        assert_eq!(differs.code, 60, "{differs:#?}");
        let tolerant = [&against[..], &["--coords-tolerance", "1e-6"]].concat();
        run(ranks, &tolerant).well();
        // At once, and reprojected: the store keeps what it has.
        let args = [
            "send",
            "-b",
            &url,
            "-p",
            "r",
            "-r",
            "--coords-tolerance",
            "1e-6",
            "-f",
        ];
        run(ranks, &[&args[..], &[&first]].concat()).well();
        run(ranks, &[&args[..], &[&next]].concat()).well();
        run(
            ranks,
            &[
                "send",
                "-b",
                &url,
                "-p",
                "b",
                "--coords-tolerance",
                "1e-6",
                "-f",
                &first,
                &next,
            ],
        )
        .well();
        // What is no coordinate, and what is further off, is refused all the same.
        let far = file(
            &sandbox,
            "far.nc",
            4,
            &on_grid(dtype, "None", " + 1e-3", true),
        );
        let args = [
            "send",
            "-b",
            &url,
            "-p",
            "t",
            "--coords-tolerance",
            "1e-6",
            "-f",
            &far,
        ];
        refused(&sandbox, 22, &words, &args);
        refused(
            &sandbox,
            2,
            &["--coords-tolerance"],
            &["send", "-b", &url, "-f", &far, "--coords-tolerance=-1"],
        );
    }
}

#[test]
fn coordinates_from_a_domain_file_of_another_type() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [0, 2].map(|first| {
        file(
            &sandbox,
            &format!("{first}.nc"),
            first,
            &on_grid("f4", "None", "", true),
        )
    });
    let domain = file(
        &sandbox,
        "domain.nc",
        0,
        &on_grid("f8", "None", " + 1e-3", true),
    );
    let coordinates = r#"{"nav_lon": "nav_lon", "nav_lat": "nav_lat"}"#;
    let lent = ["-gf", &domain, "-uc", coordinates];
    for ranks in [1, 3] {
        let prefix = ranks.to_string();
        let place = ["-b", &url, "-p", &prefix];
        let two = [files[0].as_str(), &files[1]];
        run(ranks, &[&["send", "-f"], &two[..], &place, &lent].concat()).well();
        run(
            ranks,
            &[&["verify", "--against"], &two[..], &place, &lent].concat(),
        )
        .well();
        let differs = run(
            ranks,
            &[&["verify", "--against"], &two[..], &place].concat(),
        );
        assert_eq!(differs.code, 21, "{differs:#?}");
    }
}

#[test]
fn coordinates_that_are_not_named() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let files = [0, 2].map(|first| {
            file(
                &sandbox,
                &format!("{first}.nc"),
                first,
                &on_grid("f4", "None", "", false),
            )
        });
        for file in &files {
            run(ranks, &["send", "-f", file, "-b", &url, "-p", "t"]).well();
        }
        let mut stores: Vec<String> = std::fs::read_dir(sandbox.path("ocean/t"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".zarr"))
            .collect();
        stores.sort();
        assert_eq!(stores, ["v0.zarr", "v1.zarr"]);
        assert!(sandbox.path("ocean/t/v0.zarr/nav_lat").is_dir());
        let store = sandbox.path("ocean/t/v0.zarr");
        reads_back(store.to_str().unwrap(), None, &files);
        let words = ["'v0' is not reprojected", "'coordinates'", "ncatted"];
        let reproject = ["send", "-f", &files[0], "-b", &url, "-p", "r", "-r"];
        refused(&sandbox, 37, &words, &reproject);
        // By name, they are data like any other.
        run(
            ranks,
            &[
                "send", "-f", &files[0], "-b", &url, "-p", "n", "-v", "nav_lat",
            ],
        )
        .well();
        assert!(sandbox.path("ocean/n/nav_lat.zarr").is_dir());
    }
}

#[test]
fn fill_values_that_no_value_equals() {
    let sandbox = Sandbox::new();
    let lines = r#"
def odd(name, dtype, values, **attributes):
    v = f.createVariable(name, dtype, ("time_counter",)); v[:] = np.array(values, dtype)
    for key, value in attributes.items():
        v.setncattr("filler" if key == "_FillValue" else key, value)
    if "_FillValue" in attributes: v.renameAttribute("filler", "_FillValue")
odd("huge", "i2", [1, 2], _FillValue=1e37)
odd("single", "i2", [1, 2], _FillValue=np.float32(1e37))
odd("half", "u1", [1, 2], _FillValue=0.5)
odd("negative", "u1", [1, 255], _FillValue=np.int16(-1))
odd("both", "i2", [1, 2], _FillValue=1e37, missing_value=np.int16(2))
odd("nan", "i4", [1, 2], _FillValue=np.nan)
odd("missing", "i2", [1, 2], missing_value=1e37)
odd("range", "i2", [1, 2], valid_range=np.array([-1e37, 1e37]), valid_min=-1.5, valid_max="many")
odd("double", "f4", [1, 1e20], _FillValue=np.float64(1e20))
odd("beyond", "f4", [1, np.inf], _FillValue=-1.7e308)
odd("whole", "f4", [1, 7], _FillValue=np.int32(7))
"#;
    let names = [
        "huge", "single", "half", "negative", "both", "nan", "missing", "range", "double",
        "beyond", "whole",
    ];
    for version in ["2", "3"] {
        let url = sandbox.url("ocean");
        let files = [0, 2].map(|first| {
            let path = sandbox.path(&format!("{first}.nc"));
            let _ = std::fs::remove_file(path);
            file(&sandbox, &format!("{first}.nc"), first, lines)
        });
        for (file, ranks) in files.iter().zip([1, 3]) {
            let ended = run(
                ranks,
                &[
                    "send", "-f", file, "-b", &url, "-p", version, "-zv", version,
                ],
            )
            .well();
            for name in [
                "huge", "single", "half", "negative", "both", "nan", "beyond",
            ] {
                let note = format!("variable '{name}' has type");
                assert!(ended.stdout.contains(&note), "{name}: {ended:#?}");
            }
            assert!(!ended.stdout.contains("'missing' has type"), "{ended:#?}");
        }
        let compare = r#"
import sys, warnings, numpy as np, xarray as xr
store, *files = sys.argv[1:]
warnings.simplefilter("ignore")
expected = xr.concat([xr.load_dataset(f, decode_times=False) for f in files], "time_counter", data_vars="minimal")
for name in [NAMES]:
    found = xr.open_zarr(f"{store}/{name}.zarr", decode_times=False)[name].load()
    wanted = expected[name]
    same = np.array_equal(found.values, wanted.values, equal_nan=True)
    assert same and found.dtype == wanted.dtype, (name, found.values, found.dtype, wanted.values, wanted.dtype)
"#;
        // Zarr 2 has one fill value, in the type of the values: `double` is masked there as netCDF4 masks it.
        let names = names
            .iter()
            .filter(|name| version == "3" || **name != "double");
        let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
        let names = names.join(", ");
        let mut command = std::process::Command::new(python());
        command.args(["-c", &compare.replace("[NAMES]", &format!("[{names}]"))]);
        command
            .arg(sandbox.path("ocean").join(version))
            .args(&files);
        end(command).well();
        let update = ["update", "-f", &files[0], "-b", &url, "-p", version];
        alone(&update).well();
        alone(&[
            "verify",
            "-b",
            &url,
            "-p",
            version,
            "--against",
            &files[0],
            &files[1],
        ])
        .well();
    }
    let url = sandbox.url("refused");
    for (i, (dtype, value, word)) in [
        ("i2", "np.array([1, 2], 'i2')", "expected one number"),
        ("f4", "'none'", "expected one number"),
        ("i2", "np.inf", "cannot hold"),
    ]
    .into_iter()
    .enumerate()
    {
        let lines = format!(
            r#"
v = f.createVariable("odd", "{dtype}", ("time_counter",)); v[:] = [1, 2]
v.setncattr("filler", {value}); v.renameAttribute("filler", "_FillValue")
"#
        );
        let name = format!("refused{i}.nc");
        let bad = file(&sandbox, &name, 0, &lines);
        let words = [&name, "'odd'", word, "ncatted"];
        refused(
            &sandbox,
            15,
            &words,
            &["send", "-f", &bad, "-b", &url, "-p", "t"],
        );
    }
}

#[test]
fn names_of_files_that_are_not_utf_8() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let files = [(0, &b"caf\xe9_0.nc"[..]), (2, b"caf\xe9_2.nc")].map(|(first, name)| {
        let path = sandbox.path("").join(OsStr::from_bytes(name));
        let written = file(
            &sandbox,
            "written.nc",
            first,
            &on_grid("f4", "None", "", true),
        );
        std::fs::rename(written, &path).unwrap();
        path
    });
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    for file in &files {
        std::fs::copy(file, sandbox.path("folder").join(file.file_name().unwrap())).unwrap();
    }
    let all: Vec<OsString> = files.iter().map(|file| file.into()).collect();
    let folder = vec![sandbox.path("folder").into_os_string()];
    let pattern = vec![sandbox.path("caf*_?.nc").into_os_string()];
    let url = sandbox.url("ocean");
    let run = |ranks: usize, args: &[&str], files: &[OsString]| {
        let mut command = match ranks {
            1 => crate::support::alone_command(args),
            _ => crate::support::ranks_command(ranks, args),
        };
        command.args(files);
        end(command)
    };
    for ranks in [1, 3] {
        for (i, named) in [&all, &folder, &pattern].into_iter().enumerate() {
            let prefix = format!("{ranks}{i}");
            let place = ["-b", &url, "-p", &prefix];
            run(
                ranks,
                &[&["send", "-r"], &place[..], &["-f"]].concat(),
                named,
            )
            .well();
            run(ranks, &[&["update"], &place[..], &["-f"]].concat(), named).well();
            run(
                ranks,
                &[&["verify"], &place[..], &["--against"]].concat(),
                named,
            )
            .well();
            let lent = ["-uc", r#"{"nav_lon": "nav_lon"}"#, "-gf"];
            let domain = run(
                ranks,
                &[&["send"], &place[..], &["-f", "x"], &lent].concat(),
                &all[..1],
            );
            assert_eq!(domain.code, 10, "{domain:#?}");
        }
        let missing = sandbox.path("").join(OsStr::from_bytes(b"no\xe9.nc"));
        let ended = run(ranks, &["send", "-b", &url, "-f"], &[missing.into()]);
        assert_eq!(ended.code, 10, "{ended:#?}");
        assert!(ended.stderr.contains("no\u{fffd}.nc"), "{ended:#?}");
    }
    python_runs(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/same_values.py"),
        &[
            sandbox.path("ocean/10/v0.zarr"),
            sandbox.path("ocean/12/v0.zarr"),
            sandbox.path("ocean/31/v0.zarr"),
        ],
    );
}
