//! Reprojected arrays beside the others: in creates, appends, updates, rollbacks and verification, on any number of ranks.

use crate::line::msm_os;
use crate::support::{Sandbox, python_runs, script};

const METHODS: [&str; 4] = ["nearest", "nearest-lonlat", "bilinear", "conservative"];

/// A copy of `file` with another grid, as `tests/python/regrid.py` makes it.
fn regrid(sandbox: &Sandbox, file: &str, name: &str, option: &str) -> String {
    let copy = sandbox.file(name);
    python_runs(&script("regrid.py"), &[file, &copy, option]);
    copy
}

/// Stores below different URLs hold the same values.
#[track_caller]
fn same_values(sandbox: &Sandbox, stores: &[&str]) {
    let paths = stores.iter().map(|store| sandbox.path(store));
    let paths: Vec<_> = paths.collect();
    python_runs(&script("same_values.py"), &paths);
}

#[test]
fn the_same_bytes_on_any_number_of_ranks() {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 3);
    for method in METHODS {
        let send = |ranks: usize, store: &str, weights: &str| {
            let (url, weights) = (sandbox.url(store), sandbox.file(weights));
            let reproject = format!("-r --method {method} --grid 50x37 --weights {weights}");
            msm_os!("send -f {file} -b {url} -v thetao tos {reproject}").well_on(ranks)
        };
        let called = |ranks: usize| format!("{method}-{ranks}");
        let weights = |ranks: usize| format!("{method}-{ranks}.nc");
        for ranks in [1, 2, 5] {
            send(ranks, &called(ranks), &weights(ranks));
        }
        let expected = sandbox.stores(&called(1));
        let projected = |key: &String| key.contains("/projected_thetao/c/");
        assert!(expected.keys().any(projected));
        let written = |ranks: usize| std::fs::read(sandbox.path(&weights(ranks))).unwrap();
        for ranks in [2, 5] {
            assert!(sandbox.stores(&called(ranks)) == expected);
            assert!(written(ranks) == written(1), "{method} on {ranks} ranks");
        }
        // With weights from the file.
        let again = format!("{method}-again");
        let ended = send(2, &again, &weights(5));
        assert!(!ended.stdout.contains("weights were written"));
        assert!(sandbox.stores(&again) == expected);
    }
}

#[test]
fn the_same_values_in_chunks_and_shards_of_any_shape() {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 3);
    let odd = r#"-cs '{"time_counter": 2, "y": 7, "x": 11, "deptht": 2}'"#;
    let chunks = r#"-cs '{"deptht": 1, "y": 8, "x": 40, "projected_y": 9, "projected_x": 13}'"#;
    let shards = r#"--shards '{"time_counter": 2, "deptht": 3, "projected_y": 27}'"#;
    let version_2 = r#"-zv 2 -cs '{"deptht": 3, "projected_x": 7}'"#;
    let mut stores = Vec::new();
    for flags in ["", odd, &format!("{chunks} {shards}"), version_2] {
        let name = format!("chunks-{}", stores.len());
        let url = sandbox.url(&name);
        let reproject = "-r --method bilinear -v thetao --memory 64M";
        msm_os!("send -f {file} {reproject} -b {url} {flags}").well_on(2);
        msm_os!("verify -b {url} -p T1m --against {file}").well_on(2);
        stores.push(format!("{name}/T1m/thetao.zarr"));
    }
    let stores: Vec<&str> = stores.iter().map(String::as_str).collect();
    same_values(&sandbox, &stores);
}

#[test]
fn reprojected_arrays_grow_change_and_go_back_with_the_others() {
    let sandbox = Sandbox::new();
    let [first, second] = [1, 3].map(|month| sandbox.months(month, 2));
    let [bucket, at_once] = ["ocean", "at-once"].map(|name| format!("-b {}", sandbox.url(name)));
    let reproject = "-r --method bilinear --resolution 10 --longitudes 0..360";
    let created = format!(r#"{reproject} -cs '{{"time_counter": 3, "y": 17}}'"#);
    let send = |files: &str, bucket: &str| {
        msm_os!("send -f {files} {bucket} -v compact tos thetao -p T1m")
    };
    send(&first, &bucket).and(&created).well();
    // A store that has reprojected arrays gets them, whatever the command line says.
    send(&second, &bucket).well_on(3);
    let appended = sandbox.stores("ocean");
    let both = format!("{first} {second}");
    send(&both, &at_once).and(&created).well_on(2);
    assert!(sandbox.stores("at-once") == appended);
    msm_os!("verify {bucket} -p T1m --against {both}").well_on(2);
    // An update of step 2, and back.
    let changed = sandbox.cut(&first, "changed.nc", "1", "add=1");
    msm_os!("update -f {changed} {bucket} -p T1m -v compact tos").well_on(2);
    let updated = sandbox.stores("ocean");
    let mut differ: Vec<&String> = updated.keys().collect();
    differ.retain(|key| updated.get(*key) != appended.get(*key));
    let projected = "/projected_tos/c/0/";
    assert!(differ.iter().any(|key| key.contains(projected)));
    for key in differ {
        let is_tos = key.contains("/tos/c/0/") || key.contains(projected);
        assert!(is_tos, "{key}");
    }
    let verify = msm_os!("verify {bucket} -p T1m -v compact tos --against");
    verify.and(&changed).well_on(2);
    // Against the file as it was, both arrays tell.
    let ended = verify.and(&first).on(2);
    ended.refused(60, &[]);
    ended.says(&["T1m.zarr/projected_tos/c/0/0/0: "]);
    let rollback = msm_os!("rollback {bucket} -p T1m -v compact");
    rollback.well();
    assert!(sandbox.stores("ocean") == appended);
    // An append, and back.
    send(&sandbox.months(5, 1), &bucket).well();
    assert!(sandbox.stores("ocean") != appended);
    rollback.well();
    assert!(sandbox.stores("ocean") == appended);
}

#[test]
fn reprojected_arrays_can_be_added_to_a_store() {
    let sandbox = Sandbox::new();
    let [first, second] = [1, 3].map(|month| sandbox.months(month, 2));
    let [url, at_once] = ["ocean", "at-once"].map(|name| sandbox.url(name));
    msm_os!("send -f {first} -v thetao -b {url}").well();
    let send = msm_os!("send -f {first} {second} -v thetao -r -b");
    let skip = send.and(&format!("{url} --on-overlap skip"));
    let words = ["does not hold", "projected_thetao", "--add-variables"];
    skip.on(2).refused(26, &words);
    // The steps that are there get them too, read again for them alone.
    skip.and("--add-variables").well_on(2);
    send.and(&at_once).well();
    let stores = ["at-once/T1m/thetao.zarr", "ocean/T1m/thetao.zarr"];
    same_values(&sandbox, &stores);
}

#[test]
fn reprojected_arrays_that_are_added_get_the_steps_of_later_commands_too() {
    let sandbox = Sandbox::new();
    let [first, second] = [1, 3].map(|month| sandbox.months(month, 2));
    let both = format!("{first} {second}");
    for (ranks, store, variables) in [
        (1, "T1m/thetao.zarr", "thetao"),
        (2, "T1m.zarr", "compact thetao tos"),
    ] {
        let send = |files: &str, place: &str, more: &str| {
            let url = sandbox.url(place);
            msm_os!("send -b {url} -p T1m -f {files} -v {variables} {more}").well_on(ranks)
        };
        let add = "-r --add-variables";
        for place in ["together", "each", "later"] {
            send(&both, place, "");
        }
        send(&both, "together", add);
        send(&first, "each", add);
        send(&second, "each", add);
        send(&second, "later", add);
        send(&both, "later", "");
        send(&both, "at-once", "-r");
        for place in ["together", "each", "later"] {
            let stores = ["at-once", place].map(|place| format!("{place}/{store}"));
            same_values(&sandbox, &stores.each_ref().map(String::as_str));
            send(&both, place, add).says(&["nothing to do"]);
        }
    }
}

#[test]
fn what_a_store_has_goes_before_the_flags() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let [file, next] = [1, 2].map(|month| sandbox.months(month, 1));
    let create = msm_os!("send -f {file} -b {url} -v tos -r");
    create.and("--grid 20x15").well();
    let before = sandbox.tree("ocean");
    let append = |file: &str| msm_os!("send -f {file} -b {url} -p T1m -v tos");
    let grid = "has the grid 20x15 of -180,-90,180,90";
    for (flags, words) in [
        ("-r --grid 20x16", grid),
        ("-r --longitudes 0..360", "asks for"),
        ("-r --method bilinear", "has method nearest"),
    ] {
        let ended = append(&next).and(flags).on(2);
        ended.refused(38, &[words, "nothing was written"]);
    }
    let moved = regrid(&sandbox, &next, "eORCA1_1m_grid_T_moved.nc", "move");
    let words = ["from another grid", "nothing was written"];
    append(&moved).alone().refused(38, &words);
    let weights = format!("--weights {}", sandbox.file("weights.nc"));
    create.and(&format!("-p other --grid 9x9 {weights}")).well();
    let words = ["not those of this run", "target_grid"];
    append(&next).and(&weights).alone().refused(37, &words);
    let mut own = sandbox.tree("ocean");
    own.retain(|key, _| key.starts_with("T1m/"));
    assert!(own == before);
    // The same grid may be named.
    append(&next).and("-r --grid 20x15 --method nearest").well();
}

#[test]
fn what_cannot_be_reprojected_is_named() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let send = |file: &str, flags: &str| msm_os!("send -f {file} -b {url} -p p -r {flags}").on(2);
    let refused = |file: &str, flags: &str, words: &[&str]| {
        send(file, flags).refused(37, words);
    };
    let stripped = regrid(&sandbox, &file, "stripped.nc", "strip");
    let words = ["corners", "--grid-filepath", "glamf"];
    refused(&stripped, "--method conservative", &words);
    // What weights take is known before they are made.
    let words = [
        "computing the weights of the reprojection from nav_lon takes",
        "--memory",
    ];
    let large = "--method bilinear -v tos --grid 2000x1000 --memory";
    send(&file, &format!("{large} 32M")).refused(19, &words);
    send(&file, &format!("{large} 1G --dry-run")).well();
    let integers = regrid(&sandbox, &file, "integers.nc", "int=tos");
    let words = ["'tos' has type int16", "_FillValue"];
    refused(&integers, "--method bilinear -v tos", &words);
    let words = ["no cell of the source lies in the target grid"];
    refused(
        &file,
        "--bbox 0,-89,20,-88 --method bilinear -v tos",
        &words,
    );
    let named = sandbox.cut(&file, "named.nc", "0", "rename=zos:projected_x");
    refused(&named, "-v tos", &["'projected_x'", "ncrename"]);
    let ended = msm_os!("send -f {file} -b {url} -gf {file}").alone();
    ended.refused(2, &["--grid-filepath", "nothing comes from that file"]);
    let nowhere = format!("-v tos --weights {}", sandbox.file("missing/weights.nc"));
    refused(&file, &nowhere, &["there is no such folder"]);
    let ended = msm_os!("send -f {file} -b {url} --weights w.nc").alone();
    ended.refused(2, &["nothing is reprojected"]);
    // Components of vectors, by name and by grid.
    let component = "set=tos:standard_name:sea_water_x_velocity";
    let component = sandbox.cut(&file, "component.nc", "0", component);
    let words = ["'tos' is not reprojected", "--allow-vector-components"];
    refused(&component, "-v tos", &words);
    let u = regrid(&sandbox, &component, "u.nc", "u=grid_U");
    assert!(!sandbox.path("ocean/p").exists());
    send(&u, "-v tos sos").well().warns(&words[..1]);
    let tree = sandbox.tree("ocean/p");
    let has = |key: &str| tree.contains_key(key);
    assert!(has("sos.zarr/projected_sos/zarr.json") && has("tos.zarr/tos/zarr.json"));
    assert!(!has("tos.zarr/projected_tos/zarr.json"));
    msm_os!("send -f {u} -b {url} -p q -v tos -r --allow-vector-components").well();
    let tree = sandbox.tree("ocean/q");
    assert!(tree.contains_key("tos.zarr/projected_tos/zarr.json"));
}

#[test]
fn cells_without_coordinates_are_told_of_and_left_out() {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 1);
    let domain = regrid(&sandbox, &file, "domain.nc", "domain");
    for (number, value) in ["0", "nan", "1e20"].into_iter().enumerate() {
        let name = format!("{number}_1m_grid_T.nc");
        let holes = regrid(&sandbox, &file, &name, &format!("holes={value}"));
        let url = sandbox.url(&format!("holes-{number}"));
        let send = msm_os!("send -f {holes} -b {url} -v tos -r -p");
        for method in METHODS {
            let ended = send.and(&format!("{method} --method {method}")).well();
            ended.warns(&["54 of 1200 cells have no coordinates"]);
        }
        // With the domain file's coordinates nothing is missing but the data.
        let coordinates = r#"'{"nav_lon": "glamt", "nav_lat": "gphit"}'"#;
        let borrow = format!("-gf {domain} -uc {coordinates}");
        let lent = send.and(&format!("lent {borrow} --method conservative"));
        let ended = lent.well();
        assert!(!ended.stderr.contains("no coordinates"), "{}", ended.stderr);
        let store = format!("holes-{number}/lent/tos.zarr");
        let document = &sandbox.tree(&store)["projected_tos/zarr.json"];
        let document: serde_json::Value = serde_json::from_slice(document).unwrap();
        assert_eq!(document["attributes"]["coordinates"], "time_centered");
        let verify = msm_os!("verify -b {url} -p lent --against {holes}");
        let with_domain = verify.and(&borrow).well_on(2);
        assert!(with_domain.stdout.ends_with(" 0 faults\n"));
        verify.on(2).refused(38, &["from another grid"]);
    }
}
