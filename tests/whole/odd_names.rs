//! Names of files that are not UTF-8: as files, in directories, by patterns, between ranks, and in messages.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::odd_coordinates::on_grid;
use crate::support::{Sandbox, alone_command, end, python_runs, ranks_command};
use crate::texts::file;

#[test]
fn names_of_files_that_are_not_utf_8() {
    let sandbox = Sandbox::new();
    let files = [(0, &b"caf\xe9_0.nc"[..]), (2, b"caf\xe9_2.nc")].map(|(first, name)| {
        let path = sandbox.path("").join(OsStr::from_bytes(name));
        let written = file(
            &sandbox,
            "written.nc",
            first,
            &on_grid("f4", "None", "", true),
        );
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
    let run = |ranks: usize, args: &[&str], files: &[OsString]| {
        let mut command = match ranks {
            1 => alone_command(args),
            _ => ranks_command(ranks, args),
        };
        command.args(files);
        end(command)
    };
    for ranks in [1, 3] {
        for (i, named) in [&all, &folder, &pattern].into_iter().enumerate() {
            let prefix = format!("{ranks}{i}");
            let place = ["-b", &url, "-p", &prefix];
            run(
                ranks,
                &[&["send", "-r"], &place[..], &["-f"]].concat(),
                named,
            )
            .well();
            run(ranks, &[&["update"], &place[..], &["-f"]].concat(), named).well();
            run(
                ranks,
                &[&["verify"], &place[..], &["--against"]].concat(),
                named,
            )
            .well();
            let lent = ["-uc", r#"{"nav_lon": "nav_lon"}"#];
            let flags: [OsString; 4] = ["-f".into(), all[0].clone(), "-gf".into(), all[1].clone()];
            let place = ["-b", &url, "-p", &format!("lent{prefix}")];
            run(
                ranks,
                &[&["send", "-r"], &place[..], &lent].concat(),
                &flags,
            )
            .well();
        }
        let missing = sandbox.path("").join(OsStr::from_bytes(b"no\xe9.nc"));
        let ended = run(ranks, &["send", "-b", &url, "-f"], &[missing.into()]);
        assert_eq!(ended.code, 10, "{ended:#?}");
        assert!(ended.stderr.contains("no\u{fffd}.nc"), "{ended:#?}");
    }
    python_runs(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/same_values.py"),
        &[
            sandbox.path("ocean/10/v0.zarr"),
            sandbox.path("ocean/12/v0.zarr"),
            sandbox.path("ocean/31/v0.zarr"),
        ],
    );
}
