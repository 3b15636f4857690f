//! The commands in the pages for who comes from another tool, run on the archives that the pages name, line by line.

use std::path::Path;
use std::process::Command;

use crate::support::{Sandbox, end, input, without_daemon};

/// How the pages say where the archive is.
const PLACES: [&str; 2] = [
    "-b eorca025 -c credentials.json",
    "-c credentials.json -b eorca025",
];

#[test]
fn for_who_comes_from_the_python_msm_os() {
    assert_eq!(run("coming-from-python-msm-os.md"), 21);
}

#[test]
fn for_who_comes_from_oceandatastore() {
    assert_eq!(run("coming-from-oceandatastore.md"), 12);
}

/// Runs the page's commands, each of which ends as it says, and returns how many they are.
fn run(page: &str) -> usize {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(top.join("docs").join(page)).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_msm_os")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut stage: Option<(Sandbox, String)> = None;
    let mut commands = 0;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("<!-- archive: ") {
            let sandbox = Sandbox::new();
            for year in 1976..1979 {
                let file = input(year);
                let name = Path::new(&file).file_name().unwrap().to_str().unwrap();
                std::fs::copy(&file, sandbox.path(name)).unwrap();
            }
            sandbox.unpack(name.trim_end_matches(" -->"), "ocean");
            let url = sandbox.url("ocean");
            stage = Some((sandbox, url));
        }
        let Some(command) = line.strip_prefix("    msm_os ") else {
            continue;
        };
        let (sandbox, url) = stage.as_ref().expect("an archive comes first");
        let (command, code) = command.split_once("# code ").unwrap_or((command, "0"));
        let place = PLACES.iter().find(|place| command.contains(*place));
        let command = command.replace(place.expect("a place"), &format!("-b '{url}'"));
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("msm_os {command}"));
        shell.current_dir(sandbox.path(".")).env("PATH", &path);
        without_daemon(&mut shell);
        let ended = end(shell);
        assert_eq!(ended.code.to_string(), code, "{line}: {ended:#?}");
        commands += 1;
    }
    commands
}
