//! `verify`: each kind of fault is found and named, and nothing else is.

use std::fs;

use nemo_like::Spec;
use s3_server::{Fault, Rule};

use crate::support::{Ended, Sandbox, alone, cut, on_ranks, server};
use crate::texts::worded;

const CHUNKS: &str = r#"{"time_counter": 2, "y": 17}"#;

/// Six months of `tos`, and of `sos` without any value, in stores made with `flags`.
struct Scene {
    sandbox: Sandbox,
    url: String,
    file: String,
}

impl Scene {
    fn new(flags: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let spec = Spec {
            steps: 6,
            start: "1976-01-01".parse().unwrap(),
            ..Spec::default()
        };
        let whole = sandbox.source(&spec);
        let file = cut(
            &sandbox,
            &whole,
            "a_1m_grid_T.nc",
            "0,1,2,3,4,5",
            &["fill=sos"],
        );
        let url = sandbox.url("ocean");
        let send = [
            "send", "-f", &file, "-b", &url, "-v", "tos", "sos", "-cs", CHUNKS,
        ];
        alone(&[&send[..], flags].concat()).well();
        Self { sandbox, url, file }
    }

    fn verify(&self, ranks: usize, flags: &[&str]) -> Ended {
        on_ranks(ranks, &[&["verify", "-b", &self.url][..], flags].concat())
    }

    /// The same report from one rank and from three.
    #[track_caller]
    fn verified(&self, flags: &[&str], code: i32) -> String {
        let one = self.verify(1, flags);
        assert_eq!(one.code, code, "{one:#?}");
        let three = self.verify(3, flags);
        assert_eq!((three.code, &three.stdout), (code, &one.stdout));
        one.stdout
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
    let total = format!("{} faults", expected.len());
    assert!(said.trim_end().ends_with(&total), "{total}: {said}");
}

#[test]
fn a_sound_store_of_any_kind_has_no_faults() {
    let shards = [
        "--shards",
        r#"{"time_counter": 4, "y": 34}"#,
        "--codec",
        "zstd:1",
    ];
    for flags in [
        &[][..],
        &["-zv", "2"],
        &["-zv", "2", "--codec", "none"],
        &shards,
    ] {
        let scene = Scene::new(flags);
        let said = scene.verified(&[], 0);
        assert!(said.contains("T1m/tos.zarr: "), "{said}");
        assert!(said.contains("verified: 2 stores, "), "{said}");
        assert!(!said.contains("no manifest"), "{said}");
        tells(&said, &[]);
        let against = ["--against", &scene.file];
        tells(&scene.verified(&against, 0), &[]);
    }
}

#[test]
fn texts_are_verified() {
    let sandbox = Sandbox::new();
    let file = worded(&sandbox, 0, ["a", "longer"], "fixed");
    let url = sandbox.url("ocean");
    alone(&["send", "-f", &file, "-b", &url, "-p", "t"]).well();
    let verify = ["verify", "-b", &url, "-p", "t"];
    let ended = alone(&verify).well();
    tells(&ended.stdout, &[]);
    let against = [&verify[..], &["--against", &file]].concat();
    tells(&alone(&against).well().stdout, &[]);
    let other = worded(&sandbox, 0, ["a", "other"], "fixed");
    let ended = alone(&[&verify[..], &["--against", &other]].concat());
    assert_eq!(ended.code, 60, "{ended:#?}");
    let words = [
        "1 values differ",
        "[1]",
        "'longer' in the store",
        "'other' in the file",
    ];
    tells(&ended.stdout, &[("t/word.zarr/word/c/0", &words)]);
}

#[test]
fn each_fault_is_named_with_what_was_expected() {
    let scene = Scene::new(&[]);
    let root = "T1m/tos.zarr/zarr.json";
    scene.remove("T1m/tos.zarr/tos/c/0/0/0");
    let short = scene.read("T1m/tos.zarr/tos/c/0/1/0");
    scene.write("T1m/tos.zarr/tos/c/0/1/0", &short[..short.len() - 1]);
    scene.flip("T1m/tos.zarr/tos/c/1/0/0", 40);
    scene.write("T1m/tos.zarr/notes.txt", "a stray");
    scene.write("T1m/tos.zarr/tos/c/3/0/0", "beyond the shape");
    scene.write("T1m/sos.zarr/sos/c/0/0/0", "should be empty");
    let document = String::from_utf8(scene.read("T1m/tos.zarr/nav_lat/zarr.json")).unwrap();
    let changed = document.replacen("degrees_north", "radians", 1);
    assert_ne!(changed, document);
    scene.write("T1m/tos.zarr/nav_lat/zarr.json", changed);
    let consolidated = String::from_utf8(scene.read(root)).unwrap();
    let changed = consolidated.replacen("degrees_east", "radians", 1);
    assert_ne!(changed, consolidated);
    scene.write(root, changed);
    let was = format!("{} bytes, expected {}", short.len() - 1, short.len());
    let said = scene.verified(&[], 60);
    tells(
        &said,
        &[
            (
                "T1m/tos.zarr/tos/c/0/0/0",
                &["missing, expected ", " bytes"],
            ),
            ("T1m/tos.zarr/tos/c/0/1/0", &[&was]),
            (
                "T1m/tos.zarr/tos/c/1/0/0",
                &["crc32c of its bytes is", "cannot be decoded"],
            ),
            ("T1m/tos.zarr/notes.txt", &["not known"]),
            ("T1m/tos.zarr/tos/c/3/0/0", &["not known"]),
            ("T1m/sos.zarr/sos/c/0/0/0", &["15 bytes, expected none"]),
            (
                "T1m/tos.zarr/nav_lat/zarr.json",
                &["its attributes is ", "radians"],
            ),
            (
                "T1m/tos.zarr/nav_lon/zarr.json",
                &["its attributes is ", "radians"],
            ),
        ],
    );
    // One store alone; and the message.
    let one = scene.verify(1, &["-p", "T1m", "-v", "sos"]);
    tells(&one.stdout, &[("T1m/sos.zarr/sos/c/0/0/0", &[])]);
    assert!(one.stderr.contains("1 faults were found"), "{one:#?}");
}

#[test]
fn a_flipped_bit_that_decodes_is_found_in_version_2() {
    let scene = Scene::new(&["-zv", "2", "--codec", "none"]);
    scene.flip("T1m/tos.zarr/tos/0.1.0", 1);
    scene.remove("T1m/tos.zarr/tos/1.0.0");
    scene.write("T1m/tos.zarr/tos/.zattrs", "{}");
    scene.remove("T1m/tos.zarr/nav_lat/.zarray");
    let said = scene.verified(&[], 60);
    tells(
        &said,
        &[
            (
                "T1m/tos.zarr/tos/0.1.0",
                &[
                    "crc32c of its bytes is",
                    "crc32c of its values is",
                    "expected",
                ],
            ),
            ("T1m/tos.zarr/tos/1.0.0", &["missing"]),
            ("T1m/tos.zarr/tos/.zattrs", &["its units is none"]),
            ("T1m/tos.zarr/nav_lat/.zarray", &["missing"]),
        ],
    );
}

#[test]
fn what_no_manifest_knows_must_decode() {
    let scene = Scene::new(&[]);
    let ledger = scene.sandbox.path("ocean/T1m/.msm-os");
    fs::remove_dir_all(ledger).unwrap();
    let said = scene.verified(&["-p", "T1m"], 0);
    assert!(
        said.contains(" objects have no manifest: only that they decode was checked"),
        "{said}"
    );
    tells(&said, &[]);
    scene.flip("T1m/tos.zarr/tos/c/1/0/0", 40);
    let said = scene.verified(&["-p", "T1m", "-v", "tos"], 60);
    tells(
        &said,
        &[("T1m/tos.zarr/tos/c/1/0/0", &["cannot be decoded"])],
    );
}

#[test]
fn ledgers_are_looked_at_too() {
    let scene = Scene::new(&[]);
    let ledger = "T1m/.msm-os/tos.zarr";
    let tree = scene.sandbox.tree("ocean");
    let is_part = |key: &&String| key.starts_with(&format!("{ledger}/manifests/"));
    let part = tree.keys().find(is_part).unwrap().clone();
    let manifest = scene.read(&part);
    scene.write(&part, "{");
    let journal = format!("{ledger}/journal/00000002-0123abcd.open");
    scene.write(&journal, "{}");
    let said = scene.verified(&[], 60);
    assert!(
        said.contains("T1m/tos.zarr: ") && said.contains("no manifest"),
        "{said}"
    );
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
    let said = scene.verified(&[], 0);
    assert!(said.contains("a transaction is under way"), "{said}");
    // Only the ledger is left.
    fs::remove_dir_all(scene.sandbox.path("ocean/T1m/sos.zarr")).unwrap();
    let said = scene.verified(&["-p", "T1m"], 60);
    tells(&said, &[("T1m/sos.zarr", &["there is no root document"])]);
}

#[test]
fn files_are_compared_at_the_steps_they_hold() {
    for flags in [&[][..], &["-zv", "2"]] {
        let scene = Scene::new(flags);
        // Not in order, and the chunk's other step is not in the file.
        let same = cut(&scene.sandbox, &scene.file, "b_1m_grid_T.nc", "4,1", &[]);
        tells(&scene.verified(&["--against", &same], 0), &[]);
        let other = cut(
            &scene.sandbox,
            &scene.file,
            "c_1m_grid_T.nc",
            "3",
            &["add=1"],
        );
        let against = ["--against", &same, &other, "-v", "tos"];
        let said = scene.verified(&against, 60);
        let key = |y: u64| match flags {
            [] => format!("T1m/tos.zarr/tos/c/1/{y}/0"),
            _ => format!("T1m/tos.zarr/tos/1.{y}.0"),
        };
        let words = ["values differ from", "c_1m_grid_T.nc", "the first at [3, "];
        tells(&said, &[(&key(0), &words), (&key(1), &words)]);
        // Static arrays as well.
        let moved = ["shift=nav_lat"];
        let moved = cut(&scene.sandbox, &scene.file, "d_1m_grid_T.nc", "0", &moved);
        let ended = scene.verify(1, &["--against", &moved]);
        assert_eq!(ended.code, 60, "{ended:#?}");
        assert!(ended.stdout.contains("/nav_lat/"), "{ended:#?}");
        let later = cut(
            &scene.sandbox,
            &scene.file,
            "e_1m_grid_T.nc",
            "0",
            &["units=days since 1900-01-01 00:00:00"],
        );
        tells(&scene.verified(&["--against", &later], 0), &[]);
    }
}

#[test]
fn what_cannot_be_looked_at_is_no_fault() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let verify = ["verify", "-b", "ocean", "-c", &credentials, "-p", "T1m"];
    for ranks in [1, 3] {
        let ended = on_ranks(ranks, &verify);
        assert_eq!(ended.code, 27, "{ended:#?}");
    }
    let file = sandbox.source(&Spec::default());
    alone(&[
        "send",
        "-f",
        &file,
        "-b",
        "ocean",
        "-c",
        &credentials,
        "-v",
        "tos",
    ])
    .well();
    let missing = on_ranks(3, &[&verify[..], &["-v", "sos"]].concat());
    assert_eq!(missing.code, 27, "{missing:#?}");
    alone(&verify).well();
    let refuse = Rule::new(Fault::Status(403))
        .method("GET")
        .key_contains("/tos/c/");
    server.faults().add(refuse);
    for ranks in [1, 3] {
        let refused = on_ranks(ranks, &verify);
        assert_eq!(refused.code, 32, "{refused:#?}");
    }
}
