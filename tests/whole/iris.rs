//! `--method nearest-lonlat` gives what Iris gives, by which the Python tool reprojects: coordinates to 1e-9 degrees, and
//! every value to the bit, but where two cells lie equally far in flat degrees.

use std::path::Path;
use std::process::Command;

use crate::support::{Ended, Sandbox, end, on_ranks, python_of, python_runs, real_months};

/// Sends `files` reprojected as the Python tool does it, and compares `variable` with what Iris makes of them.
#[track_caller]
fn as_iris_has_it(sandbox: &Sandbox, variable: &str, files: &[String]) -> Ended {
    let url = sandbox.url("ocean");
    let files = files.iter().map(String::as_str);
    let mut args = vec!["send", "-f"];
    args.extend(files.clone());
    args.extend(["-b", &url, "-p", "iris", "-v", variable]);
    args.extend(["-r", "--method", "nearest-lonlat"]);
    on_ranks(2, &args).well();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/iris_oracle.py");
    let mut command = Command::new(python_of("tests/.venv-iris"));
    command
        .arg(script)
        .arg(sandbox.path(&format!("ocean/iris/{variable}.zarr")))
        .arg(variable)
        .args(files);
    end(command).well()
}

/// The whole ORCA2 grid but for its southernmost row, with the halo columns left out.
#[test]
fn temperature_on_orca2() {
    let sandbox = Sandbox::new();
    let nemo = real_months();
    let samples = Path::new(&nemo[0]).ancestors().nth(2).unwrap();
    let copy = sandbox.path("orca2.nc").to_str().unwrap().to_owned();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/with_time.py");
    let source = samples.join("orca2_votemper.nc");
    python_runs(&script, &[source.to_str().unwrap(), &copy, "votemper"]);
    let compared = as_iris_has_it(&sandbox, "votemper", &[copy]);
    assert_eq!(
        compared.stdout,
        "votemper: 26640 values, 17321 not missing, as Iris has them but for 31 exact ties\n"
    );
}

/// All that the months hold on the grid.
#[test]
fn surface_temperature_of_the_real_months() {
    let sandbox = Sandbox::new();
    let compared = as_iris_has_it(&sandbox, "tos", &real_months());
    assert_eq!(
        compared.stdout,
        "tos: 356400 values, 235779 not missing, as Iris has them but for 0 exact ties\n"
    );
}
