//! xarray and zarr-python read what was reprojected as CF has it, the originals as they are without it, and the values of
//! the nearest cells on the sphere, each found by trying all.

use std::collections::BTreeMap;

use crate::line::msm_os;
use crate::support::{Sandbox, python_runs, real_months, script};

/// The whole globe, as many cells as the source has.
const GLOBE: &str = "-180,-90,180,90";

/// `projected_<variable>` of a store is right to Python readers; `grid` as `tests/python/read_projected.py` has it.
#[track_caller]
fn is_projected(store: &str, variable: &str, method: &str, grid: &str, files: &[&str]) {
    let mut args = vec![store, variable, method, grid];
    args.extend(files);
    python_runs(&script("read_projected.py"), &args);
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
    let [plain, both] = ["plain", "both"].map(|bucket| sandbox.url(bucket));
    let send = msm_os!("send -f {} -p nemo -b", months.join(" "));
    send.and(&plain).well();
    send.and(&format!("{both} -r")).well_on(3);
    let [plain, both] = ["plain", "both"].map(|bucket| originals(sandbox.stores(bucket)));
    assert_eq!(plain, both);
    let store = sandbox.file("both/nemo/tos.zarr");
    let grid = format!("360x330@{GLOBE}");
    let files: Vec<&str> = months.iter().map(String::as_str).collect();
    is_projected(&store, "tos", "nearest", &grid, &files);
    sandbox.reads_back("both/nemo/tos.zarr", &months);
}

#[test]
fn every_method_on_every_form_of_grid() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 2), sandbox.url("ocean"));
    for (i, (method, flags, grid)) in [
        ("nearest", "", "40x30@-180,-90,180,90"),
        ("nearest-lonlat", "--grid 50x20", "50x20@-180,-90,180,90"),
        (
            "bilinear",
            "--resolution 4 --longitudes 0..360",
            "90x45@0,-90,360,90",
        ),
        (
            "conservative",
            "--grid 24x16 --bbox -40,-60,80,70",
            "24x16@-40,-60,80,70",
        ),
        // Over the date line.
        (
            "nearest",
            "--resolution 2.5 --bbox 150,-70,230,90",
            "32x64@150,-70,230,90",
        ),
        ("conservative", "--zarr-version 2", "40x30@-180,-90,180,90"),
    ]
    .into_iter()
    .enumerate()
    {
        let reproject = format!("-r --method {method} {flags}");
        msm_os!("send -f {file} -b {url} -p {i} -v thetao tos {reproject}").well_on(2);
        for variable in ["thetao", "tos"] {
            let store = sandbox.file(&format!("ocean/{i}/{variable}.zarr"));
            is_projected(&store, variable, method, grid, &[&file]);
        }
    }
}

#[test]
fn all_variables_of_one_store() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    msm_os!("send -f {file} -b {url} -p all -v compact -r").well_on(2);
    let (store, grid) = (sandbox.file("ocean/all.zarr"), format!("40x30@{GLOBE}"));
    for variable in ["thetao", "e3t", "tos", "mldr10_1"] {
        is_projected(&store, variable, "nearest", &grid, &[&file]);
    }
    sandbox.reads_back("ocean/all.zarr", &[file]);
}
