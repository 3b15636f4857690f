//! Bad input: a clear message, its own exit code, nothing written, no secret shown.

use nemo_like::Spec;

use crate::line::msm_os;
use crate::support::{Sandbox, objects, python_code, served};

#[test]
fn source_files_that_cannot_be_read() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let refused = |file: &str, code, words: &[&str]| {
        msm_os!("send -f {file} -b {url}").refused_in(&sandbox, code, words);
    };
    let missing = sandbox.file("eORCA1_1m_grid_T_none.nc");
    let words = ["eORCA1_1m_grid_T_none.nc", "cannot be read"];
    refused(&missing, 10, &words);
    let directory = sandbox.file("empty");
    std::fs::create_dir(&directory).unwrap();
    refused(&directory, 11, &["is a directory without"]);
    let whole = std::fs::read(&file).unwrap();
    for (name, share) in [
        ("cut_1m_grid_T_1.nc", 2),
        ("cut_1m_grid_T_2.nc", 10),
        ("cut_1m_grid_T_3.nc", 1000),
    ] {
        let cut = sandbox.file(name);
        std::fs::write(&cut, &whole[..whole.len() - whole.len() / share]).unwrap();
        refused(&cut, 12, &[name, "truncated"]);
    }
    let text = sandbox.file("text_1m_grid_T.nc");
    std::fs::write(&text, "this is no NetCDF file").unwrap();
    // The second of two files is as bad as the first.
    for files in [&text, &format!("{file} {text}")] {
        refused(files, 12, &["text_1m_grid_T.nc"]);
    }
}

#[test]
fn a_truncated_classic_file_is_noticed_too() {
    use nemo_like::Format::{Cdf5, Classic, Offset64};
    let sandbox = Sandbox::new();
    let [ocean, other] = ["ocean", "whole"].map(|bucket| sandbox.url(bucket));
    for (name, format) in [("classic", Classic), ("offset64", Offset64), ("cdf5", Cdf5)] {
        for steps in [1, 3] {
            let spec = Spec {
                format,
                steps,
                ..Spec::default()
            };
            let file = sandbox.source_called("whole.nc", &spec);
            let whole = std::fs::read(&file).unwrap();
            let cut = sandbox.file(&format!("{name}_1m_grid_T.nc"));
            std::fs::write(&cut, &whole[..whole.len() - 5000]).unwrap();
            let words = [name, "truncated"];
            msm_os!("send -f {cut} -b {ocean}").refused_in(&sandbox, 12, &words);
            msm_os!("send -f {file} -b {other} -p {name}{steps}").well();
        }
    }
}

#[test]
fn files_without_what_is_asked_for() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.months(1, 1);
    let none = Spec {
        steps: 0,
        ..Spec::default()
    };
    let empty = sandbox.source_called("empty_1m_grid_T.nc", &none);
    let unnamed = sandbox.source_called("output.nc", &Spec::default());
    let refused = |line: &str, code, words: &[&str]| {
        msm_os!("send -b {url} -f {line}").refused_in(&sandbox, code, words);
    };
    let words = ["no dimension 'time'", "'time_counter'"];
    refused(&format!("{file} -a time"), 13, &words);
    refused(&empty, 13, &["has no steps"]);
    refused(&format!("{file} -v tos salt"), 14, &["'salt'", "'so'"]);
    refused(
        &format!("{file} -v so,thetoa"),
        14,
        &["'thetoa'", "did you mean 'thetao'?"],
    );
    let words = ["did you mean 'time_counter'?"];
    refused(&format!("{file} -a time_conter"), 13, &words);
    let chunks = "-cs '{\"depth\": 1}'";
    refused(&format!("{file} {chunks}"), 17, &["did you mean 'deptht'?"]);
    refused(&format!("{file} -v tos,"), 2, &["--variables"]);
    refused(&unnamed, 18, &["output.nc", "--prefix"]);
}

#[test]
fn stores_by_names_that_are_nearly_theirs() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [1, 2].map(|month| sandbox.months(month, 1)).join(" ");
    let sent = msm_os!("send -b {url} -f {files} -v thetao,so").well();
    // Which file each of the plans is of.
    sent.says(&["plan 1 of 2: 1976-01-16", "plan 2 of 2: 1976-02-15", ".nc)"]);
    assert!(!sent.stdout.contains("onditional"), "{sent:#?}");
    for line in ["verify", "rollback", "delete --yes"] {
        msm_os!("{line} -b {url} -p T1m -v tetao").refused_in(
            &sandbox,
            27,
            &["did you mean 'thetao'?"],
        );
    }
    let far = msm_os!("rollback -b {url} -p T1m -v qt_oce").alone();
    far.refused(27, &["thetao.zarr"]);
    assert!(!far.stderr.contains("did you mean"), "{far:#?}");
    msm_os!("verify -b {url} -p T1m -v thetao,so").well();
}

#[test]
fn files_that_do_not_fit_together() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let refused = |files: &str, code, words: &[&str]| {
        msm_os!("send -b {url} -f {files}").refused_in(&sandbox, code, words);
    };
    let first = sandbox.months(1, 2);
    for second in [&sandbox.months(2, 2), &first] {
        refused(&format!("{first} {second}"), 16, &["overlap"]);
    }
    // What only a later file has would be left out.
    let start = "1976-03-01".parse().unwrap();
    let spec = Spec {
        start,
        ..Spec::default()
    };
    let richer = sandbox.source_called("rich_1m_grid_T.nc", &spec);
    let dropped = "drop=tos drop=nav_lat";
    let poorer = sandbox.cut(&first, "poor_1m_grid_T.nc", "0,1", dropped);
    let words = [
        "2 problems",
        "rich_1m_grid_T.nc: has variable 'tos', which the first file lacks",
        "'nav_lat'",
    ];
    refused(&format!("{poorer} {richer}"), 16, &words);
    let wider = Spec {
        grid: "42x30x5".parse().unwrap(),
        ..spec
    };
    let wider = sandbox.source_called("wide_1m_grid_T.nc", &wider);
    let words = ["wide_1m_grid_T.nc", "[1, 30, 42]"];
    refused(&format!("{first} {wider} -v tos"), 16, &words);
    let later = sandbox.months(3, 1);
    let moved = sandbox.edited(&later, "moved_1m_grid_T.nc", |f| {
        let mut latitude = f.variable_mut("nav_lat").unwrap();
        latitude.put_value(12.5f32, [3, 4]).unwrap();
    });
    let words = ["moved_1m_grid_T.nc", "'nav_lat'", "[3, 4]", "12.5"];
    refused(&format!("{first} {moved} -v tos"), 22, &words);
}

#[test]
fn chunk_strategies_and_codecs() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let refused = |flags: &str, code, words: &[&str]| {
        msm_os!("send -f {file} {flags}").refused_in(&sandbox, code, words);
    };
    for (strategy, word) in [
        ("{", "expected JSON"),
        (r#"{"x": 0}"#, "'x' is 0"),
        (r#"{"x": -4}"#, "'x' is -4"),
        (r#"{"x": "ten"}"#, "'x' is"),
        (r#"{"lon": 10}"#, "'lon'"),
    ] {
        refused(&format!("-b {url} -cs '{strategy}'"), 17, &[word]);
    }
    let codec = ["--codec gzip"];
    refused(&format!("-b {url} --codec gzip"), 2, &codec);
    refused("", 2, &["--bucket"]);
    refused(&format!("-b {url} -p ../up"), 2, &["'..'"]);
    let words = ["'a/tos.zarr'", "choose another"];
    refused(&format!("-b {url} -p a/tos.zarr"), 2, &words);
    refused("-b https://server/ocean", 2, &["--bucket"]);
}

#[test]
fn what_does_not_fit_the_store() {
    let sandbox = Sandbox::new();
    let (first, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    msm_os!("send -f {first} -b {url} -v tos thetao").well();
    let good = sandbox.months(2, 1);
    let send = |file: &str| msm_os!("send -f {file} -b {url} -v tos -p T1m");
    let refuse = |code, words: &[&str], file: &str| {
        send(file).refused_in(&sandbox, code, words);
    };

    let wider = Spec {
        start: "1976-02-01".parse().unwrap(),
        grid: "42x30x5".parse().unwrap(),
        ..Spec::default()
    };
    let wider = sandbox.source_called("wide.nc", &wider);
    refuse(20, &["T1m/tos.zarr", "'x'", "40", "42"], &wider);
    let moved = sandbox.edited(&good, "moved.nc", |f| {
        let mut longitude = f.variable_mut("nav_lon").unwrap();
        longitude.put_value(7.25f32, [29, 39]).unwrap();
    });
    refuse(22, &["moved.nc", "'nav_lon'", "[29, 39]", "7.25"], &moved);
    let packed = sandbox.edited(&good, "packed.nc", |f| {
        let mut tos = f.variable_mut("tos").unwrap();
        tos.put_attribute("scale_factor", 0.5f32).unwrap();
    });
    refuse(23, &["'tos'", "scale_factor", "0.5"], &packed);
    let renamed = sandbox.edited(&good, "units.nc", |f| {
        let mut tos = f.variable_mut("tos").unwrap();
        tos.put_attribute("units", "K").unwrap();
    });
    refuse(23, &["'tos'", "units", "\"K\""], &renamed);
    let double = sandbox.file("double.nc");
    as_double(&good, &double, "tos");
    refuse(21, &["'tos'", "float32", "float64"], &double);
    let chunks = send(&good).and(r#"-cs '{"x": 7}'"#);
    chunks.refused_in(&sandbox, 17, &["T1m/tos.zarr", "keeps its chunks"]);
    // Nothing was wrong with the file itself.
    send(&good).well();
}

/// A file like `from` whose variable `name` holds float64.
fn as_double(from: &str, to: &str, name: &str) {
    let script = "import sys, xarray as xr
d = xr.open_dataset(sys.argv[1], decode_cf=False)
d[sys.argv[3]] = d[sys.argv[3]].astype('f8')
d[sys.argv[3]].attrs['_FillValue'] = d[sys.argv[3]].dtype.type(1e20)
d.to_netcdf(sys.argv[2], unlimited_dims=['time_counter'])";
    python_code(script, &[from, to, name]);
}

#[test]
fn what_lies_in_the_way_is_left_alone() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let store = sandbox.path("ocean/T1m/tos.zarr");
    std::fs::create_dir_all(&store).unwrap();
    let array = r#"{"zarr_format": 3, "node_type": "array"}"#;
    let group = r#"{"zarr_format": 3, "node_type": "group"}"#;
    for (name, text, word) in [
        (".zgroup", r#"{"zarr_format": 2}"#, ".zgroup"),
        ("notes.txt", "mine", "notes.txt"),
        ("zarr.json", "not JSON", "not JSON"),
        ("zarr.json", array, "not that of a Zarr v3 group"),
        ("zarr.json", group, "no consolidated metadata"),
    ] {
        std::fs::write(store.join(name), text).unwrap();
        let words = ["T1m/tos.zarr", word];
        msm_os!("send -f {file} -b {url} -v tos").refused_in(&sandbox, 25, &words);
        std::fs::remove_file(store.join(name)).unwrap();
    }
}

#[test]
fn a_store_that_another_tool_left_half_written() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let [first, next] = [1, 2].map(|month| sandbox.months(month, 1));
    msm_os!("send -f {first} -b {url} -v tos").well();
    let root = sandbox.path("ocean/T1m/tos.zarr/zarr.json");
    let text = std::fs::read_to_string(&root).unwrap();
    let grown = text.replacen("\"shape\":[1,30,40]", "\"shape\":[2,30,40]", 1);
    assert_ne!(grown, text);
    std::fs::write(&root, grown).unwrap();
    let words = ["T1m/tos.zarr", "2 has 'tos'", "recover --truncate"];
    msm_os!("send -f {next} -b {url} -v tos").refused_in(&sandbox, 25, &words);
}

#[test]
fn servers_and_credentials() {
    let (sandbox, server, _) = served();
    let (file, endpoint) = (sandbox.months(1, 1), server.endpoint());
    let refuse = |code, words: &[&str], bucket: &str| {
        msm_os!("send -f {file} -b {bucket} -v tos").refused_in(&sandbox, code, words);
        assert!(objects(&server).is_empty());
    };
    let with = |bucket: &str, key: &str, secret: &str, endpoint: &str| {
        let file = sandbox.credentials_with(key, secret, endpoint);
        format!("{bucket} -c {file}")
    };
    let (key, secret) = ("test-key", "test-secret");
    let lake = with("lake", key, secret, &endpoint);
    refuse(31, &["s3://lake", "no such bucket"], &lake);
    let wrong = with("ocean", key, "HUSH-wrong", &endpoint);
    refuse(32, &["access refused", "SignatureDoesNotMatch"], &wrong);
    let nobody = with("ocean", "HUSH-nobody", secret, &endpoint);
    refuse(32, &["access refused"], &nobody);
    let nowhere = with("ocean", key, secret, "http://127.0.0.1:9");
    refuse(33, &["127.0.0.1:9", "cannot be reached"], &nowhere);
    let malformed = r#"{"token": "test-key", "secret": "HUSH""#;
    std::fs::write(sandbox.path("credentials.json"), malformed).unwrap();
    refuse(30, &["credentials.json", "not JSON"], &nowhere);
    refuse(30, &["none.json", "cannot be read"], "ocean -c none.json");
    msm_os!("send -f {file} -b ocean").refused_in(&sandbox, 30, &["no credentials"]);
}
