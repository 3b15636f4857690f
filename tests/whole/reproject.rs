//! Reprojected arrays beside the others: in creates, appends, updates, rollbacks and verification, on any number of ranks.

use std::path::Path;

use nemo_like::Spec;

use crate::support::{Ended, Sandbox, alone, cut, on_ranks, python_runs};

const METHODS: [&str; 4] = ["nearest", "nearest-lonlat", "bilinear", "conservative"];

/// A script of `tests/python`.
fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/python")
        .join(name)
}

fn months(sandbox: &Sandbox, from: u32, count: usize) -> String {
    let start = format!("1976-{from:02}-01").parse().unwrap();
    sandbox.source(&Spec {
        steps: count,
        start,
        ..Spec::default()
    })
}

/// A copy of `file` with another grid, as `tests/python/regrid.py` makes it.
fn regrid(sandbox: &Sandbox, file: &str, name: &str, options: &[&str]) -> String {
    let copy = sandbox.path(name).to_str().unwrap().to_owned();
    python_runs(&script("regrid.py"), &[&[file, &copy], options].concat());
    copy
}

/// Stores below different URLs hold the same values.
#[track_caller]
fn same_values(sandbox: &Sandbox, stores: &[&str]) {
    let paths = stores.iter().map(|store| sandbox.path(store));
    let paths: Vec<_> = paths.collect();
    python_runs(&script("same_values.py"), &paths);
}

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, code, "{ended:#?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
    }
}

#[test]
fn the_same_bytes_on_any_number_of_ranks() {
    let sandbox = Sandbox::new();
    let file = months(&sandbox, 1, 3);
    for method in METHODS {
        let send = |ranks: usize, store: &str, weights: &str| {
            let (url, weights) = (sandbox.url(store), sandbox.path(weights));
            let files = ["-f", &file, "-b", &url, "-v", "thetao", "tos"];
            let reproject = ["-r", "--method", method, "--grid", "50x37", "--weights"];
            let weights = [weights.to_str().unwrap()];
            on_ranks(
                ranks,
                &[&["send"][..], &files, &reproject, &weights].concat(),
            )
            .well()
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
    let file = months(&sandbox, 1, 3);
    let all = [
        &[][..],
        &[
            "-cs",
            r#"{"time_counter": 2, "y": 7, "x": 11, "deptht": 2}"#,
        ],
        &[
            "-cs",
            r#"{"deptht": 1, "y": 8, "x": 40, "projected_y": 9, "projected_x": 13}"#,
            "--shards",
            r#"{"time_counter": 2, "deptht": 3, "projected_y": 27}"#,
        ],
        &["-zv", "2", "-cs", r#"{"deptht": 3, "projected_x": 7}"#],
    ];
    let send = [
        "send", "-f", &file, "-r", "--method", "bilinear", "-v", "thetao", "--memory", "64M",
    ];
    let mut stores = Vec::new();
    for (number, flags) in all.iter().enumerate() {
        let name = format!("chunks-{number}");
        let url = sandbox.url(&name);
        on_ranks(2, &[&send[..], &["-b", &url], flags].concat()).well();
        let verify = ["verify", "-b", &url, "-p", "T1m", "--against", &file];
        on_ranks(2, &verify).well();
        stores.push(format!("{name}/T1m/thetao.zarr"));
    }
    let stores: Vec<&str> = stores.iter().map(String::as_str).collect();
    same_values(&sandbox, &stores);
}

#[test]
#[allow(clippy::too_many_lines)] // one story
fn reprojected_arrays_grow_change_and_go_back_with_the_others() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let chunks = ["-cs", r#"{"time_counter": 3, "y": 17}"#];
    let files = [months(&sandbox, 1, 2), months(&sandbox, 3, 2)];
    let create = [
        "send", "-f", &files[0], "-b", &url, "-v", "compact", "tos", "thetao", "-p", "T1m",
    ];
    let reproject = [
        "-r",
        "--method",
        "bilinear",
        "--resolution",
        "10",
        "--longitudes",
        "0..360",
    ];
    alone(&[&create[..], &reproject, &chunks].concat()).well();
    let created = sandbox.stores("ocean");
    // A store that has reprojected arrays gets them, whatever the command line says.
    let append = [
        "send", "-f", &files[1], "-b", &url, "-v", "compact", "tos", "thetao", "-p", "T1m",
    ];
    on_ranks(3, &append).well();
    let appended = sandbox.stores("ocean");
    let at_once = sandbox.url("at-once");
    let both = [
        "send", "-f", &files[0], &files[1], "-b", &at_once, "-v", "compact", "tos", "thetao", "-p",
        "T1m",
    ];
    on_ranks(2, &[&both[..], &reproject, &chunks].concat()).well();
    assert!(sandbox.stores("at-once") == appended);
    let verify = [
        "verify",
        "-b",
        &url,
        "-p",
        "T1m",
        "--against",
        &files[0],
        &files[1],
    ];
    on_ranks(2, &verify).well();
    // An update of step 2, and back.
    let changed = cut(&sandbox, &files[0], "changed.nc", "1", &["add=1"]);
    let update = [
        "update", "-f", &changed, "-b", &url, "-p", "T1m", "-v", "compact", "tos",
    ];
    on_ranks(2, &update).well();
    let updated = sandbox.stores("ocean");
    let differ: Vec<&String> = updated
        .keys()
        .filter(|key| updated.get(*key) != appended.get(*key))
        .collect();
    assert!(
        differ
            .iter()
            .all(|key| key.contains("/tos/c/0/") || key.contains("/projected_tos/c/0/")),
        "{differ:?}"
    );
    assert!(
        differ.iter().any(|key| key.contains("/projected_tos/c/0/")),
        "{differ:?}"
    );
    let against = [
        "verify",
        "-b",
        &url,
        "-p",
        "T1m",
        "-v",
        "compact",
        "tos",
        "--against",
        &changed,
    ];
    on_ranks(2, &against).well();
    // Against the file as it was, both arrays tell.
    let against = [
        "verify",
        "-b",
        &url,
        "-p",
        "T1m",
        "-v",
        "compact",
        "tos",
        "--against",
        &files[0],
    ];
    let ended = on_ranks(2, &against);
    assert_eq!(ended.code, 60, "{ended:#?}");
    assert!(
        ended.stdout.contains("T1m.zarr/projected_tos/c/0/0/0: "),
        "{}",
        ended.stdout
    );
    alone(&["rollback", "-b", &url, "-p", "T1m", "-v", "compact"]).well();
    assert!(sandbox.stores("ocean") == appended);
    // An append, and back.
    let more = months(&sandbox, 5, 1);
    let append = [
        "send", "-f", &more, "-b", &url, "-v", "compact", "tos", "thetao", "-p", "T1m",
    ];
    alone(&append).well();
    assert!(sandbox.stores("ocean") != appended);
    alone(&["rollback", "-b", &url, "-p", "T1m", "-v", "compact"]).well();
    assert!(sandbox.stores("ocean") == appended);
    assert!(created != appended);
}

#[test]
fn reprojected_arrays_can_be_added_to_a_store() {
    let sandbox = Sandbox::new();
    let files = [months(&sandbox, 1, 2), months(&sandbox, 3, 2)];
    let url = sandbox.url("ocean");
    let all = ["send", "-f", &files[0], &files[1], "-v", "thetao", "-b"];
    alone(&["send", "-f", &files[0], "-v", "thetao", "-b", &url]).well();
    let ended = on_ranks(
        2,
        &[&all[..], &[&url, "-r", "--on-overlap", "skip"]].concat(),
    );
    refused(
        &ended,
        26,
        &["does not hold", "projected_thetao", "--add-variables"],
    );
    // The steps that are there get them too, read again for them alone.
    let add = [
        &all[..],
        &[&url, "-r", "--on-overlap", "skip", "--add-variables"],
    ]
    .concat();
    on_ranks(2, &add).well();
    alone(&[&all[..], &[&sandbox.url("at-once"), "-r"]].concat()).well();
    same_values(
        &sandbox,
        &["at-once/T1m/thetao.zarr", "ocean/T1m/thetao.zarr"],
    );
}

#[test]
fn reprojected_arrays_that_are_added_get_the_steps_of_later_commands_too() {
    let sandbox = Sandbox::new();
    let files = [months(&sandbox, 1, 2), months(&sandbox, 3, 2)];
    for (ranks, store, variables) in [
        (1, "T1m/thetao.zarr", &["thetao"][..]),
        (2, "T1m.zarr", &["compact", "thetao", "tos"]),
    ] {
        let send = |files: &[&str], place: &str, more: &[&str]| {
            let url = sandbox.url(place);
            let args = ["send", "-b", &url, "-p", "T1m", "-f"];
            on_ranks(
                ranks,
                &[&args[..], files, &["-v"], variables, more].concat(),
            )
        };
        let [first, second] = [files[0].as_str(), files[1].as_str()];
        let add = ["-r", "--add-variables"];
        for place in ["together", "each", "later"] {
            send(&[first, second], place, &[]).well();
        }
        send(&[first, second], "together", &add).well();
        send(&[first], "each", &add).well();
        send(&[second], "each", &add).well();
        send(&[second], "later", &add).well();
        send(&[first, second], "later", &[]).well();
        send(&[first, second], "at-once", &["-r"]).well();
        for place in ["together", "each", "later"] {
            let stores = ["at-once", place].map(|place| format!("{place}/{store}"));
            same_values(&sandbox, &stores.each_ref().map(String::as_str));
            let again = send(&[first, second], place, &add).well();
            assert!(again.stdout.contains("nothing to do"), "{again:#?}");
        }
    }
}

#[test]
fn what_a_store_has_goes_before_the_flags() {
    let sandbox = Sandbox::new();
    let (file, url) = (months(&sandbox, 1, 1), sandbox.url("ocean"));
    let create = ["send", "-f", &file, "-b", &url, "-v", "tos", "-r"];
    alone(&[&create[..], &["--grid", "20x15"]].concat()).well();
    let before = sandbox.tree("ocean");
    let next = months(&sandbox, 2, 1);
    let append = ["send", "-f", &next, "-b", &url, "-p", "T1m", "-v", "tos"];
    for (flags, words) in [
        (
            &["--grid", "20x16"][..],
            "has the grid 20x15 of -180,-90,180,90",
        ),
        (&["--longitudes", "0..360"], "asks for"),
        (&["--method", "bilinear"], "has method nearest"),
    ] {
        let ended = on_ranks(2, &[&append[..], &["-r"], flags].concat());
        refused(&ended, 38, &[words, "nothing was written"]);
    }
    let moved = regrid(&sandbox, &next, "eORCA1_1m_grid_T_moved.nc", &["move"]);
    let ended = alone(&["send", "-f", &moved, "-b", &url, "-p", "T1m", "-v", "tos"]);
    refused(&ended, 38, &["from another grid", "nothing was written"]);
    let weights = sandbox.path("weights.nc");
    let weights = ["--weights", weights.to_str().unwrap()];
    alone(&[&create[..], &["-p", "other", "--grid", "9x9"], &weights].concat()).well();
    let ended = alone(&[&append[..], &weights].concat());
    refused(&ended, 37, &["not those of this run", "target_grid"]);
    let tree = sandbox.tree("ocean");
    let own = tree.iter().filter(|(key, _)| key.starts_with("T1m/"));
    let own: std::collections::BTreeMap<_, _> = own.map(|(k, v)| (k.clone(), v.clone())).collect();
    assert!(own == before);
    // The same grid may be named.
    let same = ["-r", "--grid", "20x15", "--method", "nearest"];
    alone(&[&append[..], &same].concat()).well();
}

#[test]
fn what_cannot_be_reprojected_is_named() {
    let sandbox = Sandbox::new();
    let (file, url) = (months(&sandbox, 1, 1), sandbox.url("ocean"));
    let send = |file: &str, flags: &[&str]| {
        let line = ["send", "-f", file, "-b", &url, "-p", "p", "-r"];
        on_ranks(2, &[&line[..], flags].concat())
    };
    let stripped = regrid(&sandbox, &file, "stripped.nc", &["strip"]);
    let ended = send(&stripped, &["--method", "conservative"]);
    refused(&ended, 37, &["corners", "--grid-filepath", "glamf"]);
    let integers = regrid(&sandbox, &file, "integers.nc", &["int=tos"]);
    let ended = send(&integers, &["--method", "bilinear", "-v", "tos"]);
    refused(&ended, 37, &["'tos' has type int16", "_FillValue"]);
    let ended = send(
        &file,
        &[
            "--bbox",
            "0,-89,20,-88",
            "--method",
            "bilinear",
            "-v",
            "tos",
        ],
    );
    refused(
        &ended,
        37,
        &["no cell of the source lies in the target grid"],
    );
    let named = cut(
        &sandbox,
        &file,
        "named.nc",
        "0",
        &["rename=zos:projected_x"],
    );
    let ended = send(&named, &["-v", "tos"]);
    refused(&ended, 37, &["'projected_x'", "ncrename"]);
    let ended = alone(&["send", "-f", &file, "-b", &url, "-gf", &file]);
    refused(
        &ended,
        2,
        &["--grid-filepath", "nothing comes from that file"],
    );
    let nowhere = sandbox.path("missing/weights.nc");
    let ended = send(
        &file,
        &["-v", "tos", "--weights", nowhere.to_str().unwrap()],
    );
    refused(&ended, 37, &["there is no such folder"]);
    let ended = alone(&["send", "-f", &file, "-b", &url, "--weights", "w.nc"]);
    refused(&ended, 2, &["nothing is reprojected"]);
    // Components of vectors, by name and by grid.
    let component = cut(
        &sandbox,
        &file,
        "component.nc",
        "0",
        &["set=tos:standard_name:sea_water_x_velocity"],
    );
    let ended = send(&component, &["-v", "tos"]);
    refused(
        &ended,
        37,
        &["'tos' is not reprojected", "--allow-vector-components"],
    );
    let u = regrid(&sandbox, &component, "u.nc", &["u=grid_U"]);
    assert!(!sandbox.path("ocean").join("p").exists());
    let ended = send(&u, &["-v", "tos", "sos"]).well();
    assert!(
        ended.stderr.contains("'tos' is not reprojected"),
        "{}",
        ended.stderr
    );
    let tree = sandbox.tree("ocean");
    let has = |key: &str| tree.contains_key(key);
    assert!(has("p/sos.zarr/projected_sos/zarr.json") && has("p/tos.zarr/tos/zarr.json"));
    assert!(!has("p/tos.zarr/projected_tos/zarr.json"));
    let allowed = [
        "send",
        "-f",
        &u,
        "-b",
        &url,
        "-p",
        "q",
        "-v",
        "tos",
        "-r",
        "--allow-vector-components",
    ];
    alone(&allowed).well();
    assert!(
        sandbox
            .tree("ocean")
            .contains_key("q/tos.zarr/projected_tos/zarr.json")
    );
}

#[test]
fn cells_without_coordinates_are_told_of_and_left_out() {
    let sandbox = Sandbox::new();
    let file = months(&sandbox, 1, 1);
    let domain = regrid(&sandbox, &file, "domain.nc", &["domain"]);
    for (number, value) in ["0", "nan", "1e20"].into_iter().enumerate() {
        let holes = regrid(
            &sandbox,
            &file,
            &format!("{number}_1m_grid_T.nc"),
            &[&format!("holes={value}")],
        );
        let url = sandbox.url(&format!("holes-{number}"));
        let send = ["send", "-f", &holes, "-b", &url, "-v", "tos", "-r", "-p"];
        for method in METHODS {
            let ended = alone(&[&send[..], &[method, "--method", method]].concat());
            assert_eq!(ended.code, 0, "{ended:#?}");
            assert!(
                ended
                    .stderr
                    .contains("54 of 1200 cells have no coordinates"),
                "{}",
                ended.stderr
            );
        }
        // With the domain file's coordinates nothing is missing but the data.
        let borrow = [
            "lent",
            "-gf",
            &domain,
            "-uc",
            r#"{"nav_lon": "glamt", "nav_lat": "gphit"}"#,
            "--method",
            "conservative",
        ];
        let ended = alone(&[&send[..], &borrow].concat()).well();
        assert!(!ended.stderr.contains("no coordinates"), "{}", ended.stderr);
        let document = sandbox.path(&format!(
            "holes-{number}/lent/tos.zarr/projected_tos/zarr.json"
        ));
        let document: serde_json::Value =
            serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
        assert_eq!(document["attributes"]["coordinates"], "time_centered");
        let verify = ["verify", "-b", &url, "-p", "lent", "--against", &holes];
        let with_domain = on_ranks(2, &[&verify[..], &borrow[1..5]].concat()).well();
        assert!(with_domain.stdout.ends_with(" 0 faults\n"));
        refused(&on_ranks(2, &verify), 38, &["from another grid"]);
    }
}
