//! Damaged source files of every format: whatever a file holds, a send ends with a known exit code, in time, and without a
//! panic. `MSM_OS_TEST_DAMAGED=1000..4000` tries others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nemo_like::{Format, Spec, Variable};

use super::support::{Draw, line, run, seeds, try_all};
use crate::cli::Exit;
use crate::source::write_strings;
use crate::store::Conditional;
use crate::store::simulated::World;

/// Damaged files that are tried, as many of each format.
const SEEDS: std::ops::Range<u64> = 0..600;
/// Those that are tried at a time.
const AT_A_TIME: usize = 4;
/// How long one may take, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// A whole file of each format.
fn sources(root: &Path) -> Vec<PathBuf> {
    let formats = [
        ("classic", Format::Classic),
        ("offset64", Format::Offset64),
        ("cdf5", Format::Cdf5),
        ("netcdf4", Format::NetCdf4),
        ("netcdf4_classic", Format::NetCdf4Classic),
    ];
    let mut sources: Vec<PathBuf> = formats
        .map(|(name, format)| {
            let path = root.join(format!("ORCA_1m_grid_T_{name}.nc"));
            let spec = Spec {
                grid: "6x5x2".parse().unwrap(),
                variables: vec![Variable::Thetao, Variable::Tos],
                steps: 3,
                format,
                ..Spec::default()
            };
            nemo_like::write(&path, &spec).unwrap();
            path
        })
        .to_vec();
    let strings = root.join("ORCA_1m_grid_T_strings.nc");
    write_strings(&strings);
    sources.push(strings);
    sources
}

/// Damages `bytes` in one to four places; most of them are near the beginning, where the metadata is.
fn damage(bytes: &mut Vec<u8>, draw: &mut Draw) {
    for _ in 0..=draw.below(4) {
        let length = bytes.len() as u64;
        let within = if draw.below(3) == 0 {
            length
        } else {
            length.min(6000)
        };
        let at = draw.below(within.max(1)) as usize;
        let end = bytes.len();
        match draw.below(8) {
            0..=2 => bytes[at.min(end - 1)] ^= 1 << draw.below(8),
            3 => bytes[at.min(end - 1)] = draw.below(256) as u8,
            4 => bytes[at..(at + 4).min(end)].fill([0, 0xff, 0x7f][draw.below(3) as usize]),
            5 => bytes[at..(at + 8).min(end)].fill([0, 0xff, 0x80][draw.below(3) as usize]),
            6 => {
                let from = draw.below(length) as usize;
                let count = draw.below(64).min(length - from.max(at) as u64) as usize;
                bytes.copy_within(from..from + count, at);
            }
            _ if draw.below(4) == 0 => bytes.truncate(at.max(1)),
            _ => bytes[at.min(end - 1)] = bytes[at.min(end - 1)].wrapping_add(1),
        }
    }
}

#[test]
fn a_damaged_file_ends_a_send_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let sources = sources(root.path());
    let seeds = seeds("MSM_OS_TEST_DAMAGED", SEEDS);
    let codes: Mutex<BTreeMap<i32, u64>> = Mutex::default();
    let numbers: Vec<u64> = seeds.clone().collect();
    try_all(&numbers, AT_A_TIME, |&seed| {
        let source = &sources[(seed % sources.len() as u64) as usize];
        let place = tempfile::tempdir_in(root.path()).unwrap();
        let mutant = place.path().join(source.file_name().unwrap());
        let mut bytes = fs::read(source).unwrap();
        damage(&mut bytes, &mut Draw(seed));
        fs::write(&mutant, bytes).unwrap();
        let line = line(&["send", "--memory", "64M", "-f", mutant.to_str().unwrap()]);
        let begun = Instant::now();
        let ended = thread::spawn(move || {
            let world = World::new(Conditional::Enforced);
            run(&world.link(Vec::new()), &line)
        });
        let ended = ended.join();
        let took = begun.elapsed();
        let problem = match ended {
            Err(_) => "it panicked".to_owned(),
            Ok(Exit::Panic) => "exit 70".to_owned(),
            Ok(_) if took > LONGEST => format!("it took {took:?}"),
            Ok(exit) => {
                *codes.lock().unwrap().entry(exit.code()).or_default() += 1;
                return Ok(());
            }
        };
        Err(format!(
            "MSM_OS_TEST_DAMAGED={seed}..{}, {}: {problem}",
            seed + 1,
            source.display()
        ))
    });
    let codes = codes.into_inner().unwrap();
    println!("{seeds:?}: exit codes {codes:?}");
    let has_both = codes.contains_key(&0) && codes.contains_key(&Exit::SourceBroken.code());
    assert!(has_both || seeds != SEEDS, "{codes:?}");
}
