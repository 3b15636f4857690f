//! An archive that jobs share in sending, in whose ledger something is damaged or gone: nobody is in the way of others for it, what was put
//! is put again, and what nobody can go on with can be abandoned.

use bytes::Bytes;
use nemo_like::Variable;

use super::dataset::Objects;
use super::support::{LONG, Line, line, months, run, seen, set_lease_times};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// How an object is damaged.
const WAYS: [(&str, Option<&str>); 4] = [
    ("is gone", None),
    ("is empty", Some("")),
    ("is no JSON", Some("{\"format\": 1, ")),
    ("is of another format", Some("{\"format\": 99}")),
];

/// An archive of four parts, of which the first is committed and the third is put; and what one send of it makes.
fn under_way(job: &Line, whole: &Line) -> (Objects, Objects) {
    let world = World::new(Conditional::Enforced);
    let link = world.link(Vec::new());
    for task in ["0/4", "2/4"] {
        let mut job = job.clone();
        job.extend(["--task".to_owned(), task.to_owned()]);
        assert_eq!(run(&link, &job), Exit::Ok);
    }
    let plain = World::new(Conditional::Enforced);
    assert_eq!(run(&plain.link(Vec::new()), whole), Exit::Ok);
    (world.objects(), seen(&plain))
}

#[test]
fn what_is_damaged_of_a_shared_archive_is_in_nobodys_way() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let files = (0..4).map(|file| {
        months(
            root.path(),
            1 + 2 * file,
            2,
            0,
            &[Variable::Tos, Variable::Sos],
        )
    });
    let files: Vec<String> = files.collect();
    let sent = |words: &[&str]| {
        let files = files.iter().map(String::as_str);
        line(&words.iter().copied().chain(files).collect::<Vec<_>>())
    };
    let share = sent(&["send", "--share", "-f"]);
    let (start, end) = under_way(&share, &sent(&["send", "--transaction", "all", "-f"]));
    let told: Vec<&String> = start.keys().filter(|key| key.contains("/share/")).collect();
    let has = |part: &str| told.iter().any(|key| key.contains(part));
    assert!(has("archive.json") && has("000002/done.json") && has("/records-") && has("/files"));
    for key in told {
        for (what, text) in WAYS {
            let case = format!("{key} {what}");
            let mut objects = start.clone();
            match text {
                None => objects.remove(key),
                Some(text) => objects.insert(key.clone(), Bytes::from(text)),
            };
            let world = World::holding(Conditional::Enforced, &objects);
            let link = world.link(Vec::new());
            let can = |words: &[&str]| {
                assert_eq!(run(&link, &line(words)), Exit::Ok, "{case}: {words:?}");
            };
            let mut next = share.clone();
            if key.ends_with("archive.json") {
                if text.is_some() {
                    assert_eq!(run(&link, &line(&["status"])), Exit::ForeignStore, "{case}");
                    assert_eq!(run(&link, &line(&["verify"])), Exit::FaultsFound, "{case}");
                    assert_eq!(run(&link, &next), Exit::ForeignStore, "{case}");
                } else {
                    // What the ledgers have of parts is nobody's.
                    assert_eq!(run(&link, &line(&["verify"])), Exit::FaultsFound, "{case}");
                    can(&["status"]);
                }
                can(&["recover"]);
                can(&["recover", "--abandon"]);
                next.extend(["--on-overlap".to_owned(), "skip".to_owned()]);
            } else {
                can(&["status"]);
                can(&["recover"]);
            }
            can(&["verify"]);
            assert_eq!(run(&link, &next), Exit::Ok, "{case}");
            can(&["verify"]);
            assert_eq!(seen(&world), end, "{case}");
            let left = |key: &String| key.contains("/share/");
            assert!(!world.objects().keys().any(left), "{case}");
        }
    }
}
