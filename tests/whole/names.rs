//! Names that NetCDF allows: what stock readers open is sent, and read back by the name the file has; the rest is refused by
//! name, before anything is written.

use std::collections::BTreeMap;
use std::path::Path;

use s3_server::Server;

use crate::support::{Ended, Sandbox, alone, objects, python_runs, reads_back, server};

/// As Python writes them.
const SENT: [&str; 21] = [
    "__x",
    "__xarray_dataarray_variable__",
    "...",
    "..a",
    ".a",
    "c",
    "12",
    "0.0",
    "a b",
    " a ",
    "a%41",
    "a%2Fb",
    "a+b",
    "a#1",
    "a?b&c*d",
    "a<b>c|d:e",
    "a[b]{c}~^`",
    "a'b$(c);@!=",
    "x.zarr",
    ".msm-os",
    "\\u00e9\\U0001f30a",
];

/// As Python writes them, and as the program shows them.
const REFUSED: [(&str, &str); 16] = [
    (".", "."),
    ("..", ".."),
    ("../x", "../x"),
    ("a/b", "a/b"),
    ("/a", "/a"),
    ("a/", "a/"),
    (r"a\\b", r"a\\b"),
    (r"a\nb", r"a\nb"),
    (r"a\tb", r"a\tb"),
    (r"a\x7fb", r"a\u{7f}b"),
    (r"a\x01b", r"a\u{1}b"),
    (r"a\u0085b", r"a\u{85}b"),
    ("zarr.json", "zarr.json"),
    (".zarray", ".zarray"),
    (".zattrs", ".zattrs"),
    (".zmetadata", ".zmetadata"),
];

/// A file with variables of these names.
fn named(sandbox: &Sandbox, file: &str, names: &[&str]) -> String {
    let path = sandbox.path(file).to_str().unwrap().to_owned();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/named.py");
    python_runs(&script, &[&[path.as_str()], names].concat());
    path
}

/// A directory, and a server.
struct Places {
    sandbox: Sandbox,
    server: Server,
    credentials: String,
}

impl Places {
    fn new() -> Self {
        let (sandbox, server) = (Sandbox::new(), server());
        let credentials = sandbox.credentials(&server);
        Self {
            sandbox,
            server,
            credentials,
        }
    }

    /// Runs the command in the directory, and on the server.
    fn run(&self, line: &[&str]) -> [Ended; 2] {
        let url = self.sandbox.url("ocean");
        let directory = [line, &["-b", &url, "-p", "n"]].concat();
        let bucket = ["-b", "ocean", "-c", &self.credentials, "-p", "n"];
        [alone(&directory), alone(&[line, &bucket].concat())]
    }

    fn run_well(&self, line: &[&str]) {
        for ended in self.run(line) {
            ended.well();
        }
    }

    fn all(&self) -> [BTreeMap<String, Vec<u8>>; 2] {
        [self.sandbox.tree("ocean"), objects(&self.server)]
    }
}

#[test]
fn what_readers_open_is_sent_by_the_name_it_has() {
    let places = Places::new();
    let file = named(&places.sandbox, "named.nc", &SENT);
    let files = [file.clone()];
    for version in ["3", "2"] {
        for compact in [true, false] {
            let line = ["send", "-f", &file, "--zarr-version", version];
            let variables: &[&str] = if compact { &["-v", "compact"] } else { &[] };
            places.run_well(&[&line, variables].concat());
            let mut directories = Vec::new();
            let mut urls = Vec::new();
            for name in places.sandbox.tree("ocean").into_keys() {
                // The array `x.zarr` has documents that look like a store's.
                let Some((store, document)) = name.split_once(".zarr/") else {
                    continue;
                };
                if ["zarr.json", ".zmetadata"].contains(&document) {
                    let path = places.sandbox.path("ocean").join(format!("{store}.zarr"));
                    directories.push(path.to_str().unwrap().to_owned());
                    urls.push(format!("s3://ocean/{store}.zarr"));
                }
            }
            let count = if compact { 1 } else { SENT.len() + 1 };
            assert_eq!(directories.len(), count, "{directories:?}");
            reads_back(&directories.join(","), None, &files);
            reads_back(&urls.join(","), Some(&places.server), &files);
            places.run_well(&["verify"]);
            let again = places.run(&[&line, variables].concat());
            for ended in again {
                assert!(ended.well().stdout.contains("nothing to do"), "{version}");
            }
            places.run_well(&["list"]);
            places.run_well(&["recover", "--orphans"]);
            places.run_well(&["delete", "--all", "--yes"]);
            assert_eq!(places.all().map(|all| all.len()), [0, 0]);
        }
    }
}

#[test]
fn what_readers_do_not_open_is_refused_by_name() {
    let places = Places::new();
    let names = REFUSED.map(|(name, _)| name);
    let file = named(&places.sandbox, "named.nc", &names);
    for version in ["3", "2"] {
        for variables in [&[][..], &["-v", "compact"]] {
            let line = ["send", "-f", &file, "--zarr-version", version];
            for ended in places.run(&[&line, variables].concat()) {
                assert_eq!(ended.code, 15, "{ended:#?}");
                for (_, shown) in REFUSED {
                    let told = format!("named.nc: variable '{shown}' cannot be");
                    assert!(ended.stderr.contains(&told), "{shown}: {ended:#?}");
                }
                assert!(ended.stderr.contains("ncrename"), "{ended:#?}");
            }
        }
    }
    assert_eq!(places.all().map(|all| all.len()), [0, 0]);
    // Each by itself, so that none goes through beside another.
    for (name, _) in REFUSED {
        let file = named(&places.sandbox, "named.nc", &[name]);
        let [directory, _] = places.run(&["send", "-f", &file]);
        assert_eq!(directory.code, 15, "{name}: {directory:#?}");
    }
    // The others of the file are no worse for it.
    places.run_well(&["send", "-f", &file, "-v", "tos"]);
    for all in places.all() {
        assert!(all.keys().any(|key| key == "n/tos.zarr/zarr.json"));
    }
}

#[test]
fn a_name_too_long_for_a_file_is_refused_in_a_directory_only() {
    let places = Places::new();
    let name = "x".repeat(251);
    let file = named(&places.sandbox, "named.nc", &[&name]);
    let [directory, bucket] = places.run(&["send", "-f", &file]);
    assert_eq!(directory.code, 15, "{directory:#?}");
    assert!(directory.stderr.contains("255 bytes"), "{directory:#?}");
    bucket.well();
    assert_eq!(places.all()[0].len(), 0);
    let store = format!("s3://ocean/n/{name}.zarr");
    reads_back(&store, Some(&places.server), &[file]);
}
