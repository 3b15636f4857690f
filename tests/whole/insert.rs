//! `send --insert`: steps get to their place between others, which make room, and `rollback` takes them away again.

use crate::line::{Line, msm_os};
use crate::support::{Sandbox, is_tidy, objects, reads_back, served, without_ledgers};

/// Files of a month each.
fn months(sandbox: &Sandbox, count: u32) -> Vec<String> {
    (1..=count).map(|month| sandbox.months(month, 1)).collect()
}

/// Within objects, from one to another, and whole: the store is what it would have become in order, byte for byte.
#[test]
fn what_is_inserted_lies_where_it_would_have_come_to_lie() {
    for (kind, ranks) in [
        (r#"-cs '{"time_counter": 1}'"#, 3),
        (r#"-cs '{"time_counter": 2}' -zv 2"#, 1),
        (r#"-cs '{"time_counter": 3, "deptht": 1}'"#, 3),
        (
            r#"-cs '{"time_counter": 1}' --shards '{"time_counter": 4}'"#,
            1,
        ),
        (r#"-cs '{"time_counter": 2}' -r --grid 3x2"#, 3),
    ] {
        let (sandbox, server, bucket) = served();
        let files = months(&sandbox, 9);
        let send = |files: &[String], prefix: &str| {
            msm_os!(
                "send -f {} {bucket} -p {prefix} -v thetao,tos {kind}",
                files.join(" ")
            )
        };
        send(&files, "whole").well();
        let whole = |prefix: &str| {
            let all = without_ledgers(objects(&server)).into_iter();
            let of = all.filter_map(|(key, bytes)| {
                let below = key.strip_prefix(&format!("{prefix}/"))?;
                Some((below.to_owned(), bytes))
            });
            of.collect::<std::collections::BTreeMap<_, _>>()
        };
        // One month, two, and some in two gaps at once.
        for (number, gone) in [&[2][..], &[1, 2], &[4, 7], &[1, 3, 4, 6]]
            .into_iter()
            .enumerate()
        {
            let prefix = format!("gaps{number}");
            let is_gone = |index: &usize| gone.contains(index);
            let pick = |wanted: bool| -> Vec<String> {
                let of = (0..files.len()).filter(|index| is_gone(index) == wanted);
                of.map(|index| files[index].clone()).collect()
            };
            send(&pick(false), &prefix).and("--allow-gaps").well();
            let before = whole(&prefix);
            let told = send(&pick(true), &prefix)
                .and("--insert --dry-run")
                .well_on(ranks);
            told.says(&[
                "steps are moved",
                "copied into the ledger first",
                "nothing was written",
            ]);
            assert!(whole(&prefix) == before);
            send(&pick(true), &prefix)
                .and("--insert")
                .well_on(ranks)
                .says(&["steps are moved"]);
            assert!(whole(&prefix) == whole("whole"), "{kind} {gone:?}");
            msm_os!("verify {bucket} -p {prefix} --against {}", files.join(" ")).well();
            send(&pick(true), &prefix)
                .and("--insert")
                .well_on(ranks)
                .says(&["nothing to do"]);
            msm_os!("rollback {bucket} -p {prefix}").well_on(ranks);
            assert!(whole(&prefix) == before, "{kind} {gone:?}");
            msm_os!("verify {bucket} -p {prefix}").well();
            is_tidy(&server);
        }
    }
}

/// What comes before the first step, and behind the last, in one command.
#[test]
fn a_store_grows_at_both_ends() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    let files = months(&sandbox, 5);
    let send = |files: &[String]| {
        let files = files.join(" ");
        msm_os!(r#"send -f {files} {place} -v tos,sos -cs '{{"time_counter": 2}}'"#)
    };
    send(&files[1..3]).well();
    // Nothing comes between March and May, nor between the first month and what is there.
    let refused = |line: Line, words: &[&str]| line.refused_in(&sandbox, 24, words);
    let words = ["nothing comes between", "--allow-gaps"];
    refused(send(&files[4..]).and("--insert"), &words);
    send(&files[3..]).and("--insert").well_on(3);
    msm_os!("rollback {place}").well();
    let ends = [&files[..1], &files[3..]].concat();
    send(&ends).and("--insert").well_on(3);
    // But for the attributes of the first file that was sent, it is what it would have become in order.
    let in_order = sandbox.url("in-order");
    msm_os!(
        r#"send -f {} -b {in_order} -v tos,sos -cs '{{"time_counter": 2}}'"#,
        files.join(" ")
    )
    .well();
    let chunks = |bucket: &str| {
        let mut stored = sandbox.stores(bucket);
        stored.retain(|key, _| key.contains("/c/"));
        stored
    };
    assert!(chunks("ocean") == chunks("in-order"));
    msm_os!("verify {place} --against {}", files.join(" ")).well();
    // On with the next, in order.
    let next = sandbox.months(6, 1);
    msm_os!("send -f {next} {place} -v tos,sos --keep-undo 2").well();
    msm_os!("verify {place}").well();
    let history = msm_os!("history {place}").well();
    assert!(!history.stdout.contains("cannot"), "{history:#?}");
    msm_os!("rollback {place} --last 2").well_on(3);
    sandbox.reads_back("ocean/T1m/tos.zarr", &files[1..3]);
}

#[test]
fn what_cannot_be_moved_is_refused() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    let files = months(&sandbox, 4);
    let send = |files: &[String], variables: &str| {
        let files = files.join(" ");
        msm_os!("send -f {files} {place} {variables} --allow-gaps")
    };
    let both = [files[0].clone(), files[2].clone()];
    send(&both, "-v compact tos").well();
    let refused = |line: Line, words: &[&str]| line.refused_in(&sandbox, 24, words);
    let insert = |variables| send(&files[1..2], variables).and("--insert");
    refused(
        insert("-v compact tos sos --add-variables"),
        &["cannot be moved", "new arrays", "nothing was written"],
    );
    let some = send(&files[1..3], "-v compact tos --insert --on-overlap replace");
    refused(some, &["cannot be moved", "use update"]);
    send(&files[3..], "-v compact tos sos --add-variables").well();
    refused(
        insert("-v compact tos sos"),
        &["cannot be moved", "never sent"],
    );
    for other in ["--share", "--dry-run --consolidate"] {
        let words = [other.split(' ').next_back().unwrap()];
        insert("-v compact tos")
            .and(other)
            .refused_in(&sandbox, 2, &words);
    }
    // What it has not is sent first.
    send(&both, "-v compact tos sos").well();
    insert("-v compact tos sos").well_on(3);
    msm_os!("verify {place} --against {}", files.join(" ")).well();
}

/// What is damaged does not come to lie elsewhere: it is found before anything is overwritten.
#[test]
fn a_damaged_object_is_named_and_nothing_moves() {
    for codec in ["", "--codec none -zv 2"] {
        let sandbox = Sandbox::new();
        let place = format!("-b {} --store a/tos.zarr", sandbox.url("ocean"));
        let files = months(&sandbox, 6);
        let send = |files: &[String]| {
            let files = files.join(" ");
            msm_os!(
                r#"send -f {files} {place} -v tos -cs '{{"time_counter": 1}}' {codec} --allow-gaps"#
            )
        };
        send(&[&files[..2], &files[3..]].concat()).well();
        let (name, at) = if codec.is_empty() {
            ("c/3/0/0", 40)
        } else {
            ("3.0.0", 8)
        };
        let object = sandbox.file(&format!("ocean/a/tos.zarr/tos/{name}"));
        let mut bytes = std::fs::read(&object).unwrap();
        bytes[at] ^= 1;
        std::fs::write(&object, bytes).unwrap();
        let before = sandbox.stores("ocean");
        for ranks in [1, 3] {
            let refused = send(&files[2..3]).and("--insert").on(ranks);
            assert!(![0, 42].contains(&refused.code), "{refused:#?}");
            refused.warns(&[name, "expected"]);
            assert!(sandbox.stores("ocean") == before);
        }
        // When that month has been sent again, it can move.
        msm_os!("update -f {} {place} -v tos", files[4]).well();
        send(&files[2..3]).and("--insert").well_on(3);
        sandbox.reads_back("ocean/a/tos.zarr", &files);
        msm_os!("verify {place}").well();
    }
}

#[test]
fn objects_of_fill_alone_move_and_go() {
    let (sandbox, server, bucket) = served();
    let whole = sandbox.months(1, 6);
    let blank = sandbox.edited(&whole, "blank_1m_grid_T.nc", |file| {
        let mut tos = file.variable_mut("tos").unwrap();
        let fill = tos.fill_value::<f32>().unwrap().unwrap();
        let shape: Vec<usize> = tos
            .dimensions()
            .iter()
            .map(netcdf::Dimension::len)
            .collect();
        let values = vec![fill; 2 * shape[1] * shape[2]];
        tos.put_values(&values, (3..5, .., ..)).unwrap();
    });
    let cut = |name: &str, steps: &str| sandbox.cut(&blank, name, steps, "");
    let (there, later) = (
        cut("there_1m_grid_T.nc", "0,3,4,5"),
        cut("later_1m_grid_T.nc", "1,2"),
    );
    let send = |file: &str| {
        msm_os!(
            r#"send -f {file} {bucket} --store a/tos.zarr -v tos -cs '{{"time_counter": 1}}' --allow-gaps"#
        )
    };
    send(&there).well();
    let before = without_ledgers(objects(&server));
    send(&later).and("--insert").well_on(3);
    reads_back("s3://ocean/a/tos.zarr", Some(&server), &[blank]);
    let after = without_ledgers(objects(&server));
    let stored = |at: u64| after.contains_key(&format!("a/tos.zarr/tos/c/{at}/0/0"));
    assert_eq!(
        [0, 1, 2, 3, 4, 5].map(stored),
        [true, true, true, false, false, true]
    );
    msm_os!("verify {bucket} --store a/tos.zarr").well();
    msm_os!("rollback {bucket} --store a/tos.zarr").well();
    assert!(without_ledgers(objects(&server)) == before);
}
