//! What users of the reference tool type, with exactly its spellings; and what they move to its successor for.

use nemo_like::Spec;
use serde_json::Value;

use crate::support::{Sandbox, alone, cut, on_ranks, reads_back, server};

/// Every row of the reference tool's flag tables, short and long.
#[test]
fn every_flag_of_the_reference_tool() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = sandbox.source(&Spec {
        steps: 2,
        ..Spec::default()
    });
    let chunks = r#"{"time_counter": 1, "x": 10, "y": 10}"#;
    // As in its README, without a prefix.
    let plain = ["send", "-f", &file, "-c", &credentials, "-b", "ocean"];
    on_ranks(3, &plain).well();
    let short = [
        "-p",
        "short",
        "-a",
        "time_counter",
        "-v",
        "e3t",
        "tos",
        "-cs",
        chunks,
    ];
    alone(&[&plain[..], &short].concat()).well();
    let long = [
        "send",
        "--filepaths",
        &file,
        "--credentials",
        &credentials,
        "--bucket",
        "ocean",
        "--prefix",
        "long",
        "--append_dim",
        "time_counter",
        "--variables",
        "e3t",
        "tos",
        "--chunk_strategy",
        chunks,
    ];
    on_ranks(3, &long).well();
    let compact = [&plain[..], &["-v", "compact"]].concat();
    on_ranks(3, &compact).well();
    let changed = cut(
        &sandbox,
        &file,
        "eORCA1_1m_grid_T_changed.nc",
        "1",
        &["add=1"],
    );
    let update = [
        "update",
        "-f",
        &changed,
        "-c",
        &credentials,
        "-b",
        "ocean",
        "-v",
        "e3t",
    ];
    // There is one store of all variables, too: it is said which is meant.
    let both = on_ranks(3, &[&update[..], &["-p", "T1m"]].concat());
    assert_eq!(both.code, 47, "{both:#?}");
    on_ranks(3, &[&update[..], &["--store", "T1m/e3t.zarr"]].concat()).well();
    let updated = [cut(&sandbox, &file, "kept.nc", "0", &[]), changed];
    reads_back("s3://ocean/T1m/e3t.zarr", Some(&server), &updated);
    for store in [
        "T1m/tos.zarr",
        "short/e3t.zarr",
        "long/tos.zarr",
        "T1m.zarr",
    ] {
        reads_back(
            &format!("s3://ocean/{store}"),
            Some(&server),
            std::slice::from_ref(&file),
        );
    }
    for (flag, prefix) in [("-r", "r"), ("--reproject", "reproject")] {
        let reproject = [&plain[..], &["-p", prefix, "-v", "tos", flag]].concat();
        on_ranks(2, &reproject).well();
        let store = format!("s3://ocean/{prefix}/tos.zarr");
        reads_back(&store, Some(&server), std::slice::from_ref(&file));
        let key = format!("{prefix}/tos.zarr/projected_tos/zarr.json");
        assert!(crate::support::objects(&server).contains_key(&key));
    }
}

/// A domain file whose coordinates have a leading time of one step, as `domain_cfg.nc` has.
fn domain(sandbox: &Sandbox, name: &str, shape: [usize; 2]) -> String {
    let path = sandbox.path(name).to_str().unwrap().to_owned();
    crate::support::quietly(|| {
        let mut file = netcdf::create(&path).unwrap();
        file.add_dimension("t", 1).unwrap();
        file.add_dimension("y", shape[0]).unwrap();
        file.add_dimension("x", shape[1]).unwrap();
        for (name, offset) in [("glamt", 0.25), ("gphit", 0.5)] {
            let values: Vec<f64> = (0..shape[0] * shape[1])
                .map(|i| i as f64 * 0.1 + offset)
                .collect();
            let mut variable = file.add_variable::<f64>(name, &["t", "y", "x"]).unwrap();
            variable.put_values(&values, ..).unwrap();
        }
    });
    path
}

#[test]
fn coordinates_from_a_domain_file_and_global_attributes() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let spec = Spec {
            steps: 2,
            ..Spec::default()
        };
        let file = sandbox.source(&spec);
        let grid = domain(&sandbox, "domain_cfg.nc", [30, 40]);
        let url = sandbox.url("ocean");
        let coordinates = r#"{"nav_lon": "glamt", "nav_lat": "gphit"}"#;
        let first = cut(&sandbox, &file, "a_1m_grid_T.nc", "0", &[]);
        let second = cut(&sandbox, &file, "b_1m_grid_T.nc", "1", &[]);
        let send = |file: &str, more: &[&str]| {
            on_ranks(
                ranks,
                &[&["send", "-f", file, "-b", &url, "-v", "tos"], more].concat(),
            )
        };
        let short = [
            "-gf",
            &grid,
            "-uc",
            coordinates,
            "-at",
            r#"{"licence": "OGL", "run": 7}"#,
        ];
        send(&first, &short).well();
        let long = [
            "--grid-filepath",
            &grid,
            "--update-coords",
            coordinates,
            "--attributes",
            r#"{"run": 8}"#,
        ];
        send(&second, &long).well();
        // The file as it would be with these coordinates.
        let expected = sandbox.path("expected.nc").to_str().unwrap().to_owned();
        let script =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/borrow.py");
        crate::support::python_runs(&script, &[&file, &grid, &expected]);
        reads_back(
            sandbox.path("ocean/T1m/tos.zarr").to_str().unwrap(),
            None,
            &[expected],
        );
        let before = sandbox.tree("ocean");
        let root: Value = serde_json::from_slice(&before["T1m/tos.zarr/zarr.json"]).unwrap();
        assert_eq!(
            (&root["attributes"]["licence"], &root["attributes"]["run"]),
            (&"OGL".into(), &8.into())
        );
        let small = domain(&sandbox, "small.nc", [30, 39]);
        let next = sandbox.source(&Spec {
            start: "1976-03-01".parse().unwrap(),
            ..spec.clone()
        });
        let other = domain(&sandbox, "moved.nc", [30, 40]);
        crate::support::quietly(|| {
            let mut file = netcdf::append(&other).unwrap();
            file.variable_mut("glamt")
                .unwrap()
                .put_value(-1.0, [0, 3, 4])
                .unwrap();
        });
        let cases = [
            (vec!["-gf", &small, "-uc", coordinates], 15, "[1, 30, 39]"),
            (
                vec!["-gf", &grid, "-uc", r#"{"nav_lon": "glamu"}"#],
                14,
                "glamu",
            ),
            (
                vec!["-gf", &grid, "-uc", r#"{"lon": "glamt"}"#],
                14,
                "'lon'",
            ),
            (vec!["-gf", &grid, "-uc", "nav_lon"], 2, "--update-coords"),
            (vec!["-gf", &grid], 2, "--update-coords"),
            (vec!["-at", "[1]"], 2, "--attributes"),
            (vec!["-gf", &other, "-uc", coordinates], 22, "[3, 4]"),
            (vec![], 21, "nav_l"),
        ];
        for (more, code, word) in cases {
            let refused = send(&next, &more);
            assert!(
                refused.code == code && refused.stderr.contains(word),
                "{more:?}: {refused:#?}"
            );
            assert!(sandbox.tree("ocean") == before);
        }
    }
}
