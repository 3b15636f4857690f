//! Signals, with and without `--resume`, and what the next send makes of what was left.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::resume_scene::{At, OBJECTS, Run, STORES, Scene, Stop, Whom};
use crate::support::is_tidy;

/// Objects of a transaction that is resumed that are read again.
const SAMPLE: usize = 32;

/// SIGTERM in the middle.
const STOP: Stop = Stop {
    signal: Signal::TERM,
    whom: Whom::All,
    at: At::Object(60),
};

/// A send of three years that was stopped by a signal and can be resumed.
fn stopped(scene: &Scene, ranks: usize, options: &[&str]) -> Run {
    let options = [&["--resume"], options].concat();
    let whom = if ranks == 1 {
        Whom::All
    } else {
        Whom::Rank(ranks - 1)
    };
    let run = scene.send(
        ranks,
        &[&scene.years()],
        &options,
        Some(Stop { whom, ..STOP }),
    );
    assert_eq!(run.ended.code, 44, "{:#?}", run.ended);
    let said = "the journal stays open: the same command with --resume goes on";
    assert!(run.ended.stderr.contains(said), "{:#?}", run.ended);
    assert!((60..OBJECTS).contains(&run.put.len()), "{}", run.put.len());
    let journal = |part: &str| scene.objects().into_keys().any(|key| key.contains(part));
    assert!(journal(".open") && !journal(".prepared") && !journal("/lease/"));
    run
}

/// Objects that both put.
fn again(first: &Run, second: &Run) -> BTreeSet<String> {
    first.put.intersection(&second.put).cloned().collect()
}

#[test]
fn a_signal_to_any_rank_puts_everything_back() {
    let scene = Scene::new();
    let file = scene.years();
    for (ranks, signal, whom) in [
        (1, Signal::TERM, Whom::All),
        (1, Signal::INT, Whom::All),
        (1, Signal::USR1, Whom::All),
        (3, Signal::TERM, Whom::Rank(0)),
        (3, Signal::INT, Whom::Rank(2)),
        (3, Signal::USR1, Whom::Rank(1)),
    ] {
        let stop = Stop {
            signal,
            whom,
            ..STOP
        };
        let run = scene.send(ranks, &[&file], &[], Some(stop));
        assert_eq!(run.ended.code, 44, "{stop:?}: {:#?}", run.ended);
        let said = "stopped by a signal; rolled back, nothing has changed";
        assert!(
            run.ended.stderr.contains(said),
            "{stop:?}: {:#?}",
            run.ended
        );
        assert!(run.put.len() < OBJECTS, "{stop:?}: all was put");
        assert!(scene.objects() == scene.before, "{stop:?}");
    }
    scene.send(1, &[&file], &[], None).ended.well();
    scene.is_as_sent(&[&file]);
}

#[test]
fn an_mpirun_that_is_signalled_gives_its_ranks_a_second() {
    for options in [&[][..], &["--resume"]] {
        let scene = Scene::new();
        let file = scene.years();
        let whom = Whom::Mpirun;
        let run = scene.send(3, &[&file], options, Some(Stop { whom, ..STOP }));
        println!(
            "{options:?}: {:?} after the signal: {:#?}",
            run.since, run.ended
        );
        assert_ne!(run.ended.code, 0, "{:#?}", run.ended);
        // However far they got: the next one brings it to its end.
        scene.send(3, &[&file], options, None).ended.well();
        scene.is_as_sent(&[&file]);
    }
}

#[test]
fn what_was_put_is_not_put_again_on_any_number_of_ranks() {
    for (ranks, then) in [(1, 1), (3, 1), (1, 3), (3, 3)] {
        let scene = Scene::new();
        let first = stopped(&scene, ranks, &[]);
        let second = scene.send(then, &[&scene.years()], &["--resume"], None);
        let said = format!("{} objects are there already", first.put.len());
        assert!(
            second.ended.stderr.contains(&said),
            "{said}: {:#?}",
            second.ended
        );
        let again = again(&first, &second);
        assert!(again.is_empty(), "{ranks} ranks, then {then}: {again:?}");
        assert_eq!(first.put.len() + second.put.len(), OBJECTS);
        let read = second.read.iter().filter(|key| first.put.contains(*key));
        // Each rank reads one more, to be decoded, where none of those that it put was drawn.
        assert!(read.count() <= SAMPLE + then);
        second.ended.well();
        scene.is_as_sent(&[&scene.years()]);
    }
}

#[test]
fn the_same_command_goes_on_without_the_flag_too() {
    let scene = Scene::new();
    let file = scene.years();
    let first = stopped(&scene, 1, &[]);
    let second = scene.send(1, &[&file], &[], None);
    assert!(again(&first, &second).is_empty());
    second.ended.well();
    scene.is_as_sent(&[&file]);
    // Killed, it had no last words; but those it said.
    let scene = Scene::new();
    let file = scene.years();
    let stop = Stop {
        signal: Signal::KILL,
        at: At::Object(150),
        ..STOP
    };
    let first = scene.send(1, &[&file], &[], Some(stop));
    assert_ne!(first.ended.code, 0);
    let second = scene.send(1, &[&file], &[], None);
    assert!(
        second.ended.stderr.contains("going on with a transaction"),
        "{:#?}",
        second.ended
    );
    let again = again(&first, &second);
    assert!(
        again.len() < first.put.len() / 2,
        "{} of {}",
        again.len(),
        first.put.len()
    );
    second.ended.well();
    scene.is_as_sent(&[&file]);
}

#[test]
fn objects_that_were_not_verified_are_put_again() {
    let scene = Scene::new();
    let unverified = ["--verify", "none"];
    let first = stopped(&scene, 1, &unverified);
    let second = scene.send(1, &[&scene.years()], &["--resume"], None);
    assert_eq!(again(&first, &second), first.put);
    second.ended.well();
    scene.is_as_sent(&[&scene.years()]);
}

#[test]
fn objects_that_were_changed_meanwhile_are_put_again() {
    let scene = Scene::new();
    let first = stopped(&scene, 1, &[]);
    for key in &first.put {
        let key = key.strip_prefix("ocean/").unwrap();
        if key.contains("/tos/") {
            scene.server.remove_object("ocean", key);
        } else {
            scene.server.put_object("ocean", key, "something else");
        }
    }
    let second = scene.send(1, &[&scene.years()], &["--resume"], None);
    let said = "from its beginning";
    assert!(second.ended.stderr.contains(said), "{:#?}", second.ended);
    assert_eq!(again(&first, &second), first.put);
    second.ended.well();
    scene.is_as_sent(&[&scene.years()]);
}

#[test]
fn another_file_is_begun_anew() {
    let scene = Scene::new();
    stopped(&scene, 1, &[]);
    let other = scene.months(1, 36, 1);
    let second = scene.send(1, &[&other], &["--resume"], None);
    let said = second
        .ended
        .stderr
        .matches("had not ended: rolled back")
        .count();
    assert_eq!(said, STORES.len(), "{:#?}", second.ended);
    assert_eq!(second.put.len(), OBJECTS);
    second.ended.well();
    scene.is_as_sent(&[&other]);
}

#[test]
fn a_send_that_is_stopped_in_its_third_transaction_goes_on_there() {
    let scene = Scene::empty();
    let files: Vec<String> = (0..4).map(|pair| scene.months(2 * pair, 2, 0)).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let settings = ["-cs", r#"{"time_counter": 2, "deptht": 1}"#, "--resume"];
    let at = At::Key("/thetao/c/2/");
    let first = scene.send(1, &files, &settings, Some(Stop { at, ..STOP }));
    assert_eq!(first.ended.code, 44, "{:#?}", first.ended);
    let committed = |scene: &Scene| {
        let keys = scene.objects().into_keys();
        keys.filter(|key| key.contains("/transactions/")).count()
    };
    assert_eq!(committed(&scene), 2 * STORES.len());
    let second = scene.send(1, &files, &settings, None);
    assert!(again(&first, &second).is_empty(), "{:#?}", second.ended);
    assert_eq!(first.put.len() + second.put.len(), 4 * 6);
    second.ended.well();
    assert_eq!(committed(&scene), 4 * STORES.len());
    is_tidy(&scene.server);
}

#[test]
fn a_signal_while_it_plans_ends_it_at_once_and_leaves_no_more_than_a_lease_and_a_probe() {
    let scene = Scene::new();
    let file = scene.years();
    for options in [&[][..], &["--resume"]] {
        let at = At::Key("/lease/");
        let run = scene.send(1, &[&file], options, Some(Stop { at, ..STOP }));
        assert_eq!(run.ended.code, 128 + 15, "{:#?}", run.ended);
        assert!(
            run.since.unwrap() < Duration::from_secs(2),
            "{:?}",
            run.since
        );
        let objects = scene.objects();
        let left: Vec<&String> = objects
            .keys()
            .filter(|key| !scene.before.contains_key(*key))
            .collect();
        let passes = |key: &String| key.contains("/lease/") || key.contains("/probe-");
        assert!(left.iter().all(|key| passes(key)), "{left:?}");
    }
    let begun = Instant::now();
    scene.send(1, &[&file], &[], None).ended.well();
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    scene.is_as_sent(&[&file]);
}
