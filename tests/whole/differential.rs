//! Random datasets and operations, by a seed: what is sent opens as what xarray's own `to_zarr` writes.
//!
//! `MSM_OS_DIFFERENTIAL_SEEDS=100..400` runs other seeds than those of every day: even ones alone, odd ones on 3 ranks.

use std::ops::Range;
use std::path::Path;

use crate::support::{Sandbox, command, end, python};

/// Seeds that one Python process takes, well within the time limit of a command.
const BATCH: usize = 6;

/// The seeds to run.
fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var("MSM_OS_DIFFERENTIAL_SEEDS") else {
        return 0..12;
    };
    let ends = asked.split_once("..");
    let range = ends.and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    range.unwrap_or_else(|| {
        panic!("MSM_OS_DIFFERENTIAL_SEEDS is '{asked}'; expected a range such as 0..200")
    })
}

/// Those of the seeds that are `parity` modulo 2, on so many ranks.
fn same_as_xarray(ranks: &str, parity: u64) {
    let sandbox = Sandbox::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/differential.py");
    let directory = sandbox.path("");
    let program = [
        python(),
        script,
        env!("CARGO_BIN_EXE_msm_os").into(),
        directory,
    ];
    let program = program.each_ref().map(|path| path.to_str().unwrap());
    let seeds = seeds().filter(|seed| seed % 2 == parity);
    let seeds: Vec<String> = seeds.map(|seed| seed.to_string()).collect();
    for batch in seeds.chunks(BATCH) {
        let mut args = vec![ranks];
        args.extend(batch.iter().map(String::as_str));
        let ended = end(command(&program, &args));
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn alone() {
    same_as_xarray("1", 0);
}

#[test]
fn on_three_ranks() {
    same_as_xarray("3", 1);
}
