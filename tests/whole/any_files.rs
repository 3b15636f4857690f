//! All NetCDF files of a directory, whatever they are: sent right, or refused with a documented code.
//!
//! `MSM_OS_TEST_FILES=DIRECTORY` says which; without it there are none.

use std::path::{Path, PathBuf};

use crate::support::{Sandbox, end, python};

/// What the files of a directory that are NetCDF end with.
const ENDINGS: [&str; 3] = ["nc", "nc4", "cdf"];

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn right_or_refused_by_name() {
    let Some(directory) = std::env::var_os("MSM_OS_TEST_FILES") else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/any_file.py");
    let mut failed = Vec::new();
    for file in files(Path::new(&directory)) {
        let sandbox = Sandbox::new();
        let mut command = std::process::Command::new(python());
        command
            .arg(&script)
            .args([
                env!("CARGO_BIN_EXE_msm_os").as_ref(),
                sandbox.path("").as_os_str(),
            ])
            .arg(&file)
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        let ended = end(command);
        println!(
            "{}{}",
            ended.stdout,
            if ended.code == 0 { "" } else { &ended.stderr }
        );
        if ended.code != 0 {
            failed.push(file);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
