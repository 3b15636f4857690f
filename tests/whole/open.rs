//! `open`: the lines that it prints are run as they are, and the catalogue entries that it writes are loaded, in an environment that has
//! what the lines tell to install.

use std::process::Command;

use s3_server::{Config, Server};
use serde_json::Value;

use crate::any_store::Archive;
use crate::line::{Line, msm_os};
use crate::support::{Ended, Sandbox, end, input, objects, python_of, python_runs, script, served};
use crate::warm::end_warm;

/// An environment's variables.
type Variables<'a> = &'a [(&'a str, &'a str)];

const FRESH: &str = "tests/.venv-open";

/// What `line` prints, and what becomes of it when Python runs that; both with these `variables`. It opens what is in `file`.
#[track_caller]
fn run(sandbox: &Sandbox, line: &Line, variables: Variables, file: &str) -> (String, Ended) {
    let mut command = line.command(1);
    command.envs(variables.iter().copied());
    let printed = end(command).well();
    printed.hushed();
    let path = sandbox.file("open.py");
    std::fs::write(&path, &printed.stdout).unwrap();
    let mut python = Command::new(python_of(FRESH));
    python.arg(script("run_lines.py")).args([&path, file]);
    // A fork has the variables of the tests.
    python.envs([
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_CONFIG_FILE", "/dev/null"),
    ]);
    python.envs(variables.iter().copied());
    (printed.stdout, end_warm(&python).well())
}

#[test]
fn keys_are_read_from_where_they_were_found() {
    let sandbox = Sandbox::new();
    let server = Server::start(Config {
        session_token: Some("test-session/+=".to_owned()),
        ..Config::default()
    });
    let server = server.unwrap();
    let url = &server.endpoint();
    let file = input(1976);
    let json = sandbox.private(
        "c.json",
        &format!(
            r#"{{"token": "test-key", "secret": "test-secret", "session_token": "test-session/+=", "endpoint_url": "{url}",
                "region": "eu-west-2"}}"#
        ),
    );
    let profile = sandbox.private(
        "credentials",
        "[lab]\naws_access_key_id = test-key\naws_secret_access_key = test-secret\naws_session_token = test-session/+=\n",
    );
    let config = sandbox.private("config", &format!("[profile lab]\nendpoint_url = {url}\n"));
    let environment = [
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "test-secret"),
        ("AWS_SESSION_TOKEN", "test-session/+="),
        ("AWS_ENDPOINT_URL", url),
    ];
    let files = [
        ("AWS_SHARED_CREDENTIALS_FILE", profile.as_str()),
        ("AWS_CONFIG_FILE", config.as_str()),
    ];
    let chosen = [&files[..], &[("AWS_PROFILE", "lab")]].concat();
    let sent = msm_os!("send -f {file} -c {json} -b ocean -v thetao -zv 2 -p old").well();
    let told = format!("open with: msm_os open -b ocean -c {json} --store old/thetao.zarr\n");
    assert!(sent.stdout.ends_with(&told), "{sent:#?}");
    msm_os!("send -f {file} -c {json} -b ocean -v thetao e3t").well();
    let told = told.trim().strip_prefix("open with: msm_os ").unwrap();
    for (line, variables, words) in [
        (told, &[][..], "keys[\"session_token\"]"),
        ("open -b ocean -p old", &environment, "AWS_ACCESS_KEY_ID"),
        (
            "open -b ocean --profile lab",
            &files,
            "\"profile\": \"lab\"",
        ),
        ("open -b ocean -p T1y", &chosen, "\"profile\": \"lab\""),
    ] {
        let seen = server.log().len();
        let (printed, ended) = run(&sandbox, &msm_os!("{line}"), variables, &file);
        assert!(printed.contains(words), "{printed}");
        ended.says(&["thetao"]);
        let log = &server.log()[seen..];
        let region = if line.contains("-c") {
            "/eu-west-2/s3/"
        } else {
            "/us-east-1/s3/"
        };
        assert!(
            log.iter()
                .all(|request| request.authorization.contains(region))
        );
    }
    let all = msm_os!("open -b ocean -c {json}");
    let (printed, ended) = run(&sandbox, &all, &[], &file);
    // One call for each version.
    assert_eq!(printed.matches("xr.open_zarr(").count(), 2, "{printed}");
    let read = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("read "));
    let expected = [
        "read old/thetao.zarr thetao",
        "read T1y/e3t.zarr e3t",
        "read T1y/thetao.zarr thetao",
    ];
    assert_eq!(read.collect::<Vec<_>>(), expected);
}

#[test]
fn a_public_bucket_and_its_catalogue_entries() {
    let sandbox = Sandbox::new();
    let config = Config {
        anonymous: true,
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    let file = input(1976);
    let keys = sandbox.credentials(&server);
    let licence = r#"{"license": "CC-BY-4.0", "title": "A short run"}"#;
    for version in ["2", "3"] {
        msm_os!("send -f {file} -c {keys} -b ocean -v thetao e3t -zv {version} -p run/{version} -at '{licence}'").well();
    }
    let line = msm_os!("open -b ocean -c {keys} --anonymous -p run");
    let (printed, ended) = run(&sandbox, &line, &[], &file);
    assert!(printed.contains("\"anon\": True") && !printed.contains("keys"));
    assert_eq!(ended.stdout.matches("\nread run/").count(), 4, "{ended:#?}");

    let [stac, yaml] = ["cat/run.json", "cat/run.yaml"].map(|name| sandbox.file(name));
    let before = objects(&server);
    let write = line.and(&format!("--stac {stac} --intake {yaml}"));
    let seen = server.log().len();
    write
        .alone()
        .refused(2, &["--stac", &stac, "there is no folder"]);
    assert_eq!(server.log().len(), seen, "the server was asked");
    std::fs::create_dir(sandbox.path("cat")).unwrap();
    write.well().warns(&["4 items", "run.yaml"]);
    let written = sandbox.tree("cat");
    write.well_on(2);
    assert!(sandbox.tree("cat") == written, "not the same again");
    assert!(
        objects(&server) == before,
        "something was written into the bucket"
    );
    let mut python = Command::new(python_of(FRESH));
    python
        .arg(script("read_catalogues.py"))
        .args([&stac, &yaml, &file]);
    let read = end_warm(&python).well();
    read.says(&[
        "stac ocean-run/2/e3t.zarr",
        "stac ocean-run/3/thetao.zarr",
        "intake 2-e3t",
        "intake 3-thetao",
    ]);
    let collection: Value = serde_json::from_slice(&written["run.json"]).unwrap();
    assert_eq!(collection["license"], "CC-BY-4.0");
    assert_eq!(collection["title"], "A short run");
}

#[test]
fn a_directory_with_stores_of_all_kinds() {
    let archive = Archive::new("ods-v3-create", str::to_owned);
    let sandbox = &archive.sandbox;
    let (url, file) = (sandbox.url("ocean"), input(1976));
    python_runs(
        &script("write_tree.py"),
        &[&sandbox.file("ocean/tree.zarr"), "3", &file],
    );
    msm_os!("send -f {file} -b {url} -v compact -p all").well();
    let plain = sandbox.path("ocean/all.zarr/zarr.json");
    let (printed, ended) = run(sandbox, &msm_os!("open -b {url}"), &[], &file);
    assert!(
        !printed.contains("s3fs") && !printed.contains("storage_options"),
        "{printed}"
    );
    let read = |ended: &Ended| -> Vec<String> {
        let lines = ended
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("read "));
        lines
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let all = [
        "all.zarr",
        "npd-eorca025/T1y",
        "tree.zarr/gridT",
        "tree.zarr/ocean/gridU",
    ];
    assert_eq!(read(&ended), all, "{printed}");
    let none = ["none of 4 stores holds 'nope'"];
    msm_os!("open -b {url} -v nope").refused_in(sandbox, 27, &none);
    // Others' stores, and one without consolidated metadata, which only xarray opens.
    let mut root: Value = serde_json::from_slice(&std::fs::read(&plain).unwrap()).unwrap();
    root.as_object_mut()
        .unwrap()
        .remove("consolidated_metadata");
    std::fs::write(&plain, root.to_string()).unwrap();
    let (printed, _) = run(sandbox, &msm_os!("open -b {url} -p all"), &[], &file);
    assert!(printed.contains("consolidated=False"), "{printed}");
    std::fs::write(&plain, "{").unwrap();
    let one = msm_os!("open -b {url} --store all.zarr");
    one.refused_in(sandbox, 25, &["1 of 1 store cannot be read"]);
    assert!(one.alone().stdout.is_empty());
    msm_os!("open -b {url} -p nowhere").refused_in(sandbox, 27, &["nowhere", "no store"]);
    let printed = msm_os!("open -b {url} --json").well().stdout;
    let told: Value = serde_json::from_str(&printed).unwrap();
    let document = sandbox.private("open.json", &printed);
    let mut validate = Command::new(python_of(FRESH));
    validate.arg(script("valid.py")).args(["open-1", &document]);
    end_warm(&validate).well();
    assert_eq!(told["format"], "msm_os/open/1");
    assert_eq!(told["reach"]["kind"], "directory");
    let opened = told["stores"].as_array().unwrap().iter();
    let opened: Vec<bool> = opened
        .map(|store| store["can_be_opened"].as_bool().unwrap())
        .collect();
    assert_eq!(opened, [false, true, true, true]);
    let python = told["python"].as_array().unwrap();
    assert!(
        python[1]
            .as_str()
            .unwrap()
            .starts_with("# not opened: \"all.zarr\": "),
        "{python:?}"
    );
}

#[test]
fn reprojected_arrays_are_named() {
    let (sandbox, _server, bucket) = served();
    let file = sandbox.months(1, 1);
    msm_os!("send -f {file} {bucket} -v tos -r --resolution 5").well();
    let (printed, ended) = run(&sandbox, &msm_os!("open {bucket}"), &[], &file);
    let named = "# \"T1m/tos.zarr\" has reprojected arrays: \"projected_tos\"\n";
    assert!(printed.contains(named), "{printed}");
    ended.says(&["read ", " projected_tos ", " tos\n"]);
}
