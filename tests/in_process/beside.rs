//! `verify` beside a job that is at work for longer than it looks: at whatever request that job stands still, what it has not ended is
//! no fault.

use std::time::Duration;

use super::dataset::Objects;
use super::scenes::{Layout, all_scenes};
use super::support::{LONG, line, run, set_lease_times, try_all};
use crate::cli::Exit;
use crate::commit::LeaseTimes;
use crate::store::Conditional;
use crate::store::simulated::World;

/// One of so many requests is tried.
const SHARE: usize = 9;
/// Cases at a time: now and then they wait.
const AT_A_TIME: usize = 8;
/// It looks again at once.
const TIMES: LeaseTimes = LeaseTimes {
    look: Duration::from_millis(1),
    ..LONG
};

#[test]
fn wherever_a_job_stands_still_verify_finds_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let scenes: Vec<_> = all_scenes(folder.path()).into_iter().enumerate().collect();
    try_all(&scenes, AT_A_TIME, |(place, (layout, scene, _))| {
        set_lease_times(LONG);
        let world = World::holding(Conditional::Enforced, &scene.stages[0]);
        if run(&world.link(Vec::new()), &line(&["verify"])) == Exit::FaultsFound {
            // What is wrong from the beginning is a fault until it is mended.
            return Ok(());
        }
        assert_eq!(run(&world.link(Vec::new()), &scene.line), Exit::Ok);
        set_lease_times(TIMES);
        let states = world.history().states();
        if (scene.name, *layout) == ("update", Layout::Zarr3) {
            damage_is_found(&states)?;
        }
        let states = states.into_iter().enumerate();
        let failures: Vec<String> = states
            .filter(|(number, _)| (number + place) % SHARE == 0)
            .filter(|(_, objects)| objects.keys().any(|key| key.contains("/journal/")))
            .filter_map(|(number, objects)| {
                let world = World::put_just_now(Conditional::Enforced, &objects);
                let ended = run(&world.link(Vec::new()), &line(&["verify"]));
                // A store that is being replaced is not there to be looked at, and that is said.
                let is_well = matches!(ended, Exit::Ok | Exit::NoStore)
                    || (ended, scene.name) == (Exit::Taken, "replace");
                let case = format!("{}/{}/{number}", scene.name, layout.name());
                (!is_well).then(|| format!("{case}: {ended:?}"))
            })
            .collect();
        if failures.is_empty() {
            Ok(())
        } else {
            Err(failures.join("\n"))
        }
    });
}

/// Where the last of these states in which all is replaced, and nothing committed, is damaged, `verify` says so: a copy of what goes,
/// and an object that stays.
fn damage_is_found(states: &[Objects]) -> Result<(), String> {
    let has = |objects: &Objects, end: &str| objects.keys().any(|key| key.ends_with(end));
    let is_written = |objects: &&Objects| has(objects, ".open") && !has(objects, ".prepared");
    let written = states.iter().rfind(is_written).unwrap();
    for part in ["/undo/", ".zarr/nav_lat/"] {
        let mut objects = written.clone();
        let is_meant = |key: &String| key.contains(part) && key.contains("/c/");
        for (_, bytes) in objects.iter_mut().filter(|(key, _)| is_meant(key)) {
            let mut damaged = bytes.to_vec();
            damaged[0] ^= 1;
            *bytes = damaged.into();
        }
        assert!(objects != *written, "{part}");
        let world = World::put_just_now(Conditional::Enforced, &objects);
        let ended = run(&world.link(Vec::new()), &line(&["verify"]));
        if ended != Exit::FaultsFound {
            return Err(format!("{part} is damaged: {ended:?}"));
        }
    }
    Ok(())
}
