//! Names that NetCDF allows: what stock readers open is sent, and read back by the name the file has; the rest is refused by
//! name, before anything is written.

use std::collections::BTreeMap;

use s3_server::Server;

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, objects, python_runs, reads_back, script, served};

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
fn named(sandbox: &Sandbox, names: &[&str]) -> String {
    let path = sandbox.file("named.nc");
    python_runs(&script("named.py"), &[&[path.as_str()], names].concat());
    path
}

/// A directory, and a server.
struct Places {
    sandbox: Sandbox,
    server: Server,
    /// What names each of them on a command line.
    buckets: [String; 2],
}

impl Places {
    fn new() -> Self {
        let (sandbox, server, bucket) = served();
        Self {
            buckets: [format!("-b {}", sandbox.url("ocean")), bucket],
            sandbox,
            server,
        }
    }

    /// Runs the command in the directory, and on the server.
    fn run(&self, line: &str) -> [Ended; 2] {
        let buckets = self.buckets.each_ref();
        buckets.map(|bucket| msm_os!("{line} {bucket} -p n").alone())
    }

    #[track_caller]
    fn run_well(&self, line: &str) -> [Ended; 2] {
        self.run(line).map(Ended::well)
    }

    fn all(&self) -> [BTreeMap<String, Vec<u8>>; 2] {
        [self.sandbox.tree("ocean"), objects(&self.server)]
    }
}

#[test]
fn what_readers_open_is_sent_by_the_name_it_has() {
    let places = Places::new();
    let file = named(&places.sandbox, &SENT);
    for version in ["3", "2"] {
        for (variables, count) in [("-v compact", 1), ("", SENT.len() + 1)] {
            let send = format!("send -f {file} --zarr-version {version} {variables}");
            places.run_well(&send);
            let mut stores = Vec::new();
            for name in places.sandbox.tree("ocean").into_keys() {
                // The array `x.zarr` has documents that look like a store's.
                let Some((store, document)) = name.split_once(".zarr/") else {
                    continue;
                };
                if ["zarr.json", ".zmetadata"].contains(&document) {
                    stores.push(format!("ocean/{store}.zarr"));
                }
            }
            assert_eq!(stores.len(), count, "{stores:?}");
            places.sandbox.reads_back(&stores.join(","), &[&file]);
            let urls: Vec<String> = stores.iter().map(|store| format!("s3://{store}")).collect();
            reads_back(&urls.join(","), Some(&places.server), &[&file]);
            places.run_well("verify");
            for again in places.run_well(&send) {
                again.says(&["nothing to do"]);
            }
            places.run_well("list");
            places.run_well("recover --orphans");
            places.run_well("delete --all --yes");
            assert_eq!(places.all().map(|all| all.len()), [0, 0]);
        }
    }
}

#[test]
fn what_readers_do_not_open_is_refused_by_name() {
    let places = Places::new();
    let names = REFUSED.map(|(name, _)| name);
    let file = named(&places.sandbox, &names);
    let told = REFUSED.map(|(_, shown)| format!("named.nc: variable '{shown}' cannot be"));
    let told = told.each_ref().map(String::as_str);
    for version in ["3", "2"] {
        for variables in ["", "-v compact"] {
            let send = format!("send -f {file} --zarr-version {version} {variables}");
            for ended in places.run(&send) {
                ended.refused(15, &told).warns(&["ncrename"]);
            }
        }
    }
    assert_eq!(places.all().map(|all| all.len()), [0, 0]);
    // Each by itself, so that none goes through beside another.
    for (name, _) in REFUSED {
        let file = named(&places.sandbox, &[name]);
        let [directory, _] = places.run(&format!("send -f {file}"));
        assert_eq!(directory.code, 15, "{name}: {directory:#?}");
    }
    // The others of the file are no worse for it.
    places.run_well(&format!("send -f {file} -v tos"));
    for all in places.all() {
        assert!(all.contains_key("n/tos.zarr/zarr.json"));
    }
}

#[test]
fn a_name_too_long_for_a_file_is_refused_in_a_directory_only() {
    let places = Places::new();
    let name = "x".repeat(251);
    let file = named(&places.sandbox, &[&name]);
    let [directory, bucket] = places.run(&format!("send -f {file}"));
    directory.refused(15, &["255 bytes"]);
    bucket.well();
    assert_eq!(places.all()[0].len(), 0);
    let store = format!("s3://ocean/n/{name}.zarr");
    reads_back(&store, Some(&places.server), &[file]);
}
