//! `--method nearest-lonlat` gives what Iris gives, by which the Python tool reprojects: coordinates to 1e-9 degrees, and
//! every value to the bit, but where two cells lie equally far in flat degrees.

use std::path::Path;
use std::process::Command;

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, python_of, python_runs, real_months, script};
use crate::warm::end_warm;

/// Sends `files` reprojected as the Python tool does it, and compares `variable` with what Iris makes of them.
#[track_caller]
fn as_iris_has_it(sandbox: &Sandbox, variable: &str, files: &[String]) -> Ended {
    let url = sandbox.url("ocean");
    let place = format!("-f {} -b {url} -p iris -v {variable}", files.join(" "));
    msm_os!("send {place} -r --method nearest-lonlat").well_on(2);
    let mut command = Command::new(python_of("tests/.venv-iris"));
    command
        .arg(script("iris_oracle.py"))
        .arg(sandbox.path(&format!("ocean/iris/{variable}.zarr")))
        .arg(variable)
        .args(files);
    end_warm(&command).well()
}

/// The whole ORCA2 grid but for its southernmost row, with the halo columns left out.
#[test]
fn temperature_on_orca2() {
    let sandbox = Sandbox::new();
    let nemo = real_months();
    let samples = Path::new(&nemo[0]).ancestors().nth(2).unwrap();
    let copy = sandbox.file("orca2.nc");
    let source = samples.join("orca2_votemper.nc");
    let args = [source.to_str().unwrap(), &copy, "votemper"];
    python_runs(&script("with_time.py"), &args);
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
