//! Bad input: a clear message, its own exit code, nothing written, no secret shown.

use std::path::Path;

use nemo_like::Spec;

use crate::support::{Ended, Sandbox, alone, cut, objects, on_ranks, quietly, server};

/// Refused with `code` and a message that holds each of `words`, alone and on ranks, and nothing below the bucket
/// changed.
#[track_caller]
pub fn refused(sandbox: &Sandbox, code: i32, words: &[&str], args: &[&str]) {
    let before = sandbox.tree("ocean");
    for ended in [alone(args), on_ranks(3, args)] {
        said(&ended, code, words);
        assert!(
            sandbox.tree("ocean") == before,
            "something was written: {ended:#?}"
        );
    }
}

#[track_caller]
fn said(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, code, "{ended:#?}");
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "'{word}' is not in: {}",
            ended.stderr
        );
    }
    assert_eq!(
        ended.stderr.matches("msm_os: ").count(),
        1,
        "only rank 0 speaks, once: {}",
        ended.stderr
    );
    let shown = [&ended.stdout, &ended.stderr];
    assert!(
        shown
            .iter()
            .all(|text| !text.contains("test-secret") && !text.contains("HUSH")),
        "{ended:#?}"
    );
}

pub fn edited(
    sandbox: &Sandbox,
    name: &str,
    file: &str,
    edit: impl Fn(&mut netcdf::FileMut) + Send + Sync,
) -> String {
    let copy = sandbox.path(name);
    std::fs::copy(file, &copy).unwrap();
    quietly(|| edit(&mut netcdf::append(&copy).unwrap()));
    copy.to_str().unwrap().to_owned()
}

#[test]
fn source_files_that_cannot_be_read() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.source(&Spec::default());
    let missing = sandbox.path("eORCA1_1m_grid_T_none.nc");
    refused(
        &sandbox,
        10,
        &["eORCA1_1m_grid_T_none.nc", "cannot be read"],
        &["send", "-f", missing.to_str().unwrap(), "-b", &url],
    );
    let directory = sandbox.path("empty");
    std::fs::create_dir(&directory).unwrap();
    refused(
        &sandbox,
        11,
        &["is a directory without"],
        &["send", "-f", directory.to_str().unwrap(), "-b", &url],
    );
    let whole = std::fs::read(&file).unwrap();
    for (name, share) in [
        ("cut_1m_grid_T_1.nc", 2),
        ("cut_1m_grid_T_2.nc", 10),
        ("cut_1m_grid_T_3.nc", 1000),
    ] {
        let cut = sandbox.path(name);
        std::fs::write(&cut, &whole[..whole.len() - whole.len() / share]).unwrap();
        refused(
            &sandbox,
            12,
            &[name, "truncated"],
            &["send", "-f", cut.to_str().unwrap(), "-b", &url],
        );
    }
    let text = sandbox.path("text_1m_grid_T.nc");
    std::fs::write(&text, "this is no NetCDF file").unwrap();
    refused(
        &sandbox,
        12,
        &["text_1m_grid_T.nc"],
        &["send", "-f", text.to_str().unwrap(), "-b", &url],
    );
    // The second of two files is as bad as the first.
    refused(
        &sandbox,
        12,
        &["text_1m_grid_T.nc"],
        &["send", "-f", &file, text.to_str().unwrap(), "-b", &url],
    );
}

#[test]
fn a_truncated_classic_file_is_noticed_too() {
    use nemo_like::Format::{Cdf5, Classic, Offset64};
    let sandbox = Sandbox::new();
    for (name, format) in [("classic", Classic), ("offset64", Offset64), ("cdf5", Cdf5)] {
        for steps in [1, 3] {
            let file = sandbox.source_called(
                "whole.nc",
                &Spec {
                    format,
                    steps,
                    ..Spec::default()
                },
            );
            let whole = std::fs::read(&file).unwrap();
            let cut = sandbox.path(&format!("{name}_1m_grid_T.nc"));
            std::fs::write(&cut, &whole[..whole.len() - 5000]).unwrap();
            let args = [
                "send",
                "-f",
                cut.to_str().unwrap(),
                "-b",
                &sandbox.url("ocean"),
            ];
            refused(&sandbox, 12, &[name, "truncated"], &args);
            alone(&[
                "send",
                "-f",
                &file,
                "-b",
                &sandbox.url("whole"),
                "-p",
                &format!("{name}{steps}"),
            ])
            .well();
        }
    }
}

#[test]
fn files_without_what_is_asked_for() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.source(&Spec::default());
    let words = ["no dimension 'time'", "'time_counter'"];
    refused(
        &sandbox,
        13,
        &words,
        &["send", "-f", &file, "-b", &url, "-a", "time"],
    );
    let empty = sandbox.source_called(
        "empty_1m_grid_T.nc",
        &Spec {
            steps: 0,
            ..Spec::default()
        },
    );
    refused(
        &sandbox,
        13,
        &["has no steps"],
        &["send", "-f", &empty, "-b", &url],
    );
    refused(
        &sandbox,
        14,
        &["'salt'", "'so'"],
        &["send", "-f", &file, "-b", &url, "-v", "tos", "salt"],
    );
    let unnamed = sandbox.source_called("output.nc", &Spec::default());
    refused(
        &sandbox,
        18,
        &["output.nc", "--prefix"],
        &["send", "-f", &unnamed, "-b", &url],
    );
}

#[test]
fn files_that_do_not_fit_together() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let first = sandbox.source(&Spec {
        steps: 2,
        ..Spec::default()
    });
    let overlapping = sandbox.source(&Spec {
        steps: 2,
        start: "1976-02-01".parse().unwrap(),
        ..Spec::default()
    });
    refused(
        &sandbox,
        16,
        &["overlap"],
        &["send", "-f", &first, &overlapping, "-b", &url],
    );
    refused(
        &sandbox,
        16,
        &["overlap"],
        &["send", "-f", &first, &first, "-b", &url],
    );
    // What only a later file has would be left out.
    let start = "1976-03-01".parse().unwrap();
    let richer = sandbox.source_called(
        "rich_1m_grid_T.nc",
        &Spec {
            start,
            ..Spec::default()
        },
    );
    let poorer = cut(
        &sandbox,
        &first,
        "poor_1m_grid_T.nc",
        "0,1",
        &["drop=tos", "drop=nav_lat"],
    );
    refused(
        &sandbox,
        16,
        &[
            "2 problems",
            "rich_1m_grid_T.nc: has variable 'tos', which the first file lacks",
            "'nav_lat'",
        ],
        &["send", "-f", &poorer, &richer, "-b", &url],
    );
    let wider = Spec {
        grid: "42x30x5".parse().unwrap(),
        start,
        ..Spec::default()
    };
    let wider = sandbox.source_called("wide_1m_grid_T.nc", &wider);
    refused(
        &sandbox,
        16,
        &["wide_1m_grid_T.nc", "[1, 30, 42]"],
        &["send", "-f", &first, &wider, "-b", &url, "-v", "tos"],
    );
    let later = sandbox.source(&Spec {
        start,
        ..Spec::default()
    });
    let moved = edited(&sandbox, "moved_1m_grid_T.nc", &later, |f| {
        f.variable_mut("nav_lat")
            .unwrap()
            .put_value(12.5f32, [3, 4])
            .unwrap();
    });
    let words = ["moved_1m_grid_T.nc", "'nav_lat'", "[3, 4]", "12.5"];
    refused(
        &sandbox,
        22,
        &words,
        &["send", "-f", &first, &moved, "-b", &url, "-v", "tos"],
    );
}

#[test]
fn chunk_strategies_and_codecs() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.source(&Spec::default());
    let send = |strategy: &'static str| {
        ["send", "-f", &file, "-b", &url, "-cs", strategy].map(str::to_owned)
    };
    for (strategy, word) in [
        ("{", "expected JSON"),
        (r#"{"x": 0}"#, "'x' is 0"),
        (r#"{"x": -4}"#, "'x' is -4"),
        (r#"{"x": "ten"}"#, "'x' is"),
        (r#"{"lon": 10}"#, "'lon'"),
    ] {
        refused(
            &sandbox,
            17,
            &[word],
            &send(strategy).each_ref().map(String::as_str),
        );
    }
    refused(
        &sandbox,
        2,
        &["--codec gzip"],
        &["send", "-f", &file, "-b", &url, "--codec", "gzip"],
    );
    refused(&sandbox, 2, &["--bucket"], &["send", "-f", &file]);
    refused(
        &sandbox,
        2,
        &["'..'"],
        &["send", "-f", &file, "-b", &url, "-p", "../up"],
    );
    refused(
        &sandbox,
        2,
        &["'a/tos.zarr'", "choose another"],
        &["send", "-f", &file, "-b", &url, "-p", "a/tos.zarr"],
    );
}

#[test]
fn what_does_not_fit_the_store() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let first = sandbox.source(&Spec::default());
    alone(&["send", "-f", &first, "-b", &url, "-v", "tos", "thetao"]).well();
    let start = "1976-02-01".parse().unwrap();
    let next = Spec {
        start,
        ..Spec::default()
    };
    let good = sandbox.source(&next);
    let send =
        |file: &str| ["send", "-f", file, "-b", &url, "-v", "tos", "-p", "T1m"].map(str::to_owned);
    let refuse = |code, words: &[&str], file: &str| {
        refused(
            &sandbox,
            code,
            words,
            &send(file).each_ref().map(String::as_str),
        );
    };

    let wider = sandbox.source_called(
        "wide.nc",
        &Spec {
            grid: "42x30x5".parse().unwrap(),
            ..next.clone()
        },
    );
    refuse(20, &["T1m/tos.zarr", "'x'", "40", "42"], &wider);
    let moved = edited(&sandbox, "moved.nc", &good, |f| {
        f.variable_mut("nav_lon")
            .unwrap()
            .put_value(7.25f32, [29, 39])
            .unwrap();
    });
    refuse(22, &["moved.nc", "'nav_lon'", "[29, 39]", "7.25"], &moved);
    let packed = edited(&sandbox, "packed.nc", &good, |f| {
        f.variable_mut("tos")
            .unwrap()
            .put_attribute("scale_factor", 0.5f32)
            .unwrap();
    });
    refuse(23, &["'tos'", "scale_factor", "0.5"], &packed);
    let renamed = edited(&sandbox, "units.nc", &good, |f| {
        f.variable_mut("tos")
            .unwrap()
            .put_attribute("units", "K")
            .unwrap();
    });
    refuse(23, &["'tos'", "units", "\"K\""], &renamed);
    let double = sandbox.path("double.nc");
    as_double(Path::new(&good), &double, "tos");
    refuse(
        21,
        &["'tos'", "float32", "float64"],
        double.to_str().unwrap(),
    );
    let chunks = [
        &send(&good)[..],
        &["-cs".to_owned(), r#"{"x": 7}"#.to_owned()],
    ]
    .concat();
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    refused(&sandbox, 17, &["T1m/tos.zarr", "keeps its chunks"], &chunks);
    // Nothing was wrong with the file itself.
    alone(&send(&good).each_ref().map(String::as_str)).well();
}

/// A file like `from` whose variable `name` holds float64.
fn as_double(from: &Path, to: &Path, name: &str) {
    let script = "import sys, xarray as xr
d = xr.open_dataset(sys.argv[1], decode_cf=False)
d[sys.argv[3]] = d[sys.argv[3]].astype('f8')
d[sys.argv[3]].attrs['_FillValue'] = d[sys.argv[3]].dtype.type(1e20)
d.to_netcdf(sys.argv[2], unlimited_dims=['time_counter'])";
    let mut command = std::process::Command::new(crate::support::python());
    command.args([
        "-c",
        script,
        from.to_str().unwrap(),
        to.to_str().unwrap(),
        name,
    ]);
    crate::support::end(command).well();
}

#[test]
fn what_lies_in_the_way_is_left_alone() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.source(&Spec::default());
    let store = sandbox.path("ocean/T1m/tos.zarr");
    std::fs::create_dir_all(&store).unwrap();
    for (name, text, word) in [
        (".zgroup", "{\"zarr_format\": 2}", ".zgroup"),
        ("notes.txt", "mine", "notes.txt"),
        ("zarr.json", "not JSON", "not JSON"),
        (
            "zarr.json",
            "{\"zarr_format\": 3, \"node_type\": \"array\"}",
            "not that of a Zarr v3 group",
        ),
        (
            "zarr.json",
            "{\"zarr_format\": 3, \"node_type\": \"group\"}",
            "no consolidated metadata",
        ),
    ] {
        std::fs::write(store.join(name), text).unwrap();
        refused(
            &sandbox,
            25,
            &["T1m/tos.zarr", word],
            &["send", "-f", &file, "-b", &url, "-v", "tos"],
        );
        std::fs::remove_file(store.join(name)).unwrap();
    }
}

#[test]
fn a_store_that_another_tool_left_half_written() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let first = sandbox.source(&Spec::default());
    alone(&["send", "-f", &first, "-b", &url, "-v", "tos"]).well();
    let root = sandbox.path("ocean/T1m/tos.zarr/zarr.json");
    let text = std::fs::read_to_string(&root).unwrap();
    let grown = text.replacen("\"shape\":[1,30,40]", "\"shape\":[2,30,40]", 1);
    assert_ne!(grown, text);
    std::fs::write(&root, grown).unwrap();
    let start = "1976-02-01".parse().unwrap();
    let next = sandbox.source(&Spec {
        start,
        ..Spec::default()
    });
    let words = ["T1m/tos.zarr", "2 has 'tos'", "recover --truncate"];
    refused(
        &sandbox,
        25,
        &words,
        &["send", "-f", &next, "-b", &url, "-v", "tos"],
    );
}

#[test]
fn servers_and_credentials() {
    let (sandbox, server) = (Sandbox::new(), server());
    let file = sandbox.source(&Spec::default());
    let send = |bucket: &str, credentials: &str| {
        [
            "send",
            "-f",
            &file,
            "-b",
            bucket,
            "-c",
            credentials,
            "-v",
            "tos",
        ]
        .map(str::to_owned)
    };
    let refuse = |code, words: &[&str], bucket: &str, credentials: &str| {
        refused(
            &sandbox,
            code,
            words,
            &send(bucket, credentials).each_ref().map(String::as_str),
        );
        assert!(objects(&server).is_empty());
    };
    let good = sandbox.credentials(&server);
    refuse(31, &["s3://lake", "no such bucket"], "lake", &good);
    let wrong = sandbox.credentials_with("test-key", "HUSH-wrong", &server.endpoint());
    refuse(
        32,
        &["access refused", "SignatureDoesNotMatch"],
        "ocean",
        &wrong,
    );
    let wrong = sandbox.credentials_with("HUSH-nobody", "test-secret", &server.endpoint());
    refuse(32, &["access refused"], "ocean", &wrong);
    let nowhere = sandbox.credentials_with("test-key", "test-secret", "http://127.0.0.1:9");
    refuse(33, &["127.0.0.1:9", "cannot be reached"], "ocean", &nowhere);
    let malformed = sandbox.credentials_with("test-key", "test-secret\", \"x", &server.endpoint());
    std::fs::write(&malformed, "{\"token\": \"test-key\", \"secret\": \"HUSH\"").unwrap();
    refuse(30, &["credentials.json", "not JSON"], "ocean", &malformed);
    refuse(30, &["none.json", "cannot be read"], "ocean", "none.json");
    refused(
        &sandbox,
        30,
        &["no credentials"],
        &["send", "-f", &file, "-b", "ocean"],
    );
    refused(
        &sandbox,
        2,
        &["--bucket"],
        &["send", "-f", &file, "-b", "https://server/ocean"],
    );
}
