//! `verify`: each kind of fault is found and named, and nothing else is.

use std::fs;

use s3_server::{Fault, Rule};

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, served};
use crate::texts::worded;

const CHUNKS: &str = r#"{"time_counter": 2, "y": 17}"#;

/// Six months of `tos`, and of `sos` without any value, in stores made with `flags`.
struct Scene {
    sandbox: Sandbox,
    file: String,
}

impl Scene {
    fn new(flags: &str) -> Self {
        let sandbox = Sandbox::new();
        let whole = sandbox.months(1, 6);
        let file = sandbox.cut(&whole, "a_1m_grid_T.nc", "0,1,2,3,4,5", "fill=sos");
        let url = sandbox.url("ocean");
        msm_os!("send -f {file} -b {url} -v tos sos -cs '{CHUNKS}' {flags}").well();
        Self { sandbox, file }
    }

    fn verify(&self, ranks: usize, flags: &str) -> Ended {
        msm_os!("verify -b {} {flags}", self.sandbox.url("ocean")).on(ranks)
    }

    /// The same report from one rank and from three.
    #[track_caller]
    fn verified(&self, flags: &str, code: i32) -> String {
        let one = self.verify(1, flags);
        assert_eq!(one.code, code, "{one:#?}");
        let three = self.verify(3, flags);
        assert_eq!((three.code, &three.stdout), (code, &one.stdout));
        one.stdout
    }

    /// A file of some of the months.
    fn part(&self, name: &str, steps: &str, options: &str) -> String {
        let name = format!("{name}_1m_grid_T.nc");
        self.sandbox.cut(&self.file, &name, steps, options)
    }

    /// Replaces a text in a document.
    fn edit(&self, key: &str, from: &str, to: &str) {
        let document = String::from_utf8(self.read(key)).unwrap();
        let changed = document.replacen(from, to, 1);
        assert_ne!(changed, document);
        self.write(key, changed);
    }

    fn read(&self, key: &str) -> Vec<u8> {
        fs::read(self.sandbox.path("ocean").join(key)).unwrap()
    }

    fn write(&self, key: &str, bytes: impl AsRef<[u8]>) {
        let path = self.sandbox.path("ocean").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Flips a bit of the object's byte `at` from its end.
    fn flip(&self, key: &str, at: usize) {
        let mut bytes = self.read(key);
        let place = bytes.len() - at;
        bytes[place] ^= 1;
        self.write(key, bytes);
    }

    fn remove(&self, key: &str) {
        fs::remove_file(self.sandbox.path("ocean").join(key)).unwrap();
    }
}

/// The lines that tell of faults: `said` has exactly these, each with its words.
#[track_caller]
fn tells(said: &str, expected: &[(&str, &[&str])]) {
    let lines: Vec<&str> = said.lines().collect();
    for (key, words) in expected {
        let line = lines
            .iter()
            .find(|line| line.starts_with(&format!("{key}: ")));
        let line = line.unwrap_or_else(|| panic!("no line of {key}:\n{said}"));
        for word in *words {
            assert!(line.contains(word), "{word}: {line}");
        }
    }
    let total = match expected.len() {
        1 => "1 fault".to_owned(),
        faults => format!("{faults} faults"),
    };
    assert!(said.trim_end().ends_with(&total), "{total}: {said}");
}

#[test]
fn a_sound_store_of_any_kind_has_no_faults() {
    for flags in [
        "",
        "-zv 2",
        "-zv 2 --codec none",
        r#"--shards '{"time_counter": 4, "y": 34}' --codec zstd:1"#,
    ] {
        let scene = Scene::new(flags);
        let said = scene.verified("", 0);
        assert!(said.contains("T1m/tos.zarr: "), "{said}");
        assert!(said.contains("verified: 2 stores, "), "{said}");
        assert!(!said.contains("no manifest"), "{said}");
        tells(&said, &[]);
        let against = format!("--against {}", scene.file);
        tells(&scene.verified(&against, 0), &[]);
    }
}

#[test]
fn texts_are_verified() {
    let sandbox = Sandbox::new();
    let file = worded(&sandbox, 0, ["a", "longer"], "fixed");
    let url = sandbox.url("ocean");
    msm_os!("send -f {file} -b {url} -p t").well();
    let verify = msm_os!("verify -b {url} -p t");
    tells(&verify.well().stdout, &[]);
    let against = verify.and(&format!("--against {file}"));
    tells(&against.well().stdout, &[]);
    // A file of the same name.
    worded(&sandbox, 0, ["a", "other"], "fixed");
    let ended = against.alone();
    ended.refused(60, &[]);
    let words = [
        "1 value differs",
        "[1]",
        "'longer' in the store",
        "'other' in the file",
    ];
    tells(&ended.stdout, &[("t/word.zarr/word/c/0", &words)]);
}

#[test]
fn each_fault_is_named_with_what_was_expected() {
    let scene = Scene::new("");
    scene.remove("T1m/tos.zarr/tos/c/0/0/0");
    let short = scene.read("T1m/tos.zarr/tos/c/0/1/0");
    scene.write("T1m/tos.zarr/tos/c/0/1/0", &short[..short.len() - 1]);
    scene.flip("T1m/tos.zarr/tos/c/1/0/0", 40);
    scene.write("T1m/tos.zarr/notes.txt", "a stray");
    scene.write("T1m/tos.zarr/tos/c/3/0/0", "beyond the shape");
    scene.write("T1m/sos.zarr/sos/c/0/0/0", "should be empty");
    let [latitude, longitude] =
        ["nav_lat", "nav_lon"].map(|name| format!("T1m/tos.zarr/{name}/zarr.json"));
    scene.edit(&latitude, "degrees_north", "radians");
    scene.edit("T1m/tos.zarr/zarr.json", "degrees_east", "radians");
    let was = format!("{} bytes, expected {}", short.len() - 1, short.len());
    let said = scene.verified("", 60);
    let missing = ["missing, expected ", " bytes"];
    let flipped = ["crc32c of its bytes is", "cannot be decoded"];
    let attributes = ["its attributes is ", "radians"];
    tells(
        &said,
        &[
            ("T1m/tos.zarr/tos/c/0/0/0", &missing),
            ("T1m/tos.zarr/tos/c/0/1/0", &[&was]),
            ("T1m/tos.zarr/tos/c/1/0/0", &flipped),
            ("T1m/tos.zarr/notes.txt", &["not known"]),
            ("T1m/tos.zarr/tos/c/3/0/0", &["not known"]),
            ("T1m/sos.zarr/sos/c/0/0/0", &["15 bytes, expected none"]),
            (&latitude, &attributes),
            (&longitude, &attributes),
        ],
    );
    // One store alone; and the message.
    let one = scene.verify(1, "-p T1m -v sos");
    tells(&one.stdout, &[("T1m/sos.zarr/sos/c/0/0/0", &[])]);
    one.warns(&["1 fault was found"]);
}

#[test]
fn a_flipped_bit_that_decodes_is_found_in_version_2() {
    let scene = Scene::new("-zv 2 --codec none");
    scene.flip("T1m/tos.zarr/tos/0.1.0", 1);
    scene.remove("T1m/tos.zarr/tos/1.0.0");
    scene.write("T1m/tos.zarr/tos/.zattrs", "{}");
    scene.remove("T1m/tos.zarr/nav_lat/.zarray");
    let said = scene.verified("", 60);
    let flipped = [
        "crc32c of its bytes is",
        "crc32c of its values is",
        "expected",
    ];
    tells(
        &said,
        &[
            ("T1m/tos.zarr/tos/0.1.0", &flipped),
            ("T1m/tos.zarr/tos/1.0.0", &["missing"]),
            ("T1m/tos.zarr/tos/.zattrs", &["its units is none"]),
            ("T1m/tos.zarr/nav_lat/.zarray", &["missing"]),
        ],
    );
}

#[test]
fn what_no_manifest_knows_must_decode() {
    let scene = Scene::new("");
    fs::remove_dir_all(scene.sandbox.path("ocean/T1m/.msm-os")).unwrap();
    let said = scene.verified("-p T1m", 0);
    let words = " objects: only that they decode was checked";
    assert!(said.contains(words), "{said}");
    tells(&said, &[]);
    let key = "T1m/tos.zarr/tos/c/1/0/0";
    scene.flip(key, 40);
    let said = scene.verified("-p T1m -v tos", 60);
    tells(&said, &[(key, &["cannot be decoded"])]);
}

#[test]
fn ledgers_are_looked_at_too() {
    let scene = Scene::new("");
    let ledger = "T1m/.msm-os/tos.zarr";
    let tree = scene.sandbox.tree("ocean");
    let is_part = |key: &&String| key.starts_with(&format!("{ledger}/manifests/"));
    let part = tree.keys().find(is_part).unwrap().clone();
    let manifest = scene.read(&part);
    scene.write(&part, "{");
    let journal = format!("{ledger}/journal/00000002-0123abcd.open");
    scene.write(&journal, "{}");
    let said = scene.verified("", 60);
    for words in ["T1m/tos.zarr: ", "no manifest"] {
        assert!(said.contains(words), "{said}");
    }
    tells(
        &said,
        &[
            (&part, &["no part of a manifest"]),
            (&journal, &["a transaction has not ended: run recover"]),
        ],
    );
    // Who holds a lease is still at it.
    scene.write(&part, manifest);
    scene.write(&format!("{ledger}/lease/1"), "{}");
    scene.write("T1m/tos.zarr/tos/c/3/0/0", "beyond the shape");
    let said = scene.verified("", 0);
    assert!(said.contains("a transaction is under way"), "{said}");
    // Only the ledger is left.
    fs::remove_dir_all(scene.sandbox.path("ocean/T1m/sos.zarr")).unwrap();
    let said = scene.verified("-p T1m", 60);
    tells(&said, &[("T1m/sos.zarr", &["there is no root document"])]);
}

#[test]
fn files_are_compared_at_the_steps_they_hold() {
    for (flags, keys) in [("", ["c/1/0/0", "c/1/1/0"]), ("-zv 2", ["1.0.0", "1.1.0"])] {
        let scene = Scene::new(flags);
        // Not in order, and the chunk's other step is not in the file.
        let same = scene.part("b", "4,1", "");
        tells(&scene.verified(&format!("--against {same}"), 0), &[]);
        let other = scene.part("c", "3", "add=1");
        let said = scene.verified(&format!("--against {same} {other} -v tos"), 60);
        let words = ["values differ from", "c_1m_grid_T.nc", "the first at [3, "];
        let [first, second] = keys.map(|key| format!("T1m/tos.zarr/tos/{key}"));
        tells(&said, &[(&first, &words), (&second, &words)]);
        // Static arrays as well.
        let moved = scene.part("d", "0", "shift=nav_lat");
        let ended = scene.verify(1, &format!("--against {moved}"));
        ended.refused(60, &[]).says(&["/nav_lat/"]);
        let later = scene.part("e", "0", "'units=days since 1900-01-01 00:00:00'");
        tells(&scene.verified(&format!("--against {later}"), 0), &[]);
    }
}

#[test]
fn what_cannot_be_looked_at_is_no_fault() {
    let (sandbox, server, bucket) = served();
    let verify = msm_os!("verify {bucket} -p T1m");
    for ranks in [1, 3] {
        verify.on(ranks).refused(27, &[]);
    }
    let file = sandbox.months(1, 1);
    msm_os!("send -f {file} {bucket} -v tos").well();
    verify.and("-v sos").on(3).refused(27, &[]);
    verify.well();
    let refuse = Rule::new(Fault::Status(403)).method("GET");
    server.faults().add(refuse.key_contains("/tos/c/"));
    for ranks in [1, 3] {
        verify.on(ranks).refused(32, &[]);
    }
}
