//! Flags from the environment and from a file of settings, as they come to all ranks; the unit tests of `src/cli/settings` have the rest.

use crate::line::msm_os;
use crate::support::{Sandbox, command, end};

const PROGRAM: &str = env!("CARGO_BIN_EXE_msm_os");

/// The file of settings of these tests.
fn config(sandbox: &Sandbox) -> String {
    let text = format!(
        "bucket = \"{}\"\nprefix = \"by-file\"\n\n[send]\nvariables = [\"tos\", \"sos\"]\ncodec = \"none\"\n",
        sandbox.url("ocean")
    );
    sandbox.private("ocean.toml", &text)
}

#[test]
fn all_ranks_have_the_settings_of_rank_0() {
    let sandbox = Sandbox::new();
    let (file, config) = (sandbox.months(1, 2), config(&sandbox));
    // mpirun of several hosts forwards no variables: only rank 0 has them, or the others have different ones.
    let by_config = format!("MSM_OS_CONFIG={config}");
    let mut args = vec!["-n", "1", "--oversubscribe", "env", &by_config];
    args.extend(["MSM_OS_PREFIX=by-variable", PROGRAM, "send", "-f", &file]);
    args.extend([":", "-n", "2", "--oversubscribe", "env"]);
    args.extend(["MSM_OS_PREFIX=elsewhere", PROGRAM, "send", "-f", &file]);
    end(command(&["mpirun"], &args)).well();
    sandbox.reads_back(
        "ocean/by-variable/tos.zarr,ocean/by-variable/sos.zarr",
        &[&file],
    );
    let keys: Vec<String> = sandbox.stores("ocean").into_keys().collect();
    let is_asked_for = |key: &String| {
        let stores = ["by-variable/tos.zarr/", "by-variable/sos.zarr/"];
        stores.iter().any(|store| key.starts_with(store))
    };
    assert!(keys.iter().all(is_asked_for), "{keys:#?}");
    let root = sandbox
        .tree("ocean")
        .remove("by-variable/tos.zarr/zarr.json")
        .unwrap();
    assert!(!String::from_utf8(root).unwrap().contains("blosc"));
}

#[test]
fn settings_are_shown_once_and_nothing_is_done() {
    let sandbox = Sandbox::new();
    let (file, config) = (sandbox.months(1, 1), config(&sandbox));
    let line = msm_os!("send -f {file} --config {config} --show-config");
    for ranks in [1, 2] {
        let ended = line.on(ranks).well();
        assert_eq!(ended.stdout.matches("[send]\n").count(), 1, "{ended:#?}");
        ended.says(&["codec = \"none\" ", &format!("# {config}, line 6\n")]);
    }
    assert!(sandbox.tree("ocean").is_empty());
}

#[test]
fn a_file_with_an_unknown_key_is_refused_once() {
    let sandbox = Sandbox::new();
    sandbox.private("ocean.toml", "bucket = \"ocean\"\nprefx = \"x\"\n");
    let config = sandbox.file("ocean.toml");
    let line = msm_os!("list --config {config}");
    line.refused_in(
        &sandbox,
        2,
        &["line 2, column 1", "'prefx'", "did you mean 'prefix'?"],
    );
}
