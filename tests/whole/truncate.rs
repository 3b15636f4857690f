//! `recover --truncate`: stores whose arrays have different lengths are named, refused, cut to the shortest, and put back.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use nemo_like::Spec;
use serde_json::{Value, json};

use crate::support::{
    Ended, Sandbox, alone, cut, end, objects, on_ranks, python, reads_back, server, without_ledgers,
};

const STORE: &str = "T1m/tos.zarr";

/// Unpacks an archive of the predecessors as the directory `ocean`.
pub fn unpack(sandbox: &Sandbox, name: &str) {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/archives")
        .join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.arg("xzf").arg(archive).arg("-C").arg(sandbox.path(""));
    end(tar).well();
    std::fs::rename(sandbox.path(name), sandbox.path("ocean")).unwrap();
}

/// The documents of `store` among `objects`, and its root document, that change when `array` gets another length.
pub fn of_length<T: AsRef<[u8]>>(
    objects: &BTreeMap<String, T>,
    store: &str,
    array: &str,
    length: u64,
) -> Vec<(String, Vec<u8>)> {
    let root = root_of(objects, store);
    let path = format!("{array}/.zarray");
    let is_v2 = root.ends_with(".zmetadata");
    let own = if is_v2 {
        format!("{store}/{path}")
    } else {
        format!("{store}/{array}/zarr.json")
    };
    let parsed = |key: &String| -> Value { serde_json::from_slice(objects[key].as_ref()).unwrap() };
    let (mut document, mut consolidated) = (parsed(&own), parsed(&root));
    document["shape"][0] = json!(length);
    if is_v2 {
        consolidated["metadata"][&path] = document.clone();
    } else {
        consolidated["consolidated_metadata"]["metadata"][array] = document.clone();
    }
    let text = |value: Value| value.to_string().into_bytes();
    vec![(own, text(document)), (root, text(consolidated))]
}

fn root_of<T>(objects: &BTreeMap<String, T>, store: &str) -> String {
    let roots = ["zarr.json", ".zmetadata"].map(|root| format!("{store}/{root}"));
    roots
        .into_iter()
        .find(|root| objects.contains_key(root))
        .unwrap()
}

/// What xarray reads of a store, as it opens it by default.
pub fn opens(place: &Path) -> String {
    let script = "import sys, xarray as xr; d = xr.open_zarr(sys.argv[1]).load(); print(sorted(d.variables), dict(d.sizes))";
    let mut command = Command::new(python());
    command.args(["-c", script]).arg(place);
    end(command).well().stdout
}

#[test]
fn an_append_that_died_half_way_is_named_refused_cut_and_put_back() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        unpack(&sandbox, "msm-os-dev-append-wrecked");
        let url = sandbox.url("ocean");
        let run = |args: &[&str]| on_ranks(ranks, &[args, &["-b", &url, "-p", "T1y"]].concat());
        let before = sandbox.tree("ocean");
        let verified = run(&["verify", "-v", "thetao"]);
        assert_eq!(verified.code, 60, "{verified:#?}");
        for said in [
            "T1y/thetao.zarr: its arrays have different lengths along 'time_counter': 1 has 'projected_thetao'; 2 has 'e3t', ",
            "recover --truncate",
            "1 faults",
        ] {
            assert!(verified.stdout.contains(said), "{said}: {verified:#?}");
        }
        // Names that dangle are said, and are no fault.
        let whole = run(&["verify", "-v", "e3t"]).well();
        let said = "'time_counter_bounds' (bounds of 'time_counter')";
        assert!(whole.stdout.contains(said), "{whole:#?}");

        let file = sandbox.source_called(
            "ORCA40x30_1y_grid_T_1978-1978.nc",
            &Spec {
                grid: "40x30x5".parse().unwrap(),
                start: "1978-01-01".parse().unwrap(),
                ..Spec::default()
            },
        );
        let refused = run(&["send", "-f", &file, "-v", "thetao"]);
        assert_eq!(refused.code, 25, "{refused:#?}");
        for said in [
            "'projected_thetao'",
            "recover --truncate -a time_counter",
            "nothing was written",
        ] {
            assert!(refused.stderr.contains(said), "{said}: {refused:#?}");
        }
        let dry = run(&["recover", "--truncate", "--dry-run"]).well();
        let said =
            "store 'T1y/thetao.zarr': array 'e3t' would be cut from 2 to 1 along 'time_counter'";
        assert!(dry.stdout.contains(said), "{dry:#?}");
        assert!(sandbox.tree("ocean") == before);

        let done = run(&["recover", "--truncate"]).well();
        assert!(done.stdout.contains("truncated: 1 stores"), "{done:#?}");
        run(&["verify"]).well();
        let after = sandbox.tree("ocean");
        let gone: Vec<&str> = before
            .keys()
            .filter(|key| !after.contains_key(*key))
            .filter_map(|key| key.strip_prefix("T1y/thetao.zarr/"))
            .collect();
        let expected = [
            "e3t/1.0.0.0",
            "thetao/1.0.0.0",
            "time_centered/1",
            "time_centered_bounds/1.0",
            "time_counter/1",
            "time_counter_bounds/1.0",
            "tos/1.0.0",
        ];
        assert_eq!(gone, expected);
        let read = opens(&sandbox.path("ocean/T1y/thetao.zarr"));
        assert!(read.contains("'time_counter': 1"), "{read}");
        let again = run(&["recover", "--truncate"]).well();
        assert!(again.stdout.contains("truncated: nothing"), "{again:#?}");
        assert!(sandbox.tree("ocean") == after);
        run(&["rollback", "-v", "thetao"]).well();
        assert!(sandbox.tree("ocean") == before);
    }
}

/// Six months of `tos`, four in an object, of which the time axis has five.
struct Scene {
    sandbox: Sandbox,
    file: String,
}

impl Scene {
    fn new(flags: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let file = sandbox.source(&Spec {
            steps: 6,
            start: "1976-01-01".parse().unwrap(),
            ..Spec::default()
        });
        let scene = Self { sandbox, file };
        let chunks = r#"{"time_counter": 4, "y": 17}"#;
        let send = ["send", "-f", &scene.file, "-v", "tos", "-cs", chunks];
        scene.run(&[&send[..], flags].concat()).well();
        scene
    }

    fn uneven(flags: &[&str], length: u64) -> Self {
        let scene = Self::new(flags);
        scene.write(of_length(
            &scene.sandbox.tree("ocean"),
            STORE,
            "time_counter",
            length,
        ));
        scene
    }

    fn run(&self, args: &[&str]) -> Ended {
        let place = ["-b", &self.sandbox.url("ocean")];
        alone(&[args, &place].concat())
    }

    fn write(&self, documents: Vec<(String, Vec<u8>)>) {
        for (key, text) in documents {
            let path = self.sandbox.path("ocean").join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    /// What readers see; the ledger does not keep what it kept before for undoing the send.
    fn stores(&self) -> BTreeMap<String, Vec<u8>> {
        self.sandbox.stores("ocean")
    }

    fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        self.sandbox.tree("ocean")
    }
}

#[test]
fn what_lies_behind_the_cut_in_an_object_never_comes_back() {
    let shards = ["--shards", r#"{"time_counter": 8}"#];
    for flags in [
        &[][..],
        &["-zv", "2"],
        &["-zv", "2", "--codec", "none"],
        &shards,
    ] {
        let scene = Scene::uneven(flags, 5);
        let before = scene.stores();
        let store = scene.sandbox.path("ocean").join(STORE);
        scene.run(&["recover", "--truncate"]).well();
        scene.run(&["verify"]).well();
        let five = cut(
            &scene.sandbox,
            &scene.file,
            "five_1m_grid_T.nc",
            "0,1,2,3,4",
            &[],
        );
        reads_back(store.to_str().unwrap(), None, std::slice::from_ref(&five));
        // Nor for a program that grows the array by itself.
        let grown = scene.sandbox.path("grown");
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(&store).arg(&grown);
        end(copy).well();
        let script = "import sys, zarr, numpy as np\n\
                      a = zarr.open_array(sys.argv[1] + '/tos', mode='r+')\n\
                      a.resize((8,) + a.shape[1:])\n\
                      assert (a[5:] == a.fill_value).all() or np.isnan(a[5:]).all(), a[5:]";
        let mut command = Command::new(python());
        command.args(["-c", script]).arg(&grown);
        end(command).well();
        // Other values come there.
        let other = cut(
            &scene.sandbox,
            &scene.file,
            "other_1m_grid_T.nc",
            "5",
            &["add=3"],
        );
        scene
            .run(&["send", "-f", &other, "-v", "tos", "--keep-undo", "2"])
            .well();
        reads_back(store.to_str().unwrap(), None, &[five, other]);
        scene.run(&["verify"]).well();
        scene.run(&["rollback"]).well();
        scene.run(&["rollback"]).well();
        assert!(scene.stores() == before);
    }
}

#[test]
fn documents_of_arrays_that_grew_alone_are_cut_to_what_readers_see() {
    for flags in [&[][..], &["-zv", "2"]] {
        let scene = Scene::new(flags);
        // The root document was not consolidated any more.
        let documents = of_length(&scene.tree(), STORE, "tos", 9);
        let beyond = if flags.is_empty() {
            format!("{STORE}/tos/c/2/0/0")
        } else {
            format!("{STORE}/tos/2.0.0")
        };
        scene.write(vec![documents[0].clone(), (beyond.clone(), b"x".to_vec())]);
        let before = scene.stores();
        let verified = scene.run(&["verify"]);
        assert_eq!(verified.code, 60, "{verified:#?}");
        assert!(
            verified.stdout.contains("recover --truncate"),
            "{verified:#?}"
        );
        let done = scene.run(&["recover", "--truncate"]).well();
        assert!(
            done.stdout.contains("'tos' was cut from 9 to 6"),
            "{done:#?}"
        );
        assert!(!scene.tree().contains_key(&beyond));
        scene.run(&["verify"]).well();
        reads_back(
            scene.sandbox.path("ocean").join(STORE).to_str().unwrap(),
            None,
            std::slice::from_ref(&scene.file),
        );
        scene.run(&["rollback"]).well();
        assert!(scene.stores() == before);
    }
}

#[test]
fn a_time_axis_that_is_the_longest_is_cut_as_well() {
    let scene = Scene::new(&[]);
    let before = scene.tree();
    scene.write(of_length(&before, STORE, "tos", 3));
    let uneven = scene.stores();
    let done = scene.run(&["recover", "--truncate"]).well();
    assert!(
        done.stdout.contains("'time_counter' was cut from 6 to 3"),
        "{done:#?}"
    );
    scene.run(&["verify"]).well();
    let three = cut(
        &scene.sandbox,
        &scene.file,
        "three_1m_grid_T.nc",
        "0,1,2",
        &[],
    );
    let store = scene.sandbox.path("ocean").join(STORE);
    reads_back(store.to_str().unwrap(), None, &[three]);
    scene.run(&["rollback"]).well();
    assert!(scene.stores() == uneven);
}

#[test]
fn a_cut_that_would_leave_nothing_is_refused() {
    let scene = Scene::uneven(&[], 0);
    let before = scene.tree();
    for dry_run in [&["--dry-run"][..], &[]] {
        let refused = scene.run(&[&["recover", "--truncate"][..], dry_run].concat());
        assert_eq!(refused.code, 25, "{refused:#?}");
        for said in ["'time_counter' has no step", "delete"] {
            assert!(refused.stderr.contains(said), "{said}: {refused:#?}");
        }
        assert!(scene.tree() == before);
    }
}

#[test]
fn without_undo_copies_nothing_is_kept_of_what_goes() {
    let scene = Scene::uneven(&[], 4);
    scene
        .run(&["recover", "--truncate", "--keep-undo", "0"])
        .well();
    scene.run(&["verify"]).well();
    let left: Vec<String> = scene
        .tree()
        .into_keys()
        .filter(|key| key.contains("/undo/"))
        .collect();
    assert_eq!(left, [""; 0]);
    let refused = scene.run(&["rollback"]);
    assert_eq!(refused.code, 36, "{refused:#?}");
}

#[test]
fn a_store_on_a_server_is_cut_by_any_number_of_ranks() {
    for ranks in [1, 3] {
        let scene = Scene::uneven(&["-zv", "2"], 5);
        let server = server();
        let credentials = scene.sandbox.credentials(&server);
        for (key, object) in scene.tree() {
            server.put_object("ocean", &key, object);
        }
        let before = objects(&server);
        let run = |args: &[&str]| {
            on_ranks(
                ranks,
                &[args, &["-b", "ocean", "-c", &credentials]].concat(),
            )
        };
        run(&["recover", "--truncate"]).well();
        run(&["verify"]).well();
        let five = cut(
            &scene.sandbox,
            &scene.file,
            "five_1m_grid_T.nc",
            "0,1,2,3,4",
            &[],
        );
        reads_back(&format!("s3://ocean/{STORE}"), Some(&server), &[five]);
        run(&["rollback"]).well();
        assert!(without_ledgers(objects(&server)) == without_ledgers(before));
    }
}
