//! The programs in `examples/`, which use the library without its command line.

use std::path::PathBuf;
use std::process::Command;

use nemo_like::Spec;

/// Runs an example, and returns what it printed.
fn run(name: &str, args: &[&PathBuf]) -> String {
    // Where cargo puts it, beside the folder of this test.
    let this = std::env::current_exe().unwrap();
    let built = this.parent().unwrap().parent().unwrap();
    let done = Command::new(built.join("examples").join(name))
        .args(args)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_small_program_sends_a_file_and_another_lists_it() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("ORCA_1m_grid_T_1976.nc");
    nemo_like::write(&file, &Spec::default()).unwrap();
    let bucket = root.path().join("bucket");
    let sent = run("send", &[&bucket, &file]);
    for part in [
        "transactions to come: 1",
        "Planned {",
        "Committed {",
        "transactions: 1",
    ] {
        assert!(sent.contains(part), "{part} is not in {sent}");
    }
    let listed = run("list", &[&bucket]);
    assert!(listed.contains("T1m/tos.zarr:\n  tos ["), "{listed}");
}
