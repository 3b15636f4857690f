//! `copy` and `move`: stores with their ledgers at another place, whole or not at all.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use crate::line::msm_os;
use crate::support::{Sandbox, is_tidy, objects, reads_back, served};

type Objects = BTreeMap<String, Vec<u8>>;

/// Those below the prefix `prefix`, as they would be called below `to`.
fn below(objects: &Objects, prefix: &str, to: &str) -> Objects {
    let below = objects
        .iter()
        .filter_map(|(key, bytes)| Some((key.strip_prefix(prefix)?, bytes)));
    let renamed = below.map(|(key, bytes)| (format!("{to}{key}"), bytes.clone()));
    renamed.collect()
}

#[test]
fn copies_are_stores_of_their_own() {
    for (kind, variables, ranks) in [
        ("", "tos,sos", 3),
        ("-zv 2", "tos", 1),
        (r#"--shards '{"time_counter": 6}'"#, "tos", 3),
        ("-r --grid 3x2", "tos", 1),
    ] {
        let (sandbox, server, bucket) = served();
        let files = [1, 3].map(|month| sandbox.months(month, 2));
        let chunks = r#"-cs '{"time_counter": 3}'"#;
        for file in &files {
            msm_os!("send -f {file} {bucket} -v {variables} {chunks} {kind}").well();
        }
        let other = sandbox.cut(&files[1], "other_1m_grid_T.nc", "0,1", "add=1");
        msm_os!("update -f {other} {bucket} -p T1m -v tos").well();
        let before = objects(&server);
        let copy = msm_os!("copy {bucket} -p T1m --to old/T1m");
        let told = copy.and("--dry-run").well_on(ranks);
        told.says(&["T1m/tos.zarr → old/T1m/tos.zarr: ", "would copy: "]);
        assert!(objects(&server) == before);
        copy.well_on(ranks)
            .says(&["T1m/tos.zarr → old/T1m/tos.zarr: ", "copied: "]);
        let both = objects(&server);
        assert!(below(&both, "T1m/", "") == below(&before, "T1m/", ""));
        assert!(below(&both, "old/T1m/", "T1m/") == before, "{kind}");
        is_tidy(&server);
        copy.well_on(ranks).says(&[", there already", "copied: "]);
        assert!(objects(&server) == both);
        // The ledger went with them.
        let updated = [files[0].clone(), other];
        let old = format!("{bucket} -p old/T1m");
        msm_os!("verify {old}").well_on(ranks);
        let histories = [&format!("{bucket} -p T1m"), &old].map(|place| {
            let told = msm_os!("history {place} -v tos").well().stdout;
            told.replace("old/T1m/", "T1m/")
        });
        assert_eq!(histories[0], histories[1]);
        assert!(histories[0].contains("update, "), "{histories:?}");
        if kind.is_empty() {
            reads_back("s3://ocean/old/T1m/tos.zarr", Some(&server), &updated);
        }
        msm_os!("rollback {old} -v tos").well_on(ranks);
        let apart = objects(&server);
        assert!(below(&apart, "T1m/", "") == below(&before, "T1m/", ""));
        if kind.is_empty() {
            reads_back("s3://ocean/old/T1m/tos.zarr", Some(&server), &files);
            reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &updated);
        }
        copy.and("-v tos")
            .on(ranks)
            .refused(51, &["T1m/tos.zarr", "'old/T1m/tos.zarr' is there already"]);
        assert!(objects(&server) == apart);
    }
}

#[test]
fn what_is_moved_is_where_it_went_alone() {
    for (variables, ranks) in [("tos,sos", 1), ("compact", 3)] {
        let (sandbox, server, bucket) = served();
        let directory = format!("-b {}", sandbox.url("ocean"));
        let files = [1, 3].map(|month| sandbox.months(month, 2));
        for place in [&bucket, &directory] {
            for file in &files {
                msm_os!("send -f {file} {place} -v {variables}").well();
            }
            let go = msm_os!("move {place} -p T1m --to new/T1m -v {variables}");
            go.and("--dry-run").well().says(&["would move: "]);
            go.well_on(ranks).says(&[" → new/T1m", "moved: "]);
            msm_os!("verify {place} -p new/T1m").well();
            msm_os!("list {place} -p T1m")
                .well()
                .says(&["there are no stores"]);
            go.on(ranks).refused(27, &["no store"]);
            msm_os!("rollback {place} -p new/T1m").well_on(ranks);
            msm_os!("send -f {} {place} -p new/T1m -v {variables}", files[1]).well_on(ranks);
        }
        let left = objects(&server);
        assert!(
            left.keys().all(|key| key.starts_with("new/")),
            "{:?}",
            left.keys()
        );
        is_tidy(&server);
        let stores = if variables == "compact" {
            "new/T1m.zarr"
        } else {
            "new/T1m/tos.zarr"
        };
        reads_back(&format!("s3://ocean/{stores}"), Some(&server), &files);
        sandbox.reads_back(&format!("ocean/{stores}"), &files);
        assert!(!sandbox.path("ocean/T1m").exists() && !sandbox.path("ocean/T1m.zarr").exists());
    }
}

/// A store by its path; and programs that write a file in place change one of the two.
#[test]
fn a_store_is_copied_to_a_name_of_its_own() {
    let sandbox = Sandbox::new();
    let place = format!("-b {}", sandbox.url("ocean"));
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {place} --store npd/ocean -v compact").well();
    msm_os!("copy {place} --store npd/ocean --to npd/again").well_on(3);
    msm_os!("verify {place} --store npd/again").well();
    sandbox.reads_back("ocean/npd/again", &[&file]);
    let trees = ["ocean/npd/ocean", "ocean/npd/again"].map(|store| sandbox.tree(store));
    assert!(trees[0] == trees[1]);
    for name in trees[0].keys() {
        let inode = |store: &str| sandbox.path(store).join(name).metadata().unwrap().ino();
        assert_ne!(inode("ocean/npd/ocean"), inode("ocean/npd/again"), "{name}");
    }
}

/// `move` deletes nothing behind a link; a copy has what the link leads to.
#[test]
fn links_are_not_moved() {
    let sandbox = Sandbox::new();
    let place = format!("-b {}", sandbox.url("ocean"));
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {place} -v tos").well();
    let (chunks, elsewhere) = (
        sandbox.path("ocean/T1m/tos.zarr/tos/c"),
        sandbox.path("elsewhere"),
    );
    std::fs::rename(&chunks, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &chunks).unwrap();
    let before = sandbox.tree("elsewhere");
    let refused = msm_os!("move {place} -p T1m --to new").on(3);
    refused.refused(29, &["tos.zarr/tos/c is a symbolic link"]);
    msm_os!("copy {place} -p T1m --to new").well_on(3);
    msm_os!("delete {place} -p T1m --all --yes --force").well();
    sandbox.reads_back("ocean/new/tos.zarr", &[&file]);
    assert!(sandbox.tree("elsewhere") == before);
}

/// Chunks whose keys are as other programs write them, too.
#[test]
fn chunks_of_dotted_keys_are_copied() {
    let (_sandbox, server, bucket) = served();
    let root = r#"{"zarr_format": 3, "node_type": "group", "attributes": {}, "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {"x": ARRAY}}}"#;
    let array = r#"{"zarr_format": 3, "node_type": "array", "shape": [2, 2], "data_type": "uint8", "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 2]}}, "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}}, "fill_value": 0, "codecs": [{"name": "bytes"}], "attributes": {}, "dimension_names": ["t", "x"]}"#;
    for (key, text) in [
        ("zarr.json", root.replace("ARRAY", array)),
        ("x/zarr.json", array.to_owned()),
        ("x/c.0.0", "ab".to_owned()),
        ("x/c.1.0", "cd".to_owned()),
    ] {
        server.put_object("ocean", &format!("a/x.zarr/{key}"), text);
    }
    let before = objects(&server);
    msm_os!("copy {bucket} -p a --to b").well_on(3);
    assert!(below(&objects(&server), "b/", "a/") == before);
    msm_os!("move {bucket} -p b --to c").well();
    assert!(below(&objects(&server), "c/", "a/") == before);
    assert!(!objects(&server).keys().any(|key| key.starts_with("b/")));
}

/// Where objects end in a crc32c of their own, the crc32c of all of them is the same; a copy of what was there before is another one.
#[test]
fn a_store_that_was_changed_since_is_not_taken_for_its_copy() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {bucket} -v tos").well();
    let key = "T1m/tos.zarr/tos/c/0/0/0";
    let ending = |byte: u8| {
        let mut bytes = vec![byte; 96];
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    };
    server.put_object("ocean", key, ending(1));
    msm_os!("copy {bucket} -p T1m --to old").well_on(3);
    server.put_object("ocean", key, ending(2));
    let before = objects(&server);
    for verb in ["copy", "move"] {
        let line = msm_os!("{verb} {bucket} -p T1m --to old");
        line.on(3).refused(51, &["is not the same"]);
        assert!(objects(&server) == before, "{verb}");
    }
}

#[test]
fn what_cannot_be_copied_is_refused_and_nothing_changes() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    let other = sandbox.months(3, 1);
    msm_os!("send -f {file} {bucket} -v tos,sos").well();
    msm_os!("send -f {other} {bucket} -p other -v tos").well();
    server.put_object("ocean", "taken/sos.zarr/readme", "mine");
    server.put_object("ocean", "T1m/sos.zarr/readme.txt", "mine");
    let before = objects(&server);
    for (flags, code, words) in [
        ("copy --to old", 2, &["--prefix", "--store"][..]),
        ("copy -p T1m", 2, &["--to"]),
        ("copy -p T1m --to a//b", 2, &["--to"]),
        ("move -p T1m --to T1m/old", 2, &["below 'T1m'"]),
        (
            "copy --store T1m/tos.zarr -v tos --to old",
            2,
            &["--variables"],
        ),
        ("copy -p T1m --to T1m", 2, &["where the stores are"]),
        (
            "copy --store T1m/tos.zarr --to T1m/tos.zarr/more",
            2,
            &["T1m/tos.zarr"],
        ),
        ("copy -p T1m --to other/tos.zarr", 2, &["other/tos.zarr"]),
        (
            "copy -p T1m --to other",
            51,
            &["'other/tos.zarr' is there already"],
        ),
        (
            "copy -p T1m --to taken",
            51,
            &["'taken/sos.zarr' is there already"],
        ),
        (
            "move -p T1m --to taken",
            29,
            &["T1m/sos.zarr", "readme.txt"],
        ),
        ("copy -p none --to old", 27, &["none"]),
        ("copy -p T1m -v thetao --to old", 27, &["thetao"]),
    ] {
        for ranks in [1, 3] {
            let line = msm_os!("{flags} {bucket}");
            line.on(ranks).refused(code, words);
            assert!(objects(&server) == before, "{flags}");
        }
    }
    // A variable alone does not take all with it.
    msm_os!("send -f {file} {bucket} -p all -v compact").well();
    let before = objects(&server);
    let line = msm_os!("move {bucket} -p all -v tos --to away");
    line.on(3).refused(27, &["'all.zarr'", "-v compact"]);
    assert!(objects(&server) == before);
    // What is not of the store stays behind.
    let copied = msm_os!("copy {bucket} -p T1m --to old").well();
    copied.says(&["1 object in it is not of the store"]);
    assert!(!objects(&server).contains_key("old/sos.zarr/readme.txt"));
    // What another program wrote is copied as it is.
    let before = objects(&server);
    let (key, chunk) = before
        .iter()
        .find(|(key, _)| key.starts_with("T1m/tos.zarr/tos/c/"))
        .unwrap();
    let mut damaged = chunk.clone();
    damaged.push(0);
    server.put_object("ocean", key, damaged.clone());
    let copied = msm_os!("copy {bucket} -p T1m -v tos --to odd").well_on(3);
    copied.says(&["1 object is not what its manifest says"]);
    assert_eq!(objects(&server)[&key.replace("T1m/", "odd/")], damaged);
    // And the copy of before is another one now.
    let before = objects(&server);
    msm_os!("copy {bucket} -p T1m -v tos --to old")
        .on(3)
        .refused(51, &["is not the same"]);
    assert!(objects(&server) == before);
}
