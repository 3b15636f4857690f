//! Fill values that are no value of their variable: kept, with a word, or refused by name.

use crate::line::msm_os;
use crate::support::{Sandbox, python_code};
use crate::texts::file;

/// Variables along time, each with attributes of other types than its own.
const ODD: &str = r#"
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

const NAMES: [&str; 11] = [
    "huge", "single", "half", "negative", "both", "nan", "missing", "range", "double", "beyond",
    "whole",
];

/// Those of which a `_FillValue` marks nothing.
const MARKING_NOTHING: [&str; 7] = [
    "huge", "single", "half", "negative", "both", "nan", "beyond",
];

/// Does xarray read from the stores what it reads from the files?
const COMPARE: &str = r#"
import sys, warnings, numpy as np, xarray as xr
names, store, *files = sys.argv[1:]
warnings.simplefilter("ignore")
expected = xr.concat([xr.load_dataset(f, decode_times=False) for f in files], "time_counter", data_vars="minimal")
for name in names.split(","):
    found = xr.open_zarr(f"{store}/{name}.zarr", decode_times=False)[name].load()
    wanted = expected[name]
    same = np.array_equal(found.values, wanted.values, equal_nan=True)
    assert same and found.dtype == wanted.dtype, (name, found.values, found.dtype, wanted.values, wanted.dtype)
"#;

#[test]
fn kept_as_missing_values() {
    let sandbox = Sandbox::new();
    for version in ["2", "3"] {
        let place = format!("-b {} -p {version}", sandbox.url("ocean"));
        let files = [0, 2].map(|day| file(&sandbox, &format!("{version}-{day}.nc"), day, ODD));
        for (file, ranks) in files.iter().zip([1, 3]) {
            let ended = msm_os!("send -zv {version} -f {file} {place}").well_on(ranks);
            for name in NAMES {
                let told = format!("variable '{name}' has type");
                let told = ended.stdout.contains(&told);
                assert_eq!(told, MARKING_NOTHING.contains(&name), "{name}: {ended:#?}");
            }
        }
        // Zarr 2 has one fill value, in the type of the values: `double` is masked there as netCDF4 masks it.
        let mut names = NAMES.to_vec();
        names.retain(|name| version == "3" || *name != "double");
        let [names, stores] = [names.join(","), sandbox.file(&format!("ocean/{version}"))];
        let [first, second] = &files;
        python_code(COMPARE, &[&names, &stores, first, second]);
        msm_os!("update -f {first} {place}").well();
        msm_os!("verify --against {first} {second} {place}").well();
    }
}

#[test]
fn refused_by_name() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
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
        msm_os!("send -f {bad} -b {url} -p t").refused_in(&sandbox, 15, &words);
    }
}
