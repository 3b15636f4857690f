//! `recover --truncate`: stores whose arrays have different lengths are named, refused, cut to the shortest, and put back.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use nemo_like::Spec;
use serde_json::{Value, json};

use crate::line::msm_os;
use crate::support::{
    Ended, Sandbox, end, objects, python_code, reads_back, server, without_ledgers,
};

const STORE: &str = "T1m/tos.zarr";

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
    python_code(script, &[place]).stdout
}

#[test]
fn an_append_that_died_half_way_is_named_refused_cut_and_put_back() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        sandbox.unpack("msm-os-dev-append-wrecked", "ocean");
        let url = sandbox.url("ocean");
        let run = |line: &str| msm_os!("{line} -b {url} -p T1y").on(ranks);
        let before = sandbox.tree("ocean");
        let verified = run("verify -v thetao");
        verified.refused(60, &[]).says(&[
            "T1y/thetao.zarr: its arrays have different lengths along 'time_counter': 1 has 'projected_thetao'; 2 has 'e3t', ",
            "recover --truncate",
            "1 fault",
        ]);
        // Names that dangle are said, and are no fault.
        let whole = run("verify -v e3t").well();
        whole.says(&["'time_counter_bounds' (bounds of 'time_counter')"]);

        let later = Spec {
            start: "1978-01-01".parse().unwrap(),
            ..Spec::default()
        };
        let file = sandbox.source_called("ORCA40x30_1y_grid_T_1978-1978.nc", &later);
        let words = [
            "'projected_thetao'",
            "recover --truncate -a time_counter",
            "nothing was written",
        ];
        run(&format!("send -f {file} -v thetao")).refused(25, &words);
        let dry = run("recover --truncate --dry-run").well();
        let said =
            "store 'T1y/thetao.zarr': array 'e3t' would be cut from 2 to 1 along 'time_counter'";
        dry.says(&[said]);
        assert!(sandbox.tree("ocean") == before);

        let done = run("recover --truncate").well();
        done.says(&["truncated: 1 store"]);
        run("verify").well();
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
        let again = run("recover --truncate").well();
        again.says(&["truncated: nothing"]);
        assert!(sandbox.tree("ocean") == after);
        run("rollback -v thetao").well();
        assert!(sandbox.tree("ocean") == before);
    }
}

/// Six months of `tos`, four in an object, of which the time axis has five.
struct Scene {
    sandbox: Sandbox,
    file: String,
}

impl Scene {
    fn new(flags: &str) -> Self {
        let sandbox = Sandbox::new();
        let file = sandbox.months(1, 6);
        let scene = Self { sandbox, file };
        let (file, chunks) = (&scene.file, r#"{"time_counter": 4, "y": 17}"#);
        scene.runs(&format!("send -f {file} -v tos -cs '{chunks}' {flags}"));
        scene
    }

    fn uneven(flags: &str, length: u64) -> Self {
        let scene = Self::new(flags);
        let before = scene.tree();
        scene.write(of_length(&before, STORE, "time_counter", length));
        scene
    }

    fn run(&self, line: &str) -> Ended {
        msm_os!("{line} -b {}", self.sandbox.url("ocean")).alone()
    }

    #[track_caller]
    fn runs(&self, line: &str) -> Ended {
        self.run(line).well()
    }

    /// A file of some of the months.
    fn part(&self, name: &str, steps: &str, options: &str) -> String {
        let name = format!("{name}_1m_grid_T.nc");
        self.sandbox.cut(&self.file, &name, steps, options)
    }

    /// The store holds what these files do.
    #[track_caller]
    fn holds(&self, files: &[&str]) {
        self.sandbox.reads_back(&format!("ocean/{STORE}"), files);
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
    for flags in [
        "",
        "-zv 2",
        "-zv 2 --codec none",
        r#"--shards '{"time_counter": 8}'"#,
    ] {
        let scene = Scene::uneven(flags, 5);
        let before = scene.stores();
        scene.runs("recover --truncate");
        scene.runs("verify");
        let five = scene.part("five", "0,1,2,3,4", "");
        scene.holds(&[&five]);
        // Nor for a program that grows the array by itself.
        let grown = scene.sandbox.path("grown");
        let mut copy = Command::new("cp");
        let store = scene.sandbox.path("ocean").join(STORE);
        copy.arg("-r").arg(store).arg(&grown);
        end(copy).well();
        let script = "import sys, zarr, numpy as np\n\
                      a = zarr.open_array(sys.argv[1] + '/tos', mode='r+')\n\
                      a.resize((8,) + a.shape[1:])\n\
                      assert (a[5:] == a.fill_value).all() or np.isnan(a[5:]).all(), a[5:]";
        python_code(script, &[grown]);
        // Other values come there.
        let other = scene.part("other", "5", "add=3");
        scene.runs(&format!("send -f {other} -v tos --keep-undo 2"));
        scene.holds(&[&five, &other]);
        scene.runs("verify");
        scene.runs("rollback");
        scene.runs("rollback");
        assert!(scene.stores() == before);
    }
}

#[test]
fn documents_of_arrays_that_grew_alone_are_cut_to_what_readers_see() {
    for (flags, chunk) in [("", "c/2/0/0"), ("-zv 2", "2.0.0")] {
        let scene = Scene::new(flags);
        // The root document was not consolidated any more.
        let documents = of_length(&scene.tree(), STORE, "tos", 9);
        let beyond = format!("{STORE}/tos/{chunk}");
        scene.write(vec![documents[0].clone(), (beyond.clone(), b"x".to_vec())]);
        let before = scene.stores();
        let verified = scene.run("verify");
        verified.refused(60, &[]).says(&["recover --truncate"]);
        let done = scene.runs("recover --truncate");
        done.says(&["'tos' was cut from 9 to 6"]);
        assert!(!scene.tree().contains_key(&beyond));
        scene.runs("verify");
        scene.holds(&[&scene.file]);
        scene.runs("rollback");
        assert!(scene.stores() == before);
    }
}

/// What zarr-python appends goes into objects that hold steps of before, too, and is no damage.
#[test]
fn an_append_of_another_program_that_died_is_cut_off() {
    const APPEND: &str = "
import sys, zarr
group = zarr.open_group(sys.argv[1], mode='r+', use_consolidated=False)
for name in ['tos', 'time_counter']:
    array = group[name]
    last = array[-1:]
    array.resize((array.shape[0] + 1, *array.shape[1:]))
    array[-1:] = last
";
    for flags in ["", "-zv 2"] {
        let scene = Scene::new(flags);
        let before = scene.stores();
        let store = scene.sandbox.path("ocean").join(STORE);
        python_code(APPEND, &[store]);
        assert!(scene.stores() != before);
        let done = scene.runs("recover --truncate");
        done.says(&["'time_counter' was cut from 7 to 6"]);
        scene.holds(&[&scene.file]);
        // No manifest knows what was in these objects.
        scene.run("verify").refused(60, &["3 faults"]);
    }
}

#[test]
fn a_time_axis_that_is_the_longest_is_cut_as_well() {
    let scene = Scene::new("");
    let before = scene.tree();
    scene.write(of_length(&before, STORE, "tos", 3));
    let uneven = scene.stores();
    let done = scene.runs("recover --truncate");
    done.says(&["'time_counter' was cut from 6 to 3"]);
    scene.runs("verify");
    scene.holds(&[&scene.part("three", "0,1,2", "")]);
    scene.runs("rollback");
    assert!(scene.stores() == uneven);
}

#[test]
fn a_cut_that_would_leave_nothing_is_refused() {
    let scene = Scene::uneven("", 0);
    let before = scene.tree();
    for line in ["recover --truncate --dry-run", "recover --truncate"] {
        let words = ["'time_counter' has no step", "delete"];
        scene.run(line).refused(25, &words);
        assert!(scene.tree() == before);
    }
}

#[test]
fn without_undo_copies_nothing_is_kept_of_what_goes() {
    let scene = Scene::uneven("", 4);
    scene.runs("recover --truncate --keep-undo 0");
    scene.runs("verify");
    for key in scene.tree().keys() {
        assert!(!key.contains("/undo/"), "{key}");
    }
    scene.run("rollback").refused(36, &[]);
}

#[test]
fn a_store_on_a_server_is_cut_by_any_number_of_ranks() {
    for ranks in [1, 3] {
        let scene = Scene::uneven("-zv 2", 5);
        let server = server();
        let credentials = scene.sandbox.credentials(&server);
        for (key, object) in scene.tree() {
            server.put_object("ocean", &key, object);
        }
        let before = objects(&server);
        let run = |line: &str| msm_os!("{line} -b ocean -c {credentials}").well_on(ranks);
        run("recover --truncate");
        run("verify");
        let five = scene.part("five", "0,1,2,3,4", "");
        reads_back(&format!("s3://ocean/{STORE}"), Some(&server), &[five]);
        run("rollback");
        assert!(without_ledgers(objects(&server)) == without_ledgers(before));
    }
}
