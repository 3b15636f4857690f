//! `rechunk --replace`: stores that are made anew in their own places.

use s3_server::{Fault, Rule};

use crate::line::msm_os;
use crate::support::{is_tidy, objects, python_runs, reads_back, script, served};

#[test]
fn stores_are_replaced_by_what_is_made_of_them() {
    for (made, variables, cut, ranks) in [
        ("", "tos,thetao", r#"-cs '{"time_counter": 3, "x": 7}'"#, 3),
        ("", "tos,thetao", "-zv 2 --codec zstd:3", 1),
        (
            "-zv 2",
            "compact",
            r#"-zv 3 --shards '{"time_counter": 4}'"#,
            3,
        ),
    ] {
        let (sandbox, server, bucket) = served();
        let directory = format!("-b {}", sandbox.url("ocean"));
        let files = [1, 3, 5].map(|month| sandbox.months(month, 2));
        let [first, second, third] = &files;
        for place in [&bucket, &directory] {
            for file in [first, second] {
                msm_os!("send -f {file} {place} -v {variables} {made}").well();
            }
            msm_os!("copy {place} -p T1m --to as/was").well();
            let line = msm_os!("rechunk {place} -p T1m -v {variables} --replace {cut}");
            let told = line.and("--dry-run").well_on(ranks);
            told.says(&["  T1m", " arrays", "would rechunk: "]);
            line.well_on(ranks)
                .says(&["  T1m", " arrays", "rechunked: "]);
            msm_os!("verify {place} -p T1m --against {first} {second}").well_on(ranks);
            // As it is now, it cannot be undone: what it was made of is gone.
            let told = msm_os!("history {place} -p T1m").well();
            told.says(&["rechunk --replace, ", "rollback cannot undo it"]);
            msm_os!("rollback {place} -p T1m")
                .on(ranks)
                .refused(36, &["T1m"]);
            line.and("--dry-run").well().says(&["as asked for already"]);
            line.well_on(ranks)
                .says(&["as asked for already", "as asked for"]);
            msm_os!("send -f {third} {place} -v {variables}").well_on(ranks);
            msm_os!("rollback {place} -p T1m").well_on(ranks);
            msm_os!("verify {place} -p T1m --against {first} {second}").well_on(ranks);
        }
        is_tidy(&server);
        let left = objects(&server);
        assert!(!left.keys().any(|key| key.starts_with("being-rechunked")));
        assert!(!sandbox.path("ocean/being-rechunked").exists());
        let store = if variables == "compact" {
            "T1m.zarr"
        } else {
            "T1m/tos.zarr"
        };
        reads_back(&format!("s3://ocean/{store}"), Some(&server), &files[..2]);
        let stores = [
            format!("ocean/as/{}", store.replace("T1m", "was")),
            format!("ocean/{store}"),
        ];
        python_runs(
            &script("same_stores.py"),
            &stores.map(|store| sandbox.file(&store)),
        );
    }
}

/// A job that dies when the old store is deleted, and the new one not in its place.
#[test]
fn who_dies_between_is_gone_on_with_and_nobody_begins_another_store() {
    for (selection, ranks) in [
        ("-p T1m", 3),
        ("-p T1m -v tos", 1),
        ("--store T1m/tos.zarr", 3),
    ] {
        let (sandbox, server, bucket) = served();
        let files = [1, 3].map(|month| sandbox.months(month, 2));
        let [first, second] = &files;
        msm_os!("send -f {first} {bucket} -v tos,sos").well();
        let line = msm_os!("rechunk {bucket} {selection} --replace --codec zstd:2");
        // The old store is gone by then.
        let refuse = Rule::new(Fault::Status(403)).method("PUT");
        let refuse = refuse.key_contains("ocean/T1m/tos.zarr/tos/c");
        server.faults().add(refuse);
        let told = ["is whole in the folder 'being-rechunked'", "goes on"];
        line.on(ranks).refused(32, &told);
        server.faults().clear();
        let before = objects(&server);
        assert!(!before.contains_key("T1m/tos.zarr/zarr.json"));
        if selection == "-p T1m -v tos" {
            let told = [
                "store 'T1m/tos.zarr' is being replaced by rechunk --replace (",
                "whole in 'being-rechunked/T1m/tos.zarr'",
                "rechunk --store T1m/tos.zarr --replace",
            ];
            for verb in ["list --brief", "open", "du", "history"] {
                let looked = msm_os!("{verb} {bucket} -p T1m").well();
                let said = [looked.stdout, looked.stderr].concat();
                assert!(told.iter().all(|told| said.contains(told)), "{said}");
                assert!(said.contains("T1m/sos.zarr"), "{said}");
            }
            let verify = msm_os!("verify {bucket} -p T1m");
            verify.on(ranks).refused(51, &told);
            let doomed = msm_os!("delete {bucket} -p being-rechunked --all");
            for how in ["--yes", "--dry-run"] {
                doomed.and(how).on(ranks).refused(51, &told);
            }
            let forced = doomed.and("--force --dry-run").well();
            assert!(forced.stdout.contains("is the only copy"), "{forced:#?}");
            let stranger = msm_os!("delete {bucket} -p T1m -v nosuch --yes");
            stranger.alone().refused(27, &["nosuch"]);
        }
        msm_os!("verify {bucket} -p being-rechunked/T1m -v tos --against {first}").well();
        let next = msm_os!("send -f {second} {bucket} -v tos");
        next.on(ranks)
            .refused(51, &["T1m/tos.zarr", "rechunk --replace"]);
        assert!(objects(&server) == before);
        msm_os!("send -f {second} {bucket} -p other -v tos").well();
        let before = objects(&server);
        for verb in ["copy", "move", "rechunk"] {
            let other = msm_os!("{verb} {bucket} -p other -v tos --to T1m");
            other
                .on(ranks)
                .refused(51, &["T1m/tos.zarr", "rechunk --replace"]);
            assert!(objects(&server) == before);
        }
        line.and("--dry-run")
            .well_on(ranks)
            .says(&["T1m/tos.zarr: made already"]);
        line.well_on(ranks).says(&["T1m/tos.zarr: made already"]);
        is_tidy(&server);
        assert!(!objects(&server).keys().any(|key| key.starts_with("being-")));
        next.well_on(ranks);
        reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files);
        msm_os!("verify {bucket} -p T1m -v sos --against {first}").well();
    }
}

/// Before the old store is deleted, what was made is nobody's: neither in the way, nor a store that comes back.
#[test]
fn what_a_job_has_left_that_died_before_is_not_counted_on() {
    for ranks in [1, 3] {
        let (sandbox, server, bucket) = served();
        let files = [1, 3].map(|month| sandbox.months(month, 2));
        let [first, second] = &files;
        msm_os!("send -f {first} {bucket} -v tos").well();
        let line = msm_os!("rechunk {bucket} -p T1m --replace");
        let refuse = Rule::new(Fault::Status(403)).method("DELETE");
        server.faults().add(refuse.key_contains("/additions/"));
        line.and("--codec zstd:2").on(ranks).refused(32, &[]);
        server.faults().clear();
        let made = "being-rechunked/T1m/tos.zarr/zarr.json";
        assert!(objects(&server).contains_key(made));
        let left = objects(&server);
        // The store goes, and another one comes.
        msm_os!("delete {bucket} -p T1m --all --yes").well();
        line.on(ranks).refused(27, &["no stores"]);
        msm_os!("send -f {second} {bucket} -v tos").well_on(ranks);
        reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files[1..]);
        assert_eq!(objects(&server)[made], left[made]);
        line.and("--codec zstd:3").well_on(ranks);
        reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files[1..]);
        assert!(!objects(&server).keys().any(|key| key.starts_with("being-")));
        is_tidy(&server);
    }
}

/// What the root document does not tell of would be lost.
#[test]
fn a_store_whose_metadata_do_not_tell_all_is_not_replaced() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {bucket} -v tos").well();
    let line = msm_os!("rechunk {bucket} -p T1m --replace --codec none");
    let sent = objects(&server);
    let document = sent["T1m/tos.zarr/tos/zarr.json"].clone();
    let longer = String::from_utf8(document.clone()).unwrap();
    let longer = longer.replacen("[2,", "[3,", 1).replacen("[2, ", "[3, ", 1);
    assert_ne!(longer.as_bytes(), document);
    for (key, bytes) in [
        ("T1m/tos.zarr/extra/zarr.json", document),
        ("T1m/tos.zarr/tos/zarr.json", longer.into_bytes()),
        ("T1m/tos.zarr/tos/c/7/0/0", b"x".to_vec()),
    ] {
        server.put_object("ocean", key, bytes);
        let before = objects(&server);
        for ranks in [1, 3] {
            line.on(ranks).refused(29, &["T1m/tos.zarr", key]);
            assert!(objects(&server) == before);
        }
        match sent.get(key) {
            Some(bytes) => server.put_object("ocean", key, bytes.clone()),
            None => server.remove_object("ocean", key),
        }
    }
    line.well_on(3);
    msm_os!("verify {bucket} -p T1m --against {file}").well();
}

#[test]
fn what_cannot_be_replaced_is_refused_and_nothing_changes() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {bucket} -v tos").well();
    let other = sandbox.months(3, 2);
    msm_os!("send -f {file} {bucket} -p mine -v tos").well();
    server.put_object("ocean", "mine/tos.zarr/readme.txt", "mine");
    msm_os!("send -f {other} {bucket} -p being-rechunked/taken -v tos").well();
    msm_os!("send -f {file} {bucket} -p taken -v tos").well();
    let before = objects(&server);
    for (flags, code, words) in [
        ("-p T1m --replace --to new", 2, &["--to", "--replace"][..]),
        ("-p T1m", 2, &["--to"]),
        ("-p mine --replace --codec none", 29, &["readme.txt"]),
        (
            "-p taken --replace --codec none",
            51,
            &["'being-rechunked/taken/tos.zarr' is there already"],
        ),
        ("-p none --replace", 27, &["none"]),
        ("-p T1m -v sos --replace", 27, &["sos"]),
        (r#"-p T1m --replace --shards '{"y": 7}'"#, 17, &["--shards"]),
    ] {
        for ranks in [1, 3] {
            msm_os!("rechunk {bucket} {flags}")
                .on(ranks)
                .refused(code, words);
            assert!(objects(&server) == before, "{flags}");
        }
    }
}
