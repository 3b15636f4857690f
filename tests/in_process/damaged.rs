//! Damaged source files of every format: whatever a file holds, a send ends with a known exit code, in time, and without a
//! panic. `MSM_OS_TEST_DAMAGED=1000` tries more of each format, `MSM_OS_TEST_DAMAGED_SEED=n` others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nemo_like::{Format, Spec, Variable};

use super::support::{Draw, run};
use crate::cli::Exit;
use crate::source::write_strings;
use crate::store::Conditional;
use crate::store::simulated::World;

/// Mutants of each format.
const EACH: u64 = 100;
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

fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn a_damaged_file_ends_a_send_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let sources = sources(root.path());
    let (each, first) = (
        asked("MSM_OS_TEST_DAMAGED", EACH),
        asked("MSM_OS_TEST_DAMAGED_SEED", 0),
    );
    let (next, failures) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let codes: Mutex<BTreeMap<i32, u64>> = Mutex::default();
    thread::scope(|scope| {
        for worker in 0..4 {
            let (next, failures, codes, sources) = (&next, &failures, &codes, &sources);
            let place = root.path().join(format!("{worker}"));
            fs::create_dir(&place).unwrap();
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let kind = (number / each) as usize;
                    let Some(source) = sources.get(kind) else {
                        break;
                    };
                    let seed = first + number;
                    let mut bytes = fs::read(source).unwrap();
                    damage(&mut bytes, &mut Draw(seed));
                    let mutant = place.join(source.file_name().unwrap());
                    fs::write(&mutant, bytes).unwrap();
                    let line = ["send", "--memory", "64M", "-f", mutant.to_str().unwrap()];
                    let line = super::support::line(&line);
                    let begun = Instant::now();
                    let ended = thread::spawn(move || {
                        let world = World::new(Conditional::Enforced);
                        run(&world.link(Vec::new()), &line)
                    });
                    let told =
                        |problem: &str| format!("seed {seed} of {}: {problem}", source.display());
                    match ended.join() {
                        Err(_) => failures.lock().unwrap().push(told("it panicked")),
                        Ok(Exit::Panic) => failures.lock().unwrap().push(told("exit 70")),
                        Ok(exit) => *codes.lock().unwrap().entry(exit.code()).or_default() += 1,
                    }
                    if begun.elapsed() > LONGEST {
                        failures.lock().unwrap().push(told("it took too long"));
                    }
                }
            });
        }
    });
    let (failures, codes) = (failures.into_inner().unwrap(), codes.into_inner().unwrap());
    println!("seeds from {first}, {each} of each: exit codes {codes:?}");
    assert!(
        codes.contains_key(&0) && codes.contains_key(&Exit::SourceBroken.code()),
        "{codes:?}"
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
