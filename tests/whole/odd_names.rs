//! Names of files that are not UTF-8: as files, in directories, by patterns, between ranks, and in messages.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::line::{Line, msm_os};
use crate::odd_coordinates::on_grid;
use crate::support::{Sandbox, end, python_runs, script};
use crate::texts::file;

#[test]
fn names_of_files_that_are_not_utf_8() {
    let sandbox = Sandbox::new();
    let lines = on_grid("f4", "None", "", true);
    let files = [(0, &b"caf\xe9_0.nc"[..]), (2, b"caf\xe9_2.nc")].map(|(first, name)| {
        let path = sandbox.path("").join(OsStr::from_bytes(name));
        let written = file(&sandbox, "written.nc", first, &lines);
        std::fs::rename(written, &path).unwrap();
        path
    });
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    for file in &files {
        std::fs::copy(file, sandbox.path("folder").join(file.file_name().unwrap())).unwrap();
    }
    let all: Vec<OsString> = files.iter().map(OsString::from).collect();
    let folder = vec![sandbox.path("folder").into_os_string()];
    let pattern = vec![sandbox.path("caf*_?.nc").into_os_string()];
    let url = sandbox.url("ocean");
    let run = |ranks: usize, line: Line, files: &[OsString]| {
        let mut command = line.command(ranks);
        command.args(files);
        end(command)
    };
    for ranks in [1, 3] {
        for (i, named) in [&all, &folder, &pattern].into_iter().enumerate() {
            let place = format!("{ranks}{i}");
            for line in [
                msm_os!("send -r -b {url} -p {place} -f"),
                msm_os!("update -b {url} -p {place} -f"),
                msm_os!("verify -b {url} -p {place} --against"),
            ] {
                run(ranks, line, named).well();
            }
            let lent = r#"-uc '{"nav_lon": "nav_lon"}'"#;
            let line = msm_os!("send -r -b {url} -p lent{place} {lent}");
            let [own, lender] = [all[0].clone(), all[1].clone()];
            run(ranks, line, &["-f".into(), own, "-gf".into(), lender]).well();
        }
        let missing = sandbox.path("").join(OsStr::from_bytes(b"no\xe9.nc"));
        let ended = run(ranks, msm_os!("send -b {url} -f"), &[missing.into()]);
        ended.refused(10, &["no\u{fffd}.nc"]);
    }
    let stores = ["10", "12", "31"].map(|place| sandbox.path(&format!("ocean/{place}/v0.zarr")));
    python_runs(&script("same_values.py"), &stores);
}
