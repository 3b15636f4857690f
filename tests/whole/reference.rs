//! What users of the reference tool type, with exactly its spellings; and what they move to its successor for.

use serde_json::Value;

use crate::line::msm_os;
use crate::support::{Sandbox, objects, python_runs, quietly, reads_back, script, served};

/// Every row of the reference tool's flag tables, short and long.
#[test]
fn every_flag_of_the_reference_tool() {
    let (sandbox, server, _) = served();
    let credentials = sandbox.credentials(&server);
    let file = sandbox.months(1, 2);
    let chunks = r#"'{"time_counter": 1, "x": 10, "y": 10}'"#;
    // As in its README, without a prefix.
    let plain = msm_os!("send -f {file} -c {credentials} -b ocean");
    plain.well_on(3);
    let short = format!("-p short -a time_counter -v e3t tos -cs {chunks}");
    plain.and(&short).well();
    msm_os!(
        "send --filepaths {file} --credentials {credentials} --bucket ocean --prefix long \
         --append_dim time_counter --variables e3t tos --chunk_strategy {chunks}"
    )
    .well_on(3);
    plain.and("-v compact").well_on(3);
    let changed = sandbox.cut(&file, "eORCA1_1m_grid_T_changed.nc", "1", "add=1");
    let update = msm_os!("update -f {changed} -c {credentials} -b ocean -v e3t");
    // There is one store of all variables, too: it is said which is meant.
    update.and("-p T1m").on(3).refused(47, &[]);
    update.and("--store T1m/e3t.zarr").well_on(3);
    let updated = [sandbox.cut(&file, "kept.nc", "0", ""), changed];
    reads_back("s3://ocean/T1m/e3t.zarr", Some(&server), &updated);
    for (flag, prefix) in [("-r", "r"), ("--reproject", "reproject")] {
        plain.and(&format!("-p {prefix} -v tos {flag}")).well_on(2);
        let key = format!("{prefix}/tos.zarr/projected_tos/zarr.json");
        assert!(objects(&server).contains_key(&key));
    }
    for store in [
        "T1m/tos.zarr",
        "short/e3t.zarr",
        "long/tos.zarr",
        "T1m.zarr",
        "r/tos.zarr",
        "reproject/tos.zarr",
    ] {
        reads_back(&format!("s3://ocean/{store}"), Some(&server), &[&file]);
    }
}

/// A domain file whose coordinates have a leading time of one step, as `domain_cfg.nc` has.
fn domain(sandbox: &Sandbox, name: &str, shape: [usize; 2]) -> String {
    let path = sandbox.file(name);
    quietly(|| {
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
        let file = sandbox.months(1, 2);
        let grid = domain(&sandbox, "domain_cfg.nc", [30, 40]);
        let url = sandbox.url("ocean");
        let coordinates = r#"'{"nav_lon": "glamt", "nav_lat": "gphit"}'"#;
        let [first, second] = [("a", "0"), ("b", "1")]
            .map(|(name, step)| sandbox.cut(&file, &format!("{name}_1m_grid_T.nc"), step, ""));
        let send =
            |file: &str, more: &str| msm_os!("send -f {file} -b {url} -v tos {more}").on(ranks);
        let attributes = r#"-at '{"licence": "OGL", "run": 7}'"#;
        let short = format!("-gf {grid} -uc {coordinates} {attributes}");
        send(&first, &short).well();
        let attributes = r#"--attributes '{"run": 8}'"#;
        let long = format!("--grid-filepath {grid} --update-coords {coordinates} {attributes}");
        send(&second, &long).well();
        // The file as it would be with these coordinates.
        let expected = sandbox.file("expected.nc");
        python_runs(&script("borrow.py"), &[&file, &grid, &expected]);
        sandbox.reads_back("ocean/T1m/tos.zarr", &[expected]);
        let before = sandbox.tree("ocean");
        let root: Value = serde_json::from_slice(&before["T1m/tos.zarr/zarr.json"]).unwrap();
        assert_eq!(root["attributes"]["licence"], "OGL");
        assert_eq!(root["attributes"]["run"], 8);
        let small = domain(&sandbox, "small.nc", [30, 39]);
        let next = sandbox.months(3, 2);
        let other = domain(&sandbox, "domain.nc", [30, 40]);
        let other = sandbox.edited(&other, "moved.nc", |f| {
            let mut longitude = f.variable_mut("glamt").unwrap();
            longitude.put_value(-1.0, [0, 3, 4]).unwrap();
        });
        let lent = |file: &str, coordinates: &str| format!("-gf {file} -uc {coordinates}");
        let cases = [
            (lent(&small, coordinates), 15, "[1, 30, 39]"),
            (lent(&grid, r#"'{"nav_lon": "glamu"}'"#), 14, "glamu"),
            (lent(&grid, r#"'{"lon": "glamt"}'"#), 14, "'lon'"),
            (lent(&grid, "nav_lon"), 2, "--update-coords"),
            (format!("-gf {grid}"), 2, "--update-coords"),
            ("-at [1]".to_owned(), 2, "--attributes"),
            (lent(&other, coordinates), 22, "[3, 4]"),
            (String::new(), 21, "nav_l"),
        ];
        for (more, code, word) in cases {
            send(&next, &more).refused(code, &[word]);
            assert!(sandbox.tree("ocean") == before, "{more}");
        }
    }
}
