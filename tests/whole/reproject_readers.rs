//! xarray and zarr-python read what was reprojected as CF has it, the originals as they are without it, and the values of
//! the nearest cells on the sphere, each found by trying all.

use std::collections::BTreeMap;
use std::path::Path;

use nemo_like::Spec;

use crate::support::{Sandbox, alone, on_ranks, python_runs, reads_back, real_months};

/// The whole globe, as many cells as the source has.
const GLOBE: &str = "-180,-90,180,90";

/// `projected_<variable>` of a store is right to Python readers; `grid` as `tests/python/read_projected.py` has it.
#[track_caller]
fn is_projected(store: &Path, variable: &str, method: &str, grid: &str, files: &[String]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read_projected.py");
    let mut args = vec![store.to_str().unwrap(), variable, method, grid];
    args.extend(files.iter().map(String::as_str));
    python_runs(&script, &args);
}

/// The objects of arrays that files have, by key.
fn originals(mut objects: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let root = ["zarr.json", ".zmetadata"];
    objects.retain(|key, _| {
        let (store, inside) = key.split_once(".zarr/").unwrap();
        assert!(!store.is_empty());
        !inside.starts_with("projected_") && !root.contains(&inside)
    });
    objects
}

#[test]
fn the_real_months_have_the_nearest_cells_values() {
    let sandbox = Sandbox::new();
    let months = real_months();
    let (plain, both) = (sandbox.url("plain"), sandbox.url("both"));
    let files: Vec<&str> = months.iter().map(String::as_str).collect();
    let send = [&["send", "-f"], &files[..], &["-p", "nemo", "-b"]].concat();
    alone(&[&send[..], &[&plain]].concat()).well();
    on_ranks(3, &[&send[..], &[&both, "-r"]].concat()).well();
    assert_eq!(
        originals(sandbox.stores("plain")),
        originals(sandbox.stores("both"))
    );
    let store = sandbox.path("both/nemo/tos.zarr");
    let grid = format!("360x330@{GLOBE}");
    is_projected(&store, "tos", "nearest", &grid, &months);
    reads_back(store.to_str().unwrap(), None, &months);
}

#[test]
fn every_method_on_every_form_of_grid() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec {
        steps: 2,
        ..Spec::default()
    });
    let cases: [(&str, &[&str], &str); 6] = [
        ("nearest", &[], "40x30@-180,-90,180,90"),
        (
            "nearest-lonlat",
            &["--grid", "50x20"],
            "50x20@-180,-90,180,90",
        ),
        (
            "bilinear",
            &["--resolution", "4", "--longitudes", "0..360"],
            "90x45@0,-90,360,90",
        ),
        (
            "conservative",
            &["--grid", "24x16", "--bbox", "-40,-60,80,70"],
            "24x16@-40,-60,80,70",
        ),
        // Over the date line.
        (
            "nearest",
            &["--resolution", "2.5", "--bbox", "150,-70,230,90"],
            "32x64@150,-70,230,90",
        ),
        (
            "conservative",
            &["--zarr-version", "2"],
            "40x30@-180,-90,180,90",
        ),
    ];
    let url = sandbox.url("ocean");
    for (i, (method, flags, grid)) in cases.into_iter().enumerate() {
        let prefix = i.to_string();
        let send = ["send", "-f", &file, "-b", &url, "-p", &prefix, "-v"];
        let reproject = ["thetao", "tos", "-r", "--method", method];
        on_ranks(2, &[&send[..], &reproject, flags].concat()).well();
        for variable in ["thetao", "tos"] {
            let store = sandbox.path(&format!("ocean/{i}/{variable}.zarr"));
            is_projected(&store, variable, method, grid, std::slice::from_ref(&file));
        }
    }
}

#[test]
fn all_variables_of_one_store() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec::default());
    let url = sandbox.url("ocean");
    let send = [
        "send", "-f", &file, "-b", &url, "-p", "all", "-v", "compact", "-r",
    ];
    on_ranks(2, &send).well();
    let store = sandbox.path("ocean/all.zarr");
    for variable in ["thetao", "e3t", "tos", "mldr10_1"] {
        let grid = format!("40x30@{GLOBE}");
        is_projected(
            &store,
            variable,
            "nearest",
            &grid,
            std::slice::from_ref(&file),
        );
    }
    reads_back(store.to_str().unwrap(), None, &[file]);
}
